/* SPDX-License-Identifier: MIT */
#include "base/entries.h"

#include <dirent.h>
#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/str.h"

/* As getdents64(2) writes them, with the headers that say that a file is as long as it is. */
_Static_assert(sizeof(((struct dirent *)0)->d_off) == 8, "struct dirent is the kernel's");

int entries_next(struct entries *e, const char **ret)
{
	for (;;) {
		if (e->at == e->n) {
			long n = syscall(SYS_getdents64, e->fd, e->buf, sizeof(e->buf));
			if (n <= 0)
				return n < 0 ? -errno : 0;
			e->n = (size_t)n;
			e->at = 0;
		}
		const struct dirent *entry = (const void *)(e->buf + e->at);
		e->at += entry->d_reclen;
		*ret = entry->d_name;
		if (!streq(*ret, ".") && !streq(*ret, ".."))
			return 1;
	}
}
