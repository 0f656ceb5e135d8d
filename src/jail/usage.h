/* SPDX-License-Identifier: MIT */
/* What a jail uses of the host, and what it may at most.
 *
 * From its control group where that counts, else from the kernel's account of each of its
 * processes. Cheap enough to be asked for every few seconds: nothing is read but counters, and of
 * the directories that the jail writes at most so many entries as are looked at in some
 * milliseconds. */
#pragma once

#include <stdbool.h>

#include "jail/layout.h"
#include "jail/running.h"
#include "keep/dirs.h"

/* Numbers are -1 where nobody knows them, limits where there is none. */
struct usage {
	long long memory; /* bytes: of its group, where that counts them (cache included); else
			   * resident in all its processes, shared pages once in each */
	long long tasks;  /* processes and threads, the jail's init too: what TasksMax= is about */
	double cpu;	  /* seconds of processor time since the start. Where no group counts, what
			   * a process has used that nobody waited for is not in it */
	long long
	    private_memory; /* bytes in files that nobody else has: its /run, /tmp, /dev/shm */
	long long disk;	    /* bytes of the host's directories that it may write (state, logs); -1
			     * where there is too much to be counted in passing */
	long long memory_max, tasks_max;
	double cpu_max;	      /* processors */
	long long cpu_weight; /* 100 is normal */
	bool frozen;
};

/* @running: of a jail that runs, else NULL. @layout: of the generation that is meant. */
void usage_measure(const struct dirs *d, const char *name, const struct running *running,
		   const struct layout *layout, struct usage *ret);

/* The same of the jail as it is now, with its state in jail/service.h already looked at: @runs. */
void usage_of(const struct dirs *d, const char *name, bool runs, struct usage *ret);
