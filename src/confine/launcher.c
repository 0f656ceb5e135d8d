/* SPDX-License-Identifier: MIT */
#include "confine/launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
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
	CLEANUP_FD int fd = memfd_create("plan", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int r = fd < 0 ? -errno : fd_write_all(fd, bytes, len);

	if (r == 0 &&
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
		r = -errno;
	return r < 0 ? err_errno(e, r, "writing the compiled plan") : take_fd(&fd);
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
	snprintf(numbers[0], sizeof(numbers[0]), "%d", image);
	snprintf(numbers[1], sizeof(numbers[1]), "%d", ctl);
	snprintf(numbers[2], sizeof(numbers[2]), "%d", go);
	fexecve(p->launcher, argv, envp);

	struct run_message m = {.type = RUN_FAILED};
	err_errno(&m.err, -errno, "executing " PROGRAM);
	message_send(ctl, &m, -1);
	_exit(127);
}
