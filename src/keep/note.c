/* SPDX-License-Identifier: MIT */
#include "keep/note.h"

#include <unistd.h>

#include "base/alloc.h"
#include "fs/temp.h"

int note_put(int run, const char *name, const char *suffix, const char *text)
{
	CLEANUP_STR char *file = xasprintf("%s.%s", name, suffix);

	return temp_write(run, file, text, 0644);
}

int note_write(int run, const char *name, const struct note *n)
{
	CLEANUP_STR char *text =
	    xasprintf("{\"generation\":%d,\"init\":%d,\"main\":%d%s%s,\"schema\":1,"
		      "\"started\":\"%s\",\"supervisor\":%d}",
		      n->generation, (int)n->init, (int)n->main, n->told ? ",\"note\":" : "",
		      n->told ? n->told : "", n->started, (int)n->supervisor);

	return note_put(run, name, "json", text);
}

void note_remove(int run, const char *name, const char *suffix)
{
	CLEANUP_STR char *file = xasprintf("%s.%s", name, suffix);

	unlinkat(run, file, 0);
}
