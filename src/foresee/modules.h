/* SPDX-License-Identifier: MIT */
/* Where an interpreter finds its modules: its row, and the directories that it makes of it on this
 * host. Private to interpreters.c and modules.c. */
#pragma once

#include "foresee/interpreters.h"

/* How a module's name becomes the name of a file: "%" is the name. */
struct module_form {
	const char *separator;	  /* between the parts of a name, which become directories */
	bool parents;		  /* "a.b" loads "a" first */
	bool dots;		  /* leading dots are directories upwards */
	const char *member;	  /* file beside a module that is part of a package, whose other
				     parts it names in full */
	const char *const *files; /* in the order in which they are sought */
	const char *const *with;  /* patterns of what comes along, in any of the directories */
	const char *compiled;	  /* pattern beside the file found; "%" is its name */
	const char *packages;	  /* directory of whole packages, beside a script or above it */
};

/* Lists end with NULL. In patterns "%p" is the prefix that the program is installed below ("/usr"),
 * "%v" its version ("3.11", or "*" where its name has none); the rest is as host_glob() has it. */
struct interpreter {
	const char *const *names; /* without a version */
	const char *program;	  /* which is sought where a module tells no other */
	enum script_language language;
	const char *const *ends;      /* of modules' names: ".py" */
	const char *environment;      /* variable of further directories, or NULL */
	const char *const *dirs;      /* patterns of directories of modules */
	const char *const *core_dirs; /* and of the interpreter's own */
	bool core_first;	      /* its own come before the others */
	const char *mark;	      /* file that makes a prefix of its own, or NULL */
	const struct module_form *form;

	const char *const *trees;    /* core: patterns of files and directories, taken whole */
	const char *const *skip;     /* names in trees that are left out */
	const char *const *modules;  /* core: modules, with what they load */
	const char *const *settings; /* core: patterns of files that name extensions */
};

/* The search of one program, for one script. */
struct modules {
	int root; /* borrowed */
	const struct interpreter *in;
	struct strv dirs;  /* in order, as the interpreter would spell them */
	struct strv core;  /* those of them that are its own, canonical */
	struct strv above; /* directories above the script, the nearest first */
	char *beside;	   /* the script's directory, or NULL */
	bool member;	   /* it is part of a package */
	char *mark;	   /* the file that makes the prefix of @written, if any */
};

/* @program: canonical, or NULL where the host has none. @written: as a "#!" line has it, which
 * tells of a virtual environment, or NULL. */
void modules_open(struct modules *m, int root, const struct interpreter *in, const char *program,
		  const char *written);
void modules_done(struct modules *m);
#define CLEANUP_MODULES CLEANUP(modules_done)

/* From now on for the script or module at @path. */
void modules_stand(struct modules *m, const char *path);

/* Adds what @environment and the script's own words add, in front. */
void modules_add_dirs(struct modules *m, const struct strv *environment, const struct strv *dirs);

/* Whether canonical @path is of the core library. */
bool modules_has_core(const struct modules *m, const char *path);

/* The files of module @name, as found, and what comes along; a directory is a package. */
void modules_find(const struct modules *m, const char *name, struct strv *ret);

/* What @patterns of a row match on this host. */
void modules_glob(int root, const char *const *patterns, const char *program, struct strv *ret);
