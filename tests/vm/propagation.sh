#!/bin/bash
# Trace context from hop to hop in Debian's other kernels (guest-propagation). Output, status and environment are those of run.sh.
#
#   propagation.sh [KERNEL...]      default: cloud-amd64 (6.1) and 6.12-cloud-amd64
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
VM_GUEST_TEST=guest-propagation VM_PAYLOAD=payload-propagation.sh exec "$here/run.sh" "$@"
