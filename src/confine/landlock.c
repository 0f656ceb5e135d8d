/* SPDX-License-Identifier: MIT */
/* Rules are united, not overridden: what a directory is given holds for all that lies below it, on
 * whatever mount. So the root itself is given no more than all of the jail may have (reading), the
 * writable places get writing on top, and execution is handed out around them: to whole entries of
 * the root, and where something writable lies below one, to the entries of that one.
 *
 * Two rights are left alone, so that opening a file for reading asks nothing: READ_FILE, for all
 * that is in the jail's root may be read, and TRUNCATE, which the kernel wants to know of each file
 * that is opened. For them it would go up from the file to the root, rule by rule: half of a
 * microsecond in an nginx's six for a small page. That nothing outside of the root can be reached
 * is the root's to see to, with the descriptors that the self-test looks for; that nothing
 * read-only is truncated, the mount's. Writing, making, removing and executing ask as before.
 *
 * Rules hang on inodes, so a rule on a file is lost when the file is replaced: reading and writing
 * are given by directories alone, but for the standard streams.
 *
 * The structures are our own: Debian 12's linux/landlock.h ends at ABI 2. */
#include "confine/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/entries.h"
#include "base/fd.h"
#include "base/path.h"

/* One number on all architectures. */
#define SYS_CREATE_RULESET 444
#define SYS_ADD_RULE	   445
#define SYS_RESTRICT_SELF  446

#define CREATE_RULESET_VERSION (1u << 0)

enum { RULE_PATH_BENEATH = 1, RULE_NET_PORT = 2 };
enum { NET_BIND_TCP = 1u << 0, NET_CONNECT_TCP = 1u << 1 };
enum { SCOPE_ABSTRACT_UNIX = 1u << 0, SCOPE_SIGNAL = 1u << 1 };

struct ruleset_attr {
	uint64_t handled_fs, handled_net, scoped; /* an older kernel takes zeros it does not know */
};

struct path_rule {
	uint64_t allowed;
	int32_t parent_fd;
} __attribute__((packed));

struct port_rule {
	uint64_t allowed, port;
};

enum place {
	PLACE_READ = 1u << 0,
	PLACE_EXECUTE = 1u << 1,
	PLACE_WRITE = 1u << 2,
	PLACE_NONE = 0, /* handled, so refused everywhere */
};

/* The rights of landlock(7), bit by bit, but for READ_FILE, 2, and TRUNCATE, 14. ioctl belongs to
 * reading: the devices of a jail are chosen, what is refused are those that are none of its root.
 */
static const struct right {
	unsigned bit;
	int abi;
	unsigned places;
	bool on_files; /* may stand in a rule on what is no directory */
} rights[] = {
    {0, 1, PLACE_EXECUTE, true}, /* EXECUTE */
    {1, 1, PLACE_WRITE, true},	 /* WRITE_FILE */
    {3, 1, PLACE_READ, false},	 /* READ_DIR */
    {4, 1, PLACE_WRITE, false},	 /* REMOVE_DIR */
    {5, 1, PLACE_WRITE, false},	 /* REMOVE_FILE */
    {6, 1, PLACE_NONE, false},	 /* MAKE_CHAR */
    {7, 1, PLACE_WRITE, false},	 /* MAKE_DIR */
    {8, 1, PLACE_WRITE, false},	 /* MAKE_REG */
    {9, 1, PLACE_WRITE, false},	 /* MAKE_SOCK */
    {10, 1, PLACE_WRITE, false}, /* MAKE_FIFO */
    {11, 1, PLACE_NONE, false},	 /* MAKE_BLOCK */
    {12, 1, PLACE_WRITE, false}, /* MAKE_SYM */
    {13, 2, PLACE_WRITE, false}, /* REFER */
    {15, 5, PLACE_READ, true},	 /* IOCTL_DEV */
};

enum { ABI_FILES = 2, ABI_NET = 4, ABI_IOCTL = 5, ABI_SCOPE = 6 };

