/* SPDX-License-Identifier: MIT */
/* The host's packages: who owns a path, which version, and what else it owns.
 *
 * One interface, three databases (dpkg, rpm, apk), the first of them that lists a package.
 * Databases are the host's own and parsed as if they were not. Where none exists every path is
 * unowned. All that is returned lives as long as the struct packages. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"

struct package {
	const char *name;    /* "libssl3:amd64" is "libssl3" unless several architectures have it */
	const char *version; /* "3.0.17-1~deb12u2" */
	const char *source;  /* source package, or the name again */
};

struct packages;

/* Reads the database below @root; @why_not (may be NULL) says where it could not, code 0 where it
 * could. Never fails: an unreadable database is an empty one, and a package whose list of files is
 * unreadable owns nothing. */
struct packages *packages_open(int root, struct err *why_not);
void packages_free(struct packages *p);
DEFINE_FREEP(struct packages, packages);
#define CLEANUP_PACKAGES CLEANUP(packages_freep)

/* "dpkg", "rpm", "apk" or "none". */
const char *packages_kind(const struct packages *p);

/* The owner of canonical @path, or NULL. Directory names that the package spells through a link of
 * the merged /usr ("/lib/x" for "/usr/lib/x") are the same path, and a file that a diversion moved
 * is where it was moved to. Of a directory with several owners any one. */
const struct package *packages_owner(const struct packages *p, const char *path);

/* How many packages own directory @path; 0: nobody's. */
size_t packages_owners(const struct packages *p, const char *path);

/* Whether one of the owners of @path is built from source package @source. */
bool packages_owned_from(const struct packages *p, const char *path, const char *source);

/* Whether @path has an owner, and all of them are. */
bool packages_owned_only_from(const struct packages *p, const char *path, const char *source);

/* By its name, with or without the architecture: a bare name that several architectures have means
 * the first of them in the database. NULL where it is not installed. */
const struct package *packages_find(const struct packages *p, const char *name);

/* Adds the paths (canonical as far as the merged /usr goes) of all that @package owns, directories
 * too, in the database's order. */
void packages_files(const struct packages *p, const struct package *package, struct strv *ret);
