/* SPDX-License-Identifier: MIT */
/* Time zones: the host's, the one of TZ, and those that are named; all of them for a program whose
 * clients choose. */
#include <string.h>

#include "base/alloc.h"
#include "base/path.h"
#include "foresee/families-parts.h"

#define ZONEINFO  "/usr/share/zoneinfo"
#define ZONES_MAX 4096

static void take_zone(struct families *f, const struct met *m, const char *name, const char *said)
{
	CLEANUP_STR char *path = name[0] == '/' ? xstrdup(name) : path_join(ZONEINFO, name);

	if (part_is_file(f, path))
		part_take_for(f, m, m->object, path, "%s names %s", said, name);
}

void family_zone_take(struct families *f, const struct met *m, const struct elf_object *o)
{
	const char *tz = part_env(f, "TZ");

	(void)o;
	if (tz)
		take_zone(f, m, tz + (tz[0] == ':'), "TZ of the environment");
}

/* "Europe/Berlin"; of the short names only those that are no word of a language. */
void family_zone_word(struct families *f, const struct met *m, const char *word)
{
	bool plain = streq(word, "UTC") || streq(word, "GMT");

	if (plain || (word[0] != '/' && strchr(word, '/')))
		take_zone(f, m, word, "configuration");
}

/* A program with the tree's path in it has zones as names from its clients. */
void family_zone_tree(struct families *f, const struct met *m, const struct elf_object *o)
{
	static const char *const other_clocks[] = {"posix", "right", NULL};

	(void)o;
	evidence_take_tree(f->c.ev, ZONEINFO, ZONES_MAX, other_clocks, REASON_FAMILY, m->object,
			   "family zone: %s", m->cause);
}
