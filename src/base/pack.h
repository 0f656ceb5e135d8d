/* SPDX-License-Identifier: MIT */
/* Structures as bytes, for another program of ours on the same machine.
 *
 *   magic, version, length, checksum | fields, in one order
 *
 * One walk over the fields serves both directions, so that the order is written down once: a field
 * is put into the bytes, or taken out of them. Reading never goes beyond the bytes, whatever they
 * say; a number of items is believed only as far as the bytes left could hold them. Numbers are the
 * host's own. The checksum (FNV-1a) finds what rotted or was cut off; it is no seal against whoever
 * may write the bytes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct pack {
	bool reading, bad;
	char *out;	/* writing */
	const char *in; /* reading */
	size_t at, size;
};

/* Writing: the fields follow, then pack_finish() gives the bytes, new, the caller's to free. */
struct pack pack_begin(const char *magic, uint32_t version);
char *pack_finish(struct pack *w, size_t *ret_len);

/* Reading: what is read borrows from @bytes. -EBADMSG where they are not the whole of an image of
 * that magic, -ESTALE where it is of another version. The fields follow, then pack_whole() says
 * whether all was well. */
int pack_open(struct pack *ret, const char *magic, uint32_t version, const char *bytes, size_t len,
	      struct err *e);
bool pack_whole(const struct pack *w);

/* @n bytes of @v as they are. */
void pack_raw(struct pack *w, void *v, size_t n);
#define PACK_FIELD(w, v) pack_raw(w, &(v), sizeof(v))

/* How many items of at least @least bytes each follow. */
size_t pack_count(struct pack *w, size_t n, size_t least);

/* A text or NULL: borrowed, or, kept, a copy of the reader's own. */
void pack_text(struct pack *w, const char **s);
void pack_kept_text(struct pack *w, char **s);

/* An argv or envp; the list is the reader's, its texts are borrowed. */
void pack_texts(struct pack *w, char *const **list);

/* A list; the reader's own. */
void pack_strv(struct pack *w, struct strv *list);

/* An array of @n numbers or plain structures of @size bytes, the reader's own. Returns how many. */
size_t pack_array(struct pack *w, void **v, size_t n, size_t size);

/* Whether @part, which may be missing, is there. */
bool pack_there(struct pack *w, const void *part);
