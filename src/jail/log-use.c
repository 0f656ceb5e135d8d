/* SPDX-License-Identifier: MIT */
#include "jail/log-use.h"

#include <sys/stat.h>

#include "base/attr.h"
#include "base/str.h"

/* openlog(3) alone sends nothing. The fortified forms are glibc's. */
static const char *const functions[] = {"syslog", "vsyslog", "__syslog_chk", "__vsyslog_chk"};

static bool touched(const struct record *r, unsigned kinds)
{
	for (const struct touch *t = r->touches; t; t = t->hh.next)
		if (t->kinds & kinds && streq(t->path, LOG_SOCKET))
			return true;
	return false;
}

bool log_use_serves(const struct record *r)
{
	return touched(r, TOUCH_BIND);
}

bool log_use_seen(const struct record *r)
{
	return touched(r, TOUCH_CONNECT);
}

bool log_use_foreseen(const struct manifest *m, struct library_files *files)
{
	for (size_t i = 0; i < m->n; i++) {
		const struct entry *en = &m->v[i];
		const struct library *l =
		    entry_is_held(en) && S_ISREG(en->mode) ? library_at(files, en->path) : NULL;
		for (size_t k = 0; l && k < ARRAY_LEN(functions); k++)
			if (elf_imports(&l->object, functions[k]))
				return true;
	}
	return false;
}
