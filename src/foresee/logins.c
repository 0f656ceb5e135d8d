/* SPDX-License-Identifier: MIT */
/* Those who may log in: the signs that clients of a program name accounts; and where it opens
 * sessions (login, ssh, ftp), which gives them a home and a shell, whoever they are. */
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

static const struct {
	const char *symbol, *text;
} login_signs[] = {
    {"pam_open_session", "opens PAM sessions"},
    {"getspnam", "reads passwords (getspnam)"},
    {"getspnam_r", "reads passwords (getspnam_r)"},
};
static const char *const mail_paths[] = {"/var/mail", "/var/spool/mail"};

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

static void take_logins(struct foresee *f)
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

/* Signs that clients of a program name accounts of the host: those who log in by it do. */
static void live_accounts(struct foresee *f, bool passwords, const char *path, const char *sign)
{
	f->out->passwords |= passwords;
	if (!f->out->accounts_live)
		f->out->accounts_live = xasprintf("%s %s", path, sign);
}

/* The program has a PAM stack of its own on this host. */
static bool has_stack(const struct foresee *f, const struct node *n, const struct elf_object *o)
{
	CLEANUP_STR char *stack = path_join("/etc/pam.d", path_base(n->path));
	CLEANUP_STR char *end = NULL;

	return elf_imports(o, "pam_start") &&
	       host_resolve(f->in->host, stack, &end, NULL, NULL) == 0;
}

/* It has the directory of mail boxes compiled in, and the host has one. */
static bool knows_mail(struct foresee *f, const struct node *n)
{
	const struct strv *paths = libraries_paths(f->libraries, n->path);

	for (size_t i = 0; i < ARRAY_LEN(mail_paths); i++) {
		CLEANUP_STR char *end = NULL;
		if (strv_has(paths, mail_paths[i]) &&
		    host_resolve(f->in->host, mail_paths[i], &end, NULL, NULL) == 0)
			return true;
	}
	return false;
}

void logins_look(struct foresee *f, const struct node *n, const struct elf_object *o)
{
	for (size_t i = 0; i < ARRAY_LEN(login_signs); i++)
		if (elf_imports(o, login_signs[i].symbol))
			live_accounts(f, true, n->path, login_signs[i].text);
	if (has_stack(f, n, o))
		live_accounts(f, true, n->path, "authenticates by PAM");
	if (knows_mail(f, n))
		live_accounts(f, false, n->path, "knows /var/mail");
	if (elf_imports(o, login_signs[0].symbol))
		take_logins(f);
}
