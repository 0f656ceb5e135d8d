/* SPDX-License-Identifier: MIT */
/* What the module that the configuration names says. */
#include "asked.h"

#include <dlfcn.h>

void answer(const char *const words[4], FILE *out)
{
	char path[600];

	(void)words;
	snprintf(path, sizeof(path), "%s/%s", setting("prefix"), setting("module"));
	void *module = dlopen(path, RTLD_NOW);
	const char *(*says)(void) = module ? (const char *(*)(void))dlsym(module, "says") : NULL;
	fprintf(out, "%s\n", says ? says() : "error: no module");
}
