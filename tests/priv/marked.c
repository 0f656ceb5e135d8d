/* SPDX-License-Identifier: MIT */
/* usage: marked DIR
 *
 * Performs each operation of marked.h on its own path, by raw system calls, each in a process of
 * its own, and prints "CALL: outcome"; then the scenes. What it prints must be the same natively
 * and in a jail that is being grown. */
#include "marked.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* Arguments by code; numbers stand for themselves. */
#define PATH   (1L << 40) /* DIR/CALL */
#define NAME   (2L << 40) /* CALL, relative to the cwd or to FD */
#define TO     (3L << 40) /* DIR/CALL.to */
#define TONAME (4L << 40)
#define FD     (5L << 40)  /* a descriptor of DIR */
#define BUF    (6L << 40)  /* a page of zeros */
#define ATTR   (7L << 40)  /* "user.x" */
#define VALUE  (8L << 40)  /* "target" */
#define OPENED (9L << 40)  /* a descriptor of CALL */
#define XARGS  (10L << 40) /* struct xattr_args */

enum tell {
	SAY,
	/* the outcome */ QUIET,
	/* it depends on the file system */ TEXT,
	/* and BUF */ CONTENT
};

/* A number of the 32-bit ABI, called by int 0x80. */
#define COMPAT (1 << 20)

