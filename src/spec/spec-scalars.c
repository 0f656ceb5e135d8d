/* SPDX-License-Identifier: MIT */
/* The kinds of value of which the last one counts: texts, numbers, choices. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/path.h"
#include "relay/queue.h"
#include "spec/spec-keys.h"
#include "spec/values.h"
#include "spec/words.h"

static void replace(char **where, char *value)
{
	free(*where);
	*where = value;
}

static void clear_string(struct spec *s, const struct spec_key *k)
{
	replace(spec_field(s, k), NULL);
}

static void clear_nothing(struct spec *s UNUSED, const struct spec_key *k UNUSED)
{
}

static int set_type(struct spec *s, const struct spec_key *k, const char *value, struct err *e)
{
	/* Without a bus to watch, dbus is as ready as simple; idle only waits for a quiet console.
	 */
	static const enum service_type types[] = {TYPE_SIMPLE, TYPE_EXEC,    TYPE_FORKING,
						  TYPE_NOTIFY, TYPE_ONESHOT, TYPE_SIMPLE,
						  TYPE_SIMPLE};
	int word;
	int r = value_word(value, k->kind->words, k->kind->n_words, &word, e);

	if (r == 0)
		s->type = types[word];
	return r;
}

static int set_word(struct spec *s, const struct spec_key *k, const char *value, struct err *e)
{
	int word;
	int r = value_word(value, k->kind->words, k->kind->n_words, &word, e);

	/* Every enum of struct spec has the size of unsigned. */
	if (r == 0)
		*(unsigned *)spec_field(s, k) = (unsigned)word;
	return r;
}

static int set_account(struct spec *s, const struct spec_key *k, const char *value, struct err *e)
{
	int r = value_account(value, e);

	if (r == 0)
		replace(spec_field(s, k), xstrdup(value));
	return r;
}

static int set_unit(struct spec *s, const struct spec_key *k, const char *value, struct err *e)
{
	if (value[0] == '.' || strchr(value, '/') || strchr(value, ' '))
		return err_set(e, -EINVAL, "'%s' is no name of a unit", value);
	replace(spec_field(s, k), xstrdup(value));
	return 0;
}

static int set_dir(struct spec *s, const struct spec_key *k, const char *value, struct err *e)
{
	bool optional = value[0] == '-';
	char *path = NULL;
	int r = 0;

	if (streq(value + optional, "~"))
		path = xstrdup("~");
	else
		r = value_path(value + optional, &path, e);
	if (r < 0)
		return r;
	replace(spec_field(s, k), path);
	s->working_directory_optional = optional;
	return 0;
}

static int set_mode(struct spec *s, const struct spec_key *k, const char *value, struct err *e)
{
	return value_mode(value, spec_field(s, k), e);
}

static int set_pid_file(struct spec *s, const struct spec_key *k, const char *value, struct err *e)
{
	CLEANUP_STR char *rooted = path_join("/run", value);
	char *path;
	int r = value_path(value[0] == '/' ? value : rooted, &path, e);

	if (r == 0)
		replace(spec_field(s, k), path);
	return r;
}

static int set_signal(struct spec *s, const struct spec_key *k, const char *value, struct err *e)
{
	return value_signal(value, spec_field(s, k), e);
}

/* 0 was how systemd once wrote "for ever", and it still means that. */
static int parse_timeout(const char *value, double *ret, struct err *e)
{
	int r = value_time(value, 1, ret, e);

	if (r == 0 && isinf(*ret))
		*ret = 0;
	return r;
}

static int set_timeout(struct spec *s, const struct spec_key *k, const char *value, struct err *e)
{
	double *to = spec_field(s, k);
	int r = parse_timeout(value, to, e);

	if (r == 0 && to == &s->timeout_start)
		s->timeout_start_set = true;
	return r;
}

static int set_timeouts(struct spec *s, const struct spec_key *k UNUSED, const char *value,
			struct err *e)
{
	double t;
	int r = parse_timeout(value, &t, e);

	if (r < 0)
		return r;
	s->timeout_start = s->timeout_stop = t;
	s->timeout_start_set = true;
	return 0;
}

static int set_step_timeout(struct spec *s, const struct spec_key *k, const char *value,
			    struct err *e)
{
	double t;
	int r = parse_timeout(value, &t, e);

	if (r == 0 && (t <= 0 || t > 86400))
		r = err_set(e, -EINVAL, "'%.100s' is not a time from 1ms to 1day", value);
	if (r == 0)
		*(double *)spec_field(s, k) = t;
	return r;
}

