/* SPDX-License-Identifier: MIT */
#include "host/accounts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "host/account-row.h"
#include "host/host.h"

#define FILE_MAX (64 << 20)

#define NOBODY 65534 /* where no account bears the name */

static struct span text_of(const struct accounts *a, const struct account_form *f)
{
	const char *text = f->group ? a->group : a->passwd;
	return span_of(text ? text : "");
}

static const struct account_need *find(const struct accounts *a, struct span name, bool group)
{
	for (size_t i = 0; i < a->n; i++)
		if (a->v[i].group == group && span_is(name, a->v[i].name))
			return &a->v[i];
	return NULL;
}

const struct account_need *accounts_find(const struct accounts *a, const char *name, bool group)
{
	return find(a, span_of(name), group);
}

/* What is looked for: the name, or without one the id. */
struct want {
	const char *name;
	id_t id;
};

static bool is_wanted(const struct account_row *row, const struct want *w)
{
	return w->name ? span_is(row->fields[0], w->name) : row->id == w->id;
}

/* By an id that was met before nothing new comes: a build asks for the owner of every file. */
static bool is_known(const struct accounts *a, bool group, const struct want *w)
{
	if (w->name)
		return accounts_find(a, w->name, group);
	for (size_t i = 0; i < a->n; i++)
		if (a->v[i].group == group && a->v[i].id == w->id)
			return true;
	return false;
}

static void add(struct accounts *a, const struct account_row *row, bool group, const char *text)
{
	a->v = xrealloc(a->v, a->n + 1, sizeof(*a->v));
	a->v[a->n++] = (struct account_need){
	    .name = span_dup(row->fields[0]),
	    .group = group,
	    .id = row->id,
	    .text = xstrdup(text),
	};
}

/* Adds the accounts that are wanted; what they bring is left to follow(). */
static bool PRINTF(4, 0) take(struct accounts *a, const struct account_form *f, struct want w,
			      const char *fmt, va_list ap)
{
	struct span text = text_of(a, f);
	CLEANUP_STR char *why = NULL;
	bool found = false;

	for (struct account_row row; account_row_next(f, &text, &row);) {
		if (!is_wanted(&row, &w))
			continue;
		found = true;
		if (find(a, row.fields[0], f->group))
			continue;
		if (!why)
			why = xvasprintf(fmt, ap);
		add(a, &row, f->group, why);
	}
	return found;
}

static void PRINTF(4, 5)
    bring(struct accounts *a, const struct account_form *f, struct want w, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	take(a, f, w, fmt, ap);
	va_end(ap);
}

static bool lists(struct span members, const char *name)
{
	while (members.n)
		if (span_is(span_cut(&members, ','), name))
			return true;
	return false;
}

static void follow_groups(struct accounts *a, const char *user)
{
	struct span text = text_of(a, &account_form_group);

	for (struct account_row row; account_row_next(&account_form_group, &text, &row);) {
		if (row.n < 4 || !lists(row.fields[3], user) || find(a, row.fields[0], true))
			continue;
		CLEANUP_STR char *name = span_dup(row.fields[0]);
		bring(a, &account_form_group, (struct want){.name = name}, "lists %s", user);
	}
}

/* What an account brings. Its name outlives the growing list. */
static void follow(struct accounts *a, const char *name, bool group)
{
	const struct account_form *f = group ? &account_form_group : &account_form_passwd;
	struct span text = text_of(a, f);

	for (struct account_row row; account_row_next(f, &text, &row);) {
		if (!span_is(row.fields[0], name))
			continue;
		bring(a, f, (struct want){.id = row.id}, "has the id of %s", name);
		if (!group)
			bring(a, &account_form_group, (struct want){.id = row.gid},
			      "primary group of %s", name);
	}
	if (!group)
		follow_groups(a, name);
}

/* The list itself is what is still to be followed: no recursion, however the lines are woven. */
static bool PRINTF(4, 0) need(struct accounts *a, const struct account_form *f, struct want w,
			      const char *fmt, va_list ap)
{
	size_t at = a->n;

	if (is_known(a, f->group, &w))
		return true;
	bool found = take(a, f, w, fmt, ap);
	for (; at < a->n; at++)
		follow(a, a->v[at].name, a->v[at].group);
	return found;
}

bool accounts_need_uid(struct accounts *a, uid_t uid, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	bool found = need(a, &account_form_passwd, (struct want){.id = uid}, fmt, ap);
	va_end(ap);
	return found;
}

bool accounts_need_gid(struct accounts *a, gid_t gid, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	bool found = need(a, &account_form_group, (struct want){.id = gid}, fmt, ap);
	va_end(ap);
	return found;
}

bool accounts_need_user(struct accounts *a, const char *name, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	bool found = need(a, &account_form_passwd, (struct want){.name = name}, fmt, ap);
	va_end(ap);
	return found;
}

