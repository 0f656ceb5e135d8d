/* SPDX-License-Identifier: MIT */
/* System calls by what a jail does with them, seccomp(2). Names are libseccomp's.
 *
 * CALL_BASE    what every libc and every ordinary program may use at any time, seen in growth or
 *              not: an upgrade that goes from open to openat2, an error path nobody exercised.
 *              Whatever no row names stays out: a new kernel's new call is ENOSYS until a row says
 *              otherwise.
 * CALL_RARE    allowed where growth saw it made; else EPERM.
 * CALL_NEVER   refused even where it was tried (EPERM): it works on the host, not on the jail, or
 *              opens a way that no filter sees. */
#pragma once

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

enum call_class { CALL_BASE, CALL_RARE, CALL_NEVER };

struct call_policy {
	const char *name;
	int number; /* for calls younger than libseccomp 2.5.4, the same on all architectures; else
		       0 */
	enum call_class class;
};

const struct call_policy *calls_policy(size_t *ret_n);

/* The row of @name, or NULL. */
const struct call_policy *calls_policy_find(const char *name);

/* The row of call @nr under AUDIT_ARCH_* @audit_arch, the native one or its companion; or NULL. */
const struct call_policy *calls_policy_at(uint32_t audit_arch, int nr);

/* What growth may add to the base set. */
struct call_set {
	struct strv calls;     /* CALL_RARE names */
	uint64_t families;     /* 1 << AF_*, besides AF_UNIX, AF_INET, AF_INET6 and route netlink */
	struct strv protocols; /* of internet sockets, besides TCP's, UDP's and ICMP's: "132" */
	bool compat;	       /* the 32-bit companion of the native architecture too */
	bool leases;	       /* fcntl(2) may hold up others who open a file, F_SETLEASE */
	bool set_id_modes;     /* chmod and its kin may set S_ISUID and S_ISGID */

	/* What is taken away again, from the base set too (jail/hardening.h). */
	struct strv without;	     /* calls */
	uint64_t without_families;   /* 1 << AF_* */
	uint64_t without_namespaces; /* CLONE_NEW*, of unshare(2) */
	bool no_write_execute;	     /* no memory is both written and executed, ever */
	bool no_realtime;	     /* no realtime scheduling */
	bool no_fast_open;	     /* no sendto(2) that connects: Landlock does not see it */
};

/* The program that lets through the base set and @set, and answers all else as follows: foreign
 * architectures and x32 ENOSYS at once; the rest goes to the listener (SECCOMP_RET_USER_NOTIF), for
 * which seccomp_refusal() says the errno. By argument are refused: clone(2) with flags that make a
 * namespace, clone3 (ENOSYS at once: libc falls back to clone, whose flags can be seen), ioctl
 * TIOCSTI, TIOCLINUX and TIOCSETD compared on their low 32 bits (CVE-2019-10063), socket families
 * and protocols outside the set (EAFNOSUPPORT), MPTCP and SMC (EPROTONOSUPPORT at once: programs
 * fall back to TCP, whose ports Landlock knows), leases by fcntl, netlink protocols but ROUTE
 * unless AF_NETLINK was learnt, devices by mknod, set-id modes by
 * chmod/fchmod/fchmodat/mknod/mkdir/open/creat's mode, personality(2) but for 0 and the query. To
 * be released with seccomp_free(). */
int seccomp_make(const struct call_set *set, struct sock_fprog *ret, struct err *e);
void seccomp_free(struct sock_fprog *f);

/* What of @set's `without` the launcher itself still has to call once the program above is loaded
 * (setgroups, capset ...): that one leaves it out, and this one, which is loaded last of all,
 * refuses it, EPERM. ret->len is 0 where there is nothing of that. */
int seccomp_make_last(const struct call_set *set, struct sock_fprog *ret, struct err *e);

/* The errno (positive) for a refused call, as of the row and the arguments above. */
int seccomp_refusal(uint32_t audit_arch, int nr);

/* The native architecture (AUDIT_ARCH_*), and the number that call @name has there. */
uint32_t seccomp_native(int *ret_number, const char *name);

struct refusal;
struct refusal_answers;

/* seccomp_refusal() for all calls of the native architecture. */
void seccomp_answers(struct refusal_answers *ret);

/* "ptrace", or "call 999" into @buf. */
const char *refusal_name(const struct refusal *r, char *buf, size_t size);
