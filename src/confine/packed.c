/* SPDX-License-Identifier: MIT */
/* One walk over the fields serves both directions, so that the order is written down once: a field
 * is put into the bytes, or taken out of them. Reading never goes beyond the bytes, whatever they
 * say; a number of items is believed only as far as the bytes left could hold them. */
#include "confine/packed.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fnv.h"
#include "confine/ipc.h"

#define IMAGE_VERSION 1u

struct head {
	char magic[8];
	uint32_t version, length; /* of what follows, in bytes */
	uint64_t checksum;	  /* of what follows */
};

static const char magic[8] = "immure";

struct walk {
	bool reading, bad;
	char *out;	/* writing */
	const char *in; /* reading */
	size_t at, size;
};

/* The next @n bytes of the image, or NULL where there are not so many. */
static const char *taken(struct walk *w, size_t n)
{
	if (w->bad || n > w->size - w->at) {
		w->bad = true;
		return NULL;
	}
	w->at += n;
	return w->in + w->at - n;
}

static void raw(struct walk *w, void *v, size_t n)
{
	if (w->reading) {
		const char *from = taken(w, n);
		if (from && n)
			memcpy(v, from, n);
		return;
	}
	if (w->at + n > w->size) {
		w->size = 2 * w->size + n;
		w->out = xrealloc(w->out, w->size, 1);
	}
	if (n)
		memcpy(w->out + w->at, v, n);
	w->at += n;
}

#define FIELD(w, v) raw(w, &(v), sizeof(v))

/* How many items of at least @least bytes follow. */
static size_t count(struct walk *w, size_t n, size_t least)
{
	uint32_t number = (uint32_t)n;

	FIELD(w, number);
	if (w->reading && (w->bad || number > (w->size - w->at) / least)) {
		w->bad = true;
		return 0;
	}
	return number;
}

/* With its NUL, so that a reader can borrow it; no text is a length of 0. */
static void text(struct walk *w, const char **s)
{
	size_t n = count(w, *s && !w->reading ? strlen(*s) + 1 : 0, 1);

	if (!w->reading) {
		if (n)
			raw(w, (char *)(uintptr_t)*s, n);
		return;
	}
	const char *from = n ? taken(w, n) : NULL;
	if (from && from[n - 1] != '\0')
		w->bad = true;
	*s = w->bad ? NULL : from;
}

static void kept_text(struct walk *w, char **s)
{
	const char *borrowed = *s;

	text(w, &borrowed);
	if (w->reading)
		*s = borrowed ? xstrdup(borrowed) : NULL;
}

/* An argv or envp. */
static void texts(struct walk *w, char *const **list)
{
	size_t n = 0;

	while (!w->reading && *list && (*list)[n])
		n++;
	n = count(w, n, sizeof(uint32_t));
	char **v = w->reading ? xcalloc(n + 1, sizeof(*v)) : NULL;
	for (size_t i = 0; i < n && !w->bad; i++) {
		const char *s = w->reading ? NULL : (*list)[i];
		text(w, &s);
		if (w->reading)
			v[i] = (char *)(uintptr_t)(s ? s : "");
	}
	if (w->reading)
		*list = v;
}

/* An array of numbers or of plain structures. */
static size_t array(struct walk *w, void **v, size_t n, size_t size)
{
	n = count(w, n, size);
	if (w->reading)
		*v = n ? xcalloc(n, size) : NULL;
	if (n)
		raw(w, *v, n * size);
	return n;
}

/* Whether a part that may be missing is there. */
static bool there(struct walk *w, const void *part)
{
	uint8_t yes = part != NULL;

	FIELD(w, yes);
	return !w->bad && yes;
}

