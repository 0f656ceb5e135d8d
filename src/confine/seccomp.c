/* SPDX-License-Identifier: MIT */
#include "confine/calls-policy.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "confine/bpf.h"

#define NEW_NAMESPACES                                                                             \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |             \
	 CLONE_NEWPID | CLONE_NEWNET)
#define SET_ID (S_ISUID | S_ISGID)

/* A comparison: (argument & mask) == value. */
struct arg {
	unsigned number;
	uint32_t mask, value;
};

/* A rule that lets a call through where all its arguments are as said. Several rules of one call:
 * where one of them says so. */
struct rule {
	const char *name;
	int number; /* younger than libseccomp; else 0 */
	struct arg args[2];
};

#define FULL UINT32_MAX
#define END                                                                                        \
	{                                                                                          \
		0, 0, 0                                                                            \
	}

/* clang-format off */
static const struct rule by_argument[] = {
	{"clone", 0, {{0, NEW_NAMESPACES, 0}, END}},
	/* only the query and what every process has */
	{"personality", 0, {{0, FULL, PER_LINUX}, END}},
	{"personality", 0, {{0, FULL, 0xffffffff}, END}},
	/* no devices */
	{"mknod", 0, {{1, S_IFMT | SET_ID, 0}, END}},
	{"mknod", 0, {{1, S_IFMT | SET_ID, S_IFREG}, END}},
	{"mknod", 0, {{1, S_IFMT | SET_ID, S_IFIFO}, END}},
	{"mknod", 0, {{1, S_IFMT | SET_ID, S_IFSOCK}, END}},
	{"mknodat", 0, {{2, S_IFMT | SET_ID, 0}, END}},
	{"mknodat", 0, {{2, S_IFMT | SET_ID, S_IFREG}, END}},
	{"mknodat", 0, {{2, S_IFMT | SET_ID, S_IFIFO}, END}},
	{"mknodat", 0, {{2, S_IFMT | SET_ID, S_IFSOCK}, END}},
};

/* Where no run set such modes: files that outlive the jail give nobody a user (systemd
 * CVE-2019-3843). */
static const struct rule without_set_id[] = {
	{"chmod", 0, {{1, SET_ID, 0}, END}},
	{"fchmod", 0, {{1, SET_ID, 0}, END}},
	{"fchmodat", 0, {{2, SET_ID, 0}, END}},
	{"fchmodat2", 452, {{2, SET_ID, 0}, END}},
	{"mkdir", 0, {{1, SET_ID, 0}, END}},
	{"mkdirat", 0, {{2, SET_ID, 0}, END}},
	{"creat", 0, {{1, SET_ID, 0}, END}},
	/* the mode counts only for what makes a file */
	{"open", 0, {{1, O_CREAT | __O_TMPFILE, 0}, END}},
	{"open", 0, {{2, SET_ID, 0}, END}},
	{"openat", 0, {{2, O_CREAT | __O_TMPFILE, 0}, END}},
	{"openat", 0, {{3, SET_ID, 0}, END}},
};
/* clang-format on */

/* What has its mode, or its flags, where no filter sees it. libc falls back to what can be seen. */
static const char *const absent[] = {"clone3"};
static const char *const absent_without_set_id[] = {"openat2"};

/* Terminals: typing for somebody else, and line disciplines. The kernel looks at 32 bits of the
 * request (CVE-2019-10063: a filter that compared 64). */
static const uint32_t bad_requests[] = {TIOCSTI, TIOCLINUX, TIOCSETD};

/* The first one of call @name, or NULL. */
static const struct rule *find_rule(const struct rule *v, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (streq(v[i].name, name))
			return &v[i];
	return NULL;
}

static bool among(const char *const *v, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (streq(v[i], name))
			return true;
	return false;
}

/* A rule for what this architecture lacks, or a second one for the same, is no error. */
static int passed_over(int r, int number)
{
	return r == -EEXIST || bpf_lacks(r, number) ? 0 : r;
}

