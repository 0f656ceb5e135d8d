/* SPDX-License-Identifier: MIT */
/* Words, command lines, variables, environment files: what systemd.service(5) and systemd.exec(5)
 * show as examples, and the corners. */
#include <errno.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "check.h"
#include "spec/env-file.h"
#include "spec/spec.h"
#include "spec/words.h"

/* The strings, each in <>. */
static char *joined(const struct strv *sv)
{
	char *all = xstrdup("");

	for (size_t i = 0; i < sv->n; i++) {
		char *longer = xasprintf("%s<%s>", all, sv->v[i]);
		free(all);
		all = longer;
	}
	return all;
}

static void check_strv(const struct strv *got, const char *want)
{
	CLEANUP_STR char *all = joined(got);
	CHECK_STR(all, want);
}

static void test_words(void)
{
	static const struct {
		const char *text;
		unsigned flags;
		const char *want; /* NULL: an error */
	} cases[] = {
	    {"", 0, ""},
	    {" \t ", 0, ""},
	    {"a  b\tc ", 0, "<a><b><c>"},
	    {"\"a b\" 'c d'", 0, "<a b><c d>"},
	    {"a\"b c\"d'e f'", 0, "<ab cde f>"},
	    {"''", 0, "<>"},
	    {"a\\ b", 0, "<a b>"},
	    {"'it\\'s'", 0, "<it's>"},
	    {"a\\nb", 0, "<anb>"},
	    {"a\\nb\\t\\s\\x41\\101\\u00e9\\U0001f600", WORDS_UNESCAPE,
	     "<a\nb\t AA\xc3\xa9\xf0\x9f\x98\x80>"},
	    {"\\z", WORDS_UNESCAPE, NULL},
	    {"\\x00", WORDS_UNESCAPE, NULL},
	    {"\\ud800", WORDS_UNESCAPE, NULL},
	    {"\\U00110000", WORDS_UNESCAPE, NULL},
	    {"\\x4", WORDS_UNESCAPE, NULL},
	    {"a\\", WORDS_UNESCAPE, NULL},
	    {"\\z\\x00 \\777", WORDS_UNESCAPE | WORDS_RELAXED, "<\\z\\x00><\\777>"},
	    {"a\\", WORDS_UNESCAPE | WORDS_RELAXED, "<a\\>"},
	    {"a 'b c", 0, NULL},
	    {"a 'b c", WORDS_OPEN, "<a><b c>"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP_STRV struct strv words = STRV_INIT;
		int r = words_split(cases[i].text, cases[i].flags, &words, NULL);
		CHECK_INT(r, cases[i].want ? 0 : -EINVAL);
		if (cases[i].want)
			check_strv(&words, cases[i].want);
	}
}

static void test_quote(void)
{
	static const char *const words[] = {"",		"a", "a b",	 "it's", "\"",	 "\\",
					    "a\nb\x7f", ";", "\xc3\xa9", "\t",	 "$x %n"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		CLEANUP_STR char *quoted = words_quote(words[i]);
		CLEANUP_STRV struct strv back = STRV_INIT;
		CHECK_INT(words_split(quoted, WORDS_UNESCAPE, &back, NULL), 0);
		CHECK_INT(back.n, 1);
		CHECK_STR(back.v[0], words[i]);
	}
}

static void test_lines(void)
{
	struct exec_line l = {0};

	CHECK_INT(exec_line_parse("/usr/sbin/nginx -g 'daemon on; master_process on;'", &l, NULL),
		  0);
	check_strv(&l.argv, "</usr/sbin/nginx><-g><daemon on; master_process on;>");
	CHECK(!l.ignore_failure && !l.privileged && !l.argv0 && !l.no_env && !l.no_user);
	exec_line_done(&l);

	CHECK_INT(exec_line_parse("-@/bin/sh sh -c \"echo $$ \\; \" \\; end", &l, NULL), 0);
	check_strv(&l.argv, "</bin/sh><-c><echo $$ \\; ><;><end>");
	CHECK_STR(l.argv0, "sh");
	CHECK(l.ignore_failure);
	exec_line_done(&l);

	CHECK_INT(exec_line_parse(":+/bin/true", &l, NULL), 0);
	CHECK(l.no_env && l.privileged && !l.no_user);
	exec_line_done(&l);
	CHECK_INT(exec_line_parse("!!-kill", &l, NULL), 0);
	CHECK(l.no_user && l.ignore_failure);
	check_strv(&l.argv, "<kill>");
	exec_line_done(&l);
}

static void test_bad_lines(void)
{
	static const char *const bad[] = {
	    "",		"-",	    "bin/true",	      "/bin/",
	    "./x",	"@/bin/sh", "/bin/sh 'x",     "+!/bin/sh",
	    "--/bin/x", ";",	    "/bin/a ; bin/b", "/bin/a ; /bin/b",
	    "..",
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct exec_line l = {0};
		struct err e = {0};
		CHECK_INT(exec_line_parse(bad[i], &l, &e), -EINVAL);
		CHECK(e.msg[0] && !l.argv.v);
	}
}

static void test_lists(void)
{
	struct exec_list list = {0};

	CHECK_INT(exec_list_parse("/bin/a 1 ; -/bin/b 2; ; bin/c ;", &list, NULL), -EINVAL);
	CHECK_INT(list.n, 0);
	CHECK_INT(exec_list_parse("/bin/a 1 ; -/bin/b 2;3 ;", &list, NULL), 0);
	CHECK_INT(exec_list_parse("/bin/c", &list, NULL), 0);
	CHECK_INT(list.n, 3);
	check_strv(&list.v[1].argv, "</bin/b><2;3>");
	check_strv(&list.v[2].argv, "</bin/c>");
	exec_list_done(&list);
}

static void test_expand(void)
{
	static const char *const env[] = {
	    "ONE=one", "TWO=two two", "EMPTY=", "QUOTED='a b' c", "MAINPID=42", NULL};
	static const struct {
		const char *line, *want;
	} cases[] = {
	    /* systemd.service(5) */
	    {"/bin/echo ${ONE} ${TWO} $ONE $TWO", "</bin/echo><one><two two><one><two><two>"},
	    {"/bin/echo $EMPTY ${EMPTY} $UNSET ${UNSET}x", "</bin/echo><><x>"},
	    {"/bin/kill -HUP $MAINPID", "</bin/kill><-HUP><42>"},
	    {"/bin/x $QUOTED", "</bin/x><a b><c>"},
	    {"/bin/x $$ONE a$$b $${ONE}", "</bin/x><$ONE><a$b><${ONE}>"},
	    {"/bin/x a$ONE a${ONE}b ${ONE", "</bin/x><a$ONE><aoneb><${ONE>"},
	    {"/bin/x $", "</bin/x><$>"},
	    {":/bin/x $ONE ${TWO} $$", "</bin/x><$ONE><${TWO}><$$>"},
	    {"@/bin/x ${ONE} $ONE", "<one><one>"},
	    {"/bin/$ONE $ONE", "</bin/$ONE><one>"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP_STRV struct strv argv = STRV_INIT;
		struct exec_line l = {0};
		CHECK_INT(exec_line_parse(cases[i].line, &l, NULL), 0);
		exec_line_expand(&l, (char *const *)(uintptr_t)env, &argv);
		check_strv(&argv, cases[i].want);
		exec_line_done(&l);
	}
}

/* What is quoted for a spec comes back as it was, through specifiers and variables. */
static void test_round_trip(void)
{
	static const char *const argv[] = {"/opt/a b/run%me",
					   "",
					   "$HOME",
					   "${X}",
					   "100%",
					   "%i",
					   "a;b",
					   ";",
					   "\\",
					   "it's",
					   "-x",
					   "\n",
					   "trailing\\",
					   "$$$$",
					   NULL};
	CLEANUP_STR char *line = exec_line_quote((char *const *)(uintptr_t)argv);
	CLEANUP_SPEC struct spec *s = spec_new("x");
	CLEANUP_STRV struct strv back = STRV_INIT;
	struct err e = {0};

	CHECK_INT(spec_set(s, SPEC_SERVICE, "ExecStart", line, "here", &e), 0);
	CHECK_STR(e.msg, "");
	exec_line_expand(&s->start.v[0], NULL, &back);
	for (size_t i = 0; argv[i]; i++)
		CHECK_STR(back.v[i], argv[i]);
	CHECK_INT(back.n, ARRAY_LEN(argv) - 1);
}

static void test_env(void)
{
	CLEANUP_STRV struct strv env = STRV_INIT;

	env_put(&env, "A=1");
	env_put(&env, "AB=2");
	env_put(&env, "A=3");
	check_strv(&env, "<A=3><AB=2>");
	CHECK_STR(env_get(&env, "AB"), "2");
	CHECK_STR(env_get(&env, "B"), NULL);
	env_remove(&env, "A=4");
	env_remove(&env, "B");
	CHECK_INT(env.n, 2);
	env_remove(&env, "A");
	env_remove(&env, "AB=2");
	CHECK_INT(env.n, 0);
	CHECK(env.v[0] == NULL);
	CHECK(env_assignment_ok("_a1=") && !env_assignment_ok("1a=x") &&
	      !env_assignment_ok("a b=x") && !env_assignment_ok("=x") && !env_assignment_ok("a"));
}

static void test_env_files(void)
{
	static const struct {
		const char *text, *want;
	} cases[] = {
	    {"OPTIONS=\"-u bind\"\n", "<OPTIONS=-u bind>"},
	    {"# c\n; d\n\nA=1\n B = 2 \r\nnonsense\n1=2\n", "<A=1><B=2>"},
	    {"A='x\ny' 'z'\nB=2", "<A=x\nyz><B=2>"},
	    {"A=\"a\\\"\\$\\`\\\\\\n\\\nb\"", "<A=a\"$`\\\\nb>"},
	    {"A=b \"c\" 'd'\n", "<A=b \"c\" 'd'>"},
	    {"A=a\\ \\\n b\\q  \n", "<A=a  bq>"},
	    {"A=x\\  \n", "<A=x >"},
	    {"# no \\\nA=1\nB=2\n", "<B=2>"}, /* so up to systemd 253 */
	    {"A=\nB", "<A=>"},
	    {"A='open", "<A=open>"},
	    {"A=\"open\\", "<A=open\\>"},
	    {"A=x\\", "<A=x>"},
	    {"A=1\nA=2\n", "<A=2>"},
	    {"export A=1\n", ""},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP_STRV struct strv env = STRV_INIT;
		CHECK_INT(env_file_parse(cases[i].text, strlen(cases[i].text), &env, NULL), 0);
		check_strv(&env, cases[i].want);
	}
	CLEANUP_STRV struct strv env = STRV_INIT;
	CHECK_INT(env_file_parse("A=1\0B=2", 7, &env, NULL), -EINVAL);
	struct err e = {0};
	CHECK_INT(env_file_read("/nowhere/at/all", &env, &e), -ENOENT);
	CHECK_STR(e.msg, "environment file /nowhere/at/all: No such file or directory");
	char *paths[] = {(char[]){"-/nowhere/at/all"}, (char[]){"-/nowhere/*"}, NULL};
	CHECK_INT(env_files_read(&(struct strv){paths, 2}, &env, &e), 0);
	CHECK_INT(env_files_read(&(struct strv){(char *[]){paths[0] + 1}, 1}, &env, &e), -ENOENT);
}

int main(void)
{
	test_words();
	test_quote();
	test_lines();
	test_bad_lines();
	test_lists();
	test_expand();
	test_round_trip();
	test_env();
	test_env_files();
	return check_done("exec-line");
}
