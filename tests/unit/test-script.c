/* SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "check.h"
#include "text/script.h"

static const struct {
	const char *head, *interpreter, *argument, *program;
} lines[] = {
    {"#!/bin/sh\necho", "/bin/sh", "", ""},
    {"#! \t/bin/sh -eu \t\n", "/bin/sh", "-eu", ""},
    {"#!/usr/bin/perl -T -w\n", "/usr/bin/perl", "-T -w", ""},
    {"#!/usr/bin/env perl\n", "/usr/bin/env", "perl", "perl"},
    {"#!/usr/bin/env -S perl -w\n", "/usr/bin/env", "-S perl -w", "perl"},
    {"#!/usr/bin/env -Sperl -w\n", "/usr/bin/env", "-Sperl -w", "perl"},
    {"#!/usr/bin/env --split-string=perl -w\n", "/usr/bin/env", "--split-string=perl -w", "perl"},
    {"#!/usr/bin/env VAR=x python3\n", "/usr/bin/env", "VAR=x python3", "python3"},
    {"#!/usr/bin/env -i -u HOME A=1 B=2 ruby -x\n", "/usr/bin/env", "-i -u HOME A=1 B=2 ruby -x",
     "ruby"},
    {"#!/usr/bin/env\n", "/usr/bin/env", "", ""},
    {"#!/usr/bin/env -u\n", "/usr/bin/env", "-u", ""},
    {"#!/opt/x/python3", "/opt/x/python3", "", ""},
    {"#!/bin/sh\0-x\n", "/bin/sh", "", ""},
};

static void test_lines(void)
{
	struct script_line l;

	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		CHECK_INT(script_line(lines[i].head, strlen(lines[i].head), &l), 1);
		CHECK_STR(l.interpreter, lines[i].interpreter);
		CHECK_STR(l.argument, lines[i].argument);
		CHECK_STR(l.program, lines[i].program);
	}
	CHECK_INT(script_line("", 0, &l), 0);
	CHECK_INT(script_line("#!", 2, &l), 0);
	CHECK_INT(script_line("#!  \n", 5, &l), 0);
	CHECK_INT(script_line("\177ELF", 4, &l), 0);
	CHECK_INT(script_line("echo", 4, &l), 0);
}

/* A line longer than what the kernel reads: the argument is cut, the name must be whole. */
static void test_long_line(void)
{
	char head[600];
	struct script_line l;

	memset(head, 'x', sizeof(head));
	memcpy(head, "#!/bin/sh ", 10);
	CHECK_INT(script_line(head, sizeof(head), &l), 1);
	CHECK_STR(l.interpreter, "/bin/sh");
	CHECK_INT(strlen(l.argument), 255 - 10);
	memcpy(head, "#!/bin/shx", 10);
	CHECK_INT(script_line(head, sizeof(head), &l), 0);
}

/* "LINE:text", "+" before a module, "~" behind one in a function; directories in brackets. */
static const char *found(enum script_language language, const char *text)
{
	static char out[4096];
	struct script_words words CLEANUP_SCRIPT_WORDS = SCRIPT_WORDS_INIT;
	size_t n = 0;

	script_words(language, text, strlen(text), &words);
	out[0] = '\0';
	for (size_t i = 0; i < words.n; i++) {
		const struct script_word *w = &words.v[i];
		n += (size_t)snprintf(out + n, sizeof(out) - n, "%s%u:%s%s%s", n ? " " : "",
				      w->line, w->module ? "+" : "", w->text, w->lazy ? "~" : "");
	}
	for (size_t i = 0; i < words.dirs.n; i++)
		n += (size_t)snprintf(out + n, sizeof(out) - n, " [%s]", words.dirs.v[i]);
	return out;
}

struct text {
	const char *text, *want;
};

