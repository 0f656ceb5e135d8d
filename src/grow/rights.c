/* SPDX-License-Identifier: MIT */
#include "grow/rights.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <seccomp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/sysctl.h"
#include "confine/calls-policy.h"
#include "confine/listens.h"
#include "confine/rights.h"
#include "fs/beneath.h"
#include "grow/tracee.h"

/* One call that is being looked at. */
struct right_look {
	struct engine *en;
	pid_t tid;
	enum phase phase;
	const char *call;
	const uint64_t *args;
	struct tracee_ids ids;
};

static const char *program_of(const struct right_look *k)
{
	unsigned number = programs_of(&k->en->programs, k->en->tree->record, k->tid);

	return k->en->tree->record->programs.v[number];
}

static void note(struct right_look *k, const char *right, const char *fmt, ...) PRINTF(3, 4);
static void note(struct right_look *k, const char *right, const char *fmt, ...)
{
	va_list ap;

	/* What we do ourselves on the way to the service is no need of its. */
	if (right_list_find(&k->en->tree->record->rights, right) || programs_launching(k->tid))
		return;
	va_start(ap, fmt);
	CLEANUP_STR char *why = xvasprintf(fmt, ap);
	va_end(ap);
	record_right(k->en->tree->record, right, why, program_of(k), k->phase);
}

/* Capability @cap was needed, if the thread has it at all. */
static void need(struct right_look *k, int cap, const char *detail)
{
	if (k->ids.effective >> cap & 1)
		note(k, rights_name(cap), "%s%s%s", k->call, detail[0] ? " " : "", detail);
}

/* --- users ------------------------------------------------------------------------------------ */

/* An id other than those that the thread could take on by itself. */
static bool foreign_id(const unsigned own[4], uint64_t arg)
{
	uint32_t id = (uint32_t)arg;

	return id != UINT32_MAX && id != own[0] && id != own[1] && id != own[2];
}

static void judge_ids(struct right_look *k, const unsigned own[4], int cap)
{
	char text[32];
	/* setuid(2) and setfsuid(2) have one argument, setreuid(2) two, setresuid(2) three. */
	size_t n = strstr(k->call, "setres") ? 3 : strstr(k->call, "setre") ? 2 : 1;

	for (size_t i = 0; i < n; i++)
		if (foreign_id(own, k->args[i])) {
			snprintf(text, sizeof(text), "to %" PRIu32, (uint32_t)k->args[i]);
			need(k, cap, text);
		}
	/* setuid(0) of root also sets its real and saved ids. */
	if (n == 1 && (own[0] != own[1] || own[1] != own[2]))
		need(k, cap, "of all ids");
}

static void judge_setuid(struct right_look *k)
{
	judge_ids(k, k->ids.uid, CAP_SETUID);
}

static void judge_setgid(struct right_look *k)
{
	judge_ids(k, k->ids.gid, CAP_SETGID);
}

static void judge_setgroups(struct right_look *k)
{
	need(k, CAP_SETGID, "");
}

/* --- programs and processes ------------------------------------------------------------------- */

static void judge_chroot(struct right_look *k)
{
	need(k, CAP_SYS_CHROOT, "");
}

static void judge_setpcap(struct right_look *k)
{
	need(k, CAP_SETPCAP, "of the bounding set or securebits");
}

/* Who names few capabilities to keep means these; who keeps nearly all means "all but ...", and
 * takes what there is. */
#define CAPSET_FEW 16

static void judge_capset(struct right_look *k)
{
	struct __user_cap_data_struct data[2] = {{0}};

	if (tracee_bytes(k->tid, k->args[1], data, sizeof(data)) < 0)
		return;
	uint64_t kept = data[0].permitted | (uint64_t)data[1].permitted << 32;
	for (int cap = 0; __builtin_popcountll(kept) <= CAPSET_FEW && cap < 64; cap++)
		if (kept >> cap & 1)
			need(k, cap, "keeps it by name");
}

static void judge_kill(struct right_look *k)
{
	pid_t to = (pid_t)k->args[0];

	if (to != 0)
		need(k, CAP_KILL, "to another process");
}

static void judge_nice(struct right_look *k)
{
	bool nice = streq(k->call, "setpriority");

	if (!nice || (int)k->args[2] < 0)
		need(k, CAP_SYS_NICE, "");
}

static void judge_lock(struct right_look *k)
{
	need(k, CAP_IPC_LOCK, "");
}

/* The owner of a file needs no capability for it. */
static void judge_lease(struct right_look *k)
{
	note(k, "leases", "F_SETLEASE");
	need(k, CAP_LEASE, "F_SETLEASE");
}

