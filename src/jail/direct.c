/* SPDX-License-Identifier: MIT */
#include "jail/direct.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/env.h"
#include "base/fd.h"
#include "jail/json-text.h"
#include "spec/env-file.h"

#define STATUS_MAX (1 << 16)

void direct_done(struct direct *d)
{
	free(d->program);
	strv_done(&d->argv);
	strv_done(&d->env);
	strv_done(&d->unset);
	free(d->cwd);
	free(d->groups);
	*d = (struct direct)DIRECT_INIT;
}

/* "Uid:", "Gid:" and "Groups:" of proc_pid_status(5); of four ids the second is the effective one.
 */
static void take_ids(struct direct *d, char *status)
{
	char *save, *word_save;
	unsigned id;

	for (char *line = strtok_r(status, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		const char *groups = str_after(line, "Groups:");
		if (sscanf(line, "Uid: %*u %u", &id) == 1)
			d->uid = id;
		else if (sscanf(line, "Gid: %*u %u", &id) == 1)
			d->gid = id;
		if (!groups)
			continue;
		CLEANUP_STR char *words = xstrdup(groups);
		char *w = strtok_r(words, " \t", &word_save);
		for (; w; w = strtok_r(NULL, " \t", &word_save)) {
			d->groups = xrealloc(d->groups, d->n_groups + 1, sizeof(*d->groups));
			d->groups[d->n_groups++] = (gid_t)strtoul(w, NULL, 10);
		}
	}
}

int direct_look(struct direct *d, const struct run *r, struct err *e)
{
	CLEANUP_STR char *status = NULL;
	char path[40], exe[PATH_MAX];
	pid_t pid = run_main(r, NULL);

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	ssize_t n = pid > 0 ? readlink(path, exe, sizeof(exe) - 1) : -1;
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	CLEANUP_FD int fd = n <= 0 ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fd_read_all(fd, STATUS_MAX, &status, NULL) < 0)
		return err_set(e, -ESRCH,
			       "Direct=yes: the service's process ended while it was looked at");
	exe[n] = '\0';
	d->program = xstrdup(exe);
	take_ids(d, status);
	return 0;
}

static bool same_words(const struct strv *a, const struct strv *b)
{
	bool same = a->n == b->n;

	for (size_t i = 0; same && i < a->n; i++)
		same = streq(a->v[i], b->v[i]);
	return same;
}

/* What shells keep for themselves. */
static bool of_the_shell(const char *assignment)
{
	static const char *const names[] = {"_=", "SHLVL=", "PWD=", "OLDPWD="};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_after(assignment, names[i]))
			return true;
	return false;
}

static void take_env(struct direct *d, const struct strv *had, const struct strv *has)
{
	for (size_t i = 0; i < has->n; i++)
		if (!strv_has(had, has->v[i]) && !of_the_shell(has->v[i]) && strchr(has->v[i], '='))
			strv_add(&d->env, has->v[i]);
	for (size_t i = 0; i < had->n; i++) {
		CLEANUP_STR char *name = xstrndup(had->v[i], strcspn(had->v[i], "="));
		if (!env_get(has, name))
			strv_add(&d->unset, name);
	}
}

void direct_settle(struct direct *d, const struct record *record, const struct command_set *c)
{
	const struct execution *last = NULL;

	for (size_t i = 0; d->program && i < record->n_executions; i++)
		if (streq(record->executions[i].exe, d->program) && record->executions[i].argv.n)
			last = &record->executions[i];
	/* A wrapper may give on its own name and words (exec -a "$0"): the program tells. */
	if (!last ||
	    (streq(last->program, c->main.program) && same_words(&last->argv, &c->main.argv))) {
		direct_done(d);
		return;
	}
	free(d->program);
	d->program = xstrdup(last->program);
	strv_add_all(&d->argv, &last->argv);
	take_env(d, &c->env, &last->env);
	/* Only root switches users; nobody becomes root by what he made of himself. */
	if (c->account.uid) {
		d->uid = c->account.uid;
		d->gid = c->account.gid;
		free(d->groups);
		d->n_groups = c->account.n_groups;
		d->groups = xcalloc(d->n_groups + 1, sizeof(*d->groups));
		memcpy(d->groups, c->account.groups, d->n_groups * sizeof(*d->groups));
	}
	d->cwd = xstrdup(last->cwd[0] ? last->cwd : "/");
}