static const struct text shell[] = {
    {"date", "1:date"},
    {"cp %p /x && true", "1:cp"},
    {"test ! -f /x/%f && cp %p /x/%f", "1:cp"},
    {"/usr/bin/env; ls | sort -r |& uniq & wc", "1:/usr/bin/env 1:ls 1:sort 1:uniq 1:wc"},
    {"a\nb\\\nc d\n", "1:a 2:bc"},
    {"# date\nls # date\nx#y", "2:ls 3:x#y"},
    {"A=1 B=$(hostname) ls", "1:hostname 1:ls"},
    {"A+=x; A[1]=y; ls", "1:ls"},
    {"A=(one two $(three)); ls", "1:three 1:ls"},
    {"if ls; then a; elif b; then c; else d; fi", "1:ls 1:a 1:b 1:c 1:d"},
    {"while read x; do a; done < f | b; until c; do :; done", "1:a 1:b 1:c"},
    {"for i in a b $(c); do d; done", "1:c 1:d"},
    {"! a && { b; } || (c; d)", "1:a 1:b 1:c 1:d"},
    {"echo `a` \"$(b \"$(c)\")\" '$(d)' \\$(e)", "1:a 1:b 1:c 1:e"},
    {"echo `a \\`b\\``", "1:a"},
    {"case $1 in\nstart) a ;;\nb|c) d;; (e) f\n;;\n*) g\nesac\nh", "2:a 3:d 3:f 5:g 7:h"},
    {"case $(a) in esac; b", "1:a 1:b"},
    {"case x\nin a) b;; esac", "2:b"},
    {"f() { a; }\nfunction g { b; }\nfunction h() { c; }\nf; g; h; k", "1:a 2:b 3:c 4:k"},
    {"late; late() { a; }", "1:a"},
    {"cat <<EOF\nls $(a) `b`\nEOF\nc", "1:cat 2:a 2:b 4:c"},
    {"cat <<'EOF' >x\nls $(a)\nEOF\nc", "1:cat 4:c"},
    {"cat <<-EOF <<X | d\n\tls\n\tEOF\nls\nX\nc", "1:cat 1:d 6:c"},
    {"a <<< ls >f 2>&1 &>g <>h >|i; 2>/dev/null b", "1:a 1:b"},
    {"diff <(a) >(b)", "1:diff 1:a 1:b"},
    {"exec env -i A=1 nice -n 5 nohup a", "1:env 1:nice 1:nohup 1:a"},
    {"sudo -u x a; timeout -k 3 5 b; xargs -0 -n 1 c", "1:sudo 1:a 1:timeout 1:b 1:xargs 1:c"},
    {"command -v a; time -p b; exec -a n c; chroot /x d", "1:a 1:b 1:c 1:chroot 1:d"},
    {"find . -exec a {} + -o -execdir b \\;", "1:find 1:a 1:b"},
    {"start-stop-daemon --start --exec /x/y -- -z", "1:start-stop-daemon 1:/x/y"},
    {". /etc/x; source ./y z; sh /a/b c; sh -e d", "1:+/etc/x 1:+./y 1:sh 1:+/a/b 1:+d"},
    {"sh -c 'a | b'; bash -ec \"c\"; su u -c 'd x'", "1:sh 1:a 1:b 1:bash 1:c 1:su 1:d"},
    {"eval 'a;' \"b\"; trap 'c -f' EXIT INT", "1:a 1:b 1:c"},
    {"D=/usr/sbin/d; $D -x; \"${D}\"; ${D:-no}; $E; ${E:-e f} x", "1:/usr/sbin/d 1:e"},
    {"L=\"a -b\"; $L; \"$L\"; P=/opt; $P/bin/c", "1:a 1:/opt/bin/c"},
    {"[ -x /x ] && a; [[ a < b && c || d ]] && e; test f", "1:a 1:e"},
    {"x=$((1 + (2))); ((y++)); a", "1:a"},
    {"$'a\\nb' $\"c\" -x *.sh ~/y", ""},
    {"echo a; printf b; cd c; export D; kill e; [ f ]", ""},
    {"date; date\ndate", "1:date"},
    {"coproc a; time { b; }; ! { c; }", "1:a 1:b 1:c"},
    /* What never ends. */
    {"a 'b\nc", "1:a"},
    {"a $(b", "1:a 1:b"},
    {"a ${b", "1:a"},
    {"cat <<EOF\nx $(a)\n", "1:cat 2:a"},
    {"case x in a", ""},
    {"A='eval $A;eval $A'; eval $A; b", "1:b"},
};

