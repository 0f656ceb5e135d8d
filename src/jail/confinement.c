/* SPDX-License-Identifier: MIT */
/* What policy.c makes of the words of a policy, kept on disk as a packed plan that has walls and
 * nothing else, behind the hash of what it was made of. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/fnv.h"
#include "confine/launcher.h"
#include "confine/packed.h"
#include "fs/atomic.h"
#include "jail/generation.h"

#define FILE_NAME "policy.bin"
#define MAGIC	  "walls 4\n" /* of the head, and of the base set; that of the plan is packed.c's */
#define MAGIC_LEN (sizeof(MAGIC) - 1)
#define HASH	  sizeof(uint64_t)
#define HEAD	  (MAGIC_LEN + HASH)
#define MAX	  (1 << 20)

void confinement_done(struct confinement *c)
{
	if (c->packed) {
		packed_done(c->packed);
		free(c->packed);
	} else {
		seccomp_free(&c->filter);
		seccomp_free(&c->last);
		free(c->bind);
		strv_done(&c->execute);
	}
	fd_close(&c->launcher);
	*c = (struct confinement)CONFINEMENT_INIT;
}

int confinement_apply(struct confinement *c, struct plan *p, struct err *e)
{
	if (c->launcher < 0)
		c->launcher = launcher_open(e);
	p->walls = &c->walls;
	p->filter = &c->filter;
	plan_note_outside(p);
	p->launcher = c->launcher;
	return c->launcher < 0 ? c->launcher : 0;
}

/* Of policy.json as it is, and of the spec. Quick, as each start asks: it finds what belongs to
 * another policy or was changed by mistake; who may write in the generation is root. */
static int hash_source(int dir, const char *spec_text, uint64_t *ret)
{
	CLEANUP_STR char *text = NULL;
	size_t len = 0;
	int r = atomic_read(dir, "policy.json", MAX, &text, &len);

	if (r == 0)
		*ret = fnv(text, len) ^ fnv(spec_text, strlen(spec_text)) << 1;
	return r;
}

int confinement_save(const struct confinement *c, int dir, const char *spec_text, struct err *e)
{
	struct plan p;
	size_t len = 0;

	plan_init(&p);
	p.walls = &c->walls;
	p.filter = &c->filter;
	CLEANUP_STR char *image = packed_write(&p, &len);
	CLEANUP_STR char *bytes = xcalloc(1, HEAD + len);
	uint64_t source = 0;
	int r = hash_source(dir, spec_text, &source);
	if (r == 0) {
		memcpy(bytes, MAGIC, MAGIC_LEN);
		memcpy(bytes + MAGIC_LEN, &source, HASH);
		memcpy(bytes + HEAD, image, len);
		r = atomic_write(dir, FILE_NAME, bytes, HEAD + len, 0644);
	}
	return r < 0 ? err_errno(e, r, "writing " FILE_NAME) : 0;
}

static int of_another_version(struct err *e)
{
	return err_set(e, -ESTALE, FILE_NAME " was compiled by another version of immure");
}

/* Neither a wrong word nor a wrong spec of the user's. */
static int damaged(struct err *e)
{
	if (e)
		e->code = -EIO;
	return err_prefix(e, FILE_NAME);
}

static int take(struct confinement *c, char *bytes, size_t len, int dir, const char *spec_text,
		struct err *e)
{
	uint64_t source = 0;
	int r = hash_source(dir, spec_text, &source);

	if (r < 0)
		return err_errno(e, r, "reading policy.json");
	if (len < HEAD || memcmp(bytes + MAGIC_LEN, &source, HASH) != 0)
		return err_set(e, -EIO,
			       FILE_NAME " was not made of this policy.json and this spec");
	c->packed = xcalloc(1, sizeof(*c->packed));
	r = packed_read(bytes + HEAD, len - HEAD, c->packed, e);
	if (r == -ESTALE)
		return of_another_version(e);
	if (r == 0 && (!c->packed->plan.walls || !c->packed->plan.filter))
		r = err_set(e, -EBADMSG, "it has no walls");
	return r < 0 ? damaged(e) : 0;
}

int confinement_load(int dir, const char *spec_text, struct confinement *ret, struct err *e)
{
	struct confinement c CLEANUP_CONFINEMENT = CONFINEMENT_INIT;
	CLEANUP_STR char *bytes = NULL;
	size_t len = 0;
	int r = atomic_read(dir, FILE_NAME, MAX, &bytes, &len);

	if (r == -ENOENT)
		return r;
	if (r < 0)
		return err_errno(e, r, "reading " FILE_NAME);
	if (len < MAGIC_LEN || memcmp(bytes, MAGIC, MAGIC_LEN) != 0)
		return of_another_version(e);
	r = take(&c, bytes, len, dir, spec_text, e);
	if (r < 0)
		return r;
	c.walls = c.packed->walls;
	c.filter = c.packed->filter;
	*ret = c;
	c = (struct confinement)CONFINEMENT_INIT;
	return 0;
}

int confinement_take(const struct generation *g, const struct spec *s, struct confinement *ret,
		     struct err *e)
{
	CLEANUP_FD int dir = open(g->dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct err failed = {0};
	int r = confinement_load(dir, g->spec_text, ret, &failed);

	if (r == -ENOENT || r == -ESTALE) /* there is none of this version */
		return confinement_make(&g->policy, s, ret, e);
	if (r < 0 && e) {
		*e = failed;
		err_prefix(e, "%s (damaged? immure build %s makes it anew)", g->dir, s->name);
	}
	return r;
}
