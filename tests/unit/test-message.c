/* SPDX-License-Identifier: MIT */
/* What a jailed process sends, and what goes on: each row is one message, in each form. */
#include "relay/message.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/attr.h"
#include "check.h"

static const struct {
	const char *in;
	size_t len; /* 0: strlen(in) */
	const char *out;
} rows[] = {
    /* glibc with and without LOG_PID; the number is the one outside */
    {"<30>Nov 27 18:35:56 named[12]: running", 0, "<30>Nov 27 18:35:56 web/named[77]: running"},
    {"<30>Nov  7 18:35:56 named: running", 0, "<30>Nov  7 18:35:56 web/named[77]: running"},
    /* a tag that begins with the jail's name has it already; one that only looks so has not */
    {"<22>Nov 27 18:35:56 web/smtpd[1]: a", 0, "<22>Nov 27 18:35:56 web/smtpd[77]: a"},
    {"<22>Nov 27 18:35:56 web[1]: a", 0, "<22>Nov 27 18:35:56 web[77]: a"},
    {"<22>Nov 27 18:35:56 webster[1]: a", 0, "<22>Nov 27 18:35:56 web/webster[77]: a"},
    {"<22>Nov 27 18:35:56 sshd[1]: a", 0, "<22>Nov 27 18:35:56 web/sshd[77]: a"},
    /* no tag, no time, no priority */
    {"<30>Nov 27 18:35:56 just words: here", 0, "<30>Nov 27 18:35:56 web[77]: just words: here"},
    {"<30>cron: x", 0, "<30>Jan  1 00:00:01 web/cron[77]: x"},
    {"hello", 0, "<13>Jan  1 00:00:01 web[77]: hello"},
    {"<30>Nov 27 18:35:5x a: b", 0, "<30>Jan  1 00:00:01 web[77]: Nov 27 18:35:5x a: b"},
    {"<30>Nox 27 18:35:56 a: b", 0, "<30>Jan  1 00:00:01 web[77]: Nox 27 18:35:56 a: b"},
    {"<30>", 0, "<30>Jan  1 00:00:01 web[77]: "},
    {"", 0, "<13>Jan  1 00:00:01 web[77]: "},
    /* nobody in a jail is the kernel, and there is no facility 24 */
    {"<0>x: y", 0, "<8>Jan  1 00:00:01 web/x[77]: y"},
    {"<191>x: y", 0, "<191>Jan  1 00:00:01 web/x[77]: y"},
    {"<192>x: y", 0, "<13>Jan  1 00:00:01 web[77]: <192>x: y"},
    {"<-1>x: y", 0, "<13>Jan  1 00:00:01 web[77]: <-1>x: y"},
    {"<9999>x: y", 0, "<13>Jan  1 00:00:01 web[77]: <9999>x: y"},
    {"<12", 0, "<13>Jan  1 00:00:01 web[77]: <12"},
    /* a line stays one line */
    {"<30>a: b\n<0>Nov 27 18:35:56 kernel: c\n", 0,
     "<30>Jan  1 00:00:01 web/a[77]: b#012<0>Nov 27 18:35:56 kernel: c"},
    {"<30>a: b\0c\0", 10, "<30>Jan  1 00:00:01 web/a[77]: b#000c"},
    {"<30>a: \033[2Jx\r\n", 0, "<30>Jan  1 00:00:01 web/a[77]: #033[2Jx"},
    {"<30>a: tab\there \x7f", 0, "<30>Jan  1 00:00:01 web/a[77]: tab\there #177"},
    {"<30>a\nb: c", 0, "<30>Jan  1 00:00:01 web[77]: a#012b: c"},
    {"<30>a[1\n]: c", 0, "<30>Jan  1 00:00:01 web[77]: a[1#012]: c"},
    /* UTF-8 goes through; what is none, overlong, a surrogate or C1 does not */
    {"<30>a: \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80", 0,
     "<30>Jan  1 00:00:01 web/a[77]: \xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"},
    {"<30>a: \xc3", 0, "<30>Jan  1 00:00:01 web/a[77]: #303"},
    {"<30>a: \xc0\xaf \xed\xa0\x80 \xc2\x9b", 0,
     "<30>Jan  1 00:00:01 web/a[77]: #300#257 #355#240#200 #302#233"},
    /* RFC 5424 from a program that prefers it */
    {"<30>1 2026-11-27T18:35:56Z host app 12 - - text", 0, "<30>Jan  1 00:00:01 web/app[77]: text"},
    {"<30>1 2026-11-27T18:35:56Z host - - - [a b=\"c\"] text", 0,
     "<30>Jan  1 00:00:01 web[77]: [a b=\"c\"] text"},
    {"<30>1 apple", 0, "<30>Jan  1 00:00:01 web[77]: 1 apple"},
};