static const struct text perl[] = {
    {"use strict; use v5.10; use 5.008;\nuse Foo::Bar qw(a b);", "1:+strict 2:+Foo::Bar"},
    {"use base qw(A B::C);\nuse parent -norequire, 'D';", "1:+base 1:+A 1:+B::C 2:+parent 2:+D"},
    {"use if $] > 5, 'E' => 'x';", "1:+if 1:+E 1:+x"},
    {"require Foo::Bar; require 'x.pl';\nrequire \"y/z.ph\";", "1:+Foo::Bar 1:+x.pl 2:+y/z.ph"},
    {"eval { require A::B; 1 } or eval 'use C; 1';", "1:+A::B 1:+C"},
    {"do '/etc/x.pl'; do { 1 } while 0; my $r = do \"u/N.pl\";", "1:+/etc/x.pl 1:+u/N.pl"},
    {"use lib '/opt/x', \"$FindBin::Bin/../y\"; use lib qw(/z);", "1:+lib [/opt/x] [./../y] [/z]"},
    {"system(\"a -b | c\"); system '/x/d', 'e'; exec \"f\";", "1:a 1:c 1:/bin/sh 1:/x/d 1:f"},
    {"my $x = `a b`; $y = qx{c | d}; qx(e);", "1:a 1:c 1:d 1:/bin/sh 1:e"},
    {"open(F, '| a'); open F, \"b|\"; open(my $f, '-|', 'c', 'd'); open(G, '<', 'e');",
     "1:a 1:b 1:c"},
    {"open3($in, my $out, undef, 'a', 'b');", "1:a"},
    {"# use A;\n=head1 X\n\nuse B;\n\n=cut\nuse C;\n__END__\nuse D;", "7:+C"},
    {"sub f {\n\trequire A;\n\tuse B;\n}\nrequire C;\nBEGIN {\n\trequire D;\n}",
     "2:+A~ 3:+B 5:+C 7:+D"},
    {"sub f { 1 }\nrequire A;", "2:+A"},
    {"binmode STDOUT, ':encoding(x)'; \"\\N{DEGREE SIGN}\"; $+{n};",
     "1:+_charnames~ 1:+Tie::Hash::NamedCapture~ 1:+PerlIO~ 1:+PerlIO::encoding~"},
    {"$use = 1; $h{use}; ->system('x'); print 'it`s';", "1:x"},
};

static const struct text python[] = {
    {"import os, sys as system, a.b.c", "1:+os 1:+sys 1:+a.b.c"},
    {"from json import loads as l, dumps\nfrom . import x\nfrom ..y import (z,\n\tw) # no",
     "1:+json 1:+json.loads 1:+json.dumps 2:+. 2:+.x 3:+..y 3:+..y.z 3:+..y.w"},
    {"try: import a\nexcept ImportError: import b; import c", "1:+a 2:+b 2:+c"},
    {"'''\nimport a\n'''\nx = \"import b\" # import c\nimport d", "5:+d"},
    {"def f():\n    import a\n\n    '''x'''\nimport b\nclass C:\n    import c\n"
     "    async def g():\n        import d\n    import e",
     "2:+a~ 5:+b 7:+c 9:+d~ 10:+e"},
    {"if __name__ == '__main__':\n    import a\nif TYPE_CHECKING:\n    import b\nimport a",
     "2:+a 4:+b~"},
    {"__import__('a'); importlib.import_module('b.c')", "1:+a 1:+b.c"},
    {"os.system('a | b'); subprocess.run(['c', 'd']); Popen(r'/x/e -f', shell=True)",
     "1:a 1:b 1:/bin/sh 1:c 1:/x/e"},
    {"subprocess.check_output( [\n 'git', 'x'])\nos.popen(f'ls {x}')\nshutil.which('gcc')",
     "1:git 3:ls 3:/bin/sh 4:gcc 1:+subprocess~"},
    {"sys.path.insert(0, '/opt/lib')\nsys.path.append('./x')", " [/opt/lib] [./x]"},
    {"time.strptime(x)", "1:+_strptime~"},
    {"important = 1; from_x = 2; yield from y", ""},
};

