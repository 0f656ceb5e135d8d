/* SPDX-License-Identifier: MIT */
#pragma once

#include <jansson.h>

#include "cmd/cmd.h"
#include "jail/service.h"
#include "jail/usage.h"

/* What status, ls and the formats for other programs show of one jail. */
struct status_row {
	const char *name; /* borrowed */
	struct service_status service;
	struct usage usage;
};

/* As service_status(), and what it uses. */
int status_row(const struct dirs *d, const char *name, struct status_row *ret, struct err *e);

/* One jail's status as `status --json` and `ls --json` show it. */
json_t *status_to_json(const struct status_row *row);

/* The text exposition format of Prometheus, version 0.0.4. */
void status_prometheus(const struct status_row *rows, size_t n);

/* `check --format nagios`: one line with what monitoring plugins are to say, and their exit status,
 * by the Monitoring Plugins Development Guidelines. @all: no jail was named; one that was stopped
 * is no trouble then. */
int status_nagios(const struct invocation *in, const struct strv *names, bool all, bool deep);
