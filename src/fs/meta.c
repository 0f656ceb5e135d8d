/* SPDX-License-Identifier: MIT */
#include "fs/meta.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/xattr.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/str.h"

/* What becomes of an attribute, by the start of its name. */
enum care {
	CARE_WISH, /* kept where possible */
	CARE_SKIP, /* means something on the source's inode only */
	CARE_MUST, /* who may do what depends on it */
};

static const struct {
	const char *prefix;
	enum care care;
} cares[] = {
    {"trusted.overlay.", CARE_SKIP},	{"user.overlay.", CARE_SKIP},
    {"security.ima", CARE_SKIP},	{"security.evm", CARE_SKIP},
    {"security.capability", CARE_MUST}, {"system.posix_acl_", CARE_MUST},
};

static enum care care_for(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(cares); i++)
		if (str_after(name, cares[i].prefix))
			return cares[i].care;
	return CARE_WISH;
}

/* "/proc/self/fd/N": the calls on descriptors fail with EBADF for O_PATH ones, and those on this
 * path do the same work. */
struct magic {
	char path[32];
};

static struct magic magic(int fd)
{
	struct magic m;
	snprintf(m.path, sizeof(m.path), "/proc/self/fd/%d", fd);
	return m;
}

static ssize_t list_xattrs(int fd, char *buf, size_t size)
{
	ssize_t n = flistxattr(fd, buf, size);
	if (n < 0 && errno == EBADF)
		n = listxattr(magic(fd).path, buf, size);
	return n < 0 ? -errno : n;
}

static ssize_t get_xattr(int fd, const char *name, void *buf, size_t size)
{
	ssize_t n = fgetxattr(fd, name, buf, size);
	if (n < 0 && errno == EBADF)
		n = getxattr(magic(fd).path, name, buf, size);
	return n < 0 ? -errno : n;
}

static int set_xattr(int fd, const struct meta_xattr *x)
{
	int r = fsetxattr(fd, x->name, x->value, x->size, 0);
	if (r < 0 && errno == EBADF)
		r = setxattr(magic(fd).path, x->name, x->value, x->size, 0);
	return r < 0 ? -errno : 0;
}

static int remove_xattr(int fd, const char *name)
{
	int r = fremovexattr(fd, name);
	if (r < 0 && errno == EBADF)
		r = removexattr(magic(fd).path, name);
	return r < 0 && errno != ENODATA ? -errno : 0;
}

/* The names, each ended by NUL, into @small or else a new buffer at *ret_big. Returns their bytes;
 * 0 where the file system has none to tell. */
static ssize_t list_names(int fd, char *small, size_t size, char **ret_big)
{
	ssize_t n = list_xattrs(fd, small, size);

	if (n == -ERANGE) {
		*ret_big = xcalloc(1, XATTR_LIST_MAX);
		n = list_xattrs(fd, *ret_big, XATTR_LIST_MAX);
	}
	return n == -ENOTSUP || n == -ENOSYS ? 0 : n;
}

static int read_xattr(int fd, const char *name, struct meta *m)
{
	char small[1024];
	CLEANUP_STR char *big = NULL;
	void *value = small;
	ssize_t n = get_xattr(fd, name, small, sizeof(small));

	if (n == -ERANGE) {
		value = big = xcalloc(1, XATTR_SIZE_MAX);
		n = get_xattr(fd, name, big, XATTR_SIZE_MAX);
	}
	if (n < 0) /* one that vanished meanwhile is no error either */
		return care_for(name) == CARE_MUST && n != -ENODATA ? (int)n : 0;
	m->xattrs = xrealloc(m->xattrs, m->n_xattrs + 1, sizeof(*m->xattrs));
	struct meta_xattr *x = &m->xattrs[m->n_xattrs++];
	*x = (struct meta_xattr){xstrdup(name), xcalloc(1, (size_t)n), (size_t)n};
	memcpy(x->value, value, x->size);
	return 0;
}

