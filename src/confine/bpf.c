/* SPDX-License-Identifier: MIT */
#include "confine/bpf.h"

#include <endian.h>
#include <errno.h>
#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"

uint32_t bpf_companion(void)
{
	switch (seccomp_arch_native()) {
	case SCMP_ARCH_X86_64:
		return SCMP_ARCH_X86;
	case SCMP_ARCH_AARCH64:
		return SCMP_ARCH_ARM;
	default:
		return 0;
	}
}

scmp_filter_ctx bpf_context(uint32_t arch, uint32_t default_action)
{
	scmp_filter_ctx ctx = seccomp_init(default_action);
	int r = ctx ? 0 : -ENOMEM;

	if (r == 0 && arch != seccomp_arch_native()) {
		r = seccomp_arch_add(ctx, arch);
		if (r == 0)
			r = seccomp_arch_remove(ctx, SCMP_ARCH_NATIVE);
	}
	if (r == 0)
		r = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS));
	if (r < 0 && ctx) {
		seccomp_release(ctx);
		ctx = NULL;
	}
	return ctx;
}

int bpf_number(uint32_t arch, const char *name, int number)
{
	return number ? number : seccomp_syscall_resolve_name_arch(arch, name);
}

bool bpf_lacks(int r, int number)
{
	return r == -EDOM || r == -EINVAL || (r == -EFAULT && number);
}

int bpf_export(scmp_filter_ctx ctx, scmp_filter_ctx companion, struct sock_fprog *ret)
{
	CLEANUP_FD int fd = memfd_create("filter", MFD_CLOEXEC);
	char *code = NULL;
	size_t len = 0;
	int r = fd < 0 ? -errno : 0;

	if (companion) {
		int merged = seccomp_merge(ctx, companion);
		if (merged < 0)
			seccomp_release(companion);
		r = r == 0 ? merged : r;
	}
	if (r == 0)
		r = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (r == 0)
		r = seccomp_export_bpf(ctx, fd);
	if (r == 0 && lseek(fd, 0, SEEK_SET) < 0)
		r = -errno;
	if (r == 0)
		r = fd_read_all(fd, 1 << 20, &code, &len);
	if (r < 0)
		return r;
	ret->len = (unsigned short)(len / sizeof(struct sock_filter));
	ret->filter = (struct sock_filter *)(void *)code;
	return 0;
}

#if __BYTE_ORDER == __LITTLE_ENDIAN
#define LOW_WORD 0u
#else
#define LOW_WORD 4u
#endif

static void prepend(struct sock_fprog *f, const struct sock_filter *head, size_t n)
{
	struct sock_filter *made = xcalloc(f->len + n, sizeof(*made));

	memcpy(made, head, n * sizeof(*made));
	memcpy(made + n, f->filter, f->len * sizeof(*made));
	free(f->filter);
	f->filter = made;
	f->len = (unsigned short)(f->len + n);
}

/* Is it call @nr of the native architecture? Then on, with the low word of its argument @arg; else
 * past the @rest instructions that follow. */
#define QUESTION_LENGTH 5
static void put_question(struct sock_filter *at, int nr, unsigned arg, size_t rest)
{
	const uint32_t low = (uint32_t)offsetof(struct seccomp_data, args) + 8 * arg + LOW_WORD;
	const struct sock_filter code[QUESTION_LENGTH] = {
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)nr, 0, (uint8_t)(rest + 3)),
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, seccomp_arch_native(), 0, (uint8_t)(rest + 1)),
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, low),
	};

	memcpy(at, code, sizeof(code));
}

void bpf_allow_first(struct sock_fprog *f, int nr, unsigned arg, uint32_t mask, uint32_t value)
{
	struct sock_filter code[] = {
	    [QUESTION_LENGTH] = BPF_STMT(BPF_ALU | BPF_AND | BPF_K, mask),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};

	put_question(code, nr, arg, ARRAY_LEN(code) - QUESTION_LENGTH);
	prepend(f, code, ARRAY_LEN(code));
}

void bpf_allow_but(struct sock_fprog *f, int nr, unsigned arg, const uint32_t *bad, size_t n)
{
	struct sock_filter code[QUESTION_LENGTH + BPF_BAD_MAX + 1], *at = code + QUESTION_LENGTH;

	put_question(code, nr, arg, n + 1);
	for (size_t i = 0; i < n; i++)
		*at++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, bad[i],
						     (uint8_t)(n - i), 0);
	*at = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	prepend(f, code, QUESTION_LENGTH + n + 1);
}

struct range {
	uint32_t first, last;
};

static size_t find_ranges(const struct bpf_numbers *set, struct range *v)
{
	size_t n = 0;

	for (uint32_t nr = 0; nr < BPF_NUMBERS_MAX; nr++)
		if (set->has[nr] && nr && set->has[nr - 1])
			v[n - 1].last = nr;
		else if (set->has[nr])
			v[n++] = (struct range){nr, nr};
	return n;
}

static int by_length(const void *a, const void *b)
{
	const struct range *x = a, *y = b;
	uint32_t long_x = x->last - x->first, long_y = y->last - y->first;

	return long_x == long_y ? (x->first > y->first) - (x->first < y->first)
				: (long_x < long_y) - (long_x > long_y);
}

size_t bpf_ranges(struct bpf_numbers *set)
{
	struct range v[BPF_NUMBERS_MAX];
	size_t n = find_ranges(set, v);

	if (n <= BPF_RANGES_MAX)
		return n;
	qsort(v, n, sizeof(*v), by_length);
	for (size_t i = BPF_RANGES_MAX; i < n; i++)
		memset(&set->has[v[i].first], false, v[i].last - v[i].first + 1);
	return BPF_RANGES_MAX;
}

/* A search among the @n runs of @v, for a number that is not below the first: n - 1 questions for
 * where to look on and n for the end of a run. What it finds is let through by the instruction
 * @allow behind @at; else the one after that goes on. */
static void put_tree(struct sock_filter *at, const struct range *v, size_t n, size_t allow)
{
	size_t low = n / 2, below = 2 * low - 1;

	if (n == 1) {
		at[0] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, v->last,
						     (uint8_t)allow, (uint8_t)(allow - 1));
		return;
	}
	at[0] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, v[low].first,
					     (uint8_t)below, 0);
	put_tree(at + 1, v, low, allow - 1);
	put_tree(at + 1 + below, v + low, n - low, allow - 1 - below);
}

_Static_assert(2 * BPF_RANGES_MAX + 2 <= UINT8_MAX, "a jump is of 8 bits");

void bpf_allow_ranges(struct sock_fprog *f, const struct bpf_numbers *set)
{
	struct sock_filter code[4 + 2 * BPF_RANGES_MAX];
	struct range v[BPF_NUMBERS_MAX];
	size_t n = find_ranges(set, v), tree = 2 * n - 1;

	if (!n)
		return;
	code[0] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
					       offsetof(struct seccomp_data, arch));
	code[1] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, seccomp_arch_native(), 0,
					       (uint8_t)(tree + 3));
	code[2] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
					       offsetof(struct seccomp_data, nr));
	code[3] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, v[0].first, 0,
					       (uint8_t)(tree + 1));
	put_tree(code + 4, v, n, tree);
	code[4 + tree] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	prepend(f, code, 5 + tree);
}

void bpf_free(struct sock_fprog *f)
{
	free(f->filter);
	*f = (struct sock_fprog){0};
}
