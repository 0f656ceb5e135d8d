/* SPDX-License-Identifier: MIT */
#include "base/alloc.h"
#include "base/path.h"
#include "jail/policy.h"
#include "ld/library.h"

/* A function that a program of root imports only for what takes a right, and the right. Not here:
 * what every program imports (open, kill of its own children), and what only an administrator's
 * configuration asks for. */
static const struct {
	const char *symbol, *right;
} rows[] = {
    {"setuid", "CAP_SETUID"},
    {"seteuid", "CAP_SETUID"},
    {"setreuid", "CAP_SETUID"},
    {"setresuid", "CAP_SETUID"},
    {"setgid", "CAP_SETGID"},
    {"setegid", "CAP_SETGID"},
    {"setregid", "CAP_SETGID"},
    {"setresgid", "CAP_SETGID"},
    {"setgroups", "CAP_SETGID"},
    {"initgroups", "CAP_SETGID"},
    {"chroot", "CAP_SYS_CHROOT"},
    {"chroot", "chroot()"},
    {"chown", "CAP_CHOWN"},
    {"fchown", "CAP_CHOWN"},
    {"lchown", "CAP_CHOWN"},
    {"fchownat", "CAP_CHOWN"},
    /* a terminal's owner is changed before its mode */
    {"openpty", "CAP_FOWNER"},
    {"forkpty", "CAP_FOWNER"},
    /* a login that cannot be audited is refused, pam(3) */
    {"pam_open_session", "CAP_AUDIT_WRITE"},
    {"pam_open_session", "AF_NETLINK"},
};

static void add_imports(struct right_list *p, const struct library *l)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP_STR char *why = xasprintf("foreseen: imports %s", rows[i].symbol);
		if (elf_imports(&l->object, rows[i].symbol))
			right_list_add(p, rows[i].right, why, l->path, PHASE_START);
	}
}

/* The C library's own: everybody has it. */
static bool is_libc(const char *path)
{
	const char *name = path_base(path);

	return str_after(name, "libc.") || str_after(name, "libc-") || str_after(name, "ld-");
}

void policy_foresee_connects(struct right_list *p, const struct manifest *m,
			     struct library_files *files)
{
	for (size_t i = 0; i < m->n; i++) {
		const struct entry *en = &m->v[i];
		if (!entry_is_held(en) || !S_ISREG(en->mode) || is_libc(en->path))
			continue;
		const struct library *l = library_at(files, en->path);
		if (!l || !elf_imports(&l->object, "connect"))
			continue;
		right_list_add(p, "connect:tcp:any", "foreseen: imports connect", en->path,
			       PHASE_START);
		break;
	}
	right_list_sort(p);
}

void policy_foresee(struct right_list *p, const struct record *run, struct library_files *files)
{
	for (const struct touch *t = run->touches; t; t = t->hh.next) {
		bool program = t->kinds & (TOUCH_EXEC | TOUCH_INTERP) && S_ISREG(t->found);
		const struct library *l = program ? library_at(files, t->path) : NULL;
		if (l)
			add_imports(p, l);
	}
	/* A log that was given to the workers' user is root's to open again at the next start. */
	const struct right *give = right_list_find(p, "CAP_CHOWN");
	if (give) {
		CLEANUP_STR char *by = xstrdup(give->by);
		right_list_add(p, "CAP_DAC_OVERRIDE",
			       "foreseen: opens again what it gave to another user", by,
			       PHASE_START);
	}
	right_list_sort(p);
}

void policy_foresee_proc(struct right_list *p)
{
	right_list_add(p, "proc", "foreseen: what is read there is known at run time", "",
		       PHASE_START);
	right_list_sort(p);
}
