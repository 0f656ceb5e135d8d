/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "jail/behind.h"
#include "jail/check-parts.h"
#include "jail/describe.h"
#include "jail/mapped.h"
#include "jail/parents.h"
#include "jail/policy.h"
#include "jail/require.h"
#include "jail/running.h"
#include "jail/upgrade.h"
#include "jail/user-files.h"

/* The jail's passwd and group are cut to those whom it needs: these must be whom they were. */
static void check_accounts(struct checking *c)
{
	for (size_t i = 0; i < c->g->n_accounts; i++) {
		const struct account_need *a = &c->g->accounts[i];
		const struct passwd *pw = a->group ? NULL : getpwnam(a->name);
		const struct group *gr = a->group ? getgrnam(a->name) : NULL;
		bool there = pw || gr;
		id_t now = pw ? pw->pw_uid : gr ? gr->gr_gid : 0;
		const char *what = a->group ? "group" : "user";
		if (!there)
			check_found(
			    c, FINDING_DRIFT, "",
			    xasprintf("%s %s does not exist on the host any more", what, a->name));
		else if (now != a->id)
			check_found(c, FINDING_DRIFT, "",
				    xasprintf("%s %s is %u on the host, %u in the jail", what,
					      a->name, now, a->id));
	}
}

static void check_parents(struct checking *c)
{
	struct strv loose CLEANUP_STRV = STRV_INIT;

	parents_loose(c->g->dir, &loose);
	for (size_t i = 0; i < loose.n; i++)
		check_found(c, FINDING_HYGIENE, "", xstrdup(loose.v[i]));
}

static void check_mapped(struct checking *c, const struct running *r)
{
	struct mapped_list l CLEANUP_MAPPED = {0};

	mapped_replaced(r, c->tree, &c->g->layout, &l);
	for (size_t i = 0; i < l.n; i++) {
		const struct mapped *m = &l.v[i];
		CLEANUP_STR char *others =
		    m->others ? xasprintf(" and %zu more", m->others) : xstrdup("");
		check_found(c, FINDING_RESTART, m->path,
			    xasprintf("was replaced, and is still in use by pid %d (%s)%s", m->pid,
				      m->name, others));
	}
}

static void check_running(struct checking *c)
{
	const struct dirs *d = c->all->dirs;
	struct running r;

	if (!running_held(d, c->name) || running_read(d, c->name, &r) < 0)
		return;
	if (r.generation != c->g->number)
		check_found(
		    c, FINDING_RESTART, "",
		    xasprintf("runs generation %d, %d is current: immure restart %s takes it",
			      r.generation, c->g->number, c->name));
	check_mapped(c, &r);
}

/* Behind, and not by choice. */
static void check_update(struct checking *c)
{
	struct behind_list l CLEANUP_BEHIND = {0};
	char when[CLOCK_TEXT_MAX];

	if (!upgrade_degraded(c->all->dirs, c->name, when))
		return;
	behind_find(&c->manifest, c->all->host, &c->all->packages, &l);
	for (size_t i = 0; i < l.n; i++) {
		CLEANUP_STR char *how_long = behind_since(l.v[i].hours);
		check_found(c, FINDING_CRITICAL, "",
			    xasprintf("has %s %s, the host %s %s", l.v[i].package, l.v[i].jail,
				      l.v[i].host, how_long));
	}
	check_found(c, FINDING_CRITICAL, "",
		    xasprintf("its update has not been proved since %s: immure update %s says why",
			      when, c->name));
}

/* The compiled walls are those of the policy and the spec beside them. */
static void check_walls(struct checking *c)
{
	struct confinement walls CLEANUP_CONFINEMENT = CONFINEMENT_INIT;
	CLEANUP_FD int dir = open(c->g->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct err e = {0};

	int r = confinement_load(dir, c->g->spec_text, &walls, &e);
	if (r == -ESTALE)
		check_found(c, FINDING_POLICY, "",
			    xasprintf("%s, so each start makes it of policy.json anew: immure "
				      "update %s proves the jail with this one",
				      e.msg, c->name));
	else if (r < 0)
		check_found(c, FINDING_TAMPERED, "",
			    xasprintf("%s: immure build %s makes it anew",
				      r == -ENOENT ? "policy.bin is missing" : e.msg, c->name));
}

/* What a start goes by was written with the manifest that stands there. */
static void check_notes(struct checking *c)
{
	CLEANUP_FD int dir = open(c->g->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char hash[CRYPTO_HASH_HEX];

	if (c->g->manifest[0] && describe_hash(dir, "/manifest.jsonl", hash) == 0 &&
	    strcmp(hash, c->g->manifest) != 0)
		check_found(c, FINDING_TAMPERED, "",
			    xstrdup("run.json was not written with this manifest.jsonl"));
}

static void check_policy(struct checking *c)
{
	struct strv now CLEANUP_STRV = STRV_INIT;

	require_came(&c->g->lacking, &now);
	for (size_t i = 0; i < now.n; i++)
		check_found(
		    c, FINDING_POLICY, "",
		    xasprintf("this kernel can enforce %s, which it could not when the jail was "
			      "sealed: immure update %s proves it with that",
			      now.v[i], c->name));
}

/* What the user keeps for the jail is no drift, whatever the host has; edited since, it waits. */
static int check_own(struct checking *c, struct err *e)
{
	struct user_files own CLEANUP_USER_FILES = USER_FILES_INIT;
	CLEANUP_STR char *which = NULL;
	int r = user_files_open(c->all->dirs, c->name, &own, e);

	if (r == 0 && !user_files_same(&own, &c->manifest, &which))
		check_found(
		    c, FINDING_NOTE, which,
		    xasprintf("is another in %s: immure build %s takes it", own.name, c->name));
	return r;
}

int check_around(struct checking *c, struct err *e)
{
	check_parents(c);
	check_accounts(c);
	check_running(c);
	check_update(c);
	check_walls(c);
	check_notes(c);
	check_policy(c);
	return check_own(c, e);
}
