/* SPDX-License-Identifier: MIT */
#include "jail/retain.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "fs/beneath.h"
#include "fs/dir.h"
#include "jail/generation.h"
#include "jail/running.h"

/* No number, so no generation; as other names of the unfinished. */
#define GOING ".immure-gone-"

/* What is on its way out, also of who was killed over it: how many; removed but with @dry. */
static int remove_going(int generations, bool dry)
{
	struct strv names CLEANUP_STRV = STRV_INIT;
	int n = 0;

	if (dir_names(generations, &names) < 0)
		return 0;
	for (size_t i = 0; i < names.n; i++)
		if (str_after(names.v[i], GOING)) {
			n++;
			if (!dry)
				tree_remove(generations, names.v[i]);
		}
	return n;
}

/* When it was sealed: its spec is written then and never again. */
static bool is_young(int generations, int number)
{
	struct stat st;
	char spec[32];

	snprintf(spec, sizeof(spec), "%d/spec", number);
	return fstatat(generations, spec, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       time(NULL) - st.st_mtim.tv_sec < RETAIN_DAYS * 86400L;
}

static bool let_go(int generations, int number)
{
	char from[16], to[32];

	snprintf(from, sizeof(from), "%d", number);
	snprintf(to, sizeof(to), GOING "%d", number);
	return renameat(generations, from, generations, to) == 0;
}

int retain_generations(const struct dirs *d, const char *name, bool dry)
{
	CLEANUP_STR char *path = jail_path(d, name, "generations");
	CLEANUP_FD int generations = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int all[GENERATIONS_MAX], gone = 0, current = generation_number(d, name);
	struct running running = {0};

	if (generations < 0 || (running_held(d, name) && running_read(d, name, &running) < 0))
		return 0;
	int going = remove_going(generations, dry);
	size_t n = generation_numbers(d, name, all);
	for (size_t i = 0; i + RETAIN_NEWEST < n; i++) {
		bool young = n - i <= RETAIN_MOST && is_young(generations, all[i]);
		if (!young && all[i] != current && all[i] != running.generation)
			gone += dry || let_go(generations, all[i]);
	}
	if (gone && !dry)
		remove_going(generations, false);
	return gone + going;
}
