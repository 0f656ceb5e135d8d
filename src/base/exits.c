/* SPDX-License-Identifier: MIT */
#include "base/exits.h"

#include <sys/wait.h>

void exits_add_code(struct exits *x, unsigned code)
{
	x->codes[code / 8 % sizeof(x->codes)] |= (uint8_t)(1u << code % 8);
}

void exits_add_signal(struct exits *x, int sig)
{
	x->signals |= UINT64_C(1) << (sig - 1) % 64;
}

bool exits_has(const struct exits *x, int status)
{
	if (WIFSIGNALED(status))
		return x->signals >> (WTERMSIG(status) - 1) % 64 & 1;
	unsigned code = (unsigned)WEXITSTATUS(status);
	return x->codes[code / 8] >> code % 8 & 1;
}
