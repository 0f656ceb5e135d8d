/* SPDX-License-Identifier: MIT */
#include "jail/state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "fs/beneath.h"
#include "host/holders.h"
#include "host/places.h"
#include "jail/samples.h"

#define DATA (TOUCH_READ | TOUCH_WRITE)

/* Whether the service used the content of @path, where content of its own can be. */
static bool was_used(const struct record *record, const char *path)
{
	const struct touch *t = record ? record_find(record, path) : NULL;

	return t && S_ISREG(t->found) && t->kinds & DATA && !path_within(path, "/var/log") &&
	       !place_program_tree(path) && !place_private_area(path) && !place_kernel_tree(path);
}

/* What of the service's state @path is, as a Sample= names it: a directory, or @path itself where
 * the directory is everybody's. NULL where it is none; else the caller's. */
static char *state_at(const struct layout *l, const struct record *record, const char *path)
{
	const struct provision *p = layout_find(l, path);

	if (p && p->class == CLASS_STATE && p->writable)
		return xstrdup(p->path);
	if ((p && p->class == CLASS_LOG) || !was_used(record, path))
		return NULL;
	char *dir = path_parent(path);
	if (!place_never_whole(dir))
		return dir;
	free(dir);
	return xstrdup(path);
}

static int refuse(const struct holder *h, const char *place, size_t others, struct err *e)
{
	CLEANUP_STR char *who = holder_text(h);
	CLEANUP_STR char *where = str_printable(xstrdup(place));
	CLEANUP_STR char *what = str_printable(xstrdup(h->what));
	char more[64] = "";

	if (others)
		snprintf(more, sizeof(more), " (one of %zu such files)", others + 1);
	if (streq(h->what, place))
		return err_set(e, -EBUSY,
			       "%.250s is in use: %.200s has it open for writing%s, and a copy "
			       "made meanwhile would be torn. Stop it while building; or "
			       "--sample %.250s=live takes the file as it is",
			       where, who, more, where);
	return err_set(e, -EBUSY,
		       "%.200s is in use: %.200s has %.150s open for writing%s, and a copy made "
		       "meanwhile would be torn. Stop it while building; or build on a copy: "
		       "--sample %.200s=PATH (or =empty, =snapshot on btrfs); or =live takes it "
		       "as it is",
		       where, who, what + strlen(where) + 1, more, where);
}

int state_in_use(const struct spec *s, const struct layout *l, const struct record *record,
		 struct err *e)
{
	struct holders all CLEANUP_HOLDERS = HOLDERS_INIT;
	const struct holder *first = NULL;
	CLEANUP_STR char *place = NULL;
	size_t found = 0;
	int r = holders_writing(&all);

	if (r < 0)
		return err_errno(e, r, "looking for processes that write to the service's state");
	for (size_t i = 0; i < all.n; i++) {
		const struct holder *h = &all.v[i];
		if (h->lock || sample_is_bound(s, h->what) || sample_for(s, h->what, NULL) >= 0)
			continue;
		CLEANUP_STR char *at = state_at(l, record, h->what);
		if (!at || (place && !streq(at, place)))
			continue;
		found++;
		if (!first) {
			first = h;
			place = steal_ptr(at);
		}
	}
	return first ? refuse(first, place, found - 1, e) : 0;
}

/* Whether a file below @name says anything; what is too deep or too much (*room) does. */
static bool holds_data(int parent, const char *name, int depth, size_t *room)
{
	CLEANUP_FD int fd =
	    openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NOATIME | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(dup(fd));
	bool found = false;
	struct dirent *de;
	struct stat st;

	while (d && !found && (de = readdir(d))) {
		if (!beneath_is_name(de->d_name) ||
		    fstatat(fd, de->d_name, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) < 0)
			continue;
		if (!depth || !*room || !--*room)
			found = true;
		else if (S_ISDIR(st.st_mode))
			found = holds_data(fd, de->d_name, depth - 1, room);
		else
			found = S_ISREG(st.st_mode) && st.st_size > 0;
	}
	if (d)
		closedir(d);
	return found;
}

/* Whether @p is real data: empty files, and directories that hold nothing else, carry nothing. */
static bool is_real(const struct provision *p, int host)
{
	CLEANUP_STR char *up = path_parent(p->path);
	CLEANUP_FD int parent = beneath_open_nolink(host, up, O_PATH | O_DIRECTORY, 0);
	size_t room = 10000;
	struct stat st;

	if (p->class != CLASS_STATE || !p->writable || parent < 0)
		return false;
	if (p->file)
		return fstatat(parent, path_base(p->path), &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		       S_ISREG(st.st_mode) && st.st_size > 0;
	return holds_data(parent, path_base(p->path), 16, &room);
}

int state_may_leave(const struct spec *s, const struct layout *l, int host, struct err *e)
{
	for (size_t i = 0; s->net == NET_HOST && i < l->n; i++) {
		const struct provision *p = &l->v[i];
		if (sample_for(s, p->path, NULL) >= 0 || !is_real(p, host))
			continue;
		CLEANUP_STR char *where = str_printable(xstrdup(p->path));
		return err_set(e, -EPERM,
			       "with the host's network a build would act outside on what is in "
			       "%.250s: send the mail that waits there, tell other servers what it "
			       "holds. Build on something else: --sample %.250s=PATH%s; or =live, "
			       "which says that it may",
			       where, where, p->file ? "" : " (or =empty)");
	}
	return 0;
}