static const struct origin origin = {
    .jail = "web", .host = "h1", .pid = 77, .at = {.tv_sec = 1, .tv_nsec = 123456000}};

static const char *render(const char *in, size_t len, enum message_form form)
{
	static char buf[MESSAGE_MAX + 1];
	struct message m;

	message_parse(in, len, &m);
	buf[message_render(&m, &origin, form, buf)] = '\0';
	return buf;
}

static void forms(void)
{
	static const char in[] = "<30>Nov 27 18:35:56 named[12]: running";

	CHECK_STR(render(in, strlen(in), FORM_FILE), "Nov 27 18:35:56 h1 web/named[77]: running\n");
	CHECK_STR(render(in, strlen(in), FORM_5424),
		  "61 <30>1 1970-01-01T00:00:01.123456Z h1 web/named 77 - - running");
	/* the count is that of the bytes behind it */
	const char *out = render(in, strlen(in), FORM_5424);
	CHECK_INT((long long)strlen(strchr(out, ' ') + 1), atoi(out));
}

/* RFC 5424 has room for 48 characters of a name: what is longer is cut, and never empty. */
static void long_names(void)
{
	static const char name[] = "jail-with-a-name-of-more-than-forty-eight-characters-of-it";
	struct origin o = origin;
	char buf[MESSAGE_MAX + 1];
	struct message m;

	o.jail = name;
	message_parse("<30>named: up", 13, &m);
	size_t n = message_render(&m, &o, FORM_5424, buf);
	buf[n] = '\0';
	CHECK_STR(buf, "95 <30>1 1970-01-01T00:00:01.123456Z h1 "
		       "jail-with-a-name-of-more-than-forty-eight-charac 77 - - up");
	o.jail = "jail-with-a-name-of-forty-four-characters-ok";
	buf[message_render(&m, &o, FORM_5424, buf)] = '\0';
	CHECK_STR(buf, "95 <30>1 1970-01-01T00:00:01.123456Z h1 "
		       "jail-with-a-name-of-forty-four-characters-ok/nam 77 - - up");
}

static void long_ones(void)
{
	static char in[4 * MESSAGE_MAX];

	for (enum message_form f = FORM_LOCAL; f < FORM_COUNT; f++) {
		/* every byte becomes four, every byte stays one, and a long tag */
		for (size_t n = MESSAGE_MAX / 4 - 60; n < MESSAGE_MAX / 4 + 4; n++) {
			memset(in, '\033', sizeof(in));
			CHECK(strlen(render(in, n, f)) <= MESSAGE_MAX);
		}
		for (size_t n = MESSAGE_MAX - 60; n < MESSAGE_MAX + 4; n++) {
			memset(in, 'x', sizeof(in));
			CHECK(strlen(render(in, n, f)) <= MESSAGE_MAX);
		}
	}
	const char *out = render(in, sizeof(in), FORM_LOCAL);
	CHECK_STR(out + strlen(out) - 5, "xx...");
	memcpy(in, "<30>", 4);
	CHECK(strlen(render(in, sizeof(in), FORM_5424)) <= MESSAGE_MAX);
}

int main(void)
{
	setenv("TZ", "UTC", 1);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		CHECK_STR(
		    render(rows[i].in, rows[i].len ? rows[i].len : strlen(rows[i].in), FORM_LOCAL),
		    rows[i].out);
	forms();
	long_names();
	long_ones();
	return check_done("message");
}
