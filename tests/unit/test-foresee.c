/* SPDX-License-Identifier: MIT */
/* Foresight as a whole, on this machine's own files: what one configuration brings and what it does
 * not. The service is cat(1): what it would do with the configuration does not matter. */
#include "foresee/foresee.h"

#include <fcntl.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "fs-scratch.h"
#include "host/host.h"

#define PROGRAM "/usr/bin/cat"

/* A foresight of a service that has read @config, which belongs to @owner; where that is not root,
 * the service runs as it, and may write there. */
static void look_ahead_as(uid_t owner, const char *config, const char *include,
			  struct foresight *ret)
{
	struct strv writable CLEANUP_STRV = STRV_INIT;
	struct scratch s = scratch_new();
	struct strv programs CLEANUP_STRV = STRV_INIT, none CLEANUP_STRV = STRV_INIT;
	struct strv used CLEANUP_STRV = STRV_INIT, included CLEANUP_STRV = STRV_INIT;
	struct err e = {0};

	put_file(s.fd, "service.conf", config);
	if (owner && fchownat(s.fd, "service.conf", owner, owner, 0) == 0)
		strv_add(&writable, s.path);
	strv_add(&programs, PROGRAM);
	strv_take(&used, xasprintf("%s/service.conf", s.path));
	if (include)
		strv_add(&included, include);
	const struct foresee_input in = {
	    .host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC),
	    .programs = &programs,
	    .arguments = &none,
	    .environment = &none,
	    .include = &included,
	    .cwd = "/",
	    .used = &used,
	    .content = &none,
	    .writable = &writable,
	    .uids = &owner,
	    .n_uids = owner != 0,
	};
	CHECK_INT(foresee(&in, ret, &e), 0);
	scratch_done(&s);
}

static void look_ahead(const char *config, const char *include, struct foresight *ret)
{
	look_ahead_as(0, config, include, ret);
}

static size_t count(const struct foresight *f)
{
	return f->evidence->nodes ? HASH_COUNT(f->evidence->nodes) : 0;
}

static size_t bare_count(void)
{
	struct foresight f CLEANUP_FORESIGHT = FORESIGHT_INIT;

	look_ahead("# nothing\n", NULL, &f);
	const struct node *n = evidence_find(f.evidence, PROGRAM);
	CHECK(n && n->reasons[0].kind == REASON_COMMAND);
	return count(&f);
}

/* A name in configuration, and whether it is taken. */
static const struct {
	const char *line, *path;
	bool taken;
} names[] = {
    {"File /etc/hosts\n", "/etc/hosts", true},
    {"file=\"/etc/hosts\";\n", "/etc/hosts", true},
    {"a: file:/etc/hosts\n", "/etc/hosts", true},
    {"# File /etc/hosts\n", "/etc/hosts", false},
    {"helper = /usr/bin/env\n", "/usr/bin/env", true},
    {"command = /usr/bin/env -i\n", "/usr/bin/env", true},
    {"archive_command = 'cp %p /var/archive/%f'\n", "/usr/bin/cp", true},
    {"Log \"|/usr/bin/tee /x\"\n", "/usr/bin/tee", true},
    {"one two three\n", "/usr/bin/cp", false},
    {"<Directory />\n", "/etc/hosts", false},
    {"root /usr/share;\n", "/usr/share/perl", false},
    {"tmp /tmp\n", "/tmp", false},
    {"keys /etc/shadow\n", "/etc/shadow", false},
    {"dir /proc/self\n", "/proc/self", false},
};

static void test_names(void)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct foresight f CLEANUP_FORESIGHT = FORESIGHT_INIT;
		look_ahead(names[i].line, NULL, &f);
		if ((evidence_find(f.evidence, names[i].path) != NULL) != names[i].taken)
			printf("# %s", names[i].line);
		CHECK((evidence_find(f.evidence, names[i].path) != NULL) == names[i].taken);
	}
}

/* The directories of everybody: an access rule for them is not a wish for them. */
static void test_false_positives(size_t bare)
{
	struct foresight f CLEANUP_FORESIGHT = FORESIGHT_INIT;

	look_ahead(
	    "<Directory />\n</Directory>\n<Directory /usr/share>\nroot /usr;\n/var /etc /home\n"
	    "lib=/usr/lib\n/usr/lib/x86_64-linux-gnu\n/usr/bin /bin /usr/share/doc /var/lib\n",
	    NULL, &f);
	CHECK(count(&f) <= bare + 8);
	CHECK(f.evidence->n_passed > 3);
	CHECK_INT(f.n_dirs, 0);
}

static void test_secret(void)
{
	struct foresight f CLEANUP_FORESIGHT = FORESIGHT_INIT;

	look_ahead("auth /etc/shadow\n", NULL, &f);
	CHECK_INT(f.evidence->n_secrets, 1);
	CHECK_STR(f.evidence->n_secrets ? f.evidence->secrets[0].path : NULL, "/etc/shadow");
}

#define OPENS_SESSIONS "/usr/sbin/sshd"

