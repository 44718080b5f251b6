#!/bin/bash
# The start of the executable (guest-worker) in Debian's other kernels, whose Landlock is older. Output, status and environment are those of run.sh.
#
#   worker.sh [KERNEL...]      default: cloud-amd64 (6.1) and 6.12-cloud-amd64
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
VM_GUEST_TEST=guest-worker VM_PAYLOAD=payload-worker.sh exec "$here/run.sh" "$@"
