/* SPDX-License-Identifier: MIT */
/* passwd(5), group(5), shadow(5) and gshadow(5) of a jail: those of the host, cut to the accounts
 * that the jail needs.
 *
 * On bytes, and as glibc reads them: a line that is not understood is dropped, one whose last
 * fields are missing is kept. Names and ids may stand on several lines; the first answers a look-up
 * and the others count in listings, so that all lines of a needed name or id are kept. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/str.h"

/* One account of the host and why the jail needs it. */
struct account_need {
	char *name;
	bool group;
	id_t id;    /* uid or gid of the line by which it was met */
	char *text; /* "owns /srv/x", "named in /etc/apache2/envvars:16" */
};

void account_needs_free(struct account_need *v, size_t n);

struct accounts {
	struct account_need *v; /* users and groups, without repetition: the first reason stays */
	size_t n;
	char *passwd, *group; /* the host's files, whole but for lines with a NUL byte */
};

/* Reads etc/passwd and etc/group below @root; a missing one is empty. root and nobody, and the
 * groups of gid 0 and of nobody, are needed from the start. Returns 0 or -errno: -EFBIG for a file
 * of more than 64 MiB, -EINVAL for one that is no regular file. */
int accounts_open(int root, struct accounts *ret);

/* The same from the bytes of both files. */
void accounts_parse(const char *passwd, size_t passwd_len, const char *group, size_t group_len,
		    struct accounts *ret);

void accounts_done(struct accounts *a);
#define ACCOUNTS_INIT                                                                              \
	{                                                                                          \
		0                                                                                  \
	}
#define CLEANUP_ACCOUNTS CLEANUP(accounts_done)

/* Adds the account of this id or name, if the host has it; an account brings its primary group,
 * every group that lists it and the accounts that share its id. Returns whether the host has one.
 */
bool accounts_need_uid(struct accounts *a, uid_t uid, const char *fmt, ...) PRINTF(3, 4);
bool accounts_need_gid(struct accounts *a, gid_t gid, const char *fmt, ...) PRINTF(3, 4);
bool accounts_need_user(struct accounts *a, const char *name, const char *fmt, ...) PRINTF(3, 4);
bool accounts_need_group(struct accounts *a, const char *name, const char *fmt, ...) PRINTF(3, 4);
const struct account_need *accounts_find(const struct accounts *a, const char *name, bool group);

/* Uid of a user of the host by its name: 1, or 0 where there is none. */
int accounts_uid(const struct accounts *a, const char *name, uid_t *ret);

/* The files of the jail: lines of the needed accounts, in the host's order, members of groups cut
 * too; "+" and "-" compatibility lines are dropped. A password field that holds a hash becomes "x"
 * in passwd, "*" in group. accounts_cut_shadow() keeps hashes; @group: it is gshadow, whose lists
 * of administrators are cut as well. New strings, the caller's. */
char *accounts_cut_passwd(const struct accounts *a);
char *accounts_cut_group(const struct accounts *a);
char *accounts_cut_shadow(const struct accounts *a, const char *shadow, bool group);
