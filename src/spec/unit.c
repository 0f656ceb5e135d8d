/* SPDX-License-Identifier: MIT */
#include "spec/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/nearest.h"
#include "fs/beneath.h"
#include "spec/ini-text.h"
#include "spec/spec-keys.h"
#include "spec/specifier.h"
#include "spec/unit-defaults.h"
#include "spec/unit-find.h"

#define NOTES_MAX 8192

struct parse {
	const char *file;
	struct specifier_context context;
	struct spec *spec;
	struct unit_report *report;
};

/* One directive, where it stands. */
struct directive {
	const char *section, *key, *value, *origin;
};

void unit_report_done(struct unit_report *r)
{
	for (size_t i = 0; i < r->n; i++) {
		free(r->v[i].key);
		free(r->v[i].value);
		free(r->v[i].origin);
		free(r->v[i].why);
	}
	free(r->v);
	*r = (struct unit_report){0};
}

static void note(struct parse *p, const struct directive *d, enum unit_verdict verdict,
		 const char *why)
{
	struct unit_report *r = p->report;

	/* Room doubles whenever n reaches a power of two. */
	if ((r->n & (r->n - 1)) == 0)
		r->v = xrealloc(r->v, r->n ? 2 * r->n : 1, sizeof(*r->v));
	r->v[r->n++] = (struct unit_note){
	    .verdict = verdict,
	    .key = xstrdup(d->key),
	    .value = xstrdup(d->value),
	    .origin = xstrdup(d->origin),
	    .why = why ? xstrdup(why) : NULL,
	};
}

/* Sections beside [Service]; `[X-...]` are anybody's. */
static const struct {
	const char *name;
	bool prefix;
	enum unit_verdict verdict;
	const char *why;
} sections[] = {
    {"Unit", false, UNIT_REDUNDANT, "it stays with the unit, which the init system still reads"},
    {"Install", false, UNIT_REDUNDANT, "it stays with the unit, which the init system still reads"},
    {"X-", true, UNIT_REDUNDANT, "a section for other programs"},
    {"", true, UNIT_NOT_TAKEN, "systemd knows no such section in a service"},
};

static void other_section(struct parse *p, const struct directive *d)
{
	size_t i = 0;

	while (sections[i].prefix ? !str_after(d->section, sections[i].name)
				  : !streq(d->section, sections[i].name))
		i++;
	note(p, d, sections[i].verdict, sections[i].why);
}

static void unknown_directive(struct parse *p, const struct directive *d)
{
	CLEANUP_STR char *why = NULL;
	struct nearest near = NEAREST_OF(d->key);
	char hint[NEAREST_HINT_MAX];
	size_t n;
	const struct spec_key *rows = spec_keys(SPEC_SERVICE, &n);

	for (size_t i = 0; i < n; i++)
		nearest_offer(&near, rows[i].name);
	why = xasprintf("systemd 252 knows no such directive%s", nearest_hint(&near, "", hint));
	note(p, d, UNIT_NOT_TAKEN, why);
}

/* Hands the directive to the spec, after the specifiers that speak of the unit's name. */
static int set(struct parse *p, const struct spec_key *k, const struct directive *d, struct err *e)
{
	enum key_specifiers how = k->kind->specifiers;
	CLEANUP_STR char *value = NULL;
	int r;

	if (how == NO_SPECIFIERS)
		return spec_set(p->spec, SPEC_SERVICE, k->name, d->value, d->origin, e);
	r = specifier_expand(d->value, &p->context, SPECIFIER_NAME,
			     how == IN_WORDS ? SPECIFIER_WORDS : SPECIFIER_PLAIN, &value, e);
	return r < 0 ? r : spec_set(p->spec, SPEC_SERVICE, k->name, value, d->origin, e);
}

static void service_directive(struct parse *p, const struct directive *d)
{
	const struct spec_key *k = spec_key_find(SPEC_SERVICE, d->key);
	struct err why = {0};

	if (!k)
		unknown_directive(p, d);
	else if (k->use == KEY_REDUNDANT || k->use == KEY_NOT_TAKEN)
		note(p, d, k->use == KEY_REDUNDANT ? UNIT_REDUNDANT : UNIT_NOT_TAKEN, k->text);
	else if (set(p, k, d, &why) == 0)
		note(p, d, UNIT_TAKEN, NULL);
	else
		/* The note has the origin; in the message it would stand twice. */
		note(p, d, UNIT_NOT_TAKEN,
		     strncmp(why.msg, d->origin, strlen(d->origin)) == 0
			 ? why.msg + strlen(d->origin) + strlen(": ")
			 : why.msg);
}

static int take_entry(void *user, const char *section, const char *key, const char *value,
		      unsigned line, struct err *e)
{
	struct parse *p = user;
	CLEANUP_STR char *origin = xasprintf("%s:%u", p->file, line);
	struct directive d = {section, key, value ? value : "", origin};

	if (!key)
		return 0;
	if (p->report->n >= NOTES_MAX)
		return err_set(e, -EINVAL, "%s: more than %d directives", origin, NOTES_MAX);
	if (!value)
		note(p, &d, UNIT_NOT_TAKEN, "neither a [Section] nor KEY=VALUE");
	else if (streq(section, "Service"))
		service_directive(p, &d);
	else
		other_section(p, &d);
	return 0;
}

static int parse_file(const char *text, size_t len, const char *file, const char *unit,
		      const char *fragment, struct spec *s, struct unit_report *ret, struct err *e)
{
	struct parse p = {file, {.unit = unit, .fragment = fragment}, s, ret};
	return ini_text_parse(text, len, file, take_entry, &p, e);
}

int unit_parse(const char *text, size_t len, const char *file, const char *unit, struct spec *s,
	       struct unit_report *ret, struct err *e)
{
	return parse_file(text, len, file, unit, file, s, ret, e);
}

static int load_file(int root, const char *path, const struct unit_files *files, struct spec *s,
		     struct unit_report *ret, struct err *e)
{
	CLEANUP_STR char *text = NULL;
	CLEANUP_FD int fd = beneath_open(root, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
	size_t len;

	if (fd < 0)
		return err_errno(e, fd, "unit file %s", path);
	int r = fd_read_all(fd, INI_TEXT_MAX, &text, &len);
	if (r < 0)
		return err_errno(e, r, "unit file %s", path);
	return parse_file(text, len, path, files->id, files->fragment, s, ret, e);
}

int unit_load(const char *root, const char *unit, struct spec *s, struct unit_report *ret,
	      struct err *e)
{
	CLEANUP_UNIT_FILES struct unit_files files = UNIT_FILES_INIT;
	CLEANUP_FD int fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_errno(e, -errno, "%s", root);
	int r = unit_find(fd, unit, &files, e);
	if (r == 0)
		r = load_file(fd, files.fragment, &files, s, ret, e);
	for (size_t i = 0; r == 0 && i < files.drop_ins.n; i++)
		r = load_file(fd, files.drop_ins.v[i], &files, s, ret, e);
	return r == 0 ? unit_defaults(fd, s, e) : r;
}
