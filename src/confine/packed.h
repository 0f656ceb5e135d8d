/* SPDX-License-Identifier: MIT */
/* A plan as bytes: what immure-launch reads, and what a generation keeps of its walls, so that no
 * start has to parse JSON or to generate a filter.
 *
 *   magic "immure", version, length, checksum | the fields of struct plan, in one order
 *
 * Numbers are the host's own: an image is made and read by one build of immure on one machine. The
 * checksum (FNV-1a) finds what rotted or was cut off; it is no seal against whoever may write it.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "confine/landlock.h"
#include "confine/plan.h"
#include "confine/walls.h"

/* The bytes of @p, new, the caller's to free. Descriptors in it are written as their numbers: they
 * mean something only to whoever inherits them. */
char *packed_write(const struct plan *p, size_t *ret_len);

/* What a plan that was read points into. It is not to be moved. */
struct packed {
	struct plan plan;
	struct walls walls;
	struct landlock landlock;
	struct strv execute;
	struct sock_fprog filter, last;
};
#define CLEANUP_PACKED CLEANUP(packed_done)
void packed_done(struct packed *p);

/* @ret borrows from @bytes. -EBADMSG with a message where they are not the whole of an image,
 * -ESTALE where it is of another version. */
int packed_read(const char *bytes, size_t len, struct packed *ret, struct err *e);
