/* SPDX-License-Identifier: MIT */
#include "confine/cgroup-parts.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"

/* The next control group file system of mountinfo, proc(5); false at the end. */
static bool next_hierarchy(FILE *f, struct hierarchy *h)
{
	char line[4096], type[64];

	while (f && fgets(line, sizeof(line), f)) {
		const char *after = strstr(line, " - cgroup");
		if (!after || sscanf(line, "%*d %*d %*s %*s %1023s", h->point) != 1 ||
		    sscanf(after, " - %63s %*s %511s", type, h->options) != 2)
			continue;
		h->unified = streq(type, "cgroup2");
		if (h->unified || streq(type, "cgroup"))
			return true;
	}
	return false;
}

void hierarchies_read(struct hierarchies *ret)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");

	ret->n = 0;
	ret->unified = NULL;
	while (ret->n < HIERARCHIES_MAX && next_hierarchy(f, &ret->v[ret->n])) {
		if (ret->v[ret->n].unified && !ret->unified)
			ret->unified = &ret->v[ret->n];
		ret->n++;
	}
	if (f)
		fclose(f);
}

/* Among the options of the mount are its controllers: "rw,cpu,cpuacct". */
bool hierarchy_has(const struct hierarchy *h, const char *controller)
{
	size_t len = strlen(controller);

	for (const char *o = h->options; !h->unified && *o; o += strspn(o, ",")) {
		size_t n = strcspn(o, ",");
		if (n == len && strncmp(o, controller, len) == 0)
			return true;
		o += n;
	}
	return false;
}

long long cgroup_number(const char *dir, const char *file, const char *key)
{
	char text[4096];
	CLEANUP_STR char *path = path_join(dir, file);
	CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (n <= 0)
		return -1;
	text[n] = '\0';
	char *save;
	for (char *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		const char *number = key ? str_after(l, key) : l;
		if (number && number[strspn(number, " ")] >= '0' &&
		    number[strspn(number, " ")] <= '9')
			return strtoll(number, NULL, 10);
	}
	return -1;
}
