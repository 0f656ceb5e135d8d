/* SPDX-License-Identifier: MIT */
/* What the files of struct live share; for them alone. */
#pragma once

#include "jail/live.h"

/* What the generation and its spec say, without a look at the host's state. */
int live_load_generation(struct live *l, struct err *e);

/* The generation that is current, its sockets, and what was edited while nothing ran; -EBUSY where
 * the native service is in the way. */
int live_load(struct live *l, struct err *e);

/* l->plan anew, with the root held; makes what the host lacks below its /run. */
int live_make_plan(struct live *l, struct err *e);

/* The socket behind the jail's /dev/log, and the plan's part in it. The second is for those that
 * hold no lock and run any number at once. */
int live_open_logging(struct live *l, struct err *e);
int live_open_shared_logging(struct live *l, struct err *e);

/* One start after live_load(), noted in RUN/NAME.json, up to the execve of the service. */
int live_begin(struct live *l, struct err *e);

/* Begins to answer what its system call filter asks. */
int live_refuse(struct live *l, struct err *e);
