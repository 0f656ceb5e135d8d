/* SPDX-License-Identifier: MIT */
#include "grow/programs.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/attr.h"
#include "grow/tracee.h"

unsigned programs_of(struct programs *p, struct record *r, pid_t tid)
{
	size_t slot = (size_t)tid % ARRAY_LEN(p->known);
	char exe[4096];

	if (p->known[slot].tid == tid)
		return p->known[slot].program;
	if (tracee_link(tid, "exe", exe, sizeof(exe)) < 0)
		return PROGRAM_UNKNOWN; /* it may be readable next time */
	p->known[slot].tid = tid;
	p->known[slot].program = record_program(r, exe);
	return p->known[slot].program;
}

void programs_forget(struct programs *p)
{
	memset(p, 0, sizeof(*p));
}

bool programs_launching(pid_t tid)
{
	char path[64];
	struct stat own, its;

	snprintf(path, sizeof(path), "/proc/%d/exe", tid);
	return stat(path, &its) == 0 && stat("/proc/self/exe", &own) == 0 &&
	       its.st_dev == own.st_dev && its.st_ino == own.st_ino;
}
