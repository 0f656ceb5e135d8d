/* SPDX-License-Identifier: MIT */
/* The kinds of value that append: command lines, words, paths. */
#include <errno.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/bind-rule.h"
#include "base/path.h"
#include "base/prefix.h"
#include "base/sockets.h"
#include "spec/env-file.h"
#include "spec/spec-keys.h"
#include "spec/values.h"
#include "spec/words.h"

static void replace(char **where, char *value)
{
	free(*where);
	*where = value;
}

static void clear_list(struct spec *s, const struct spec_key *k)
{
	strv_done(spec_field(s, k));
}

static void clear_exec(struct spec *s, const struct spec_key *k)
{
	exec_list_done(spec_field(s, k));
}

static int set_exec(struct spec *s, const struct spec_key *k, const char *value, struct err *e)
{
	return exec_list_parse(value, spec_field(s, k), e);
}

/* Nothing is added where one of the words is bad. */
static int add_words(struct strv *to, const struct spec_kind *kind, const char *value,
		     struct err *e)
{
	CLEANUP_STRV struct strv words = STRV_INIT;
	int r = words_split(value, kind->word_flags, &words, e);

	for (size_t i = 0; r == 0 && i < words.n; i++)
		r = kind->convert(&words.v[i], e);
	if (r == 0)
		strv_add_all(to, &words);
	return r;
}

static int set_words(struct spec *s, const struct spec_key *k, const char *value, struct err *e)
{
	return add_words(spec_field(s, k), k->kind, value, e);
}

static int check_words(struct spec *s UNUSED, const struct spec_key *k, const char *value,
		       struct err *e)
{
	CLEANUP_STRV struct strv words = STRV_INIT;
	return add_words(&words, k->kind, value, e);
}

static int set_environment(struct spec *s, const struct spec_key *k, const char *value,
			   struct err *e)
{
	CLEANUP_STRV struct strv words = STRV_INIT;
	int r = add_words(&words, k->kind, value, e);

	for (size_t i = 0; r == 0 && i < words.n; i++)
		env_put(spec_field(s, k), words.v[i]);
	return r;
}

