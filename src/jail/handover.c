/* SPDX-License-Identifier: MIT */
/* From a struct live to what its keeper is told. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "confine/calls-policy.h"
#include "confine/launcher.h"
#include "jail/live.h"
#include "jail/rebind.h"
#include "keep/keeper.h"

#define FOR_EVER_MS 1e11

static const enum again_when again[] = {
    [RESTART_NO] = AGAIN_NO,
    [RESTART_ON_SUCCESS] = AGAIN_ON_SUCCESS,
    [RESTART_ON_FAILURE] = AGAIN_ON_FAILURE,
    [RESTART_ON_ABNORMAL] = AGAIN_ON_ABNORMAL,
    [RESTART_ON_ABORT] = AGAIN_ON_ABORT,
    [RESTART_ON_WATCHDOG] = AGAIN_ON_WATCHDOG,
    [RESTART_ALWAYS] = AGAIN_ALWAYS,
};

static long ms(double seconds)
{
	return seconds * 1000 < FOR_EVER_MS ? (long)(seconds * 1000) : (long)FOR_EVER_MS;
}

static struct again again_of(const struct spec *s)
{
	return (struct again){
	    .when = again[s->restart],
	    .success = s->success,
	    .never = s->restart_not,
	    .always = s->restart_always,
	    .delay_ms = ms(s->restart_delay),
	    .max_delay_ms = ms(s->restart_delay_max),
	    .steps = (unsigned)s->restart_steps,
	    .burst = (unsigned)(s->start_limit_burst < AGAIN_STARTS_MAX ? s->start_limit_burst
									: AGAIN_STARTS_MAX),
	    .interval_ms = ms(s->start_limit_interval),
	};
}

/* The names of this architecture's calls: the keeper has no table of them. */
static void name_calls(const struct keeper *k, struct strv *ret)
{
	for (int nr = 0; nr < REFUSAL_NUMBERS; nr++) {
		const struct refusal r = {.arch = k->answers.arch, .call = nr};
		char name[32];
		refusal_name(&r, name, sizeof(name));
		strv_add(ret, str_after(name, "call ") ? "" : name);
	}
}

static void fill(struct keeper *k, struct live *l, struct rotate_spec *files, size_t n)
{
	const struct spec *s = l->spec;
	unsigned long refused;
	int listener = refusals_release(l->refusals, &refused);

	*k = (struct keeper){
	    .name = l->name,
	    .run_dir = l->dirs->run,
	    .background = l->background,
	    .lock = l->lock,
	    .log = l->stdio[2],
	    .listener = listener,
	    .listens = l->listens,
	    .refused = l->refused + refused,
	    .run = l->run,
	    .kill_signal = s->kill_signal,
	    .timeout_stop = s->timeout_stop,
	    .pid_file = s->type == TYPE_FORKING ? s->pid_file : NULL,
	    .stop = s->stop.n && l->run.init_fd >= 0,
	    .stopped = s->stop_post.n && l->run.init_fd >= 0,
	    .files = files,
	    .n_files = n,
	    .published = l->publish.files,
	    .n_published = l->publish.n,
	    .made = l->made,
	    .n_passed = l->passed.n,
	    .cgroup = l->cgroup,
	    .logging = l->logging,
	    .notices = l->notices,
	    .watchdog_ms = l->background ? ms(s->watchdog) : 0,
	    .again = again_of(s),
	    .history = l->history,
	};
	memcpy(k->passed, l->passed.fds, sizeof(k->passed));
	l->refusals = NULL;
	seccomp_answers(&k->answers);
}

static int execute(struct keeper *k, int launcher, struct err *e)
{
	size_t len = 0;
	CLEANUP_FD int program = open("/proc/self/exe", O_PATH | O_CLOEXEC);
	k->program = program;
	CLEANUP_STR char *bytes = keeper_write(k, &len);
	CLEANUP_FD int image = fd_memory("keeper", bytes, len);
	if (image < 0)
		return err_errno(e, image, "writing what the keeper of %s is told", k->name);
	CLEANUP_STR char *number = xasprintf("%d", image);
	char name[] = "immure-launch", how[] = "--keep";
	char *const argv[] = {name, how, number, NULL};

	fcntl(image, F_SETFD, 0);
	keeper_pass(k, true);
	fexecve(launcher, argv, environ);
	return err_errno(e, -errno, "executing the keeper of %s", k->name);
}

/* "-" before the command: its exit status is of no account. */
static void forgive(struct keeper *k, const struct spec *s)
{
	if (s->start.v[s->start.n - 1].ignore_failure)
		memset(k->again.success.codes, 0xff, sizeof(k->again.success.codes));
}

int live_hand_over(struct live *l, struct err *e)
{
	struct rotate_spec *files = NULL;
	size_t n = rebind_files(&l->generation.layout, &files);
	struct strv calls CLEANUP_STRV = STRV_INIT;
	struct keeper k;

	fill(&k, l, files, n);
	for (size_t i = 0; i < l->spec->listen.n; i++) {
		const char *path = str_after(l->spec->listen.v[i], "unix:");
		if (path)
			strv_add(&k.sockets, path);
	}
	forgive(&k, l->spec);
	name_calls(&k, &calls);
	k.calls = calls.v;
	if (l->confinement.launcher < 0)
		l->confinement.launcher = launcher_open(e);
	int r = l->confinement.launcher < 0 ? l->confinement.launcher
					    : execute(&k, l->confinement.launcher, e);
	free(files);
	strv_done(&k.sockets);
	return r;
}
