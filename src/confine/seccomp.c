/* SPDX-License-Identifier: MIT */
#include "confine/calls-policy.h"

#include <errno.h>
#include <netinet/in.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "confine/bpf.h"
#include "confine/seccomp-rules.h"

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

static bool is_own(const char *name)
{
	size_t n;
	const char *const *own = seccomp_own_calls(&n);

	return among(own, n, name);
}

/* Whether the first filter lets @name through at all. */
static bool kept(const struct call_set *set, const char *name)
{
	return !strv_has(&set->without, name) || is_own(name);
}

static int allow_rules(scmp_filter_ctx ctx, const struct call_set *set, const struct rule *v,
		       size_t n)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		if (!kept(set, v[i].name))
			continue;
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

/* Lets @name through where argument @arg, as 32 bits, is none of @bad, on an architecture that
 * bpf_allow_but() is not for. A rule can only ask for bits that are so and so; thus one for each
 * prefix that leaves the path to all of them. */
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

/* What speaks TCP in the end, and whose ports Landlock does not see: linux/in.h. */
static const uint32_t unseen[] = {262 /* IPPROTO_MPTCP */, 256 /* IPPROTO_SMC */};

/* A protocol that is asked for by name brings its module, and of ports only TCP's are held. Raw
 * sockets are CAP_NET_RAW's. */
static int allow_internet(scmp_filter_ctx ctx, const struct call_set *set, uint32_t family)
{
	static const uint32_t usual[] = {IPPROTO_IP, IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP,
					 IPPROTO_ICMPV6};
	const struct rule raw = {"socket", 0, {{0, UINT32_MAX, family}, {1, 0xf, SOCK_RAW}}};
	int r = allow_rules(ctx, set, &raw, 1);

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(usual); i++) {
		const struct rule rule = {
		    "socket", 0, {{0, UINT32_MAX, family}, {2, UINT32_MAX, usual[i]}}};
		r = allow_rules(ctx, set, &rule, 1);
	}
	for (size_t i = 0; r == 0 && i < set->protocols.n; i++) {
		uint32_t number = (uint32_t)strtoul(set->protocols.v[i], NULL, 10);
		const struct rule rule = {
		    "socket", 0, {{0, UINT32_MAX, family}, {2, UINT32_MAX, number}}};
		r = allow_rules(ctx, set, &rule, 1);
	}
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(unseen); i++) {
		CLEANUP_STR char *number = xasprintf("%u", (unsigned)unseen[i]);
		if (!strv_has(&set->protocols, number) && kept(set, "socket"))
			r = passed_over(
			    seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPROTONOSUPPORT), SCMP_SYS(socket),
					     3, SCMP_A0_32(SCMP_CMP_EQ, family),
					     SCMP_A1_32(SCMP_CMP_MASKED_EQ, 0xf, SOCK_STREAM),
					     SCMP_A2_32(SCMP_CMP_EQ, unseen[i])),
			    0);
	}
	return r;
}

static int allow_socket(scmp_filter_ctx ctx, const struct call_set *set, int family,
			bool route_only)
{
	const struct rule rule = {
	    "socket", 0, {{0, UINT32_MAX, (uint32_t)family}, {2, UINT32_MAX, 0}}};
	const struct rule pair = {"socketpair", 0, {{0, UINT32_MAX, (uint32_t)family}, RULE_END}};
	struct rule any = rule;

	any.args[1] = (struct arg)RULE_END;
	if (family == AF_INET || family == AF_INET6)
		return allow_internet(ctx, set, (uint32_t)family);
	int r = allow_rules(ctx, set, route_only ? &rule : &any, 1);
	return r == 0 && family == AF_UNIX ? allow_rules(ctx, set, &pair, 1) : r;
}

#define FAMILY(f) (UINT64_C(1) << (f))

