/* SPDX-License-Identifier: MIT */
#include "jail/policy.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/str.h"
#include "confine/rights.h"
#include "fs/atomic.h"
#include "grow/rights.h"
#include "jail/hardening.h"
#include "jail/json-text.h"

#define FILE_NAME "policy.json"

static void add_all(struct right_list *p, const struct record *from)
{
	for (size_t i = 0; from && i < from->rights.n; i++) {
		const struct right *r = &from->rights.v[i];
		right_list_add(p, r->name, r->why, r->by, r->phase);
	}
}

/* "tcp:" and a port that only @a bound. */
static void add_changing(struct right_list *p, const struct record *a, const struct record *b)
{
	for (size_t i = 0; a && b && i < a->rights.n; i++) {
		const struct right *r = &a->rights.v[i];
		if (str_after(r->name, "tcp:") && !right_list_find(&b->rights, r->name))
			right_list_add(p, "tcp:any", "binds other ports from run to run", r->by,
				       r->phase);
	}
}

void policy_learn(struct right_list *ret, const struct record *baseline,
		  const struct record *growth)
{
	add_all(ret, growth);
	add_all(ret, baseline);
	add_changing(ret, baseline, growth);
	add_changing(ret, growth, baseline);
	right_list_sort(ret);
}

int policy_write(const struct right_list *p, int dir, struct err *e)
{
	json_t *list = json_array();

	for (size_t i = 0; i < p->n; i++)
		json_array_append_new(
		    list, json_pack("{so so so ss}", "right", json_text(p->v[i].name), "why",
				    json_text(p->v[i].why), "by", json_text(p->v[i].by), "phase",
				    phase_name(p->v[i].phase)));
	CLEANUP_STR char *text = json_dumps(list, JSON_INDENT(1) | JSON_SORT_KEYS);
	json_decref(list);
	int r = atomic_write(dir, FILE_NAME, text, strlen(text), 0644);
	return r < 0 ? err_errno(e, r, "writing " FILE_NAME) : 0;
}

static int read_right(struct right_list *p, const json_t *row)
{
	CLEANUP_STR char *name = json_text_value(json_object_get(row, "right"));
	CLEANUP_STR char *why = json_text_value(json_object_get(row, "why"));
	CLEANUP_STR char *by = json_text_value(json_object_get(row, "by"));
	const char *phase = json_string_value(json_object_get(row, "phase"));
	int number = phase ? phase_find(phase) : -1;

	/* Half a policy is none: what cannot be read is not passed over. */
	if (!name || !why || !by || number < 0 || policy_check_right(name, NULL) < 0)
		return -EBADMSG;
	right_list_add(p, name, why, by, (enum phase)number);
	return 0;
}

int policy_load(int dir, struct right_list *ret, struct err *e)
{
	struct right_list p CLEANUP_RIGHT_LIST = RIGHT_LIST_INIT;
	CLEANUP_STR char *text = NULL;
	int r = atomic_read(dir, FILE_NAME, 1 << 20, &text, NULL);
	json_t *list = r == 0 ? json_loads(text, 0, NULL) : NULL;
	const json_t *row;
	size_t i;

	if (r == 0 && !json_is_array(list))
		r = -EBADMSG;
	json_array_foreach(list, i, row)
	{
		if (r == 0)
			r = read_right(&p, row);
	}
	json_decref(list);
	if (r < 0)
		return err_errno(e, r, "reading " FILE_NAME);
	*ret = p;
	p = (struct right_list)RIGHT_LIST_INIT;
	return 0;
}

/* --- the words ---------------------------------------------------------------------------------
 */

/* The port of "tcp:80", 0 to 65535; -1 where @text is no such word. */
static int port_in(const char *text)
{
	char *end;
	const char *digits = str_after(text, "tcp:");

	digits = digits ? digits : str_after(text, "udp:");
	if (!digits || *digits < '0' || *digits > '9')
		return -1;
	long port = strtol(digits, &end, 10);
	return *end || port > 65535 ? -1 : (int)port;
}

static bool is_capability(const char *word)
{
	int cap = rights_find(word);

	return cap >= 0 && rights_most() >> cap & 1;
}

