/* SPDX-License-Identifier: MIT */
/* Interpreters in sample trees, each with what Debian has where. */
#include "foresee/interpreters.h"

#include <fcntl.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/path.h"
#include "base/str.h"
#include "fs-scratch.h"

#define SEARCH "/usr/local/bin:/usr/bin:/bin"

static const struct {
	const char *program;
	enum script_language language;
} names[] = {
    {"/usr/bin/python3.11", SCRIPT_PYTHON},
    {"python", SCRIPT_PYTHON},
    {"/usr/bin/python2.7", SCRIPT_PYTHON},
    {"/usr/bin/perl", SCRIPT_PERL},
    {"/usr/bin/perl5.36-x86_64-linux-gnu", SCRIPT_PERL},
    {"/bin/sh", SCRIPT_SHELL},
    {"busybox", SCRIPT_SHELL},
    {"/usr/sbin/php-fpm8.2", SCRIPT_PHP},
    {"/usr/bin/php8.2", SCRIPT_PHP},
    {"/usr/bin/ruby3.1", SCRIPT_RUBY},
    {"/usr/bin/nodejs", SCRIPT_NODE},
    {"/usr/bin/lua5.4", SCRIPT_LUA},
    {"/usr/bin/tclsh8.6", SCRIPT_OTHER},
};

static const char *const no_names[] = {"/usr/bin/python3-config",
				       "/usr/bin/perldoc",
				       "/usr/bin/shred",
				       "/usr/bin/phpize8.2",
				       "/",
				       "",
				       "3.11",
				       "/usr/bin/gawk"};

static const struct {
	const char *library, *command;
	const char *row; /* a program with the same */
} libraries[] = {
    {"libperl.so.5.36", "perl", "libperl"},
    {"libpython3.11.so.1.0", "python3.11", "python3"},
    {"libruby-3.1.so.3.1", "ruby3.1", "ruby"},
    {"liblua5.4.so.0", "lua5.4", "lua"},
    {"libphp8.2.so", "php8.2", "libphp"},
    {"libc.so.6", NULL, NULL},
    {"libpython-x.so", NULL, NULL},
    {"perl.so", NULL, NULL},
    {"libperl", NULL, NULL},
    {"lib.so", NULL, NULL},
    {"", NULL, NULL},
};

static void test_libraries(void)
{
	for (size_t i = 0; i < ARRAY_LEN(libraries); i++) {
		CLEANUP_STR char *command = NULL;
		const struct interpreter *in =
		    interpreter_of_library(libraries[i].library, &command);
		CHECK(in == (libraries[i].row ? interpreter_of(libraries[i].row) : NULL));
		CHECK_STR(command, libraries[i].command);
	}
}

static void test_names(void)
{
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const struct interpreter *in = interpreter_of(names[i].program);
		CHECK(in != NULL);
		if (in)
			CHECK_INT(interpreter_language(in), names[i].language);
	}
	for (size_t i = 0; i < ARRAY_LEN(no_names); i++)
		CHECK(!interpreter_of(no_names[i]));
	CHECK(interpreter_of_module("/x/A.pm") == interpreter_of("perl"));
	CHECK(interpreter_of_module("/x/a.py") == interpreter_of("python3"));
	CHECK(interpreter_of_module("/x/a.php") == interpreter_of("php"));
	CHECK(!interpreter_of_module("/x.py/a") && !interpreter_of_module("/x/a.txt"));
}

/* A host of a test, with what was taken from it. */
struct host {
	struct scratch scratch;
	struct evidence *ev;
	struct strv environment;
};

static struct host host_new(void)
{
	struct host h = {.scratch = scratch_new()};
	h.ev = evidence_new(h.scratch.fd);
	return h;
}

static void host_done(struct host *h)
{
	evidence_free(h->ev);
	strv_done(&h->environment);
	scratch_done(&h->scratch);
}

/* Everybody may read and run it: no secret. */
static void plant(struct host *h, const char *path, const char *text)
{
	CLEANUP_STR char *dir = path_parent(path);

	CHECK_INT(beneath_mkdirs(h->scratch.fd, dir, 0755), 0);
	put_file(h->scratch.fd, path_relative(path), text);
	fchmodat(h->scratch.fd, path_relative(path), 0755, 0);
}

