/* SPDX-License-Identifier: MIT */
/* Whether a service writes to syslog(3): whether its jail needs a /dev/log. */
#pragma once

#include <stdbool.h>

#include "grow/record.h"
#include "jail/manifest.h"
#include "ld/library.h"

#define LOG_SOCKET "/dev/log"

/* It is a log daemon itself: the socket is its own to make. */
bool log_use_serves(const struct record *r);

/* It has connected or sent there. */
bool log_use_seen(const struct record *r);

/* A file of @m, other than the C library, imports one of its functions. */
bool log_use_foreseen(const struct manifest *m, struct library_files *files);
