/* SPDX-License-Identifier: MIT */
/* What a service tried to talk to and a build does not reach: no network leads out of a world, and
 * the sockets of other services are not in it. It explains a service that fails there only. */
#pragma once

#include "grow/record.h"

/* Adds the addresses ("10.0.0.5:5432") and the sockets of others, sorted. As for unreached_text().
 */
void unreached_peers(const struct record *r, struct strv *ret);
void unreached_sockets(const struct record *r, struct strv *ret);

/* A clause to put behind the message of a failure, beginning with "; ", that names the first few of
 * them with what helps; "" where there are none. New string. @r belongs to the supervisor while
 * one runs: only after supervisor_stop(). */
char *unreached_text(const struct record *r);
