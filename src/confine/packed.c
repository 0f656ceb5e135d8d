/* SPDX-License-Identifier: MIT */
#include "confine/packed.h"

#include <errno.h>
#include <string.h>

#include "base/alloc.h"
#include "base/pack.h"
#include "confine/ipc.h"

#define IMAGE_MAGIC   "immure"
#define IMAGE_VERSION 6u /* of the form: test-packed.c says when it is to be raised */

static void walk_mounts(struct pack *w, struct mount_list *m)
{
	m->n = pack_count(w, m->n, sizeof(uint32_t));
	if (w->reading)
		m->v = xcalloc(m->n + 1, sizeof(*m->v));
	for (size_t i = 0; i < m->n; i++) {
		struct mount_op *op = &m->v[i];
		PACK_FIELD(w, op->kind);
		PACK_FIELD(w, op->flags);
		pack_kept_text(w, &op->target);
		pack_kept_text(w, &op->source);
		PACK_FIELD(w, op->mode);
		PACK_FIELD(w, op->uid);
		PACK_FIELD(w, op->gid);
		w->bad |= !op->target || (unsigned)op->kind > MOUNT_ROOT_RO ||
			  (op->kind == MOUNT_BIND && !op->source) ||
			  (op->kind == MOUNT_LINK && !op->source);
	}
}

static void walk_identity(struct pack *w, struct identity *id)
{
	void *groups = (void *)(uintptr_t)id->groups;

	PACK_FIELD(w, id->uid);
	PACK_FIELD(w, id->gid);
	PACK_FIELD(w, id->ambient);
	id->n_groups = pack_array(w, &groups, id->n_groups, sizeof(*id->groups));
	id->groups = groups;
}

static void walk_steps(struct pack *w, struct plan *p)
{
	size_t n = pack_count(w, p->n_steps, sizeof(uint32_t));
	struct step *v = w->reading ? xcalloc(n + 1, sizeof(*v)) : NULL;

	for (size_t i = 0; i < n; i++) {
		struct step s = w->reading ? (struct step){0} : p->steps[i];
		pack_texts(w, &s.argv);
		pack_text(w, &s.program);
		PACK_FIELD(w, s.ignore_failure);
		PACK_FIELD(w, s.keep_user);
		w->bad |= !s.program;
		if (w->reading)
			v[i] = s;
	}
	if (w->reading) {
		p->steps = v;
		p->n_steps = n;
	}
}

static void walk_ipc(struct pack *w, struct plan *p)
{
	if (!pack_there(w, p->ipc))
		return;
	char *const *values = w->reading ? NULL : ipc_values(p->ipc);
	for (size_t i = 0; i < IPC_SETTINGS; i++) {
		const char *s = w->reading ? NULL : values[i];
		pack_text(w, &s);
		if (w->reading) {
			p->ipc = i ? p->ipc : ipc_none();
			ipc_set((struct ipc_settings *)(uintptr_t)p->ipc, i, s);
		}
	}
}

static void walk_program(struct pack *w, const struct sock_fprog **f, struct sock_fprog *to)
{
	if (!pack_there(w, *f))
		return;
	void *code = *f ? (*f)->filter : NULL;
	size_t n = pack_array(w, &code, *f ? (*f)->len : 0, sizeof(struct sock_filter));
	if (w->reading) {
		*to = (struct sock_fprog){.len = (unsigned short)n, .filter = code};
		*f = to;
		w->bad |= n == 0 || n > BPF_MAXINSNS;
	}
}

static void walk_landlock(struct pack *w, struct landlock *l, struct strv *execute)
{
	void *bind = (void *)(uintptr_t)l->bind, *connect = (void *)(uintptr_t)l->connect;
	char *const *places = l->execute ? l->execute->v : NULL;

	l->n_bind = pack_array(w, &bind, l->n_bind, sizeof(*l->bind));
	l->n_connect = pack_array(w, &connect, l->n_connect, sizeof(*l->connect));
	PACK_FIELD(w, l->bind_any);
	PACK_FIELD(w, l->connect_any);
	PACK_FIELD(w, l->scoped);
	PACK_FIELD(w, l->tried);
	PACK_FIELD(w, l->listen_arch);
	PACK_FIELD(w, l->listen_call);
	pack_texts(w, &places);
	if (!w->reading)
		return;
	l->bind = bind;
	l->connect = connect;
	for (size_t i = 0; places[i]; i++)
		strv_add(execute, places[i]);
	l->execute = execute;
	free((char **)(uintptr_t)places);
}

