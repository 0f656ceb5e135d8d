/* SPDX-License-Identifier: MIT */
/* FROM TO TEXT: the bytes of TEXT in the other character set. */
#include "asked.h"

#include <iconv.h>
#include <string.h>

void answer(const char *const words[4], FILE *out)
{
	char text[256], converted[256];
	char *in = text, *to = converted;
	size_t in_left, to_left = sizeof(converted);
	iconv_t cd = iconv_open(words[1], words[0]);

	if (cd == (iconv_t)-1) {
		fprintf(out, "error: not from %s to %s\n", words[0], words[1]);
		return;
	}
	in_left = (size_t)snprintf(text, sizeof(text), "%s", words[2]);
	iconv(cd, &in, &in_left, &to, &to_left);
	for (const char *p = converted; p < to; p++)
		fprintf(out, "%02x ", (unsigned char)*p);
	fputc('\n', out);
	iconv_close(cd);
}
