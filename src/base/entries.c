/* SPDX-License-Identifier: MIT */
#include "base/entries.h"

#include <errno.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/str.h"

/* As getdents64(2) writes it. */
struct entry {
	uint64_t inode;
	int64_t next;
	unsigned short length;
	unsigned char type;
	char name[];
};

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
		const struct entry *entry = (const void *)(e->buf + e->at);
		e->at += entry->length;
		*ret = entry->name;
		if (!streq(*ret, ".") && !streq(*ret, ".."))
			return 1;
	}
}
