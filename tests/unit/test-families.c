/* SPDX-License-Identifier: MIT */
/* What families take on a sample host, and the reason they give. */
#include "foresee/families.h"

#include <elf.h>
#include <stdarg.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/path.h"
#include "fs-scratch.h"

#define LIB "usr/lib/x86_64-linux-gnu"

/* --- a host --- */

static void put_dirs(int root, const char *path)
{
	CLEANUP_STR char *dir = path_parent(path);
	CHECK_INT(beneath_mkdirs(root, dir, 0755), 0);
}

static void put(int root, const char *path, const char *text)
{
	put_dirs(root, path);
	put_file(root, path, text);
	CHECK_INT(fchmodat(root, path, 0644, 0), 0);
}

static void put_link(int root, const char *path, const char *to)
{
	put_dirs(root, path);
	CHECK_INT(symlinkat(to, root, path), 0);
}

/* An object of this machine without symbols; @data becomes its read-only data, NUL for ';'. */
static void put_elf(int root, const char *path, const char *data)
{
	struct {
		Elf64_Ehdr h;
		Elf64_Phdr p[2];
		Elf64_Dyn d[3];
		char data[512];
	} o = {.h = {.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, 1},
		     .e_type = ET_DYN,
		     .e_machine = EM_X86_64,
		     .e_version = 1,
		     .e_phoff = sizeof(Elf64_Ehdr),
		     .e_ehsize = sizeof(Elf64_Ehdr),
		     .e_phentsize = sizeof(Elf64_Phdr),
		     .e_phnum = 2}};
	size_t dynamic = offsetof(__typeof__(o), d), strings = offsetof(__typeof__(o), data);

	o.p[0] = (Elf64_Phdr){.p_type = PT_LOAD,
			      .p_flags = PF_R,
			      .p_filesz = sizeof(o),
			      .p_memsz = sizeof(o),
			      .p_align = 4096};
	o.p[1] = (Elf64_Phdr){.p_type = PT_DYNAMIC,
			      .p_flags = PF_R,
			      .p_offset = dynamic,
			      .p_vaddr = dynamic,
			      .p_filesz = sizeof(o.d),
			      .p_memsz = sizeof(o.d),
			      .p_align = 8};
	o.d[0] = (Elf64_Dyn){.d_tag = DT_STRTAB, .d_un.d_ptr = strings};
	o.d[1] = (Elf64_Dyn){.d_tag = DT_STRSZ, .d_un.d_val = sizeof(o.data)};
	snprintf(o.data, sizeof(o.data), ";%s", data);
	for (size_t i = 0; i < sizeof(o.data); i++)
		if (o.data[i] == ';')
			o.data[i] = '\0';
	put_dirs(root, path);
	int fd = openat(root, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	CHECK(fd >= 0 && write(fd, &o, sizeof(o)) == (ssize_t)sizeof(o));
	close(fd);
}

/* --- a service on it --- */

struct rig {
	struct scratch s;
	int root;
	struct strv environment, words;
	struct evidence *ev;
	struct libraries *libraries;
	struct families *families;
};

static struct rig rig_new(void)
{
	struct rig r = {.s = scratch_new()};

	r.root = r.s.fd;
	put_link(r.root, "lib", "usr/lib");
	put_elf(r.root, LIB "/libc.so.6", "/usr/lib/x86_64-linux-gnu/gconv");
	return r;
}

/* What is on the host is read from here on. */
static void rig_start(struct rig *r)
{
	r->ev = evidence_new(r->root);
	r->libraries = libraries_open(r->root, &r->environment);
	const struct families_context c = {r->ev, r->libraries, &r->environment, &r->words};
	r->families = families_new(&c);
}

static void rig_done(struct rig *r)
{
	families_free(r->families);
	libraries_free(r->libraries);
	evidence_free(r->ev);
	strv_done(&r->environment);
	strv_done(&r->words);
	scratch_done(&r->s);
}

/* Shows the families an object at @path (made if it is not there) that imports the words of
 * @imports and needs @needed. */
