/* SPDX-License-Identifier: MIT */
#include "jail/foreseen.h"

#include "base/alloc.h"
#include "base/path.h"
#include "host/places.h"
#include "jail/command.h"
#include "jail/helpers.h"

static void add_line(const struct exec_list *list, const struct strv *env, struct strv *programs,
		     struct strv *arguments)
{
	for (size_t i = 0; i < list->n; i++) {
		struct strv words CLEANUP_STRV = STRV_INIT;
		exec_line_expand(&list->v[i], env->v, &words);
		/* A mere signal is sent from outside (jail/tell.h). */
		if (words.n && words.v[0][0] == '/' && !streq(path_base(words.v[0]), "kill"))
			strv_add(programs, words.v[0]);
		for (size_t k = 1; k < words.n; k++)
			strv_add(arguments, words.v[k]);
	}
}

/* The commands that a running jail will ever execute; those of a start as they were found on the
 * service's PATH. */
static void add_commands(const struct spec *s, const struct direct *direct,
			 const struct command_set *c, struct strv *programs, struct strv *arguments)
{
	const struct exec_list *lists[] = {&s->start_pre, &s->start_post, &s->stop,
					   &s->stop_post, &s->reload,	  &s->config_test};

	strv_add(programs, c->main.program);
	for (size_t i = 1; direct->program && i < c->main.argv.n; i++)
		strv_add(arguments, c->main.argv.v[i]);
	/* A oneshot has several; what was learnt stands for all. */
	if (!direct->program)
		add_line(&s->start, &c->env, programs, arguments);
	for (size_t i = 0; i < c->n_pre; i++)
		strv_add(programs, c->pre[i].program);
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		add_line(lists[i], &c->env, programs, arguments);
}

static bool read_at_start(const struct touch *t)
{
	return S_ISREG(t->found) && t->phase == PHASE_START &&
	       t->kinds & (TOUCH_READ | TOUCH_EXEC | TOUCH_INTERP);
}

void foreseen_used(const struct record *record, bool direct, struct strv *ret)
{
	for (const struct touch *t = record->touches; t; t = t->hh.next)
		if (read_at_start(t) && !(direct && helpers_has(record, NULL, t->path)))
			strv_add(ret, t->path);
	strv_sort_unique(ret);
}

static void add_bound(const struct layout *l, struct strv *content, struct strv *writable)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->v[i].writable)
			strv_add(writable, l->v[i].path);
		else if (l->v[i].class == CLASS_CONTENT)
			strv_add(content, l->v[i].path);
}

/* The ids of all accounts in the service but root's: what root may write says nothing. */
static void add_ids(const struct who *who, const struct account *a, struct who *ret)
{
	for (size_t i = 0; i < who->n_uids; i++)
		if (who->uids[i])
			who_add_uid(ret, who->uids[i]);
	for (size_t i = 0; i < who->n_gids; i++)
		if (who->gids[i])
			who_add_gid(ret, who->gids[i]);
	if (!a->uid)
		return;
	who_add_uid(ret, a->uid);
	who_add_gid(ret, a->gid);
	for (size_t i = 0; i < a->n_groups; i++)
		who_add_gid(ret, a->groups[i]);
}

static void need_accounts(struct accounts *accounts, const struct who *who, const struct account *a)
{
	accounts_need_uid(accounts, a->uid, "the service's user");
	accounts_need_gid(accounts, a->gid, "the service's group");
	for (size_t i = 0; i < a->n_groups; i++)
		accounts_need_gid(accounts, a->groups[i], "a group of the service's user");
	for (size_t i = 0; i < who->n_uids; i++)
		accounts_need_uid(accounts, who->uids[i], "a process of the service runs as it");
	for (size_t i = 0; i < who->n_gids; i++)
		accounts_need_gid(accounts, who->gids[i], "a process of the service is in it");
}

int foreseen_make(const struct spec *s, const struct direct *direct, const struct strv *used,
		  const struct layout *l, const struct who *who, int host, struct foresight *ret,
		  struct err *e)
{
	struct command_set c CLEANUP_COMMAND_SET = COMMAND_SET_INIT;
	struct strv programs CLEANUP_STRV = STRV_INIT, arguments CLEANUP_STRV = STRV_INIT;
	struct strv include CLEANUP_STRV = STRV_INIT, writable CLEANUP_STRV = STRV_INIT;
	struct strv content CLEANUP_STRV = STRV_INIT;
	struct who ids CLEANUP_WHO = WHO_INIT;
	int r = command_set_make(s, &c, e);

