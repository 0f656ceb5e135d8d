/* SPDX-License-Identifier: MIT */
/* The minimal /dev: the nodes every program may expect and none that reaches hardware. */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>

#include "base/err.h"

/* Fills the empty directory @dev (a fresh tmpfs) with the nodes of the allow-list, the links fd,
 * stdin, stdout, stderr, an own devpts with ptmx, and an own /dev/shm. Its root is user @base
 * outside (plan.h). */
int device_populate(int dev, uid_t base, struct err *e);

/* Makes @name below @dir a node like @st (owner, mode, number), where its number is that of the
 * allow-list; -EPERM for every other device. */
int device_copy(const struct stat *st, int dir, const char *name);

/* Whether "/dev/NAME" is one of the nodes of the minimal /dev. */
bool device_is_minimal(const char *path);
