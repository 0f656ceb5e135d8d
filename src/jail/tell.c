/* SPDX-License-Identifier: MIT */
#include "jail/tell.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/env.h"
#include "base/fd.h"
#include "base/path.h"
#include "confine/enter.h"
#include "jail/output.h"
#include "jail/probe.h"
#include "keep/errand.h"
#include "keep/pid-file.h"
#include "spec/values.h"

#define FOR_EVER_S 1e6

/* How long a line may take; 0: no time is left. */
static double patience(const struct teller *t)
{
	double most = errand_limit(t->spec->timeout_start);
	long left = t->until ? t->until - clock_ms() : 0;

	if (!t->until)
		return most > 0 ? most : FOR_EVER_S;
	return left > 0 ? (double)left / 1000 : 0;
}

static int signal_word(const char *word)
{
	int sig = 0;

	return value_signal(word, &sig, NULL) == 0 ? sig : 0;
}

int tell_signal(char *const *words, const char *pid)
{
	int sig = SIGTERM;
	char *const *w = words;

	if (!*w || !streq(path_base(*w), "kill"))
		return 0;
	w++;
	if (*w && (streq(*w, "-s") || streq(*w, "-n") || streq(*w, "--signal")) && w[1]) {
		sig = signal_word(w[1]);
		w += 2;
	} else if (*w && (*w)[0] == '-' && (*w)[1] && !streq(*w, "--")) {
		const char *long_form = str_after(*w, "--signal=");
		sig = signal_word(long_form ? long_form : *w + 1);
		w++;
	}
	if (*w && streq(*w, "--"))
		w++;
	return *w && streq(*w, pid) && !w[1] ? sig : 0;
}

static NORETURN void become(const struct teller *t, const struct command_line *line, int output)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	errand_set_apart();
	if (dup2(null, 0) < 0 || dup2(output, 1) < 0 || dup2(output, 2) < 0 ||
	    chdir(t->commands->cwd) < 0)
		_exit(126);
	execve(line->program, line->argv.v, t->commands->env.v);
	_exit(127);
}

/* A "+" line: on the host, as root. */
static int run_on_host(const struct teller *t, const struct command_line *line, int output,
		       int *ret_status, struct err *e)
{
	pid_t pid = fork();

	if (pid == 0)
		become(t, line, output);
	CLEANUP_FD int fd = pid < 0 ? -1 : pidfd_open(pid, 0);
	if (fd < 0)
		return err_errno(e, -errno, "starting %s", line->program);
	struct pollfd pfd = {.fd = fd, .events = POLLIN};
	int n = poll(&pfd, 1, (int)(patience(t) * 1000));
	if (n <= 0)
		kill(-pid, SIGKILL);
	while (waitpid(pid, ret_status, 0) < 0 && errno == EINTR)
		;
	return n > 0 ? 0 : err_set(e, -ETIME, "%s did not end in time", line->program);
}

static int run_in_jail(const struct teller *t, const struct command_line *line, int output,
		       int *ret_status, struct err *e)
{
	const struct step step = {.argv = line->argv.v,
				  .program = line->program,
				  .ignore_failure = line->ignore_failure,
				  .keep_user = line->no_user};
	int r =
	    enter_watched(t->run, t->plan, &step, output, patience(t), t->watcher, ret_status, e);

	if (r == -ENOENT)
		return err_set(e, -EREMOTEIO,
			       "%s is not in the jail; build it again with Include=%s",
			       line->program, line->program);
	return r;
}

/* Both sides' number of the main process, as the line will see it. */
static void set_main(struct teller *t, bool host)
{
	pid_t inside = 0, outside = t->alone ? 0 : run_main(t->run, &inside);

	if (outside && pid_file_outside(t->run, inside) != outside)
		outside = 0; /* a line before this one has ended it */
	CLEANUP_STR char *text = xasprintf("MAINPID=%d", (int)(host ? outside : inside));

	if (outside)
		env_put(&t->commands->env, text);
	else
		env_remove(&t->commands->env, "MAINPID");
	t->plan->envp = t->commands->env.v;
}

static int judge(const struct command_line *line, int status, int output, const char *what,
		 struct err *e)
{
	bool by_signal = WIFSIGNALED(status);
	CLEANUP_STR char *tail = output < 0 ? xstrdup("") : output_tail(output);

	if (status == 0 || line->ignore_failure)
		return 0;
	return err_set(e, -EREMOTEIO, "%s=%s failed (%s %d)%s%s", what, line->argv.v[0],
		       by_signal ? "signal" : "exit status",
		       by_signal ? WTERMSIG(status) : WEXITSTATUS(status),
		       tail[0] ? "; it printed:\n" : "", tail);
}

/* What cannot be executed has failed, which may be of no account, "-". */
static int failed(const struct exec_line *line, const struct teller *t, int r, struct err *e)
{
	return line->ignore_failure && r != -ETIME ? 0 : err_prefix(e, "%s", t->what);
}

static int run_line(struct teller *t, const struct exec_line *line, struct err *e)
{
	struct command_line c CLEANUP(command_line_done) = {0};
	CLEANUP_FD int kept = t->output < 0 ? memfd_create("output", MFD_CLOEXEC) : -1;
	int output = t->output < 0 ? kept : t->output, status = 0;
	int r = command_line_make(line, t->commands, &c, e);

	if (r == 0)
		r = line->privileged ? run_on_host(t, &c, output, &status, e)
				     : run_in_jail(t, &c, output, &status, e);
	return r < 0 ? failed(line, t, r, e) : judge(&c, status, kept, t->what, e);
}

static int tell_line(struct teller *t, const struct exec_line *line, struct err *e)
{
	struct strv words CLEANUP_STRV = STRV_INIT;

	set_main(t, line->privileged);
	exec_line_expand(line, t->commands->env.v, &words);
	const char *pid = env_get(&t->commands->env, "MAINPID");
	int sig = words.n && pid ? tell_signal(words.v, pid) : 0;
	if (sig)
		return run_signal(t->run, sig) < 0
			   ? err_set(e, -EREMOTEIO, "no process of %s is left", t->spec->name)
			   : 0;
	return line->privileged && t->world ? 0 : run_line(t, line, e);
}

int tell_all(struct teller *t, const struct exec_list *list, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < list->n; i++) {
		if (t->until && clock_ms() >= t->until)
			return err_set(e, -ETIME, "%s= takes too long", t->what);
		r = tell_line(t, &list->v[i], e);
	}
	return r;
}

struct teller tell_live(struct live *l, const char *what)
{
	return (struct teller){.spec = l->spec,
			       .run = &l->run,
			       .plan = &l->plan,
			       .commands = &l->commands,
			       .output = -1,
			       .what = what};
}

int tell_lines(struct live *l, const struct exec_list *list, const char *what, struct err *e)
{
	struct teller t = tell_live(l, what);

	return tell_all(&t, list, e);
}

int tell_reload(struct live *l, struct err *e)
{
	if (l->spec->reload.n)
		return tell_lines(l, &l->spec->reload, "ExecReload", e);
	if (!probe_main_catches(&l->run, SIGHUP) && !probe_main_waits(&l->run, SIGHUP))
		return err_set(e, -EREMOTEIO,
			       "%s does not catch SIGHUP: say with ExecReload= in [Service] how it "
			       "is reloaded, or restart it",
			       l->name);
	return run_signal(&l->run, SIGHUP) < 0
		   ? err_set(e, -EREMOTEIO, "no process of %s is left", l->name)
		   : 0;
}
