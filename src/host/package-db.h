/* SPDX-License-Identifier: MIT */
/* What stands behind packages.h: a backend a database, each of which reads its own format and adds
 * what it finds. Parsers take bytes that anybody may have written; whatever they add is bounded and
 * checked in package_db_path(). A package manager more is a file and a row more. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "host/packages.h"
#include "host/span.h"

struct package_backend {
	const char *kind;
	char arch_mark; /* "libssl3:amd64", "glibc.i686" */

	/* Adds all packages below @root. 0; -ENOENT without a message where there is no such
	 * database; else -errno with one, and what was added stays. */
	int (*load)(int root, struct packages *p, struct err *e);
};
extern const struct package_backend dpkg_backend, rpm_backend, apk_backend;

/* One package as its database tells of it; arch and source may be empty. */
struct package_text {
	struct span name, version, arch, source;
};

/* An empty database of @backend's kind, for it to be filled; @root (may be -1) tells the links of
 * the merged /usr. Once it is full, package_db_close() makes the names unambiguous. */
struct packages *package_db_new(int root, const struct package_backend *backend);
void package_db_close(struct packages *p);

void package_db_add(struct packages *p, const struct package_text *t);

/* A path of the package added last. What is no absolute path, what is longer than PATH_MAX and what
 * it has already are passed over. */
void package_db_path(struct packages *p, struct span path);

/* Whatever package but @by ("": any) says that it owns @from owns @to instead: dpkg-divert(1). */
void package_db_divert(struct packages *p, struct span from, struct span to, struct span by);

/* The file at @path below @root, links followed inside it; as host_read(). */
int package_db_read(int root, const char *path, char **ret, size_t *ret_len);

/* One paragraph of var/lib/dpkg/status. */
struct dpkg_entry {
	struct package_text text;
	bool several; /* Multi-Arch: same, so that its list is named after name and architecture */
};

/* The next package of *status whose files are on the host. */
bool dpkg_next(struct span *status, struct dpkg_entry *ret);

void dpkg_parse_list(struct packages *p, struct span list);
void dpkg_parse_diversions(struct packages *p, struct span diversions);

/* lib/apk/db/installed. */
void apk_parse(struct packages *p, struct span installed);

/* What rpm prints in the format that rpm.c asks for. */
void rpm_parse(struct packages *p, struct span output);