static const struct {
	const char *name;
	int abi;
} walls[] = {
    /* ABI 1 refuses every rename between directories (EXDEV): mail servers live on those. */
    {"landlock-files", ABI_FILES},
    {"landlock-net", ABI_NET},
    {"landlock-ioctl", ABI_IOCTL},
    {"landlock-scope", ABI_SCOPE},
};

int landlock_abi(void)
{
	long abi = syscall(SYS_CREATE_RULESET, NULL, 0, CREATE_RULESET_VERSION);
	return abi < 0 ? 0 : (int)abi;
}

bool landlock_has_ports(void)
{
	return landlock_abi() >= ABI_NET;
}

void landlock_missing(int abi, struct strv *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(walls); i++)
		if (abi < walls[i].abi)
			strv_add(ret, walls[i].name);
}

static uint64_t handled(int abi)
{
	uint64_t mask = 0;

	for (size_t i = 0; i < ARRAY_LEN(rights); i++)
		if (abi >= rights[i].abi)
			mask |= UINT64_C(1) << rights[i].bit;
	return mask;
}

static uint64_t mask_of(unsigned places, bool is_dir, int abi)
{
	uint64_t mask = 0;

	for (size_t i = 0; i < ARRAY_LEN(rights); i++)
		if (rights[i].places & places && (is_dir || rights[i].on_files))
			mask |= UINT64_C(1) << rights[i].bit;
	return mask & handled(abi);
}

/* A ruleset under construction. Nothing here takes memory from the heap (base/entries.h). */
struct making {
	int ruleset, abi;
	const struct plan *plan;
	char path[PATH_MAX]; /* what is looked at just now */
};

static bool is_dir(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
}

/* @places on what @fd is; of a directory with @on_files no more than a file can have. */
static int add_rule(const struct making *m, int fd, unsigned places, bool on_files)
{
	const struct path_rule rule = {.allowed = mask_of(places, !on_files, m->abi),
				       .parent_fd = fd};
	if (!rule.allowed) /* ENOMSG; reading a file, for one */
		return 0;
	return syscall(SYS_ADD_RULE, m->ruleset, RULE_PATH_BENEATH, &rule, 0) < 0 ? -errno : 0;
}

static int grant(const struct making *m, int fd, unsigned places)
{
	return add_rule(m, fd, places, !is_dir(fd));
}

/* -ENOENT also where a link, which nobody can have put on the way of a mount, stands there. */
static int open_place(const char *path)
{
	struct open_how how = {.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
			       .resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
	long fd = syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how));

	if (fd >= 0)
		return (int)fd;
	return errno == ELOOP || errno == ENOTDIR ? -ENOENT : -errno;
}

static int grant_path(const struct making *m, const char *path, unsigned places)
{
	CLEANUP_FD int fd = open_place(path);

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	return grant(m, fd, places);
}

static bool is_mount(const struct mount_op *op)
{
	return op->kind != MOUNT_DIR && op->kind != MOUNT_LINK && op->kind != MOUNT_ROOT_RO;
}

static bool is_writable(const struct mount_op *op)
{
	return is_mount(op) && !(op->flags & MOUNT_READONLY);
}

static const struct mount_op *mount_at(const struct plan *p, const char *path)
{
	const struct mount_op *found = NULL;

	for (size_t i = 0; i < p->mounts.n; i++)
		if (is_mount(&p->mounts.v[i]) && streq(p->mounts.v[i].target, path))
			found = &p->mounts.v[i]; /* the last one covers those before it */
	return found;
}

static bool has_writable_below(const struct plan *p, const char *dir)
{
	for (size_t i = 0; i < p->mounts.n; i++)
		if (is_writable(&p->mounts.v[i]) && path_within(p->mounts.v[i].target, dir))
			return true;
	return false;
}

static int execute_around(struct making *m);

/* The path is @name in the directory that it was, to @len; "/" is one of length 0. */
static int step_down(struct making *m, size_t len, const char *name)
{
	size_t n = strlen(name);

	if (len + 1 + n >= sizeof(m->path))
		return -ENAMETOOLONG;
	m->path[len] = '/';
	memcpy(m->path + len + 1, name, n + 1);
	return 0;
}

