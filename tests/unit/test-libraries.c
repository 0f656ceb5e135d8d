/* SPDX-License-Identifier: MIT */
/* Closures in sample roots of synthesised files: each of the loader's rules in a root of its own,
 * with libraries of the same name in all the places where another rule would find them. */
#include "foresee/libraries.h"

#include <errno.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "elf-maker.h"
#include "fs-scratch.h"
#include "ld-cache-maker.h"
#include "ld/loader.h"

#define LOADER	    "/lib64/ld-linux-x86-64.so.2"
#define DEBIAN_DIRS "\0/lib/x86_64-linux-gnu/\0/usr/lib/x86_64-linux-gnu/\0/lib/\0/usr/lib/\0\0"

static void put_elf(int root, const char *path, struct elf_recipe recipe)
{
	CLEANUP_STR char *dir = path_parent(path);
	struct made_elf m = made_elf(&recipe);

	CHECK_INT(beneath_mkdirs(root, dir, 0755), 0);
	CLEANUP_FD int fd =
	    beneath_open(root, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	CHECK_INT(fd_write_all(fd, m.b, m.n), 0);
}

#define PUT(s, path, ...) put_elf((s)->fd, path, (struct elf_recipe){__VA_ARGS__})

/* A text that all may read: else it were a secret. */
static void put_text(int root, const char *path, const char *text)
{
	put_file(root, path, text);
	CHECK_INT(fchmodat(root, path, 0644, 0), 0);
}

/* The same small library in each of these places. */
static void put_everywhere(int root, const char *name, const char *dirs)
{
	while (*dirs) {
		size_t n = strcspn(dirs, " ");
		CLEANUP_STR char *dir = xstrndup(dirs, n);
		CLEANUP_STR char *path = path_join(dir, name);
		put_elf(root, path, (struct elf_recipe){.soname = name});
		dirs += n + strspn(dirs + n, " ");
	}
}

static struct scratch root_new(void)
{
	struct scratch s = scratch_new();

	PUT(&s, LOADER, .soname = "ld-linux-x86-64.so.2", .data = DEBIAN_DIRS,
	    .data_len = sizeof(DEBIAN_DIRS));
	return s;
}

static char *joined(const struct strv *sv, const char *between)
{
	char *all = xstrdup("");

	for (size_t i = 0; i < sv->n; i++) {
		char *longer = xasprintf("%s%s%s", all, i ? between : "", sv->v[i]);
		free(all);
		all = longer;
	}
	return all;
}

/* What is taken, links aside and in order, and what is missing. */
static void check_take(struct libraries *l, const struct scratch *s, const char *path,
		       const char *program, const char *want, const char *want_missing)
{
	struct evidence *ev CLEANUP_EVIDENCE = evidence_new(s->fd);
	struct strv paths CLEANUP_STRV = STRV_INIT, missing CLEANUP_STRV = STRV_INIT;

	CHECK_INT(libraries_take(l, ev, path, program, &missing), 0);
	for (const struct node *n = ev->first; n; n = n->next)
		if (n->reasons[0].kind != REASON_WAY)
			strv_add(&paths, n->path);
	CLEANUP_STR char *got = joined(&paths, " ");
	CLEANUP_STR char *got_missing = joined(&missing, " | ");
	CHECK_STR(got, want);
	CHECK_STR(got_missing, want_missing);
}

static void check_in(const struct scratch *s, const char *variable, const char *path,
		     const char *want, const char *want_missing)
{
	struct strv environment CLEANUP_STRV = STRV_INIT;

	if (variable)
		strv_add(&environment, variable);
	struct libraries *l CLEANUP_LIBRARIES = libraries_open(s->fd, &environment);
	check_take(l, s, path, NULL, want, want_missing);
}

#define TAKES(s, path, want) check_in(s, NULL, path, LOADER want, "")

/* RPATH is that of the whole chain, unless the object itself has a RUNPATH. */
static void test_rpath(void)
{
	struct scratch s = root_new();

	PUT(&s, "/bin/a", .interp = LOADER, .rpath = "/r", .needed = {"libx.so"});
	put_everywhere(s.fd, "libx.so", "/lib");
	put_everywhere(s.fd, "liby.so", "/lib /run");
	put_everywhere(s.fd, "libz.so", "/r /run /lib");
	put_everywhere(s.fd, "libd.so", "/r /lib");
	PUT(&s, "/r/libx.so", .needed = {"liby.so"});
	PUT(&s, "/r/liby.so", .runpath = "/run", .needed = {"libz.so", "libd.so"});
	TAKES(&s, "/bin/a", " /r/libx.so /r/liby.so /run/libz.so /lib/libd.so");

	/* With both tags RPATH is nothing, and RUNPATH is for its object alone. */
	PUT(&s, "/bin/b", .interp = LOADER, .rpath = "/r", .runpath = "/b", .needed = {"libx.so"});
	PUT(&s, "/b/libx.so", .needed = {"liby.so"});
	PUT(&s, "/b/liby.so", .soname = "liby.so");
	TAKES(&s, "/bin/b", " /b/libx.so /lib/liby.so");

	/* Nearest first; one with a RUNPATH is passed over in the chain. */
	PUT(&s, "/bin/c", .interp = LOADER, .rpath = "/far", .needed = {"/near/libm.so"});
	PUT(&s, "/near/libm.so", .rpath = "/near", .needed = {"liby.so"});
	put_everywhere(s.fd, "liby.so", "/near /far");
	TAKES(&s, "/bin/c", " /near/libm.so /near/liby.so");
	PUT(&s, "/near/libm.so", .rpath = "/near", .runpath = "/none", .needed = {"libn.so"});
	PUT(&s, "/lib/libn.so", .needed = {"liby.so"});
	TAKES(&s, "/bin/c", " /near/libm.so /lib/libn.so /far/liby.so");
	scratch_done(&s);
}

static void test_environment(void)
{
	struct scratch s = root_new();

	put_everywhere(s.fd, "libx.so", "/r /env /run /lib");
	PUT(&s, "/bin/r", .interp = LOADER, .rpath = "/r", .needed = {"libx.so"});
	PUT(&s, "/bin/run", .interp = LOADER, .runpath = "/run", .needed = {"libx.so"});
	const char *env = "LD_LIBRARY_PATH=relative::/none;/env";
	check_in(&s, env, "/bin/r", LOADER " /r/libx.so", "");
	check_in(&s, env, "/bin/run", LOADER " /env/libx.so", "");
	check_in(&s, "LD_LIBRARY_PATH=$ORIGIN/../env", "/bin/run", LOADER " /env/libx.so", "");
	check_in(&s, "PATH=/env", "/bin/run", LOADER " /run/libx.so", "");
	/* A set-id program may be run with and without it. */
	CHECK_INT(fchmodat(s.fd, "bin/run", 04755, 0), 0);
	check_in(&s, env, "/bin/run", LOADER " /run/libx.so /env/libx.so", "");

	put_everywhere(s.fd, "libpre.so", "/env /lib");
	CHECK_INT(fchmodat(s.fd, "bin/run", 0755, 0), 0);
	check_in(&s, "LD_PRELOAD=libpre.so:/none.so /env/libx.so", "/bin/run",
		 LOADER " /lib/libpre.so /env/libx.so", "");
	beneath_mkdirs(s.fd, "/etc", 0755);
	put_text(s.fd, "etc/ld.so.preload", "/env/libpre.so\n");
	TAKES(&s, "/bin/run", " /etc/ld.so.preload /env/libpre.so /run/libx.so");
	scratch_done(&s);
}

static void test_tokens(void)
{
	struct scratch s = root_new();

	PUT(&s, "/opt/a/bin/p", .interp = LOADER, .runpath = "$ORIGIN/../${LIB}:$ORIGIN/$PLATFORM",
	    .needed = {"libx.so", "libcpu.so", "$ORIGIN/../libpath.so"});
	put_everywhere(s.fd, "libx.so", "/opt/a/lib/x86_64-linux-gnu /opt/a/lib");
	put_everywhere(s.fd, "libcpu.so",
		       "/opt/a/bin/haswell /opt/a/bin/x86_64 /opt/a/bin/i686 /lib");
	put_everywhere(s.fd, "libpath.so", "/opt/a /lib");
	TAKES(&s, "/opt/a/bin/p",
	      " /opt/a/lib/x86_64-linux-gnu/libx.so /lib/libcpu.so /opt/a/bin/x86_64/libcpu.so"
	      " /opt/a/bin/haswell/libcpu.so /opt/a/libpath.so");
	/* The origin of a library is where it was found, not where a link led. */
	PUT(&s, "/bin/q", .interp = LOADER, .rpath = "/links", .needed = {"liblink.so"});
	PUT(&s, "/real/liblink.so", .runpath = "$ORIGIN", .needed = {"libbeside.so"});
	put_everywhere(s.fd, "libbeside.so", "/real /links");
	CHECK_INT(symlinkat("/real/liblink.so", s.fd, "links/liblink.so"), 0);
	TAKES(&s, "/bin/q", " /real/liblink.so /links/libbeside.so");
	scratch_done(&s);
}

static void put_cache(const struct scratch *s)
{
	static const char *const levels[] = {"x86-64-v2", "x86-64-v3"};
	struct cache_maker m = cache_new(6);

	cache_entry(&m, "libz.so", "/v3/libz.so", 0x0303, CACHE_HWCAP | 1);
	cache_entry(&m, "libz.so", "/v2/libz.so", 0x0303, CACHE_HWCAP);
	cache_entry(&m, "libz.so", "/any/libz.so", 0x0303, 0);
	cache_entry(&m, "libz.so", "/m32/libz.so", 0x0003, 0);
	cache_entry(&m, "libgone.so", "/gone/libgone.so", 0x0303, 0);
	cache_entry(&m, "libd.so", "/usr/lib/libd.so", 0x0303, 0);
	cache_extension(&m, levels, 2);
	beneath_mkdirs(s->fd, "/etc", 0755);
	CLEANUP_FD int fd = beneath_open(s->fd, "/etc/ld.so.cache", O_WRONLY | O_CREAT, 0644);
	CHECK_INT(fd_write_all(fd, m.b, m.n), 0);
}

static void test_cache(void)
{
	struct scratch s = root_new();

	put_cache(&s);
	put_text(s.fd, "etc/ld.so.conf", "/conf\n");
	put_everywhere(s.fd, "libz.so", "/v3 /v2 /any /lib");
	PUT(&s, "/m32/libz.so", .narrow = true, .machine = EM_386);
	put_everywhere(s.fd, "libgone.so", "/usr/lib /conf");
	put_everywhere(s.fd, "libd.so", "/usr/lib");
	put_everywhere(s.fd, "libconf.so", "/conf");
	PUT(&s, "/bin/p", .interp = LOADER, .needed = {"libz.so", "libgone.so", "libd.so"});
	TAKES(&s, "/bin/p",
	      " /any/libz.so /v2/libz.so /v3/libz.so /usr/lib/libgone.so /usr/lib/libd.so");
	PUT(&s, "/bin/n", .interp = LOADER, .flags_1 = DF_1_NODEFLIB,
	    .needed = {"libz.so", "libd.so"});
	check_in(&s, NULL, "/bin/n", LOADER " /any/libz.so /v2/libz.so /v3/libz.so",
		 "libd.so, needed by /bin/n");
	PUT(&s, "/bin/c", .interp = LOADER, .needed = {"libconf.so"});
	check_in(&s, NULL, "/bin/c", LOADER, "libconf.so, needed by /bin/c");
	/* Without the cache its configuration stands for it. */
	CHECK_INT(unlinkat(s.fd, "etc/ld.so.cache", 0), 0);
	TAKES(&s, "/bin/c", " /conf/libconf.so");
	scratch_done(&s);
}

/* Every level is taken, with what each needs, up to the one that suits all. */
static void test_hwcaps(void)
{
	struct scratch s = root_new();

	put_everywhere(s.fd, "libx.so",
		       "/r/glibc-hwcaps/x86-64-v4 /lib /lib/glibc-hwcaps/x86-64-v2 /usr/lib");
	PUT(&s, "/lib/glibc-hwcaps/x86-64-v3/libx.so", .needed = {"libonly3.so"});
	put_everywhere(s.fd, "libonly3.so", "/lib/tls/x86_64 /usr/lib");
	PUT(&s, "/bin/p", .interp = LOADER, .rpath = "/r", .needed = {"libx.so"});
	TAKES(&s, "/bin/p",
	      " /lib/libx.so /lib/glibc-hwcaps/x86-64-v2/libx.so"
	      " /lib/glibc-hwcaps/x86-64-v3/libx.so /r/glibc-hwcaps/x86-64-v4/libx.so"
	      " /usr/lib/libonly3.so /lib/tls/x86_64/libonly3.so");
	scratch_done(&s);
}

/* What the loader passes over, what it misses, what it checks. */
static void test_candidates(void)
{
	struct scratch s = root_new();

	PUT(&s, "/a/libx.so", .narrow = true, .machine = EM_386);
	PUT(&s, "/b/libx.so", .machine = EM_AARCH64);
	PUT(&s, "/c/libx.so", .big = true);
	PUT(&s, "/d/libx.so", .defines = {"X_1", "X_2"});
	PUT(&s, "/d/libplain.so", .soname = "libplain.so");
	PUT(&s, "/bin/p", .interp = LOADER, .rpath = "/a:/b:/c:/d/",
	    .needed = {"libx.so", "libplain.so", "libgone.so"},
	    .needs = {{"libx.so", "X_2", false},
		      {"libx.so", "X_3", false},
		      {"libx.so", "X_4", true},
		      {"libplain.so", "P_1", false}});
	check_in(&s, NULL, "/bin/p", LOADER " /d/libx.so /d/libplain.so",
		 "libgone.so, needed by /bin/p | X_3 of libx.so, needed by /bin/p");
	PUT(&s, "/bin/q", .interp = "/none/ld.so", .rpath = "/d", .needed = {"libx.so"});
	check_in(&s, NULL, "/bin/q", "/d/libx.so", "/none/ld.so, interpreter of /bin/q");
	scratch_done(&s);
}

/* The names by which a library that is loaded already is known. */
static void test_names(void)
{
	struct scratch s = root_new();

	PUT(&s, "/bin/p", .interp = LOADER, .rpath = "/a:/b",
	    .needed = {"liblink.so", "libreal.so", "libso.so", "libx.so", "ld-linux-x86-64.so.2",
		       "libx.so"});
	PUT(&s, "/a/libreal.so", .soname = "libso.so");
	CHECK_INT(symlinkat("libreal.so", s.fd, "a/liblink.so"), 0);
	put_everywhere(s.fd, "libso.so", "/b");
	put_everywhere(s.fd, "libx.so", "/b");
	TAKES(&s, "/bin/p", " /a/libreal.so /b/libx.so");
	scratch_done(&s);
}

static void test_filters(void)
{
	struct scratch s = root_new();

	PUT(&s, "/bin/p", .interp = LOADER, .needed = {"libx.so"});
	PUT(&s, "/lib/libx.so", .needed = {"libn.so"}, .filters = {"libf.so", "libnof.so"},
	    .auxiliaries = {"libaux.so", "libnone.so"});
	put_everywhere(s.fd, "libf.so", "/lib");
	put_everywhere(s.fd, "libaux.so", "/lib");
	put_everywhere(s.fd, "libn.so", "/lib");
	check_in(&s, NULL, "/bin/p",
		 LOADER " /lib/libx.so /lib/libn.so /lib/libf.so /lib/libaux.so",
		 "libnof.so, filter of /lib/libx.so");
	scratch_done(&s);
}

/* A module has what its program loaded, and the program's RPATH. */
static void test_modules(void)
{
	struct scratch s = root_new();
	static const struct strv nothing = STRV_INIT;

	PUT(&s, "/bin/p", .interp = LOADER, .rpath = "/r", .needed = {"libx.so"});
	PUT(&s, "/mod/m.so", .needed = {"libx.so", "liby.so"});
	PUT(&s, "/mod/m32.so", .narrow = true, .machine = EM_386, .needed = {"libx.so"});
	put_everywhere(s.fd, "libx.so", "/r /lib");
	put_everywhere(s.fd, "liby.so", "/r /lib");
	struct libraries *l CLEANUP_LIBRARIES = libraries_open(s.fd, &nothing);
	check_take(l, &s, "/bin/p", "/bin/p", LOADER " /r/libx.so", "");
	check_take(l, &s, "/mod/m.so", "/bin/p", "/r/liby.so", "");
	/* What was taken is not taken again, in whatever light. */
	check_take(l, &s, "/mod/m.so", NULL, "", "");
	check_take(l, &s, "/r/libx.so", NULL, "", "");
	check_take(l, &s, "/bin/p", NULL, "", "");
	check_take(l, &s, "/mod/m32.so", "/bin/p", "", "libx.so, needed by /mod/m32.so");

	struct libraries *alone CLEANUP_LIBRARIES = libraries_open(s.fd, &nothing);
	check_take(alone, &s, "/mod/m.so", "/bin/none", "/lib/libx.so /lib/liby.so", "");
	CLEANUP_STR char *of_p = libraries_find(alone, "/bin/p", "libx.so");
	CLEANUP_STR char *of_m = libraries_find(alone, "/mod/m.so", "libx.so");
	CHECK_STR(of_p, "/r/libx.so");
	CHECK_STR(of_m, "/lib/libx.so");
	CHECK(!libraries_find(alone, "/bin/p", "libnone.so"));
	CHECK(!libraries_find(alone, "/bin/none", "libx.so"));
	scratch_done(&s);
}

static void test_static(void)
{
	struct scratch s = root_new();
	static const struct strv nothing = STRV_INIT;

	PUT(&s, "/bin/static", .type = ET_EXEC, .no_dynamic = true);
	PUT(&s, "/bin/static-pie", .flags_1 = DF_1_PIE);
	check_in(&s, NULL, "/bin/static", "", "");
	check_in(&s, NULL, "/bin/static-pie", "", "");
	put_file(s.fd, "bin/script", "#!/bin/sh\n");
	struct evidence *ev CLEANUP_EVIDENCE = evidence_new(s.fd);
	struct libraries *l CLEANUP_LIBRARIES = libraries_open(s.fd, &nothing);
	CHECK_INT(libraries_take(l, ev, "/bin/script", NULL, NULL), -ENOEXEC);
	CHECK_INT(libraries_take(l, ev, "/bin", NULL, NULL), -ENOEXEC);
	CHECK_INT(libraries_take(l, ev, "/none", NULL, NULL), -ENOEXEC);
	CHECK(!libraries_object(l, "/bin/script") && libraries_object(l, "/bin/static"));
	CHECK(!ev->first);
	scratch_done(&s);
}

/* Where distributions put libraries of other machines: each directory holds one library that stands
 * nowhere else. Loaders whose data tells nothing, so that the table has to. */
static void test_layouts(void)
{
	static const struct {
		struct elf_recipe abi;
		const char *interp, *dirs;
	} rows[] = {
	    {{.machine = EM_X86_64},
	     "/lib64/ld-linux-x86-64.so.2",
	     "/lib/x86_64-linux-gnu /usr/lib/x86_64-linux-gnu /lib64 /usr/lib64 /lib /usr/lib"},
	    {{.machine = EM_386, .narrow = true},
	     "/lib/ld-linux.so.2",
	     "/lib/i386-linux-gnu /usr/lib/i386-linux-gnu /lib32 /usr/lib32 /lib /usr/lib"},
	    {{.machine = EM_AARCH64},
	     "/lib/ld-linux-aarch64.so.1",
	     "/lib/aarch64-linux-gnu /usr/lib/aarch64-linux-gnu /lib64 /usr/lib64 /lib /usr/lib"},
	    {{.machine = EM_RISCV, .flags = 5},
	     "/lib/ld-linux-riscv64-lp64d.so.1",
	     "/lib/riscv64-linux-gnu /usr/lib/riscv64-linux-gnu /lib64/lp64d /usr/lib64/lp64d "
	     "/lib /usr/lib"},
	    {{.machine = EM_ARM, .narrow = true, .flags = 0x5000400},
	     "/lib/ld-linux-armhf.so.3",
	     "/lib/arm-linux-gnueabihf /usr/lib/arm-linux-gnueabihf /lib /usr/lib"},
	    {{.machine = EM_S390, .big = true},
	     "/lib/ld64.so.1",
	     "/lib/s390x-linux-gnu /usr/lib/s390x-linux-gnu /lib64 /usr/lib64 /lib /usr/lib"},
	    {{.machine = EM_PPC, .narrow = true, .big = true},
	     "/lib/ld.so.1",
	     "/lib/powerpc-linux-gnu /usr/lib/powerpc-linux-gnu /lib /usr/lib"},
	    {{.machine = EM_68K, .narrow = true, .big = true}, "/lib/ld.so.1", "/lib /usr/lib"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct scratch s = scratch_new();
		struct elf_recipe program = rows[i].abi, library = rows[i].abi;
		CLEANUP_STR char *want = xstrdup(rows[i].interp);
		char names[8][16];
		size_t n = 0;
		put_elf(s.fd, rows[i].interp, rows[i].abi);
		program.interp = rows[i].interp;
		for (const char *p = rows[i].dirs; *p; n++) {
			size_t len = strcspn(p, " ");
			snprintf(names[n], sizeof(names[n]), "lib%zu.so", n);
			program.needed[n] = library.soname = names[n];
			CLEANUP_STR char *path = xasprintf("%.*s/%s", (int)len, p, names[n]);
			put_elf(s.fd, path, library);
			char *longer = xasprintf("%s %s", want, path);
			free(want);
			want = longer;
			p += len + strspn(p + len, " ");
		}
		put_elf(s.fd, "/bin/p", program);
		check_in(&s, NULL, "/bin/p", want, "");
		scratch_done(&s);
	}
}

/* A library of another float ABI does not fit, one that does not tell does. */
static void test_float_abis(void)
{
	struct scratch s = scratch_new();

	PUT(&s, "/lib/ld-linux-armhf.so.3", .machine = EM_ARM, .narrow = true);
	PUT(&s, "/bin/p", .interp = "/lib/ld-linux-armhf.so.3", .machine = EM_ARM, .narrow = true,
	    .flags = 0x5000400, .rpath = "/soft:/hard", .needed = {"liba.so", "libb.so"});
	PUT(&s, "/soft/liba.so", .machine = EM_ARM, .narrow = true, .flags = 0x5000200);
	PUT(&s, "/hard/liba.so", .machine = EM_ARM, .narrow = true, .flags = 0x5000400);
	PUT(&s, "/soft/libb.so", .machine = EM_ARM, .narrow = true, .flags = 0x5000000);
	check_in(&s, NULL, "/bin/p", "/lib/ld-linux-armhf.so.3 /hard/liba.so /soft/libb.so", "");
	scratch_done(&s);
}

#define MUSL "/lib/ld-musl-x86_64.so.1"

/* musl: both tags of the whole chain, no $LIB, no cache, and one file for libc and its loader. */
static void test_musl(void)
{
	struct scratch s = scratch_new();

	PUT(&s, MUSL, .soname = "libc.musl-x86_64.so.1");
	PUT(&s, "/bin/p", .interp = MUSL, .runpath = "/run",
	    .needed = {"libc.musl-x86_64.so.1", "libx.so", "libpthread.so.0", "libdl.so.2"});
	PUT(&s, "/run/libx.so", .needed = {"liby.so", "libz.so", "libl.so"});
	put_everywhere(s.fd, "liby.so", "/run /lib");
	put_everywhere(s.fd, "libz.so", "/usr/local/lib /usr/lib");
	put_everywhere(s.fd, "libl.so", "/lib/glibc-hwcaps/x86-64-v2 /lib/x86_64 /usr/lib");
	check_in(&s, NULL, "/bin/p",
		 MUSL " /run/libx.so /run/liby.so /usr/local/lib/libz.so /usr/lib/libl.so", "");
	put_everywhere(s.fd, "libx.so", "/env");
	check_in(&s, "LD_LIBRARY_PATH=/env", "/bin/p", MUSL " /env/libx.so", "");
	beneath_mkdirs(s.fd, "/etc", 0755);
	put_text(s.fd, "etc/ld-musl-x86_64.path", "/opt/none\n/usr/lib:/lib\n");
	check_in(&s, NULL, "/bin/p",
		 MUSL " /etc/ld-musl-x86_64.path /run/libx.so /run/liby.so /usr/lib/libz.so"
		      " /usr/lib/libl.so",
		 "");
	scratch_done(&s);
}

static void check_reason(const struct evidence *ev, const char *path, enum reason_kind kind,
			 const char *from, const char *text)
{
	const struct node *n = evidence_find(ev, path);

	CHECK(n && n->n_reasons == 1 && n->reasons[0].kind == kind);
	CHECK_STR(n ? n->reasons[0].from : NULL, from);
	CHECK_STR(n ? n->reasons[0].text : NULL, text);
}

static void test_reasons(void)
{
	struct scratch s = root_new();
	struct strv environment CLEANUP_STRV = STRV_INIT;
	struct evidence *ev CLEANUP_EVIDENCE = evidence_new(s.fd);

	put_cache(&s);
	strv_add(&environment, "LD_LIBRARY_PATH=/env");
	put_everywhere(s.fd, "libe.so", "/env");
	put_everywhere(s.fd, "libz.so", "/any");
	put_everywhere(s.fd, "libd.so", "/usr/lib");
	PUT(&s, "/opt/libp.so", .runpath = "/opt/r", .needed = {"libr.so", "libn.so"});
	put_everywhere(s.fd, "libr.so", "/opt/r");
	put_everywhere(s.fd, "libn.so", "/lib");
	PUT(&s, "/bin/p", .interp = LOADER, .needed = {"libe.so", "libz.so", "/opt/libp.so"});
	struct libraries *l CLEANUP_LIBRARIES = libraries_open(s.fd, &environment);
	CHECK_INT(libraries_take(l, ev, "/bin/p", NULL, NULL), 0);
	check_reason(ev, LOADER, REASON_INTERPRETER, "/bin/p", "interpreter of /bin/p");
	check_reason(ev, "/env/libe.so", REASON_NEEDED, "/bin/p",
		     "needed by /bin/p (libe.so, by LD_LIBRARY_PATH)");
	check_reason(ev, "/any/libz.so", REASON_NEEDED, "/bin/p",
		     "needed by /bin/p (libz.so, by ld.so.cache)");
	check_reason(ev, "/opt/libp.so", REASON_NEEDED, "/bin/p",
		     "needed by /bin/p (/opt/libp.so, by its path)");
	check_reason(ev, "/opt/r/libr.so", REASON_NEEDED, "/opt/libp.so",
		     "needed by /opt/libp.so (libr.so, by RUNPATH of /opt/libp.so)");
	check_reason(ev, "/lib/libn.so", REASON_NEEDED, "/opt/libp.so",
		     "needed by /opt/libp.so (libn.so, in a default directory)");
	scratch_done(&s);
}

static void test_builtin_dirs(void)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *want;
	} rows[] = {
#define BYTES(s) s, sizeof(s) - 1
	    {BYTES("x" DEBIAN_DIRS "/no/lib/\0"),
	     "/lib/x86_64-linux-gnu /usr/lib/x86_64-linux-gnu /lib /usr/lib"},
	    {BYTES("\0/etc/\0/lib/ld.so\0/lib64/\0/usr/lib64/\0x"), "/lib64 /usr/lib64"},
	    {BYTES("\0/nix/store/abc-glibc-2.38/lib/\0\0/lib/\0"), "/nix/store/abc-glibc-2.38/lib"},
	    {BYTES("\0/lib/"), ""},
	    {BYTES("/lib/\0/"), ""},
	    {BYTES(""), ""},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct strv dirs CLEANUP_STRV = STRV_INIT;
		loader_builtin_dirs(rows[i].bytes, rows[i].len, &dirs);
		CLEANUP_STR char *got = joined(&dirs, " ");
		CHECK_STR(got, rows[i].want);
	}
}

int main(void)
{
	test_rpath();
	test_environment();
	test_tokens();
	test_cache();
	test_hwcaps();
	test_candidates();
	test_names();
	test_filters();
	test_modules();
	test_static();
	test_layouts();
	test_float_abis();
	test_musl();
	test_reasons();
	test_builtin_dirs();
	return check_done("libraries");
}