/* systemd.exec(5), "Process Exit Codes": those of the C library, LSB and sysexits.h. */
static int exit_by_name(const char *name)
{
	static const struct {
		const char *name;
		int code;
	} rows[] = {
	    {"SUCCESS", 0},	 {"FAILURE", 1},      {"INVALIDARGUMENT", 2}, {"NOTIMPLEMENTED", 3},
	    {"NOPERMISSION", 4}, {"NOTINSTALLED", 5}, {"NOTCONFIGURED", 6},   {"NOTRUNNING", 7},
	    {"USAGE", 64},	 {"DATAERR", 65},     {"NOINPUT", 66},	      {"NOUSER", 67},
	    {"NOHOST", 68},	 {"UNAVAILABLE", 69}, {"SOFTWARE", 70},	      {"OSERR", 71},
	    {"OSFILE", 72},	 {"CANTCREAT", 73},   {"IOERR", 74},	      {"TEMPFAIL", 75},
	    {"PROTOCOL", 76},	 {"NOPERM", 77},      {"CONFIG", 78},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (streq(rows[i].name, name))
			return rows[i].code;
	return -1;
}

static int add_exit(struct exits *x, const char *word, struct err *e)
{
	int n = exit_by_name(word), sig = 0;

	if (n < 0 && value_int(word, 0, 255, &n, NULL) < 0) {
		int r = value_signal(word, &sig, NULL);
		if (r < 0)
			return err_set(e, r,
				       "'%s' is not an exit status such as 0, 143 or TEMPFAIL, "
				       "or a signal such as SIGKILL",
				       word);
	}
	if (sig)
		exits_add_signal(x, sig);
	else
		exits_add_code(x, (unsigned)n);
	return 0;
}

static int set_exits(struct spec *s, const struct spec_key *k, const char *value, struct err *e)
{
	CLEANUP_STRV struct strv words = STRV_INIT;
	struct exits *field = spec_field(s, k), more = *field;
	int r = words_split(value, k->kind->word_flags, &words, e);

	for (size_t i = 0; r == 0 && i < words.n; i++)
		r = add_exit(&more, words.v[i], e);
	if (r == 0)
		*field = more;
	return r;
}

static void clear_exits(struct spec *s, const struct spec_key *k)
{
	*(struct exits *)spec_field(s, k) = (struct exits){0};
}

static int convert_account(char **word, struct err *e)
{
	return value_account(*word, e);
}

static int convert_assignment(char **word, struct err *e)
{
	if (env_assignment_ok(*word))
		return 0;
	return err_set(e, -EINVAL, "'%.*s' is no NAME=value", (int)strcspn(*word, "="), *word);
}

static int convert_name(char **word, struct err *e)
{
	CLEANUP_STR char *assignment = xasprintf("%s=", *word);

	if (env_assignment_ok(assignment) || env_assignment_ok(*word))
		return 0;
	return err_set(e, -EINVAL, "'%.100s' is no name of a variable", *word);
}

static int set_env_file(struct spec *s, const struct spec_key *k, const char *value, struct err *e)
{
	bool optional = value[0] == '-';
	CLEANUP_STR char *path = NULL;
	int r = value_path(value + optional, &path, e);

	if (r == 0)
		strv_take(spec_field(s, k), xasprintf("%s%s", optional ? "-" : "", path));
	return r;
}

/* "redis" or "foo/bar"; the link that systemd makes for "foo:link" is not made. */
static int convert_dir_name(char **word, struct err *e)
{
	CLEANUP_STR char *name = xstrndup(*word, strcspn(*word, ":"));
	CLEANUP_STR char *rooted = xasprintf("/%s", name);
	char *path;

	if (!*name || *name == '/')
		return err_set(e, -EINVAL,
			       "'%.100s' is no relative path: it goes below /run, /var/lib ...",
			       *word);
	int r = value_path(rooted, &path, e);
	if (r < 0)
		return r;
	memmove(path, path + 1, strlen(path));
	replace(word, path);
	return *path ? 0 : err_set(e, -EINVAL, "an empty name");
}

#define LABEL_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-."

/* How long the label at the beginning of @text is; 0 where there is none. */
static size_t label_length(const char *text)
{
	size_t n = strspn(text, LABEL_CHARS);
	return text[0] != '.' && n <= 64 ? n : 0;
}

/* "@LABEL:DST": a directory that jails share by name. */
static int convert_label(char **word, struct err *e)
{
	size_t n = label_length(*word + 1);
	CLEANUP_STR char *target = NULL;

	if (!n || (*word)[1 + n] != ':')
		return err_set(e, -EINVAL,
			       "'%.100s' is not @LABEL:/path/in/the/jail (letters, digits and _-. "
			       "in the label)",
			       *word);
	int r = value_path(*word + n + 2, &target, e);
	if (r < 0)
		return r;
	replace(word, xasprintf("%.*s:%s", (int)n + 1, *word, target));
	return 0;
}

/* "LABEL=USER:GROUP:MODE" */
static int convert_shared(char **word, struct err *e)
{
	size_t n = label_length(*word);
	CLEANUP_STR char *text = xstrdup(n && (*word)[n] == '=' ? *word + n + 1 : "");
	char *rest = text;
	const char *user = strsep(&rest, ":"), *group = strsep(&rest, ":");
	unsigned mode;

	if (!group || !rest || !*user || !*group)
		return err_set(e, -EINVAL, "'%.100s' is not LABEL=USER:GROUP:MODE", *word);
	int r = value_account(user, e);
	if (r == 0)
		r = value_account(group, e);
	return r == 0 ? value_mode(rest, &mode, e) : r;
}

/* "[-]SRC[:DST[:rbind|norbind]]" becomes "[-]SRC[:DST]", both normal. */
static int convert_bind(char **word, struct err *e)
{
	if (**word == '@')
		return convert_label(word, e);
	bool optional = **word == '-';
	CLEANUP_STR char *text = xstrdup(*word + optional);
	CLEANUP_STR char *source = NULL, *target = NULL;
	char *rest = text;
	const char *src = strsep(&rest, ":"), *dst = strsep(&rest, ":"), *option = rest;

	if (option && !streq(option, "rbind"))
		return err_set(e, -EINVAL, "'%.100s': of the options only rbind is known", *word);
	int r = value_path(src, &source, e);
	if (r == 0 && dst && *dst)
		r = value_path(dst, &target, e);
	if (r < 0)
		return r;
	replace(word, xasprintf("%s%s%s%s", optional ? "-" : "", source, target ? ":" : "",
				target ? target : ""));
	return 0;
}

static int convert_path(char **word, struct err *e)
{
	char *path;
	int r = value_path(*word, &path, e);

	if (r == 0)
		replace(word, path);
	return r;
}

/* An absolute path or "package:NAME" (of Debian's, RPM's or Alpine's names). */
static int convert_included(char **word, struct err *e)
{
	const char *name = str_after(*word, "package:");

	if (!name)
		return convert_path(word, e);
	if (*name &&
	    !name[strspn(name,
			 "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-._:")])
		return 0;
	return err_set(e, -EINVAL, "'%.100s' names no package", *word);
}

/* Of systemd's path lists: "-" (may be absent) and "+" (below RootDirectory=) may stand in front.
 */
static int convert_prefixed_path(char **word, struct err *e)
{
	char *path;
	int r = value_path(*word + strspn(*word, "-+"), &path, e);

	if (r == 0)
		replace(word, path);
	return r;
}

enum sample_kind spec_sample_kind(const char *text)
{
	static const char *const words[] = {
	    [SAMPLE_EMPTY] = "empty", [SAMPLE_SNAPSHOT] = "snapshot", [SAMPLE_LIVE] = "live"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (words[i] && streq(words[i], text))
			return (enum sample_kind)i;
	return SAMPLE_PATH;
}

/* "DIR=PATH", or one of the words for what needs no path. */
static int convert_sample(char **word, struct err *e)
{
	size_t len = strcspn(*word, "=");
	CLEANUP_STR char *dir = xstrndup(*word, len);
	CLEANUP_STR char *state = NULL, *sample = NULL;
	const char *from = (*word)[len] ? *word + len + 1 : "";

	if (!*from)
		return err_set(e, -EINVAL,
			       "'%.100s' is not DIR=PATH, or DIR=empty, snapshot or live", *word);
	int r = value_path(dir, &state, e);
	if (r == 0 && spec_sample_kind(from) == SAMPLE_PATH)
		r = value_path(from, &sample, e);
	if (r < 0)
		return r;
	replace(word, xasprintf("%s=%s", state, sample ? sample : from));
	return 0;
}

enum socket_choice spec_socket_choice(const char *text)
{
	static const char *const words[] = {
	    [SOCKET_BIND] = "bind", [SOCKET_REFUSE] = "refuse", [SOCKET_IGNORE] = "ignore"};
	const char *last = strrchr(text, '=');
	int choice = 0;

	while (choice < SOCKET_UNDECIDED && !(last && streq(last + 1, words[choice])))
		choice++;
	return (enum socket_choice)choice;
}

/* "PATH=bind", "PATH=refuse" or "PATH=ignore". */
static int convert_socket(char **word, struct err *e)
{
	CLEANUP_STR char *path = NULL;

	if (spec_socket_choice(*word) == SOCKET_UNDECIDED)
		return err_set(e, -EINVAL, "'%.100s' is not PATH=bind, PATH=refuse or PATH=ignore",
			       *word);
	const char *last = strrchr(*word, '=');
	CLEANUP_STR char *named = xstrndup(*word, (size_t)(last - *word));
	int r = value_path(named, &path, e);
	if (r == 0)
		replace(word, xasprintf("%s%s", path, last));
	return r;
}

static int convert_wall(char **word, struct err *e)
{
	size_t n = strspn(*word, "abcdefghijklmnopqrstuvwxyz0123456789-");

	if (n && !(*word)[n])
		return 0;
	return err_set(e, -EINVAL, "'%.100s' is no wall such as landlock-net", *word);
}

/* Which rights there are is the policy's to know (jail/policy.h); here only what cannot be one. */
static int convert_right(char **word, struct err *e)
{
	for (const char *c = *word; *c; c++)
		if (*c <= ' ' || *c == 0x7f)
			return err_set(e, -EINVAL, "'%.100s' is no right such as CAP_CHOWN", *word);
	return 0;
}

static int convert_listen(char **word, struct err *e)
{
	struct sockaddr_storage address;
	int type;

	if (socket_address(*word, &address, &type))
		return 0;
	return err_set(e, -EINVAL,
		       "'%.100s' is no socket such as tcp:0.0.0.0:80, udp:[::]:53 or "
		       "unix:/run/x.sock",
		       *word);
}

static int convert_peer(char **word, struct err *e)
{
	return streq(*word, "none") ? 0 : prefix_add(NULL, *word, e);
}

static int convert_range(char **word, struct err *e)
{
	return prefix_add(NULL, *word, e);
}

static int convert_bind_rule(char **word, struct err *e)
{
	return bind_rule_add(NULL, *word, e);
}

static int add_command(struct spec *s, const struct spec_key *k, const char *value, struct err *e)
{
	char *command;
	int r = words_shell_decode(value, &command, e);

	if (r == 0)
		strv_take(spec_field(s, k), command);
	return r;
}

static int check_nothing(struct spec *s UNUSED, const struct spec_key *k UNUSED,
			 const char *value UNUSED, struct err *e UNUSED)
{
	return 0;
}

static void clear_nothing(struct spec *s UNUSED, const struct spec_key *k UNUSED)
{
}

#define LIST(setter, clearer) .list = true, .set = (setter), .clear = (clearer)
#define WORDS(converter)      LIST(set_words, clear_list), .convert = (converter)

const struct spec_kind kind_exec = {LIST(set_exec, clear_exec), .specifiers = IN_WORDS};
const struct spec_kind kind_exits = {LIST(set_exits, clear_exits)};
const struct spec_kind kind_config_test = {LIST(set_exec, clear_exec)};
const struct spec_kind kind_commands = {LIST(add_command, clear_list), .shell = true};
const struct spec_kind kind_env_file = {LIST(set_env_file, clear_list), .specifiers = IN_TEXT};
const struct spec_kind kind_environment = {LIST(set_environment, clear_list),
					   .convert = convert_assignment,
					   .word_flags = WORDS_UNESCAPE, .specifiers = IN_WORDS};
const struct spec_kind kind_exercise_environment = {
    LIST(set_environment, clear_list), .convert = convert_assignment, .word_flags = WORDS_UNESCAPE};
const struct spec_kind kind_unset = {WORDS(convert_name), .word_flags = WORDS_UNESCAPE,
				     .specifiers = IN_WORDS};
const struct spec_kind kind_accounts = {WORDS(convert_account), .specifiers = IN_WORDS};
const struct spec_kind kind_dirs = {WORDS(convert_dir_name), .specifiers = IN_WORDS};
const struct spec_kind kind_binds = {WORDS(convert_bind), .specifiers = IN_WORDS};
const struct spec_kind kind_rw_paths = {WORDS(convert_prefixed_path), .specifiers = IN_WORDS};
const struct spec_kind kind_jail_paths = {WORDS(convert_path)};
const struct spec_kind kind_included = {WORDS(convert_included)};
const struct spec_kind kind_samples = {WORDS(convert_sample)};
const struct spec_kind kind_sockets = {WORDS(convert_socket)};
const struct spec_kind kind_shared = {WORDS(convert_shared)};
const struct spec_kind kind_rights = {WORDS(convert_right)};
const struct spec_kind kind_require = {WORDS(convert_wall)};
const struct spec_kind kind_listen = {WORDS(convert_listen)};
const struct spec_kind kind_peers = {WORDS(convert_peer)};
const struct spec_kind kind_bind_rules = {WORDS(convert_bind_rule)};
const struct spec_kind kind_ranges = {WORDS(convert_range)};

const struct spec_kind kept_list = {LIST(check_nothing, clear_nothing)};
const struct spec_kind kept_named_list = {LIST(check_nothing, clear_nothing),
					  .specifiers = IN_TEXT};
const struct spec_kind kept_paths = {LIST(check_words, clear_nothing),
				     .convert = convert_prefixed_path, .specifiers = IN_WORDS};
const struct spec_kind kept_capabilities = {LIST(check_nothing, clear_nothing), .empty_says = true};