static void plant_all(struct host *h, const char *const *paths)
{
	for (; *paths; paths++)
		plant(h, *paths, "");
}

static void forget(struct host *h)
{
	evidence_free(h->ev);
	h->ev = evidence_new(h->scratch.fd);
}

/* The files taken, sorted, without those whose path begins with @base, which is cut off. */
static const char *taken(const struct host *h, const char *base)
{
	static char out[4096];
	struct strv paths CLEANUP_STRV = STRV_INIT;
	size_t n = 0;

	for (const struct node *node = h->ev->first; node; node = node->next)
		if (S_ISREG(node->st.st_mode))
			strv_add(&paths, node->path);
	strv_sort_unique(&paths);
	out[0] = '\0';
	for (size_t i = 0; i < paths.n; i++) {
		const char *rest = str_after(paths.v[i], base);
		n += (size_t)snprintf(out + n, sizeof(out) - n, "%s%s", n ? " " : "",
				      rest ? rest : paths.v[i]);
	}
	return out;
}

/* Plants a script and takes what it names. */
static void read_script(struct host *h, const char *interpreter, const char *path, const char *text)
{
	forget(h);
	plant(h, path, text);
	interpreter_take_words(h->ev, interpreter_of(interpreter), path, text, strlen(text), SEARCH,
			       &h->environment);
}

static const char *reason_of(const struct host *h, const char *path)
{
	const struct node *n = evidence_find(h->ev, path);
	return n ? n->reasons[0].text : NULL;
}

static void test_shell(void)
{
	struct host h = host_new();

	plant_all(&h, (const char *const[]){"/usr/bin/date", "/usr/local/bin/ls", "/usr/bin/ls",
					    "/opt/x/run", "/opt/x/lib.sh", "/etc/default/x",
					    "/usr/bin/unused", NULL});
	put_file(h.scratch.fd, "usr/bin/data", "");
	read_script(
	    &h, "/bin/sh", "/opt/x/start",
	    "#!/bin/sh\n. /etc/default/x\n. ./lib.sh\ndate\nls -l; ./run; data; gone; /usr");
	CHECK_STR(taken(&h, "/usr"),
		  "/etc/default/x /opt/x/lib.sh /opt/x/run /bin/date /local/bin/ls");
	CHECK_STR(reason_of(&h, "/usr/bin/date"), "run by /opt/x/start:4");
	CHECK_STR(reason_of(&h, "/etc/default/x"), "module /etc/default/x, used by /opt/x/start:2");
	interpreter_take(h.ev, interpreter_of("/bin/sh"), "/usr/bin/sh");
	CHECK(!evidence_find(h.ev, "/usr/bin/unused"));
	host_done(&h);
}

#define BASE "/usr/lib/x86_64-linux-gnu/perl-base"
#define ARCH "/usr/lib/x86_64-linux-gnu/perl/5.36.0"

static void plant_perl(struct host *h)
{
	plant_all(h, (const char *const[]){
			 "/usr/bin/perl", "/usr/bin/git", BASE "/strict.pm",
			 BASE "/unicore/To/Lower.pl", BASE "/POSIX.pm", BASE "/auto/POSIX/POSIX.so",
			 ARCH "/auto/POSIX/POSIX.so", ARCH "/Encode.pm",
			 ARCH "/auto/Encode/Encode.so", "/usr/share/perl/5.36.0/Time/Local.pm",
			 "/usr/share/perl5/My/App.pm", "/opt/lib/Own.pm", "/opt/env/Env.pm",
			 "/opt/app/lib/A/B.pm", "/opt/app/lib/A/C.pm", "/opt/app/x.pl", NULL});
	CHECK_INT(symlinkat("5.36.0", h->scratch.fd, "usr/lib/x86_64-linux-gnu/perl/5.36"), 0);
}

