/* SPDX-License-Identifier: MIT */
/* Programs and scripts in content that is bound from the host: the files need no copy, but what
 * they run with does. */
#include <string.h>

#include "base/alloc.h"
#include "base/path.h"
#include "foresee/parts.h"
#include "host/host.h"

/* Files looked at in one directory: a web site's scripts are few, its pictures many. */
#define LOOK_MAX 20000

/* Names of scripts that need no x bit: an interpreter that is in the service reads them. */
static const char *const script_names[] = {".php", ".phtml", ".pl", ".pm", ".psgi", ".cgi", ".fcgi",
					   ".py",  ".wsgi",  ".rb", ".ru", ".sh",   ".lua"};

static bool is_named_script(const char *name)
{
	const char *dot = strrchr(name, '.');

	for (size_t i = 0; dot && i < ARRAY_LEN(script_names); i++)
		if (streq(dot, script_names[i]))
			return true;
	return false;
}

static void look(struct foresee *f, const char *top, const char *dir, size_t *budget)
{
	struct strv names CLEANUP_STRV = STRV_INIT;

	host_names(f->in->host, dir, &names);
	for (size_t i = 0; i < names.n && *budget; i++, (*budget)--) {
		CLEANUP_STR char *path = path_join(dir, names.v[i]);
		CLEANUP_STR char *end = NULL;
		struct stat st;
		if (host_resolve(f->in->host, path, &end, &st, NULL) < 0)
			continue;
		if (S_ISDIR(st.st_mode) && streq(end, path))
			look(f, top, path, budget);
		else if (S_ISREG(st.st_mode) && (st.st_mode & 0111 || is_named_script(path)))
			evidence_take(f->ev, path, REASON_BELOW, top, "in %s, which the host shows",
				      top);
	}
}

void content_look(struct foresee *f, const char *dir)
{
	size_t budget = LOOK_MAX;

	look(f, dir, dir, &budget);
	if (!budget)
		evidence_pass(f->ev, dir,
			      "only the first %d names in it were looked at for scripts", LOOK_MAX);
}
