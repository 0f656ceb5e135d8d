/* SPDX-License-Identifier: MIT */
/* Each backend on a sample database below a directory of its own; rpm's is made by rpmbuild and
 * rpm, where they are installed. */
#include "host/packages.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/path.h"
#include "fs-scratch.h"
#include "host/package-db.h"

static void put(const struct scratch *s, const char *path, const char *text)
{
	CLEANUP_STR char *dir = path_parent(path);

	CHECK_INT(beneath_mkdirs(s->fd, dir, 0755), 0);
	put_file(s->fd, path_relative(path), text);
}

static void merge(const struct scratch *s, const char *name, const char *target)
{
	CLEANUP_STR char *real = xasprintf("/usr/%s", path_base(target));

	CHECK_INT(beneath_mkdirs(s->fd, real, 0755), 0);
	CHECK_INT(symlinkat(target, s->fd, name), 0);
}

static void check_owner(const struct packages *p, const char *path, const char *want)
{
	const struct package *owner = packages_owner(p, path);
	CHECK_STR(owner ? owner->name : NULL, want);
}

/* All paths of @name, a blank between. */
static void check_files(const struct packages *p, const char *name, const char *want)
{
	struct strv files CLEANUP_STRV = STRV_INIT;
	const struct package *package = packages_find(p, name);
	CLEANUP_STR char *got = xstrdup("");

	CHECK(package);
	if (package)
		packages_files(p, package, &files);
	for (size_t i = 0; i < files.n; i++) {
		char *longer = xasprintf("%s%s%s", got, i ? " " : "", files.v[i]);
		free(got);
		got = longer;
	}
	CHECK_STR(got, want);
}

static void check_package(const struct packages *p, const char *name, const char *shown,
			  const char *version, const char *source)
{
	const struct package *package = packages_find(p, name);

	CHECK(package);
	if (!package)
		return;
	CHECK_STR(package->name, shown);
	CHECK_STR(package->version, version);
	CHECK_STR(package->source, source);
}

static const char status[] = "Package: web\n"
			     "Status: install ok installed\n"
			     "Architecture: amd64\n"
			     "Source: web-suite (2.0)\n"
			     "Version: 1:2.4-1+b1\n"
			     "Description: Package: none\n"
			     " Version: none\n"
			     "\n"
			     "Package: libssl3\n"
			     "Status: hold ok installed\n"
			     "Architecture: amd64\n"
			     "Multi-Arch: same\n"
			     "Source: openssl\n"
			     "Version: 3.0.17\n"
			     "\n"
			     "Package: libssl3\n"
			     "Status: install ok triggers-awaited\n"
			     "Architecture: i386\n"
			     "Multi-Arch: same\n"
			     "Source: openssl\n"
			     "Version: 3.0.17\n"
			     "\n"
			     "Package: removed\n"
			     "Status: deinstall ok config-files\n"
			     "Version: 1\n"
			     "\n\n"
			     "Package: old\n"
			     "Version: 7\n"
			     "Multi-Arch: same\n"
			     "Status: install ok installed\n"
			     "\n"
			     "Package: ../../etc/evil\n"
			     "Version: 6\n"
			     "Status: install ok installed\n"
			     "\n"
			     "Package: modern\n"
			     "Version: 8\n"
			     "Status: install ok installed";

static void make_dpkg(const struct scratch *s)
{
	merge(s, "bin", "usr/bin");
	merge(s, "lib", "/usr/lib");
	merge(s, "lib64", "usr/lib64");
	put(s, "/var/lib/dpkg/status", status);
	put(s, "/var/lib/dpkg/info/web.list",
	    "/.\n/bin\n/bin/web\n/usr\n/usr/bin\n/usr/bin/tool\n/lib\n/lib/web\n/usr/lib\n"
	    "/usr/lib/web\n/libweb\n");
	put(s, "/var/lib/dpkg/info/libssl3:amd64.list",
	    "/.\n/usr\n/usr/lib\n/usr/lib/x86_64-linux-gnu\n"
	    "/usr/lib/x86_64-linux-gnu/libssl.so.3\n");
	put(s, "/var/lib/dpkg/info/libssl3:i386.list",
	    "/.\n/usr\n/usr/lib\n/usr/lib/i386-linux-gnu\n/usr/lib/i386-linux-gnu/libssl.so.3\n");
	put(s, "/var/lib/dpkg/info/removed.list", "/etc/removed.conf\n");
	put(s, "/var/lib/dpkg/info/old.list",
	    "/usr/bin/tool\nrelative\n\n/usr/bin/dir/\n/usr/bin/last");
	put(s, "/var/lib/dpkg/info/modern.list", "/usr/bin/tool\n/usr/bin/local\n");
	put(s, "/var/lib/dpkg/diversions",
	    "/bin/tool\n/bin/tool.old\nmodern\n/usr/bin/local\n/usr/bin/local.mine\n:\n"
	    "/usr/bin/nowhere\n/usr/bin/else\nweb\n/cut");
}

