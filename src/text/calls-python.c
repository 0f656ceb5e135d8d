/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/alloc.h"
#include "text/calls.h"

static bool begins_statement(const struct script_scan *s)
{
	char c = scan_before(s);
	return !c || c == ':' || c == ';';
}

/* "a.b, c as d", up to the end of the line or of the parentheses, each with @prefix before it. */
static void read_names(struct script_scan *s, struct script_scan *a, const char *prefix)
{
	bool open = false, renamed = false;

	while (scan_more(a) && (open || scan_peek(a, 0) != '\n') && !scan_at_any(a, "#;)")) {
		size_t n = scan_word(a, ".");
		open |= scan_peek(a, 0) == '(';
		if (!n) {
			scan_advance(a);
			continue;
		}
		bool as = n == 2 && scan_at(a, "as");
		CLEANUP_STR char *name = xasprintf("%s%.*s", prefix, (int)n, a->text + a->at);
		if (!as && !renamed)
			scan_add(s, name, strlen(name));
		renamed = as;
		a->at += n;
	}
}

static void read_import(struct script_scan *s)
{
	struct script_scan a = scan_arguments(s);

	if (begins_statement(s))
		read_names(s, &a, "");
}

/* "from .x import y, z": x, and y and z in case they are modules too. */
static void read_from(struct script_scan *s)
{
	struct script_scan a = scan_arguments(s);

	if (!begins_statement(s))
		return;
	scan_skip_blanks(&a, false);
	size_t n = scan_word(&a, ".");
	CLEANUP_STR char *module = xstrndup(a.text + a.at, n);
	a.at += n;
	scan_skip_blanks(&a, false);
	if (!n || !scan_at(&a, "import"))
		return;
	a.at += strlen("import");
	scan_add(s, module, n);
	CLEANUP_STR char *prefix = xasprintf("%s%s", module, module[n - 1] == '.' ? "" : ".");
	read_names(s, &a, prefix);
}

/* A block that does not run when the module is loaded. */
static void read_def(struct script_scan *s)
{
	if (scan_before(s) || s->lazy)
		return;
	s->lazy = true;
	s->lazy_indent = s->word - s->line_start;
}

static void read_if(struct script_scan *s)
{
	struct script_scan a = scan_arguments(s);

	scan_skip_blanks(&a, false);
	if (scan_at(&a, "__name__") || scan_at(&a, "TYPE_CHECKING"))
		read_def(s);
}

static const struct call calls[] = {
    {"import", read_import},
    {"from", read_from},
    {"def", read_def},
    {"async", read_def},
    {"if", read_if},
    {"__import__", call_module},
    {"import_module", call_module},
    {"os.system", call_command},
    {"os.popen", call_command},
    {"os.execl", call_command},
    {"os.execlp", call_command},
    {"os.execv", call_command},
    {"os.execve", call_command},
    {"os.execvp", call_command},
    {"os.execvpe", call_command},
    {"shutil.which", call_command},
    {"subprocess.run", call_command},
    {"subprocess.call", call_command},
    {"Popen", call_command},
    {"check_call", call_command},
    {"check_output", call_command},
    {"getoutput", call_command},
    {"getstatusoutput", call_command},
    {"create_subprocess_exec", call_command},
    {"create_subprocess_shell", call_command},
    {"path.insert", call_dirs},
    {"path.append", call_dirs},
    {NULL},
};

static const char *const signs[][2] = {
    {"strptime", "_strptime"},	/* by the C code of time and datetime */
    {"os.popen", "subprocess"}, /* inside of it */
    {NULL},
};

const struct dialect calls_python = {
    .calls = calls,
    .shell = SHELL_MARKS " ",
    .joiners = ".",
    .comments = {{"#", "\n"}},
    .strings = true,
    .indents = true,
    .signs = signs,
};
