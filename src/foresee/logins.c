/* SPDX-License-Identifier: MIT */
/* Those who may log in: a program that opens sessions (login, ssh, ftp) gives its clients a home
 * and a shell, whoever they are. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/path.h"
#include "foresee/parts.h"
#include "host/host.h"
#include "host/places.h"

/* What a shell reads of a home when it starts. */
static const char *const start_files[] = {".profile", ".bash_profile", ".bashrc", ".zshrc",
					  ".kshrc"};

/* What a session without them would not be called one: of POSIX's utilities the everyday ones. */
static const char *const session_programs[] = {
    "basename", "cat",	 "chmod",  "cp",     "cut",    "date",	 "df",	 "dirname", "du",
    "echo",	"env",	 "false",  "find",   "grep",   "groups", "head", "id",	    "ln",
    "ls",	"mkdir", "mktemp", "mv",     "printf", "pwd",	 "rm",	 "rmdir",   "sed",
    "sleep",	"sort",	 "stty",   "tail",   "test",   "touch",	 "tr",	 "true",    "tty",
    "uname",	"uniq",	 "wc",	   "whoami", "xargs",
};

/* Accounts of people, login.defs(5): UID_MIN as every distribution has it, and below nobody. */
#define UID_MIN 1000
#define UID_MAX 60000

struct login {
	const char *name, *home, *shell;
	long uid;
};

/* Cuts one passwd(5) line in place; false where it is none. */
static bool login_parse(char *line, struct login *ret)
{
	char *field[7], *save = line;

	for (size_t i = 0; i < 7; i++)
		if (!(field[i] = strsep(&save, ":")))
			return false;
	*ret = (struct login){field[0], field[5], field[6], strtol(field[2], NULL, 10)};
	return true;
}

static bool may_log_in(const struct strv *shells, const struct login *l)
{
	return l->uid >= UID_MIN && l->uid <= UID_MAX && l->home[0] == '/' &&
	       strv_has(shells, l->shell);
}

/* Lines of /etc/shells (shells(5)). */
static void read_shells(int host, struct strv *ret)
{
	CLEANUP_STR char *text = NULL;
	char *save = NULL;

	if (host_read(host, "/etc/shells", 65536, &text, NULL) < 0)
		return;
	for (char *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save))
		if (l[0] == '/')
			strv_add(ret, l);
}

static void take_programs(struct foresee *f)
{
	for (size_t i = 0; i < ARRAY_LEN(session_programs); i++) {
		CLEANUP_STR char *path = path_join("/usr/bin", session_programs[i]);
		evidence_take(f->ev, path, REASON_RUN, f->program, "for the sessions that %s opens",
			      f->program);
	}
}

static void take_login(struct foresee *f, const struct login *l)
{
	CLEANUP_STR char *text = xasprintf("home of %s, who may log in", l->name);
	CLEANUP_STR char *home = NULL;
	struct stat st;

	if (host_resolve(f->in->host, l->home, &home, &st, NULL) < 0 || place_never_whole(home) ||
	    st.st_uid == 0)
		return;
	foresee_dir(f, home, true, text);
	for (size_t i = 0; i < ARRAY_LEN(start_files); i++) {
		CLEANUP_STR char *path = path_join(home, start_files[i]);
		evidence_take(f->ev, path, REASON_NAMED, l->shell, "read by %s at a login of %s",
			      l->shell, l->name);
	}
}

void logins_take(struct foresee *f)
{
	struct strv shells CLEANUP_STRV = STRV_INIT;
	CLEANUP_STR char *passwd = xstrdup(f->out->accounts.passwd);
	char *save = passwd;
	struct login l;

	read_shells(f->in->host, &shells);
	take_programs(f);
	for (char *line; (line = strsep(&save, "\n"));)
		if (login_parse(line, &l) && may_log_in(&shells, &l))
			take_login(f, &l);
}
