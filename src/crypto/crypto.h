/* SPDX-License-Identifier: MIT */
/* Hashes and TLS are OpenSSL's, in a module that is loaded when they are first asked for: to load
 * libcrypto and libssl takes a start of a jail, which needs neither, as long as all the rest of it
 * (1 of 2.2 ms, Debian 12). The program carries the module along, as it carries immure-launch. */
#pragma once

#include <stddef.h>
#include <time.h>

#include "base/err.h"

#define CRYPTO_HASH	32 /* bytes of a SHA-256 */
#define CRYPTO_HASH_HEX 65 /* as text */

struct crypto_part {
	const void *bytes;
	size_t n;
};

struct crypto {
	/* SHA-256 of what @fd still has to read. 0 or -errno. */
	int (*hash_file)(int fd, unsigned char ret[CRYPTO_HASH]);

	/* SHA-256 of the parts, one behind the other. 0 or -errno. */
	int (*hash_parts)(const struct crypto_part *v, size_t n, unsigned char ret[CRYPTO_HASH]);

	/* handshake_describe(), crypto/handshake.h. */
	void (*handshake)(int fd, time_t since, char *text);
};

/* The module, loaded once; NULL with a message where it cannot be (libssl is not there). */
const struct crypto *crypto_load(struct err *e);

/* @hash as 64 hexadecimal digits. */
void crypto_hex(const unsigned char hash[CRYPTO_HASH], char ret[CRYPTO_HASH_HEX]);
