/* SPDX-License-Identifier: MIT */
#include "jail/generation.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/path.h"
#include "fs/atomic.h"
#include "fs/beneath.h"
#include "fs/dir.h"
#include "fs/lock.h"
#include "jail/describe.h"
#include "jail/json-text.h"
#include "jail/retain.h"
#include "jail/store.h"

void generation_done(struct generation *g)
{
	account_needs_free(g->accounts, g->n_accounts);
	left_out_free(g->left_out, g->n_left_out);
	free(g->dir);
	free(g->built);
	free(g->spec_text);
	layout_done(&g->layout);
	strv_done(&g->listeners);
	strv_done(&g->pid_files);
	strv_done(&g->lacking);
	direct_done(&g->direct);
	right_list_done(&g->policy);
	*g = (struct generation)GENERATION_INIT;
}

int jail_make_dir(const char *path, mode_t mode, struct err *e)
{
	CLEANUP_FD int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	CLEANUP_STR char *up = path_parent(path);
	int r = beneath_mkdirs(root, up, 0755);

	if (r == 0 && mkdir(path, mode) < 0 && errno != EEXIST)
		r = -errno;
	return r < 0 ? err_errno(e, r, "making %s", path) : 0;
}

int generation_number(const struct dirs *d, const char *name)
{
	CLEANUP_STR char *link = jail_path(d, name, "current");
	char target[64];
	int number = 0;
	ssize_t n = readlink(link, target, sizeof(target) - 1);

	if (n <= 0)
		return 0;
	target[n] = '\0';
	return sscanf(target, "generations/%d", &number) == 1 ? number : 0;
}

static void read_left_out(struct generation *g, const json_t *list)
{
	const json_t *row;
	size_t i;

	g->left_out = xcalloc(json_array_size(list) + 1, sizeof(*g->left_out));
	json_array_foreach(list, i, row)
	{
		char *path = json_text_value(json_object_get(row, "path"));
		char *text = json_text_value(json_object_get(row, "text"));
		g->left_out[g->n_left_out++] = (struct left_out){.path = path ? path : xstrdup(""),
								 .text = text ? text : xstrdup("")};
	}
}

static json_t *left_out_json(const struct left_out *v, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_pack("{so so}", "path", json_text(v[i].path),
						      "text", json_text(v[i].text)));
	return list;
}

static void read_accounts(struct generation *g, const json_t *list)
{
	const json_t *row;
	size_t i;

	g->accounts = xcalloc(json_array_size(list) + 1, sizeof(*g->accounts));
	json_array_foreach(list, i, row)
	{
		char *name = json_text_value(json_object_get(row, "name"));
		char *text = json_text_value(json_object_get(row, "text"));
		g->accounts[g->n_accounts++] = (struct account_need){
		    .name = name ? name : xstrdup(""),
		    .group = json_is_true(json_object_get(row, "group")),
		    .id = (id_t)json_integer_value(json_object_get(row, "id")),
		    .text = text ? text : xstrdup(""),
		};
	}
}

static json_t *accounts_json(const struct generation *g)
{
	json_t *list = json_array();

	for (size_t i = 0; i < g->n_accounts; i++) {
		const struct account_need *a = &g->accounts[i];
		json_array_append_new(list, json_pack("{so sb sI so}", "name", json_text(a->name),
						      "group", a->group, "id", (json_int_t)a->id,
						      "text", json_text(a->text)));
	}
	return list;
}

