/* SPDX-License-Identifier: MIT */
/* A hostile service: each mode tries one way out and prints one line, "held" or "HOLE: ...".
 * Nothing is done with what is found open: files are only opened, mounts are undone at once. It
 * ends with status 1, so that `immure build` shows its output. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static void tell(int open, const char *what)
{
	if (open)
		printf("HOLE: %s\n", what);
	else
		printf("held: %s\n", what);
}

/* Inode 2 of the file system that @fd's mount shows: on ext4 the root of the host. */
static void handle(int fd, const char *what)
{
	struct {
		struct file_handle h;
		unsigned ino, generation;
	} f = {.h = {.handle_bytes = 8, .handle_type = 1}, .ino = 2};

	tell(open_by_handle_at(fd, &f.h, O_RDONLY | O_DIRECTORY) >= 0, what);
}

static void handles(void)
{
	handle(1, "a file handle through standard output's mount");
	handle(open("/", O_RDONLY | O_DIRECTORY), "a file handle through the root's mount");
}

static void control_groups(void)
{
	mkdir("/tmp/cg", 0755);
	int r = mount("c", "/tmp/cg", "cgroup2", 0, NULL);
	if (r == 0)
		umount("/tmp/cg");
	tell(r == 0, "mounting the host's control groups");
}

static void kernel_settings(void)
{
	mkdir("/tmp/proc", 0755);
	int r = mount("p", "/tmp/proc", "proc", 0, NULL);
	tell(r == 0 && open("/tmp/proc/sys/kernel/core_pattern", O_WRONLY) >= 0,
	     "a writable core_pattern in a fresh /proc");
	if (r == 0)
		umount2("/tmp/proc", MNT_DETACH);
}

static void init_descriptors(void)
{
	static const char *const files[] = {"sys/kernel/core_pattern", "sysrq-trigger"};
	char path[400];
	DIR *d = opendir("/proc/1/fd");
	int found = 0;

	for (struct dirent *e; d && (e = readdir(d));)
		for (size_t i = 0; i < 2; i++) {
			snprintf(path, sizeof(path), "/proc/1/fd/%s/%s", e->d_name, files[i]);
			found |= open(path, O_WRONLY) >= 0;
		}
	tell(found, "kernel settings through a descriptor of the init");
}

static void init_memory(void)
{
	tell(open("/proc/1/mem", O_RDWR) >= 0, "the memory of the init");
	tell(open("/proc/1/environ", O_RDONLY) >= 0, "the environment of whoever ran immure");
	long r = ptrace(PTRACE_SEIZE, 1, 0, 0);
	if (r == 0)
		ptrace(PTRACE_DETACH, 1, 0, 0);
	tell(r == 0, "tracing the init");
}

static void init_program(void)
{
	struct stat st;

	if (stat("/proc/1/exe", &st) == 0)
		chmod("/proc/1/exe", (st.st_mode & 07777) | S_ISUID);
	puts("tried"); /* the test looks at the file itself */
}

static void device(void)
{
	tell(mknod("/tmp/blk", S_IFBLK | 0600, makedev(7, 99)) == 0, "making a block device");
}

static void keyring(void)
{
	long k =
	    syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_USER_KEYRING, "user", "immure-attack", 0);
	char b[64];
	tell(k > 0 && syscall(SYS_keyctl, KEYCTL_READ, k, b, sizeof(b)) > 0,
	     "a key of the host's root");
}

static void add_key_outside(void)
{
	syscall(SYS_add_key, "user", "immure-attack", "canary", 6, KEY_SPEC_USER_KEYRING);
}

static void forget_key(void)
{
	long k =
	    syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_USER_KEYRING, "user", "immure-attack", 0);
	if (k > 0)
		syscall(SYS_keyctl, KEYCTL_REVOKE, k);
}

/* In the proof: makes the root writable and plants a set-id file. Everywhere: goes on. */
static void plant(void)
{
	mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND, NULL);
	int fd = open("/planted", O_WRONLY | O_CREAT, 0755);
	if (fd >= 0)
		fchmod(fd, 04755);
	for (;;)
		pause();
}

/* Holds whatever runs beside it as a traced zombie. */
static void hold(void)
{
	/* So seldom that a short-lived Ready= comes through on a slow machine too. */
	for (;; usleep(50000)) {
		DIR *d = opendir("/proc");
		for (struct dirent *e; d && (e = readdir(d));) {
			int pid = atoi(e->d_name);
			if (pid > 1 && pid != getpid() && ptrace(PTRACE_SEIZE, pid, 0, 0) == 0)
				kill(pid, SIGKILL);
		}
		if (d)
			closedir(d);
	}
}

static const struct {
	const char *name;
	void (*run)(void);
} modes[] = {
    {"handles", handles},
    {"cgroups", control_groups},
    {"settings", kernel_settings},
    {"descriptors", init_descriptors},
    {"memory", init_memory},
    {"program", init_program},
    {"device", device},
    {"keyring", keyring},
    {"add-key", add_key_outside},
    {"forget-key", forget_key},
    {"plant", plant},
    {"hold", hold},
};

int main(int argc, char *argv[])
{
	for (size_t i = 0; argc > 1 && i < sizeof(modes) / sizeof(modes[0]); i++)
		if (strcmp(modes[i].name, argv[1]) == 0)
			modes[i].run();
	return 1;
}
