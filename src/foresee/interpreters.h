/* SPDX-License-Identifier: MIT */
/* Interpreters and the library trees without which they are not themselves. Data: a row each.
 *
 * What is core is a choice, by size and by what is loaded unseen (measured on Debian 12):
 *
 *   perl     perl-base without Unicode's tables (unicore), which this perl has compiled in: 74
 * files, 1.5 MB of 3.4. python3  what every start imports and what is loaded unseen (2.3 MB), and
 * all encodings, which data names (2.0 MB), of a standard library of 30 MB. Compiled files come
 * with their source: without them each start would compile anew. php      the settings of the
 * program and the extensions that they load. ruby     rubygems, what it lists, and encodings;
 * tclsh: its scripts without demos and zones; zsh: modules. sh, lua, awk, node: nothing (node: the
 * built-in parts that Debian keeps as files).
 *
 * All other modules come by name: a script's own wherever they stand in it; those of a core library
 * only where loading it loads them, since what its functions would load is nearly everything. */
#pragma once

#include "foresee/evidence.h"
#include "text/script.h"

/* What a script's text tells about the interpreter it names. NULL for a program that is none. Found
 * by the last component with its version taken off: "/usr/bin/python3.11" is python3. */
struct interpreter;
const struct interpreter *interpreter_of(const char *program);
enum script_language interpreter_language(const struct interpreter *in);

/* The interpreter that a library of this name holds ("libperl.so.5.36", "libpython3.11.so.1.0",
 * "libphp8.2.so"), or NULL. *ret_command: what its program would be called, new: "python3.11". */
const struct interpreter *interpreter_of_library(const char *name, char **ret_command);

/* The interpreter of a module by its name's end (".pm", ".py"), or NULL. */
const struct interpreter *interpreter_of_module(const char *path);

/* Takes the core tree of the interpreter at canonical @program, versions matched with those of the
 * host ("/usr/lib/python3.11" for python3.11), as REASON_CORE with all that it loads in turn.
 * Nothing where it has none on this host. */
void interpreter_take(struct evidence *ev, const struct interpreter *in, const char *program);

/* The same for one that canonical @by has as a library. @program is where its program would be,
 * there or not: "/usr/bin/perl". */
void interpreter_take_embedded(struct evidence *ev, const struct interpreter *in,
			       const char *program, const char *by);

/* Takes the module @name that a configuration names for such a one, if it looks like a module's
 * name and no other word ("ModPerl::Registry"). */
void interpreter_take_named(struct evidence *ev, const struct interpreter *in, const char *program,
			    const char *name, const char *by);

/* Takes what the script at canonical @path (or, with @path a configuration file, the command line
 * in it) names: programs looked up along @search ("/usr/bin:/bin"), modules in the interpreter's
 * directories, in those @environment adds (PERL5LIB, PYTHONPATH, RUBYLIB, NODE_PATH) and beside the
 * script. One level: each taken path is expanded by the caller in its turn. */
void interpreter_take_words(struct evidence *ev, const struct interpreter *in, const char *path,
			    const char *text, size_t len, const char *search,
			    const struct strv *environment);
