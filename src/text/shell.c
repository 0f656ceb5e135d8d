/* SPDX-License-Identifier: MIT */
#include "text/shell.h"

#include <limits.h>
#include <string.h>

#include "base/alloc.h"

/* Where a list of commands stands. */
struct list {
	bool command;		      /* the next word is one */
	const struct shell_role *row; /* of the command that the words belong to, or NULL */
	unsigned operands;	      /* of a prefix, still to come */
	bool take_next;		      /* the next word belongs to an option */
	bool text_next;		      /* it is shell text: sh -c */
	unsigned cases;		      /* that are open */
	bool pattern;		      /* in front of a case's ")" */
};

static void begin_command(struct list *l)
{
	*l = (struct list){.command = true, .cases = l->cases, .pattern = l->pattern};
}

/* Text that a command will take as a script of its own. */
static void read_inner(struct shell *s, const struct shell_word *w)
{
	struct shell inner = {.script = s->script,
			      .text = w->text,
			      .len = w->n,
			      .line = w->line,
			      .last_line = s->line};

	s->script->inner += w->n;
	while (shell_more(&inner) && s->script->depth < SHELL_DEPTH_MAX &&
	       s->script->inner < SHELL_INNER_MAX)
		shell_read_commands(&inner, 0);
}

/* NAME=, NAME+=, NAME[...]=. */
static bool is_assignment(const struct shell_word *w)
{
	size_t n = 0;

	while (shell_is_name(w->text[n], n == 0))
		n++;
	if (n && w->text[n] == '[')
		n += strcspn(w->text + n, "=");
	return n && (w->text[n] == '=' || (w->text[n] == '+' && w->text[n + 1] == '='));
}

/* Past the words of an array, whose "(" is next. */
static void skip_array(struct shell *s)
{
	struct shell_word w;

	s->at++;
	while (shell_more(s) && shell_peek(s, 0) != ')') {
		size_t at = s->at;
		shell_read_word(s, &w);
		if (s->at == at) {
			if (shell_peek(s, 0) == '\n')
				shell_count_line(s);
			s->at++;
		}
	}
	if (shell_more(s))
		s->at++;
}

static void assign(struct shell *s, const struct shell_word *w)
{
	if (shell_peek(s, 0) == '(')
		skip_array(s);
	else if (w->plain && s->script->variables.n < SHELL_VARIABLES_MAX)
		strv_add(&s->script->variables, w->text);
}

static void name_program(struct shell *s, const struct shell_word *w)
{
	/* A variable that is not quoted may hold a program and its arguments. */
	size_t n = w->quoted ? w->n : strcspn(w->text, " \t");

	if (w->plain && w->text[0] != '-' && strcspn(w->text, "*?[]{}=,'\"$<>|&;()") >= n)
		script_words_add(s->script->found, w->text, n, w->line, false, false);
}

static void name_file(struct shell *s, const struct shell_word *w)
{
	if (w->plain)
		script_words_add(s->script->found, w->text, w->n, w->line, true, false);
}

/* The option of a prefix, or a word between it and its command. */
static bool belongs_to_prefix(struct list *l, const struct shell_word *w)
{
	if (!l->row)
		return false;
	if (l->take_next) {
		l->take_next = false;
		return true;
	}
	if (w->text[0] == '-') {
		const char *options = l->row->options ? l->row->options : "";
		l->take_next = w->n == 2 && strchr(options, w->text[1]);
		return true;
	}
	if (is_assignment(w))
		return true;
	return l->operands && l->operands--;
}

static void define_function(struct shell *s, const struct shell_word *w)
{
	if (w->plain && s->script->functions.n < SCRIPT_WORDS_MAX)
		strv_add(&s->script->functions, w->text);
}

/* "name ()", which is passed. */
static bool is_definition(struct shell *s)
{
	size_t n = 0;

	while (shell_peek(s, n) == ' ' || shell_peek(s, n) == '\t')
		n++;
	if (shell_peek(s, n) != '(')
		return false;
	for (n++; shell_peek(s, n) == ' ';)
		n++;
	if (shell_peek(s, n) != ')')
		return false;
	s->at += n + 1;
	return true;
}

