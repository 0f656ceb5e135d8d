/* SPDX-License-Identifier: MIT */
/* The ring between a jail and its log: full, around its end, after a killed writer, and poisoned.
 */
#include "relay/queue.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "relay/message.h"
#include "relay/rate.h"

#define ROOM (1u << 20)

static int make(void)
{
	int fd = memfd_create("queue", MFD_CLOEXEC);

	CHECK_INT(queue_make(fd, ROOM), 0);
	return fd;
}

/* Takes one out as a sink does. */
static const char *next(struct queue *q)
{
	static char buf[MESSAGE_MAX + 1];
	uint64_t to = 0;
	size_t n = queue_next(q, buf, MESSAGE_MAX, &to);

	buf[n] = '\0';
	if (!n)
		return NULL;
	q->sent = to;
	queue_confirm(q, to);
	return buf;
}

static bool put(struct queue *q, const char *text)
{
	return queue_put(q, text, strlen(text), false);
}

static uint64_t sum(const struct queue *q)
{
	const struct queue_figures *f = &q->head->figures;
	return f->delivered + f->full + f->limited;
}

static void in_order(void)
{
	int fd = make();
	struct queue q;

	CHECK_INT(queue_open(&q, fd, true), 0);
	CHECK(queue_empty(&q) && !next(&q));
	CHECK(put(&q, "one") && put(&q, "two"));
	CHECK_STR(next(&q), "one");
	CHECK_STR(next(&q), "two");
	CHECK(!next(&q) && queue_empty(&q));
	CHECK_INT(q.head->in, 0); /* begun anew */
	CHECK_INT(q.head->figures.delivered, 2);
	CHECK(!queue_put(&q, "", 0, false)); /* nothing is no message */
	queue_unmap(&q);
	close(fd);
}

static void resend(void)
{
	int fd = make();
	struct queue q;
	char buf[MESSAGE_MAX];
	uint64_t to;

	queue_open(&q, fd, true);
	put(&q, "one");
	put(&q, "two");
	queue_next(&q, buf, sizeof(buf), &to);
	q.sent = to;
	queue_rewind(&q);
	CHECK_INT(q.head->figures.again, 1);
	CHECK_STR(next(&q), "one");
	/* our own lines are carried and not counted */
	CHECK(queue_put(&q, "own", 3, true));
	CHECK_STR(next(&q), "two");
	CHECK_STR(next(&q), "own");
	CHECK_INT(q.head->figures.taken, 2);
	CHECK_INT(q.head->figures.delivered, 2);
	queue_unmap(&q);
	close(fd);
}

/* Many times around, now and then full: nothing is lost without being counted. */
static void around(void)
{
	int fd = make();
	struct queue q;
	char text[MESSAGE_MAX];
	unsigned long in = 0, out = 0, full = 0;

	queue_open(&q, fd, true);
	for (unsigned round = 0; round < 60; round++) {
		for (unsigned i = 0; i < 300; i++) {
			memset(text, 'x', sizeof(text));
			int n = snprintf(text, sizeof(text), "%lu:", in);
			text[n] = 'x';
			if (queue_put(&q, text, 20 + (in * 37) % 5000, false))
				in++;
			else
				full++;
		}
		for (unsigned i = 0; i < 250; i++) {
			const char *got = next(&q);
			if (!got)
				break;
			unsigned long n = 0;
			sscanf(got, "%lu:", &n);
			if (n != out || strlen(got) != 20 + (out * 37) % 5000)
				CHECK_INT(n, out);
			out++;
		}
	}
	CHECK(full > 0 && out > 0);
	while (next(&q))
		out++;
	CHECK_INT(in, out);
	CHECK_INT(q.head->figures.taken, in + full);
	CHECK_INT(sum(&q), q.head->figures.taken);
	CHECK_INT(q.head->figures.full, full);
	queue_unmap(&q);
	close(fd);
}

/* The next relay goes on where a killed one was. */
static void after_kill(void)
{
	int fd = make();
	struct queue q, again;
	struct queue_figures f;
	uint64_t waiting;
	int relay;

	queue_open(&q, fd, true);
	put(&q, "one");
	put(&q, "two");
	next(&q);
	q.head->figures.taken--; /* killed between the record and its count */
	queue_unmap(&q);
	CHECK_INT(queue_make(fd, ROOM), 0);
	CHECK_INT(queue_open(&again, fd, false), 0);
	CHECK_INT(again.head->figures.taken, 2);
	CHECK_INT(queue_look(fd, &f, &waiting, &relay), 0);
	CHECK_INT(waiting, 1);
	CHECK_STR(next(&again), "two");
	queue_limited(&again);
	queue_unmap(&again);
	/* A new start counts from nothing, and still has what waited. */
	queue_open(&again, fd, false);
	put(&again, "three");
	queue_unmap(&again);
	queue_open(&again, fd, true);
	CHECK_INT(again.head->figures.taken, 1);
	CHECK_INT(again.head->figures.limited, 0);
	CHECK_STR(next(&again), "three");
	queue_unmap(&again);
	close(fd);
}