static void test_perl(void)
{
	struct host h = host_new();

	plant_perl(&h);
	interpreter_take(h.ev, interpreter_of("perl"), "/usr/bin/perl");
	CHECK_STR(taken(&h, BASE), "/POSIX.pm /auto/POSIX/POSIX.so /strict.pm");
	read_script(&h, "perl", "/opt/app/run",
		    "use strict; use POSIX; use Encode;\nuse Time::Local; use My::App; use Gone;\n"
		    "use lib '/opt/lib'; use Own; require './x.pl'; system('git x');");
	CHECK_STR(taken(&h, "/usr/"), "/opt/app/x.pl /opt/lib/Own.pm bin/git "
				      "lib/x86_64-linux-gnu/perl-base/POSIX.pm "
				      "lib/x86_64-linux-gnu/perl-base/auto/POSIX/POSIX.so "
				      "lib/x86_64-linux-gnu/perl-base/strict.pm "
				      "lib/x86_64-linux-gnu/perl/5.36.0/Encode.pm "
				      "lib/x86_64-linux-gnu/perl/5.36.0/auto/Encode/Encode.so "
				      "share/perl/5.36.0/Time/Local.pm share/perl5/My/App.pm");
	/* Perl spells it through the link. */
	CHECK(evidence_find(h.ev, "/usr/lib/x86_64-linux-gnu/perl/5.36"));
	strv_add(&h.environment, "PERL5LIB=/none:/opt/env");
	read_script(&h, "perl", "/opt/app/lib/A/B.pm", "package A::B; use A::C; use Env;");
	CHECK_STR(taken(&h, "/opt/"), "app/lib/A/C.pm env/Env.pm");
	/* What the functions of the core library would load or run is not the script's. */
	read_script(&h, "perl", ARCH "/Encode.pm",
		    "use strict;\nsub f {\n\trequire POSIX;\n\tsystem('git');\n}\n");
	CHECK_STR(taken(&h, BASE), "/strict.pm");
	host_done(&h);
}

#define LIB	    "/usr/lib/python3.11"
#define CACHE(name) "/__pycache__/" name ".cpython-311.pyc"

static void plant_python(struct host *h)
{
	plant_all(h, (const char *const[]){"/usr/bin/python3.11",
					   LIB "/site.py",
					   LIB "/os.py",
					   LIB CACHE("os"),
					   LIB "/abc.py",
					   LIB "/json/__init__.py",
					   LIB "/json" CACHE("__init__"),
					   LIB "/json/decoder.py",
					   LIB "/json/tool.py",
					   LIB "/json/abc.py",
					   LIB "/encodings/utf_8.py",
					   LIB "/encodings/__init__.py",
					   LIB "/lib-dynload/_json.cpython-311-x86_64-linux-gnu.so",
					   LIB "/test/support.py",
					   "/usr/lib/python3.9/os.py",
					   "/usr/lib/python3/dist-packages/yaml/__init__.py",
					   "/srv/site/local.py",
					   "/srv/site/lib/far.py",
					   "/srv/env/pyvenv.cfg",
					   "/srv/env/lib/python3.11/site-packages/flask.py",
					   NULL});
	CHECK_INT(symlinkat("python3.11", h->scratch.fd, "usr/bin/python3"), 0);
	CHECK_INT(beneath_mkdirs(h->scratch.fd, "/srv/env/bin", 0755), 0);
	CHECK_INT(symlinkat("/usr/bin/python3", h->scratch.fd, "srv/env/bin/python3"), 0);
	plant(h, LIB "/site.py", "import os\nimport builtins\ndef f():\n    import json\n");
	plant(h, LIB "/os.py", "import abc\nimport os\n");
}