static const struct op {
	const char *call;
	int nr;
	enum tell tell;
	long args[6];
} ops[] = {
#ifdef SYS_open
    {"open", SYS_open, CONTENT, {PATH, O_RDONLY}},
    {"creat", SYS_creat, SAY, {PATH, 0644}},
    {"stat", SYS_stat, SAY, {PATH, BUF}},
    {"lstat", SYS_lstat, SAY, {PATH, BUF}},
    {"access", SYS_access, SAY, {NAME, R_OK}},
    {"readlink", SYS_readlink, TEXT, {NAME, BUF, 64}},
    {"mkdir", SYS_mkdir, SAY, {PATH, 0755}},
    {"mknod", SYS_mknod, SAY, {PATH, S_IFIFO | 0600, 0}},
    {"symlink", SYS_symlink, SAY, {VALUE, PATH}},
    {"link", SYS_link, SAY, {PATH, TONAME}},
    {"rename", SYS_rename, SAY, {NAME, TO}},
    {"unlink", SYS_unlink, SAY, {PATH}},
    {"rmdir", SYS_rmdir, SAY, {PATH}},
    {"chmod", SYS_chmod, SAY, {PATH, 0600}},
    {"chown", SYS_chown, SAY, {PATH, 1, 1}},
    {"lchown", SYS_lchown, SAY, {PATH, 1, 1}},
    {"utime", SYS_utime, SAY, {PATH, 0}},
    {"utimes", SYS_utimes, SAY, {PATH, 0}},
    {"futimesat", SYS_futimesat, SAY, {FD, NAME, 0}},
    {"uselib", SYS_uselib, QUIET, {PATH}},
    {"getdents", SYS_getdents, QUIET, {OPENED, BUF, 4096}},
#endif
#ifdef __x86_64__ /* arch/x86/entry/syscalls/syscall_32.tbl */
    {"stat64", COMPAT | 195, SAY, {PATH, BUF}},
    {"lstat64", COMPAT | 196, SAY, {PATH, BUF}},
    {"oldstat", COMPAT | 18, QUIET, {PATH, BUF}},
    {"oldlstat", COMPAT | 84, QUIET, {PATH, BUF}},
    {"fstatat64", COMPAT | 300, SAY, {FD, NAME, BUF, 0}},
    {"statfs64", COMPAT | 268, SAY, {PATH, 84, BUF}},
    {"truncate64", COMPAT | 193, SAY, {PATH, 1, 0}},
    {"chown32", COMPAT | 212, SAY, {PATH, 1, 1}},
    {"lchown32", COMPAT | 198, SAY, {PATH, 1, 1}},
    {"fchown32", COMPAT | 207, SAY, {OPENED, 1, 1}},
    {"utimensat_time64", COMPAT | 412, SAY, {FD, NAME, 0, 0}},
#endif
    {"openat", SYS_openat, CONTENT, {FD, NAME, O_RDONLY}},
    {"name_to_handle_at", SYS_name_to_handle_at, QUIET, {FD, NAME, BUF, BUF, 0}},
    {"open_tree", SYS_open_tree, SAY, {FD, NAME, O_CLOEXEC}},
    {"open_tree_attr", 467, QUIET, {FD, NAME, O_CLOEXEC, 0, 0}},
    {"newfstatat", SYS_newfstatat, SAY, {FD, NAME, BUF, 0}},
    {"statx", SYS_statx, SAY, {FD, NAME, 0, 0x7ff, BUF}},
    {"faccessat", SYS_faccessat, SAY, {FD, NAME, R_OK}},
    {"faccessat2", 439, SAY, {FD, NAME, R_OK, 0}},
    {"readlinkat", SYS_readlinkat, TEXT, {FD, NAME, BUF, 64}},
    {"statfs", SYS_statfs, SAY, {PATH, BUF}},
    {"getxattr", SYS_getxattr, TEXT, {PATH, ATTR, BUF, 64}},
    {"lgetxattr", SYS_lgetxattr, TEXT, {NAME, ATTR, BUF, 64}},
    {"listxattr", SYS_listxattr, TEXT, {PATH, BUF, 64}},
    {"llistxattr", SYS_llistxattr, TEXT, {NAME, BUF, 64}},
    {"getxattrat", 464, QUIET, {FD, NAME, 0, ATTR, XARGS, 16}},
    {"listxattrat", 465, TEXT, {FD, NAME, 0, BUF, 64}},
    {"file_getattr", 468, QUIET, {FD, NAME, BUF, 24, 0}},
    {"chdir", SYS_chdir, SAY, {NAME}},
    {"chroot", SYS_chroot, SAY, {PATH}},
    {"getdents64", SYS_getdents64, QUIET, {OPENED, BUF, 4096}},
    {"fchmod", SYS_fchmod, SAY, {OPENED, 0600}},
    {"fchown", SYS_fchown, SAY, {OPENED, 1, 1}},
    {"fsetxattr", SYS_fsetxattr, SAY, {OPENED, ATTR, VALUE, 6, 0}},
    {"fremovexattr", SYS_fremovexattr, SAY, {OPENED, ATTR}},
    {"mkdirat", SYS_mkdirat, SAY, {FD, NAME, 0755}},
    {"mknodat", SYS_mknodat, SAY, {FD, NAME, S_IFIFO | 0600, 0}},
    {"symlinkat", SYS_symlinkat, SAY, {VALUE, FD, NAME}},
    {"linkat", SYS_linkat, SAY, {FD, NAME, AT_FDCWD, TO, 0}},
#ifdef SYS_renameat
    {"renameat", SYS_renameat, SAY, {FD, NAME, FD, TONAME}},
#endif
    {"renameat2", SYS_renameat2, SAY, {FD, NAME, FD, TONAME, 0}},
    {"unlinkat", SYS_unlinkat, SAY, {FD, NAME, 0}},
    {"truncate", SYS_truncate, SAY, {PATH, 1}},
    {"fchmodat", SYS_fchmodat, SAY, {FD, NAME, 0600}},
    {"fchmodat2", 452, SAY, {FD, NAME, 0600, 0}},
    {"fchownat", SYS_fchownat, SAY, {FD, NAME, 1, 1, 0}},
    {"utimensat", SYS_utimensat, SAY, {FD, NAME, 0, 0}},
    {"setxattr", SYS_setxattr, SAY, {PATH, ATTR, VALUE, 6, 0}},
    {"lsetxattr", SYS_lsetxattr, SAY, {PATH, ATTR, VALUE, 6, 0}},
    {"removexattr", SYS_removexattr, SAY, {PATH, ATTR}},
    {"lremovexattr", SYS_lremovexattr, SAY, {PATH, ATTR}},
    {"setxattrat", 463, QUIET, {FD, NAME, 0, ATTR, XARGS, 16}},
    {"removexattrat", 466, QUIET, {FD, NAME, 0, ATTR}},
    {"file_setattr", 469, QUIET, {FD, NAME, BUF, 24, 0}},
    {"io_uring_setup", 425, SAY, {1, BUF}},
};

static const char *dir;
static char *low; /* memory that a 32-bit call can name */

const char *outcome_word(long r)
{
	return r >= 0 ? "ok" : strerrorname_np((int)-r);
}

static long checked(long r)
{
	return r < 0 ? -errno : r;
}

