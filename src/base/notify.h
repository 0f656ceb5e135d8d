/* SPDX-License-Identifier: MIT */
/* Tells the service manager that started us how things stand: sd_notify(3), "Notes". */
#pragma once

#include <stdbool.h>

/* Whether anybody wants to know: NOTIFY_SOCKET is set. */
bool notify_wanted(void);

/* Sends "READY=1" and the like; lines are joined by newlines. 0, also where nobody wants to know;
 * -errno. */
int notify_send(const char *lines);
