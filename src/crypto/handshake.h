/* SPDX-License-Identifier: MIT */
/* Part of the module (crypto.h): call it through that.
 *
 * Whether a port speaks TLS, and what it shows to whoever connects. */
#pragma once

#include <stddef.h>
#include <time.h>

#define HANDSHAKE_TEXT 128
#define HANDSHAKE_NONE "no TLS"

/* Begins TLS on the connected stream socket @fd and writes into @text what came of it, the same
 * each time: "TLSv1.3, certificate SHA-256 12ab...", or HANDSHAKE_NONE. Nothing is verified: this
 * is no client of the service. A certificate that was made after @since (the wall clock when the
 * service was started) differs each time: it is named without its hash. Takes two seconds at most,
 * and one where the other side says nothing at all. */
void handshake_describe(int fd, time_t since, char text[HANDSHAKE_TEXT]);
