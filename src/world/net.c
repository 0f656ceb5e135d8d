/* SPDX-License-Identifier: MIT */
#include "world/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"

/* What a service can notice of the network's set-up: copied from the host's namespace. */
static const char *const settings[] = {
    "net/core/somaxconn",
    "net/ipv4/ip_default_ttl",
    "net/ipv4/ip_local_port_range",
    "net/ipv4/ip_nonlocal_bind",
    "net/ipv4/ip_unprivileged_port_start",
    "net/ipv4/ping_group_range",
    "net/ipv4/tcp_fin_timeout",
    "net/ipv4/tcp_keepalive_time",
    "net/ipv4/tcp_max_syn_backlog",
    "net/ipv6/bindv6only",
    "net/ipv6/conf/all/disable_ipv6",
    "net/ipv6/conf/lo/disable_ipv6",
    "net/ipv6/ip_nonlocal_bind",
};

struct net_face {
	struct ifaddrs *addresses;
	char *values[ARRAY_LEN(settings)];
};

static int open_setting(size_t i, int flags)
{
	char path[128];
	snprintf(path, sizeof(path), "/proc/sys/%s", settings[i]);
	return open(path, flags | O_CLOEXEC);
}

struct net_face *net_observe(void)
{
	struct net_face *face = xcalloc(1, sizeof(*face));

	if (getifaddrs(&face->addresses) < 0)
		face->addresses = NULL;
	for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
		CLEANUP_FD int fd = open_setting(i, O_RDONLY);
		if (fd < 0 || fd_read_all(fd, 4096, &face->values[i], NULL) < 0)
			face->values[i] = NULL;
	}
	return face;
}

static int lo_up(void)
{
	struct ifreq ifr = {.ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING};
	CLEANUP_FD int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return s < 0 || ioctl(s, SIOCSIFFLAGS, &ifr) < 0 ? -errno : 0;
}

/* One RTM_NEWADDR and its answer; rtnetlink(7). */
static int add_address(int nl, int family, const void *addr, size_t len)
{
	struct {
		struct nlmsghdr h;
		struct ifaddrmsg m;
		char attrs[64];
	} req = {
	    .h.nlmsg_len = NLMSG_LENGTH(sizeof(struct ifaddrmsg)),
	    .h.nlmsg_type = RTM_NEWADDR,
	    .h.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE,
	    .m.ifa_family = (unsigned char)family,
	    .m.ifa_prefixlen = (unsigned char)(len * 8),
	    .m.ifa_flags = IFA_F_NODAD | IFA_F_PERMANENT,
	    .m.ifa_index = if_nametoindex("lo"),
	};
	struct {
		struct nlmsghdr h;
		struct nlmsgerr e;
		char rest[256];
	} ack;

	for (unsigned short type = IFA_ADDRESS; type <= IFA_LOCAL; type++) {
		struct rtattr *a = (struct rtattr *)((char *)&req + NLMSG_ALIGN(req.h.nlmsg_len));
		a->rta_type = type;
		a->rta_len = (unsigned short)RTA_LENGTH(len);
		memcpy(RTA_DATA(a), addr, len);
		req.h.nlmsg_len = NLMSG_ALIGN(req.h.nlmsg_len) + RTA_ALIGN(a->rta_len);
	}
	if (send(nl, &req, req.h.nlmsg_len, 0) < 0)
		return -errno;
	if (recv(nl, &ack, sizeof(ack), 0) < (ssize_t)NLMSG_LENGTH(sizeof(struct nlmsgerr)))
		return -EPROTO;
	return ack.h.nlmsg_type == NLMSG_ERROR ? ack.e.error : -EPROTO;
}

static int carry(int nl, const struct ifaddrs *ifa)
{
	if (!ifa->ifa_addr || (ifa->ifa_flags & IFF_LOOPBACK))
		return 0;
	if (ifa->ifa_addr->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)ifa->ifa_addr;
		return add_address(nl, AF_INET, &in->sin_addr, sizeof(in->sin_addr));
	}
	if (ifa->ifa_addr->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const void *)ifa->ifa_addr;
		if (IN6_IS_ADDR_LINKLOCAL(&in6->sin6_addr))
			return 0; /* meaningless without its interface */
		return add_address(nl, AF_INET6, &in6->sin6_addr, sizeof(in6->sin6_addr));
	}
	return 0;
}

int net_dress(const struct net_face *face, struct err *e)
{
	int r = lo_up();
	if (r < 0)
		return err_errno(e, r, "bringing up lo");
	for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
		CLEANUP_FD int fd = face->values[i] ? open_setting(i, O_WRONLY) : -1;
		if (fd >= 0)
			fd_write_all(fd, face->values[i], strlen(face->values[i]));
	}
	CLEANUP_FD int nl = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (nl < 0)
		return err_errno(e, -errno, "opening a netlink socket");
	for (const struct ifaddrs *ifa = face->addresses; ifa; ifa = ifa->ifa_next) {
		r = carry(nl, ifa);
		if (r < 0 && r != -EEXIST && r != -EACCES && r != -EOPNOTSUPP)
			return err_errno(e, r, "putting the host's addresses on lo");
	}
	return 0;
}

void net_face_free(struct net_face *face)
{
	if (!face)
		return;
	if (face->addresses)
		freeifaddrs(face->addresses);
	for (size_t i = 0; i < ARRAY_LEN(settings); i++)
		free(face->values[i]);
	free(face);
}
