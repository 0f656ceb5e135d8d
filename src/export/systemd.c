/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "export/place.h"
#include "spec/spec-keys.h"

/* What confines or runs a unit's processes, and would confine or run the launcher: its setting to
 * "nothing" in systemd's words (systemd.exec(5), systemd.service(5)). What the table does not have
 * stays the unit's: restarts, time-outs, control groups, limits, standard streams, and the network
 * (PrivateNetwork=), which the jail has from whoever runs it. */
static const struct {
	const char *key, *reset;
} resets[] = {
    {"AmbientCapabilities", ""},
    {"AppArmorProfile", ""},
    {"BindPaths", ""},
    {"BindReadOnlyPaths", ""},
    {"BusName", ""},
    {"CacheDirectory", ""},
    {"CapabilityBoundingSet", "~"},
    {"ConfigurationDirectory", ""},
    {"DeviceAllow", ""},
    {"DevicePolicy", "auto"},
    {"DynamicUser", "no"},
    {"ExecPaths", ""},
    {"ExecStartPost", ""},
    {"ExecStartPre", ""},
    {"ExecStop", ""},
    {"ExecStopPost", ""},
    {"Group", ""},
    {"InaccessiblePaths", ""},
    {"KillSignal", "SIGTERM"},
    {"LockPersonality", "no"},
    {"LogsDirectory", ""},
    {"MemoryDenyWriteExecute", "no"},
    {"NoExecPaths", ""},
    {"NoNewPrivileges", "no"},
    {"PAMName", ""},
    {"PIDFile", ""},
    {"Personality", ""},
    {"PrivateDevices", "no"},
    {"PrivateIPC", "no"},
    {"PrivateMounts", "no"},
    {"PrivateTmp", "no"},
    {"PrivateUsers", "no"},
    {"ProcSubset", "all"},
    {"ProtectClock", "no"},
    {"ProtectControlGroups", "no"},
    {"ProtectHome", "no"},
    {"ProtectHostname", "no"},
    {"ProtectKernelLogs", "no"},
    {"ProtectKernelModules", "no"},
    {"ProtectKernelTunables", "no"},
    {"ProtectProc", "default"},
    {"ProtectSystem", "no"},
    {"ReadOnlyPaths", ""},
    {"ReadWritePaths", ""},
    {"RemainAfterExit", "no"},
    {"RestartKillSignal", "SIGTERM"},
    {"RestrictAddressFamilies", ""},
    {"RestrictFileSystems", ""},
    {"RestrictNamespaces", "no"},
    {"RestrictRealtime", "no"},
    {"RestrictSUIDSGID", "no"},
    {"RootDirectory", ""},
    {"RootImage", ""},
    {"RuntimeDirectory", ""},
    {"SecureBits", ""},
    {"StateDirectory", ""},
    {"SupplementaryGroups", ""},
    {"SystemCallArchitectures", ""},
    {"SystemCallFilter", ""},
    {"TemporaryFileSystem", ""},
    {"UMask", "0022"},
    {"User", ""},
    {"WorkingDirectory", ""},
};

static bool says(const struct unit_report *unit, const char *key)
{
	for (size_t i = 0; i < unit->n; i++)
		if (streq(unit->v[i].key, key))
			return true;
	return false;
}

void place_lost(const struct unit_report *unit, struct strv *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(resets); i++) {
		const struct spec_key *k = spec_key_find(SPEC_SERVICE, resets[i].key);
		if (k && k->use == KEY_KEPT && says(unit, resets[i].key))
			strv_add(ret, resets[i].key);
	}
}

/* A jail below other directories than the standard ones is found again by its environment. */
static void print_dirs(const struct dirs *d, FILE *f)
{
	const struct {
		const char *variable, *is, *standard;
	} rows[] = {
	    {"IMMURE_CONFIG_DIR", d->config, "/etc/immure"},
	    {"IMMURE_STATE_DIR", d->state, "/var/lib/immure"},
	    {"IMMURE_RUN_DIR", d->run, "/run/immure"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (!streq(rows[i].is, rows[i].standard))
			fprintf(f, "Environment=\"%s=%s\"\n", rows[i].variable, rows[i].is);
}

static void print_exec(const struct place *p, const char *reset, FILE *f)
{
	fprintf(f,
		"Type=notify\n"
		"NotifyAccess=main\n"
		"KillMode=mixed\n"
		"%sExecStart=%s run %s\n"
		"%sExecReload=%s reload %s\n",
		reset ? "ExecStart=\n" : "", p->program, p->name, reset ? "ExecReload=\n" : "",
		p->program, p->name);
	print_dirs(p->dirs, f);
}

static FILE *open_text(char **ret, size_t *ret_len)
{
	FILE *f = open_memstream(ret, ret_len);

	if (!f)
		abort(); /* out of memory */
	return f;
}

static void close_text(FILE *f)
{
	if (fclose(f) != 0)
		abort();
}

char *place_drop_in(const struct place *p, const struct unit_report *unit)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_text(&text, &len);

	fprintf(f,
		"# Written by immure enable %s: this service runs in its jail. immure disable %s "
		"takes it away.\n"
		"# What is reset here is the spec's now: %s/%s.conf.\n"
		"[Service]\n",
		p->name, p->name, p->dirs->config, p->name);
	print_exec(p, "", f);
	for (size_t i = 0; i < ARRAY_LEN(resets); i++)
		if (says(unit, resets[i].key))
			fprintf(f, "%s=%s\n", resets[i].key, resets[i].reset);
	close_text(f);
	return text;
}

char *place_unit(const struct place *p)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_text(&text, &len);

	fprintf(f,
		"[Unit]\n"
		"Description=%s, in its jail\n"
		"Documentation=man:immure(1)\n"
		"After=network-online.target\n"
		"Wants=network-online.target\n"
		"\n[Service]\n",
		p->name);
	print_exec(p, NULL, f);
	if (p->spec->timeout_start > 0 && p->spec->timeout_start < 1e6)
		fprintf(f, "TimeoutStartSec=%.0f\n", p->spec->timeout_start + 5);
	else
		fprintf(f, "TimeoutStartSec=infinity\n");
	fprintf(f, "Restart=on-failure\n\n[Install]\nWantedBy=multi-user.target\n");
	close_text(f);
	return text;
}