static void look(struct rig *r, const char *path, bool program, const char *imports,
		 const char *needed)
{
	struct elf_object o CLEANUP_ELF_OBJECT = {
	    .wide = true, .machine = EM_X86_64, .type = ET_DYN, .dynamic = true};
	CLEANUP_STR char *list = xstrdup(imports);
	char *save = NULL;

	for (char *w = strtok_r(list, " ", &save); w; w = strtok_r(NULL, " ", &save))
		strv_add(&o.imports, w);
	strv_sort_unique(&o.imports);
	if (!exists(r->root, path + 1))
		put_elf(r->root, path + 1, "");
	if (needed)
		strv_add(&o.needed, needed);
	families_look(r->families, path, &o, program);
}

static bool taken(const struct rig *r, const char *path)
{
	return evidence_find(r->ev, path) != NULL;
}

/* The first reason of @path, or "". */
static const char *why(const struct rig *r, const char *path)
{
	const struct node *n = evidence_find(r->ev, path);
	return n ? n->reasons[0].text : "";
}

static const char *from(const struct rig *r, const char *path)
{
	const struct node *n = evidence_find(r->ev, path);
	return n && n->reasons[0].from ? n->reasons[0].from : "";
}

/* --- names --- */

static void test_nss(void)
{
	struct rig r = rig_new();

	put_elf(r.root, "usr/sbin/d", "");
	put(r.root, "etc/nsswitch.conf",
	    "passwd: files extra\nhosts: files dns ../etc/x\nservices: db files\n");
	put(r.root, "etc/passwd", "root:x:0:0::/:/bin/sh\n");
	put(r.root, "etc/group", "root:x:0:\n");
	put(r.root, "etc/hosts", "127.0.0.1 localhost\n");
	put(r.root, "etc/services", "x 1/tcp\n");
	put(r.root, "var/lib/misc/services.db", "x");
	put_link(r.root, "etc/resolv.conf", "../run/resolve/resolv.conf");
	put(r.root, "run/resolve/resolv.conf", "nameserver 127.0.0.1\n");
	put_elf(r.root, LIB "/libnss_extra.so.2", "");
	put_elf(r.root, LIB "/libnss_other.so.2", "");
	rig_start(&r);

	look(&r, "/usr/sbin/d", true, "getpwnam", NULL);
	CHECK_STR(why(&r, "/etc/passwd"), "family nss: /usr/sbin/d imports getpwnam, and "
					  "/etc/nsswitch.conf:1 names files");
	CHECK_STR(from(&r, "/etc/passwd"), "/etc/nsswitch.conf");
	CHECK_STR(why(&r, "/" LIB "/libnss_extra.so.2"),
		  "family nss: /usr/sbin/d imports getpwnam, and /etc/nsswitch.conf:1 names extra");
	CHECK_STR(from(&r, "/etc/nsswitch.conf"), "/usr/sbin/d");
	CHECK(!taken(&r, "/etc/hosts") && !taken(&r, "/etc/group"));

	look(&r, "/usr/sbin/d", true, "getaddrinfo getgrnam", NULL);
	CHECK_STR(why(&r, "/etc/group"),
		  "family nss: /usr/sbin/d imports getgrnam, and files is the default for group");
	CHECK(taken(&r, "/etc/hosts") && taken(&r, "/etc/services"));
	CHECK(taken(&r, "/var/lib/misc/services.db") && taken(&r, "/etc/resolv.conf"));
	CHECK_INT(r.ev->n_passed, 1);
	CHECK_STR(r.ev->passed[0].path, "/run/resolve/resolv.conf");
	CHECK(!taken(&r, "/" LIB "/libnss_other.so.2"));

	CHECK(families_met(r.families, "nss") && families_met(r.families, "resolver"));
	CHECK(!families_met(r.families, "pam"));
	struct strv list CLEANUP_STRV = STRV_INIT;
	families_list(r.families, &list);
	CHECK(strv_has(&list, "nss") && strv_has(&list, "devices") && !strv_has(&list, "pam"));
	rig_done(&r);
}

/* --- logins --- */

