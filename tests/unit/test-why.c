/* SPDX-License-Identifier: MIT */
#include "jail/why.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/path.h"
#include "fs-scratch.h"
#include "jail/answer.h"

/* --- manifests to ask: a row an entry, its reasons in order -------------------------------------
 */

struct row {
	const char *path;
	mode_t mode;
	enum provided provided;
	const char *link;
	struct {
		enum reason_kind kind;
		const char *from, *text;
	} reasons[3];
};

static void make(struct manifest *m, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct entry *en = manifest_add(m, rows[i].path);
		en->mode = rows[i].mode ? rows[i].mode : S_IFREG | 0644;
		en->provided = rows[i].provided;
		en->link = rows[i].link ? xstrdup(rows[i].link) : NULL;
		for (size_t k = 0; k < 3 && rows[i].reasons[k].text; k++)
			entry_add_reason(en, rows[i].reasons[k].kind, rows[i].reasons[k].from,
					 rows[i].reasons[k].text);
	}
	manifest_sort(m);
}

#define DIR_MODE  (S_IFDIR | 0755)
#define LINK_MODE (S_IFLNK | 0777)

static const struct row jail[] = {
    {"/bin", LINK_MODE, .link = "usr/bin", .reasons = {{REASON_WAY, "/usr/bin/httpd", "way"}}},
    {"/usr/bin/httpd", .reasons = {{REASON_COMMAND, NULL, "the service's command"}}},
    {"/lib/libnss.so",
     .reasons = {{REASON_FAMILY, "/usr/bin/httpd", "family nss"},
		 {REASON_USED, "/usr/bin/httpd", "read at start by /usr/bin/httpd"}}},
    {"/lib/libc.so", .reasons = {{REASON_NEEDED, "/lib/libnss.so", "needed by libnss"}}},
    /* the first reason leads in a circle, the second up */
    {"/lib/a",
     .reasons = {{REASON_NEEDED, "/lib/b", "by b"}, {REASON_RUN, "/usr/bin/httpd", "run"}}},
    {"/lib/b", .reasons = {{REASON_NEEDED, "/lib/a", "by a"}}},
    /* nothing but a circle; itself; out of the manifest; nothing */
    {"/ring/a", .reasons = {{REASON_WAY, "/ring/b", "to b"}}},
    {"/ring/b", .reasons = {{REASON_WAY, "/ring/a", "to a"}}},
    {"/self", .reasons = {{REASON_WAY, "/self", "for its own sake"}}},
    {"/lost", .reasons = {{REASON_NAMED, "/not/here", "named"}}},
    {.path = "/bare"},
    /* the first ends at a run alone, the second at the spec */
    {"/both",
     .reasons = {{REASON_USED, NULL, "used"}, {REASON_NEEDED, "/lib/libnss.so", "needed"}}},
    {"/used", .reasons = {{REASON_USED, NULL, "used"}}},
    {"/etc/httpd", DIR_MODE, PROVIDED_BIND,
     .reasons = {{REASON_SPEC, NULL, "Config=/etc/httpd of the spec"}}},
    {"/etc/httpd/main.conf", .provided = PROVIDED_BIND},
    {"/mod.so", .reasons = {{REASON_NAMED, "/etc/httpd/mods/x.conf", "in x.conf:2"}}},
    {"/etc/loop", LINK_MODE, .link = "loop", .reasons = {{REASON_WAY, "/x", "way"}}},
    {"/etc/up", LINK_MODE, .link = "../bin/httpd", .reasons = {{REASON_WAY, "/x", "way"}}},
    {"/etc/out", LINK_MODE, .link = "/../../bin", .reasons = {{REASON_WAY, "/x", "way"}}},
    {"/etc/file", .provided = PROVIDED_BIND, .reasons = {{REASON_SPEC, NULL, "a file"}}},
};

