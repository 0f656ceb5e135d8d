/* SPDX-License-Identifier: MIT */
/* What the files of layout_derive() share; for them alone. */
#pragma once

#include "host/packages.h"
#include "jail/layout.h"

#define DERIVE_WRITTEN (TOUCH_WRITE | TOUCH_MAKE | TOUCH_REMOVE | TOUCH_CHANGE | TOUCH_BIND)
#define DERIVE_USED    (TOUCH_READ | TOUCH_LIST | TOUCH_EXEC | TOUCH_INTERP)

struct derive {
	struct layout *l;
	const struct record *record; /* or NULL */
	const struct spec *spec;     /* or NULL */
	int host, world;
	uid_t uid; /* the service's user; 0: root, or it switches by itself */
	int added;
	struct packages *packages; /* 50 ms: opened when somebody asks */
	struct strv sources;  /* source packages of what the run used, once packages are open */
	struct strv prefixes; /* of programs that no package owns */
};
#define CLEANUP_DERIVE CLEANUP(derive_done)
void derive_done(struct derive *d);

bool derive_exists(int root, const char *path, struct stat *st);

/* CLASS_LOG, CLASS_OFFERED or CLASS_STATE. */
enum jail_class derive_written_class(const char *path);

/* The provision that gives @path: a new one, the one that is there (made writable where it must
 * be), or a directory above it that gives as much already. Takes @why over. */
struct provision *derive_add(struct derive *d, const char *path, enum jail_class class,
			     bool writable, char *why);

/* A new one in any case, valid until the next is added. */
struct provision *derive_put(struct derive *d, const char *path, enum jail_class class,
			     bool writable, char *why);

/* Drops what another provision gives as well, and sorts. */
void derive_simplify(struct layout *l);
void derive_remove_at(struct layout *l, size_t i);

/* What the spec names. */
int derive_spec(struct derive *d, struct err *e);

/* Whether written directory @dir is another package's or jail's, so that only the files written
 * there are the service's. Not so where the service's user was let in on purpose, or where files
 * are made, removed or renamed: a mount of one file allows none of that. */
bool derive_is_others(struct derive *d, const char *dir);

/* Notes that the service is kept from writing in @dir, where that is another jail's state. */
void derive_withhold(struct derive *d, const char *dir);

/* Finds the prefixes of unpackaged programs; provides them. */
void derive_find_prefixes(struct derive *d);
void derive_add_prefixes(struct derive *d);
bool derive_in_prefix(const struct derive *d, const char *path);

/* A link that was followed: see struct provision.link and struct layout.own. */
void derive_link(struct derive *d, const struct touch *t);

/* In a written directory of /etc: what the service only reads, and by its mode could not change,
 * stays read-only, file by file. derive_unkeep() first takes back what was written after all. */
void derive_keep(struct derive *d, const struct touch *t);
void derive_unkeep(struct derive *d);
