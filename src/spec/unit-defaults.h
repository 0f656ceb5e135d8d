/* SPDX-License-Identifier: MIT */
/* What systemd gives every service that does not say otherwise: the manager's limits, time-outs and
 * environment (systemd-system.conf(5)), and the host's locale (locale.conf(5)). A service that came
 * from a unit finds in the jail what it had. */
#pragma once

#include "spec/spec.h"

/* Adds settings to @s for what it has not set itself, with the file they come from as origin. @root
 * is O_PATH. Files that are not there say nothing; -errno with the file's name where one cannot be
 * read. */
int unit_defaults(int root, struct spec *s, struct err *e);