static void test_dpkg(void)
{
	struct scratch s = scratch_new();
	struct err e;

	make_dpkg(&s);
	struct packages *p CLEANUP_PACKAGES = packages_open(s.fd, &e);
	CHECK_STR(packages_kind(p), "dpkg");
	check_package(p, "web", "web", "1:2.4-1+b1", "web-suite");
	check_package(p, "web:amd64", "web", "1:2.4-1+b1", "web-suite");
	check_package(p, "libssl3", "libssl3:amd64", "3.0.17", "openssl");
	check_package(p, "libssl3:i386", "libssl3:i386", "3.0.17", "openssl");
	check_package(p, "old", "old", "7", "old");
	check_package(p, "modern", "modern", "8", "modern");
	CHECK(!packages_find(p, "removed"));
	CHECK(!packages_find(p, "we"));
	CHECK(!packages_find(p, "web:i386"));
	CHECK(!packages_find(p, ""));

	check_owner(p, "/usr/lib/x86_64-linux-gnu/libssl.so.3", "libssl3:amd64");
	check_owner(p, "/usr/lib/i386-linux-gnu/libssl.so.3", "libssl3:i386");
	check_owner(p, "/etc/removed.conf", NULL);
	check_owner(p, "/libweb", "web");
	check_owner(p, "/usr/bin/last", "old");
	check_owner(p, "/usr/bin/dir", "old");
	check_owner(p, "relative", NULL);
	check_owner(p, "", NULL);
	CHECK_INT(packages_owners(p, "/"), 3);
	CHECK_INT(packages_owners(p, "/usr/lib/i386-linux-gnu"), 1);
	CHECK_INT(packages_owners(p, "/srv"), 0);
	CHECK(packages_owned_from(p, "/", "openssl") && !packages_owned_from(p, "/", "web"));
	CHECK(!packages_owned_only_from(p, "/", "openssl"));
	CHECK(packages_owned_only_from(p, "/usr/lib/i386-linux-gnu", "openssl"));
	CHECK(!packages_owned_only_from(p, "/srv", "openssl"));

	/* The name that reaches out of info/ has no list, and is what is told of. */
	CHECK_INT(e.code, -EINVAL);
	CHECK(strstr(e.msg, "evil"));
	scratch_done(&s);
}

/* As listed through the links of the merged /usr; twice listed is once there. */
static void test_merged(void)
{
	struct scratch s = scratch_new();

	make_dpkg(&s);
	struct packages *p CLEANUP_PACKAGES = packages_open(s.fd, NULL);
	check_owner(p, "/usr/bin/web", "web");
	check_owner(p, "/bin/web", NULL);
	check_owner(p, "/lib", "web");
	check_owner(p, "/lib64", NULL);
	CHECK_INT(packages_owners(p, "/usr/lib/web"), 1);
	CHECK_INT(packages_owners(p, "/usr/lib"), 3);
	check_files(p, "web",
		    "/ /bin /usr/bin /usr/bin/web /usr /usr/bin/tool.old /lib /usr/lib "
		    "/usr/lib/web /libweb");
	scratch_done(&s);
}

static void test_diversions(void)
{
	struct scratch s = scratch_new();

	make_dpkg(&s);
	struct packages *p CLEANUP_PACKAGES = packages_open(s.fd, NULL);
	check_owner(p, "/usr/bin/tool", "modern");
	CHECK_INT(packages_owners(p, "/usr/bin/tool.old"), 2);
	check_owner(p, "/usr/bin/local", NULL);
	check_owner(p, "/usr/bin/local.mine", "modern");
	check_owner(p, "/usr/bin/else", NULL);
	check_files(p, "modern", "/usr/bin/tool /usr/bin/local.mine");
	scratch_done(&s);
}

