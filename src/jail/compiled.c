/* SPDX-License-Identifier: MIT */
#include "jail/compiled.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/path.h"
#include "confine/calls-policy.h"
#include "confine/packed.h"
#include "fs/atomic.h"
#include "host/account-row.h"
#include "jail/errand.h"
#include "jail/manifest.h"
#include "jail/masks.h"
#include "jail/refresh.h"
#include "jail/resources.h"
#include "jail/samples.h"
#include "keep/start.h"
#include "text/nsswitch.h"

/* Those of systemd.exec(5) which end so: what they name may lead elsewhere tomorrow. */
static bool names_paths(const struct setting *s)
{
	return str_ends(s->key, "Paths");
}

/* "%H": the host's name, the boot, os-release. "%%" is a percent sign. */
static bool has_specifier(const char *value)
{
	for (const char *at = strchr(value, '%'); at; at = strchr(at + 2, '%'))
		if (at[1] != '%')
			return true;
	return false;
}

/* What a start reads besides paths: it is made anew each time. */
static bool reads_more(const struct live *l)
{
	const struct spec *s = l->spec;
	struct peers peers CLEANUP_PEERS = {0};
	bool more = s->accept || s->listen.n || s->environment_files.n || s->private_users ||
		    s->require.n || l->passed.n || getenv("WATCHDOG_USEC") || l->plan.n_steps ||
		    peers_of(s, &peers);

	/* What is done around it, and what its end is taken for, the short way does not know. */
	more |= s->start_post.n || errands_stay(s) || s->start.v[s->start.n - 1].ignore_failure ||
		spec_find(s, SPEC_SERVICE, "SuccessExitStatus");
	for (size_t i = 0; !more && i < s->n_settings; i++) {
		const struct setting *one = &s->settings[i];
		more = one->section != SPEC_EXERCISE &&
		       (names_paths(one) || has_specifier(one->value));
	}
	return more;
}

/* Whether @name is an account of this host's own, which a mark of the file covers. */
static bool is_listed(const char *file, const struct account_form *form, const char *name)
{
	CLEANUP_STR char *text = NULL;
	CLEANUP_FD int fd = open(file, O_RDONLY | O_CLOEXEC);
	struct account_row row;
	size_t len = 0;

	return fd >= 0 && fd_read_all(fd, 1 << 20, &text, &len) == 0 &&
	       account_row_find(form, (struct span){text, len}, name, &row);
}

static bool is_group(const char *name)
{
	return is_listed("/etc/group", &account_form_group, name);
}

/* What nss-systemd(8) takes memberships from, besides services of systemd's own. */
static const char *const user_records[] = {"/etc/userdb", "/run/userdb", "/run/host/userdb",
					   "/usr/lib/userdb"};

/* Accounts come from nowhere else than the files that are marked. */
static bool sources_are_local(void)
{
	static const char *const databases[] = {"passwd", "group", "initgroups"};
	struct nsswitch sources CLEANUP_NSSWITCH = NSSWITCH_INIT;
	CLEANUP_FD int fd = open("/etc/nsswitch.conf", O_RDONLY | O_CLOEXEC);
	CLEANUP_STR char *text = NULL;
	size_t len = 0;
	bool local = fd < 0 || fd_read_all(fd, 1 << 20, &text, &len) == 0;

	if (local && text)
		nsswitch_parse(text, len, &sources);
	for (size_t i = 0; local && i < sources.n; i++)
		for (size_t k = 0; k < ARRAY_LEN(databases); k++)
			if (streq(sources.v[i].database, databases[k]))
				local &= streq(sources.v[i].service, "files") ||
					 streq(sources.v[i].service, "systemd");
	for (size_t i = 0; local && i < ARRAY_LEN(user_records); i++)
		local = access(user_records[i], F_OK) < 0;
	return local;
}

static bool accounts_are_local(const struct spec *s)
{
	bool local = sources_are_local() &&
		     (!s->user || is_listed("/etc/passwd", &account_form_passwd, s->user)) &&
		     (!s->group || is_group(s->group));

	for (size_t i = 0; local && i < s->supplementary_groups.n; i++)
		local = is_group(s->supplementary_groups.v[i]);
	return local;
}

static bool is_read_tree(const struct provision *p)
{
	return !p->file && !p->writable && p->class != CLASS_KERNEL;
}

/* What the service has for its own there is no link, which may lead elsewhere tomorrow, and lies
 * in what is looked at. */
static bool own_is_marked(const struct layout *l, const char *path)
{
	const struct provision *p = layout_find(l, path);
	CLEANUP_STR char *real = realpath(path, NULL);

	return p && is_read_tree(p) && real && streq(real, path);
}

/* Where a key of somebody else may appear in what the service writes, each start looks. */
static bool keys_may_appear(const struct layout *l, const struct provision *p)
{
	for (size_t i = 0; p->writable && i < l->n; i++)
		if (masks_look_into(&l->v[i]) && path_within(p->path, l->v[i].path))
			return true;
	return false;
}

static bool layout_is_plain(const struct layout *l)
{
	bool plain = true;

	for (size_t i = 0; plain && i < l->own.n; i++)
		plain = own_is_marked(l, l->own.v[i]);
	for (size_t i = 0; plain && i < l->n; i++)
		plain = !l->v[i].link && !keys_may_appear(l, &l->v[i]);
	return plain;
}

/* The paths are in @kept, whose texts do not move. */
static void add_mark(struct start *s, struct strv *kept, char *path, bool whole)
{
	strv_take(kept, path);
	s->marks = xrealloc(s->marks, s->n_marks + 1, sizeof(*s->marks));
	s->marks[s->n_marks++] = start_mark(path, whole);
}

