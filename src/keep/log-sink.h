/* SPDX-License-Identifier: MIT */
/* The ways out for the relay, which may open nothing by itself: where Syslog= of a spec leads. */
#pragma once

#include "base/err.h"
#include "relay/message.h"
#include "relay/wire.h"

/* The host's own socket; IMMURE_SYSLOG_SOCKET names another one, for tests and odd hosts. */
const char *log_sink_host(void);

/* How messages are written for @syslog (a value of Syslog=). */
enum message_form log_sink_form(const char *syslog);

/* Answers a WIRE_WANT on @conn with a descriptor, or with none where it cannot be had just now. A
 * name is resolved, and a far host waited for, by a child: then what is returned is a descriptor
 * from which log_sink_pass_on() can read the answer once it is readable. Else -1. */
int log_sink_answer(int conn, const char *syslog);

/* Sends on to @conn (-1: nobody) what the child has found; a child that has died has found none. */
void log_sink_pass_on(int child, int conn);

/* A number that is another one where @syslog leads elsewhere. */
uint64_t log_sink_number(const char *syslog);

/* The path of Syslog=file:PATH, or NULL. */
const char *log_sink_file(const char *syslog);
