/* SPDX-License-Identifier: MIT */
/* What a run touched: the event model, free of the mechanism that observes.
 *
 * A record holds one struct touch for every path that was reached for, by its canonical path (no
 * link, no "..") as the service's first root sees it, and one struct peer for every network address
 * bound or connected to. Records are filled by the engine and read by everything after it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>
#include <uthash.h>

#include "base/str.h"
#include "grow/calls.h"
#include "grow/right-list.h"

struct touch {
	char *path;
	unsigned kinds;	  /* enum touch_kind; 0: only passed through, or put there for a listing */
	mode_t found;	  /* S_IFMT as the host had it before the service came; 0: it had nothing */
	enum phase phase; /* of the first touch */
	bool made;	  /* the service made it, and it was there afterwards */
	char *by;	  /* the program that touched it first; "" where unknown */
	uint64_t programs; /* all that did, as PROGRAM_BIT(); 0 for what was only listed */
	char *why;	   /* what brought it in where that is another path: "interpreter of /x" */

	/* The engine's own knowledge while it runs. */
	bool settled;		  /* known to be in the tree; no look-up needed */
	bool placed;		  /* put into the jail by us */
	bool placeholder;	  /* an empty stand-in for a listing */
	bool listed;		  /* its entries were put there */
	unsigned judged;	  /* kinds for which rights.c has looked at it */
	bool room;		  /* a copy of it is known to fit */
	bool making;		  /* a big copy is under way */
	struct timespec times[2]; /* of a directory: put back after each change in it */
	UT_hash_handle hh;
};

struct peer {
	bool bound; /* else connected to */
	int family; /* AF_INET, AF_INET6 */
	char address[64];
	uint16_t port;
};

/* Two directories between which something was renamed or linked: they must stay on one mount. */
struct pairing {
	char *from, *to;
};

/* A program that is about to be executed, and how: some write over their words later. */
struct execution {
	char *program;	       /* absolute, as named: venv/bin/python is more than where it leads */
	char *exe;	       /* what /proc/PID/exe leads to then: of a script its interpreter */
	struct strv argv, env; /* both empty where they could not be read, or are too long */
	char *cwd;	       /* "" where unknown */
};

/* Programs have numbers. The first stands for one whose name is unknown, and for each that comes
 * when there are no more numbers. */
#define RECORD_PROGRAMS_MAX   64
#define PROGRAM_UNKNOWN	      0
#define PROGRAM_BIT(number)   (UINT64_C(1) << (number))
#define RECORD_EXECUTIONS_MAX 128
/* A service that binds port after port is not to fill our memory. */
#define RECORD_RIGHTS_MAX 1024
#define RECORD_PORTS	  65536

struct record {
	struct touch *touches; /* uthash */
	struct strv programs;  /* that made calls, by number */
	unsigned
	    program_phases[RECORD_PROGRAMS_MAX]; /* in which they did, or ran: 1 << enum phase */
	struct execution *executions;		 /* of a baseline's start, the last ones */
	size_t n_executions;
	struct peer *peers;
	size_t n_peers;
	struct pairing *pairings;
	size_t n_pairings;
	struct right_list rights;
	uint64_t bound[2][RECORD_PORTS / 64]; /* of TCP, of UDP: bits of record_bind() */
};

struct record *record_new(void);
void record_free(struct record *r);
DEFINE_FREEP(struct record, record);
#define CLEANUP_RECORD CLEANUP(record_freep)

/* The touch of @path, made where there is none. The record's. */
struct touch *record_get(struct record *r, const char *path);
struct touch *record_find(const struct record *r, const char *path);

void record_peer(struct record *r, bool bound, int family, const char *address, uint16_t port);

/* Adds a right unless it is there; true where it was new. @why and @by are copied. */
bool record_right(struct record *r, const char *name, const char *why, const char *by,
		  enum phase phase);

/* @port was bound by its number, not chosen by the kernel. The question may come from any thread.
 */
void record_bind(struct record *r, bool udp, uint16_t port);
bool record_binds(const struct record *r, bool udp, uint16_t port);

/* The number of @program, which is added where it is new. */
unsigned record_program(struct record *r, const char *program);

/* Adds @x, which is taken over. Of too many the oldest is forgotten. */
void record_execution(struct record *r, struct execution *x);
void record_pairing(struct record *r, const char *from, const char *to);

/* Sorts the touches by path. */
void record_sort(struct record *r);

/* The kinds as words, "read write", into @buf. */
char *touch_kinds_text(unsigned kinds, char *buf, size_t size);
