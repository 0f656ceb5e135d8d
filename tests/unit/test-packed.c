/* SPDX-License-Identifier: MIT */
/* Any bytes are fuzz-packed's; here the versions, and the form that a version stands for. */
#include "confine/packed.h"

#include <errno.h>
#include <linux/filter.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/fnv.h"
#include "check.h"

#define VERSION_AT 8 /* behind the magic, base/pack.c */

static struct sock_filter allow[] = {BPF_STMT(BPF_RET | BPF_K, 0x7fff0000)};
static char word[] = "/bin/true", *const argv[] = {word, NULL};

/* A plan that has something of all that may be missing. */
static char *sample(size_t *ret_len)
{
	static struct strv execute = STRV_INIT;
	static const uint16_t ports[] = {80, 443};
	static struct landlock landlock = {.bind = ports, .n_bind = 2, .execute = &execute};
	static struct sock_fprog filter = {.len = 1, .filter = allow};
	static struct walls walls = {.capabilities = 5, .no_new_privs = true};
	struct step step = {.argv = argv, .program = "/bin/true"};
	struct plan p;

	if (!execute.n)
		strv_add(&execute, "/usr");
	walls.landlock = &landlock;
	walls.last = &filter;
	plan_init(&p);
	p.walls = &walls;
	p.filter = &filter;
	p.argv = argv;
	p.envp = argv;
	p.steps = &step;
	p.n_steps = 1;
	plan_mount(&p, MOUNT_BIND, "/a", "/b", MOUNT_READONLY);
	/* Neighbours differ, so that it is seen when two change places. */
	p.user_base = 1000;
	p.same_pid = p.ignore_sigpipe = p.nice_set = p.own_net = true;
	p.nice = 3;
	p.umask = 022;
	p.root_path = "/r";
	p.cwd = "/c";
	p.limit_set[RLIMIT_NOFILE] = true;
	char *bytes = packed_write(&p, ret_len);
	plan_done(&p);
	return bytes;
}

static int read_as(char *bytes, size_t len)
{
	struct packed p;
	struct err e = {0};
	int r = packed_read(bytes, len, &p, &e);

	CHECK(r == 0 || e.msg[0]);
	if (r == 0)
		packed_done(&p);
	return r;
}

static void versions(void)
{
	size_t len = 0;
	CLEANUP_STR char *bytes = sample(&len);

	CHECK_INT(read_as(bytes, len), 0);
	bytes[VERSION_AT]++;
	CHECK_INT(read_as(bytes, len), -ESTALE);
	bytes[VERSION_AT]--;
	bytes[len - 1] ^= 1;
	CHECK_INT(read_as(bytes, len), -EBADMSG);
	CHECK_INT(read_as(bytes, len - 1), -EBADMSG);
	bytes[0] = 'x';
	CHECK_INT(read_as(bytes, len), -EBADMSG);
}

/* Jails outlive the version of immure that sealed them, and only the number tells that their bytes
 * mean something else by now. Where this check fails: raise IMAGE_VERSION in confine/packed.c, then
 * take the new number over from what it prints. */
static void form(void)
{
	size_t len = 0;
	CLEANUP_STR char *bytes = sample(&len);

	CHECK_INT((int64_t)fnv(bytes, len), 1154539586727632779);
}

int main(void)
{
	versions();
	form();
	return check_done("packed");
}