static int read_run(struct generation *g, int dir)
{
	CLEANUP_STR char *text = NULL;
	const char *built;
	json_t *layout, *listeners;
	json_int_t steps;

	int r = atomic_read(dir, "run.json", 16 << 20, &text, NULL);
	if (r < 0)
		return r;
	json_t *j = json_loads(text, 0, NULL);
	if (!j || json_unpack(j, "{ss so so sI}", "built", &built, "layout", &layout, "listeners",
			      &listeners, "steps", &steps) < 0)
		r = -EBADMSG;
	if (r == 0)
		r = layout_from_json(&g->layout, layout);
	if (r == 0) {
		g->built = xstrdup(built);
		g->steps = (size_t)steps;
		const char *of = json_string_value(json_object_get(j, "manifest"));
		snprintf(g->manifest, sizeof(g->manifest), "%s", of ? of : "");
		g->held.files = (size_t)json_integer_value(json_object_get(j, "files"));
		g->held.bytes = json_integer_value(json_object_get(j, "bytes"));
		json_texts_value(listeners, &g->listeners);
		json_texts_value(json_object_get(j, "pid_files"), &g->pid_files);
		json_texts_value(json_object_get(j, "lacking"), &g->lacking);
		g->layout.syslog = json_is_true(json_object_get(j, "syslog"));
		g->forks = json_is_true(json_object_get(j, "forks"));
		r = direct_from_json(&g->direct, json_object_get(j, "direct"));
		read_accounts(g, json_object_get(j, "accounts"));
		read_left_out(g, json_object_get(j, "left_out"));
	}
	json_decref(j);
	return r;
}

int generation_load(const struct dirs *d, const char *name, struct generation *ret, struct err *e)
{
	int number = generation_number(d, name);

	if (!number)
		return err_set(e, -ENOENT, "no jail named '%s' (immure build %s makes one)", name,
			       name);
	return generation_load_number(d, name, number, ret, e);
}

int generation_spec(const struct generation *g, const char *name, struct spec **ret, struct err *e)
{
	*ret = spec_new(name);
	return spec_parse(*ret, g->spec_text, strlen(g->spec_text), "the proved spec", e);
}

int generation_before(const struct dirs *d, const char *name, int number)
{
	int all[GENERATIONS_MAX], best = 0;
	size_t n = generation_numbers(d, name, all);

	for (size_t i = 0; i < n; i++)
		if (all[i] < number)
			best = all[i];
	return best;
}

