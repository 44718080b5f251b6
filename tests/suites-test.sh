#!/usr/bin/env bash
# Tests of suites.sh and of build.sh around it: whatever a suite does, the last line is "N passed, N failed, N skipped", the exit status agrees
# with it, and what broke is named. Prints one line per check, "ok NAME" or "FAIL NAME: why", and the same closing line.
set -uo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$root/tests/checks.sh"

# A run of suites as build.sh makes one: what stands in it comes from standard input. Sets last (the last line), status, told (all of it).
run() {
    {
        echo 'set -euo pipefail'
        echo ". '$root/tests/suites.sh'"
        echo 'begin_suites "the beginning"'
        cat
    } >"$work/script"
    finished "$work" bash "$work/script"
}

finished() { # FOLDER COMMAND...
    status=0
    (cd "$1" && shift && exec "$@") >"$work/told" 2>&1 </dev/null || status=$?
    told=$(cat "$work/told")
    last=$(tail -n 1 "$work/told")
}

names() { if grep -qF "broken: $1" <<<"$told"; then echo named; else grep -F broken <<<"$told"; fi; } # WHAT

program() { # NAME TEXT...: a suite of that name
    local name=$1
    shift
    printf '%s\n' '#!/bin/sh' "$@" >"$work/$name"
    chmod +x "$work/$name"
}

program green 'echo "ok one"' 'echo "3 passed, 0 failed, 1 skipped"'
program red 'echo "FAIL two: why"' 'echo "1 passed, 2 failed, 0 skipped"' 'exit 1'
program silent 'echo "something went wrong"' 'exit 7'
program liar 'echo "5 passed, 0 failed"' 'exit 9'
program empty 'echo "0 passed, 0 failed, 0 skipped"'
program binary 'printf "\000\377\n"' 'echo "2 passed, 0 failed, 0 skipped"'
program slow 'echo $$ >slow.pid' 'sleep 600'

run <<<'script_suite green ./green; finish_suites'
check "a green suite" "0 3 passed, 0 failed, 1 skipped" "$status $last"

run <<<'script_suite green ./green; script_suite red ./red; finish_suites'
check "a red suite is added" "1 4 passed, 2 failed, 1 skipped" "$status $last"
check "its failures are shown" "FAIL two: why" "$(grep '^FAIL' <<<"$told" | sort -u)"

run <<<'script_suite red ./red; script_suite green ./green; finish_suites'
check "they are listed once more before the sum" "failed: red: FAIL two: why" "$(tail -n 2 <<<"$told" | head -n 1)"

run <<<'script_suite silent ./silent; script_suite green ./green; finish_suites'
check "a suite without a closing line fails, and the next one runs" "1 3 passed, 1 failed, 1 skipped" "$status $last"
check "it is named" named "$(names 'silent ended with status 7 and no closing line')"
check "what it said is shown" 1 "$(grep -c '^something went wrong' <<<"$told")"

run <<<'script_suite liar ./liar; finish_suites'
check "a suite that ends with an error and counts none fails" "1 5 passed, 1 failed, 0 skipped" "$status $last"
check "it is named" named "$(names 'liar ended with status 9')"

run <<<'script_suite green ./green; script_suite empty ./empty; finish_suites'
check "a suite that checks nothing fails" "1 3 passed, 1 failed, 1 skipped" "$status $last"

run <<<'script_suite missing ./missing; finish_suites'
check "a suite that is not there fails" "1 0 passed, 1 failed, 0 skipped" "$status $last"
check "it is named" named "$(names 'missing ended with status 127')"

run <<<'script_suite binary ./binary; finish_suites'
check "a log with other bytes than text is read" "0 2 passed, 0 failed, 0 skipped" "$status $last"

run <<<'finish_suites'
check "a run of nothing fails" "1 0 passed, 0 failed, 0 skipped" "$status $last"

run <<<'script_suite green ./green; step "the second half"; false; finish_suites'
check "a command that ends the script" "1 3 passed, 1 failed, 1 skipped" "$status $last"
check "its step is named" named "$(names 'the second half ended the run with status 1')"

