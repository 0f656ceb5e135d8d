/* SPDX-License-Identifier: MIT */
#include "base/opt.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/nearest.h"

#define HELP_COLUMN 28
#define HELP_WIDTH  79

struct parser {
	const struct opt_table *tables;
	size_t n_tables;
	char *const *argv; /* what is left */
	struct opt_result *result;
	struct err *e;
};

/* Where a row was found: the row and the field it fills. */
struct found {
	const struct opt *opt;
	void *field;
};

static struct found find(const struct parser *p, const char *name, size_t len, char short_name)
{
	for (size_t t = 0; t < p->n_tables; t++) {
		const struct opt_table *table = &p->tables[t];
		for (size_t i = 0; i < table->n; i++) {
			const struct opt *o = &table->rows[i];
			bool match = name ? strlen(o->name) == len && !strncmp(o->name, name, len)
					  : o->short_name == short_name;
			if (match)
				return (struct found){o, (char *)table->target + o->offset};
		}
	}
	return (struct found){0};
}

static int unknown_long(const struct parser *p, const char *name, size_t len)
{
	CLEANUP_STR char *word = xstrndup(name, len);
	struct nearest near = NEAREST_OF(word);
	char hint[NEAREST_HINT_MAX];

	for (size_t t = 0; t < p->n_tables; t++)
		for (size_t i = 0; i < p->tables[t].n; i++)
			if (p->tables[t].rows[i].help)
				nearest_offer(&near, p->tables[t].rows[i].name);
	nearest_hint(&near, "--", hint);
	return err_set(p->e, -EINVAL, "unknown option --%s%s", str_printable(word), hint);
}

static void store(struct parser *p, struct found f, const char *value)
{
	struct opt_result *r = p->result;

	if (f.opt->kind == OPT_FLAG)
		*(bool *)f.field = true;
	else if (f.opt->kind == OPT_STRING)
		*(const char **)f.field = value;
	else
		strv_add(f.field, value);
	r->used = xrealloc(r->used, r->n_used + 1, sizeof(*r->used));
	r->used[r->n_used++] = (struct opt_use){f.opt, value};
}

/* Takes the value from the next word and stores it. */
static int store_next(struct parser *p, struct found f)
{
	if (!*p->argv)
		return err_set(p->e, -EINVAL, "option --%s needs a value: --%s=%s", f.opt->name,
			       f.opt->name, f.opt->metavar ? f.opt->metavar : "VALUE");
	store(p, f, *p->argv++);
	return 0;
}

static int parse_long(struct parser *p, const char *word)
{
	size_t len = strcspn(word, "=");
	const char *value = word[len] ? word + len + 1 : NULL;
	struct found f = find(p, word, len, 0);

	if (!f.opt)
		return unknown_long(p, word, len);
	if (f.opt->kind == OPT_FLAG && value)
		return err_set(p->e, -EINVAL, "option --%s takes no value", f.opt->name);
	if (f.opt->kind != OPT_FLAG && !value)
		return store_next(p, f);
	store(p, f, value);
	return 0;
}

static int parse_short(struct parser *p, const char *word)
{
	for (const char *c = word; *c; c++) {
		struct found f = find(p, NULL, 0, *c);
		if (!f.opt)
			return err_set(p->e, -EINVAL, "unknown option -%c",
				       *c > 0x20 && *c < 0x7f ? *c : '?');
		if (f.opt->kind != OPT_FLAG && !c[1])
			return store_next(p, f);
		store(p, f, f.opt->kind == OPT_FLAG ? NULL : c + 1);
		if (f.opt->kind != OPT_FLAG)
			break;
	}
	return 0;
}

int opt_parse(const struct opt_table *tables, size_t n, char *const *argv, struct opt_result *ret,
	      struct err *e)
{
	struct parser p = {tables, n, argv, ret, e};
	int r = 0;

	while (r == 0 && *p.argv) {
		const char *word = *p.argv++;
		if (streq(word, "--")) {
			ret->has_rest = true;
			break;
		}
		if (str_after(word, "--"))
			r = parse_long(&p, word + 2);
		else if (word[0] == '-' && word[1])
			r = parse_short(&p, word + 1);
		else
			strv_add(&ret->args, word);
	}
	while (r == 0 && *p.argv)
		strv_add(&ret->rest, *p.argv++);
	return r;
}

void opt_result_done(struct opt_result *r)
{
	strv_done(&r->args);
	strv_done(&r->rest);
	free(r->used);
	*r = (struct opt_result)OPT_RESULT_INIT;
}

void opt_release(const struct opt_table *tables, size_t n)
{
	for (size_t t = 0; t < n; t++)
		for (size_t i = 0; i < tables[t].n; i++)
			if (tables[t].rows[i].kind == OPT_LIST)
				strv_done((struct strv *)((char *)tables[t].target +
							  tables[t].rows[i].offset));
}

/* Prints @text from column HELP_COLUMN on, broken between words; @column is where we are. */
static void print_wrapped(FILE *f, const char *text, size_t column)
{
	size_t at = HELP_COLUMN;

	if (column >= HELP_COLUMN)
		fprintf(f, "\n%*s", HELP_COLUMN, "");
	else
		fprintf(f, "%*s", (int)(HELP_COLUMN - column), "");
	while (*text) {
		size_t len = strcspn(text, " ");
		if (at > HELP_COLUMN && at + 1 + len > HELP_WIDTH) {
			fprintf(f, "\n%*s", HELP_COLUMN, "");
			at = HELP_COLUMN;
		}
		at += (size_t)fprintf(f, "%s%.*s", at > HELP_COLUMN ? " " : "", (int)len, text);
		text += len + strspn(text + len, " ");
	}
	fputc('\n', f);
}

static void print_row(FILE *f, const struct opt *o)
{
	char shown[80];
	char dash[8] = "    ";

	if (o->short_name)
		snprintf(dash, sizeof(dash), "-%c, ", o->short_name);
	snprintf(shown, sizeof(shown), "  %s--%s%s%s%s", dash, o->name, o->metavar ? " " : "",
		 o->metavar ? o->metavar : "", o->kind == OPT_LIST ? " ..." : "");
	fputs(shown, f);
	/* Two spaces at least stand between an option and its help. */
	print_wrapped(f, o->help, strlen(shown) + 2 > HELP_COLUMN ? HELP_COLUMN : strlen(shown));
}

char *opt_help(const struct opt_table *tables, size_t n)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	for (size_t t = 0; f && t < n; t++) {
		if (tables[t].n && tables[t].title)
			fprintf(f, "\n%s:\n", tables[t].title);
		for (size_t i = 0; i < tables[t].n; i++)
			if (tables[t].rows[i].help)
				print_row(f, &tables[t].rows[i]);
	}
	if (!f || fclose(f) != 0)
		return xstrdup("");
	return text;
}

char *opt_dump(const struct opt_table *tables, size_t n, const char *owner)
{
	static const char *const kinds[] = {"flag", "string", "list"};
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	for (size_t t = 0; f && t < n; t++) {
		for (size_t i = 0; i < tables[t].n; i++) {
			const struct opt *o = &tables[t].rows[i];
			char dash[3] = {'-', o->short_name, '\0'};
			fprintf(f, "option\t%s\t--%s\t%s\t%s\t%s\t%s\n", owner, o->name, dash,
				kinds[o->kind], o->metavar ? o->metavar : "-",
				o->help ? o->help : "-");
		}
	}
	if (!f || fclose(f) != 0)
		return xstrdup("");
	return text;
}
