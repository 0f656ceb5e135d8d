/* SPDX-License-Identifier: MIT */
#include "grow/event.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/un.h>

#include "base/str.h"
#include "grow/tracee.h"

/* FAN_MARK_DONT_FOLLOW of linux/fanotify.h, whose other contents clash with fcntl.h. */
#define FAN_DONT_FOLLOW 0x4u

static unsigned open_kinds(uint64_t flags)
{
	unsigned kinds = 0;

	if (flags & O_PATH)
		return TOUCH_LOOK;
	if ((flags & O_ACCMODE) != O_WRONLY)
		kinds |= TOUCH_READ;
	if ((flags & O_ACCMODE) != O_RDONLY || (flags & O_TRUNC))
		kinds |= TOUCH_WRITE;
	if (flags & O_CREAT)
		kinds |= TOUCH_MAKE;
	/* An unnamed file: the directory is written, whatever link(2) does with it later. */
	if ((flags & O_TMPFILE) == O_TMPFILE)
		kinds |= TOUCH_WRITE | TOUCH_MAKE;
	return kinds;
}

static void read_open_flags(struct event_path *p, uint64_t flags)
{
	p->kinds |= open_kinds(flags);
	p->emptied = flags & O_TRUNC;
	p->follow = !(flags & O_NOFOLLOW) && (flags & (O_CREAT | O_EXCL)) != (O_CREAT | O_EXCL);
}

static void read_flags(struct event *ev, const struct call_path *cp, struct event_path *p)
{
	uint64_t flags = cp->flags == NO_ARG ? 0 : ev->args[cp->flags];
	struct open_how how = {0};

	p->emptied = cp->kinds == (TOUCH_WRITE | TOUCH_MAKE); /* creat(2) */
	switch (cp->follow) {
	case FOLLOW_SOURCE:
		p->mounted = flags & (MS_BIND | MS_MOVE);
		p->follow = true;
		break;
	case FOLLOW_YES:
		p->follow = true;
		break;
	case FOLLOW_NO:
		p->follow = false;
		break;
	case FOLLOW_OPEN:
		read_open_flags(p, flags);
		break;
	case FOLLOW_HOW:
		if (tracee_bytes(ev->tid, flags, &how, sizeof(how)) < 0)
			break;
		read_open_flags(p, how.flags);
		p->in_root = how.resolve & RESOLVE_IN_ROOT;
		break;
	case FOLLOW_AT:
	case FOLLOW_OPEN_TREE:
		p->follow = !(flags & AT_SYMLINK_NOFOLLOW);
		break;
	case FOLLOW_LINK:
		p->follow = flags & AT_SYMLINK_FOLLOW;
		break;
	case FOLLOW_UMOUNT:
		p->follow = !(flags & UMOUNT_NOFOLLOW);
		break;
	case FOLLOW_FANOTIFY:
		p->follow = !(flags & FAN_DONT_FOLLOW);
		break;
	}
}

/* The directory that a relative path of this call starts from. */
static int read_base(struct event *ev, int8_t dirfd_arg, char *base, size_t size)
{
	char name[32];
	int dirfd = dirfd_arg == NO_ARG ? AT_FDCWD : (int)ev->args[dirfd_arg];

	if (dirfd == AT_FDCWD)
		return tracee_link(ev->tid, "cwd", base, size);
	if (dirfd < 0)
		return -EBADF;
	snprintf(name, sizeof(name), "fd/%d", dirfd);
	return tracee_link(ev->tid, name, base, size);
}

static int read_path(struct event *ev, const struct call_path *cp, struct event_path *p)
{
	p->kinds = cp->kinds;
	if (cp->path == NO_ARG) { /* the descriptor itself */
		p->follow = true;
		return read_base(ev, cp->dirfd, p->base, sizeof(p->base));
	}
	int r = tracee_string(ev->tid, ev->args[cp->path], p->text, sizeof(p->text));
	if (r < 0)
		return r;
	read_flags(ev, cp, p);
	if (p->text[0] == '\0' && cp->dirfd == NO_ARG)
		return -ENOENT;
	/* fstat() in disguise: the descriptor was opened before, so its file is there. */
	if (p->text[0] == '\0' && !(p->kinds & TOUCH_EXEC))
		return -ENOENT;
	if (cp->follow == FOLLOW_SOURCE && p->text[0] != '/' && !p->mounted)
		return -ENOENT; /* a mere word: "tmpfs" */
	if (p->text[0] == '/' && !p->in_root)
		return 0;
	return read_base(ev, cp->dirfd, p->base, sizeof(p->base));
}

/* AF_UNIX addresses become paths; the internet's are kept for the record; abstract ones and all
 * others name no file. */
static int read_address(struct event *ev, const struct call_path *cp)
{
	struct event_path *p = &ev->paths[0];
	uint64_t len = ev->args[cp->path + 1];
	const struct sockaddr_un *un = (const void *)&ev->addr;

	if (len < sizeof(sa_family_t) || len > sizeof(ev->addr))
		return -EINVAL;
	int r = tracee_bytes(ev->tid, ev->args[cp->path], &ev->addr, len);
	if (r < 0)
		return r;
	ev->addr_len = (socklen_t)len;
	if (ev->addr.ss_family != AF_UNIX)
		return 0;
	size_t n = len - offsetof(struct sockaddr_un, sun_path);
	if (len <= offsetof(struct sockaddr_un, sun_path) || un->sun_path[0] == '\0')
		return -ENOENT;
	memcpy(p->text, un->sun_path, n);
	p->text[n] = '\0';
	p->used = true;
	p->follow = !(cp->kinds & TOUCH_BIND);
	p->kinds = cp->kinds;
	return p->text[0] == '/' ? 0 : read_base(ev, NO_ARG, p->base, sizeof(p->base));
}

void event_begin(struct event *ev, pid_t tid, enum phase phase, const struct call *call)
{
	ev->tid = tid;
	ev->phase = phase;
	ev->call = call;
	ev->root[0] = '\0';
	ev->addr.ss_family = AF_UNSPEC;
	ev->addr_len = 0;
	for (size_t i = 0; i < ARRAY_LEN(ev->paths); i++) {
		struct event_path *p = &ev->paths[i];
		p->text[0] = p->base[0] = '\0';
		p->used = p->follow = p->mounted = p->in_root = p->emptied = false;
		p->kinds = 0;
	}
}

int event_read(struct event *ev)
{
	int r = tracee_link(ev->tid, "root", ev->root, sizeof(ev->root));

	if (r < 0)
		return r;
	if (ev->call->shape == SHAPE_SOCKADDR)
		return read_address(ev, &ev->call->paths[0]);
	for (size_t i = 0; i < ARRAY_LEN(ev->paths); i++) {
		const struct call_path *cp = &ev->call->paths[i];
		if (cp->path == NO_ARG && cp->dirfd == NO_ARG)
			continue;
		/* Of two paths one may be unreadable (a mount's source): the other still counts. */
		int one = read_path(ev, cp, &ev->paths[i]);
		ev->paths[i].used = one == 0;
		r = i == 0 || one == 0 ? one : r;
	}
	return ev->paths[0].used || ev->paths[1].used ? 0 : r;
}
