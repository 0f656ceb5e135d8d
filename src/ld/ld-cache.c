/* SPDX-License-Identifier: MIT */
#include "ld/ld-cache.h"

#include <errno.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "ld/machine.h"

#define OLD_MAGIC "ld.so-1.7.0"
#define MAGIC	  "glibc-ld.so.cache1.1"

struct old_header {
	char magic[sizeof(OLD_MAGIC) - 1];
	uint32_t n;
};

struct old_entry {
	uint32_t flags, name, path;
};

/* Strings are at offsets from this header; the extension from the beginning of the file. */
struct header {
	char magic[sizeof(MAGIC) - 1];
	uint32_t n, len_strings;
	uint8_t byte_order, padding[3]; /* the lowest two bits: 0 says nothing */
	uint32_t extension, unused[3];
};

struct entry {
	uint32_t flags, name, path, unused;
	uint64_t hwcap;
};

struct extension {
	uint32_t magic, n;
};

struct section {
	uint32_t tag, flags, offset, size;
};

#define BYTE_ORDER_MASK	 3u
#define BYTE_ORDER_HERE	 (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 2u : 3u)
#define EXTENSION_MAGIC	 0xeaa42174u
#define SECTIONS_MAX	 64
#define HWCAPS_MAX	 64
#define TAG_GLIBC_HWCAPS 1
#define HWCAP_EXTENSION	 (UINT64_C(1) << 62)

/* The new format within the file. */
struct view {
	const char *file;
	size_t file_len;
	const char *base; /* of the strings: the header */
	size_t len;	  /* from there to the end */
	struct header header;
	size_t hwcaps, n_hwcaps; /* offset in the file of the names' offsets */
};

void ld_cache_done(struct ld_cache *c)
{
	free(c->v);
	*c = (struct ld_cache)LD_CACHE_INIT;
}

static bool get(const char *bytes, size_t len, uint64_t at, void *ret, size_t n)
{
	if (at > len || n > len - at)
		return false;
	memcpy(ret, bytes + at, n);
	return true;
}

/* Where the new format starts, aligned as the writer's machine wanted it; @len where it does not.
 */
static size_t find_header(const char *bytes, size_t len)
{
	static const size_t alignments[] = {8, 4};
	struct old_header old;
	char magic[sizeof(MAGIC) - 1];

	if (!get(bytes, len, 0, &old, sizeof(old)) ||
	    memcmp(old.magic, OLD_MAGIC, sizeof(old.magic)) != 0)
		return 0;
	uint64_t end = sizeof(old) + (uint64_t)old.n * sizeof(struct old_entry);
	for (size_t i = 0; i < ARRAY_LEN(alignments); i++) {
		uint64_t at = (end + alignments[i] - 1) / alignments[i] * alignments[i];
		if (get(bytes, len, at, magic, sizeof(magic)) &&
		    memcmp(magic, MAGIC, sizeof(magic)) == 0)
			return (size_t)at;
	}
	return len;
}

/* The names of hardware capabilities, if the cache has any. */
static int find_hwcaps(struct view *v, struct err *e)
{
	struct extension x;
	struct section s;
	uint64_t at = v->header.extension;

	if (!at)
		return 0;
	if (!get(v->file, v->file_len, at, &x, sizeof(x)) || x.magic != EXTENSION_MAGIC ||
	    x.n > SECTIONS_MAX)
		return err_set(e, -EBADMSG, "the extension of the cache is not one");
	for (uint32_t i = 0; i < x.n; i++) {
		if (!get(v->file, v->file_len, at + sizeof(x) + i * sizeof(s), &s, sizeof(s)) ||
		    s.offset > v->file_len || s.size > v->file_len - s.offset)
			return err_set(e, -EBADMSG, "a section of the extension lies outside");
		if (s.tag == TAG_GLIBC_HWCAPS) {
			v->hwcaps = s.offset;
			v->n_hwcaps = s.size / sizeof(uint32_t);
		}
	}
	return 0;
}

