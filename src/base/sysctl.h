/* SPDX-License-Identifier: MIT */
/* Settings of the caller's namespaces below /proc/sys, as a set that is carried from one to
 * another. Each name is a path below it, "kernel/shmmax". */
#pragma once

#include <stddef.h>

/* values[i] becomes what names[i] says, new, or NULL where it cannot be read. */
void sysctl_read(const char *const *names, size_t n, char **values);

/* What setting @name says as a number, or @otherwise where it cannot be read. */
long long sysctl_number(const char *name, long long otherwise);

/* Writes each value that is not NULL, as a whole. What the kernel refuses or does not know is left.
 */
void sysctl_write(const char *const *names, size_t n, char *const *values);
