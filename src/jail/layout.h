/* SPDX-License-Identifier: MIT */
/* The layout: how each class of path reaches the jail, other than by being copied into it.
 *
 * Derived from what the watched baseline touched and from the spec, before anything is grown: a
 * directory mounted after a daemon has changed into it would be the covered one (research/
 * worlds.md). Everything the layout does not name is a copy in the generation, read-only. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "confine/plan.h"
#include "foresee/foresee.h"
#include "fs/make.h"
#include "grow/record.h"
#include "spec/spec.h"

enum jail_class {
	CLASS_PROGRAM,
	CLASS_CONFIG,
	CLASS_SECRET,
	CLASS_CONTENT,
	CLASS_STATE,
	CLASS_LOG,
	CLASS_RUNTIME,
	CLASS_OFFERED,
	CLASS_DEVICE,
	CLASS_SOCKET,
	CLASS_KERNEL, /* /sys: single files of it, only where they were opened */
	CLASS_COUNT
};

/* "program", "config" ...; class_parse() is CLASS_COUNT for an unknown word. */
const char *class_name(enum jail_class c);
enum jail_class class_parse(const char *word);

/* One directory (or single file) of the host that is mounted in the jail, at the same path unless
 * it is shared by name (jail/labels.h). */
struct provision {
	char *path;   /* canonical; as the service sees it */
	char *source; /* on the host, where that is another path; else NULL */
	enum jail_class class;
	bool writable;
	bool file;
	bool link;   /* on the host a link to a directory of content: looked up at each start */
	bool create; /* made on the host at the start where it is missing, as below */
	mode_t mode;
	uid_t uid;
	gid_t gid;
	char *why; /* one line for people */
};

struct layout {
	struct provision *v; /* sorted by path, parents first */
	size_t n;

	/* Below provisions: links that the service followed, which may lead elsewhere tomorrow, and
	 * keys that are its own because the spec or its configuration names them (masks.h). */
	struct strv own;

	/* There is a /dev/log: it sends to one, or is foreseen to, and serves none itself. */
	bool syslog;

	/* Before layout_derive(): state of other jails, never to be taken as a whole, for each the
	 * name of its jail, and state that this jail has had: it keeps it, whoever shares it since.
	 * After it: directories that the service would write in, and is kept from for that
	 * (layout_withheld()). Not kept in JSON. */
	struct strv taken, takers, had, withheld;
};
#define LAYOUT_INIT                                                                                \
	{                                                                                          \
		0                                                                                  \
	}
#define CLEANUP_LAYOUT CLEANUP(layout_done)

void layout_done(struct layout *l);

/* Where it stands on the host. */
static inline const char *provision_source(const struct provision *p)
{
	return p->source ? p->source : p->path;
}

/* What is made of one with `create`; the path is borrowed. */
struct make provision_make(const struct provision *p);

/* A line for each state of another jail that the service is kept from writing in, and what to do.
 */
void layout_withheld(const struct layout *l, struct strv *ret);

/* The provision that covers @path, or NULL. */
const struct provision *layout_find(const struct layout *l, const char *path);

/* Where link provision @p leads on @root (O_PATH) now: *ret, canonical, new. -ENOTDIR for anything
 * but a directory, -EPERM for one that is no content whoever turned the link (/etc, /root, what
 * belongs to everybody). */
int layout_follow(const struct provision *p, int root, char **ret, struct stat *ret_st);

/* Adds to layout.own, once. */
void layout_own(struct layout *l, const char *path);

/* Adds one line for each followed link that now leads to a directory which the jail does not have:
 * "/srv/a/current leads to /data/7, which is not in the jail". @root is the host's or a world's. */
void layout_strays(const struct layout *l, int root, struct strv *ret);

/* Adds what @record and @s ask for. @host and @world are O_PATH roots: the host as it is, and the
 * world as the baseline left it. Returns how many provisions are new, or -errno. */
int layout_derive(struct layout *l, const struct record *record, const struct spec *s, int host,
		  int world, struct err *e);

/* CLASS_SECRET or CLASS_CONFIG where @s says so of copied @path (Secret=, Config=), else
 * @otherwise.
 */
enum jail_class layout_spec_class(const struct spec *s, const char *path,
				  enum jail_class otherwise);

/* Adds the directories that were foreseen. As layout_derive(); @host is O_PATH. */
int layout_foresee(struct layout *l, const struct foreseen_dir *dirs, size_t n, int host);

/* The host's account files as they are and will be: clients of the service name accounts; with
 * @passwords, or where a run has read them, /etc/shadow too. */
int layout_accounts(struct layout *l, const struct record *record, bool passwords, int host,
		    const char *why);

/* Makes what `create` asks for below the root @root (a world, or the host at a real start). What
 * was not there before is added to @made (may be NULL). */
int layout_create(const struct layout *l, int root, struct strv *made, struct err *e);

json_t *layout_to_json(const struct layout *l);
int layout_from_json(struct layout *l, const json_t *j);
