/* SPDX-License-Identifier: MIT */
#include "grow/filter.h"

#include <errno.h>
#include <seccomp.h>

#include "confine/bpf.h"
#include "confine/calls-policy.h"
#include "grow/calls.h"
#include "grow/rights.h"

static int number_of(const char *name, int number)
{
	return bpf_number(seccomp_arch_native(), name, number);
}

static int add_row(scmp_filter_ctx ctx, const struct call *c)
{
	uint32_t action = c->shape == SHAPE_REFUSE ? SCMP_ACT_ERRNO(ENOSYS) : SCMP_ACT_NOTIFY;
	int nr = number_of(c->name, c->number);
	int r;

	if (nr == __NR_SCMP_ERROR)
		return 0; /* this libseccomp does not know it, so neither does this libc */
	if (c->only_if == NO_ARG)
		r = seccomp_rule_add(ctx, action, nr, 0);
	else
		r = seccomp_rule_add(ctx, action, nr, 1,
				     SCMP_CMP((unsigned)c->only_if, SCMP_CMP_NE, 0, 0));
	return bpf_lacks(r, c->number) ? 0 : r;
}

/* Traps call @name where the @n arguments @args are so. It may be in several tables: trapped once,
 * it is trapped. */
static int add_watch(scmp_filter_ctx ctx, const char *name, int number, unsigned n,
		     const struct scmp_arg_cmp *args, struct err *e)
{
	int nr = number_of(name, number);
	int r =
	    nr == __NR_SCMP_ERROR ? 0 : seccomp_rule_add_array(ctx, SCMP_ACT_NOTIFY, nr, n, args);

	if (r == -EEXIST || bpf_lacks(r, number))
		r = 0;
	return r < 0 ? err_errno(e, r, "filtering %s", name) : 0;
}

static int add_right(scmp_filter_ctx ctx, const struct right_call *c, struct err *e)
{
	struct scmp_arg_cmp args[ARRAY_LEN(c->when)];
	unsigned n = 0;

	for (size_t i = 0; i < ARRAY_LEN(c->when); i++)
		if (c->when[i].arg != NO_ARG)
			args[n++] = SCMP_CMP((unsigned)c->when[i].arg, SCMP_CMP_MASKED_EQ,
					     c->when[i].mask, c->when[i].value);
	return add_watch(ctx, c->name, 0, n, args, e);
}

/* What rights.c wants to see: calls that take a capability, and the less common ones. */
static int add_rights(scmp_filter_ctx ctx, struct err *e)
{
	size_t n_rights, n_calls;
	const struct right_call *rights = right_calls(&n_rights);
	const struct call_policy *calls = calls_policy(&n_calls);
	int r = 0;

	for (size_t i = 0; r == 0 && i < n_rights; i++)
		r = add_right(ctx, &rights[i], e);
	for (size_t i = 0; r == 0 && i < n_calls; i++)
		if (calls[i].class == CALL_RARE)
			r = add_watch(ctx, calls[i].name, calls[i].number, 0, NULL, e);
	return r;
}

/* One architecture's rules, or NULL with an error. */
static scmp_filter_ctx make_arch(uint32_t arch, bool receipts, struct err *e)
{
	scmp_filter_ctx ctx = bpf_context(arch, SCMP_ACT_ALLOW);
	int n, r = ctx ? 0 : err_errno(e, -ENOMEM, "making a filter");
	const struct call *rows = call_table(&n);

	for (int i = 0; r == 0 && i < n; i++) {
		if (rows[i].shape == SHAPE_RECEIPT && !receipts)
			continue;
		r = add_row(ctx, &rows[i]);
		if (r < 0)
			err_errno(e, r, "filtering %s", rows[i].name);
	}
	if (r == 0)
		r = add_rights(ctx, e);
	if (r < 0 && ctx) {
		seccomp_release(ctx);
		ctx = NULL;
	}
	return ctx;
}

int filter_make(struct sock_fprog *ret, bool receipts, struct err *e)
{
	struct err why = {0};
	scmp_filter_ctx ctx = make_arch(seccomp_arch_native(), receipts, &why), compat = NULL;

	if (ctx && bpf_companion())
		compat = make_arch(bpf_companion(), receipts, &why);
	int r = why.code < 0 ? why.code : bpf_export(ctx, compat, ret);
	if (ctx)
		seccomp_release(ctx);
	if (why.code < 0)
		return err_set(e, why.code, "making the growth filter: %s", why.msg);
	return r < 0 ? err_errno(e, r, "making the growth filter") : 0;
}

void filter_free(struct sock_fprog *f)
{
	bpf_free(f);
}