bool accounts_need_group(struct accounts *a, const char *name, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	bool found = need(a, &account_form_group, (struct want){.name = name}, fmt, ap);
	va_end(ap);
	return found;
}

int accounts_uid(const struct accounts *a, const char *name, uid_t *ret)
{
	struct span text = text_of(a, &account_form_passwd);

	for (struct account_row row; account_row_next(&account_form_passwd, &text, &row);)
		if (span_is(row.fields[0], name)) {
			*ret = row.id;
			return 1;
		}
	return 0;
}

/* A new string of the lines without a NUL byte. */
static char *clean_text(const char *bytes, size_t len)
{
	char *text = xcalloc(len + 1, 1), *at = text;
	struct span rest = {bytes, len};

	while (rest.n) {
		struct span from = rest, line = span_cut(&rest, '\n');
		if (memchr(line.s, '\0', line.n))
			continue;
		memcpy(at, from.s, from.n - rest.n);
		at += from.n - rest.n;
	}
	return text;
}

void accounts_parse(const char *passwd, size_t passwd_len, const char *group, size_t group_len,
		    struct accounts *ret)
{
	static const char why[] = "in every jail";

	*ret = (struct accounts){
	    .passwd = clean_text(passwd, passwd_len),
	    .group = clean_text(group, group_len),
	};
	accounts_need_uid(ret, 0, why);
	accounts_need_gid(ret, 0, why);
	if (!accounts_need_user(ret, "nobody", why))
		accounts_need_uid(ret, NOBODY, why);
}

static int read_text(int root, const char *path, char **ret, size_t *ret_len)
{
	int r = host_read_path(root, path, FILE_MAX, ret, ret_len);

	if (r == -ENOENT) {
		*ret = xstrdup("");
		*ret_len = 0;
	}
	return r == -ENOENT ? 0 : r;
}

int accounts_open(int root, struct accounts *ret)
{
	CLEANUP_STR char *passwd = NULL;
	CLEANUP_STR char *group = NULL;
	size_t passwd_len, group_len;
	int r = read_text(root, "/etc/passwd", &passwd, &passwd_len);

	if (r == 0)
		r = read_text(root, "/etc/group", &group, &group_len);
	if (r == 0)
		accounts_parse(passwd, passwd_len, group, group_len, ret);
	return r;
}

void account_needs_free(struct account_need *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(v[i].name);
		free(v[i].text);
	}
	free(v);
}

void accounts_done(struct accounts *a)
{
	account_needs_free(a->v, a->n);
	free(a->passwd);
	free(a->group);
	*a = (struct accounts){0};
}

/* Password fields that tell nothing: nobody could be found out by them. */
static const char *const no_hash[] = {"", "x", "*", "!", "!!", "!*", "*LK*", "*NP*", "NP"};

static bool is_hash(struct span s)
{
	for (size_t i = 0; i < ARRAY_LEN(no_hash); i++)
		if (span_is(s, no_hash[i]))
			return false;
	return true;
}

static void print_list(FILE *out, const struct accounts *a, struct span users)
{
	const char *comma = "";

	while (users.n) {
		struct span user = span_cut(&users, ',');
		if (!find(a, user, false))
			continue;
		fputs(comma, out);
		fwrite(user.s, 1, user.n, out);
		comma = ",";
	}
}

static void print_row(FILE *out, const struct accounts *a, const struct account_form *f,
		      const struct account_row *row)
{
	for (size_t i = 0; i < row->n; i++) {
		struct span s = row->fields[i];
		if (i)
			fputc(':', out);
		if (f->fields[i] == 'l')
			print_list(out, a, s);
		else if (f->fields[i] == 'p' && is_hash(s))
			fputs(f->hidden, out);
		else
			fwrite(s.s, 1, s.n, out);
	}
	fputc('\n', out);
}

static char *cut(const struct accounts *a, const struct account_form *f, struct span text)
{
	char *result = NULL;
	size_t size;
	FILE *out = open_memstream(&result, &size);

	if (!out)
		abort(); /* out of memory */
	for (struct account_row row; account_row_next(f, &text, &row);)
		if (find(a, row.fields[0], f->group))
			print_row(out, a, f, &row);
	if (fclose(out) != 0)
		abort(); /* out of memory */
	return result;
}

char *accounts_cut_passwd(const struct accounts *a)
{
	return cut(a, &account_form_passwd, text_of(a, &account_form_passwd));
}

char *accounts_cut_group(const struct accounts *a)
{
	return cut(a, &account_form_group, text_of(a, &account_form_group));
}

char *accounts_cut_shadow(const struct accounts *a, const char *shadow, bool group)
{
	return cut(a, group ? &account_form_gshadow : &account_form_shadow, span_of(shadow));
}
