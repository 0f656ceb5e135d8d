/* SPDX-License-Identifier: MIT */
/* The manifest of a generation: what is in the jail, one path a line, sorted, made to be diffed.
 *
 * manifest.jsonl: each line an object with sorted keys: path, type, mode (octal text), uid, gid,
 * size (bytes), mtime (seconds.nanoseconds), link (target, links only), sha256 (files only), class,
 * provided ("copy": a file of the generation; "bind": the host's own, seen through a mount;
 * "device") and the evidence: used (how), by (which program), phase, why. */
#pragma once

#include <sys/types.h>
#include <time.h>

#include "base/err.h"
#include "jail/layout.h"

enum provided { PROVIDED_COPY, PROVIDED_BIND, PROVIDED_DEVICE };

struct entry {
	char *path;
	mode_t mode; /* with the type */
	uid_t uid;
	gid_t gid;
	off_t size;
	struct timespec mtime;
	char *link;
	char *sha256; /* hexadecimal; NULL where there is no content */
	enum jail_class class;
	enum provided provided;
	char *used, *by, *phase, *why; /* NULL where unknown */
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
void manifest_sort(struct manifest *m);
const struct entry *manifest_find(const struct manifest *m, const char *path);

/* Writes and reads DIR/manifest.jsonl. A line that is not as documented is -EBADMSG with its
 * number. */
int manifest_save(const struct manifest *m, int dir, struct err *e);
int manifest_load(const char *dir, struct manifest *ret, struct err *e);

json_t *entry_to_json(const struct entry *en);

/* "file", "directory", "link", "device", "fifo", "socket" */
const char *entry_type(const struct entry *en);
const char *provided_name(enum provided p);

/* Why it is there, one line, new string: "interpreter of /usr/sbin/nginx". */
char *entry_reason(const struct entry *en);
