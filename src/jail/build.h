/* SPDX-License-Identifier: MIT */
/* From a spec to a proved generation: baseline, growth, seal, reference, proof (design.md 3). */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "jail/doors.h"
#include "jail/generation.h"
#include "jail/probe.h"
#include "jail/proof.h"
#include "jail/recall.h"
#include "jail/scratch.h"
#include "spec/spec.h"

struct build_report {
	int generation;
	bool changed; /* false: nothing was to be done */
	struct proof_result proof;
	struct probe probe; /* what the steps were where the spec has none */
	struct manifest manifest;
	struct layout layout;
	struct strv listeners;
	struct strv peers; /* "10.0.0.5:5432": connected to, in a world from which nothing leaves */
	struct doors doors;    /* sockets of other services that it tried to reach */
	struct strv private;   /* sockets right in /run: in the jail's memory, unseen by the host */
	struct strv pid_files; /* right on both sides, or published: jail/pid-files.h */
	struct strv masked;    /* keys in a bound directory that are not the service's */
	struct strv rights;    /* of the policy; ports apart */
	struct strv withheld;  /* state of other jails that it would write in, and the remedy */
	struct strv narrowed;  /* rights that a run used and the spec takes away */
	bool connects;	       /* it may connect by TCP */
	struct strv udp_ports; /* that the runs have bound, by number: no wall holds it to them */
	struct strv refused;   /* calls that the jail's filter refused in the proof */
	struct strv unwell;    /* commands around the service's stop that fail in the jail alone */
	enum { OFFER_NONE, OFFER_WORKS, OFFER_FAILS } offer; /* of PrivateUsers=yes, tried */
	struct strv same_user;				     /* jails that run as the same user */
	struct strv lacking;  /* extra walls that this kernel has not */
	struct strv wrappers; /* programs that only the start needed */
	struct cost helpers;  /* what is in the jail for them alone */
	struct foresight foresight;
	struct recall recall;
	struct cost package; /* what Closure=package adds to the foresight */
	bool live_accounts;  /* the jail's accounts are the host's */
	bool syslog;	     /* it writes to /dev/log, or is foreseen to */
	struct strv misses;  /* paths that it asked for and the host lacks too */
	double baseline_s, growth_s, native_s, proof_s; /* whole twins, start to stop */
	unsigned growths;				/* how often the growth was run */
};
#define BUILD_REPORT_INIT                                                                          \
	{                                                                                          \
		0                                                                                  \
	}
#define CLEANUP_BUILD_REPORT CLEANUP(build_report_done)
void build_report_done(struct build_report *r);

/* Builds @s in the scratch directory. 0 with ret->proof.proved, 1 where the proof failed (the
 * present generation stays), -errno. */
int build_run(const struct dirs *d, const struct spec *s, const struct scratch *scratch,
	      trial_progress progress, struct build_report *ret, struct err *e);

/* Adds the jails whose service is the user that @s names, where neither is in a user namespace of
 * its own: what belongs to that user is in reach of both. */
void build_same_user(const struct dirs *d, const struct spec *s, struct strv *ret);

/* Whether @s was proved already, nothing that the current generation copied has changed on the host
 * since, and its walls are compiled as this version reads them. 1 or 0, or -errno; *ret_number is
 * the generation. */
int build_unchanged(const struct dirs *d, const struct spec *s, int *ret_number, struct err *e);
