/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#include "base/fd.h"
#include "fs-attrs.h"
#include "fs-scratch.h"
#include "fs/copy.h"

static const struct timespec times[] = {{111111111, 123456789}, {999999999, 987654321}};

/* Copies @from below @src to @to below @dst. */
static int copy(int src, const char *from, int dst, const char *to)
{
	CLEANUP_FD int fd = openat(src, from, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	CLEANUP_META struct meta m = META_INIT;

	if (fd < 0)
		return -errno;
	int r = meta_read(fd, &m);
	return r < 0 ? r : copy_node(fd, &m, dst, to);
}

/* Reads all of a file; only its length and sum are needed. */
static unsigned long sum(int dirfd, const char *name, size_t *ret_len)
{
	CLEANUP_FD int fd = openat(dirfd, name, O_RDONLY | O_NOATIME | O_CLOEXEC);
	unsigned long total = 5381;
	unsigned char buf[65536];
	ssize_t n;

	*ret_len = 0;
	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		*ret_len += (size_t)n;
		for (ssize_t i = 0; i < n; i++)
			total = total * 33 + buf[i];
	}
	return total;
}

static void check_same_bytes(int a, const char *name_a, int b, const char *name_b)
{
	size_t len_a, len_b;
	unsigned long sum_a = sum(a, name_a, &len_a), sum_b = sum(b, name_b, &len_b);

	CHECK_INT(len_a, len_b);
	CHECK(sum_a == sum_b);
}

static void check_same_stat(int a, const char *name_a, int b, const char *name_b)
{
	struct stat x, y;

	CHECK_INT(fstatat(a, name_a, &x, AT_SYMLINK_NOFOLLOW), 0);
	CHECK_INT(fstatat(b, name_b, &y, AT_SYMLINK_NOFOLLOW), 0);
	CHECK_INT(y.st_mode, x.st_mode);
	CHECK_INT(y.st_uid, x.st_uid);
	CHECK_INT(y.st_gid, x.st_gid);
	CHECK_INT(y.st_mtim.tv_sec, x.st_mtim.tv_sec);
	CHECK_INT(y.st_mtim.tv_nsec, x.st_mtim.tv_nsec);
	if (!S_ISLNK(x.st_mode)) /* which reading the link changes */
		CHECK_INT(y.st_atim.tv_nsec, x.st_atim.tv_nsec);
}

static void check_no_leftovers(int fd)
{
	DIR *d = fdopendir(openat(fd, ".", O_RDONLY | O_DIRECTORY));
	struct dirent *de;

	while ((de = readdir(d)))
		if (strncmp(de->d_name, ".immure-", 8) == 0)
			CHECK_STR(de->d_name, "(no temporary name)");
	closedir(d);
}

/* @size bytes that are not all the same, from @at on. */
static void put_bytes(int dirfd, const char *name, off_t at, size_t size)
{
	int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	char *bytes = malloc(size + 1);

	for (size_t i = 0; i < size; i++)
		bytes[i] = (char)(i * 2654435761u >> 13);
	CHECK_INT(pwrite(fd, bytes, size, at), size);
	free(bytes);
	close(fd);
}

static void test_files(int src, int dst)
{
	static const size_t sizes[] = {0, 1, 4095, 4096, 65536, 65537, 200000, 3000000};
	struct stat st;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		put_bytes(src, "file", 0, sizes[i]);
		CHECK_INT(fchmodat(src, "file", 0751, 0), 0);
		CHECK_INT(utimensat(src, "file", times, 0), 0);
		CHECK_INT(copy(src, "file", dst, "file"), 0);
		check_same_bytes(src, "file", dst, "file");
		check_same_stat(src, "file", dst, "file");
		CHECK(fstatat(src, "file", &st, 0) == 0 && st.st_atim.tv_nsec == 123456789);
		unlinkat(src, "file", 0);
	}
	check_no_leftovers(dst);
}

