/* SPDX-License-Identifier: MIT */
/* The user and groups a spec names, looked up on the host. Never root by mistake: a name that does
 * not exist is an error (systemd CVE-2017-1000082). */
#pragma once

#include <sys/types.h>

#include "base/err.h"
#include "confine/plan.h"
#include "spec/spec.h"

struct account {
	uid_t uid;
	gid_t gid;
	gid_t groups[64];
	size_t n_groups;
	char name[64], home[256], shell[128];
};

int account_of(const struct spec *s, struct account *ret, struct err *e);
