/* SPDX-License-Identifier: MIT */
/* enable and disable: the jail in the native service's place, under its own name. One file says so;
 * taking it away gives the place back. That is a drop-in of the unit; and where another init than
 * systemd starts this host's services, by scripts, a script in the native one's place. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "cmd/cmd.h"
#include "cmd/place.h"
#include "cmd/sysv.h"
#include "fs/atomic.h"
#include "jail/generation.h"
#include "spec/unit-find.h"

struct enable_opts {
	bool print;
};

static const struct opt rows[] = {
    {"print", 0, NULL, "show the drop-in, write nothing", OPT_FLAG,
     offsetof(struct enable_opts, print)},
};

/* Where systemd reads what an administrator has set up; a test puts it elsewhere. */
static const char *units_dir(void)
{
	const char *dir = getenv("IMMURE_UNITS_DIR");

	return dir && dir[0] == '/' ? dir : "/etc/systemd/system";
}

static int find_unit(const struct spec *s, char **ret, struct err *e)
{
	struct unit_files files CLEANUP_UNIT_FILES = UNIT_FILES_INIT;
	CLEANUP_FD int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r = unit_find(root, s->unit ? s->unit : s->name, &files, e);

	if (r < 0 && !s->unit)
		return err_set(
		    e, r,
		    "%s was not built from a unit, and there is none of its name: say "
		    "Unit= in [Jail], or take one from immure export %s --format systemd",
		    s->name, s->name);
	*ret = r == 0 ? xstrdup(files.id) : NULL;
	return r;
}

