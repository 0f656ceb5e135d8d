/* SPDX-License-Identifier: MIT */
#include "jail/shell.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "confine/visit.h"
#include "elf/interp.h"
#include "fs/dir.h"
#include "jail/generation.h"
#include "jail/mounts.h"
#include "jail/running.h"
#include "ld/ld-conf.h"
#include "ld/loader.h"

/* Where programs of the host and what they need stand, hier(7). */
static const char *const trees[] = {"/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"};
static const char *const searched[] = {"/usr/local/sbin", "/usr/local/bin", "/usr/sbin",
				       "/usr/bin",	  "/sbin",	    "/bin"};

static void find_trees(struct strv *ret)
{
	struct stat st;

	for (size_t i = 0; i < ARRAY_LEN(trees); i++)
		if (lstat(trees[i], &st) == 0 && S_ISDIR(st.st_mode))
			strv_add(ret, trees[i]);
}

static bool below_trees(const struct strv *all, const char *path)
{
	for (size_t i = 0; i < all->n; i++)
		if (path_within(path, all->v[i]))
			return true;
	return false;
}

/* Each program by its name. A link such as /etc/alternatives is followed here: in the jail it leads
 * nowhere. */
static void find_programs(struct visit *v)
{
	for (size_t i = 0; i < ARRAY_LEN(searched); i++) {
		struct strv names CLEANUP_STRV = STRV_INIT;
		CLEANUP_FD int dir = open(searched[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (dir < 0 || dir_names(dir, &names) < 0)
			continue;
		for (size_t k = 0; k < names.n; k++) {
			CLEANUP_STR char *path = path_join(searched[i], names.v[k]);
			CLEANUP_STR char *end = realpath(path, NULL);
			if (end && below_trees(&v->trees, end) && !strchr(names.v[k], '='))
				strv_take(&v->links, xasprintf("%s=%s", names.v[k], end));
		}
	}
}

/* What the host's programs name as their loader; and LD_LIBRARY_PATH for it: the jail's own cache
 * and directories are not to be asked first. */
static char *find_loader(struct visit *v, const struct strv *all)
{
	struct strv dirs CLEANUP_STRV = STRV_INIT;
	char path[PATH_MAX], *list = xstrdup("LD_LIBRARY_PATH=");
	enum interp_kind kind = INTERP_NONE;
	CLEANUP_FD int sh = open("/bin/sh", O_RDONLY | O_CLOEXEC);
	CLEANUP_FD int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (sh < 0 || interp_find_fd(sh, path, sizeof(path), &kind) < 0 || kind != INTERP_ELF)
		return list; /* static, as in busybox */
	v->loader = xstrdup(path);
	struct loader *l = loader_new(root, path, NULL);
	ld_conf_read(root, "/etc/ld.so.conf", &dirs, NULL);
	if (l)
		strv_add_all(&dirs, &l->dirs);
	loader_free(l);
	struct strv taken CLEANUP_STRV = STRV_INIT;
	for (size_t i = 0; i < dirs.n; i++) {
		CLEANUP_STR char *end = realpath(dirs.v[i], NULL);
		if (!end || !below_trees(all, end) || strv_has(&taken, end))
			continue;
		strv_add(&taken, end);
		char *more =
		    xasprintf("%s%s" VISIT_TOOLS "%s", list, str_ends(list, "=") ? "" : ":", end);
		free(list);
		list = more;
	}
	return list;
}

static void make_env(struct visit *v, const char *name, struct strv *env)
{
	static const char *const passed[] = {"TERM", "COLUMNS", "LINES", "NO_COLOR"};
	static const char *const fixed[] = {
	    "PATH=" VISIT_TOOLS "/bin",
	    "HOME=/",
	    "USER=root",
	    "LOGNAME=root",
	    "SHELL=" VISIT_TOOLS "/bin/sh",
	    "LC_ALL=C.UTF-8",
	    "TERMINFO_DIRS=" VISIT_TOOLS "/usr/share/terminfo:" VISIT_TOOLS
	    "/usr/lib/terminfo:" VISIT_TOOLS "/lib/terminfo",
	};

	for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
		strv_add(env, fixed[i]);
	for (size_t i = 0; i < ARRAY_LEN(passed); i++) {
		const char *value = getenv(passed[i]);
		if (value)
			strv_take(env, xasprintf("%s=%s", passed[i], value));
	}
	strv_take(env, find_loader(v, &v->trees));
	strv_take(env, xasprintf("PS1=%s# ", name));
}

/* What a start would show, as far as the host has it. */
static int plan_sealed(const struct dirs *d, const char *name, struct plan *p, struct err *e)
{
	struct generation g CLEANUP_GENERATION = GENERATION_INIT;
	CLEANUP_FD int host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct spec *s CLEANUP_SPEC = NULL;
	int r = generation_load(d, name, &g, e);

	if (r == 0)
		r = generation_spec(&g, name, &s, e);
	if (r < 0)
		return r;
	p->root = generation_hold(&g, e);
	if (p->root < 0)
		return p->root;
	r = mounts_sealed(p, &g.layout, g.dir, s, host, e);
	for (size_t i = 0; i < p->mounts.n; i++)
		if (p->mounts.v[i].kind == MOUNT_BIND)
			p->mounts.v[i].flags |= MOUNT_OPTIONAL;
	return r;
}

/* The init of the jail, or -1 where it does not run. */
static int find_init(const struct dirs *d, const char *name)
{
	struct running running;

	if (!running_held(d, name) || running_read(d, name, &running) < 0)
		return -1;
	int fd = pidfd_open(running.init, 0);
	/* The number could have become somebody else's before it was opened. */
	bool right = fd >= 0 && running_is_init(&running) && running_held(d, name);
	return right ? fd : (fd_close(&fd), -1);
}

int shell_run(const struct dirs *d, const char *name, char *const *argv, int *ret_status,
	      struct err *e)
{
	static char sh[] = "sh";
	static char *const shell[] = {sh, NULL};
	struct strv env CLEANUP_STRV = STRV_INIT;
	CLEANUP_FD int init = find_init(d, name);
	struct plan plan;
	struct visit v = {.init = init, .plan = &plan, .argv = argv[0] ? argv : shell};

	v.terminal = !argv[0] && tcgetpgrp(0) == getpgrp();

	plan_init(&plan);
	int r = init < 0 ? plan_sealed(d, name, &plan, e) : 0;
	if (r == 0) {
		find_trees(&v.trees);
		find_programs(&v);
		make_env(&v, name, &env);
		v.envp = env.v;
		r = visit_run(&v, ret_status, e);
	}
	fd_close(&plan.root);
	plan_done(&plan);
	strv_done(&v.trees);
	strv_done(&v.links);
	free(v.loader);
	return r;
}
