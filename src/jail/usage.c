/* SPDX-License-Identifier: MIT */
#include "jail/usage.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "confine/cgroup-use.h"
#include "confine/freezer.h"
#include "fs/beneath.h"
#include "fs/size.h"
#include "jail/generation.h"
#include "jail/ready.h"
#include "jail/resources.h"

/* Some ten milliseconds. */
#define ENTRIES_MAX 20000

struct process_sum {
	unsigned long ticks;
	long long tasks, pages;
};

/* proc_pid_stat(5): 14 to 17 are its time, and that of the children it has waited for; 20 its
 * threads, 24 its resident pages. */
static void add_process(pid_t pid, struct process_sum *sum)
{
	unsigned long user, system;
	long waited_user, waited_system, threads, pages;
	char path[32], text[1024];

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	const char *after = strrchr(text, ')'); /* the name may hold anything */
	if (!after || sscanf(after + 1,
			     " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu %ld %ld %*d %*d "
			     "%ld %*d %*u %*u %ld",
			     &user, &system, &waited_user, &waited_system, &threads, &pages) != 6)
		return;
	sum->ticks += user + system + (unsigned long)(waited_user + waited_system);
	sum->tasks += threads;
	sum->pages += pages;
}

static void sum_processes(pid_t init, struct usage *ret)
{
	const struct run run = {.init = init, .init_fd = -1, .ctl = -1};
	struct pid_list pids CLEANUP_PIDS = {0};
	struct process_sum sum = {0};

	run_pids(&run, &pids);
	add_process(init, &sum);
	for (size_t i = 0; i < pids.n; i++)
		add_process(pids.v[i], &sum);
	ret->cpu = (double)sum.ticks / (double)sysconf(_SC_CLK_TCK);
	ret->tasks = sum.tasks;
	ret->memory = sum.pages * sysconf(_SC_PAGESIZE);
}

static void ask_group(const struct dirs *d, const char *name, pid_t init, struct usage *ret)
{
	CLEANUP_STR char *group = resources_group_name(d, name);
	struct cgroup c = CGROUP_INIT;
	struct cgroup_use use;

	cgroup_of(init, group, &c);
	cgroup_use(&c, &use);
	ret->frozen = freezer_frozen(&c);
	cgroup_forget(&c);
	ret->memory_max = use.memory_max;
	ret->tasks_max = use.tasks_max;
	ret->cpu_max = use.cpu_max;
	ret->cpu_weight = use.cpu_weight;
	if (use.memory >= 0)
		ret->memory = use.memory;
	if (use.tasks >= 0)
		ret->tasks = use.tasks;
	if (use.cpu >= 0)
		ret->cpu = use.cpu;
}

/* Its memory file systems, by whoever made them: below the root that the init has. */
static long long private_memory(pid_t init)
{
	static const char *const areas[] = {"/run", "/tmp", "/var/tmp", "/dev/shm"};
	char path[32];
	long long sum = 0;

	snprintf(path, sizeof(path), "/proc/%d/root", (int)init);
	CLEANUP_FD int root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(areas); i++) {
		struct statfs fs;
		CLEANUP_FD int fd = beneath_open_nolink(root, areas[i], O_PATH | O_DIRECTORY, 0);
		if (fd >= 0 && fstatfs(fd, &fs) == 0 && fs.f_type == TMPFS_MAGIC)
			sum += (long long)(fs.f_blocks - fs.f_bfree) * (long long)fs.f_bsize;
	}
	return sum;
}

static long long disk(const struct layout *l)
{
	CLEANUP_FD int host = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	size_t room = ENTRIES_MAX;
	long long sum = 0;
	bool whole = true;

	for (size_t i = 0; i < l->n && whole; i++) {
		const struct provision *p = &l->v[i];
		struct stat st;
		if (!p->writable || p->class == CLASS_OFFERED)
			continue;
		if (p->file && beneath_lstat(host, provision_source(p), &st) == 0)
			sum += (long long)st.st_blocks * 512;
		CLEANUP_FD int fd = p->file ? -1
					    : beneath_open_nolink(host, provision_source(p),
								  O_RDONLY | O_DIRECTORY, 0);
		if (fd >= 0)
			whole = size_of_tree(fd, &room, &sum);
	}
	return whole ? sum : -1;
}

void usage_measure(const struct dirs *d, const char *name, const struct running *running,
		   const struct layout *layout, struct usage *ret)
{
	*ret = (struct usage){.memory_max = -1,
			      .tasks_max = -1,
			      .cpu_max = -1,
			      .cpu_weight = -1,
			      .disk = disk(layout)};
	if (!running)
		return;
	sum_processes(running->init, ret);
	ask_group(d, name, running->init, ret);
	ret->private_memory = private_memory(running->init);
}

void usage_of(const struct dirs *d, const char *name, bool runs, struct usage *ret)
{
	struct generation g CLEANUP_GENERATION = GENERATION_INIT;
	struct running running = {0};
	bool known = runs && running_read(d, name, &running) == 0;

	generation_load_number(d, name, known ? running.generation : generation_number(d, name), &g,
			       NULL);
	usage_measure(d, name, known ? &running : NULL, &g.layout, ret);
}
