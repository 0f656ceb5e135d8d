/* SPDX-License-Identifier: MIT */
/* Paths of a sample host: what they resolve to, what a glob finds, and that nothing leads outside.
 */
#include "host/host.h"

#include "base/alloc.h"
#include "fs-scratch.h"

static void lay_out(int root)
{
	const char *const dirs[] = {"usr", "usr/lib", "usr/lib/x", "etc", "etc/conf.d"};
	const struct {
		const char *target, *name;
	} links[] = {
	    {"usr/lib", "lib"},
	    {"../lib/x/file", "etc/there"},
	    {"loop", "etc/loop"},
	    {"/etc/missing", "etc/broken"},
	    {"../../../etc/passwd", "etc/out"},
	};

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		CHECK_INT(mkdirat(root, dirs[i], 0755), 0);
	for (size_t i = 0; i < ARRAY_LEN(links); i++)
		CHECK_INT(symlinkat(links[i].target, root, links[i].name), 0);
	put_file(root, "usr/lib/x/file", "twelve bytes");
	put_file(root, "etc/conf.d/10-a.conf", "");
	put_file(root, "etc/conf.d/20-b.conf", "");
	put_file(root, "etc/conf.d/.hidden.conf", "");
	put_file(root, "etc/conf.d/readme", "");
}

static void test_resolve(int root)
{
	static const struct {
		const char *path, *want, *links;
		int r;
	} rows[] = {
	    {"/", "/", "", 0},
	    {"/usr/lib/x/file", "/usr/lib/x/file", "", 0},
	    {"//usr/./lib//x/../x/file", "/usr/lib/x/file", "", 0},
	    {"/lib/x", "/usr/lib/x", "/lib", 0},
	    {"/etc/there", "/usr/lib/x/file", "/etc/there /lib", 0},
	    {"/../../usr", "/usr", "", 0},
	    {"/usr/lib/x/file/", "/usr/lib/x/file", "", 0},
	    {"/usr/lib/x/file/y", NULL, NULL, -ENOTDIR},
	    {"/etc/loop", NULL, NULL, -ELOOP},
	    {"/etc/broken", NULL, NULL, -ENOENT},
	    {"/etc/out", NULL, NULL, -ENOENT},
	    {"relative", NULL, NULL, -EINVAL},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct strv links CLEANUP_STRV = STRV_INIT;
		CLEANUP_STR char *path = NULL;
		CLEANUP_STR char *text = xstrdup("");
		struct stat st;
		int r = host_resolve(root, rows[i].path, &path, &st, &links);
		if (rows[i].r == -ENOTDIR && r == -ENOENT)
			r = -ENOTDIR; /* either is what the kernel might say */
		CHECK_INT(r, rows[i].r);
		CHECK_STR(path, rows[i].want);
		for (size_t k = 0; k < links.n; k++) {
			char *longer = xasprintf("%s%s%s", text, *text ? " " : "", links.v[k]);
			free(text);
			text = longer;
		}
		if (r == 0)
			CHECK_STR(text, rows[i].links);
	}
}

static void test_glob(int root)
{
	static const struct {
		const char *pattern;
		size_t want;
		const char *first;
	} rows[] = {
	    {"/etc/conf.d/*.conf", 2, "/etc/conf.d/10-a.conf"},
	    {"/etc/conf.d/.*.conf", 1, "/etc/conf.d/.hidden.conf"},
	    {"/etc/*/[12]0-?.conf", 2, "/etc/conf.d/10-a.conf"},
	    {"/*/x/file", 1, "/lib/x/file"},
	    {"/etc/there", 1, "/etc/there"},
	    {"/etc/none*", 0, NULL},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct strv found CLEANUP_STRV = STRV_INIT;
		CHECK_INT(host_glob(root, rows[i].pattern, 10, &found), 0);
		CHECK_INT(found.n, rows[i].want);
		if (found.n)
			CHECK_STR(found.v[0], rows[i].first);
	}
	struct strv few CLEANUP_STRV = STRV_INIT;
	CHECK_INT(host_glob(root, "/etc/conf.d/*.conf", 1, &few), 1);
	CHECK_INT(few.n, 1);
	CHECK_INT(host_glob(root, "etc/*", 1, &few), -EINVAL);
}

static void test_read(int root)
{
	CLEANUP_STR char *all = NULL, *head = NULL, *none = NULL;
	struct strv names CLEANUP_STRV = STRV_INIT;
	size_t len;

	CHECK_INT(host_read(root, "/usr/lib/x/file", 12, &all, &len), 0);
	CHECK_INT(len, 12);
	CHECK_STR(all, "twelve bytes");
	CHECK_INT(host_head(root, "/usr/lib/x/file", 6, &head, &len), 0);
	CHECK_INT(len, 6);
	CHECK_STR(head, "twelve");
	CHECK_INT(host_read(root, "/usr/lib/x/file", 11, &none, NULL), -EFBIG);
	CHECK_INT(host_read(root, "/usr/lib/x", 11, &none, NULL), -EINVAL);
	CHECK_INT(host_read(root, "/etc/there", 11, &none, NULL), -ELOOP);
	CHECK_INT(host_names(root, "/etc/conf.d", &names), 0);
	CHECK_INT(names.n, 4);
}

int main(void)
{
	struct scratch s = scratch_new();

	lay_out(s.fd);
	test_resolve(s.fd);
	test_glob(s.fd);
	test_read(s.fd);
	scratch_done(&s);
	return check_done("host");
}
