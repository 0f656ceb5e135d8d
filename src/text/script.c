/* SPDX-License-Identifier: MIT */
#include "text/script.h"

#include <ctype.h>
#include <string.h>

#include "base/alloc.h"
#include "base/path.h"
#include "elf/interp.h"
#include "text/script-words.h"

/* What the kernel reads of a file it executes: BINPRM_BUF_SIZE. */
#define HEAD_MAX 256

#define BLANKS " \t"

/* Options of env(1) that take the next word with them. */
static const char *const env_options[] = {"-u", "--unset", "-C", "--chdir"};

static bool takes_word(const char *option)
{
	for (size_t i = 0; i < ARRAY_LEN(env_options); i++)
		if (streq(option, env_options[i]))
			return true;
	return false;
}

/* The program in what env is given: behind options ("-S" may hold the rest) and assignments. */
static void find_env_program(const char *argument, char *ret, size_t size)
{
	char words[HEAD_MAX], *rest = words, *word;
	bool skip = false;

	strcpy(words, argument);
	while ((word = strsep(&rest, BLANKS "'\""))) {
		const char *split = str_after(word, "-S");
		if (!split)
			split = str_after(word, "--split-string=");
		if (split)
			word += split - word;
		bool passed = !*word || *word == '-' || strchr(word, '=') || skip;
		skip = *word ? takes_word(word) : skip;
		if (passed)
			continue;
		memcpy(ret, word, strlen(word) + 1 < size ? strlen(word) + 1 : size);
		return;
	}
}

/* What stands behind the interpreter's name, without blanks around it, as load_script() does. */
static void copy_argument(const char *line, const char *interpreter, char *ret)
{
	const char *at = strstr(line, interpreter) + strlen(interpreter);
	size_t n;

	at += strspn(at, BLANKS);
	n = strcspn(at, "\n");
	while (n && strchr(BLANKS, at[n - 1]))
		n--;
	memcpy(ret, at, n);
}

int script_line(const char *head, size_t len, struct script_line *ret)
{
	char line[HEAD_MAX] = {0};
	struct script_line found = {0};
	enum interp_kind kind;

	if (interp_find(head, len, found.interpreter, sizeof(found.interpreter), &kind, NULL) < 0 ||
	    kind != INTERP_SCRIPT)
		return 0;
	memcpy(line, head, len < HEAD_MAX - 1 ? len : HEAD_MAX - 1);
	copy_argument(line, found.interpreter, found.argument);
	if (streq(path_base(found.interpreter), "env"))
		find_env_program(found.argument, found.program, sizeof(found.program));
	*ret = found;
	return 1;
}

void script_words_done(struct script_words *w)
{
	for (size_t i = 0; i < w->n; i++)
		free(w->v[i].text);
	free(w->v);
	strv_done(&w->dirs);
	*w = (struct script_words)SCRIPT_WORDS_INIT;
}

/* Longer names no file system has. */
static bool is_name(const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)text[i] <= ' ' || text[i] == 0x7f)
			return false;
	return n > 0 && n < 1024;
}

static unsigned short *bucket_of(struct script_words *w, const char *text, size_t n)
{
	unsigned h = 5381;

	for (size_t i = 0; i < n; i++)
		h = h * 33 + (unsigned char)text[i];
	return &w->buckets[h % ARRAY_LEN(w->buckets)];
}

static struct script_word *find_word(const struct script_words *w, unsigned short first,
				     const char *text, size_t n, bool module)
{
	for (unsigned short i = first; i; i = w->v[i - 1].chain) {
		struct script_word *known = &w->v[i - 1];
		if (known->module == module && strncmp(known->text, text, n) == 0 &&
		    !known->text[n])
			return known;
	}
	return NULL;
}

void script_words_add(struct script_words *w, const char *text, size_t n, unsigned line,
		      bool module, bool lazy)
{
	if (!is_name(text, n))
		return;
	unsigned short *bucket = bucket_of(w, text, n);
	struct script_word *known = find_word(w, *bucket, text, n, module);
	if (known)
		known->lazy &= lazy;
	if (known || w->n >= SCRIPT_WORDS_MAX)
		return;
	w->v = xrealloc(w->v, w->n + 1, sizeof(*w->v));
	w->v[w->n] = (struct script_word){.text = xstrndup(text, n),
					  .line = line,
					  .module = module,
					  .lazy = lazy,
					  .chain = *bucket};
	*bucket = (unsigned short)++w->n;
}

void script_words(enum script_language language, const char *text, size_t len,
		  struct script_words *ret)
{
	if (len > SCRIPT_TEXT_MAX)
		len = SCRIPT_TEXT_MAX;
	if (language == SCRIPT_SHELL)
		script_words_shell(text, len, 1, 0, ret);
	else
		script_words_calls(language, text, len, ret);
}