static void command_word(struct shell *s, struct list *l, const struct shell_word *w)
{
	if (belongs_to_prefix(l, w))
		return;
	if (!l->row && !w->quoted && is_definition(s)) {
		define_function(s, w);
		return;
	}
	if (!l->row && is_assignment(w)) {
		assign(s, w);
		return;
	}
	const struct shell_role *row = shell_role_of(w);
	if (row && row->role == ROLE_STAY)
		return;
	if (!row || row->program)
		name_program(s, w);
	l->command = row && row->role == ROLE_PREFIX;
	l->row = row;
	l->operands = row ? row->operands : 0;
	if (row && row->role == ROLE_CASE)
		l->cases++;
}

/* Options whose next word is a program: of find, of start-stop-daemon. */
static bool runs_next(const char *option)
{
	static const char *const options[] = {"-exec", "-execdir", "-ok", "--exec", "--startas"};

	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		if (streq(options[i], option))
			return true;
	return false;
}

/* An argument of a shell: -c and the text behind it, or a file. */
static void interpreter_word(struct shell *s, struct list *l, const struct shell_word *w)
{
	if (l->text_next) {
		read_inner(s, w);
		l->row = NULL;
	} else if (w->text[0] == '-') {
		l->text_next = strchr(w->text, 'c');
	} else if (l->operands) {
		l->operands--;
	} else {
		name_file(s, w);
		l->row = NULL;
	}
}

static void argument_word(struct shell *s, struct list *l, const struct shell_word *w)
{
	switch (l->row ? l->row->role : ROLE_BUILTIN) {
	case ROLE_READ:
		name_file(s, w);
		l->row = NULL; /* only the first word */
		break;
	case ROLE_EVAL:
		read_inner(s, w);
		break;
	case ROLE_TRAP:
		read_inner(s, w);
		l->row = NULL;
		break;
	case ROLE_INTERPRET:
		interpreter_word(s, l, w);
		break;
	case ROLE_TEST:
		if (streq(w->text, "]]"))
			l->row = NULL;
		break;
	case ROLE_FUNCTION:
		define_function(s, w);
		is_definition(s);
		begin_command(l);
		break;
	case ROLE_CASE:
		if (streq(w->text, "in") && !w->quoted) {
			begin_command(l);
			l->pattern = true;
		}
		break;
	default:
		if (runs_next(w->text))
			begin_command(l);
	}
}

/* The word at hand. False: there is none, an operator or what closes the list is next. */
static bool take_word(struct shell *s, struct list *l)
{
	struct shell_word w;
	size_t at = s->at;

	shell_read_word(s, &w);
	if (s->at == at)
		return false;
	char after = shell_peek(s, 0);
	if ((after == '<' || after == '>') && strspn(w.text, "0123456789") == w.n)
		return true; /* "2>" */
	if (l->pattern) {
		if (streq(w.text, "esac") && !w.quoted) {
			l->pattern = false;
			l->cases -= l->cases > 0;
		}
	} else if (l->command) {
		if (streq(w.text, "esac") && !w.quoted)
			l->cases -= l->cases > 0;
		command_word(s, l, &w);
	} else {
		argument_word(s, l, &w);
	}
	return true;
}

static void skip_blanks(struct shell *s)
{
	while (shell_peek(s, 0) == ' ' || shell_peek(s, 0) == '\t' || shell_peek(s, 0) == '\r')
		s->at++;
}

static void note_here(struct shell *s, bool tabs)
{
	struct shell_word w;

	skip_blanks(s);
	shell_read_word(s, &w);
	if (!w.n || w.n >= sizeof(s->here[0].end) || s->n_here == SHELL_HERE_MAX)
		return;
	struct shell_here *h = &s->here[s->n_here++];
	*h = (struct shell_here){.n = w.n, .tabs = tabs, .quoted = w.quoted};
	memcpy(h->end, w.text, w.n);
}

