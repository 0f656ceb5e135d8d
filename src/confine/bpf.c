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

void bpf_allow_first(struct sock_fprog *f, int nr, unsigned arg, uint32_t mask, uint32_t value)
{
	const uint32_t low = (uint32_t)offsetof(struct seccomp_data, args) + 8 * arg + LOW_WORD;
	const struct sock_filter head[] = {
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)nr, 0, 6),
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, seccomp_arch_native(), 0, 4),
	    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, low),
	    BPF_STMT(BPF_ALU | BPF_AND | BPF_K, mask),
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1),
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_filter *made = xcalloc(f->len + ARRAY_LEN(head), sizeof(*made));

	memcpy(made, head, sizeof(head));
	memcpy(made + ARRAY_LEN(head), f->filter, f->len * sizeof(*made));
	free(f->filter);
	f->filter = made;
	f->len = (unsigned short)(f->len + ARRAY_LEN(head));
}

void bpf_free(struct sock_fprog *f)
{
	free(f->filter);
	*f = (struct sock_fprog){0};
}