/* An existing file is replaced, not written to: who has it open keeps the old one. */
static void test_replace(int src, int dst)
{
	char text[8] = "";

	put_file(dst, "here", "old");
	CHECK_INT(linkat(dst, "here", dst, "hard", 0), 0);
	put_file(src, "here", "new");
	CHECK_INT(copy(src, "here", dst, "here"), 0);
	CLEANUP_FD int old = openat(dst, "hard", O_RDONLY), new = openat(dst, "here", O_RDONLY);
	CHECK_INT(read(old, text, sizeof(text)), 3);
	CHECK_STR(text, "old");
	CHECK_INT(read(new, text, sizeof(text)), 3);
	CHECK_STR(text, "new");
	close(new);
	/* A link in its place is not followed, and a directory is an error. */
	CHECK_INT(symlinkat("hard", dst, "link"), 0);
	CHECK_INT(copy(src, "here", dst, "link"), 0);
	check_same_stat(src, "here", dst, "link");
	CHECK_INT(pread(old, text, sizeof(text), 0), 3);
	CHECK_STR(text, "old");
	CHECK_INT(mkdirat(dst, "dir", 0755), 0);
	CHECK_INT(copy(src, "here", dst, "dir"), -EISDIR);
	CHECK_INT(copy(src, "here", dst, "a/b"), -EINVAL);
	CHECK_INT(copy(src, "here", dst, ".."), -EINVAL);
	unlinkat(dst, "dir", AT_REMOVEDIR);
	check_no_leftovers(dst);
}

static blkcnt_t blocks(int fd, const char *name)
{
	struct stat st = {0};
	fstatat(fd, name, &st, 0);
	return st.st_blocks;
}

static void test_sparse(int src, int dst)
{
	put_bytes(src, "sparse", 1 << 20, 5000);
	put_bytes(src, "sparse", 5 << 20, 300000);
	CHECK_INT(copy(src, "sparse", dst, "sparse"), 0);
	check_same_bytes(src, "sparse", dst, "sparse");
	CHECK(blocks(dst, "sparse") <= 2 * blocks(src, "sparse") + 16);
	/* A hole at the end, and nothing but a hole. */
	CLEANUP_FD int fd = openat(src, "sparse", O_WRONLY);
	CHECK_INT(ftruncate(fd, 50 << 20), 0);
	CHECK_INT(copy(src, "sparse", dst, "sparse"), 0);
	check_same_bytes(src, "sparse", dst, "sparse");
	CHECK_INT(ftruncate(fd, 0), 0);
	CHECK_INT(ftruncate(fd, (off_t)1 << 40), 0);
	CHECK_INT(copy(src, "sparse", dst, "sparse"), 0);
	CHECK_INT(blocks(dst, "sparse"), 0);
	struct stat st;
	CHECK(fstatat(dst, "sparse", &st, 0) == 0 && st.st_size == (off_t)1 << 40);
	unlinkat(src, "sparse", 0);
}

static void test_xattrs(int src, int dst)
{
	CLEANUP_META struct meta m = META_INIT;
	struct acl acl = acl_sample();
	struct vfs_cap_data cap = capability_sample();

	put_bytes(src, "rich", 0, 10000);
	CLEANUP_FD int fd = openat(src, "rich", O_RDWR);
	size_t n = fsetxattr(fd, "user.text", "value", 5, 0) == 0;
	n += fsetxattr(fd, ACL_ACCESS, &acl, sizeof(acl), 0) == 0;
	n += fsetxattr(fd, "security.capability", &cap, sizeof(cap), 0) == 0;
	skip_unless(n == 3, "some attributes: not possible here");
	CHECK_INT(copy(src, "rich", dst, "rich"), 0);
	CLEANUP_FD int got = openat(dst, "rich", O_RDONLY);
	CHECK_INT(meta_read(got, &m), 0);
	CHECK_INT(m.n_xattrs, n);
	check_same_stat(src, "rich", dst, "rich");
	check_same_bytes(src, "rich", dst, "rich");
}

static void test_directories(int src, int dst)
{
	CHECK_INT(mkdirat(src, "dir", 0755), 0);
	CHECK_INT(fchmodat(src, "dir", 03751, 0), 0);
	put_file(src, "dir/in", "x");
	CHECK_INT(utimensat(src, "dir", times, 0), 0);
	CHECK_INT(copy(src, "dir", dst, "dir"), 0);
	check_same_stat(src, "dir", dst, "dir");
	CHECK(!exists(dst, "dir/in"));
	put_file(dst, "dir/own", "x");
	CHECK_INT(copy(src, "dir", dst, "dir"), 1);
	CHECK(exists(dst, "dir/own"));
	put_file(dst, "plain", "x");
	CHECK_INT(copy(src, "dir", dst, "plain"), -ENOTDIR);
	CHECK_INT(symlinkat("dir", dst, "dirlink"), 0);
	CHECK_INT(copy(src, "dir", dst, "dirlink"), -ENOTDIR);
	check_no_leftovers(dst);
}

