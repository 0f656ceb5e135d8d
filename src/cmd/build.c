/* SPDX-License-Identifier: MIT */
/* `immure build`: options to settings, settings to a spec, the spec to a proved generation. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "cmd/apart.h"
#include "cmd/build.h"
#include "cmd/cmd.h"
#include "cmd/summary.h"
#include "fs/atomic.h"
#include "jail/build.h"
#include "jail/command.h"
#include "jail/samples.h"
#include "jail/twin.h"
#include "spec/unit.h"

struct build_options {
	const char *unit, *ready, *user, *group, *cwd, *self_chroot, *closure, *net;
	struct strv exercise, env, state, content, bind, include, sample;
	bool write_spec;
};
#define O(field) offsetof(struct build_options, field)

static const struct opt rows[] = {
    {"unit", 0, "UNIT", "take command, user and environment from this systemd unit", OPT_STRING,
     O(unit)},
    {"exercise", 0, "CMD", "a client session that makes the service do its work", OPT_LIST,
     O(exercise)},
    {"ready", 0, "CMD", "succeeds once the service is ready", OPT_STRING, O(ready)},
    {"user", 0, "USER", "the service's user", OPT_STRING, O(user)},
    {"group", 0, "GROUP", "the service's group", OPT_STRING, O(group)},
    {"env", 0, "K=V", "an environment variable of the service", OPT_LIST, O(env)},
    {"cwd", 0, "DIR", "its working directory", OPT_STRING, O(cwd)},
    {"state", 0, "DIR", "a directory it writes: the host's, read-write", OPT_LIST, O(state)},
    {"content", 0, "DIR", "a directory it serves: the host's, read-only", OPT_LIST, O(content)},
    {"bind", 0, "DIR[:ro]", "any other directory of the host", OPT_LIST, O(bind)},
    {"include", 0, "PATH", "take this too", OPT_LIST, O(include)},
    {"sample", 0, "DIR=PATH", "while building, PATH (or 'empty') stands for state DIR", OPT_LIST,
     O(sample)},
    {"self-chroot", 0, "DIR", "the service changes its root to DIR by itself", OPT_STRING,
     O(self_chroot)},
    {"closure", 0, "exact|foreseen|package", "how much unconfirmed evidence is kept", OPT_STRING,
     O(closure)},
    {"net", 0, "private|host", "the network while building", OPT_STRING, O(net)},
    {"write-spec", 0, NULL, "merge these options into an existing spec", OPT_FLAG, O(write_spec)},
};

/* --- from options to the spec --- */

static const struct {
	size_t offset;
	bool list;
	enum spec_section section;
	const char *key;
} keys[] = {
    {O(user), false, SPEC_SERVICE, "User"},
    {O(group), false, SPEC_SERVICE, "Group"},
    {O(cwd), false, SPEC_SERVICE, "WorkingDirectory"},
    {O(env), true, SPEC_SERVICE, "Environment"},
    {O(state), true, SPEC_JAIL, "State"},
    {O(content), true, SPEC_JAIL, "Content"},
    {O(include), true, SPEC_JAIL, "Include"},
    {O(sample), true, SPEC_JAIL, "Sample"},
    {O(self_chroot), false, SPEC_JAIL, "SelfChroot"},
    {O(closure), false, SPEC_JAIL, "Closure"},
    {O(net), false, SPEC_JAIL, "Net"},
    {O(ready), false, SPEC_EXERCISE, "Ready"},
    {O(exercise), true, SPEC_EXERCISE, "Command"},
};

/* Whether @s has this very setting: merging the same options twice must change nothing. */
static bool has_setting(const struct spec *s, enum spec_section section, const char *key,
			const char *word)
{
	struct spec *one CLEANUP_SPEC = spec_new(s->name);

	if (spec_set_word(one, section, key, word, "", NULL) < 0 || !one->n_settings)
		return false;
	for (size_t i = 0; i < s->n_settings; i++)
		if (s->settings[i].section == section && streq(s->settings[i].key, key) &&
		    streq(s->settings[i].value, one->settings[0].value))
			return !streq(s->settings[i].origin, "command line");
	return false;
}

static int set(struct spec *s, enum spec_section section, const char *key, const char *value,
	       struct err *e)
{
	if (has_setting(s, section, key, value))
		return 0;
	return spec_set_word(s, section, key, value, "command line", e);
}

/* The program as a path where it is one: what ./server means does not depend on who reads it. */
static char *command_text(const struct opt_result *given)
{
	struct strv words CLEANUP_STRV = STRV_INIT;
	char cwd[4096];

	strv_add_all(&words, &given->rest);
	if (words.v[0][0] != '/' && strchr(words.v[0], '/') && getcwd(cwd, sizeof(cwd))) {
		CLEANUP_STR char *joined = path_join(cwd, words.v[0]);
		free(words.v[0]);
		words.v[0] = path_normal(joined);
	}
	return exec_line_quote(words.v);
}

