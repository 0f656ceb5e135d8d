/* SPDX-License-Identifier: MIT */
/* A run, as data: which root, what is mounted into it, as whom, with which command.
 *
 * Whoever wants something run fills a struct plan; rootfs.c, child.c and init.c carry it out. The
 * same plan serves a twin in its world and the real service: only the namespaces differ. A plan
 * borrows all that it points to, except `mounts`, which plan_done() releases. */
#pragma once

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "base/err.h"

enum mount_kind {
	MOUNT_DIR,    /* a directory is made where there is none (inside a tmpfs mounted before) */
	MOUNT_BIND,   /* `source`, a path outside the jail, with all that is mounted below it */
	MOUNT_LINK,   /* a symbolic link to `source` (inside a tmpfs mounted before) */
	MOUNT_OWN,    /* `target` of the jail's own root, through a tmpfs that covers it, or with
		       * other flags */
	MOUNT_TMPFS,  /* private memory */
	MOUNT_DEV,    /* tmpfs with the device nodes of device.h, /dev/pts, /dev/shm */
	MOUNT_PROC,   /* the pid namespace's own /proc */
	MOUNT_ROOT_RO /* no mount: from here on the root itself is read-only */
};

enum mount_flag {
	MOUNT_READONLY = 1u << 0,
	MOUNT_NOSUID = 1u << 1,
	MOUNT_NODEV = 1u << 2,
	MOUNT_NOEXEC = 1u << 3,
	MOUNT_OPTIONAL = 1u << 4, /* a missing source is passed over */
	MOUNT_UNMAPPED = 1u << 5, /* of the kernel's: owners stay as they are in a user namespace */
	MOUNT_EXEC = 1u << 6,	  /* MOUNT_OWN: though the root is MOUNT_NOEXEC */
};

struct mount_op {
	enum mount_kind kind;
	unsigned flags;
	char *target; /* absolute, as the service sees it; no link on the way */
	char *source; /* MOUNT_BIND: absolute, before the root is changed; no link on the way */
	mode_t mode;  /* MOUNT_DIR, MOUNT_TMPFS */
	uid_t uid;
	gid_t gid;
};

struct mount_list {
	struct mount_op *v;
	size_t n;
};

/* Who the service is. */
struct identity {
	uid_t uid;
	gid_t gid;
	const gid_t *groups; /* supplementary; borrowed */
	size_t n_groups;
	uint64_t
	    ambient; /* 1 << CAP_*: what it keeps though it is not root (AmbientCapabilities=) */
};

struct cgroup;
struct walls;
struct ipc_settings;

/* A command that must end well before the main one is executed (ExecStartPre=). */
struct step {
	char *const *argv;
	const char *program;
	bool ignore_failure;
	bool keep_user; /* with the rights the run starts with */
};

#define PLAN_LIMITS	    RLIM_NLIMITS
#define PLAN_NAMESPACES	    7
#define PLAN_NET_NAMESPACE  6
#define PLAN_USER_NAMESPACE 5 /* of these, those that a plan need not have anew */
#define PLAN_PASS_MAX	    16

struct plan {
	/* Namespaces to enter, as descriptors, or -1: then new ones are made (network: kept). */
	int mnt_ns, net_ns, ipc_ns, uts_ns;

	/* Or a user namespace for the service (users.h), -1: none. Where its root is @user_base
	 * outside and not 0, what is mounted is mapped by it. */
	int user_ns;
	uid_t user_base;

	/* Without net_ns: a new one, with lo alone (PrivateNetwork=). */
	bool own_net;

	/* The first process has one number inside and outside (confine/pids.h), and while it
	 * starts, so as far as may be have those that it forks: see run_settled(). */
	bool same_pid, forks;

	const struct ipc_settings *ipc; /* for a new ipc namespace, or NULL; borrowed */

	const struct cgroup *cgroup; /* that the run's processes are put into, or NULL */

	int root; /* a detached mount (open_tree) that becomes "/", or -1: stay in the present root
		   */
	const char *root_path; /* what immure-launch opens as the root where that is -1, or NULL */
	const char *root_at;   /* where the world has it too, for the exercise; NULL: nowhere */
	struct mount_list mounts; /* parents before children */

	struct identity identity;
	char *const *argv; /* argv[0] is what the program sees; `program` is what is executed */
	const char *program;
	bool main_keeps_user;
	const struct step *steps;
	size_t n_steps;
	char *const *envp;
	const char *cwd;
	mode_t umask;
	bool ignore_sigpipe;
	struct rlimit limits[PLAN_LIMITS];
	bool limit_set[PLAN_LIMITS];
	int nice, oom_score_adjust;
	bool nice_set, oom_score_adjust_set;
	int stdio[3];

	/* Sockets that the main command is handed, as descriptors 3 and on, sd_listen_fds(3); what
	 * its environment says as LISTEN_PID= becomes its own number. With `accepts` the first one
	 * listens, and each connection gets a process of the command for itself, on its standard
	 * descriptors, as inetd(8) has it. */
	int pass[PLAN_PASS_MAX];
	size_t n_pass;
	bool accepts;

	const struct sock_fprog *filter; /* with a listener, which run_start() hands out; or NULL */

	/* The program immure-launch (launcher.h), which carries the plan out in the place of a copy
	 * of the caller, or -1. */
	int launcher;

	/* The namespaces of whoever starts the run, by their inodes: what confines it has others.
	 * 0: not looked at. */
	uint64_t outside[PLAN_NAMESPACES];

	/* The init stays when the service has ended, for the commands that come after it
	 * (ExecStop=, ExecStopPost=): the caller ends the run. */
	bool stays;

	bool tell_walls; /* the self-test's rows go to the caller (struct run) */

	/* Of a jail that is meant to hold, with `filter` the walls' own; NULL: a twin that learns.
	 */
	const struct walls *walls;
};

/* A plan that enters nothing, changes no root and keeps the caller's identity. */
void plan_init(struct plan *p);
void plan_done(struct plan *p);

/* Fills `outside` with the caller's own. */
void plan_note_outside(struct plan *p);

/* The inode of the calling process's namespace number @i of those, by the directory @own, its
 * /proc/self/ns; 0 where it cannot be told. */
uint64_t plan_namespace(int own, size_t i);

/* "mnt", "pid", "ipc", "uts", "cgroup", "user", "net". */
const char *plan_namespace_name(size_t i);

/* Fills `root` by `root_path`: a directory of root's alone to write, and no link to one. -errno. */
int plan_open_root(struct plan *p, struct err *e);

/* Adds a mount; returns the new row, valid until the next call. Copies the strings. */
struct mount_op *plan_mount(struct plan *p, enum mount_kind kind, const char *target,
			    const char *source, unsigned flags);
