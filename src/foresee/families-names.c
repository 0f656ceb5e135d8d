/* SPDX-License-Identifier: MIT */
/* The name service switch: /etc/nsswitch.conf says which modules answer for a database, and each
 * module reads files of its own (nsswitch.conf(5), nss(5)). */
#include "base/alloc.h"
#include "base/path.h"
#include "foresee/families-parts.h"
#include "fs/beneath.h"
#include "host/host.h"

#define NSSWITCH "/etc/nsswitch.conf"

/* What service "files" reads of a database, and service "compat" too. */
static const struct {
	const char *database, *file;
} database_files[] = {
    {"aliases", "/etc/aliases"},     {"ethers", "/etc/ethers"},	   {"group", "/etc/group"},
    {"gshadow", "/etc/gshadow"},     {"hosts", "/etc/hosts"},	   {"netgroup", "/etc/netgroup"},
    {"networks", "/etc/networks"},   {"passwd", "/etc/passwd"},	   {"protocols", "/etc/protocols"},
    {"publickey", "/etc/publickey"}, {"rpc", "/etc/rpc"},	   {"services", "/etc/services"},
    {"shadow", "/etc/shadow"},	     {"initgroups", "/etc/group"},
};

/* What the modules of other services read, whatever the database. Sockets are there to be named. */
static const struct {
	const char *service;
	const char *const *files;
} service_files[] = {
    {"altfiles", NAMES("/usr/lib/passwd", "/usr/lib/group")},
    {"cache", NAMES("/etc/nsscache.conf", "/etc/passwd.cache*", "/etc/group.cache*")},
    {"dns", NAMES("/etc/resolv.conf")},
    {"extrausers", NAMES("/var/lib/extrausers/passwd", "/var/lib/extrausers/group",
			 "/var/lib/extrausers/shadow")},
    {"hesiod", NAMES("/etc/hesiod.conf")},
    {"ldap", NAMES("/etc/libnss-ldap.conf", "/etc/ldap.conf", "/run/nslcd/socket")},
    {"libvirt", NAMES("/var/lib/libvirt/dnsmasq/*.status")},
    {"libvirt_guest", NAMES("/var/lib/libvirt/dnsmasq/*.macs")},
    {"mdns", NAMES("/etc/mdns.allow", "/run/avahi-daemon/socket")},
    {"mdns4", NAMES("/etc/mdns.allow", "/run/avahi-daemon/socket")},
    {"mdns6", NAMES("/etc/mdns.allow", "/run/avahi-daemon/socket")},
    {"mdns_minimal", NAMES("/run/avahi-daemon/socket")},
    {"mdns4_minimal", NAMES("/run/avahi-daemon/socket")},
    {"mdns6_minimal", NAMES("/run/avahi-daemon/socket")},
    {"myhostname", NAMES("/etc/hostname")},
    {"nis", NAMES("/etc/yp.conf", "/var/yp/nicknames", "/etc/default/nss")},
    {"resolve", NAMES("/run/systemd/resolve/io.systemd.Resolve")},
    {"sss", NAMES("/var/lib/sss/pipes/nss", "/var/lib/sss/mc/*")},
    {"systemd", NAMES("/etc/userdb/*", "/usr/lib/userdb/*", "/run/userdb/*",
		      "/run/systemd/userdb/io.systemd.DynamicUser")},
    {"winbind", NAMES("/run/samba/winbindd/pipe")},
    {"wins", NAMES("/etc/samba/smb.conf")},
};

/* Services whose module became part of libc in version 2.34. */
static const char *const built_in[] = {"files", "dns", NULL};

static const struct nsswitch *nsswitch_of(struct families *f)
{
	if (!f->nsswitch_read) {
		CLEANUP_STR char *text = part_read(f, NSSWITCH, NULL);
		if (text)
			nsswitch_parse(text, strlen(text), &f->nsswitch);
		nsswitch_defaults(&f->nsswitch);
		f->nsswitch_read = true;
	}
	return &f->nsswitch;
}

/* One word of nsswitch.conf, and how it is told. */
struct naming {
	const struct met *m;
	const struct nsswitch_word *word;
	const char *from, *text;
};

static void take(struct families *f, const struct naming *n, const char *pattern)
{
	part_take_for(f, n->m, n->from, pattern, "%s", n->text);
}

static void take_data(struct families *f, const struct naming *n)
{
	const char *database = n->m->row->part, *service = n->word->service;
	bool files = streq(service, "files") || streq(service, "compat");

	for (size_t i = 0; files && i < ARRAY_LEN(database_files); i++)
		if (streq(database_files[i].database, database))
			take(f, n, database_files[i].file);
	if (streq(service, "db")) {
		CLEANUP_STR char *misc = xasprintf("/var/lib/misc/%s.db", database);
		CLEANUP_STR char *db = xasprintf("/var/db/%s.db", database);
		take(f, n, misc);
		take(f, n, db);
	}
}

static void take_configuration(struct families *f, const struct naming *n)
{
	for (size_t i = 0; i < ARRAY_LEN(service_files); i++) {
		if (!streq(service_files[i].service, n->word->service))
			continue;
		for (const char *const *p = service_files[i].files; *p; p++)
			take(f, n, *p);
	}
}

/* Whether the C library that @object loads has the modules for files and dns in it. */
static bool has_built_in(struct families *f, const char *object)
{
	CLEANUP_STR char *libc = libraries_find(f->c.libraries, object, "libc.so.6");
	CLEANUP_STR char *end = NULL;

	if (!libc || host_resolve(f->c.ev->host, libc, &end, NULL, NULL) < 0)
		return false;
	const struct elf_object *o = libraries_object(f->c.libraries, end);
	return o && strv_has(&o->defines, "GLIBC_2.34");
}

static void take_module(struct families *f, const struct naming *n)
{
	const char *service = n->word->service, *object = n->m->object;

	if (!beneath_is_name(service) ||
	    (part_matches(built_in, service) && has_built_in(f, object)))
		return;
	CLEANUP_STR char *name = xasprintf("libnss_%s.so.2", service);
	CLEANUP_STR char *path = libraries_find(f->c.libraries, object, name);
	if (path)
		take(f, n, path);
}

/* @conf is the canonical path of nsswitch.conf, which explains what it names. */
static void follow(struct families *f, const struct met *m, const char *conf,
		   const struct nsswitch_word *word)
{
	CLEANUP_STR char *text =
	    word->line ? xasprintf(NSSWITCH ":%u names %s", word->line, word->service)
		       : xasprintf("%s is the default for %s", word->service, word->database);
	const struct naming n = {m, word, word->line ? conf : m->object, text};

	take_data(f, &n);
	take_configuration(f, &n);
	take_module(f, &n);
}

/* "passwd_compat: ldap" is what "+" lines are looked up in, where passwd has "compat". */
static bool is_of(const char *database, const char *part)
{
	const char *rest = str_after(database, part);
	return rest && (!*rest || streq(rest, "_compat"));
}

void family_nss_take(struct families *f, const struct met *m, const struct elf_object *o)
{
	const struct nsswitch *n = nsswitch_of(f);

	(void)o;
	const struct node *conf = part_take(f, m, NSSWITCH);
	part_take(f, m, "/run/nscd/socket");
	for (size_t i = 0; i < n->n; i++)
		if (is_of(n->v[i].database, m->row->part))
			follow(f, m, conf ? conf->path : m->object, &n->v[i]);
}