static int allow_sockets(scmp_filter_ctx ctx, const struct call_set *set)
{
	uint64_t base = FAMILY(AF_UNIX) | FAMILY(AF_INET) | FAMILY(AF_INET6) | FAMILY(AF_NETLINK);
	uint64_t families = (base | set->families) & ~set->without_families;
	int r = 0;

	for (int f = 0; r == 0 && f < 64; f++)
		if (families & FAMILY(f))
			r = allow_socket(ctx, set, f,
					 f == AF_NETLINK && !(set->families & FAMILY(f)));
	return r;
}

/* Only where it was learnt. */
static int allow_unshare(scmp_filter_ctx ctx, const struct call_set *set)
{
	struct rule rule = {"unshare", 0, {{0, (uint32_t)set->without_namespaces, 0}, RULE_END}};

	return strv_has(&set->calls, "unshare") ? allow_rules(ctx, set, &rule, 1) : 0;
}

/* Calls that other functions make rules for; learnt or not, their arguments are looked at. */
static bool is_special(const struct call_set *set, const char *name)
{
	static const char *const others[] = {"ioctl", "socket", "socketpair", "unshare"};
	bool special = among(others, ARRAY_LEN(others), name);
	size_t n;
	const struct limit *limits = seccomp_limits(&n);

	for (size_t i = 0; !special && i < n; i++)
		special =
		    limits[i].holds(set) && (find_rule(limits[i].rules, limits[i].n_rules, name) ||
					     among(limits[i].absent, limits[i].n_absent, name));
	return special;
}

/* Its number, where @row is let through whatever its arguments are; else __NR_SCMP_ERROR. */
static int allowed_number(const struct call_set *set, const struct call_policy *row)
{
	bool learnt = row->class == CALL_RARE && strv_has(&set->calls, row->name);

	if ((row->class != CALL_BASE && !learnt) || is_special(set, row->name) ||
	    !kept(set, row->name))
		return __NR_SCMP_ERROR;
	return number_of(row->name, row->number);
}

/* Those that are let through by number, of the native architecture: most, and neighbours. */
static void find_plain(const struct call_set *set, struct bpf_numbers *ret)
{
	size_t n;
	const struct call_policy *rows = calls_policy(&n);

	*ret = (struct bpf_numbers){0};
	for (size_t i = 0; i < n; i++) {
		int nr = allowed_number(set, &rows[i]);
		if (nr >= 0 && nr < BPF_NUMBERS_MAX)
			ret->has[nr] = true;
	}
	bpf_ranges(ret);
}

/* But for those in @plain, which are asked for before; NULL: none is. */
static int allow_table(scmp_filter_ctx ctx, const struct call_set *set,
		       const struct bpf_numbers *plain)
{
	size_t n;
	const struct call_policy *rows = calls_policy(&n);
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		int nr = allowed_number(set, &rows[i]);
		if (nr != __NR_SCMP_ERROR &&
		    !(plain && nr >= 0 && nr < BPF_NUMBERS_MAX && plain->has[nr]))
			r = passed_over(seccomp_rule_add(ctx, SCMP_ACT_ALLOW, nr, 0),
					rows[i].number);
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

static int fill(scmp_filter_ctx ctx, const struct call_set *set, const struct bpf_numbers *plain)
{
	size_t n;
	const struct limit *limits = seccomp_limits(&n);
	int r = allow_table(ctx, set, plain);

	for (size_t i = 0; r == 0 && i < n; i++)
		if (limits[i].holds(set)) {
			r = allow_rules(ctx, set, limits[i].rules, limits[i].n_rules);
			if (r == 0)
				r = say_absent(ctx, limits[i].absent, limits[i].n_absent);
		}
	if (r == 0 && !plain && kept(set, "ioctl")) /* else it is asked for before */
		r = allow_all_but(ctx, "ioctl", 1, bad_requests, ARRAY_LEN(bad_requests));
	if (r == 0)
		r = allow_sockets(ctx, set);
	return r == 0 ? allow_unshare(ctx, set) : r;
}

/* What is taken away and `own_calls` all the same. */
static int refuse_own(scmp_filter_ctx ctx, const struct call_set *set,
		      const struct bpf_numbers *plain UNUSED)
{
	size_t n;
	const char *const *own = seccomp_own_calls(&n);
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		int nr = number_of(own[i], 0);
		if (strv_has(&set->without, own[i]) && nr != __NR_SCMP_ERROR)
			r = passed_over(seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), nr, 0), 0);
	}
	return r;
}

