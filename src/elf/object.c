/* SPDX-License-Identifier: MIT */
#include "elf/object.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "elf/interp.h"
#include "elf/object-parts.h"

/* Tags whose value is a string: one of a kind, or a list. */
static const struct {
	uint64_t tag;
	size_t one, list; /* offset in struct elf_object; 0: not this */
} strings[] = {
    {DT_SONAME, .one = offsetof(struct elf_object, soname)},
    {DT_RPATH, .one = offsetof(struct elf_object, rpath)},
    {DT_RUNPATH, .one = offsetof(struct elf_object, runpath)},
    {DT_NEEDED, .list = offsetof(struct elf_object, needed)},
    {DT_FILTER, .list = offsetof(struct elf_object, filters)},
    {DT_AUXILIARY, .list = offsetof(struct elf_object, auxiliaries)},
};

void elf_object_done(struct elf_object *o)
{
	for (size_t i = 0; i < o->n_versions; i++) {
		free(o->versions[i].file);
		free(o->versions[i].name);
	}
	free(o->versions);
	for (size_t i = 0; i < ARRAY_LEN(strings); i++)
		if (strings[i].one)
			free(*(char **)((char *)o + strings[i].one));
		else
			strv_done((struct strv *)((char *)o + strings[i].list));
	strv_done(&o->imports);
	strv_done(&o->defines);
	free(o->interp);
	*o = (struct elf_object)ELF_OBJECT_INIT;
}

static int compare(const void *symbol, const void *at)
{
	return strcmp(symbol, *(char *const *)at);
}

bool elf_imports(const struct elf_object *o, const char *symbol)
{
	return o->imports.n && bsearch(symbol, o->imports.v, o->imports.n, sizeof(char *), compare);
}

int object_broken(int r, const char *part, struct err *e)
{
	if (r == 0 || r == -EBADMSG)
		return r;
	if (r != -ENOEXEC && r != -EAGAIN && r != -ENAMETOOLONG)
		return err_errno(e, r, "cannot read the %s", part);
	return err_set(e, -EBADMSG, "a broken ELF file: its %s does not lie in it", part);
}

int object_open(struct dynamic *d, struct err *e)
{
	const char *part = "header";

	if (!image_starts(d->im, ELFMAG, SELFMAG))
		return -ENOEXEC;
	int r = elf_header_read(d->im, &d->header);
	if (r == 0 && !elf_header_loads(&d->header))
		return -ENOEXEC;
	if (r == 0)
		r = dynamic_read(d, &part);
	return object_broken(r, part, e);
}

int object_open_fd(struct dynamic *d, struct image *im, uint8_t head[INTERP_HEAD], int fd,
		   struct err *e)
{
	int r = image_open(im, fd, head, INTERP_HEAD);

	d->im = im;
	return r < 0 ? err_errno(e, r, "cannot read the file") : object_open(d, e);
}

static int read_string(const struct dynamic *d, const struct dynamic_entry *entry,
		       struct elf_object *o)
{
	for (size_t i = 0; i < ARRAY_LEN(strings); i++) {
		if (strings[i].tag != entry->tag)
			continue;
		const char *s = dynamic_string(d, entry->value);
		if (!s)
			return -ENOEXEC;
		char **one = (char **)((char *)o + strings[i].one);
		if (!strings[i].one) {
			strv_add((struct strv *)((char *)o + strings[i].list), s);
			continue;
		}
		free(*one); /* the last counts */
		*one = xstrdup(s);
	}
	return 0;
}

static int read_interp(struct dynamic *d, struct elf_object *o)
{
	char path[PATH_MAX];
	size_t i = 0;

	while (i < d->n_segments && d->segments[i].type != PT_INTERP)
		i++;
	if (i == d->n_segments)
		return 0;
	int r = elf_interp_read(d->im, &d->segments[i], path, sizeof(path));
	if (r == 0)
		o->interp = xstrdup(path);
	return r;
}

static void read_facts(const struct dynamic *d, struct elf_object *o)
{
	uint64_t flags = d->slots[DYNAMIC_FLAGS_1];

	o->wide = d->header.layout.wide;
	o->big = d->header.layout.big;
	o->machine = d->header.machine;
	o->type = d->header.type;
	o->flags = d->header.flags;
	o->dynamic = d->entries != NULL;
	o->pie = flags & DF_1_PIE;
	o->nodeflib = flags & DF_1_NODEFLIB;
}

static int read_object(struct dynamic *d, struct elf_object *o, struct err *e)
{
	int r = object_open(d, e);

	if (r < 0)
		return r;
	read_facts(d, o);
	r = object_broken(read_interp(d, o), "name of the loader", e);
	for (size_t i = 0; r == 0 && i < d->n_entries; i++)
		r = object_broken(read_string(d, &d->entries[i], o), "name of a library", e);
	if (r == 0)
		r = object_broken(object_symbols(d, false, &o->imports), "table of symbols", e);
	if (r == 0)
		r = object_broken(object_versions(d, o), "table of versions", e);
	return r;
}

static int read_image(struct image *im, struct elf_object *ret, struct err *e)
{
	struct dynamic d CLEANUP_DYNAMIC = {.im = im};
	int r;

	*ret = (struct elf_object)ELF_OBJECT_INIT;
	r = read_object(&d, ret, e);
	if (r < 0)
		elf_object_done(ret);
	return r;
}

int elf_object_read(const void *bytes, size_t len, struct elf_object *ret, struct err *e)
{
	struct image im = image_of_bytes(bytes, len);
	return read_image(&im, ret, e);
}

int elf_object_read_fd(int fd, struct elf_object *ret, struct err *e)
{
	uint8_t head[INTERP_HEAD];
	struct image im;
	int r = image_open(&im, fd, head, sizeof(head));

	if (r < 0) {
		*ret = (struct elf_object)ELF_OBJECT_INIT;
		return err_errno(e, r, "cannot read the file");
	}
	return read_image(&im, ret, e);
}

int elf_exports(int fd, struct strv *ret, struct err *e)
{
	uint8_t head[INTERP_HEAD];
	struct image im;
	struct dynamic d CLEANUP_DYNAMIC = {0};
	int r = object_open_fd(&d, &im, head, fd, e);

	return r < 0 ? r : object_broken(object_symbols(&d, true, ret), "table of symbols", e);
}
