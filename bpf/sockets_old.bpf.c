// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The socket programs for kernels without bpf_dynptr_from_skb (before 6.11). An object of its own: where a kernel function is missing, libbpf
 * looks for it in the modules as well, which takes CAP_SYS_ADMIN, and refuses the whole object without.
 */
#define WITHOUT_SKB_DYNPTR
#include "sockets.bpf.c"
