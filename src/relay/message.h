/* SPDX-License-Identifier: MIT */
/* One message of syslog(3), from the bytes that a jailed process sent to the bytes that go on.
 *
 * In: "<PRI>Mmm dd hh:mm:ss TAG[PID]: TEXT" as RFC 3164 describes what C libraries send, every part
 * of it optional, or "<PRI>1 TIME HOST APP ..." (RFC 5424). The sender is hostile: nothing of it
 * ends a line, moves a cursor, or stands where the jail's name belongs. Pure, bounded, fuzzed. */
#pragma once

#include <stddef.h>
#include <sys/types.h>
#include <time.h>

#define MESSAGE_MAX 8192 /* of what goes on, in bytes; longer ones end in "..." */

enum {
	PRI_DEFAULT = 13,     /* user.notice, where a message has none */
	PRI_SYSLOG_WARN = 44, /* syslog.warning: what the relay says itself */
};

/* Parts of the bytes that were parsed, none of them terminated. */
struct message {
	int pri;	  /* facility * 8 + severity; never the kernel's facility */
	const char *time; /* 15 bytes as the sender wrote them, or NULL */
	const char *tag;
	size_t tag_len; /* 0: none */
	const char *text;
	size_t text_len;
};

/* Never fails: what has no header is all text. */
void message_parse(const char *bytes, size_t len, struct message *ret);

/* What is known of the sender, and when: not by its word. */
struct origin {
	const char *jail;
	const char *host;
	pid_t pid; /* as the receiver sees it */
	struct timespec at;
};

enum message_form {
	FORM_LOCAL, /* "<PRI>TIME NAME/TAG[PID]: TEXT", for /dev/log of the host */
	FORM_FILE,  /* "TIME HOST NAME/TAG[PID]: TEXT\n" */
	FORM_5424,  /* RFC 5424 with the octet count of RFC 6587 before it, for TCP */
	FORM_COUNT
};

/* The tag of @m with the jail's name before it; where it is that name already, or that name and a
 * slash (postfix/smtpd in a jail postfix), as it is: every line of a jail begins with NAME[ or
 * NAME/, and no jail can begin otherwise. Control characters, and bytes that are no UTF-8, become
 * "#ooo" in octal as rsyslog writes them. Writes to @buf, which has room for MESSAGE_MAX bytes, and
 * returns how many. */
size_t message_render(const struct message *m, const struct origin *o, enum message_form form,
		      char buf[MESSAGE_MAX]);
