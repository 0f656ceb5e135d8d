/* SPDX-License-Identifier: MIT */
/* The spec: what the user asks for, /etc/immure/NAME.conf, the only truth.
 *
 * Three sections: [Service] in systemd's own vocabulary and meaning, [Jail] with our few words,
 * [Exercise] for the client session. Specifiers (%i, %t) are replaced in [Service] only, as for a
 * unit NAME.service. NAME.conf.d/ *.conf are drop-ins as in systemd: read in order of name, scalars
 * replace, lists append, an empty value clears.
 *
 * Two forms live side by side. `settings` is the text: every KEY=VALUE with its origin, in order,
 * which `immure show` prints. The typed fields are what the rest of the program reads; they are
 * filled from the settings by one table (spec-keys.c). A spec owns all that it points to. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>

#include "base/err.h"
#include "base/exits.h"
#include "base/str.h"

enum spec_section { SPEC_SERVICE, SPEC_JAIL, SPEC_EXERCISE };

/* One line of the spec as it was given. */
struct setting {
	enum spec_section section;
	char *key;
	char *value;
	char *origin; /* "/etc/immure/web.conf:12", "command line", "apache2.service:14" */
};

enum service_type { TYPE_SIMPLE, TYPE_EXEC, TYPE_FORKING, TYPE_NOTIFY, TYPE_ONESHOT };
enum closure { CLOSURE_EXACT, CLOSURE_FORESEEN, CLOSURE_PACKAGE };
enum net_mode { NET_PRIVATE, NET_HOST };
enum compare_mode { COMPARE_EXACT, COMPARE_SHAPE };
enum sample_kind { SAMPLE_PATH, SAMPLE_EMPTY, SAMPLE_SNAPSHOT, SAMPLE_LIVE };
enum socket_choice { SOCKET_BIND, SOCKET_REFUSE, SOCKET_IGNORE, SOCKET_UNDECIDED };
enum accounts_mode { ACCOUNTS_NEEDED, ACCOUNTS_LIVE };
enum log_socket { LOG_DATAGRAM, LOG_STREAM };
enum update { UPDATE_RESTART, UPDATE_BUILD, UPDATE_NOTIFY };
enum restart {
	RESTART_NO,
	RESTART_ON_SUCCESS,
	RESTART_ON_FAILURE,
	RESTART_ON_ABNORMAL,
	RESTART_ON_ABORT,
	RESTART_ON_WATCHDOG,
	RESTART_ALWAYS
};
enum notify_access { NOTIFY_UNSET, NOTIFY_NONE, NOTIFY_MAIN, NOTIFY_EXEC, NOTIFY_ALL };

/* A command line of an Exec directive, split into words as systemd does, specifiers expanded. */
struct exec_line {
	struct strv argv;
	char *argv0;	     /* "@": the zeroth argument, or NULL */
	bool ignore_failure; /* "-" */
	bool privileged;     /* "+": with full rights, on the host */
	bool no_user;	     /* "!" or "!!": the user is not switched */
	bool no_env;	     /* ":": no environment variable substitution */
};

struct exec_list {
	struct exec_line *v;
	size_t n;
};

/* A directory that systemd makes for the service: StateDirectory= and its kin. */
struct spec_dirs {
	struct strv names; /* relative to the base: "redis" */
	unsigned mode;	   /* 0755 unless given */
};

#define SPEC_LIMITS 16 /* RLIM_NLIMITS */

struct spec {
	char *name;

	/* [Service] */
	enum service_type type;
	struct exec_list start, start_pre, start_post, reload, stop, stop_post;
	char *user, *group; /* NULL: root */
	struct strv supplementary_groups;
	char *working_directory;	 /* NULL: "/"; "~" is the user's home */
	bool working_directory_optional; /* "-": "/" where it is not there */
	struct strv environment;	 /* K=V, each K once */
	struct strv unset_environment;	 /* K or K=V, taken away last of all */
	struct strv environment_files;	 /* "-" kept in front where the file may be absent */
	struct spec_dirs runtime_dirs, state_dirs, cache_dirs, logs_dirs, configuration_dirs;
	char *pid_file;
	int kill_signal;		    /* SIGTERM unless given */
	double timeout_start, timeout_stop; /* seconds; 0 is for ever; 90 unless given */
	bool timeout_start_set;		    /* else a oneshot service may take for ever */
	bool remain_after_exit;
	enum restart restart; /* of `immure start`; under an init system that one's business */
	double restart_delay; /* seconds; 0.1 unless given */
	double restart_delay_max;
	int restart_steps;
	int start_limit_burst;				   /* 5 unless given; 0: no limit */
	double start_limit_interval;			   /* seconds; 10 unless given */
	struct exits success, restart_not, restart_always; /* ...ExitStatus= */
	enum notify_access notify_access;
	double watchdog;     /* seconds; 0: none */
	bool ignore_sigpipe; /* true unless given, as systemd has it */
	unsigned umask;	     /* 0022 unless given */
	struct rlimit limits[SPEC_LIMITS];
	bool limit_set[SPEC_LIMITS];
	int nice;
	bool nice_set;
	int oom_score_adjust;
	bool oom_score_adjust_set;
	struct strv bind_paths,
	    bind_read_only_paths;     /* "SRC[:DST]", "@LABEL:DST"; rbind option removed; "-"
				       kept in front where SRC may be absent */
	struct strv read_write_paths; /* absolute; what a unit's own confinement left writable */

