/* SPDX-License-Identifier: MIT */
#include "host/accounts.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "check.h"
#include "fs-scratch.h"

static const char passwd[] = "root:x:0:0:root:/root:/bin/bash\n"
			     "daemon:*:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n"
			     "toor:$6$salt$hash:0:0::/root:/bin/sh\n"
			     "www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\n"
			     "alice:!$1$locked:1000:1000:Alice:/home/alice:/bin/sh\n"
			     "bob::1001:1001:Bob:/home/bob:/bin/sh\n"
			     "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n";

static const char group[] = "root:x:0:\n"
			    "daemon:x:1:\n"
			    "wheel:$hash:0:alice,toor\n"
			    "shadow:x:42:alice\n"
			    "www-data:x:33:\n"
			    "ssl-cert:*:110:postgres,www-data,alice\n"
			    "alice:x:1000:\n"
			    "nogroup:x:65534:\n";

static struct accounts of(const char *users, const char *groups)
{
	struct accounts a;
	accounts_parse(users, strlen(users), groups, strlen(groups), &a);
	return a;
}

static void check_passwd(const struct accounts *a, const char *want)
{
	CLEANUP_STR char *got = accounts_cut_passwd(a);
	CHECK_STR(got, want);
}

static void check_group(const struct accounts *a, const char *want)
{
	CLEANUP_STR char *got = accounts_cut_group(a);
	CHECK_STR(got, want);
}

static void check_why(const struct accounts *a, const char *name, bool is_group, const char *want)
{
	const struct account_need *need = accounts_find(a, name, is_group);
	CHECK_STR(need ? need->text : NULL, want);
}

/* What every jail has; a hash tells nobody anything. */
static void test_start(void)
{
	struct accounts a CLEANUP_ACCOUNTS = of(passwd, group);

	check_passwd(&a, "root:x:0:0:root:/root:/bin/bash\n"
			 "toor:x:0:0::/root:/bin/sh\n"
			 "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n");
	check_group(&a, "root:x:0:\nwheel:*:0:toor\nnogroup:x:65534:\n");
	check_why(&a, "root", false, "in every jail");
	check_why(&a, "nogroup", true, "primary group of nobody");
	check_why(&a, "www-data", false, NULL);
}

static void test_needs(void)
{
	struct accounts a CLEANUP_ACCOUNTS = of(passwd, group);

	CHECK(accounts_need_uid(&a, 33, "owns %s", "/var/www"));
	CHECK(accounts_need_user(&a, "www-data", "named in %s:%d", "/etc/apache2/envvars", 16));
	CHECK(accounts_need_uid(&a, 33, "owns nothing"));
	CHECK(!accounts_need_uid(&a, 4711, "owns /x"));
	CHECK(!accounts_need_user(&a, "www-dat", "no prefix"));
	CHECK(!accounts_need_user(&a, "", "no name"));
	CHECK(!accounts_need_user(&a, "nogroup", "a group"));
	CHECK(accounts_need_gid(&a, 42, "owns %s", "/etc/shadow"));
	CHECK(!accounts_need_group(&a, "adm", "not there"));
	check_passwd(&a, "root:x:0:0:root:/root:/bin/bash\n"
			 "toor:x:0:0::/root:/bin/sh\n"
			 "www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\n"
			 "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n");
	check_group(&a, "root:x:0:\nwheel:*:0:toor\nshadow:x:42:\nwww-data:x:33:\n"
			"ssl-cert:*:110:www-data\nnogroup:x:65534:\n");
	check_why(&a, "www-data", false, "owns /var/www");
	check_why(&a, "www-data", true, "primary group of www-data");
	check_why(&a, "ssl-cert", true, "lists www-data");
	check_why(&a, "shadow", true, "owns /etc/shadow");
	CHECK_INT(accounts_find(&a, "shadow", true)->id, 42);
}

/* An empty password stays one, a locked hash is a hash. */
static void test_passwords(void)
{
	struct accounts a CLEANUP_ACCOUNTS = of(passwd, "");

	accounts_need_user(&a, "alice", "x");
	accounts_need_user(&a, "bob", "x");
	accounts_need_user(&a, "daemon", "x");
	check_passwd(&a, "root:x:0:0:root:/root:/bin/bash\n"
			 "daemon:*:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n"
			 "toor:x:0:0::/root:/bin/sh\n"
			 "alice:x:1000:1000:Alice:/home/alice:/bin/sh\n"
			 "bob::1001:1001:Bob:/home/bob:/bin/sh\n"
			 "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n");
}

static void test_shadow(void)
{
	struct accounts a CLEANUP_ACCOUNTS = of(passwd, group);
	CLEANUP_STR char *cut = accounts_cut_shadow(&a,
						    "root:$6$r:19000:0:99999:7:::\n"
						    "alice:$6$a:19000:0:99999:7:::\n"
						    "+::::::::\nnobody\n"
						    "toor:!:19000:0:99999:7:::",
						    false);
	CHECK_STR(cut, "root:$6$r:19000:0:99999:7:::\ntoor:!:19000:0:99999:7:::\n");

	CLEANUP_STR char *group_cut =
	    accounts_cut_shadow(&a, "wheel:$6$w:root,alice:alice,toor\nshadow:*::\nroot:*\n", true);
	CHECK_STR(group_cut, "wheel:$6$w:root:toor\nroot:*\n");
	CLEANUP_STR char *none = accounts_cut_shadow(&a, "", true);
	CHECK_STR(none, "");
}

