/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "cmd/cmd.h"
#include "jail/generation.h"

/* What is shown of a log at most, and of one line: the service decides how much it prints. */
#define SHOWN_BYTES (4l << 20)
#define LINE_BYTES  4096

static void print_line(char *line, json_t *list)
{
	str_printable(line); /* nothing of it may reach the terminal raw */
	if (list)
		json_array_append_new(list, json_string(line));
	else
		puts(line);
}

struct printer {
	json_t *list;
	char line[LINE_BYTES];
	size_t n;
};

static void take_byte(struct printer *p, char c)
{
	if (c && c != '\n')
		p->line[p->n++] = c;
	if (c != '\n' && p->n < sizeof(p->line) - 1)
		return;
	p->line[p->n] = '\0';
	p->n = 0;
	print_line(p->line, p->list);
}

/* Prints the data of one extent, less the first *skip bytes that are too old to be shown. */
static int print_extent(struct printer *p, int fd, off_t from, off_t to, off_t *skip)
{
	char buf[65536];

	if (*skip >= to - from) {
		*skip -= to - from;
		return 0;
	}
	for (from += *skip, *skip = 0; from < to;) {
		off_t left = to - from;
		size_t want = left < (off_t)sizeof(buf) ? (size_t)left : sizeof(buf);
		ssize_t n = pread(fd, buf, want, from);
		if (n <= 0)
			return n < 0 ? -errno : 0;
		for (ssize_t i = 0; i < n; i++)
			take_byte(p, buf[i]);
		from += n;
	}
	return 0;
}

/* Holes, which a service can make as large as it likes, are passed over. */
static int print_lines(int fd, json_t *list)
{
	struct printer p = {.list = list};
	struct stat st;
	off_t from = 0, to, skip;
	int r = 0;

	if (fstat(fd, &st) < 0)
		return -errno;
	skip = (off_t)st.st_blocks * 512 - SHOWN_BYTES;
	skip = skip > 0 ? skip : 0;
	while (r == 0 && (from = lseek(fd, from, SEEK_DATA)) >= 0) {
		to = lseek(fd, from, SEEK_HOLE);
		r = to < 0 ? -errno : print_extent(&p, fd, from, to, &skip);
		from = to;
	}
	if (p.n)
		take_byte(&p, '\n');
	return r;
}

static int run(const struct invocation *in)
{
	struct generation g CLEANUP_GENERATION = GENERATION_INIT;
	CLEANUP_STR char *path = jail_path(in->dirs, in->name, "output.log");
	struct err e = {0};

	if (generation_load(in->dirs, in->name, &g, &e) < 0)
		return cmd_fail(&e);
	CLEANUP_FD int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno != ENOENT) {
		err_errno(&e, -errno, "opening %s", path);
		return cmd_fail(&e);
	}
	json_t *list = in->common->json ? json_array() : NULL;
	int r = fd >= 0 ? print_lines(fd, list) : 0;
	if (r < 0) {
		err_errno(&e, r, "reading %s", path);
		return cmd_fail(&e);
	}
	if (list)
		return cmd_print_json(json_pack("{ss so}", "name", in->name, "lines", list));
	return EXIT_GOOD;
}

const struct command cmd_logs = {
    .name = "logs",
    .summary = "what a jailed service printed",
    .synopsis = "NAME",
    .min_args = 1,
    .max_args = 1,
    .needs = NEED_ROOT | NEED_NAME,
    .run = run,
};
