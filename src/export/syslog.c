/* SPDX-License-Identifier: MIT */
/* Configuration for a log daemon of the host's that listens on a socket of its own for a jail: the
 * jail says Syslog=daemon, and no relay stands between. */
#include "base/alloc.h"
#include "export/place.h"

/* Names of sources in syslog-ng's configuration hold letters, digits and underscores. */
static char *identifier(const char *name)
{
	char *id = xstrdup(name);

	for (char *c = id; *c; c++)
		if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", *c))
			*c = '_';
	return id;
}

char *place_rsyslog(const struct place *p)
{
	/* To rsyslog a burst of 0 is none at all; no limit is an interval of 0. */
	bool limited = p->spec->log_burst && p->spec->log_interval < 1e9;

	return xasprintf(
	    "# The socket of jail %s, which has Syslog=daemon; by immure export %s --format "
	    "rsyslog.\n"
	    "# For /etc/rsyslog.d/immure-%s.conf, behind the line that loads imuxsock, which "
	    "Debian's\n"
	    "# rsyslog.conf has. Its lines have %s where others have the host's name, and the pid\n"
	    "# that the host sees.\n"
	    "input(type=\"imuxsock\" Socket=\"%s/%s.daemon/log\" CreatePath=\"on\"\n"
	    "      HostName=\"%s\" UsePIDFromSystem=\"on\"\n"
	    "      RateLimit.Interval=\"%.0f\" RateLimit.Burst=\"%d\")\n",
	    p->name, p->name, p->name, p->name, p->dirs->run, p->name, p->name,
	    limited ? p->spec->log_interval : 0, p->spec->log_burst);
}

char *place_syslog_ng(const struct place *p)
{
	CLEANUP_STR char *id = identifier(p->name);
	const char *kind = p->spec->syslog_socket == LOG_STREAM ? "unix-stream" : "unix-dgram";

	return xasprintf(
	    "# The socket of jail %s, which has Syslog=daemon; by immure export %s --format "
	    "syslog-ng.\n"
	    "# For /etc/syslog-ng/conf.d/immure-%s.conf; d_syslog is what Debian's syslog-ng.conf\n"
	    "# calls /var/log/syslog. Its lines have %s where others have the host's name.\n"
	    "source s_immure_%s {\n"
	    "\t%s(\"%s/%s.daemon/log\" create-dirs(yes) host-override(\"%s\"));\n"
	    "};\n"
	    "log { source(s_immure_%s); destination(d_syslog); };\n",
	    p->name, p->name, p->name, p->name, id, kind, p->dirs->run, p->name, p->name, id);
}
