/* SPDX-License-Identifier: MIT */
#include "relay/queue.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "relay/message.h"

#define STEP (256u << 10) /* room is asked for in such pieces, and the first one is kept */

/* Before each record: its length, and whether it is one of the relay's own, which no figure counts.
 */
#define OWN 0x80000000u

struct record {
	uint32_t len;
	bool own;
};

static uint64_t load(const uint64_t *v)
{
	return __atomic_load_n(v, __ATOMIC_ACQUIRE);
}

static void store(uint64_t *v, uint64_t value)
{
	__atomic_store_n(v, value, __ATOMIC_RELEASE);
}

static void add(uint64_t *v, uint64_t n)
{
	store(v, load(v) + n);
}

static void copy_in(struct queue *q, uint64_t at, const void *bytes, size_t n)
{
	size_t from = at % q->room, first = n < q->room - from ? n : q->room - from;

	memcpy(q->ring + from, bytes, first);
	memcpy(q->ring, (const char *)bytes + first, n - first);
}

static void copy_out(const struct queue *q, uint64_t at, void *bytes, size_t n)
{
	size_t from = at % q->room, first = n < q->room - from ? n : q->room - from;

	memcpy(bytes, q->ring + from, first);
	memcpy((char *)bytes + first, q->ring, n - first);
}

/* The record at @at; false where there is none, or nothing that could be one. */
static bool record_at(const struct queue *q, uint64_t at, struct record *ret)
{
	uint64_t in = load(&q->head->in);
	uint32_t word;

	if (in - at < sizeof(word) || in - at > q->room)
		return false;
	copy_out(q, at, &word, sizeof(word));
	*ret = (struct record){word & ~OWN, word & OWN};
	return ret->len && ret->len <= MESSAGE_MAX && ret->len <= in - at - sizeof(word);
}

static uint64_t after(uint64_t at, const struct record *r)
{
	return at + sizeof(uint32_t) + r->len;
}

/* How many messages of the jail's there are from @from to @to; false where the chain is torn. */
static bool count(const struct queue *q, uint64_t from, uint64_t to, uint64_t *ret)
{
	struct record r;

	*ret = 0;
	while (from != to) {
		if (to - from > q->room || !record_at(q, from, &r))
			return false;
		*ret += !r.own;
		from = after(from, &r);
	}
	return true;
}

static uint64_t missing(const struct queue_figures *f)
{
	uint64_t known = f->delivered + f->full + f->limited;

	return f->taken > known ? f->taken - known : 0;
}

/* The last relay was killed between two stores. What is in the ring was taken; what is in it no
 * more was delivered. */
static void reconcile(struct queue_figures *f, uint64_t waiting)
{
	uint64_t sum = waiting + f->delivered + f->full + f->limited;

	if (sum < f->taken)
		add(&f->delivered, f->taken - sum);
	else
		store(&f->taken, sum);
}

static bool is_queue(int fd, uint64_t *ret_room)
{
	struct stat st;
	uint32_t magic = 0;

	*ret_room = 0;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
	    st.st_size < (off_t)(QUEUE_HEAD + QUEUE_ROOM_MIN) ||
	    st.st_size > (off_t)(QUEUE_HEAD + QUEUE_ROOM_MAX))
		return false;
	*ret_room = (uint64_t)st.st_size - QUEUE_HEAD;
	return pread(fd, &magic, sizeof(magic), 0) == (ssize_t)sizeof(magic) &&
	       magic == QUEUE_MAGIC;
}

