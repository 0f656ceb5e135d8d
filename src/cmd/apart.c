/* SPDX-License-Identifier: MIT */
#include "cmd/apart.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "jail/samples.h"
#include "jail/twin.h"

static void on_signal(int sig)
{
	twin_interrupted = sig;
}

static void catch_signals(void)
{
	static const int sigs[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction sa = {.sa_handler = on_signal}; /* no SA_RESTART: waits must end */

	for (size_t i = 0; i < ARRAY_LEN(sigs); i++)
		sigaction(sigs[i], &sa, NULL);
}

static void say_progress(const char *what)
{
	fprintf(stderr, "\r\033[K%s ...", what);
}

trial_progress apart_progress(const struct invocation *in)
{
	bool people = isatty(STDERR_FILENO) && !in->common->quiet && !in->common->json;
	return people ? say_progress : NULL;
}

void apart_clear(const struct invocation *in)
{
	if (apart_progress(in))
		fputs("\r\033[K", stderr);
}

/* Waits for the child, passing on what would end us. */
static int guard(const struct invocation *in, pid_t child)
{
	int status, passed = 0;

	while (waitpid(child, &status, 0) < 0) {
		if (errno != EINTR)
			return EXIT_HOST;
		if (twin_interrupted && !passed++)
			kill(child, SIGTERM);
	}
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	fprintf(stderr, "immure: the %s was ended by signal %d; nothing was changed\n",
		in->command->name, WTERMSIG(status));
	return EXIT_HOST;
}

int apart_run(const struct invocation *in, const struct spec *s, apart_work work, const void *arg)
{
	struct scratch scratch CLEANUP(scratch_remove) = SCRATCH_INIT;
	struct err e = {0};
	pid_t parent = getpid();

	catch_signals();
	if (scratch_make(in->dirs, s->name, &scratch, &e) < 0)
		return cmd_fail(&e);
	fflush(NULL);
	pid_t child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		int status = getppid() == parent ? work(in, &scratch, arg) : EXIT_HOST;
		fflush(NULL);
		samples_drop(s, scratch.path);
		scratch_remove(&scratch);
		_exit(status);
	}
	int status = child < 0 ? EXIT_HOST : guard(in, child);
	samples_drop(s, scratch.path); /* it may have been killed */
	return status;
}
