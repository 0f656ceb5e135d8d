/* SPDX-License-Identifier: MIT */
#include "spec/values.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/nearest.h"
#include "base/path.h"

/* Text of a message's size: values are as long as their author likes. */
#define SHOWN "%.100s"

static int bad(struct err *e, const char *text, const char *wanted)
{
	return err_set(e, -EINVAL, "'" SHOWN "' is not %s", text, wanted);
}

int value_bool(const char *text, bool *ret, struct err *e)
{
	static const struct {
		const char *word;
		bool value;
	} words[] = {{"1", true},  {"yes", true},    {"y", true},  {"true", true},
		     {"t", true},  {"on", true},     {"0", false}, {"no", false},
		     {"n", false}, {"false", false}, {"f", false}, {"off", false}};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcasecmp(text, words[i].word) == 0) {
			*ret = words[i].value;
			return 0;
		}
	return bad(e, text, "a boolean: yes or no");
}

/* A decimal number without sign, exponent or hexadecimal, which strtod() would take. Returns what
 * follows it, or NULL. */
static const char *decimal(const char *s, double *ret)
{
	const char *end = s + strspn(s, "0123456789");
	double scale = 1;

	if (end == s || end - s > 18)
		return NULL;
	for (*ret = 0; s < end; s++)
		*ret = *ret * 10 + (*s - '0');
	if (*end != '.')
		return end;
	for (end++; isdigit((unsigned char)*end); end++)
		*ret += (*end - '0') * (scale /= 10);
	return end;
}

static const struct {
	const char *name;
	double seconds;
} time_units[] = {
    {"seconds", 1},	 {"second", 1},	      {"sec", 1},     {"s", 1},
    {"minutes", 60},	 {"minute", 60},      {"min", 60},    {"months", 2629800},
    {"month", 2629800},	 {"M", 2629800},      {"msec", 1e-3}, {"ms", 1e-3},
    {"m", 60},		 {"hours", 3600},     {"hour", 3600}, {"hr", 3600},
    {"h", 3600},	 {"days", 86400},     {"day", 86400}, {"d", 86400},
    {"weeks", 604800},	 {"week", 604800},    {"w", 604800},  {"years", 31557600},
    {"year", 31557600},	 {"y", 31557600},     {"usec", 1e-6}, {"us", 1e-6},
    {"\xc2\xb5s", 1e-6}, {"\xce\xbcs", 1e-6},
};

/* The unit at @s, @fallback where there is none. Returns what follows it. */
static const char *time_unit(const char *s, double fallback, double *ret)
{
	size_t len = strcspn(s, " \t0123456789.");

	*ret = fallback;
	if (!len)
		return s;
	for (size_t i = 0; i < ARRAY_LEN(time_units); i++)
		if (strlen(time_units[i].name) == len && !strncmp(s, time_units[i].name, len)) {
			*ret = time_units[i].seconds;
			return s + len;
		}
	return NULL;
}

int value_time(const char *text, double unit, double *ret, struct err *e)
{
	const char *s = text + strspn(text, " \t");
	double sum = 0;

	if (streq(s, "infinity")) {
		*ret = INFINITY;
		return 0;
	}
	do {
		double n, of;
		s = decimal(s, &n);
		if (s)
			s = time_unit(s + strspn(s, " \t"), unit, &of);
		if (!s)
			return bad(e, text, "a time such as 90, 5min 20s or infinity");
		sum += n * of;
		s += strspn(s, " \t");
	} while (*s);
	*ret = sum;
	return 0;
}

/* The power of 1024 that @suffix means, or -1. */
static int size_power(const char *suffix)
{
	static const char letters[] = "BKMGTPE";
	const char *found = *suffix ? strchr(letters, *suffix) : letters;
	bool alone = !*suffix || !suffix[1] || (suffix[1] == 'B' && !suffix[2] && *suffix != 'B');

	return found && alone ? (int)(found - letters) : -1;
}

int value_size(const char *text, rlim_t *ret, struct err *e)
{
	double n = 0;

	if (streq(text, "infinity")) {
		*ret = RLIM_INFINITY;
		return 0;
	}
	const char *suffix = decimal(text, &n);
	if (suffix)
		suffix += strspn(suffix, " \t");
	int power = suffix ? size_power(suffix) : -1;
	double bytes = power < 0 ? -1 : n * (double)(1ull << (10 * power));
	if (bytes < 0 || bytes >= 0x1p64)
		return bad(e, text, "a size such as 4096, 512M or infinity");
	/* Whole numbers keep their last digit, which a double would lose. */
	*ret = power == 0 && !strchr(text, '.') ? strtoull(text, NULL, 10) : (rlim_t)bytes;
	return 0;
}

int value_size_or_percent(const char *text, struct err *e)
{
	double n;
	rlim_t size;
	const char *end = decimal(text, &n);

	if (end && streq(end, "%") && n <= 100)
		return 0;
	return value_size(text, &size, e);
}

int value_int(const char *text, long min, long max, int *ret, struct err *e)
{
	char *end;
	char wanted[80];

	errno = 0;
	long n = strtol(text, &end, 10);
	if (errno || end == text || *end || isspace((unsigned char)*text) || n < min || n > max) {
		snprintf(wanted, sizeof(wanted), "a number from %ld to %ld", min, max);
		return bad(e, text, wanted);
	}
	*ret = (int)n;
	return 0;
}

int value_mode(const char *text, unsigned *ret, struct err *e)
{
	size_t len = strspn(text, "01234567");
	unsigned long n = strtoul(text, NULL, 8);

	if (!len || text[len] || len > 8 || n > 07777)
		return bad(e, text, "an octal mode such as 0755");
	*ret = (unsigned)n;
	return 0;
}

