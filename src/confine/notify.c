/* SPDX-License-Identifier: MIT */
#include "confine/notify.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"

int notify_open(struct notify *n, int listener)
{
	struct seccomp_notif_sizes sizes;

	*n = (struct notify){.listener = listener};
	if (syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) < 0)
		return -errno;
	n->size = sizes.seccomp_notif > sizeof(struct seccomp_notif) ? sizes.seccomp_notif
								     : sizeof(struct seccomp_notif);
	n->request = xcalloc(1, n->size);
	return 0;
}

void notify_close(struct notify *n)
{
	fd_close(&n->listener);
	free(n->request);
	*n = (struct notify)NOTIFY_INIT;
}

int notify_receive(struct notify *n)
{
	memset(n->request, 0, n->size); /* the kernel insists */
	if (ioctl(n->listener, SECCOMP_IOCTL_NOTIF_RECV, n->request) == 0)
		return 1;
	return errno == EINTR || errno == ENOENT ? 0 : -errno;
}

bool notify_waits(const struct notify *n, uint64_t id)
{
	return ioctl(n->listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

int notify_thread(pthread_t *ret, void *(*run)(void *arg), void *arg)
{
	sigset_t all, old;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	int r = pthread_create(ret, NULL, run, arg);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -r;
}
