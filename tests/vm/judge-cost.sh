#!/bin/bash
# Holds measured costs against recorded ones: judge-cost.sh RECORD MEASURED [AGAIN], all as cost.sh --figures writes them. One line per figure,
# "ok NAME" or "FAIL NAME: why"; the status is always 0, the lines are the verdict.
#
# AGAIN has a second boot of some kernels: of two boots the lower figure counts, since what disturbs a measurement only adds to it, and what we made
# dearer is dearer in both.
#
# What is held is what an agent adds: the server's and the client's instructions a request above those without an agent in the same boot, and all
# that the agent itself takes. So another nginx, kernel or compiler moves both sides of the difference and passes, and a rise of ours cannot hide in
# what the server pays anyway. A figure may be 3 % above the record, or, where 3 % is less than the scatter between boots, as many instructions
# as stand in FLOOR.
set -euo pipefail
record=$1 measured=$2 again=${3:-}

# Instructions a request. Boots at a load of 1 to 9 differed by at most 276 in what is added to the server, by 411 in what is added to the client,
# by 153 in what the agent takes, and where it looks at each request alone (apart, traced: few requests, and looks in between) by 1,219 of 39,000.
floor_server=${COST_FLOOR_SERVER:-400}
floor_client=${COST_FLOOR_CLIENT:-800}
floor_agent=${COST_FLOOR_AGENT:-200}
floor_apart=${COST_FLOOR_APART:-2000}

[ -s "$record" ] || { echo "FAIL cost: there is no record $record: ./build.sh bench cost --record makes one"; exit 0; }
awk -F'\t' -v record="$record" -v again="$again" -v floors="$floor_server $floor_client $floor_agent $floor_apart" '
	# 6.12.117+deb12-cloud: the series is what is compared, an update of it is told.
	function series(release,   part) { split(release, part, "."); return part[1] "." part[2] }
	function is_record() { return FILENAME == record }
	# Of a row, less what there is without an agent in the same boot; empty when one of them is missing.
	function added_in(figures, kernel, row, shape, i,   base) {
		base = kernel SUBSEP "-" SUBSEP shape SUBSEP "none" SUBSEP i
		return (row SUBSEP i) in figures && base in figures ? figures[row, i] - figures[base] : ""
	}
	BEGIN { split(floors, floor, " "); split("server client agent", who, " "); limit = 1.03 }
	/^# / {
		split($0, word, " ")
		if (is_record()) was[word[2]] = word[3]
		else if (word[2] != "date" && word[2] != "version" && was[word[2]] != word[3]) others = others ", " word[2] " " word[3] " instead of " was[word[2]]
		next
	}
	$1 == "kernel" { next }
	is_record() {
		release[series($1)] = $1
		for (i = 1; i <= 3; i++) recorded[series($1), $2, $3, $4, i] = $(4 + i)
		if ($4 != "none") rows[++count] = series($1) SUBSEP $2 SUBSEP $3 SUBSEP $4
		next
	}
	FILENAME == again {
		for (i = 1; i <= 3; i++) second[series($1), $2, $3, $4, i] = $(4 + i)
		next
	}
	{
		booted[series($1)] = $1
		for (i = 1; i <= 3; i++) now[series($1), $2, $3, $4, i] = $(4 + i)
		if ($4 != "none" && !((series($1), $2, $3, $4, 1) in recorded))
			printf "FAIL cost %s %s %s %s: stands in no record: if it is wanted, record it with ./build.sh bench cost --record\n", series($1), $2, $3, $4
	}
	END {
		for (r = 1; r <= count; r++) {
			split(rows[r], key, SUBSEP)
			kernel = key[1]; shape = key[3]
			if (!(kernel in booted)) continue # skipped or failed, which has a line of its own
			for (i = 1; i <= 3; i++) {
				name = "cost " kernel " " key[2] " " shape " " key[4] ", " who[i]
				base = now[kernel, "-", shape, "none", i]
				was_base = recorded[kernel, "-", shape, "none", i]
				added = added_in(now, kernel, rows[r], shape, i)
				was_added = added_in(recorded, kernel, rows[r], shape, i)
				if (added == "" || was_added == "") { printf "FAIL %s: was not measured\n", name; continue }
				added_again = added_in(second, kernel, rows[r], shape, i)
				first = ""
				if (added_again != "" && added_again < added) { first = " (a first boot " added ")"; added = added_again }
				allowed = was_added * limit
				least = i == 3 && shape == "apart" && key[4] == "traced" ? floor[4] : floor[i]
				if (allowed < was_added + least) allowed = was_added + least
				changed = others (release[kernel] != booted[kernel] ? ", kernel " booted[kernel] " instead of " release[kernel] : "")
				changed = changed == "" ? "" : " (" substr(changed, 3) "; without an agent " base " instead of " was_base ")"
				if (added <= allowed)
					printf "ok %s: adds %d, recorded %d, limit %d%s%s\n", name, added, was_added, allowed, first, changed
				else
					printf "FAIL %s: adds %d instructions a request, recorded %d, limit %d%s%s: look what made it dearer; if that is wanted, record it with ./build.sh bench cost --record\n", name, added, was_added, allowed, first, changed
			}
		}
	}' "$record" "$measured" ${again:+"$again"}
