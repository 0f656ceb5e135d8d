/* SPDX-License-Identifier: MIT */
/* What enable and export have in common. */
#pragma once

#include "export/place.h"

/* The path of the program that runs, for what an init system shall start; new. */
char *place_program(void);
