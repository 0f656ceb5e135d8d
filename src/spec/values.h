/* SPDX-License-Identifier: MIT */
/* The kinds of value that systemd's vocabulary has, from text. All are pure, write *ret only on
 * success, and return 0 or -EINVAL with a message that quotes the text and says what is wanted. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>

#include "base/err.h"
#include "base/str.h"

/* 1 yes y true t on; 0 no n false f off. */
int value_bool(const char *text, bool *ret, struct err *e);

/* A time span (systemd.time(7)): "90", "5min 20s", "1.5h", "infinity" (then *ret is INFINITY). A
 * bare number counts @unit seconds. In seconds. */
int value_time(const char *text, double unit, double *ret, struct err *e);

/* Bytes: "512M" (to the base of 1024: K M G T P E), "infinity" (RLIM_INFINITY). */
int value_size(const char *text, rlim_t *ret, struct err *e);

/* As value_size(), also "30%". For values that are kept as text. */
int value_size_or_percent(const char *text, struct err *e);

/* A whole number from @min to @max. */
int value_int(const char *text, long min, long max, int *ret, struct err *e);

/* An octal mode up to 07777. */
int value_mode(const char *text, unsigned *ret, struct err *e);

/* "SIGTERM", "TERM", "15", "RTMIN+3". */
int value_signal(const char *text, int *ret, struct err *e);

/* The limit @resource (RLIMIT_*): "N", "SOFT:HARD", "infinity"; sizes, times and nice levels in
 * their own units. -EINVAL also where SOFT is above HARD. */
int value_rlimit(const char *text, int resource, struct rlimit *ret, struct err *e);

/* An absolute path without "..", made normal, new. */
int value_path(const char *text, char **ret, struct err *e);

/* One of @words; *ret is its index. */
int value_word(const char *text, const char *const *words, size_t n, int *ret, struct err *e);

/* A user or group: a name as systemd takes it, or a number. */
int value_account(const char *text, struct err *e);
