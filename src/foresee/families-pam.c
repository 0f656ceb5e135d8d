/* SPDX-License-Identifier: MIT */
/* PAM: the stacks of the service, what they include, their modules and what those read; and the
 * shells that a login ends in (pam.conf(5), pam.d(5)). */
#include "base/alloc.h"
#include "base/path.h"
#include "foresee/families-parts.h"
#include "fs/beneath.h"
#include "host/host.h"
#include "text/pam.h"

#define STACK_DEPTH  16 /* libpam: PAM_SUBSTACK_MAX_LEVEL */
#define PROGRAM_MAX  (32u << 20)
#define SERVICES_MAX 256

/* Where libpam looks for a service's file, in order. */
static const char *const service_dirs[] = {"/etc/pam.d", "/usr/lib/pam.d"};

/* What modules read or run. Their file arguments come on top of it. */
static const struct {
	const char *module;
	const char *const *files;
} module_files[] = {
    {"pam_access", NAMES("/etc/security/access.conf", "/etc/security/access.d/*.conf")},
    {"pam_cap", NAMES("/etc/security/capability.conf")},
    {"pam_cracklib", NAMES("/var/cache/cracklib/*", "/usr/share/cracklib/*")},
    {"pam_env", NAMES("/etc/environment", "/etc/security/pam_env.conf", "/etc/default/locale")},
    {"pam_faillock", NAMES("/etc/security/faillock.conf")},
    {"pam_group", NAMES("/etc/security/group.conf")},
    {"pam_issue", NAMES("/etc/issue")},
    {"pam_krb5", NAMES("/etc/krb5.conf", "/etc/krb5.conf.d/*")},
    {"pam_lastlog", NAMES("/etc/login.defs")},
    {"pam_ldap", NAMES("/etc/pam_ldap.conf", "/run/nslcd/socket")},
    {"pam_limits", NAMES("/etc/security/limits.conf", "/etc/security/limits.d/*.conf")},
    {"pam_mkhomedir",
     NAMES("/usr/sbin/mkhomedir_helper", "/etc/login.defs", "/etc/skel/*", "/etc/skel/.*")},
    {"pam_motd", NAMES("/etc/motd", "/etc/motd.d/*", "/usr/lib/motd", "/usr/lib/motd.d/*")},
    {"pam_namespace", NAMES("/etc/security/namespace.conf", "/etc/security/namespace.d/*.conf",
			    "/etc/security/namespace.init")},
    {"pam_nologin", NAMES("/etc/nologin")},
    {"pam_pwhistory", NAMES("/etc/security/pwhistory.conf", "/usr/sbin/pwhistory_helper")},
    {"pam_pwquality", NAMES("/etc/security/pwquality.conf", "/etc/security/pwquality.conf.d/*.conf",
			    "/var/cache/cracklib/*", "/usr/share/cracklib/*")},
    {"pam_radius_auth", NAMES("/etc/pam_radius_auth.conf")},
    {"pam_rhosts", NAMES("/etc/hosts.equiv")},
    {"pam_securetty", NAMES("/etc/securetty")},
    {"pam_selinux", NAMES("/etc/selinux/config", "/etc/selinux/semanage.conf",
			  "/etc/selinux/*/contexts/default_contexts",
			  "/etc/selinux/*/contexts/default_type", "/etc/selinux/*/seusers")},
    {"pam_sepermit", NAMES("/etc/security/sepermit.conf")},
    {"pam_shells", NAMES("/etc/shells")},
    {"pam_sss", NAMES("/var/lib/sss/pipes/pam")},
    {"pam_systemd", NAMES("/run/dbus/system_bus_socket")},
    {"pam_time", NAMES("/etc/security/time.conf")},
    {"pam_u2f", NAMES("/etc/u2f_mappings")},
    {"pam_umask", NAMES("/etc/login.defs", "/etc/default/login")},
    {"pam_unix", NAMES("/usr/sbin/unix_chkpwd", "/sbin/unix_chkpwd", "/etc/login.defs")},
    {"pam_user_map", NAMES("/etc/security/user_map.conf")},
    {"pam_winbind", NAMES("/etc/security/pam_winbind.conf", "/run/samba/winbindd/pipe")},
};

/* Read by the shell of a login, before anything of the user's own. */
static const char *const shell_files[] = {"/etc/profile", "/etc/profile.d/*.sh", "/etc/bash.bashrc",
					  "/etc/zsh/zshenv", "/etc/zsh/zprofile"};

static const char *const login_symbols[] = {"pam_open_session", "getspnam", "getusershell"};

