/* SPDX-License-Identifier: MIT */
#include "foresee/evidence.h"

#include <elf.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "base/alloc.h"
#include "base/path.h"
#include "host/host.h"
#include "host/places.h"
#include "text/secret.h"

/* A glob of a configuration file that matches more than this is no list of files any more. */
#define GLOB_MAX 4096

static const struct {
	const char *name;
	bool foreseen;
} kinds[] = {
    [REASON_COMMAND] = {"command", true},   [REASON_USED] = {"used", false},
    [REASON_SPEC] = {"spec", false},	    [REASON_INTERPRETER] = {"interpreter", true},
    [REASON_NEEDED] = {"needed", true},	    [REASON_CORE] = {"core", true},
    [REASON_MODULE] = {"module", true},	    [REASON_FAMILY] = {"family", true},
    [REASON_NAMED] = {"named", true},	    [REASON_RUN] = {"run", true},
    [REASON_COMPILED] = {"compiled", true}, [REASON_WAY] = {"way", false},
    [REASON_BELOW] = {"below", true},	    [REASON_PACKAGE] = {"package", false},
    [REASON_MADE] = {"made", false},
};

const char *reason_name(enum reason_kind k)
{
	return kinds[k].name;
}

enum reason_kind reason_parse(const char *word)
{
	size_t i = 0;

	while (i < REASON_COUNT && !streq(kinds[i].name, word))
		i++;
	return (enum reason_kind)i;
}

bool reason_is_foreseen(enum reason_kind k)
{
	return kinds[k].foreseen;
}

struct evidence *evidence_new(int host)
{
	struct evidence *ev = xcalloc(1, sizeof(*ev));
	ev->host = host;
	return ev;
}

void left_out_free(struct left_out *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(v[i].path);
		free(v[i].text);
	}
	free(v);
}

void reason_done(struct reason *r)
{
	free(r->from);
	free(r->text);
}

void reason_add(struct reason *v, size_t *n, size_t max, enum reason_kind kind, const char *from,
		const char *text)
{
	for (size_t i = 0; i < *n; i++)
		if (v[i].kind == kind && streq(v[i].text, text))
			return;
	if (*n < max)
		v[(*n)++] = (struct reason){kind, from ? xstrdup(from) : NULL, xstrdup(text)};
}

static void node_free(struct node *n)
{
	for (size_t i = 0; i < n->n_reasons; i++)
		reason_done(&n->reasons[i]);
	free(n->path);
	free(n);
}

void evidence_free(struct evidence *ev)
{
	struct node *n, *next;

	if (!ev)
		return;
	HASH_ITER(hh, ev->nodes, n, next)
	{
		HASH_DEL(ev->nodes, n);
		node_free(n);
	}
	left_out_free(ev->secrets, ev->n_secrets);
	left_out_free(ev->passed, ev->n_passed);
	free(ev);
}

struct node *evidence_find(const struct evidence *ev, const char *canonical)
{
	struct node *n;
	HASH_FIND_STR(ev->nodes, canonical, n);
	return n;
}

static struct node *node_get(struct evidence *ev, const char *path, const struct stat *st)
{
	struct node *n = evidence_find(ev, path);

	if (n)
		return n;
	n = xcalloc(1, sizeof(*n));
	n->path = xstrdup(path);
	n->st = *st;
	HASH_ADD_KEYPTR(hh, ev->nodes, n->path, strlen(n->path), n);
	if (ev->last)
		ev->last->next = n;
	else
		ev->first = n;
	ev->last = n;
	return n;
}

static void add_reason(struct node *n, enum reason_kind kind, const char *from, const char *text)
{
	reason_add(n->reasons, &n->n_reasons, REASONS_MAX, kind, from, text);
}

static void note(struct left_out **v, size_t *n, const char *path, const char *text, bool named)
{
	for (size_t i = 0; i < *n; i++)
		if (streq((*v)[i].path, path)) {
			(*v)[i].named |= named;
			return;
		}
	*v = xrealloc(*v, *n + 1, sizeof(**v));
	(*v)[(*n)++] = (struct left_out){xstrdup(path), xstrdup(text), named};
}

#define FORMATTED(text, fmt)                                                                       \
	va_list ap_;                                                                               \
	va_start(ap_, fmt);                                                                        \
	CLEANUP_STR char *text = xvasprintf(fmt, ap_);                                             \
	va_end(ap_)

void evidence_forget_secret(struct evidence *ev, const char *path)
{
	for (size_t i = 0; i < ev->n_secrets; i++) {
		if (!streq(ev->secrets[i].path, path))
			continue;
		free(ev->secrets[i].path);
		free(ev->secrets[i].text);
		ev->secrets[i] = ev->secrets[--ev->n_secrets];
		return;
	}
}

void evidence_pass(struct evidence *ev, const char *path, const char *fmt, ...)
{
	FORMATTED(text, fmt);
	note(&ev->passed, &ev->n_passed, path, text, true);
}

static bool holds_secret(int host, const char *path)
{
	/* A certificate may stand before its key. */
	const size_t head_max = 64 << 10;
	CLEANUP_STR char *head = NULL;

	return secret_name(path) ||
	       (host_head(host, path, head_max, &head, NULL) == 0 && secret_text(head));
}

