/* SPDX-License-Identifier: MIT */
#include <fcntl.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "elf/object.h"
#include "fs/beneath.h"
#include "jail/policy.h"

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

static void add_imports(struct policy *p, const char *path, int fd)
{
	struct elf_object o CLEANUP_ELF_OBJECT = ELF_OBJECT_INIT;

	if (elf_object_read_fd(fd, &o, NULL) < 0)
		return;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP_STR char *why = xasprintf("foreseen: imports %s", rows[i].symbol);
		if (elf_imports(&o, rows[i].symbol))
			policy_add(p, rows[i].right, why, path, PHASE_START);
	}
}

/* The C library's own: everybody has it. */
static bool is_libc(const char *path)
{
	const char *name = path_base(path);

	return str_after(name, "libc.") || str_after(name, "libc-") || str_after(name, "ld-");
}

static bool connects(const struct entry *en, int host)
{
	struct elf_object o CLEANUP_ELF_OBJECT = ELF_OBJECT_INIT;
	CLEANUP_FD int fd = beneath_open(host, en->path, O_RDONLY, 0);

	return fd >= 0 && elf_object_read_fd(fd, &o, NULL) == 0 && elf_imports(&o, "connect");
}

void policy_foresee_connects(struct policy *p, const struct manifest *m, int host)
{
	for (size_t i = 0; i < m->n; i++) {
		const struct entry *en = &m->v[i];
		if (!entry_is_held(en) || !S_ISREG(en->mode) || is_libc(en->path) ||
		    !connects(en, host))
			continue;
		policy_add(p, "connect:tcp:any", "foreseen: imports connect", en->path,
			   PHASE_START);
		break;
	}
	policy_sort(p);
}

void policy_foresee(struct policy *p, const struct record *run, int host)
{
	for (const struct touch *t = run->touches; t; t = t->hh.next) {
		CLEANUP_FD int fd = -1;
		if (!(t->kinds & (TOUCH_EXEC | TOUCH_INTERP)) || !S_ISREG(t->found))
			continue;
		fd = beneath_open(host, t->path, O_RDONLY, 0);
		if (fd >= 0)
			add_imports(p, t->path, fd);
	}
	policy_sort(p);
}
