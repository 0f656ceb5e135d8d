/* SPDX-License-Identifier: MIT */
/* The three directories that everything lives below; a test puts them elsewhere. */
#pragma once

#include "base/err.h"

struct dirs {
	char *config; /* IMMURE_CONFIG_DIR, /etc/immure: specs */
	char *state;  /* IMMURE_STATE_DIR, /var/lib/immure: jails, scratch */
	char *run;    /* IMMURE_RUN_DIR, /run/immure: what runs now */
};

/* Reads the environment. -EINVAL for a relative path, with the variable's name. */
int dirs_init(struct dirs *ret, struct err *e);
void dirs_done(struct dirs *d);

/* STATE/jails/NAME, or @rest in it where that is not NULL; new. */
char *jail_path(const struct dirs *d, const char *name, const char *rest);
