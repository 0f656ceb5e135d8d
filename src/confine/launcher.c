/* SPDX-License-Identifier: MIT */
#include "confine/launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "confine/packed.h"
#include "confine/parts.h"

#define PROGRAM "immure-launch"

int launcher_image(const struct plan *p, struct err *e)
{
	size_t len = 0;
	CLEANUP_STR char *bytes = packed_write(p, &len);
	int fd = fd_memory("plan", bytes, len);

	return fd < 0 ? err_errno(e, fd, "writing the compiled plan") : fd;
}

static void keep_open(int fd)
{
	if (fd >= 0)
		fcntl(fd, F_SETFD, 0);
}

void launcher_execute(const struct plan *p, int image, int ctl, int go)
{
	const int passed[] = {p->mnt_ns,   p->net_ns,	p->ipc_ns,   p->uts_ns, p->user_ns, p->root,
			      p->stdio[0], p->stdio[1], p->stdio[2], image,	ctl,	    go};
	char numbers[3][12], name[] = PROGRAM, how[] = "--init";
	char *const argv[] = {name, how, numbers[0], numbers[1], numbers[2], NULL};
	char *const envp[] = {NULL};

	for (size_t i = 0; i < ARRAY_LEN(passed); i++)
		keep_open(passed[i]);
	for (size_t i = 0; i < p->n_pass; i++)
		keep_open(p->pass[i]);
	snprintf(numbers[0], sizeof(numbers[0]), "%d", image);
	snprintf(numbers[1], sizeof(numbers[1]), "%d", ctl);
	snprintf(numbers[2], sizeof(numbers[2]), "%d", go);
	fexecve(p->launcher, argv, envp);

	struct run_message m = {.type = RUN_FAILED};
	err_errno(&m.err, -errno, "executing " PROGRAM);
	message_send(ctl, &m, -1);
	_exit(127);
}
