/* SPDX-License-Identifier: MIT */
/* Spec files: from bytes, and from the configuration directory with their drop-ins. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/nearest.h"
#include "base/path.h"
#include "spec/ini-text.h"
#include "spec/spec.h"

struct source {
	struct spec *spec;
	const char *file;
};

static int unknown_section(const char *origin, const char *name, struct err *e)
{
	CLEANUP_STR char *shown = str_printable(xstrdup(name));
	struct nearest near = NEAREST_OF(shown);
	char hint[NEAREST_HINT_MAX];

	if (!*name)
		return err_set(e, -EINVAL, "%s: a setting before the first [Section]", origin);
	for (enum spec_section i = SPEC_SERVICE; i <= SPEC_EXERCISE; i++)
		nearest_offer(&near, spec_section_name(i));
	return err_set(e, -EINVAL, "%s: unknown section [%s]%s", origin, shown,
		       nearest_hint(&near, "", hint));
}

static int take_entry(void *user, const char *section, const char *key, const char *value,
		      unsigned line, struct err *e)
{
	struct source *src = user;
	CLEANUP_STR char *origin = xasprintf("%s:%u", src->file, line);

	if (key && !value)
		return err_set(e, -EINVAL, "%s: neither a [Section] nor KEY=VALUE", origin);
	for (enum spec_section i = SPEC_SERVICE; i <= SPEC_EXERCISE; i++)
		if (streq(section, spec_section_name(i)))
			return !key ? 0 : spec_set(src->spec, i, key, value, origin, e);
	return unknown_section(origin, section, e);
}

int spec_parse(struct spec *s, const char *text, size_t len, const char *file, struct err *e)
{
	struct source src = {s, file};
	return ini_text_parse(text, len, file, take_entry, &src, e);
}

/* Whoever can write a spec commands what root starts. */
static int check_owner(int fd, const char *path, mode_t type, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_errno(e, -errno, "%s", path);
	if ((st.st_mode & S_IFMT) != type)
		return err_set(e, -EINVAL, "%s: not a %s", path,
			       type == S_IFDIR ? "directory" : "file");
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return err_set(e, -EINVAL, "%s: owned by user %u; chown root %s", path,
			       (unsigned)st.st_uid, path);
	if (st.st_mode & 022)
		return err_set(e, -EINVAL, "%s: others than its owner may write it; chmod go-w %s",
			       path, path);
	return 0;
}

static int load_file(int dir, const char *dir_path, const char *name, struct spec *s, struct err *e)
{
	CLEANUP_STR char *path = path_join(dir_path, name), *text = NULL;
	CLEANUP_FD int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	size_t len;

	if (fd < 0)
		return err_errno(e, -errno, "%s", path);
	int r = check_owner(fd, path, S_IFREG, e);
	if (r < 0)
		return r;
	r = fd_read_all(fd, INI_TEXT_MAX, &text, &len);
	if (r < 0)
		return err_errno(e, r, "%s", path);
	return spec_parse(s, text, len, path, e);
}

/* The names in directory @fd that match @pattern, sorted. */
static int list(int fd, const char *pattern, struct strv *ret)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	struct dirent *de;

	if (!d) {
		int error = -errno;
		fd_close(&copy);
		return error;
	}
	while ((de = readdir(d)))
		if (de->d_name[0] != '.' && fnmatch(pattern, de->d_name, 0) == 0)
			strv_add(ret, de->d_name);
	closedir(d);
	strv_sort_unique(ret);
	return 0;
}

static int load_drop_ins(int config, const char *config_dir, struct spec *s, struct err *e)
{
	CLEANUP_STR char *name = xasprintf("%s.conf.d", s->name);
	CLEANUP_STR char *path = path_join(config_dir, name);
	CLEANUP_STRV struct strv files = STRV_INIT;
	CLEANUP_FD int dir = openat(config, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return errno == ENOENT ? 0 : err_errno(e, -errno, "%s", path);
	int r = check_owner(dir, path, S_IFDIR, e);
	if (r < 0)
		return r;
	r = list(dir, "*.conf", &files);
	if (r < 0)
		return err_errno(e, r, "%s", path);
	for (size_t i = 0; r == 0 && i < files.n; i++)
		r = load_file(dir, path, files.v[i], s, e);
	return r;
}

/* Says which spec there is that could have been meant. */
static int no_such_spec(int config, const char *config_dir, const char *name, struct err *e)
{
	CLEANUP_STRV struct strv files = STRV_INIT;
	struct nearest near = NEAREST_OF(name);
	char hint[NEAREST_HINT_MAX];

	list(config, "*.conf", &files);
	for (size_t i = 0; i < files.n; i++) {
		files.v[i][strlen(files.v[i]) - strlen(".conf")] = '\0';
		nearest_offer(&near, files.v[i]);
	}
	return err_set(e, -ENOENT, "no jail '%s': %s/%s.conf is not there%s", name, config_dir,
		       name, nearest_hint(&near, "", hint));
}

int spec_load(const char *config_dir, const char *name, struct spec **ret, struct err *e)
{
	if (!str_is_name(name)) {
		CLEANUP_STR char *shown = str_printable(xasprintf("%.100s", name));
		return err_set(e, -EINVAL,
			       "'%s' cannot name a jail: letters, digits and . _ @ -, at most 64",
			       shown);
	}
	CLEANUP_STR char *file = xasprintf("%s.conf", name);
	CLEANUP_FD int dir = open(config_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_errno(e, -errno, "no jail '%s': %s", name, config_dir);
	int r = check_owner(dir, config_dir, S_IFDIR, e);
	if (r < 0)
		return r;
	if (faccessat(dir, file, F_OK, 0) < 0 && errno == ENOENT)
		return no_such_spec(dir, config_dir, name, e);
	CLEANUP_SPEC struct spec *s = spec_new(name);
	r = load_file(dir, config_dir, file, s, e);
	if (r == 0)
		r = load_drop_ins(dir, config_dir, s, e);
	if (r == 0)
		*ret = steal_ptr(s);
	return r;
}
