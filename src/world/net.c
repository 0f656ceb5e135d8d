/* SPDX-License-Identifier: MIT */
#include "world/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/sysctl.h"
#include "confine/loopback.h"

/* What a service can notice of the network's set-up: copied from the host's namespace. */
static const char *const settings[] = {
    "net/core/somaxconn",
    "net/ipv4/ip_default_ttl",
    "net/ipv4/ip_local_port_range",
    "net/ipv4/ip_nonlocal_bind",
    "net/ipv4/ip_unprivileged_port_start",
    "net/ipv4/ping_group_range",
    "net/ipv4/tcp_fin_timeout",
    "net/ipv4/tcp_keepalive_intvl",
    "net/ipv4/tcp_keepalive_probes",
    "net/ipv4/tcp_keepalive_time",
    "net/ipv4/tcp_max_syn_backlog",
    "net/ipv6/bindv6only",
    "net/ipv6/conf/all/disable_ipv6",
    "net/ipv6/conf/lo/disable_ipv6",
    "net/ipv6/ip_nonlocal_bind",
    "net/unix/max_dgram_qlen",
};

struct net_face {
	struct ifaddrs *addresses;
	char *values[ARRAY_LEN(settings)];
};

struct net_face *net_observe(void)
{
	struct net_face *face = xcalloc(1, sizeof(*face));

	if (getifaddrs(&face->addresses) < 0)
		face->addresses = NULL;
	sysctl_read(settings, ARRAY_LEN(settings), face->values);
	return face;
}

/* A message of rtnetlink(7) that is being put together. */
struct request {
	struct nlmsghdr h;
	union {
		struct ifaddrmsg address;
		struct rtmsg route;
	};
	char attrs[64];
};

static void add_attr(struct request *q, unsigned short type, const void *data, size_t len)
{
	struct rtattr *a = (struct rtattr *)((char *)q + NLMSG_ALIGN(q->h.nlmsg_len));

	a->rta_type = type;
	a->rta_len = (unsigned short)RTA_LENGTH(len);
	memcpy(RTA_DATA(a), data, len);
	q->h.nlmsg_len = NLMSG_ALIGN(q->h.nlmsg_len) + RTA_ALIGN(a->rta_len);
}

/* Sends it and takes in the answer. */
static int ask(int nl, const struct request *q)
{
	struct {
		struct nlmsghdr h;
		struct nlmsgerr e;
		char rest[256];
	} ack;

	if (send(nl, q, q->h.nlmsg_len, 0) < 0)
		return -errno;
	if (recv(nl, &ack, sizeof(ack), 0) < (ssize_t)NLMSG_LENGTH(sizeof(struct nlmsgerr)))
		return -EPROTO;
	return ack.h.nlmsg_type == NLMSG_ERROR ? ack.e.error : -EPROTO;
}

static int add_address(int nl, int family, const void *addr, size_t len)
{
	struct request q = {
	    .h.nlmsg_len = NLMSG_LENGTH(sizeof(q.address)),
	    .h.nlmsg_type = RTM_NEWADDR,
	    .h.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE,
	    .address.ifa_family = (unsigned char)family,
	    .address.ifa_prefixlen = (unsigned char)(len * 8),
	    .address.ifa_flags = IFA_F_NODAD | IFA_F_PERMANENT,
	    .address.ifa_index = if_nametoindex("lo"),
	};

	for (unsigned short type = IFA_ADDRESS; type <= IFA_LOCAL; type++)
		add_attr(&q, type, addr, len);
	return ask(nl, &q);
}

/* Groups are joined and sent to as on the host, and what is sent comes back from lo. */
static void add_groups(int nl)
{
	static const struct {
		int family;
		unsigned char prefix[16], length, type, scope, table;
	} groups[] = {
	    {AF_INET, {224}, 4, RTN_UNICAST, RT_SCOPE_LINK, RT_TABLE_MAIN},
	    {AF_INET6, {0xff}, 8, RTN_MULTICAST, RT_SCOPE_UNIVERSE, RT_TABLE_LOCAL},
	};
	unsigned lo = if_nametoindex("lo");

	for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
		struct request q = {
		    .h.nlmsg_len = NLMSG_LENGTH(sizeof(q.route)),
		    .h.nlmsg_type = RTM_NEWROUTE,
		    .h.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE,
		    .route.rtm_family = (unsigned char)groups[i].family,
		    .route.rtm_dst_len = groups[i].length,
		    .route.rtm_table = groups[i].table,
		    .route.rtm_protocol = RTPROT_BOOT,
		    .route.rtm_scope = groups[i].scope,
		    .route.rtm_type = groups[i].type,
		};
		add_attr(&q, RTA_DST, groups[i].prefix, groups[i].family == AF_INET ? 4 : 16);
		add_attr(&q, RTA_OIF, &lo, sizeof(lo));
		ask(nl, &q); /* IPv6 may be off */
	}
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

static bool has_multicast(const struct net_face *face)
{
	const unsigned want = IFF_UP | IFF_MULTICAST;

	for (const struct ifaddrs *ifa = face->addresses; ifa; ifa = ifa->ifa_next)
		if (!(ifa->ifa_flags & IFF_LOOPBACK) && (ifa->ifa_flags & want) == want &&
		    ifa->ifa_addr && ifa->ifa_addr->sa_family != AF_PACKET)
			return true;
	return false;
}

int net_dress(const struct net_face *face, struct err *e)
{
	bool multicast = has_multicast(face);
	int r = loopback_up(multicast);
	if (r < 0)
		return err_errno(e, r, "bringing up lo");
	sysctl_write(settings, ARRAY_LEN(settings), face->values);
	CLEANUP_FD int nl = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (nl < 0)
		return err_errno(e, -errno, "opening a netlink socket");
	for (const struct ifaddrs *ifa = face->addresses; ifa; ifa = ifa->ifa_next) {
		r = carry(nl, ifa);
		if (r < 0 && r != -EEXIST && r != -EACCES && r != -EOPNOTSUPP)
			return err_errno(e, r, "putting the host's addresses on lo");
	}
	if (multicast)
		add_groups(nl);
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
