/* SPDX-License-Identifier: MIT */
/* The spread of evidence. Order matters in two places: the configuration's words are read before
 * the first program is looked at, since families follow them (a charset, a zone); and what the spec
 * names is followed before what a run has used, so that a library is known as such before it could
 * be taken for a module of the service. */
#include "foresee/foresee.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "base/env.h"
#include "base/path.h"
#include "foresee/interpreters.h"
#include "foresee/parts.h"
#include "host/host.h"
#include "host/places.h"
#include "text/script.h"

#define SCRIPT_MAX   (4u << 20)
#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

static bool has_kind(const struct node *n, enum reason_kind kind)
{
	for (size_t i = 0; i < n->n_reasons; i++)
		if (n->reasons[i].kind == kind)
			return true;
	return false;
}

/* Of an interpreter's core library, by itself or with its tree. */
static bool is_core(const struct foresee *f, const struct node *n)
{
	const struct reason *first = &n->reasons[0];
	const struct node *tree =
	    first->kind == REASON_BELOW ? evidence_find(f->ev, first->from) : NULL;
	return has_kind(n, REASON_CORE) || (tree && has_kind(tree, REASON_CORE));
}

bool foresee_guesses(const struct node *n)
{
	return n->reasons[0].kind == REASON_BELOW && place_program_tree(n->path);
}

/* A program of the service, or a module that it loads by itself; else a library of the system. */
static bool is_program(const struct node *n, const struct elf_object *o)
{
	enum reason_kind first = n->reasons[0].kind;
	bool library = first == REASON_NEEDED || first == REASON_FAMILY || first == REASON_CORE ||
		       foresee_guesses(n);
	return o->interp ? !strstr(n->path, ".so") : !library && first != REASON_INTERPRETER;
}

static void add_helper_dir(struct foresee *f, const char *path)
{
	const struct packages *all = f->out->packages;
	const struct package *mine = packages_owner(all, path);
	CLEANUP_STR char *dir = path_parent(path);
	CLEANUP_STR char *among = xasprintf(":%s:", f->search);
	CLEANUP_STR char *one = xasprintf(":%s:", dir);

	bool own = packages_owners(all, dir) < 2 ||
		   (mine && packages_owned_only_from(all, dir, mine->source));

	if (own && !strstr(among, one) && !place_never_whole(dir) && place_program_tree(dir) &&
	    !strv_has(&f->helpers, dir))
		strv_add(&f->helpers, dir);
}

/* /etc/profile and its kin, compiled into every shell, are for those who log in. */
static bool is_shell(const char *path)
{
	const struct interpreter *in = interpreter_of(path);
	return in && interpreter_language(in) == SCRIPT_SHELL;
}

/* Somebody else than root put it into content. It is taken with what it loads, and decides nothing
 * for the service: an upload that imports pam_open_session would open every home to the next jail.
 */
static bool is_uploaded(const struct node *n)
{
	bool content = n->reasons[0].kind == REASON_BELOW && !place_program_tree(n->path);
	return content && (n->st.st_uid != 0 || n->st.st_mode & (S_IWGRP | S_IWOTH));
}

/* A library of the same source as the service: what is compiled in there is no other's. */
static bool is_own_library(const struct foresee *f, const struct node *n)
{
	const struct package *mine =
	    f->program ? packages_owner(f->out->packages, f->program) : NULL;

	return mine && n->reasons[0].kind == REASON_NEEDED &&
	       packages_owned_only_from(f->out->packages, n->path, mine->source);
}

static void expand_object(struct foresee *f, const struct node *n, const struct elf_object *o)
{
	bool loaded = is_program(n, o) && !is_uploaded(n);
	/* A helper of another package (cmp, find) does not decide what the service needs. */
	bool program = loaded && named_is_own(f, n->path);

	libraries_take(f->libraries, f->ev, n->path, f->program, &f->out->missing);
	/* Of an interpreter the script decides. */
	families_look(f->families, n->path, o, program && !interpreter_of(n->path));
	if (loaded)
		embedded_look(f, n, o);
	if (!program) {
		if (is_own_library(f, n))
			compiled_take(f, n);
		return;
	}
	if (!interpreter_of(n->path)) /* it imports what any script might want */
		logins_look(f, n, o);
	if (o->interp)
		add_helper_dir(f, n->path);
	if (!is_shell(n->path) || f->out->accounts_live)
		compiled_take(f, n);
}

