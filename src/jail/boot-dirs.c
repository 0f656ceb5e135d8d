/* SPDX-License-Identifier: MIT */
#include "jail/boot-dirs.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/path.h"
#include "host/account-row.h"
#include "host/host.h"
#include "text/tmpfiles.h"

#define FILE_MAX (1 << 20)
#define DB_MAX	 (64 << 20)

/* The earlier hides files of the same name in the later. */
static const char *const dirs[] = {"/etc/tmpfiles.d", "/run/tmpfiles.d", "/usr/lib/tmpfiles.d"};

static id_t id_of(int host, const char *name, const char *db, const struct account_form *form)
{
	CLEANUP_STR char *text = NULL;
	struct account_row row;
	size_t len;

	if (!name)
		return 0;
	if (strspn(name, "0123456789") == strlen(name) && strlen(name) < 10)
		return (id_t)strtoul(name, NULL, 10);
	if (host_read_path(host, db, DB_MAX, &text, &len) < 0)
		return 0;
	return account_row_find(form, (struct span){text, len}, name, &row) ? row.id : 0;
}

static bool find_in(int host, const char *file, const char *path, struct boot_dir *ret)
{
	struct tmpfiles_dir d CLEANUP_TMPFILES_DIR = TMPFILES_DIR_INIT;
	CLEANUP_STR char *text = NULL;
	size_t len;

	if (host_read_path(host, file, FILE_MAX, &text, &len) < 0 ||
	    !tmpfiles_find(text, len, path, &d))
		return false;
	*ret = (struct boot_dir){
	    .mode = d.mode,
	    .uid = id_of(host, d.user, "/etc/passwd", &account_form_passwd),
	    .gid = id_of(host, d.group, "/etc/group", &account_form_group),
	};
	return true;
}

bool boot_dir_find(int host, const char *path, struct boot_dir *ret)
{
	struct strv names CLEANUP_STRV = STRV_INIT;

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		host_names(host, dirs[i], &names);
	strv_sort_unique(&names);
	for (size_t k = 0; k < names.n; k++) {
		if (fnmatch("*.conf", names.v[k], 0) != 0)
			continue;
		for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
			CLEANUP_STR char *file = path_join(dirs[i], names.v[k]);
			CLEANUP_STR char *end = NULL;
			if (host_resolve(host, file, &end, NULL, NULL) < 0)
				continue;
			if (find_in(host, end, path, ret))
				return true;
			break; /* it hides those of the other directories */
		}
	}
	return false;
}
