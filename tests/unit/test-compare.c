/* SPDX-License-Identifier: MIT */
#include "jail/compare.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "check.h"

struct half {
	const char *text;
	size_t len; /* 0: strlen */
	int status;
};

static struct outcome outcome_of(const struct half *h)
{
	size_t len = h->len ? h->len : strlen(h->text);
	struct outcome o = {
	    .status = h->status, .out = memfd_create("out", MFD_CLOEXEC), .err = -1};

	CHECK(o.out >= 0 && write(o.out, h->text, len) == (ssize_t)len);
	return o;
}

static const struct {
	struct half a, b;
	bool differs;
	size_t line;
	const char *show_a, *show_b;
} rows[] = {
    {{"", 0, 0}, {"", 0, 0}, false, 0, "", ""},
    {{"one\ntwo\n", 0, 0}, {"one\ntwo\n", 0, 0}, false, 0, "", ""},
    {{"one\n", 0, 0}, {"one\n", 0, 1}, true, 0, "", ""},
    {{"one\n", 0, 3}, {"one\n", 0, 3}, false, 0, "", ""},
    {{"one\ntwo\n", 0, 0}, {"one\nTwo\n", 0, 0}, true, 2, "two", "Two"},
    /* the status differs too: the line says more */
    {{"one\n", 0, 0}, {"two\n", 0, 1}, true, 1, "one", "two"},
    {{"one\ntwo\n", 0, 0}, {"one\n", 0, 0}, true, 2, "two", "(no such line)"},
    {{"", 0, 0}, {"\n", 0, 0}, true, 1, "(no such line)", ""},
    /* the last line without its newline is another line */
    {{"one\n", 0, 0}, {"one", 0, 0}, true, 1, "one", "one"},
    /* bytes are compared, not strings; what is shown is printable */
    {{"a\0b\n", 4, 0}, {"a\0c\n", 4, 0}, true, 1, "a?b", "a?c"},
    {{"a\0b\n", 4, 0}, {"a\0b\n", 4, 0}, false, 0, "", ""},
    {{"\033[2Jx\n", 0, 0}, {"x\n", 0, 0}, true, 1, "?[2Jx", "x"},
    {{"\xe2\x80\xae\n", 0, 0}, {"\xff\n", 0, 0}, true, 1, "???", "?"},
};

static void check_row(size_t i)
{
	struct outcome a = outcome_of(&rows[i].a), b = outcome_of(&rows[i].b);
	struct difference d;

	CHECK_INT(compare_outcomes(&a, &b, false, &d), 0);
	CHECK_INT(d.differs, rows[i].differs);
	CHECK_INT(d.line, rows[i].line);
	CHECK_INT(d.status_a, rows[i].a.status);
	CHECK_INT(d.status_b, rows[i].b.status);
	CHECK_STR(d.a, rows[i].show_a);
	CHECK_STR(d.b, rows[i].show_b);
	/* The files' own positions are left alone: they are shown afterwards. */
	CHECK_INT(lseek(a.out, 0, SEEK_CUR),
		  rows[i].a.len ? rows[i].a.len : strlen(rows[i].a.text));
	outcome_done(&a);
	outcome_done(&b);
}

/* By shape: numbers may differ in every way, nothing else. */
static void test_shape(void)
{
	static const struct {
		const char *a, *b;
		size_t line; /* 0: equal */
	} shapes[] = {
	    {"", "", 0},
	    {"at 12:59:07, pid 1234\n", "at 3:00:00, pid 9\n", 0},
	    {"1\n", "22222\n", 0},
	    {"x1y\n", "x1z\n", 1},
	    {"x1\n", "x\n", 1},
	    {"x\n", "x1\n", 1},
	    {"1.5\n", "15\n", 1},
	    {"1\n2\n", "7\n", 2},
	    {"7\n", "1\n2\n", 2},
	    {"a\n", "", 1},
	    {"-1\n", "1\n", 1},
	    {"\xd9\xa1\n", "1\n", 1}, /* a digit of another script is a letter here */
	};

	for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
		struct outcome a = outcome_of(&(struct half){shapes[i].a, 0, 0});
		struct outcome b = outcome_of(&(struct half){shapes[i].b, 0, 0});
		struct difference d;
		CHECK_INT(compare_outcomes(&a, &b, true, &d), 0);
		CHECK_INT(d.line, shapes[i].line);
		CHECK_INT(d.differs, shapes[i].line > 0);
		outcome_done(&a);
		outcome_done(&b);
	}
}

/* What is equal by shape only is counted. */
static void test_masked(void)
{
	static const char *const texts[] = {"same 1\nat 10\nto 7\n", "same 1\nat 9\nto 8\n"};
	struct outcome a = outcome_of(&(struct half){texts[0], 0, 0});
	struct outcome b = outcome_of(&(struct half){texts[1], 0, 0});
	struct difference d;

	CHECK_INT(compare_outcomes(&a, &b, true, &d), 0);
	CHECK_INT(d.masked, 2);
	CHECK(!d.differs);
	CHECK_INT(compare_outcomes(&a, &a, true, &d), 0);
	CHECK_INT(d.masked, 0);
	outcome_done(&a);
	outcome_done(&b);
}

static void test_hints(void)
{
	static const struct {
		struct difference d;
		const char *hint;
	} hints[] = {
	    {{.line = 1, .a = "Date: Mon, 1 Jan", .b = "Date: Tue, 2 Jan"}, "a header"},
	    {{.line = 1, .a = "at 12:00:01", .b = "at 12:00:02"}, "a date or time"},
	    {{.line = 1, .a = "2026-01-01", .b = "2026-01-02"}, "a date or time"},
	    {{.line = 1,
	      .a = "1b4e28ba-2fa1-11d2-883f-0016d3cca427",
	      .b = "2b4e28ba-2fa1-11d2-883f-0016d3cca427"},
	     "a random id"},
	    {{.line = 1, .a = "id=deadbeef0001", .b = "id=deadbeef0002"}, "a hexadecimal id"},
	    {{.line = 1, .a = "pid 7", .b = "pid 11"}, "a number"},
	    {{.line = 1, .a = "one", .b = "two"}, "text"},
	    {{.line = 2, .a = "pid 7", .b = "(no such line)"}, "text"},
	    {{.line = 0}, "the exit status"},
	};

	for (size_t i = 0; i < ARRAY_LEN(hints); i++)
		CHECK(str_after(difference_hint(&hints[i].d), hints[i].hint));
}

static void test_long_line(void)
{
	static char x[100001], y[100001];
	struct difference d;

	memset(x, 'x', sizeof(x) - 1);
	memcpy(y, x, sizeof(y));
	y[99999] = 'y';
	struct outcome a = outcome_of(&(struct half){x, 0, 0});
	struct outcome b = outcome_of(&(struct half){y, 0, 0});
	CHECK_INT(compare_outcomes(&a, &b, false, &d), 0);
	CHECK(d.differs && d.line == 1);
	CHECK_INT(strlen(d.a), sizeof(d.a) - 1);
	outcome_done(&a);
	outcome_done(&b);
}

static void test_unreadable(void)
{
	struct outcome a = outcome_of(&(struct half){"x", 0, 0}), b = {.out = -1, .err = -1};
	struct difference d;

	CHECK(compare_outcomes(&a, &b, false, &d) < 0);
	CHECK(compare_outcomes(&b, &a, false, &d) < 0);
	outcome_done(&a);
}

int main(void)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_row(i);
	test_shape();
	test_masked();
	test_hints();
	test_long_line();
	test_unreadable();
	return check_done("compare");
}