/* Shorter values ("yes", "-D") are in everything. */
#define SECRET_MIN 8

/* The first of @words that has the value of @assignment in it, or NULL. */
static const char *passes_on(const struct strv *words, const char *assignment)
{
	const char *value = strchr(assignment, '=') + 1;

	for (size_t i = 0; strlen(value) >= SECRET_MIN && i < words->n; i++)
		if (strstr(words->v[i], value))
			return words->v[i];
	return NULL;
}

int direct_check(const struct direct *d, const struct strv *files, struct err *e)
{
	struct strv env CLEANUP_STRV = STRV_INIT;
	int r = d->program ? env_files_read(files, &env, e) : 0;

	for (size_t i = 0; r == 0 && i < env.n; i++)
		if (passes_on(&d->argv, env.v[i]) || passes_on(&d->env, env.v[i]))
			r = err_set(e, -EPERM,
				    "Direct=yes: the start wrapper passes %.*s of an "
				    "EnvironmentFile= on to %.300s; it would have to be stored, "
				    "and later changes of the file would mean nothing. Leave "
				    "Direct= out, or set it with Environment= if it is no secret",
				    (int)strcspn(env.v[i], "="), env.v[i], d->program);
	return r;
}

void direct_apply(const struct direct *d, struct command_set *c)
{
	struct account *a = &c->account;

	if (!d->program)
		return;
	free(c->main.program);
	c->main.program = xstrdup(d->program);
	strv_done(&c->main.argv);
	strv_add_all(&c->main.argv, &d->argv);
	c->main.no_user = false;
	free(c->cwd);
	c->cwd = xstrdup(d->cwd);
	for (size_t i = 0; i < d->env.n; i++)
		env_put(&c->env, d->env.v[i]);
	for (size_t i = 0; i < d->unset.n; i++)
		env_remove(&c->env, d->unset.v[i]);
	/* What comes before the service stays root's where it was the wrapper that switched. */
	for (size_t i = 0; !a->uid && d->uid && i < c->n_pre; i++)
		c->steps[i].keep_user = true;
	a->uid = d->uid;
	a->gid = d->gid;
	for (a->n_groups = 0; a->n_groups < d->n_groups && a->n_groups < ARRAY_LEN(a->groups);
	     a->n_groups++)
		a->groups[a->n_groups] = d->groups[a->n_groups];
}

json_t *direct_to_json(const struct direct *d)
{
	json_t *groups = json_array();

	if (!d->program) {
		json_decref(groups);
		return json_null();
	}
	for (size_t i = 0; i < d->n_groups; i++)
		json_array_append_new(groups, json_integer(d->groups[i]));
	return json_pack("{so so so so so sI sI so}", "program", json_text(d->program), "argv",
			 json_texts(&d->argv), "env", json_texts(&d->env), "unset",
			 json_texts(&d->unset), "cwd", json_text(d->cwd), "uid", (json_int_t)d->uid,
			 "gid", (json_int_t)d->gid, "groups", groups);
}

int direct_from_json(struct direct *d, const json_t *j)
{
	const json_t *groups = json_object_get(j, "groups"), *one;
	json_int_t uid, gid;
	size_t i;

	if (!j || json_is_null(j))
		return 0;
	if (json_unpack((json_t *)(uintptr_t)j, "{sI sI}", "uid", &uid, "gid", &gid) < 0)
		return -EBADMSG;
	d->program = json_text_value(json_object_get(j, "program"));
	d->cwd = json_text_value(json_object_get(j, "cwd"));
	d->uid = (uid_t)uid;
	d->gid = (gid_t)gid;
	json_texts_value(json_object_get(j, "argv"), &d->argv);
	json_texts_value(json_object_get(j, "env"), &d->env);
	json_texts_value(json_object_get(j, "unset"), &d->unset);
	json_array_foreach(groups, i, one)
	{
		d->groups = xrealloc(d->groups, d->n_groups + 1, sizeof(*d->groups));
		d->groups[d->n_groups++] = (gid_t)json_integer_value(one);
	}
	return d->program && d->program[0] == '/' && d->cwd && d->argv.n ? 0 : -EBADMSG;
}
