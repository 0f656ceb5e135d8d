/* SPDX-License-Identifier: MIT */
#include "crypto/crypto.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>

#include "base/fd.h"

/* The module's bytes: made by the build, src/crypto/meson.build. */
extern const unsigned char crypto_module[];
extern const unsigned crypto_module_size;

const struct crypto *crypto_load(struct err *e)
{
	static const struct crypto *loaded;
	char path[40];

	if (loaded)
		return loaded;
	CLEANUP_FD int fd = fd_memory("immure-crypto", crypto_module, crypto_module_size);
	if (fd < 0) {
		err_errno(e, fd, "making room for the part of immure that hashes");
		return NULL;
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	loaded = module ? dlsym(module, "immure_crypto") : NULL;
	if (!loaded)
		err_set(e, -ENOENT, "hashes and TLS need OpenSSL's libraries: %s", dlerror());
	return loaded;
}

void crypto_hex(const unsigned char hash[CRYPTO_HASH], char ret[CRYPTO_HASH_HEX])
{
	for (int i = 0; i < CRYPTO_HASH; i++)
		snprintf(ret + 2 * (ptrdiff_t)i, 3, "%02x", hash[i]);
}
