/* SPDX-License-Identifier: MIT */
#include "foresee/interpreters.h"

#include <string.h>

#include "base/alloc.h"
#include "base/path.h"
#include "foresee/modules.h"

#define LIST(...) ((const char *const[]){__VA_ARGS__, NULL})

static const struct module_form perl_form = {
    .separator = "::",
    .files = LIST("%.pm", "%"),
    .with = LIST("auto/%/*"),
};

static const struct module_form python_form = {
    .separator = ".",
    .parents = true,
    .dots = true,
    .member = "__init__.py",
    .files = LIST("%/__init__.py", "%.*.so", "%.so", "%.py"),
    .compiled = "__pycache__/%.*.pyc",
};

/* Parts of a library are often loaded by a name that is computed, or by its C code. */
static const struct module_form ruby_form = {
    .separator = "/",
    .files = LIST("%.rb", "%.so", "%"),
    .with = LIST("%/*.rb", "%/*.so"),
};

static const struct module_form php_form = {
    .separator = "/",
    .files = LIST("%"),
};

static const struct module_form node_form = {
    .separator = "/",
    .files = LIST("%", "%.js", "%.json", "%.mjs", "%.cjs", "%.node", "%/index.js"),
    .packages = "node_modules",
};

static const struct module_form lua_form = {
    .separator = ".",
    .files = LIST("%.lua", "%/init.lua", "%.so", "%"),
};

static const struct module_form shell_form = {
    .separator = "/",
    .files = LIST("%"),
};

/* Debian's order of @INC, then Fedora's and Alpine's. */
#define PERL_DIRS                                                                                  \
	LIST("/etc/perl", "/usr/local/lib/*-linux-*/perl/%v", "/usr/local/share/perl/%v",          \
	     "%p/lib/*-linux-*/perl5/%v", "%p/share/perl5", "%p/share/perl5/vendor_perl",          \
	     "%p/lib64/perl5/vendor_perl", "%p/lib/perl5/vendor_perl",                             \
	     "%p/lib/perl5/site_perl/%v", "/usr/local/lib/site_perl")
#define PERL_CORE                                                                                  \
	"%p/lib/*-linux-*/perl/%v", "%p/share/perl/%v", "%p/lib64/perl5",                          \
	    "%p/lib/perl5/core_perl", "%p/share/perl5/core_perl", "%p/lib/perl5/%v"
#define PERL_MODULES                                                                               \
	LIST("strict", "warnings", "utf8", "vars", "constant", "overload", "Carp", "Config",       \
	     "Exporter", "XSLoader", "DynaLoader", "Errno", "Fcntl", "POSIX", "File::Glob",        \
	     "File::Spec", "IO::File", "IO::Handle", "List::Util", "Scalar::Util", "Socket")

#define PHP(command, sapi)                                                                         \
	{                                                                                          \
		.names = LIST(command), .program = command, .language = SCRIPT_PHP,                \
		.ends = LIST(".php", ".phtml"), .form = &php_form,                                 \
		.core_dirs = LIST("%p/share/php"),                                                 \
		.trees = LIST("/usr/lib/locale/C.utf8/LC_CTYPE"),                                  \
		.dirs = LIST("%p/lib/php/20*", "%p/lib64/php/modules", "%p/lib/php*/modules"),     \
		.settings =                                                                        \
		    LIST("/etc/php/%v/" sapi "/php.ini", "/etc/php/%v/" sapi "/conf.d/*.ini",      \
			 "/etc/php.ini", "/etc/php.d/*.ini", "/etc/php%v/php.ini",                 \
			 "/etc/php%v/conf.d/*.ini"),                                               \
	}