static void judge_limit(struct right_look *k)
{
	bool both = streq(k->call, "prlimit64"); /* (pid, which, new, old), else (which, new) */
	int which = (int)k->args[both];
	struct rlimit wanted, now;

	if (both && k->args[0] != 0)
		return;
	if (tracee_bytes(k->tid, k->args[1 + both], &wanted, sizeof(wanted)) < 0 ||
	    prlimit(k->ids.process, (enum __rlimit_resource)which, NULL, &now) < 0)
		return;
	if (wanted.rlim_max > now.rlim_max)
		need(k, CAP_SYS_RESOURCE, "to raise a hard limit");
}

/* --- sockets ---------------------------------------------------------------------------------- */

static const struct {
	int family;
	const char *name;
} families[] = {
    {AF_NETLINK, "AF_NETLINK"}, {AF_PACKET, "AF_PACKET"}, {AF_ALG, "AF_ALG"},
    {AF_VSOCK, "AF_VSOCK"},	{AF_CAN, "AF_CAN"},	  {AF_BLUETOOTH, "AF_BLUETOOTH"},
    {AF_TIPC, "AF_TIPC"},	{AF_KEY, "AF_KEY"},	  {AF_X25, "AF_X25"},
    {AF_AX25, "AF_AX25"},	{AF_IPX, "AF_IPX"},	  {AF_APPLETALK, "AF_APPLETALK"},
    {AF_QIPCRTR, "AF_QIPCRTR"}, {AF_SMC, "AF_SMC"},	  {AF_XDP, "AF_XDP"},
};

int right_family(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(families); i++)
		if (streq(families[i].name, name))
			return families[i].family;
	return -1;
}

/* As the filter has it, confine/seccomp.c. */
static bool is_usual_protocol(int protocol)
{
	return listens_tcp(protocol) || protocol == IPPROTO_IP || protocol == IPPROTO_ICMP ||
	       protocol == IPPROTO_UDP || protocol == IPPROTO_ICMPV6;
}

static void judge_socket(struct right_look *k)
{
	int family = (int)k->args[0], type = (int)k->args[1] & 0xf, protocol = (int)k->args[2];

	/* Route netlink is in every libc: getaddrinfo(3), getifaddrs(3). */
	for (size_t i = 0; i < ARRAY_LEN(families); i++)
		if (families[i].family == family && (family != AF_NETLINK || protocol))
			note(k, families[i].name, "socket(%s, %d, %d)", families[i].name, type,
			     protocol);
	if ((family == AF_INET || family == AF_INET6) && type != SOCK_RAW &&
	    !is_usual_protocol(protocol)) {
		CLEANUP_STR char *name = xasprintf("protocol:%d", protocol);
		note(k, name, "socket(%d, %d, %d)", family, type, protocol);
	}
	if (family == AF_PACKET || ((family == AF_INET || family == AF_INET6) && type == SOCK_RAW))
		need(k, CAP_NET_RAW, "");
	if (family == AF_NETLINK && protocol == NETLINK_AUDIT)
		need(k, CAP_AUDIT_WRITE, "of the audit family");
}

/* "tcp" or "udp" as the socket is, NULL where it is neither. */
static const char *protocol_of(const struct right_look *k)
{
	CLEANUP_FD int fd = tracee_descriptor(&k->ids, (int)k->args[0]);
	int protocol = 0;
	socklen_t len = sizeof(protocol);

	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len) < 0)
		return NULL;
	return listens_tcp(protocol) ? "tcp" : protocol == IPPROTO_UDP ? "udp" : NULL;
}

/* The port of an internet address, or -1. */
static int port_of(const struct right_look *k)
{
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} addr = {0};

	if (k->args[2] < sizeof(addr.in) ||
	    tracee_bytes(k->tid, k->args[1], &addr.in, sizeof(addr.in)) < 0)
		return -1;
	/* Both families have their port at the same place. */
	return addr.any.sa_family == AF_INET || addr.any.sa_family == AF_INET6
		   ? ntohs(addr.in.sin_port)
		   : -1;
}

/* ip(7): ports below this one are for CAP_NET_BIND_SERVICE. */
static int first_free_port(void)
{
	return (int)sysctl_number("net/ipv4/ip_unprivileged_port_start", IPPORT_RESERVED);
}

static void judge_port(struct right_look *k)
{
	bool binds = streq(k->call, "bind");
	int port = port_of(k);
	const char *protocol = port >= 0 ? protocol_of(k) : NULL;
	char name[32];

	if (!protocol)
		return;
	snprintf(name, sizeof(name), "%s%s:%d", binds ? "" : "connect:", protocol, port);
	note(k, name, "%s", k->call);
	if (binds)
		record_bind(k->en->tree->record, *protocol == 'u', (uint16_t)port);
	if (binds && port && port < first_free_port())
		need(k, CAP_NET_BIND_SERVICE, name);
}

