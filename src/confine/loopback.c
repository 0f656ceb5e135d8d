/* SPDX-License-Identifier: MIT */
#include "confine/loopback.h"

#include <errno.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/fd.h"

int loopback_up(bool multicast)
{
	struct ifreq ifr = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	CLEANUP_FD int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (multicast)
		ifr.ifr_flags |= IFF_MULTICAST;
	return s < 0 || ioctl(s, SIOCSIFFLAGS, &ifr) < 0 ? -errno : 0;
}
