/* SPDX-License-Identifier: MIT */
#include "cmd/sysv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "fs/atomic.h"

#define ASIDE ".immure-native"

char *sysv_script(const char *name)
{
	const char *dir = getenv("IMMURE_INITD_DIR");

	return path_join(dir && dir[0] == '/' ? dir : "/etc/init.d", name);
}

/* Moves @script aside, or back, and lets dpkg know where there is one. */
static int divert(const char *script, const char *aside, bool away, struct err *e)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		CLEANUP_FD int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
		dup2(null, 1);
		execlp("dpkg-divert", "dpkg-divert", "--local", "--rename", "--divert", aside,
		       away ? "--add" : "--remove", script, (char *)NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return err_errno(e, -errno, "running dpkg-divert");
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127) /* another kind of distribution */
		status = rename(away ? script : aside, away ? aside : script);
	return status ? err_set(e, -EIO, "moving %s %s failed", script, away ? "aside" : "back")
		      : 0;
}

static int put(const char *script, const char *text, struct err *e)
{
	CLEANUP_STR char *up = path_parent(script);
	CLEANUP_FD int dir = open(up, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = dir < 0 ? -errno : atomic_write(dir, path_base(script), text, strlen(text), 0755);

	return r < 0 ? err_errno(e, r, "writing %s", script) : 0;
}

static bool says(const char *script, const char *text)
{
	CLEANUP_STR char *up = path_parent(script), *is = NULL;
	CLEANUP_FD int dir = open(up, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return dir >= 0 && atomic_read(dir, path_base(script), 1 << 20, &is, NULL) == 0 &&
	       streq(is, text);
}

int sysv_take(const char *script, const char *text, bool *ret_changed, struct err *e)
{
	CLEANUP_STR char *aside = xasprintf("%s" ASIDE, script);
	bool taken = access(aside, F_OK) == 0;

	if (taken && says(script, text))
		return 0;
	*ret_changed = true;
	int r = taken ? 0 : divert(script, aside, true, e);
	return r == 0 ? put(script, text, e) : r;
}

int sysv_give(const char *script, bool *ret_changed, struct err *e)
{
	CLEANUP_STR char *aside = xasprintf("%s" ASIDE, script);

	if (access(aside, F_OK) < 0)
		return 0;
	*ret_changed = true;
	if (unlink(script) < 0 && errno != ENOENT)
		return err_errno(e, -errno, "removing %s", script);
	return divert(script, aside, false, e);
}