/* As a library it has the core of its program, which need not be there. */
static void test_embedded(void)
{
	struct host h = host_new();
	static const char mod[] = "/usr/lib/apache2/modules/mod_perl.so";

	plant_perl(&h);
	CHECK_INT(unlinkat(h.scratch.fd, "usr/bin/perl", 0), 0);
	plant(&h, ARCH "/POSIX.pm", "use XSLoader;");
	plant(&h, ARCH "/XSLoader.pm", "");
	interpreter_take_embedded(h.ev, interpreter_of("libperl"), "/usr/bin/perl", mod);
	CHECK_STR(taken(&h, ARCH), "/POSIX.pm /XSLoader.pm /auto/POSIX/POSIX.so");
	const struct node *n = evidence_find(h.ev, ARCH "/POSIX.pm");
	CHECK_STR(n ? n->reasons[0].from : NULL, mod);
	forget(&h);
	static const char *const words[] = {"My::App", "Gone::App", "strict", "a:b", "::", ""};
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		interpreter_take_named(h.ev, interpreter_of("libperl"), "/usr/bin/perl", words[i],
				       mod);
	CHECK_STR(taken(&h, ""), "/usr/share/perl5/My/App.pm");
	interpreter_take_named(h.ev, interpreter_of("python3"), "/usr/bin/python3", "os.path", mod);
	CHECK_STR(taken(&h, ""), "/usr/share/perl5/My/App.pm");
	host_done(&h);
}

static void test_python(void)
{
	struct host h = host_new();

	plant_python(&h);
	interpreter_take(h.ev, interpreter_of("python3"), "/usr/bin/python3.11");
	CHECK_STR(
	    taken(&h, LIB),
	    CACHE("os") " /abc.py /encodings/__init__.py /encodings/utf_8.py /os.py /site.py");
	CHECK_STR(reason_of(&h, LIB "/abc.py"), "core module abc of /usr/bin/python3.11");
	read_script(&h, "python3", "/srv/site/app.py",
		    "#!/usr/bin/env python3\nimport json.decoder, yaml, local\nimport _json\n");
	CHECK_STR(
	    taken(&h, LIB),
	    "/srv/site/local.py /json/__init__.py /json" CACHE(
		"__init__") " /json/decoder.py /lib-dynload/_json.cpython-311-x86_64-linux-gnu.so "
			    "/usr/lib/python3/dist-packages/yaml/__init__.py");
	/* A part of a package names its siblings with a dot, and others in full. */
	read_script(&h, "python3", LIB "/json/__init__.py",
		    "from .decoder import X\nimport abc\ndef f():\n    from . import tool\n");
	CHECK_STR(taken(&h, LIB), "/abc.py /json/decoder.py");
	strv_add(&h.environment, "PYTHONPATH=lib");
	read_script(&h, "python3", "/srv/site/app.py",
		    "#!/srv/env/bin/python3\nimport flask, far\n");
	CHECK_STR(taken(&h, "/srv/"),
		  "env/lib/python3.11/site-packages/flask.py env/pyvenv.cfg site/lib/far.py");
	host_done(&h);
}

static void test_php(void)
{
	struct host h = host_new();

	plant_all(&h, (const char *const[]){
			  "/usr/lib/php/20220829/curl.so", "/usr/lib/php/20220829/opcache.so",
			  "/usr/lib/php/20220829/other.so", "/etc/php/8.2/fpm/php.ini",
			  "/etc/php/7.4/cli/php.ini", "/usr/share/php/Shared.php",
			  "/srv/www/inc/a.php", NULL});
	plant(&h, "/etc/php/8.2/cli/php.ini", "; extension=other\n[PHP]\nextension=curl\n");
	plant(&h, "/etc/php/8.2/cli/conf.d/10-opcache.ini", "zend_extension=opcache.so\n");
	interpreter_take(h.ev, interpreter_of("php"), "/usr/bin/php8.2");
	CHECK_STR(taken(&h, "/usr/lib/php/20220829"),
		  "/etc/php/8.2/cli/conf.d/10-opcache.ini /etc/php/8.2/cli/php.ini /curl.so "
		  "/opcache.so");
	read_script(&h, "php", "/srv/www/index.php",
		    "<?php require __DIR__ . '/inc/a.php'; include 'Shared.php'; include $x;");
	CHECK_STR(taken(&h, "/"), "srv/www/inc/a.php usr/share/php/Shared.php");
	host_done(&h);
}

