/* SPDX-License-Identifier: MIT */
/* What package upgrades leave to be done.
 *
 * The hook of apt (data/apt) only marks: it touches RUN/upgraded, and cannot make an upgrade fail.
 * A timer asks once a minute whether the mark has been quiet for a while and nobody holds the
 * package database; only then jails are updated. A jail whose update was not proved goes on as it
 * is, and is degraded until one is. */
#pragma once

#include <time.h>

#include "base/clock.h"
#include "base/err.h"
#include "jail/layout.h"
#include "keep/dirs.h"
#include "spec/spec.h"

/* How long after the last mark it is taken for the end of an upgrade, in seconds. */
#define UPGRADE_QUIET_S 60

enum upgrade_state {
	UPGRADE_NONE, /* nobody has upgraded anything */
	UPGRADE_WAIT, /* an upgrade is under way, or just was */
	UPGRADE_DUE,
};

/* *ret_mark is the time of the mark, for upgrade_taken(). */
enum upgrade_state upgrade_look(const struct dirs *d, struct timespec *ret_mark);

/* Takes the mark away, but for one that was made anew meanwhile. */
void upgrade_taken(const struct dirs *d, const struct timespec *mark);

/* What Update= says for this jail; where it says nothing, a service that has state of its own is
 * not restarted by itself. */
enum update upgrade_wish(const struct spec *s, const struct layout *l);

/* Notes that the update of @name was not proved, since now where it is not noted yet. */
int upgrade_failed(const struct dirs *d, const char *name, struct err *e);
void upgrade_proved(const struct dirs *d, const char *name);

/* Whether it is noted; @ret is since when, RFC 3339. */
bool upgrade_degraded(const struct dirs *d, const char *name, char ret[CLOCK_TEXT_MAX]);
