/* SPDX-License-Identifier: MIT */
#include "jail/reload.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/log.h"
#include "jail/extend.h"
#include "jail/json-text.h"
#include "jail/live.h"
#include "jail/rebind.h"
#include "jail/refresh.h"
#include "jail/running.h"
#include "jail/tell.h"

#define ANSWER_MAX (4 << 20)

/* The directory's path may be longer than a socket's name can be: by descriptor. */
static struct sockaddr_un address_of(int dir, const char *name)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	snprintf(a.sun_path, sizeof(a.sun_path), "/proc/self/fd/%d/%s.sock", dir, name);
	return a;
}

void reload_open(struct reload *r, const struct live *l)
{
	CLEANUP_FD int dir = running_dir(l->dirs, NULL);
	CLEANUP_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	const struct sockaddr_un a = address_of(dir, l->name);

	running_remove(l->dirs, l->name, "sock"); /* of one that was killed */
	mode_t mask = umask(0177);
	int bad = bind(fd, (const struct sockaddr *)&a, sizeof(a));
	umask(mask);
	if (bad < 0 || listen(fd, 8) < 0)
		log_debug("%s: no reload socket: %m", l->name);
	else
		r->listener = take_fd(&fd);
	r->live = l;
}

void reload_done(struct reload *r)
{
	if (r->worker >= 0) {
		pidfd_send_signal(r->worker, SIGKILL, NULL, 0);
		waitpid(r->pid, NULL, 0);
	}
	fd_close(&r->worker);
	fd_close(&r->listener);
	running_remove(r->live->dirs, r->live->name, "sock");
}

int reload_fd(const struct reload *r)
{
	return r->worker >= 0 ? r->worker : r->listener;
}

void reload_answer_done(struct reload_answer *a)
{
	strv_done(&a->renewed);
	strv_done(&a->gone);
	strv_done(&a->added);
}

/* Files and mounts, before the service is told anything. */
static int bring(const struct live *l, struct reload_answer *a, struct err *e)
{
	struct generation g CLEANUP_GENERATION = GENERATION_INIT;
	struct manifest m CLEANUP_MANIFEST = MANIFEST_INIT;
	/* As on disk: a reload before this one may have added to it. */
	int r = generation_load_number(l->dirs, l->name, l->generation.number, &g, e);

	if (r == 0)
		r = refresh_config(&g, &a->renewed, &a->gone, e);
	if (r == 0)
		r = extend_jail(&g, l->spec, &l->run, &a->added, e);
	if (r == 0)
		r = manifest_load(g.dir, &m, e);
	return r == 0 ? rebind_masks(&g.layout, &m, g.dir, &l->run, e) : r;
}

/* What is done by the worker: it has the supervisor's memory, and nothing of it goes back. */
static int carry_out(struct live *l, enum reload_wish wish, struct reload_answer *a, struct err *e)
{
	int r = bring(l, a, e);

	if (r == 0) {
		r = tell_lines(l, &l->spec->config_test, "ConfigTest", e);
		if (r < 0)
			err_prefix(e, "the service was left as it is");
	}
	return r == 0 && wish == RELOAD_TELL ? tell_reload(l, e) : r;
}

static NORETURN void work(const struct live *shared, enum reload_wish wish, int peer)
{
	struct live l = *shared;
	struct reload_answer a = {0};
	struct err e = {0};

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, "immure-reload");
	fd_close(&l.lock); /* that is the supervisor's alone */
	int r = carry_out(&l, wish, &a, &e);
	json_t *j = json_pack("{si so so so so}", "code", r, "message", json_text(e.msg), "renewed",
			      json_texts(&a.renewed), "gone", json_texts(&a.gone), "added",
			      json_texts(&a.added));
	char *text = json_dumps(j, JSON_COMPACT);
	signal(SIGPIPE, SIG_IGN); /* who asked may be gone */
	fd_write_all(peer, text, strlen(text));
	_exit(0);
}

static void begin(struct reload *r, const struct live *l, struct rebind *rb, int peer)
{
	const struct timeval soon = {.tv_sec = 1};
	char wish = 0;

	setsockopt(peer, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof(soon));
	if (read(peer, &wish, 1) != 1 || (wish != RELOAD_TELL && wish != RELOAD_TEST))
		return;
	rebind_links(rb, &l->run);
	r->pid = fork();
	if (r->pid == 0)
		work(l, (enum reload_wish)wish, peer);
	r->worker = r->pid < 0 ? -1 : pidfd_open(r->pid, 0);
}

void reload_serve(struct reload *r, const struct live *l, struct rebind *rb)
{
	if (r->worker >= 0) {
		waitpid(r->pid, NULL, 0);
		fd_close(&r->worker);
		return;
	}
	CLEANUP_FD int peer = accept4(r->listener, NULL, NULL, SOCK_CLOEXEC);
	if (peer >= 0)
		begin(r, l, rb, peer);
}

static int ask(int dir, const char *name, enum reload_wish wish, char **ret, struct err *e)
{
	CLEANUP_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const struct sockaddr_un a = address_of(dir, name);
	const char byte = (char)wish;

	if (fd < 0 || connect(fd, (const struct sockaddr *)&a, sizeof(a)) < 0)
		return err_set(e, -EAGAIN, "%s is just starting or stopping; try again", name);
	int r = fd_write_all(fd, &byte, 1);
	if (r == 0)
		r = fd_read_all(fd, ANSWER_MAX, ret, NULL);
	return r < 0 ? err_errno(e, r, "asking the supervisor of %s", name) : 0;
}

int reload_ask(const struct dirs *d, const char *name, enum reload_wish wish,
	       struct reload_answer *ret, struct err *e)
{
	CLEANUP_STR char *text = NULL;
	CLEANUP_FD int dir = open(d->run, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0 || !running_held(d, name))
		return err_set(e, -EREMOTEIO, "%s does not run: immure start %s", name, name);
	int r = ask(dir, name, wish, &text, e);
	if (r < 0)
		return r;
	json_t *j = json_loads(text, 0, NULL);
	CLEANUP_STR char *message = json_text_value(json_object_get(j, "message"));
	json_texts_value(json_object_get(j, "renewed"), &ret->renewed);
	json_texts_value(json_object_get(j, "gone"), &ret->gone);
	json_texts_value(json_object_get(j, "added"), &ret->added);
	r = j ? (int)json_integer_value(json_object_get(j, "code")) : -EIO;
	json_decref(j);
	return r < 0 ? err_set(e, r, "%s",
			       message ? message : "the supervisor ended without an answer")
		     : 0;
}
