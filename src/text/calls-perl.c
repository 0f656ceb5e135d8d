/* SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <string.h>

#include "base/alloc.h"
#include "text/calls.h"

static bool begins_statement(const struct script_scan *s)
{
	char c = scan_before(s);
	return !c || strchr(";{}'\"", c); /* eval 'use X' */
}

/* Modules that take the names of others as arguments. */
static bool loads_others(const char *module)
{
	static const char *const names[] = {"aliased", "autouse", "base", "if", "parent"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (streq(names[i], module))
			return true;
	return false;
}

/* q(x), qq(x), qw(x). */
static bool is_quote(const struct script_scan *s, size_t n)
{
	return n <= 2 && scan_peek(s, 0) == 'q';
}

/* The arguments of "use": modules among them have "::" in their name, unless @all are some. */
static void read_use_list(struct script_scan *s, struct script_scan *a, bool all)
{
	for (; scan_more(a) && scan_peek(a, 0) != ';'; scan_advance(a)) {
		const char *word = a->text + a->at;
		size_t n = scan_word(a, ":");
		if (!n)
			continue;
		bool name = isalpha((unsigned char)*word) && !memchr("$@%-", a->text[a->at - 1], 4);
		if (name && (memmem(word, n, "::", 2) || (all && !is_quote(a, n))))
			scan_add(s, word, n);
		a->at += n - 1;
	}
}

static void read_use(struct script_scan *s)
{
	struct script_scan a = scan_arguments(s);

	if (!begins_statement(s))
		return;
	scan_skip_blanks(&a, true);
	size_t n = scan_word(&a, ":");
	CLEANUP_STR char *name = xstrndup(a.text + a.at, n);
	a.at += n;
	if (streq(name, "lib"))
		call_dirs(&a);
	if ((!isalpha((unsigned char)name[0]) && name[0] != '_') ||
	    (name[0] == 'v' && isdigit((unsigned char)name[1])))
		return;
	/* It is done before any sub is called. */
	bool lazy = s->lazy;
	s->lazy = false;
	scan_add(s, name, n);
	read_use_list(s, &a, loads_others(name));
	s->lazy = lazy;
}

static void read_require(struct script_scan *s)
{
	struct script_scan a = scan_arguments(s);

	scan_skip_blanks(&a, true);
	size_t n = scan_word(&a, ":");
	if (isalpha((unsigned char)scan_peek(&a, 0)) && !is_quote(&a, n))
		scan_add(s, a.text + a.at, n);
	else
		call_module(s);
}

/* A sub that begins with its line and does not end on it. */
static void read_sub(struct script_scan *s)
{
	struct script_scan a = scan_arguments(s);

	scan_skip_to(&a, "}\n");
	s->lazy |= s->word == s->line_start && scan_peek(&a, 0) == '\n';
}

static void read_second(struct script_scan *s, struct script_scan *a)
{
	CLEANUP_STR char *line = NULL;

	scan_skip_blanks(a, true);
	if (scan_peek(a, 0) == ',')
		scan_advance(a);
	line = scan_first_string(a);
	if (line)
		scan_add_line(s, line);
}

/* open(F, "x |"), open(F, "| x"), open(my $f, "-|", "x"). */
static void read_open(struct script_scan *s)
{
	struct script_scan a = scan_arguments(s);

	scan_skip_to(&a, ",;\n");
	if (scan_peek(&a, 0) != ',')
		return;
	scan_advance(&a);
	CLEANUP_STR char *mode = scan_first_string(&a);
	size_t n = mode ? strlen(mode) : 0;
	if (!n)
		return;
	if (streq(mode, "-|") || streq(mode, "|-")) {
		read_second(s, &a);
	} else if (mode[0] == '|') {
		scan_add_line(s, mode + 1);
	} else if (mode[n - 1] == '|') {
		mode[n - 1] = '\0';
		scan_add_line(s, mode);
	}
}

/* open3($in, $out, $err, "x", ...): the first string. */
static void read_open3(struct script_scan *s)
{
	struct script_scan a = scan_arguments(s);

	scan_skip_to(&a, "'\";");
	call_command(&a);
}

static const struct call calls[] = {
    {"use", read_use},		 {"no", read_use},
    {"require", read_require},	 {"sub", read_sub},
    {"do", call_module},	 {"extends", call_module},
    {"load_class", call_module}, {"system", call_command},
    {"exec", call_command},	 {"qx", call_quoted},
    {"open", read_open},	 {"open2", read_open3},
    {"open3", read_open3},	 {NULL},
};

static const char *const signs[][2] = {
    {"\\N{", "_charnames"},
    {"charnames::", "unicore/Name.pl"}, /* read by the first look-up at run time */
    {"%+", "Tie::Hash::NamedCapture"},
    {"$+{", "Tie::Hash::NamedCapture"},
    {"$-{", "Tie::Hash::NamedCapture"},
    {":encoding(", "PerlIO"},
    {":encoding(", "PerlIO::encoding"},
    {"', \\", "PerlIO::scalar"},
    {"\", \\", "PerlIO::scalar"},
    /* Charsets, which Encode loads by name. */
    {"iso-8859-", "Encode::Byte"},
    {"ISO-8859-", "Encode::Byte"},
    {"cp125", "Encode::Byte"},
    {"windows-125", "Encode::Byte"},
    {"koi8-", "Encode::Byte"},
    {"UTF-16", "Encode::Unicode"},
    {"UCS-2", "Encode::Unicode"},
    {"big5", "Encode::TW"},
    {"euc-jp", "Encode::JP"},
    {"euc-kr", "Encode::KR"},
    {"gb2312", "Encode::CN"},
    {"iso-2022-jp", "Encode::JP"},
    {"shiftjis", "Encode::JP"},
    {NULL},
};

/* Its quotes cannot be told from its regular expressions. */
const struct dialect calls_perl = {
    .calls = calls,
    .shell = SHELL_MARKS,
    .joiners = ":",
    .comments = {{"#", "\n"}, {"\n=", "\n=cut"}, {"\n__END__"}, {"\n__DATA__"}},
    .backquotes = true,
    .braces = true,
    .signs = signs,
};
