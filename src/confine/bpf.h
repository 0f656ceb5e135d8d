/* SPDX-License-Identifier: MIT */
/* Filters as libseccomp makes them, as the program that seccomp(2) takes. */
#pragma once

#include <linux/filter.h>
#include <seccomp.h>

/* The 32-bit companion of the native architecture, libseccomp's token; 0 where it has none. */
uint32_t bpf_companion(void);

/* A context for @arch alone; calls of architectures that no rule is for answer ENOSYS, x32 too.
 * NULL where there is no memory. */
scmp_filter_ctx bpf_context(uint32_t arch, uint32_t default_action);

/* Merges @companion (taken over; or NULL) into @ctx and exports both to @ret, which is to be
 * released with bpf_free(). 0 or -errno. */
int bpf_export(scmp_filter_ctx ctx, scmp_filter_ctx companion, struct sock_fprog *ret);
void bpf_free(struct sock_fprog *f);
