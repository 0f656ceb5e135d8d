/* SPDX-License-Identifier: MIT */
/* Any bytes as gconv-modules: rows in order, and every charset in them has its answer. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "text/gconv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gconv g = GCONV_INIT;

	gconv_parse((const char *)data, size, &g);
	for (size_t i = 0; i < g.n; i++) {
		struct strv modules = STRV_INIT;

		if (i && strcmp(g.v[i - 1].charset, g.v[i].charset) > 0)
			abort();
		gconv_modules(&g, g.v[i].charset, &modules);
		if (!g.v[i].alias && !strv_has(&modules, g.v[i].value))
			abort();
		strv_done(&modules);
	}
	gconv_done(&g);
	return 0;
}