static int set_command(struct spec *s, const struct opt_result *given, struct err *e)
{
	if (!given->rest.n)
		return 0;
	CLEANUP_STR char *line = command_text(given);
	/* The command line's command replaces the unit's. */
	int r = s->start.n ? spec_set(s, SPEC_SERVICE, "ExecStart", "", "command line", e) : 0;
	return r < 0 ? r : spec_set(s, SPEC_SERVICE, "ExecStart", line, "command line", e);
}

static int set_bind(struct spec *s, const char *text, struct err *e)
{
	size_t n = strlen(text);
	bool ro = n > 3 && streq(text + n - 3, ":ro");
	CLEANUP_STR char *path = xstrndup(text, ro ? n - 3 : n);

	return set(s, SPEC_SERVICE, ro ? "BindReadOnlyPaths" : "BindPaths", path, e);
}

static int set_options(struct spec *s, const struct build_options *o,
		       const struct opt_result *given, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(keys); i++) {
		const char *at = (const char *)o + keys[i].offset;
		if (!keys[i].list) {
			const char *value = *(const char *const *)(const void *)at;
			if (value)
				r = set(s, keys[i].section, keys[i].key, value, e);
			continue;
		}
		const struct strv *values = (const void *)at;
		for (size_t k = 0; r == 0 && k < values->n; k++)
			r = set(s, keys[i].section, keys[i].key, values->v[k], e);
	}
	for (size_t i = 0; r == 0 && i < o->bind.n; i++)
		r = set_bind(s, o->bind.v[i], e);
	return r < 0 ? r : set_command(s, given, e);
}

static void tell_unit(const struct invocation *in, const struct unit_report *rep)
{
	for (size_t i = 0; i < rep->n && !in->common->quiet; i++) {
		const struct unit_note *n = &rep->v[i];
		if (n->verdict == UNIT_NOT_TAKEN ||
		    (n->verdict == UNIT_REDUNDANT && in->common->verbose))
			fprintf(stderr, "%s: %s=%s %s: %s\n", n->origin, n->key, n->value,
				n->verdict == UNIT_NOT_TAKEN ? "not taken" : "not needed",
				n->why ? n->why : "");
	}
}

static int take_unit(const struct invocation *in, struct spec *s, const char *unit, struct err *e)
{
	struct unit_report rep = {0};
	int r = unit_load("/", unit, s, &rep, e);

	if (r == 0)
		tell_unit(in, &rep);
	unit_report_done(&rep);
	return r;
}

static bool any_option(const struct invocation *in)
{
	for (size_t i = 0; i < in->given->n_used; i++)
		for (size_t k = 0; k < ARRAY_LEN(rows); k++)
			if (in->given->used[i].opt == &rows[k])
				return true;
	return in->given->rest.n > 0;
}

/* The spec of this build: the file, the options, or both. *ret_write: the file must be written. */
static int make_spec(const struct invocation *in, struct spec **ret, bool *ret_write, struct err *e)
{
	const struct build_options *o = in->options;
	struct spec *s CLEANUP_SPEC = NULL;
	int r = spec_load(in->dirs->config, in->name, &s, e);

	if (r < 0 && r != -ENOENT)
		return r;
	if (r == 0 && any_option(in) && !o->write_spec)
		return err_set(e, -EEXIST,
			       "%s/%s.conf exists and is the only truth: edit it, or merge the "
			       "options into it with --write-spec",
			       in->dirs->config, in->name);
	*ret_write = r == -ENOENT || any_option(in);
	if (!s)
		s = spec_new(in->name);
	r = o->unit ? take_unit(in, s, o->unit, e) : 0;
	if (r == 0 && o->unit)
		r = set(s, SPEC_JAIL, "Unit", o->unit, e);
	if (r == 0)
		r = set_options(s, o, in->given, e);
	if (r == 0)
		r = spec_check(s, e);
	if (r == 0)
		*ret = steal_ptr(s);
	return r;
}

