/* SPDX-License-Identifier: MIT */
#include "fs-attrs.h"
#include "fs-scratch.h"
#include "fs/meta.h"

static int path_fd(int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	CHECK(fd >= 0);
	return fd;
}

static struct meta read_meta(int dirfd, const char *name)
{
	struct meta m = META_INIT;
	int fd = path_fd(dirfd, name);

	CHECK_INT(meta_read(fd, &m), 0);
	close(fd);
	return m;
}

static const struct meta_xattr *find(const struct meta *m, const char *name)
{
	for (size_t i = 0; i < m->n_xattrs; i++)
		if (strcmp(m->xattrs[i].name, name) == 0)
			return &m->xattrs[i];
	return NULL;
}

static void check_same(const struct meta *a, const struct meta *b)
{
	CHECK_INT(a->st.st_mode, b->st.st_mode);
	CHECK_INT(a->st.st_uid, b->st.st_uid);
	CHECK_INT(a->st.st_gid, b->st.st_gid);
	CHECK_INT(a->st.st_mtim.tv_sec, b->st.st_mtim.tv_sec);
	CHECK_INT(a->st.st_mtim.tv_nsec, b->st.st_mtim.tv_nsec);
	CHECK_INT(a->st.st_atim.tv_sec, b->st.st_atim.tv_sec);
	CHECK_INT(a->st.st_atim.tv_nsec, b->st.st_atim.tv_nsec);
	CHECK_INT(a->n_xattrs, b->n_xattrs);
	for (size_t i = 0; i < a->n_xattrs; i++) {
		const struct meta_xattr *x = &a->xattrs[i], *y = find(b, x->name);
		CHECK(y && x->size == y->size && memcmp(x->value, y->value, x->size) == 0);
	}
}

static void set_times(int dirfd, const char *name)
{
	const struct timespec times[] = {{111111111, 123456789}, {999999999, 987654321}};
	CHECK_INT(utimensat(dirfd, name, times, AT_SYMLINK_NOFOLLOW), 0);
}

/* Applies @from's metadata to @to and expects to read the same. */
static void check_transfer(int dirfd, const char *from, const char *to)
{
	struct meta a = read_meta(dirfd, from);

	CHECK_INT(meta_apply(dirfd, to, &a), 0);
	struct meta b = read_meta(dirfd, to);
	check_same(&a, &b);
	meta_done(&a);
	meta_done(&b);
	CHECK(a.n_xattrs == 0 && a.xattrs == NULL);
}

static void test_plain(int fd)
{
	put_file(fd, "a", "x");
	put_file(fd, "b", "y");
	CHECK_INT(fchmodat(fd, "a", 0604, 0), 0);
	set_times(fd, "a");
	check_transfer(fd, "a", "b");
	CHECK_INT(mkdirat(fd, "adir", 0755), 0);
	CHECK_INT(mkdirat(fd, "bdir", 0700), 0);
	CHECK_INT(fchmodat(fd, "adir", 01751, 0), 0);
	set_times(fd, "adir");
	check_transfer(fd, "adir", "bdir");
	CHECK_INT(mkfifoat(fd, "afifo", 0642), 0);
	CHECK_INT(mkfifoat(fd, "bfifo", 0600), 0);
	check_transfer(fd, "afifo", "bfifo"); /* and does not block */
	put_file(fd, "bdir/new", "x");
	struct meta m = read_meta(fd, "adir"), now;
	CHECK_INT(meta_apply_times(fd, "bdir", &m), 0);
	now = read_meta(fd, "bdir");
	check_same(&m, &now);
}

/* An ordinary descriptor works as O_PATH does. */
static void test_open_fd(int fd)
{
	struct meta m, other = read_meta(fd, "a");
	int file = openat(fd, "a", O_RDWR | O_CLOEXEC);

	CHECK_INT(meta_read(file, &m), 0);
	check_same(&m, &other);
	CHECK_INT(fchmod(file, 0777), 0);
	CHECK_INT(meta_apply_fd(file, &m), 0);
	check_transfer(fd, "a", "b");
	close(file);
	meta_done(&m);
	meta_done(&other);
	CHECK_INT(meta_read(-1, &m), -EBADF);
}