static int number_of(const char *name, int number)
{
	return bpf_number(seccomp_arch_native(), name, number);
}

static int allow_rules(scmp_filter_ctx ctx, const struct rule *v, size_t n)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		struct scmp_arg_cmp args[ARRAY_LEN(v[i].args)];
		unsigned count = 0;
		for (size_t k = 0; k < ARRAY_LEN(v[i].args); k++)
			if (v[i].args[k].mask)
				args[count++] = SCMP_CMP(v[i].args[k].number, SCMP_CMP_MASKED_EQ,
							 v[i].args[k].mask, v[i].args[k].value);
		int nr = number_of(v[i].name, v[i].number);
		if (nr != __NR_SCMP_ERROR)
			r = passed_over(
			    seccomp_rule_add_array(ctx, SCMP_ACT_ALLOW, nr, count, args),
			    v[i].number);
	}
	return r;
}

/* Lets @name through where argument @arg, as 32 bits, is none of @bad. A rule can only ask for bits
 * that are so and so; thus one for each prefix that leaves the path to all of them. */
static int allow_all_but(scmp_filter_ctx ctx, const char *name, unsigned arg, const uint32_t *bad,
			 size_t n)
{
	int nr = number_of(name, 0), r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		for (int bit = 31; r == 0 && bit >= 0; bit--) {
			uint32_t mask = ~((UINT32_C(1) << bit) - 1);
			uint32_t prefix = (bad[i] ^ UINT32_C(1) << bit) & mask;
			bool leads = false;
			for (size_t k = 0; k < n; k++)
				leads |= (bad[k] & mask) == prefix;
			if (!leads)
				r = passed_over(seccomp_rule_add(ctx, SCMP_ACT_ALLOW, nr, 1,
								 SCMP_CMP(arg, SCMP_CMP_MASKED_EQ,
									  mask, prefix)),
						0);
		}
	return r;
}

static int allow_socket(scmp_filter_ctx ctx, int family, bool route_only)
{
	const struct rule rule = {"socket", 0, {{0, FULL, (uint32_t)family}, {2, FULL, 0}}};
	const struct rule pair = {"socketpair", 0, {{0, FULL, (uint32_t)family}, END}};
	struct rule any = rule;

	any.args[1] = (struct arg)END;
	int r = allow_rules(ctx, route_only ? &rule : &any, 1);
	return r == 0 && family == AF_UNIX ? allow_rules(ctx, &pair, 1) : r;
}

static int allow_sockets(scmp_filter_ctx ctx, uint64_t families)
{
	static const int base[] = {AF_UNIX, AF_INET, AF_INET6};
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(base); i++)
		r = allow_socket(ctx, base[i], false);
	if (r == 0)
		r = allow_socket(ctx, AF_NETLINK, !(families >> AF_NETLINK & 1));
	for (int f = 0; r == 0 && f < 64; f++)
		if (families >> f & 1 && f != AF_NETLINK)
			r = allow_socket(ctx, f, false);
	return r;
}

/* Calls that other functions make rules for. */
static bool is_special(const struct call_set *set, const char *name)
{
	static const char *const others[] = {"ioctl", "socket", "socketpair"};

	return among(others, ARRAY_LEN(others), name) || among(absent, ARRAY_LEN(absent), name) ||
	       /* learnt: then its arguments are free too */
	       (find_rule(by_argument, ARRAY_LEN(by_argument), name)) ||
	       (!set->set_id_modes &&
		(find_rule(without_set_id, ARRAY_LEN(without_set_id), name) ||
		 among(absent_without_set_id, ARRAY_LEN(absent_without_set_id), name)));
}