static void test_uid(void)
{
	struct accounts a CLEANUP_ACCOUNTS = of("a:x:7:7:::\na:x:8:8:::\n", group);
	uid_t uid = 99;

	CHECK_INT(accounts_uid(&a, "a", &uid), 1);
	CHECK_INT(uid, 7);
	CHECK_INT(accounts_uid(&a, "b", &uid), 0);
	CHECK_INT(uid, 7);
}

/* Lines as they should not be: which of them glibc would read decides. */
static void test_odd_lines(void)
{
	static const struct {
		const char *line;
		bool kept;
	} rows[] = {
	    {"x:x:0:0:gecos:/:/bin/sh", true},
	    {"x:x:0:0", true},
	    {"x:x:0:0:", true},
	    {" \tx:x:0:0:::", true},
	    {"x:x:0:0:::/bin/sh:more:colons", true},
	    {"x:x:00:0:::", true},
	    {"x:x:0", false},
	    {"x", false},
	    {"", false},
	    {":", false},
	    {":x:0:0:::", false},
	    {"#x:x:0:0:::", false},
	    {"+x:x:0:0:::", false},
	    {"-x:x:0:0:::", false},
	    {"+", false},
	    {"+@group::::::", false},
	    {"x:x::0:::", false},
	    {"x:x:0:-1:::", false},
	    {"x:x:-0:0:::", false},
	    {"x:x:0x0:0:::", false},
	    {"x:x:4294967296:0:::", false},
	    {"x:x:18446744073709551616:0:::", false},
	    {"x:x:0:4294967295:::", false},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP_STR char *text = xasprintf("%s\nroot:x:0:0:::", rows[i].line);
		const char *line = rows[i].line + strspn(rows[i].line, " \t");
		struct accounts a CLEANUP_ACCOUNTS = of(text, "");
		CLEANUP_STR char *want = xasprintf("%s%sroot:x:0:0:::\n", rows[i].kept ? line : "",
						   rows[i].kept ? "\n" : "");
		check_passwd(&a, want);
	}
}

/* Only the line that holds a NUL goes. */
static void test_nul(void)
{
	static const char users[] = "root:x:0:0:::\na:x:0\0:0:::\n\0\nb:x:0:0:::\n\0";
	struct accounts a CLEANUP_ACCOUNTS = {0};

	accounts_parse(users, sizeof(users) - 1, "", 0, &a);
	check_passwd(&a, "root:x:0:0:::\nb:x:0:0:::\n");
}

/* All lines of a needed name and of a needed id, in order; the others not. */
static void test_duplicates(void)
{
	struct accounts a CLEANUP_ACCOUNTS =
	    of("a:x:7:70:::\nother:x:9:9:::\nb:x:7:71:::\n"
	       "a:x:8:70:::\nc:x:8:70:::\n",
	       "g:x:70:\nh:x:71:\ni:x:70:other\ni:x:99:b\nj:x:9:\n");

	CHECK(accounts_need_user(&a, "a", "asked"));
	check_passwd(&a, "a:x:7:70:::\nb:x:7:71:::\na:x:8:70:::\nc:x:8:70:::\n");
	check_group(&a, "g:x:70:\nh:x:71:\ni:x:70:\ni:x:99:b\n");
	check_why(&a, "a", false, "asked");
	check_why(&a, "b", false, "has the id of a");
	check_why(&a, "c", false, "has the id of a");
}

/* Each line leads to the next: neither deep nor long. */
static void test_long(void)
{
	enum { LINES = 300, NAME = 65536 };
	CLEANUP_STR char *name = xcalloc(NAME + 1, 1), *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	memset(name, 'n', NAME);
	fprintf(f, "%s:x:0:0:%s:/:\n", name, name);
	for (int i = 0; i < LINES; i++)
		fprintf(f, "u%d:x:%d:0:::\nu%d:x:%d:0:::\n", i, i, i, i + 1);
	fclose(f);

	struct accounts a CLEANUP_ACCOUNTS = of(text, "");
	CHECK_INT(a.n, LINES + 1);
	CHECK(accounts_find(&a, name, false));
	CLEANUP_STR char *cut = accounts_cut_passwd(&a);
	CHECK_STR(cut, text);
}

static void test_files(void)
{
	struct scratch s = scratch_new();
	struct accounts a = ACCOUNTS_INIT;

	CHECK_INT(accounts_open(s.fd, &a), 0);
	CHECK_INT(a.n, 0);
	check_passwd(&a, "");
	accounts_done(&a);

	/* A link leads where it does in the root, not on this host. */
	CHECK(mkdirat(s.fd, "etc", 0755) == 0 && mkdirat(s.fd, "real", 0755) == 0);
	put_file(s.fd, "real/passwd", "nfsnobody:x:65534:5:::\nroot:x:0:0:::\n");
	CHECK(symlinkat("/real/passwd", s.fd, "etc/passwd") == 0);
	CHECK(symlinkat("/nowhere", s.fd, "etc/group") == 0);
	CHECK_INT(accounts_open(s.fd, &a), 0);
	check_passwd(&a, "nfsnobody:x:65534:5:::\nroot:x:0:0:::\n");
	accounts_done(&a);

	CHECK(unlinkat(s.fd, "etc/group", 0) == 0 && mkdirat(s.fd, "etc/group", 0755) == 0);
	CHECK_INT(accounts_open(s.fd, &a), -EINVAL);
	CHECK_INT(a.n, 0);
	accounts_done(&a);
	scratch_done(&s);
}

int main(void)
{
	test_start();
	test_needs();
	test_passwords();
	test_shadow();
	test_uid();
	test_odd_lines();
	test_nul();
	test_duplicates();
	test_long();
	test_files();
	return check_done("accounts");
}