static void put_pam(const struct rig *r)
{
	put(r->root, "etc/pam.d/d",
	    "auth include common\n-session optional pam_gone.so\n"
	    "session required pam_env.so envfile=/etc/default/locale\n"
	    "session optional pam_exec.so /usr/bin/hook\n");
	put(r->root, "etc/pam.d/common",
	    "auth required pam_unix.so\n@include d\nauth required $ISA/pam_unix.so\n");
	put(r->root, "etc/pam.d/other", "auth required pam_deny.so\n");
	put(r->root, "etc/pam.d/mail", "auth required pam_deny.so\n");
	put(r->root, "etc/pam.d/named", "auth required pam_deny.so\n");
	put(r->root, "etc/pam.d/never", "auth required pam_never.so\n");
	put(r->root, "etc/default/locale", "LANG=C\n");
	put(r->root, "etc/security/pam_env.conf", "");
	put(r->root, "usr/sbin/unix_chkpwd", "x");
	put(r->root, "usr/bin/hook", "x");
	put_elf(r->root, LIB "/libpam.so.0", "/lib/x86_64-linux-gnu/security/;/lib/security");
	for (const char *const *m =
		 (const char *const[]){"unix", "env", "exec", "deny", "never", NULL};
	     *m; m++) {
		CLEANUP_STR char *path = xasprintf(LIB "/security/pam_%s.so", *m);
		put_elf(r->root, path, "");
	}
}

static void test_pam(void)
{
	struct rig r = rig_new();

	put_pam(&r);
	put_elf(r.root, "usr/sbin/d", "/run/mail;xnever;/bin/named");
	rig_start(&r);
	look(&r, "/usr/sbin/d", true, "pam_start", NULL);
	CHECK_STR(why(&r, "/etc/pam.d/d"),
		  "family pam: /usr/sbin/d imports pam_start, and that is its service's name");
	CHECK_STR(why(&r, "/etc/pam.d/common"),
		  "family pam: /usr/sbin/d imports pam_start, and /etc/pam.d/d:1 includes common");
	CHECK_STR(why(&r, "/" LIB "/security/pam_unix.so"),
		  "family pam: /usr/sbin/d imports pam_start, and /etc/pam.d/common:1 names "
		  "pam_unix.so");
	CHECK_STR(from(&r, "/" LIB "/security/pam_unix.so"), "/etc/pam.d/common");
	CHECK_STR(why(&r, "/usr/sbin/unix_chkpwd"),
		  "family pam: /usr/sbin/d imports pam_start, and pam_unix of /etc/pam.d/common:1 "
		  "asks for it");
	CHECK(taken(&r, "/lib")); /* libpam goes that way */
	CHECK(taken(&r, "/etc/default/locale") && taken(&r, "/usr/bin/hook"));
	CHECK(taken(&r, "/etc/security/pam_env.conf"));
	CHECK(taken(&r, "/etc/pam.d/other") && taken(&r, "/etc/pam.d/mail"));
	CHECK(!taken(&r, "/etc/pam.d/named") && !taken(&r, "/etc/pam.d/never"));

	strv_add(&r.words, "named");
	families_look_words(r.families);
	CHECK_STR(why(&r, "/etc/pam.d/named"),
		  "family pam: /usr/sbin/d imports pam_start, and configuration names \"named\"");
	families_look_file(r.families, "/etc/pam.d/never");
	CHECK(taken(&r, "/" LIB "/security/pam_never.so"));
	rig_done(&r);
}

static void test_login(void)
{
	struct rig r = rig_new();

	put(r.root, "etc/shells", "# shells\n/bin/good\n/bin/unused\n");
	put(r.root, "etc/passwd", "a:x:1:1::/:/bin/good\nb:x:2:2::/:/usr/sbin/nologin\n");
	put(r.root, "bin/good", "x");
	put(r.root, "bin/unused", "x");
	put(r.root, "etc/profile", "x");
	rig_start(&r);
	look(&r, "/usr/sbin/phone", true, "openpty", NULL);
	CHECK(!taken(&r, "/bin/good"));
	look(&r, "/usr/sbin/d", true, "openpty pam_open_session", NULL);
	CHECK(taken(&r, "/bin/good") && !taken(&r, "/bin/unused") && taken(&r, "/etc/profile"));
	rig_done(&r);
}

/* --- time, language, characters --- */

