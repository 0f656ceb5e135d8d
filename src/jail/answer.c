/* SPDX-License-Identifier: MIT */
#include "jail/answer.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/path.h"
#include "confine/device.h"
#include "fs/beneath.h"
#include "host/host.h"
#include "host/packages.h"

void answer_done(struct answer *a)
{
	free(a->path);
	strv_done(&a->links);
	why_chain_done(&a->chain);
	free(a->note);
	free(a->host);
	remedy_done(&a->remedy);
	*a = (struct answer)ANSWER_INIT;
}

/* What each run has without a line in the manifest. `below`: also all that lies below. */
static const struct {
	const char *path;
	bool below, present;
	const char *class, *provided, *text;
} places[] = {
    {"/", false, true, "program", "own", "the jail's root"},
    {"/proc", true, true, "kernel", "own", "the jail's own /proc: it shows the jail's processes"},
    {"/dev/fd", true, true, "device", "own", "a link to the process's own descriptors"},
    {"/dev/stdin", false, true, "device", "own", "a link to the process's own descriptors"},
    {"/dev/stdout", false, true, "device", "own", "a link to the process's own descriptors"},
    {"/dev/stderr", false, true, "device", "own", "a link to the process's own descriptors"},
    {"/dev/ptmx", false, true, "device", "own", "a link to the jail's own terminals"},
    {"/dev/pts", true, true, "device", "own", "the jail's own terminals"},
    {"/dev/shm", false, true, "runtime", "memory", "private memory of each run"},
    {"/dev/shm", true, false, "runtime", "memory",
     "/dev/shm is private memory: empty at the start, and the service's to fill"},
    {"/tmp", true, false, "runtime", "memory",
     "/tmp is private memory: empty at the start, and the service's to fill"},
    {"/var/tmp", true, false, "runtime", "memory",
     "/var/tmp is private memory: empty at the start, and the service's to fill"},
    {"/run", true, false, "runtime", "memory",
     "/run is private memory but for what is bound there: the service may make it"},
};

static void made(struct answer *a, const char *class, const char *provided, const char *text)
{
	a->present = true;
	a->class = class;
	a->provided = provided;
	why_chain_add(&a->chain, a->path, REASON_MADE, NULL, text);
}

/* Whether it is one of the places; for those that may be absent the note says what they are. */
static bool find_place(struct answer *a, const struct generation *g)
{
	if (device_is_minimal(a->path))
		made(a, "device", "device", "a node of the jail's own /dev");
	if (streq(a->path, "/dev/log") && g->layout.syslog)
		made(a, "socket", "own",
		     "a program of the service uses syslog(3): what it says goes where Syslog= has "
		     "it");
	for (size_t i = 0; i < ARRAY_LEN(places) && !a->present && !a->note; i++) {
		if (!(places[i].below ? path_within(a->path, places[i].path)
				      : streq(a->path, places[i].path)))
			continue;
		if (places[i].present)
			made(a, places[i].class, places[i].provided, places[i].text);
		else
			a->note = xstrdup(places[i].text);
	}
	return a->present;
}

/* What stands in the manifest, or in a directory that is bound. */
static void describe(struct answer *a, const struct generation *g, const struct manifest *m,
		     const struct entry *cover)
{
	const struct provision *p = layout_find(&g->layout, a->path);

	a->present = true;
	a->entry = cover && streq(cover->path, a->path) ? cover : NULL;
	a->class = class_name(cover->class);
	a->provided = provided_name(cover->provided);
	if (cover->provided == PROVIDED_BIND && p)
		a->access = p->writable ? "read-write" : "read-only";
	why_chain_of(m, a->path, &a->chain);
}

static bool find_in_manifest(struct answer *a, const struct generation *g, const struct manifest *m,
			     int host)
{
	const struct entry *cover = why_cover(m, a->path);
	struct stat st;

	if (!cover)
		return false;
	bool bound = cover->provided == PROVIDED_BIND;
	if (!bound || streq(cover->path, a->path) || beneath_lstat(host, a->path, &st) == 0)
		describe(a, g, m, cover);
	else
		a->note = xasprintf("%s is the host's own there: what is made at this path on the "
				    "host is seen in the jail at once",
				    cover->path);
	return true;
}

/* "file, perl-base 5.36.0-7" */
static char *describe_host(int host, const char *end, const struct stat *st)
{
	struct packages *packages CLEANUP_PACKAGES = packages_open(host, NULL);
	const struct package *p = packages_owner(packages, end);

	if (packages_owners(packages, end) > 1)
		return xasprintf("%s of several packages", mode_type(st->st_mode));
	if (!p)
		return xasprintf("%s of no package", mode_type(st->st_mode));
	return xasprintf("%s, %s %s", mode_type(st->st_mode), p->name, p->version);
}

static const char *left_out(const struct generation *g, const char *path)
{
	for (size_t i = 0; i < g->n_left_out; i++)
		if (streq(g->left_out[i].path, path))
			return g->left_out[i].text;
	return NULL;
}

/* What the host has there, and the line that would bring it in. */
static void look_at_host(struct answer *a, const struct generation *g, int host)
{
	CLEANUP_STR char *end = NULL;
	struct stat st;

	if (host_resolve(host, a->path, &end, &st, NULL) < 0) {
		a->host =
		    a->note ? NULL : xstrdup("nothing; it must be there before a jail can have it");
		return;
	}
	CLEANUP_STR char *what = describe_host(host, end, &st);
	a->host = streq(end, a->path) ? steal_ptr(what) : xasprintf("a link to %s, %s", end, what);
	const char *text = left_out(g, end);
	if (text && !a->note)
		a->note = xasprintf("left out: %s", text);
	remedy_for_path(host, a->path, end, &st, &a->remedy);
}

int answer_path(const struct generation *g, const struct manifest *m, int host, const char *path,
		struct answer *ret, struct err *e)
{
	int r = why_resolve(m, host, path, &ret->path, &ret->links);

	if (r < 0)
		return err_errno(e, r, "following the links of %s in the jail", path);
	if (!find_in_manifest(ret, g, m, host) && !find_place(ret, g))
		look_at_host(ret, g, host);
	return 0;
}

static const struct account_need *find_need(const struct generation *g, const char *name,
					    bool group)
{
	for (size_t i = 0; i < g->n_accounts; i++)
		if (g->accounts[i].group == group && streq(g->accounts[i].name, name))
			return &g->accounts[i];
	return NULL;
}

void answer_account(const struct generation *g, const struct manifest *m, const char *name,
		    bool group, struct answer *ret)
{
	const char *file = group ? "/etc/group" : "/etc/passwd";
	const struct account_need *need = find_need(g, name, group);
	const struct entry *list = manifest_find(m, file);
	bool on_host = group ? getgrnam(name) != NULL : getpwnam(name) != NULL;
	bool live = list && list->provided == PROVIDED_BIND;

	ret->class = "account";
	ret->present = live ? on_host : list && need;
	if (ret->present) {
		CLEANUP_STR char *asked = xasprintf("%s:%s", group ? "group" : "user", name);
		ret->provided = provided_name(list->provided);
		why_chain_add(&ret->chain, asked, REASON_NAMED, file,
			      need ? need->text : "the host's accounts are the jail's");
		why_chain_of(m, file, &ret->chain);
		return;
	}
	if (!list)
		ret->note = xasprintf("the jail has no %s: nothing in it asks for accounts", file);
	ret->host = xstrdup(!on_host ? "nothing; the account must be made there first"
			    : group  ? "a group"
				     : "a user");
	if (on_host)
		remedy_for_account(&ret->remedy);
}