#ifdef __x86_64__
long int80(long nr, long a, long b, long c, long d, long e)
{
	long r;
	__asm__ volatile("int $0x80"
			 : "=a"(r)
			 : "a"(nr), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e)
			 : "memory", "r8", "r9", "r10", "r11");
	return (int)r;
}
#else
long int80(long nr, long a, long b, long c, long d, long e)
{
	(void)nr, (void)a, (void)b, (void)c, (void)d, (void)e;
	return -ENOSYS;
}
#endif

/* A kernel without the 32-bit ABI answers with a SIGSEGV. */
int int80_works(void)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(int80(20, 0, 0, 0, 0, 0) == getpid() ? 0 : 1); /* getpid */
	waitpid(pid, &status, 0);
	return status == 0;
}

void apart(const char *name, void (*fn)(const char *name))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		fn(name);
		exit(0);
	}
	waitpid(pid, &status, 0);
	if (status)
		dprintf(1, "%s: ended with status %#x\n", name, status);
}

static char *text(size_t slot, const char *a, const char *b, const char *c)
{
	char *at = low + 4096 * (1 + slot);

	snprintf(at, 4096, "%s%s%s", a, b, c);
	return at;
}

static long argument(long code, const char *call)
{
	switch (code) {
	case PATH:
		return (long)(text(0, dir, "/", call));
	case NAME:
		return (long)text(1, call, "", "");
	case TO:
		return (long)strcat(text(2, dir, "/", call), ".to");
	case TONAME:
		return (long)text(3, call, ".to", "");
	case FD:
		return open(".", O_PATH | O_DIRECTORY);
	case BUF:
		return (long)low;
	case ATTR:
		return (long)text(4, "user.x", "", "");
	case VALUE:
		return (long)text(5, "target", "", "");
	case OPENED:
		return open(call, O_RDONLY);
	case XARGS: {
		uint64_t *args = (void *)text(6, "", "", "");
		args[0] = (uintptr_t)text(5, "target", "", "");
		args[1] = 6;
		return (long)args;
	}
	default:
		return code;
	}
}

static long perform(const struct op *op)
{
	long a[6];

	memset(low, 0, 4096);
	for (int i = 0; i < 6; i++)
		a[i] = argument(op->args[i], op->call);
	if (op->nr & COMPAT)
		return int80(op->nr & ~COMPAT, a[0], a[1], a[2], a[3], a[4]);
	return checked(syscall(op->nr, a[0], a[1], a[2], a[3], a[4], a[5]));
}

static void say(const struct op *op, long r)
{
	char buf[64] = "";

	if (op->tell == QUIET)
		dprintf(1, "%s: done\n", op->call);
	else if (op->tell == TEXT)
		dprintf(1, "%s: %s %s\n", op->call, outcome_word(r), low);
	else if (op->tell == CONTENT && r >= 0 && read((int)r, buf, sizeof(buf) - 1) >= 0)
		dprintf(1, "%s: %s\n", op->call, buf);
	else
		dprintf(1, "%s: %s\n", op->call, outcome_word(r));
}

static void run_op(const char *call)
{
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		if (strcmp(ops[i].call, call) == 0)
			say(&ops[i], perform(&ops[i]));
}

static void tell(const char *call, long r)
{
	dprintf(1, "%s: %s\n", call, outcome_word(r));
}

/* What needs more than its arguments. */

static void do_openat2(const char *call)
{
	struct open_how how = {.flags = O_RDONLY, .resolve = RESOLVE_NO_MAGICLINKS};
	const struct op op = {.call = call, .tell = CONTENT};

	say(&op, checked(syscall(SYS_openat2, argument(FD, call), call, &how, sizeof(how))));
}

static void do_inotify(const char *call)
{
	tell(call, checked(inotify_add_watch(inotify_init1(0), call, IN_OPEN)));
}

static void do_fanotify(const char *call)
{
	int fd = fanotify_init(FAN_CLASS_NOTIF, O_RDONLY);

	syscall(SYS_fanotify_mark, fd, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, call);
	dprintf(1, "%s: done\n", call);
}

static char *const script_env[] = {(char *)(uintptr_t) "PATH=/bin", NULL};

static void do_execve(const char *call)
{
	char *argv[] = {strdup(call), NULL};
	tell(call, checked(syscall(SYS_execve, argument(PATH, call), argv, script_env)));
}

static void do_execveat(const char *call)
{
	char *argv[] = {strdup(call), NULL};
	tell(call, checked(syscall(SYS_execveat, argument(FD, call), call, argv, script_env, 0)));
}

