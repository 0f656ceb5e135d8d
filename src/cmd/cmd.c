/* SPDX-License-Identifier: MIT */
#include "cmd/cmd.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "jail/generation.h"

static const struct {
	int code, status;
} statuses[] = {
    {-EINVAL, EXIT_USAGE},  {-ENOENT, EXIT_USAGE},     {-EEXIST, EXIT_USAGE},
    {-EBADMSG, EXIT_USAGE}, {-EPERM, EXIT_PERMISSION}, {-EACCES, EXIT_PERMISSION},
    {-EREMOTEIO, EXIT_NO},  {-ECHILD, EXIT_NO},	       {-ETIME, EXIT_NO},
};

/* Messages hold names and lines that a service has chosen: of control bytes only the newline is let
 * through. */
static void print_message(const char *msg)
{
	CLEANUP_STR char *copy = xstrdup(msg);
	char *save = NULL;

	fputs("immure: ", stderr);
	for (char *l = strtok_r(copy, "\n", &save); l; l = strtok_r(NULL, "\n", &save))
		fprintf(stderr, "%s\n", str_printable(l));
}

int cmd_fail(const struct err *e)
{
	print_message(e->msg);
	for (size_t i = 0; i < ARRAY_LEN(statuses); i++)
		if (e->code == statuses[i].code)
			return statuses[i].status;
	return EXIT_HOST;
}

int cmd_lock(const struct invocation *in, int *ret_status)
{
	struct err e = {0};
	int lock = jail_lock(in->dirs, in->name, &e);

	if (lock < 0) {
		err_prefix(&e, "another command is changing this jail");
		*ret_status = cmd_fail(&e);
	}
	return lock;
}

int cmd_print_json(json_t *object)
{
	json_object_set_new(object, "schema", json_integer(1));
	json_dumpf(object, stdout, JSON_INDENT(2) | JSON_SORT_KEYS);
	putchar('\n');
	json_decref(object);
	return EXIT_GOOD;
}

json_t *cmd_json_string(const char *text)
{
	json_t *j = json_string(text);
	CLEANUP_STR char *safe = j ? NULL : xstrdup(text);

	return j ? j : json_string(str_printable(safe));
}

const char *cmd_size(long long bytes, char *buf, size_t size)
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
	double n = (double)bytes;
	size_t u = 0;

	while (n >= 1000 && u + 1 < ARRAY_LEN(units)) {
		n /= 1000;
		u++;
	}
	snprintf(buf, size, u ? "%.1f %s" : "%.0f %s", n, units[u]);
	return buf;
}