static void test_links(int src, int dst)
{
	char target[64] = "";

	CHECK_INT(symlinkat("/no/where", src, "alink"), 0);
	CHECK_INT(utimensat(src, "alink", times, AT_SYMLINK_NOFOLLOW), 0);
	CHECK_INT(copy(src, "alink", dst, "alink"), 0);
	CHECK_INT(readlinkat(dst, "alink", target, sizeof(target) - 1), strlen("/no/where"));
	CHECK_STR(target, "/no/where");
	check_same_stat(src, "alink", dst, "alink");
	CHECK_INT(copy(src, "alink", dst, "alink"), 1);
	put_file(dst, "stays", "x");
	CHECK_INT(copy(src, "alink", dst, "stays"), 1);
	struct stat st;
	CHECK(fstatat(dst, "stays", &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode));
}

static void test_special(int src, int dst)
{
	CHECK_INT(mkfifoat(src, "fifo", 0640), 0);
	CHECK_INT(utimensat(src, "fifo", times, 0), 0);
	alarm(20); /* a fifo that blocks */
	CHECK_INT(copy(src, "fifo", dst, "fifo"), 0);
	check_same_stat(src, "fifo", dst, "fifo");
	CHECK_INT(copy(src, "fifo", dst, "fifo"), 1);
	/* Not even where the metadata says that it is a file. */
	CLEANUP_FD int fifo = openat(src, "fifo", O_PATH);
	CLEANUP_META struct meta m = META_INIT;
	CHECK_INT(meta_read(fifo, &m), 0);
	m.st.st_mode = S_IFREG | 0644;
	copy_node(fifo, &m, dst, "fifo-as-file");
	alarm(0);

	struct sockaddr_un un = {.sun_family = AF_UNIX};
	snprintf(un.sun_path, sizeof(un.sun_path), "/proc/self/fd/%d/sock", src);
	CLEANUP_FD int sock = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK_INT(bind(sock, (struct sockaddr *)&un, sizeof(un)), 0);
	CHECK_INT(copy(src, "sock", dst, "sock"), 0);
	check_same_stat(src, "sock", dst, "sock");
	CLEANUP_FD int dev = open("/dev", O_RDONLY | O_DIRECTORY);
	CHECK_INT(copy(dev, "null", dst, "null"), -EPERM);
	CHECK(!exists(dst, "null"));
	check_no_leftovers(dst);
}

static void test_pseudo(int dst)
{
	CLEANUP_FD int root = open("/", O_RDONLY | O_DIRECTORY);
	size_t len;

	CHECK_INT(copy(root, "proc/version", dst, "version"), 0);
	check_same_bytes(root, "proc/version", dst, "version");
	CHECK_INT(copy(root, "proc/filesystems", dst, "filesystems"), 0);
	sum(dst, "filesystems", &len);
	CHECK(len > 20);
	/* Says 4096 and has less. */
	CHECK_INT(copy(root, "sys/devices/system/cpu/online", dst, "online"), 0);
	check_same_bytes(root, "sys/devices/system/cpu/online", dst, "online");
	check_no_leftovers(dst);
}

static void test_placeholder(int src, int dst)
{
	CLEANUP_META struct meta m = META_INIT;
	CLEANUP_FD int fd = openat(src, "rich", O_PATH);

	CHECK_INT(utimensat(src, "rich", times, 0), 0);
	CHECK_INT(meta_read(fd, &m), 0);
	CHECK_INT(copy_placeholder(&m, dst, "place"), 0);
	check_same_stat(src, "rich", dst, "place");
	struct stat st;
	CHECK(fstatat(dst, "place", &st, 0) == 0 && st.st_size == 10000);
	CHECK(st.st_blocks <= 8); /* attributes, at most */
	CHECK_INT(copy_placeholder(&m, dst, "place"), -EEXIST);
	CHECK_INT(copy_placeholder(&m, dst, "dir"), -EEXIST);
	CHECK_INT(copy_placeholder(&m, dst, ""), -EINVAL);
	/* It becomes real by a copy. */
	CHECK_INT(copy_node(fd, &m, dst, "place"), 0);
	check_same_bytes(src, "rich", dst, "place");
	m.st.st_mode = S_IFDIR | 0755;
	CHECK_INT(copy_placeholder(&m, dst, "other"), -EINVAL);
	check_no_leftovers(dst);
}

