/* SPDX-License-Identifier: MIT */
#include "jail/running.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "fs/atomic.h"
#include "fs/lock.h"
#include "jail/generation.h"
#include "jail/json-text.h"

#define FILE_MAX_NAME 96 /* a jail's name has 64 characters at most */

static void file_name(char buf[FILE_MAX_NAME], const char *name, const char *suffix)
{
	snprintf(buf, FILE_MAX_NAME, "%s.%s", name, suffix);
}

int running_dir(const struct dirs *d, struct err *e)
{
	int r = jail_make_dir(d->run, 0755, e);
	if (r < 0)
		return r;
	int fd = open(d->run, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? err_errno(e, -errno, "opening %s", d->run) : fd;
}

int running_write(const struct dirs *d, const char *name, const struct running *r, struct err *e)
{
	CLEANUP_FD int dir = running_dir(d, e);
	char file[FILE_MAX_NAME];

	if (dir < 0)
		return dir;
	file_name(file, name, "json");
	json_t *j = json_pack("{si si si si ss si}", "schema", 1, "init", (int)r->init,
			      "supervisor", (int)r->supervisor, "generation", r->generation,
			      "started", r->started, "main", (int)r->main);
	json_object_set_new(j, "refused", json_integer((json_int_t)r->refused));
	if (r->note[0])
		json_object_set_new(j, "note", json_text(r->note));
	CLEANUP_STR char *text = json_dumps(j, JSON_COMPACT | JSON_SORT_KEYS);
	json_decref(j);
	int code = atomic_write(dir, file, text, strlen(text), 0644);
	return code < 0 ? err_errno(e, code, "writing %s/%s", d->run, file) : 0;
}

static int unpack(json_t *j, struct running *ret)
{
	const char *started;
	int init, supervisor, main_pid;

	if (json_unpack(j, "{si si si ss si}", "init", &init, "supervisor", &supervisor,
			"generation", &ret->generation, "started", &started, "main", &main_pid) < 0)
		return -EBADMSG;
	CLEANUP_STR char *note = json_text_value(json_object_get(j, "note"));
	snprintf(ret->started, sizeof(ret->started), "%s", started);
	snprintf(ret->note, sizeof(ret->note), "%s", note ? note : "");
	ret->refused = (unsigned long)json_integer_value(json_object_get(j, "refused"));
	ret->init = init;
	ret->supervisor = supervisor;
	ret->main = main_pid;
	return 0;
}

int running_read(const struct dirs *d, const char *name, struct running *ret)
{
	char file[FILE_MAX_NAME];
	CLEANUP_STR char *text = NULL;
	CLEANUP_FD int dir = open(d->run, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	*ret = (struct running){0};
	file_name(file, name, "json");
	int r = dir < 0 ? -errno : atomic_read(dir, file, 4096, &text, NULL);
	if (r < 0)
		return r;
	json_t *j = json_loads(text, 0, NULL);
	r = j ? unpack(j, ret) : -EBADMSG;
	json_decref(j);
	return r;
}

int running_lock(const struct dirs *d, const char *name, struct err *e)
{
	CLEANUP_FD int dir = running_dir(d, e);
	char file[FILE_MAX_NAME];

	if (dir < 0)
		return dir;
	file_name(file, name, "lock");
	return lock_try(dir, file, e);
}

bool running_held(const struct dirs *d, const char *name)
{
	char file[FILE_MAX_NAME];
	CLEANUP_FD int dir = open(d->run, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	file_name(file, name, "lock");
	if (dir < 0 || faccessat(dir, file, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return false;
	CLEANUP_FD int lock = lock_try(dir, file, NULL);
	if (lock >= 0)
		unlinkat(dir, file, 0);
	return lock == -EBUSY;
}

void running_remove(const struct dirs *d, const char *name, const char *suffix)
{
	CLEANUP_FD int dir = open(d->run, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char file[FILE_MAX_NAME];

	file_name(file, name, suffix);
	if (dir >= 0)
		unlinkat(dir, file, 0);
}

bool running_outdated(const struct dirs *d, const char *name)
{
	struct running r;

	return running_held(d, name) && running_read(d, name, &r) == 0 &&
	       r.generation != generation_number(d, name);
}
