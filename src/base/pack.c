/* SPDX-License-Identifier: MIT */
#include "base/pack.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fnv.h"

struct head {
	char magic[8];
	uint32_t version, length; /* of what follows, in bytes */
	uint64_t checksum;	  /* of what follows */
};

/* The next @n bytes of the image, or NULL where there are not so many. */
static const char *taken(struct pack *w, size_t n)
{
	if (w->bad || n > w->size - w->at) {
		w->bad = true;
		return NULL;
	}
	w->at += n;
	return w->in + w->at - n;
}

void pack_raw(struct pack *w, void *v, size_t n)
{
	if (w->reading) {
		const char *from = taken(w, n);
		if (from && n)
			memcpy(v, from, n);
		return;
	}
	if (w->at + n > w->size) {
		w->size = 2 * w->size + n;
		w->out = xrealloc(w->out, w->size, 1);
	}
	if (n)
		memcpy(w->out + w->at, v, n);
	w->at += n;
}

size_t pack_count(struct pack *w, size_t n, size_t least)
{
	uint32_t number = (uint32_t)n;

	PACK_FIELD(w, number);
	if (w->reading && (w->bad || number > (w->size - w->at) / least)) {
		w->bad = true;
		return 0;
	}
	return number;
}

/* With its NUL, so that a reader can borrow it; no text is a length of 0. */
void pack_text(struct pack *w, const char **s)
{
	size_t n = pack_count(w, *s && !w->reading ? strlen(*s) + 1 : 0, 1);

	if (!w->reading) {
		if (n)
			pack_raw(w, (char *)(uintptr_t)*s, n);
		return;
	}
	const char *from = n ? taken(w, n) : NULL;
	if (from && from[n - 1] != '\0')
		w->bad = true;
	*s = w->bad ? NULL : from;
}

void pack_kept_text(struct pack *w, char **s)
{
	const char *borrowed = *s;

	pack_text(w, &borrowed);
	if (w->reading)
		*s = borrowed ? xstrdup(borrowed) : NULL;
}

void pack_texts(struct pack *w, char *const **list)
{
	size_t n = 0;

	while (!w->reading && *list && (*list)[n])
		n++;
	n = pack_count(w, n, sizeof(uint32_t));
	char **v = w->reading ? xcalloc(n + 1, sizeof(*v)) : NULL;
	for (size_t i = 0; i < n && !w->bad; i++) {
		const char *s = w->reading ? NULL : (*list)[i];
		pack_text(w, &s);
		if (w->reading)
			v[i] = (char *)(uintptr_t)(s ? s : "");
	}
	if (w->reading)
		*list = v;
}

void pack_strv(struct pack *w, struct strv *list)
{
	char *const *v = list->v;

	pack_texts(w, &v);
	for (size_t i = 0; w->reading && v[i]; i++)
		strv_add(list, v[i]);
	if (w->reading)
		free((char **)(uintptr_t)v);
}

size_t pack_array(struct pack *w, void **v, size_t n, size_t size)
{
	n = pack_count(w, n, size);
	if (w->reading)
		*v = n ? xcalloc(n, size) : NULL;
	if (n)
		pack_raw(w, *v, n * size);
	return n;
}

bool pack_there(struct pack *w, const void *part)
{
	uint8_t yes = part != NULL;

	PACK_FIELD(w, yes);
	return !w->bad && yes;
}

struct pack pack_begin(const char *magic, uint32_t version)
{
	struct head head = {.version = version};
	struct pack w = {0};

	strncpy(head.magic, magic, sizeof(head.magic) - 1);
	PACK_FIELD(&w, head);
	return w;
}

char *pack_finish(struct pack *w, size_t *ret_len)
{
	struct head head;

	memcpy(&head, w->out, sizeof(head));
	head.length = (uint32_t)(w->at - sizeof(head));
	head.checksum = fnv(w->out + sizeof(head), head.length);
	memcpy(w->out, &head, sizeof(head));
	*ret_len = w->at;
	return w->out;
}

int pack_open(struct pack *ret, const char *magic, uint32_t version, const char *bytes, size_t len,
	      struct err *e)
{
	struct head head;
	struct pack w = {.reading = true, .in = bytes, .size = len};

	PACK_FIELD(&w, head);
	if (w.bad || strncmp(head.magic, magic, sizeof(head.magic)) != 0)
		return err_set(e, -EBADMSG, "this is no compiled plan of immure");
	if (head.version != version)
		return err_set(e, -ESTALE,
			       "the compiled plan is of version %u, this program reads %u",
			       head.version, version);
	if (head.length != len - sizeof(head) ||
	    head.checksum != fnv(bytes + sizeof(head), head.length))
		return err_set(e, -EBADMSG, "the compiled plan is damaged or cut off");
	*ret = w;
	return 0;
}

bool pack_whole(const struct pack *w)
{
	return !w->bad && w->at == w->size;
}
