/* SPDX-License-Identifier: MIT */
/* Any bytes as a message of syslog: what goes on is one line of bounded length that begins as lines
 * of this jail do. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "relay/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const char *buf, size_t n, enum message_form form)
{
	size_t end = form == FORM_FILE ? n - 1 : n;

	if (!n || n > MESSAGE_MAX || (form == FORM_FILE && buf[end] != '\n'))
		abort();
	for (size_t i = 0; i < end; i++)
		if (((unsigned char)buf[i] < ' ' && buf[i] != '\t') || buf[i] == 0x7f)
			abort();
	const char *name = memmem(buf, n, "jail", 4);
	if (!name || (name[4] != '[' && name[4] != '/' && name[4] != ' '))
		abort();
	/* RFC 6587: the count is that of what follows. */
	if (form == FORM_5424) {
		const char *space = memchr(buf, ' ', n);
		if (!space || strtoul(buf, NULL, 10) != n - (size_t)(space + 1 - buf))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct origin o = {.jail = "jail", .host = "host", .pid = 1};
	char buf[MESSAGE_MAX];
	struct message m;

	message_parse((const char *)data, size, &m);
	if (m.pri < 8 || m.pri > 191)
		abort();
	for (enum message_form f = FORM_LOCAL; f < FORM_COUNT; f++)
		check(buf, message_render(&m, &o, f, buf), f);
	return 0;
}
