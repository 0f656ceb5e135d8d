/* SPDX-License-Identifier: MIT */
#include "grow/record.h"

#include "check.h"

static void test_touches(void)
{
	struct record *r CLEANUP_RECORD = record_new();
	struct touch *a = record_get(r, "/b");

	CHECK(record_find(r, "/a") == NULL);
	a->kinds |= TOUCH_READ;
	CHECK(record_get(r, "/b") == a);
	CHECK(record_find(r, "/b") == a);
	CHECK(record_get(r, "/a") != a);
	CHECK(record_get(r, "/b/") != a); /* canonical paths are compared as text */
	record_sort(r);
	CHECK_STR(r->touches->path, "/a");
	CHECK(record_find(r, "/b") == a); /* sorting loses nothing */
}

static void test_sorted(void)
{
	struct record *r CLEANUP_RECORD = record_new();
	const char *before = "";
	char path[32];
	int n = 0;

	for (int i = 0; i < 1000; i++) {
		snprintf(path, sizeof(path), "/d%d/f", (i * 7919) % 1000);
		record_get(r, path);
	}
	record_sort(r);
	for (const struct touch *t = r->touches; t; t = t->hh.next, n++) {
		CHECK(strcmp(before, t->path) < 0);
		before = t->path;
	}
	CHECK_INT(n, 1000);
}

static void test_peers(void)
{
	struct record *r CLEANUP_RECORD = record_new();
	static const struct {
		bool bound;
		int family;
		const char *address;
		uint16_t port;
		size_t n; /* then in the record */
	} rows[] = {
	    {true, 2, "0.0.0.0", 80, 1},       {true, 2, "0.0.0.0", 80, 1},
	    {false, 2, "0.0.0.0", 80, 2},      {true, 10, "0.0.0.0", 80, 3},
	    {true, 2, "0.0.0.0", 81, 4},       {true, 2, "127.0.0.1", 81, 5},
	    {false, 10, "2001:db8::1", 53, 6}, {false, 10, "2001:db8::1", 53, 6},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		record_peer(r, rows[i].bound, rows[i].family, rows[i].address, rows[i].port);
		CHECK_INT(r->n_peers, rows[i].n);
	}
	CHECK_STR(r->peers[5].address, "2001:db8::1");
}

/* An address longer than any real one is cut, not overrun. */
static void test_long_peer(void)
{
	struct record *r CLEANUP_RECORD = record_new();
	char text[200];

	memset(text, '1', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	record_peer(r, true, 2, text, 1);
	CHECK_INT(strlen(r->peers[0].address), sizeof(r->peers[0].address) - 1);
}

static void test_pairings(void)
{
	struct record *r CLEANUP_RECORD = record_new();

	record_pairing(r, "/a", "/b");
	record_pairing(r, "/a", "/b");
	record_pairing(r, "/a", "/a"); /* within one directory: nothing to keep together */
	CHECK_INT(r->n_pairings, 1);
	record_pairing(r, "/a", "/c");
	CHECK_INT(r->n_pairings, 2);
	CHECK_STR(r->pairings[1].to, "/c");
}

static void test_words(void)
{
	static const struct {
		unsigned kinds;
		const char *text;
	} rows[] = {
	    {0, ""},
	    {TOUCH_LOOK, "look"},
	    {TOUCH_READ | TOUCH_WRITE | TOUCH_MAKE, "read write make"},
	    {TOUCH_LISTED, "listed"},
	    {(TOUCH_LISTED << 1) - 1,
	     "look read write list exec make remove change connect bind interp link listed"},
	};
	char buf[160], tiny[8];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		CHECK_STR(touch_kinds_text(rows[i].kinds, buf, sizeof(buf)), rows[i].text);
	CHECK_STR(touch_kinds_text(rows[4].kinds, tiny, sizeof(tiny)), "look re");
}

int main(void)
{
	test_touches();
	test_sorted();
	test_peers();
	test_long_peer();
	test_pairings();
	test_words();
	record_free(NULL);
	return check_done("record");
}
