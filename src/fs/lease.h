/* SPDX-License-Identifier: MIT */
/* Whether a file is open elsewhere, by the kernel's own count: it gives a lease, fcntl(2), on what
 * nobody has open in a way that is against it. Given back at once; whoever opens the file in that
 * moment waits for as long. */
#pragma once

/* @fd is of a regular file, open for reading alone; @kind is F_WRLCK (nobody else has it open at
 * all, nor executes it) or F_RDLCK (nobody has it open for writing, or mapped so). 0, -EAGAIN where
 * somebody has, another -errno where nobody knows (file systems without leases). */
int lease_try(int fd, int kind);
