/* SPDX-License-Identifier: MIT */
#include "world/mounts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "base/alloc.h"
#include "check.h"

#define RO     MOUNT_ATTR_RDONLY
#define NOSUID MOUNT_ATTR_NOSUID

/* Lines as proc_pid_mountinfo(5) shows them. @point NULL: not a mount for a world. */
static const struct {
	const char *line;
	const char *point, *fstype;
	unsigned attr;
	unsigned long id;
} rows[] = {
    {"36 35 98:0 /mnt1 / rw,noatime shared:1 - ext4 /dev/root rw,errors=continue", "/", "ext4", 0,
     36},
    /* no optional field, one, several */
    {"37 36 0:20 / /srv ro,relatime - xfs /dev/sdb1 rw", "/srv", "xfs", RO, 37},
    {"38 36 0:21 / /run rw,nosuid,nodev,noexec shared:5 master:7 - tmpfs tmpfs rw", "/run", "tmpfs",
     NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC, 38},
    /* "ro" is a word of the mount's own options: not a prefix, and not the file system's */
    {"39 36 0:22 / /a rw,root=1 - btrfs /dev/x ro", "/a", "btrfs", 0, 39},
    {"40 36 0:23 / /b rw,nosuid,ro - ext4 /dev/x rw", "/b", "ext4", RO | NOSUID, 40},
    {"41 36 0:24 / /c nosuidx,rox - ext4 /dev/x rw", "/c", "ext4", 0, 41},
    /* escapes: space, tab, newline, backslash; what only looks like one */
    {"42 36 8:1 / /my\\040disk\\011a\\012b\\134c rw - ext4 /dev/x rw", "/my disk\ta\nb\\c", "ext4",
     0, 42},
    {"43 36 8:1 / /x\\9y rw - ext4 /dev/x rw", "/x\\9y", "ext4", 0, 43},
    {"44 36 8:1 / /x\\04 rw - ext4 /dev/x rw", "/x\\04", "ext4", 0, 44},
    /* the kernel's own */
    {"22 28 0:20 / /proc rw - proc proc rw", NULL, NULL, 0, 0},
    {"22 28 0:20 / /srv/jail/proc rw - proc proc rw", NULL, NULL, 0, 0},
    {"23 28 0:21 / /sys/fs/cgroup rw - cgroup2 cgroup rw", NULL, NULL, 0, 0},
    {"24 28 0:22 / /dev/shm rw - tmpfs tmpfs rw", NULL, NULL, 0, 0},
    {"25 28 0:22 / /sys/kernel/x rw - ext4 none rw", NULL, NULL, 0, 0},
    {"26 28 0:22 net:[4026531840] /run/netns/x rw - nsfs nsfs rw", NULL, NULL, 0, 0},
    {"27 28 0:22 / /device rw - ext4 /dev/x rw", "/device", "ext4", 0, 27},
    {"28 28 0:22 / /mnt rw - fuse.sshfs host:/ rw", "/mnt", "fuse.sshfs", 0, 28},
    /* a source with blanks comes after the type */
    {"29 28 0:22 / /n rw - 9p a b c rw", "/n", "9p", 0, 29},
    {"30 28 0:22 / /n rw - ext4 /dev/x rw\n", "/n", "ext4", 0, 30},
    /* damaged */
    {"", NULL, NULL, 0, 0},
    {" - ", NULL, NULL, 0, 0},
    {" - ext4", NULL, NULL, 0, 0},
    {"31 28 0:22 / /n rw", NULL, NULL, 0, 0},
    {"31 28 0:22 / /n - ext4 /dev/x rw", NULL, NULL, 0, 0},
    {"31 28 0:22 / /n rw - ", NULL, NULL, 0, 0},
};

static void check_row(size_t i)
{
	CLEANUP_STR char *line = xstrdup(rows[i].line);
	struct mount m = {0};
	unsigned long id = 0;
	bool want = rows[i].point;
	bool got = mount_line_parse(line, &m, &id);

	if (got != want)
		printf("# %s\n", rows[i].line);
	CHECK_INT(got, want);
	if (!got)
		return;
	CHECK_STR(m.point, rows[i].point);
	CHECK_STR(m.fstype, rows[i].fstype);
	CHECK_INT(m.attr, rows[i].attr);
	CHECK_INT(id, rows[i].id);
	free(m.point);
	free(m.fstype);
}

/* Of this machine: the root comes first, parents before children, nothing twice. */
static void test_table(void)
{
	struct mount_table t CLEANUP_MOUNT_TABLE = MOUNT_TABLE_INIT;
	struct err e = {0};

	CHECK_INT(mount_table_read(&t, &e), 0);
	CHECK(t.n > 0);
	if (t.n)
		CHECK_STR(t.v[0].point, "/");
	for (size_t i = 1; i < t.n; i++) {
		CHECK(strcmp(t.v[i - 1].point, t.v[i].point) != 0);
		for (size_t k = 0; k < i; k++)
			CHECK(strncmp(t.v[k].point, t.v[i].point, strlen(t.v[i].point)) != 0 ||
			      t.v[k].point[strlen(t.v[i].point)] != '/');
	}
}

int main(void)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		check_row(i);
	test_table();
	return check_done("mounts");
}
