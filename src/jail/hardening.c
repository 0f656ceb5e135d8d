/* SPDX-License-Identifier: MIT */
#include "jail/hardening.h"

#include <errno.h>
#include <linux/sched.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/bind-rule.h"
#include "confine/call-groups.h"
#include "grow/rights.h"
#include "spec/values.h"

void hardening_done(struct hardening *h)
{
	strv_done(&h->calls);
	*h = (struct hardening)HARDENING_INIT;
}

/* --- lists that allow or deny ------------------------------------------------------------------
 *
 * The first line says which of the two it is ("~" in front: deny); the lines after it add to what
 * is listed, or take from it where they are of the other kind. */
struct choice {
	bool said, allows;
};

/* Returns whether the words of @value are to be listed; false: taken from the list. */
static bool choose(struct choice *c, const char **value)
{
	bool deny = **value == '~';

	*value += deny;
	if (!c->said)
		*c = (struct choice){.said = true, .allows = !deny};
	return deny != c->allows;
}

typedef int word_fn(const char *word, bool listed, void *list, struct err *e);

static int each_word(const char *value, bool listed, word_fn *fn, void *list, struct err *e)
{
	CLEANUP_STR char *words = xstrdup(value);
	char *rest = NULL;
	int r = 0;

	for (char *w = strtok_r(words, " \t", &rest); r == 0 && w; w = strtok_r(NULL, " \t", &rest))
		r = fn(w, listed, list, e);
	return r;
}

/* --- SystemCallFilter= ------------------------------------------------------------------------ */

/* A flag for each row of calls_policy(). */
static int list_call(const char *word, bool listed, void *list, struct err *e)
{
	size_t n;
	const struct call_policy *rows = calls_policy(&n);
	CLEANUP_STR char *name = xstrndup(word, strcspn(word, ":")); /* ":EPERM" */
	const char *group = *name == '@' ? call_group(name) : NULL;
	bool *flags = list;

	if (group)
		return each_word(group, listed, list_call, list, e);
	if (*name == '@')
		return err_set(e, -EINVAL, "SystemCallFilter=: no group of calls is named %.60s",
			       name);
	/* A call without a row is refused by every jail. */
	for (size_t i = 0; i < n; i++)
		if (streq(rows[i].name, name))
			flags[i] = listed;
	return 0;
}

static int take_calls(struct choice *c, const char *value, void **list, struct err *e)
{
	size_t n;
	int r = 0;

	calls_policy(&n);
	bool first = !c->said;
	bool listed = choose(c, &value);
	if (!*list)
		*list = xcalloc(n, sizeof(bool));
	if (first && c->allows)
		r = list_call("@default", true, *list, e);
	return r == 0 ? each_word(value, listed, list_call, *list, e) : r;
}

static void end_calls(const struct choice *c, const void *list, struct hardening *ret)
{
	size_t n;
	const struct call_policy *rows = calls_policy(&n);
	const bool *flags = list;

	for (size_t i = 0; i < n; i++)
		if (flags[i] != c->allows)
			strv_add(&ret->calls, rows[i].name);
}

/* --- RestrictAddressFamilies=, RestrictNamespaces= -------------------------------------------- */

static int family_of(const char *name)
{
	static const struct {
		const char *name;
		int family;
	} base[] = {{"AF_UNIX", AF_UNIX},
		    {"AF_LOCAL", AF_UNIX},
		    {"AF_INET", AF_INET},
		    {"AF_INET6", AF_INET6}};

	for (size_t i = 0; i < ARRAY_LEN(base); i++)
		if (streq(base[i].name, name))
			return base[i].family;
	return right_family(name);
}

static void set_bits(uint64_t *mask, uint64_t bits, bool listed)
{
	*mask = listed ? *mask | bits : *mask & ~bits;
}

/* One that has no name here no jail can be given. */
static int list_family(const char *word, bool listed, void *list, struct err *e UNUSED)
{
	int family = family_of(word);

	if (family >= 0)
		set_bits(list, UINT64_C(1) << family, listed);
	return 0;
}

