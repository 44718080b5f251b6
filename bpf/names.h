/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the programs of names.bpf.c keep of a process's environment. Mirrored by src/Beyla.Agent/Kernel/StartedNames.cs, checked against BTF by a test. */
#ifndef BEYLA_NAMES_H
#define BEYLA_NAMES_H

enum variable_state {
	VARIABLE_ABSENT = 0,
	VARIABLE_WHOLE = 1,
	VARIABLE_TOO_LONG = 2, /* not kept: the text is for whoever may read /proc/PID/environ */
};

/* The variables that name a service, each as NAME=VALUE, zero terminated. No other variable leaves the program. */
struct service_variables {
	__u32 name_state; /* enum variable_state */
	__u32 attributes_state;
	__u8 name[288]; /* OTEL_SERVICE_NAME */
	__u8 attributes[1056]; /* OTEL_RESOURCE_ATTRIBUTES */
};

#endif
