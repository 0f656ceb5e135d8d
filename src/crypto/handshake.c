/* SPDX-License-Identifier: MIT */
#include "crypto/handshake.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/attr.h"
#include "base/clock.h"

#define PATIENCE_MS	 2000
#define SILENT_MS	 1000 /* a server that waits for a line of text says nothing */
#define CERTIFICATE_DATE "a certificate made when it was started"

DEFINE_FREEP(SSL_CTX, SSL_CTX);
DEFINE_FREEP(SSL, SSL);
DEFINE_FREEP(X509, X509);

static void describe_certificate(const SSL *ssl, time_t since, char *text, size_t size)
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned len = 0;
	X509 *cert CLEANUP(X509_freep) = SSL_get1_peer_certificate(ssl);
	int n = snprintf(text, size, "%s, ", SSL_get_version(ssl));

	if (!cert) {
		snprintf(text + n, size - (size_t)n, "no certificate");
		return;
	}
	if (X509_cmp_time(X509_get0_notBefore(cert), &since) > 0 ||
	    !X509_digest(cert, EVP_sha256(), hash, &len)) {
		snprintf(text + n, size - (size_t)n, CERTIFICATE_DATE);
		return;
	}
	n += snprintf(text + n, size - (size_t)n, "certificate SHA-256 ");
	for (unsigned i = 0; i < len && (size_t)n < size; i++)
		n += snprintf(text + n, size - (size_t)n, "%02x", hash[i]);
}

/* 1: the handshake is done; 0: it failed; the error queue says how. */
static int carry_out(SSL *ssl, int fd)
{
	long begin = clock_ms();
	bool heard = false;

	for (;;) {
		int r = SSL_connect(ssl);
		if (r == 1)
			return 1;
		int want = SSL_get_error(ssl, r);
		if (want != SSL_ERROR_WANT_READ && want != SSL_ERROR_WANT_WRITE)
			return 0;
		struct pollfd p = {.fd = fd,
				   .events = want == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT};
		long left = begin + (heard ? PATIENCE_MS : SILENT_MS) - clock_ms();
		if (left <= 0 || poll(&p, 1, (int)left) <= 0)
			return 0;
		heard |= want == SSL_ERROR_WANT_READ;
	}
}

/* A server that speaks TLS but will not speak it with us says so in an alert. */
static void describe_failure(char *text, size_t size)
{
	int reason = ERR_GET_REASON(ERR_peek_error());

	if (reason > SSL_AD_REASON_OFFSET && reason < SSL_AD_REASON_OFFSET + 256)
		snprintf(text, size, "TLS, refused with alert %d", reason - SSL_AD_REASON_OFFSET);
	else
		snprintf(text, size, HANDSHAKE_NONE);
}

void handshake_describe(int fd, time_t since, char text[HANDSHAKE_TEXT])
{
	/* No configuration file: in the world, what it names is the service's to write. */
	OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	SSL_CTX *ctx CLEANUP(SSL_CTX_freep) = SSL_CTX_new(TLS_client_method());
	SSL *ssl CLEANUP(SSL_freep) = ctx ? SSL_new(ctx) : NULL;

	snprintf(text, HANDSHAKE_TEXT, HANDSHAKE_NONE);
	if (!ssl || fcntl(fd, F_SETFL, O_NONBLOCK) < 0 || !SSL_set_fd(ssl, fd))
		return;
	SSL_set_verify(ssl, SSL_VERIFY_NONE, NULL);
	SSL_set_security_level(ssl, 0); /* old servers have old keys */
	SSL_set_min_proto_version(ssl, TLS1_VERSION);
	ERR_clear_error();
	if (carry_out(ssl, fd) == 1) {
		describe_certificate(ssl, since, text, HANDSHAKE_TEXT);
		SSL_shutdown(ssl);
	} else
		describe_failure(text, HANDSHAKE_TEXT);
}
