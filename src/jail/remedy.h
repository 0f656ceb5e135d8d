/* SPDX-License-Identifier: MIT */
/* The one line of the spec that would bring a path of the host into a jail. */
#pragma once

#include <sys/stat.h>

#include "spec/spec.h"

struct remedy {
	char *line; /* "Include=/usr/bin/perl", as a spec has it; NULL where no line would do */
	enum spec_section section; /* of the line */
	char *note;		   /* one line for people: what it means, or why there is none */
};
#define REMEDY_INIT                                                                                \
	{                                                                                          \
		0                                                                                  \
	}
void remedy_done(struct remedy *r);

/* @path as the spec shall name it, canonical @end and @st where it leads to below the O_PATH root
 * @host. */
void remedy_for_path(int host, const char *path, const char *end, const struct stat *st,
		     struct remedy *ret);

/* For a user or group that the host has. */
void remedy_for_account(struct remedy *ret);
