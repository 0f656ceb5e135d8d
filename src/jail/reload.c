/* SPDX-License-Identifier: MIT */
#include "jail/reload.h"

#include <errno.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "fs/lock.h"
#include "jail/extend.h"
#include "jail/freeze.h"
#include "jail/live.h"
#include "jail/rebind.h"
#include "jail/refresh.h"
#include "jail/running.h"
#include "jail/tell.h"

void reload_answer_done(struct reload_answer *a)
{
	strv_done(&a->renewed);
	strv_done(&a->gone);
	strv_done(&a->added);
}

/* Files and mounts, before the service is told anything. */
static int bring(const struct live *l, struct reload_answer *a, struct err *e)
{
	struct generation g CLEANUP_GENERATION = GENERATION_INIT;
	struct manifest m CLEANUP_MANIFEST = MANIFEST_INIT;
	/* As on disk: a reload before this one may have added to it. */
	int r = generation_load_number(l->dirs, l->name, l->generation.number, &g, e);

	if (r == 0)
		r = refresh_config(&g, &a->renewed, &a->gone, e);
	if (r == 0)
		r = extend_jail(&g, l->spec, &l->run, &a->added, e);
	if (r == 0)
		r = manifest_load(g.dir, &m, e);
	if (r == 0)
		rebind_links(&g.layout, &l->run);
	return r == 0 ? rebind_masks(&g.layout, &m, g.dir, &l->run, e) : r;
}

static int carry_out(struct live *l, enum reload_wish wish, struct reload_answer *a, struct err *e)
{
	int r = bring(l, a, e);

	if (r == 0) {
		r = tell_lines(l, &l->spec->config_test, "ConfigTest", e);
		if (r < 0)
			err_prefix(e, "the service was left as it is");
	}
	return r == 0 && wish == RELOAD_TELL ? tell_reload(l, e) : r;
}

/* One reload at a time. */
static int lock(const struct dirs *d, const char *name, struct err *e)
{
	CLEANUP_STR char *file = xasprintf("%s.reload", name);
	CLEANUP_FD int dir = running_dir(d, e);

	return dir < 0 ? dir : lock_wait(dir, file, e);
}

int reload_jail(const struct dirs *d, const char *name, enum reload_wish wish,
		struct reload_answer *ret, struct err *e)
{
	struct live l CLEANUP_LIVE;
	CLEANUP_FD int one = lock(d, name, e);

	live_init(&l, d, name);
	int r = one < 0 ? one : live_attach(&l, e);
	if (r == 0 && freeze_is(d, name))
		r = err_set(e, -EREMOTEIO, "%s is frozen and hears nothing: immure thaw %s", name,
			    name);
	if (r == 0)
		r = carry_out(&l, wish, ret, e);
	if (one >= 0)
		running_remove(d, name, "reload");
	return r;
}
