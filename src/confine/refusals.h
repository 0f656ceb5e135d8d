/* SPDX-License-Identifier: MIT */
/* Refuses what a jail's filter does not let through, and counts it: serves the filter's listener in
 * a thread of its own that answers an errno, or does listen(2) itself, and never says "continue"
 * (seccomp_unotify(2) warns of that). When it is gone, the kernel answers ENOSYS. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "confine/listens.h"

struct refusal {
	uint32_t arch;
	int call;
	unsigned long n;
};

#define REFUSALS_MAX 64 /* different calls that are told apart; the rest is one sum */

/* The errno (positive) by number of the architecture @arch; what is another's or above is ENOSYS.
 */
#define REFUSAL_NUMBERS 512
struct refusal_answers {
	uint32_t arch; /* AUDIT_ARCH_* */
	uint8_t by_number[REFUSAL_NUMBERS];
};

struct refusals;

/* Takes @listener over; the ports of @listens are borrowed. */
int refusals_start(int listener, const struct refusal_answers *answers,
		   const struct listens *listens, struct refusals **ret, struct err *e);

/* Copies what was refused so far, at most REFUSALS_MAX rows, most frequent first; returns how many.
 * *ret_total is the sum of all. */
size_t refusals_look(struct refusals *r, struct refusal ret[REFUSALS_MAX],
		     unsigned long *ret_total);

/* Readable when something was refused that refusals_look() has not shown yet; at most once a
 * second, whatever the jail does. -1 for NULL. */
int refusals_fd(const struct refusals *r);

/* Ends the thread. Accepts NULL. refusals_release() gives the listener back, for somebody else to
 * serve, and how many calls were refused; -1 and 0 for NULL. */
int refusals_release(struct refusals *r, unsigned long *ret_total);
void refusals_stop(struct refusals *r);
