/* SPDX-License-Identifier: MIT */
#pragma once

#include <jansson.h>

#include "jail/service.h"

/* One jail's status as `status --json` and `ls --json` show it. */
json_t *status_to_json(const char *name, const struct service_status *s);
