/* SPDX-License-Identifier: MIT */
#include "confine/plan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/kernel.h"

void plan_init(struct plan *p)
{
	memset(p, 0, sizeof(*p));
	p->mnt_ns = p->net_ns = p->ipc_ns = p->uts_ns = p->user_ns = p->root = p->launcher = -1;
	p->cwd = "/";
	p->umask = 022;
	p->stdio[1] = 1;
	p->stdio[2] = 2;
}

void plan_done(struct plan *p)
{
	for (size_t i = 0; i < p->mounts.n; i++) {
		free(p->mounts.v[i].target);
		free(p->mounts.v[i].source);
	}
	free(p->mounts.v);
	p->mounts = (struct mount_list){0};
}

struct mount_op *plan_mount(struct plan *p, enum mount_kind kind, const char *target,
			    const char *source, unsigned flags)
{
	p->mounts.v = xrealloc(p->mounts.v, p->mounts.n + 1, sizeof(*p->mounts.v));
	struct mount_op *op = &p->mounts.v[p->mounts.n++];
	*op = (struct mount_op){.kind = kind,
				.flags = flags,
				.target = xstrdup(target),
				.source = source ? xstrdup(source) : NULL,
				.mode = 0755};
	return op;
}

static const char *const namespaces[PLAN_NAMESPACES] = {"mnt",
							"pid",
							"ipc",
							"uts",
							"cgroup",
							[PLAN_USER_NAMESPACE] = "user",
							[PLAN_NET_NAMESPACE] = "net"};

const char *plan_namespace_name(size_t i)
{
	return namespaces[i];
}

uint64_t plan_namespace(int own, size_t i)
{
	struct stat st;

	return fstatat(own, namespaces[i], &st, 0) == 0 ? st.st_ino : 0;
}

void plan_note_outside(struct plan *p)
{
	CLEANUP_FD int own = open("/proc/self/ns", O_PATH | O_DIRECTORY | O_CLOEXEC);

	for (size_t i = 0; own >= 0 && i < PLAN_NAMESPACES; i++)
		p->outside[i] = plan_namespace(own, i);
}

/* A link in its place would make another directory the root. */
int plan_open_root(struct plan *p, struct err *e)
{
	struct stat st;
	CLEANUP_FD int dir = open(p->root_path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (dir < 0)
		return err_errno(e, -errno, "opening the jail's root %s", p->root_path);
	if (fstat(dir, &st) < 0 || st.st_uid != 0 || st.st_mode & (S_IWGRP | S_IWOTH))
		return err_set(e, -EPERM, "%s is not root's alone to write", p->root_path);
	p->root = open_tree(dir, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
	return p->root < 0 ? err_errno(e, -errno, "taking hold of %s", p->root_path) : 0;
}