/* A copy of a program that opens sessions, in content, of @owner. */
static void look_at_upload(uid_t owner, struct foresight *ret)
{
	struct scratch s = scratch_new();
	struct strv programs CLEANUP_STRV = STRV_INIT, none CLEANUP_STRV = STRV_INIT;
	struct strv content CLEANUP_STRV = STRV_INIT;
	CLEANUP_STR char *bytes = NULL;
	CLEANUP_FD int host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct err e = {0};
	size_t len;

	CHECK_INT(host_read(host, OPENS_SESSIONS, 64 << 20, &bytes, &len), 0);
	CLEANUP_FD int fd = openat(s.fd, "upload", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	CHECK_INT(fd_write_all(fd, bytes, len), 0);
	CHECK(fchown(fd, owner, owner) == 0 && fchmod(fd, 0755) == 0);
	strv_add(&programs, PROGRAM);
	strv_add(&content, s.path);
	const struct foresee_input in = {
	    .host = host,
	    .programs = &programs,
	    .arguments = &none,
	    .environment = &none,
	    .include = &none,
	    .cwd = "/",
	    .used = &none,
	    .content = &content,
	    .writable = &none,
	};
	CHECK_INT(foresee(&in, ret, &e), 0);
	scratch_done(&s);
}

/* Uploads bring what they load, and decide nothing else; the administrator's programs do. */
static void test_upload(void)
{
	struct foresight f CLEANUP_FORESIGHT = FORESIGHT_INIT, g CLEANUP_FORESIGHT = FORESIGHT_INIT;

	if (skip_unless(geteuid() == 0 && access(OPENS_SESSIONS, R_OK) == 0,
			"needs root and " OPENS_SESSIONS))
		return;
	look_at_upload(12345, &f);
	CHECK(f.accounts_live == NULL && !f.passwords);
	CHECK_INT(f.n_dirs, 0);
	CHECK(!evidence_find(f.evidence, "/etc/shadow"));
	CHECK(evidence_find(f.evidence, PROGRAM) != NULL);
	look_at_upload(0, &g);
	CHECK(g.accounts_live != NULL);
}

static bool has_end(const struct foresight *f, const char *end)
{
	bool found = false;

	for (const struct node *n = f->evidence->first; n; n = n->next)
		found |= str_ends(n->path, end);
	return found;
}

/* Scripts in content are told by their names, where no x bit does. */
static void test_content(void)
{
	struct foresight f CLEANUP_FORESIGHT = FORESIGHT_INIT;
	struct scratch s = scratch_new();
	struct strv programs CLEANUP_STRV = STRV_INIT, none CLEANUP_STRV = STRV_INIT;
	struct strv content CLEANUP_STRV = STRV_INIT;
	CLEANUP_FD int host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	strv_add(&programs, PROGRAM);
	strv_add(&content, s.path);
	put_file(s.fd, "app.wsgi", "import json\n");
	put_file(s.fd, "notes.txt", "import decimal\n");
	CHECK(fchmodat(s.fd, "app.wsgi", 0644, 0) == 0 &&
	      fchmodat(s.fd, "notes.txt", 0644, 0) == 0);
	const struct foresee_input in = {.host = host,
					 .programs = &programs,
					 .arguments = &none,
					 .environment = &none,
					 .include = &none,
					 .cwd = "/",
					 .used = &none,
					 .content = &content,
					 .writable = &none};
	CHECK_INT(foresee(&in, &f, NULL), 0);
	CHECK(has_end(&f, "/app.wsgi") && !has_end(&f, "/notes.txt"));
	if (!skip_unless(access("/usr/bin/python3", X_OK) == 0, "needs python3"))
		CHECK(has_end(&f, "/json/__init__.py") && !has_end(&f, "/decimal.py"));
	scratch_done(&s);
}

/* The service could write into its next jail what it likes to find there. */
static void test_own_writing(void)
{
	struct foresight f CLEANUP_FORESIGHT = FORESIGHT_INIT;

	if (skip_unless(geteuid() == 0, "only root can give a file away"))
		return;
	look_ahead_as(12345, "helper = /usr/bin/env\n", NULL, &f);
	CHECK(evidence_find(f.evidence, "/usr/bin/env") == NULL);
}

static void test_include(void)
{
	struct foresight f CLEANUP_FORESIGHT = FORESIGHT_INIT;

	look_ahead("", "/usr/bin/env", &f);
	const struct node *n = evidence_find(f.evidence, "/usr/bin/env");
	CHECK(n && n->reasons[0].kind == REASON_SPEC);
	struct foresight g CLEANUP_FORESIGHT = FORESIGHT_INIT;
	if (packages_find(f.packages, "dash")) {
		look_ahead("", "package:dash", &g);
		CHECK(evidence_find(g.evidence, "/usr/bin/dash") != NULL);
	}
}

static void test_accounts(void)
{
	struct foresight f CLEANUP_FORESIGHT = FORESIGHT_INIT;

	look_ahead("user mail\nlist = games\n", NULL, &f);
	CHECK(accounts_find(&f.accounts, "root", false) != NULL);
	CHECK(accounts_find(&f.accounts, "mail", false) != NULL);
	CHECK(accounts_find(&f.accounts, "games", false) == NULL);
	CHECK(f.accounts_live == NULL);
}

/* Every chain of reasons ends at the command or the spec. */
static void test_chains(void)
{
	struct foresight f CLEANUP_FORESIGHT = FORESIGHT_INIT;

	look_ahead("shell /usr/bin/perl\nFile /etc/hosts\n", NULL, &f);
	for (const struct node *n = f.evidence->first; n; n = n->next) {
		CHECK(n->n_reasons > 0);
		const char *from = n->reasons[0].from;
		bool named = from && strstr(from, "service.conf");
		CHECK(!from || named || evidence_find(f.evidence, from) || access(from, F_OK) == 0);
	}
}

int main(void)
{
	size_t bare = bare_count();

	test_names();
	test_false_positives(bare);
	test_secret();
	test_own_writing();
	test_upload();
	test_content();
	test_include();
	test_accounts();
	test_chains();
	return check_done("foresee");
}
