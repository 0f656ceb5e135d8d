/* SPDX-License-Identifier: MIT */
#include "elf/object.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "check.h"
#include "elf-maker.h"
#include "fs/dir.h"

static const char data[] = "its noise /no\0key /no\0key_1 /line\0/etc/x.conf\0/\0/a "
			   "b\0x/y\0/proc/%d/fd\0/etc/x.conf\0\001/z\0/tail";

static struct elf_recipe full_recipe(bool narrow, bool big)
{
	return (struct elf_recipe){
	    .narrow = narrow,
	    .big = big,
	    .machine = EM_PPC64,
	    .flags = 0x12345,
	    .interp = "/lib/ld.so",
	    .soname = "libme.so.1",
	    .rpath = "/r:$ORIGIN",
	    .runpath = "/run/path",
	    .needed = {"libb.so.2", "liba.so.1", "/abs/libc.so"},
	    .filters = {"libfilter.so"},
	    .auxiliaries = {"libaux.so"},
	    .imports = {"write", "getpwnam", "dlopen"},
	    .exports = {"main", "init"},
	    .defines = {"ME_1", "ME_2"},
	    .needs = {{"liba.so.1", "A_1.0", false}, {"libb.so.2", "B_2", true}},
	    .flags_1 = DF_1_PIE | DF_1_NODEFLIB,
	    .data = data,
	    .data_len = sizeof(data)};
}

static int file_of(const void *bytes, size_t n)
{
	int fd = memfd_create("object", MFD_CLOEXEC);
	CHECK_INT(fd_write_all(fd, bytes, n), 0);
	return fd;
}

static void check_list(const struct strv *sv, const char *want)
{
	char got[512] = "";

	for (size_t i = 0; i < sv->n; i++)
		snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%s", i ? " " : "",
			 sv->v[i]);
	CHECK_STR(got, want);
}

static void check_full(const struct elf_object *o, bool narrow, bool big)
{
	CHECK(o->wide == !narrow && o->big == big && o->dynamic && o->pie && o->nodeflib);
	CHECK_INT(o->machine, EM_PPC64);
	CHECK_INT(o->type, ET_DYN);
	CHECK_INT(o->flags, 0x12345);
	CHECK_STR(o->interp, "/lib/ld.so");
	CHECK_STR(o->soname, "libme.so.1");
	CHECK_STR(o->rpath, "/r:$ORIGIN");
	CHECK_STR(o->runpath, "/run/path");
	check_list(&o->needed, "libb.so.2 liba.so.1 /abs/libc.so");
	check_list(&o->filters, "libfilter.so");
	check_list(&o->auxiliaries, "libaux.so");
	check_list(&o->imports, "dlopen getpwnam write");
	check_list(&o->defines, "ME_1 ME_2");
	CHECK(elf_imports(o, "dlopen") && elf_imports(o, "write") && !elf_imports(o, "main"));
	if (o->n_versions != 2)
		CHECK_INT(o->n_versions, 2);
	else
		CHECK(streq(o->versions[0].file, "liba.so.1") && !o->versions[0].weak &&
		      streq(o->versions[0].name, "A_1.0") && o->versions[1].weak);
}

static void test_full(bool narrow, bool big)
{
	struct elf_recipe recipe = full_recipe(narrow, big);

	for (int hash = MADE_GNU_HASH; hash <= MADE_NO_HASH; hash++) {
		recipe.hash = (enum made_hash)hash;
		struct made_elf m = made_elf(&recipe);
		struct elf_object o CLEANUP_ELF_OBJECT = ELF_OBJECT_INIT;
		struct elf_object of CLEANUP_ELF_OBJECT = ELF_OBJECT_INIT;
		struct strv exports CLEANUP_STRV = STRV_INIT, paths CLEANUP_STRV = STRV_INIT;
		CLEANUP_FD int fd = file_of(m.b, m.n);
		CHECK_INT(elf_object_read(m.b, m.n, &o, NULL), 0);
		check_full(&o, narrow, big);
		CHECK_INT(elf_object_read_fd(fd, &of, NULL), 0);
		check_full(&of, narrow, big);
		CHECK_INT(elf_exports(fd, &exports, NULL), 0);
		check_list(&exports, "init main");
		CHECK_INT(elf_paths(fd, 100, &paths, NULL), 0);
		check_list(&paths, "/abs/libc.so /etc/x.conf /lib/ld.so /line /proc/%d/fd "
				   "/r:$ORIGIN /run/path /tail");
	}
}

