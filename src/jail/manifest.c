/* SPDX-License-Identifier: MIT */
#include "jail/manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "fs/atomic.h"
#include "jail/json-text.h"

static const char *const provided_names[PROVIDED_COUNT] = {
    [PROVIDED_COPY] = "copy", [PROVIDED_BIND] = "bind", [PROVIDED_DEVICE] = "device",
    [PROVIDED_MADE] = "made", [PROVIDED_OWN] = "own",
};

static const struct {
	mode_t type;
	const char *name;
} types[] = {
    {S_IFREG, "file"},	 {S_IFDIR, "directory"}, {S_IFLNK, "link"},    {S_IFCHR, "device"},
    {S_IFBLK, "device"}, {S_IFIFO, "fifo"},	 {S_IFSOCK, "socket"},
};

/* The texts that a line may have. */
static const struct {
	const char *key;
	size_t offset;
} texts[] = {
    {"link", offsetof(struct entry, link)},	  {"sha256", offsetof(struct entry, sha256)},
    {"package", offsetof(struct entry, package)}, {"version", offsetof(struct entry, version)},
    {"used", offsetof(struct entry, used)},	  {"by", offsetof(struct entry, by)},
    {"phase", offsetof(struct entry, phase)},	  {"xattrs", offsetof(struct entry, xattrs)},
};

static char **text_of(struct entry *en, size_t i)
{
	return (char **)(void *)((char *)en + texts[i].offset);
}

static void entry_done(struct entry *en)
{
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		free(*text_of(en, i));
	for (size_t i = 0; i < en->n_reasons; i++)
		reason_done(&en->reasons[i]);
	free(en->reasons);
	free(en->path);
}

void manifest_done(struct manifest *m)
{
	for (size_t i = 0; i < m->n; i++)
		entry_done(&m->v[i]);
	free(m->v);
	*m = (struct manifest)MANIFEST_INIT;
}

static struct entry *append(struct manifest *m, struct entry en)
{
	if ((m->n & (m->n - 1)) == 0)
		m->v = xrealloc(m->v, m->n ? 2 * m->n : 1, sizeof(*m->v));
	m->v[m->n] = en;
	return &m->v[m->n++];
}

struct entry *manifest_add(struct manifest *m, const char *path)
{
	return append(m, (struct entry){.path = xstrdup(path)});
}

void entry_add_reason(struct entry *en, enum reason_kind kind, const char *from, const char *text)
{
	en->reasons = xrealloc(en->reasons, en->n_reasons + 1, sizeof(*en->reasons));
	reason_add(en->reasons, &en->n_reasons, ENTRY_REASONS_MAX, kind, from, text);
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->path, ((const struct entry *)b)->path);
}

void entry_set_stat(struct entry *en, const struct stat *st)
{
	en->mode = st->st_mode;
	en->uid = st->st_uid;
	en->gid = st->st_gid;
	en->size = S_ISREG(st->st_mode) ? st->st_size : 0;
	en->mtime = st->st_mtim;
}

void manifest_sort(struct manifest *m)
{
	if (m->n)
		qsort(m->v, m->n, sizeof(*m->v), by_path);
}

static int against_path(const void *path, const void *entry)
{
	return strcmp(path, ((const struct entry *)entry)->path);
}

const struct entry *manifest_find(const struct manifest *m, const char *path)
{
	return m->n ? bsearch(path, m->v, m->n, sizeof(*m->v), against_path) : NULL;
}

const char *mode_type(mode_t mode)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if ((mode & S_IFMT) == types[i].type)
			return types[i].name;
	return "file";
}

const char *entry_type(const struct entry *en)
{
	return mode_type(en->mode);
}

bool entry_is_held(const struct entry *en)
{
	return en->provided == PROVIDED_COPY || en->provided == PROVIDED_MADE ||
	       en->provided == PROVIDED_OWN;
}

const char *provided_name(enum provided p)
{
	return provided_names[p];
}

const char *entry_reason(const struct entry *en)
{
	return en->n_reasons ? en->reasons[0].text : "";
}

static mode_t type_parse(const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (streq(types[i].name, word))
			return types[i].type;
	return 0;
}

static enum provided provided_parse(const char *word)
{
	int p = 0;
	while (p < PROVIDED_COUNT && !streq(provided_names[p], word))
		p++;
	return (enum provided)p;
}

json_t *reason_to_json(const struct reason *r)
{
	json_t *j = json_pack("{ss so}", "kind", reason_name(r->kind), "text", json_text(r->text));

	if (r->from)
		json_object_set_new(j, "from", json_text(r->from));
	return j;
}

json_t *entry_to_json(const struct entry *en)
{
	char mode[16], mtime[40];
	json_t *evidence = json_array();

	snprintf(mode, sizeof(mode), "%04o", en->mode & 07777);
	snprintf(mtime, sizeof(mtime), "%lld.%09ld", (long long)en->mtime.tv_sec,
		 en->mtime.tv_nsec);
	for (size_t i = 0; i < en->n_reasons; i++)
		json_array_append_new(evidence, reason_to_json(&en->reasons[i]));
	json_t *j = json_pack("{so ss ss sI sI sI ss ss ss so}", "path", json_text(en->path),
			      "type", entry_type(en), "mode", mode, "uid", (json_int_t)en->uid,
			      "gid", (json_int_t)en->gid, "size", (json_int_t)en->size, "mtime",
			      mtime, "class", class_name(en->class), "provided",
			      provided_names[en->provided], "evidence", evidence);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		const char *text = *text_of((struct entry *)(uintptr_t)en, i);
		if (text && *text)
			json_object_set_new(j, texts[i].key, json_text(text));
	}
	if (en->start_helper)
		json_object_set_new(j, "start_helper", json_true());
	return j;
}