/* "path|kind>path|kind", and "..." where it ends without an end. */
static char *chain_text(const struct manifest *m, const char *path)
{
	struct why_chain c CLEANUP_WHY_CHAIN = WHY_CHAIN_INIT;
	char *text = xstrdup("");

	why_chain_of(m, path, &c);
	for (size_t i = 0; i < c.n; i++) {
		char *longer = xasprintf("%s%s%s|%s", text, i ? ">" : "", c.v[i].path,
					 reason_name(c.v[i].reason.kind));
		free(text);
		text = longer;
	}
	if (c.n && !c.whole) {
		char *longer = xasprintf("%s...", text);
		free(text);
		text = longer;
	}
	return text;
}

static void test_chains(void)
{
	static const struct {
		const char *path, *want;
	} rows[] = {
	    {"/usr/bin/httpd", "/usr/bin/httpd|command"},
	    {"/lib/libnss.so", "/lib/libnss.so|family>/usr/bin/httpd|command"},
	    {"/lib/libc.so", "/lib/libc.so|needed>/lib/libnss.so|family>/usr/bin/httpd|command"},
	    {"/lib/a", "/lib/a|run>/usr/bin/httpd|command"},
	    {"/lib/b", "/lib/b|needed>/lib/a|run>/usr/bin/httpd|command"},
	    {"/ring/a", "/ring/a|way>/ring/b|way..."},
	    {"/self", "/self|way..."},
	    {"/lost", "/lost|named..."},
	    {"/bare", ""},
	    {"/nowhere", ""},
	    {"/used", "/used|used"},
	    {"/both", "/both|needed>/lib/libnss.so|family>/usr/bin/httpd|command"},
	    {"/etc/httpd", "/etc/httpd|spec"},
	    {"/etc/httpd/main.conf", "/etc/httpd/main.conf|below>/etc/httpd|spec"},
	    {"/etc/httpd/x/y", "/etc/httpd/x/y|below>/etc/httpd|spec"},
	    {"/mod.so", "/mod.so|named>/etc/httpd/mods/x.conf|below>/etc/httpd|spec"},
	    {"/etc/httpd2", ""},
	    {"/etc/file/x", ""},
	};
	struct manifest m CLEANUP_MANIFEST = MANIFEST_INIT, none CLEANUP_MANIFEST = MANIFEST_INIT;

	make(&m, jail, ARRAY_LEN(jail));
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP_STR char *got = chain_text(&m, rows[i].path);
		CHECK_STR(got, rows[i].want);
	}
	CLEANUP_STR char *got = chain_text(&none, "/x");
	CHECK_STR(got, "");
}

/* Each step goes on where the one before it came from; a long way neither recurses nor hangs. */
static void test_long(void)
{
	enum { N = 20000 };
	struct manifest m CLEANUP_MANIFEST = MANIFEST_INIT;
	struct why_chain c CLEANUP_WHY_CHAIN = WHY_CHAIN_INIT;

	for (int i = 0; i < N; i++) {
		CLEANUP_STR char *path = xasprintf("/%06d", i);
		CLEANUP_STR char *up = xasprintf("/%06d", i + 1);
		struct entry *en = manifest_add(&m, path);
		entry_add_reason(en, REASON_WAY, "/000000", "back");
		if (i + 1 < N)
			entry_add_reason(en, REASON_NEEDED, up, "on");
	}
	entry_add_reason(&m.v[N - 1], REASON_COMMAND, NULL, "the service's command");
	why_chain_of(&m, "/000000", &c);
	CHECK_INT(c.n, N);
	CHECK(c.whole);
	for (size_t i = 0; i + 1 < c.n; i++)
		if (!streq(c.v[i].reason.from, c.v[i + 1].path))
			CHECK_STR(c.v[i].reason.from, c.v[i + 1].path);
}