int queue_attach(struct queue *q, int fd, bool write)
{
	uint64_t room;

	*q = (struct queue)QUEUE_INIT;
	if (!is_queue(fd, &room))
		return -EBADMSG;
	void *at =
	    mmap(NULL, QUEUE_HEAD + room, PROT_READ | (write ? PROT_WRITE : 0), MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		return -errno;
	q->head = at;
	q->ring = (unsigned char *)at + QUEUE_HEAD;
	q->room = room;
	q->sent = load(&q->head->out);
	return 0;
}

void queue_begin(struct queue *q)
{
	uint64_t waiting = 0;

	count(q, load(&q->head->out), load(&q->head->in), &waiting);
	q->head->figures = (struct queue_figures){.taken = waiting};
}

bool queue_is(const struct queue *q, int fd)
{
	struct stat a, b;

	return fstat(q->fd, &a) == 0 && fstat(fd, &b) == 0 && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

int queue_open(struct queue *q, int fd, bool anew)
{
	uint64_t waiting;
	int r = queue_attach(q, fd, true);

	if (r < 0)
		return r;
	q->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	struct queue_head *h = q->head;
	if (count(q, load(&h->out), load(&h->in), &waiting))
		reconcile(&h->figures, waiting);
	else {
		add(&h->figures.full, missing(&h->figures));
		store(&h->in, 0);
		store(&h->out, 0);
		q->sent = 0;
	}
	if (anew)
		queue_begin(q);
	return 0;
}

void queue_unmap(struct queue *q)
{
	if (q->head) {
		munmap(q->head, QUEUE_HEAD + q->room);
		fd_close(&q->fd);
	}
	*q = (struct queue)QUEUE_INIT;
}

/* Whether there is memory for the bytes from @at on. Writing without would end us (SIGBUS). */
static bool back(struct queue *q, uint64_t at, size_t n)
{
	uint64_t from = at % q->room, to = from + n > q->room ? q->room : from + n;

	while (q->backed < to) {
		uint64_t left = q->room - q->backed, step = left < STEP ? left : STEP;
		if (fallocate(q->fd, 0, (off_t)(QUEUE_HEAD + q->backed), (off_t)step) < 0 &&
		    errno != EOPNOTSUPP && errno != ENOSYS)
			return false;
		q->backed += step;
	}
	return true;
}

static void give_back(struct queue *q)
{
	if (q->backed > STEP && madvise(q->ring + STEP, q->backed - STEP, MADV_REMOVE) == 0)
		q->backed = STEP;
}

bool queue_put(struct queue *q, const char *bytes, size_t len, bool own)
{
	struct queue_head *h = q->head;
	uint64_t in = load(&h->in);
	uint32_t word = (uint32_t)len | (own ? OWN : 0);

	bool room = len && len <= MESSAGE_MAX &&
		    q->room - (in - load(&h->out)) >= len + sizeof(word) &&
		    back(q, in, len + sizeof(word));

	if (room) {
		copy_in(q, in, &word, sizeof(word));
		copy_in(q, in + sizeof(word), bytes, len);
		store(&h->in, in + sizeof(word) + len);
	} else if (!own)
		add(&h->figures.full, 1);
	if (!own)
		add(&h->figures.taken, 1);
	return room;
}

void queue_limited(struct queue *q)
{
	add(&q->head->figures.limited, 1);
	add(&q->head->figures.taken, 1);
}

size_t queue_next(const struct queue *q, char *buf, size_t size, uint64_t *ret_next)
{
	struct record r;

	if (q->sent == load(&q->head->in) || !record_at(q, q->sent, &r) || r.len > size)
		return 0;
	copy_out(q, q->sent + sizeof(uint32_t), buf, r.len);
	*ret_next = after(q->sent, &r);
	return r.len;
}

void queue_confirm(struct queue *q, uint64_t to)
{
	struct queue_head *h = q->head;
	uint64_t n = 0;

	if (!count(q, load(&h->out), to, &n))
		return;
	store(&h->out, to);
	add(&h->figures.delivered, n);
	/* From the start again: a ring that is mostly empty needs few pages of memory. */
	if (to == load(&h->in) && q->sent == to) {
		store(&h->in, 0);
		store(&h->out, 0);
		q->sent = 0;
		give_back(q);
	}
}

void queue_rewind(struct queue *q)
{
	uint64_t n = 0, out = load(&q->head->out);

	if (count(q, out, q->sent, &n))
		add(&q->head->figures.again, n);
	q->sent = out;
}

bool queue_empty(const struct queue *q)
{
	return load(&q->head->in) == load(&q->head->out);
}

size_t queue_room(const struct queue *q)
{
	uint64_t used = load(&q->head->in) - load(&q->head->out);

	return used > q->room ? 0 : (q->room - used) / (sizeof(uint32_t) + MESSAGE_MAX);
}

int queue_look(int fd, struct queue_figures *ret, uint64_t *ret_waiting, int *ret_relay)
{
	struct queue q;
	int r = queue_attach(&q, fd, false);

	if (r < 0)
		return r;
	*ret = q.head->figures;
	*ret_waiting = missing(ret);
	*ret_relay = (int)q.head->relay;
	queue_unmap(&q);
	return 0;
}

/* A ring of another size, with nothing in it. */
static bool is_stale(int fd, uint64_t wanted, uint64_t room)
{
	struct queue_head h;

	return room != wanted && pread(fd, &h, sizeof(h), 0) == (ssize_t)sizeof(h) && h.in == h.out;
}

int queue_make(int fd, uint64_t room)
{
	const struct queue_head empty = {.magic = QUEUE_MAGIC};
	uint64_t now;

	if (is_queue(fd, &now))
		return is_stale(fd, room, now) ? -ESTALE : 0;
	if (ftruncate(fd, 0) < 0 || ftruncate(fd, (off_t)(QUEUE_HEAD + room)) < 0)
		return -errno;
	return pwrite(fd, &empty, sizeof(empty), 0) == (ssize_t)sizeof(empty) ? 0 : -EIO;
}