static int signal_by_name(const char *name)
{
	for (int n = 1; n < SIGRTMIN; n++) {
		const char *known = sigabbrev_np(n);
		if (known && streq(name, known))
			return n;
	}
	return 0;
}

static int real_time_signal(const char *name)
{
	const char *up = str_after(name, "RTMIN"), *down = str_after(name, "RTMAX");
	const char *offset = up ? up : down;
	int n = 0;

	if (!offset || (*offset && *offset != (up ? '+' : '-')))
		return 0;
	if (*offset && value_int(offset + 1, 0, SIGRTMAX - SIGRTMIN, &n, NULL) < 0)
		return 0;
	return up ? SIGRTMIN + n : SIGRTMAX - n;
}

int value_signal(const char *text, int *ret, struct err *e)
{
	const char *name = str_after(text, "SIG");
	int n = 0;

	if (!name)
		name = text;
	if (value_int(text, 1, SIGRTMAX, &n, NULL) < 0)
		n = signal_by_name(name);
	if (!n)
		n = real_time_signal(name);
	if (!n)
		return bad(e, text, "a signal such as SIGTERM");
	*ret = n;
	return 0;
}

/* "+5" and "-5" are nice levels, which the kernel counts from 20 down; else the raw limit. */
static int limit_nice(const char *text, rlim_t *ret, struct err *e)
{
	bool level = *text == '+' || *text == '-';
	int n = 0;
	int r = level ? value_int(text, -20, 19, &n, e) : value_int(text, 0, 40, &n, e);

	if (r == 0)
		*ret = (rlim_t)(level ? 20 - n : n);
	return r;
}

/* Seconds (RLIMIT_CPU) or microseconds (RLIMIT_RTTIME). */
static int limit_time(const char *text, double unit, rlim_t *ret, struct err *e)
{
	double t = 0;
	int r = value_time(text, unit, &t, e);

	if (r < 0)
		return r;
	t = t / unit - 1e-9; /* rounded up, but not for what the division added */
	*ret = t >= 0x1p63 ? RLIM_INFINITY : t <= 0 ? 0 : (rlim_t)t + 1;
	return 0;
}

static int limit_count(const char *text, rlim_t *ret, struct err *e)
{
	size_t len = strspn(text, "0123456789");

	if (streq(text, "infinity")) {
		*ret = RLIM_INFINITY;
		return 0;
	}
	if (!len || len > 18 || text[len])
		return bad(e, text, "a number or infinity");
	*ret = strtoull(text, NULL, 10);
	return 0;
}

static int limit_one(const char *text, int resource, rlim_t *ret, struct err *e)
{
	static const bool counts[RLIM_NLIMITS] = {
	    [RLIMIT_NOFILE] = true, [RLIMIT_NPROC] = true,	[RLIMIT_LOCKS] = true,
	    [RLIMIT_RTPRIO] = true, [RLIMIT_SIGPENDING] = true,
	};

	if (streq(text, "infinity")) {
		*ret = RLIM_INFINITY;
		return 0;
	}
	if (resource == RLIMIT_NICE)
		return limit_nice(text, ret, e);
	if (resource == RLIMIT_CPU || resource == RLIMIT_RTTIME)
		return limit_time(text, resource == RLIMIT_CPU ? 1 : 1e-6, ret, e);
	return counts[resource] ? limit_count(text, ret, e) : value_size(text, ret, e);
}

int value_rlimit(const char *text, int resource, struct rlimit *ret, struct err *e)
{
	CLEANUP_STR char *soft = xstrndup(text, strcspn(text, ":"));
	const char *hard = text[strlen(soft)] ? text + strlen(soft) + 1 : soft;
	struct rlimit l = {0};
	int r = limit_one(soft, resource, &l.rlim_cur, e);

	if (r == 0)
		r = limit_one(hard, resource, &l.rlim_max, e);
	if (r == 0 && l.rlim_cur > l.rlim_max)
		r = bad(e, text, "a limit: the soft one is above the hard one");
	if (r == 0)
		*ret = l;
	return r;
}

static bool has_dots(const char *path)
{
	for (const char *s = path; (s = strstr(s, "..")); s++)
		if ((s == path || s[-1] == '/') && (!s[2] || s[2] == '/'))
			return true;
	return false;
}

int value_path(const char *text, char **ret, struct err *e)
{
	if (text[0] != '/')
		return bad(e, text, "an absolute path");
	if (has_dots(text))
		return bad(e, text, "a plain path: it holds \"..\"");
	if (strlen(text) >= 4096)
		return bad(e, text, "a path: it is too long");
	*ret = path_normal(text);
	return 0;
}

int value_word(const char *text, const char *const *words, size_t n, int *ret, struct err *e)
{
	struct nearest near = NEAREST_OF(text);
	char hint[NEAREST_HINT_MAX], all[256] = "";

	for (size_t i = 0; i < n; i++) {
		if (streq(text, words[i])) {
			*ret = (int)i;
			return 0;
		}
		nearest_offer(&near, words[i]);
		size_t used = strlen(all);
		snprintf(all + used, sizeof(all) - used, "%s%s", i ? ", " : "", words[i]);
	}
	nearest_hint(&near, "", hint);
	return err_set(e, -EINVAL, "'" SHOWN "' is not one of %s%s", text, all, hint);
}

int value_account(const char *text, struct err *e)
{
	size_t digits = strspn(text, "0123456789"), len = strlen(text);

	if (digits && digits == len && len <= 10 && strtoull(text, NULL, 10) < UINT32_MAX)
		return 0;
	bool plain =
	    len && len <= 255 && digits != len && text[0] != '-' && !strpbrk(text, "/: \t");
	return plain ? 0 : bad(e, text, "the name or number of an account");
}
