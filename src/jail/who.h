/* SPDX-License-Identifier: MIT */
/* Whom the processes of a run run as: the accounts that a service switches to. */
#pragma once

#include <sys/types.h>

#include "confine/run.h"

struct who {
	uid_t *uids; /* each once */
	size_t n_uids;
	gid_t *gids; /* supplementary ones too */
	size_t n_gids;
};
#define WHO_INIT                                                                                   \
	{                                                                                          \
		0                                                                                  \
	}
#define CLEANUP_WHO CLEANUP(who_done)
void who_done(struct who *w);

/* Adds the ids of all processes below the init of @r, as they are now. */
void who_look(struct who *w, const struct run *r);
void who_add_uid(struct who *w, uid_t uid);
void who_add_gid(struct who *w, gid_t gid);
