#!/usr/bin/env bash
# Builds and packs the sources twice, in two folders of different length, of which one is a git repository, and compares what a release has
# and what it is made of, byte by byte. Prints one line per file, "ok NAME" or "FAIL NAME: why". Takes minutes; a part of it is in
# tests/supply-test.sh.
set -uo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$root/tests/checks.sh"
cd "$root" || exit 1

copy() { # FOLDER: the sources as they are here
    mkdir -p "$1"
    if [ -e .git ]; then git ls-files -z --cached --others --exclude-standard; else find . -path ./out -prune -o -type f -print0; fi |
        tar --null --ignore-failed-read -T - -cf - | tar -xf - -C "$1"
}

made() { # FOLDER: hash and name of each file
    (cd "$1/out" && find packages bpf native/environment.o modules bin/beyla bin/beyla.dbg \
        build/bin/Beyla.{Agent,Contracts,PowerShell}/release/*.dll -type f -print0 | sort -z | xargs -0 sha256sum)
}

one=$work/one
other=$work/another/of-a-longer-name
for folder in "$one" "$other"; do
    copy "$folder"
    if [ "$folder" = "$other" ]; then
        (cd "$folder" && git init -q && git add -A && git -c user.name=x -c user.email=x@example.org commit -qm x) || exit 1
    fi
    (cd "$folder" && ./build.sh pack) >"$work/log" 2>&1 </dev/null || { cat "$work/log"; exit 1; }
done
made "$one" >"$work/one.sums"
made "$other" >"$work/other.sums"
check "the same files" "$(cut -d ' ' -f 3- "$work/one.sums")" "$(cut -d ' ' -f 3- "$work/other.sums")"
while read -r hash name; do
    check "$name" "$hash" "$(awk -v name="$name" '$2 == name { print $1 }' "$work/other.sums")"
done <"$work/one.sums"
check "the agent is among them" 1 "$(grep -c '  bin/beyla$' "$work/one.sums")"

finish
