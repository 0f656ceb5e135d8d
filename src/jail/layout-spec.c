/* SPDX-License-Identifier: MIT */
/* Provisions that the spec names. */
#include <errno.h>

#include "base/alloc.h"
#include "base/path.h"
#include "host/host.h"
#include "host/places.h"
#include "jail/account.h"
#include "jail/doors.h"
#include "jail/labels.h"
#include "jail/layout-parts.h"

struct named {
	enum jail_class class;
	bool writable;
	const char *key;
};

static int not_there(const char *path, const char *key, struct err *e)
{
	return err_set(e, -ENOENT,
		       "%s=%s: there is no such path on this host (make it, or take the line out; "
		       "a '-' in front of a bind passes over what is missing)",
		       key, path);
}

/* What is only to be seen in the jail must be there; what it writes is made at the start. Through a
 * link to content the jail follows what the link says each time; other links are taken back to what
 * they mean now. A single file of configuration is no mount: it is copied, and renewed by a reload.
 */
static int add_named(struct derive *d, const char *path, const struct named *n, struct err *e)
{
	struct stat st = {0};
	CLEANUP_STR char *end = NULL;
	bool there = derive_exists(d->host, path, &st);
	bool link = there && S_ISLNK(st.st_mode);

	if (link && host_resolve(d->host, path, &end, &st, NULL) < 0)
		there = false;
	if (!there && !n->writable)
		return not_there(path, n->key, e);
	if (n->class == CLASS_CONFIG && S_ISREG(st.st_mode))
		return 0;
	bool followed = link && !n->writable && S_ISDIR(st.st_mode);
	char *why = xasprintf("%s=%s of the spec", n->key, path);
	struct provision *p =
	    derive_add(d, end && !followed ? end : path, n->class, n->writable, why);
	if (followed && streq(p->path, path)) {
		p->link = true;
		p->file = p->create = false;
	}
	return 0;
}

static int add_listed(struct derive *d, const struct strv *paths, const struct named *n,
		      struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < paths->n; i++) {
		CLEANUP_STR char *path = path_normal(paths->v[i]);
		r = add_named(d, path, n, e);
	}
	return r;
}

/* What is shared by name is mounted where the spec says, whatever covers that. */
static int add_shared(struct derive *d, struct err *e)
{
	struct layout all CLEANUP_LAYOUT = LAYOUT_INIT;
	int r = labels_read(d->spec, &all, e);

	for (size_t i = 0; r == 0 && i < all.n; i++) {
		struct provision *one = &all.v[i];
		const struct provision *at = layout_find(d->l, one->path);
		if (at && streq(at->path, one->path) && at->source)
			continue;
		struct provision *p =
		    at && streq(at->path, one->path)
			? derive_add(d, one->path, one->class, one->writable, xstrdup(one->why))
			: derive_put(d, one->path, one->class, one->writable, xstrdup(one->why));
		p->source = steal_ptr(one->source);
		p->file = p->link = false;
		p->create = true;
		p->mode = one->mode;
		p->uid = one->uid;
		p->gid = one->gid;
	}
	return r;
}

/* BindPaths=SRC[:DST]; a destination of its own is not a first form's business: same path only. */
static int add_binds(struct derive *d, const struct strv *binds, const struct named *n,
		     struct err *e)
{
	const char *key = n->key;
	int r = 0;

	for (size_t i = 0; r == 0 && i < binds->n; i++) {
		if (label_is(binds->v[i]))
			continue;
		bool optional = binds->v[i][0] == '-';
		const char *text = binds->v[i] + optional;
		CLEANUP_STR char *src = xstrndup(text, strcspn(text, ":"));
		CLEANUP_STR char *path = path_normal(src);
		struct stat st;
		/* The kernel's own, /dev/log among it, is the run's business, not a bind's. */
		if (place_kernel_tree(path) || (optional && !derive_exists(d->host, path, &st)))
			continue;
		if (text[strlen(src)] == ':' && !streq(text + strlen(src) + 1, src))
			return err_set(e, -EINVAL,
				       "%s=%s: another place in the jail is not supported; bind %s "
				       "as %s",
				       key, binds->v[i], src, src);
		if (!derive_exists(d->host, path, &st))
			return not_there(path, key, e);
		r = add_named(d, path, n, e);
	}
	return r;
}