/* A service without CAP_SYS_ADMIN may still have mounts of its own, in a user namespace. */
void own_mounts(void)
{
	if (unshare(CLONE_NEWNS) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
		dprintf(1, "no mount namespace: %m\n");
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		dprintf(1, "mounts are not private: %m\n");
}

static void on_tmpfs(const char *call)
{
	own_mounts();
	if (mount("tmpfs", call, "tmpfs", 0, NULL) < 0)
		dprintf(1, "%s: no tmpfs: %m\n", call);
}

static void do_mount(const char *call)
{
	own_mounts();
	tell(call, checked(mount((char *)argument(PATH, call), (char *)argument(TONAME, call), NULL,
				 MS_BIND, NULL)));
}

static void do_move_mount(const char *call)
{
	on_tmpfs(call);
	tell(call, checked(syscall(SYS_move_mount, AT_FDCWD, argument(NAME, call),
				   argument(FD, call), argument(TONAME, call), 0)));
}

static void do_pivot_root(const char *call)
{
	own_mounts();
	if (mount(call, call, NULL, MS_BIND, NULL) < 0)
		dprintf(1, "%s: no bind: %m\n", call);
	tell(call, checked(syscall(SYS_pivot_root, argument(PATH, call), "pivot_root/old")));
}

static void do_umount2(const char *call)
{
	on_tmpfs(call);
	tell(call, checked(umount2(call, UMOUNT_NOFOLLOW)));
}

static void do_mount_setattr(const char *call)
{
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY};

	on_tmpfs(call);
	tell(call, checked(syscall(SYS_mount_setattr, AT_FDCWD, argument(PATH, call), 0, &attr,
				   sizeof(attr))));
}

static struct sockaddr_un address(const char *path)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	strncpy(un.sun_path, path, sizeof(un.sun_path) - 1);
	return un;
}

static void do_connect(const char *call)
{
	struct sockaddr_un un = address((char *)argument(PATH, call));
	int s = socket(AF_UNIX, SOCK_STREAM, 0);
	tell(call, checked(connect(s, (struct sockaddr *)&un, sizeof(un))));
}

static void do_bind(const char *call)
{
	struct sockaddr_un un = address(call);
	int s = socket(AF_UNIX, SOCK_STREAM, 0);
	tell(call, checked(bind(s, (struct sockaddr *)&un, sizeof(un))));
}

static void do_sendto(const char *call)
{
	struct sockaddr_un un = address(call);
	int s = socket(AF_UNIX, SOCK_DGRAM, 0);
	tell(call, checked(sendto(s, "x", 1, 0, (struct sockaddr *)&un, sizeof(un))));
}

static const struct {
	const char *call;
	void (*fn)(const char *call);
} special[] = {
    {"openat2", do_openat2},	    {"inotify_add_watch", do_inotify},
    {"fanotify_mark", do_fanotify}, {"execve", do_execve},
    {"execveat", do_execveat},	    {"mount", do_mount},
    {"move_mount", do_move_mount},  {"pivot_root", do_pivot_root},
    {"umount2", do_umount2},	    {"mount_setattr", do_mount_setattr},
    {"connect", do_connect},	    {"bind", do_bind},
    {"sendto", do_sendto},
};

static void perform_mark(const char *call, int compat)
{
	for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++)
		if (strcmp(special[i].call, call) == 0) {
			apart(call, special[i].fn);
			return;
		}
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		if (strcmp(ops[i].call, call) != 0)
			continue;
		if (ops[i].nr & COMPAT && !compat)
			dprintf(1, "%s: skipped (this kernel has no 32-bit calls)\n", call);
		else
			apart(call, run_op);
		return;
	}
	dprintf(1, "%s: skipped (this architecture has no such call)\n", call);
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "say") == 0) {
		dprintf(1, "said by uid %d, euid %d\n", getuid(), geteuid());
		return 0;
	}
	dir = argv[1];
	low = mmap(NULL, 16 * 4096, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS
#ifdef MAP_32BIT
		       | MAP_32BIT
#endif
		   ,
		   -1, 0);
	if (argc < 2 || low == MAP_FAILED || chdir(dir) < 0)
		return 2;
	umask(022);
	int compat = int80_works();
	for (size_t i = 0; i < N_MARKS; i++)
		perform_mark(marks[i].call, compat);
	scenes();
	return 0;
}