/* At "<" or ">": the operator, and the word it takes. */
static void redirect(struct shell *s)
{
	struct shell_word w;
	bool here = shell_peek(s, 0) == '<' && shell_peek(s, 1) == '<';

	if (shell_peek(s, 1) == '(') {
		s->at += 2;
		shell_read_commands(s, ')');
		return;
	}
	if (here && shell_peek(s, 2) != '<') {
		bool tabs = shell_peek(s, 2) == '-';
		s->at += tabs ? 3 : 2;
		note_here(s, tabs);
		return;
	}
	while (shell_peek(s, 0) && strchr("<>&|", shell_peek(s, 0)))
		s->at++;
	skip_blanks(s);
	shell_read_word(s, &w);
}

static void end_line(struct shell *s, struct list *l)
{
	s->at++;
	shell_count_line(s);
	shell_skip_here(s);
	/* "case x" may be on another line than its "in". */
	if (!l->row || l->row->role != ROLE_CASE)
		begin_command(l);
}

static void skip_comment(struct shell *s)
{
	while (shell_more(s) && shell_peek(s, 0) != '\n')
		s->at++;
}

static void open_list(struct shell *s, struct list *l)
{
	if (l->pattern) {
		s->at++;
		return;
	}
	l->command = false;
	if (shell_peek(s, 1) == '(') {
		shell_skip_arithmetic(s);
		return;
	}
	s->at++;
	shell_read_commands(s, ')');
}

/* Between "[[" and "]]" operators compare. */
static bool in_test(const struct list *l)
{
	return l->row && l->row->role == ROLE_TEST;
}

/* The operator at hand. False where it closes the list. */
static bool take_operator(struct shell *s, struct list *l)
{
	char c = shell_peek(s, 0);

	if (c == s->close && c && !l->pattern) {
		s->at++;
		return false;
	}
	if (in_test(l) && c != '\n') {
		s->at++;
	} else if (c == '<' || c == '>') {
		redirect(s);
	} else if (c == '&' && shell_peek(s, 1) == '>') {
		s->at++;
		redirect(s);
	} else if (c == '(') {
		open_list(s, l);
	} else if (c == '\n') {
		end_line(s, l);
	} else {
		bool next_case =
		    c == ';' && l->cases && (shell_peek(s, 1) == ';' || shell_peek(s, 1) == '&');
		s->at += next_case ? 2 : 1;
		begin_command(l);
		l->pattern = next_case || (l->pattern && c != ')');
	}
	return true;
}

void shell_read_commands(struct shell *s, char close)
{
	struct list l = {.command = true};
	const char outer = s->close;
	bool more = s->script->depth++ < SHELL_DEPTH_MAX;

	if (!more)
		s->at = s->len;
	s->close = close;
	while (more && shell_more(s)) {
		skip_blanks(s);
		if (shell_peek(s, 0) == '#')
			skip_comment(s);
		else if (shell_more(s) && !take_word(s, &l))
			more = take_operator(s, &l);
	}
	s->close = outer;
	s->script->depth--;
}

void script_words_shell(const char *text, size_t len, unsigned line, unsigned depth,
			struct script_words *ret)
{
	struct script_words found CLEANUP_SCRIPT_WORDS = SCRIPT_WORDS_INIT;
	struct shell_script script = {.found = &found, .depth = depth};
	struct shell s = {
	    .script = &script, .text = text, .len = len, .line = line, .last_line = UINT_MAX};

	while (shell_more(&s) && depth < SHELL_DEPTH_MAX)
		shell_read_commands(&s, 0);
	for (size_t i = 0; i < found.n; i++) {
		const struct script_word *w = &found.v[i];
		if (w->module || !strv_has(&script.functions, w->text))
			script_words_add(ret, w->text, strlen(w->text), w->line, w->module,
					 w->lazy);
	}
	strv_done(&script.functions);
	strv_done(&script.variables);
}
