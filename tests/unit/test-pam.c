/* SPDX-License-Identifier: MIT */
/* Lines of PAM's files, old and new form. */
#include "text/pam.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/attr.h"
#include "check.h"

/* One line a row: "LINE|SERVICE|TYPE|CONTROL|MODULE|ARG,ARG;", new. */
static char *parsed(const char *text, size_t len, bool conf)
{
	struct pam_lines p CLEANUP_PAM_LINES = PAM_LINES_INIT;
	char *out = xstrdup("");

	pam_parse(text, len, conf, &p);
	for (size_t i = 0; i < p.n; i++) {
		const struct pam_line *l = &p.v[i];
		char *more = xasprintf("%s%u|%s|%s|%s|%s|", out, l->line, l->service, l->type,
				       l->control, l->module);
		for (size_t a = 0; a < l->arguments.n; a++) {
			char *longer = xasprintf("%s%s,", more, l->arguments.v[a]);
			free(more);
			more = longer;
		}
		free(out);
		out = xasprintf("%s;", more);
		free(more);
	}
	return out;
}

static const struct {
	const char *text;
	bool conf;
	const char *want;
} rows[] = {
    {"", false, ""},
    {"#%PAM-1.0\n\n  # auth required x.so\n", false, ""},
    {"auth required pam_unix.so nullok try_first_pass\n", false,
     "1||auth|required|pam_unix.so|nullok,try_first_pass,;"},
    {"@include common-auth\n", false, "1|||@include|common-auth|;"},
    {"auth\tinclude\tsystem-auth\naccount substack /etc/pam.d/x", false,
     "1||auth|include|system-auth|;2||account|substack|/etc/pam.d/x|;"},
    {"-session optional pam_systemd.so\n", false, "1||session|optional|pam_systemd.so|;"},
    {"AUTH Required pam_deny.so # no\n", false, "1||auth|Required|pam_deny.so|;"},
    {"account [success=1 new_authtok_reqd=done default=ignore] pam_unix.so\n", false,
     "1||account|[success=1 new_authtok_reqd=done default=ignore]|pam_unix.so|;"},
    {"auth required pam_mysql.so [query=select a[0\\] from b] crypt=1", false,
     "1||auth|required|pam_mysql.so|query=select a[0] from b,crypt=1,;"},
    {"auth required \\\n   pam_env.so \\\n envfile=/x\nauth required b.so\n", false,
     "1||auth|required|pam_env.so|envfile=/x,;4||auth|required|b.so|;"},
    {"other auth required pam_deny.so\nsshd session [default=1] pam_x.so a\n", true,
     "1|other|auth|required|pam_deny.so|;2|sshd|session|[default=1]|pam_x.so|a,;"},
    {"auth required\nauth\nnonsense required x.so\n@include\n", false, ""},
    {"auth @include x", false, ""},
    {"auth [open control pam_x.so", false, ""},
    {"auth required []\n", false, ""},
    {"auth required x.so \\", false, "1||auth|required|x.so|;"},
};

int main(void)
{
	static const char with_nul[] = "auth required a\0b\nauth required c.so\n";

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP_STR char *got = parsed(rows[i].text, strlen(rows[i].text), rows[i].conf);
		CHECK_STR(got, rows[i].want);
	}
	CLEANUP_STR char *got = parsed(with_nul, sizeof(with_nul) - 1, false);
	CHECK_STR(got, "1||auth|required|a|;2||auth|required|c.so|;");
	return check_done("pam");
}
