/* SPDX-License-Identifier: MIT */
#include "jail/manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/str.h"
#include "fs/atomic.h"
#include "jail/json-text.h"

static const char *const provided_names[] = {"copy", "bind", "device"};

static const struct {
	mode_t type;
	const char *name;
} types[] = {
    {S_IFREG, "file"},	 {S_IFDIR, "directory"}, {S_IFLNK, "link"},    {S_IFCHR, "device"},
    {S_IFBLK, "device"}, {S_IFIFO, "fifo"},	 {S_IFSOCK, "socket"},
};

void manifest_done(struct manifest *m)
{
	for (size_t i = 0; i < m->n; i++) {
		struct entry *en = &m->v[i];
		char *const owned[] = {en->path, en->link,  en->sha256, en->used,
				       en->by,	 en->phase, en->why};
		for (size_t k = 0; k < ARRAY_LEN(owned); k++)
			free(owned[k]);
	}
	free(m->v);
	*m = (struct manifest)MANIFEST_INIT;
}

struct entry *manifest_add(struct manifest *m, const char *path)
{
	if ((m->n & (m->n - 1)) == 0)
		m->v = xrealloc(m->v, m->n ? 2 * m->n : 1, sizeof(*m->v));
	struct entry *en = &m->v[m->n++];
	*en = (struct entry){.path = xstrdup(path)};
	return en;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->path, ((const struct entry *)b)->path);
}

void manifest_sort(struct manifest *m)
{
	if (m->n)
		qsort(m->v, m->n, sizeof(*m->v), by_path);
}

const struct entry *manifest_find(const struct manifest *m, const char *path)
{
	for (size_t i = 0; i < m->n; i++)
		if (streq(m->v[i].path, path))
			return &m->v[i];
	return NULL;
}

const char *entry_type(const struct entry *en)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if ((en->mode & S_IFMT) == types[i].type)
			return types[i].name;
	return "file";
}

const char *provided_name(enum provided p)
{
	return provided_names[p];
}

static mode_t type_parse(const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (streq(types[i].name, word))
			return types[i].type;
	return 0;
}

json_t *entry_to_json(const struct entry *en)
{
	char mode[16], mtime[40];
	const struct {
		const char *key, *value;
	} optional[] = {
	    {"link", en->link}, {"sha256", en->sha256}, {"used", en->used},
	    {"by", en->by},	{"phase", en->phase},	{"why", en->why},
	};

	snprintf(mode, sizeof(mode), "%04o", en->mode & 07777);
	snprintf(mtime, sizeof(mtime), "%lld.%09ld", (long long)en->mtime.tv_sec,
		 en->mtime.tv_nsec);
	json_t *j =
	    json_pack("{so ss ss sI sI sI ss ss ss}", "path", json_text(en->path), "type",
		      entry_type(en), "mode", mode, "uid", (json_int_t)en->uid, "gid",
		      (json_int_t)en->gid, "size", (json_int_t)en->size, "mtime", mtime, "class",
		      class_name(en->class), "provided", provided_names[en->provided]);
	for (size_t i = 0; i < ARRAY_LEN(optional); i++)
		if (optional[i].value && *optional[i].value)
			json_object_set_new(j, optional[i].key, json_text(optional[i].value));
	return j;
}

static char *dup_string(const json_t *j, const char *key)
{
	return json_text_value(json_object_get(j, key));
}

static bool entry_from_json(const json_t *j, struct manifest *m)
{
	const char *type, *mode, *mtime, *class, *provided;
	CLEANUP_STR char *path = dup_string(j, "path");
	json_int_t uid, gid, size;

	if (json_unpack((json_t *)(uintptr_t)j, "{ss ss sI sI sI ss ss ss}", "type", &type, "mode",
			&mode, "uid", &uid, "gid", &gid, "size", &size, "mtime", &mtime, "class",
			&class, "provided", &provided) < 0)
		return false;
	size_t how = 0;
	while (how < ARRAY_LEN(provided_names) && !streq(provided, provided_names[how]))
		how++;
	if (!path || path[0] != '/' || !type_parse(type) || class_parse(class) == CLASS_COUNT ||
	    how == ARRAY_LEN(provided_names))
		return false;
	long long sec;
	struct timespec when;
	char *end;
	unsigned long bits = strtoul(mode, &end, 8);
	if (end == mode || *end || bits > 07777 || uid < 0 || gid < 0 || size < 0 ||
	    sscanf(mtime, "%lld.%ld", &sec, &when.tv_nsec) != 2)
		return false;
	when.tv_sec = sec;
	struct entry *en = manifest_add(m, path);
	en->mode = type_parse(type) | (mode_t)bits;
	en->uid = (uid_t)uid;
	en->gid = (gid_t)gid;
	en->size = size;
	en->class = class_parse(class);
	en->provided = (enum provided)how;
	en->mtime = when;
	en->link = dup_string(j, "link");
	en->sha256 = dup_string(j, "sha256");
	en->used = dup_string(j, "used");
	en->by = dup_string(j, "by");
	en->phase = dup_string(j, "phase");
	en->why = dup_string(j, "why");
	return true;
}

int manifest_save(const struct manifest *m, int dir, struct err *e)
{
	char *buf = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&buf, &len);

	for (size_t i = 0; f && i < m->n; i++) {
		json_t *j = entry_to_json(&m->v[i]);
		json_dumpf(j, f, JSON_COMPACT | JSON_SORT_KEYS);
		fputc('\n', f);
		json_decref(j);
	}
	int r = f && fclose(f) == 0 ? atomic_write(dir, "manifest.jsonl", buf, len, 0644) : -ENOMEM;
	free(buf);
	return r < 0 ? err_errno(e, r, "writing manifest.jsonl") : 0;
}

int manifest_load(const char *dir, struct manifest *ret, struct err *e)
{
	CLEANUP_FD int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	CLEANUP_STR char *data = NULL;
	char *save = NULL;
	size_t line = 0;

	int r = fd < 0 ? -errno : atomic_read(fd, "manifest.jsonl", 1u << 30, &data, NULL);
	if (r < 0)
		return err_errno(e, r, "reading %s/manifest.jsonl", dir);
	for (char *l = strtok_r(data, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		json_t *j = json_loads(l, 0, NULL);
		bool good = j && entry_from_json(j, ret);
		json_decref(j);
		line++;
		if (!good)
			return err_set(e, -EBADMSG,
				       "%s/manifest.jsonl:%zu: not a manifest line (damaged? build "
				       "the jail again)",
				       dir, line);
	}
	return 0;
}

char *entry_reason(const struct entry *en)
{
	if (en->link)
		return xasprintf("%s, a link to %s", en->phase ? en->phase : "start", en->link);
	if (en->why)
		return xstrdup(en->why);
	if (!en->used || !*en->used)
		return xstrdup("on the way to another path");
	if (en->by && *en->by)
		return xasprintf("%s: %s by %s", en->phase ? en->phase : "start", en->used, en->by);
	return xasprintf("%s: %s", en->phase ? en->phase : "start", en->used);
}
