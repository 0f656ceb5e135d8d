/* SPDX-License-Identifier: MIT */
#include "base/alloc.h"
#include "export/place.h"

/* immure's own status is the LSB's already; its other commands fail with codes of their own, which
 * a boot reads as "generic error". */
static const char script[] =
    "#!/bin/sh\n"
    "### BEGIN INIT INFO\n"
    "# Provides:          %1$s\n"
    "# Required-Start:    $remote_fs $network\n"
    "# Required-Stop:     $remote_fs $network\n"
    "# Should-Start:      $syslog $named\n"
    "# Default-Start:     2 3 4 5\n"
    "# Default-Stop:      0 1 6\n"
    "# Short-Description: %1$s, in its jail\n"
    "### END INIT INFO\n"
    "# Written by immure export %1$s --format initscript.\n"
    "\n"
    "export IMMURE_CONFIG_DIR='%3$s' IMMURE_STATE_DIR='%4$s' IMMURE_RUN_DIR='%5$s'\n"
    "immure='%2$s'\n"
    "\n"
    "# The program is gone, the jail may be: \"not installed\".\n"
    "[ -x \"$immure\" ] || { [ \"$1\" = stop ] && exit 0; exit 5; }\n"
    "running() { \"$immure\" status -q %1$s; }\n"
    "\n"
    "case $1 in\n"
    "start|stop|restart)\n"
    "\t\"$immure\" \"$1\" %1$s || exit 1 ;;\n"
    "try-restart|condrestart)\n"
    "\trunning || exit 0\n"
    "\t\"$immure\" restart %1$s || exit 1 ;;\n"
    "reload)\n"
    "\trunning || exit 7\n"
    "\t\"$immure\" reload %1$s || exit 1 ;;\n"
    "force-reload)\n"
    "\trunning || exit 0\n"
    "\t\"$immure\" reload %1$s || \"$immure\" restart %1$s || exit 1 ;;\n"
    "status)\n"
    "\t\"$immure\" status %1$s ;;\n"
    "*)\n"
    "\techo \"usage: $0 start|stop|restart|try-restart|reload|force-reload|status\" >&2\n"
    "\texit 2 ;;\n"
    "esac\n";

char *place_initscript(const struct place *p)
{
	return xasprintf(script, p->name, p->program, p->dirs->config, p->dirs->state,
			 p->dirs->run);
}