static void test_stale(int src, int dst)
{
	CLEANUP_META struct meta m = META_INIT;
	CLEANUP_FD int fd = openat(src, "rich", O_PATH);

	CHECK_INT(meta_read(fd, &m), 0);
	/* One that has grown since is copied as it was seen; a shorter one is no longer that. */
	put_bytes(src, "rich", 10000, 1);
	CHECK_INT(copy_node(fd, &m, dst, "grown"), 0);
	struct stat st;
	CHECK(fstatat(dst, "grown", &st, 0) == 0 && st.st_size == m.st.st_size);
	CLEANUP_FD int file = openat(src, "rich", O_WRONLY);
	CHECK_INT(ftruncate(file, 5000), 0);
	CHECK_INT(copy_node(fd, &m, dst, "stale"), -ESTALE);
	CHECK(!exists(dst, "stale"));
	check_no_leftovers(dst);
}

static atomic_bool stop;
static int race_fd;

/* Whoever looks sees no half file. */
static void *watch(void *arg)
{
	int *bad = arg;

	while (!atomic_load(&stop)) {
		struct stat st;
		if (fstatat(race_fd, "seen", &st, 0) == 0 &&
		    (st.st_size != 300000 || st.st_mode != (S_IFREG | 0754)))
			++*bad;
		if (fstatat(race_fd, "seendir", &st, 0) == 0 && st.st_mode != (S_IFDIR | 0754))
			++*bad;
	}
	return NULL;
}

static void test_whole_or_nothing(int src, int dst)
{
	pthread_t thread;
	int bad = 0;

	put_bytes(src, "seen", 0, 300000);
	CHECK_INT(fchmodat(src, "seen", 0754, 0), 0);
	CHECK_INT(mkdirat(src, "seendir", 0700), 0);
	CHECK_INT(fchmodat(src, "seendir", 0754, 0), 0);
	race_fd = dst;
	CHECK_INT(pthread_create(&thread, NULL, watch, &bad), 0);
	for (int i = 0; i < 200; i++) {
		CHECK_INT(copy(src, "seen", dst, "seen"), 0);
		CHECK_INT(copy(src, "seendir", dst, "seendir"), 0);
		unlinkat(dst, "seen", 0);
		unlinkat(dst, "seendir", AT_REMOVEDIR);
	}
	atomic_store(&stop, true);
	pthread_join(thread, NULL);
	CHECK_INT(bad, 0);
}

/* A full disk leaves nothing behind, and what was there stays. */
static void test_full(const struct scratch *s, int src)
{
	CLEANUP_FD int fd = scratch_mount(s, "full", "tmpfs", "size=256k,nr_inodes=12");
	char name[32];

	if (skip_unless(fd >= 0, "a full disk: cannot mount a small tmpfs"))
		return;
	put_file(fd, "old", "old");
	put_bytes(src, "large", 0, 1 << 20);
	CHECK_INT(copy(src, "large", fd, "old"), -ENOSPC);
	CHECK_INT(copy(src, "large", fd, "large"), -ENOSPC);
	put_bytes(src, "middle", 0, 300 << 10);
	CHECK_INT(copy(src, "middle", fd, "large"), -ENOSPC);
	check_no_leftovers(fd);
	CHECK(!exists(fd, "large"));
	check_same_bytes(fd, "old", fd, "old");
	for (int i = 0; i < 12; i++) { /* no inodes either */
		snprintf(name, sizeof(name), "n%d", i);
		mkdirat(fd, name, 0755);
	}
	CHECK_INT(copy(src, "dir", fd, "dir"), -ENOSPC);
	CHECK_INT(copy(src, "alink", fd, "alink"), -ENOSPC);
	CHECK_INT(copy(src, "fifo", fd, "fifo"), -ENOSPC);
	CHECK_INT(copy(src, "here", fd, "here"), -ENOSPC);
	CLEANUP_META struct meta m = META_INIT;
	CLEANUP_FD int here = openat(src, "here", O_PATH);
	CHECK_INT(meta_read(here, &m), 0);
	CHECK_INT(copy_placeholder(&m, fd, "here"), -ENOSPC);
	check_no_leftovers(fd);
	struct statvfs v;
	CHECK(fstatvfs(fd, &v) == 0 && v.f_blocks - v.f_bfree <= 4);
}

