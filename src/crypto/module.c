/* SPDX-License-Identifier: MIT */
/* What is loaded: all that links OpenSSL. */
#include <errno.h>
#include <openssl/evp.h>
#include <unistd.h>

#include "base/attr.h"
#include "crypto/crypto.h"
#include "crypto/handshake.h"

DEFINE_FREEP(EVP_MD_CTX, EVP_MD_CTX);

static EVP_MD_CTX *begin(void)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	if (ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL))
		return ctx;
	EVP_MD_CTX_free(ctx);
	return NULL;
}

static int hash_file(int fd, unsigned char ret[CRYPTO_HASH])
{
	EVP_MD_CTX *ctx CLEANUP(EVP_MD_CTX_freep) = begin();
	unsigned char buf[65536];
	ssize_t n;

	if (!ctx)
		return -ENOMEM;
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		EVP_DigestUpdate(ctx, buf, (size_t)n);
	if (n < 0)
		return -errno;
	return EVP_DigestFinal_ex(ctx, ret, NULL) ? 0 : -EIO;
}

static int hash_parts(const struct crypto_part *v, size_t n, unsigned char ret[CRYPTO_HASH])
{
	EVP_MD_CTX *ctx CLEANUP(EVP_MD_CTX_freep) = begin();

	for (size_t i = 0; ctx && i < n; i++)
		EVP_DigestUpdate(ctx, v[i].bytes, v[i].n);
	return ctx && EVP_DigestFinal_ex(ctx, ret, NULL) ? 0 : -EIO;
}

extern const struct crypto immure_crypto;
__attribute__((visibility("default"))) const struct crypto immure_crypto = {
    .hash_file = hash_file,
    .hash_parts = hash_parts,
    .handshake = handshake_describe,
};