/* The program that runs a script: what its first line names, past env(1). NULL where none is. */
static const struct interpreter *script_runner(struct foresee *f, const struct node *n,
					       const char *head, size_t len)
{
	struct script_line line;

	if (script_line(head, len, &line) == 0)
		return NULL;
	const char *program = line.program[0] ? line.program : line.interpreter;
	evidence_take(f->ev, line.interpreter, REASON_INTERPRETER, n->path, "interpreter of %s",
		      n->path);
	if (line.program[0])
		interpreter_take_words(f->ev, interpreter_of("/bin/sh"), n->path, line.program,
				       strlen(line.program), f->search, f->in->environment);
	return interpreter_of(program);
}

/* Text without a first line of its own: read by an interpreter that its name tells, or by the shell
 * that led here. */
static const struct interpreter *text_reader(const struct node *n)
{
	const struct interpreter *in = interpreter_of_module(n->path);
	const struct reason *first = &n->reasons[0];
	bool beside = first->kind == REASON_COMPILED || first->kind == REASON_NAMED;

	if (!in && first->from && beside && is_shell(first->from))
		in = interpreter_of(first->from);
	return in;
}

/* Shell scripts that packages bring (an apachectl, an ask-for-passphrase) have branches for every
 * host: what they run on this one is seen when they run. The administrator's own are taken at
 * their word. */
static bool is_packaged_shell(const struct foresee *f, const struct node *n,
			      const struct interpreter *in)
{
	return interpreter_language(in) == SCRIPT_SHELL &&
	       packages_owners(f->out->packages, n->path);
}

static void expand_text(struct foresee *f, const struct node *n)
{
	CLEANUP_STR char *text = NULL;
	size_t len;

	/* What an interpreter's core holds uses the core. */
	if (is_core(f, n) || host_read(f->in->host, n->path, SCRIPT_MAX, &text, &len) < 0)
		return;
	const struct interpreter *in = script_runner(f, n, text, len);
	if (!in)
		in = text_reader(n);
	if (in && !packages_owners(f->out->packages, n->path))
		config_words(f, text, len);
	if (in && !is_packaged_shell(f, n, in))
		interpreter_take_words(f->ev, in, n->path, text, len, f->search,
				       f->in->environment);
	if (in)
		embedded_read(f, in, n->path, text, len);
	else if (n->reasons[0].kind == REASON_NAMED && path_within(n->path, "/etc"))
		config_read(f, n->path);
}

static void expand(struct foresee *f, const struct node *n)
{
	const struct interpreter *in = interpreter_of(n->path);

	if (!S_ISREG(n->st.st_mode))
		return;
	const struct elf_object *o = libraries_object(f->libraries, n->path);
	families_look_file(f->families, n->path);
	if (o)
		expand_object(f, n, o);
	else
		expand_text(f, n);
	if (in && n->st.st_mode & 0111)
		interpreter_take(f->ev, in, n->path);
}

/* Follows all that was taken since the last call, and what that brings in turn. */
static void spread(struct foresee *f)
{
	for (struct node *n = f->at ? f->at->next : f->ev->first; n; n = n->next) {
		expand(f, n);
		f->at = n;
	}
}

/* Configuration that came as one of the files of a directory, and was named only afterwards.
 * Whether there was any. */
static bool read_named(struct foresee *f)
{
	size_t before = f->n_scans;

	for (const struct node *n = f->ev->first; n; n = n->next)
		if (S_ISREG(n->st.st_mode) && !(n->st.st_mode & 0111) &&
		    n->reasons[0].kind == REASON_BELOW && has_kind(n, REASON_NAMED) &&
		    path_within(n->path, "/etc") && !interpreter_of_module(n->path))
			config_read(f, n->path);
	return f->n_scans > before;
}

/* Evidence and configuration name each other until nothing new comes. */
static void settle(struct foresee *f)
{
	do {
		spread(f);
		config_take(f);
		families_look_words(f->families);
		embedded_words(f);
	} while ((f->at ? f->at->next != NULL : f->ev->first != NULL) || read_named(f));
}

static void read_configuration(struct foresee *f)
{
	for (size_t i = 0; i < f->in->used->n; i++)
		if (!place_program_tree(f->in->used->v[i]))
			config_read(f, f->in->used->v[i]);
}