static int open_view(const char *bytes, size_t len, struct view *v, struct err *e)
{
	size_t at = find_header(bytes, len);

	*v = (struct view){.file = bytes, .file_len = len};
	v->base = bytes + at;
	v->len = len - at;
	if (!get(v->base, v->len, 0, &v->header, sizeof(v->header)) ||
	    memcmp(v->header.magic, MAGIC, sizeof(v->header.magic)) != 0)
		return err_set(e, -EBADMSG, "no cache of a format that is known");
	unsigned order = v->header.byte_order & BYTE_ORDER_MASK;
	if (order && order != BYTE_ORDER_HERE)
		return err_set(e, -EBADMSG, "the cache of a machine of another byte order");
	if (v->header.n > (v->len - sizeof(v->header)) / sizeof(struct entry))
		return err_set(e, -EBADMSG, "the cache is shorter than its entries");
	return find_hwcaps(v, e);
}

static const char *string_at(const struct view *v, uint32_t at)
{
	return at < v->len ? v->base + at : NULL;
}

static const char *hwcap_name(const struct view *v, uint64_t hwcap)
{
	uint32_t at, i = (uint32_t)hwcap;

	if (hwcap >> 32 != HWCAP_EXTENSION >> 32 || i >= v->n_hwcaps)
		return NULL;
	return get(v->file, v->file_len, v->hwcaps + i * sizeof(at), &at, sizeof(at))
		   ? string_at(v, at)
		   : NULL;
}

