/* SPDX-License-Identifier: MIT */
/* ld.so.conf, the tokens of search paths and the directories in a loader's file, on any bytes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "ld/ld-conf.h"
#include "ld/ld-token.h"
#include "ld/loader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
	if (!condition)
		abort();
}

static void check_conf(const char *text, size_t size)
{
	struct ld_conf c CLEANUP_LD_CONF = LD_CONF_INIT;

	ld_conf_parse(text, size, &c);
	for (size_t i = 0; i < c.n; i++) {
		const char *s = c.v[i].text;
		must(*s && !strpbrk(s, "#\n"));
		must(c.v[i].include || (s[0] == '/' && s[strlen(s) - 1] != '/'));
	}
}

static void check_tokens(const char *text)
{
	static const char *const platforms[] = {"a", "b", NULL};
	static const struct ld_tokens tokens = {"/origin", "lib", platforms};
	struct strv got CLEANUP_STRV = STRV_INIT;

	ld_token_expand(text, &tokens, &got);
	must(got.n == 1 || got.n == 2);
	must(strchr(text, '$') || (got.n == 1 && streq(got.v[0], text)));
	must(!strstr(got.v[0], "${ORIGIN}") && !strstr(got.v[0], "${PLATFORM}"));
}

static void check_dirs(const char *bytes, size_t size)
{
	struct strv dirs CLEANUP_STRV = STRV_INIT;

	loader_builtin_dirs(bytes, size, &dirs);
	must(dirs.n <= 16);
	for (size_t i = 0; i < dirs.n; i++)
		must(dirs.v[i][0] == '/' && strstr(dirs.v[i], "/lib"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP_STR char *text = xcalloc(size + 1, 1);

	memcpy(text, data, size);
	check_conf(text, size);
	check_tokens(text);
	check_dirs((const char *)data, size);
	return 0;
}
