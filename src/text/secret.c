/* SPDX-License-Identifier: MIT */
#include "text/secret.h"

#include <ctype.h>
#include <string.h>

#include "base/attr.h"
#include "base/str.h"

#define MD5_DIGITS 32 /* of htdigest */

static const char *const key_marks[] = {"PRIVATE KEY-----", "PuTTY-User-Key-File",
					"AGE-SECRET-KEY-"};

static const char *const key_stores[] = {".jceks",  ".jks", ".kdbx", ".keystore",
					 ".keytab", ".p12", ".pfx"};

static const char alphanumeric[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/* "$6$salt...", "$2y$10$...", "{SSHA}...", "{SHA512-CRYPT}...": something follows the scheme. */
static bool is_hash(const char *s)
{
	if (*s != '$' && *s != '{')
		return false;
	const char *end = s + 1 + strspn(s + 1, alphanumeric);
	while (*s == '{' && (*end == '-' || *end == '.'))
		end += 1 + strspn(end + 1, alphanumeric);
	return end > s + 1 && *end == (*s == '{' ? '}' : '$') && isgraph((unsigned char)end[1]);
}

/* To the end of its line. */
static bool is_digest(const char *s)
{
	return strspn(s, "0123456789abcdef") == MD5_DIGITS && strchr("\r\n", s[MD5_DIGITS]);
}

static bool is_password_line(const char *line)
{
	size_t name = strcspn(line, ": \t\r\n");
	const char *second = line + name + 1;

	if (!name || line[name] != ':')
		return false;
	if (is_hash(second))
		return true;
	size_t realm = strcspn(second, ":\r\n");
	return second[realm] == ':' && is_digest(second + realm + 1);
}

/* The first line that says something. */
static const char *first_line(const char *text)
{
	for (text += strspn(text, " \t\r\n"); *text == '#'; text += strspn(text, " \t\r\n"))
		text += strcspn(text, "\n");
	return text;
}

bool secret_text(const char *text)
{
	for (size_t i = 0; i < ARRAY_LEN(key_marks); i++)
		if (strstr(text, key_marks[i]))
			return true;
	return is_password_line(first_line(text));
}

bool secret_name(const char *path)
{
	for (size_t i = 0; i < ARRAY_LEN(key_stores); i++)
		if (str_ends(path, key_stores[i]))
			return true;
	return false;
}