int ld_cache_parse(const char *bytes, size_t len, struct ld_cache *ret, struct err *e)
{
	struct ld_cache c CLEANUP_LD_CACHE = LD_CACHE_INIT;
	struct entry entry;
	struct view v;
	int r = open_view(bytes, len, &v, e);

	if (r < 0)
		return r;
	c.v = xcalloc(v.header.n, sizeof(*c.v));
	for (; c.n < v.header.n; c.n++) {
		memcpy(&entry, v.base + sizeof(v.header) + c.n * sizeof(entry), sizeof(entry));
		c.v[c.n] = (struct ld_cache_entry){.name = string_at(&v, entry.name),
						   .path = string_at(&v, entry.path),
						   .flags = entry.flags,
						   .hwcap = entry.hwcap,
						   .hwcap_name = hwcap_name(&v, entry.hwcap)};
		if (!c.v[c.n].name || !c.v[c.n].path)
			return err_set(e, -EBADMSG, "a string of entry %zu lies outside", c.n);
	}
	*ret = c;
	c = (struct ld_cache)LD_CACHE_INIT;
	return 0;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static uint32_t number(const char **p)
{
	uint32_t value = 0;

	for (; is_digit(**p); (*p)++)
		value = value * 10 + (uint32_t)(**p - '0'); /* too long a one wraps there too */
	return value;
}

/* _dl_cache_libcmp(): numbers by their value, and after all that is no digit. */
static int compare(const char *a, const char *b)
{
	while (*a) {
		if (is_digit(*a) != is_digit(*b))
			return is_digit(*a) ? 1 : -1;
		if (is_digit(*a)) {
			int32_t d = (int32_t)(number(&a) - number(&b));
			if (d)
				return d < 0 ? -1 : 1;
		} else if (*a != *b) {
			break;
		} else {
			a++;
			b++;
		}
	}
	return *a - *b;
}

size_t ld_cache_find(const struct ld_cache *c, const char *name, size_t *ret_first)
{
	size_t left = 0, right = c->n, end;

	/* Descending: to the first that is not before @name. */
	while (left < right) {
		size_t middle = left + (right - left) / 2;
		if (compare(name, c->v[middle].name) < 0)
			left = middle + 1;
		else
			right = middle;
	}
	for (end = left; end < c->n && compare(name, c->v[end].name) == 0; end++)
		;
	*ret_first = left;
	return end - left;
}

uint32_t ld_cache_flags(uint16_t machine, bool wide, uint32_t e_flags)
{
	return machine_of(machine, wide, e_flags)->cache;
}

/* A cache that is being written: header, entries, strings, extension. */
struct cut {
	char *bytes;
	size_t n, strings, end;
	struct strv hwcaps;
};

static uint32_t put_string(struct cut *c, const char *s)
{
	size_t at = c->end, n = strlen(s) + 1;

	memcpy(c->bytes + at, s, n);
	c->end += n;
	return (uint32_t)at;
}

static uint64_t cut_hwcap(const struct cut *c, const struct ld_cache_entry *entry)
{
	uint32_t i = 0;

	if (!entry->hwcap_name)
		return entry->hwcap;
	while (!streq(c->hwcaps.v[i], entry->hwcap_name))
		i++;
	return HWCAP_EXTENSION | i;
}

/* Most names are the tail of their paths, and share its bytes. */
static void put_entry(struct cut *c, const struct ld_cache_entry *from)
{
	size_t name = strlen(from->name), path = strlen(from->path);
	struct entry entry = {.flags = from->flags, .hwcap = cut_hwcap(c, from)};

	entry.path = put_string(c, from->path);
	if (path >= name && streq(from->path + path - name, from->name))
		entry.name = entry.path + (uint32_t)(path - name);
	else
		entry.name = put_string(c, from->name);
	memcpy(c->bytes + sizeof(struct header) + c->n++ * sizeof(entry), &entry, sizeof(entry));
}

/* The loader wants the names sorted, which they are. */
static uint32_t put_extension(struct cut *c, const uint32_t *hwcaps)
{
	const struct extension x = {EXTENSION_MAGIC, 1};
	size_t at = (c->end + 3) / 4 * 4;
	struct section s = {.tag = TAG_GLIBC_HWCAPS,
			    .offset = (uint32_t)(at + sizeof(x) + sizeof(s)),
			    .size = (uint32_t)(c->hwcaps.n * sizeof(*hwcaps))};

	memcpy(c->bytes + at, &x, sizeof(x));
	memcpy(c->bytes + at + sizeof(x), &s, sizeof(s));
	memcpy(c->bytes + s.offset, hwcaps, s.size);
	c->end = s.offset + s.size;
	return (uint32_t)at;
}

/* Whether no loader takes it: it is for some hardware that the cache does not name. */
static bool is_lost(const struct ld_cache_entry *entry)
{
	return entry->hwcap >> 32 == HWCAP_EXTENSION >> 32 && !entry->hwcap_name;
}

/* Keeps in @c what is wanted, and tells how many bytes it will take at most. */
static size_t choose(struct ld_cache *c, bool (*keep)(const char *path, void *ctx), void *ctx,
		     struct strv *hwcaps)
{
	size_t kept = 0, size = sizeof(struct header) + sizeof(struct extension);

	for (size_t i = 0; i < c->n; i++) {
		struct ld_cache_entry entry = c->v[i];
		if (is_lost(&entry) || !keep(entry.path, ctx))
			continue;
		c->v[kept++] = entry;
		size += sizeof(struct entry) + strlen(entry.name) + strlen(entry.path) + 2;
		if (entry.hwcap_name)
			strv_add(hwcaps, entry.hwcap_name);
	}
	c->n = kept;
	strv_sort_unique(hwcaps);
	for (size_t i = 0; i < hwcaps->n; i++)
		size += strlen(hwcaps->v[i]) + 1 + sizeof(uint32_t);
	return size + sizeof(struct section) + 4;
}

static void write_cut(struct cut *c, const struct ld_cache *kept)
{
	struct header h = {.n = (uint32_t)kept->n, .byte_order = BYTE_ORDER_HERE};
	uint32_t hwcaps[HWCAPS_MAX];

	memcpy(h.magic, MAGIC, sizeof(h.magic));
	c->strings = c->end = sizeof(h) + kept->n * sizeof(struct entry);
	for (size_t i = 0; i < kept->n; i++)
		put_entry(c, &kept->v[i]);
	for (size_t i = 0; i < c->hwcaps.n; i++)
		hwcaps[i] = put_string(c, c->hwcaps.v[i]);
	h.len_strings = (uint32_t)(c->end - c->strings);
	if (c->hwcaps.n)
		h.extension = put_extension(c, hwcaps);
	memcpy(c->bytes, &h, sizeof(h));
}

int ld_cache_cut(const char *bytes, size_t len, bool (*keep)(const char *path, void *ctx),
		 void *ctx, char **ret, size_t *ret_len, struct err *e)
{
	struct ld_cache c CLEANUP_LD_CACHE = LD_CACHE_INIT;
	struct strv hwcaps CLEANUP_STRV = STRV_INIT;
	int r = ld_cache_parse(bytes, len, &c, e);

	if (r < 0)
		return r;
	size_t size = choose(&c, keep, ctx, &hwcaps);
	if (size > UINT32_MAX || hwcaps.n > HWCAPS_MAX)
		return err_set(e, -EBADMSG, "the cache is larger than any honest one");
	struct cut cut = {.bytes = xcalloc(size + 1, 1), .hwcaps = hwcaps};
	write_cut(&cut, &c);
	*ret = cut.bytes;
	*ret_len = cut.end;
	return 0;
}
