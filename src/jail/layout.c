/* SPDX-License-Identifier: MIT */
#include "jail/layout.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "fs/beneath.h"
#include "host/host.h"
#include "host/places.h"
#include "jail/json-text.h"

static const char *const class_names[CLASS_COUNT] = {
    [CLASS_PROGRAM] = "program", [CLASS_CONFIG] = "config",   [CLASS_SECRET] = "secret",
    [CLASS_CONTENT] = "content", [CLASS_STATE] = "state",     [CLASS_LOG] = "log",
    [CLASS_RUNTIME] = "runtime", [CLASS_OFFERED] = "offered", [CLASS_DEVICE] = "device",
    [CLASS_SOCKET] = "socket",	 [CLASS_KERNEL] = "kernel",
};

const char *class_name(enum jail_class c)
{
	return class_names[c];
}

enum jail_class class_parse(const char *word)
{
	int c = 0;
	while (c < CLASS_COUNT && !streq(class_names[c], word))
		c++;
	return (enum jail_class)c;
}

void layout_done(struct layout *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->v[i].path);
		free(l->v[i].source);
		free(l->v[i].why);
	}
	free(l->v);
	strv_done(&l->own);
	strv_done(&l->taken);
	strv_done(&l->takers);
	strv_done(&l->had);
	strv_done(&l->withheld);
	*l = (struct layout)LAYOUT_INIT;
}

const struct provision *layout_find(const struct layout *l, const char *path)
{
	const struct provision *best = NULL;

	for (size_t i = 0; i < l->n; i++) {
		const struct provision *p = &l->v[i];
		bool covers = p->file ? streq(path, p->path) : path_within(path, p->path);
		if (covers && (!best || strlen(p->path) > strlen(best->path)))
			best = p;
	}
	return best;
}

int layout_follow(const struct provision *p, int root, char **ret, struct stat *ret_st)
{
	CLEANUP_STR char *end = NULL;
	int r = host_resolve(root, p->path, &end, ret_st, NULL);

	if (r == 0 && !S_ISDIR(ret_st->st_mode))
		r = -ENOTDIR;
	if (r == 0 && (place_never_whole(end) || place_kernel_tree(end) ||
		       path_within(end, "/etc") || path_within(end, "/root")))
		r = -EPERM;
	if (r == 0)
		*ret = steal_ptr(end);
	return r;
}

void layout_own(struct layout *l, const char *path)
{
	if (!strv_has(&l->own, path))
		strv_add(&l->own, path);
}

void layout_strays(const struct layout *l, int root, struct strv *ret)
{
	for (size_t i = 0; i < l->own.n; i++) {
		CLEANUP_STR char *end = NULL;
		struct stat link, st;
		if (beneath_lstat(root, l->own.v[i], &link) < 0 || !S_ISLNK(link.st_mode) ||
		    host_resolve(root, l->own.v[i], &end, &st, NULL) < 0 || layout_find(l, end))
			continue;
		CLEANUP_STR char *content = place_content_at(end, S_ISDIR(st.st_mode));
		if (content)
			strv_take(ret, xasprintf("%s leads to %s, which is not in the jail",
						 l->own.v[i], end));
	}
}

struct make provision_make(const struct provision *p)
{
	return (struct make){.path = provision_source(p),
			     .file = p->file,
			     .mode = p->mode,
			     .uid = p->uid,
			     .gid = p->gid};
}

int layout_create(const struct layout *l, int root, struct strv *made, struct err *e)
{
	for (size_t i = 0; i < l->n; i++) {
		struct stat st;
		const char *source = provision_source(&l->v[i]);
		bool missing = l->v[i].create && beneath_lstat(root, source, &st) < 0;
		const struct make m = provision_make(&l->v[i]);
		int r = missing ? make_missing(root, &m) : 0;
		if (missing && r == 0 && made)
			strv_add(made, source);
		if (r < 0)
			return err_errno(e, r, "making %s for the service", source);
	}
	return 0;
}

json_t *layout_to_json(const struct layout *l)
{
	json_t *list = json_array();

	for (size_t i = 0; i < l->n; i++) {
		const struct provision *p = &l->v[i];
		json_t *row =
		    json_pack("{so ss sb sb sb si si si so}", "path", json_text(p->path), "class",
			      class_name(p->class), "writable", p->writable, "file", p->file,
			      "create", p->create, "mode", (int)p->mode, "uid", (int)p->uid, "gid",
			      (int)p->gid, "why", json_text(p->why));
		json_object_set_new(row, "link", json_boolean(p->link));
		if (p->source)
			json_object_set_new(row, "source", json_text(p->source));
		json_array_append_new(list, row);
	}
	for (size_t i = 0; i < l->own.n; i++)
		json_array_append_new(list, json_pack("{so}", "own", json_text(l->own.v[i])));
	return list;
}

static bool provision_from_json(const json_t *row, struct provision *ret)
{
	const char *word;
	int writable, file, create, mode, uid, gid;
	CLEANUP_STR char *path = json_text_value(json_object_get(row, "path"));
	CLEANUP_STR char *why = json_text_value(json_object_get(row, "why"));
	CLEANUP_STR char *source = json_text_value(json_object_get(row, "source"));

	if (!path || path[0] != '/' || !why || (source && source[0] != '/') ||
	    json_unpack((json_t *)(uintptr_t)row, "{ss sb sb sb si si si}", "class", &word,
			"writable", &writable, "file", &file, "create", &create, "mode", &mode,
			"uid", &uid, "gid", &gid) < 0 ||
	    class_parse(word) == CLASS_COUNT)
		return false;
	*ret = (struct provision){.path = steal_ptr(path),
				  .source = steal_ptr(source),
				  .class = class_parse(word),
				  .writable = writable,
				  .file = file,
				  .link = json_is_true(json_object_get(row, "link")),
				  .create = create,
				  .mode = (mode_t)mode,
				  .uid = (uid_t)uid,
				  .gid = (gid_t)gid,
				  .why = steal_ptr(why)};
	return true;
}

int layout_from_json(struct layout *l, const json_t *list)
{
	json_t *row;
	size_t i;

	json_array_foreach(list, i, row)
	{
		struct provision p;
		char *own = json_text_value(json_object_get(row, "own"));
		if (own) {
			strv_take(&l->own, own);
			continue;
		}
		if (!provision_from_json(row, &p))
			return -EBADMSG;
		l->v = xrealloc(l->v, l->n + 1, sizeof(*l->v));
		l->v[l->n++] = p;
	}
	return 0;
}
