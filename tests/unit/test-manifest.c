/* SPDX-License-Identifier: MIT */
#include "jail/manifest.h"

#include <limits.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "fs-scratch.h"

static char *set(char **to, const char *text)
{
	free(*to);
	return *to = text ? xstrdup(text) : NULL;
}

static void fill(struct manifest *m)
{
	struct entry *en = manifest_add(m, "/usr/bin/x");

	en->mode = S_IFREG | 04755;
	en->size = 123456789012;
	en->mtime = (struct timespec){1700000000, 7};
	set(&en->sha256, "00ff");
	set(&en->used, "exec interp");
	set(&en->by, "/sbin/init");
	set(&en->phase, "exercise");
	set(&en->why, "interpreter of /y");
	en = manifest_add(m, "/etc/caf\xc3\xa9");
	en->mode = S_IFLNK | 0777;
	en->uid = 4294967294; /* "nobody" of a user namespace, the largest real id */
	en->gid = 65534;
	en->mtime = (struct timespec){-1, 999999999}; /* before 1970 */
	en->class = CLASS_CONFIG;
	set(&en->link, "../a \"b\"\n\\c");
	en = manifest_add(m, "/dev/null");
	en->mode = S_IFCHR | 0666;
	en->class = CLASS_DEVICE;
	en->provided = PROVIDED_DEVICE;
	en = manifest_add(m, "/srv");
	en->mode = S_IFDIR | 01777;
	en->class = CLASS_CONTENT;
	en->provided = PROVIDED_BIND;
}

static void check_same(const struct entry *a, const struct entry *b)
{
	const char *const texts[][2] = {
	    {a->path, b->path}, {a->link, b->link},   {a->sha256, b->sha256}, {a->used, b->used},
	    {a->by, b->by},	{a->phase, b->phase}, {a->why, b->why}};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		CHECK_STR(texts[i][0], texts[i][1]);
	CHECK_INT(a->mode, b->mode);
	CHECK_INT(a->uid, b->uid);
	CHECK_INT(a->gid, b->gid);
	CHECK_INT(a->size, b->size);
	CHECK_INT(a->mtime.tv_sec, b->mtime.tv_sec);
	CHECK_INT(a->mtime.tv_nsec, b->mtime.tv_nsec);
	CHECK_INT(a->class, b->class);
	CHECK_INT(a->provided, b->provided);
}

static void test_round_trip(void)
{
	struct manifest m CLEANUP_MANIFEST = MANIFEST_INIT, back CLEANUP_MANIFEST = MANIFEST_INIT;
	struct scratch s = scratch_new();
	struct err e = {0};

	fill(&m);
	manifest_sort(&m);
	CHECK_STR(m.v[0].path, "/dev/null");
	CHECK_INT(manifest_save(&m, s.fd, &e), 0);
	CHECK_INT(manifest_load(s.path, &back, &e), 0);
	CHECK_INT(back.n, m.n);
	for (size_t i = 0; i < m.n && i < back.n; i++)
		check_same(&back.v[i], &m.v[i]);
	CHECK(manifest_find(&back, "/srv") != NULL);
	CHECK(manifest_find(&back, "/sr") == NULL);
	scratch_done(&s);
}

/* Paths are bytes; JSON is text: a path that is none comes back all the same, and one that looks
 * like the escaped form of another stays itself. */
static void test_bytes(void)
{
	static const char *const paths[] = {"/srv/\xff\xfe",	    "/srv/\\xff\\xfe",
					    "/srv/caf\xc3\xa9\xff", "/srv/\\",
					    "/srv/a\nb\tc\"d",	    "/srv/\xed\xa0\x80"};
	struct manifest m CLEANUP_MANIFEST = MANIFEST_INIT, back CLEANUP_MANIFEST = MANIFEST_INIT;
	struct scratch s = scratch_new();

	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		manifest_add(&m, paths[i])->mode = S_IFREG | 0644;
	CHECK_INT(manifest_save(&m, s.fd, NULL), 0);
	CHECK_INT(manifest_load(s.path, &back, NULL), 0);
	CHECK_INT(back.n, ARRAY_LEN(paths));
	for (size_t i = 0; i < back.n; i++)
		CHECK_STR(back.v[i].path, paths[i]);
	scratch_done(&s);
}

static void test_empty(void)
{
	struct manifest m CLEANUP_MANIFEST = MANIFEST_INIT, back CLEANUP_MANIFEST = MANIFEST_INIT;
	struct scratch s = scratch_new();
	struct err e = {0};

	CHECK_INT(manifest_load(s.path, &back, &e), -ENOENT);
	CHECK(strstr(e.msg, "manifest.jsonl"));
	manifest_sort(&m);
	CHECK_INT(manifest_save(&m, s.fd, NULL), 0);
	CHECK_INT(manifest_load(s.path, &back, NULL), 0);
	CHECK_INT(back.n, 0);
	scratch_done(&s);
}

