/* SPDX-License-Identifier: MIT */
/* Why whoever is in the jail cannot reach the visitor, though they share a pid namespace and may be
 * the same user, root:
 *
 * ptrace(2), and with it /proc/PID/root, fd, mem and so on, wants the caller to have each right
 * that the other process has (or SYS_PTRACE). The visitor has SYS_PTRACE, to trace the service;
 * nobody in a jail does (rights.h). This must hold for each program that the visitor runs, and as
 * long as it runs: so none may give that right up, become another user, or enter another user
 * namespace, where the owner has all rights. A program that wants to drop rights is told that it
 * has. */
#include <errno.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/str.h"
#include "confine/bpf.h"
#include "confine/rights.h"
#include "confine/visit-parts.h"

static const int kept[] = {
    CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER,   CAP_FSETID,     CAP_IPC_OWNER,
    CAP_KILL,  CAP_NET_RAW,	 CAP_SYS_NICE, CAP_SYS_PTRACE,
};

static int add_rules(scmp_filter_ctx f)
{
	const struct {
		const char *name;
		int code;
	} refused[] = {{"capset", 0}, {"unshare", EPERM}, {"setns", EPERM}, {"clone3", ENOSYS}};
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(refused); i++)
		r = seccomp_rule_add(f, SCMP_ACT_ERRNO((uint16_t)refused[i].code),
				     seccomp_syscall_resolve_name(refused[i].name), 0);
	if (r == 0)
		r = seccomp_rule_add(f, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
				     SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_NEWUSER, CLONE_NEWUSER));
	return r;
}

static int load_filter(void)
{
	struct sock_fprog program = {0};
	scmp_filter_ctx f = bpf_context(seccomp_arch_native(), SCMP_ACT_ALLOW);
	int r = f ? add_rules(f) : -ENOMEM;

	if (r == 0)
		r = bpf_export(f, NULL, &program);
	if (r == 0 && syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
		r = -errno;
	bpf_free(&program);
	if (f)
		seccomp_release(f);
	return r;
}

int visit_reduce(struct err *e)
{
	uint64_t keep = 0;

	for (size_t i = 0; i < ARRAY_LEN(kept); i++)
		keep |= UINT64_C(1) << kept[i];
	int r = rights_reduce(keep);
	if (r == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		r = -errno;
	if (r == 0)
		r = load_filter();
	return r < 0 ? err_errno(e, r, "giving up rights") : 0;
}