static json_t *get(const json_t *j, const char *key)
{
	return json_object_get(j, key);
}

/* The text of @key; false where it is there and is none. */
static bool take_text(const json_t *j, const char *key, char **ret)
{
	const json_t *value = get(j, key);

	*ret = json_text_value(value);
	return !value || *ret;
}

static bool take_path(const json_t *j, struct entry *en)
{
	if (!take_text(j, "path", &en->path) || !en->path || en->path[0] != '/')
		return false;
	CLEANUP_STR char *normal = path_normal(en->path);
	return streq(normal, en->path);
}

static bool take_words(const json_t *j, struct entry *en)
{
	const char *type, *class, *provided;

	if (json_unpack((json_t *)(uintptr_t)j, "{ss ss ss}", "type", &type, "class", &class,
			"provided", &provided) < 0)
		return false;
	en->mode = type_parse(type);
	en->class = class_parse(class);
	en->provided = provided_parse(provided);
	return en->mode && en->class != CLASS_COUNT && en->provided != PROVIDED_COUNT;
}

static bool take_numbers(const json_t *j, struct entry *en)
{
	const char *mode, *mtime;
	json_int_t uid, gid, size;
	long long sec;
	char *end;

	if (json_unpack((json_t *)(uintptr_t)j, "{ss ss sI sI sI}", "mode", &mode, "mtime", &mtime,
			"uid", &uid, "gid", &gid, "size", &size) < 0)
		return false;
	unsigned long bits = strtoul(mode, &end, 8);
	if (end == mode || *end || bits > 07777 || uid < 0 || uid > UINT32_MAX || gid < 0 ||
	    gid > UINT32_MAX || size < 0 ||
	    sscanf(mtime, "%lld.%9ld", &sec, &en->mtime.tv_nsec) != 2 || en->mtime.tv_nsec < 0)
		return false;
	en->mtime.tv_sec = sec;
	en->mode |= (mode_t)bits;
	en->uid = (uid_t)uid;
	en->gid = (gid_t)gid;
	en->size = size;
	return true;
}

static bool take_texts(const json_t *j, struct entry *en)
{
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (!take_text(j, texts[i].key, text_of(en, i)))
			return false;
	const json_t *helper = get(j, "start_helper");
	en->start_helper = json_is_true(helper);
	return S_ISLNK(en->mode) == (en->link != NULL) && (!helper || json_is_boolean(helper));
}

static bool take_reason(const json_t *row, struct entry *en)
{
	const char *word = json_string_value(get(row, "kind"));
	enum reason_kind kind = word ? reason_parse(word) : REASON_COUNT;
	CLEANUP_STR char *from = NULL;
	CLEANUP_STR char *text = NULL;

	if (!take_text(row, "from", &from) || !take_text(row, "text", &text) || !text ||
	    kind == REASON_COUNT || (from && from[0] != '/'))
		return false;
	entry_add_reason(en, kind, from, text);
	return true;
}

static bool take_evidence(const json_t *j, struct entry *en)
{
	const json_t *list = get(j, "evidence"), *row;
	size_t i;

	if (!json_is_array(list) || json_array_size(list) > ENTRY_REASONS_MAX)
		return false;
	json_array_foreach(list, i, row)
	{
		if (!take_reason(row, en))
			return false;
	}
	return true;
}

static bool parse_line(const char *line, size_t len, struct manifest *m)
{
	struct entry en = {0};
	json_t *j = json_loadb(line, len, 0, NULL);
	bool good = j && take_path(j, &en) && take_words(j, &en) && take_numbers(j, &en) &&
		    take_texts(j, &en) && take_evidence(j, &en);

	json_decref(j);
	if (good)
		append(m, en);
	else
		entry_done(&en);
	return good;
}

int manifest_parse(const char *bytes, size_t len, const char *file, struct manifest *ret,
		   struct err *e)
{
	const char *end = bytes + len;

	for (size_t line = 1; bytes < end; line++) {
		const char *stop = memchr(bytes, '\n', (size_t)(end - bytes));
		size_t n = (size_t)((stop ? stop : end) - bytes);
		if (!parse_line(bytes, n, ret))
			return err_set(e, -EBADMSG,
				       "%s:%zu: not a manifest line of this version (damaged, or "
				       "an older one's: build the jail again)",
				       file, line);
		bytes = stop ? stop + 1 : end;
	}
	manifest_sort(ret);
	return 0;
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
	CLEANUP_STR char *file = path_join(dir, "manifest.jsonl");
	CLEANUP_STR char *data = NULL;
	size_t len;

	int r = fd < 0 ? -errno : atomic_read(fd, "manifest.jsonl", 1u << 30, &data, &len);
	return r < 0 ? err_errno(e, r, "reading %s", file)
		     : manifest_parse(data, len, file, ret, e);
}
