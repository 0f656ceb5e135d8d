/* SPDX-License-Identifier: MIT */
#include "text/tmpfiles.h"

#include "base/attr.h"
#include "base/str.h"
#include "check.h"

static const struct {
	const char *text, *path;
	mode_t mode; /* 0: no line of it makes the directory */
	const char *user, *group;
} rows[] = {
    {"d /run/haproxy 2775 haproxy haproxy -\n", "/run/haproxy", 02775, "haproxy", "haproxy"},
    {"d\t/run/x\t0700\t1000\troot\t-\t-", "/run/x", 0700, "1000", "root"},
    {"# d /run/x 0700\nd /run/y 0750\nd /run/x 0711 a b\n", "/run/x", 0711, "a", "b"},
    {"d /run/x 0711\nd /run/x 0700\n", "/run/x", 0711, NULL, NULL},
    {"d /var/run/ircd 0755 irc irc", "/run/ircd", 0755, "irc", "irc"},
    {"D! /run/x - - -", "/run/x", 0755, NULL, NULL},
    {"d- /run/x :0700 root :adm -", "/run/x", 0700, "root", "adm"},
    {"d /run/x/ ~1777", "/run/x", 01777, NULL, NULL},
    {"d \"/run/a b\" 0700 'u'", "/run/a b", 0700, "u", NULL},
    {"d /run/x", "/run/x", 0755, NULL, NULL},
    {"d /run/x rwx", "/run/x", 0755, NULL, NULL},
    {"d /run/x 9", "/run/x", 0755, NULL, NULL},
    {"f /run/x 0644", "/run/x", 0, NULL, NULL},
    {"dir /run/x 0644", "/run/x", 0, NULL, NULL},
    {"d /run/xy 0755", "/run/x", 0, NULL, NULL},
    {"d /run/%i 0755", "/run/%i", 0, NULL, NULL},
    {"d run/x 0755", "/run/x", 0, NULL, NULL},
    {"d", "/run/x", 0, NULL, NULL},
    {"d \"", "/run/x", 0, NULL, NULL},
    {"", "/run/x", 0, NULL, NULL},
};

int main(void)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct tmpfiles_dir d CLEANUP_TMPFILES_DIR = TMPFILES_DIR_INIT;
		int before = check_failed;
		bool found = tmpfiles_find(rows[i].text, strlen(rows[i].text), rows[i].path, &d);
		CHECK_INT(found, rows[i].mode != 0);
		CHECK_INT(d.mode, rows[i].mode);
		CHECK_STR(d.user, rows[i].user);
		CHECK_STR(d.group, rows[i].group);
		if (check_failed != before)
			printf("# %s\n", rows[i].text);
	}
	return check_done("tmpfiles");
}
