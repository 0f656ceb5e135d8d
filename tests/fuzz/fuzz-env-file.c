/* SPDX-License-Identifier: MIT */
/* Any bytes as an EnvironmentFile: what comes out are assignments, each name once. */
#include <stdint.h>
#include <stdlib.h>

#include "spec/env-file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct strv env = STRV_INIT;

	env_file_parse((const char *)data, size, &env, NULL);
	for (size_t i = 0; i < env.n; i++)
		if (!env_assignment_ok(env.v[i]))
			abort();
	strv_done(&env);
	return 0;
}