	struct strv ip_allow, ip_deny;	   /* ranges, confine/peers.h */
	struct strv bind_allow, bind_deny; /* rules, base/bind-rule.h */
	bool private_users;		   /* a user namespace, confine/users.h */
	double log_interval;		   /* seconds; 30 unless given; 0 or HUGE_VAL: no limit */
	int log_burst; /* messages of syslog in it; 10000 unless given, 0: any */

	/* [Jail] */
	struct strv state, content, config, secret, offer, include; /* absolute paths */
	struct strv sockets; /* of other services: "PATH=bind|refuse|ignore" */
	struct strv shared;  /* "LABEL=USER:GROUP:MODE", of BindPaths=@LABEL:PATH */
	struct strv sample;  /* "DIR=PATH", "DIR=empty|snapshot|live" */
	bool direct;	     /* start what the command ended in, without its start wrapper */
	char *self_chroot;
	char *unit; /* whose place it takes, or NULL */
	enum closure closure;
	enum net_mode net;
	enum accounts_mode accounts;
	enum update update;
	struct strv rights;	/* beyond the learnt ones, jail/policy.h: "CAP_CHOWN", "tcp:80" */
	struct strv connect_to; /* addresses and ranges, or "none"; empty: anywhere */
	struct strv require;	/* walls without which it does not start: "landlock-net" */
	struct strv listen; /* sockets that it is handed: "tcp:0.0.0.0:80", "unix:/run/x.sock" */
	bool accept;	    /* a process for each connection, on descriptors 0 to 2 */
	char *syslog; /* "host", "none", "daemon", "file:/PATH", "tcp:HOST:PORT"; NULL: host */
	enum log_socket syslog_socket;
	uint64_t syslog_buffer;	      /* bytes that may wait; 16 MiB unless given */
	struct exec_list config_test; /* run in the jail before a reload or restart */

	/* [Exercise] */
	char *ready;
	struct strv exercise;
	enum compare_mode compare;
	struct strv exercise_environment;
	double exercise_timeout; /* seconds a step; 60 unless given */

	struct setting *settings;
	size_t n_settings;
};

/* A new spec with all defaults and no settings. */
struct spec *spec_new(const char *name);
void spec_free(struct spec *s);
DEFINE_FREEP(struct spec, spec);
#define CLEANUP_SPEC CLEANUP(spec_freep)

/* The last setting of @key, or NULL. For what has no typed field: MemoryMax, SystemCallFilter ...
 */
const struct setting *spec_find(const struct spec *s, enum spec_section section, const char *key);

/* "Service", "Jail", "Exercise". */
const char *spec_section_name(enum spec_section section);

/* What stands behind the "=" of a Sample=: one of its three words, or a path. */
enum sample_kind spec_sample_kind(const char *text);

/* What the word behind the last "=" of a Socket= says; SOCKET_UNDECIDED where it is none of three.
 */
enum socket_choice spec_socket_choice(const char *text);

/* Adds one setting and fills the typed field. -EINVAL with a message that begins with @origin and
 * names the key and the remedy (an unknown key gets the nearest known one). */
int spec_set(struct spec *s, enum spec_section section, const char *key, const char *value,
	     const char *origin, struct err *e);

/* spec_set() for a text from elsewhere that means just itself (an option's value, a path that was
 * found): blanks, quotes and percent signs in it lose their meaning, as the key needs it. */
int spec_set_word(struct spec *s, enum spec_section section, const char *key, const char *word,
		  const char *origin, struct err *e);

/* Reads spec text from memory; @file is its name for origins. On error the first bad line is named.
 */
int spec_parse(struct spec *s, const char *text, size_t len, const char *file, struct err *e);

/* Reads CONFIG_DIR/NAME.conf and its drop-ins. -ENOENT where there is no such file; -EINVAL where a
 * file or its directory could have been written by anybody but root (and the caller). */
int spec_load(const char *config_dir, const char *name, struct spec **ret, struct err *e);

/* The last checks, when all settings are in: a command is there, absolute paths are absolute,
 * user and group exist on this host. */
int spec_check(const struct spec *s, struct err *e);

/* Adds a line for people for each sort of setting that this version keeps but does not carry out.
 */
void spec_idle_notes(const struct spec *s, struct strv *ret);

/* The spec as a commented file, new string: parse(print(s)) gives the same settings, and printing
 * those the same text. */
char *spec_print(const struct spec *s);

/* The words of one command line, split as systemd does (quotes, backslash escapes, prefixes). Also
 * for tests. */
int exec_line_parse(const char *text, struct exec_line *ret, struct err *e);
void exec_line_done(struct exec_line *l);

/* Appends the commands of an Exec value (";" as a word of its own parts them) to @ret. */
int exec_list_parse(const char *text, struct exec_list *ret, struct err *e);
void exec_list_done(struct exec_list *list);

/* The argument vector for a run, appended to @ret, with the variables of @env ("K=V", NULL at the
 * end) put in as systemd.service(5) says: ${VAR} within a word, $VAR as a word of its own is split
 * at blanks (none set: no word), $$ is one dollar. ret->v[0] is the zeroth argument; the program to
 * execute is l->argv.v[0]. */
void exec_line_expand(const struct exec_line *l, char *const *env, struct strv *ret);

/* @argv as the value of an Exec line that means exactly these words (specifiers and variables
 * escaped too), new. */
char *exec_line_quote(char *const *argv);
