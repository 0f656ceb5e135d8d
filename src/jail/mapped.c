/* SPDX-License-Identifier: MIT */
#include "jail/mapped.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "fs/beneath.h"
#include "host/places.h"
#include "jail/ready.h"

#define DELETED " (deleted)"

void mapped_done(struct mapped_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].path);
		free(l->v[i].name);
	}
	free(l->v);
	*l = (struct mapped_list){0};
}

static char *name_of(pid_t pid)
{
	char name[32] = "?", path[64];

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	FILE *f = fopen(path, "re");
	if (f && !fgets(name, sizeof(name), f))
		name[0] = '\0';
	if (f)
		fclose(f);
	name[strcspn(name, "\n")] = '\0';
	return xstrdup(name);
}

static void add(struct mapped_list *l, const char *path, pid_t pid)
{
	for (size_t i = 0; i < l->n; i++)
		if (streq(l->v[i].path, path)) {
			l->v[i].others += l->v[i].pid != pid;
			return;
		}
	if (l->n == MAPPED_MAX)
		return;
	l->v = xrealloc(l->v, l->n + 1, sizeof(*l->v));
	l->v[l->n++] = (struct mapped){.path = xstrdup(path), .pid = pid, .name = name_of(pid)};
}

/* Whether the file with number @ino that was mapped from @path is not what is there now. */
static bool is_replaced(const char *path, bool deleted, unsigned long ino, int tree,
			const struct layout *l)
{
	const struct provision *p = layout_find(l, path);
	struct stat st;

	if (place_private_area(path) || (p && p->writable))
		return false;
	if (deleted || p)
		return deleted;
	return beneath_lstat(tree, path, &st) < 0 || st.st_ino != ino;
}

/* One line of maps: "START-END PERMS OFFSET DEV INODE   PATH". */
static void look_at(char *line, pid_t pid, int tree, const struct layout *l,
		    struct mapped_list *ret)
{
	unsigned long ino = 0;
	char perms[8];
	int at = 0;

	line[strcspn(line, "\n")] = '\0';
	if (sscanf(line, "%*s %7s %*s %*s %lu %n", perms, &ino, &at) < 2 || !at ||
	    perms[2] != 'x' || line[at] != '/')
		return;
	char *path = line + at;
	bool deleted = str_ends(path, DELETED);
	if (deleted)
		path[strlen(path) - strlen(DELETED)] = '\0';
	if (!str_after(path, "/memfd:") && is_replaced(path, deleted, ino, tree, l))
		add(ret, path, pid);
}

static void look_into(pid_t pid, int tree, const struct layout *l, struct mapped_list *ret)
{
	char path[64], *line = NULL;
	size_t size = 0;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	FILE *f = fopen(path, "re");
	while (f && getline(&line, &size, f) > 0)
		look_at(line, pid, tree, l, ret);
	free(line);
	if (f)
		fclose(f);
}

/* immure's own program, which waits for connections there (Accept=yes), is of no generation. */
static bool is_ours(pid_t pid, pid_t init)
{
	char path[2][32];
	struct stat one, other;

	snprintf(path[0], sizeof(path[0]), "/proc/%d/exe", (int)pid);
	snprintf(path[1], sizeof(path[1]), "/proc/%d/exe", (int)init);
	return stat(path[0], &one) == 0 && stat(path[1], &other) == 0 &&
	       one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

void mapped_replaced(const struct running *r, int tree, const struct layout *l,
		     struct mapped_list *ret)
{
	const struct run run = {.init = r->init, .main = r->main, .init_fd = -1, .ctl = -1};
	struct pid_list pids CLEANUP_PIDS = {0};

	run_pids(&run, &pids);
	for (size_t i = 0; i < pids.n; i++)
		if (!is_ours(pids.v[i], r->init))
			look_into(pids.v[i], tree, l, ret);
}
