/* SPDX-License-Identifier: MIT */
#include "grow/record.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"

struct record *record_new(void)
{
	struct record *r = xcalloc(1, sizeof(*r));

	strv_add(&r->programs, ""); /* PROGRAM_UNKNOWN */
	return r;
}

static void touch_free(struct touch *t)
{
	free(t->path);
	free(t->by);
	free(t->why);
	free(t);
}

static void execution_done(struct execution *x)
{
	free(x->program);
	free(x->exe);
	strv_done(&x->argv);
	strv_done(&x->env);
	free(x->cwd);
}

void record_free(struct record *r)
{
	struct touch *t, *next;

	if (!r)
		return;
	HASH_ITER(hh, r->touches, t, next)
	{
		HASH_DEL(r->touches, t);
		touch_free(t);
	}
	for (size_t i = 0; i < r->n_pairings; i++) {
		free(r->pairings[i].from);
		free(r->pairings[i].to);
	}
	for (size_t i = 0; i < r->n_executions; i++)
		execution_done(&r->executions[i]);
	right_list_done(&r->rights);
	free(r->executions);
	strv_done(&r->programs);
	free(r->pairings);
	free(r->peers);
	free(r);
}

struct touch *record_find(const struct record *r, const char *path)
{
	struct touch *t;
	HASH_FIND_STR(r->touches, path, t);
	return t;
}

struct touch *record_get(struct record *r, const char *path)
{
	struct touch *t = record_find(r, path);

	if (t)
		return t;
	t = xcalloc(1, sizeof(*t));
	t->path = xstrdup(path);
	HASH_ADD_KEYPTR(hh, r->touches, t->path, strlen(t->path), t);
	return t;
}

void record_peer(struct record *r, bool bound, int family, const char *address, uint16_t port)
{
	for (size_t i = 0; i < r->n_peers; i++) {
		const struct peer *p = &r->peers[i];
		if (p->bound == bound && p->port == port && p->family == family &&
		    streq(p->address, address))
			return;
	}
	r->peers = xrealloc(r->peers, r->n_peers + 1, sizeof(*r->peers));
	struct peer *p = &r->peers[r->n_peers++];
	*p = (struct peer){.bound = bound, .family = family, .port = port};
	snprintf(p->address, sizeof(p->address), "%s", address);
}

bool record_right(struct record *r, const char *name, const char *why, const char *by,
		  enum phase phase)
{
	return r->rights.n < RECORD_RIGHTS_MAX && right_list_add(&r->rights, name, why, by, phase);
}

void record_bind(struct record *r, bool udp, uint16_t port)
{
	__atomic_fetch_or(&r->bound[udp][port / 64], UINT64_C(1) << port % 64, __ATOMIC_RELAXED);
}

bool record_binds(const struct record *r, bool udp, uint16_t port)
{
	return __atomic_load_n(&r->bound[udp][port / 64], __ATOMIC_RELAXED) >> port % 64 & 1;
}

unsigned record_program(struct record *r, const char *program)
{
	for (size_t i = 0; i < r->programs.n; i++)
		if (streq(r->programs.v[i], program))
			return (unsigned)i;
	if (r->programs.n == RECORD_PROGRAMS_MAX)
		return PROGRAM_UNKNOWN;
	strv_add(&r->programs, program);
	return (unsigned)r->programs.n - 1;
}

void record_execution(struct record *r, struct execution *x)
{
	if (!r->executions)
		r->executions = xcalloc(RECORD_EXECUTIONS_MAX, sizeof(*r->executions));
	if (r->n_executions == RECORD_EXECUTIONS_MAX) {
		execution_done(&r->executions[0]);
		memmove(r->executions, r->executions + 1,
			--r->n_executions * sizeof(*r->executions));
	}
	r->executions[r->n_executions++] = *x;
}

void record_pairing(struct record *r, const char *from, const char *to)
{
	if (streq(from, to))
		return;
	for (size_t i = 0; i < r->n_pairings; i++)
		if (streq(r->pairings[i].from, from) && streq(r->pairings[i].to, to))
			return;
	r->pairings = xrealloc(r->pairings, r->n_pairings + 1, sizeof(*r->pairings));
	r->pairings[r->n_pairings++] = (struct pairing){xstrdup(from), xstrdup(to)};
}

static int by_path(struct touch *a, struct touch *b)
{
	return strcmp(a->path, b->path);
}

void record_sort(struct record *r)
{
	HASH_SORT(r->touches, by_path);
}

char *touch_kinds_text(unsigned kinds, char *buf, size_t size)
{
	static const char *const words[] = {"look",   "read",	"write",  "list",    "exec",
					    "make",   "remove", "change", "connect", "bind",
					    "interp", "link",	"listed"};
	size_t len = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (kinds & (1u << i) && len < size)
			len += (size_t)snprintf(buf + len, size - len, "%s%s", len ? " " : "",
						words[i]);
	return buf;
}
