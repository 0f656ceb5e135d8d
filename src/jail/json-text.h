/* SPDX-License-Identifier: MIT */
/* Bytes in JSON. Paths are bytes, JSON strings are UTF-8: a byte that is part of no valid
 * character, a control byte and the backslash itself are written as \xNN, and read back as they
 * were. */
#pragma once

#include <jansson.h>

#include "base/str.h"

json_t *json_text(const char *bytes);

/* The bytes of @j, new; NULL where it is no string or not so written. */
char *json_text_value(const json_t *j);

/* The same for lists: an array of texts; those of an array are added, what is no text is passed
 * over. */
json_t *json_texts(const struct strv *list);
void json_texts_value(const json_t *j, struct strv *ret);