static void step_up(struct making *m, size_t len)
{
	strcpy(m->path + len, len ? "" : "/");
}

/* The path, the entry @name of @dir, a directory that cannot be given execution as a whole. Of
 * files only those that somebody could execute: there may be many. */
static int execute_entry(struct making *m, int dir, const char *name)
{
	struct stat st;

	const struct mount_op *op = mount_at(m->plan, m->path);
	if (op && is_writable(op))
		return 0;
	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (S_ISDIR(st.st_mode))
		return execute_around(m);
	if (S_ISREG(st.st_mode) && st.st_mode & 0111)
		return grant_path(m, m->path, PLACE_EXECUTE);
	return 0;
}

static int execute_entries(struct making *m)
{
	CLEANUP_FD int place = open_place(m->path);
	if (place < 0)
		return place == -ENOENT ? 0 : place;
	CLEANUP_FD int fd = openat(place, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOTDIR ? 0 : -errno;
	struct entries entries = {.fd = fd};
	size_t len = streq(m->path, "/") ? 0 : strlen(m->path);
	const char *name;
	int r;

	while ((r = entries_next(&entries, &name)) > 0) {
		r = step_down(m, len, name);
		if (r == 0)
			r = execute_entry(m, fd, name);
		step_up(m, len);
		if (r < 0)
			break;
	}
	return r;
}

/* Execution below the path, which is not writable, but for the writable places in it. The root is
 * never given as a whole: its entries may be exchanged for mounts by nobody, but a rule on "/"
 * could not be told from one for all that will ever be below. */
static int execute_around(struct making *m)
{
	if (has_writable_below(m->plan, m->path) || streq(m->path, "/"))
		return execute_entries(m);
	return grant_path(m, m->path, PLACE_EXECUTE);
}

static int execute_from(struct making *m, const char *dir)
{
	size_t n = strlen(dir);

	if (n >= sizeof(m->path))
		return -ENAMETOOLONG;
	memcpy(m->path, dir, n + 1);
	return execute_around(m);
}

/* Whoever opens /dev/stdout opens the file behind it, which may lie outside. */
static int grant_streams(const struct making *m)
{
	static const unsigned places[] = {
	    [O_RDONLY] = PLACE_READ, [O_WRONLY] = PLACE_WRITE, [O_RDWR] = PLACE_READ | PLACE_WRITE};
	struct stat st;
	int r = 0;

	for (int fd = 0; r == 0 && fd < 3; fd++) {
		int mode = fcntl(fd, F_GETFL);
		if (mode < 0 || fstat(fd, &st) < 0)
			continue;
		if (mode & O_PATH || (mode & O_ACCMODE) == O_ACCMODE)
			continue;
		if (S_ISREG(st.st_mode) || S_ISCHR(st.st_mode))
			r = grant(m, fd, places[mode & O_ACCMODE]);
		if (r == -EBADFD) /* of no file system: not Landlock's */
			r = 0;
	}
	return r;
}

/* A file that is mounted by itself is replaced when the host rotates it, and the mount with it
 * (jail/rebind.h): the rule is on its directory, in which the mounts leave nothing else to write.
 * Not on the root: that would be all files of the jail.
 */
static int grant_writing(struct making *m, const char *target)
{
	CLEANUP_FD int fd = open_place(target);
	size_t n = (size_t)(path_base(target) - target);

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	if (is_dir(fd))
		return grant(m, fd, PLACE_READ | PLACE_WRITE);
	if (n <= 1)
		return add_rule(m, fd, PLACE_WRITE, true);
	memcpy(m->path, target, n - 1); /* shorter than what could be opened */
	m->path[n - 1] = '\0';
	CLEANUP_FD int dir = open_place(m->path);
	return dir < 0 ? dir : add_rule(m, dir, PLACE_WRITE, true);
}

static bool in_writable(const struct plan *p, const char *path)
{
	for (size_t i = 0; i < p->mounts.n; i++)
		if (is_writable(&p->mounts.v[i]) && path_within(path, p->mounts.v[i].target))
			return true;
	return false;
}

/* A read-only mount: no more than the root gives, but for execution where something writable lies
 * around it, and for what is no file: a FIFO or a device is written to though its mount is
 * read-only. */
static int grant_reading(struct making *m, const char *target)
{
	CLEANUP_FD int fd = open_place(target);
	struct stat st;

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	if (fstat(fd, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode)))
		return add_rule(m, fd, PLACE_READ | PLACE_WRITE, true);
	return in_writable(m->plan, target) ? execute_from(m, target) : 0;
}

