/* SPDX-License-Identifier: MIT */
#include "host/account-row.h"

#include <stdint.h>

const struct account_form account_form_passwd = {"npig.", 4, false, "x"};
const struct account_form account_form_group = {"npil", 3, true, "*"};
const struct account_form account_form_shadow = {"n.", 2, false, NULL};
const struct account_form account_form_gshadow = {"n.ll", 2, true, NULL};

/* Digits alone, and neither too much for an id nor the (uid_t)-1 that means none. */
static bool parse_id(struct span s, id_t *ret)
{
	uint64_t value = 0;

	for (size_t i = 0; i < s.n; i++) {
		if (s.s[i] < '0' || s.s[i] > '9' || value > UINT32_MAX)
			return false;
		value = value * 10 + (uint64_t)(s.s[i] - '0');
	}
	*ret = (id_t)value;
	return s.n && value < UINT32_MAX;
}

static bool parse_field(char letter, struct span s, struct account_row *row)
{
	if (letter == 'n')
		return s.n && !strchr("+-#", s.s[0]);
	if (letter == 'i')
		return parse_id(s, &row->id);
	if (letter == 'g')
		return parse_id(s, &row->gid);
	return true;
}

static bool parse_row(const struct account_form *f, struct span line, struct account_row *ret)
{
	*ret = (struct account_row){0};
	while (line.n && strchr(" \t\v\f\r", line.s[0]))
		line = (struct span){line.s + 1, line.n - 1};
	for (bool more = true; more && f->fields[ret->n]; ret->n++) {
		bool last = !f->fields[ret->n + 1];
		struct span whole = line, s = last ? line : span_cut(&line, ':');
		more = s.n < whole.n; /* a colon followed */
		if (!parse_field(f->fields[ret->n], s, ret))
			return false;
		ret->fields[ret->n] = s;
	}
	return ret->n >= f->min;
}

bool account_row_next(const struct account_form *f, struct span *text, struct account_row *ret)
{
	while (text->n)
		if (parse_row(f, span_cut(text, '\n'), ret))
			return true;
	return false;
}

bool account_row_find(const struct account_form *f, struct span text, const char *name,
		      struct account_row *ret)
{
	while (account_row_next(f, &text, ret))
		if (span_is(ret->fields[0], name))
			return true;
	return false;
}