static void test_owners(int src, int dst)
{
	static const char *const names[] = {"here", "dir", "alink", "fifo", "sock"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char name[32];
		snprintf(name, sizeof(name), "owned-%s", names[i]);
		CHECK_INT(fchownat(src, names[i], 1234, 4321, AT_SYMLINK_NOFOLLOW), 0);
		if (i == 0)
			CHECK_INT(fchmodat(src, names[i], 06755, 0), 0);
		CHECK_INT(copy(src, names[i], dst, name), 0);
		check_same_stat(src, names[i], dst, name);
	}
}

static void test_all(const struct scratch *s, int src, int dst)
{
	test_files(src, dst);
	test_replace(src, dst);
	test_sparse(src, dst);
	test_xattrs(src, dst);
	test_directories(src, dst);
	test_links(src, dst);
	test_special(src, dst);
	if (!skip_unless(geteuid() == 0, "files of other owners: needs root"))
		test_pseudo(dst);
	test_placeholder(src, dst);
	test_stale(src, dst);
	test_whole_or_nothing(src, dst);
	if (geteuid() == 0) {
		test_full(s, src);
		test_owners(src, dst);
	}
}

/* From an overlay's lower layer, as a growth in a world does. */
static void test_overlay(const struct scratch *s)
{
	char options[512], path[128];

	CHECK_INT(beneath_mkdirs(s->fd, "ovl/lower", 0755), 0);
	CHECK_INT(beneath_mkdirs(s->fd, "ovl/merged", 0755), 0);
	put_bytes(s->fd, "ovl/lower/big", 0, 500000);
	put_bytes(s->fd, "ovl/lower/sparse", 1 << 20, 10000);
	put_file(s->fd, "ovl/lower/small", "small");
	CLEANUP_FD int upper = scratch_mount(s, "ovl/up", "tmpfs", "");
	bool can = upper >= 0 && mkdirat(upper, "u", 0755) == 0 && mkdirat(upper, "w", 0755) == 0;
	snprintf(options, sizeof(options),
		 "lowerdir=%s/ovl/lower,upperdir=%s/ovl/up/u,workdir=%s/ovl/up/w,metacopy=on",
		 s->path, s->path, s->path);
	snprintf(path, sizeof(path), "%s/ovl/merged", s->path);
	can = can && mount("overlay", path, "overlay", 0, options) == 0;
	if (skip_unless(can, "an overlay: cannot mount one"))
		return;
	CLEANUP_FD int src = open(path, O_RDONLY | O_DIRECTORY);
	CHECK_INT(fchmodat(src, "big", 0711, 0), 0); /* a metadata-only copy up */
	CHECK_INT(copy(src, "big", s->fd, "from-big"), 0);
	check_same_bytes(src, "big", s->fd, "from-big");
	check_same_stat(src, "big", s->fd, "from-big");
	CHECK_INT(copy(src, "sparse", s->fd, "from-sparse"), 0);
	check_same_bytes(src, "sparse", s->fd, "from-sparse");
	CHECK_INT(copy(src, "small", upper, "from-small"), 0);
	check_same_bytes(src, "small", upper, "from-small");
	umount2(path, MNT_DETACH);
}

int main(void)
{
	struct scratch s = scratch_new();
	int fds = count_fds();

	CHECK_INT(mkdirat(s.fd, "src", 0755), 0);
	CHECK_INT(mkdirat(s.fd, "dst", 0755), 0);
	int src = openat(s.fd, "src", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int dst = openat(s.fd, "dst", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	test_all(&s, src, dst);
	test_overlay(&s);
	close(dst);

	/* Once more to another file system. */
	dst = scratch_mount(&s, "other", "tmpfs", "size=64m");
	if (!skip_unless(dst >= 0, "another file system: cannot mount one")) {
		scratch_unmount(&s, "full");
		CHECK_INT(tree_remove(s.fd, "src"), 0);
		CHECK_INT(tree_remove(s.fd, "full"), 0);
		close(src);
		CHECK_INT(mkdirat(s.fd, "src", 0755), 0);
		src = openat(s.fd, "src", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		atomic_store(&stop, false);
		test_all(&s, src, dst);
	}
	close(src);
	if (dst >= 0)
		close(dst);
	CHECK_INT(count_fds(), fds);
	scratch_unmount(&s, "full");
	scratch_unmount(&s, "other");
	scratch_unmount(&s, "ovl/up");
	scratch_done(&s);
	return check_done("copy");
}
