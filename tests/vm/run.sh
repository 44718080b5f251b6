#!/bin/bash
# Runs the agent (out/bin/beyla) on real traffic in Debian's other kernels. One line per check, "ok NAME", "FAIL NAME: why" or "skip NAME: why",
# and at the end "N passed, N failed, N skipped". Fails when a check failed, or when nothing could be checked for another reason than a
# missing tool or package.
#
#   run.sh [KERNEL...]      default: cloud-amd64 (6.1) and 6.12-cloud-amd64
#
# Environment: AGENT_UNDER_TEST (another agent), VM_GUEST_TEST (another script for the guest than guest-test), VM_MODULES (kernel modules for
# it), VM_PAYLOAD (a script of this folder, sourced, that lays more into the payload), VM_CACHE (where kernels are kept, ~/.cache/vmtest), VM_VERBOSE=1 (all that the guest prints).
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
agent=${AGENT_UNDER_TEST:-$here/../../out/bin/beyla}
[ $# -gt 0 ] || set -- cloud-amd64 6.12-cloud-amd64

. "$here/payload.sh"

if [ ! -x "$agent" ]; then
	say "FAIL agent: $agent is not built"
	finish
fi
for tool in gcc setcap bpftool; do
	PATH=$PATH:/usr/sbin command -v "$tool" >/dev/null || { say "skip kernels: $tool is missing: apt-get install gcc libc6-dev libcap2-bin bpftool"; finish; }
done

[ -e /usr/include/liburing.h ] || { say "skip kernels: liburing.h is missing: apt-get install liburing-dev"; finish; }

mkdir -p "$work/payload"/{etc,www}
install_program "$agent" "$work/payload/agent/beyla"
install_program "$(PATH=$PATH:/usr/sbin command -v setcap)" "$work/payload/sbin/setcap"
install_program "$(PATH=$PATH:/usr/sbin command -v bpftool)" "$work/payload/sbin/bpftool"
gcc -O1 -static -s -o "$work/payload/agent/traffic" "$here/../native/traffic.c"
gcc -O1 -static -s -o "$work/payload/agent/late" "$here/../native/late.c"
gcc -O1 -static -s -o "$work/payload/agent/titled" "$here/../native/titled.c"
gcc -O1 -static -s -o "$work/payload/agent/storm" "$here/../native/storm.c"
gcc -O1 -static -s -o "$work/payload/agent/sending" "$here/../native/sending.c"
gcc -O1 -static -s -o "$work/payload/agent/uring-get" "$here/../native/uring-get.c" -luring
gcc -O1 -static -s -o "$work/payload/agent/ways" "$here/../native/ways.c" -luring
gcc -O1 -static -s -o "$work/payload/agent/handed" "$here/../native/handed.c"
install -m 755 "$here/${VM_GUEST_TEST:-guest-test}" "$work/payload/test.sh"
printf 'root:x:0:0:root:/:/bin/sh\nwatcher:x:1000:1000:watcher:/tmp:/bin/sh\n' >"$work/payload/etc/passwd"
printf 'root:x:0:\nwatcher:x:1000:\n' >"$work/payload/etc/group"
echo hello >"$work/payload/www/index.html"
[ -z "${VM_PAYLOAD:-}" ] || . "$here/$VM_PAYLOAD"

for kernel in "$@"; do
	log=$work/log
	export VM_TOLD=$work/told
	: >"$VM_TOLD"
	set +e
	if [ "${VM_VERBOSE:-}" = 1 ]; then
		VM_LIMIT=${VM_LIMIT:-400} "$here/boot.sh" "$kernel" "$work/payload" ${VM_MODULES:-} 2>&1 | tee "$log"
		status=${PIPESTATUS[0]}
	else
		VM_LIMIT=${VM_LIMIT:-400} "$here/boot.sh" "$kernel" "$work/payload" ${VM_MODULES:-} >"$log" 2>&1
		status=$?
	fi
	set -e
	name=$(sed -n 's/^@@KERNEL //p' "$log" | head -1)
	take_told "$VM_TOLD" "${name:-$kernel}"
	case $status in
	0) grep -aq '^ok ' "$VM_TOLD" || say "FAIL $kernel: the guest checked nothing" ;;
	124) say "FAIL $kernel: time limit; last: $(grep -a . "$log" | tail -1)" ;;
	126) say "skip $kernel: $(tail -1 "$log")" ;;
	*) say "FAIL $kernel: the guest ended with $status; last: $(grep -a . "$log" | tail -1)" ;;
	esac
done
finish
