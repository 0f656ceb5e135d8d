/* SPDX-License-Identifier: MIT */
/* The order, and why:
 *
 * 1. A helper, which dies with us, stops being dumpable: from the moment it is in the jail's
 * namespaces a hostile root could otherwise enter it through /proc (runc CVE-2016-9962). What it
 * needs of ours is open by now.
 * 2. It joins the jail's control group, then all namespaces in one setns(2). With the mount
 * namespace come its root and cwd: from here on no path means the host's.
 * 3. It forks: only a child is in the pid namespace. That one closes every descriptor but its
 * report (CVE-2024-21626), gives up rights, becomes the service's user and executes by a path of
 * the jail (child.c). exec makes the new program dumpable again, by its own merits.
 * 4. It waits, and says how the command ended; what takes too long is killed with its whole process
 * group. Only the helper does that: until it has reaped the command the number is the command's. */
#include "confine/enter.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "confine/cgroup.h"
#include "confine/parts.h"

#define JAIL_NAMESPACES                                                                            \
	(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWCGROUP)

struct ended {
	int status;
	struct err err; /* code 0: it was executed */
};

static NORETURN void say(int to, int code, const char *what)
{
	struct ended end = {0};

	err_errno(&end.err, code, "%s", what);
	fd_write_all(to, &end, sizeof(end));
	_exit(0);
}

/* Waits for the command; false where it took too long. */
static bool wait_for(pid_t pid, double seconds)
{
	CLEANUP_FD int fd = pidfd_open(pid, 0);
	struct pollfd pfd = {.fd = fd, .events = POLLIN};
	long end = clock_ms() + (long)(seconds * 1000), left;
	int n = 0;

	while (n <= 0 && fd >= 0 && (left = end - clock_ms()) > 0)
		n = poll(&pfd, 1, left > INT_MAX ? INT_MAX : (int)left);
	return n > 0;
}

static void watch(pid_t pid, int report, double seconds, struct ended *end)
{
	bool late = !wait_for(pid, seconds);
	struct run_message m;

	if (late) {
		kill(-pid, SIGKILL);
		kill(pid, SIGKILL); /* where it leads no group yet */
	}
	while (waitpid(pid, &end->status, 0) < 0 && errno == EINTR)
		;
	if (late)
		err_set(&end->err, -ETIME, "a command in the jail did not end within %.1f s",
			seconds);
	/* End of file: it was executed. */
	else if (read(report, &m, sizeof(m)) == (ssize_t)sizeof(m) && m.type == RUN_FAILED)
		end->err = m.err;
}

/* What a command is and where what comes of it goes. */
struct entry {
	const struct run *run;
	const struct plan *plan;
	const struct step *step;
	double seconds;
	int ctl; /* to whoever watches it, or -1 */
};

static NORETURN void helper(const struct entry *in, int to)
{
	const struct run *r = in->run;
	const struct plan *p = in->plan;
	struct ended end = {0};
	int report[2];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_DUMPABLE, 0);
	if (p->cgroup)
		cgroup_enter(p->cgroup, getpid());
	if (pipe2(report, O_CLOEXEC) < 0 || setns(r->init_fd, JAIL_NAMESPACES) < 0)
		say(to, -errno, "entering the jail");
	pid_t pid = fork();
	if (pid == 0)
		child_enter(p, in->step, in->ctl, report[1]);
	if (pid < 0)
		say(to, -errno, "starting a command in the jail");
	close(report[1]);
	if (in->ctl >= 0)
		close(in->ctl); /* the child alone has it: its end is seen */
	watch(pid, report[0], in->seconds, &end);
	fd_write_all(to, &end, sizeof(end));
	_exit(0);
}

/* The helper's words, or -errno. */
static int hear(int from, struct ended *end)
{
	ssize_t n;

	while ((n = read(from, end, sizeof(*end))) < 0 && errno == EINTR)
		;
	end->err.msg[sizeof(end->err.msg) - 1] = '\0'; /* a root service may have written it */
	return n == (ssize_t)sizeof(*end) ? 0 : -EPIPE;
}

/* The filter's listener: it comes before the command is executed, or never. */
static void hand_on(int sock, const struct step *step, const struct enter_watch *watcher)
{
	struct pollfd pfd = {.fd = sock, .events = POLLIN};
	struct run_message m;
	pid_t sender = 0;
	CLEANUP_FD int listener = -1;

	while (poll(&pfd, 1, -1) < 0 && errno == EINTR)
		;
	if (message_receive(sock, &m, &sender, &listener) > 0 && listener >= 0)
		watcher->take(watcher->user, step, take_fd(&listener));
}

static int start(const struct entry *in, const struct enter_watch *watcher, struct ended *end)
{
	struct entry own = *in;
	int result[2], ctl[2] = {-1, -1};

	if (pipe2(result, O_CLOEXEC) < 0)
		return -errno;
	if (watcher && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ctl) < 0)
		ctl[0] = ctl[1] = -1;
	own.ctl = ctl[1];
	pid_t pid = fork();
	if (pid == 0) {
		fd_close(&ctl[0]);
		helper(&own, result[1]);
	}
	int code = pid < 0 ? -errno : 0;
	close(result[1]);
	fd_close(&ctl[1]);
	if (code == 0 && ctl[0] >= 0)
		hand_on(ctl[0], in->step, watcher);
	fd_close(&ctl[0]);
	if (code == 0)
		code = hear(result[0], end);
	close(result[0]);
	while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return code;
}

int enter_watched(const struct run *r, const struct plan *p, const struct step *step, int output,
		  double seconds, const struct enter_watch *watcher, int *ret_status, struct err *e)
{
	CLEANUP_FD int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct plan here = *p;
	struct ended end = {0};

	here.stdio[0] = null;
	here.stdio[1] = here.stdio[2] = output;
	const struct entry in = {
	    .run = r, .plan = &here, .step = step, .seconds = seconds, .ctl = -1};
	int code = null < 0 ? -errno : start(&in, watcher, &end);
	if (code < 0)
		return err_errno(e, code, "running %s in the jail", step->program);
	if (end.err.code < 0)
		return err_set(e, end.err.code, "%s: %s", step->program, end.err.msg);
	*ret_status = end.status;
	return 0;
}

int enter_run(const struct run *r, const struct plan *p, const struct step *step, int output,
	      double seconds, int *ret_status, struct err *e)
{
	return enter_watched(r, p, step, output, seconds, NULL, ret_status, e);
}
