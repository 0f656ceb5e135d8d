/* SPDX-License-Identifier: MIT */
/* Any bytes as a file of PAM, in both forms: each line whole, in order, of a type that exists. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "text/pam.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_type(const char *type)
{
	static const char *const types[] = {"", "auth", "account", "password", "session"};

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (streq(type, types[i]))
			return true;
	return false;
}

static void check_line(const struct pam_line *l, bool conf, unsigned after)
{
	if (!is_type(l->type) || !l->control[0] || !l->module[0] || l->line <= after)
		abort();
	if (!l->type[0] != streq(l->control, "@include") || (!conf && l->service[0]))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (int conf = 0; conf < 2; conf++) {
		struct pam_lines p = PAM_LINES_INIT;
		unsigned last = 0;

		pam_parse((const char *)data, size, conf, &p);
		for (size_t i = 0; i < p.n; i++) {
			check_line(&p.v[i], conf, last);
			last = p.v[i].line;
		}
		pam_lines_done(&p);
	}
	return 0;
}
