/* SPDX-License-Identifier: MIT */
#include "world/mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"

/* Interfaces of the kernel rather than stores of files: a world has its own, or goes without. */
static const char *const kernel_types[] = {
    "autofs",	  "binfmt_misc", "bpf",	     "cgroup",	 "cgroup2", "configfs",
    "debugfs",	  "devpts",	 "devtmpfs", "efivarfs", "fusectl", "hugetlbfs",
    "mqueue",	  "nsfs",	 "proc",     "pstore",	 "resctrl", "rpc_pipefs",
    "securityfs", "selinuxfs",	 "sysfs",    "tracefs",
};

static bool is_kernel_type(const char *fstype)
{
	for (size_t i = 0; i < ARRAY_LEN(kernel_types); i++)
		if (streq(kernel_types[i], fstype))
			return true;
	return false;
}

/* mountinfo writes space, tab, newline and backslash as \ooo. */
static void unescape(char *s)
{
	char *to = s;

	for (; *s; s++) {
		if (s[0] == '\\' && s[1] >= '0' && s[1] <= '3' && s[2] && s[3]) {
			*to++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
			s += 3;
		} else
			*to++ = *s;
	}
	*to = '\0';
}

static bool has_option(const char *options, const char *want)
{
	size_t n = strlen(want);

	for (const char *p = options; p; p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL)
		if (strncmp(p, want, n) == 0 && (p[n] == ',' || p[n] == '\0'))
			return true;
	return false;
}

static unsigned attributes(const char *options)
{
	static const struct {
		const char *word;
		unsigned attr;
	} words[] = {
	    {"ro", MOUNT_ATTR_RDONLY},
	    {"nosuid", MOUNT_ATTR_NOSUID},
	    {"nodev", MOUNT_ATTR_NODEV},
	    {"noexec", MOUNT_ATTR_NOEXEC},
	};
	unsigned attr = 0;

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (has_option(options, words[i].word))
			attr |= words[i].attr;
	return attr;
}

bool mount_line_parse(char *line, struct mount *ret, unsigned long *ret_id)
{
	char *save, *field[6];

	line[strcspn(line, "\n")] = '\0';
	char *after = strstr(line, " - ");
	if (!after)
		return false;
	*after = '\0';
	char *fstype = strtok_r(after + 3, " ", &save);
	for (int i = 0; i < 6; i++)
		if (!(field[i] = strtok_r(i ? NULL : line, " ", &save)))
			return false;
	if (!fstype || is_kernel_type(fstype))
		return false;
	unescape(field[4]);
	if (path_within(field[4], "/proc") || path_within(field[4], "/sys") ||
	    path_within(field[4], "/dev"))
		return false;
	*ret_id = strtoul(field[0], NULL, 10);
	*ret = (struct mount){
	    .point = xstrdup(field[4]), .fstype = xstrdup(fstype), .attr = attributes(field[5])};
	return true;
}

static void mount_free(struct mount *m)
{
	free(m->point);
	free(m->fstype);
}

/* Whether the mount with @id is what a path look-up of its mount point reaches. */
static bool visible(struct mount *m, unsigned long id)
{
	struct statx stx;

	if (statx(AT_FDCWD, m->point, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT,
		  STATX_TYPE | STATX_MNT_ID, &stx) < 0)
		return false;
	m->directory = S_ISDIR(stx.stx_mode);
	return !(stx.stx_mask & STATX_MNT_ID) || stx.stx_mnt_id == id;
}

static int by_depth(const void *a, const void *b)
{
	const struct mount *x = a, *y = b;
	size_t dx = path_depth(x->point), dy = path_depth(y->point);
	return dx != dy ? (dx > dy) - (dx < dy) : strcmp(x->point, y->point);
}

int mount_table_read(struct mount_table *ret, struct err *e)
{
	CLEANUP_FD int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	CLEANUP_STR char *text = NULL;
	struct mount_table t = {0};
	char *save = NULL;

	int r = fd < 0 ? -errno : fd_read_all(fd, 16 << 20, &text, NULL);
	if (r < 0)
		return err_errno(e, r, "reading /proc/self/mountinfo");
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		struct mount m;
		unsigned long id;
		if (!mount_line_parse(line, &m, &id))
			continue;
		if (!visible(&m, id)) {
			mount_free(&m);
			continue;
		}
		t.v = xrealloc(t.v, t.n + 1, sizeof(*t.v));
		t.v[t.n++] = m;
	}
	if (t.n)
		qsort(t.v, t.n, sizeof(*t.v), by_depth);
	*ret = t;
	return 0;
}

void mount_table_done(struct mount_table *t)
{
	for (size_t i = 0; i < t->n; i++)
		mount_free(&t->v[i]);
	free(t->v);
	*t = (struct mount_table){0};
}