/* Of TCP, what was never bound takes a free port, as bind(2) of port 0 does. */
static void judge_listen(struct right_look *k)
{
	CLEANUP_FD int fd = tracee_descriptor(&k->ids, (int)k->args[0]);
	int port = fd < 0 ? fd : listens_port(fd);

	if (port == -EPROTOTYPE)
		note(k, "listen()", "listen, on what is no TCP port");
	else if (port == 0)
		note(k, "tcp:0", "listen");
}

static void judge_net_admin(struct right_look *k)
{
	need(k, CAP_NET_ADMIN, "of an option for administrators");
}

static void judge_device(struct right_look *k)
{
	need(k, CAP_NET_RAW, "SO_BINDTODEVICE");
}

/* --- files ------------------------------------------------------------------------------------ */

static void judge_chown(struct right_look *k)
{
	need(k, CAP_CHOWN, "");
}

static void judge_modes(struct right_look *k)
{
	note(k, "set-id-modes", "%s", k->call);
	need(k, CAP_FSETID, "of a set-id mode");
}

#define ANY                                                                                        \
	{                                                                                          \
		NO_ARG, 0, 0                                                                       \
	}
#define ALWAYS                                                                                     \
	{                                                                                          \
		ANY, ANY                                                                           \
	}
#define IS(arg, value)                                                                             \
	{                                                                                          \
		{arg, value, UINT32_MAX}, ANY                                                      \
	}
#define SET(arg, bit)                                                                              \
	{                                                                                          \
		{arg, bit, bit}, ANY                                                               \
	}
#define OPTION(level, name)                                                                        \
	{                                                                                          \
		{1, level, UINT32_MAX},                                                            \
		{                                                                                  \
			2, name, UINT32_MAX                                                        \
		}                                                                                  \
	}

/* asm-generic/fcntl.h and linux/in6.h, which clash with the libc's. */
#define SETLEASE	 1024
#define IPV6_TRANSPARENT 75

