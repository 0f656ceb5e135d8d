/* SPDX-License-Identifier: MIT */
#include "jail/right-answer.h"

#include <errno.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "confine/rights.h"

void right_answer_done(struct right_answer *a)
{
	free(a->text);
	free(a->remedy);
	*a = (struct right_answer)RIGHT_ANSWER_INIT;
}

static int grant(struct right_answer *ret, char *text)
{
	ret->granted = true;
	ret->text = text;
	return 0;
}

static char *learnt_text(const struct right *r)
{
	return xasprintf("%s%s%s at %s", r->why, r->by[0] ? ", by " : "", r->by,
			 phase_name(r->phase));
}

/* A right that stands for all of its sort. */
static const struct right *wider(const struct right_list *p, const char *asked)
{
	if (str_after(asked, "tcp:"))
		return right_list_find(p, "tcp:any");
	for (size_t i = 0; str_after(asked, "connect:tcp:") && i < p->n; i++)
		if (str_after(p->v[i].name, "connect:tcp:"))
			return &p->v[i];
	return NULL;
}

/* Whether the policy looks at each call of listen(2). */
static bool holds_listen(const struct right_list *p, const struct strv *added)
{
	static const char *const free[] = {"tcp:any", "tcp:0", "listen()"};

	for (size_t i = 0; i < ARRAY_LEN(free); i++)
		if (right_list_find(p, free[i]) || strv_has(added, free[i]))
			return false;
	return true;
}

static int answer_listen(struct right_answer *ret)
{
	ret->text = xstrdup("for the TCP ports that it may bind only: no run listened on anything "
			    "else, as a unix socket");
	ret->remedy = xstrdup("Rights=listen()");
	return 0;
}

static int answer_call(const char *asked, const struct call_policy *row, struct right_answer *ret)
{
	if (row->class == CALL_BASE)
		return grant(ret, xstrdup("in the base set: any program may come to need it"));
	ret->text =
	    xstrdup(row->class == CALL_NEVER ? "refused in every jail: it works on the host, or "
					       "opens a way that no filter sees"
					     : "no run made this call");
	if (row->class == CALL_RARE)
		ret->remedy = xasprintf("Rights=%s", asked);
	return 0;
}

static const struct call_policy *call_of(const char *asked)
{
	CLEANUP_STR char *name = str_ends(asked, "()") ? xstrndup(asked, strlen(asked) - 2) : NULL;

	return name ? calls_policy_find(name) : NULL;
}

static int answer_other(const char *asked, struct right_answer *ret, struct err *e)
{
	const struct call_policy *call = call_of(asked);
	struct err why = {0};

	if (call)
		return answer_call(asked, call, ret);
	if (policy_check_right(asked, &why) == 0) {
		ret->text = xstrdup("no run needed it");
		ret->remedy = xasprintf("Rights=%s", asked);
		return 0;
	}
	if (rights_find(asked) < 0)
		return err_set(e, why.code, "%s; or an absolute path, user:NAME, group:NAME",
			       why.msg);
	ret->text = xstrdup(why.msg);
	return 0;
}

int right_answer(const struct generation *g, const char *asked, struct right_answer *ret,
		 struct err *e)
{
	struct spec *s CLEANUP_SPEC = spec_new("");
	const struct right *right = right_list_find(&g->policy, asked);
	int cap = rights_find(asked);
	int r = spec_parse(s, g->spec_text, strlen(g->spec_text), "the proved spec", e);

	if (r < 0)
		return r;
	if (!right)
		right = wider(&g->policy, asked);
	if (right)
		return grant(ret, learnt_text(right));
	if (strv_has(&s->rights, asked))
		return grant(ret, xasprintf("Rights=%s of the spec", asked));
	if (cap >= 0 && policy_ambient(s) >> cap & 1)
		return grant(ret, xstrdup("AmbientCapabilities= of the spec"));
	if (streq(asked, "listen()") && holds_listen(&g->policy, &s->rights))
		return answer_listen(ret);
	return answer_other(asked, ret, e);
}
