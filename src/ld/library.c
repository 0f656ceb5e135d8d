/* SPDX-License-Identifier: MIT */
#include "ld/library.h"

#include <fcntl.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/log.h"
#include "fs/beneath.h"
#include "host/host.h"

#define COMPILED_MAX 4096

struct library_path {
	char *path;
	struct library *library; /* or NULL */
	UT_hash_handle hh;
};

static void library_free(struct library *l)
{
	elf_object_done(&l->object);
	strv_done(&l->paths);
	free(l->path);
	free(l);
}

void library_files_done(struct library_files *f)
{
	struct library *l, *next;
	struct library_path *p, *next_path;

	HASH_ITER(hh, f->libraries, l, next)
	{
		HASH_DEL(f->libraries, l);
		library_free(l);
	}
	HASH_ITER(hh, f->paths, p, next_path)
	{
		HASH_DEL(f->paths, p);
		free(p->path);
		free(p);
	}
}

static bool read_object(int root, const char *canonical, struct elf_object *ret)
{
	CLEANUP_FD int fd = beneath_open_nolink(root, canonical, O_RDONLY | O_NONBLOCK, 0);
	struct err e = {0};

	if (fd < 0 || elf_object_read_fd(fd, ret, &e) < 0) {
		if (e.code)
			log_debug("%s: %s", canonical, e.msg);
		return false;
	}
	return true;
}

/* Takes @canonical over. */
static struct library *read_library(struct library_files *f, char *canonical, const struct stat *st)
{
	struct library *l;
	struct elf_object o;

	HASH_FIND_STR(f->libraries, canonical, l);
	if (l || !S_ISREG(st->st_mode) || !read_object(f->root, canonical, &o)) {
		free(canonical);
		return l;
	}
	l = xcalloc(1, sizeof(*l));
	*l = (struct library){.path = canonical,
			      .mode = st->st_mode,
			      .size = st->st_size,
			      .object = o,
			      .machine = machine_of(o.machine, o.wide, o.flags)};
	HASH_ADD_KEYPTR(hh, f->libraries, l->path, strlen(l->path), l);
	return l;
}

struct library *library_at(struct library_files *f, const char *path)
{
	struct library_path *p;
	char *canonical;
	struct stat st;

	HASH_FIND_STR(f->paths, path, p);
	if (p)
		return p->library;
	p = xcalloc(1, sizeof(*p));
	p->path = xstrdup(path);
	if (host_resolve(f->root, path, &canonical, &st, NULL) == 0)
		p->library = read_library(f, canonical, &st);
	HASH_ADD_KEYPTR(hh, f->paths, p->path, strlen(p->path), p);
	return p->library;
}

const struct strv *library_paths(const struct library_files *f, struct library *l)
{
	CLEANUP_FD int fd =
	    l->paths_read ? -1 : beneath_open_nolink(f->root, l->path, O_RDONLY | O_NONBLOCK, 0);

	if (fd >= 0)
		elf_paths(fd, COMPILED_MAX, &l->paths, NULL);
	l->paths_read = true;
	return &l->paths;
}
