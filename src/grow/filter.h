/* SPDX-License-Identifier: MIT */
/* The filter under which baseline and growth run: calls of the table go to the supervisor, io_uring
 * does not exist (ENOSYS), nor do foreign architectures and x32; all else passes untouched. */
#pragma once

#include <linux/filter.h>
#include <stdbool.h>

#include "base/err.h"

/* Generates the program; the caller's to release with filter_free(). With @receipts also what a
 * service accepts and receives is told to the supervisor, which counts it. */
int filter_make(struct sock_fprog *ret, bool receipts, struct err *e);
void filter_free(struct sock_fprog *f);