static void test_others(void)
{
	struct host h = host_new();

	plant_all(&h, (const char *const[]){
			  "/usr/bin/lua5.4", "/usr/share/lua/5.4/socket/http.lua",
			  "/usr/lib/x86_64-linux-gnu/lua/5.4/lfs.so", "/usr/bin/ruby3.1",
			  "/usr/lib/ruby/3.1.0/json.rb", "/usr/lib/ruby/3.1.0/json/generic.rb",
			  "/usr/lib/x86_64-linux-gnu/ruby/3.1.0/json/parser.so",
			  "/usr/lib/x86_64-linux-gnu/ruby/3.1.0/enc/trans/big5.so",
			  "/usr/lib/x86_64-linux-gnu/ruby/3.1.0/etc.so", "/srv/app/own.rb",
			  "/srv/app/node_modules/express/index.js",
			  "/srv/app/node_modules/express/lib/x.js",
			  "/srv/app/node_modules/express/test/t.js",
			  "/srv/app/node_modules/@s/p/main.js", "/srv/app/bin/y.js",
			  "/usr/share/tcltk/tcl8.6/init.tcl", "/usr/share/tcltk/tcl8.6/demos/d.tcl",
			  NULL});
	CHECK_INT(symlinkat("lua5.4", h.scratch.fd, "usr/bin/lua"), 0);
	CHECK_INT(symlinkat("ruby3.1", h.scratch.fd, "usr/bin/ruby"), 0);
	read_script(&h, "lua", "/srv/x",
		    "#!/usr/bin/env lua\nrequire 'socket.http'; require 'lfs'");
	CHECK_STR(taken(&h, "/usr/"),
		  "lib/x86_64-linux-gnu/lua/5.4/lfs.so share/lua/5.4/socket/http.lua");
	read_script(&h, "ruby", "/srv/app/x",
		    "require 'json'; require 'etc'\nrequire_relative 'own'");
	CHECK_STR(taken(&h, "/usr/lib/"),
		  "/srv/app/own.rb ruby/3.1.0/json.rb ruby/3.1.0/json/generic.rb "
		  "x86_64-linux-gnu/ruby/3.1.0/etc.so x86_64-linux-gnu/ruby/3.1.0/json/parser.so");
	forget(&h);
	interpreter_take(h.ev, interpreter_of("ruby3.1"), "/usr/bin/ruby3.1");
	CHECK_STR(taken(&h, "/usr/lib/x86_64-linux-gnu/"), "ruby/3.1.0/enc/trans/big5.so");
	read_script(&h, "node", "/srv/app/bin/x.js",
		    "require('express'); import '@s/p/main.js'; require('./y'); require('fs')");
	CHECK_STR(taken(&h, "/srv/app/"),
		  "bin/y.js node_modules/@s/p/main.js "
		  "node_modules/express/index.js node_modules/express/lib/x.js");
	forget(&h);
	interpreter_take(h.ev, interpreter_of("tclsh8.6"), "/usr/bin/tclsh8.6");
	CHECK_STR(taken(&h, "/usr/share/"), "tcltk/tcl8.6/init.tcl");
	host_done(&h);
}

/* Names that are none: patterns, ways out, nothing. */
static void test_hostile(void)
{
	struct host h = host_new();

	plant_all(&h,
		  (const char *const[]){"/usr/bin/python3.11", "/usr/bin/a", "/etc/secret", NULL});
	read_script(&h, "python3", "/srv/x.py",
		    "__import__('*'); __import__('../../../etc/secret'); __import__('.');"
		    "__import__('..............x'); os.system('/usr/b*/a; ../../usr/bin')");
	CHECK_STR(taken(&h, ""), "");
	read_script(&h, "perl", "/x", "do '/etc'; do '../../etc'; use ::; require '';");
	CHECK_STR(taken(&h, ""), "");
	read_script(&h, "node", "/srv/x.js", "require('@'); require('/'); require('..')");
	CHECK_STR(taken(&h, ""), "");
	host_done(&h);
}

int main(void)
{
	test_names();
	test_libraries();
	test_shell();
	test_perl();
	test_embedded();
	test_python();
	test_php();
	test_others();
	test_hostile();
	return check_done("interpreters");
}