static void walk_mounts(struct walk *w, struct mount_list *m)
{
	m->n = count(w, m->n, sizeof(uint32_t));
	if (w->reading)
		m->v = xcalloc(m->n + 1, sizeof(*m->v));
	for (size_t i = 0; i < m->n; i++) {
		struct mount_op *op = &m->v[i];
		FIELD(w, op->kind);
		FIELD(w, op->flags);
		kept_text(w, &op->target);
		kept_text(w, &op->source);
		FIELD(w, op->mode);
		FIELD(w, op->uid);
		FIELD(w, op->gid);
		w->bad |= !op->target || (unsigned)op->kind > MOUNT_ROOT_RO ||
			  (op->kind == MOUNT_BIND && !op->source) ||
			  (op->kind == MOUNT_LINK && !op->source);
	}
}

static void walk_identity(struct walk *w, struct identity *id)
{
	void *groups = (void *)(uintptr_t)id->groups;

	FIELD(w, id->uid);
	FIELD(w, id->gid);
	FIELD(w, id->ambient);
	id->n_groups = array(w, &groups, id->n_groups, sizeof(*id->groups));
	id->groups = groups;
}

static void walk_steps(struct walk *w, struct plan *p)
{
	size_t n = count(w, p->n_steps, sizeof(uint32_t));
	struct step *v = w->reading ? xcalloc(n + 1, sizeof(*v)) : NULL;

	for (size_t i = 0; i < n; i++) {
		struct step s = w->reading ? (struct step){0} : p->steps[i];
		texts(w, &s.argv);
		text(w, &s.program);
		FIELD(w, s.ignore_failure);
		FIELD(w, s.keep_user);
		w->bad |= !s.program;
		if (w->reading)
			v[i] = s;
	}
	if (w->reading) {
		p->steps = v;
		p->n_steps = n;
	}
}

static void walk_ipc(struct walk *w, struct plan *p)
{
	if (!there(w, p->ipc))
		return;
	char *const *values = w->reading ? NULL : ipc_values(p->ipc);
	for (size_t i = 0; i < IPC_SETTINGS; i++) {
		const char *s = w->reading ? NULL : values[i];
		text(w, &s);
		if (w->reading) {
			p->ipc = i ? p->ipc : ipc_none();
			ipc_set((struct ipc_settings *)(uintptr_t)p->ipc, i, s);
		}
	}
}

static void walk_filter(struct walk *w, struct plan *p, struct packed *to)
{
	if (!there(w, p->filter))
		return;
	void *code = p->filter ? p->filter->filter : NULL;
	size_t n = array(w, &code, p->filter ? p->filter->len : 0, sizeof(struct sock_filter));
	if (w->reading) {
		to->filter = (struct sock_fprog){.len = (unsigned short)n, .filter = code};
		p->filter = &to->filter;
		w->bad |= n == 0 || n > BPF_MAXINSNS;
	}
}

static void walk_landlock(struct walk *w, struct landlock *l, struct strv *execute)
{
	void *bind = (void *)(uintptr_t)l->bind, *connect = (void *)(uintptr_t)l->connect;
	char *const *places = l->execute ? l->execute->v : NULL;

	l->n_bind = array(w, &bind, l->n_bind, sizeof(*l->bind));
	l->n_connect = array(w, &connect, l->n_connect, sizeof(*l->connect));
	FIELD(w, l->bind_any);
	FIELD(w, l->connect_any);
	FIELD(w, l->scoped);
	texts(w, &places);
	if (!w->reading)
		return;
	l->bind = bind;
	l->connect = connect;
	for (size_t i = 0; places[i]; i++)
		strv_add(execute, places[i]);
	l->execute = execute;
	free((char **)(uintptr_t)places);
}

static void walk_walls(struct walk *w, struct plan *p, struct packed *to)
{
	struct landlock l = {0};
	struct walls walls = {0};

	if (!there(w, p->walls))
		return;
	if (!w->reading) {
		walls = *p->walls;
		l = walls.landlock ? *walls.landlock : l;
	}
	FIELD(w, walls.capabilities);
	FIELD(w, walls.no_new_privs);
	bool landlock = there(w, walls.landlock);
	if (landlock)
		walk_landlock(w, &l, &to->execute);
	if (!w->reading)
		return;
	to->walls = walls;
	to->landlock = l;
	to->walls.landlock = landlock ? &to->landlock : NULL;
	p->walls = &to->walls;
}

