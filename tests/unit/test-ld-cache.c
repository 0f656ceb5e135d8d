/* SPDX-License-Identifier: MIT */
#include "ld/ld-cache.h"

#include <elf.h>
#include <errno.h>
#include <limits.h>
#include <spawn.h>
#include <sys/wait.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "fs-scratch.h"
#include "ld-cache-maker.h"

#define LOADER "/lib64/ld-linux-x86-64.so.2"

static struct cache_maker sample(void)
{
	static const char *const names[] = {"x86-64-v2", "x86-64-v3"};
	struct cache_maker m = cache_new(6);

	cache_entry(&m, "libz.so.1", "/lib/v3/libz.so.1.3", 0x0303, CACHE_HWCAP | 1);
	cache_entry(&m, "libz.so.1", "/lib/v2/libz.so.1.2", 0x0303, CACHE_HWCAP);
	cache_entry(&m, "libz.so.1", "/lib/libz.so.1", 0x0303, 0);
	cache_entry(&m, "libz.so.1", "/lib32/libz.so.1", 0x0003, 0);
	cache_entry(&m, "libb10.so", "/secret/libb10.so", 0x0303, 0);
	cache_entry(&m, "libb9.so", "/lib/libb9.so", 0x0303, 0x8000);
	cache_extension(&m, names, 2);
	return m;
}

static void test_parse(void)
{
	struct cache_maker m = sample();
	struct ld_cache c CLEANUP_LD_CACHE = LD_CACHE_INIT;
	size_t first;

	CHECK_INT(ld_cache_parse(m.b, m.n, &c, NULL), 0);
	CHECK_INT(c.n, 6);
	CHECK_STR(c.v[0].hwcap_name, "x86-64-v3");
	CHECK_STR(c.v[1].hwcap_name, "x86-64-v2");
	CHECK_STR(c.v[1].path, "/lib/v2/libz.so.1.2");
	CHECK_STR(c.v[2].hwcap_name, NULL);
	CHECK_INT(c.v[3].flags, 3);
	CHECK_STR(c.v[5].hwcap_name, NULL);
	CHECK_INT(c.v[5].hwcap, 0x8000);
	CHECK_INT(ld_cache_find(&c, "libz.so.1", &first), 4);
	CHECK_INT(first, 0);
	CHECK_INT(ld_cache_find(&c, "libb9.so", &first), 1);
	CHECK_INT(first, 5);
	CHECK_INT(ld_cache_find(&c, "libb010.so", &first), 1);
	CHECK_INT(ld_cache_find(&c, "libb.so", &first), 0);
	CHECK_INT(ld_cache_find(&c, "", &first), 0);
	CHECK_INT(ld_cache_find(&c, "zz", &first), 0);
}

/* The old format in front, padded as 64-bit and as 32-bit writers do. */
static void test_old_format(void)
{
	struct cache_maker m = sample();

	for (size_t pad = 0; pad <= 4; pad += 4) {
		struct ld_cache c CLEANUP_LD_CACHE = LD_CACHE_INIT;
		struct cache_maker old = {.n = 12 + 4 + 12 * (pad ? 1 : 2) + pad};
		size_t at = old.n;
		memcpy(old.b, "ld.so-1.7.0", 11);
		cache_word(&old, 12, pad ? 1 : 2);
		memcpy(old.b + at, m.b, m.n);
		old.n += m.n;
		/* Of the offsets only those into the strings go from the new header. */
		for (size_t i = 0; i < 2; i++) {
			uint32_t extension, section;
			memcpy(&extension, m.b + 32, 4);
			cache_word(&old, at + 32, extension + (uint32_t)at);
			memcpy(&section, m.b + extension + 8 + 16 * i + 8, 4);
			cache_word(&old, at + extension + 8 + 16 * i + 8, section + (uint32_t)at);
		}
		CHECK_INT(ld_cache_parse(old.b, old.n, &c, NULL), 0);
		CHECK_INT(c.n, 6);
		if (c.n != 6)
			continue;
		CHECK_STR(c.v[0].hwcap_name, "x86-64-v3");
		CHECK_STR(c.v[2].path, "/lib/libz.so.1");
	}
}

