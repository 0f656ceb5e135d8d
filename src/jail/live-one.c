/* SPDX-License-Identifier: MIT */
#include "jail/live-parts.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "confine/ipc.h"
#include "confine/peers.h"
#include "jail/require.h"
#include "jail/resources.h"
#include "keep/keeper.h"

/* Whom each connection's jail may reach cannot be held. */
static int check_peers(const struct live *l, struct err *e)
{
	struct peers peers CLEANUP_PEERS = {0};

	if (!peers_of(l->spec, &peers))
		return 0;
	return err_set(e, -EOPNOTSUPP,
		       "%s: whom it may reach (ConnectTo=, IPAddressDeny=, SocketBindDeny=) "
		       "cannot be held where each connection is a jail of its own: immure start "
		       "serves them in one",
		       l->name);
}

static int load_one(struct live *l, struct err *e)
{
	int r = generation_load(l->dirs, l->name, &l->generation, e);

	if (r == 0)
		r = live_load_generation(l, e);
	if (r == 0 && !l->spec->accept)
		return -EINVAL;
	if (r == 0)
		r = require_check(l->spec, e);
	return r == 0 ? check_peers(l, e) : r;
}

static int begin_one(struct live *l, struct err *e)
{
	int r = live_make_plan(l, e);

	l->plan.same_pid = l->plan.forks = false; /* no script asks for its number */
	l->plan.stays = false;			  /* nor is anything done around one connection */
	strv_done(&l->made);			  /* they are for all that run at once */
	if (r == 0 && l->generation.layout.syslog)
		r = live_open_shared_logging(l, e);
	if (r == 0)
		r = run_start(&l->plan, &l->run, e);
	if (r == 0)
		r = live_refuse(l, e);
	logging_greet(&l->logging);
	if (r == 0)
		r = run_wait_exec(&l->run, l->spec->timeout_start, e);
	logging_mounted(&l->logging);
	return r;
}

/* Who has called is not kept waiting for what is still to be logged. */
static void hang_up(void)
{
	CLEANUP_FD int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int i = 0; null > 2 && i < 3; i++)
		dup2(null, i);
}

int live_serve_one(struct live *l, struct err *e)
{
	int r = load_one(l, e);

	if (r < 0)
		return r;
	l->signals = keeper_signals();
	l->ipc = ipc_observe();
	for (int i = 0; i < 3; i++)
		l->stdio[i] = i;
	r = begin_one(l, e);
	while (r == 0 && !l->asked && !run_over(&l->run)) {
		struct pollfd pfd[] = {{.fd = l->run.ctl, .events = POLLIN},
				       {.fd = l->signals, .events = POLLIN},
				       {.fd = logging_fd(&l->logging), .events = POLLIN}};
		if (poll(pfd, ARRAY_LEN(pfd), -1) > 0 && pfd[1].revents)
			live_signal(l);
		logging_serve(&l->logging);
		if (run_poll(&l->run, 0))
			break;
	}
	if (r == 0)
		hang_up();
	return r;
}
