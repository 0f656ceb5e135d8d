/* SPDX-License-Identifier: MIT */
/* PORT: whose certificate the server on 127.0.0.1 has, if the authorities of this host know it. */
#include "asked.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

static void tell(SSL *ssl, FILE *out)
{
	char name[256];

	if (SSL_connect(ssl) != 1) {
		fprintf(out, "error: %s\n",
			X509_verify_cert_error_string(SSL_get_verify_result(ssl)));
		return;
	}
	X509_NAME_oneline(X509_get_subject_name(SSL_get0_peer_certificate(ssl)), name,
			  sizeof(name));
	fprintf(out, "%s\n", name);
}

void answer(const char *const words[4], FILE *out)
{
	char address[64];
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	snprintf(address, sizeof(address), "127.0.0.1:%s", words[0]);
	SSL_CTX_set_default_verify_paths(ctx);
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	BIO *bio = BIO_new_connect(address);
	SSL *ssl = SSL_new(ctx);
	if (BIO_do_connect(bio) == 1) {
		SSL_set_bio(ssl, bio, bio);
		tell(ssl, out);
	} else {
		fprintf(out, "error: nobody at %s\n", address);
		BIO_free_all(bio);
	}
	SSL_free(ssl);
	SSL_CTX_free(ctx);
}
