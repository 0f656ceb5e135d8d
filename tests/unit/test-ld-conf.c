/* SPDX-License-Identifier: MIT */
#include "ld/ld-conf.h"

#include <errno.h>

#include "base/alloc.h"
#include "fs-scratch.h"
#include "ld/ld-token.h"

static void check_joined(const struct strv *sv, const char *want)
{
	char got[512] = "";

	for (size_t i = 0; i < sv->n; i++)
		snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%s", i ? " " : "",
			 sv->v[i]);
	CHECK_STR(got, want);
}

static void test_parse(void)
{
	static const struct {
		const char *text, *want; /* an include is shown as "<pattern>" */
	} rows[] = {
	    {"/usr/local/lib\n/opt/lib", "/usr/local/lib /opt/lib"},
	    {"  /a/b//  \n\t/c/ # why\n#/d\n\n", "/a/b /c"},
	    {"include ld.so.conf.d/*.conf\n/z", "<ld.so.conf.d/*.conf> /z"},
	    {"/a\ninclude  x\ty z # no\n/b\n", "/a <x> <y> <z> /b"},
	    {"INCLUDE x\nHwcap 0 nosegneg\nhwcap\t1 y\n", "<x>"},
	    {"includes\ninclude\nrelative/lib\n/\n", ""},
	    {"/usr/lib=libc6\n/old = libc5", "/usr/lib /old"},
	    {"/dos\r\n", "/dos"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ld_conf c CLEANUP_LD_CONF = LD_CONF_INIT;
		struct strv shown CLEANUP_STRV = STRV_INIT;
		ld_conf_parse(rows[i].text, strlen(rows[i].text), &c);
		for (size_t k = 0; k < c.n; k++)
			strv_take(&shown, xasprintf(c.v[k].include ? "<%s>" : "%s", c.v[k].text));
		check_joined(&shown, rows[i].want);
	}
}

/* Directories stand in the order of the lines, those of an include in its place. */
static void test_read(void)
{
	struct scratch s = scratch_new();
	struct strv dirs CLEANUP_STRV = STRV_INIT, files CLEANUP_STRV = STRV_INIT;

	beneath_mkdirs(s.fd, "/etc/ld.so.conf.d", 0755);
	put_file(s.fd, "etc/ld.so.conf", "/first\ninclude ld.so.conf.d/*.conf\n/last\n/b\n");
	put_file(s.fd, "etc/ld.so.conf.d/b.conf", "/b\ninclude /etc/loop\n");
	put_file(s.fd, "etc/ld.so.conf.d/a.conf", "/a\n");
	put_file(s.fd, "etc/ld.so.conf.d/a.off", "/off\n");
	put_file(s.fd, "etc/loop", "/loop\ninclude loop\n");
	CHECK_INT(ld_conf_read(s.fd, "/etc/ld.so.conf", &dirs, &files), 0);
	check_joined(&dirs, "/first /a /b /loop /last");
	CHECK_STR(files.v[0], "/etc/ld.so.conf");
	CHECK_STR(files.v[2], "/etc/ld.so.conf.d/b.conf");
	CHECK_INT(files.n, 3 + 7); /* eight deep */

	struct strv nothing CLEANUP_STRV = STRV_INIT;
	CHECK_INT(ld_conf_read(s.fd, "/etc/none", &nothing, NULL), 0);
	CHECK_INT(ld_conf_read(s.fd, "etc/ld.so.conf", &nothing, NULL), -EINVAL);
	CHECK_INT(nothing.n, 0);
	scratch_done(&s);
}

static void test_tokens(void)
{
	static const char *const platforms[] = {"haswell", "x86_64", NULL};
	static const struct ld_tokens tokens = {"/opt/bin", "lib64", platforms};
	static const struct {
		const char *text, *want;
	} rows[] = {
	    {"/plain", "/plain"},
	    {"$ORIGIN/../$LIB/x", "/opt/bin/../lib64/x"},
	    {"${ORIGIN}x${LIB}", "/opt/binxlib64"},
	    {"/a/${PLATFORM}/$PLATFORM", "/a/haswell/haswell /a/x86_64/x86_64"},
	    {"$ORIGINAL/$LIB2/$$LIB$", "$ORIGINAL/$LIB2/$lib64$"},
	    {"${LIB", "${LIB"},
	    {"$/${}/$HOME", "$/${}/$HOME"},
	    {"", ""},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct strv got CLEANUP_STRV = STRV_INIT;
		ld_token_expand(rows[i].text, &tokens, &got);
		check_joined(&got, rows[i].want);
	}
}

int main(void)
{
	test_parse();
	test_read();
	test_tokens();
	return check_done("ld-conf");
}