/* A hash table is right when many share it: every path of many is found again, none else. */
static void test_many(void)
{
	enum { PACKAGES = 300, PATHS = 300 };
	struct packages *p CLEANUP_PACKAGES = package_db_new(-1, &dpkg_backend);
	char path[64], name[64];

	for (int i = 0; i < PACKAGES; i++) {
		snprintf(name, sizeof(name), "p%d", i);
		package_db_add(p, &(struct package_text){.name = span_of(name)});
		package_db_path(p, span_of("/usr"));
		for (int k = 0; k < PATHS; k++) {
			snprintf(path, sizeof(path), "/usr/%d/%d", i, k);
			package_db_path(p, span_of(path));
		}
	}
	package_db_close(p);
	CHECK_INT(packages_owners(p, "/usr"), PACKAGES);
	int wrong = 0;
	for (int i = 0; i < PACKAGES; i++)
		for (int k = 0; k < PATHS; k++) {
			snprintf(name, sizeof(name), "p%d", i);
			snprintf(path, sizeof(path), "/usr/%d/%d", i, k);
			const struct package *owner = packages_owner(p, path);
			wrong += !owner || !streq(owner->name, name);
			snprintf(path, sizeof(path), "/usr/%d/0%d", i, k);
			wrong += packages_owner(p, path) != NULL;
		}
	CHECK_INT(wrong, 0);
}

static const char installed[] = "C:Q1abc=\n"
				"P:musl\n"
				"V:1.2.4-r2\n"
				"A:x86_64\n"
				"T:the musl c library\n"
				"o:musl\n"
				"F:lib\n"
				"R:libc.musl-x86_64.so.1\n"
				"a:0:0:777\n"
				"Z:Q17=\n"
				"R:ld-musl-x86_64.so.1\n"
				"\n"
				"P:ssl_client\n"
				"V:1.36.1-r5\n"
				"o:busybox\n"
				"F:usr\n"
				"F:usr/bin\n"
				"R:ssl_client\n"
				"F:\n"
				"R:top\n"
				"\n"
				"R:nobodys\n"
				"\n"
				"P:meta\n"
				"V:1\n";

static void test_apk(const char *place)
{
	struct scratch s = scratch_new();
	struct err e;

	put(&s, place, installed);
	struct packages *p CLEANUP_PACKAGES = packages_open(s.fd, &e);
	CHECK_INT(e.code, 0);
	CHECK_STR(packages_kind(p), "apk");
	check_package(p, "ssl_client", "ssl_client", "1.36.1-r5", "busybox");
	check_files(p, "musl", "/lib /lib/libc.musl-x86_64.so.1 /lib/ld-musl-x86_64.so.1");
	check_files(p, "ssl_client", "/usr /usr/bin /usr/bin/ssl_client / /top");
	check_files(p, "meta", "");
	check_owner(p, "/lib/ld-musl-x86_64.so.1", "musl");
	check_owner(p, "/nobodys", NULL);
	scratch_done(&s);
}

static void test_rpm_output(void)
{
	struct packages *p CLEANUP_PACKAGES = package_db_new(-1, &rpm_backend);

	rpm_parse(p, span_of("0 /nobodys\n"
			     "P\tgpg-pubkey\t5.1-2\t(none)\t(none)\n"
			     "P\tglibc\t2.34-1.el9\tx86_64\tglibc-2.34-1.el9.src.rpm\n"
			     "0 /lib64/libc.so.6\n1 /replaced\n2 /not-installed\n"
			     "P\tglibc\t2.34-1.el9\ti686\tglibc-2.34-1.el9.src.rpm\n"
			     "0 /lib/libc.so.6\n0\n\nP\n0 /usr/with space"));
	package_db_close(p);
	check_owner(p, "/nobodys", NULL);
	check_package(p, "gpg-pubkey", "gpg-pubkey", "5.1-2", "gpg-pubkey");
	check_package(p, "glibc", "glibc.x86_64", "2.34-1.el9", "glibc");
	check_files(p, "glibc.x86_64", "/lib64/libc.so.6");
	check_files(p, "glibc.i686", "/lib/libc.so.6 /usr/with space");
}

