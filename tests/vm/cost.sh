#!/bin/bash
# What requests cost, in instructions, on Debian's other kernels: guest-cost under qemu's -icount, where one nanosecond of the guest is half an
# instruction whatever else the host does. The figures are held against the recorded ones (cost.tsv) by judge-cost.sh.
#
#   cost.sh [--figures FILE] [KERNEL...]      default: cloud-amd64 (6.1) and 6.12-cloud-amd64
#
# --figures writes the figures to FILE, in the format of cost.tsv, and judges nothing. Output and status are those of run.sh.
#
# Environment: AGENT_UNDER_TEST (another agent), COST_RECORD (another record than cost.tsv), COST_GUEST (another guest than guest-cost), VM_LIMIT
# (400 seconds), and those of boot.sh.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
agent=${AGENT_UNDER_TEST:-$here/../../out/bin/beyla}
record=${COST_RECORD:-$here/cost.tsv}
figures=
if [ "${1:-}" = --figures ]; then
	figures=$2
	shift 2
fi
[ $# -gt 0 ] || set -- cloud-amd64 6.12-cloud-amd64
export PATH=$PATH:/usr/sbin
. "$here/payload.sh"

if [ ! -x "$agent" ]; then
	say "FAIL agent: $agent is not built"
	finish
fi
for tool in gcc nginx; do
	command -v "$tool" >/dev/null || { say "skip cost: $tool is missing: apt-get install gcc libc6-dev nginx-light"; finish; }
done

mkdir -p "$work/payload"/{etc,www}
install_program "$agent" "$work/payload/agent/beyla"
install_program "$(command -v nginx)" "$work/payload/sbin/nginx"
gcc -O1 -static -s -o "$work/payload/agent/cost" "$here/../native/cost.c"
install -m 755 "$here/${COST_GUEST:-guest-cost}" "$work/payload/test.sh"
head -c 800 /dev/zero | tr '\0' x >"$work/payload/www/small"

# What the figures depend on beside the agent.
heading() {
	echo "# date $(date -u +%F)"
	echo "# version $(sed -n 's|.*<Version>\(.*\)</Version>.*|\1|p' "$here/../../Directory.Build.props")"
	echo "# nginx $(nginx -v 2>&1 | sed 's|.*/||')"
	echo "# gcc $(gcc -dumpfullversion)"
	echo "# qemu $(qemu-system-x86_64 --version | sed -n 's/.*version \([0-9.]*\).*/\1/p')"
	printf 'kernel\tsource\tshape\tstate\tserver\tclient\tagent\n'
}

# The lowest of the rounds, in instructions: what is not of the requests (a process that ended is forgotten, the writing thread interrupts the
# reading one) only adds, in some rounds and not in others. A guest's name is that of its kernel release.
lowest() { # LOG
	awk -v OFS='\t' '
		$1 == "@@KERNEL" { kernel = $2 }
		$1 == "@@COST" {
			key = kernel OFS $2 OFS $4 OFS $3
			if (!(key in seen)) order[++keys] = key
			for (i = 1; i <= 3; i++)
				if (!(key in seen) || $(4 + i) / 2 < value[key, i]) value[key, i] = $(4 + i) / 2
			seen[key] = 1
		}
		END { for (j = 1; j <= keys; j++) printf "%s\t%.0f\t%.0f\t%.0f\n", order[j], value[order[j], 1], value[order[j], 2], value[order[j], 3] }' "$1"
}

# Boots a kernel and appends its figures to FILE. Sets name, the kernel's release.
measure() { # KERNEL FILE
	local kernel=$1 log=$work/log status=0
	: >"$work/told"
	VM_TOLD=$work/told VM_QEMU="-icount shift=1,sleep=off" VM_LIMIT=${VM_LIMIT:-400} "$here/boot.sh" "$kernel" "$work/payload" >"$log" 2>&1 || status=$?
	[ "${VM_VERBOSE:-}" != 1 ] || cat "$log" >&2
	name=$(sed -n 's/^@@KERNEL //p' "$log" | head -1)
	take_told "$work/told" "${name:-$kernel}"
	case $status in
	0) grep -aq '^ok ' "$work/told" && lowest "$log" >>"$2" || say "FAIL $kernel: the guest measured nothing" ;;
	124) say "FAIL $kernel: time limit; last: $(grep -a . "$log" | tail -1)" ;;
	126) say "skip $kernel: $(tail -1 "$log")" ;;
	*) say "FAIL $kernel: the guest ended with $status; last: $(grep -a . "$log" | tail -1)" ;;
	esac
}

verdict() { bash "$here/judge-cost.sh" "$record" "$work/measured" "$@"; }

heading >"$work/measured"
declare -A series # 6.12, by the name of the kernel's package
for kernel in "$@"; do
	measure "$kernel" "$work/measured"
	series[$kernel]=$(cut -d. -f1,2 <<<"$name")
done
if [ -n "$figures" ]; then
	cp "$work/measured" "$figures"
	finish
fi

# A kernel with a figure that is too high has a second boot, and what is too high in both is.
for kernel in "$@"; do
	too_high=$(verdict | grep "^FAIL cost ${series[$kernel]:-none} .*: adds " || true)
	if [ -n "$too_high" ]; then
		echo "once more, since of a first boot:" && sed 's/^/    /' <<<"$too_high"
		measure "$kernel" "$work/again"
	fi
done
if [ -e "$work/again" ]; then verdict "$work/again"; else verdict; fi | tee -a "$results"
finish