static void test_wrong_type(int fd)
{
	struct meta m = read_meta(fd, "a");

	CHECK_INT(symlinkat("a", fd, "to-a"), 0);
	m.st.st_mode = S_IFREG | 0777;
	CHECK_INT(meta_apply(fd, "to-a", &m), -ESTALE); /* and a is as it was */
	CHECK_INT(meta_apply(fd, "adir", &m), -ESTALE);
	CHECK_INT(meta_apply(fd, "gone", &m), -ENOENT);
	meta_done(&m);
	m = read_meta(fd, "a");
	CHECK_INT(m.st.st_mode & 07777, 0604);
	meta_done(&m);
}

static void test_user_xattrs(int fd)
{
	static char big[60000];
	int file = openat(fd, "a", O_RDWR | O_CLOEXEC);
	bool can = fsetxattr(file, "user.one", "1", 1, 0) == 0;

	if (skip_unless(can, "user attributes: this file system has none")) {
		close(file);
		return;
	}
	CHECK_INT(fsetxattr(file, "user.empty", "", 0, 0), 0);
	memset(big, 'x', sizeof(big));
	fsetxattr(file, "user.big", big, 3000, 0);
	CHECK_INT(fsetxattr(file, "user.overlay.opaque", "y", 1, 0), 0);
	for (int i = 0; i < 20; i++) {
		char name[32];
		snprintf(name, sizeof(name), "user.number.%d", i);
		CHECK_INT(fsetxattr(file, name, name, strlen(name), 0), 0);
	}
	struct meta m;
	CHECK_INT(meta_read(file, &m), 0);
	CHECK(find(&m, "user.one") && find(&m, "user.empty") && !find(&m, "user.overlay.opaque"));
	close(file);
	check_transfer(fd, "a", "b");

	/* What the target cannot hold is left out when nothing depends on it. */
	struct meta_xattr strange[] = {{(char[]){"nosuch.class"}, big, 1},
				       {(char[]){"user.big"}, big, sizeof(big)},
				       {(char[]){"user.kept"}, big, 1}};
	struct meta odd = {.st = m.st, .xattrs = strange, .n_xattrs = 3};
	put_file(fd, "c", "x");
	CHECK_INT(meta_apply(fd, "c", &odd), 0);
	struct meta got = read_meta(fd, "c");
	CHECK(find(&got, "user.kept") && !find(&got, "nosuch.class"));
	meta_done(&got);
	meta_done(&m);
}

static bool set_on(int dirfd, const char *name, const char *attr, const void *value, size_t size)
{
	int fd = path_fd(dirfd, name);
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	int r = setxattr(path, attr, value, size, 0);
	close(fd);
	return r == 0;
}

static void test_acls(int fd)
{
	struct acl acl = acl_sample();
	struct stat st;

	if (skip_unless(set_on(fd, "a", ACL_ACCESS, &acl, sizeof(acl)), "ACLs: none here"))
		return;
	set_times(fd, "a");
	check_transfer(fd, "a", "b");
	CHECK(set_on(fd, "adir", ACL_DEFAULT, &acl, sizeof(acl)));
	CHECK(set_on(fd, "adir", ACL_ACCESS, &acl, sizeof(acl)));
	set_times(fd, "adir");
	check_transfer(fd, "adir", "bdir");

	/* What a default ACL gave to new ones goes, where the source has none. */
	put_file(fd, "plain", "x");
	CHECK_INT(fchmodat(fd, "plain", 0644, 0), 0);
	put_file(fd, "bdir/inherits", "x");
	struct meta m = read_meta(fd, "bdir/inherits");
	CHECK(find(&m, ACL_ACCESS));
	meta_done(&m);
	check_transfer(fd, "plain", "bdir/inherits");
	CHECK_INT(mkdirat(fd, "plaindir", 0755), 0);
	CHECK_INT(mkdirat(fd, "bdir/dir", 0755), 0);
	check_transfer(fd, "plaindir", "bdir/dir");
	CHECK(fstatat(fd, "bdir/inherits", &st, 0) == 0 && (st.st_mode & 07777) == 0644);
}

