/* SPDX-License-Identifier: MIT */
/* apk's database of what is installed: lines of a letter, a colon and a value, a blank line after
 * each package. F: is a directory, each R: after it a file in it. apk-tools, src/database.c. */
#include "host/package-db.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>

#include "base/alloc.h"

static const char *const places[] = {"/lib/apk/db/installed", "/usr/lib/apk/db/installed"};

/* The fields that stand before a package's first directory. */
static const struct {
	char letter;
	size_t offset;
} fields[] = {
    {'P', offsetof(struct package_text, name)},
    {'V', offsetof(struct package_text, version)},
    {'A', offsetof(struct package_text, arch)},
    {'o', offsetof(struct package_text, source)},
};

struct reading {
	struct packages *p;
	struct package_text text;
	bool added;
	struct span dir;
};

/* "usr/bin" and "env": "/usr/bin/env". */
static void add_path(struct packages *p, struct span dir, struct span name)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "/%.*s%s%.*s", (int)dir.n, dir.s, dir.n ? "/" : "",
			 (int)name.n, name.s);

	if (n < (int)sizeof(path))
		package_db_path(p, (struct span){path, (size_t)n});
}

static void end_header(struct reading *rd)
{
	if (!rd->added && rd->text.name.n) {
		package_db_add(rd->p, &rd->text);
		rd->added = true;
	}
}

static void read_field(struct reading *rd, char letter, struct span value)
{
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		if (fields[i].letter == letter)
			*(struct span *)((char *)&rd->text + fields[i].offset) = value;
}

static void read_file(struct reading *rd, char letter, struct span value)
{
	static const struct span none = {"", 0};

	end_header(rd);
	if (letter == 'F')
		rd->dir = value;
	if (rd->added)
		add_path(rd->p, rd->dir, letter == 'R' ? value : none);
}

static void read_line(struct reading *rd, struct span line)
{
	struct span value = line, letter = span_cut(&value, ':');

	if (!line.n) {
		end_header(rd);
		*rd = (struct reading){.p = rd->p};
	} else if (span_is(letter, "F") || span_is(letter, "R")) {
		read_file(rd, letter.s[0], value);
	} else if (letter.n == 1) {
		read_field(rd, letter.s[0], value);
	}
}

void apk_parse(struct packages *p, struct span installed)
{
	struct reading rd = {.p = p};

	while (installed.n)
		read_line(&rd, span_cut(&installed, '\n'));
	end_header(&rd);
}

static int load(int root, struct packages *p, struct err *e)
{
	CLEANUP_STR char *installed = NULL;
	size_t len;
	int r = -ENOENT;

	for (size_t i = 0; i < ARRAY_LEN(places) && r == -ENOENT; i++) {
		r = package_db_read(root, places[i], &installed, &len);
		if (r < 0 && r != -ENOENT)
			return err_errno(e, r, "reading %s", places[i]);
	}
	if (r == 0)
		apk_parse(p, (struct span){installed, len});
	return r;
}

const struct package_backend apk_backend = {"apk", '.', load};
