/* SPDX-License-Identifier: MIT */
/* Families: files that a program will ask for because of what it imports, following the host's own
 * configuration. The table in families-table.c has a row for each: signs (imported symbols, needed
 * libraries, paths compiled in) on one side, and on the other the files, the libraries opened while
 * running and the module directories that they foretell; where lists cannot say it, a function.
 *
 *   nss         /etc/nsswitch.conf, the modules it names for the databases asked for, their files
 *               (/etc/passwd, hosts, services ...) and their own configuration
 *   resolver    resolv.conf, hosts, host.conf, gai.conf
 *   pam         the stacks of the program's services with includes, modules, their files, helpers
 *   login       the shells of those who may log in
 *   zone        /etc/localtime, the zone of TZ, zones that are named; the tree where the program
 *               itself has its path
 *   gconv       gconv-modules, and its modules: all where the program itself converts, else the
 *               charsets that are named and a few
 *   locale      the locales in use (LANG, LC_*) or named, locale.alias, catalogs; all where the
 *               program itself makes locales
 *   openssl     openssl.cnf, providers and engines
 *   trust       the bundle of CA certificates, for clients of TLS
 *   and         gnutls, p11-kit, mozilla, krb5, ldap, sasl, mariadb, terminfo, magic, mime, wrap,
 *               rpc, selinux, random, devices, pty, syslog, shell, unwind
 */
#pragma once

#include "elf/object.h"
#include "foresee/evidence.h"
#include "foresee/libraries.h"

struct families;

/* What families know of the service. All borrowed. */
struct families_context {
	struct evidence *ev;
	struct libraries *libraries;
	const struct strv *environment; /* "K=V" */
	const struct strv
	    *words; /* words named in configuration: charsets, zones, locales, services */
};

struct families *families_new(const struct families_context *c);
void families_free(struct families *f);
DEFINE_FREEP(struct families, families);
#define CLEANUP_FAMILIES CLEANUP(families_freep)

/* Looks at the object at canonical @path, once: takes what its signs foretell. @program: it is
 * executed, or a module of the service, not one of the system's libraries. Modules that a family
 * brings (NSS, PAM, gconv, providers) are taken as files; the caller expands them like any other.
 */
void families_look(struct families *f, const char *path, const struct elf_object *o, bool program);

/* Follows the words that the context has now and had not at the last look. Each look does that too;
 * for those that come after the last one. */
void families_look_words(struct families *f);

/* Signs that need no object: a plain file of this path is in use ("/etc/pam.d/sshd" was read). */
void families_look_file(struct families *f, const char *path);

/* Whether a family was met: "pam", "nss". And the families met, as words, sorted. */
bool families_met(const struct families *f, const char *name);
void families_list(const struct families *f, struct strv *ret);
