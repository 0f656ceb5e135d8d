/* SPDX-License-Identifier: MIT */
/* Words of nsswitch.conf, with the line that names them. */
#include "text/nsswitch.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/attr.h"
#include "check.h"

/* "passwd=files:3 passwd=systemd:3", new. */
static char *words(const struct nsswitch *n)
{
	char *out = xstrdup("");

	for (size_t i = 0; i < n->n; i++) {
		const struct nsswitch_word *w = &n->v[i];
		char *more =
		    xasprintf("%s%s%s=%s:%u", out, i ? " " : "", w->database, w->service, w->line);
		free(out);
		out = more;
	}
	return out;
}

static char *parsed(const char *text)
{
	struct nsswitch n CLEANUP_NSSWITCH = NSSWITCH_INIT;

	nsswitch_parse(text, strlen(text), &n);
	return words(&n);
}

static const struct {
	const char *text, *want;
} rows[] = {
    {"", ""},
    {"# passwd: files\n\n", ""},
    {"passwd: files systemd\ngroup:\tfiles\n", "passwd=files:1 passwd=systemd:1 group=files:2"},
    {"hosts: files mdns4_minimal [NOTFOUND=return] dns",
     "hosts=files:1 hosts=mdns4_minimal:1 hosts=dns:1"},
    {"hosts: resolve [!UNAVAIL=return]files # comment\n", "hosts=resolve:1 hosts=files:1"},
    {"  passwd :  db files\r\n", "passwd=db:1 passwd=files:1"},
    {"passwd_compat: nis", "passwd_compat=nis:1"},
    {"passwd files\n: files\nno colon here: x\n", ""},
    {"hosts: [open action", ""},
    {"hosts: ] files", "hosts=files:1"},
    {"\n\nrpc:files", "rpc=files:3"},
};

static void test_defaults(void)
{
	struct nsswitch n CLEANUP_NSSWITCH = NSSWITCH_INIT;
	static const char text[] = "hosts: files\n";

	nsswitch_parse(text, strlen(text), &n);
	nsswitch_defaults(&n);
	CLEANUP_STR char *got = words(&n);
	CHECK(strstr(got, "hosts=files:1 ") == got);
	CHECK(strstr(got, "hosts=dns") == NULL);
	CHECK(strstr(got, "networks=dns:0 networks=files:0") != NULL);
	CHECK(strstr(got, "passwd=files:0") != NULL);
}

static void test_bounds(void)
{
	struct nsswitch n CLEANUP_NSSWITCH = NSSWITCH_INIT;
	static const char with_nul[] = "passwd: fi\0les\ngroup: files\n";

	nsswitch_parse(with_nul, sizeof(with_nul) - 1, &n);
	CLEANUP_STR char *got = words(&n);
	CHECK_STR(got, "passwd=fi:1 group=files:2");
	for (int i = 0; i < 3000; i++)
		nsswitch_parse("a: b", 4, &n);
	CHECK(n.n <= 1024);
}

int main(void)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP_STR char *got = parsed(rows[i].text);
		CHECK_STR(got, rows[i].want);
	}
	test_defaults();
	test_bounds();
	return check_done("nsswitch");
}
