/* SPDX-License-Identifier: MIT */
#include "spec/specifier.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fd.h"
#include "base/str.h"
#include "spec/env-file.h"

struct unit_name {
	const char *unit, *at,
	    *end; /* at: the "@", or end where there is none; end: at ".service" */
	const char *fragment;
};

static struct unit_name split(const struct specifier_context *c)
{
	struct unit_name u = {.unit = c->unit, .fragment = c->fragment};
	const char *dot = strrchr(c->unit, '.');

	u.end = dot ? dot : c->unit + strlen(c->unit);
	u.at = memchr(c->unit, '@', (size_t)(u.end - c->unit));
	if (!u.at)
		u.at = u.end;
	return u;
}

char *specifier_unescape(const char *escaped, size_t len)
{
	char *out = xcalloc(len + 1, 1);
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		const char *s = escaped + i;
		bool hex = s[0] == '\\' && len - i >= 4 && s[1] == 'x' &&
			   isxdigit((unsigned char)s[2]) && isxdigit((unsigned char)s[3]);
		char digits[3] = {hex ? s[2] : '0', hex ? s[3] : '0', '\0'};
		char c = (char)strtoul(digits, NULL, 16);
		if (hex && c) {
			out[n++] = c;
			i += 3;
		} else {
			out[n++] = *s == '-' ? '/' : *s;
		}
	}
	return out;
}

static char *prefix(const struct unit_name *u)
{
	return xstrndup(u->unit, (size_t)(u->at - u->unit));
}

static char *prefix_plain(const struct unit_name *u)
{
	return specifier_unescape(u->unit, (size_t)(u->at - u->unit));
}

static char *instance(const struct unit_name *u)
{
	return u->at < u->end ? xstrndup(u->at + 1, (size_t)(u->end - u->at - 1)) : xstrdup("");
}

static char *instance_plain(const struct unit_name *u)
{
	CLEANUP_STR char *i = instance(u);
	return specifier_unescape(i, strlen(i));
}

/* The part of the prefix behind its last dash. */
static char *last_part(const struct unit_name *u)
{
	CLEANUP_STR char *p = prefix(u);
	const char *dash = strrchr(p, '-');
	return xstrdup(dash ? dash + 1 : p);
}

static char *last_part_plain(const struct unit_name *u)
{
	CLEANUP_STR char *p = last_part(u);
	return specifier_unescape(p, strlen(p));
}

static char *file_name(const struct unit_name *u)
{
	CLEANUP_STR char *name = u->at < u->end ? instance_plain(u) : prefix_plain(u);
	return xasprintf("%s%s", name[0] == '/' ? "" : "/", name);
}

static char *full_name(const struct unit_name *u)
{
	return xstrdup(u->unit);
}

static char *short_name(const struct unit_name *u)
{
	return xstrndup(u->unit, (size_t)(u->end - u->unit));
}

static char *fragment(const struct unit_name *u)
{
	return u->fragment ? xstrdup(u->fragment) : NULL;
}

static char *fragment_dir(const struct unit_name *u)
{
	const char *slash = u->fragment ? strrchr(u->fragment, '/') : NULL;
	return slash ? xstrndup(u->fragment, (size_t)(slash - u->fragment)) : NULL;
}

static char *credentials_dir(const struct unit_name *u)
{
	return xasprintf("/run/credentials/%s", u->unit);
}

/* The first line of a small file of the host, without the dashes an id may have. */
static char *id_file(const char *path)
{
	char *text = NULL;
	CLEANUP_FD int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fd_read_all(fd, 4096, &text, NULL) < 0)
		return xstrdup("");
	size_t n = 0;
	for (const char *s = text; *s && *s != '\n'; s++)
		if (*s != '-')
			text[n++] = *s;
	text[n] = '\0';
	return text;
}

static char *boot_id(void)
{
	return id_file("/proc/sys/kernel/random/boot_id");
}

static char *machine_id(void)
{
	return id_file("/etc/machine-id");
}

static char *os_field(const char *file, const char *name)
{
	CLEANUP_STRV struct strv env = STRV_INIT;

	env_file_read(file, &env, NULL);
	const char *value = env_get(&env, name);
	return xstrdup(value ? value : "");
}

static char *uname_field(size_t offset)
{
	struct utsname u;

	if (uname(&u) < 0)
		return xstrdup("");
	return xstrdup((const char *)&u + offset);
}

static char *host_name(void)
{
	return uname_field(offsetof(struct utsname, nodename));
}

static char *short_host_name(void)
{
	char *name = host_name();
	name[strcspn(name, ".")] = '\0';
	return name;
}

static char *pretty_host_name(void)
{
	char *name = os_field("/etc/machine-info", "PRETTY_HOSTNAME");
	if (*name)
		return name;
	free(name);
	return short_host_name();
}

static char *kernel_release(void)
{
	return uname_field(offsetof(struct utsname, release));
}

static char *architecture(void)
{
	char *machine = uname_field(offsetof(struct utsname, machine));
	static const char *const names[][2] = {
	    {"x86_64", "x86-64"}, {"aarch64", "arm64"}, {"i686", "x86"}, {"ppc64le", "ppc64-le"}};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (streq(machine, names[i][0])) {
			free(machine);
			return xstrdup(names[i][1]);
		}
	return machine;
}

