/* SPDX-License-Identifier: MIT */
/* Any bytes behind a right head as a packed plan: read whole or refused, nothing beyond them; and
 * what was read packs to a plan that reads again. */
#include "../../src/confine/packed.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int read_body(const char *body, size_t size, struct packed *ret)
{
	struct pack w = pack_begin(IMAGE_MAGIC, IMAGE_VERSION);
	size_t whole = 0;

	pack_raw(&w, (char *)(uintptr_t)body, size);
	char *image = pack_finish(&w, &whole);
	struct err e = {0};
	int r = packed_read(image, whole, ret, &e);
	if (r < 0) {
		free(image);
		return r;
	}
	size_t len = 0;
	struct packed again;
	char *bytes = packed_write(&ret->plan, &len);
	if (packed_read(bytes, len, &again, &e) < 0)
		abort();
	packed_done(&again);
	packed_done(ret);
	free(bytes);
	free(image);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct packed p;

	read_body((const char *)data, size, &p);
	return 0;
}
