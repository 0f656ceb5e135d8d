/* SPDX-License-Identifier: MIT */
/* The settings of an ipc namespace, sysvipc(7), mq_overview(7): sizes of shared memory segments,
 * semaphore sets, message queues. A new namespace has the kernel's defaults; a service finds what
 * the host's administrator has set. */
#pragma once

struct ipc_settings;

/* Those of the caller's namespace; never NULL. */
struct ipc_settings *ipc_observe(void);

/* Writes them into the caller's own, new namespace, through the /proc that is mounted now. What the
 * kernel refuses or does not know is left. */
void ipc_dress(const struct ipc_settings *s);
void ipc_settings_free(struct ipc_settings *s);
