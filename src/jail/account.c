/* SPDX-License-Identifier: MIT */
#include "jail/account.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

/* A decimal id below 2^32 - 1, or -1: then @text is a name. */
static long long numeric(const char *text)
{
	char *end;

	if (!*text || strspn(text, "0123456789") != strlen(text))
		return -1;
	errno = 0;
	unsigned long long n = strtoull(text, &end, 10);
	return errno || n >= 0xffffffffull ? -1 : (long long)n;
}

static const struct passwd *find_user(const char *user)
{
	long long uid = numeric(user);
	return uid >= 0 ? getpwuid((uid_t)uid) : getpwnam(user);
}

static int find_group(const char *group, gid_t *ret, struct err *e)
{
	long long gid = numeric(group);
	const struct group *gr = gid >= 0 ? getgrgid((gid_t)gid) : getgrnam(group);

	if (!gr)
		return err_set(e, -EINVAL, "group '%s' does not exist on this host", group);
	*ret = gr->gr_gid;
	return 0;
}

static int supplementary(const struct spec *s, struct account *a, struct err *e)
{
	int n = (int)ARRAY_LEN(a->groups);

	if (getgrouplist(a->name, a->gid, a->groups, &n) < 0)
		return err_set(e, -EINVAL, "user '%s' is in more than %zu groups", a->name,
			       ARRAY_LEN(a->groups));
	a->n_groups = (size_t)n;
	for (size_t i = 0; i < s->supplementary_groups.n; i++) {
		if (a->n_groups == ARRAY_LEN(a->groups))
			return err_set(e, -EINVAL, "more than %zu groups", ARRAY_LEN(a->groups));
		int r = find_group(s->supplementary_groups.v[i], &a->groups[a->n_groups], e);
		if (r < 0)
			return r;
		a->n_groups++;
	}
	return 0;
}

int account_of(const struct spec *s, struct account *ret, struct err *e)
{
	const char *user = s->user ? s->user : "root";
	const struct passwd *pw = find_user(user);

	memset(ret, 0, sizeof(*ret));
	if (!pw)
		return err_set(e, -EINVAL,
			       "user '%s' does not exist on this host (make it, or name another "
			       "with --user or User=)",
			       user);
	ret->uid = pw->pw_uid;
	ret->gid = pw->pw_gid;
	snprintf(ret->name, sizeof(ret->name), "%s", pw->pw_name);
	snprintf(ret->home, sizeof(ret->home), "%s", pw->pw_dir);
	snprintf(ret->shell, sizeof(ret->shell), "%s", pw->pw_shell);
	if (s->group) {
		int r = find_group(s->group, &ret->gid, e);
		if (r < 0)
			return r;
	}
	return supplementary(s, ret, e);
}
