/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/attr.h"
#include "text/shell.h"

static const struct shell_role roles[] = {
    {"!", ROLE_STAY},
    {"{", ROLE_STAY},
    {"}", ROLE_STAY},
    {"do", ROLE_STAY},
    {"done", ROLE_STAY},
    {"elif", ROLE_STAY},
    {"else", ROLE_STAY},
    {"fi", ROLE_STAY},
    {"if", ROLE_STAY},
    {"then", ROLE_STAY},
    {"until", ROLE_STAY},
    {"while", ROLE_STAY},
    {"esac", ROLE_STAY},
    {"coproc", ROLE_STAY},
    {"case", ROLE_CASE},
    {"for", ROLE_FOR},
    {"select", ROLE_FOR},
    {"in", ROLE_FOR},
    {"function", ROLE_FUNCTION},
    {"[[", ROLE_TEST},
    {".", ROLE_READ},
    {"source", ROLE_READ},
    {"eval", ROLE_EVAL},
    {"trap", ROLE_TRAP},

    {"sh", ROLE_INTERPRET, true},
    {"ash", ROLE_INTERPRET, true},
    {"bash", ROLE_INTERPRET, true},
    {"dash", ROLE_INTERPRET, true},
    {"ksh", ROLE_INTERPRET, true},
    {"su", ROLE_INTERPRET, true, NULL, 1},
    {"runuser", ROLE_INTERPRET, true, NULL, 1},
    {"zsh", ROLE_INTERPRET, true},

    {"builtin", ROLE_PREFIX},
    {"command", ROLE_PREFIX},
    {"exec", ROLE_PREFIX, false, "a"},
    {"time", ROLE_PREFIX, false, "fo"},
    {"chronic", ROLE_PREFIX, true},
    {"chroot", ROLE_PREFIX, true, NULL, 1},
    {"doas", ROLE_PREFIX, true, "uC"},
    {"env", ROLE_PREFIX, true, "uC"},
    {"flock", ROLE_PREFIX, true, "wEc", 1},
    {"ionice", ROLE_PREFIX, true, "cnpPu"},
    {"nice", ROLE_PREFIX, true, "n"},
    {"nohup", ROLE_PREFIX, true},
    {"setpriv", ROLE_PREFIX, true},
    {"setsid", ROLE_PREFIX, true},
    {"stdbuf", ROLE_PREFIX, true, "ioe"},
    {"sudo", ROLE_PREFIX, true, "ugCDhprtTU"},
    {"taskset", ROLE_PREFIX, true, NULL, 1},
    {"timeout", ROLE_PREFIX, true, "ks", 1},
    {"xargs", ROLE_PREFIX, true, "aEIdLnPs"},

    {":", ROLE_BUILTIN},
    {"[", ROLE_BUILTIN},
    {"alias", ROLE_BUILTIN},
    {"bg", ROLE_BUILTIN},
    {"bind", ROLE_BUILTIN},
    {"break", ROLE_BUILTIN},
    {"caller", ROLE_BUILTIN},
    {"cd", ROLE_BUILTIN},
    {"compgen", ROLE_BUILTIN},
    {"complete", ROLE_BUILTIN},
    {"continue", ROLE_BUILTIN},
    {"declare", ROLE_BUILTIN},
    {"dirs", ROLE_BUILTIN},
    {"disown", ROLE_BUILTIN},
    {"echo", ROLE_BUILTIN},
    {"enable", ROLE_BUILTIN},
    {"exit", ROLE_BUILTIN},
    {"export", ROLE_BUILTIN},
    {"false", ROLE_BUILTIN},
    {"fc", ROLE_BUILTIN},
    {"fg", ROLE_BUILTIN},
    {"getopts", ROLE_BUILTIN},
    {"hash", ROLE_BUILTIN},
    {"help", ROLE_BUILTIN},
    {"history", ROLE_BUILTIN},
    {"jobs", ROLE_BUILTIN},
    {"kill", ROLE_BUILTIN},
    {"let", ROLE_BUILTIN},
    {"local", ROLE_BUILTIN},
    {"logout", ROLE_BUILTIN},
    {"mapfile", ROLE_BUILTIN},
    {"popd", ROLE_BUILTIN},
    {"printf", ROLE_BUILTIN},
    {"pushd", ROLE_BUILTIN},
    {"pwd", ROLE_BUILTIN},
    {"read", ROLE_BUILTIN},
    {"readarray", ROLE_BUILTIN},
    {"readonly", ROLE_BUILTIN},
    {"return", ROLE_BUILTIN},
    {"set", ROLE_BUILTIN},
    {"shift", ROLE_BUILTIN},
    {"shopt", ROLE_BUILTIN},
    {"suspend", ROLE_BUILTIN},
    {"test", ROLE_BUILTIN},
    {"times", ROLE_BUILTIN},
    {"true", ROLE_BUILTIN},
    {"type", ROLE_BUILTIN},
    {"typeset", ROLE_BUILTIN},
    {"ulimit", ROLE_BUILTIN},
    {"umask", ROLE_BUILTIN},
    {"unalias", ROLE_BUILTIN},
    {"unset", ROLE_BUILTIN},
    {"wait", ROLE_BUILTIN},
};

const struct shell_role *shell_role_of(const struct shell_word *w)
{
	const char *name = w->text;

	for (size_t i = 0; i < ARRAY_LEN(roles); i++)
		if (streq(roles[i].name, name) && !(w->quoted && !roles[i].program))
			return &roles[i];
	/* "/bin/sh -c" is a shell too. */
	const char *slash = strrchr(name, '/');
	for (size_t i = 0; slash && i < ARRAY_LEN(roles); i++)
		if (roles[i].program && streq(roles[i].name, slash + 1))
			return &roles[i];
	return NULL;
}