/* StateDirectory= and its kin: made with the service's owner, as systemd.exec(5) says. */
static int add_dirs(struct derive *d, const struct spec *s, const struct spec_dirs *dirs,
		    const char *base, enum jail_class class, struct err *e)
{
	struct account who;
	int r = dirs->names.n ? account_of(s, &who, e) : 0;

	for (size_t i = 0; r == 0 && i < dirs->names.n; i++) {
		CLEANUP_STR char *path = path_join(base, dirs->names.v[i]);
		struct provision *p =
		    derive_add(d, path, class, class != CLASS_CONFIG, xstrdup("named by the unit"));
		if (!streq(p->path, path))
			continue;
		p->mode = dirs->mode;
		p->uid = class == CLASS_CONFIG ? 0 : who.uid;
		p->gid = class == CLASS_CONFIG ? 0 : who.gid;
	}
	return r;
}

static bool names(const struct strv *paths, const char *path)
{
	for (size_t i = 0; i < paths->n; i++) {
		CLEANUP_STR char *named = path_normal(paths->v[i]);
		if (path_within(path, named))
			return true;
	}
	return false;
}

enum jail_class layout_spec_class(const struct spec *s, const char *path, enum jail_class otherwise)
{
	if (names(&s->secret, path))
		return CLASS_SECRET;
	return names(&s->config, path) && otherwise != CLASS_SECRET ? CLASS_CONFIG : otherwise;
}

int derive_spec(struct derive *d, struct err *e)
{
	const struct spec *s = d->spec;
	const struct {
		const struct spec_dirs *dirs;
		const char *base;
		enum jail_class class;
	} made[] = {
	    {&s->runtime_dirs, "/run", CLASS_OFFERED},
	    {&s->state_dirs, "/var/lib", CLASS_STATE},
	    {&s->cache_dirs, "/var/cache", CLASS_STATE},
	    {&s->logs_dirs, "/var/log", CLASS_LOG},
	    {&s->configuration_dirs, "/etc", CLASS_CONFIG},
	};
	const struct {
		int (*add)(struct derive *, const struct strv *, const struct named *,
			   struct err *);
		const struct strv *paths;
		struct named named;
	} listed[] = {
	    {add_listed, &s->state, {CLASS_STATE, true, "State"}},
	    {add_listed, &s->content, {CLASS_CONTENT, false, "Content"}},
	    {add_listed, &s->config, {CLASS_CONFIG, false, "Config"}},
	    {add_listed, &s->offer, {CLASS_OFFERED, true, "Offer"}},
	    {add_binds, &s->bind_paths, {CLASS_STATE, true, "BindPaths"}},
	    {add_binds, &s->bind_read_only_paths, {CLASS_CONTENT, false, "BindReadOnlyPaths"}},
	};
	const struct named door = {CLASS_SOCKET, false, "Socket"};
	struct strv doors CLEANUP_STRV = STRV_INIT;
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(made); i++)
		r = add_dirs(d, s, made[i].dirs, made[i].base, made[i].class, e);
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(listed); i++)
		r = listed[i].add(d, listed[i].paths, &listed[i].named, e);
	doors_bound(s, &doors);
	if (r == 0)
		r = add_listed(d, &doors, &door, e);
	if (r == 0)
		r = add_shared(d, e);
	/* Copied, or shown by a directory: in either case the service's own. */
	for (size_t i = 0; r == 0 && i < s->secret.n; i++) {
		CLEANUP_STR char *path = path_normal(s->secret.v[i]);
		layout_own(d->l, path);
	}
	return r;
}
