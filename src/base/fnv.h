/* SPDX-License-Identifier: MIT */
/* FNV-1a, 64 bits: quick, spreads well, keeps nobody from choosing bytes that collide. */
#pragma once

#include <stddef.h>
#include <stdint.h>

static inline uint64_t fnv(const void *bytes, size_t n)
{
	const unsigned char *b = bytes;
	uint64_t sum = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < n; i++)
		sum = (sum ^ b[i]) * UINT64_C(0x100000001b3);
	return sum;
}