static void test_resolve(void)
{
	static const struct {
		const char *path, *want;
		size_t links;
		int r;
	} rows[] = {
	    {"/", "/", 0, 0},
	    {"//usr/./bin//httpd/", "/usr/bin/httpd", 0, 0},
	    {"/bin/httpd", "/usr/bin/httpd", 1, 0},
	    {"/bin/../x", "/usr/x", 1, 0},
	    {"/etc/up", "/usr/bin/httpd", 2, 0},
	    {"/etc/out/httpd", "/usr/bin/httpd", 2, 0},
	    {"/nowhere/../bin", "/usr/bin", 1, 0},
	    {"/etc/loop", NULL, 40, -ELOOP},
	    {"/etc/httpd/on/x.conf", "/etc/httpd/there/x.conf", 1, 0},
	    {"/etc/httpd/away", "/usr/bin", 2, 0},
	};
	struct manifest m CLEANUP_MANIFEST = MANIFEST_INIT;
	struct scratch s = scratch_new();

	make(&m, jail, ARRAY_LEN(jail));
	CHECK_INT(beneath_mkdirs(s.fd, "/etc/httpd", 0755), 0);
	CHECK_INT(symlinkat("there", s.fd, "etc/httpd/on"), 0);
	CHECK_INT(symlinkat("/bin", s.fd, "etc/httpd/away"), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct strv links CLEANUP_STRV = STRV_INIT;
		CLEANUP_STR char *got = NULL;
		CHECK_INT(why_resolve(&m, s.fd, rows[i].path, &got, &links), rows[i].r);
		CHECK_STR(got, rows[i].want);
		CHECK_INT(links.n, rows[i].links);
	}
	struct strv links CLEANUP_STRV = STRV_INIT;
	CLEANUP_STR char *got = NULL;
	CHECK_INT(why_resolve(&m, -1, "/bin/../etc/httpd/on", &got, &links), 0);
	CHECK_STR(got, "/usr/etc/httpd/on");
	CHECK_STR(links.v[0], "/bin -> usr/bin");
	scratch_done(&s);
}

/* --- answers ------------------------------------------------------------------------------------
 */

static void put(const struct scratch *s, const char *path, mode_t type, const char *text)
{
	CLEANUP_STR char *up = path_parent(path);

	CHECK_INT(beneath_mkdirs(s->fd, up, 0755), 0);
	if (S_ISDIR(type))
		CHECK_INT(beneath_mkdirs(s->fd, path, 0755), 0);
	else if (S_ISREG(type))
		put_file(s->fd, path + 1, text);
	else
		CHECK_INT(mknodat(s->fd, path + 1, type | 0600, 0), 0);
	if (S_ISREG(type))
		CHECK_INT(fchmodat(s->fd, path + 1, 0644, 0), 0);
}

#define PRIVATE_KEY "-----BEGIN PRIVATE KEY-----\n"

/* What the host has, and the line that would bring it in. */
static const struct {
	const char *path;
	mode_t type;
	const char *text, *line;
	enum spec_section section;
} remedies[] = {
    {"/usr/bin/perl", S_IFREG, "x", "Include=/usr/bin/perl", SPEC_JAIL},
    {"/usr/share/zoneinfo", S_IFDIR, NULL, "Include=/usr/share/zoneinfo", SPEC_JAIL},
    {"/usr", S_IFDIR, NULL, NULL, SPEC_JAIL},
    {"/usr/bin/a b%c", S_IFREG, "x", "Include=\"/usr/bin/a b%c\"", SPEC_JAIL},
    {"/etc/hosts", S_IFREG, "x", "Include=/etc/hosts", SPEC_JAIL},
    {"/etc/other", S_IFDIR, NULL, "Config=/etc/other", SPEC_JAIL},
    {"/etc/pam.d/x", S_IFREG, "x", "Include=/etc/pam.d/x", SPEC_JAIL},
    {"/etc/security/limits.d", S_IFDIR, NULL, "Include=/etc/security/limits.d", SPEC_JAIL},
    {"/etc/ssl/x.key", S_IFREG, PRIVATE_KEY, "Include=/etc/ssl/x.key", SPEC_JAIL},
    {"/srv/site/a/b", S_IFREG, "x", "Content=/srv/site", SPEC_JAIL},
    {"/srv/site", S_IFDIR, NULL, "Content=/srv/site", SPEC_JAIL},
    {"/srv/x.key", S_IFREG, PRIVATE_KEY, "Include=/srv/x.key", SPEC_JAIL},
    {"/data/deep/er/x", S_IFREG, "x", "Content=/data/deep", SPEC_JAIL},
    {"/home/u/www/x", S_IFREG, "x", "Content=/home/u/www", SPEC_JAIL},
    {"/home/u/.netrc", S_IFREG, "x", "Include=/home/u/.netrc", SPEC_JAIL},
    {"/var/lib/other", S_IFDIR, NULL, "Content=/var/lib/other", SPEC_JAIL},
    {"/var/lib/dpkg", S_IFDIR, NULL, NULL, SPEC_JAIL},
    {"/tmp/x", S_IFREG, "x", "BindPaths=/tmp/x", SPEC_SERVICE},
    {"/run/db/sock", S_IFSOCK, NULL, "BindPaths=/run/db", SPEC_SERVICE},
    {"/run/sock", S_IFSOCK, NULL, "BindPaths=/run/sock", SPEC_SERVICE},
    {"/dev/sdz", S_IFREG, "x", NULL, SPEC_JAIL},
    {"/sys/x", S_IFREG, "x", NULL, SPEC_JAIL},
};

