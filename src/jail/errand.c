/* SPDX-License-Identifier: MIT */
#include "jail/errand.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/env.h"
#include "base/fd.h"
#include "jail/output.h"
#include "jail/tell.h"

#define FOR_EVER_S 1e6

bool errands_stay(const struct spec *s)
{
	return s->stop.n || s->stop_post.n;
}

/* Until it is done, its time is over, or somebody wants all of it to end. */
static int wait_for(struct live *l, struct errand_run *run, double seconds)
{
	long end = clock_ms() + (long)(seconds * 1000) + ERRAND_GRACE_MS, left = -1;
	bool asked = l->asked;
	struct pollfd pfd[] = {{.fd = run->fd, .events = POLLIN},
			       {.fd = l->signals, .events = POLLIN}};

	while (!seconds || (left = end - clock_ms()) > 0) {
		if (poll(pfd, ARRAY_LEN(pfd), (int)left) < 0)
			continue;
		if (pfd[0].revents)
			break;
		if (pfd[1].revents && asked)
			break; /* no patience left */
		if (pfd[1].revents)
			live_signal(l);
		if (l->asked != asked)
			break;
	}
	return errand_end(run);
}

static int carry_out(struct live *l, enum errand_which which, double seconds, int say)
{
	CLEANUP_FD int program = open("/proc/self/exe", O_PATH | O_CLOEXEC);
	const struct again how = {.success = l->spec->success};
	const struct errand a = {.program = program,
				 .name = l->name,
				 .log = l->stdio[2],
				 .say = say,
				 .users = l->users,
				 .result = l->result ? l->result : errand_result(&l->run, &how),
				 .exited = l->run.main_exited,
				 .status = l->run.main_status};
	struct errand_run run;
	int r = errand_begin(&a, which, seconds, &run);

	return r == 0 ? wait_for(l, &run, seconds) : r;
}

int errands_started(struct live *l, struct err *e)
{
	double seconds = errand_limit(l->spec->timeout_start);

	if (!l->spec->start_post.n)
		return 0;
	CLEANUP_FD int say = memfd_create("words", MFD_CLOEXEC);
	int r = carry_out(l, ERRAND_STARTED, seconds, say);
	if (r == 0 || l->asked)
		return 0;
	l->result = r == -ETIME ? "timeout" : "exit-code";
	CLEANUP_STR char *words = output_tail(say);
	const char *first = words + strspn(words, " "), *own = str_after(first, "immure: ");
	return err_set(e, r == -ETIME ? r : -ECHILD, "%s: %s", l->name,
		       r == -ETIME ? "ExecStartPost= did not end in time"
		       : own	   ? own
				   : "ExecStartPost= failed");
}

void errands_settle(struct live *l, int sig)
{
	double most = errand_limit(l->spec->timeout_stop), begin = clock_now();
	bool post = l->plan.stays && l->spec->stop_post.n && !l->settled;
	double share = errand_share(most, 0, post ? 9 : 10);

	l->settled = true;
	run_quiet(&l->run, sig, share > 0 ? (int)(share * 1000) : -1, NULL);
	if (post)
		carry_out(l, ERRAND_STOPPED, errand_share(most, clock_now() - begin, 10),
			  l->stdio[2]);
}

/* --- the child --- */

/* systemd.exec(5), "Environment Variables Set or Propagated by the Service Manager". */
static void put_facts(struct strv *env, const struct errand_order *o)
{
	CLEANUP_STR char *result = xasprintf("SERVICE_RESULT=%s", o->result);

	if (o->which == ERRAND_STARTED)
		return;
	env_put(env, result);
	if (o->ended < 0)
		return;
	bool killed = WIFSIGNALED(o->ended);
	const char *name = killed ? sigabbrev_np(WTERMSIG(o->ended)) : NULL;
	CLEANUP_STR char *status =
	    name ? xasprintf("EXIT_STATUS=%s", name)
		 : xasprintf("EXIT_STATUS=%d", killed ? WTERMSIG(o->ended) : WEXITSTATUS(o->ended));
	env_put(env, !killed		   ? "EXIT_CODE=exited"
		     : WCOREDUMP(o->ended) ? "EXIT_CODE=dumped"
					   : "EXIT_CODE=killed");
	env_put(env, status);
}

int errands_run(const struct dirs *d, const char *name, const struct errand_order *o, struct err *e)
{
	static const char *const keys[] = {
	    [ERRAND_STARTED] = "ExecStartPost",
	    [ERRAND_STOP] = "ExecStop",
	    [ERRAND_STOPPED] = "ExecStopPost",
	};
	struct live l CLEANUP_LIVE;

	live_init(&l, d, name);
	l.users = o->users;
	int r = live_attach(&l, e);
	if (r < 0)
		return err_prefix(e, "%s", keys[o->which]);
	const struct exec_list *const lists[] = {
	    [ERRAND_STARTED] = &l.spec->start_post,
	    [ERRAND_STOP] = &l.spec->stop,
	    [ERRAND_STOPPED] = &l.spec->stop_post,
	};
	struct teller t = tell_live(&l, keys[o->which]);
	t.output = 1;
	t.alone = o->which == ERRAND_STOPPED;
	t.until = clock_ms() + (long)((o->seconds > 0 ? o->seconds : FOR_EVER_S) * 1000);
	put_facts(&l.commands.env, o);
	return tell_all(&t, lists[o->which], e);
}