static int allow_table(scmp_filter_ctx ctx, const struct call_set *set)
{
	size_t n;
	const struct call_policy *rows = calls_policy(&n);
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		bool learnt = rows[i].class == CALL_RARE && strv_has(&set->calls, rows[i].name);
		int nr = number_of(rows[i].name, rows[i].number);
		if ((rows[i].class != CALL_BASE && !learnt) || is_special(set, rows[i].name) ||
		    nr == __NR_SCMP_ERROR)
			continue;
		r = passed_over(seccomp_rule_add(ctx, SCMP_ACT_ALLOW, nr, 0), rows[i].number);
	}
	return r;
}

static int say_absent(scmp_filter_ctx ctx, const char *const *v, size_t n)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++)
		r = passed_over(
		    seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), number_of(v[i], 0), 0), 0);
	return r;
}

static int fill(scmp_filter_ctx ctx, const struct call_set *set)
{
	int r = allow_table(ctx, set);

	if (r == 0)
		r = allow_rules(ctx, by_argument, ARRAY_LEN(by_argument));
	if (r == 0 && !set->set_id_modes)
		r = allow_rules(ctx, without_set_id, ARRAY_LEN(without_set_id));
	if (r == 0)
		r = allow_all_but(ctx, "ioctl", 1, bad_requests, ARRAY_LEN(bad_requests));
	if (r == 0)
		r = allow_sockets(ctx, set->families);
	if (r == 0)
		r = say_absent(ctx, absent, ARRAY_LEN(absent));
	if (r == 0 && !set->set_id_modes)
		r = say_absent(ctx, absent_without_set_id, ARRAY_LEN(absent_without_set_id));
	return r;
}

static scmp_filter_ctx make_one(uint32_t arch, const struct call_set *set, int *ret)
{
	scmp_filter_ctx ctx = bpf_context(arch, SCMP_ACT_NOTIFY);

	/* libseccomp asks the kernel whether it has listeners, seccomp_api_get(3). */
	*ret = ctx ? fill(ctx, set) : -EOPNOTSUPP;
	if (*ret < 0 && ctx) {
		seccomp_release(ctx);
		ctx = NULL;
	}
	return ctx;
}

/* What a server asks for all the time and the kernel cannot answer by number alone: opening what is
 * there. Found by search, in some twenty steps, it costs nginx one per cent of its throughput. */
static void hurry(const struct call_set *set, struct sock_fprog *f)
{
	static const char *const hot[] = {"open", "openat"}; /* the last one is asked first */

	for (size_t i = 0; !set->set_id_modes && i < ARRAY_LEN(hot); i++) {
		const struct rule *r = find_rule(without_set_id, ARRAY_LEN(without_set_id), hot[i]);
		int nr = number_of(hot[i], 0);
		if (nr >= 0)
			bpf_allow_first(f, nr, r->args[0].number, r->args[0].mask,
					r->args[0].value);
	}
}

int seccomp_make(const struct call_set *set, struct sock_fprog *ret, struct err *e)
{
	int r;
	scmp_filter_ctx ctx = make_one(seccomp_arch_native(), set, &r), companion = NULL;

	if (r == 0 && set->compat && bpf_companion())
		companion = make_one(bpf_companion(), set, &r);
	if (r == 0)
		r = bpf_export(ctx, companion, ret);
	if (r == 0)
		hurry(set, ret);
	if (ctx)
		seccomp_release(ctx);
	if (r == -EOPNOTSUPP)
		return err_set(e, r,
			       "this kernel lacks seccomp filters with a listener (Linux 5.0), "
			       "without which no jail is started; immure check --host");
	return r < 0 ? err_errno(e, r, "making the seccomp filter") : 0;
}

void seccomp_free(struct sock_fprog *f)
{
	bpf_free(f);
}

int seccomp_refusal(uint32_t audit_arch, int nr)
{
	const struct call_policy *row = calls_policy_at(audit_arch, nr);

	if (!row || str_after(row->name, "io_uring"))
		return ENOSYS;
	/* socket(2) and socketpair(2) are let through but for their family. */
	return str_after(row->name, "socket") ? EAFNOSUPPORT : EPERM;
}