typedef int fill_fn(scmp_filter_ctx ctx, const struct call_set *set,
		    const struct bpf_numbers *plain);

static scmp_filter_ctx make_one(uint32_t arch, const struct call_set *set, uint32_t otherwise,
				fill_fn *rules, const struct bpf_numbers *plain, int *ret)
{
	scmp_filter_ctx ctx = bpf_context(arch, otherwise);

	/* libseccomp asks the kernel whether it has listeners, seccomp_api_get(3). */
	*ret = ctx ? rules(ctx, set, plain) : -EOPNOTSUPP;
	if (*ret < 0 && ctx) {
		seccomp_release(ctx);
		ctx = NULL;
	}
	return ctx;
}

static int make(const struct call_set *set, uint32_t otherwise, fill_fn *rules,
		const struct bpf_numbers *plain, struct sock_fprog *ret)
{
	int r;
	scmp_filter_ctx ctx = make_one(seccomp_arch_native(), set, otherwise, rules, plain, &r),
			companion = NULL;

	if (r == 0 && set->compat && bpf_companion())
		companion = make_one(bpf_companion(), set, otherwise, rules, NULL, &r);
	if (r == 0)
		r = bpf_export(ctx, companion, ret);
	if (ctx)
		seccomp_release(ctx);
	return r;
}

/* The first rule that lets @name through by its arguments alone, or NULL. */
static const struct rule *rule_of(const struct call_set *set, const char *name)
{
	size_t n;
	const struct limit *limits = seccomp_limits(&n);
	const struct rule *found = NULL;

	for (size_t i = 0; !found && i < n; i++)
		if (limits[i].holds(set))
			found = find_rule(limits[i].rules, limits[i].n_rules, name);
	return found;
}

/* What a server asks for all the time and the kernel cannot answer by number alone: opening what is
 * there. Found by search, in some twenty steps, it costs nginx one per cent of its throughput. */
static void hurry(const struct call_set *set, struct sock_fprog *f)
{
	static const char *const hot[] = {"open", "openat"}; /* the last one is asked first */

	for (size_t i = 0; i < ARRAY_LEN(hot); i++) {
		const struct rule *r = kept(set, hot[i]) ? rule_of(set, hot[i]) : NULL;
		int nr = number_of(hot[i], 0);
		if (r && nr >= 0)
			bpf_allow_first(f, nr, r->args[0].number, r->args[0].mask,
					r->args[0].value);
	}
}

int seccomp_make(const struct call_set *set, struct sock_fprog *ret, struct err *e)
{
	struct bpf_numbers plain;

	find_plain(set, &plain);
	int r = make(set, SCMP_ACT_NOTIFY, fill, &plain, ret);
	if (r == 0) {
		if (kept(set, "ioctl"))
			bpf_allow_but(ret, number_of("ioctl", 0), 1, bad_requests,
				      ARRAY_LEN(bad_requests));
		bpf_allow_ranges(ret, &plain);
		hurry(set, ret);
	}

	if (r == -EOPNOTSUPP)
		return err_set(e, r,
			       "this kernel lacks seccomp filters with a listener (Linux 5.0), "
			       "without which no jail is started; immure check --host");
	return r < 0 ? err_errno(e, r, "making the seccomp filter") : 0;
}

int seccomp_make_last(const struct call_set *set, struct sock_fprog *ret, struct err *e)
{
	bool any = false;

	for (size_t i = 0; i < set->without.n; i++)
		any |= is_own(set->without.v[i]);
	int r = any ? make(set, SCMP_ACT_ALLOW, refuse_own, NULL, ret) : 0;
	return r < 0 ? err_errno(e, r, "making the second seccomp filter") : 0;
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
