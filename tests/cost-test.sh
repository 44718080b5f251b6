#!/usr/bin/env bash
# Tests of the gate on costs (tests/vm/judge-cost.sh): that it lets scatter and other versions pass, and nothing of ours that got dearer. Prints one
# line per check, "ok NAME" or "FAIL NAME: why", and a closing line "N passed, N failed, N skipped".
set -uo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
. "$root/tests/checks.sh"

figures() { # RELEASE NGINX NONE_SERVER TRACED_SERVER TRACED_AGENT: a file of them, client 10,000 and 20,000
    printf '# date 2026-01-01\n# version 1\n# nginx %s\nkernel\tsource\tshape\tstate\tserver\tclient\tagent\n' "$2"
    printf '%s\t-\tafter\tnone\t%s\t10000\t0\n' "$1" "$3"
    printf '%s\tfentry\tafter\ttraced\t%s\t20000\t%s\n' "$1" "$4" "$5"
}

judged() { bash "$root/tests/vm/judge-cost.sh" "$work/record" "$work/measured" "$@"; } # [AGAIN]
verdicts() { judged "$@" | awk '{ printf "%s%s", (NR > 1 ? " " : ""), $1 }'; } # of server, client and agent

figures 6.12.1-cloud 1.22 40000 60000 10000 >"$work/record"

figures 6.12.1-cloud 1.22 40000 60000 10000 >"$work/measured"
check "the recorded figures pass" "ok ok ok" "$(verdicts)"
figures 6.12.1-cloud 1.22 40000 60600 10300 >"$work/measured"
check "3 % of what is added pass" "ok ok ok" "$(verdicts)"
figures 6.12.1-cloud 1.22 40000 60601 10000 >"$work/measured"
check "more than 3 % added to the server fail" "FAIL ok ok" "$(verdicts)"
figures 6.12.1-cloud 1.22 40000 60000 10301 >"$work/measured"
check "more than 3 % of the agent fail" "ok ok FAIL" "$(verdicts)"
check "with figure, record, limit and what to do" 1 "$(judged | grep -c '6.12 fentry after traced, agent: adds 10301 instructions a request, recorded 10000, limit 10300: .*bench cost --record$')"
figures 6.12.1-cloud 1.22 40000 50000 5000 >"$work/measured"
check "what got cheaper passes" "ok ok ok" "$(verdicts)"

figures 6.12.1-cloud 1.22 40000 60700 10400 >"$work/measured"
figures 6.12.1-cloud 1.22 40000 60100 10350 >"$work/again"
check "of two boots the lower counts" "ok ok FAIL" "$(verdicts "$work/again")"
check "both are told" 1 "$(judged "$work/again" | grep -c 'server: adds 20100, recorded 20000, limit 20600 (a first boot 20700)$')"
figures 6.1.1-cloud 1.22 40000 60000 10000 >"$work/again"
check "a second boot of another kernel changes nothing" "FAIL ok FAIL" "$(verdicts "$work/again")"

figures 6.12.9-cloud 1.24 45000 65000 10000 >"$work/measured"
check "a dearer nginx is not ours" "ok ok ok" "$(verdicts)"
check "another version is told" 3 "$(judged | grep -c '(nginx 1.24 instead of 1.22, kernel 6.12.9-cloud instead of 6.12.1-cloud; ')"
figures 6.12.9-cloud 1.24 35000 60000 10000 >"$work/measured"
check "a cheaper nginx hides nothing of ours" "FAIL ok ok" "$(verdicts)"

figures 6.12.1-cloud 1.22 40000 41000 10 >"$work/record"
figures 6.12.1-cloud 1.22 40000 41400 210 >"$work/measured"
check "small figures have as many instructions as boots differ by" "ok ok ok" "$(verdicts)"
figures 6.12.1-cloud 1.22 40000 41401 211 >"$work/measured"
check "and not one more" "FAIL ok FAIL" "$(verdicts)"

grep -v traced "$work/record" >"$work/measured"
check "a figure that is missing fails" "FAIL FAIL FAIL" "$(verdicts)"
figures 6.1.1-cloud 1.22 40000 60000 10000 >"$work/measured"
check "a kernel that stands in no record fails" "FAIL" "$(verdicts)"
rm "$work/record"
check "no record fails" "FAIL" "$(verdicts)"

finish
