#!/bin/bash
# Headers written into requests of a Go program in Debian's other kernels (guest-go-headers). Output, status and environment are those of run.sh.
#
#   go-headers.sh [KERNEL...]      default: cloud-amd64 (6.1) and 6.12-cloud-amd64
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
VM_GUEST_TEST=guest-go-headers VM_PAYLOAD=payload-go.sh exec "$here/run.sh" "$@"
