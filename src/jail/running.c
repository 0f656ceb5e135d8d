/* SPDX-License-Identifier: MIT */
#include "jail/running.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "fs/atomic.h"
#include "fs/lock.h"
#include "jail/generation.h"
#include "jail/json-text.h"
#include "keep/note.h"
#include "keep/notices.h"

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

char *running_own_path(const struct dirs *d, const char *name)
{
	return xasprintf("%s/%s.notify", d->run, name);
}

int running_own_dir(const struct dirs *d, const char *name, struct err *e)
{
	CLEANUP_FD int run = running_dir(d, e);

	return run < 0 ? run : notices_dir(run, name, e);
}

void running_remove_own_dir(const struct dirs *d, const char *name)
{
	CLEANUP_FD int run = open(d->run, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (run >= 0)
		notices_remove(run, name);
}

int running_write(const struct dirs *d, const char *name, const struct running *r, struct err *e)
{
	struct note n = {.generation = r->generation,
			 .init = r->init,
			 .main = r->main,
			 .supervisor = r->supervisor};
	CLEANUP_FD int dir = running_dir(d, e);
	json_t *told = r->note[0] ? json_text(r->note) : NULL;
	CLEANUP_STR char *text = told ? json_dumps(told, JSON_ENCODE_ANY) : NULL;

	json_decref(told);
	if (dir < 0)
		return dir;
	n.told = text;
	snprintf(n.started, sizeof(n.started), "%s", r->started);
	int code = note_write(dir, name, &n);
	return code < 0 ? err_errno(e, code, "writing %s/%s.json", d->run, name) : 0;
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
	ret->init = init;
	ret->supervisor = supervisor;
	ret->main = main_pid;
	return 0;
}

/* A line a fact: "refused 3". What is not known is passed over. */
static void read_counts(int dir, const char *name, struct running *ret)
{
	char file[FILE_MAX_NAME], *save = NULL;
	CLEANUP_STR char *text = NULL;

	file_name(file, name, "counts");
	if (atomic_read(dir, file, 4096, &text, NULL) < 0)
		return;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		const char *v;
		if ((v = str_after(line, "refused ")))
			ret->refused = strtoul(v, NULL, 10);
		else if ((v = str_after(line, "restarts ")))
			ret->restarts = (unsigned)strtoul(v, NULL, 10);
		else if ((v = str_after(line, "main ")))
			ret->told_main = (pid_t)strtol(v, NULL, 10);
		else if ((v = str_after(line, "status ")))
			snprintf(ret->status, sizeof(ret->status), "%s", v);
		else if (streq(line, "waiting 1"))
			ret->waiting = true;
	}
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
	if (r == 0)
		read_counts(dir, name, ret);
	return r;
}

int running_lock(const struct dirs *d, const char *name, struct err *e)
{
	CLEANUP_FD int dir = running_dir(d, e);
	char file[FILE_MAX_NAME];

	if (dir < 0)
		return dir;
	file_name(file, name, "lock");
	int r = lock_try(dir, file, e);
	return r == -EBUSY ? err_prefix(e, "%s is running already", name) : r;
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

	if (dir >= 0)
		note_remove(dir, name, suffix);
}

bool running_outdated(const struct dirs *d, const char *name)
{
	struct running r;

	return running_held(d, name) && running_read(d, name, &r) == 0 &&
	       r.generation != generation_number(d, name);
}

bool running_is_init(const struct running *r)
{
	char path[64], line[256];
	int parent = 0;

	if (r->waiting)
		return false;
	snprintf(path, sizeof(path), "/proc/%d/status", (int)r->init);
	FILE *f = fopen(path, "re");
	while (f && !parent && fgets(line, sizeof(line), f))
		if (sscanf(line, "PPid: %d", &parent) == 1)
			break;
	if (f)
		fclose(f);
	return parent > 0 && parent == r->supervisor;
}
