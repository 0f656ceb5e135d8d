/* SPDX-License-Identifier: MIT */
/* What a service or an exercise printed, made fit to be shown. It is hostile text. */
#pragma once

/* The last lines of the file @fd (at most 10, at most 800 bytes), printable, indented; "" where
 * there is nothing. New string. */
char *output_tail(int fd);
