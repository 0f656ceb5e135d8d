/* SPDX-License-Identifier: MIT */
/* A /dev/log for twins: what they say is nobody's to read, and a service that finds no syslog, or
 * one that does not take its messages, would not behave as it does. */
#pragma once

/* A datagram socket that takes every message and keeps none; nobody needs to read from it. Its
 * descriptor, to be held as long as the world, or -errno. */
int log_nowhere(void);

/* Binds it at /dev/log of the world whose root is @root. For a process that sees /proc. */
int log_place(int log, int root);
