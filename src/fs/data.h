/* SPDX-License-Identifier: MIT */
/* The bytes of one open file into another, in few system calls. */
#pragma once

#include <sys/stat.h>

/* Bytes taken at most from a file that says its size is 0 and has content all the same, as those of
 * procfs do: some of them never end. */
#define DATA_PSEUDO_MAX (64 << 20)

/* Copies @in, whose size and blocks @st tells, into the empty file @out; both at offset 0. Blocks
 * are shared where the file system can (FICLONE), holes stay holes. Returns 0, -EFBIG for a pseudo
 * file without end, -ESTALE where @in has another size afterwards than @st says, or -errno. */
int data_copy(int in, int out, const struct stat *st);
