/* SPDX-License-Identifier: MIT */
#include "jail/labels.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "fs/beneath.h"
#include "jail/account.h"
#include "jail/generation.h"

/* Canonical: what is mounted is found without following links. */
static char *shared_dir(void)
{
	struct dirs d = {0};
	char real[PATH_MAX];

	if (dirs_init(&d, NULL) < 0)
		return xstrdup("/var/lib/immure/shared"); /* main() has looked already */
	char *dir = path_join(realpath(d.state, real) ? real : d.state, "shared");
	dirs_done(&d);
	return dir;
}

char *label_source(const char *bind)
{
	CLEANUP_STR char *label = xstrndup(bind + 1, strcspn(bind + 1, ":"));
	CLEANUP_STR char *dir = shared_dir();

	return path_join(dir, label);
}

static int user_of(const char *word, uid_t *ret, struct err *e)
{
	char *end;
	unsigned long number = strtoul(word, &end, 10);
	const struct passwd *pw = *end ? getpwnam(word) : NULL;

	*ret = pw ? pw->pw_uid : (uid_t)number;
	return *end && !pw ? err_set(e, -EINVAL, "Shared=: there is no user %s", word) : 0;
}

static int group_of(const char *word, gid_t *ret, struct err *e)
{
	char *end;
	unsigned long number = strtoul(word, &end, 10);
	const struct group *gr = *end ? getgrnam(word) : NULL;

	*ret = gr ? gr->gr_gid : (gid_t)number;
	return *end && !gr ? err_set(e, -EINVAL, "Shared=: there is no group %s", word) : 0;
}

/* "USER:GROUP:MODE" behind "LABEL=" of Shared=, or NULL. */
static const char *said_of(const struct spec *s, const char *label)
{
	const char *said = NULL;

	for (size_t i = 0; i < s->shared.n; i++) {
		const char *rest = str_after(s->shared.v[i], label);
		if (rest && *rest == '=')
			said = rest + 1;
	}
	return said;
}

static int take_owner(const struct spec *s, const char *said, struct provision *p, struct err *e)
{
	struct account who;
	int r = said ? 0 : account_of(s, &who, e);

	if (r < 0)
		return r;
	if (!said) {
		p->uid = who.uid;
		p->gid = who.gid;
		p->mode = 0750;
		return 0;
	}
	CLEANUP_STR char *text = xstrdup(said);
	char *rest = text;
	const char *user = strsep(&rest, ":"), *group = strsep(&rest, ":");
	p->mode = (mode_t)strtoul(rest, NULL, 8); /* checked when the spec was read */
	r = user_of(user, &p->uid, e);
	return r == 0 ? group_of(group, &p->gid, e) : r;
}

static int check_there(const struct provision *p, const char *label, struct err *e)
{
	struct stat st;

	if (lstat(p->source, &st) < 0 || (S_ISDIR(st.st_mode) && st.st_uid == p->uid &&
					  st.st_gid == p->gid && (st.st_mode & 07777) == p->mode))
		return 0;
	return err_set(
	    e, -EEXIST,
	    "Shared=%s=%u:%u:%04o: %s is there already, with %u:%u:%04o, as another jail "
	    "has made it. Give all jails that name it the same line, or change the "
	    "directory",
	    label, (unsigned)p->uid, (unsigned)p->gid, (unsigned)p->mode, p->source,
	    (unsigned)st.st_uid, (unsigned)st.st_gid, (unsigned)(st.st_mode & 07777));
}

static int read_one(const struct spec *s, const char *bind, bool writable, struct layout *ret,
		    struct err *e)
{
	CLEANUP_STR char *label = xstrndup(bind + 1, strcspn(bind + 1, ":"));
	const char *said = said_of(s, label);
	struct provision p = {.class = CLASS_STATE, .writable = writable, .create = true};
	int r = take_owner(s, said, &p, e);

	if (r < 0)
		return r;
	p.source = label_source(bind);
	r = said ? check_there(&p, label, e) : 0;
	if (r < 0) {
		free(p.source);
		return r;
	}
	p.path = path_normal(bind + strcspn(bind, ":") + 1);
	p.why = xasprintf("shared by name: BindPaths=@%s of the spec", label);
	ret->v = xrealloc(ret->v, ret->n + 1, sizeof(*ret->v));
	ret->v[ret->n++] = p;
	return 0;
}

int labels_read(const struct spec *s, struct layout *ret, struct err *e)
{
	const struct {
		const struct strv *binds;
		bool writable;
	} lists[] = {{&s->bind_paths, true}, {&s->bind_read_only_paths, false}};
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		for (size_t k = 0; r == 0 && k < lists[i].binds->n; k++)
			if (label_is(lists[i].binds->v[k]))
				r = read_one(s, lists[i].binds->v[k], lists[i].writable, ret, e);
	return r;
}

/* The place that it has natively, and what is shown there. */
static int put_one(const struct provision *p, const struct world *w, struct err *e)
{
	struct provision both[] = {*p, *p};
	const struct layout l = {.v = both, .n = ARRAY_LEN(both)};

	both[1].source = NULL;
	int r = layout_create(&l, w->root, NULL, e);
	return r == 0 ? world_substitute(w, p->path, p->source, e) : r;
}

int labels_put(const struct spec *s, const struct world *w, struct err *e)
{
	struct layout all CLEANUP_LAYOUT = LAYOUT_INIT;
	int r = labels_read(s, &all, e);

	for (size_t i = 0; r == 0 && i < all.n; i++)
		r = put_one(&all.v[i], w, e);
	return r;
}

void labels_of(const struct dirs *d, const char *name, struct strv *ret)
{
	struct generation g CLEANUP_GENERATION = GENERATION_INIT;
	CLEANUP_STR char *shared = shared_dir();

	if (generation_load(d, name, &g, NULL) < 0)
		return;
	for (size_t i = 0; i < g.layout.n; i++)
		if (g.layout.v[i].source && path_within(g.layout.v[i].source, shared))
			strv_add(ret, g.layout.v[i].source);
}

int labels_remove(const struct dirs *d, const struct strv *sources, struct err *e)
{
	struct strv names CLEANUP_STRV = STRV_INIT, used CLEANUP_STRV = STRV_INIT;
	CLEANUP_STR char *shared = shared_dir();
	int r = sources->n ? jail_names(d, &names, e) : 0;

	for (size_t i = 0; r == 0 && i < names.n; i++)
		labels_of(d, names.v[i], &used);
	CLEANUP_FD int dir = open(shared, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	for (size_t i = 0; r == 0 && dir >= 0 && i < sources->n; i++) {
		if (strv_has(&used, sources->v[i]))
			continue;
		r = tree_remove(dir, path_base(sources->v[i]));
		if (r < 0)
			return err_errno(e, r, "removing %s", sources->v[i]);
	}
	rmdir(shared); /* while there is another label in it, it stays */
	return r;
}
