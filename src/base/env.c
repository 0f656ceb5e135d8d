/* SPDX-License-Identifier: MIT */
#include "base/env.h"

#include <stdlib.h>

#include "base/alloc.h"

static size_t find(const struct strv *env, const char *name, size_t len)
{
	size_t i = 0;

	while (i < env->n && (strncmp(env->v[i], name, len) != 0 || env->v[i][len] != '='))
		i++;
	return i;
}

void env_put(struct strv *env, const char *assignment)
{
	size_t i = find(env, assignment, strcspn(assignment, "="));

	if (i == env->n) {
		strv_add(env, assignment);
		return;
	}
	free(env->v[i]);
	env->v[i] = xstrdup(assignment);
}

void env_remove(struct strv *env, const char *name)
{
	size_t len = strcspn(name, "=");
	size_t i = find(env, name, len);

	if (i == env->n || (name[len] && !streq(env->v[i], name)))
		return;
	free(env->v[i]);
	memmove(env->v + i, env->v + i + 1, (env->n - i) * sizeof(*env->v));
	env->n--;
}

const char *env_get(const struct strv *env, const char *name)
{
	size_t len = strlen(name), i = find(env, name, len);
	return i < env->n ? env->v[i] + len + 1 : NULL;
}