static int set_bool(struct spec *s, const struct spec_key *k, const char *value, struct err *e)
{
	return value_bool(value, spec_field(s, k), e);
}

static int set_rlimit(struct spec *s, const struct spec_key *k, const char *value, struct err *e)
{
	int r = value_rlimit(value, k->arg, &s->limits[k->arg], e);

	if (r == 0)
		s->limit_set[k->arg] = true;
	return r;
}

static void clear_rlimit(struct spec *s, const struct spec_key *k)
{
	s->limit_set[k->arg] = false;
}

static int set_count(struct spec *s, const struct spec_key *k, const char *value, struct err *e)
{
	return value_int(value, 0, 1000000, spec_field(s, k), e);
}

static int set_notify_access(struct spec *s, const struct spec_key *k, const char *value,
			     struct err *e)
{
	int word;
	int r = value_word(value, k->kind->words, k->kind->n_words, &word, e);

	if (r == 0)
		s->notify_access = (enum notify_access)(word + NOTIFY_NONE);
	return r;
}

static int set_nice(struct spec *s, const struct spec_key *k UNUSED, const char *value,
		    struct err *e)
{
	int r = value_int(value, -20, 19, &s->nice, e);

	s->nice_set |= r == 0;
	return r;
}

static int set_oom(struct spec *s, const struct spec_key *k UNUSED, const char *value,
		   struct err *e)
{
	int r = value_int(value, -1000, 1000, &s->oom_score_adjust, e);

	s->oom_score_adjust_set |= r == 0;
	return r;
}

static int set_path(struct spec *s, const struct spec_key *k, const char *value, struct err *e)
{
	char *path;
	int r = value_path(value, &path, e);

	if (r == 0)
		replace(spec_field(s, k), path);
	return r;
}

static bool is_port(const char *text)
{
	char *end;
	long n = strtol(text, &end, 10);

	return text[0] >= '1' && text[0] <= '9' && !*end && n <= 65535;
}

/* Where syslog messages go. A file is named by an absolute path, a host by name or address. */
static int set_syslog(struct spec *s, const struct spec_key *k, const char *value, struct err *e)
{
	static const char *const words[] = {"host", "none", "daemon"};
	const char *file = str_after(value, "file:"), *tcp = str_after(value, "tcp:");
	const char *port = tcp ? strrchr(tcp, ':') : NULL;
	CLEANUP_STR char *path = NULL;
	bool good = port && port > tcp && is_port(port + 1) && !strpbrk(tcp, "/ \t");

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		good |= streq(value, words[i]);
	int r = file ? value_path(file, &path, e) : 0;
	if (r < 0)
		return r;
	if (!good && !file)
		return err_set(e, -EINVAL,
			       "'%.100s' is none of host, none, daemon, file:/PATH, tcp:HOST:PORT",
			       value);
	replace(spec_field(s, k), path ? xasprintf("file:%s", path) : xstrdup(value));
	return 0;
}

static int set_buffer(struct spec *s, const struct spec_key *k, const char *value, struct err *e)
{
	uint64_t *field = spec_field(s, k);
	rlim_t size;
	int r = value_size(value, &size, e);

	if (r == 0 && (size < QUEUE_ROOM_MIN || size > QUEUE_ROOM_MAX))
		return err_set(e, -EINVAL, "'%.100s' is not between 64K and 1G", value);
	if (r == 0)
		*field = (size + QUEUE_HEAD - 1) / QUEUE_HEAD * QUEUE_HEAD; /* whole pages */
	return r;
}

static int set_interval(struct spec *s, const struct spec_key *k, const char *value, struct err *e)
{
	return value_time(value, 1, spec_field(s, k), e);
}

static int set_command(struct spec *s, const struct spec_key *k, const char *value, struct err *e)
{
	char *command;
	int r = words_shell_decode(value, &command, e);

	if (r == 0)
		replace(spec_field(s, k), command);
	return r;
}

static int check_nothing(struct spec *s UNUSED, const struct spec_key *k UNUSED,
			 const char *value UNUSED, struct err *e UNUSED)
{
	return 0;
}

static int check_bool(struct spec *s UNUSED, const struct spec_key *k UNUSED, const char *value,
		      struct err *e)
{
	bool b;
	return value_bool(value, &b, e);
}

static int check_time(struct spec *s UNUSED, const struct spec_key *k UNUSED, const char *value,
		      struct err *e)
{
	double t;
	return value_time(value, 1, &t, e);
}

static int check_size(struct spec *s UNUSED, const struct spec_key *k UNUSED, const char *value,
		      struct err *e)
{
	return value_size_or_percent(value, e);
}