static const struct {
	enum script_language language;
	struct text text;
} others[] = {
    {SCRIPT_RUBY,
     {"require 'net/http'\nrequire_relative 'x'\nload './y.rb'", "1:+net/http 2:+./x 3:+./y.rb"}},
    {SCRIPT_RUBY, {"system('a'); `b c`; %x(d); IO.popen(['e', 'f'])", "1:a 1:b 1:d 1:e"}},
    {SCRIPT_RUBY, {"# require 'a'\n=begin\nrequire 'b'\n=end\nrequire \"c\"", "5:+c"}},
    {SCRIPT_PHP,
     {"<?php require 'a.php'; include_once(__DIR__ . '/b.php');\n"
      "require dirname(__FILE__) . \"/c.php\"; // include 'd'\n/* include 'e' */",
      "1:+a.php 1:+.//b.php 2:+.//c.php"}},
    {SCRIPT_PHP,
     {"shell_exec('a | b'); exec(\"c $x\"); $s = `d`; proc_open('e', [], $p);",
      "1:a 1:b 1:/bin/sh 1:c 1:d 1:e"}},
    {SCRIPT_NODE,
     {"const a = require('a'), b = require(\"./b\");\nimport c from 'c';\n"
      "import 'd'; import { e } from \"@s/e/f\"; export * from './g.js'; import('h')",
      "1:+a 1:+./b 2:+c 3:+d 3:+@s/e/f 3:+./g.js 3:+h"}},
    {SCRIPT_NODE,
     {"execSync('a -b'); spawn(\"c\", ['d']); // exec('e')\n'http://x'; fork('./f')",
      "1:a 1:/bin/sh 1:c 2:+./f"}},
    {SCRIPT_LUA,
     {"local s = require \"socket.http\"; require('x') -- require 'y'\n"
      "--[[ require 'z' ]] os.execute('a'); io.popen(\"b c\"); dofile '/x/d.lua'",
      "1:+socket.http 1:+x 2:a 2:b 2:/bin/sh 2:+/x/d.lua"}},
    {SCRIPT_OTHER, {"use A; require 'b'", ""}},
};

static void test_texts(enum script_language language, const struct text *texts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		CHECK_STR(found(language, texts[i].text), texts[i].want);
}

/* However much there is, it is bounded. */
static void test_bounds(void)
{
	struct script_words words CLEANUP_SCRIPT_WORDS = SCRIPT_WORDS_INIT;
	const size_t len = 2u << 20;
	char *text = malloc(len + 1);

	for (size_t i = 0; i < len / 8; i++)
		snprintf(text + 8 * i, 9, "c%06zu\n", i);
	script_words(SCRIPT_SHELL, text, len, &words);
	CHECK_INT(words.n, SCRIPT_WORDS_MAX);
	script_words_done(&words);
	for (size_t i = 0; i < len; i++)
		text[i] = "$(`{\"<<E\n"[i % 8];
	script_words(SCRIPT_SHELL, text, len, &words);
	memset(text, '(', len);
	script_words(SCRIPT_SHELL, text, len, &words);
	CHECK(words.n <= SCRIPT_WORDS_MAX);
	free(text);
}

int main(void)
{
	test_lines();
	test_long_line();
	test_texts(SCRIPT_SHELL, shell, ARRAY_LEN(shell));
	test_texts(SCRIPT_PERL, perl, ARRAY_LEN(perl));
	test_texts(SCRIPT_PYTHON, python, ARRAY_LEN(python));
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		test_texts(others[i].language, &others[i].text, 1);
	test_bounds();
	return check_done("script");
}
