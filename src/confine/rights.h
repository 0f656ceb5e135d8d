/* SPDX-License-Identifier: MIT */
/* The rights a service may have at all, capabilities(7): those that namespaces hold back.
 *
 * A list of what is kept, not of what is taken: a new kernel's new right is not kept by accident.
 * What is missing reaches the host from inside any namespace: its clock, kernel, devices, other
 * processes (SYS_PTRACE), its files by handle (DAC_READ_SEARCH) and its mounts (SYS_ADMIN, with
 * which a control group's release_agent runs programs on the host). */
#pragma once

/* Reduces the bounding, inheritable, ambient, permitted and effective sets of the calling process
 * (which keeps no more than it has) to the list, and leaves the session keyring of whoever started
 * it. For the init, the service's process and the exercise alike: the three see one another. */
int rights_reduce(void);
