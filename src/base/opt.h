/* SPDX-License-Identifier: MIT */
/* Command line options as rows.
 *
 * A command declares a struct of its own for the values and a table of rows, each bound to a field
 * by its offset. Parsing, the help text and the list for completion and manual checks all come
 * from the rows, so that they cannot disagree.
 *
 *	struct files_opts { const char *class; bool all; };
 *	static const struct opt rows[] = {
 *		{"class", 'c', "CLASS", "only files of CLASS", OPT_STRING,
 *		 offsetof(struct files_opts, class)},
 *		{"all", 'a', NULL, "also what was never opened", OPT_FLAG,
 *		 offsetof(struct files_opts, all)},
 *	};
 *
 * Accepted: --name=value, --name value, -x, -xvalue, -x value, -ab for two flags. Options and
 * operands may stand in any order; "--" ends both. A long name is never abbreviated. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

enum opt_kind {
	OPT_FLAG,   /* bool: true where given */
	OPT_STRING, /* const char *: points into argv; the last one given wins */
	OPT_LIST,   /* struct strv: every one given, in order */
};

struct opt {
	const char *name;
	char short_name;     /* 0: none */
	const char *metavar; /* what the value is called in the help; NULL for OPT_FLAG */
	const char *help;    /* NULL: not shown */
	enum opt_kind kind;
	size_t offset;
};

/* Rows with the struct they fill. @title heads them in the help; NULL: they go on with the table
 * before. */
struct opt_table {
	const char *title;
	const struct opt *rows;
	size_t n;
	void *target;
};

/* One option as it was given, for whoever must know the order across options. */
struct opt_use {
	const struct opt *opt;
	const char *value; /* points into argv; NULL for a flag */
};

struct opt_result {
	struct strv args; /* operands before "--" */
	bool has_rest;	  /* "--" was given */
	struct strv rest; /* all that stands after it */
	struct opt_use *used;
	size_t n_used;
};
#define OPT_RESULT_INIT                                                                            \
	{                                                                                          \
		0                                                                                  \
	}
#define CLEANUP_OPT_RESULT CLEANUP(opt_result_done)

/* Parses the NULL-terminated @argv, which holds no program name, by @n tables. -EINVAL with a
 * message: an unknown option (with the nearest known one), a missing or an unwanted value. Also
 * then opt_release() and opt_result_done() must be called. */
int opt_parse(const struct opt_table *tables, size_t n, char *const *argv, struct opt_result *ret,
	      struct err *e);
void opt_result_done(struct opt_result *r);

/* Frees the lists that opt_parse() made in the targets. */
void opt_release(const struct opt_table *tables, size_t n);

/* The help for all shown rows, wrapped for a terminal of 80 columns, new. */
char *opt_help(const struct opt_table *tables, size_t n);

/* One line a row, also of the hidden ones, new:
 * "option TAB @owner TAB --name TAB -x TAB flag|string|list TAB METAVAR TAB help"; "-" where empty.
 */
char *opt_dump(const struct opt_table *tables, size_t n, const char *owner);
