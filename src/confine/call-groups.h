/* SPDX-License-Identifier: MIT */
/* Groups of system calls, as SystemCallFilter= of systemd.exec(5) names them. */
#pragma once

/* What group @name ("@clock") stands for: calls and groups, parted by single blanks. NULL where
 * there is no such group. */
const char *call_group(const char *name);
