/* SPDX-License-Identifier: MIT */
#include "spec/spec.h"

#include <ctype.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/nearest.h"
#include "relay/queue.h"
#include "spec/ini-text.h"
#include "spec/spec-keys.h"
#include "spec/specifier.h"
#include "spec/values.h"
#include "spec/words.h"

#define SETTINGS_MAX 4096

static const char *const section_names[] = {
    [SPEC_SERVICE] = "Service", [SPEC_JAIL] = "Jail", [SPEC_EXERCISE] = "Exercise"};

const char *spec_section_name(enum spec_section section)
{
	return section_names[section];
}

struct spec *spec_new(const char *name)
{
	struct spec *s = xcalloc(1, sizeof(*s));
	struct spec_dirs *const dirs[] = {&s->runtime_dirs, &s->state_dirs, &s->cache_dirs,
					  &s->logs_dirs, &s->configuration_dirs};

	s->name = xstrdup(name);
	s->kill_signal = SIGTERM;
	s->timeout_start = s->timeout_stop = 90;
	s->umask = 0022;
	s->ignore_sigpipe = true;
	s->restart_delay = 0.1;
	s->start_limit_burst = 5;
	s->start_limit_interval = 10;
	s->closure = CLOSURE_FORESEEN;
	s->exercise_timeout = 60;
	s->log_interval = 30; /* as journald.conf(5) has it */
	s->log_burst = 10000;
	s->syslog_buffer = QUEUE_ROOM;
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		dirs[i]->mode = 0755;
	return s;
}

static void setting_done(struct setting *set)
{
	free(set->key);
	free(set->value);
	free(set->origin);
}

void spec_free(struct spec *s)
{
	if (!s)
		return;
	/* What the keys filled, their clear functions release. */
	for (enum spec_section section = SPEC_SERVICE; section <= SPEC_EXERCISE; section++) {
		size_t n;
		const struct spec_key *rows = spec_keys(section, &n);
		for (size_t i = 0; i < n; i++)
			if (rows[i].use == KEY_USED && !rows[i].same_as && rows[i].kind->clear)
				rows[i].kind->clear(s, &rows[i]);
	}
	for (size_t i = 0; i < s->n_settings; i++)
		setting_done(&s->settings[i]);
	free(s->settings);
	free(s->name);
	free(s);
}

const struct setting *spec_find(const struct spec *s, enum spec_section section, const char *key)
{
	for (size_t i = s->n_settings; i-- > 0;)
		if (s->settings[i].section == section && streq(s->settings[i].key, key))
			return &s->settings[i];
	return NULL;
}

static int unknown_key(enum spec_section section, const char *key, const char *origin,
		       struct err *e)
{
	CLEANUP_STR char *shown = str_printable(xasprintf("%.100s", key));
	struct nearest near = NEAREST_OF(shown);
	char hint[NEAREST_HINT_MAX];
	size_t n;
	const struct spec_key *rows = spec_keys(section, &n);

	for (size_t i = 0; i < n; i++)
		nearest_offer(&near, rows[i].name);
	for (enum spec_section other = SPEC_SERVICE; other <= SPEC_EXERCISE; other++)
		if (spec_key_find(other, key))
			return err_set(e, -EINVAL, "%s: key '%s' belongs into [%s], not [%s]",
				       origin, shown, section_names[other], section_names[section]);
	nearest_hint(&near, "", hint);
	return err_set(e, -EINVAL, "%s: unknown key '%s' in [%s]%s", origin, shown,
		       section_names[section], hint);
}

/* Where the rows are to be printed in their own order, the settings stand in it. */
static size_t rank(enum spec_section section, const char *key)
{
	size_t n;
	const struct spec_key *rows = spec_keys(section, &n);
	const struct spec_key *k = section == SPEC_SERVICE ? NULL : spec_key_find(section, key);

	return k ? (size_t)(k - rows) : 0;
}

/* Takes the earlier settings of a key out: they no longer count. */
static void forget(struct spec *s, enum spec_section section, const char *key)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->n_settings; i++) {
		if (s->settings[i].section == section && streq(s->settings[i].key, key))
			setting_done(&s->settings[i]);
		else
			s->settings[kept++] = s->settings[i];
	}
	s->n_settings = kept;
}

/* Puts the setting behind those of its section (and, where keys have an order, of its key). */
static void record(struct spec *s, enum spec_section section, const char *key, const char *value,
		   const char *origin)
{
	size_t at = s->n_settings, own = rank(section, key);

	s->settings = xrealloc(s->settings, s->n_settings + 1, sizeof(*s->settings));
	while (at && (s->settings[at - 1].section > section ||
		      (s->settings[at - 1].section == section &&
		       rank(section, s->settings[at - 1].key) > own))) {
		s->settings[at] = s->settings[at - 1];
		at--;
	}
	s->settings[at] = (struct setting){section, xstrdup(key), xstrdup(value), xstrdup(origin)};
	s->n_settings++;
}

