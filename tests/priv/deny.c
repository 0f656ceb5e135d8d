/* SPDX-License-Identifier: MIT */
/* deny CALL... -- PROGRAM [ARG...]: an older kernel. The named system calls, in PROGRAM and all
 * that it starts, are ENOSYS. */
#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* "openat2", or a number for what libseccomp is too old to know. */
static int number_of(const char *call)
{
	int nr = seccomp_syscall_resolve_name(call);
	char *end;

	if (nr != __NR_SCMP_ERROR)
		return nr;
	long n = strtol(call, &end, 10);
	return *call && !*end && n >= 0 ? (int)n : __NR_SCMP_ERROR;
}

static int fail(const char *what, int code)
{
	fprintf(stderr, "deny: %s: %s\n", what, strerror(code));
	return 125;
}

int main(int argc, char **argv)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	int i = 1;

	if (!filter)
		return fail("libseccomp", ENOMEM);
	for (; i < argc && strcmp(argv[i], "--") != 0; i++) {
		int nr = number_of(argv[i]);
		int r = nr == __NR_SCMP_ERROR
			    ? -EINVAL
			    : seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), nr, 0);
		if (r < 0)
			return fail(argv[i], -r);
	}
	if (i + 1 >= argc)
		return fail("usage: deny CALL... -- PROGRAM [ARG...]", EINVAL);
	int r = seccomp_load(filter);
	if (r < 0)
		return fail("loading the filter", -r);
	seccomp_release(filter);
	execvp(argv[i + 1], argv + i + 1);
	return fail(argv[i + 1], errno);
}
