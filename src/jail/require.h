/* SPDX-License-Identifier: MIT */
/* Walls that this kernel may lack (confine/host-walls.h): those that Require= asks for must stand.
 */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "spec/spec.h"

/* 0, or an error that names the wall: -EINVAL where there is none of that name, -EOPNOTSUPP where
 * this kernel lacks it. */
int require_check(const struct spec *s, struct err *e);

/* Adds the names of extra walls that this kernel lacks. */
void require_missing(struct strv *ret);

/* Adds those of @lacking (names as above) that this kernel has now. Nothing is tried where nothing
 * was lacking. */
void require_came(const struct strv *lacking, struct strv *ret);
