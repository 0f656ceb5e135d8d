/* SPDX-License-Identifier: MIT */
#include "jail/command.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/path.h"
#include "jail/policy.h"
#include "jail/resources.h"
#include "spec/env-file.h"

/* systemd.exec(5), "Environment Variables Set or Propagated by the Service Manager". */
#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static void env_put_pair(struct strv *env, const char *key, const char *value)
{
	CLEANUP_STR char *assignment = xasprintf("%s=%s", key, value);
	env_put(env, assignment);
}

static int make_env(const struct spec *s, const struct account *a, struct strv *env, struct err *e)
{
	env_put(env, "PATH=" DEFAULT_PATH);
	if (s->user) {
		env_put_pair(env, "HOME", a->home);
		env_put_pair(env, "LOGNAME", a->name);
		env_put_pair(env, "USER", a->name);
		env_put_pair(env, "SHELL", a->shell);
	}
	for (size_t i = 0; i < s->environment.n; i++)
		env_put(env, s->environment.v[i]);
	int r = env_files_read(&s->environment_files, env, e);
	for (size_t i = 0; r == 0 && i < s->unset_environment.n; i++)
		env_remove(env, s->unset_environment.v[i]);
	return r;
}

static bool executable(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

/* A name without a slash is looked for on PATH; a relative path starts from the cwd. */
static char *find_program(const char *name, const struct strv *env, const char *cwd)
{
	if (name[0] == '/')
		return executable(name) ? xstrdup(name) : NULL;
	if (strchr(name, '/')) {
		char *path = path_join(cwd, name);
		if (executable(path))
			return path;
		free(path);
		return NULL;
	}
	const char *dirs = env_get(env, "PATH");
	while (dirs && *dirs) {
		size_t n = strcspn(dirs, ":");
		CLEANUP_STR char *dir = xstrndup(dirs, n);
		char *path = path_join(n ? dir : cwd, name);
		if (executable(path))
			return path;
		free(path);
		dirs += n + (dirs[n] == ':');
	}
	return NULL;
}

int command_line_make(const struct exec_line *l, const struct command_set *c,
		      struct command_line *ret, struct err *e)
{
	exec_line_expand(l, c->env.v, &ret->argv);
	if (!ret->argv.n)
		return err_set(e, -EINVAL, "an empty command (its variables are all empty)");
	/* With "@" the expanded first word is the zeroth argument, not the program. */
	const char *name = l->argv0 ? l->argv.v[0] : ret->argv.v[0];
	ret->program = find_program(name, &c->env, c->cwd);
	if (!ret->program)
		return err_set(e, -ENOENT,
			       "%s: no such program on this host (is the package installed? "
			       "is the path right?)",
			       name);
	ret->ignore_failure = l->ignore_failure;
	ret->no_user = l->no_user || l->privileged;
	return 0;
}

static bool may_raise(void)
{
	return prctl(PR_CAPBSET_READ, CAP_SYS_RESOURCE, 0, 0, 0) == 1;
}

/* setrlimit(2): a hard limit may only be lowered without CAP_SYS_RESOURCE. */
static struct rlimit allowed_limit(int which, struct rlimit wanted)
{
	struct rlimit now;

	if (may_raise() || getrlimit(which, &now) < 0)
		return wanted;
	if (wanted.rlim_max > now.rlim_max)
		wanted.rlim_max = now.rlim_max;
	if (wanted.rlim_cur > wanted.rlim_max)
		wanted.rlim_cur = wanted.rlim_max;
	return wanted;
}

/* Lowering oom_score_adj needs the same right, proc_pid_oom_score_adj(5). */
static bool oom_allowed(const struct spec *s)
{
	return s->oom_score_adjust >= 0 || may_raise();
}

static const char *limit_name(int which)
{
	static const char *const names[PLAN_LIMITS] = {
	    [RLIMIT_AS] = "LimitAS",
	    [RLIMIT_CORE] = "LimitCORE",
	    [RLIMIT_CPU] = "LimitCPU",
	    [RLIMIT_DATA] = "LimitDATA",
	    [RLIMIT_FSIZE] = "LimitFSIZE",
	    [RLIMIT_LOCKS] = "LimitLOCKS",
	    [RLIMIT_MEMLOCK] = "LimitMEMLOCK",
	    [RLIMIT_MSGQUEUE] = "LimitMSGQUEUE",
	    [RLIMIT_NICE] = "LimitNICE",
	    [RLIMIT_NOFILE] = "LimitNOFILE",
	    [RLIMIT_NPROC] = "LimitNPROC",
	    [RLIMIT_RSS] = "LimitRSS",
	    [RLIMIT_RTPRIO] = "LimitRTPRIO",
	    [RLIMIT_RTTIME] = "LimitRTTIME",
	    [RLIMIT_SIGPENDING] = "LimitSIGPENDING",
	    [RLIMIT_STACK] = "LimitSTACK",
	};
	return names[which] ? names[which] : "a resource limit";
}

static void add_notes(struct command_set *c, const struct spec *s)
{
	for (int i = 0; i < PLAN_LIMITS && i < SPEC_LIMITS; i++)
		if (s->limit_set[i] &&
		    allowed_limit(i, s->limits[i]).rlim_max != s->limits[i].rlim_max)
			strv_take(
			    &c->notes,
			    xasprintf("%s stays at %llu, not the %llu of the spec: this host's "
				      "root lacks CAP_SYS_RESOURCE",
				      limit_name(i),
				      (unsigned long long)allowed_limit(i, s->limits[i]).rlim_max,
				      (unsigned long long)s->limits[i].rlim_max));
	spec_idle_notes(s, &c->notes);
	resources_notes(s, &c->notes);
	if (s->oom_score_adjust_set && !oom_allowed(s))
		strv_add(&c->notes, "OOMScoreAdjust is not set: this host's root lacks "
				    "CAP_SYS_RESOURCE");
}

int command_set_make(const struct spec *s, struct command_set *ret, struct err *e)
{
	struct command_set c CLEANUP_COMMAND_SET = COMMAND_SET_INIT;
	int r = account_of(s, &c.account, e);

	if (r == 0)
		r = make_env(s, &c.account, &c.env, e);
	if (r < 0)
		return r;
	const char *cwd = s->working_directory ? s->working_directory : "/";
	if (s->working_directory_optional && access(cwd, X_OK) < 0)
		cwd = "/";
	c.cwd = xstrdup(streq(cwd, "~") ? c.account.home : cwd);
	if (!s->start.n)
		return err_set(e, -EINVAL, "no command: give one after -- or with --unit");
	r = command_line_make(&s->start.v[s->start.n - 1], &c, &c.main, e);
	/* Type=oneshot with several commands: all but the last come before it. */
	size_t early = s->start_pre.n + s->start.n - 1;
	c.pre = xcalloc(early, sizeof(*c.pre));
	c.steps = xcalloc(early, sizeof(*c.steps));
	for (; r == 0 && c.n_pre < early; c.n_pre++) {
		size_t i = c.n_pre;
		const struct exec_line *l =
		    i < s->start_pre.n ? &s->start_pre.v[i] : &s->start.v[i - s->start_pre.n];
		r = command_line_make(l, &c, &c.pre[i], e);
		c.steps[i] = (struct step){.argv = c.pre[i].argv.v,
					   .program = c.pre[i].program,
					   .ignore_failure = c.pre[i].ignore_failure,
					   .keep_user = c.pre[i].no_user};
	}
	if (r < 0)
		return r;
	add_notes(&c, s);
	*ret = c;
	c = (struct command_set)COMMAND_SET_INIT;
	return 0;
}

void command_line_done(struct command_line *l)
{
	strv_done(&l->argv);
	free(l->program);
}

void command_set_done(struct command_set *c)
{
	for (size_t i = 0; i < c->n_pre; i++)
		command_line_done(&c->pre[i]);
	command_line_done(&c->main);
	free(c->pre);
	free(c->steps);
	free(c->cwd);
	strv_done(&c->env);
	strv_done(&c->notes);
	*c = (struct command_set)COMMAND_SET_INIT;
}

void command_forgive(const struct spec *s, struct run *r)
{
	const struct exec_line *last = s->start.n ? &s->start.v[s->start.n - 1] : NULL;

	if (last && last->ignore_failure && r->main_exited && WIFEXITED(r->main_status))
		r->main_status = 0;
}

void command_set_plan(const struct command_set *c, const struct spec *s, struct plan *p)
{
	p->identity = (struct identity){.uid = c->account.uid,
					.gid = c->account.gid,
					.groups = c->account.groups,
					.n_groups = c->account.n_groups,
					.ambient = policy_ambient(s)};
	p->argv = c->main.argv.v;
	p->program = c->main.program;
	p->main_keeps_user = c->main.no_user;
	p->steps = c->steps;
	p->n_steps = c->n_pre;
	p->envp = c->env.v;
	p->cwd = c->cwd;
	p->umask = s->umask;
	p->ignore_sigpipe = s->ignore_sigpipe;
	for (int i = 0; i < PLAN_LIMITS && i < SPEC_LIMITS; i++) {
		p->limits[i] = allowed_limit(i, s->limits[i]);
		p->limit_set[i] = s->limit_set[i];
	}
	p->nice = s->nice;
	p->nice_set = s->nice_set;
	p->oom_score_adjust = s->oom_score_adjust;
	p->oom_score_adjust_set = s->oom_score_adjust_set && oom_allowed(s);
}
