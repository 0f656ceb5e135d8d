/* SPDX-License-Identifier: MIT */
/* var/lib/dpkg: status (deb822(5)), info/NAME.list or NAME:ARCH.list with a path a line, and
 * diversions with three lines each. */
#include "host/package-db.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "fs/beneath.h"

#define LIST_MAX (64 << 20)

struct paragraph {
	struct span package, version, architecture, source, status, multi_arch;
};

static const struct field {
	const char *name;
	size_t offset;
} fields[] = {
    {"Package", offsetof(struct paragraph, package)},
    {"Version", offsetof(struct paragraph, version)},
    {"Architecture", offsetof(struct paragraph, architecture)},
    {"Source", offsetof(struct paragraph, source)},
    {"Status", offsetof(struct paragraph, status)},
    {"Multi-Arch", offsetof(struct paragraph, multi_arch)},
};

/* States (the third word of Status) in which the package's files are on the host: dpkg(1). */
static const char *const present[] = {
    "installed", "triggers-pending", "triggers-awaited", "half-configured", "unpacked",
};

static void parse_line(struct span line, struct paragraph *ret)
{
	struct span value = line, key = span_cut(&value, ':');

	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		if (!span_is(key, fields[i].name))
			continue;
		while (value.n && (value.s[0] == ' ' || value.s[0] == '\t'))
			value = (struct span){value.s + 1, value.n - 1};
		*(struct span *)((char *)ret + fields[i].offset) = value;
	}
}

static struct paragraph next_paragraph(struct span *text)
{
	struct paragraph par = {0};

	while (text->n) {
		struct span line = span_cut(text, '\n');
		if (!line.n)
			break;
		parse_line(line, &par);
	}
	return par;
}

static bool is_present(struct span status)
{
	span_cut(&status, ' ');
	span_cut(&status, ' ');
	for (size_t i = 0; i < ARRAY_LEN(present); i++)
		if (span_is(status, present[i]))
			return true;
	return false;
}

bool dpkg_next(struct span *status, struct dpkg_entry *ret)
{
	while (status->n) {
		struct paragraph par = next_paragraph(status);
		if (!par.package.n || !is_present(par.status))
			continue;
		*ret = (struct dpkg_entry){
		    .text.name = par.package,
		    .text.version = par.version,
		    .text.arch = par.architecture,
		    .text.source = span_cut(&par.source, ' '), /* "openssl (3.0.1-2)" */
		    .several = span_is(par.multi_arch, "same"),
		};
		return true;
	}
	return false;
}

void dpkg_parse_list(struct packages *p, struct span list)
{
	while (list.n)
		package_db_path(p, span_cut(&list, '\n'));
}

void dpkg_parse_diversions(struct packages *p, struct span diversions)
{
	while (diversions.n) {
		struct span from = span_cut(&diversions, '\n'), to = span_cut(&diversions, '\n');
		struct span by = span_cut(&diversions, '\n');
		if (span_is(by, ":")) /* the administrator's own */
			by.n = 0;
		package_db_divert(p, from, to, by);
	}
}

/* Reads the list that is called so. */
static int read_list(int info, struct packages *p, const struct package_text *t, bool with_arch)
{
	CLEANUP_STR char *list = NULL;
	size_t len;
	CLEANUP_STR char *name =
	    xasprintf("%.*s%s%.*s.list", (int)t->name.n, t->name.s, with_arch ? ":" : "",
		      with_arch ? (int)t->arch.n : 0, t->arch.s);
	if (!beneath_is_name(name))
		return -EINVAL;
	CLEANUP_FD int fd = beneath_open_nolink(info, name, O_RDONLY | O_NONBLOCK, 0);
	int r = fd < 0 ? fd : fd_read_all(fd, LIST_MAX, &list, &len);
	if (r == 0)
		dpkg_parse_list(p, (struct span){list, len});
	return r;
}

/* The lists of databases older than multiarch are named without the architecture. */
static int load_list(int info, struct packages *p, const struct dpkg_entry *en)
{
	int r = read_list(info, p, &en->text, en->several);
	return r == -ENOENT ? read_list(info, p, &en->text, !en->several) : r;
}

static int load(int root, struct packages *p, struct err *e)
{
	CLEANUP_STR char *status = NULL, *diversions = NULL;
	size_t len;
	int r = package_db_read(root, "/var/lib/dpkg/status", &status, &len);
	if (r < 0)
		return r == -ENOENT ? r : err_errno(e, r, "reading /var/lib/dpkg/status");

	CLEANUP_FD int info = beneath_open(root, "/var/lib/dpkg/info", O_PATH | O_DIRECTORY, 0);
	struct span rest = {status, len};
	struct dpkg_entry en;
	while (dpkg_next(&rest, &en)) {
		package_db_add(p, &en.text);
		int l = info < 0 ? info : load_list(info, p, &en);
		if (l < 0 && r == 0)
			r = err_errno(e, l, "reading /var/lib/dpkg/info/%.*s.list",
				      (int)en.text.name.n, en.text.name.s);
	}
	if (package_db_read(root, "/var/lib/dpkg/diversions", &diversions, &len) == 0)
		dpkg_parse_diversions(p, (struct span){diversions, len});
	return r;
}

const struct package_backend dpkg_backend = {"dpkg", ':', load};
