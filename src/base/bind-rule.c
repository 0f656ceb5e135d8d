/* SPDX-License-Identifier: MIT */
#include "base/bind-rule.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/str.h"

void bind_rules_done(struct bind_rules *l)
{
	free(l->v);
	*l = (struct bind_rules){0};
}

/* The number at *@text, 1 to 65535, and *@text behind it; 0 where there is none. */
static uint16_t take_port(const char **text)
{
	char *end;

	if (**text < '1' || **text > '9')
		return 0;
	unsigned long port = strtoul(*text, &end, 10);
	*text = end;
	return port <= UINT16_MAX ? (uint16_t)port : 0;
}

static bool take_ports(const char *text, struct bind_rule *r)
{
	r->ports = true;
	r->low = r->high = take_port(&text);
	if (r->low && *text == '-') {
		text++;
		r->high = take_port(&text);
	}
	return r->low && r->low <= r->high && !*text;
}

/* A part of the word, up to ":" or its end; each may be left out. */
static bool take_word(const char **text, const char *word)
{
	const char *rest = str_after(*text, word);

	if (!rest || (*rest && *rest != ':'))
		return false;
	*text = *rest ? rest + 1 : rest;
	return true;
}

static bool parse(const char *word, struct bind_rule *r)
{
	static const struct {
		const char *word;
		int family, protocol;
	} parts[] = {{"ipv4", AF_INET, 0},
		     {"ipv6", AF_INET6, 0},
		     {"tcp", 0, IPPROTO_TCP},
		     {"udp", 0, IPPROTO_UDP}};
	const char *rest = word;

	if (!*word || str_ends(word, ":"))
		return false;
	if (streq(word, "any"))
		return true;
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		if (!(parts[i].family ? r->family || r->protocol : r->protocol) &&
		    take_word(&rest, parts[i].word)) {
			r->family += parts[i].family;
			r->protocol += parts[i].protocol;
		}
	return !*rest || take_ports(rest, r);
}

int bind_rule_add(struct bind_rules *l, const char *word, struct err *e)
{
	struct bind_rule r = {0};

	if (!parse(word, &r))
		return err_set(e, -EINVAL,
			       "'%.100s' is no rule such as ipv4:tcp:80, udp:5000-5009 or any",
			       word);
	if (l) {
		l->v = xrealloc(l->v, l->n + 1, sizeof(*l->v));
		l->v[l->n++] = r;
	}
	return 0;
}

bool bind_rules_match(const struct bind_rules *l, int family, int protocol, uint16_t port)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct bind_rule *r = &l->v[i];
		if ((!r->family || r->family == family) &&
		    (!r->protocol || r->protocol == protocol) &&
		    (!r->ports || (port >= r->low && port <= r->high)))
			return true;
	}
	return false;
}
