/* SPDX-License-Identifier: MIT */
/* What enable, export and remove have in common. */
#pragma once

#include "export/place.h"

/* The path of the program that runs, for what an init system shall start; new. */
char *place_program(void);

/* Takes away what enable has written for the jail of @s, where there is something. */
int place_give_back(const struct spec *s, struct err *e);