/* clang-format off */
static const struct right_call rows[] = {
	{"setuid", ALWAYS, judge_setuid, CAP_SETUID},
	{"setuid32", ALWAYS, judge_setuid, CAP_SETUID},
	{"setreuid", ALWAYS, judge_setuid, CAP_SETUID},
	{"setreuid32", ALWAYS, judge_setuid, CAP_SETUID},
	{"setresuid", ALWAYS, judge_setuid, CAP_SETUID},
	{"setresuid32", ALWAYS, judge_setuid, CAP_SETUID},
	{"setfsuid", ALWAYS, judge_setuid, CAP_SETUID},
	{"setgid", ALWAYS, judge_setgid, CAP_SETGID},
	{"setgid32", ALWAYS, judge_setgid, CAP_SETGID},
	{"setregid", ALWAYS, judge_setgid, CAP_SETGID},
	{"setregid32", ALWAYS, judge_setgid, CAP_SETGID},
	{"setresgid", ALWAYS, judge_setgid, CAP_SETGID},
	{"setresgid32", ALWAYS, judge_setgid, CAP_SETGID},
	{"setfsgid", ALWAYS, judge_setgid, CAP_SETGID},
	{"setgroups", ALWAYS, judge_setgroups, CAP_SETGID},
	{"setgroups32", ALWAYS, judge_setgroups, CAP_SETGID},
	{"chroot", ALWAYS, judge_chroot, CAP_SYS_CHROOT},
	{"prctl", IS(0, PR_CAPBSET_DROP), judge_setpcap, CAP_SETPCAP},
	{"prctl", IS(0, PR_SET_SECUREBITS), judge_setpcap, CAP_SETPCAP},
	{"capset", ALWAYS, judge_capset, NO_CAP},
	{"kill", ALWAYS, judge_kill, CAP_KILL},
	{"pidfd_send_signal", ALWAYS, judge_kill, CAP_KILL},
	{"rt_sigqueueinfo", ALWAYS, judge_kill, CAP_KILL},
	{"setpriority", ALWAYS, judge_nice, CAP_SYS_NICE},
	{"sched_setscheduler", ALWAYS, judge_nice, CAP_SYS_NICE},
	{"sched_setparam", ALWAYS, judge_nice, CAP_SYS_NICE},
	{"sched_setattr", ALWAYS, judge_nice, CAP_SYS_NICE},
	{"ioprio_set", ALWAYS, judge_nice, CAP_SYS_NICE},
	{"mlock", ALWAYS, judge_lock, CAP_IPC_LOCK},
	{"mlock2", ALWAYS, judge_lock, CAP_IPC_LOCK},
	{"mlockall", ALWAYS, judge_lock, CAP_IPC_LOCK},
	{"shmctl", IS(1, SHM_LOCK), judge_lock, CAP_IPC_LOCK},
	{"mmap", SET(3, MAP_LOCKED), judge_lock, CAP_IPC_LOCK},
	{"fcntl", IS(1, SETLEASE), judge_lease, NO_CAP},
	{"fcntl64", IS(1, SETLEASE), judge_lease, NO_CAP},
	{"setrlimit", ALWAYS, judge_limit, CAP_SYS_RESOURCE},
	{"prlimit64", ALWAYS, judge_limit, CAP_SYS_RESOURCE},
	{"socket", ALWAYS, judge_socket, NO_CAP},
	{"bind", ALWAYS, judge_port, NO_CAP},
	{"connect", ALWAYS, judge_port, NO_CAP},
	{"listen", ALWAYS, judge_listen, NO_CAP},
	{"setsockopt", OPTION(SOL_SOCKET, SO_SNDBUFFORCE), judge_net_admin, CAP_NET_ADMIN},
	{"setsockopt", OPTION(SOL_SOCKET, SO_RCVBUFFORCE), judge_net_admin, CAP_NET_ADMIN},
	{"setsockopt", OPTION(SOL_SOCKET, SO_MARK), judge_net_admin, CAP_NET_ADMIN},
	{"setsockopt", OPTION(SOL_SOCKET, SO_PRIORITY), judge_net_admin, CAP_NET_ADMIN},
	{"setsockopt", OPTION(SOL_SOCKET, SO_BINDTODEVICE), judge_device, CAP_NET_RAW},
	{"setsockopt", OPTION(IPPROTO_IP, IP_TRANSPARENT), judge_net_admin, CAP_NET_ADMIN},
	{"setsockopt", OPTION(IPPROTO_IPV6, IPV6_TRANSPARENT), judge_net_admin, CAP_NET_ADMIN},
	{"chown", ALWAYS, judge_chown, CAP_CHOWN},
	{"chown32", ALWAYS, judge_chown, CAP_CHOWN},
	{"lchown", ALWAYS, judge_chown, CAP_CHOWN},
	{"lchown32", ALWAYS, judge_chown, CAP_CHOWN},
	{"fchown", ALWAYS, judge_chown, CAP_CHOWN},
	{"fchown32", ALWAYS, judge_chown, CAP_CHOWN},
	{"fchownat", ALWAYS, judge_chown, CAP_CHOWN},
	{"chmod", SET(1, S_ISUID), judge_modes, NO_CAP},
	{"chmod", SET(1, S_ISGID), judge_modes, NO_CAP},
	{"fchmod", SET(1, S_ISUID), judge_modes, NO_CAP},
	{"fchmod", SET(1, S_ISGID), judge_modes, NO_CAP},
	{"fchmodat", SET(2, S_ISUID), judge_modes, NO_CAP},
	{"fchmodat", SET(2, S_ISGID), judge_modes, NO_CAP},
	{"mkdir", SET(1, S_ISGID), judge_modes, NO_CAP},
	{"mkdirat", SET(2, S_ISGID), judge_modes, NO_CAP},
};
/* clang-format on */

const struct right_call *right_calls(size_t *ret_n)
{
	*ret_n = ARRAY_LEN(rows);
	return rows;
}

static bool matches(const struct right_call *row, const uint64_t args[6])
{
	for (size_t i = 0; i < ARRAY_LEN(row->when); i++) {
		const struct right_match *m = &row->when[i];
		if (m->arg != NO_ARG && ((uint32_t)args[m->arg] & m->mask) != m->value)
			return false;
	}
	return true;
}

/* A server that changes its user at each request would wait for us at each. */
static bool is_settled(const struct engine *en, const struct right_call *row)
{
	return row->cap != NO_CAP &&
	       right_list_find(&en->tree->record->rights, rights_name(row->cap));
}

