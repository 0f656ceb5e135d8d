/* SPDX-License-Identifier: MIT */
/* The settings of an ipc namespace, sysvipc(7), mq_overview(7): sizes of shared memory segments,
 * semaphore sets, message queues. A new namespace has the kernel's defaults; a service finds what
 * the host's administrator has set. */
#pragma once

#include <stddef.h>

struct ipc_settings;
#define IPC_SETTINGS 13

/* Those of the caller's namespace; never NULL. */
struct ipc_settings *ipc_observe(void);

/* Writes them into the caller's own, new namespace, through the /proc that is mounted now: those
 * that a new one does not begin with. What the kernel refuses or does not know is left. */
void ipc_dress(const struct ipc_settings *s);

/* For whoever carries them to another process (packed.c): IPC_SETTINGS texts, NULL where the kernel
 * has no such setting; ipc_set() copies. */
char *const *ipc_values(const struct ipc_settings *s);
struct ipc_settings *ipc_none(void);
void ipc_set(struct ipc_settings *s, size_t i, const char *value);

void ipc_settings_free(struct ipc_settings *s);