	if (r < 0)
		return r;
	direct_apply(direct, &c);
	add_commands(s, direct, &c, &programs, &arguments);
	add_bound(l, &content, &writable);
	strv_add_all(&include, &s->include);
	strv_add_all(&include, &s->secret);
	strv_add_all(&include, &s->config);
	add_ids(who, &c.account, &ids);
	const struct foresee_input in = {
	    .host = host,
	    .programs = &programs,
	    .arguments = &arguments,
	    .environment = &c.env,
	    .include = &include,
	    .cwd = c.cwd,
	    .used = used,
	    .content = &content,
	    .writable = &writable,
	    .uids = ids.uids,
	    .n_uids = ids.n_uids,
	    .gids = ids.gids,
	    .n_gids = ids.n_gids,
	};
	r = foresee(&in, ret, e);
	if (r == 0)
		need_accounts(&ret->accounts, who, &c.account);
	return r;
}

bool foreseen_accounts_live(const struct spec *s, const struct foresight *f)
{
	if (spec_find(s, SPEC_JAIL, "Accounts"))
		return s->accounts == ACCOUNTS_LIVE;
	return f->accounts_live != NULL;
}

void foreseen_drop_known(struct foresight *f, const struct record *record, const struct layout *l)
{
	struct evidence *ev = f->evidence;

	for (size_t i = ev->n_secrets; i-- > 0;) {
		const struct touch *t = record_find(record, ev->secrets[i].path);
		if ((t && t->kinds & TOUCH_READ) || layout_find(l, ev->secrets[i].path))
			evidence_forget_secret(ev, ev->secrets[i].path);
	}
}

/* Whether a chain of reasons begins in the spec itself: a tree that it includes, say. */
static bool is_included(const struct evidence *ev, const struct node *n)
{
	for (size_t i = 0; i < n->n_reasons; i++) {
		const struct reason *r = &n->reasons[i];
		const struct node *up = r->kind == REASON_BELOW || r->kind == REASON_WAY
					    ? evidence_find(ev, r->from)
					    : NULL;
		if (r->kind == REASON_SPEC || (up && up != n && is_included(ev, up)))
			return true;
	}
	return false;
}

bool foreseen_wanted(const struct spec *s, const struct foresight *f, const struct node *n)
{
	return s->closure != CLOSURE_EXACT || is_included(f->evidence, n);
}

/* Each package once that owns a program file that a run used. */
static void add_packages(const struct foresight *f, const struct record *record, struct strv *names)
{
	for (const struct touch *t = record->touches; t; t = t->hh.next) {
		bool used =
		    S_ISREG(t->found) && t->kinds & (TOUCH_READ | TOUCH_EXEC | TOUCH_INTERP);
		const struct package *p = used && place_program_tree(t->path)
					      ? packages_owner(f->packages, t->path)
					      : NULL;
		if (p)
			strv_add(names, p->name);
	}
	strv_sort_unique(names);
}

void foreseen_packages(const struct foresight *f, const struct record *record, struct evidence *ev,
		       struct cost *ret_cost)
{
	struct strv names CLEANUP_STRV = STRV_INIT;

	add_packages(f, record, &names);
	*ret_cost = (struct cost){0};
	for (size_t i = 0; i < names.n; i++) {
		struct strv files CLEANUP_STRV = STRV_INIT;
		packages_files(f->packages, packages_find(f->packages, names.v[i]), &files);
		for (size_t k = 0; k < files.n; k++) {
			if (place_documentation(files.v[k]) || evidence_find(ev, files.v[k]) ||
			    place_private_area(files.v[k]) || path_within(files.v[k], "/var"))
				continue;
			const struct node *n = evidence_take(
			    ev, files.v[k], REASON_PACKAGE, NULL,
			    "of package %s, of which the service uses files", names.v[i]);
			if (!n || !S_ISREG(n->st.st_mode) || evidence_find(f->evidence, n->path))
				continue;
			ret_cost->files++;
			ret_cost->bytes += n->st.st_size;
		}
	}
}