void right_note(struct engine *en, pid_t tid, enum phase phase, uint32_t arch, int nr,
		const uint64_t args[6])
{
	const struct call_policy *call = calls_policy_at(arch, nr);
	struct right_look k = {.en = en, .tid = tid, .phase = phase, .args = args};
	bool read = false;

	if (arch != seccomp_arch_native())
		note(&k, "32-bit", "a call of the companion architecture");
	if (!call)
		return;
	k.call = call->name;
	if (call->class == CALL_RARE) {
		CLEANUP_STR char *name = xasprintf("%s()", k.call);
		note(&k, name, "made");
	}
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (!streq(rows[i].name, k.call) || !matches(&rows[i], args) ||
		    is_settled(en, &rows[i]))
			continue;
		if (!read && tracee_ids(tid, &k.ids) < 0)
			return;
		read = true;
		rows[i].judge(&k);
	}
}

/* --- paths ------------------------------------------------------------------------------------ */

/* Calls @ask without the rights that let root pass by modes. Capabilities are the thread's own, so
 * nobody else in this program notices. */
static int as_mere_root(int (*ask)(int dir, const char *path, int mode), int dir, const char *path,
			int mode)
{
	struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct all[2], few[2];
	const uint32_t passing = 1u << CAP_DAC_OVERRIDE | 1u << CAP_DAC_READ_SEARCH;

	if (syscall(SYS_capget, &head, all) < 0)
		return -errno;
	memcpy(few, all, sizeof(few));
	few[0].effective &= ~passing;
	if (syscall(SYS_capset, &head, few) < 0)
		return -errno;
	int r = ask(dir, path, mode);
	if (syscall(SYS_capset, &head, all) < 0)
		abort(); /* what follows would fail for no reason that anybody could see */
	return r;
}

static int ask_access(int dir, const char *path, int mode)
{
	long r = syscall(SYS_faccessat2, dir, path_relative(path), mode,
			 AT_EACCESS | AT_SYMLINK_NOFOLLOW);

	return r < 0 ? -errno : 0;
}

static bool closed(const struct engine *en, const char *path, unsigned kinds)
{
	static const struct {
		unsigned kinds;
		int mode;
	} modes[] = {
	    {TOUCH_READ | TOUCH_LIST, R_OK},
	    {TOUCH_WRITE | TOUCH_CONNECT, W_OK},
	    {TOUCH_EXEC, X_OK},
	};
	CLEANUP_STR char *parent = path_parent(path);
	int world = en->tree->world, mode = F_OK;

	if (kinds & (TOUCH_MAKE | TOUCH_REMOVE) &&
	    as_mere_root(ask_access, world, parent, W_OK | X_OK) == -EACCES)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(modes); i++)
		if (kinds & modes[i].kinds)
			mode |= modes[i].mode;
	return as_mere_root(ask_access, world, path, mode) == -EACCES;
}

/* A program that gives its user, or its group, to whoever executes it. */
static void judge_exec(struct right_look *k, const char *path, const struct stat *st)
{
	CLEANUP_STR char *name = xasprintf("set-id:%s", path);

	if ((st->st_mode & S_ISUID && st->st_uid != k->ids.uid[1]) ||
	    (st->st_mode & S_ISGID && st->st_gid != k->ids.gid[1]))
		note(k, name, "executed by user %u", k->ids.uid[1]);
}

/* An owner or a mode is about to be another: what was found before holds no more. */
static bool forget(const struct engine *en, struct touch *touch, unsigned kinds)
{
	if (!(kinds & TOUCH_CHANGE))
		return false;
	touch->judged = 0;
	return !right_list_find(&en->tree->record->rights, rights_name(CAP_FOWNER));
}

bool right_path(struct engine *en, const struct event *ev, struct touch *touch, unsigned kinds)
{
	struct right_look k = {
	    .en = en, .tid = ev->tid, .phase = ev->phase, .call = ev->call->name, .args = ev->args};
	bool changes = forget(en, touch, kinds);
	struct stat st;

	if (!(kinds & ~touch->judged) && !(kinds & TOUCH_EXEC))
		return true;
	bool there = beneath_lstat(en->tree->world, touch->path, &st) == 0;
	bool is_closed = kinds & ~touch->judged && closed(en, touch->path, kinds);
	bool set_id = there && kinds & TOUCH_EXEC && st.st_mode & (S_ISUID | S_ISGID);
	if (!is_closed)
		touch->judged |= kinds & ~TOUCH_CHANGE;
	if ((!is_closed && !set_id && !changes) || tracee_ids(ev->tid, &k.ids) < 0)
		return !is_closed;
	if (set_id)
		judge_exec(&k, touch->path, &st);
	if (is_closed)
		need(&k, CAP_DAC_OVERRIDE, touch->path);
	if (changes && there && !strstr(k.call, "chown") && st.st_uid != k.ids.uid[1])
		need(&k, CAP_FOWNER, touch->path);
	/* Another thread may be the one with the right. */
	return !is_closed && !changes;
}
