/* SPDX-License-Identifier: MIT */
/* The table of commands, and dispatch: nothing else. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/nearest.h"
#include "cmd/cmd.h"
#include "spec/spec.h"

static const struct command *const commands[] = {
    &cmd_build,	  &cmd_enable, &cmd_disable, &cmd_run,	  &cmd_start,  &cmd_stop,     &cmd_reload,
    &cmd_restart, &cmd_status, &cmd_ls,	     &cmd_files,  &cmd_why,    &cmd_show,     &cmd_logs,
    &cmd_remove,  &cmd_check,  &cmd_prove,   &cmd_export, &cmd_update, &cmd_rollback, &cmd_diff,
    &cmd_gc,	  &cmd_resume, &cmd_errand,  &cmd_adopt,  &cmd_freeze, &cmd_thaw,     &cmd_shell,
};

static const struct opt common_rows[] = {
    {"json", 0, NULL, "print the result as JSON", OPT_FLAG, offsetof(struct common, json)},
    {"quiet", 'q', NULL, "print errors only", OPT_FLAG, offsetof(struct common, quiet)},
    {"verbose", 'v', NULL, "say what is being done", OPT_FLAG, offsetof(struct common, verbose)},
    {"dry-run", 0, NULL, "say what would be done, write nothing", OPT_FLAG,
     offsetof(struct common, dry_run)},
    {"help", 'h', NULL, "show this help", OPT_FLAG, offsetof(struct common, help)},
};

static int usage(FILE *to)
{
	fputs("usage: immure COMMAND [ARGUMENTS]\n\n"
	      "Puts an Internet service that works on this host into a jail that holds what it "
	      "needs\n"
	      "and nothing else, proves that it answers there as outside, and runs it.\n\n",
	      to);
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (commands[i]->summary)
			fprintf(to, "  %-9s %s\n", commands[i]->name, commands[i]->summary);
	fputs("\nimmure COMMAND --help says more; so do immure(1) and immure.spec(5).\n"
	      "Exit status: 0 good, 1 the answer is no, 2 wrong usage or spec, 4 not permitted, 5 "
	      "the\n"
	      "host or kernel refused.\n",
	      to);
	return to == stdout ? EXIT_GOOD : EXIT_USAGE;
}

static const struct command *find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (streq(commands[i]->name, name))
			return commands[i];
	return NULL;
}

static int unknown(const char *name)
{
	struct nearest near = NEAREST_OF(name);
	char hint[NEAREST_HINT_MAX];
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (commands[i]->summary)
			nearest_offer(&near, commands[i]->name);
	err_set(&e, -EINVAL, "unknown command '%s'%s; immure --help lists them", name,
		nearest_hint(&near, "", hint));
	return cmd_fail(&e);
}

static int help(const struct command *c, const struct opt_table *tables, size_t n)
{
	CLEANUP_STR char *options = opt_help(tables, n);

	printf("usage: immure %s%s%s\n\n%s\n", c->name, *c->synopsis ? " " : "", c->synopsis,
	       c->summary);
	if (c->more)
		printf("\n%s\n", c->more);
	printf("\n%s", options);
	return EXIT_GOOD;
}

static int dump_cli(void)
{
	struct common common = {0};
	const struct opt_table shared = {"Common options", common_rows, ARRAY_LEN(common_rows),
					 &common};
	CLEANUP_STR char *all = opt_dump(&shared, 1, "*");

	fputs(all, stdout);
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		const struct opt_table own = {"Options", commands[i]->options,
					      commands[i]->n_options, NULL};
		CLEANUP_STR char *text = opt_dump(&own, 1, commands[i]->name);
		if (commands[i]->summary)
			printf("command\t%s\t%s\t%s\n%s", commands[i]->name, commands[i]->synopsis,
			       commands[i]->summary, text);
	}
	return EXIT_GOOD;
}

/* What the row demands of the command line and of who calls; 0 or an exit status. */
static int check(const struct command *c, const struct common *common,
		 const struct opt_result *given)
{
	struct err e;
	size_t n = given->args.n;

	if (n < c->min_args || n > c->max_args)
		err_set(&e, -EINVAL, "%s %s; usage: immure %s %s", c->name,
			n < c->min_args ? "needs an argument" : "takes fewer arguments", c->name,
			c->synopsis);
	else if (given->has_rest && !c->takes_rest)
		err_set(&e, -EINVAL, "%s takes no command; usage: immure %s %s", c->name, c->name,
			c->synopsis);
	else if (c->needs & NEED_NAME && n && !str_is_name(given->args.v[0]))
		err_set(&e, -EINVAL,
			"'%s' cannot name a jail: letters, digits and . _ @ - only, a letter or "
			"digit first, at most 64",
			str_printable(given->args.v[0]));
	else if (common->dry_run && !(c->needs & TAKES_DRY_RUN))
		err_set(&e, -EINVAL, "%s writes nothing that --dry-run could leave out", c->name);
	else if (c->needs & NEED_ROOT && geteuid() != 0)
		err_set(&e, -EPERM, "%s needs root: try sudo immure %s ...", c->name, c->name);
	else
		return 0;
	return cmd_fail(&e);
}

static int dispatch(const struct command *c, char **argv)
{
	struct common common = {0};
	CLEANUP_STR char *options = xcalloc(1, c->options_size);
	const struct opt_table tables[] = {
	    {"Options", c->options, c->n_options, options},
	    {"Common options", common_rows, ARRAY_LEN(common_rows), &common},
	};
	struct opt_result given CLEANUP_OPT_RESULT = OPT_RESULT_INIT;
	struct dirs dirs = {0};
	struct err e;
	int status;

	if (opt_parse(tables, ARRAY_LEN(tables), argv, &given, &e) < 0)
		status = cmd_fail(&e);
	else if (common.help)
		status = help(c, tables, ARRAY_LEN(tables));
	else if ((status = check(c, &common, &given)) == 0) {
		log_level = common.verbose;
		const struct invocation in = {
		    .command = c,
		    .common = &common,
		    .dirs = &dirs,
		    .given = &given,
		    .options = options,
		    .name = given.args.n ? given.args.v[0] : NULL,
		};
		status = dirs_init(&dirs, &e) < 0 ? cmd_fail(&e) : c->run(&in);
	}
	opt_release(tables, ARRAY_LEN(tables));
	dirs_done(&dirs);
	return status;
}

/* What could not be written was not said: a full disk must not look like success. */
static void check_stdout(void)
{
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fputs("immure: writing the output failed\n", stderr);
		_exit(EXIT_HOST);
	}
}

int main(int argc, char **argv)
{
	/* Closed standard descriptors would be given to files that we open, and be written to. */
	for (int fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0)
			return EXIT_HOST;
	prctl(PR_SET_NAME, "immure"); /* whatever the file is called (launch/front.c) */
	atexit(check_stdout);
	if (argc < 2)
		return usage(stderr);
	if (streq(argv[1], "--help") || streq(argv[1], "-h") ||
	    (streq(argv[1], "help") && argc == 2))
		return usage(stdout);
	if (streq(argv[1], "--version"))
		return puts("immure " VERSION) < 0;
	if (streq(argv[1], "--dump-cli"))
		return dump_cli();
	bool asks = streq(argv[1], "help");
	const struct command *c = find(argv[1 + asks]);
	if (!c)
		return unknown(argv[1 + asks]);
	static char help_option[] = "--help";
	char *only_help[] = {help_option, NULL};
	return dispatch(c, asks ? only_help : argv + 2);
}
