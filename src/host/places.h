/* SPDX-License-Identifier: MIT */
/* The rules by which directories are told apart, as data. */
#pragma once

#include <stdbool.h>

/* Directories that belong to everybody: never provided as a whole. */
bool place_never_whole(const char *path);

/* Directories of /etc that many programs share: their files are copied one by one. */
bool place_shared_config(const char *path);

/* The tree a service's own directories stand in ("/var/lib", "/run"), when @path lies below one: a
 * service that writes in several places of one such directory gets their common parent. */
const char *place_home_base(const char *path);

/* For a file below a place where content lives, the directory to bind (new string): "/srv/site" for
 * "/srv/site/a/b", "/home/u/www" for "/home/u/www/x". NULL elsewhere. */
char *place_content_dir(const char *path);

/* The same for a path that may itself be that directory (@dir). */
char *place_content_at(const char *path, bool dir);

/* Private to each run: /tmp and its kin, and /run. */
bool place_private_area(const char *path);

/* Program trees: what stands there is nobody's to write, and listings of it are not kept. */
bool place_program_tree(const char *path);

/* Tables that every program of the host may read: a home directory in passwd(5) is no wish of the
 * service that looks up an account. */
bool place_common_table(const char *path);

/* The kernel's: /proc, /sys, /dev. */
bool place_kernel_tree(const char *path);

/* What packages bring for people, not for programs. */
bool place_documentation(const char *path);