/* A line of a stack: where it stands, and how deep in includes. */
struct stack_line {
	const struct met *m;
	const char *file;
	const struct pam_line *line;
	int depth;
};

static void stack_file(struct families *f, const struct met *m, const char *path, int depth);

/* The file that an include line names: below the directories of services, or absolute. */
static void take_include(struct families *f, const struct stack_line *s)
{
	const char *name = s->line->module;

	for (size_t i = 0; i < ARRAY_LEN(service_dirs); i++) {
		CLEANUP_STR char *path =
		    name[0] == '/' ? xstrdup(name) : path_join(service_dirs[i], name);
		if (!part_is_file(f, path))
			continue;
		part_take_for(f, s->m, s->file, path, "%s:%u includes %s", s->file, s->line->line,
			      name);
		stack_file(f, s->m, path, s->depth + 1);
		return;
	}
}

static void module_dirs(struct families *f, const struct met *m, struct strv *ret)
{
	part_compiled(f, m, NAMES("libpam.so.0"), "*/security", "security", ret);
	if (ret->n)
		return;
	/* A stack that was read by nobody known. */
	static const char *const usual[] = {"/lib/security", "/lib64/security", "/lib/*/security"};
	for (size_t i = 0; i < ARRAY_LEN(usual); i++)
		host_glob(f->c.ev->host, usual[i], 8, ret);
}

/* "pam_unix.so", "/lib/security/$ISA/pam_unix.so": the canonical path of the module, or NULL. */
static const char *take_module(struct families *f, const struct stack_line *s)
{
	const char *name = s->line->module, *isa = strstr(name, "$ISA/");
	struct strv dirs CLEANUP_STRV = STRV_INIT;
	const char *found = NULL;

	if (isa)
		name = isa + strlen("$ISA/");
	if (name[0] != '/')
		module_dirs(f, s->m, &dirs);
	else
		strv_add(&dirs, "/");
	for (size_t i = 0; i < dirs.n; i++) {
		CLEANUP_STR char *path = path_join(dirs.v[i], name);
		const struct node *n = part_is_file(f, path)
					   ? part_take_for(f, s->m, s->file, path, "%s:%u names %s",
							   s->file, s->line->line, s->line->module)
					   : NULL;
		if (n)
			found = n->path;
	}
	return found;
}

/* "/x", "motd=/x", "[file=/x y]": what an argument names. Only what looks like a file: an argument
 * may hold any text. */
static void take_argument(struct families *f, const struct stack_line *s, const char *argument)
{
	const char *equals = strchr(argument, '=');
	const char *path = argument[0] == '/' || !equals ? argument : equals + 1;
	CLEANUP_STR char *end = NULL;
	struct stat st;

	if (path[0] == '/' && host_resolve(f->c.ev->host, path, &end, &st, NULL) == 0 &&
	    !S_ISDIR(st.st_mode))
		part_take_for(f, s->m, s->file, path, "%s:%u gives %s", s->file, s->line->line,
			      argument);
}

static bool is_named(const char *module, const char *name)
{
	const char *rest = str_after(path_base(module), name);
	return rest && streq(rest, ".so");
}

/* The one secret that is foreseen: without it nobody could log in. The jail's has only the accounts
 * that the jail needs (jail/made.h). */
static void take_passwords(struct families *f, const struct stack_line *s, const char *from)
{
	if (s->m->program && is_named(s->line->module, "pam_unix"))
		evidence_take_used(f->c.ev, "/etc/shadow", REASON_FAMILY, from,
				   "family pam: %s, and pam_unix of %s:%u reads passwords there",
				   s->m->cause, s->file, s->line->line);
}

static void take_module_files(struct families *f, const struct stack_line *s, const char *from)
{
	for (size_t i = 0; i < ARRAY_LEN(module_files); i++) {
		if (!is_named(s->line->module, module_files[i].module))
			continue;
		for (const char *const *p = module_files[i].files; *p; p++)
			part_take_for(f, s->m, from, *p, "%s of %s:%u asks for it",
				      module_files[i].module, s->file, s->line->line);
	}
	take_passwords(f, s, from);
	for (size_t i = 0; i < s->line->arguments.n; i++)
		take_argument(f, s, s->line->arguments.v[i]);
}

static bool is_include(const struct pam_line *l)
{
	return streq(l->control, "include") || streq(l->control, "substack") ||
	       streq(l->control, "@include");
}

static void stack_line(struct families *f, const struct stack_line *s)
{
	if (is_include(s->line)) {
		take_include(f, s);
		return;
	}
	const char *module = take_module(f, s);
	if (module)
		take_module_files(f, s, module);
}