static int list_namespace(const char *word, bool listed, void *list, struct err *e)
{
	static const struct {
		const char *name;
		uint64_t flag;
	} rows[] = {
	    {"cgroup", CLONE_NEWCGROUP}, {"ipc", CLONE_NEWIPC},	  {"net", CLONE_NEWNET},
	    {"mnt", CLONE_NEWNS},	 {"pid", CLONE_NEWPID},	  {"user", CLONE_NEWUSER},
	    {"uts", CLONE_NEWUTS},	 {"time", CLONE_NEWTIME},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (streq(rows[i].name, word)) {
			set_bits(list, rows[i].flag, listed);
			return 0;
		}
	return err_set(e, -EINVAL, "RestrictNamespaces=: '%.60s' is no kind of namespace", word);
}

static int take_bits(struct choice *c, const char *value, void **list, word_fn *fn, struct err *e)
{
	bool listed = choose(c, &value);

	if (!*list)
		*list = xcalloc(1, sizeof(uint64_t));
	return each_word(value, listed, fn, *list, e);
}

static uint64_t taken_bits(const struct choice *c, const void *list)
{
	const uint64_t *mask = list;

	return c->allows ? ~*mask : *mask;
}

/* "none" is an empty list of what is allowed, and no name of a family. */
static int take_families(struct choice *c, const char *value, void **list, struct err *e)
{
	return take_bits(c, value, list, list_family, e);
}

static void end_families(const struct choice *c, const void *list, struct hardening *ret)
{
	ret->families = taken_bits(c, list);
}

/* "yes" allows none, "no" denies none. */
static int take_namespaces(struct choice *c, const char *value, void **list, struct err *e)
{
	bool yes;

	if (value_bool(value, &yes, NULL) == 0)
		value = yes ? "" : "~";
	return take_bits(c, value, list, list_namespace, e);
}

static void end_namespaces(const struct choice *c, const void *list, struct hardening *ret)
{
	ret->namespaces = taken_bits(c, list);
	if (ret->namespaces) /* the kind may be left open there */
		strv_add(&ret->calls, "setns");
}

/* --- SystemCallArchitectures= ----------------------------------------------------------------- */

static int list_companion(const char *word, bool listed UNUSED, void *list, struct err *e UNUSED)
{
	bool *there = list;

	*there |= streq(word, "x86") || streq(word, "arm");
	return 0;
}

static int take_architectures(struct choice *c, const char *value, void **list, struct err *e)
{
	c->said = true;
	if (!*list)
		*list = xcalloc(1, sizeof(bool));
	return each_word(value, true, list_companion, *list, e);
}

static void end_architectures(const struct choice *c UNUSED, const void *list,
			      struct hardening *ret)
{
	ret->compat = !*(const bool *)list;
}

static const struct {
	const char *key;
	int (*take)(struct choice *c, const char *value, void **list, struct err *e);
	void (*end)(const struct choice *c, const void *list, struct hardening *ret);
} lists[] = {
    {"RestrictAddressFamilies", take_families, end_families},
    {"RestrictNamespaces", take_namespaces, end_namespaces},
    {"SystemCallArchitectures", take_architectures, end_architectures},
    {"SystemCallFilter", take_calls, end_calls},
};

static int take_list(const struct spec *s, size_t row, struct hardening *ret, struct err *e)
{
	struct choice c = {0};
	void *list = NULL;
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->n_settings; i++) {
		const struct setting *set = &s->settings[i];
		if (set->section == SPEC_SERVICE && streq(set->key, lists[row].key))
			r = lists[row].take(&c, set->value, &list, e);
	}
	if (r == 0 && c.said)
		lists[row].end(&c, list, ret);
	free(list);
	return r;
}

/* --- switches --------------------------------------------------------------------------------- */

static void take_write_execute(struct hardening *ret)
{
	ret->write_execute = true;
	/* There memory is asked for in ways that no filter sees. */
	ret->compat = true;
}

static void take_realtime(struct hardening *ret)
{
	ret->realtime = true;
}

static void take_set_id(struct hardening *ret)
{
	ret->set_id_modes = true;
}

static void take_privileges(struct hardening *ret)
{
	ret->no_new_privs = true;
}

static const struct {
	const char *key;
	const char *calls; /* or NULL */
	void (*take)(struct hardening *ret);
} switches[] = {
    {"MemoryDenyWriteExecute", NULL, take_write_execute},
    {"NoNewPrivileges", NULL, take_privileges},
    {"ProtectClock", "adjtimex clock_adjtime clock_adjtime64", NULL},
    {"ProtectHostname", "sethostname setdomainname", NULL},
    {"ProtectKernelLogs", "syslog", NULL},
    {"RestrictRealtime", NULL, take_realtime},
    {"RestrictSUIDSGID", NULL, take_set_id},
};

/* ProcSubset= is a word, not a switch. */
static void take_proc(const struct spec *s, struct hardening *ret)
{
	const struct setting *set = spec_find(s, SPEC_SERVICE, "ProcSubset");

	ret->proc = set && streq(set->value, "pid");
}

/* What systemd implies NoNewPrivileges= by, for whoever has no CAP_SYS_ADMIN. */
static const char *const implying[] = {
    "LockPersonality",	       "MemoryDenyWriteExecute",
    "PrivateDevices",	       "ProtectClock",
    "ProtectHostname",	       "ProtectKernelLogs",
    "ProtectKernelModules",    "ProtectKernelTunables",
    "RestrictAddressFamilies", "RestrictNamespaces",
    "RestrictRealtime",	       "RestrictSUIDSGID",
    "SystemCallArchitectures", "SystemCallFilter",
};

/* Also where a list says something. */
bool hardening_is_on(const struct spec *s, const char *key)
{
	const struct setting *set = spec_find(s, SPEC_SERVICE, key);
	bool yes = true;

	return set && (value_bool(set->value, &yes, NULL) < 0 || yes);
}