static void walk_walls(struct pack *w, struct plan *p, struct packed *to)
{
	struct landlock l = {0};
	struct walls walls = {0};

	if (!pack_there(w, p->walls))
		return;
	if (!w->reading) {
		walls = *p->walls;
		l = walls.landlock ? *walls.landlock : l;
	}
	PACK_FIELD(w, walls.capabilities);
	PACK_FIELD(w, walls.no_new_privs);
	PACK_FIELD(w, walls.proc_pids);
	walk_program(w, &walls.last, &to->last);
	bool landlock = pack_there(w, walls.landlock);
	if (landlock)
		walk_landlock(w, &l, &to->execute);
	if (!w->reading)
		return;
	to->walls = walls;
	to->landlock = l;
	to->walls.landlock = landlock ? &to->landlock : NULL;
	p->walls = &to->walls;
}

static void walk_plan(struct pack *w, struct plan *p, struct packed *to)
{
	PACK_FIELD(w, p->mnt_ns);
	PACK_FIELD(w, p->net_ns);
	PACK_FIELD(w, p->ipc_ns);
	PACK_FIELD(w, p->uts_ns);
	PACK_FIELD(w, p->user_ns);
	PACK_FIELD(w, p->user_base);
	PACK_FIELD(w, p->root);
	PACK_FIELD(w, p->same_pid);
	PACK_FIELD(w, p->forks);
	pack_text(w, &p->root_path);
	pack_text(w, &p->root_at);
	walk_ipc(w, p);
	walk_mounts(w, &p->mounts);
	walk_identity(w, &p->identity);
	pack_texts(w, &p->argv);
	pack_text(w, &p->program);
	PACK_FIELD(w, p->main_keeps_user);
	walk_steps(w, p);
	pack_texts(w, &p->envp);
	pack_text(w, &p->cwd);
	PACK_FIELD(w, p->umask);
	PACK_FIELD(w, p->ignore_sigpipe);
	PACK_FIELD(w, p->limits);
	PACK_FIELD(w, p->limit_set);
	PACK_FIELD(w, p->nice);
	PACK_FIELD(w, p->oom_score_adjust);
	PACK_FIELD(w, p->nice_set);
	PACK_FIELD(w, p->oom_score_adjust_set);
	PACK_FIELD(w, p->stdio);
	PACK_FIELD(w, p->pass);
	PACK_FIELD(w, p->n_pass);
	PACK_FIELD(w, p->accepts);
	w->bad |= p->n_pass > PLAN_PASS_MAX || (p->accepts && !p->n_pass);
	PACK_FIELD(w, p->outside);
	PACK_FIELD(w, p->own_net);
	PACK_FIELD(w, p->stays);
	PACK_FIELD(w, p->tell_walls);
	walk_program(w, &p->filter, &to->filter);
	walk_walls(w, p, to);
}

char *packed_write(const struct plan *p, size_t *ret_len)
{
	struct pack w = pack_begin(IMAGE_MAGIC, IMAGE_VERSION);
	struct plan copy = *p;
	struct packed none = {0};

	walk_plan(&w, &copy, &none);
	return pack_finish(&w, ret_len);
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
	free(p->last.filter);
	plan_done(plan);
	memset(p, 0, sizeof(*p));
}

int packed_read(const char *bytes, size_t len, struct packed *ret, struct err *e)
{
	struct pack w;

	*ret = (struct packed){0};
	plan_init(&ret->plan);
	int r = pack_open(&w, IMAGE_MAGIC, IMAGE_VERSION, bytes, len, e);
	if (r < 0)
		return r;
	walk_plan(&w, &ret->plan, ret);
	if (pack_whole(&w))
		return 0;
	packed_done(ret);
	return err_set(e, -EBADMSG, "the compiled plan contradicts itself");
}
