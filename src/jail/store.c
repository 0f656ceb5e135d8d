/* SPDX-License-Identifier: MIT */
/* A file becomes a link by making the link under another name and renaming it over the file: at no
 * time is the path missing. Two builds may meet on one object: whoever comes second finds EEXIST
 * and takes the other's. An object with as many links as its file system lets (EMLINK) is replaced
 * by the new file, which has room again. */
#include "jail/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "crypto/crypto.h"
#include "fs/beneath.h"
#include "fs/dir.h"
#include "fs/meta.h"
#include "jail/describe.h"
#include "jail/generation.h"

#define CACHE_TAG                                                                                  \
	"Signature: 8a477f597d28d172789f06886806bc55\n# immure can build all of this anew.\n"

/* For whoever shares (many at a time) or collects (alone): what one has found a shelf or a last
 * link the other must not take away. The lock goes with the descriptor. */
static int lock_store(int fd, bool share)
{
	struct stat st;

	while (flock(fd, share ? LOCK_SH : LOCK_EX) < 0)
		if (errno != EINTR)
			return -errno;
	/* The last jail may just have gone, and the directory with it. */
	return fstat(fd, &st) < 0 ? -errno : st.st_nlink ? 0 : -ESTALE;
}

void store_tag(int fd)
{
	if (faccessat(fd, "CACHEDIR.TAG", F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return;
	CLEANUP_FD int tag =
	    openat(fd, "CACHEDIR.TAG", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (tag >= 0)
		fd_write_all(tag, CACHE_TAG, sizeof(CACHE_TAG) - 1);
}

#define OPEN_TRIES 100

/* For sharing it is made. -ENOENT without a message where there is none to collect from. */
static int open_store(const struct dirs *d, bool share, struct err *e)
{
	CLEANUP_STR char *path = path_join(d->state, "store");
	int r = -ESTALE;

	for (int i = 0; i < OPEN_TRIES && r == -ESTALE; i++) {
		r = share ? jail_make_dir(path, 0700, e) : 0;
		if (r < 0)
			return r;
		CLEANUP_FD int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		r = fd < 0 ? -errno : lock_store(fd, share);
		if (r == -ENOENT && share)
			r = -ESTALE;
		if (r < 0)
			continue;
		if (share)
			store_tag(fd);
		return take_fd(&fd);
	}
	return share ? err_errno(e, r, "opening %s", path) : r;
}

/* All of @fd's metadata and the content's hash; 64 hexadecimal digits. */
static int key_of(int fd, const struct entry *en, char ret[65])
{
	struct meta m CLEANUP_META = META_INIT;
	const struct crypto *crypto = crypto_load(NULL);
	unsigned char hash[CRYPTO_HASH];
	char head[160];
	int r = meta_read(fd, &m);

	if (r < 0)
		return r;
	int n = snprintf(head, sizeof(head), "%s %o %u %u %lld.%09ld", en->sha256, m.st.st_mode,
			 m.st.st_uid, m.st.st_gid, (long long)m.st.st_mtim.tv_sec,
			 m.st.st_mtim.tv_nsec);
	struct crypto_part *parts = xcalloc(1 + 3 * m.n_xattrs, sizeof(*parts));
	size_t k = 0;
	parts[k++] = (struct crypto_part){head, (size_t)n};
	for (size_t i = 0; i < m.n_xattrs; i++) {
		const struct meta_xattr *x = &m.xattrs[i];
		parts[k++] = (struct crypto_part){x->name, strlen(x->name) + 1};
		parts[k++] = (struct crypto_part){&x->size, sizeof(x->size)};
		parts[k++] = (struct crypto_part){x->value, x->size};
	}
	r = crypto ? crypto->hash_parts(parts, k, hash) : -ENOPKG;
	free(parts);
	if (r == 0)
		crypto_hex(hash, ret);
	return r;
}

/* Whether the object still is what its name says, as far as metadata tells. */
static bool fits(int shelf, const char *object, const struct stat *want)
{
	struct stat st;

	return fstatat(shelf, object, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
	       st.st_size == want->st_size && st.st_mode == want->st_mode &&
	       st.st_uid == want->st_uid && st.st_mtim.tv_sec == want->st_mtim.tv_sec &&
	       st.st_mtim.tv_nsec == want->st_mtim.tv_nsec;
}

static bool is_same(int shelf, const char *object, const struct stat *file)
{
	struct stat st;

	return fstatat(shelf, object, &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_ino == file->st_ino &&
	       st.st_dev == file->st_dev;
}

/* The file @name in @dir becomes the object, or the object the file. */
static int share_file(int shelf, const char *object, int dir, const char *name,
		      const struct stat *st)
{
	static const char temp[] = ".immure-link";

	if (linkat(dir, name, shelf, object, 0) == 0)
		return 0;
	if (errno != EEXIST)
		return -errno;
	if (!fits(shelf, object, st)) {
		unlinkat(shelf, object, 0); /* rotten: what was sealed just now is right */
		return linkat(dir, name, shelf, object, 0) < 0 ? -errno : 0;
	}
	if (is_same(shelf, object, st))
		return 0; /* another name of it came first; rename(2) would leave both names */
	unlinkat(dir, temp, 0);
	if (linkat(shelf, object, dir, temp, 0) < 0) {
		if (errno != EMLINK && errno != ENOENT) /* full, or collected just now */
			return -errno;
		unlinkat(shelf, object, 0);
		return linkat(dir, name, shelf, object, 0) < 0 ? -errno : 0;
	}
	return renameat(dir, temp, dir, name) < 0 ? -errno : 0;
}

static int share(int store, int tree, const struct entry *en)
{
	CLEANUP_STR char *up = path_parent(en->path);
	CLEANUP_FD int dir = beneath_open_nolink(tree, up, O_PATH | O_DIRECTORY, 0);
	CLEANUP_FD int fd = beneath_open_nolink(tree, en->path, O_PATH | O_NOFOLLOW, 0);
	struct stat st;
	char key[65], shelf_name[3];

	if (dir < 0 || fd < 0 || fstat(fd, &st) < 0)
		return dir < 0 ? dir : fd < 0 ? fd : -errno;
	int r = key_of(fd, en, key);
	if (r < 0)
		return r;
	snprintf(shelf_name, sizeof(shelf_name), "%.2s", key);
	if (mkdirat(store, shelf_name, 0700) < 0 && errno != EEXIST)
		return -errno;
	CLEANUP_FD int shelf =
	    openat(store, shelf_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return shelf < 0 ? -errno : share_file(shelf, key + 2, dir, path_base(en->path), &st);
}

/* Renaming has moved the directories' times on; children come after their parents, so backwards. */
static void restore_times(int tree, const struct manifest *m)
{
	for (size_t i = m->n; i-- > 0;) {
		const struct entry *en = &m->v[i];
		const struct timespec times[] = {{.tv_nsec = UTIME_OMIT}, en->mtime};
		if (!entry_is_held(en) || !S_ISDIR(en->mode))
			continue;
		CLEANUP_FD int fd = beneath_open_nolink(tree, en->path, O_RDONLY | O_DIRECTORY, 0);
		if (fd >= 0)
			futimens(fd, times);
	}
}

static int share_beside(int store, int dir, const char *name, const struct timespec *newest)
{
	const struct timespec times[] = {{.tv_nsec = UTIME_OMIT}, *newest};
	CLEANUP_STR char *path = path_join("/", name);
	char hex[65];
	struct entry file = {.path = path, .sha256 = hex};
	int r = utimensat(dir, name, times, 0) < 0 ? -errno : describe_hash(dir, path, hex);

	return r < 0 ? r : share(store, dir, &file);
}

int store_share_beside(const struct dirs *d, const char *dir, const struct manifest *m,
		       struct err *e)
{
	static const char *const names[] = {"manifest.jsonl", "policy.json", "policy.bin"};
	struct timespec newest = {0};
	CLEANUP_FD int store = open_store(d, true, e);
	CLEANUP_FD int at = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = 0;

	for (size_t i = 0; i < m->n; i++)
		if (m->v[i].mtime.tv_sec > newest.tv_sec)
			newest = m->v[i].mtime;
	if (store < 0 || at < 0)
		return store < 0 ? store : err_errno(e, -errno, "opening %s", dir);
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(names); i++)
		r = share_beside(store, at, names[i], &newest);
	if (r == -EXDEV || r == -EPERM || r == -EOPNOTSUPP)
		return 0; /* no links here */
	return r < 0 ? err_errno(e, r, "sharing what lies in %s", dir) : 0;
}

int store_share(const struct dirs *d, int tree, const struct manifest *m, struct err *e)
{
	struct stat root;
	CLEANUP_FD int store = open_store(d, true, e);
	int r = store < 0 ? store : 0;

	if (r < 0 || fstat(tree, &root) < 0)
		return r;
	for (size_t i = 0; r == 0 && i < m->n; i++) {
		const struct entry *en = &m->v[i];
		if (entry_is_held(en) && S_ISREG(en->mode) && en->sha256)
			r = share(store, tree, en);
		if (r == -EXDEV || r == -EPERM || r == -EOPNOTSUPP)
			break; /* no links here: files of its own do as well */
		if (r < 0)
			return err_errno(e, r, "sharing %s with other jails", en->path);
	}
	restore_times(tree, m);
	const struct timespec times[] = {{.tv_nsec = UTIME_OMIT}, root.st_mtim};
	CLEANUP_FD int top = openat(tree, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (top >= 0)
		futimens(top, times);
	return 0;
}

/* What is done with one object of a shelf; false where it does not count. */
typedef bool (*visit)(int shelf, const char *name, const struct stat *st);

static bool is_any(int shelf, const char *name, const struct stat *st)
{
	(void)shelf;
	(void)name;
	(void)st;
	return true;
}

static bool is_garbage(int shelf, const char *name, const struct stat *st)
{
	(void)shelf;
	(void)name;
	return st->st_nlink == 1;
}

static bool drop_garbage(int shelf, const char *name, const struct stat *st)
{
	return st->st_nlink == 1 && unlinkat(shelf, name, 0) == 0;
}

static void visit_shelf(int shelf, visit v, struct store_size *ret)
{
	struct strv names CLEANUP_STRV = STRV_INIT;
	struct stat st;

	if (dir_names(shelf, &names) < 0)
		return;
	for (size_t i = 0; i < names.n; i++) {
		if (fstatat(shelf, names.v[i], &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		    !v(shelf, names.v[i], &st))
			continue;
		ret->objects++;
		ret->bytes += (long long)st.st_blocks * 512;
	}
}

static int visit_all(int store, visit v, struct store_size *ret)
{
	struct strv names CLEANUP_STRV = STRV_INIT;
	int r = dir_names(store, &names);

	for (size_t i = 0; r == 0 && i < names.n; i++) {
		CLEANUP_FD int shelf =
		    openat(store, names.v[i], O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (shelf < 0)
			continue;
		visit_shelf(shelf, v, ret);
		if (v == drop_garbage)
			unlinkat(store, names.v[i], AT_REMOVEDIR); /* where it is empty now */
	}
	return r;
}

int store_measure(const struct dirs *d, struct store_size *ret, struct err *e)
{
	CLEANUP_STR char *path = path_join(d->state, "store");
	CLEANUP_FD int store = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	*ret = (struct store_size){0};
	if (store < 0 && errno == ENOENT)
		return 0;
	int r = store < 0 ? -errno : visit_all(store, is_any, ret);
	return r < 0 ? err_errno(e, r, "reading %s", path) : 0;
}

/* Of the last jail nothing stays. */
static void remove_empty(const struct dirs *d, int store)
{
	struct strv names CLEANUP_STRV = STRV_INIT;
	CLEANUP_STR char *path = path_join(d->state, "store");

	if (dir_names(store, &names) < 0 || names.n > 1 ||
	    (names.n == 1 && !streq(names.v[0], "CACHEDIR.TAG")))
		return;
	unlinkat(store, "CACHEDIR.TAG", 0);
	rmdir(path);
}

int store_collect(const struct dirs *d, bool dry, struct store_size *ret, struct err *e)
{
	CLEANUP_FD int store = open_store(d, false, NULL);

	*ret = (struct store_size){0};
	if (store == -ENOENT)
		return 0;
	int r = store < 0 ? store : visit_all(store, dry ? is_garbage : drop_garbage, ret);
	if (r < 0)
		return err_errno(e, r, "reading %s/store", d->state);
	if (!dry)
		remove_empty(d, store);
	return 0;
}
