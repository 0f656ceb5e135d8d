/* SPDX-License-Identifier: MIT */
/* A small server for the story of foresight (foresight.bats). It starts with nothing but its
 * configuration and its libraries. What one question needs it asks for when a client puts that
 * question, and not before. Each question is a program of its own, asked.c with one of the other
 * files, so that what foresight knows of the one says nothing of the others. */
#pragma once

#include <stddef.h>
#include <stdio.h>

/* Defined by each question: prints the answer to the words of one line, "" where a word is missing,
 * on @out. An answer that begins with "error" is none. */
void answer(const char *const words[4], FILE *out);

/* The value of a line "KEY = VALUE" of the configuration, or "". */
const char *setting(const char *key);
