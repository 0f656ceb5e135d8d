/* SPDX-License-Identifier: MIT */
/* Small files that are whole or not there: written under a temporary name (fs/temp.h), flushed to
 * disk, renamed. Whatever kills the writer, a reader finds the old bytes or the new ones. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

/* Makes @name (one component, else -EINVAL) in directory @dirfd (O_PATH will do) hold exactly
 * @data, with @mode whatever the umask and our owner; flushed, and its name with it. Replaces a
 * file or a link that is there. Returns 0 or -errno; then nothing has changed, except that after a
 * failure to flush the directory (-EIO) the new file is there and may not survive a power failure.
 */
int atomic_write(int dirfd, const char *name, const void *data, size_t len, mode_t mode);

/* Reads all of the regular file @name, at most @max bytes (else -EFBIG), into a new NUL-terminated
 * buffer, the caller's to free. No link is followed (-ELOOP) and nothing else than a regular file
 * read (-EINVAL). Returns 0 or -errno; @ret_len may be NULL. */
int atomic_read(int dirfd, const char *name, size_t max, char **ret_data, size_t *ret_len);
