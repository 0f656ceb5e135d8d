/* SPDX-License-Identifier: MIT */
/* Any bytes as a manifest: what is taken is written the same way again, and each chain of evidence
 * ends. */
#include <stdint.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "jail/why.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_written(const struct entry *en)
{
	struct manifest back CLEANUP_MANIFEST = MANIFEST_INIT;
	json_t *j = entry_to_json(en);
	char *line = json_dumps(j, JSON_COMPACT | JSON_SORT_KEYS);

	if (!line || manifest_parse(line, strlen(line), "again", &back, NULL) < 0 || back.n != 1 ||
	    !streq(back.v[0].path, en->path) || back.v[0].n_reasons != en->n_reasons)
		abort();
	free(line);
	json_decref(j);
}

static void check_chain(const struct manifest *m, const char *path)
{
	struct why_chain c CLEANUP_WHY_CHAIN = WHY_CHAIN_INIT;
	struct strv links CLEANUP_STRV = STRV_INIT;
	CLEANUP_STR char *end = NULL;

	why_chain_of(m, path, &c);
	if (c.n > 2 * m->n + 1 || (c.whole && c.v[c.n - 1].reason.from))
		abort();
	for (size_t i = 0; i + 1 < c.n; i++)
		if (!streq(c.v[i].reason.from, c.v[i + 1].path))
			abort();
	if (why_resolve(m, -1, path, &end, &links) == 0 && end[0] != '/')
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct manifest m CLEANUP_MANIFEST = MANIFEST_INIT;

	if (manifest_parse((const char *)data, size, "input", &m, NULL) < 0)
		return 0;
	for (size_t i = 0; i < m.n; i++) {
		check_written(&m.v[i]);
		check_chain(&m, m.v[i].path);
	}
	return 0;
}
