/* SPDX-License-Identifier: MIT */
#include "keep/dirs.h"

#include <errno.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/path.h"

static int read_dir(const char *variable, const char *standard, char **ret, struct err *e)
{
	const char *value = getenv(variable);

	if (!value || !*value)
		value = standard;
	if (value[0] != '/')
		return err_set(e, -EINVAL, "%s must be an absolute path, not '%s'", variable,
			       value);
	*ret = path_normal(value);
	return 0;
}

int dirs_init(struct dirs *ret, struct err *e)
{
	struct dirs d = {0};
	int r = read_dir("IMMURE_CONFIG_DIR", "/etc/immure", &d.config, e);

	if (r == 0)
		r = read_dir("IMMURE_STATE_DIR", "/var/lib/immure", &d.state, e);
	if (r == 0)
		r = read_dir("IMMURE_RUN_DIR", "/run/immure", &d.run, e);
	if (r < 0) {
		dirs_done(&d);
		return r;
	}
	*ret = d;
	return 0;
}

void dirs_done(struct dirs *d)
{
	free(d->config);
	free(d->state);
	free(d->run);
	*d = (struct dirs){0};
}

char *jail_path(const struct dirs *d, const char *name, const char *rest)
{
	return xasprintf("%s/jails/%s%s%s", d->state, name, rest ? "/" : "", rest ? rest : "");
}
