/* SPDX-License-Identifier: MIT */
#include "jail/upgrade.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "fs/atomic.h"
#include "jail/generation.h"

#define MARK "upgraded"
#define NOTE "degraded"

/* Who upgrades holds one of these by fcntl(2): dpkg(1) and apt, rpm(8), apk(8). */
static const char *const locks[] = {
    "/var/lib/dpkg/lock-frontend",
    "/var/lib/dpkg/lock",
    "/var/lib/rpm/.rpm.lock",
    "/lib/apk/db/lock",
};

static bool is_locked(const char *path)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	CLEANUP_FD int fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);

	return fd >= 0 && fcntl(fd, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

static int look_at_mark(const struct dirs *d, struct timespec *ret)
{
	CLEANUP_STR char *path = xasprintf("%s/" MARK, d->run);
	struct stat st;

	if (lstat(path, &st) < 0)
		return -1;
	*ret = st.st_mtim;
	return 0;
}

enum upgrade_state upgrade_look(const struct dirs *d, struct timespec *ret_mark)
{
	if (look_at_mark(d, ret_mark) < 0)
		return UPGRADE_NONE;
	time_t age = time(NULL) - ret_mark->tv_sec;
	/* A clock that was set back must not make it wait for ever. */
	if (age >= 0 && age < UPGRADE_QUIET_S)
		return UPGRADE_WAIT;
	for (size_t i = 0; i < ARRAY_LEN(locks); i++)
		if (is_locked(locks[i]))
			return UPGRADE_WAIT;
	return UPGRADE_DUE;
}

void upgrade_taken(const struct dirs *d, const struct timespec *mark)
{
	CLEANUP_STR char *path = xasprintf("%s/" MARK, d->run);
	struct timespec now;

	if (look_at_mark(d, &now) == 0 && now.tv_sec == mark->tv_sec &&
	    now.tv_nsec == mark->tv_nsec)
		unlink(path);
}

enum update upgrade_wish(const struct spec *s, const struct layout *l)
{
	if (spec_find(s, SPEC_JAIL, "Update"))
		return s->update;
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].class == CLASS_STATE && l->v[i].writable && !l->v[i].file)
			return UPDATE_BUILD;
	return UPDATE_RESTART;
}

static int open_jail(const struct dirs *d, const char *name)
{
	CLEANUP_STR char *path = jail_path(d, name, NULL);

	return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int upgrade_failed(const struct dirs *d, const char *name, struct err *e)
{
	char since[CLOCK_TEXT_MAX];
	CLEANUP_FD int dir = open_jail(d, name);

	if (upgrade_degraded(d, name, since))
		return 0;
	clock_text(since);
	int r = dir < 0 ? dir : atomic_write(dir, NOTE, since, strlen(since), 0644);
	return r < 0 ? err_errno(e, r, "noting that the update of %s failed", name) : 0;
}

void upgrade_proved(const struct dirs *d, const char *name)
{
	CLEANUP_FD int dir = open_jail(d, name);

	if (dir >= 0)
		unlinkat(dir, NOTE, 0);
}

bool upgrade_degraded(const struct dirs *d, const char *name, char ret[CLOCK_TEXT_MAX])
{
	CLEANUP_FD int dir = open_jail(d, name);
	CLEANUP_STR char *text = NULL;
	size_t len = 0;

	if (dir < 0 || atomic_read(dir, NOTE, CLOCK_TEXT_MAX - 1, &text, &len) < 0)
		return false;
	memcpy(ret, text, len + 1);
	return true;
}
