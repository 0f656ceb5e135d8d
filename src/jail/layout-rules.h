/* SPDX-License-Identifier: MIT */
/* The rules by which directories are told apart, as data. */
#pragma once

#include <stdbool.h>

/* Directories that belong to everybody: never provided as a whole. */
bool rule_never_whole(const char *path);

/* Directories of /etc that many programs share: their files are copied one by one. */
bool rule_shared_config(const char *path);

/* The tree a service's own directories stand in ("/var/lib", "/run"), when @path lies below one: a
 * service that writes in several places of one such directory gets their common parent. */
const char *rule_home_base(const char *path);

/* For a file below a place where content lives, the directory to bind (new string): "/srv/site" for
 * "/srv/site/a/b", "/home/u/www" for "/home/u/www/x". NULL elsewhere. */
char *rule_content_dir(const char *path);

/* Private to each run: /tmp and its kin, and /run. */
bool rule_private_area(const char *path);

/* Program trees: what stands there is nobody's to write, and listings of it are not kept. */
bool rule_program_tree(const char *path);

/* The kernel's: /proc, /sys, /dev. */
bool rule_kernel_tree(const char *path);
