/* SPDX-License-Identifier: MIT */
/* The keys of a spec as data: a row a key, a kind a sort of value. spec_set(), spec_print(), the
 * unit reader and the error messages all work from these rows; to add a key is to add a row. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "spec/spec.h"

enum key_use {
	KEY_USED,      /* it fills a typed field */
	KEY_KEPT,      /* checked and kept as text, for confinement */
	KEY_REDUNDANT, /* accepted; a jail is or has that already, or it stays with the unit */
	KEY_NOT_TAKEN, /* accepted; it has no effect */
};

/* Whether a value's specifiers (%i) are replaced before it is read, and how. */
enum key_specifiers { NO_SPECIFIERS, IN_TEXT, IN_WORDS };

struct spec_key;

struct spec_kind {
	bool list;	 /* values append and an empty one clears; else the last one counts */
	bool empty_says; /* an empty value clears and is itself kept: "no capabilities" */
	enum key_specifiers specifiers;
	/* Checks @value and fills the field of @k, if it has one. */
	int (*set)(struct spec *s, const struct spec_key *k, const char *value, struct err *e);
	bool shell; /* a shell command: what does not fit a line is written $"..." (words.h) */
	unsigned word_flags; /* enum words_flag, for lists of words */
	/* Of lists of words: checks one and may put another in its place (it is malloc'ed). */
	int (*convert)(char **word, struct err *e);
	/* What an empty value does. NULL: it is an error. */
	void (*clear)(struct spec *s, const struct spec_key *k);
	const char *const *words; /* for enumerations, in the order of the enum */
	size_t n_words;
};

struct spec_key {
	const char *name;
	const struct spec_kind *kind;
	enum key_use use;
	size_t offset; /* of the typed field in struct spec; 0 where there is none */
	int arg;       /* RLIMIT_* of the Limit keys */
	/* KEY_REDUNDANT, KEY_NOT_TAKEN: why. KEY_KEPT: NULL. [Jail] and [Exercise]: what it means.
	 */
	const char *text;
	const char *example; /* [Jail] and [Exercise]: a value for the commented file */
	const char *same_as; /* an old name of this key */
};

static inline void *spec_field(struct spec *s, const struct spec_key *k)
{
	return (char *)s + k->offset;
}

/* The rows of a section, sorted by name in [Service], else as they shall be printed. */
const struct spec_key *spec_keys(enum spec_section section, size_t *ret_n);

/* The row of @name, or NULL. Old names lead to the new key's row. */
const struct spec_key *spec_key_find(enum spec_section section, const char *name);

/* The kinds, in spec-lists.c and spec-scalars.c. Those named kept_* check only. */
extern const struct spec_kind kind_type, kind_exec, kind_account, kind_accounts, kind_dir,
    kind_environment, kind_exercise_environment, kind_unset, kind_env_file, kind_dirs, kind_mode,
    kind_pid_file, kind_exits, kind_restart, kind_notify_access, kind_count, kind_signal,
    kind_timeout, kind_timeouts, kind_bool, kind_rlimit, kind_nice, kind_oom, kind_binds,
    kind_rw_paths, kind_jail_paths, kind_jail_path, kind_unit, kind_included, kind_samples,
    kind_shared, kind_sockets, kind_closure, kind_net, kind_accounts_mode, kind_update,
    kind_require, kind_peers, kind_ranges, kind_bind_rules, kind_rights, kind_config_test,
    kind_listen, kind_ready, kind_commands, kind_compare, kind_step_timeout, kind_syslog,
    kind_log_socket, kind_log_buffer, kind_log_interval;
extern const struct spec_kind kept_text, kept_list, kept_paths, kept_bool, kept_time, kept_size,
    kept_quota, kept_weight, kept_signal, kept_capabilities, kept_named_list, kept_named_text;
