/* SPDX-License-Identifier: MIT */
#include "jail/remedy.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/path.h"
#include "foresee/evidence.h"
#include "host/places.h"

/* What is asked for: a path, and what the host has there. */
struct subject {
	int host;
	const char *path, *end;
	const struct stat *st;
};

void remedy_done(struct remedy *r)
{
	free(r->line);
	free(r->note);
	*r = (struct remedy)REMEDY_INIT;
}

static bool is_directory(const struct subject *s)
{
	return S_ISDIR(s->st->st_mode);
}

static bool is_kernels(const struct subject *s)
{
	return path_within(s->end, "/proc") || path_within(s->end, "/sys");
}

static bool is_device(const struct subject *s)
{
	return path_within(s->end, "/dev") || S_ISCHR(s->st->st_mode) || S_ISBLK(s->st->st_mode);
}

static bool is_shared(const struct subject *s)
{
	return is_directory(s) && place_never_whole(s->end);
}

static bool is_socket(const struct subject *s)
{
	return S_ISSOCK(s->st->st_mode) || S_ISFIFO(s->st->st_mode);
}

static bool is_passing(const struct subject *s)
{
	return place_private_area(s->end);
}

static bool is_secret(const struct subject *s)
{
	return evidence_secret(s->host, s->end, s->st);
}

static bool is_own_config(const struct subject *s)
{
	return is_directory(s) && path_within(s->end, "/etc") && !place_shared_config(s->end);
}

static bool is_program(const struct subject *s)
{
	return place_program_tree(s->end) || path_within(s->end, "/etc");
}

/* The directory of content that it is, or is in: new, or NULL. */
static char *content_of(const struct subject *s)
{
	return place_content_at(s->end, is_directory(s));
}

static bool is_content(const struct subject *s)
{
	CLEANUP_STR char *dir = content_of(s);
	return dir && !place_never_whole(dir);
}

/* A directory of /var/lib and its like that belongs to some service. */
static bool is_state(const struct subject *s)
{
	return is_directory(s) && place_home_base(s->end) && s->st->st_uid != 0;
}

static bool is_any(const struct subject *s)
{
	(void)s;
	return true;
}

static char *as_named(const struct subject *s)
{
	return xstrdup(s->path);
}

static char *where_it_is(const struct subject *s)
{
	return xstrdup(s->end);
}

/* A bound socket file is dead once its server starts again; its directory lives on. */
static char *home_of_socket(const struct subject *s)
{
	CLEANUP_STR char *dir = path_parent(s->end);
	return place_never_whole(dir) ? xstrdup(s->end) : steal_ptr(dir);
}

/* The first that fits counts. Without a key there is no line. */
static const struct {
	bool (*fits)(const struct subject *s);
	enum spec_section section;
	const char *key;
	char *(*value)(const struct subject *s);
	const char *note;
} rules[] = {
    {is_kernels, SPEC_JAIL, NULL, NULL,
     "the kernel shows these: a jail has a /proc of its own, and files of /sys that a run opens"},
    {is_device, SPEC_JAIL, NULL, NULL,
     "a jail has the few nodes of its own /dev, and no other device in this version"},
    {is_shared, SPEC_JAIL, NULL, NULL,
     "it belongs to everybody and is never taken whole: name what is needed in it"},
    {is_socket, SPEC_SERVICE, "BindPaths", home_of_socket,
     "a socket is a door to another service: the jailed one may then go through it"},
    {is_passing, SPEC_SERVICE, "BindPaths", where_it_is,
     "the jail has private memory there, and the host's path stands in it then"},
    {is_secret, SPEC_JAIL, "Include", as_named,
     "it is a secret: copied only when a run opens it or the spec names it"},
    {is_own_config, SPEC_JAIL, "Config", where_it_is, "the host's directory, read-only"},
    {is_program, SPEC_JAIL, "Include", as_named, "a copy, read-only"},
    {is_content, SPEC_JAIL, "Content", content_of, "the host's directory, read-only"},
    {is_state, SPEC_JAIL, "State", where_it_is, "the host's directory, for the service to write"},
    {is_directory, SPEC_JAIL, "Content", where_it_is, "the host's directory, read-only"},
    {is_any, SPEC_JAIL, "Include", as_named, "a copy, read-only"},
};

/* KEY=VALUE with the quotes that the spec needs, new; NULL where no spec can hold the value. */
static char *spec_line(enum spec_section section, const char *key, const char *value)
{
	struct spec *s CLEANUP_SPEC = spec_new("x");

	if (spec_set_word(s, section, key, value, "remedy", NULL) < 0)
		return NULL;
	return xasprintf("%s=%s", key, s->settings[s->n_settings - 1].value);
}

void remedy_for_path(int host, const char *path, const char *end, const struct stat *st,
		     struct remedy *ret)
{
	const struct subject s = {host, path, end, st};
	size_t i = 0;

	while (!rules[i].fits(&s))
		i++;
	*ret = (struct remedy){.section = rules[i].section, .note = xstrdup(rules[i].note)};
	if (!rules[i].key)
		return;
	CLEANUP_STR char *value = rules[i].value(&s);
	ret->line = spec_line(ret->section, rules[i].key, value);
}

void remedy_for_account(struct remedy *ret)
{
	*ret = (struct remedy){
	    .line = spec_line(SPEC_JAIL, "Accounts", "live"),
	    .section = SPEC_JAIL,
	    .note = xstrdup("all accounts of the host, and their changes"),
	};
}
