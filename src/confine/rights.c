/* SPDX-License-Identifier: MIT */
#include "confine/rights.h"

#include <errno.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/attr.h"

/* AUDIT_CONTROL is answered in the initial pid namespace only, SYS_TTY_CONFIG finds no console. */
static const int kept[] = {
    CAP_AUDIT_CONTROL, CAP_AUDIT_WRITE,	     CAP_CHOWN,		CAP_DAC_OVERRIDE, CAP_FOWNER,
    CAP_FSETID,	       CAP_IPC_LOCK,	     CAP_IPC_OWNER,	CAP_KILL,	  CAP_LEASE,
    CAP_NET_ADMIN,     CAP_NET_BIND_SERVICE, CAP_NET_BROADCAST, CAP_NET_RAW,	  CAP_SETFCAP,
    CAP_SETGID,	       CAP_SETPCAP,	     CAP_SETUID,	CAP_SYS_CHROOT,	  CAP_SYS_NICE,
    CAP_SYS_RESOURCE,  CAP_SYS_TTY_CONFIG,
};

static uint64_t keep_mask(void)
{
	uint64_t mask = 0;

	for (size_t i = 0; i < ARRAY_LEN(kept); i++)
		mask |= UINT64_C(1) << kept[i];
	return mask;
}

/* Up to the last capability this kernel knows: the one after it is EINVAL. */
static int drop_bounding(uint64_t keep)
{
	for (int cap = 0; cap < 64; cap++) {
		int there = prctl(PR_CAPBSET_READ, cap, 0, 0, 0);
		if (there < 0)
			break;
		if (there == 1 && !(keep >> cap & 1) && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0)
			return -errno;
	}
	return 0;
}

int rights_reduce(void)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];
	uint64_t keep = keep_mask();
	int r = drop_bounding(keep);

	if (r < 0)
		return r;
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return -errno;
	if (syscall(SYS_capget, &head, data) < 0)
		return -errno;
	for (int i = 0; i < 2; i++) {
		uint32_t part = (uint32_t)(keep >> (32 * i));
		data[i].permitted &= part;
		data[i].effective &= part;
		data[i].inheritable = 0;
	}
	if (syscall(SYS_capset, &head, data) < 0)
		return -errno;
	/* A kernel without keyrings has none to leave. */
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 && errno != ENOSYS &&
	    errno != EDQUOT)
		return -errno;
	return 0;
}