static void test_zone(void)
{
	struct rig r = rig_new();

	put(r.root, "usr/share/zoneinfo/Europe/Berlin", "TZif");
	put(r.root, "usr/share/zoneinfo/Europe/Paris", "TZif");
	put(r.root, "usr/share/zoneinfo/Europe/Rome", "TZif");
	put(r.root, "usr/share/zoneinfo/right/UTC", "TZif");
	put_link(r.root, "etc/localtime", "/usr/share/zoneinfo/Europe/Berlin");
	put_elf(r.root, "usr/sbin/all", "/usr/share/zoneinfo/%s");
	strv_add(&r.environment, "TZ=:Europe/Paris");
	rig_start(&r);
	look(&r, "/usr/lib/libx.so", false, "localtime_r", NULL);
	CHECK_STR(why(&r, "/usr/share/zoneinfo/Europe/Berlin"),
		  "family zone: /usr/lib/libx.so imports localtime_r");
	CHECK_STR(why(&r, "/usr/share/zoneinfo/Europe/Paris"),
		  "family zone: /usr/lib/libx.so imports localtime_r, and TZ of the environment "
		  "names Europe/Paris");
	CHECK(!taken(&r, "/usr/share/zoneinfo/Europe/Rome"));
	strv_add(&r.words, "Europe/Rome");
	strv_add(&r.words, "../../../etc/passwd");
	families_look_words(r.families);
	CHECK(taken(&r, "/usr/share/zoneinfo/Europe/Rome"));
	look(&r, "/usr/sbin/all", true, "", NULL);
	CHECK(!taken(&r, "/usr/share/zoneinfo/right"));
	CHECK_STR(why(&r, "/usr/share/zoneinfo"),
		  "family zone: /usr/sbin/all has /usr/share/zoneinfo compiled in");
	rig_done(&r);
}

static void put_gconv(const struct rig *r)
{
	put(r->root, LIB "/gconv/gconv-modules",
	    "module ISO-8859-1// INTERNAL ISO8859-1\nalias LATIN1// ISO-8859-1//\n");
	put(r->root, LIB "/gconv/gconv-modules.d/extra.conf",
	    "module KOI8-R// INTERNAL KOI8-R\nmodule BIG5// INTERNAL BIG5\n"
	    "module ISO-8859-2// INTERNAL ISO8859-2\nalias DE// BIG5//\n");
	put(r->root, LIB "/gconv/gconv-modules.cache", "x");
	put_elf(r->root, LIB "/gconv/ISO8859-1.so", "");
	put_elf(r->root, LIB "/gconv/ISO8859-2.so", "");
	put_elf(r->root, LIB "/gconv/KOI8-R.so", "");
	put_elf(r->root, LIB "/gconv/BIG5.so", "");
}

static void test_gconv(void)
{
	struct rig r = rig_new();

	put_gconv(&r);
	strv_add(&r.words, "koi8-r");
	strv_add(&r.words, "de");
	rig_start(&r);
	look(&r, "/usr/lib/libstdc++.so.6", false, "iconv_open", NULL);
	CHECK(!families_met(r.families, "gconv"));
	look(&r, "/usr/lib/libx.so", false, "iconv_open", NULL);
	CHECK(taken(&r, "/" LIB "/gconv/gconv-modules.cache"));
	CHECK(taken(&r, "/" LIB "/gconv/gconv-modules.d/extra.conf"));
	CHECK(taken(&r, "/" LIB "/gconv/ISO8859-1.so"));
	CHECK_STR(why(&r, "/" LIB "/gconv/KOI8-R.so"),
		  "family gconv: /usr/lib/libx.so imports iconv_open, and configuration names "
		  "koi8-r");
	CHECK(!taken(&r, "/" LIB "/gconv/BIG5.so"));
	look(&r, "/usr/bin/convert", true, "iconv_open", NULL);
	CHECK_STR(why(&r, "/" LIB "/gconv/BIG5.so"),
		  "family gconv: /usr/bin/convert imports iconv_open");
	rig_done(&r);
}

