/* SPDX-License-Identifier: MIT */
/* Any line as one of the kernel's tables of sockets: a name of the table's kind, and nothing read
 * beyond the line. */
#include <stdint.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/sockets.h"
#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const tables[] = {"tcp", "tcp6", "udp", "udp6", "unix"};
	CLEANUP_STR char *line = xstrndup((const char *)data, size);

	for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
		struct socket_row row;
		if (!socket_line_parse(tables[i], line, &row))
			continue;
		if (strncmp(row.name, tables[i], 3) != 0 || (socket_path(&row) && row.port))
			abort();
		free(row.name);
	}
	return 0;
}