static void walk_plan(struct walk *w, struct plan *p, struct packed *to)
{
	FIELD(w, p->mnt_ns);
	FIELD(w, p->net_ns);
	FIELD(w, p->ipc_ns);
	FIELD(w, p->uts_ns);
	FIELD(w, p->user_ns);
	FIELD(w, p->user_base);
	FIELD(w, p->root);
	FIELD(w, p->same_pid);
	FIELD(w, p->forks);
	text(w, &p->root_path);
	text(w, &p->root_at);
	walk_ipc(w, p);
	walk_mounts(w, &p->mounts);
	walk_identity(w, &p->identity);
	texts(w, &p->argv);
	text(w, &p->program);
	FIELD(w, p->main_keeps_user);
	walk_steps(w, p);
	texts(w, &p->envp);
	text(w, &p->cwd);
	FIELD(w, p->umask);
	FIELD(w, p->ignore_sigpipe);
	FIELD(w, p->limits);
	FIELD(w, p->limit_set);
	FIELD(w, p->nice);
	FIELD(w, p->oom_score_adjust);
	FIELD(w, p->nice_set);
	FIELD(w, p->oom_score_adjust_set);
	FIELD(w, p->stdio);
	FIELD(w, p->tell_walls);
	walk_filter(w, p, to);
	walk_walls(w, p, to);
}

char *packed_write(const struct plan *p, size_t *ret_len)
{
	struct head head = {.version = IMAGE_VERSION};
	struct walk w = {0};
	struct plan copy = *p;
	struct packed none = {0};

	memcpy(head.magic, magic, sizeof(magic));
	FIELD(&w, head);
	walk_plan(&w, &copy, &none);
	head.length = (uint32_t)(w.at - sizeof(head));
	head.checksum = fnv(w.out + sizeof(head), head.length);
	memcpy(w.out, &head, sizeof(head));
	*ret_len = w.at;
	return w.out;
}

void packed_done(struct packed *p)
{
	struct plan *plan = &p->plan;

	for (size_t i = 0; i < plan->n_steps; i++)
		free((char **)(uintptr_t)plan->steps[i].argv);
	free((struct step *)(uintptr_t)plan->steps);
	free((char **)(uintptr_t)plan->argv);
	free((char **)(uintptr_t)plan->envp);
	free((gid_t *)(uintptr_t)plan->identity.groups);
	ipc_settings_free((struct ipc_settings *)(uintptr_t)plan->ipc);
	free((uint16_t *)(uintptr_t)p->landlock.bind);
	free((uint16_t *)(uintptr_t)p->landlock.connect);
	strv_done(&p->execute);
	free(p->filter.filter);
	plan_done(plan);
	memset(p, 0, sizeof(*p));
}

int packed_read(const char *bytes, size_t len, struct packed *ret, struct err *e)
{
	struct head head;
	struct walk w = {.reading = true, .in = bytes, .size = len};

	*ret = (struct packed){0};
	plan_init(&ret->plan);
	FIELD(&w, head);
	if (w.bad || memcmp(head.magic, magic, sizeof(magic)) != 0)
		return err_set(e, -EBADMSG, "this is no compiled plan of immure");
	if (head.version != IMAGE_VERSION)
		return err_set(e, -EBADMSG,
			       "the compiled plan is of version %u, this program reads %u",
			       head.version, IMAGE_VERSION);
	if (head.length != len - sizeof(head) ||
	    head.checksum != fnv(bytes + sizeof(head), head.length))
		return err_set(e, -EBADMSG, "the compiled plan is damaged or cut off");
	walk_plan(&w, &ret->plan, ret);
	if (!w.bad && w.at == w.size)
		return 0;
	packed_done(ret);
	return err_set(e, -EBADMSG, "the compiled plan contradicts itself");
}