static void test_broken(void)
{
	static const struct {
		size_t at;
		uint32_t value;
		const char *message;
	} rows[] = {
	    {0, 0, "no cache of a format that is known"},
	    {16, 0, "no cache of a format that is known"},
	    {20, 1000, "the cache is shorter than its entries"},
	    {20, UINT32_MAX, "the cache is shorter than its entries"},
	    {28, 3, "the cache of a machine of another byte order"},
	    {32, 100000, "the extension of the cache is not one"},
	    {32, 48, "the extension of the cache is not one"},
	    {CACHE_HEADER + 4, 100000, "a string of entry 0 lies outside"},
	    {CACHE_HEADER + 2 * CACHE_ENTRY + 8, UINT32_MAX, "a string of entry 2 lies outside"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct cache_maker m = sample();
		struct ld_cache c CLEANUP_LD_CACHE = LD_CACHE_INIT;
		struct err e = {0};
		cache_word(&m, rows[i].at, rows[i].value);
		CHECK_INT(ld_cache_parse(m.b, m.n, &c, &e), -EBADMSG);
		CHECK_STR(e.msg, rows[i].message);
	}
	struct ld_cache c CLEANUP_LD_CACHE = LD_CACHE_INIT;
	CHECK_INT(ld_cache_parse("", 0, &c, NULL), -EBADMSG);
	CHECK_INT(ld_cache_parse("ld.so-1.7.0", 11, &c, NULL), -EBADMSG);
}

static void test_flags(void)
{
	static const struct {
		uint16_t machine;
		bool wide;
		uint32_t e_flags, want;
	} rows[] = {
	    {EM_X86_64, true, 0, 0x0303},
	    {EM_X86_64, false, 0, 0x0803},
	    {EM_386, false, 0, 0x0003},
	    {EM_AARCH64, true, 0, 0x0a03},
	    {EM_ARM, false, 0x5000400, 0x0903},
	    {EM_ARM, false, 0x5000200, 0x0b03},
	    {EM_ARM, false, 0x5000000, 0x0003},
	    {EM_RISCV, true, 0x5, 0x1003},
	    {EM_RISCV, true, 0x1, 0x0f03},
	    {EM_S390, true, 0, 0x0403},
	    {EM_PPC64, true, 2, 0x0503},
	    {EM_MIPS, true, 0x80000007, 0x0703},
	    {EM_MIPS, false, 0x20000027, 0x0603},
	    {258, true, 0x43, 0x1203},
	    {EM_SPARCV9, true, 0, 0x0103},
	    {EM_68K, false, 0, 0},
	    {EM_AARCH64, false, 0, 0},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		CHECK_INT(ld_cache_flags(rows[i].machine, rows[i].wide, rows[i].e_flags),
			  rows[i].want);
}

static bool not_secret(const char *path, void *ctx)
{
	++*(size_t *)ctx;
	return strncmp(path, "/secret", 7) != 0 && strncmp(path, "/lib/v2", 7) != 0;
}

static bool none(const char *path UNUSED, void *ctx UNUSED)
{
	return false;
}

static void test_cut(void)
{
	struct cache_maker m = sample();
	struct ld_cache c CLEANUP_LD_CACHE = LD_CACHE_INIT;
	CLEANUP_STR char *bytes = NULL;
	CLEANUP_STR char *empty = NULL;
	size_t len, asked = 0;

	CHECK_INT(ld_cache_cut(m.b, m.n, not_secret, &asked, &bytes, &len, NULL), 0);
	CHECK_INT(asked, 6);
	CHECK_INT(ld_cache_parse(bytes, len, &c, NULL), 0);
	CHECK_INT(c.n, 4);
	CHECK_STR(c.v[0].hwcap_name, "x86-64-v3");
	CHECK_STR(c.v[0].path, "/lib/v3/libz.so.1.3");
	CHECK_STR(c.v[0].name, "libz.so.1");
	CHECK_STR(c.v[2].path, "/lib32/libz.so.1");
	CHECK_INT(c.v[2].flags, 3);
	CHECK_INT(c.v[3].hwcap, 0x8000);
	/* Nothing of what went is left, nor of the host's ldconfig. */
	static const char *const gone[] = {"secret", "b10", "v2", "host"};
	for (size_t i = 0; i < ARRAY_LEN(gone); i++)
		CHECK(!memmem(bytes, len, gone[i], strlen(gone[i])));
	size_t empty_len;
	CHECK_INT(ld_cache_cut(m.b, m.n, none, NULL, &empty, &empty_len, NULL), 0);
	CHECK_INT(empty_len, CACHE_HEADER);
	CHECK_INT(ld_cache_cut("x", 1, none, NULL, &empty, &empty_len, NULL), -EBADMSG);
}

/* What a command prints; the caller's. NULL where it could not be run. */
static char *output_of(const char *const *argv)
{
	posix_spawn_file_actions_t actions;
	char *out = NULL;
	int ends[2], status;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return NULL;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[1], 1);
	int r = posix_spawn(&pid, argv[0], &actions, NULL, (char *const *)(uintptr_t)argv, NULL);
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	if (r == 0) {
		fd_read_all(ends[0], 16 << 20, &out, NULL);
		waitpid(pid, &status, 0);
	}
	close(ends[0]);
	return out;
}

/* "\tlibz.so.1 (libc6,x86-64) => /lib/x86_64-linux-gnu/libz.so.1": as ldconfig lists it. */
static void compare_listing(const char *listing, const struct ld_cache *c)
{
	size_t i = 0;
	bool same = listing != NULL;

	for (const char *p = listing; same && (p = strstr(p, "\n\t")) && i < c->n; i++) {
		p += 2;
		size_t name = strcspn(p, " ");
		const char *path = strstr(p, " => ") + 4;
		same = strlen(c->v[i].name) == name && strncmp(p, c->v[i].name, name) == 0 &&
		       strncmp(path, c->v[i].path, strcspn(path, "\n")) == 0;
	}
	CHECK(same);
	CHECK_INT(i, c->n);
}

static const char *find_ldconfig(void)
{
	return access("/sbin/ldconfig", X_OK) == 0 ? "/sbin/ldconfig" : NULL;
}

/* The host's cache, whole and cut to every other entry, as ldconfig reads it. */
static bool every_other(const char *path UNUSED, void *ctx)
{
	return ++*(size_t *)ctx & 1;
}

static void test_host(void)
{
	struct scratch s = scratch_new();
	struct ld_cache c CLEANUP_LD_CACHE = LD_CACHE_INIT, half CLEANUP_LD_CACHE = LD_CACHE_INIT;
	CLEANUP_FD int fd = open("/etc/ld.so.cache", O_RDONLY | O_CLOEXEC);
	CLEANUP_STR char *bytes = NULL;
	CLEANUP_STR char *cut = NULL;
	CLEANUP_STR char *file = path_join(s.path, "cache");
	size_t len, cut_len, i = 0;

	if (!skip_unless(fd >= 0 && find_ldconfig(), "the host has no cache")) {
		const char *whole_argv[] = {find_ldconfig(), "-p", NULL};
		const char *cut_argv[] = {find_ldconfig(), "-p", "-C", file, NULL};
		CHECK_INT(fd_read_all(fd, 16 << 20, &bytes, &len), 0);
		CHECK_INT(ld_cache_parse(bytes, len, &c, NULL), 0);
		CLEANUP_STR char *listing = output_of(whole_argv);
		compare_listing(listing, &c);
		CHECK_INT(ld_cache_cut(bytes, len, every_other, &i, &cut, &cut_len, NULL), 0);
		CHECK_INT(ld_cache_parse(cut, cut_len, &half, NULL), 0);
		CHECK_INT(half.n, (c.n + 1) / 2);
		CLEANUP_FD int to = openat(s.fd, "cache", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
		CHECK_INT(fd_write_all(to, cut, cut_len), 0);
		CLEANUP_STR char *half_listing = output_of(cut_argv);
		compare_listing(half_listing, &half);
		printf("# host: %zu entries, and %zu cut, as ldconfig lists them\n", c.n, half.n);
	}
	scratch_done(&s);
}

static void copy_to(int root, const char *from, const char *to)
{
	CLEANUP_STR char *bytes = NULL;
	CLEANUP_STR char *dir = path_parent(to);
	CLEANUP_FD int in = open(from, O_RDONLY | O_CLOEXEC);
	size_t len = 0;

	CHECK_INT(beneath_mkdirs(root, dir, 0755), 0);
	CLEANUP_FD int out = beneath_open(root, to, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	CHECK(in >= 0 && out >= 0 && fd_read_all(in, 64 << 20, &bytes, &len) == 0);
	CHECK_INT(fd_write_all(out, bytes, len), 0);
}

static char *list_in(const char *root, const char *program)
{
	const char *argv[] = {"/usr/sbin/chroot", root, LOADER, "--list", program, NULL};
	return output_of(argv);
}

/* The real loader finds a library where only the cut cache says that it is. */
static void test_loader(void)
{
	struct scratch s = scratch_new();
	struct cache_maker m = cache_new(3);
	CLEANUP_STR char *cut = NULL;
	char libc[PATH_MAX];
	size_t len, n = 0;

	cache_entry(&m, "libc.so.6", "/odd/v2/libc.so.6", 0x0303, CACHE_HWCAP | 1);
	cache_entry(&m, "libc.so.6", "/odd/libc.so.6", 0x0303, 0);
	cache_entry(&m, "liba.so.6", "/secret/liba.so.6", 0x0303, 0);
	cache_extension(&m, (const char *const[]){"x86-64-v1", "x86-64-v2"}, 2);
	if (!skip_unless(geteuid() == 0 && realpath(LOADER, libc) &&
			     access("/usr/sbin/chroot", X_OK) == 0,
			 "needs root and an x86-64 glibc")) {
		copy_to(s.fd, LOADER, LOADER);
		copy_to(s.fd, "/bin/true", "/bin/true");
		strcpy(strrchr(libc, '/'), "/libc.so.6");
		copy_to(s.fd, libc, "/odd/libc.so.6");
		copy_to(s.fd, libc, "/odd/v2/libc.so.6");
		CLEANUP_STR char *before = list_in(s.path, "/bin/true");
		CHECK(before && !strstr(before, "/odd/"));
		CHECK_INT(ld_cache_cut(m.b, m.n, not_secret, &n, &cut, &len, NULL), 0);
		CHECK_INT(beneath_mkdirs(s.fd, "/etc", 0755), 0);
		CLEANUP_FD int to =
		    openat(s.fd, "etc/ld.so.cache", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
		CHECK_INT(fd_write_all(to, cut, len), 0);
		CLEANUP_STR char *after = list_in(s.path, "/bin/true");
		bool v2 = __builtin_cpu_supports("sse4.2");
		CHECK(after && strstr(after, v2 ? "libc.so.6 => /odd/v2/libc.so.6 "
						: "libc.so.6 => /odd/libc.so.6 "));
	}
	scratch_done(&s);
}

int main(void)
{
	test_parse();
	test_old_format();
	test_broken();
	test_flags();
	test_cut();
	test_host();
	test_loader();
	return check_done("ld-cache");
}