static void test_remedies(void)
{
	struct generation g = GENERATION_INIT;
	struct manifest none = MANIFEST_INIT;
	struct scratch s = scratch_new();
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(remedies); i++) {
		struct answer a CLEANUP_ANSWER = ANSWER_INIT;
		int before = check_failed;
		put(&s, remedies[i].path, remedies[i].type, remedies[i].text);
		CHECK_INT(answer_path(&g, &none, s.fd, remedies[i].path, &a, &e), 0);
		CHECK(!a.present && a.chain.n == 0);
		CHECK(a.host && a.remedy.note);
		CHECK_STR(a.remedy.line, remedies[i].line);
		CHECK_INT(a.remedy.section, remedies[i].section);
		if (check_failed != before)
			printf("# of %s\n", remedies[i].path);
	}
	struct answer a CLEANUP_ANSWER = ANSWER_INIT;
	CHECK_INT(answer_path(&g, &none, s.fd, "/usr/bin/nope", &a, &e), 0);
	CHECK(!a.present && !a.remedy.line);
	CHECK(strstr(a.host, "nothing"));
	scratch_done(&s);
}

/* A directory that its service owns is state. */
static void test_state(void)
{
	struct remedy r = REMEDY_INIT;
	const struct stat owned = {.st_mode = DIR_MODE, .st_uid = 33};

	remedy_for_path(-1, "/var/lib/db", "/var/lib/db", &owned, &r);
	CHECK_STR(r.line, "State=/var/lib/db");
	remedy_done(&r);
}

static void test_places(void)
{
	static const struct {
		const char *path;
		bool present;
		const char *class, *provided;
	} rows[] = {
	    {"/", true, "program", "own"},	     {"/proc/self/status", true, "kernel", "own"},
	    {"/dev/null", true, "device", "device"}, {"/dev/urandom", true, "device", "device"},
	    {"/dev/fd/3", true, "device", "own"},    {"/dev/pts/0", true, "device", "own"},
	    {"/dev/shm", true, "runtime", "memory"}, {"/dev/shm/x", false, NULL, NULL},
	    {"/dev/sda", false, NULL, NULL},	     {"/tmp/x", false, NULL, NULL},
	    {"/run/x", false, NULL, NULL},	     {"/runner", false, NULL, NULL},
	};
	struct generation g = GENERATION_INIT;
	struct manifest none = MANIFEST_INIT;
	struct scratch s = scratch_new();

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct answer a CLEANUP_ANSWER = ANSWER_INIT;
		int before = check_failed;
		CHECK_INT(answer_path(&g, &none, s.fd, rows[i].path, &a, NULL), 0);
		CHECK_INT(a.present, rows[i].present);
		CHECK_STR(a.class, rows[i].class);
		CHECK_STR(a.provided, rows[i].provided);
		CHECK_INT(a.chain.n, rows[i].present);
		if (check_failed != before)
			printf("# of %s\n", rows[i].path);
	}
	scratch_done(&s);
}