/* A program that exports nothing has a hash table that says nothing. */
static void test_empty_hash(void)
{
	const struct elf_recipe recipe = {.hash = MADE_EMPTY_GNU_HASH,
					  .imports = {"one", "two", "three"}};
	struct made_elf m = made_elf(&recipe);
	struct elf_object o CLEANUP_ELF_OBJECT = ELF_OBJECT_INIT;

	CHECK_INT(elf_object_read(m.b, m.n, &o, NULL), 0);
	CHECK(elf_imports(&o, "one") && elf_imports(&o, "two") && elf_imports(&o, "three"));
	CHECK(!o.interp && !o.soname && !o.pie && !o.nodeflib && !o.needed.n);
}

static int read_recipe(struct elf_recipe recipe, struct elf_object *o, struct err *e)
{
	struct made_elf m = made_elf(&recipe);
	return elf_object_read(m.b, m.n, o, e);
}

static void test_kinds(void)
{
	static const struct {
		struct elf_recipe recipe;
		int r;
		bool dynamic, pie;
	} rows[] = {
	    {{.no_dynamic = true, .type = ET_EXEC}, 0, false, false}, /* static */
	    {{.flags_1 = DF_1_PIE}, 0, true, true},		      /* static-pie */
	    {{.type = ET_REL}, -ENOEXEC, false, false},
	    {{.type = ET_CORE}, -ENOEXEC, false, false},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct elf_object o CLEANUP_ELF_OBJECT = ELF_OBJECT_INIT;
		CHECK_INT(read_recipe(rows[i].recipe, &o, NULL), rows[i].r);
		CHECK(o.dynamic == rows[i].dynamic && o.pie == rows[i].pie);
	}
	struct elf_object o = ELF_OBJECT_INIT;
	struct err e = {0};
	CHECK_INT(elf_object_read("#!/bin/sh\n", 10, &o, &e), -ENOEXEC);
	CHECK_INT(elf_object_read("", 0, &o, &e), -ENOEXEC);
	CHECK_INT(elf_object_read(ELFMAG, SELFMAG - 1, &o, &e), -ENOEXEC);
	CHECK_STR(e.msg, "");
	CHECK_INT(elf_object_read(ELFMAG, SELFMAG, &o, &e), -EBADMSG);
	CHECK_STR(e.msg, "a broken ELF file: its header does not lie in it");
	CHECK_INT(elf_object_read_fd(-1, &o, &e), -EBADF);
}

/* Where @tag's value stands in @m. */
static size_t value_of(const struct made_elf *m, uint64_t tag)
{
	size_t i = 0, size = MADE_SIZE(m, Dyn);

	while (m->tags[i] != tag)
		i++;
	return m->n - (m->n_tags - i) * size + size / 2;
}

/* Each table moved or grown beyond the end. */
static void test_broken(void)
{
	static const struct {
		uint64_t tag, value;
		const char *message;
	} rows[] = {
	    {DT_STRTAB, 0x7000, "table of dynamic strings"},
	    {DT_STRSZ, 1u << 30, "table of dynamic strings"},
	    {DT_NEEDED, 100000, "name of a library"},
	    {DT_SYMTAB, UINT64_MAX - 4, "table of symbols"},
	    {DT_GNU_HASH, MADE_BASE + MADE_MAX, "table of symbols"},
	    {DT_VERNEED, UINT64_MAX, "table of versions"},
	    {DT_VERNEEDNUM, 1u << 30, "table of versions"},
	    {DT_VERDEF, 1, "table of versions"},
	};
	const struct elf_recipe recipe = full_recipe(false, false);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct made_elf m = made_elf(&recipe);
		struct elf_object o CLEANUP_ELF_OBJECT = ELF_OBJECT_INIT;
		struct err e = {0};
		made_number(&m, value_of(&m, rows[i].tag), 8, rows[i].value);
		CHECK_INT(elf_object_read(m.b, m.n, &o, &e), -EBADMSG);
		CLEANUP_STR char *want =
		    xasprintf("a broken ELF file: its %s does not lie in it", rows[i].message);
		CHECK_STR(e.msg, want);
		CHECK(!o.interp && !o.needed.n && !o.n_versions);
	}
}

