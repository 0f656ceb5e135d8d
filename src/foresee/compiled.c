/* SPDX-License-Identifier: MIT */
/* Paths compiled into the service's own programs. A file is meant if it is there. A directory of
 * the service's own is where it keeps what its clients choose from while it runs: an error page in
 * their language, a character set, an extension of a database. Nothing in a configuration names
 * those, and a start reads few.
 *
 *   below /var       data, by the rules of named.c
 *   below /usr/lib   the modules in it with what they load, but for one that would bring much; and
 *                    programs that stand right in it: they are called from there alone
 *   else below /usr  its files, but for scripts, manuals and examples
 *
 * Its own is what packages of the program's source alone have, by the name that is compiled in (it
 * may be a link to what another package keeps in step). The trees of interpreters are in their rows
 * (interpreters.c). */
#include <elf.h>

#include "base/alloc.h"
#include "base/path.h"
#include "foresee/interpreters.h"
#include "foresee/parts.h"
#include "host/host.h"
#include "host/places.h"

#define FILES_MAX     4000	   /* of one directory */
#define LIBRARIES_MAX (16ll << 20) /* bytes that one module may bring */
#define DEPTH_MAX     6		   /* of directories in it */

static const char *const for_people[] = {"doc", "docs", "examples", "locale", "man", "tests"};

static const char *const module_trees[] = {"/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/libexec"};

static bool is_module_tree(const char *path)
{
	for (size_t i = 0; i < ARRAY_LEN(module_trees); i++)
		if (path_within(path, module_trees[i]))
			return true;
	return false;
}

/* A directory that a program has compiled in. */
struct compiled_dir {
	struct foresee *f;
	const struct node *program;
	const char *path; /* canonical */
};

/* One path below such a directory. */
struct candidate {
	const char *path;
	const struct stat *st; /* of what it leads to */
	unsigned depth;
};

/* Libtool's description of a module stands beside it, and may be what is asked for. What gives its
 * user to whoever executes it is nothing to guess. */
static bool is_module(const struct compiled_dir *d, const struct candidate *c)
{
	const struct elf_object *o = libraries_object(d->f->libraries, c->path);

	if (!o)
		return str_ends(c->path, ".la");
	if (o->interp)
		return c->depth == 1 && !(c->st->st_mode & (S_ISUID | S_ISGID)) &&
		       !str_ends(d->path, "/bin");
	return o->dynamic && o->type == ET_DYN;
}

/* A script would bring its interpreter, and nobody has asked for that. */
static bool is_data(const struct compiled_dir *d, const struct candidate *c)
{
	CLEANUP_STR char *head = NULL;
	CLEANUP_STR char *end = NULL;

	if (c->st->st_mode & 0111)
		return false;
	return host_resolve(d->f->in->host, c->path, &end, NULL, NULL) == 0 &&
	       (host_head(d->f->in->host, end, 2, &head, NULL) < 0 || !str_after(head, "#!"));
}

static bool is_for_people(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(for_people); i++)
		if (streq(name, for_people[i]))
			return true;
	return false;
}

/* Adds what is wanted of canonical @dir and below; false where that is too much. */
static bool find_wanted(const struct compiled_dir *d, const char *dir, unsigned depth,
			struct strv *ret)
{
	struct strv names CLEANUP_STRV = STRV_INIT;
	bool few = true;

	host_names(d->f->in->host, dir, &names);
	for (size_t i = 0; few && i < names.n; i++) {
		CLEANUP_STR char *path = path_join(dir, names.v[i]);
		CLEANUP_STR char *end = NULL;
		struct stat st;
		if (is_for_people(names.v[i]) ||
		    host_resolve(d->f->in->host, path, &end, &st, NULL) < 0)
			continue;
		const struct candidate c = {path, &st, depth};
		bool wanted = is_module_tree(d->path) ? is_module(d, &c) : is_data(d, &c);
		if (S_ISREG(st.st_mode) && wanted)
			strv_add(ret, path);
		else if (S_ISDIR(st.st_mode) && streq(end, path) && depth < DEPTH_MAX)
			few = find_wanted(d, path, depth + 1, ret);
		few &= ret->n <= FILES_MAX;
	}
	return few;
}

static void take_one(const struct compiled_dir *d, const char *path)
{
	struct foresee *f = d->f;
	long long more = libraries_weight(f->libraries, f->ev, path, f->program);

	if (more > LIBRARIES_MAX)
		evidence_pass(f->ev, path, "for %s to load, but its libraries are %lld MB more",
			      d->program->path, more >> 20);
	else
		evidence_take(f->ev, path, REASON_BELOW, d->path, "in %s, where %s looks for it",
			      d->path, d->program->path);
}

static void take_dir(const struct compiled_dir *d)
{
	struct strv paths CLEANUP_STRV = STRV_INIT;
	struct foresee *f = d->f;
	const char *by = d->program->path;

	if (!find_wanted(d, d->path, 1, &paths)) {
		evidence_pass(f->ev, d->path, "compiled into %s, but it holds more than %d files",
			      by, FILES_MAX);
		return;
	}
	evidence_take(f->ev, d->path, REASON_COMPILED, by, "compiled into %s", by);
	for (size_t i = 0; i < paths.n; i++)
		take_one(d, paths.v[i]);
}

/* @name: as it is compiled in. */
static bool is_own_dir(const struct compiled_dir *d, const char *name)
{
	const struct packages *all = d->f->out->packages;
	const struct package *mine = packages_owner(all, d->program->path);
	CLEANUP_STR char *normal = path_normal(name);

	return mine && packages_owned_only_from(all, normal, mine->source) &&
	       place_program_tree(d->path) && !place_never_whole(d->path) &&
	       !interpreter_of(d->program->path);
}

/* Of a program that is only a guess, and of a library that serves many, what other packages have
 * (sendmail for bounces) is one guess too many. */
static bool is_far(const struct foresee *f, const struct node *n, const char *path)
{
	bool own_program = n->reasons[0].kind != REASON_NEEDED && !foresee_guesses(n);
	return !own_program && !named_is_own(f, path);
}

void compiled_take(struct foresee *f, const struct node *n)
{
	const struct strv *paths = libraries_paths(f->libraries, n->path);
	CLEANUP_STR char *text = xasprintf("compiled into %s", n->path);

	for (size_t i = 0; i < paths->n; i++) {
		CLEANUP_STR char *end = NULL;
		struct stat st;
		if (host_resolve(f->in->host, paths->v[i], &end, &st, NULL) < 0 ||
		    place_documentation(end) || is_far(f, n, end))
			continue;
		CLEANUP_STR char *content = place_content_at(end, true);
		const struct compiled_dir d = {f, n, end};
		if (!S_ISDIR(st.st_mode) || (path_within(end, "/var") && !content))
			named_take(f, paths->v[i], REASON_COMPILED, n->path, text);
		else if (is_own_dir(&d, paths->v[i]))
			take_dir(&d);
	}
}
