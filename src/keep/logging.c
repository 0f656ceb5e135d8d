/* SPDX-License-Identifier: MIT */
#include "keep/logging.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/kernel.h"
#include "base/pack.h"
#include "base/path.h"
#include "base/str.h"
#include "keep/log-sink.h"
#include "keep/relay-start.h"
#include "relay/wire.h"

#define LOOK_MS	     250  /* after the first message: is somebody reading? */
#define STREAM_MS    1000 /* connections are the relay's: it is asked whether it lives */
#define RELAY_END_MS 2000 /* how long the end of the last jail waits for that of its relay */
#define STALL_MS     1000 /* a relay that owes an answer for so long is killed */
#define FIRST_MS     100  /* how long a start waits for its relay */
#define GREET_US     200  /* and how often it looks */
#define DELAY_MAX    2000 /* between two tries to get one */
#define BACKLOG	     64
#define DISCARD	     4096 /* messages in one go */

enum { CONN, TIMER, SOURCE, WATCH, LOOKUP };

#define SOCKET "socket" /* ".PID" behind it where it is shared */

static uint64_t now_ms(void)
{
	return (uint64_t)clock_ms();
}

/* --- opening --- */

static int open_dir(const struct logging *l, const char *suffix, mode_t mode, struct err *e)
{
	CLEANUP_FD int run = open(l->run_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP_STR char *file = xasprintf("%s.%s", l->name, suffix);

	if (run < 0)
		return err_errno(e, -errno, "opening %s", l->run_dir);
	if (mkdirat(run, file, mode) < 0 && errno != EEXIST)
		return err_errno(e, -errno, "making %s/%s", l->run_dir, file);
	int fd = openat(run, file, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_errno(e, -errno, "opening %s/%s", l->run_dir, file);
	if (st.st_uid == geteuid() && !(st.st_mode & (S_IWGRP | S_IWOTH)))
		return fd;
	close(fd);
	return err_set(e, -EPERM, "%s/%s could be written by others", l->run_dir, file);
}

static int make_queue(struct logging *l, int flags)
{
	fd_close(&l->queue_file);
	l->queue_file =
	    openat(l->dir, "queue", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | flags, 0600);
	return l->queue_file < 0 ? -errno : queue_make(l->queue_file, l->set.room);
}

/* One at a time: several may begin at once. */
static int open_queue(struct logging *l, struct err *e)
{
	CLEANUP_FD int lock = openat(l->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = lock < 0 || flock(lock, LOCK_EX) < 0 ? -errno : make_queue(l, 0);

	if (r == -ESTALE) /* an old relay may still have it */
		r = unlinkat(l->dir, "queue", 0) < 0 ? -errno : make_queue(l, O_EXCL);
	if (r == 0)
		r = queue_attach(&l->queue, l->queue_file, true);
	return r < 0 ? err_errno(e, r, "making the queue of %s's syslog messages", l->name) : 0;
}

static const char *socket_name(const struct logging *l, char buf[32])
{
	snprintf(buf, 32, l->shared ? SOCKET ".%d" : SOCKET, (int)getpid());
	return buf;
}

/* What killed ones have left in the directory @at. */
static void sweep(int at)
{
	int fd = openat(at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	while (d && (entry = readdir(d))) {
		const char *number = str_after(entry->d_name, SOCKET ".");
		if (number && kill((pid_t)atoi(number), 0) < 0 && errno == ESRCH)
			unlinkat(at, entry->d_name, 0);
	}
	if (d)
		closedir(d);
	else
		fd_close(&fd);
}

void logging_mounted(const struct logging *l)
{
	char name[32];

	if (l->shared && l->dir >= 0)
		unlinkat(l->dir, socket_name(l, name), 0);
}

/* SO_PASSCRED before the first message: of each the kernel notes who sent it. */
static int open_socket(struct logging *l, struct err *e)
{
	bool stream = l->set.stream;
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int on = 1, off = 0;
	char name[32];

	relay_path(a.sun_path, l->dir, socket_name(l, name));
	unlinkat(l->dir, name, 0);
	l->socket = socket(AF_UNIX, (stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);
	if (l->socket < 0 || setsockopt(l->socket, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0 ||
	    fcntl(l->socket, F_SETFL, O_NONBLOCK) < 0 ||
	    bind(l->socket, (struct sockaddr *)&a, sizeof(a)) < 0 ||
	    fchmodat(l->dir, name, 0666, 0) < 0 || (stream && listen(l->socket, BACKLOG) < 0))
		return err_errno(e, -errno, "making %s/%s.log/%s", l->run_dir, l->name, name);
	/* Where the kernel can: one that comes along and is told to linger would hold the relay. */
	setsockopt(l->socket, SOL_SOCKET, SO_PASSRIGHTS, &off, sizeof(off));
	return 0;
}

static void add(struct logging *l, int fd, unsigned events, unsigned what)
{
	struct epoll_event ev = {.events = events, .data.u32 = what};

	if (fd >= 0)
		epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &ev);
}

static int open_events(struct logging *l, struct err *e)
{
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	l->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (l->epoll < 0 || l->timer < 0)
		return err_errno(e, -errno, "making descriptors for %s's syslog", l->name);
	if (log_sink_file(l->set.where))
		l->watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	add(l, l->timer, EPOLLIN, TIMER);
	add(l, l->watch, EPOLLIN, WATCH);
	if (!l->set.stream)
		add(l, l->socket, EPOLLIN | EPOLLONESHOT, SOURCE);
	return 0;
}

static int open_relayed(struct logging *l, struct err *e)
{
	l->dir = open_dir(l, "log", 0700, e);
	int r = l->dir < 0 ? l->dir : open_queue(l, e);
	if (r == 0 && l->shared)
		sweep(l->dir);
	if (r == 0)
		r = open_socket(l, e);
	if (r == 0)
		r = open_events(l, e);
	return r;
}

static int open_daemon(struct logging *l, struct err *e)
{
	CLEANUP_FD int dir = open_dir(l, "daemon", 0755, e);

	if (dir < 0)
		return dir;
	l->by_daemon = true;
	return 0;
}

/* What is bound at /dev/log, new; as confine/rootfs.h wants it: no link on the way. */
static char *find_source(const struct logging *l)
{
	CLEANUP_STR char *dir =
	    xasprintf("%s/%s.%s", l->run_dir, l->name, l->by_daemon ? "daemon" : "log");
	CLEANUP_STR char *real = realpath(dir, NULL);
	char name[32];

	return !real || l->by_daemon ? steal_ptr(real) : path_join(real, socket_name(l, name));
}

void logging_pack(struct pack *w, struct logging_settings *s)
{
	pack_text(w, &s->where);
	PACK_FIELD(w, s->stream);
	PACK_FIELD(w, s->room);
	PACK_FIELD(w, s->burst);
	PACK_FIELD(w, s->interval_ms);
}

void logging_mount(struct plan *p, const char *source, bool by_daemon)
{
	unsigned flags =
	    MOUNT_READONLY | MOUNT_NOSUID | MOUNT_NODEV | MOUNT_NOEXEC | MOUNT_UNMAPPED;

	if (by_daemon) {
		plan_mount(p, MOUNT_DIR, "/dev/syslog", NULL, 0)->mode = 0755;
		plan_mount(p, MOUNT_BIND, "/dev/syslog", source, flags);
		plan_mount(p, MOUNT_LINK, "/dev/log", "syslog/log", 0);
	} else
		plan_mount(p, MOUNT_BIND, "/dev/log", source, flags);
}

int logging_plan(const struct logging *l, struct plan *p, struct err *e)
{
	CLEANUP_STR char *source = l->open ? find_source(l) : NULL;

	if (l->open && !source)
		return err_set(e, -EIO, "%s: its place in %s has gone", l->name, l->run_dir);
	if (l->open)
		logging_mount(p, source, l->by_daemon);
	return 0;
}

/* --- the relay --- */

static void wake_in(struct logging *l, unsigned ms)
{
	struct itimerspec t = {
	    .it_value = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 + 1}};

	timerfd_settime(l->timer, 0, &t, NULL);
}

static void listen_again(struct logging *l)
{
	struct epoll_event ev = {.events = EPOLLIN | EPOLLONESHOT, .data.u32 = SOURCE};

	if (!l->set.stream)
		epoll_ctl(l->epoll, EPOLL_CTL_MOD, l->socket, &ev);
	else
		wake_in(l, STREAM_MS);
}

static void say_hello(struct logging *l)
{
	struct wire w = {.type = WIRE_HELLO,
			 .form = log_sink_form(l->set.where),
			 .anew = !l->greeted && !l->shared,
			 .shared = l->shared,
			 .way = log_sink_number(l->set.where),
			 .stream = l->set.stream,
			 .burst = l->set.burst,
			 .interval_ms = l->set.interval_ms};
	const int fds[] = {l->queue_file, l->socket};

	snprintf(w.name, sizeof(w.name), "%s", l->name);
	gethostname(w.host, sizeof(w.host) - 1);
	l->greeted |= wire_send(l->conn, &w, fds, 2) == 0;
}

/* What nobody takes is not to stop the service. */
static void discard(struct logging *l)
{
	uint64_t *n = &l->queue.head->figures.unserved;
	char byte;

	if (l->set.stream)
		return; /* whose connections broke with the relay: syslog(3) drops by itself */
	for (int i = 0; i < DISCARD && recv(l->socket, &byte, 1, MSG_DONTWAIT) >= 0; i++)
		__atomic_add_fetch(n, 1, __ATOMIC_RELAXED);
}

static void try_later(struct logging *l)
{
	if (now_ms() - l->lost > STALL_MS)
		discard(l);
	l->delay = l->delay ? l->delay * 2 : 1;
	if (l->delay > DELAY_MAX)
		l->delay = DELAY_MAX;
	wake_in(l, l->delay);
	listen_again(l);
}

/* One that has served us is looked for at once; one that takes the connection and no more (it is of
 * another version) is none. */
static void lose(struct logging *l)
{
	epoll_ctl(l->epoll, EPOLL_CTL_DEL, l->conn, NULL); /* a child may hold it for a while */
	fd_close(&l->conn);
	fd_close(&l->relay);
	l->pinged = 0;
	l->told_last = false;
	if (l->lost) {
		try_later(l);
		return;
	}
	l->lost = now_ms();
	l->delay = 0;
	wake_in(l, 0);
}

/* It does its work: that it takes connections says nothing yet. */
static void found(struct logging *l)
{
	l->lost = 0;
	l->delay = 0;
}

static void ping(struct logging *l)
{
	const struct wire w = {.type = WIRE_PING};

	l->beat = __atomic_load_n(&l->queue.head->beat, __ATOMIC_ACQUIRE);
	l->pinged = now_ms();
	wire_send(l->conn, &w, NULL, 0);
	wake_in(l, LOOK_MS);
}

static bool try_connect(struct logging *l)
{
	pid_t pid = 0;

	l->conn = relay_connect(l->run_dir, &pid);
	if (l->conn < 0)
		return false;
	l->relay = pidfd_open(pid, 0);
	add(l, l->conn, EPOLLIN, CONN);
	say_hello(l);
	listen_again(l);
	ping(l);
	return true;
}

static bool somebody_waits(const struct logging *l)
{
	struct pollfd pfd = {.fd = l->socket, .events = POLLIN};

	return l->set.stream || poll(&pfd, 1, 0) > 0;
}

static bool is_left(const struct logging *l)
{
	struct pollfd pfd = {.fd = l->socket, .events = POLLIN};

	return poll(&pfd, 1, 0) > 0 || !queue_empty(&l->queue);
}

static void find_relay(struct logging *l)
{
	if (try_connect(l))
		return;
	if (!l->ending || is_left(l))
		relay_start(l->run_dir, l->program, NULL);
	try_later(l);
}

/* Something has been sent a while ago, or is sent over connections that we do not see. */
static void look_after(struct logging *l)
{
	bool answered = __atomic_load_n(&l->queue.head->beat, __ATOMIC_ACQUIRE) != l->beat;

	if (l->pinged && answered) {
		l->pinged = 0;
		found(l);
	}
	if (!l->pinged && l->set.stream && answered) {
		l->beat = l->queue.head->beat; /* alive: asked again a second later */
		wake_in(l, STREAM_MS);
	} else if (!l->pinged && somebody_waits(l))
		ping(l);
	else if (!l->pinged)
		listen_again(l);
	else if (now_ms() - l->pinged < STALL_MS)
		wake_in(l, LOOK_MS);
	else {
		if (l->relay >= 0)
			pidfd_send_signal(l->relay, SIGKILL, NULL, 0);
		lose(l);
	}
}

/* --- events --- */

static void take_timer(struct logging *l)
{
	uint64_t n;

	if (read(l->timer, &n, sizeof(n)) < 0)
		return;
	if (l->conn < 0)
		find_relay(l);
	else
		look_after(l);
}

/* The file that has the name now, 0: none. */
static ino_t file_now(const struct logging *l)
{
	struct stat st;

	return lstat(log_sink_file(l->set.where), &st) < 0 ? 0 : st.st_ino;
}

static void give_way_out(struct logging *l)
{
	if (l->lookup >= 0) /* on its way */
		return;
	l->lookup = log_sink_answer(l->conn, l->set.where);
	add(l, l->lookup, EPOLLIN, LOOKUP);
	if (l->watch < 0)
		return;
	l->file = file_now(l);
	inotify_add_watch(l->watch, log_sink_file(l->set.where), IN_MOVE_SELF | IN_ATTRIB);
}

static void take_lookup(struct logging *l)
{
	log_sink_pass_on(l->lookup, l->conn);
	fd_close(&l->lookup);
}

/* Renamed or removed (which changes its number of links), another one is made in its place. */
static void take_watch(struct logging *l)
{
	char events[4096];
	const struct inotify_event *ev;
	ssize_t n;

	while ((n = read(l->watch, events, sizeof(events))) > 0)
		for (const char *at = events; at < events + n; at += sizeof(*ev) + ev->len) {
			ev = (const void *)at;
			if (ev->mask & IN_MOVE_SELF)
				inotify_rm_watch(l->watch, ev->wd);
		}
	if (file_now(l) != l->file && l->conn >= 0)
		give_way_out(l);
}

static void take_conn(struct logging *l)
{
	int fds[WIRE_FDS];
	struct wire w;

	for (;;) {
		int r = wire_receive(l->conn, &w, fds);
		if (r == -EAGAIN)
			return;
		for (int i = 0; i < WIRE_FDS; i++)
			fd_close(&fds[i]);
		if (r <= 0) {
			lose(l);
			return;
		}
		found(l);
		if (w.type == WIRE_WANT)
			give_way_out(l);
		l->drained |= w.type == WIRE_DRAINED;
		l->alone |= w.type == WIRE_DRAINED && w.alone;
	}
}

static void take_source(struct logging *l)
{
	if (l->conn >= 0)
		wake_in(l, LOOK_MS);
	else if (now_ms() - l->lost > STALL_MS) {
		discard(l);
		listen_again(l);
	}
}

int logging_fd(const struct logging *l)
{
	return l->epoll;
}

void logging_serve(struct logging *l)
{
	static void (*const takers[])(struct logging *) = {
	    [CONN] = take_conn,	  [TIMER] = take_timer,	  [SOURCE] = take_source,
	    [WATCH] = take_watch, [LOOKUP] = take_lookup,
	};
	struct epoll_event ev[ARRAY_LEN(takers)];
	int n = l->epoll < 0 ? 0 : epoll_wait(l->epoll, ev, ARRAY_LEN(ev), 0);

	for (int i = 0; i < n; i++)
		if (ev[i].data.u32 != CONN || l->conn >= 0)
			takers[ev[i].data.u32](l);
}

/* --- from start to end --- */

bool logging_is_none(const char *syslog)
{
	return syslog && streq(syslog, "none");
}

bool logging_is_daemon(const char *syslog)
{
	return syslog && streq(syslog, "daemon");
}

int logging_open(struct logging *l, struct err *e)
{
	if (l->open || logging_is_none(l->set.where))
		return 0;
	bool by_daemon = logging_is_daemon(l->set.where);
	int r = by_daemon ? open_daemon(l, e) : open_relayed(l, e);
	l->open = r == 0;
	if (r < 0 || by_daemon)
		return r;
	l->lost = now_ms();
	try_connect(l);
	return 0;
}

/* Not that a start would fail without it: what the service says then waits. */
void logging_greet(struct logging *l)
{
	if (!l->open || l->by_daemon || l->conn >= 0)
		return;
	l->lost = now_ms();
	while (!try_connect(l) && now_ms() - l->lost < FIRST_MS) {
		relay_start(l->run_dir, l->program, NULL);
		usleep(GREET_US);
	}
	if (l->conn < 0)
		wake_in(l, 1);
}

size_t logging_fds(const struct logging *l, int ret[LOGGING_FDS])
{
	const int fds[LOGGING_FDS] = {l->program, l->dir,   l->socket, l->queue_file, l->conn,
				      l->relay,	  l->epoll, l->timer,  l->watch,      l->lookup};

	memcpy(ret, fds, sizeof(fds));
	return LOGGING_FDS;
}

void logging_adopt(struct logging *l)
{
	l->queue = (struct queue)QUEUE_INIT;
	if (l->open && !l->by_daemon && queue_attach(&l->queue, l->queue_file, true) < 0)
		logging_close(l);
}

static void say_last(struct logging *l)
{
	const struct wire w = {.type = WIRE_LAST};

	if (l->conn < 0 || l->told_last)
		return;
	wire_send(l->conn, &w, NULL, 0);
	l->told_last = true;
}

/* Also where the relay has just died, and another one is to take what is left. */
static void wait_drained(struct logging *l)
{
	uint64_t end = now_ms() + LOGGING_LAST_MS;

	while (!l->drained && now_ms() < end && (l->conn >= 0 || is_left(l))) {
		struct pollfd pfd = {.fd = l->epoll, .events = POLLIN};
		say_last(l);
		if (poll(&pfd, 1, 20) > 0)
			logging_serve(l);
	}
}

/* The relay ends with its last jail. */
static void see_off(struct logging *l)
{
	struct pollfd pfd = {.fd = l->relay, .events = POLLIN};

	fd_close(&l->conn);
	if (l->relay >= 0 && poll(&pfd, 1, RELAY_END_MS) > 0)
		relay_clear(l->run_dir);
}

void logging_close(struct logging *l)
{
	l->ending = true;
	if (l->queue.head)
		wait_drained(l);
	if (l->alone)
		see_off(l);
	/* Of those that share it nobody is the last one: it has their figures. */
	bool empty = !l->shared && l->queue.head && queue_empty(&l->queue);
	char name[32];
	queue_unmap(&l->queue);
	if (l->dir >= 0)
		unlinkat(l->dir, socket_name(l, name), 0);
	int *const fds[] = {&l->program, &l->dir,   &l->socket, &l->queue_file, &l->conn,
			    &l->relay,	 &l->epoll, &l->timer,	&l->watch,	&l->lookup};
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		fd_close(fds[i]);
	if (empty || (l->by_daemon && !l->shared))
		logging_forget(l->run_dir, l->name);
	*l = (struct logging)LOGGING_INIT;
}

void logging_forget(const char *run_dir, const char *name)
{
	CLEANUP_FD int run = open(run_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP_STR char *log = xasprintf("%s.log", name);
	CLEANUP_STR char *daemon = xasprintf("%s.daemon", name);
	CLEANUP_FD int dir =
	    run < 0 ? -1 : openat(run, log, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (run < 0)
		return;
	if (dir >= 0) {
		sweep(dir);
		unlinkat(dir, SOCKET, 0);
		unlinkat(dir, "queue", 0);
	}
	unlinkat(run, log, AT_REMOVEDIR);
	unlinkat(run, daemon, AT_REMOVEDIR); /* a daemon that listens there keeps it */
}

int logging_look(const char *run_dir, const char *name, struct logging_figures *ret)
{
	CLEANUP_STR char *path = xasprintf("%s/%s.log/queue", run_dir, name);
	CLEANUP_FD int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct queue_figures f;
	struct logging_figures r = {0};

	int code = fd < 0 ? -errno : queue_look(fd, &f, &r.waiting, &r.relay);
	if (code < 0)
		return code;
	r.accepted = f.taken + f.unserved;
	r.forwarded = f.delivered;
	r.dropped = f.full + f.limited + f.unserved;
	*ret = r;
	return 0;
}
