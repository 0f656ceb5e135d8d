/* SPDX-License-Identifier: MIT */
/* rpm has had four database formats; its own program reads the one at hand. It is executed without
 * a shell, with a fixed environment, on the database below the root, and its output is bounded and
 * taken for bytes of anybody. librpm would bring two dozen libraries into every run. */
#include "host/package-db.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "fs/beneath.h"

#define PROGRAM	    "/usr/bin/rpm"
#define OUTPUT_MAX  (512 << 20)
#define TIMEOUT_MS  120000
#define DATABASE_FD 3 /* the database's directory, in rpm */

/* A line for the package and one for each file: its state, 0 for one that is there, and its path.
 */
#define FORMAT                                                                                     \
	"P\\t%{NAME}\\t%{EVR}\\t%{ARCH}\\t%{SOURCERPM}\\n"                                         \
	"[%{FILESTATES} %{FILENAMES}\\n]"

/* Where the database is, the newer place first, and a file of each format. */
static const char *const places[] = {"/usr/lib/sysimage/rpm", "/var/lib/rpm"};
static const char *const files[] = {"rpmdb.sqlite", "Packages.db", "Packages"};

static struct span or_empty(struct span s)
{
	return span_is(s, "(none)") ? (struct span){"", 0} : s;
}

/* "openssl-3.0.7-1.el9.src.rpm": "openssl". */
static struct span source_name(struct span rpm)
{
	int dashes = 0;
	size_t n = rpm.n;

	while (n && dashes < 2)
		dashes += rpm.s[--n] == '-';
	return dashes == 2 ? (struct span){rpm.s, n} : (struct span){"", 0};
}

static void parse_package(struct packages *p, struct span rest)
{
	struct package_text t = {0};

	t.name = span_cut(&rest, '\t');
	t.version = or_empty(span_cut(&rest, '\t'));
	t.arch = or_empty(span_cut(&rest, '\t'));
	t.source = source_name(rest);
	if (t.name.n)
		package_db_add(p, &t);
}

void rpm_parse(struct packages *p, struct span output)
{
	while (output.n) {
		struct span line = span_cut(&output, '\n'), head = line;
		if (span_is(span_cut(&head, '\t'), "P")) {
			parse_package(p, head);
			continue;
		}
		if (span_is(span_cut(&line, ' '), "0"))
			package_db_path(p, line);
	}
}

/* The directory of the database, or -ENOENT. */
static int open_database(int root)
{
	struct stat st;

	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		CLEANUP_FD int dir = beneath_open(root, places[i], O_PATH | O_DIRECTORY, 0);
		for (size_t k = 0; dir >= 0 && k < ARRAY_LEN(files); k++)
			if (beneath_lstat(dir, files[k], &st) == 0 && S_ISREG(st.st_mode))
				return take_fd(&dir);
	}
	return -ENOENT;
}

/* Starts rpm on the database, which it opens as for any query: beside one in WAL mode SQLite makes
 * the files it shares with other readers, where they are gone. It inherits nothing but that and its
 * output: the rest is O_CLOEXEC.
 */
static int spawn(int database, int output, pid_t *ret)
{
	static const char *const argv[] = {PROGRAM,	    "--dbpath",	     "/proc/self/fd/3",
					   "--nodigest",    "--nosignature", "-qa",
					   "--queryformat", FORMAT,	     NULL};
	static const char *const envp[] = {"PATH=/usr/bin:/bin", "LC_ALL=C", "HOME=/nonexistent",
					   NULL};
	posix_spawn_file_actions_t actions;
	int r = posix_spawn_file_actions_init(&actions);

	if (r)
		return -r;
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, database, DATABASE_FD);
	r = posix_spawn(ret, PROGRAM, &actions, NULL, (char *const *)(uintptr_t)argv,
			(char *const *)(uintptr_t)envp);
	posix_spawn_file_actions_destroy(&actions);
	return -r;
}

/* All that comes out of @fd, at most OUTPUT_MAX bytes and for TIMEOUT_MS. */
static int read_output(int fd, char **ret, size_t *ret_len)
{
	const long end = clock_ms() + TIMEOUT_MS;
	CLEANUP_STR char *buf = NULL;
	size_t len = 0, size = 0;
	ssize_t n = 1;

	while (n > 0) {
		struct pollfd pfd = {.fd = fd, .events = POLLIN};
		long left = end - clock_ms();
		if (len == size)
			buf = xrealloc(buf, size = 2 * size + 65536, 1);
		if (len > OUTPUT_MAX)
			return -EFBIG;
		if (left <= 0)
			return -ETIMEDOUT;
		if (poll(&pfd, 1, (int)left) <= 0)
			continue;
		n = read(fd, buf + len, size - len);
		len += n > 0 ? (size_t)n : 0;
	}
	*ret = steal_ptr(buf);
	*ret_len = len;
	return n < 0 ? -errno : 0;
}

static int query(int database, char **ret, size_t *ret_len)
{
	CLEANUP_FD int out = -1;
	int ends[2], status = 0;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	out = ends[0];
	int r = spawn(database, ends[1], &pid);
	close(ends[1]);
	if (r < 0)
		return r;
	r = read_output(out, ret, ret_len);
	if (r < 0)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return r == 0 && status != 0 ? -EIO : r;
}

static int load(int root, struct packages *p, struct err *e)
{
	CLEANUP_STR char *output = NULL;
	size_t len = 0;
	CLEANUP_FD int database = open_database(root);
	int r = database < 0 ? database : query(database, &output, &len);

	if (database >= 0 && r < 0)
		err_errno(e, r, PROGRAM " does not read the database of packages");
	if (r == 0)
		rpm_parse(p, (struct span){output, len});
	return r;
}

const struct package_backend rpm_backend = {"rpm", '.', load};
