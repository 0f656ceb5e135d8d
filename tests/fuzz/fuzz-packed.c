/* SPDX-License-Identifier: MIT */
/* Any bytes behind a right head as a packed plan: read whole or refused, nothing beyond them; and
 * what was read packs to a plan that reads again. */
#include "../../src/confine/packed.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int read_body(const char *body, size_t size, struct packed *ret)
{
	struct head head = {
	    .version = IMAGE_VERSION, .length = (uint32_t)size, .checksum = fnv(body, size)};
	char *image = xcalloc(1, sizeof(head) + size + 1);

	memcpy(head.magic, magic, sizeof(magic));
	memcpy(image, &head, sizeof(head));
	if (size)
		memcpy(image + sizeof(head), body, size);
	struct err e = {0};
	int r = packed_read(image, sizeof(head) + size, ret, &e);
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
