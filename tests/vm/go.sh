#!/bin/bash
# A Go service in Debian's other kernels (guest-go): one has uprobe_multi, one has not. Output, status and environment are those of run.sh.
#
#   go.sh [KERNEL...]      default: cloud-amd64 (6.1) and 6.12-cloud-amd64
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
VM_GUEST_TEST=guest-go VM_PAYLOAD=payload-go.sh exec "$here/run.sh" "$@"
