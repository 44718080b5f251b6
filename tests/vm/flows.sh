#!/bin/bash
# Flows in Debian's other kernels (guest-flows), 6.1 being one without tcx. Output, status and environment are those of run.sh.
#
#   flows.sh [KERNEL...]      default: cloud-amd64 (6.1) and 6.12-cloud-amd64
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
VM_GUEST_TEST=guest-flows VM_MODULES="sch_ingress cls_bpf veth 8021q" VM_LIMIT=${VM_LIMIT:-600} exec "$here/run.sh" "$@"