static void test_locale(void)
{
	struct rig r = rig_new();

	put_gconv(&r);
	put(r.root, "usr/lib/locale/C.utf8/LC_CTYPE", "x");
	put(r.root, "usr/lib/locale/cs_CZ.iso88592/LC_MESSAGES/SYS_LC_MESSAGES", "x");
	put(r.root, "usr/lib/locale/fr_FR/LC_CTYPE", "x");
	put(r.root, "usr/share/locale/cs/LC_MESSAGES/d-15.mo", "x");
	put(r.root, "usr/share/locale/cs/LC_MESSAGES/e.mo", "x");
	put(r.root, "etc/default/locale", "# x\nLANG=\"C.UTF-8\"\n");
	strv_add(&r.environment, "LC_MESSAGES=cs_CZ.ISO-8859-2");
	rig_start(&r);
	look(&r, "/usr/lib/libx.so", false, "setlocale", NULL);
	CHECK(!families_met(r.families, "locale"));
	look(&r, "/usr/sbin/d", true, "setlocale dgettext", NULL);
	CHECK_STR(why(&r, "/usr/lib/locale/C.utf8/LC_CTYPE"),
		  "family locale: /usr/sbin/d imports setlocale, and /etc/default/locale names "
		  "C.UTF-8");
	CHECK(taken(&r, "/usr/lib/locale/cs_CZ.iso88592/LC_MESSAGES/SYS_LC_MESSAGES"));
	CHECK_STR(why(&r, "/" LIB "/gconv/ISO8859-2.so"),
		  "family locale: /usr/sbin/d imports setlocale, and a locale in use has "
		  "ISO-8859-2");
	CHECK(taken(&r, "/usr/share/locale/cs/LC_MESSAGES/d-15.mo"));
	CHECK(!taken(&r, "/usr/share/locale/cs/LC_MESSAGES/e.mo"));
	CHECK(!taken(&r, "/usr/lib/locale/fr_FR/LC_CTYPE"));
	strv_add(&r.words, "fr_FR.UTF-8");
	families_look_words(r.families);
	CHECK(taken(&r, "/usr/lib/locale/fr_FR/LC_CTYPE"));
	rig_done(&r);
}

/* A program that makes locales from what its data names may need each. */
static void test_locales_of_data(void)
{
	struct rig r = rig_new();

	put(r.root, "usr/lib/locale/fr_FR/LC_CTYPE", "x");
	put(r.root, "usr/lib/locale/locale-archive", "x");
	rig_start(&r);
	look(&r, "/usr/sbin/d", true, "setlocale", NULL);
	look(&r, "/usr/lib/libx.so", false, "newlocale", NULL);
	CHECK(!taken(&r, "/usr/lib/locale/fr_FR/LC_CTYPE"));
	look(&r, "/usr/sbin/e", true, "newlocale", NULL);
	CHECK(taken(&r, "/usr/lib/locale/fr_FR/LC_CTYPE") &&
	      taken(&r, "/usr/lib/locale/locale-archive"));
	rig_done(&r);
}

/* --- TLS --- */

static void put_tls(const struct rig *r)
{
	put_elf(r->root, LIB "/libcrypto.so.3",
		"/usr/lib/ssl/cert.pem;/usr/lib/x86_64-linux-gnu/ossl-modules;"
		"/usr/lib/x86_64-linux-gnu/engines-3");
	put_link(r->root, "usr/lib/ssl/openssl.cnf", "/etc/ssl/openssl.cnf");
	put(r->root, "etc/ssl/openssl.cnf", "x");
	put_elf(r->root, LIB "/ossl-modules/legacy.so", "");
	put_elf(r->root, LIB "/engines-3/afalg.so", "");
	put(r->root, "etc/ssl/certs/4f316efb.0", "x");
	put(r->root, "etc/ssl/private/site.key", "-----BEGIN PRIVATE KEY-----\n");
}

static void test_tls(void)
{
	struct rig r = rig_new();

	put_tls(&r);
	put(r.root, "etc/ssl/certs/ca-certificates.crt", "x");
	put_link(r.root, "usr/lib/ssl/cert.pem", "/etc/ssl/certs/ca-certificates.crt");
	rig_start(&r);
	look(&r, "/usr/sbin/d", true, "SSL_accept", "libcrypto.so.3");
	CHECK_STR(why(&r, "/etc/ssl/openssl.cnf"),
		  "family openssl: /usr/sbin/d needs libcrypto.so.3");
	CHECK(taken(&r, "/usr/lib/ssl/openssl.cnf")); /* the link */
	CHECK(taken(&r, "/" LIB "/ossl-modules/legacy.so"));
	CHECK(!taken(&r, "/" LIB "/engines-3/afalg.so"));
	CHECK(!taken(&r, "/etc/ssl/certs/ca-certificates.crt"));
	look(&r, "/usr/lib/libc4.so", false, "SSL_connect ENGINE_by_id", NULL);
	CHECK_STR(why(&r, "/etc/ssl/certs/ca-certificates.crt"),
		  "family trust: /usr/lib/libc4.so imports SSL_connect");
	CHECK(taken(&r, "/usr/lib/ssl/cert.pem") && taken(&r, "/" LIB "/engines-3/afalg.so"));
	CHECK(!taken(&r, "/etc/ssl/certs/4f316efb.0") && !taken(&r, "/etc/ssl/private/site.key"));
	/* Who asks for the directory reads all of it. */
	look(&r, "/usr/sbin/e", true, "X509_get_default_cert_dir", NULL);
	CHECK(taken(&r, "/etc/ssl/certs/4f316efb.0"));
	rig_done(&r);
}

