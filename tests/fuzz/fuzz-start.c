/* SPDX-License-Identifier: MIT */
/* Any bytes behind a right head as a compiled start: read whole or refused, nothing beyond them;
 * and what was read packs to one that reads again. */
#include "../../src/keep/start.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pack w = pack_begin(IMAGE_MAGIC, IMAGE_VERSION);
	struct start s, again;
	struct err e = {0};
	size_t whole = 0, len = 0;

	pack_raw(&w, (char *)(uintptr_t)data, size);
	char *image = pack_finish(&w, &whole);
	if (start_read(image, whole, &s, &e) == 0) {
		char *bytes = start_write(&s, &len);
		if (start_read(bytes, len, &again, &e) < 0)
			abort();
		start_done(&again);
		start_done(&s);
		free(bytes);
	}
	free(image);
	return 0;
}
