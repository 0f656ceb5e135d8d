/* SPDX-License-Identifier: MIT */
#include "confine/ipc.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>

#include "base/alloc.h"
#include "base/str.h"
#include "base/sysctl.h"

/* proc_sys_kernel(5), mq_overview(7): what each ipc namespace has of its own, and what a new one
 * begins with (include/uapi/linux/{msg,sem,shm}.h, include/linux/ipc_namespace.h; the same since
 * Linux 3.19, on machines of 64 bits). */
static const struct {
	const char *name, *begins;
} settings[IPC_SETTINGS] = {
    {"kernel/msgmax", "8192"},
    {"kernel/msgmnb", "16384"},
    {"kernel/msgmni", "32000"},
    {"kernel/sem", "32000\t1024000000\t500\t32000"},
    {"kernel/shm_rmid_forced", "0"},
    {"kernel/shmall", "18446744073692774399"},
    {"kernel/shmmax", "18446744073692774399"},
    {"kernel/shmmni", "4096"},
    {"fs/mqueue/queues_max", "256"},
    {"fs/mqueue/msg_max", "10"},
    {"fs/mqueue/msgsize_max", "8192"},
    {"fs/mqueue/msg_default", "10"},
    {"fs/mqueue/msgsize_default", "8192"},
};

struct ipc_settings {
	char *values[IPC_SETTINGS]; /* as they are read, with their newline */
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

static void put(struct ipc_settings *s, const char *name, char *value)
{
	for (size_t i = 0; i < IPC_SETTINGS; i++)
		if (streq(settings[i].name, name))
			s->values[i] = steal_ptr(value);
	free(value);
}

/* Most of them in three calls, msgctl(2), semctl(2), shmctl(2), instead of a file each. */
static void ask(struct ipc_settings *s)
{
	struct msginfo m;
	struct seminfo a;
	struct shminfo h;

	if (msgctl(0, IPC_INFO, (struct msqid_ds *)(void *)&m) >= 0) {
		put(s, "kernel/msgmax", xasprintf("%d\n", m.msgmax));
		put(s, "kernel/msgmnb", xasprintf("%d\n", m.msgmnb));
		put(s, "kernel/msgmni", xasprintf("%d\n", m.msgmni));
	}
	if (semctl(0, 0, IPC_INFO, &a) >= 0)
		put(s, "kernel/sem",
		    xasprintf("%d\t%d\t%d\t%d\n", a.semmsl, a.semmns, a.semopm, a.semmni));
	if (shmctl(0, IPC_INFO, (struct shmid_ds *)(void *)&h) >= 0) {
		put(s, "kernel/shmmax", xasprintf("%lu\n", h.shmmax));
		put(s, "kernel/shmall", xasprintf("%lu\n", h.shmall));
		put(s, "kernel/shmmni", xasprintf("%lu\n", h.shmmni));
	}
}

struct ipc_settings *ipc_observe(void)
{
	struct ipc_settings *s = ipc_none();

	ask(s);
	for (size_t i = 0; i < IPC_SETTINGS; i++)
		if (!s->values[i])
			sysctl_read(&settings[i].name, 1, &s->values[i]);
	return s;
}

static bool is_new(const char *value, const char *begins)
{
	size_t len = strlen(begins);

	return strncmp(value, begins, len) == 0 && strcmp(value + len, "\n") == 0;
}

void ipc_dress(const struct ipc_settings *s)
{
	for (size_t i = 0; i < IPC_SETTINGS; i++)
		if (s->values[i] && !is_new(s->values[i], settings[i].begins))
			sysctl_write(&settings[i].name, 1, &s->values[i]);
}

void ipc_settings_free(struct ipc_settings *s)
{
	for (size_t i = 0; s && i < IPC_SETTINGS; i++)
		free(s->values[i]);
	free(s);
}