static const struct interpreter rows[] = {
    {
	.names = LIST("sh", "ash", "bash", "busybox", "dash", "ksh", "mksh", "posh", "yash"),
	.program = "sh",
	.language = SCRIPT_SHELL,
	.ends = LIST(".sh"),
	.form = &shell_form,
    },
    {
	.names = LIST("zsh"),
	.program = "zsh",
	.language = SCRIPT_SHELL,
	.ends = LIST(".zsh"),
	.form = &shell_form,
	.trees = LIST("/etc/zsh/zshenv", "%p/lib/*-linux-*/zsh/*", "%p/lib*/zsh/*"),
    },
    {
	.names = LIST("perl"),
	.program = "perl",
	.language = SCRIPT_PERL,
	.ends = LIST(".pm", ".pl", ".ph", ".al", ".psgi"),
	.environment = "PERL5LIB",
	.form = &perl_form,
	.dirs = PERL_DIRS,
	.core_dirs = LIST("%p/lib/*-linux-*/perl-base", PERL_CORE),
	.trees = LIST("%p/lib/*-linux-*/perl-base"),
	.skip = LIST("unicore"),
	.modules = PERL_MODULES,
    },
    {
	/* As a library it does not look in perl-base. */
	.names = LIST("libperl"),
	.program = "perl",
	.language = SCRIPT_PERL,
	.environment = "PERL5LIB",
	.form = &perl_form,
	.dirs = PERL_DIRS,
	.core_dirs = LIST(PERL_CORE),
	.modules = PERL_MODULES,
    },
    {
	.names = LIST("python"),
	.program = "python3",
	.language = SCRIPT_PYTHON,
	.ends = LIST(".py", ".wsgi"),
	.environment = "PYTHONPATH",
	.form = &python_form,
	.core_first = true,
	.mark = "pyvenv.cfg",
	.core_dirs = LIST("%p/lib/python%v", "%p/lib64/python%v", "%p/lib/python%v/lib-dynload",
			  "%p/lib64/python%v/lib-dynload"),
	.dirs = LIST("%p/lib/python%v/site-packages", "%p/lib64/python%v/site-packages",
		     "/usr/local/lib/python%v/dist-packages", "%p/lib/python3/dist-packages",
		     "%p/lib/python%v/dist-packages"),
	/* Where the environment names no locale it turns to C.UTF-8. */
	.trees = LIST(
	    "%p/lib/python%v/encodings", "%p/lib64/python%v/encodings",
	    "%p/lib/python%v/_sysconfigdata_*.py", "%p/lib64/python%v/_sysconfigdata_*.py",
	    "%p/lib/python3/dist-packages/*.pth", "%p/lib/python%v/*-packages/*.pth",
	    "%p/lib64/python%v/*-packages/*.pth", "/usr/local/lib/python%v/dist-packages/*.pth",
	    "/usr/lib/locale/C.utf8/LC_CTYPE", "%p/lib/*-linux-*/gconv/gconv-modules.cache"),
	.modules = LIST("site", "sitecustomize", "usercustomize", "_distutils_hack", "encodings",
			"codecs", "io", "abc", "os", "stat", "importlib", "importlib.machinery",
			"importlib.util", "runpy", "zipimport", "locale", "signal", "threading",
			"traceback", "warnings", "copy", "stringprep", "unicodedata"),
    },
    {
	.names = LIST("ruby"),
	.program = "ruby",
	.language = SCRIPT_RUBY,
	.ends = LIST(".rb", ".ru"),
	.environment = "RUBYLIB",
	.form = &ruby_form,
	.core_dirs =
	    LIST("%p/lib/ruby/vendor_ruby/%v*", "%p/lib/*-linux-*/ruby/vendor_ruby/%v*",
		 "%p/lib/ruby/vendor_ruby", "%p/lib/ruby/%v*", "%p/lib/*-linux-*/ruby/%v*",
		 "%p/lib/ruby/%v*/*-linux*", "%p/share/ruby", "%p/share/rubygems", "%p/lib64/ruby"),
	.dirs = LIST("%p/share/rubygems-integration/*/gems/*/lib",
		     "%p/lib/ruby/gems/%v*/gems/*/lib", "/var/lib/gems/%v*/gems/*/lib"),
	.trees = LIST("%p/lib/*-linux-*/ruby/%v*/enc", "%p/lib/ruby/gems/%v*/specifications",
		      "%p/share/rubygems-integration/*/specifications",
		      "/var/lib/gems/%v*/specifications"),
	.modules = LIST("rubygems", "rbconfig", "monitor", "enc/encdb", "enc/trans/transdb",
			"did_you_mean", "error_highlight", "syntax_suggest/core_ext"),
    },
    PHP("php", "cli"),
    PHP("php-cgi", "cgi"),
    PHP("php-fpm", "fpm"),
    PHP("libphp", "apache2"),
    {
	.names = LIST("node", "nodejs"),
	.program = "node",
	.language = SCRIPT_NODE,
	.ends = LIST(".js", ".mjs", ".cjs"),
	.environment = "NODE_PATH",
	.form = &node_form,
	.dirs = LIST("%p/lib/*-linux-*/nodejs", "%p/share/nodejs", "%p/lib/nodejs",
		     "%p/lib/node_modules"),
	/* Debian's program reads these parts of itself from there. */
	.trees = LIST("%p/share/nodejs/acorn", "%p/share/nodejs/acorn-walk",
		      "%p/share/nodejs/cjs-module-lexer", "%p/share/nodejs/undici",
		      "%p/share/nodejs/busboy", "%p/share/nodejs/minimatch"),
    },
    {
	.names = LIST("lua", "luajit"),
	.program = "lua",
	.language = SCRIPT_LUA,
	.ends = LIST(".lua"),
	.environment = NULL,
	.form = &lua_form,
	.dirs = LIST("/usr/local/share/lua/%v", "/usr/local/lib/lua/%v", "%p/share/lua/%v",
		     "%p/lib/*-linux-*/lua/%v", "%p/lib/lua/%v", "%p/lib64/lua/%v"),
    },
    {
	.names = LIST("tclsh", "wish"),
	.program = "tclsh",
	.language = SCRIPT_OTHER,
	.ends = LIST(".tcl"),
	.form = &shell_form,
	.trees = LIST("%p/share/tcltk/tcl%v", "%p/lib/tcl%v", "%p/share/tcl%v"),
	.skip = LIST("demos", "tests", "tzdata"),
    },
};

