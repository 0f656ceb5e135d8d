/* SPDX-License-Identifier: MIT */
#include "grow/filter.h"

#include <errno.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "grow/calls.h"

static int add_row(scmp_filter_ctx ctx, const struct call *c)
{
	uint32_t action = c->shape == SHAPE_REFUSE ? SCMP_ACT_ERRNO(ENOSYS) : SCMP_ACT_NOTIFY;
	int nr = c->number ? c->number : seccomp_syscall_resolve_name(c->name);
	int r;

	if (nr == __NR_SCMP_ERROR)
		return 0; /* this libseccomp does not know it, so neither does this libc */
	if (c->only_if == NO_ARG)
		r = seccomp_rule_add(ctx, action, nr, 0);
	else
		r = seccomp_rule_add(ctx, action, nr, 1,
				     SCMP_CMP((unsigned)c->only_if, SCMP_CMP_NE, 0, 0));
	/* Negative pseudo numbers are calls that this architecture does not have; libseccomp 2.5
	 * takes numbers younger than itself for the native architecture only (-EFAULT). */
	return r == -EDOM || r == -EINVAL || (r == -EFAULT && c->number) ? 0 : r;
}

/* One architecture's rules; 0 where libseccomp's token is 0. */
static int make_arch(uint32_t arch, bool receipts, scmp_filter_ctx *ret, struct err *e)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	int n, r = ctx ? 0 : -ENOMEM;
	const struct call *rows = call_table(&n);

	if (r == 0 && arch != seccomp_arch_native()) {
		r = seccomp_arch_add(ctx, arch);
		if (r == 0)
			r = seccomp_arch_remove(ctx, SCMP_ARCH_NATIVE);
	}
	if (r == 0)
		r = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS));
	for (int i = 0; r == 0 && i < n; i++) {
		if (rows[i].shape == SHAPE_RECEIPT && !receipts)
			continue;
		r = add_row(ctx, &rows[i]);
		if (r < 0)
			err_errno(e, r, "filtering %s", rows[i].name);
	}
	if (r < 0 && ctx)
		seccomp_release(ctx);
	else
		*ret = ctx;
	return r;
}

static uint32_t companion(void)
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

static int export(scmp_filter_ctx ctx, struct sock_fprog *ret)
{
	CLEANUP_FD int fd = memfd_create("filter", MFD_CLOEXEC);
	char *code = NULL;
	size_t len = 0;

	int r = fd < 0 ? -errno : seccomp_export_bpf(ctx, fd);
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

int filter_make(struct sock_fprog *ret, bool receipts, struct err *e)
{
	scmp_filter_ctx ctx = NULL, compat = NULL;
	int r = make_arch(seccomp_arch_native(), receipts, &ctx, e);

	if (r == 0 && companion()) {
		r = make_arch(companion(), receipts, &compat, e);
		if (r == 0)
			r = seccomp_merge(ctx, compat); /* takes compat over */
	}
	if (r == 0)
		r = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (r == 0)
		r = export(ctx, ret);
	if (ctx)
		seccomp_release(ctx);
	return r < 0 ? err_prefix(e, "making the growth filter") : 0;
}

void filter_free(struct sock_fprog *f)
{
	free(f->filter);
	f->filter = NULL;
}
