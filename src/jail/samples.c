/* SPDX-License-Identifier: MIT */
#include "jail/samples.h"

#include "base/alloc.h"
#include "base/path.h"
#include "jail/doors.h"
#include "jail/labels.h"
#include "jail/snapshot.h"

/* "DIR=WHAT" taken apart; @dir is the caller's. */
struct sample {
	char *dir;
	const char *what;
};

static struct sample sample_at(const struct spec *s, size_t i)
{
	const char *text = s->sample.v[i];
	size_t n = strcspn(text, "=");

	return (struct sample){xstrndup(text, n), text + n + (text[n] == '=')};
}

static void sample_done(struct sample *one)
{
	free(one->dir);
}

int sample_for(const struct spec *s, const char *path, char **ret_dir)
{
	CLEANUP_STR char *best = NULL;
	int found = -1;

	for (size_t i = 0; i < s->sample.n; i++) {
		struct sample one CLEANUP(sample_done) = sample_at(s, i);
		if (!path_within(path, one.dir) || (best && strlen(one.dir) <= strlen(best)))
			continue;
		free(best);
		best = steal_ptr(one.dir);
		found = (int)i;
	}
	if (ret_dir && found >= 0)
		*ret_dir = steal_ptr(best);
	return found;
}

static int put_path(const struct sample *one, const struct world *w, const char *scratch,
		    struct err *e)
{
	(void)scratch;
	return world_substitute(w, one->dir, one->what, e);
}

static int put_empty(const struct sample *one, const struct world *w, const char *scratch,
		     struct err *e)
{
	(void)scratch;
	return world_substitute(w, one->dir, NULL, e);
}

static int put_snapshot(const struct sample *one, const struct world *w, const char *scratch,
			struct err *e)
{
	CLEANUP_STR char *build = path_parent(scratch);
	struct snapshot snap CLEANUP_SNAPSHOT = SNAPSHOT_INIT;
	int r = snapshot_take(one->dir, build, &snap, e);

	return r < 0 ? r : world_cover(w, one->dir, snap.top, snap.path, scratch, e);
}

static int put(const struct sample *one, const struct world *w, const char *scratch, struct err *e)
{
	static int (*const how[])(const struct sample *one, const struct world *w,
				  const char *scratch, struct err *e) = {
	    [SAMPLE_PATH] = put_path,
	    [SAMPLE_EMPTY] = put_empty,
	    [SAMPLE_SNAPSHOT] = put_snapshot,
	    [SAMPLE_LIVE] = NULL,
	};
	enum sample_kind kind = spec_sample_kind(one->what);

	return how[kind] ? how[kind](one, w, scratch, e) : 0;
}

/* The host's ends of BindPaths=SRC[:DST] and its read-only kin. */
static void bound_paths(const struct spec *s, struct strv *ret)
{
	const struct strv *const lists[] = {&s->bind_paths, &s->bind_read_only_paths};

	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		for (size_t j = 0; j < lists[i]->n; j++) {
			const char *text = lists[i]->v[j] + (lists[i]->v[j][0] == '-');
			CLEANUP_STR char *from = label_is(text)
						     ? label_source(text)
						     : xstrndup(text, strcspn(text, ":"));
			strv_take(ret, path_normal(from));
		}
}

bool sample_is_bound(const struct spec *s, const char *path)
{
	struct strv paths CLEANUP_STRV = STRV_INIT;
	bool found = false;

	bound_paths(s, &paths);
	for (size_t i = 0; i < paths.n; i++)
		found |= path_within(path, paths.v[i]);
	return found;
}

int samples_put(const struct spec *s, const struct world *w, const char *scratch, struct err *e)
{
	struct strv bound CLEANUP_STRV = STRV_INIT;
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->sample.n; i++) {
		struct sample one CLEANUP(sample_done) = sample_at(s, i);
		r = put(&one, w, scratch, e);
	}
	bound_paths(s, &bound);
	doors_bound(s, &bound);
	if (r == 0)
		r = world_let_in(w, &bound, e);
	return r == 0 ? labels_put(s, w, e) : r;
}

void samples_drop(const struct spec *s, const char *build)
{
	for (size_t i = 0; i < s->sample.n; i++) {
		struct sample one CLEANUP(sample_done) = sample_at(s, i);
		if (spec_sample_kind(one.what) == SAMPLE_SNAPSHOT)
			snapshot_remove(one.dir, build);
	}
}
