/* SPDX-License-Identifier: MIT */
/* The manifest of a generation: what is in the jail, one path a line, sorted, made to be diffed.
 *
 * manifest.jsonl: each line an object with sorted keys: path, type, mode (octal text), uid, gid,
 * size (bytes), mtime (seconds.nanoseconds), link (target, links only), sha256 (files only), class,
 * xattrs (extended attributes, "NAME=HEX,NAME=HEX", where it has any),
 * provided ("copy": a file of the generation; "made": one made from the host's, cut to the jail;
 * "own": the user's for this jail;
 * "bind": the host's own, seen through a mount; "device"),
 * package and version (where one owns it), what the runs saw: used (how), by (which program),
 * phase; start_helper (true, only where it is one); and evidence: an array of {kind, from, text},
 * the first tells most (foresee/evidence.h). jail/why.h follows it up to the service. */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

#include "base/err.h"
#include "foresee/evidence.h"
#include "jail/layout.h"

enum provided {
	PROVIDED_COPY,
	PROVIDED_BIND,
	PROVIDED_DEVICE,
	PROVIDED_MADE,
	PROVIDED_OWN, /* jail/user-files.h */
	PROVIDED_COUNT
};

/* Reasons of one entry: those of the foresight and those of the runs. */
#define ENTRY_REASONS_MAX (2 * REASONS_MAX)

struct entry {
	char *path;
	mode_t mode; /* with the type */
	uid_t uid;
	gid_t gid;
	off_t size;
	struct timespec mtime;
	char *link;
	char *sha256; /* hexadecimal; NULL where there is no content */
	char *xattrs; /* describe_xattrs(); NULL where there are none */
	enum jail_class class;
	enum provided provided;
	char *package, *version; /* NULL where no package owns it */
	char *used, *by, *phase; /* NULL: no run touched it, it is foreseen or on the way */
	bool start_helper;	 /* only a start wrapper needed it: jail/helpers.h */
	struct reason *reasons;	 /* never none in a sealed jail */
	size_t n_reasons;
};

struct manifest {
	struct entry *v;
	size_t n;
};
#define MANIFEST_INIT                                                                              \
	{                                                                                          \
		0                                                                                  \
	}
#define CLEANUP_MANIFEST CLEANUP(manifest_done)

void manifest_done(struct manifest *m);

/* A new zeroed entry for @path at the end. */
struct entry *manifest_add(struct manifest *m, const char *path);

/* Adds a reason behind those that are there (all copied); one that is there already, and one more
 * than ENTRY_REASONS_MAX, is passed over. */
void entry_add_reason(struct entry *en, enum reason_kind kind, const char *from, const char *text);

/* Mode, owner, size and time of @st. */
void entry_set_stat(struct entry *en, const struct stat *st);

void manifest_sort(struct manifest *m);

/* In a sorted manifest; one that was loaded is. */
const struct entry *manifest_find(const struct manifest *m, const char *path);

/* Writes and reads DIR/manifest.jsonl. A line that is not as documented, also one of an older
 * version, is -EBADMSG with its number. */
int manifest_save(const struct manifest *m, int dir, struct err *e);
int manifest_load(const char *dir, struct manifest *ret, struct err *e);

/* The bytes of a manifest; @file is its name for messages. After an error @ret holds the lines
 * before it. */
int manifest_parse(const char *bytes, size_t len, const char *file, struct manifest *ret,
		   struct err *e);

json_t *entry_to_json(const struct entry *en);

/* {kind, text} and, where it comes from a path, from. */
json_t *reason_to_json(const struct reason *r);

/* Whether the generation holds it itself, copied or made; else the host or the run gives it. */
bool entry_is_held(const struct entry *en);

/* "file", "directory", "link", "device", "fifo", "socket" */
const char *entry_type(const struct entry *en);
const char *mode_type(mode_t mode);
const char *provided_name(enum provided p);

/* The first reason, one line: "interpreter of /usr/sbin/nginx". The entry's. */
const char *entry_reason(const struct entry *en);