/* "150%" of one processor. */
static int check_quota(struct spec *s UNUSED, const struct spec_key *k UNUSED, const char *value,
		       struct err *e)
{
	char *end;
	double percent = strtod(value, &end);

	if (end != value && streq(end, "%") && percent > 0 && percent <= 1e6)
		return 0;
	return err_set(e, -EINVAL, "'%.100s' is no part of a processor such as 150%%", value);
}

static int check_weight(struct spec *s UNUSED, const struct spec_key *k UNUSED, const char *value,
			struct err *e)
{
	int n;
	return streq(value, "idle") ? 0 : value_int(value, 1, 10000, &n, e);
}

static int check_signal(struct spec *s UNUSED, const struct spec_key *k UNUSED, const char *value,
			struct err *e)
{
	int n;
	return value_signal(value, &n, e);
}

#define SCALAR(setter, clearer) .set = (setter), .clear = (clearer)
#define CHOICE(setter, ...)                                                                        \
	.set = (setter), .words = (const char *const[]){__VA_ARGS__},                              \
	.n_words = ARRAY_LEN(((const char *const[]){__VA_ARGS__}))

const struct spec_kind kind_type = {
    CHOICE(set_type, "simple", "exec", "forking", "notify", "oneshot", "idle", "dbus")};
const struct spec_kind kind_account = {SCALAR(set_account, clear_string), .specifiers = IN_TEXT};
const struct spec_kind kind_dir = {SCALAR(set_dir, clear_string), .specifiers = IN_TEXT};
const struct spec_kind kind_mode = {SCALAR(set_mode, NULL)};
const struct spec_kind kind_pid_file = {SCALAR(set_pid_file, clear_string), .specifiers = IN_TEXT};
const struct spec_kind kind_signal = {SCALAR(set_signal, NULL)};
const struct spec_kind kind_restart = {CHOICE(set_word, "no", "on-success", "on-failure",
					      "on-abnormal", "on-abort", "on-watchdog", "always")};
const struct spec_kind kind_notify_access = {
    CHOICE(set_notify_access, "none", "main", "exec", "all")};
const struct spec_kind kind_count = {SCALAR(set_count, NULL)};
const struct spec_kind kind_timeout = {SCALAR(set_timeout, NULL)};
const struct spec_kind kind_timeouts = {SCALAR(set_timeouts, NULL)};
const struct spec_kind kind_bool = {SCALAR(set_bool, NULL)};
const struct spec_kind kind_rlimit = {SCALAR(set_rlimit, clear_rlimit)};
const struct spec_kind kind_nice = {SCALAR(set_nice, NULL)};
const struct spec_kind kind_oom = {SCALAR(set_oom, NULL)};
const struct spec_kind kind_jail_path = {SCALAR(set_path, clear_string)};
const struct spec_kind kind_unit = {SCALAR(set_unit, clear_string)};
const struct spec_kind kind_closure = {CHOICE(set_word, "exact", "foreseen", "package")};
const struct spec_kind kind_net = {CHOICE(set_word, "private", "host")};
const struct spec_kind kind_accounts_mode = {CHOICE(set_word, "needed", "live")};
const struct spec_kind kind_update = {CHOICE(set_word, "restart", "build", "notify")};
const struct spec_kind kind_ready = {SCALAR(set_command, clear_string), .shell = true};
const struct spec_kind kind_compare = {CHOICE(set_word, "exact", "shape")};
const struct spec_kind kind_syslog = {SCALAR(set_syslog, clear_string)};
const struct spec_kind kind_log_socket = {CHOICE(set_word, "datagram", "stream")};
const struct spec_kind kind_log_buffer = {SCALAR(set_buffer, NULL)};
const struct spec_kind kind_log_interval = {SCALAR(set_interval, NULL)};
const struct spec_kind kind_step_timeout = {SCALAR(set_step_timeout, NULL)};
const struct spec_kind kept_text = {SCALAR(check_nothing, clear_nothing)};
const struct spec_kind kept_bool = {SCALAR(check_bool, NULL)};
const struct spec_kind kept_time = {SCALAR(check_time, clear_nothing)};
const struct spec_kind kept_size = {SCALAR(check_size, clear_nothing)};
const struct spec_kind kept_quota = {SCALAR(check_quota, clear_nothing)};
const struct spec_kind kept_weight = {SCALAR(check_weight, clear_nothing)};
const struct spec_kind kept_signal = {SCALAR(check_signal, NULL)};
const struct spec_kind kept_named_text = {SCALAR(check_nothing, clear_nothing),
					  .specifiers = IN_TEXT};
