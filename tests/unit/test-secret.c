/* SPDX-License-Identifier: MIT */
/* What is a secret by its text or its name, and what only looks like one. */
#include "text/secret.h"

#include "base/attr.h"
#include "check.h"

#define MD5 "0123456789abcdef0123456789abcdef"

static const struct {
	const char *text;
	bool secret;
} texts[] = {
    {"", false},
    {"-----BEGIN EC PRIVATE KEY-----\nabc\n", true},
    {"-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----\n"
     "-----BEGIN ENCRYPTED PRIVATE KEY-----\n",
     true},
    {"-----BEGIN CERTIFICATE-----\nabc\n", false},
    {"-----BEGIN PUBLIC KEY-----\nabc\n", false},
    {"PuTTY-User-Key-File-3: ssh-ed25519\n", true},
    {"# created: 2026\nAGE-SECRET-KEY-1ABC\n", true},

    {"bird:$apr1$salt$hash\n", true},
    {"bird:$2y$10$hash", true},
    {"bird:$y$j9T$salt$hash:1001:::/home/bird\n", true},
    {"\n# who may come\n\r\n  # and see\nbird:$6$salt$hash\n", true},
    {"bird:{SHA}hash=\n", true},
    {"bird:{SHA512-CRYPT}$6$salt$hash\n", true},
    {"bird@cage.test:{PLAIN}seed::::\n", true},
    {"bird:the cage:" MD5 "\n", true},
    {"bird:the cage:" MD5, true},

    {"bird:x:1001:1001::/home/bird:/bin/sh\n", false},
    {"bird:!:19000::::::\n", false},
    {"bird:the cage:" MD5 "0\n", false},
    {"bird:$\n", false},
    {"bird:$6$\n", false},
    {"bird:{}\n", false},
    {"bird:{SHA}\n", false},
    {"bird:${HOME}/nest\n", false},
    {"path:$HOME/nest\n", false},
    {":$6$salt$hash\n", false},
    {"password: $6$salt$hash\n", false},
    {"the bird:$6$salt$hash\n", false},
    {"user = bird\nbird:$6$salt$hash\n", false},
    {"#", false},
    {"# only this", false},
};

int main(void)
{
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		CHECK_INT(secret_text(texts[i].text), texts[i].secret);
		if (secret_text(texts[i].text) != texts[i].secret)
			printf("# %zu: %s\n", i, texts[i].text);
	}
	CHECK(secret_name("/srv/app/site.p12") && secret_name("/etc/krb5.keytab"));
	CHECK(!secret_name("/srv/p12") && !secret_name("/srv/site.p12.txt") &&
	      !secret_name("/srv/site.crt"));
	return check_done("secret");
}
