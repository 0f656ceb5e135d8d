/* SPDX-License-Identifier: MIT */
#include "grow/room.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/statvfs.h>

#include "base/fd.h"

#define MIB(bytes) ((bytes) >> 20)

static const char *const uses[] = {
    [ROOM_WRITTEN] = "the service opens it for writing",
    [ROOM_USED] = "the service uses it",
};

/* Whether the overlay's copy takes no space: the host's file, where it is the one that is meant,
 * shares its blocks with a new file in @scratch. */
static bool is_shared(const char *scratch, const char *path, const struct stat *st)
{
	struct stat host;
	CLEANUP_FD int in = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOATIME | O_CLOEXEC);

	if (in < 0 || fstat(in, &host) < 0 || !S_ISREG(host.st_mode) ||
	    host.st_size != st->st_size || host.st_ino != st->st_ino)
		return false;
	CLEANUP_FD int out = open(scratch, O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
	return out >= 0 && ioctl(out, FICLONE, in) == 0;
}

int room_for(const char *scratch, const char *path, const struct stat *st, enum room_use use,
	     struct err *e)
{
	long long need = (long long)st->st_blocks * 512;
	struct statvfs fs;

	if (!scratch || need < ROOM_FROM || statvfs(scratch, &fs) < 0)
		return 0;
	long long room = (long long)fs.f_bavail * (long long)fs.f_frsize - ROOM_LEFT;
	if (need <= room || (use == ROOM_WRITTEN && is_shared(scratch, path, st)))
		return 0;
	return err_set(e, -ENOSPC,
		       "building takes a copy of %.300s (%s): %lld MiB, of which %.200s has %lld "
		       "MiB to spare; nothing was copied. Make room there, or set IMMURE_STATE_DIR "
		       "to a larger disk, or build on something else: --sample DIR=PATH (or "
		       "=empty) for the directory that it is in",
		       path, uses[use], MIB(need), scratch, MIB(room > 0 ? room : 0));
}