#define GOOD                                                                                       \
	"{\"class\":\"program\",\"gid\":0,\"mode\":\"0755\",\"mtime\":\"1.5\",\"path\":\"/x\","    \
	"\"provided\":\"copy\",\"size\":1,\"type\":\"file\",\"uid\":0}"

/* What a line may not be. Each stands as the second one. */
static const char *const damaged[] = {
    "{",
    "[]",
    "null",
    "{}",
    "x",
    "{\"path\":\"/x\"}",
    /* relative path, unknown type, class, a number for a text, a text for a number */
    "{\"class\":\"program\",\"gid\":0,\"mode\":\"0755\",\"mtime\":\"1.5\",\"path\":\"x\","
    "\"provided\":\"copy\",\"size\":1,\"type\":\"file\",\"uid\":0}",
    "{\"class\":\"program\",\"gid\":0,\"mode\":\"0755\",\"mtime\":\"1.5\",\"path\":\"/x\","
    "\"provided\":\"copy\",\"size\":1,\"type\":\"door\",\"uid\":0}",
    "{\"class\":\"nobility\",\"gid\":0,\"mode\":\"0755\",\"mtime\":\"1.5\",\"path\":\"/x\","
    "\"provided\":\"copy\",\"size\":1,\"type\":\"file\",\"uid\":0}",
    "{\"class\":\"program\",\"gid\":0,\"mode\":755,\"mtime\":\"1.5\",\"path\":\"/x\","
    "\"provided\":\"copy\",\"size\":1,\"type\":\"file\",\"uid\":0}",
    "{\"class\":\"program\",\"gid\":\"0\",\"mode\":\"0755\",\"mtime\":\"1.5\",\"path\":\"/x\","
    "\"provided\":\"copy\",\"size\":1,\"type\":\"file\",\"uid\":0}",
    "{\"class\":\"program\",\"gid\":0,\"mode\":\"0755\",\"mtime\":\"1.5\",\"path\":\"/x\","
    "\"provided\":\"lent\",\"size\":1,\"type\":\"file\",\"uid\":0}",
    GOOD GOOD,
    GOOD "x",
};

static void check_damaged(const char *line)
{
	struct manifest back CLEANUP_MANIFEST = MANIFEST_INIT;
	struct scratch s = scratch_new();
	struct err e = {0};
	CLEANUP_STR char *text = xasprintf("%s\n%s\n%s\n", GOOD, line, GOOD);

	put_file(s.fd, "manifest.jsonl", text);
	int r = manifest_load(s.path, &back, &e);
	if (r != -EBADMSG)
		printf("# %s\n", line);
	CHECK_INT(r, -EBADMSG);
	CHECK(strstr(e.msg, "manifest.jsonl:2:"));
	scratch_done(&s);
}

/* A file that was cut in its last line, as by a full disk. */
static void test_cut(void)
{
	struct manifest back CLEANUP_MANIFEST = MANIFEST_INIT;
	struct scratch s = scratch_new();
	CLEANUP_STR char *text = xasprintf("%s\n%.40s", GOOD, GOOD);

	put_file(s.fd, "manifest.jsonl", text);
	CHECK_INT(manifest_load(s.path, &back, NULL), -EBADMSG);
	scratch_done(&s);
}

static void test_words(void)
{
	static const struct {
		mode_t mode;
		const char *word;
	} types[] = {{S_IFREG, "file"},	  {S_IFDIR, "directory"}, {S_IFLNK, "link"},
		     {S_IFCHR, "device"}, {S_IFIFO, "fifo"},	  {S_IFSOCK, "socket"}};
	struct entry en = {0};

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		en.mode = types[i].mode | 0644;
		CHECK_STR(entry_type(&en), types[i].word);
	}
	CHECK_STR(provided_name(PROVIDED_BIND), "bind");
	for (enum jail_class c = 0; c < CLASS_COUNT; c++)
		CHECK_INT(class_parse(class_name(c)), c);
	CHECK_INT(class_parse("nobility"), CLASS_COUNT);
}

static void test_reason(void)
{
	static char used[] = "read", by[] = "/usr/sbin/x", phase[] = "exercise", why[] = "because";
	static const struct {
		struct entry en;
		const char *text;
	} rows[] = {
	    {{0}, "on the way to another path"},
	    {{.used = used}, "start: read"},
	    {{.used = used, .by = by}, "start: read by /usr/sbin/x"},
	    {{.used = used, .by = by, .phase = phase}, "exercise: read by /usr/sbin/x"},
	    {{.used = used, .by = by, .why = why}, "because"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP_STR char *got = entry_reason(&rows[i].en);
		CHECK_STR(got, rows[i].text);
	}
}

int main(void)
{
	test_round_trip();
	test_bytes();
	test_empty();
	for (size_t i = 0; i < ARRAY_LEN(damaged); i++)
		check_damaged(damaged[i]);
	test_cut();
	test_words();
	test_reason();
	return check_done("manifest");
}
