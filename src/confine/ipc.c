/* SPDX-License-Identifier: MIT */
#include "confine/ipc.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/sysctl.h"

/* proc_sys_kernel(5), mq_overview(7): what each ipc namespace has of its own. */
static const char *const names[IPC_SETTINGS] = {
    "kernel/auto_msgmni",
    "kernel/msgmax",
    "kernel/msgmnb",
    "kernel/msgmni",
    "kernel/sem",
    "kernel/shm_rmid_forced",
    "kernel/shmall",
    "kernel/shmmax",
    "kernel/shmmni",
    "fs/mqueue/queues_max",
    "fs/mqueue/msg_max",
    "fs/mqueue/msgsize_max",
    "fs/mqueue/msg_default",
    "fs/mqueue/msgsize_default",
};

struct ipc_settings {
	char *values[ARRAY_LEN(names)];
};

struct ipc_settings *ipc_none(void)
{
	return xcalloc(1, sizeof(struct ipc_settings));
}

char *const *ipc_values(const struct ipc_settings *s)
{
	return s->values;
}

void ipc_set(struct ipc_settings *s, size_t i, const char *value)
{
	free(s->values[i]);
	s->values[i] = value ? xstrdup(value) : NULL;
}

struct ipc_settings *ipc_observe(void)
{
	struct ipc_settings *s = ipc_none();

	sysctl_read(names, ARRAY_LEN(names), s->values);
	return s;
}

void ipc_dress(const struct ipc_settings *s)
{
	sysctl_write(names, ARRAY_LEN(names), s->values);
}

void ipc_settings_free(struct ipc_settings *s)
{
	for (size_t i = 0; s && i < ARRAY_LEN(names); i++)
		free(s->values[i]);
	free(s);
}