/* What the stack in @path names, once. */
static void stack_file(struct families *f, const struct met *m, const char *path, int depth)
{
	struct pam_lines lines CLEANUP_PAM_LINES = PAM_LINES_INIT;
	CLEANUP_STR char *end = NULL;
	CLEANUP_STR char *text = part_read(f, path, &end);

	if (!text || depth > STACK_DEPTH || strv_has(&f->pam_files, end))
		return;
	strv_add(&f->pam_files, end);
	pam_parse(text, strlen(text), streq(end, "/etc/pam.conf"), &lines);
	for (size_t i = 0; i < lines.n; i++) {
		const struct stack_line s = {m, end, &lines.v[i], depth};
		stack_line(f, &s);
	}
}

static void take_service(struct families *f, const struct met *m, const char *name,
			 const char *because)
{
	for (size_t i = 0; beneath_is_name(name) && i < ARRAY_LEN(service_dirs); i++) {
		CLEANUP_STR char *path = path_join(service_dirs[i], name);
		if (!part_is_file(f, path))
			continue;
		part_take_for(f, m, m->object, path, "%s", because);
		stack_file(f, m, path, 0);
		return;
	}
}

/* Whether @name is a string in @bytes, or the end of one: the linker lays "dovecot" into the tail
 * of
 * "/run/dovecot". A tail after "bin/" is a program's name. */
static bool holds_string(const char *bytes, size_t len, const char *name)
{
	size_t n = strlen(name) + 1;
	const char *end = bytes + len, *at = bytes;

	for (; (at = memmem(at, (size_t)(end - at), name, n)); at++) {
		char before = at > bytes ? at[-1] : '\0';
		bool program = at - bytes >= 4 && memcmp(at - 4, "bin/", 4) == 0;
		if (before == '\0' || (before == '/' && !program))
			return true;
	}
	return false;
}

/* Services whose name stands in the program's data. */
static void take_compiled_services(struct families *f, const struct met *m)
{
	struct strv names CLEANUP_STRV = STRV_INIT;
	CLEANUP_STR char *bytes = NULL;
	size_t len;

	if (host_read(f->c.ev->host, m->object, PROGRAM_MAX, &bytes, &len) < 0)
		return;
	host_names(f->c.ev->host, service_dirs[0], &names);
	for (size_t i = 0; i < names.n && i < SERVICES_MAX; i++) {
		CLEANUP_STR char *because = xasprintf("it holds the name \"%s\"", names.v[i]);
		if (holds_string(bytes, len, names.v[i]))
			take_service(f, m, names.v[i], because);
	}
}

void family_pam_take(struct families *f, const struct met *m, const struct elf_object *o)
{
	(void)o;
	take_service(f, m, path_base(m->object), "that is its service's name");
	take_compiled_services(f, m);
	take_service(f, m, "other", "libpam reads \"other\" of every service");
	stack_file(f, m, "/etc/pam.conf", 0);
}

void family_pam_word(struct families *f, const struct met *m, const char *word)
{
	CLEANUP_STR char *because = xasprintf("configuration names \"%s\"", word);
	take_service(f, m, word, because);
}

void family_pam_file(struct families *f, const struct met *m, const struct elf_object *o)
{
	(void)o;
	stack_file(f, m, m->object, 0);
}

/* Lines of /etc/shells that are the last field of a line of @passwd. */
static void take_shells(struct families *f, const struct met *m, char *shells, const char *passwd)
{
	char *save = NULL;

	for (char *l = strtok_r(shells, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		CLEANUP_STR char *field = xasprintf(":%s\n", l);
		if (l[0] == '/' && strstr(passwd, field))
			part_take_for(f, m, m->object, l, "it is a login shell of /etc/passwd");
	}
}

void family_login_take(struct families *f, const struct met *m, const struct elf_object *o)
{
	CLEANUP_STR char *shells = part_read(f, "/etc/shells", NULL);
	CLEANUP_STR char *passwd = part_read(f, "/etc/passwd", NULL);
	bool opens = false;

	for (size_t i = 0; i < ARRAY_LEN(login_symbols); i++)
		opens |= o && elf_imports(o, login_symbols[i]);
	if (!opens || !shells || !passwd)
		return;
	part_take(f, m, "/etc/shells");
	take_shells(f, m, shells, passwd);
	for (size_t i = 0; i < ARRAY_LEN(shell_files); i++)
		part_take(f, m, shell_files[i]);
}
