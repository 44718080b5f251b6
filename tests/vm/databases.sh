#!/bin/bash
# PostgreSQL and Redis in Debian's other kernels (guest-databases). Output, status and environment are those of run.sh.
#
#   databases.sh [KERNEL...]      default: cloud-amd64 (6.1) and 6.12-cloud-amd64
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
VM_GUEST_TEST=guest-databases VM_PAYLOAD=payload-databases.sh VM_LIMIT=${VM_LIMIT:-600} exec "$here/run.sh" "$@"
