/* SPDX-License-Identifier: MIT */
/* What paths in a program's data bring, on a sample host with a database of packages: directories
 * of the service's own, and others that only look like it. */
#include "foresee/foresee.h"

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "elf-maker.h"
#include "fs-scratch.h"

#define PROGRAM "/usr/sbin/d"
#define LOADER	"/lib64/ld.so"

static void put_bytes(int root, const char *path, const void *bytes, size_t n, mode_t mode)
{
	CLEANUP_STR char *dir = path_parent(path);

	CHECK_INT(beneath_mkdirs(root, dir, 0755), 0);
	CLEANUP_FD int fd = beneath_open(root, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	CHECK_INT(fd_write_all(fd, bytes, n), 0);
	CHECK_INT(fchmod(fd, mode), 0);
}

static void put(int root, const char *path, const char *text, mode_t mode)
{
	put_bytes(root, path, text, strlen(text), mode);
}

static void put_elf(int root, const char *path, struct elf_recipe recipe, mode_t mode)
{
	struct made_elf m = made_elf(&recipe);
	put_bytes(root, path, m.b, m.n, mode);
}

#define PUT_ELF(root, path, mode, ...) put_elf(root, path, (struct elf_recipe){__VA_ARGS__}, mode)

static const char data[] =
    "\0/usr/share/d/\0/usr/lib/d\0/usr/share/pages\0/usr/share/foreign\0"
    "/usr/share/shared\0/usr/lib\0/usr/share/doc/d\0line_file /usr/share/line.conf\0"
    "a /usr/share/noise\0"
    "see /usr/share/doc/d/README\0/usr/lib/d/bin\0";

static void make_packages(int root)
{
	put(root, "/var/lib/dpkg/status",
	    "Package: d\nStatus: install ok installed\nVersion: 1\n\n"
	    "Package: d-more\nSource: d\nStatus: install ok installed\nVersion: 1\n\n"
	    "Package: other\nStatus: install ok installed\nVersion: 1\n",
	    0644);
	put(root, "/var/lib/dpkg/info/d.list",
	    "/usr/sbin/d\n/usr/lib\n/usr/share/d\n/usr/lib/d\n/usr/share/shared\n/usr/share/pages\n"
	    "/usr/share/doc/d\n/usr/lib/d/bin\n",
	    0644);
	put(root, "/var/lib/dpkg/info/d-more.list", "/usr/lib/d\n", 0644);
	put(root, "/var/lib/dpkg/info/other.list",
	    "/usr/lib\n/usr/share/foreign\n/usr/share/shared\n/usr/share/langpack\n", 0644);
}

static void make_data(int root)
{
	put(root, "/usr/share/d/page.html", "x", 0644);
	put(root, "/usr/share/d/deep/er/page.html", "x", 0644);
	put(root, "/usr/share/d/script", "#!" LOADER "\n", 0644);
	put(root, "/usr/share/d/tool", "x", 0755);
	put(root, "/usr/share/d/man/d.1", "x", 0644);
	put(root, "/usr/share/d/site.key", "-----BEGIN PRIVATE KEY-----\n", 0640);
	put(root, "/usr/share/langpack/de", "x", 0644);
	CHECK_INT(symlinkat("langpack", root, "usr/share/pages"), 0);
	put(root, "/usr/share/foreign/x", "x", 0644);
	put(root, "/usr/share/shared/x", "x", 0644);
	put(root, "/usr/share/line.conf", "x", 0644);
	put(root, "/usr/share/noise", "x", 0644);
	put(root, "/usr/share/doc/d/README", "x", 0644);
}

static void make_modules(int root)
{
	static char weight[20 << 20];

	PUT_ELF(root, "/usr/lib/d/mod.so", 0644, .needed = {"libmod.so"});
	PUT_ELF(root, "/usr/lib/libmod.so", 0644, .soname = "libmod.so");
	PUT_ELF(root, "/usr/lib/d/deep/mod2.so", 0644, .soname = "mod2.so");
	PUT_ELF(root, "/usr/lib/d/heavy.so", 0644, .needed = {"libheavy.so"});
	PUT_ELF(root, "/usr/lib/libheavy.so", 0644, .soname = "libheavy.so");
	CLEANUP_FD int fd = beneath_open(root, "/usr/lib/libheavy.so", O_WRONLY | O_APPEND, 0);
	CHECK_INT(fd_write_all(fd, weight, sizeof(weight)), 0);
	put(root, "/usr/lib/d/mod.la", "# libtool\n", 0644);
	put(root, "/usr/lib/d/notes.txt", "x", 0644);
	PUT_ELF(root, "/usr/lib/d/helper", 0755, .interp = LOADER);
	PUT_ELF(root, "/usr/lib/d/as-root", 04755, .interp = LOADER);
	PUT_ELF(root, "/usr/lib/d/bin/client", 0755, .interp = LOADER);
}

static const struct {
	const char *path;
	bool taken;
} paths[] = {
    {"/usr/share/d/page.html", true},	{"/usr/share/d/deep/er/page.html", true},
    {"/usr/share/d/script", false},	{"/usr/share/d/tool", false},
    {"/usr/share/d/man/d.1", false},	{"/usr/share/d/site.key", false},
    {"/usr/share/langpack/de", true},	{"/usr/share/foreign/x", false},
    {"/usr/share/shared/x", false},	{"/usr/share/line.conf", true},
    {"/usr/share/doc/d/README", false}, {"/usr/lib/d/mod.so", true},
    {"/usr/lib/libmod.so", true},	{"/usr/lib/d/deep/mod2.so", true},
    {"/usr/lib/d/mod.la", true},	{"/usr/lib/d/notes.txt", false},
    {"/usr/lib/d/helper", true},	{"/usr/lib/d/as-root", false},
    {"/usr/lib/d/bin/client", false},	{"/usr/lib/d/heavy.so", false},
    {"/usr/lib/libheavy.so", false},
};

static void look_ahead(int root, struct foresight *ret)
{
	struct strv programs CLEANUP_STRV = STRV_INIT, none CLEANUP_STRV = STRV_INIT;
	struct err e = {0};

	strv_add(&programs, PROGRAM);
	const struct foresee_input in = {.host = root,
					 .programs = &programs,
					 .arguments = &none,
					 .environment = &none,
					 .include = &none,
					 .cwd = "/",
					 .used = &none,
					 .content = &none,
					 .writable = &none};
	CHECK_INT(foresee(&in, ret, &e), 0);
}

static void check_heavy(const struct evidence *ev)
{
	bool told = false;

	for (size_t i = 0; i < ev->n_passed; i++)
		told |= streq(ev->passed[i].path, "/usr/lib/d/heavy.so") &&
			strstr(ev->passed[i].text, "20 MB more");
	CHECK(told);
}

int main(void)
{
	struct scratch s = scratch_new();
	struct foresight f CLEANUP_FORESIGHT = FORESIGHT_INIT;

	make_packages(s.fd);
	make_data(s.fd);
	make_modules(s.fd);
	PUT_ELF(s.fd, LOADER, 0755, .soname = "ld.so");
	PUT_ELF(s.fd, PROGRAM, 0755, .interp = LOADER, .data = data, .data_len = sizeof(data));
	look_ahead(s.fd, &f);
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		bool taken = evidence_find(f.evidence, paths[i].path) != NULL;
		if (taken != paths[i].taken)
			printf("# %s\n", paths[i].path);
		CHECK(taken == paths[i].taken);
	}
	check_heavy(f.evidence);
	const struct node *n = evidence_find(f.evidence, "/usr/lib/d/mod.so");
	CHECK_STR(n ? n->reasons[0].text : NULL, "in /usr/lib/d, where " PROGRAM " looks for it");
	foresight_done(&f);
	scratch_done(&s);
	return check_done("compiled");
}