static void take_commands(struct foresee *f)
{
	for (size_t i = 0; i < f->in->programs->n; i++) {
		const struct node *n = evidence_take_used(
		    f->ev, f->in->programs->v[i], REASON_COMMAND, NULL, "the service's command");
		if (n && !f->program)
			f->program = n->path;
	}
	config_arguments(f);
}

static void take_used(struct foresee *f)
{
	for (size_t i = 0; i < f->in->used->n; i++)
		if (place_program_tree(f->in->used->v[i]))
			evidence_take_used(f->ev, f->in->used->v[i], REASON_USED, f->program,
					   "used when the service started");
}

static void look_at_content(struct foresee *f)
{
	for (size_t i = 0; i < f->in->content->n; i++)
		content_look(f, f->in->content->v[i]);
	for (size_t i = 0; i < f->out->n_dirs; i++)
		if (!f->out->dirs[i].writable)
			content_look(f, f->out->dirs[i].path);
}

static int include_package(struct foresee *f, const char *name, struct err *e)
{
	const struct package *p = packages_find(f->out->packages, name);
	struct strv files CLEANUP_STRV = STRV_INIT;

	if (!p)
		return err_set(e, -ENOENT,
			       "Include=package:%s: no such package is installed on this host",
			       name);
	packages_files(f->out->packages, p, &files);
	for (size_t i = 0; i < files.n; i++)
		evidence_take(f->ev, files.v[i], REASON_SPEC, NULL, "Include=package:%s", name);
	return 0;
}

static int include_path(struct foresee *f, const char *path, struct err *e)
{
	CLEANUP_STR char *end = NULL;
	struct stat st;

	if (host_resolve(f->in->host, path, &end, &st, NULL) < 0)
		return err_set(
		    e, -ENOENT,
		    "Include=%s: there is no such path on this host (make it, or take the "
		    "line out)",
		    path);
	evidence_take_used(f->ev, path, REASON_SPEC, NULL, "Include=%s", path);
	if (S_ISDIR(st.st_mode))
		evidence_take_tree(f->ev, path, SIZE_MAX, NULL, REASON_SPEC, NULL, "Include=%s",
				   path);
	return 0;
}

static int take_included(struct foresee *f, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < f->in->include->n; i++) {
		const char *package = str_after(f->in->include->v[i], "package:");
		r = package ? include_package(f, package, e)
			    : include_path(f, f->in->include->v[i], e);
	}
	return r;
}

static void follow_all(struct foresee *f)
{
	read_configuration(f);
	take_commands(f);
	spread(f);
	take_used(f);
	settle(f);
	look_at_content(f);
	settle(f);
	families_list(f->families, &f->out->families);
}

int foresee(const struct foresee_input *in, struct foresight *ret, struct err *e)
{
	const char *search = env_get(in->environment, "PATH");
	struct foresee f = {.in = in, .out = ret, .search = search ? search : DEFAULT_PATH};

	*ret = (struct foresight)FORESIGHT_INIT;
	f.ev = ret->evidence = evidence_new(in->host);
	ret->packages = packages_open(in->host, NULL);
	int r = accounts_open(in->host, &ret->accounts);
	f.libraries = libraries_open(in->host, in->environment);
	const struct families_context c = {f.ev, f.libraries, in->environment, &f.words};
	f.families = families_new(&c);
	if (r < 0)
		err_errno(e, r, "reading the accounts in /etc/passwd and /etc/group");
	else
		r = take_included(&f, e);
	if (r == 0)
		follow_all(&f);
	config_done(&f);
	families_free(f.families);
	libraries_free(f.libraries);
	strv_done(&f.words);
	strv_done(&f.helpers);
	embedded_done(&f);
	strv_done(&f.scanned);
	if (r < 0)
		foresight_done(ret);
	return r;
}

void foresight_done(struct foresight *f)
{
	for (size_t i = 0; i < f->n_dirs; i++) {
		free(f->dirs[i].path);
		free(f->dirs[i].text);
	}
	free(f->dirs);
	evidence_free(f->evidence);
	packages_free(f->packages);
	accounts_done(&f->accounts);
	free(f->accounts_live);
	strv_done(&f->missing);
	strv_done(&f->families);
	*f = (struct foresight)FORESIGHT_INIT;
}
