/* SPDX-License-Identifier: MIT */
#include "relay/queue.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "relay/message.h"

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
	size_t from = at % QUEUE_ROOM, first = n < QUEUE_ROOM - from ? n : QUEUE_ROOM - from;

	memcpy(q->ring + from, bytes, first);
	memcpy(q->ring, (const char *)bytes + first, n - first);
}

static void copy_out(const struct queue *q, uint64_t at, void *bytes, size_t n)
{
	size_t from = at % QUEUE_ROOM, first = n < QUEUE_ROOM - from ? n : QUEUE_ROOM - from;

	memcpy(bytes, q->ring + from, first);
	memcpy((char *)bytes + first, q->ring, n - first);
}

/* The record at @at; false where there is none, or nothing that could be one. */
static bool record_at(const struct queue *q, uint64_t at, struct record *ret)
{
	uint64_t in = load(&q->head->in);
	uint32_t word;

	if (in - at < sizeof(word) || in - at > QUEUE_ROOM)
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
		if (to - from > QUEUE_ROOM || !record_at(q, from, &r))
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

static bool is_queue(int fd)
{
	struct stat st;
	uint32_t magic = 0;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == QUEUE_SIZE &&
	       pread(fd, &magic, sizeof(magic), 0) == (ssize_t)sizeof(magic) &&
	       magic == QUEUE_MAGIC;
}

int queue_attach(struct queue *q, int fd, bool write)
{
	if (!is_queue(fd))
		return -EBADMSG;
	void *at = mmap(NULL, QUEUE_SIZE, PROT_READ | (write ? PROT_WRITE : 0), MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		return -errno;
	q->head = at;
	q->ring = (unsigned char *)at + QUEUE_HEAD;
	q->sent = load(&q->head->out);
	return 0;
}

int queue_open(struct queue *q, int fd, bool anew)
{
	uint64_t waiting;
	int r = queue_attach(q, fd, true);

	if (r < 0)
		return r;
	struct queue_head *h = q->head;
	if (count(q, load(&h->out), load(&h->in), &waiting))
		reconcile(&h->figures, waiting);
	else {
		add(&h->figures.full, missing(&h->figures));
		store(&h->in, 0);
		store(&h->out, 0);
		q->sent = waiting = 0;
	}
	if (anew)
		h->figures = (struct queue_figures){.taken = waiting};
	return 0;
}

void queue_unmap(struct queue *q)
{
	if (q->head)
		munmap(q->head, QUEUE_SIZE);
	*q = (struct queue){0};
}

bool queue_put(struct queue *q, const char *bytes, size_t len, bool own)
{
	struct queue_head *h = q->head;
	uint64_t in = load(&h->in);
	uint32_t word = (uint32_t)len | (own ? OWN : 0);

	bool room =
	    len && len <= MESSAGE_MAX && QUEUE_ROOM - (in - load(&h->out)) >= len + sizeof(word);

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

	return used > QUEUE_ROOM ? 0 : (QUEUE_ROOM - used) / (sizeof(uint32_t) + MESSAGE_MAX);
}

int queue_look(int fd, struct queue_figures *ret, uint64_t *ret_waiting, int *ret_relay)
{
	struct queue q = {0};
	int r = queue_attach(&q, fd, false);

	if (r < 0)
		return r;
	*ret = q.head->figures;
	*ret_waiting = missing(ret);
	*ret_relay = (int)q.head->relay;
	queue_unmap(&q);
	return 0;
}

int queue_make(int fd)
{
	const struct queue_head empty = {.magic = QUEUE_MAGIC};

	if (is_queue(fd))
		return 0;
	if (ftruncate(fd, 0) < 0 || ftruncate(fd, QUEUE_SIZE) < 0)
		return -errno;
	return pwrite(fd, &empty, sizeof(empty), 0) == (ssize_t)sizeof(empty) ? 0 : -EIO;
}