static void mark_sources(const struct live *l, const char *jail, struct start *s, struct strv *kept)
{
	static const char *const of_generation[] = {"manifest.jsonl", "policy.bin", "policy.json",
						    "run.json", "spec"};
	static const char *const of_host[] = {"/etc/passwd", "/etc/group", "/etc/nsswitch.conf"};

	add_mark(s, kept, path_join(jail, "current"), true);
	for (size_t i = 0; i < ARRAY_LEN(of_generation); i++)
		add_mark(s, kept, path_join(l->generation.dir, of_generation[i]), true);
	for (size_t i = 0; i < ARRAY_LEN(of_host); i++)
		add_mark(s, kept, xstrdup(of_host[i]), true);
	for (size_t i = 0; i < ARRAY_LEN(user_records); i++)
		add_mark(s, kept, xstrdup(user_records[i]), true);
	add_mark(s, kept, xstrdup(l->commands.main.program), false);
	if (s->point)
		add_mark(s, kept, xstrdup(s->point), false);
}

/* Configuration that the jail has copies of. */
static int mark_copies(const struct live *l, struct start *s, struct strv *kept)
{
	struct manifest m CLEANUP_MANIFEST = MANIFEST_INIT;
	int r = manifest_load(l->generation.dir, &m, NULL);

	for (size_t i = 0; r == 0 && i < m.n; i++)
		if (refresh_takes(&m.v[i]))
			add_mark(s, kept, xstrdup(m.v[i].path), true);
	return r;
}

/* What is bound: which object it is, and of what the service only reads, whatever is in it. */
static void mark_bound(const struct layout *l, struct start *s, struct strv *kept)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct provision *p = &l->v[i];
		const char *source = provision_source(p);
		if (p->create) {
			s->makes = xrealloc(s->makes, s->n_makes + 1, sizeof(*s->makes));
			s->makes[s->n_makes++] = provision_make(p);
		} else
			add_mark(s, kept, xstrdup(source), p->file && !p->writable);
		if (!is_read_tree(p))
			continue;
		s->trees = xrealloc(s->trees, s->n_trees + 1, sizeof(*s->trees));
		s->trees[s->n_trees++] = (struct start_tree){.path = source};
	}
}

static void add_state(const struct live *l, struct start *s)
{
	const struct layout *layout = &l->generation.layout;

	for (size_t i = 0; i < layout->n; i++) {
		const struct provision *p = &layout->v[i];
		bool state =
		    p->class == CLASS_STATE && p->writable && !sample_is_bound(l->spec, p->path);
		strv_add(state ? &s->state : &s->others, p->path);
	}
	if (!s->state.n)
		strv_done(&s->others);
}

/* What has changed since this start has begun may have been read before or after: a mark of it
 * would say nothing. */
static bool is_settled(struct start *s, const struct timespec *began)
{
	for (size_t i = 0; i < s->n_marks; i++)
		if (s->marks[i].there && s->marks[i].whole &&
		    !clock_before(&s->marks[i].changed, began))
			return false;
	return start_print(s, s->trees, began) == 0;
}

static char *pack_plan(const struct live *l, size_t *ret_len)
{
	CLEANUP_STR char *root = path_join(l->generation.dir, "root");
	struct plan p = l->plan;

	p.root_path = root;
	p.root = p.launcher = p.user_ns = -1;
	p.ipc = NULL;
	for (int i = 0; i < 3; i++)
		p.stdio[i] = i;
	return packed_write(&p, ret_len);
}

static void save(const struct live *l, const char *jail, struct start *s)
{
	CLEANUP_STR char *plan = pack_plan(l, &s->plan_len);
	CLEANUP_FD int dir = open(jail, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	size_t len = 0;

	s->plan = plan;
	CLEANUP_STR char *bytes = start_write(s, &len);
	if (dir >= 0 && len <= START_MAX)
		atomic_write(dir, START_FILE, bytes, len, 0600);
}

void compiled_save(const struct live *l)
{
	CLEANUP_STR char *group = resources_group_name(l->dirs, l->name), *point = cgroup_point();
	CLEANUP_STR char *jail = jail_path(l->dirs, l->name, NULL);
	struct strv kept CLEANUP_STRV = STRV_INIT;
	char kernel[128];
	CLEANUP_FD int program = open("/proc/self/exe", O_PATH | O_CLOEXEC);
	struct start s CLEANUP(start_done) = {
	    .jail = jail,
	    .program = start_mark_of(program),
	    .kernel = kernel,
	    .limits = start_limits(),
	    .generation = l->generation.number,
	    .run_dir = l->dirs->run,
	    .point = point,
	    .group = group,
	    .logs = l->logging.open,
	    .log = l->logging.set,
	    .notices = l->notices.socket < 0 ? NOTICES_NONE : l->notices.from,
	};

	if (reads_more(l) || !accounts_are_local(l->spec) ||
	    !layout_is_plain(&l->generation.layout))
		return;
	start_kernel(kernel);
	seccomp_answers(&s.answers);
	mark_sources(l, jail, &s, &kept);
	if (mark_copies(l, &s, &kept) < 0)
		return;
	mark_bound(&l->generation.layout, &s, &kept);
	for (size_t i = 0; i < l->generation.listeners.n; i++)
		strv_add(&s.listeners, l->generation.listeners.v[i]);
	add_state(l, &s);
	if (is_settled(&s, &l->began))
		save(l, jail, &s);
}