static bool runs_as_root(const struct spec *s)
{
	return !s->user || streq(s->user, "root") || streq(s->user, "0");
}

static void take_switch(const struct spec *s, size_t row, struct hardening *ret)
{
	if (!hardening_is_on(s, switches[row].key))
		return;
	if (switches[row].calls)
		strv_split(&ret->calls, switches[row].calls, " ");
	if (switches[row].take)
		switches[row].take(ret);
}

static bool asked(const char *only, const char *key)
{
	return !only || streq(only, key);
}

int hardening_of(const struct spec *s, const char *only, struct hardening *ret, struct err *e)
{
	struct hardening h CLEANUP_HARDENING = HARDENING_INIT;
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(lists); i++)
		if (asked(only, lists[i].key))
			r = take_list(s, i, &h, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_LEN(switches); i++)
		if (asked(only, switches[i].key))
			take_switch(s, i, &h);
	if (asked(only, "ProcSubset"))
		take_proc(s, &h);
	for (size_t i = 0; i < ARRAY_LEN(implying); i++)
		if (asked(only, implying[i]) && !runs_as_root(s) && hardening_is_on(s, implying[i]))
			h.no_new_privs = true;
	*ret = h;
	h = (struct hardening)HARDENING_INIT;
	return 0;
}

void hardening_take(struct hardening *h, struct call_set *set)
{
	strv_done(&set->without);
	set->without = h->calls;
	h->calls = (struct strv)STRV_INIT;
	set->without_families = h->families;
	set->without_namespaces = h->namespaces;
	set->no_write_execute = h->write_execute;
	set->no_realtime = h->realtime;
	set->set_id_modes &= !h->set_id_modes;
	set->compat &= !h->compat;
}

/* --- what a run used all the same ------------------------------------------------------------- */

static bool takes(const struct hardening *h, const char *right)
{
	CLEANUP_STR char *call = str_ends(right, "()") ? xstrndup(right, strlen(right) - 2) : NULL;
	int family = family_of(right);

	if (call)
		return strv_has(&h->calls, call) || (streq(call, "unshare") && h->namespaces);
	if (family >= 0)
		return h->families >> family & 1;
	return (h->set_id_modes && streq(right, "set-id-modes")) ||
	       (h->compat && streq(right, "32-bit")) || (h->proc && streq(right, "proc")) ||
	       (h->no_new_privs && str_after(right, "set-id:"));
}

static void add_conflicts(const struct spec *s, const char *key, const struct right_list *p,
			  struct strv *ret)
{
	struct hardening h CLEANUP_HARDENING = HARDENING_INIT;

	if (hardening_of(s, key, &h, NULL) < 0)
		return;
	for (size_t i = 0; i < p->n; i++)
		if (takes(&h, p->v[i].name) && !str_after(p->v[i].why, "foreseen"))
			strv_take(ret, xasprintf("%s= takes away %s, which %s used (%s)", key,
						 p->v[i].name, *p->v[i].by ? p->v[i].by : "a run",
						 p->v[i].why));
}

/* For both families: which one a run has bound, no right says. */
static bool bind_refused(const struct spec *s, int protocol, uint16_t port)
{
	struct bind_rules allow CLEANUP_BIND_RULES = {0}, deny CLEANUP_BIND_RULES = {0};
	static const int families[] = {AF_INET, AF_INET6};
	bool refused = s->bind_deny.n > 0;

	for (size_t i = 0; i < s->bind_allow.n; i++)
		bind_rule_add(&allow, s->bind_allow.v[i], NULL);
	for (size_t i = 0; i < s->bind_deny.n; i++)
		bind_rule_add(&deny, s->bind_deny.v[i], NULL);
	for (size_t i = 0; i < ARRAY_LEN(families); i++)
		refused &= bind_rules_match(&deny, families[i], protocol, port) &&
			   !bind_rules_match(&allow, families[i], protocol, port);
	return refused;
}

static void add_bind_conflicts(const struct spec *s, const struct right_list *p, struct strv *ret)
{
	for (size_t i = 0; i < p->n; i++) {
		const char *tcp = str_after(p->v[i].name, "tcp:");
		const char *udp = str_after(p->v[i].name, "udp:");
		const char *port = tcp ? tcp : udp;
		if (port && *port >= '0' && *port <= '9' &&
		    bind_refused(s, tcp ? IPPROTO_TCP : IPPROTO_UDP, (uint16_t)atoi(port)))
			strv_take(ret, xasprintf("SocketBindDeny= takes away %s, which %s bound",
						 p->v[i].name, *p->v[i].by ? p->v[i].by : "a run"));
	}
}

void hardening_conflicts(const struct spec *s, const struct right_list *p, struct strv *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		add_conflicts(s, lists[i].key, p, ret);
	for (size_t i = 0; i < ARRAY_LEN(switches); i++)
		add_conflicts(s, switches[i].key, p, ret);
	add_conflicts(s, "ProcSubset", p, ret);
	add_bind_conflicts(s, p, ret);
}