static int by_number(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

size_t generation_numbers(const struct dirs *d, const char *name, int ret[GENERATIONS_MAX])
{
	CLEANUP_STR char *all = jail_path(d, name, "generations");
	CLEANUP_FD int fd = open(all, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct strv names CLEANUP_STRV = STRV_INIT;
	size_t n = 0;

	if (fd < 0 || dir_names(fd, &names) < 0)
		return 0;
	for (size_t i = 0; i < names.n && n < GENERATIONS_MAX; i++)
		if (atoi(names.v[i]) > 0)
			ret[n++] = atoi(names.v[i]);
	qsort(ret, n, sizeof(*ret), by_number);
	return n;
}

int generation_load_number(const struct dirs *d, const char *name, int number,
			   struct generation *ret, struct err *e)
{
	struct generation g CLEANUP_GENERATION = GENERATION_INIT;

	g.number = number;
	CLEANUP_STR char *rest = xasprintf("generations/%d", g.number);
	g.dir = jail_path(d, name, rest);
	CLEANUP_FD int dir = open(g.dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int r = dir < 0 ? -errno : read_run(&g, dir);
	if (r == 0)
		r = policy_load(dir, &g.policy, NULL);
	if (r == 0)
		r = atomic_read(dir, "spec", 1 << 20, &g.spec_text, NULL);
	if (r == -EMFILE || r == -ENFILE || r == -ENOMEM)
		return err_errno(e, r, "reading %s", g.dir);
	if (r < 0)
		return err_errno(e, r, "reading %s (damaged? immure build %s makes it anew)", g.dir,
				 name);
	*ret = g;
	g = (struct generation)GENERATION_INIT;
	return 0;
}

int generation_hold(const struct generation *g, struct err *e)
{
	CLEANUP_STR char *root = path_join(g->dir, "root");
	CLEANUP_FD int dir = open(root, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int fd =
	    dir < 0 ? -1 : open_tree(dir, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);

	return fd < 0 ? err_errno(e, -errno, "taking hold of %s", root) : fd;
}

int generation_write_run(const struct generation *g, const char *path, struct err *e)
{
	CLEANUP_FD int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char now[CLOCK_TEXT_MAX];
	const char *built = g->built ? g->built : clock_text(now);
	char hash[CRYPTO_HASH_HEX];

	json_t *j = json_pack("{si ss so so sI}", "schema", 1, "built", built, "layout",
			      layout_to_json(&g->layout), "listeners", json_texts(&g->listeners),
			      "steps", (json_int_t)g->steps);
	if (dir >= 0 && describe_hash(dir, "/manifest.jsonl", hash) == 0)
		json_object_set_new(j, "manifest", json_string(hash));
	json_object_set_new(j, "files", json_integer((json_int_t)g->held.files));
	json_object_set_new(j, "bytes", json_integer(g->held.bytes));
	json_object_set_new(j, "pid_files", json_texts(&g->pid_files));
	json_object_set_new(j, "lacking", json_texts(&g->lacking));
	json_object_set_new(j, "syslog", json_boolean(g->layout.syslog));
	json_object_set_new(j, "forks", json_boolean(g->forks));
	json_object_set_new(j, "direct", direct_to_json(&g->direct));
	json_object_set_new(j, "accounts", accounts_json(g));
	json_object_set_new(j, "left_out", left_out_json(g->left_out, g->n_left_out));
	CLEANUP_STR char *text = json_dumps(j, JSON_INDENT(1) | JSON_SORT_KEYS);
	json_decref(j);
	int r = dir < 0 ? -errno : atomic_write(dir, "run.json", text, strlen(text), 0644);
	return r < 0 ? err_errno(e, r, "writing run.json in %s", path) : 0;
}

int generation_write(const struct generation *g, const char *path, struct err *e)
{
	CLEANUP_FD int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = generation_write_run(g, path, e);

	if (r < 0)
		return r;
	r = policy_write(&g->policy, dir, NULL);
	if (r == 0)
		r = atomic_write(dir, "spec", g->spec_text, strlen(g->spec_text), 0600);
	return r < 0 ? err_errno(e, r, "writing the generation in %s", path) : 0;
}

static int switch_to(int jail, int number)
{
	char target[40];
	int r;

	snprintf(target, sizeof(target), "generations/%d", number);
	unlinkat(jail, ".current", 0);
	r = symlinkat(target, jail, ".current") < 0 ? -errno : 0;
	if (r == 0 && renameat(jail, ".current", jail, "current") < 0)
		r = -errno;
	if (r == 0 && fsync(jail) < 0)
		r = -errno;
	return r;
}

int generation_switch(const struct dirs *d, const char *name, int number, struct err *e)
{
	CLEANUP_STR char *home = jail_path(d, name, NULL);
	CLEANUP_FD int jail = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = jail < 0 ? -errno : switch_to(jail, number);

	return r < 0 ? err_errno(e, r, "switching %s to generation %d", name, number) : 0;
}

int generation_publish(const struct dirs *d, const char *name, const char *dir, int *ret_number,
		       struct err *e)
{
	CLEANUP_STR char *home = jail_path(d, name, NULL);
	CLEANUP_STR char *all = jail_path(d, name, "generations");
	int made[GENERATIONS_MAX];
	size_t n = generation_numbers(d, name, made);
	int number = n ? made[n - 1] + 1 : 1; /* after a rollback too: no number means two things */
	char to[32];

	CLEANUP_STR char *jails = path_join(d->state, "jails");
	/* A jail may hold what only its modes protect: nobody but root gets as far as them. */
	int r = jail_make_dir(jails, 0700, e);
	if (r == 0 && chmod(jails, 0700) < 0)
		r = err_errno(e, -errno, "closing %s to others", jails);
	if (r == 0)
		r = jail_make_dir(all, 0755, e);
	if (r < 0)
		return r;
	CLEANUP_FD int jail = open(home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP_FD int generations = open(all, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (generations >= 0)
		store_tag(generations);
	snprintf(to, sizeof(to), "%d", number);
	r = jail < 0 || generations < 0 ? -errno : tree_remove(generations, to); /* of a crash */
	if (r == 0 && syncfs(generations) < 0)
		r = -errno;
	if (r == 0 && renameat(AT_FDCWD, dir, generations, to) < 0)
		r = -errno;
	if (r == 0)
		r = switch_to(jail, number);
	if (r < 0)
		return err_errno(e, r, "publishing generation %d of %s", number, name);
	retain_generations(d, name, false);
	*ret_number = number;
	return 0;
}

int jail_names(const struct dirs *d, struct strv *ret, struct err *e)
{
	CLEANUP_STR char *path = path_join(d->state, "jails");
	struct strv all CLEANUP_STRV = STRV_INIT;
	CLEANUP_FD int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return 0;
	int r = fd < 0 ? -errno : dir_names(fd, &all);
	if (r < 0)
		return err_errno(e, r, "reading %s", path);
	for (size_t i = 0; i < all.n; i++)
		if (str_is_name(all.v[i]) && generation_number(d, all.v[i]))
			strv_add(ret, all.v[i]);
	return 0;
}

static int remove_below(const char *parent, const char *name, struct err *e)
{
	CLEANUP_FD int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return 0;
	int r = fd < 0 ? -errno : tree_remove(fd, name);
	return r < 0 ? err_errno(e, r, "removing %s/%s", parent, name) : 0;
}

int jail_delete(const struct dirs *d, const char *name, struct err *e)
{
	CLEANUP_STR char *jails = path_join(d->state, "jails");
	CLEANUP_STR char *spec = xasprintf("%s.conf", name);
	CLEANUP_STR char *dropins = xasprintf("%s.conf.d", name);
	CLEANUP_STR char *own = xasprintf("%s.d", name);
	CLEANUP_STR char *current = jail_path(d, name, "current");
	/* First it is no jail any more: whoever is killed behind this line leaves no half of one.
	 */
	int r = unlink(current) < 0 && errno != ENOENT && errno != ENOTDIR
		    ? err_errno(e, -errno, "removing %s", current)
		    : remove_below(jails, name, e);

	if (r == 0)
		r = remove_below(d->config, spec, e);
	if (r == 0)
		r = remove_below(d->config, dropins, e);
	if (r == 0)
		r = remove_below(d->config, own, e);
	return r;
}

void jail_unlock(const struct dirs *d, const char *name, int *lock)
{
	CLEANUP_STR char *path = xasprintf("%s/locks/%s", d->state, name);

	/* While it is held: whoever waits for it notices that the name is gone (fs/lock.h). */
	if (*lock >= 0 && !generation_number(d, name))
		unlink(path);
	fd_close(lock);
}

/* Whether the holder that the lock file names is dead: then what it started is just cleaning up. */
static bool holder_is_dead(int dir, const char *name)
{
	CLEANUP_STR char *text = NULL;

	if (atomic_read(dir, name, 64, &text, NULL) < 0)
		return false;
	long pid = strtol(text, NULL, 10);
	return pid > 0 && kill((pid_t)pid, 0) < 0 && errno == ESRCH;
}

/* How long a killed build's other half may take to clean up, in steps of 50 ms. */
#define CLEAN_UP_STEPS 200

int jail_lock(const struct dirs *d, const char *name, struct err *e)
{
	const struct timespec step = {.tv_nsec = 50000000};
	CLEANUP_STR char *path = path_join(d->state, "locks");
	int r = jail_make_dir(path, 0755, e);

	if (r < 0)
		return r;
	CLEANUP_FD int dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_errno(e, -errno, "opening %s", path);
	r = lock_try(dir, name, e);
	for (int i = 0; i < CLEAN_UP_STEPS && r == -EBUSY && holder_is_dead(dir, name); i++) {
		nanosleep(&step, NULL);
		r = lock_try(dir, name, e);
	}
	return r;
}
