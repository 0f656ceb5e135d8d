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
	set(&en->package, "x-bin");
	set(&en->version, "1:2.0-3");
	entry_add_reason(en, REASON_INTERPRETER, "/y", "interpreter of /y");
	entry_add_reason(en, REASON_NAMED, "/etc/\xff", "named in /etc/\xff:3");
	entry_add_reason(en, REASON_COMMAND, NULL, "the service's command");
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

static void check_same_reasons(const struct entry *a, const struct entry *b)
{
	CHECK_INT(a->n_reasons, b->n_reasons);
	for (size_t i = 0; i < a->n_reasons && i < b->n_reasons; i++) {
		CHECK_INT(a->reasons[i].kind, b->reasons[i].kind);
		CHECK_STR(a->reasons[i].from, b->reasons[i].from);
		CHECK_STR(a->reasons[i].text, b->reasons[i].text);
	}
}

static void check_same(const struct entry *a, const struct entry *b)
{
	const char *const texts[][2] = {
	    {a->path, b->path},	      {a->link, b->link},	{a->sha256, b->sha256},
	    {a->used, b->used},	      {a->by, b->by},		{a->phase, b->phase},
	    {a->package, b->package}, {a->version, b->version},
	};

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
	check_same_reasons(a, b);
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
	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		CHECK(manifest_find(&back, paths[i]) != NULL);
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

#define LINE(class, gid, mode, mtime, path, provided, more)                                        \
	"{\"class\":" class ",\"gid\":" gid ",\"mode\":" mode ",\"mtime\":" mtime                  \
			    ",\"path\":" path ",\"provided\":" provided                            \
			    ",\"size\":1,\"uid\":0" more "}"
#define WITH(more) LINE("\"program\"", "0", "\"0755\"", "\"1.5\"", "\"/x\"", "\"copy\"", more)
#define FILE_TYPE  ",\"type\":\"file\""
#define REASONS(r) WITH(FILE_TYPE ",\"evidence\":[" r "]")
#define GOOD	   REASONS("{\"kind\":\"used\",\"text\":\"read at start\"}")
#define NONE	   FILE_TYPE ",\"evidence\":[]"

/* What a line may not be. Each stands as the second one. */
static const char *const damaged[] = {
    "",
    "{",
    "[]",
    "null",
    "{}",
    "x",
    "{\"path\":\"/x\"}",
    GOOD GOOD,
    GOOD "x",
    /* paths: relative, not plain, with a NUL byte, a number */
    LINE("\"program\"", "0", "\"0755\"", "\"1.5\"", "\"x\"", "\"copy\"", NONE),
    LINE("\"program\"", "0", "\"0755\"", "\"1.5\"", "\"/x/../y\"", "\"copy\"", NONE),
    LINE("\"program\"", "0", "\"0755\"", "\"1.5\"", "\"/x/\"", "\"copy\"", NONE),
    LINE("\"program\"", "0", "\"0755\"", "\"1.5\"", "\"/x\\u0000\"", "\"copy\"", NONE),
    LINE("\"program\"", "0", "\"0755\"", "\"1.5\"", "7", "\"copy\"", NONE),
    /* unknown words, a number for a text, a text for a number, a number that is no id */
    LINE("\"nobility\"", "0", "\"0755\"", "\"1.5\"", "\"/x\"", "\"copy\"", NONE),
    LINE("\"program\"", "0", "755", "\"1.5\"", "\"/x\"", "\"copy\"", NONE),
    LINE("\"program\"", "0", "\"10000\"", "\"1.5\"", "\"/x\"", "\"copy\"", NONE),
    LINE("\"program\"", "\"0\"", "\"0755\"", "\"1.5\"", "\"/x\"", "\"copy\"", NONE),
    LINE("\"program\"", "4294967296", "\"0755\"", "\"1.5\"", "\"/x\"", "\"copy\"", NONE),
    LINE("\"program\"", "0", "\"0755\"", "\"soon\"", "\"/x\"", "\"copy\"", NONE),
    LINE("\"program\"", "0", "\"0755\"", "\"1.5\"", "\"/x\"", "\"lent\"", NONE),
    WITH(",\"type\":\"door\",\"evidence\":[]"),
    /* a link has a target, and only a link */
    WITH(",\"type\":\"link\",\"evidence\":[]"),
    WITH(NONE ",\"link\":\"y\""),
    WITH(NONE ",\"by\":7"),
    /* evidence: of an older version, not a list, not reasons */
    WITH(FILE_TYPE),
    WITH(FILE_TYPE ",\"why\":\"interpreter of /y\""),
    WITH(FILE_TYPE ",\"evidence\":{}"),
    REASONS("7"),
    REASONS("{}"),
    REASONS("{\"kind\":\"used\"}"),
    REASONS("{\"kind\":\"whim\",\"text\":\"x\"}"),
    REASONS("{\"kind\":\"used\",\"text\":\"x\",\"from\":\"x\"}"),
    REASONS("{\"kind\":\"used\",\"text\":\"x\",\"from\":7}"),
    REASONS("1,2,3,4,5,6,7,8,9,10,11,12,13"),
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
	CHECK(strstr(e.msg, "manifest.jsonl:2:") && strstr(e.msg, "build the jail again"));
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
	CHECK_STR(provided_name(PROVIDED_MADE), "made");
	for (enum jail_class c = 0; c < CLASS_COUNT; c++)
		CHECK_INT(class_parse(class_name(c)), c);
	CHECK_INT(class_parse("nobility"), CLASS_COUNT);
}

/* The first tells most: what comes later never pushes it out. */
static void test_reasons(void)
{
	struct manifest m CLEANUP_MANIFEST = MANIFEST_INIT;
	struct entry *en = manifest_add(&m, "/x");

	CHECK_STR(entry_reason(en), "");
	entry_add_reason(en, REASON_NEEDED, "/y", "needed by /y");
	CHECK_STR(entry_reason(en), "needed by /y");
	entry_add_reason(en, REASON_NEEDED, "/y", "needed by /y");
	CHECK_INT(en->n_reasons, 1);
	entry_add_reason(en, REASON_USED, "/y", "needed by /y");
	CHECK_INT(en->n_reasons, 2);
	for (int i = 0; i < 100; i++) {
		char text[16];
		snprintf(text, sizeof(text), "%d", i);
		entry_add_reason(en, REASON_USED, NULL, text);
	}
	CHECK_INT(en->n_reasons, ENTRY_REASONS_MAX);
	CHECK_STR(entry_reason(en), "needed by /y");
}

/* Bytes without an end: no newline at the end of the last line, none at all, a NUL. */
static void test_parse(void)
{
	static const struct {
		const char *text;
		size_t len;
		int want, lines;
	} rows[] = {
	    {"", 0, 0, 0},
	    {GOOD, sizeof(GOOD) - 1, 0, 1},
	    {GOOD "\n", sizeof(GOOD), 0, 1},
	    {GOOD "\0", sizeof(GOOD), -EBADMSG, 0},
	    {GOOD "\n\0", sizeof(GOOD) + 1, -EBADMSG, 1},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct manifest m CLEANUP_MANIFEST = MANIFEST_INIT;
		CHECK_INT(manifest_parse(rows[i].text, rows[i].len, "m", &m, NULL), rows[i].want);
		CHECK_INT(m.n, rows[i].lines);
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
	test_reasons();
	test_parse();
	return check_done("manifest");
}