/* What the kernel would run. A key that somebody has made executable (mode 700) is not. */
static bool is_program(int host, const char *path, const struct stat *st)
{
	CLEANUP_STR char *head = NULL;

	return st->st_mode & 0111 && host_head(host, path, SELFMAG, &head, NULL) == 0 &&
	       (str_after(head, ELFMAG) || str_after(head, "#!"));
}

bool evidence_key(int host, const char *path, const struct stat *st)
{
	return S_ISREG(st->st_mode) && !place_program_tree(path) && !is_program(host, path, st) &&
	       holds_secret(host, path);
}

bool evidence_secret(int host, const char *path, const struct stat *st)
{
	bool closed = S_ISREG(st->st_mode) && !(st->st_mode & S_IROTH);
	return closed ? !is_program(host, path, st) : evidence_key(host, path, st);
}

static bool can_be_taken(const char *path, const struct stat *st)
{
	bool kind = S_ISREG(st->st_mode) || S_ISDIR(st->st_mode) || S_ISCHR(st->st_mode);
	return kind && !path_within(path, "/proc") && !path_within(path, "/sys");
}

/* Links and final path of one look-up become nodes. */
static struct node *take(struct evidence *ev, const char *path, bool secrets, enum reason_kind kind,
			 const char *from, const char *text)
{
	struct strv links CLEANUP_STRV = STRV_INIT;
	CLEANUP_STR char *end = NULL;
	struct stat st;

	if (host_resolve(ev->host, path, &end, &st, &links) < 0 || !can_be_taken(end, &st))
		return NULL;
	struct node *known = evidence_find(ev, end);
	if (!known && !secrets && evidence_secret(ev->host, end, &st)) {
		/* A family's own (/etc/shadow) is nothing that anybody has asked for. */
		if (kind != REASON_FAMILY)
			note(&ev->secrets, &ev->n_secrets, end, text, kind != REASON_BELOW);
		return NULL;
	}
	for (size_t i = 0; i < links.n; i++) {
		CLEANUP_STR char *why = xasprintf("a link on the way to %s", end);
		struct stat link = {.st_mode = S_IFLNK | 0777};
		add_reason(node_get(ev, links.v[i], &link), REASON_WAY, end, why);
	}
	known = node_get(ev, end, &st);
	add_reason(known, kind, from, text);
	return known;
}

struct node *evidence_take(struct evidence *ev, const char *path, enum reason_kind kind,
			   const char *from, const char *fmt, ...)
{
	FORMATTED(text, fmt);
	return take(ev, path, false, kind, from, text);
}

struct node *evidence_take_used(struct evidence *ev, const char *path, enum reason_kind kind,
				const char *from, const char *fmt, ...)
{
	FORMATTED(text, fmt);
	return take(ev, path, true, kind, from, text);
}

size_t evidence_take_glob(struct evidence *ev, const char *pattern, enum reason_kind kind,
			  const char *from, const char *fmt, ...)
{
	struct strv paths CLEANUP_STRV = STRV_INIT;
	size_t n = 0;

	FORMATTED(text, fmt);
	host_glob(ev->host, pattern, GLOB_MAX, &paths);
	for (size_t i = 0; i < paths.n; i++)
		n += take(ev, paths.v[i], false, kind, from, text) != NULL;
	return n;
}

static bool is_skipped(const char *name, const char *const *skip)
{
	for (; skip && *skip; skip++)
		if (streq(name, *skip))
			return true;
	return false;
}

/* All paths below canonical @dir, through links to directories not; -EFBIG beyond @max. */
static int list_tree(int host, const char *dir, size_t max, const char *const *skip,
		     struct strv *ret)
{
	struct strv names CLEANUP_STRV = STRV_INIT;
	int r = host_names(host, dir, &names);

	for (size_t i = 0; r == 0 && i < names.n; i++) {
		struct stat st;
		if (is_skipped(names.v[i], skip))
			continue;
		if (ret->n >= max)
			return -EFBIG;
		CLEANUP_STR char *path = path_join(dir, names.v[i]);
		CLEANUP_STR char *end = NULL;
		if (host_resolve(host, path, &end, &st, NULL) < 0)
			continue;
		strv_add(ret, path);
		if (S_ISDIR(st.st_mode) && streq(end, path))
			r = list_tree(host, path, max, skip, ret);
	}
	return r;
}

int evidence_take_tree(struct evidence *ev, const char *dir, size_t max, const char *const *skip,
		       enum reason_kind kind, const char *from, const char *fmt, ...)
{
	struct strv paths CLEANUP_STRV = STRV_INIT;
	CLEANUP_STR char *end = NULL;

	FORMATTED(text, fmt);
	int r = host_resolve(ev->host, dir, &end, NULL, NULL);
	if (r == 0)
		r = list_tree(ev->host, end, max, skip, &paths);
	if (r < 0) {
		if (r == -EFBIG)
			evidence_pass(ev, end, "%s, but it holds more than %zu files", text, max);
		return r;
	}
	take(ev, dir, false, kind, from, text);
	CLEANUP_STR char *below = xasprintf("in %s, which is taken whole", end);
	for (size_t i = 0; i < paths.n; i++)
		take(ev, paths.v[i], false, REASON_BELOW, end, below);
	return (int)paths.n;
}
