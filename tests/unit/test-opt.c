/* SPDX-License-Identifier: MIT */
#include "base/opt.h"

#include <errno.h>
#include <stdlib.h>

#include "base/nearest.h"
#include "check.h"

struct values {
	bool json, quiet;
	const char *user;
	struct strv state, content;
};

static const struct opt rows[] = {
    {"json", 0, NULL, "as JSON", OPT_FLAG, offsetof(struct values, json)},
    {"quiet", 'q', NULL, "no output", OPT_FLAG, offsetof(struct values, quiet)},
    {"user", 'u', "USER", "run as USER", OPT_STRING, offsetof(struct values, user)},
    {"state", 's', "DIR",
     "a directory with the data of the service, which is bound read-write into the jail", OPT_LIST,
     offsetof(struct values, state)},
    {"content", 0, "DIR", NULL, OPT_LIST, offsetof(struct values, content)},
};

/* One command line: words parted by blanks. */
struct run {
	struct values values;
	struct opt_table table;
	struct opt_result result;
	struct err e;
	char line[256];
	int r;
};

static void parse(struct run *run, const char *line)
{
	char *argv[16] = {NULL};
	int n = 0;

	memset(run, 0, sizeof(*run));
	run->table = (struct opt_table){"Options", rows, ARRAY_LEN(rows), &run->values};
	snprintf(run->line, sizeof(run->line), "%s", line);
	for (char *word = strtok(run->line, " "); word; word = strtok(NULL, " "))
		argv[n++] = word;
	run->r = opt_parse(&run->table, 1, argv, &run->result, &run->e);
}

static void done(struct run *run)
{
	opt_release(&run->table, 1);
	opt_result_done(&run->result);
}

static void test_forms(void)
{
	struct run run;

	parse(&run, "web --user=www -qs /a --state /b --content=/c -s/d --json last");
	CHECK_INT(run.r, 0);
	CHECK(run.values.json && run.values.quiet);
	CHECK_STR(run.values.user, "www");
	CHECK_INT(run.values.state.n, 3);
	CHECK_STR(run.values.state.v[0], "/a");
	CHECK_STR(run.values.state.v[1], "/b");
	CHECK_STR(run.values.state.v[2], "/d");
	CHECK_INT(run.values.content.n, 1);
	CHECK_INT(run.result.args.n, 2);
	CHECK_STR(run.result.args.v[1], "last");
	CHECK(!run.result.has_rest);
	/* The order across options is kept. */
	CHECK_INT(run.result.n_used, 7);
	CHECK_STR(run.result.used[4].opt->name, "content");
	CHECK_STR(run.result.used[4].value, "/c");
	CHECK_STR(run.result.used[5].opt->name, "state");
	done(&run);
}

static void test_rest(void)
{
	struct run run;

	parse(&run, "web -- /bin/x --json -q");
	CHECK_INT(run.r, 0);
	CHECK(run.result.has_rest && !run.values.json);
	CHECK_INT(run.result.args.n, 1);
	CHECK_INT(run.result.rest.n, 3);
	CHECK_STR(run.result.rest.v[1], "--json");
	done(&run);
	parse(&run, "- --user -- --");
	CHECK_INT(run.r, 0);
	CHECK_STR(run.values.user, "--");
	CHECK_STR(run.result.args.v[0], "-");
	CHECK(run.result.has_rest && run.result.rest.n == 0);
	done(&run);
	parse(&run, "");
	CHECK_INT(run.r, 0);
	CHECK_INT(run.result.args.n, 0);
	done(&run);
	parse(&run, "--user= --user=b --user=");
	CHECK_STR(run.values.user, "");
	done(&run);
}

static void test_errors(void)
{
	static const struct {
		const char *line, *message;
	} cases[] = {
	    {"--sate /x", "unknown option --sate (did you mean --state?)"},
	    {"--jason", "unknown option --jason (did you mean --json?)"},
	    {"--xyzzy", "unknown option --xyzzy"},
	    {"--contnt=x", "unknown option --contnt"}, /* hidden ones are not suggested */
	    {"--js", "unknown option --js"},	       /* nor is a beginning enough */
	    {"-x", "unknown option -x"},
	    {"-qx", "unknown option -x"},
	    {"--json=yes", "option --json takes no value"},
	    {"--user", "option --user needs a value: --user=USER"},
	    {"-u", "option --user needs a value: --user=USER"},
	    {"---", "unknown option ---"},
	    {"--=x", "unknown option --"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct run run;
		parse(&run, cases[i].line);
		CHECK_INT(run.r, -EINVAL);
		CHECK_STR(run.e.msg, cases[i].message);
		done(&run);
	}
}

static void test_texts(void)
{
	struct opt_table table = {"Options", rows, ARRAY_LEN(rows), NULL};
	char *help = opt_help(&table, 1), *dump = opt_dump(&table, 1, "build");

	CHECK_STR(help,
		  "\nOptions:\n"
		  "      --json                as JSON\n"
		  "  -q, --quiet               no output\n"
		  "  -u, --user USER           run as USER\n"
		  "  -s, --state DIR ...       a directory with the data of the service, which is\n"
		  "                            bound read-write into the jail\n");
	CHECK(strstr(dump, "option\tbuild\t--quiet\t-q\tflag\t-\tno output\n") != NULL);
	CHECK(strstr(dump, "option\tbuild\t--content\t-\tlist\tDIR\t-\n") != NULL);
	free(help);
	free(dump);
}

static void test_nearest(void)
{
	static const struct {
		const char *word, *best;
	} cases[] = {
	    {"statsu", "status"}, {"STATUS", "status"},	  {"statu", "status"},
	    {"sta", "status"},	  {"restrat", "restart"}, {"xx", NULL},
	    {"", NULL},		  {"stop!", "stop"},	  {"remote", "remove"},
	};
	static const char *const words[] = {"status", "stop", "restart", "remove"};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct nearest near = NEAREST_OF(cases[i].word);
		for (size_t w = 0; w < ARRAY_LEN(words); w++)
			nearest_offer(&near, words[w]);
		CHECK_STR(nearest_best(&near), cases[i].best);
	}
}

int main(void)
{
	test_forms();
	test_rest();
	test_errors();
	test_texts();
	test_nearest();
	return check_done("opt");
}
