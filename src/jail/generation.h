/* SPDX-License-Identifier: MIT */
/* Where jails live on disk, and the switch from one generation to the next.
 *
 *   STATE/jails/NAME/generations/N/root/           the files
 *                                 /manifest.jsonl  what they are and why
 *                                 /run.json        the layout and what a start waits for
 *                                 /policy.json     what it may do (jail/policy.h)
 *                                 /spec            the spec it was proved with
 *   STATE/jails/NAME/current -> generations/N      switched by one rename(2)
 *   STATE/jails/NAME/output.log                    what the service printed when run by `start`
 *   STATE/tmp/NAME.XXXXXX/                         a build under way; its lock says whether it
 * lives STATE/locks/NAME                               held by whoever changes the jail
 *   RUN/NAME.json, RUN/NAME.lock                   a running jail; the lock is its supervisor's
 *
 * A generation is made aside and published whole; a crash leaves the old one or the new one. */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "crypto/crypto.h"
#include "foresee/evidence.h"
#include "host/accounts.h"
#include "jail/direct.h"
#include "jail/foreseen.h"
#include "jail/layout.h"
#include "jail/manifest.h"
#include "jail/policy.h"
#include "keep/dirs.h"
#include "spec/spec.h"

struct generation {
	int number;
	char *dir;			/* absolute */
	char *built;			/* RFC 3339 */
	char manifest[CRYPTO_HASH_HEX]; /* hash of the manifest that run.json goes with; "" */
	struct layout layout;
	struct strv listeners; /* what a start waits for */
	struct strv pid_files; /* that name its processes for the host */
	bool forks;	       /* it puts itself into the background */
	struct direct direct;  /* Direct=yes: what is started in the place of the command */
	struct right_list policy;
	struct strv lacking; /* extra walls that the kernel could not put up at the seal */
	char *spec_text;
	size_t steps;		       /* exercise steps that were proved */
	struct cost held;	       /* files of its own, and their bytes */
	struct account_need *accounts; /* of the jail's passwd and group, and why */
	size_t n_accounts;
	/* What foresight came upon and did not take: secrets, and directories of others. */
	struct left_out *left_out;
	size_t n_left_out;
};
#define GENERATION_INIT                                                                            \
	{                                                                                          \
		0                                                                                  \
	}
#define CLEANUP_GENERATION CLEANUP(generation_done)
void generation_done(struct generation *g);

/* The current generation of @name; -ENOENT with a message where the jail does not exist. */
int generation_load(const struct dirs *d, const char *name, struct generation *ret, struct err *e);

/* Generation @number of it. */
int generation_load_number(const struct dirs *d, const char *name, int number,
			   struct generation *ret, struct err *e);

/* The numbers of those that are kept, lowest first; how many. */
#define GENERATIONS_MAX 64
size_t generation_numbers(const struct dirs *d, const char *name, int ret[GENERATIONS_MAX]);

/* Makes generation @number the current one, by one rename. */
int generation_switch(const struct dirs *d, const char *name, int number, struct err *e);

/* The spec that it was proved with; the caller's, also where it cannot be read. */
int generation_spec(const struct generation *g, const char *name, struct spec **ret, struct err *e);

/* The newest generation of @name before @number, 0 where there is none. */
int generation_before(const struct dirs *d, const char *name, int number);

/* The walls of @g, by their compiled form where it has one; @s is its spec. */
int confinement_take(const struct generation *g, const struct spec *s, struct confinement *ret,
		     struct err *e);

/* The number of the current generation, 0 where there is none. */
int generation_number(const struct dirs *d, const char *name);

/* Writes run.json, policy.json and spec into the directory @dir of a generation in the making. */
int generation_write(const struct generation *g, const char *dir, struct err *e);

/* Takes hold of the tree of @g, for struct plan: a detached mount. A link in its place, which would
 * make another directory the root, is refused. */
int generation_hold(const struct generation *g, struct err *e);

/* What the generation of @m holds itself: files and bytes; a file with several names counts once,
 * as for du(1). */
struct cost generation_cost(const struct manifest *m);

/* Writes run.json alone, of a generation that is in use; after its manifest, whose hash it notes.
 */
int generation_write_run(const struct generation *g, const char *dir, struct err *e);

/* Moves the complete directory @dir into place as the next generation and makes it the current one;
 * old ones go as jail/retain.h says. *ret_number is its number. */
int generation_publish(const struct dirs *d, const char *name, const char *dir, int *ret_number,
		       struct err *e);

/* Names of all jails, sorted. */
int jail_names(const struct dirs *d, struct strv *ret, struct err *e);

/* Removes the jail's files; its spec and the files that the user keeps for it too. Not what belongs
 * to the host (state, logs). */
int jail_delete(const struct dirs *d, const char *name, struct err *e);

/* Takes the jail's lock; a descriptor, closing it unlocks. -EBUSY with "... by pid N". */
int jail_lock(const struct dirs *d, const char *name, struct err *e);

/* Gives it back; of a jail that does not exist nothing stays. */
void jail_unlock(const struct dirs *d, const char *name, int *lock);

/* mkdir -p: the directories above with 0755. */
int jail_make_dir(const char *path, mode_t mode, struct err *e);
