/* SPDX-License-Identifier: MIT */
#include "keep/again.h"

#include <math.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/attr.h"

/* systemd.service(5), the table of Restart=. */
static const bool wanted[][END_WATCHDOG + 1] = {
    /*			   clean, failed, signal, watchdog */
    [AGAIN_NO] = {false, false, false, false},
    [AGAIN_ON_SUCCESS] = {true, false, false, false},
    [AGAIN_ON_FAILURE] = {false, true, true, true},
    [AGAIN_ON_ABNORMAL] = {false, false, true, true},
    [AGAIN_ON_ABORT] = {false, false, true, false},
    [AGAIN_ON_WATCHDOG] = {false, false, false, true},
    [AGAIN_ALWAYS] = {true, true, true, true},
};

enum again_end again_end_of(int status)
{
	static const int clean[] = {SIGHUP, SIGINT, SIGTERM, SIGPIPE};

	if (!WIFSIGNALED(status))
		return WEXITSTATUS(status) ? END_FAILED : END_CLEAN;
	for (size_t i = 0; i < ARRAY_LEN(clean); i++)
		if (WTERMSIG(status) == clean[i])
			return END_CLEAN;
	return END_SIGNAL;
}

void again_started(struct again_history *h, long now)
{
	h->starts[h->n_starts++ % AGAIN_STARTS_MAX] = now;
}

/* How many of the last starts were within the interval. */
static unsigned recent(const struct again *a, const struct again_history *h, long now)
{
	unsigned n = 0;

	for (unsigned i = 1; i <= h->n_starts && i <= AGAIN_STARTS_MAX; i++)
		n += now - h->starts[(h->n_starts - i) % AGAIN_STARTS_MAX] < a->interval_ms;
	return n;
}

/* From delay_ms to max_delay_ms by equal factors, as systemd does it. */
static long stepped(const struct again *a, unsigned n)
{
	double base = a->delay_ms > 0 ? (double)a->delay_ms : 1;

	if (!a->steps || a->max_delay_ms <= a->delay_ms)
		return a->delay_ms;
	if (n >= a->steps)
		return a->max_delay_ms;
	return (long)(base * pow((double)a->max_delay_ms / base, (double)n / a->steps));
}

static long patience(const struct again *a, const struct again_history *h, long now)
{
	if (a->burst && recent(a, h, now) >= a->burst)
		return -2;
	return stepped(a, h->in_row);
}

long again_delay(const struct again *a, const struct again_history *h, enum again_end end, long now)
{
	return wanted[a->when][end] ? patience(a, h, now) : -1;
}

enum again_end again_end_by(const struct again *a, int status)
{
	return exits_has(&a->success, status) ? END_CLEAN : again_end_of(status);
}

long again_delay_by(const struct again *a, const struct again_history *h, int status, long now)
{
	if (exits_has(&a->never, status))
		return -1;
	if (exits_has(&a->always, status))
		return patience(a, h, now);
	return again_delay(a, h, again_end_by(a, status), now);
}
