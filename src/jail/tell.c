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
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/env.h"
#include "base/fd.h"
#include "base/path.h"
#include "confine/enter.h"
#include "jail/output.h"
#include "jail/probe.h"
#include "spec/values.h"

#define FOR_EVER_S 1e6

static double patience(const struct spec *s)
{
	return s->timeout_start > 0 && s->timeout_start < FOR_EVER_S ? s->timeout_start
								     : FOR_EVER_S;
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

static NORETURN void become(const struct live *l, const struct command_line *line, int output)
{
	sigset_t none;
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	if (dup2(null, 0) < 0 || dup2(output, 1) < 0 || dup2(output, 2) < 0 ||
	    chdir(l->commands.cwd) < 0)
		_exit(126);
	execve(line->program, line->argv.v, l->commands.env.v);
	_exit(127);
}

/* A "+" line: on the host, as root. */
static int run_on_host(const struct live *l, const struct command_line *line, int output,
		       int *ret_status, struct err *e)
{
	pid_t pid = fork();

	if (pid == 0)
		become(l, line, output);
	CLEANUP_FD int fd = pid < 0 ? -1 : pidfd_open(pid, 0);
	if (fd < 0)
		return err_errno(e, -errno, "starting %s", line->program);
	struct pollfd pfd = {.fd = fd, .events = POLLIN};
	int n = poll(&pfd, 1, (int)(patience(l->spec) * 1000));
	if (n <= 0)
		kill(-pid, SIGKILL);
	while (waitpid(pid, ret_status, 0) < 0 && errno == EINTR)
		;
	return n > 0 ? 0 : err_set(e, -ETIME, "%s did not end in time", line->program);
}

static int run_in_jail(const struct live *l, const struct command_line *line, int output,
		       int *ret_status, struct err *e)
{
	const struct step step = {
	    .argv = line->argv.v, .program = line->program, .keep_user = line->no_user};
	int r = enter_run(&l->run, &l->plan, &step, output, patience(l->spec), ret_status, e);

	if (r == -ENOENT)
		return err_set(e, -EREMOTEIO,
			       "%s is not in the jail; build it again with Include=%s",
			       line->program, line->program);
	return r;
}

/* Both sides' number of the main process, as the line will see it. */
static void set_main(struct live *l, bool host)
{
	pid_t inside = 0, outside = run_main(&l->run, &inside);
	CLEANUP_STR char *text = xasprintf("MAINPID=%d", (int)(host ? outside : inside));

	env_put(&l->commands.env, text);
	l->plan.envp = l->commands.env.v;
}

static int judge(const struct command_line *line, int status, int output, const char *what,
		 struct err *e)
{
	bool by_signal = WIFSIGNALED(status);
	CLEANUP_STR char *tail = output_tail(output);

	if (status == 0 || line->ignore_failure)
		return 0;
	return err_set(e, -EREMOTEIO, "%s=%s failed (%s %d)%s%s", what, line->argv.v[0],
		       by_signal ? "signal" : "exit status",
		       by_signal ? WTERMSIG(status) : WEXITSTATUS(status),
		       tail[0] ? "; it printed:\n" : "", tail);
}

static int tell_line(struct live *l, const struct exec_line *line, const char *what, struct err *e)
{
	struct strv words CLEANUP_STRV = STRV_INIT;
	struct command_line c CLEANUP(command_line_done) = {0};
	CLEANUP_FD int output = memfd_create("output", MFD_CLOEXEC);
	int status = 0;

	set_main(l, line->privileged);
	exec_line_expand(line, l->commands.env.v, &words);
	int sig = words.n ? tell_signal(words.v, env_get(&l->commands.env, "MAINPID")) : 0;
	if (sig)
		return run_signal(&l->run, sig) < 0
			   ? err_set(e, -EREMOTEIO, "no process of %s is left", l->name)
			   : 0;
	int r = command_line_make(line, &l->commands, &c, e);
	if (r == 0)
		r = line->privileged ? run_on_host(l, &c, output, &status, e)
				     : run_in_jail(l, &c, output, &status, e);
	return r < 0 ? err_prefix(e, "%s", what) : judge(&c, status, output, what, e);
}

int tell_lines(struct live *l, const struct exec_list *list, const char *what, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < list->n; i++)
		r = tell_line(l, &list->v[i], what, e);
	return r;
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
