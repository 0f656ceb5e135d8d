/* SPDX-License-Identifier: MIT */
/* Compiler attributes under short names, and the cleanup idiom.
 *
 * CLEANUP(free_fn) runs free_fn(&variable) when the variable leaves its scope; steal_ptr() and
 * take_fd() hand the value over to someone else, so that nothing is released here. */
#pragma once

#include <stddef.h>

#define CLEANUP(fn)  __attribute__((cleanup(fn)))
#define PRINTF(f, a) __attribute__((format(printf, f, a)))
#define MUST_CHECK   __attribute__((warn_unused_result))
#define NORETURN     __attribute__((noreturn))
#define UNUSED	     __attribute__((unused))
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* The value of @ptr; @ptr itself becomes NULL, so that its CLEANUP releases nothing. */
#define steal_ptr(ptr)                                                                             \
	({                                                                                         \
		__typeof__(ptr) stolen_ = (ptr);                                                   \
		(ptr) = NULL;                                                                      \
		stolen_;                                                                           \
	})

/* Defines TYPE *'s cleanup function NAME_freep() from NAME_free(). */
#define DEFINE_FREEP(type, name)                                                                   \
	static inline void name##_freep(type **p)                                                  \
	{                                                                                          \
		name##_free(*p);                                                                   \
	}                                                                                          \
	struct attr_semicolon_