/* Whatever is in the file: no read beyond the ring, no endless walk. */
static void poisoned(void)
{
	static const uint64_t ends[][2] = {{0, 1},
					   {5, 0},
					   {0, UINT64_MAX},
					   {0, ROOM},
					   {0, ROOM + 1},
					   {UINT64_MAX - 3, 4},
					   {ROOM, 2 * (uint64_t)ROOM}};
	static const unsigned char fills[] = {0x00, 0x01, 0x7f, 0x80, 0xff};

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		for (size_t k = 0; k < sizeof(fills); k++) {
			int fd = make();
			struct queue q;
			queue_attach(&q, fd, true);
			memset(q.ring, fills[k], ROOM);
			q.head->out = ends[i][0];
			q.head->in = ends[i][1];
			queue_unmap(&q);
			CHECK_INT(queue_open(&q, fd, false), 0);
			CHECK(queue_empty(&q) || next(&q));
			CHECK(put(&q, "after") || !queue_empty(&q));
			queue_unmap(&q);
			close(fd);
		}
	int fd = memfd_create("none", MFD_CLOEXEC);
	struct queue q;
	CHECK_INT(queue_open(&q, fd, false), -EBADMSG);
	CHECK_INT(ftruncate(fd, QUEUE_HEAD + ROOM), 0);
	CHECK_INT(queue_open(&q, fd, false), -EBADMSG);
	close(fd);
}

static long blocks(int fd)
{
	struct stat st;

	CHECK_INT(fstat(fd, &st), 0);
	return (long)st.st_blocks * 512;
}

/* A file of a size that the spec says, which takes memory only while something waits in it. */
static void sizes(void)
{
	int fd = make(), other = make();
	char text[1000];
	struct queue q;
	unsigned n = 0;

	memset(text, 'x', sizeof(text));
	CHECK_INT(queue_make(fd, ROOM), 0);
	CHECK_INT(queue_make(fd, 2 * ROOM), -ESTALE); /* empty, and of another size */
	CHECK_INT(queue_open(&q, fd, true), 0);
	CHECK(queue_is(&q, fd) && !queue_is(&q, other));
	CHECK_INT((long long)q.room, ROOM);
	CHECK(blocks(fd) <= 8192);
	while (queue_put(&q, text, sizeof(text), false))
		n++;
	CHECK(n >= ROOM / (sizeof(text) + 4) - 1);
	CHECK(blocks(fd) >= (long)ROOM - 4096);
	CHECK_INT(queue_make(fd, 2 * ROOM), 0); /* what waits in it is kept */
	while (next(&q))
		n--;
	CHECK_INT(n, 0);
	CHECK(blocks(fd) < (long)ROOM / 2);
	queue_unmap(&q);
	close(fd);
	close(other);
}

/* A file system that is full: counted as any that has no room, and nobody dies of it. */
static void no_memory(void)
{
	char text[1000], dir[] = "/tmp/test-queue.XXXXXX", path[64];
	struct queue q;
	unsigned n = 0;

	if (!mkdtemp(dir) || unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("queue", dir, "tmpfs", 0, "size=512k") < 0) {
		rmdir(dir); /* not root */
		return;
	}
	snprintf(path, sizeof(path), "%s/queue", dir);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	memset(text, 'x', sizeof(text));
	CHECK_INT(queue_make(fd, ROOM), 0);
	CHECK_INT(queue_open(&q, fd, true), 0);
	while (queue_put(&q, text, sizeof(text), false))
		n++;
	CHECK(n >= 256 && n < 512);
	CHECK_INT(q.head->figures.full, 1);
	for (; next(&q); n--)
		;
	CHECK_INT(n, 0);
	CHECK(queue_put(&q, text, sizeof(text), false));
	queue_unmap(&q);
	close(fd);
	CHECK_INT(umount2(dir, MNT_DETACH), 0);
	rmdir(dir);
}

static void rates(void)
{
	struct rate r = {.interval_ms = 1000, .burst = 2}, any = {.interval_ms = 1000};

	CHECK(rate_allows(&r, 10) && rate_allows(&r, 20) && !rate_allows(&r, 30));
	CHECK(!rate_allows(&r, 1009));
	CHECK(rate_allows(&r, 1010) && rate_allows(&r, 1011) && !rate_allows(&r, 1012));
	for (int i = 0; i < 100; i++)
		CHECK(rate_allows(&any, 1));
}

int main(void)
{
	in_order();
	resend();
	around();
	after_kill();
	poisoned();
	sizes();
	no_memory();
	rates();
	return check_done("queue");
}
