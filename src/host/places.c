/* SPDX-License-Identifier: MIT */
#include "host/places.h"

#include <string.h>

#include "base/alloc.h"
#include "base/path.h"
#include "base/str.h"

/* design.md 3, and the shared directories below them that no service owns. */
static const char *const never_whole[] = {
    "/",
    "/boot",
    "/etc",
    "/home",
    "/media",
    "/mnt",
    "/opt",
    "/root",
    "/run",
    "/run/lock",
    "/run/systemd",
    "/run/user",
    "/run/udev",
    "/srv",
    "/tmp",
    "/usr",
    "/usr/bin",
    "/usr/include",
    "/usr/lib",
    "/usr/lib32",
    "/usr/lib64",
    "/usr/libexec",
    "/usr/local",
    "/usr/local/bin",
    "/usr/local/etc",
    "/usr/local/lib",
    "/usr/local/sbin",
    "/usr/local/share",
    "/usr/sbin",
    "/usr/share",
    "/usr/src",
    "/var",
    "/var/cache",
    "/var/lib",
    "/var/lib/dpkg",
    "/var/lib/systemd",
    "/var/log",
    "/var/log/journal",
    "/var/opt",
    "/var/spool",
    "/var/spool/cron",
    "/var/tmp",
    "/dev/shm",
    "/etc/ssl",
    "/etc/pam.d",
    "/etc/default",
    "/var/lib/misc",
    "/var/www",
};

static const char *const shared_config[] = {
    "/etc/alternatives",
    "/etc/apparmor.d",
    "/etc/ca-certificates",
    "/etc/cron.d",
    "/etc/default",
    "/etc/fonts",
    "/etc/gss",
    "/etc/init.d",
    "/etc/iproute2",
    "/etc/ld.so.conf.d",
    "/etc/ldap",
    "/etc/libnl-3",
    "/etc/logrotate.d",
    "/etc/network",
    "/etc/pam.d",
    "/etc/perl",
    "/etc/pkcs11",
    "/etc/profile.d",
    "/etc/python3",
    "/etc/python3.11",
    "/etc/sasl2",
    "/etc/security",
    "/etc/selinux",
    "/etc/skel",
    "/etc/ssl",
    "/etc/sysctl.d",
    "/etc/systemd",
    "/etc/terminfo",
    "/etc/update-motd.d",
    "/etc/X11",
    "/etc/xdg",
    "/etc/crypto-policies",
    "/etc/sysconfig",
    "/etc/pki",
};

static const char *const home_bases[] = {
    "/run", "/var/cache", "/var/lib", "/var/log", "/var/opt", "/var/spool",
};

/* Below these lies what users put there, `depth` components further down one thing of theirs. */
static const struct {
	const char *base;
	size_t depth;
} content_bases[] = {
    {"/home", 2}, {"/media", 1}, {"/mnt", 1},	  {"/opt", 1},
    {"/srv", 1},  {"/tmp", 1},	 {"/var/tmp", 1}, {"/var/www", 1},
};

static const char *const system_tops[] = {
    "/bin",	   "/boot", "/dev",  "/etc", "/lib",  "/lib32", "/lib64", "/libx32",
    "/lost+found", "/proc", "/root", "/run", "/sbin", "/sys",	"/usr",	  "/var",
    "/home",	   "/srv",  "/opt",  "/tmp", "/mnt",  "/media",
};

static const char *const program_trees[] = {
    "/bin", "/boot", "/lib", "/lib32", "/lib64", "/libx32", "/sbin", "/usr",
};

static const char *const private_areas[] = {"/run", "/tmp", "/var/tmp", "/dev/shm"};
static const char *const kernel_trees[] = {"/proc", "/sys", "/dev"};

static const char *const common_tables[] = {
    "/etc/fstab",	"/etc/group",	  "/etc/gshadow",	"/etc/hosts",
    "/etc/ld.so.cache", "/etc/localtime", "/etc/login.defs",	"/etc/mime.types",
    "/etc/mtab",	"/etc/networks",  "/etc/nsswitch.conf", "/etc/os-release",
    "/etc/passwd",	"/etc/protocols", "/etc/resolv.conf",	"/etc/rpc",
    "/etc/services",	"/etc/shadow",	  "/etc/shells",	"/etc/subgid",
    "/etc/subuid",	"/etc/timezone",
};

static const char *const documentation[] = {
    "/usr/share/doc",	  "/usr/share/man",	 "/usr/share/info",
    "/usr/share/lintian", "/usr/share/doc-base", "/usr/share/bash-completion",
    "/usr/share/bug",
};

static bool equals_one(const char *path, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (streq(path, list[i]))
			return true;
	return false;
}

static const char *within_one(const char *path, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (path_within(path, list[i]))
			return list[i];
	return NULL;
}

bool place_never_whole(const char *path)
{
	return equals_one(path, never_whole, ARRAY_LEN(never_whole));
}

bool place_shared_config(const char *path)
{
	return within_one(path, shared_config, ARRAY_LEN(shared_config));
}

const char *place_home_base(const char *path)
{
	return within_one(path, home_bases, ARRAY_LEN(home_bases));
}

bool place_private_area(const char *path)
{
	return within_one(path, private_areas, ARRAY_LEN(private_areas));
}

bool place_program_tree(const char *path)
{
	return within_one(path, program_trees, ARRAY_LEN(program_trees));
}

bool place_common_table(const char *path)
{
	return equals_one(path, common_tables, ARRAY_LEN(common_tables));
}

bool place_kernel_tree(const char *path)
{
	return within_one(path, kernel_trees, ARRAY_LEN(kernel_trees));
}

bool place_documentation(const char *path)
{
	return within_one(path, documentation, ARRAY_LEN(documentation));
}

/* The first @n components of @path, or NULL where it has no more than those. */
static char *first_components(const char *path, size_t n)
{
	const char *p = path;

	for (size_t i = 0; i < n && p; i++)
		p = strchr(p + 1, '/');
	return p && p > path ? xstrndup(path, (size_t)(p - path)) : NULL;
}

char *place_content_dir(const char *path)
{
	for (size_t i = 0; i < ARRAY_LEN(content_bases); i++)
		if (path_within(path, content_bases[i].base))
			return first_components(path, path_depth(content_bases[i].base) +
							  content_bases[i].depth);
	/* A top directory that no standard knows ("/data") is content too. */
	if (within_one(path, system_tops, ARRAY_LEN(system_tops)))
		return NULL;
	return first_components(path, path_depth(path) > 2 ? 2 : 1);
}

char *place_content_at(const char *path, bool dir)
{
	CLEANUP_STR char *inside = dir ? path_join(path, "x") : NULL;
	return place_content_dir(inside ? inside : path);
}
