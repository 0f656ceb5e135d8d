/* SPDX-License-Identifier: MIT */
/* Any bytes as passwd, group and shadow, a byte 1 between: what is cut is understood when it is
 * read again, holds nobody who is not needed, and cutting it changes nothing. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "host/accounts.h"
#include "host/span.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whether each line starts with the name of a needed account. */
static void check_names(const struct accounts *a, const char *text, bool group)
{
	for (struct span rest = span_of(text); rest.n;) {
		struct span line = span_cut(&rest, '\n');
		CLEANUP_STR char *name = span_dup(span_cut(&line, ':'));
		if (!accounts_find(a, name, group))
			abort();
	}
}

static void check_again(const struct accounts *a, const char *passwd, const char *group)
{
	struct accounts b CLEANUP_ACCOUNTS = ACCOUNTS_INIT;

	accounts_parse(passwd, strlen(passwd), group, strlen(group), &b);
	for (size_t i = 0; i < a->n; i++) {
		const char *name = a->v[i].name;
		if (!(a->v[i].group ? accounts_need_group(&b, name, "again")
				    : accounts_need_user(&b, name, "again")))
			abort();
	}
	CLEANUP_STR char *passwd_again = accounts_cut_passwd(&b);
	CLEANUP_STR char *group_again = accounts_cut_group(&b);
	if (b.n != a->n || strcmp(passwd, passwd_again) || strcmp(group, group_again))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span rest = {(const char *)data, size};
	struct span passwd = span_cut(&rest, '\1'), group = span_cut(&rest, '\1');
	CLEANUP_STR char *shadow = span_dup(rest);
	struct accounts a CLEANUP_ACCOUNTS = ACCOUNTS_INIT;
	uid_t uid;

	accounts_parse(passwd.s, passwd.n, group.s, group.n, &a);
	accounts_need_user(&a, "web", "named");
	accounts_need_uid(&a, 7, "owns");
	accounts_need_gid(&a, 8, "owns");
	accounts_need_group(&a, "web", "named");
	for (size_t i = 0; i < a.n; i++)
		if (!a.v[i].group && accounts_uid(&a, a.v[i].name, &uid) != 1)
			abort();

	CLEANUP_STR char *passwd_cut = accounts_cut_passwd(&a);
	CLEANUP_STR char *group_cut = accounts_cut_group(&a);
	CLEANUP_STR char *shadow_cut = accounts_cut_shadow(&a, shadow, false);
	CLEANUP_STR char *gshadow_cut = accounts_cut_shadow(&a, shadow, true);
	check_names(&a, passwd_cut, false);
	check_names(&a, group_cut, true);
	check_names(&a, shadow_cut, false);
	check_names(&a, gshadow_cut, true);
	check_again(&a, passwd_cut, group_cut);
	return 0;
}