/* Every shorter file, and every bit turned: an answer, and none that a sanitizer minds. */
static void test_hostile(bool narrow, bool big)
{
	const struct elf_recipe recipe = full_recipe(narrow, big);
	const struct made_elf good = made_elf(&recipe);
	size_t refused = 0;

	for (size_t n = 0; n < good.n; n++) {
		struct elf_object o CLEANUP_ELF_OBJECT = ELF_OBJECT_INIT;
		CLEANUP_STR char *exact = xcalloc(n, 1);
		memcpy(exact, good.b, n);
		refused += elf_object_read(exact, n, &o, NULL) < 0;
	}
	CHECK_INT(refused, good.n);
	for (size_t bit = 0; bit < 8 * good.n; bit++) {
		struct made_elf m = good;
		struct elf_object o CLEANUP_ELF_OBJECT = ELF_OBJECT_INIT;
		m.b[bit / 8] ^= (uint8_t)(1 << bit % 8);
		int r = elf_object_read(m.b, m.n, &o, NULL);
		CHECK(r == 0 || r == -ENOEXEC || r == -EBADMSG);
	}
}

/* What libelf says of one file, by its section headers. */
struct facts {
	struct strv needed, imports, exports, versions, defines;
	char *soname, *rpath, *runpath;
};

static void facts_done(struct facts *f)
{
	strv_done(&f->needed);
	strv_done(&f->imports);
	strv_done(&f->exports);
	strv_done(&f->versions);
	strv_done(&f->defines);
	free(f->soname);
	free(f->rpath);
	free(f->runpath);
}

static void keep(char **s, const char *by)
{
	free(*s);
	*s = xstrdup(by);
}

static void facts_dynamic(struct facts *f, Elf *elf, Elf_Data *d, const GElf_Shdr *sh)
{
	GElf_Dyn dyn;

	for (int i = 0; gelf_getdyn(d, i, &dyn) && dyn.d_tag != DT_NULL; i++) {
		const char *s = elf_strptr(elf, sh->sh_link, dyn.d_un.d_val);
		if (dyn.d_tag == DT_NEEDED)
			strv_add(&f->needed, s);
		if (dyn.d_tag == DT_SONAME)
			keep(&f->soname, s);
		if (dyn.d_tag == DT_RPATH)
			keep(&f->rpath, s);
		if (dyn.d_tag == DT_RUNPATH)
			keep(&f->runpath, s);
	}
}

static void facts_symbols(struct facts *f, Elf *elf, Elf_Data *d, const GElf_Shdr *sh)
{
	GElf_Sym sym;

	for (int i = 1; gelf_getsym(d, i, &sym); i++) {
		const char *name = elf_strptr(elf, sh->sh_link, sym.st_name);
		if (GELF_ST_BIND(sym.st_info) != STB_LOCAL && name && *name)
			strv_add(sym.st_shndx ? &f->exports : &f->imports, name);
	}
}

static void facts_verneed(struct facts *f, Elf *elf, Elf_Data *d, const GElf_Shdr *sh)
{
	GElf_Verneed need;
	GElf_Vernaux aux;

	for (int at = 0; gelf_getverneed(d, at, &need); at += (int)need.vn_next) {
		int aux_at = at + (int)need.vn_aux;
		for (int i = 0; i < need.vn_cnt && gelf_getvernaux(d, aux_at, &aux); i++) {
			strv_take(&f->versions,
				  xasprintf("%s %s %d", elf_strptr(elf, sh->sh_link, need.vn_file),
					    elf_strptr(elf, sh->sh_link, aux.vna_name),
					    (aux.vna_flags & VER_FLG_WEAK) != 0));
			aux_at += (int)aux.vna_next;
		}
		if (!need.vn_next)
			break;
	}
}

static void facts_verdef(struct facts *f, Elf *elf, Elf_Data *d, const GElf_Shdr *sh)
{
	GElf_Verdef def;
	GElf_Verdaux aux;

	for (int at = 0; gelf_getverdef(d, at, &def); at += (int)def.vd_next) {
		if (!(def.vd_flags & VER_FLG_BASE) &&
		    gelf_getverdaux(d, at + (int)def.vd_aux, &aux))
			strv_add(&f->defines, elf_strptr(elf, sh->sh_link, aux.vda_name));
		if (!def.vd_next)
			break;
	}
}

