/* SPDX-License-Identifier: MIT */
/* struct keeper as bytes, base/pack.h. */
#include <errno.h>

#include "base/alloc.h"
#include "base/pack.h"
#include "keep/keeper.h"

#define IMAGE_MAGIC   "keeper"
#define IMAGE_VERSION 7u

static void walk_run(struct pack *w, struct run *r)
{
	if (w->reading)
		*r = (struct run)RUN_INIT;
	PACK_FIELD(w, r->init);
	PACK_FIELD(w, r->main);
	PACK_FIELD(w, r->init_fd);
	PACK_FIELD(w, r->main_fd);
	PACK_FIELD(w, r->ctl);
	PACK_FIELD(w, r->users);
	PACK_FIELD(w, r->pacer);
	PACK_FIELD(w, r->empty);
	PACK_FIELD(w, r->main_exited);
	PACK_FIELD(w, r->main_status);
}

static void walk_files(struct pack *w, struct keeper *k)
{
	k->n_files = pack_count(w, k->n_files, sizeof(uint32_t));
	if (w->reading)
		k->files = xcalloc(k->n_files, sizeof(*k->files));
	for (size_t i = 0; i < k->n_files; i++) {
		pack_text(w, &k->files[i].path);
		PACK_FIELD(w, k->files[i].writable);
		w->bad |= !k->files[i].path;
	}
}

static void walk_published(struct pack *w, struct keeper *k)
{
	k->n_published = pack_count(w, k->n_published, sizeof(uint32_t));
	if (w->reading)
		k->published = xcalloc(k->n_published, sizeof(*k->published));
	for (size_t i = 0; i < k->n_published; i++) {
		struct published *p = &k->published[i];
		pack_kept_text(w, &p->name);
		PACK_FIELD(w, p->said);
		PACK_FIELD(w, p->dev);
		PACK_FIELD(w, p->ino);
		w->bad |= !p->name;
	}
}

static void walk_cgroup(struct pack *w, struct cgroup *c)
{
	c->n = pack_count(w, c->n, sizeof(uint32_t));
	if (c->n > CGROUP_MAX) {
		w->bad = true;
		c->n = 0;
	}
	for (size_t i = 0; i < c->n; i++)
		pack_kept_text(w, &c->dirs[i]);
}

static void walk_listens(struct pack *w, struct listens *l)
{
	void *ports = (void *)(uintptr_t)l->ports;

	PACK_FIELD(w, l->arch);
	PACK_FIELD(w, l->call);
	l->n = pack_array(w, &ports, l->n, sizeof(*l->ports));
	l->ports = ports;
}

static void walk_calls(struct pack *w, struct keeper *k)
{
	size_t n = 0;

	pack_texts(w, &k->calls);
	while (k->calls && k->calls[n])
		n++;
	w->bad |= n != REFUSAL_NUMBERS;
}

static void walk_logging(struct pack *w, struct logging *l)
{
	PACK_FIELD(w, *l);
	pack_text(w, &l->name);
	pack_text(w, &l->run_dir);
	logging_pack(w, &l->set);
	w->bad |= l->open && (!l->name || !l->run_dir);
}

static void walk(struct pack *w, struct keeper *k)
{
	pack_text(w, &k->name);
	pack_text(w, &k->run_dir);
	PACK_FIELD(w, k->background);
	PACK_FIELD(w, k->lock);
	PACK_FIELD(w, k->program);
	PACK_FIELD(w, k->log);
	PACK_FIELD(w, k->listener);
	walk_run(w, &k->run);
	PACK_FIELD(w, k->kill_signal);
	PACK_FIELD(w, k->timeout_stop);
	pack_text(w, &k->pid_file);
	PACK_FIELD(w, k->stop);
	PACK_FIELD(w, k->stopped);
	walk_files(w, k);
	walk_published(w, k);
	pack_strv(w, &k->made);
	pack_strv(w, &k->sockets);
	PACK_FIELD(w, k->passed);
	PACK_FIELD(w, k->n_passed);
	walk_cgroup(w, &k->cgroup);
	walk_listens(w, &k->listens);
	PACK_FIELD(w, k->answers);
	walk_calls(w, k);
	PACK_FIELD(w, k->refused);
	PACK_FIELD(w, k->told);
	walk_logging(w, &k->logging);
	PACK_FIELD(w, k->notices);
	PACK_FIELD(w, k->watchdog_ms);
	PACK_FIELD(w, k->again);
	PACK_FIELD(w, k->history);
	w->bad |= k->n_passed > PLAN_PASS_MAX;
	w->bad |= !k->name || !k->run_dir || k->again.when > AGAIN_ALWAYS;
}

char *keeper_write(const struct keeper *k, size_t *ret_len)
{
	struct pack w = pack_begin(IMAGE_MAGIC, IMAGE_VERSION);
	struct keeper copy = *k;

	walk(&w, &copy);
	return pack_finish(&w, ret_len);
}

int keeper_read(const char *bytes, size_t len, struct keeper *ret, struct err *e)
{
	struct pack w;

	*ret = (struct keeper){0};
	int r = pack_open(&w, IMAGE_MAGIC, IMAGE_VERSION, bytes, len, e);
	if (r < 0)
		return r;
	walk(&w, ret);
	return pack_whole(&w) ? 0
			      : err_set(e, -EBADMSG, "what a keeper is told contradicts itself");
}