static void test_capability(int fd)
{
	struct vfs_cap_data cap = capability_sample();

	put_file(fd, "cap", "x");
	put_file(fd, "capped", "x");
	CHECK_INT(fchownat(fd, "cap", 33, 34, 0), 0);
	CHECK_INT(fchmodat(fd, "cap", 06755, 0), 0);
	if (skip_unless(set_on(fd, "cap", "security.capability", &cap, sizeof(cap)),
			"capabilities: not permitted"))
		return;
	struct meta m = read_meta(fd, "cap");
	CHECK(find(&m, "security.capability"));
	CHECK_INT(m.st.st_mode & 07777, 06755);
	meta_done(&m);
	check_transfer(fd, "cap", "capped");
	/* Once more, over what has them: chown took them away and they are back. */
	CHECK_INT(fchownat(fd, "capped", 1, 1, 0), 0);
	check_transfer(fd, "cap", "capped");
}

static void test_owner_and_links(int fd)
{
	CHECK_INT(symlinkat("nowhere", fd, "alink"), 0);
	CHECK_INT(symlinkat("a", fd, "blink"), 0);
	struct meta before = read_meta(fd, "a");
	CHECK_INT(fchownat(fd, "alink", 7, 8, AT_SYMLINK_NOFOLLOW), 0);
	set_times(fd, "alink");
	set_on(fd, "alink", "trusted.link", "v", 1);
	check_transfer(fd, "alink", "blink");
	struct meta link = read_meta(fd, "blink"), after = read_meta(fd, "a");
	CHECK(find(&link, "trusted.link"));
	check_same(&before, &after);
	CHECK(set_on(fd, "a", "trusted.overlay.origin", "v", 1));
	CHECK(set_on(fd, "a", "trusted.other", "v", 1));
	struct meta m = read_meta(fd, "a");
	CHECK(find(&m, "trusted.other") && !find(&m, "trusted.overlay.origin"));
	CHECK_INT(fchownat(fd, "a", 12, 13, 0), 0);
	CHECK_INT(fchmodat(fd, "a", 04711, 0), 0);
	check_transfer(fd, "a", "b");
	meta_done(&before);
	meta_done(&link);
	meta_done(&after);
	meta_done(&m);
}

/* Where ACLs and capabilities cannot be kept, that is said. */
static void test_unable(const struct scratch *s)
{
	int fd = scratch_mount(s, "noacl", "ramfs", "");
	struct acl acl = acl_sample();
	struct meta_xattr x = {(char[]){ACL_ACCESS}, &acl, sizeof(acl)};

	if (skip_unless(fd >= 0, "a file system without ACLs: cannot mount one"))
		return;
	put_file(fd, "file", "x");
	struct meta m = read_meta(fd, "file");
	m.xattrs = &x;
	m.n_xattrs = 1;
	CHECK_INT(meta_apply(fd, "file", &m), -ENOTSUP);
	close(fd);
	scratch_unmount(s, "noacl");
}

int main(void)
{
	struct scratch s = scratch_new();
	int fds = count_fds();

	test_plain(s.fd);
	test_open_fd(s.fd);
	test_wrong_type(s.fd);
	test_user_xattrs(s.fd);
	test_acls(s.fd);
	if (!skip_unless(geteuid() == 0, "owners and capabilities: needs root")) {
		test_capability(s.fd);
		test_owner_and_links(s.fd);
		test_unable(&s);
	}
	CHECK_INT(count_fds(), fds);
	scratch_done(&s);
	return check_done("meta");
}