/* What the host's own configuration has it load. */
static void test_tls_configured(void)
{
	struct rig r = rig_new();

	put_tls(&r);
	put(r.root, "etc/ssl/openssl.cnf",
	    "# engine_id = padlock\n[e]\nengine_id = afalg\n[p]\nmodule = /opt/token/pkcs11.so\n"
	    "private_key = /opt/token/key.pem\n.include = /opt/token/more.cnf\n");
	put(r.root, "opt/token/pkcs11.so", "x");
	put(r.root, "opt/token/key.pem", "x");
	put(r.root, "opt/token/more.cnf", "x");
	put(r.root, LIB "/engines-3/padlock.so", "x");
	rig_start(&r);
	look(&r, "/usr/sbin/d", true, "SSL_accept", "libcrypto.so.3");
	CHECK_STR(why(&r, "/" LIB "/engines-3/afalg.so"),
		  "family openssl: /usr/sbin/d needs libcrypto.so.3, and /etc/ssl/openssl.cnf:3 "
		  "names it");
	CHECK(taken(&r, "/opt/token/pkcs11.so") && taken(&r, "/opt/token/more.cnf"));
	CHECK(!taken(&r, "/" LIB "/engines-3/padlock.so") && !taken(&r, "/opt/token/key.pem"));
	rig_done(&r);
}

static void test_tls_without_bundle(void)
{
	struct rig r = rig_new();

	put_tls(&r);
	put(r.root, "srv/own.pem", "x");
	strv_add(&r.environment, "SSL_CERT_FILE=/srv/own.pem");
	rig_start(&r);
	look(&r, "/usr/sbin/d", true, "SSL_connect", "libcrypto.so.3");
	CHECK(taken(&r, "/etc/ssl/certs/4f316efb.0"));
	CHECK_STR(why(&r, "/srv/own.pem"), "family trust: /usr/sbin/d imports SSL_connect, and "
					   "SSL_CERT_FILE of the environment names it");
	rig_done(&r);
}

/* --- the rest --- */

static void test_opened(void)
{
	struct rig r = rig_new();

	put_elf(r.root, "usr/sbin/d", "/bin/sh");
	put_elf(r.root, LIB "/libgcc_s.so.1", "");
	put(r.root, "usr/share/terminfo/x/xterm", "x");
	put(r.root, "bin/sh", "x");
	put(r.root, "etc/hosts.deny", "ALL: ALL\n");
	rig_start(&r);
	look(&r, "/usr/lib/libx.so", false, "popen tgetent", "libwrap.so.0");
	CHECK(!taken(&r, "/bin/sh") && taken(&r, "/usr/share/terminfo/x/xterm"));
	CHECK(taken(&r, "/etc/hosts.deny") && !families_met(r.families, "devices"));
	look(&r, "/usr/sbin/d", true, "pthread_exit", NULL);
	CHECK_STR(why(&r, "/" LIB "/libgcc_s.so.1"),
		  "family unwind: /usr/sbin/d imports pthread_exit");
	CHECK_STR(why(&r, "/bin/sh"), "family shell: /usr/sbin/d has /bin/sh compiled in");
	rig_done(&r);
}

int main(void)
{
	test_nss();
	test_pam();
	test_login();
	test_zone();
	test_gconv();
	test_locale();
	test_locales_of_data();
	test_tls();
	test_tls_configured();
	test_tls_without_bundle();
	test_opened();
	return check_done("families");
}