static bool has(const char *const *list, const char *text, size_t n)
{
	for (; list && *list; list++)
		if (strlen(*list) == n && memcmp(*list, text, n) == 0)
			return true;
	return false;
}

/* Name, version, and nothing or an architecture: "perl5.36-x86_64-linux-gnu". */
const struct interpreter *interpreter_of(const char *program)
{
	const char *name = path_base(program);
	size_t n = strcspn(name, "0123456789");
	const char *rest = name + n + strspn(name + n, "0123456789.");

	if (*rest && !strstr(rest, "-linux"))
		return NULL;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (has(rows[i].names, name, n))
			return &rows[i];
	return NULL;
}

/* "libruby-3.1.so.3.1" is "ruby3.1". A row may be for the library alone, by that name. */
const struct interpreter *interpreter_of_library(const char *name, char **ret_command)
{
	const char *rest = str_after(name, "lib"), *end = rest ? strstr(rest, ".so") : NULL;

	if (!end)
		return NULL;
	size_t n = strcspn(rest, "-0123456789.");
	const char *version = rest + n + (rest[n] == '-');
	CLEANUP_STR char *command =
	    xasprintf("%.*s%.*s", (int)n, rest, version < end ? (int)(end - version) : 0, version);
	CLEANUP_STR char *library = xasprintf("lib%s", command);
	const struct interpreter *in = interpreter_of(library);
	if (!in)
		in = interpreter_of(command);
	if (in)
		*ret_command = steal_ptr(command);
	return in;
}

const struct interpreter *interpreter_of_module(const char *path)
{
	const char *end = strrchr(path_base(path), '.');

	for (size_t i = 0; end && i < ARRAY_LEN(rows); i++)
		if (has(rows[i].ends, end, strlen(end)))
			return &rows[i];
	return NULL;
}

enum script_language interpreter_language(const struct interpreter *in)
{
	return in->language;
}