static bool is_call(const char *word)
{
	CLEANUP_STR char *name = str_ends(word, "()") ? xstrndup(word, strlen(word) - 2) : NULL;
	const struct call_policy *row = name ? calls_policy_find(name) : NULL;

	return row && row->class != CALL_NEVER;
}

static bool is_family(const char *word)
{
	return right_family(word) >= 0;
}

bool policy_is_port(const char *word)
{
	const char *to = str_after(word, "connect:");

	return streq(word, "tcp:any") || streq(word, "connect:tcp:any") ||
	       port_in(to ? to : word) >= 0;
}

static bool is_protocol(const char *word)
{
	const char *number = str_after(word, "protocol:");
	size_t n = number ? strspn(number, "0123456789") : 0;

	return n && n <= 5 && !number[n];
}

static bool is_other(const char *word)
{
	return str_after(word, "set-id:/") || str_after(word, "exec:/") ||
	       streq(word, "set-id-modes") || streq(word, "leases") || streq(word, "32-bit") ||
	       streq(word, "proc");
}

int policy_check_right(const char *right, struct err *e)
{
	static bool (*const sorts[])(const char *word) = {is_capability,  is_call,     is_family,
							  policy_is_port, is_protocol, is_other};
	int cap = rights_find(right);

	for (size_t i = 0; i < ARRAY_LEN(sorts); i++)
		if (sorts[i](right))
			return 0;
	if (cap >= 0)
		return err_set(e, -EINVAL,
			       "%s reaches the host from inside any jail: no jail has it", right);
	return err_set(e, -EINVAL,
		       "'%.100s' is no right: CAP_CHOWN, ptrace(), AF_PACKET, protocol:132, "
		       "tcp:80, connect:tcp:25, "
		       "exec:/dir, set-id:/path, set-id-modes, leases, 32-bit or proc",
		       right);
}

/* --- the walls ---------------------------------------------------------------------------------
 */

static uint64_t parse_capabilities(const char *text)
{
	CLEANUP_STR char *words = xstrdup(text);
	uint64_t mask = 0;
	char *rest = NULL;

	for (char *w = strtok_r(words, " \t", &rest); w; w = strtok_r(NULL, " \t", &rest)) {
		int cap = rights_find(w);
		if (cap >= 0)
			mask |= UINT64_C(1) << cap;
	}
	return mask;
}

uint64_t policy_ambient(const struct spec *s)
{
	uint64_t mask = 0;

	for (size_t i = 0; i < s->n_settings; i++) {
		const struct setting *set = &s->settings[i];
		if (set->section == SPEC_SERVICE && streq(set->key, "AmbientCapabilities"))
			mask = *set->value ? mask | parse_capabilities(set->value) : 0;
	}
	return mask & rights_most();
}

/* systemd.exec(5): several lines join; "~" first takes away from all. */
static uint64_t narrowed(const struct spec *s, uint64_t mask)
{
	uint64_t most = 0;
	bool said = false;

	for (size_t i = 0; i < s->n_settings; i++) {
		const struct setting *set = &s->settings[i];
		if (set->section != SPEC_SERVICE || !streq(set->key, "CapabilityBoundingSet"))
			continue;
		if (set->value[0] == '~') {
			most = (said ? most : UINT64_MAX) & ~parse_capabilities(set->value + 1);
		} else {
			most |= parse_capabilities(set->value);
		}
		said = true;
	}
	return said ? mask & most : mask;
}

struct granting {
	struct confinement *c;
	struct call_set calls;
	bool set_id, proc;
};

static void grant_bind(struct granting *m, int port)
{
	struct landlock *l = &m->c->landlock;

	m->c->bind = xrealloc(m->c->bind, l->n_bind + 1, sizeof(*m->c->bind));
	m->c->bind[l->n_bind++] = (uint16_t)port;
	l->bind = m->c->bind;
}

