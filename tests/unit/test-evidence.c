/* SPDX-License-Identifier: MIT */
/* What becomes evidence and what is left out, on a sample host. */
#include "foresee/evidence.h"

#include "fs-scratch.h"

static void lay_out(int root)
{
	const char *const dirs[] = {
	    "usr", "usr/lib", "usr/lib/tree", "usr/lib/tree/deep", "usr/lib/tree/skipped",
	    "etc", "srv",     "proc"};

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		CHECK_INT(mkdirat(root, dirs[i], 0755), 0);
	CHECK_INT(symlinkat("usr/lib", root, "lib"), 0);
	CHECK_INT(symlinkat("libx.so.1.2", root, "usr/lib/libx.so.1"), 0);
	put_file(root, "usr/lib/libx.so.1.2", "x");
	put_file(root, "usr/lib/tree/a", "a");
	put_file(root, "usr/lib/tree/deep/b", "b");
	put_file(root, "usr/lib/tree/skipped/c", "c");
	put_file(root, "proc/self", "");
	put_file(root, "etc/plain", "x");
	put_file(root, "etc/closed", "x");
	CHECK_INT(fchmodat(root, "etc/closed", 0640, 0), 0);
	put_file(root, "srv/site.key", "-----BEGIN EC PRIVATE KEY-----\nabc\n");
	put_file(root, "srv/htpasswd", "alice:$apr1$abc$def\n");
	put_file(root, "srv/store.p12", "x");
	put_file(root, "srv/loose.key", "-----BEGIN PRIVATE KEY-----\nabc\n");
	CHECK_INT(fchmodat(root, "srv/loose.key", 0777, 0), 0);
	put_file(root, "srv/closed.key", "der");
	CHECK_INT(fchmodat(root, "srv/closed.key", 0700, 0), 0);
	put_file(root, "srv/helper", "#!/bin/sh\n: PRIVATE KEY-----\n");
	CHECK_INT(fchmodat(root, "srv/helper", 0750, 0), 0);
}

static void test_links(struct evidence *ev)
{
	const struct node *n = evidence_take(ev, "/lib/libx.so.1", REASON_NEEDED, "/usr/sbin/d",
					     "needed by %s", "/usr/sbin/d");

	CHECK(n != NULL);
	CHECK_STR(n->path, "/usr/lib/libx.so.1.2");
	CHECK_STR(n->reasons[0].text, "needed by /usr/sbin/d");
	CHECK_STR(n->reasons[0].from, "/usr/sbin/d");
	const struct node *link = evidence_find(ev, "/usr/lib/libx.so.1");
	CHECK(link && link->reasons[0].kind == REASON_WAY && S_ISLNK(link->st.st_mode));
	CHECK_STR(link->reasons[0].from, "/usr/lib/libx.so.1.2");
	CHECK(evidence_find(ev, "/lib") != NULL);
	/* The same again is no second reason; another one is. */
	evidence_take(ev, "/lib/libx.so.1", REASON_NEEDED, "/usr/sbin/d", "needed by /usr/sbin/d");
	CHECK_INT(n->n_reasons, 1);
	for (int i = 0; i < 2 * REASONS_MAX; i++)
		evidence_take(ev, "/lib/libx.so.1", REASON_NEEDED, "/y", "needed by %d", i);
	CHECK_INT(n->n_reasons, REASONS_MAX);
}

static void test_left_out(struct evidence *ev)
{
	static const char *const secrets[] = {"/etc/closed",	"/srv/site.key",
					      "/srv/htpasswd",	"/srv/store.p12",
					      "/srv/loose.key", "/srv/closed.key"};

	for (size_t i = 0; i < ARRAY_LEN(secrets); i++) {
		CHECK(!evidence_take(ev, secrets[i], REASON_NAMED, NULL, "named in /etc/x:%zu", i));
		CHECK_INT(ev->n_secrets, i + 1);
		CHECK_STR(ev->secrets[i].path, secrets[i]);
	}
	CHECK(evidence_take(ev, "/srv/helper", REASON_NAMED, NULL, "a program is no secret"));
	CHECK(evidence_take_used(ev, "/etc/closed", REASON_SPEC, NULL, "Include=/etc/closed"));
	CHECK(!evidence_take(ev, "/proc/self", REASON_NAMED, NULL, "named"));
	CHECK(!evidence_take(ev, "/etc/missing", REASON_NAMED, NULL, "named"));
	CHECK_INT(ev->n_secrets, ARRAY_LEN(secrets));
}

static void test_trees(struct evidence *ev)
{
	static const char *const skip[] = {"skipped", NULL};

	CHECK_INT(evidence_take_tree(ev, "/lib/tree", 2, NULL, REASON_NAMED, NULL, "named"),
		  -EFBIG);
	CHECK_INT(ev->n_passed, 1);
	CHECK_STR(ev->passed[0].path, "/usr/lib/tree");
	CHECK(!evidence_find(ev, "/usr/lib/tree/a"));
	CHECK_INT(evidence_take_tree(ev, "/lib/tree", 9, skip, REASON_NAMED, NULL, "named"), 3);
	const struct node *n = evidence_find(ev, "/usr/lib/tree/deep/b");
	CHECK(n && n->reasons[0].kind == REASON_BELOW);
	CHECK_STR(n ? n->reasons[0].from : NULL, "/usr/lib/tree");
	CHECK(!evidence_find(ev, "/usr/lib/tree/skipped/c"));
	CHECK_INT(evidence_take_glob(ev, "/etc/p*", REASON_NAMED, NULL, "named"), 1);
}

static void test_names(void)
{
	for (int k = 0; k < REASON_COUNT; k++)
		CHECK_INT(reason_parse(reason_name((enum reason_kind)k)), k);
	CHECK_INT(reason_parse("hearsay"), REASON_COUNT);
	CHECK(reason_is_foreseen(REASON_NEEDED) && !reason_is_foreseen(REASON_USED));
}

int main(void)
{
	struct scratch s = scratch_new();
	struct evidence *ev = evidence_new(s.fd);

	umask(022); /* what others may not read would be a secret */

	lay_out(s.fd);
	test_links(ev);
	test_left_out(ev);
	test_trees(ev);
	test_names();
	evidence_free(ev);
	scratch_done(&s);
	return check_done("evidence");
}
