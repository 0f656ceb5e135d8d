/* SPDX-License-Identifier: MIT */
/* What `immure why` says of a right: who needed it, or which line would grant it. */
#pragma once

#include "jail/generation.h"

struct right_answer {
	bool granted;
	char *text;   /* what grants it, or why nothing does */
	char *remedy; /* the line of [Jail] that would grant it, or NULL where none can */
};
#define RIGHT_ANSWER_INIT                                                                          \
	{                                                                                          \
		0                                                                                  \
	}
#define CLEANUP_RIGHT_ANSWER CLEANUP(right_answer_done)
void right_answer_done(struct right_answer *a);

/* -EINVAL where @asked is neither a right nor a question of another sort. */
int right_answer(const struct generation *g, const char *asked, struct right_answer *ret,
		 struct err *e);