run <<<'exit 0'
check "an end before the sum, without an error" "1 0 passed, 1 failed, 0 skipped" "$status $last"

run <<<'script_suite green ./green; kill -TERM $$; sleep 60; finish_suites'
check "a signal" "1 3 passed, 1 failed, 1 skipped" "$status $last"
check "it is named" named "$(names 'the beginning ended the run with status 143')"

run <<<'start_beside script_suite red ./red; script_suite green ./green; join_beside; finish_suites'
check "a suite beside another one counts" "1 4 passed, 2 failed, 1 skipped" "$status $last"

run <<<'dies() { exit 5; }; start_beside dies; script_suite green ./green; join_beside; finish_suites'
check "what dies beside a suite fails" "1 3 passed, 1 failed, 1 skipped" "$status $last"
check "it is named" named "$(names 'dies ended with status 5')"

run <<<'start_beside script_suite slow ./slow; while [ ! -s slow.pid ]; do sleep 0.1; done; false'
check "an end while a suite runs beside it" "1 0 passed, 1 failed, 0 skipped" "$status $last"
# What was ended goes a moment later, and stays a zombie until its new parent looks.
runs() { [ -e "/proc/$1/stat" ] && ! grep -q ') [ZX] ' "/proc/$1/stat"; }
for _ in $(seq 300); do runs "$(cat "$work/slow.pid")" || break; sleep 0.1; done
check "the suite beside it is ended too" no "$(runs "$(cat "$work/slow.pid")" && echo yes || echo no)"

# dotnet, as far as build.sh looks at it.
mkdir -p "$work/bin"
dotnet() { # TEXT...: what it does when asked to build or to test
    printf '%s\n' '#!/bin/sh' '[ "$1" != --list-sdks ] || { echo "10.0.100 [/]"; exit 0; }' "$@" >"$work/bin/dotnet"
    chmod +x "$work/bin/dotnet"
}
export PATH=$work/bin:$PATH

dotnet 'printf "  Failed Some.Two [3 ms]\n Passed One\n Passed: 7\n  Failed: 1\n Skipped: 2\n"' 'exit 1'
run <<<'dotnet_suite tests/Some.Tests; finish_suites'
check "the numbers of dotnet test" "1 7 passed, 1 failed, 2 skipped" "$status $last"
check "its failures are listed before the sum" "failed: Some.Tests: Failed Some.Two [3 ms]" "$(tail -n 2 <<<"$told" | head -n 1)"

dotnet 'echo "     Passed: 7"' 'exit 134'
run <<<'dotnet_suite tests/Some.Tests; finish_suites'
check "a test host that crashes after its tests" "1 7 passed, 1 failed, 0 skipped" "$status $last"
check "it is named" named "$(names 'Some.Tests ended with status 134')"

for code in 0 1; do
    dotnet 'echo "error CS0103: no such name"' "exit $code"
    run <<<'dotnet_suite tests/Some.Tests; finish_suites'
    check "dotnet test that ran nothing and ended with $code" "1 0 passed, 1 failed, 0 skipped" "$status $last"
    check "it is named" named "$(names 'Some.Tests ran nothing')"
done

# build.sh itself, in a folder of its own, with a build that does not work.
mkdir -p "$work/tree/tests"
cp "$root/build.sh" "$work/tree/"
cp "$root/tests/suites.sh" "$work/tree/tests/"
dotnet 'echo "error: no package"' 'exit 1'
printf '#!/bin/sh\necho installed\n' >"$work/bin/dpkg-query" # nothing is installed for this
chmod +x "$work/bin/dpkg-query"
for task in unit kernels pester $([ "$(id -u)" != 0 ] || echo test live); do
    finished "$work/tree" ./build.sh "$task"
    check "build.sh $task without a build" "1 0 passed, 1 failed, 0 skipped" "$status $last"
    check "it is named" named "$(names 'the build ended the run with status 1')"
done

finish
