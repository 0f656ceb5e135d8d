/* SPDX-License-Identifier: MIT */
#include "base/prefix.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"

static const struct {
	const char *name, *ranges[2];
} words[] = {
    {"any", {"0.0.0.0/0", "::/0"}},
    {"localhost", {"127.0.0.0/8", "::1/128"}},
    {"link-local", {"169.254.0.0/16", "fe80::/64"}},
    {"multicast", {"224.0.0.0/4", "ff00::/8"}},
};

void prefix_list_done(struct prefix_list *l)
{
	free(l->v);
	*l = (struct prefix_list){0};
}

static int wrong(const char *word, struct err *e)
{
	return err_set(e, -EINVAL,
		       "'%.100s' is no range of addresses: 192.0.2.0/24, 2001:db8::/32, any, "
		       "localhost, link-local or multicast",
		       word);
}

/* Bits beyond the prefix count for nothing: they are cleared. */
static void clear_host(struct prefix *p)
{
	for (unsigned bit = p->bits; bit < 128; bit++)
		p->address[bit / 8] &= (unsigned char)~(0x80u >> bit % 8);
}

static int parse(const char *word, struct prefix *p, struct err *e)
{
	char address[INET6_ADDRSTRLEN];
	size_t n = strcspn(word, "/");
	char *end = NULL;

	*p = (struct prefix){.family = memchr(word, ':', n) ? AF_INET6 : AF_INET};
	if (n >= sizeof(address))
		return wrong(word, e);
	snprintf(address, sizeof(address), "%.*s", (int)n, word);
	if (inet_pton(p->family, address, p->address) != 1)
		return wrong(word, e);
	unsigned most = p->family == AF_INET ? 32 : 128;
	p->bits = most;
	if (word[n]) {
		const char *digits = word + n + 1;
		unsigned long bits = strtoul(digits, &end, 10);
		if (*digits < '0' || *digits > '9' || *end || bits > most)
			return wrong(word, e);
		p->bits = (unsigned)bits;
	}
	clear_host(p);
	return 0;
}

static int add(struct prefix_list *l, const char *word, struct err *e)
{
	struct prefix p;
	int r = parse(word, &p, e);

	if (r < 0 || !l)
		return r;
	l->v = xrealloc(l->v, l->n + 1, sizeof(*l->v));
	l->v[l->n++] = p;
	return 0;
}

int prefix_add(struct prefix_list *l, const char *word, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (!streq(words[i].name, word))
			continue;
		int r = add(l, words[i].ranges[0], e);
		return r < 0 ? r : add(l, words[i].ranges[1], e);
	}
	return add(l, word, e);
}