static int write_spec(const struct invocation *in, const struct spec *s, struct err *e)
{
	CLEANUP_STR char *text = spec_print(s);
	CLEANUP_STR char *file = xasprintf("%s.conf", in->name);
	int r = jail_make_dir(in->dirs->config, 0755, e);
	if (r < 0)
		return r;
	CLEANUP_FD int dir = open(in->dirs->config, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* Environment values may be secrets: root's alone. */
	r = dir < 0 ? -errno : atomic_write(dir, file, text, strlen(text), 0600);
	return r < 0 ? err_errno(e, r, "writing %s/%s", in->dirs->config, file) : 0;
}

/* --- the work --- */

struct order {
	const struct spec *spec;
	bool write; /* the spec is new */
	const struct strv *notes;
};

static int work(const struct invocation *in, const struct scratch *scratch, const void *arg)
{
	const struct order *order = arg;
	const struct spec *s = order->spec;
	struct build_report rep CLEANUP_BUILD_REPORT = BUILD_REPORT_INIT;
	struct err e = {0};
	int r = build_run(in->dirs, s, scratch, apart_progress(in), &rep, &e);

	apart_clear(in);
	if (twin_interrupted && r < 0) {
		fprintf(stderr, "immure: %s: interrupted; nothing was changed\n", s->name);
		return EXIT_NO;
	}
	/* A try that failed leaves nothing: the next one may be typed with other options. */
	if (r == 0 && order->write)
		r = write_spec(in, s, &e);
	if (r < 0) {
		CLEANUP_STR char *what = xasprintf("%s: not built", s->name);
		err_prefix(&e, "%s", what);
		return cmd_fail(&e);
	}
	summary_print(in, s, &rep, order->notes);
	return r == 0 ? EXIT_GOOD : EXIT_NO;
}

static int build_guarded(const struct invocation *in, const struct spec *s, bool write,
			 const struct strv *notes)
{
	const struct order order = {.spec = s, .write = write, .notes = notes};

	return apart_run(in, s, work, &order);
}

static int tell_unchanged(const struct invocation *in, int number)
{
	if (in->common->json)
		return cmd_print_json(json_pack("{ss sb si sb}", "name", in->name, "changed", 0,
						"generation", number, "proved", 1));
	if (!in->common->quiet)
		printf("%s: unchanged, generation %d\n", in->name, number);
	return EXIT_GOOD;
}

int build_spec(const struct invocation *in, const struct spec *s, bool write,
	       const struct strv *notes)
{
	struct err e = {0};
	int status = EXIT_GOOD, lock = cmd_lock(in, &status), number = 0;

	if (lock < 0)
		return status;
	int r = build_unchanged(in->dirs, s, &number, &e);
	if (r < 0)
		status = cmd_fail(&e);
	else
		status = r ? tell_unchanged(in, number) : build_guarded(in, s, write, notes);
	jail_unlock(in->dirs, in->name, &lock);
	return status;
}

static int tell_plan(const struct invocation *in, const struct spec *s, bool write)
{
	struct command_set c CLEANUP_COMMAND_SET = COMMAND_SET_INIT;
	CLEANUP_STR char *text = spec_print(s);
	struct err e;

	if (command_set_make(s, &c, &e) < 0)
		return cmd_fail(&e);
	if (in->common->json)
		return cmd_print_json(json_pack("{ss sb ss sb ss}", "name", in->name, "dry_run", 1,
						"spec", text, "writes_spec", write, "program",
						c.main.program));
	if (write)
		printf("would write %s/%s.conf:\n\n%s\n", in->dirs->config, in->name, text);
	printf("would run %s as %s in throw-away worlds, with %zu exercise step%s, and keep the "
	       "jail below %s/jails/%s\n",
	       c.main.program, c.account.name, s->exercise.n, s->exercise.n == 1 ? "" : "s",
	       in->dirs->state, in->name);
	return EXIT_GOOD;
}

static int run(const struct invocation *in)
{
	struct spec *s CLEANUP_SPEC = NULL;
	struct command_set c CLEANUP_COMMAND_SET = COMMAND_SET_INIT;
	struct err e = {0};
	bool write = false;

	int r = make_spec(in, &s, &write, &e);
	if (r == 0 && in->common->dry_run)
		return tell_plan(in, s, write);
	if (r == 0) /* wrong users and missing programs are told before any work */
		r = command_set_make(s, &c, &e);
	if (r < 0)
		return cmd_fail(&e);
	return build_spec(in, s, write, &c.notes);
}

const struct command cmd_build = {
    .name = "build",
    .summary = "grow a jail for a service and prove it",
    .synopsis = "NAME [OPTIONS] [-- COMMAND [ARG...]]",
    .more = "The first build writes the spec, /etc/immure/NAME.conf; later ones follow it. Nothing "
	    "of the\nreal service or its data is touched.",
    .options = rows,
    .n_options = ARRAY_LEN(rows),
    .options_size = sizeof(struct build_options),
    .min_args = 1,
    .max_args = 1,
    .takes_rest = true,
    .needs = NEED_ROOT | NEED_NAME | TAKES_DRY_RUN,
    .run = run,
};
