/* SPDX-License-Identifier: MIT */
/* LogRateLimitIntervalSec= and LogRateLimitBurst=, systemd.exec(5): so many messages an interval,
 * and no more until the next one begins. Times are milliseconds of any steady clock. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct rate {
	uint64_t interval_ms;
	uint32_t burst; /* 0: any number */
	uint64_t begun;
	uint32_t n;
};

static inline bool rate_allows(struct rate *r, uint64_t now)
{
	if (!r->burst || !r->interval_ms)
		return true;
	if (!r->begun || now - r->begun >= r->interval_ms) {
		r->begun = now;
		r->n = 0;
	}
	return r->n < r->burst ? r->n++, true : false;
}
