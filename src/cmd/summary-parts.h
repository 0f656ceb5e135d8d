/* SPDX-License-Identifier: MIT */
/* What the two forms of a summary share. Private to them. */
#pragma once

#include "jail/build.h"

/* What the jail holds itself. */
struct totals {
	size_t files, set_id;
	long long bytes;
	struct strv secrets, programs;
};

void totals_count(const struct manifest *m, struct totals *t);
void totals_done(struct totals *t);

void summary_json(const struct spec *s, const struct build_report *r, const struct strv *notes);
