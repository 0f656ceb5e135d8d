/* SPDX-License-Identifier: MIT */
/* Pid files right in /run, where a jail has memory of its own: the host gets a file of the same
 * name, owner and mode with the number that is right there. A number that is none of the jail's own
 * processes is never published. */
#pragma once

#include "base/str.h"
#include "confine/run.h"

struct published {
	char *name; /* in /run */
	pid_t said; /* by the jail's file, when it was read last */
	dev_t dev;  /* of the host's file that we made; ino 0: none */
	ino_t ino;
};

/* Keeps the host's copies. */
struct publish {
	int inotify;	  /* -1 where there is nothing to watch */
	int inside;	  /* the jail's /run, or -1 */
	int outside;	  /* the host's */
	const char *left; /* a file of the host that is somebody else's, or NULL */
	struct published *files;
	size_t n;
};
#define PUBLISH_INIT                                                                               \
	{                                                                                          \
		.inotify = -1, .inside = -1, .outside = -1                                         \
	}
#define CLEANUP_PUBLISH CLEANUP(publish_done)

/* Begins to watch the files @names in /run and publishes what is there. */
void publish_open(struct publish *p, const struct strv *names, const struct run *r);

/* The same, of files that another process of ours has begun to publish; takes over @files. */
void publish_adopt(struct publish *p, struct published *files, size_t n, const struct run *r);

/* When the descriptor is readable. */
void publish_serve(struct publish *p, const struct run *r);
/* Removes what was published, unless somebody has put another file there. */
void publish_done(struct publish *p);