/* Paths below what is bound are there as long as the host has them. */
static void test_bound(void)
{
	static char path[] = "/etc/httpd", text[] = "it is a key", key[] = "/etc/ssl/x.key";
	struct provision bound = {.path = path, .class = CLASS_CONFIG};
	struct left_out left = {key, text};
	struct generation g = {.layout = {&bound, 1}, .left_out = &left, .n_left_out = 1};
	struct manifest m CLEANUP_MANIFEST = MANIFEST_INIT;
	struct answer there CLEANUP_ANSWER = ANSWER_INIT, gone CLEANUP_ANSWER = ANSWER_INIT;
	struct answer secret CLEANUP_ANSWER = ANSWER_INIT;
	struct scratch s = scratch_new();

	make(&m, jail, ARRAY_LEN(jail));
	put(&s, "/etc/httpd/new.conf", S_IFREG, "x");
	put(&s, key, S_IFREG, PRIVATE_KEY);
	CHECK_INT(answer_path(&g, &m, s.fd, "/etc/httpd/new.conf", &there, NULL), 0);
	CHECK(there.present && !there.entry && there.chain.whole);
	CHECK_STR(there.provided, "bind");
	CHECK_STR(there.access, "read-only");
	CHECK_INT(answer_path(&g, &m, s.fd, "/etc/httpd/gone.conf", &gone, NULL), 0);
	CHECK(!gone.present && !gone.remedy.line && strstr(gone.note, "/etc/httpd"));
	CHECK_INT(answer_path(&g, &m, s.fd, key, &secret, NULL), 0);
	CHECK_STR(secret.note, "left out: it is a key");
	CHECK_STR(secret.remedy.line, "Include=/etc/ssl/x.key");
	scratch_done(&s);
}

static void check_account(const struct generation *g, const struct manifest *m, const char *name,
			  bool group, bool present, const char *line)
{
	struct answer a CLEANUP_ANSWER = ANSWER_INIT;

	answer_account(g, m, name, group, &a);
	CHECK_INT(a.present, present);
	CHECK_STR(a.remedy.line, line);
	CHECK_INT(a.chain.n, present ? 3 : 0);
	CHECK(!present || a.chain.whole);
	CHECK(present || a.host);
}

static void test_accounts(void)
{
	static char name[] = "root", text[] = "every jail has it";
	static const struct row lists[] = {
	    {"/etc/passwd", .provided = PROVIDED_MADE,
	     .reasons = {{REASON_FAMILY, "/usr/bin/httpd", "family nss"}}},
	    {"/usr/bin/httpd", .reasons = {{REASON_COMMAND, NULL, "the service's command"}}},
	};
	struct account_need need = {.name = name, .text = text};
	struct generation g = {.accounts = &need, .n_accounts = 1};
	struct manifest m CLEANUP_MANIFEST = MANIFEST_INIT, none CLEANUP_MANIFEST = MANIFEST_INIT;

	make(&m, lists, ARRAY_LEN(lists));
	check_account(&g, &m, "root", false, true, NULL);
	check_account(&g, &m, "root", true, false, "Accounts=live"); /* no such list in the jail */
	check_account(&g, &none, "root", false, false, "Accounts=live");
	check_account(&g, &m, "no-such-user", false, false, NULL);
	g.n_accounts = 0;
	check_account(&g, &m, "root", false, false, "Accounts=live");
	m.v[0].provided = PROVIDED_BIND; /* the host's own: its accounts are the jail's */
	check_account(&g, &m, "root", false, true, NULL);
	check_account(&g, &m, "no-such-user", false, false, NULL);
}

int main(void)
{
	test_chains();
	test_long();
	test_resolve();
	test_remedies();
	test_state();
	test_places();
	test_bound();
	test_accounts();
	return check_done("why");
}
