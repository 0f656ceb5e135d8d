/* SPDX-License-Identifier: MIT */
#include "spec/unit-defaults.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "fs/beneath.h"
#include "fs/dir.h"
#include "spec/env-file.h"
#include "spec/ini-text.h"

/* Directives of [Manager] that are a service's own with "Default" before them. `builtin` is what
 * systemd 252 takes where no file says anything; NULL: the kernel's. */
static const struct {
	const char *manager, *service, *builtin;
} defaults[] = {
    {"DefaultTimeoutStartSec", "TimeoutStartSec", NULL},
    {"DefaultTimeoutStopSec", "TimeoutStopSec", NULL},
    {"DefaultOOMScoreAdjust", "OOMScoreAdjust", NULL},
    {"DefaultLimitCPU", "LimitCPU", NULL},
    {"DefaultLimitFSIZE", "LimitFSIZE", NULL},
    {"DefaultLimitDATA", "LimitDATA", NULL},
    {"DefaultLimitSTACK", "LimitSTACK", NULL},
    {"DefaultLimitCORE", "LimitCORE", NULL},
    {"DefaultLimitRSS", "LimitRSS", NULL},
    {"DefaultLimitNOFILE", "LimitNOFILE", "1024:524288"},
    {"DefaultLimitAS", "LimitAS", NULL},
    {"DefaultLimitNPROC", "LimitNPROC", NULL},
    {"DefaultLimitMEMLOCK", "LimitMEMLOCK", "8M"},
    {"DefaultLimitLOCKS", "LimitLOCKS", NULL},
    {"DefaultLimitSIGPENDING", "LimitSIGPENDING", NULL},
    {"DefaultLimitMSGQUEUE", "LimitMSGQUEUE", NULL},
    {"DefaultLimitNICE", "LimitNICE", NULL},
    {"DefaultLimitRTPRIO", "LimitRTPRIO", NULL},
    {"DefaultLimitRTTIME", "LimitRTTIME", NULL},
};

/* The main file first, then the drop-ins of all directories by name. */
#define MAIN_FILE "/etc/systemd/system.conf"
static const char *const drop_in_dirs[] = {
    "/usr/lib/systemd/system.conf.d",
    "/run/systemd/system.conf.d",
    "/etc/systemd/system.conf.d",
};

/* locale.conf(5); Debian's systemd reads the second file where the first is missing. */
static const char *const locale_files[] = {"/etc/locale.conf", "/etc/default/locale"};

struct manager {
	const char *file;
	char *values[ARRAY_LEN(defaults)];
	char *origins[ARRAY_LEN(defaults)];
	struct spec *environment; /* DefaultEnvironment=, as a service would have it */
};

static bool is_locale(const char *assignment)
{
	return str_after(assignment, "LANG=") || str_after(assignment, "LANGUAGE=") ||
	       str_after(assignment, "LC_");
}

/* Sets one variable that the service does not set itself. */
static int set_variable(struct spec *s, const char *assignment, const char *origin, struct err *e)
{
	CLEANUP_STR char *name = xstrndup(assignment, strcspn(assignment, "="));

	if (env_get(&s->environment, name))
		return 0;
	return spec_set_word(s, SPEC_SERVICE, "Environment", assignment, origin, e);
}

static int take_entry(void *user, const char *section, const char *key, const char *value,
		      unsigned line, struct err *e)
{
	struct manager *m = user;
	CLEANUP_STR char *origin = xasprintf("%s:%u", m->file, line);

	if (!key || !value || !streq(section, "Manager"))
		return 0;
	if (streq(key, "DefaultEnvironment"))
		return spec_set(m->environment, SPEC_SERVICE, "Environment", value, origin, e);
	for (size_t i = 0; i < ARRAY_LEN(defaults); i++)
		if (streq(key, defaults[i].manager)) {
			free(m->values[i]);
			free(m->origins[i]);
			m->values[i] = xstrdup(value);
			m->origins[i] = xstrdup(origin);
		}
	return 0;
}

/* The text of a file that may be missing: 1 where it was read. */
static int read_file(int root, const char *path, char **ret, size_t *ret_len, struct err *e)
{
	CLEANUP_FD int fd = beneath_open(root, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);

	if (fd == -ENOENT || fd == -ENOTDIR)
		return 0;
	int r = fd < 0 ? fd : fd_read_all(fd, INI_TEXT_MAX, ret, ret_len);
	return r < 0 ? err_errno(e, r, "%s", path) : 1;
}

static int read_manager(int root, const char *path, struct manager *m, struct err *e)
{
	CLEANUP_STR char *text = NULL;
	size_t len;
	int r = read_file(root, path, &text, &len, e);

	m->file = path;
	return r <= 0 ? r : ini_text_parse(text, len, path, take_entry, m, e);
}

static int read_drop_ins(int root, const char *path, struct manager *m, struct err *e)
{
	struct strv names CLEANUP_STRV = STRV_INIT;
	CLEANUP_FD int dir = beneath_open(root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	int r = dir < 0 ? 0 : dir_names(dir, &names);

	if (r < 0)
		return err_errno(e, r, "%s", path);
	strv_sort_unique(&names);
	for (size_t i = 0; r >= 0 && i < names.n; i++) {
		CLEANUP_STR char *file = xasprintf("%s/%s", path, names.v[i]);
		if (str_ends(names.v[i], ".conf"))
			r = read_manager(root, file, m, e);
	}
	return r < 0 ? r : 0;
}

static int set_defaults(const struct manager *m, struct spec *s, struct err *e)
{
	const struct strv *env = &m->environment->environment;
	int r = 0;

	for (size_t i = 0; r == 0 && i < env->n; i++)
		r = set_variable(s, env->v[i], MAIN_FILE, e);

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(defaults); i++) {
		const char *value = m->values[i] ? m->values[i] : defaults[i].builtin;
		if (value && *value && !spec_find(s, SPEC_SERVICE, defaults[i].service))
			r = spec_set(s, SPEC_SERVICE, defaults[i].service, value,
				     m->origins[i] ? m->origins[i] : "systemd's default", e);
	}
	return r;
}

static int set_locale(int root, struct spec *s, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(locale_files); i++) {
		struct strv env CLEANUP_STRV = STRV_INIT;
		CLEANUP_STR char *text = NULL;
		size_t len;
		int r = read_file(root, locale_files[i], &text, &len, e);
		if (r < 0)
			return r;
		if (r == 0)
			continue;
		r = env_file_parse(text, len, &env, e);
		for (size_t k = 0; r == 0 && k < env.n; k++)
			if (is_locale(env.v[k]))
				r = set_variable(s, env.v[k], locale_files[i], e);
		return r < 0 ? err_prefix(e, "%s", locale_files[i]) : 0;
	}
	return 0;
}

int unit_defaults(int root, struct spec *s, struct err *e)
{
	struct spec *environment CLEANUP_SPEC = spec_new(s->name);
	struct manager m = {.environment = environment};
	int r = read_manager(root, MAIN_FILE, &m, e);

	for (size_t i = 0; r == 0 && i < ARRAY_LEN(drop_in_dirs); i++)
		r = read_drop_ins(root, drop_in_dirs[i], &m, e);
	if (r == 0)
		r = set_defaults(&m, s, e);
	if (r == 0)
		r = set_locale(root, s, e);
	for (size_t i = 0; i < ARRAY_LEN(defaults); i++) {
		free(m.values[i]);
		free(m.origins[i]);
	}
	return r;
}
