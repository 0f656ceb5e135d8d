/* SPDX-License-Identifier: MIT */
/* What is written into control groups, on directories that look like some: this host may have
 * neither version in full. */
#include "confine/cgroup.h"

#include "base/alloc.h"
#include "base/path.h"
#include "confine/cgroup-parts.h"
#include "fs-scratch.h"

static const struct cgroup_limits all = {.memory = 1 << 30,
					 .memory_high = 900 << 20,
					 .memory_low = 5 << 20,
					 .memory_min = 4096,
					 .swap_set = true,
					 .processes = 50,
					 .weight = 200,
					 .io_weight = 1000,
					 .quota = 20000,
					 .period = 100000};

static char *text_of(const struct scratch *s, const char *file)
{
	static char text[256];
	int fd = openat(s->fd, file, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	if (fd >= 0)
		close(fd);
	return n < 0 ? NULL : text;
}

static void put_files(const struct scratch *s, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		put_file(s->fd, names[i], "");
}

static void test_unified(void)
{
	static const char *const names[] = {
	    "memory.max", "memory.high", "memory.low", "memory.min", "memory.swap.max",
	    "pids.max",	  "cpu.weight",	 "cpu.max",    "io.weight",  "memory.limit_in_bytes"};
	static const char *const want[] = {"1073741824", "943718400", "5242880",      "4096", "0",
					   "50",	 "200",	      "20000 100000", "1000", ""};
	struct scratch s = scratch_new();
	struct hierarchy h = {.unified = true};
	const struct cgroup c = {.dirs = {s.path}, .n = 1, .unified = s.path};
	struct cgroup_limits none = {0};

	put_files(&s, names, ARRAY_LEN(names));
	cgroup_write(s.path, &h, &none);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		CHECK_STR(text_of(&s, names[i]), "");
	CHECK(cgroup_holds(&c, &none));
	CHECK(!cgroup_holds(&c, &all));
	cgroup_write(s.path, &h, &all);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		CHECK_STR(text_of(&s, names[i]), want[i]);
	/* Nothing is made that the kernel has not. */
	CHECK_STR(text_of(&s, "io.bfq.weight"), NULL);
	CHECK(cgroup_holds(&c, &all));
	CHECK_INT(unlinkat(s.fd, "memory.high", 0), 0); /* a wish */
	CHECK(cgroup_holds(&c, &all));
	CHECK_INT(unlinkat(s.fd, "pids.max", 0), 0);
	CHECK(!cgroup_holds(&c, &all));
	scratch_done(&s);
}

/* Version 1 has no MemoryHigh=, whatever its files are called; weights have other ranges. */
static void test_old(void)
{
	static const char *const names[] = {"memory.limit_in_bytes",
					    "memory.soft_limit_in_bytes",
					    "memory.high",
					    "pids.max",
					    "cpu.shares",
					    "cpu.cfs_period_us",
					    "cpu.cfs_quota_us",
					    "blkio.weight",
					    "blkio.bfq.weight"};
	static const char *const want[] = {"1073741824", "",	  "",	  "50", "2048",
					   "100000",	 "20000", "1000", "181"};
	struct scratch s = scratch_new();
	struct hierarchy h = {.options = "rw,memory,pids,cpu,blkio"};
	struct hierarchy cpu = {.options = "rw,cpu,cpuacct"};

	put_files(&s, names, ARRAY_LEN(names));
	cgroup_write(s.path, &cpu, &all);
	CHECK_STR(text_of(&s, "pids.max"), "");
	CHECK_STR(text_of(&s, "cpu.shares"), "2048");
	cgroup_write(s.path, &h, &all);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		CHECK_STR(text_of(&s, names[i]), want[i]);
	scratch_done(&s);
}

static void test_weights(void)
{
	static const struct {
		unsigned weight;
		const char *blkio, *bfq;
	} rows[] = {{1, "10", "1"},
		    {100, "500", "100"},
		    {50, "250", "50"},
		    {200, "1000", "109"},
		    {10000, "1000", "1000"}};
	struct hierarchy h = {.options = "blkio"};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct scratch s = scratch_new();
		const struct cgroup_limits l = {.io_weight = rows[i].weight};
		put_file(s.fd, "blkio.weight", "");
		put_file(s.fd, "blkio.bfq.weight", "");
		cgroup_write(s.path, &h, &l);
		CHECK_STR(text_of(&s, "blkio.weight"), rows[i].blkio);
		CHECK_STR(text_of(&s, "blkio.bfq.weight"), rows[i].bfq);
		scratch_done(&s);
	}
}

/* A group whose files are not there yet: its parent is told to let it have the controller. */
static void test_enable(void)
{
	struct scratch s = scratch_new();
	struct hierarchy h = {.unified = true};
	const struct cgroup_limits l = {.memory_high = 4096};
	CLEANUP_STR char *dir = path_join(s.path, "jail");

	put_file(s.fd, "cgroup.subtree_control", "");
	CHECK_INT(mkdir(dir, 0755), 0);
	cgroup_write(dir, &h, &l);
	CHECK_STR(text_of(&s, "cgroup.subtree_control"), "+memory");
	scratch_done(&s);
}

int main(void)
{
	test_unified();
	test_old();
	test_weights();
	test_enable();
	return check_done("cgroup");
}