static char *root_shell(void)
{
	return xstrdup(access("/bin/bash", X_OK) == 0 ? "/bin/bash" : "/bin/sh");
}

/* One of: a text, a function of the host, a function of the unit's name, a field of os-release. */
static const struct specifier {
	char letter;
	const char *text;
	char *(*host)(void);
	char *(*name)(const struct unit_name *u);
	const char *os_field;
} specifiers[] = {
    {'A', .os_field = "IMAGE_VERSION"},
    {'B', .os_field = "BUILD_ID"},
    {'C', .text = "/var/cache"},
    {'E', .text = "/etc"},
    {'G', .text = "0"},
    {'H', .host = host_name},
    {'I', .name = instance_plain},
    {'J', .name = last_part_plain},
    {'L', .text = "/var/log"},
    {'M', .os_field = "IMAGE_ID"},
    {'N', .name = short_name},
    {'P', .name = prefix_plain},
    {'S', .text = "/var/lib"},
    {'T', .text = "/tmp"},
    {'U', .text = "0"},
    {'V', .text = "/var/tmp"},
    {'W', .os_field = "VARIANT_ID"},
    {'Y', .name = fragment_dir},
    {'a', .host = architecture},
    {'b', .host = boot_id},
    {'d', .name = credentials_dir},
    {'f', .name = file_name},
    {'g', .text = "root"},
    {'h', .text = "/root"},
    {'i', .name = instance},
    {'j', .name = last_part},
    {'l', .host = short_host_name},
    {'m', .host = machine_id},
    {'n', .name = full_name},
    {'o', .os_field = "ID"},
    {'p', .name = prefix},
    {'q', .host = pretty_host_name},
    {'s', .host = root_shell},
    {'t', .text = "/run"},
    {'u', .text = "root"},
    {'v', .host = kernel_release},
    {'w', .os_field = "VERSION_ID"},
    {'y', .name = fragment},
};

static const struct specifier *find(char letter)
{
	for (size_t i = 0; i < ARRAY_LEN(specifiers); i++)
		if (specifiers[i].letter == letter)
			return &specifiers[i];
	return NULL;
}

static char *value_of(const struct specifier *s, const struct unit_name *u)
{
	if (s->name)
		return s->name(u);
	if (s->host)
		return s->host();
	return s->os_field ? os_field("/etc/os-release", s->os_field) : xstrdup(s->text);
}

/* Writes @value; what the name gave must not be taken for specifiers later (@percent). */
static void put(FILE *f, const char *value, enum specifier_quoting quoting, bool percent)
{
	for (; *value; value++) {
		unsigned char c = (unsigned char)*value;
		if (quoting == SPECIFIER_WORDS && (c <= ' ' || c == 0x7f || strchr("\"'\\", c)))
			fprintf(f, "\\x%02x", c);
		else if (c == '%' && percent)
			fputs("%%", f);
		else
			fputc(c, f);
	}
}

struct expansion {
	struct unit_name name;
	enum specifier_mode mode;
	enum specifier_quoting quoting;
};

/* Replaces the specifier @letter, or says that it is to stay (returns 0). */
static int expand_one(FILE *f, char letter, const struct expansion *x)
{
	const struct specifier *s = find(letter);
	if (!s || (x->mode == SPECIFIER_NAME && !s->name))
		return 0;
	CLEANUP_STR char *value = value_of(s, &x->name);
	if (!value)
		return 0;
	put(f, value, x->quoting, x->mode == SPECIFIER_NAME);
	return 1;
}

static int expand(FILE *f, const char *text, const struct expansion *x, struct err *e)
{
	for (; *text; text++) {
		char letter = text[0] == '%' ? text[1] : '\0';
		if (*text != '%') {
			fputc(*text, f);
			continue;
		}
		if (expand_one(f, letter, x)) {
			text++;
		} else if (letter == '%' || (x->mode == SPECIFIER_NAME && find(letter))) {
			fputs(x->mode == SPECIFIER_NAME ? "%" : "", f);
			fputc(letter, f);
			text++;
		} else if (x->mode == SPECIFIER_NAME) {
			fputs("%%", f);
		} else {
			return err_set(e, -EINVAL,
				       "unknown specifier %%%.1s; a percent sign is written %%%%",
				       isprint((unsigned char)letter) ? text + 1 : "");
		}
	}
	return 0;
}

int specifier_expand(const char *text, const struct specifier_context *context,
		     enum specifier_mode mode, enum specifier_quoting quoting, char **ret,
		     struct err *e)
{
	struct expansion x = {split(context), mode, quoting};
	CLEANUP_STR char *out = NULL;
	size_t size;
	FILE *f = open_memstream(&out, &size);

	if (!f)
		return err_errno(e, -errno, "specifiers");
	int r = expand(f, text, &x, e);
	if (fclose(f) != 0 && r == 0)
		r = err_errno(e, -errno, "specifiers");
	if (r == 0)
		*ret = steal_ptr(out);
	return r;
}
