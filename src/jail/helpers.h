/* SPDX-License-Identifier: MIT */
/* Start helpers: what only a start wrapper touched, a program that ran while the service started
 * and not again. A path that the service's own programs touched too is none. */
#pragma once

#include "confine/run.h"
#include "grow/record.h"
#include "jail/manifest.h"

/* Whether @program is this one: until it executes the service our own process makes calls, too. */
bool helpers_ours(const char *program);

/* Adds the programs that @r runs at rest, but for those that only wait for a child: no wrapper,
 * even if nothing that the service does later is a call that is recorded. helpers_exclude() tells
 * the record so, when nobody writes it any more. */
void helpers_look(const struct run *r, struct strv *ret);
void helpers_exclude(struct record *baseline, const struct strv *at_rest);

/* Adds the programs of the baseline that are wrappers only, sorted. */
void helpers_programs(const struct record *baseline, struct strv *ret);

/* Whether @path is a start helper by both records (@growth may be NULL). False for what no run has
 * touched. */
bool helpers_has(const struct record *baseline, const struct record *growth, const char *path);
