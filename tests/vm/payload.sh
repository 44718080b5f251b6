# What the scripts that boot a guest share: its payload ($work/payload), the lines of results ($results) and their sum. Sourced.

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
results=$work/results
touch "$results"

# Copies programs with the libraries that they are linked to; nothing else of the host gets into the guest.
install_program() {
	local program=$1 target=$2 library
	install -D -m 755 "$program" "$target"
	ldd "$program" 2>/dev/null | grep -o '/[^ ]*' | while read -r library; do install -D -m 755 "$library" "$work/payload$library"; done
}

finish() {
	local passed failed skipped
	passed=$(grep -c '^ok ' "$results" || true)
	failed=$(grep -c '^FAIL ' "$results" || true)
	skipped=$(grep -c '^skip ' "$results" || true)
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" = 0 ] && [ $((passed + skipped)) -gt 0 ]
	exit
}

say() { echo "$1" | tee -a "$results"; }

# What a guest told while a script of this folder waited for it (boot.sh, VM_TOLD): its results, with the kernel's name in each; and whether
# all of them have come.
take_told() { # FILE KERNEL
	local sum told
	grep -aE '^(ok|FAIL|skip) ' "$1" | sed -E "s/^(ok|FAIL|skip) /\1 $2 /" | tee -a "$results" || true
	told=$(grep -acE '^(ok|FAIL|skip) ' "$1" || true)
	sum=$(sed -n 's/^@@TOLD //p' "$1" | tail -1)
	[ "${sum:-$told}" = "$told" ] || say "FAIL $2: the guest made $sum checks, and the results of $told came"
}