/* Not /run/systemd/system, as sd_booted(3) has it: systemd-nspawn and others make that, too. */
static bool manager_runs(void)
{
	CLEANUP_FD int dir = open("/proc/1", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP_STR char *name = NULL;

	return dir >= 0 && atomic_read(dir, "comm", 64, &name, NULL) == 0 &&
	       streq(name, "systemd\n");
}

/* The manager reads its files anew. Where none runs, it will at its start. */
static int tell_manager(struct err *e)
{
	int status = 0;

	if (!manager_runs())
		return 0;
	pid_t pid = fork();
	if (pid == 0) {
		execlp("systemctl", "systemctl", "daemon-reload", (char *)NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || status)
		return err_set(e, -EIO, "systemctl daemon-reload failed: run it by hand");
	return 0;
}

/* Nobody shall believe that what the unit says still holds. */
static void tell_lost(const char *name, const char *unit, const struct unit_report *rep)
{
	struct strv lost CLEANUP_STRV = STRV_INIT;

	place_lost(rep, &lost);
	for (size_t i = 0; i < lost.n; i++)
		fprintf(stderr, "immure: %s: %s= of %s is not held by a jail\n", name, lost.v[i],
			unit);
}

/* The whole text of the drop-in for @unit. */
static int make_text(const struct invocation *in, const struct spec *s, const char *unit,
		     char **ret, struct err *e)
{
	struct spec *native CLEANUP_SPEC = spec_new(s->name);
	struct unit_report rep = {0};
	CLEANUP_STR char *program = place_program();
	const struct place p = {in->name, program, in->dirs, s};
	int r = unit_load("/", unit, native, &rep, e);

	if (r == 0)
		*ret = place_drop_in(&p, &rep);
	if (r == 0)
		tell_lost(s->name, unit, &rep);
	unit_report_done(&rep);
	return r;
}

static int write_text(const char *unit, const char *text, bool *ret_changed, struct err *e)
{
	CLEANUP_STR char *path = xasprintf("%s/%s.d", units_dir(), unit);
	CLEANUP_STR char *old = NULL;
	int r = jail_make_dir(path, 0755, e);

	if (r < 0)
		return r;
	CLEANUP_FD int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir >= 0 && atomic_read(dir, UNIT_OWN_DROP_IN, 1 << 20, &old, NULL) == 0 &&
	    streq(old, text))
		return 0;
	*ret_changed = true;
	r = dir < 0 ? -errno : atomic_write(dir, UNIT_OWN_DROP_IN, text, strlen(text), 0644);
	if (r < 0)
		return err_errno(e, r, "writing %s/" UNIT_OWN_DROP_IN, path);
	return tell_manager(e);
}

static int take_away(const char *unit, bool *ret_changed, struct err *e)
{
	CLEANUP_STR char *dir = xasprintf("%s/%s.d", units_dir(), unit);
	CLEANUP_STR char *path = xasprintf("%s/" UNIT_OWN_DROP_IN, dir);

	if (unlink(path) < 0)
		return errno == ENOENT || errno == ENOTDIR
			   ? 0
			   : err_errno(e, -errno, "removing %s", path);
	rmdir(dir); /* stays where others have something in it */
	*ret_changed = true;
	return tell_manager(e);
}

static int load_spec(const struct invocation *in, struct spec **ret, struct err *e)
{
	if (!generation_number(in->dirs, in->name))
		return err_set(e, -ENOENT, "no jail named '%s': immure build %s makes it", in->name,
			       in->name);
	return spec_load(in->dirs->config, in->name, ret, e);
}

/* What stands for the service on this host: a unit, an init script, or both. */
struct native {
	char *unit;	  /* or NULL */
	char *script;	  /* the path, or NULL: systemd runs here, or there is none */
	const char *name; /* of the script, in unit or script */
};

static void native_done(struct native *n)
{
	free(n->unit);
	free(n->script);
}

static void find_script(const struct spec *s, struct native *n)
{
	CLEANUP_STR char *name = xstrdup(n->unit ? n->unit : s->unit ? s->unit : s->name);

	if (str_ends(name, ".service"))
		name[strlen(name) - strlen(".service")] = '\0';
	n->script = manager_runs() ? NULL : sysv_script(name);
	if (n->script && access(n->script, F_OK) < 0) {
		CLEANUP_STR char *aside = xasprintf("%s.immure-native", n->script);
		if (access(aside, F_OK) < 0) {
			free(n->script);
			n->script = NULL;
		}
	}
	n->name = n->script ? path_base(n->script) : NULL;
}

static int find_native(const struct spec *s, struct native *ret, struct err *e)
{
	int r = find_unit(s, &ret->unit, e);

	find_script(s, ret);
	return r == -ENOENT && ret->script ? 0 : r;
}

static int tell(const struct invocation *in, const struct native *n, bool enabled, bool changed)
{
	const char *what = n->unit ? n->unit : n->script;

	if (in->common->json)
		return cmd_print_json(json_pack("{ss ss? ss? sb sb}", "name", in->name, "unit",
						n->unit, "script", n->script, "enabled", enabled,
						"changed", changed));
	if (in->common->quiet)
		return EXIT_GOOD;
	if (!changed) {
		printf("%s: %s already\n", in->name, enabled ? "enabled" : "disabled");
		return EXIT_GOOD;
	}
	printf("%s: %s %s; ", in->name, what,
	       enabled ? "runs the jail from its next start on"
		       : "is the native service again from its next start on");
	if (n->script)
		printf("service %s restart makes it so\n", n->name);
	else
		printf("systemctl restart %s makes it so\n", n->unit);
	return EXIT_GOOD;
}

static int take_place(const struct invocation *in, const struct spec *s, const struct native *n,
		      const char *drop_in, bool *ret_changed, struct err *e)
{
	CLEANUP_STR char *program = place_program();
	const struct place p = {in->name, program, in->dirs, s};
	CLEANUP_STR char *script = place_initscript(&p);
	int r = n->unit ? write_text(n->unit, drop_in, ret_changed, e) : 0;

	return r == 0 && n->script ? sysv_take(n->script, script, ret_changed, e) : r;
}

static int run_enable(const struct invocation *in)
{
	const struct enable_opts *opts = in->options;
	struct spec *s CLEANUP_SPEC = NULL;
	struct native n CLEANUP(native_done) = {0};
	CLEANUP_STR char *text = NULL;
	bool changed = false;
	struct err e = {0};
	int r = load_spec(in, &s, &e);

	if (r == 0)
		r = find_native(s, &n, &e);
	if (r == 0 && n.unit)
		r = make_text(in, s, n.unit, &text, &e);
	if (r == 0 && (opts->print || in->common->dry_run)) {
		if (text)
			fputs(text, stdout);
		if (n.script)
			printf("# and an init script, as immure export %s --format initscript "
			       "prints it, in the place of %s\n",
			       in->name, n.script);
		return EXIT_GOOD;
	}
	if (r == 0)
		r = take_place(in, s, &n, text, &changed, &e);
	return r < 0 ? cmd_fail(&e) : tell(in, &n, true, changed);
}

static int give_place(const struct native *n, bool *ret_changed, struct err *e)
{
	int r = n->unit ? take_away(n->unit, ret_changed, e) : 0;

	return r == 0 && n->script ? sysv_give(n->script, ret_changed, e) : r;
}

int place_give_back(const struct spec *s, struct err *e)
{
	struct native n CLEANUP(native_done) = {0};
	bool changed;

	return find_native(s, &n, e) < 0 ? 0 : give_place(&n, &changed, e);
}

static int run_disable(const struct invocation *in)
{
	struct spec *s CLEANUP_SPEC = NULL;
	struct native n CLEANUP(native_done) = {0};
	bool changed = false;
	struct err e = {0};
	int r = load_spec(in, &s, &e);

	if (r == 0)
		r = find_native(s, &n, &e);
	if (r == 0 && in->common->dry_run) {
		if (n.unit)
			printf("would remove %s/%s.d/" UNIT_OWN_DROP_IN "\n", units_dir(), n.unit);
		if (n.script)
			printf("would give %s its place back\n", n.script);
		return EXIT_GOOD;
	}
	if (r == 0)
		r = give_place(&n, &changed, &e);
	return r < 0 ? cmd_fail(&e) : tell(in, &n, false, changed);
}

const struct command cmd_enable = {
    .name = "enable",
    .summary = "take the native service's place, under its own unit name",
    .synopsis = "NAME [--print]",
    .more =
	"Writes one drop-in of systemd's: the unit's Exec lines run the jail, and what the unit "
	"would bind the\nlauncher with is reset, since the spec has it. Where another init starts "
	"this "
	"host's services, its\nscript is put aside for one that runs the jail. Nothing is "
	"restarted.",
    .options = rows,
    .n_options = ARRAY_LEN(rows),
    .options_size = sizeof(struct enable_opts),
    .min_args = 1,
    .max_args = 1,
    .needs = NEED_ROOT | NEED_NAME | TAKES_DRY_RUN,
    .run = run_enable,
};

const struct command cmd_disable = {
    .name = "disable",
    .summary = "give the native service its place back",
    .synopsis = "NAME",
    .more = "Removes what immure enable wrote. Nothing is restarted.",
    .min_args = 1,
    .max_args = 1,
    .needs = NEED_ROOT | NEED_NAME | TAKES_DRY_RUN,
    .run = run_disable,
};
