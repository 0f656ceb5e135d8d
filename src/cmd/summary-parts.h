/* SPDX-License-Identifier: MIT */
/* What the two forms of a summary share. `prove` shares its steps with them. */
#pragma once

#include <jansson.h>

#include "jail/build.h"

/* What the jail holds itself. */
struct totals {
	size_t files, set_id;
	long long bytes;
	struct strv secrets, programs;
};

void totals_count(const struct manifest *m, struct totals *t);
void totals_done(struct totals *t);

void list_print(const char *title, const struct strv *list, size_t most);
json_t *list_json(const struct strv *list);
void steps_print(const struct proof_result *r);
json_t *steps_json(const struct proof_result *r);

void summary_json(const struct spec *s, const struct build_report *r, const struct strv *notes);