static bool read_facts(int fd, struct facts *f)
{
	static const struct {
		Elf64_Word type;
		void (*read)(struct facts *f, Elf *elf, Elf_Data *d, const GElf_Shdr *sh);
	} sections[] = {{SHT_DYNAMIC, facts_dynamic},
			{SHT_DYNSYM, facts_symbols},
			{SHT_GNU_verneed, facts_verneed},
			{SHT_GNU_verdef, facts_verdef}};
	Elf *elf = elf_begin(fd, ELF_C_READ, NULL);
	Elf_Scn *section = NULL;
	GElf_Ehdr eh;
	bool good = elf && elf_kind(elf) == ELF_K_ELF && gelf_getehdr(elf, &eh) &&
		    (eh.e_type == ET_EXEC || eh.e_type == ET_DYN);

	while (good && (section = elf_nextscn(elf, section))) {
		GElf_Shdr sh;
		gelf_getshdr(section, &sh);
		for (size_t i = 0; i < ARRAY_LEN(sections); i++)
			if (sections[i].type == sh.sh_type)
				sections[i].read(f, elf, elf_getdata(section, NULL), &sh);
	}
	elf_end(elf);
	strv_sort_unique(&f->imports);
	strv_sort_unique(&f->exports);
	return good;
}

static bool same(const struct strv *a, const struct strv *b)
{
	bool equal = a->n == b->n;

	for (size_t i = 0; equal && i < a->n; i++)
		equal = streq(a->v[i], b->v[i]);
	return equal;
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? streq(a, b) : a == b;
}

static bool compare_facts(const struct elf_object *o, const struct strv *exports,
			  const struct facts *f)
{
	struct strv versions CLEANUP_STRV = STRV_INIT;

	for (size_t i = 0; i < o->n_versions; i++)
		strv_take(&versions, xasprintf("%s %s %d", o->versions[i].file, o->versions[i].name,
					       o->versions[i].weak));
	return same(&o->needed, &f->needed) && same(&o->imports, &f->imports) &&
	       same(exports, &f->exports) && same(&versions, &f->versions) &&
	       same(&o->defines, &f->defines) && same_text(o->soname, f->soname) &&
	       same_text(o->rpath, f->rpath) && same_text(o->runpath, f->runpath);
}

static unsigned compare_file(int dir, const char *name)
{
	CLEANUP_FD int fd = openat(dir, name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
	struct elf_object o CLEANUP_ELF_OBJECT = ELF_OBJECT_INIT;
	struct strv exports CLEANUP_STRV = STRV_INIT;
	struct facts f = {0};
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return 0;
	bool good = read_facts(fd, &f);
	CHECK_INT(elf_object_read_fd(fd, &o, NULL), good ? 0 : -ENOEXEC);
	if (good) {
		CHECK_INT(elf_exports(fd, &exports, NULL), 0);
		bool agree = compare_facts(&o, &exports, &f);
		if (!agree)
			printf("# %s differs from libelf's\n", name);
		CHECK(agree);
	}
	facts_done(&f);
	return good;
}

static void test_host(void)
{
	static const char *const dirs[] = {"/usr/bin",
					   "/usr/sbin",
					   "/usr/lib/x86_64-linux-gnu",
					   "/usr/lib/aarch64-linux-gnu",
					   "/usr/lib32",
					   "/usr/lib64",
					   "/usr/lib"};
	unsigned n = 0;

	elf_version(EV_CURRENT);
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		struct strv names CLEANUP_STRV = STRV_INIT;
		CLEANUP_FD int dir = open(dirs[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (dir < 0 || dir_names(dir, &names) < 0)
			continue;
		for (size_t k = 0; k < names.n; k++)
			n += compare_file(dir, names.v[k]);
	}
	printf("# host: %u objects compared with libelf\n", n);
	CHECK(n > 0);
}

int main(void)
{
	for (int i = 0; i < 4; i++) {
		test_full(i & 1, i & 2);
		test_hostile(i & 1, i & 2);
	}
	test_empty_hash();
	test_kinds();
	test_broken();
	test_host();
	return check_done("object");
}
