#!/bin/bash
# Asks Debian's other kernels what the capability table predicts (guest-capabilities). Output, status and environment are those of run.sh.
#
#   capabilities.sh [KERNEL...]      default: cloud-amd64 (6.1) and 6.12-cloud-amd64
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
VM_GUEST_TEST=guest-capabilities VM_LIMIT=${VM_LIMIT:-600} exec "$here/run.sh" "$@"
