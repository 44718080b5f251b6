# How build.sh runs test suites and adds them up. Sourced by build.sh, and by the tests of this file (tests/suites-test.sh).
#
# Whatever happens, the last line of a run is "N passed, N failed, N skipped", and everything that broke is named above it: a suite without a
# closing line, one that ended with an error although no test failed, and a step that ended the script itself. The tests that failed are listed
# there once more, so that the end of a long log is enough to know which.
#
# Results go to a file and not to variables, since suites may run beside each other, each in a shell of its own.

say() { printf '%s\n' "$*" >&2; }

# begin_suites STEP: from here on the closing line is owed. Ends with finish_suites, or with the script.
begin_suites() {
    mkdir -p out/logs
    results=$PWD/out/logs/results
    : >"$results"
    step=$1
    beside=()
    trap 'end_early $?' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
}

# What is going on, for the message when the script ends in the middle of it.
step() { step=$1; }

count() { echo "count $1 $2 $3" >>"$results"; } # PASSED FAILED SKIPPED
broken() { echo "broken $*" >>"$results"; }
failed() { head -n 20 | sed "s/^ */failed $1: /" >>"$results"; } # SUITE: of its lines

dotnet_suite() { # dotnet_suite PROJECT
    local name log status=0 begin=$SECONDS p f s
    name=$(basename "$1")
    log="out/logs/$name.log"
    mkdir -p out/logs
    say "testing $name"
    dotnet test "$1" -c Release --nologo --logger "console;verbosity=normal" >"$log" 2>&1 </dev/null || status=$?
    grep -E '^ *(Failed|\[FAIL\])|\[SKIP\]|\[FAIL\]' "$log" || true
    { grep -E '^ *Failed [^ ]' "$log" || true; } | failed "$name"
    p=$(closing_number Passed "$log")
    f=$(closing_number Failed "$log")
    s=$(closing_number Skipped "$log")
    if [ "$status" != 0 ]; then
        grep -vE '^ *(Passed|Skipped) ' "$log" | grep -A 25 -E '^ *Failed ' >&2 || tail -n 40 "$log" >&2
    fi
    if [ -z "$p$f$s" ]; then
        broken "$name ran nothing and ended with status $status, see $log"
        return
    fi
    if [ "$status" != 0 ] && [ "${f:-0}" = 0 ]; then broken "$name ended with status $status, see $log"; fi
    count "${p:-0}" "${f:-0}" "${s:-0}"
    say "  $name: ${p:-0} passed, ${f:-0} failed, ${s:-0} skipped ($((SECONDS - begin)) s)"
}

closing_number() { sed -nE "s/^ *$1: +([0-9]+)\$/\1/p" "$2" | tail -n 1; } # WORD LOG

script_suite() { # script_suite NAME COMMAND...: a program that ends with 'N passed, N failed, N skipped'
    local name=$1 log="out/logs/$1.log" status=0 begin=$SECONDS line p f s
    shift
    mkdir -p out/logs
    say "testing $name"
    "$@" >"$log" 2>&1 </dev/null || status=$?
    grep -aE '^(FAIL|SKIP|skipped)' "$log" || true
    { grep -aE '^FAIL' "$log" || true; } | failed "$name"
    line=$(grep -aE '^[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)?$' "$log" | tail -n 1) || true # none is what the next lines are about
    if [ -z "$line" ]; then
        broken "$name ended with status $status and no closing line, see $log"
        tail -n 40 "$log" >&2
        return
    fi
    read -r p f s < <(sed -E 's/^([0-9]+) passed, ([0-9]+) failed(, ([0-9]+) skipped)?$/\1 \2 \4/' <<<"$line")
    if [ "$status" != 0 ]; then
        tail -n 60 "$log" >&2
        if [ "$f" = 0 ]; then broken "$name ended with status $status, see $log"; fi
    fi
    if [ "$((p + f + ${s:-0}))" = 0 ]; then broken "$name checked nothing"; fi
    count "$p" "$f" "${s:-0}"
    say "  $name: $line ($((SECONDS - begin)) s)"
}

# start_beside COMMAND...: runs it beside what follows. A shell lets such a child ignore SIGINT: what it starts has to take that back.
start_beside() {
    "$@" &
    beside+=("$! $1")
}

# Waits for all that runs beside.
join_beside() {
    local entry status
    for entry in "${beside[@]:-}"; do
        [ -n "$entry" ] || continue
        status=0
        wait "${entry%% *}" || status=$?
        [ "$status" = 0 ] || broken "${entry#* } ended with status $status"
    done
    beside=()
}

# The sum, as the exit status and the last line.
finish_suites() {
    trap - EXIT
    sum_up
}

sum_up() {
    local p f s
    sed -n 's/^failed /failed: /p; s/^broken /broken: /p' "$results" >&2
    read -r p f s < <(awk '$1 == "count" { p += $2; f += $3; s += $4 } $1 == "broken" { f++ } END { print p + 0, f + 0, s + 0 }' "$results")
    echo "$p passed, $f failed, $s skipped"
    [ "$f" = 0 ] && [ "$p" != 0 ]
}

end_early() { # STATUS: the script ends before its sum
    local entry
    trap - EXIT
    trap '' INT TERM HUP
    for entry in "${beside[@]:-}"; do
        [ -z "$entry" ] || end_tree "${entry%% *}"
    done
    wait
    broken "$step ended the run with status $1"
    sum_up || exit 1
}

end_tree() { # PID: it, and what it started
    local child
    for child in $(cat "/proc/$1/task/"*/children 2>/dev/null); do end_tree "$child"; done
    kill "$1" 2>/dev/null || true
}
