/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "cmd/cmd.h"
#include "cmd/place.h"
#include "fs/atomic.h"
#include "jail/service.h"

/* The front executes us by its own path (launch/front.c); executed by hand we are what is meant. */
char *place_program(void)
{
	CLEANUP_STR char *words = NULL;
	char path[PATH_MAX];
	CLEANUP_FD int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);

	if (fd >= 0 && fd_read_all(fd, 1 << 22, &words, NULL) == 0 && words[0] == '/')
		return steal_ptr(words);
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	path[n < 0 ? 0 : n] = '\0';
	return xstrdup(n < 0 ? "immure" : path);
}

struct export_opts {
	const char *format, *output;
};

static const struct opt rows[] = {
    {"format", 0, "FORMAT", "plan, systemd, initscript, rsyslog or syslog-ng", OPT_STRING,
     offsetof(struct export_opts, format)},
    {"output", 'o', "PATH", "the file to write", OPT_STRING, offsetof(struct export_opts, output)},
};

static int write_text(const struct dirs *d, const char *name, const char *path, mode_t mode,
		      char *(*make)(const struct place *), struct err *e)
{
	struct spec *s CLEANUP_SPEC = NULL;
	CLEANUP_STR char *program = place_program();
	int r = spec_load(d->config, name, &s, e);

	if (r < 0)
		return r;
	const struct place p = {name, program, d, s};
	CLEANUP_STR char *text = make(&p);
	CLEANUP_STR char *up = strchr(path, '/') ? path_parent(path) : xstrdup(".");
	CLEANUP_FD int dir = open(up, O_PATH | O_DIRECTORY | O_CLOEXEC);
	r = dir < 0 ? -errno : atomic_write(dir, path_base(path), text, strlen(text), mode);
	return r < 0 ? err_errno(e, r, "writing %s", path) : 0;
}

static int write_systemd(const struct dirs *d, const char *name, const char *path, struct err *e)
{
	return write_text(d, name, path, 0644, place_unit, e);
}

static int write_initscript(const struct dirs *d, const char *name, const char *path, struct err *e)
{
	return write_text(d, name, path, 0755, place_initscript, e);
}

static int write_rsyslog(const struct dirs *d, const char *name, const char *path, struct err *e)
{
	return write_text(d, name, path, 0644, place_rsyslog, e);
}

static int write_syslog_ng(const struct dirs *d, const char *name, const char *path, struct err *e)
{
	return write_text(d, name, path, 0644, place_syslog_ng, e);
}

typedef int (*writer)(const struct dirs *d, const char *name, const char *path, struct err *e);

static const struct {
	const char *name;
	writer write;
} formats[] = {
    {"plan", service_export_plan}, {"systemd", write_systemd},	   {"initscript", write_initscript},
    {"rsyslog", write_rsyslog},	   {"syslog-ng", write_syslog_ng},
};

static writer find(const char *format, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(formats); i++)
		if (format && streq(format, formats[i].name))
			return formats[i].write;
	err_set(e, -EINVAL,
		"--format %s: this version exports plan, systemd, "
		"initscript, rsyslog and syslog-ng",
		format ? format : "is missing");
	return NULL;
}

static int run(const struct invocation *in)
{
	const struct export_opts *o = in->options;
	struct err e = {0};
	writer write = find(o->format, &e);

	if (!write)
		return cmd_fail(&e);
	if (!o->output) {
		err_set(&e, -EINVAL, "say where to: -o PATH");
		return cmd_fail(&e);
	}
	if (in->common->dry_run) {
		printf("would write %s\n", o->output);
		return EXIT_GOOD;
	}
	return write(in->dirs, in->name, o->output, &e) < 0 ? cmd_fail(&e) : EXIT_GOOD;
}

const struct command cmd_export = {
    .name = "export",
    .summary = "write a jail in another form",
    .synopsis = "NAME --format FORMAT -o PATH",
    .more =
	"plan: the present generation's start as immure-launch reads it; `immure-launch PATH` "
	"then runs the\njail with nothing of immure resident but its init. What a start reads "
	"anew (edited single\nconfiguration files, flipped links, environment files) is as it "
	"was at the export.\nsystemd: a unit of its own. initscript: an LSB script with its "
	"verbs and exit codes.\nrsyslog, syslog-ng: lines for a socket of the host's daemon, for "
	"a jail with Syslog=daemon.",
    .options = rows,
    .n_options = ARRAY_LEN(rows),
    .options_size = sizeof(struct export_opts),
    .min_args = 1,
    .max_args = 1,
    .needs = NEED_ROOT | NEED_NAME | TAKES_DRY_RUN,
    .run = run,
};