static int grant_files(struct making *m, struct err *e)
{
	const struct mount_list *mounts = &m->plan->mounts;
	int r = grant_path(m, "/", PLACE_READ);

	if (r == 0)
		r = grant_streams(m);
	if (r == 0)
		r = execute_from(m, "/");
	if (r < 0)
		return err_errno(e, r, "Landlock rules for the jail's root");
	for (size_t i = 0; i < mounts->n; i++) {
		const struct mount_op *op = &mounts->v[i];
		if (is_writable(op))
			r = grant_writing(m, op->target);
		else if (is_mount(op))
			r = grant_reading(m, op->target);
		if (r < 0)
			return err_errno(e, r, "a Landlock rule for %s", op->target);
	}
	return 0;
}

static int grant_programs(const struct making *m, const struct strv *execute, struct err *e)
{
	for (size_t i = 0; execute && i < execute->n; i++) {
		int r = grant_path(m, execute->v[i], PLACE_EXECUTE);
		if (r < 0)
			return err_errno(e, r, "a Landlock rule for %s", execute->v[i]);
	}
	return 0;
}

static int grant_ports(const struct making *m, const uint16_t *ports, size_t n, uint64_t right,
		       struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		const struct port_rule rule = {.allowed = right, .port = ports[i]};
		if (syscall(SYS_ADD_RULE, m->ruleset, RULE_NET_PORT, &rule, 0) < 0)
			return err_errno(e, -errno, "a Landlock rule for port %u", ports[i]);
	}
	return 0;
}

static int grant_all(struct making *m, const struct landlock *l, uint64_t net, struct err *e)
{
	int r = grant_files(m, e);

	if (r == 0)
		r = grant_programs(m, l->execute, e);
	if (r == 0 && net & NET_BIND_TCP)
		r = grant_ports(m, l->bind, l->n_bind, NET_BIND_TCP, e);
	if (r == 0 && net & NET_CONNECT_TCP)
		r = grant_ports(m, l->connect, l->n_connect, NET_CONNECT_TCP, e);
	return r;
}

static struct ruleset_attr attributes(const struct landlock *l, int abi)
{
	struct ruleset_attr a = {.handled_fs = handled(abi)};

	if (abi >= ABI_NET)
		a.handled_net =
		    (l->bind_any ? 0 : NET_BIND_TCP) | (l->connect_any ? 0 : NET_CONNECT_TCP);
	if (abi >= ABI_SCOPE && l->scoped)
		a.scoped = SCOPE_ABSTRACT_UNIX | SCOPE_SIGNAL;
	return a;
}

int landlock_confine(const struct landlock *l, const struct plan *p, struct err *e)
{
	struct making m;

	m.plan = p;
	m.abi = landlock_abi();
	if (m.abi < ABI_FILES)
		return 0;
	const struct ruleset_attr attr = attributes(l, m.abi);
	CLEANUP_FD int ruleset = (int)syscall(SYS_CREATE_RULESET, &attr, sizeof(attr), 0);
	if (ruleset < 0)
		return err_errno(e, -errno, "making a Landlock ruleset");
	m.ruleset = ruleset;
	int r = grant_all(&m, l, attr.handled_net, e);
	if (r < 0)
		return r;
	if (syscall(SYS_RESTRICT_SELF, ruleset, 0) < 0)
		return err_errno(e, -errno, "entering the Landlock domain");
	return 0;
}
