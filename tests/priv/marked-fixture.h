/* SPDX-License-Identifier: MIT */
/* The files that the program `marked` works on. */
#pragma once

/* Fills the empty directory @dir (a short name: it becomes part of an interpreter's path); @program
 * is the program itself. Exits where it cannot. */
void fixture_make(const char *dir, const char *program);
