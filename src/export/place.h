/* SPDX-License-Identifier: MIT */
/* What tells an init system of a jail, as text: a unit, a drop-in that puts the jail in a unit's
 * place, an LSB script. Nothing is written here. */
#pragma once

#include "keep/dirs.h"
#include "spec/spec.h"
#include "spec/unit.h"

struct place {
	const char *name;	 /* of the jail */
	const char *program;	 /* absolute: immure itself */
	const struct dirs *dirs; /* named in the text where they are not the standard ones */
	const struct spec *spec;
};

/* The drop-in UNIT.d/zz-immure.conf (systemd.service(5)): the unit keeps its name, its
 * dependencies, its restarts and the limits of its control group; its Exec lines go to the jail;
 * every directive of @unit that would bind the launcher is reset, since the spec has it. New
 * string. */
char *place_drop_in(const struct place *p, const struct unit_report *unit);

/* Adds the directives of @unit that the drop-in resets and that no jail holds (yet): in these the
 * service is weaker confined than it was. */
void place_lost(const struct unit_report *unit, struct strv *ret);

/* A unit of its own for a jail that came from no unit. New string. */
char *place_unit(const struct place *p);

/* An init script with the verbs and exit codes of the LSB core specification 3.1, "Init Script
 * Actions". New string. */
char *place_initscript(const struct place *p);

/* Lines for rsyslogd(8) and syslog-ng(8): a socket of theirs for a jail with Syslog=daemon. New
 * strings. */
char *place_rsyslog(const struct place *p);
char *place_syslog_ng(const struct place *p);
