/* SPDX-License-Identifier: MIT */
/* Those who may log in: a program that opens sessions (login, ssh, ftp) gives its clients a home
 * and a shell, whoever they are. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/path.h"
#include "foresee/parts.h"
#include "host/account-row.h"
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
	char *name, *home, *shell;
};

static void login_done(struct login *l)
{
	free(l->name);
	free(l->home);
	free(l->shell);
}

/* Behind the groups of a passwd(5) line come "GECOS:HOME:SHELL". */
static struct login login_of(const struct account_row *row)
{
	struct span rest = row->n > 4 ? row->fields[4] : (struct span){"", 0};

	span_cut(&rest, ':');
	struct span home = span_cut(&rest, ':');
	return (struct login){span_dup(row->fields[0]), span_dup(home), span_dup(rest)};
}

static bool is_person(const struct account_row *row)
{
	return row->id >= UID_MIN && row->id <= UID_MAX;
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
	struct span passwd = span_of(f->out->accounts.passwd);

	read_shells(f->in->host, &shells);
	take_programs(f);
	for (struct account_row row; account_row_next(&account_form_passwd, &passwd, &row);) {
		struct login l CLEANUP(login_done) = login_of(&row);
		if (is_person(&row) && l.home[0] == '/' && strv_has(&shells, l.shell))
			take_login(f, &l);
	}
}