static const char web_spec[] = "Name: web-server\n"
			       "Epoch: 1\n"
			       "Version: 2.4\n"
			       "Release: 3.el9\n"
			       "Summary: a sample\n"
			       "License: MIT\n"
			       "BuildArch: noarch\n"
			       "%description\n"
			       "sample\n"
			       "%package libs\n"
			       "Summary: its other half\n"
			       "%description libs\n"
			       "sample\n"
			       "%install\n"
			       "mkdir -p %{buildroot}/usr/bin %{buildroot}/lib64\n"
			       "echo a >%{buildroot}/usr/bin/web\n"
			       "echo b >%{buildroot}/lib64/libweb.so\n"
			       "%files\n"
			       "/usr/bin/web\n"
			       "%ghost /var/log/web\n"
			       "%files libs\n"
			       "/lib64/libweb.so\n";

/* Builds two packages and enters them into a database below s/root. */
static bool make_rpms(const struct scratch *s)
{
	static const char build[] =
	    "{ cd %1$s && mkdir -p root/var/lib/rpm && export HOME=%1$s &&"
	    " rpmbuild -bb --define '_topdir %1$s/top' --define '__os_install_post :' web.spec &&"
	    " rpm --dbpath %1$s/root/var/lib/rpm --nodeps --justdb -i top/RPMS/*/*.rpm; }"
	    " >%1$s/log 2>&1";
	CLEANUP_STR char *command = xasprintf(build, s->path);

	put_file(s->fd, "web.spec", web_spec);
	return system(command) == 0;
}

static void test_rpm(void)
{
	struct scratch s = scratch_new();
	bool can = system("test -x /usr/bin/rpm && command -v rpmbuild >/dev/null") == 0;

	if (skip_unless(can, "the rpm database: neither rpm nor rpmbuild is installed")) {
		scratch_done(&s);
		return;
	}
	CHECK(make_rpms(&s));
	int root = openat(s.fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int fds = count_fds();
	struct err e;
	CHECK_INT(mkdirat(root, "usr", 0755) | mkdirat(root, "usr/lib64", 0755), 0);
	CHECK_INT(symlinkat("usr/lib64", root, "lib64"), 0);

	struct packages *p CLEANUP_PACKAGES = packages_open(root, &e);
	CHECK_INT(e.code, 0);
	CHECK_STR(packages_kind(p), "rpm");
	check_package(p, "web-server", "web-server", "1:2.4-3.el9", "web-server");
	check_package(p, "web-server-libs", "web-server-libs", "1:2.4-3.el9", "web-server");
	check_files(p, "web-server", "/usr/bin/web /var/log/web");
	check_owner(p, "/usr/lib64/libweb.so", "web-server-libs");
	CHECK_INT(count_fds(), fds);

	/* What rpm cannot read is an empty database, and is told of. */
	put_file(root, "var/lib/rpm/rpmdb.sqlite", "no database");
	struct packages *none CLEANUP_PACKAGES = packages_open(root, &e);
	CHECK_STR(packages_kind(none), "none");
	CHECK(e.code < 0 && strstr(e.msg, "/usr/bin/rpm"));
	close(root);
	scratch_done(&s);
}

static void test_none(void)
{
	struct scratch s = scratch_new();
	struct err e;

	struct packages *p CLEANUP_PACKAGES = packages_open(s.fd, &e);
	CHECK_STR(packages_kind(p), "none");
	CHECK_INT(e.code, -ENOENT);
	check_owner(p, "/bin/sh", NULL);
	CHECK(!packages_find(p, "web"));

	/* dpkg as a tool on a host of another kind: its database lists nothing. */
	put(&s, "/var/lib/dpkg/status", "");
	put(&s, "/lib/apk/db/installed", installed);
	struct packages *apk CLEANUP_PACKAGES = packages_open(s.fd, &e);
	CHECK_STR(packages_kind(apk), "apk");
	CHECK_INT(e.code, 0);
	scratch_done(&s);
}

int main(void)
{
	test_dpkg();
	test_merged();
	test_diversions();
	test_many();
	test_apk("/lib/apk/db/installed");
	test_apk("/usr/lib/apk/db/installed");
	test_rpm_output();
	test_rpm();
	test_none();
	return check_done("packages");
}