/* Every word does one thing; udp ports have no wall but SocketBindDeny= (Landlock knows TCP's). */
static void grant(struct granting *m, const char *right)
{
	int cap = rights_find(right), family = right_family(right), port = port_in(right);

	m->calls.leases |= cap == CAP_LEASE || streq(right, "leases");
	if (cap >= 0)
		m->c->walls.capabilities |= UINT64_C(1) << cap;
	else if (family >= 0)
		m->calls.families |= UINT64_C(1) << family;
	else if (is_protocol(right))
		strv_add(&m->calls.protocols, str_after(right, "protocol:"));
	else if (str_ends(right, "()"))
		strv_take(&m->calls.calls, xstrndup(right, strlen(right) - 2));
	else if (str_after(right, "set-id:"))
		m->set_id = true;
	else if (str_after(right, "exec:"))
		strv_add(&m->c->execute, str_after(right, "exec:"));
	else if (streq(right, "set-id-modes"))
		m->calls.set_id_modes = true;
	else if (streq(right, "proc"))
		m->proc = true;
	else if (streq(right, "32-bit"))
		m->calls.compat = true;
	else if (streq(right, "tcp:any"))
		m->c->landlock.bind_any = true;
	else if (str_after(right, "connect:tcp:"))
		m->c->landlock.connect_any = true;
	else if (port >= 0 && str_after(right, "tcp:"))
		grant_bind(m, port);
}

/* A port that the self-test may find refused; none where it may open no socket to try. */
static uint16_t refused_port(const struct landlock *l, uint64_t without_families)
{
	bool listed = true;
	uint16_t port = UINT16_MAX;

	if (l->bind_any || without_families >> AF_INET & 1)
		return 0;
	for (; port && listed; port -= listed) {
		listed = false;
		for (size_t i = 0; i < l->n_bind; i++)
			listed |= l->bind[i] == port;
	}
	return port;
}

/* Where it may not bind any port, it is not to get one by listen(2), which is left to whoever
 * serves the filter's listener: confine/listens.h. */
static void look_at_listen(struct granting *m)
{
	struct landlock *l = &m->c->landlock;
	bool any = l->bind_any || strv_has(&m->calls.calls, "listen") ||
		   strv_has(&m->calls.without, "listen");

	for (size_t i = 0; i < l->n_bind; i++)
		any |= l->bind[i] == 0;
	if (any)
		return;
	strv_add(&m->calls.without, "listen");
	l->listen_arch = seccomp_native(&l->listen_call, "listen");
}

/* The unit's own hardening on top. */
static int harden(struct granting *m, const struct spec *s, struct err *e)
{
	struct hardening h CLEANUP_HARDENING = HARDENING_INIT;
	int r = hardening_of(s, NULL, &h, e);

	if (r < 0)
		return r;
	m->c->walls.no_new_privs = !m->set_id || h.no_new_privs;
	m->c->landlock.tried = refused_port(&m->c->landlock, h.families);
	m->c->walls.proc_pids = !m->proc || h.proc;
	m->calls.no_fast_open = !m->c->landlock.connect_any;
	hardening_take(&h, &m->calls);
	look_at_listen(m);
	r = seccomp_make(&m->calls, &m->c->filter, e);
	return r == 0 ? seccomp_make_last(&m->calls, &m->c->last, e) : r;
}

int confinement_make(const struct right_list *p, const struct spec *s, struct confinement *ret,
		     struct err *e)
{
	struct confinement c CLEANUP_CONFINEMENT = CONFINEMENT_INIT;
	struct granting m = {.c = &c};

	for (size_t i = 0; i < p->n; i++)
		grant(&m, p->v[i].name);
	for (size_t i = 0; i < s->rights.n; i++)
		grant(&m, s->rights.v[i]);
	c.walls.capabilities =
	    narrowed(s, c.walls.capabilities | policy_ambient(s)) & rights_most();
	int r = harden(&m, s, e);
	strv_done(&m.calls.calls);
	strv_done(&m.calls.without);
	strv_done(&m.calls.protocols);
	if (r < 0)
		return r;
	c.walls.no_new_privs |= c.last.len > 0;
	*ret = c;
	c = (struct confinement)CONFINEMENT_INIT;
	ret->walls.landlock = &ret->landlock;
	ret->walls.last = ret->last.len ? &ret->last : NULL;
	ret->landlock.execute = &ret->execute;
	return 0;
}
