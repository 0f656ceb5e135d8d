/* SPDX-License-Identifier: MIT */
/* Reads an installed systemd unit into a spec: fragments, drop-ins, templates, specifiers,
 * EnvironmentFile names. No systemd needs to run.
 *
 * Each directive is taken into the spec, redundant in a jail, or not taken; none is dropped in
 * silence: the list in struct unit_report says which, and why. Unit files are root's own, but they
 * are parsed as if hostile (bounded, fuzzed). */
#pragma once

#include "spec/spec.h"

enum unit_verdict { UNIT_TAKEN, UNIT_REDUNDANT, UNIT_NOT_TAKEN };

struct unit_note {
	enum unit_verdict verdict;
	char *key, *value;
	char *origin; /* "/lib/systemd/system/redis-server.service:12" */
	char *why;    /* for the last two; NULL where taken */
};

struct unit_report {
	struct unit_note *v;
	size_t n;
};
void unit_report_done(struct unit_report *r);

/* The drop-in by which `immure enable` sends the unit's Exec lines to the jail. It is passed over
 * here, so that an enabled unit still reads as it was shipped. */
#define UNIT_OWN_DROP_IN "zz-immure.conf"

/* Finds @unit ("apache2.service", "apache2", "postgresql@15-main.service") in systemd's directories
 * below the directory @root ("/" outside tests), merges its drop-ins (also of the template and of
 * "service.d"), follows aliases, and fills @s through spec_set(), with what the manager gives every
 * service at the end (spec/unit-defaults.h). -ENOENT names where it looked and
 * the nearest unit there is; a masked unit is -ENOENT too, and says so. */
int unit_load(const char *root, const char *unit, struct spec *s, struct unit_report *ret,
	      struct err *e);

/* The parsing half, pure: one fragment's text into notes and settings. For the fuzzer and tests. As
 * in systemd a line that is wrong is noted and passed over; -EINVAL is for text that cannot be
 * split into lines and sections at all. @unit is the full name, for the specifiers. */
int unit_parse(const char *text, size_t len, const char *file, const char *unit, struct spec *s,
	       struct unit_report *ret, struct err *e);