/* Gives the value to the key's kind, with its specifiers replaced. */
static int apply(struct spec *s, const struct spec_key *k, const char *value, struct err *e)
{
	CLEANUP_STR char *unit = xasprintf("%s.service", s->name);
	struct specifier_context context = {.unit = unit};
	CLEANUP_STR char *expanded = NULL;
	int r;

	if (!*value && !k->kind->clear)
		return err_set(e, -EINVAL, "a value is missing");
	if (!*value) {
		k->kind->clear(s, k);
		return 0;
	}
	if (k->kind->specifiers == NO_SPECIFIERS)
		return k->kind->set(s, k, value, e);
	r = specifier_expand(value, &context, SPECIFIER_ALL,
			     k->kind->specifiers == IN_WORDS ? SPECIFIER_WORDS : SPECIFIER_PLAIN,
			     &expanded, e);
	return r < 0 ? r : k->kind->set(s, k, expanded, e);
}

int spec_set(struct spec *s, enum spec_section section, const char *key, const char *value,
	     const char *origin, struct err *e)
{
	const struct spec_key *k = spec_key_find(section, key);
	struct err why = {0};

	if (!k)
		return unknown_key(section, key, origin, e);
	if (s->n_settings >= SETTINGS_MAX)
		return err_set(e, -EINVAL, "%s: more than %d settings", origin, SETTINGS_MAX);
	int r = ini_text_value_ok(value, &why);
	if (r == 0)
		r = apply(s, k, value, &why);
	if (r < 0)
		return err_set(e, r, "%s: %s=: %s", origin, k->name, why.msg);
	if (!k->kind->list || !*value)
		forget(s, section, k->name);
	if (*value || k->kind->empty_says)
		record(s, section, k->name, value, origin);
	if (!s->timeout_start_set)
		s->timeout_start = s->type == TYPE_ONESHOT ? 0 : 90;
	return 0;
}

int spec_set_word(struct spec *s, enum spec_section section, const char *key, const char *word,
		  const char *origin, struct err *e)
{
	static const struct spec_kind plain = {0};
	const struct spec_key *k = spec_key_find(section, key);
	const struct spec_kind *kind = k ? k->kind : &plain;

	if (kind->shell) {
		CLEANUP_STR char *line = words_shell_encode(word);
		return spec_set(s, section, key, line, origin, e);
	}
	/* Where no escapes are known, words_quote() could not bring these through. */
	if (word[strcspn(word, "\n\r\t")] && !(kind->word_flags & WORDS_UNESCAPE))
		return err_set(e, -EINVAL, "%s: %s=: a control character in the value", origin,
			       key);
	CLEANUP_STR char *quoted = kind->convert ? words_quote(word) : xstrdup(word);
	CLEANUP_STR char *value = words_double(quoted, kind->specifiers ? "%" : "");
	return spec_set(s, section, key, value, origin, e);
}

/* Where @key got its value, for messages. */
static const char *origin_of(const struct spec *s, const char *key)
{
	const struct setting *set = spec_find(s, SPEC_SERVICE, key);
	return set ? set->origin : s->name;
}

static bool is_number(const char *name)
{
	return isdigit((unsigned char)*name) && !name[strspn(name, "0123456789")];
}

static int check_user(const struct spec *s, struct err *e)
{
	const struct setting *dynamic = spec_find(s, SPEC_SERVICE, "DynamicUser");
	bool wanted = false;

	if (s->user && !is_number(s->user) && !getpwnam(s->user))
		return err_set(e, -EINVAL,
			       "%s: User=%s: no such user on this host; make it (adduser --system "
			       "%s) or name another",
			       origin_of(s, "User"), s->user, s->user);
	if (dynamic && !s->user && value_bool(dynamic->value, &wanted, NULL) == 0 && wanted)
		return err_set(e, -EINVAL,
			       "%s: DynamicUser=: no users are made for a jail, and without one it "
			       "would run as root; make a user and name it with User=",
			       dynamic->origin);
	return 0;
}

static int check_group(const char *name, const char *origin, struct err *e)
{
	if (is_number(name) || getgrnam(name))
		return 0;
	return err_set(e, -EINVAL, "%s: no such group on this host: %s", origin, name);
}

static int check_accounts(const struct spec *s, struct err *e)
{
	int r = check_user(s, e);

	if (r == 0 && s->group)
		r = check_group(s->group, origin_of(s, "Group"), e);
	for (size_t i = 0; r == 0 && i < s->supplementary_groups.n; i++)
		r = check_group(s->supplementary_groups.v[i], origin_of(s, "SupplementaryGroups"),
				e);
	return r;
}

int spec_check(const struct spec *s, struct err *e)
{
	if (!s->start.n)
		return err_set(e, -EINVAL,
			       "%s: no command: give ExecStart= in [Service], or \"-- COMMAND\"",
			       s->name);
	if (s->start.n > 1 && s->type != TYPE_ONESHOT)
		return err_set(e, -EINVAL,
			       "%s: more than one ExecStart=, which only Type=oneshot may have; "
			       "an empty ExecStart= before it clears the others",
			       origin_of(s, "ExecStart"));
	return check_accounts(s, e);
}
