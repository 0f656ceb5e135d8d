/* SPDX-License-Identifier: MIT */
/* Any bytes as nsswitch.conf: words without blanks or brackets, on lines that exist. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "text/nsswitch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_word(const struct nsswitch_word *w, size_t lines)
{
	if (!w->database[0] || !w->service[0] || w->line > lines)
		abort();
	if (strpbrk(w->service, " \t\n[]#") || strpbrk(w->database, " \t\n:#"))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct nsswitch n = NSSWITCH_INIT;
	size_t lines = 1;

	for (size_t i = 0; i < size; i++)
		lines += data[i] == '\n';
	nsswitch_parse((const char *)data, size, &n);
	nsswitch_defaults(&n);
	bool hosts = false;
	for (size_t i = 0; i < n.n; i++) {
		check_word(&n.v[i], lines);
		hosts |= streq(n.v[i].database, "hosts");
	}
	if (!hosts && n.n < 1000)
		abort();
	nsswitch_done(&n);
	return 0;
}