static int read_xattrs(int fd, struct meta *m)
{
	char small[1024];
	CLEANUP_STR char *big = NULL;
	ssize_t n = list_names(fd, small, sizeof(small), &big);
	const char *name = big ? big : small;
	size_t total = 0;

	for (const char *end = name + n; n > 0 && name < end; name += strlen(name) + 1) {
		size_t had = m->n_xattrs;
		if (care_for(name) == CARE_SKIP)
			continue;
		int r = read_xattr(fd, name, m);
		if (r < 0)
			return r;
		total += m->n_xattrs > had ? m->xattrs[had].size : 0;
		if (total > META_XATTR_MAX)
			return -E2BIG;
	}
	return n < 0 ? (int)n : 0;
}

int meta_read(int fd, struct meta *ret)
{
	CLEANUP_META struct meta m = META_INIT;

	if (fstat(fd, &m.st) < 0)
		return -errno;
	int r = read_xattrs(fd, &m);
	if (r < 0) {
		*ret = (struct meta)META_INIT;
		return r;
	}
	*ret = m;
	m = (struct meta)META_INIT;
	return 0;
}

void meta_done(struct meta *m)
{
	for (size_t i = 0; i < m->n_xattrs; i++) {
		free(m->xattrs[i].name);
		free(m->xattrs[i].value);
	}
	free(m->xattrs);
	*m = (struct meta)META_INIT;
}

static bool has_xattr(const struct meta *m, const char *name)
{
	for (size_t i = 0; i < m->n_xattrs; i++)
		if (streq(m->xattrs[i].name, name))
			return true;
	return false;
}

/* Removes the ACLs a parent's default ACL left on what is new. */
static int drop_inherited(int fd, const struct meta *m)
{
	char small[1024];
	CLEANUP_STR char *big = NULL;
	ssize_t n = list_names(fd, small, sizeof(small), &big);
	const char *name = big ? big : small;

	for (const char *end = name + n; n > 0 && name < end; name += strlen(name) + 1) {
		if (!str_after(name, "system.posix_acl_") || has_xattr(m, name))
			continue;
		int r = remove_xattr(fd, name);
		if (r < 0)
			return r;
	}
	return n < 0 ? (int)n : 0;
}

static int apply_owner(int fd, const struct stat *now, const struct stat *want)
{
	if (now->st_uid == want->st_uid && now->st_gid == want->st_gid)
		return 0;
	return fchownat(fd, "", want->st_uid, want->st_gid, AT_EMPTY_PATH) < 0 ? -errno : 0;
}

static int apply_mode(int fd, mode_t mode)
{
	int r = fchmod(fd, mode & 07777);
	if (r < 0 && errno == EBADF)
		r = chmod(magic(fd).path, mode & 07777);
	return r < 0 ? -errno : 0;
}

static int apply_xattrs(int fd, const struct meta *m)
{
	for (size_t i = 0; i < m->n_xattrs; i++) {
		int r = set_xattr(fd, &m->xattrs[i]);
		if (r < 0 && care_for(m->xattrs[i].name) == CARE_MUST)
			return r;
	}
	return 0;
}

static int apply_times(int dirfd, const char *name, int flags, const struct meta *m)
{
	struct timespec times[] = {m->st.st_atim, m->st.st_mtim};
	return utimensat(dirfd, name, times, flags) < 0 ? -errno : 0;
}

int meta_apply_fd(int fd, const struct meta *m)
{
	bool link = S_ISLNK(m->st.st_mode);
	struct stat now;
	int r;

	if (fstat(fd, &now) < 0)
		return -errno;
	if ((now.st_mode & S_IFMT) != (m->st.st_mode & S_IFMT))
		return -ESTALE;
	if ((r = link ? 0 : drop_inherited(fd, m)) < 0 || (r = apply_owner(fd, &now, &m->st)) < 0 ||
	    (r = link ? 0 : apply_mode(fd, m->st.st_mode)) < 0 || (r = apply_xattrs(fd, m)) < 0)
		return r;
	return apply_times(fd, "", AT_EMPTY_PATH, m);
}

int meta_apply(int dirfd, const char *name, const struct meta *m)
{
	CLEANUP_FD int fd = openat(dirfd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : meta_apply_fd(fd, m);
}

int meta_apply_times(int dirfd, const char *name, const struct meta *m)
{
	return apply_times(dirfd, name, AT_SYMLINK_NOFOLLOW, m);
}
