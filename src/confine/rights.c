/* SPDX-License-Identifier: MIT */
#include "confine/rights.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <linux/securebits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/str.h"

/* AUDIT_CONTROL is answered in the initial pid namespace only, SYS_TTY_CONFIG finds no console. */
static const int kept[] = {
    CAP_AUDIT_CONTROL, CAP_AUDIT_WRITE,	     CAP_CHOWN,		CAP_DAC_OVERRIDE, CAP_FOWNER,
    CAP_FSETID,	       CAP_IPC_LOCK,	     CAP_IPC_OWNER,	CAP_KILL,	  CAP_LEASE,
    CAP_NET_ADMIN,     CAP_NET_BIND_SERVICE, CAP_NET_BROADCAST, CAP_NET_RAW,	  CAP_SETFCAP,
    CAP_SETGID,	       CAP_SETPCAP,	     CAP_SETUID,	CAP_SYS_CHROOT,	  CAP_SYS_NICE,
    CAP_SYS_RESOURCE,  CAP_SYS_TTY_CONFIG,
};

/* capabilities(7). */
static const char *const names[] = {
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_DAC_READ_SEARCH",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETPCAP",
    "CAP_LINUX_IMMUTABLE",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_BROADCAST",
    "CAP_NET_ADMIN",
    "CAP_NET_RAW",
    "CAP_IPC_LOCK",
    "CAP_IPC_OWNER",
    "CAP_SYS_MODULE",
    "CAP_SYS_RAWIO",
    "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE",
    "CAP_SYS_PACCT",
    "CAP_SYS_ADMIN",
    "CAP_SYS_BOOT",
    "CAP_SYS_NICE",
    "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME",
    "CAP_SYS_TTY_CONFIG",
    "CAP_MKNOD",
    "CAP_LEASE",
    "CAP_AUDIT_WRITE",
    "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP",
    "CAP_MAC_OVERRIDE",
    "CAP_MAC_ADMIN",
    "CAP_SYSLOG",
    "CAP_WAKE_ALARM",
    "CAP_BLOCK_SUSPEND",
    "CAP_AUDIT_READ",
    "CAP_PERFMON",
    "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE",
};

#define BIT(cap) (UINT64_C(1) << (cap))

const char *rights_name(int cap)
{
	return cap >= 0 && cap < (int)ARRAY_LEN(names) ? names[cap] : NULL;
}

int rights_find(const char *name)
{
	for (int cap = 0; cap < (int)ARRAY_LEN(names); cap++)
		if (streq(names[cap], name))
			return cap;
	return -1;
}

uint64_t rights_most(void)
{
	uint64_t mask = 0;

	for (size_t i = 0; i < ARRAY_LEN(kept); i++)
		mask |= BIT(kept[i]);
	return mask;
}

/* Up to the last capability this kernel knows: the one after it is EINVAL. Whether one is there is
 * asked only where it cannot be dropped: most can, and a question each costs as much again. */
static int drop_bounding(uint64_t keep)
{
	for (int cap = 0; cap < 64; cap++) {
		if (keep >> cap & 1 || prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0)
			continue;
		int why = errno;
		if (why == EINVAL)
			break;
		if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) != 0)
			return -why;
	}
	return 0;
}

/* No more than is there: asking for it would be refused. */
static int set_sets(uint64_t keep, uint64_t inheritable)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &head, data) < 0)
		return -errno;
	for (int i = 0; i < 2; i++) {
		uint32_t part = (uint32_t)(keep >> (32 * i));
		data[i].permitted &= part;
		data[i].effective = data[i].permitted;
		data[i].inheritable = data[i].permitted & (uint32_t)(inheritable >> (32 * i));
	}
	return syscall(SYS_capset, &head, data) < 0 ? -errno : 0;
}

int rights_leave_keyring(void)
{
	/* A kernel without keyrings has none to leave. */
	return syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 && errno != ENOSYS &&
		       errno != EDQUOT
		   ? -errno
		   : 0;
}

int rights_bound(uint64_t keep)
{
	int r = drop_bounding(keep);

	if (r == 0 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		r = -errno;
	return r == 0 ? set_sets(keep | BIT(CAP_SETUID) | BIT(CAP_SETGID) | BIT(CAP_SETPCAP), 0)
		      : r;
}

int rights_hold_on(uint64_t ambient)
{
	return ambient && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 ? -errno : 0;
}

int rights_lock_root(uint64_t ambient)
{
	unsigned long bits = SECBIT_NOROOT | SECBIT_NOROOT_LOCKED;

	if (!ambient)
		bits |= SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED;
	return prctl(PR_SET_SECUREBITS, bits, 0, 0, 0) < 0 ? -errno : 0;
}

int rights_settle(uint64_t keep, uint64_t ambient)
{
	int r = set_sets(keep, ambient);

	for (int cap = 0; r == 0 && cap < 64; cap++)
		if (ambient >> cap & 1 &&
		    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) < 0)
			r = -errno;
	return r;
}

int rights_reduce(uint64_t keep)
{
	int r = rights_bound(keep);

	if (r == 0)
		r = rights_settle(keep, 0);
	return r == 0 ? rights_leave_keyring() : r;
}
