/* SPDX-License-Identifier: MIT */
/* Secrets, by what stands in them: private keys, and files of password hashes. */
#pragma once

#include <stdbool.h>

/* Whether @text, the head of a file, has a private key in it (of PEM, PuTTY, age), a certificate
 * may stand before it; or whether its first line that is neither empty nor a comment is one of a
 * password file: "NAME:HASH" as crypt(5) and htpasswd write it, "NAME:{SCHEME}HASH" as LDAP and
 * Dovecot do, "NAME:REALM:HASH" of htdigest. */
bool secret_text(const char *text);

/* Whether a file of this name is a container of keys: what is in those says nothing legible. */
bool secret_name(const char *path);
