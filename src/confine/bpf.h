/* SPDX-License-Identifier: MIT */
/* Filters as libseccomp makes them, as the program that seccomp(2) takes. */
#pragma once

#include <linux/filter.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>

/* The 32-bit companion of the native architecture, libseccomp's token; 0 where it has none. */
uint32_t bpf_companion(void);

/* A context for @arch alone; calls of architectures that no rule is for answer ENOSYS, x32 too.
 * NULL where there is no memory, or where the kernel lacks @default_action. */
scmp_filter_ctx bpf_context(uint32_t arch, uint32_t default_action);

/* The number of call @name for @arch, or @number where that is not 0 (a call younger than
 * libseccomp, with one number everywhere). Negative pseudo numbers are calls that @arch does not
 * have,
 * __NR_SCMP_ERROR those that libseccomp does not know. */
int bpf_number(uint32_t arch, const char *name, int number);

/* Whether @r of a rule says only that the context's architecture has no such call. libseccomp 2.5
 * takes a @number younger than itself for the native architecture alone. */
bool bpf_lacks(int r, int number);

/* Merges @companion (taken over; or NULL) into @ctx and exports both to @ret, which is to be
 * released with bpf_free(). 0 or -errno. */
int bpf_export(scmp_filter_ctx ctx, scmp_filter_ctx companion, struct sock_fprog *ret);
void bpf_free(struct sock_fprog *f);

/* Makes call @nr of the native architecture the first question of @f: where its argument @arg has
 * @value in the bits of @mask it is let through at once; else @f goes on as it is. */
void bpf_allow_first(struct sock_fprog *f, int nr, unsigned arg, uint32_t mask, uint32_t value);

/* The same where @arg, as 32 bits, is none of the @n numbers of @bad, at most BPF_BAD_MAX. */
#define BPF_BAD_MAX 8
void bpf_allow_but(struct sock_fprog *f, int nr, unsigned arg, const uint32_t *bad, size_t n);

/* Calls of the native architecture by number, as runs of neighbours. */
#define BPF_NUMBERS_MAX 1024
#define BPF_RANGES_MAX	64

struct bpf_numbers {
	bool has[BPF_NUMBERS_MAX];
};

/* Leaves the BPF_RANGES_MAX longest runs of @set in it; returns how many there are. */
size_t bpf_ranges(struct bpf_numbers *set);

/* Makes "is it a native call of @set?" the first question of @f, and lets those through; @set is of
 * no more than BPF_RANGES_MAX runs. Some eight comparisons a call and two instructions a run, where
 * libseccomp has one or two for every call: the kernel translates them all at each start. */
void bpf_allow_ranges(struct sock_fprog *f, const struct bpf_numbers *set);
