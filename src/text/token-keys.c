/* SPDX-License-Identifier: MIT */
/* What keys of configuration files tell of their values, whatever the service. */
#include <string.h>

#include "base/attr.h"
#include "base/str.h"
#include "text/tokens.h"

enum match { WHOLE, FIRST, LAST };

struct key {
	enum match match;
	const char *text;
};

static const struct key runs[] = {
    {LAST, "command"},	{LAST, "command_line"},	  {LAST, "cmd"},	 {LAST, "program"},
    {LAST, "script"},	{LAST, "hook"},		  {LAST, "shell"},	 {LAST, "pipe"},
    {LAST, "agent"},	{LAST, "helper"},	  {LAST, "exec"},	 {FIRST, "execst"},
    {FIRST, "notify_"}, {WHOLE, "execcondition"}, {WHOLE, "execreload"}, {WHOLE, "argv"},
    {WHOLE, "run"},	{WHOLE, "binary"},	  {WHOLE, "bin-path"},	 {WHOLE, "entrypoint"},
    {WHOLE, "mailer"},	{LAST, "sendmail_path"},  {WHOLE, "executable"},
};

/* Which end or begin like those, and mean something else. */
static const struct key runs_not[] = {
    {WHOLE, "rename-command"}, {LAST, "user-agent"}, {LAST, "useragent"},  {LAST, "user_agent"},
    {LAST, "javascript"},      {LAST, "transcript"}, {LAST, "postscript"},
};

static const struct key prefixes[] = {
    {LAST, "basedir"},	     {LAST, "base_dir"},   {LAST, "chdir"},	  {LAST, "chroot"},
    {LAST, "confdir"},	     {LAST, "config_dir"}, {LAST, "conf_dir"},	  {LAST, "data_dir"},
    {LAST, "datadir"},	     {LAST, "directory"},  {WHOLE, "dir"},	  {LAST, "documentroot"},
    {LAST, "document-root"}, {LAST, "home"},	   {LAST, "homedir"},	  {LAST, "libdir"},
    {LAST, "module_dir"},    {LAST, "modulepath"}, {LAST, "plugin_dir"},  {LAST, "plugindir"},
    {LAST, "prefix"},	     {WHOLE, "path"},	   {WHOLE, "root"},	  {LAST, "rootdir"},
    {WHOLE, "serverroot"},   {LAST, "workdir"},	   {LAST, "working_dir"}, {WHOLE, "confpath"},
    {LAST, "base"},
};

static const struct key accounts[] = {
    {LAST, "user"},
    {LAST, "users"},
    {LAST, "username"},
    {LAST, "group"},
    {LAST, "groups"},
    {LAST, "groupname"},
    {LAST, "owner"},
    {WHOLE, "uid"},
    {WHOLE, "gid"},
    {WHOLE, "run_as"},
    {WHOLE, "runas"},
    {WHOLE, "run-as"},
    {WHOLE, "su"},
    {WHOLE, "suexecusergroup"},
    {WHOLE, "default_privs"},
    {LAST, "account"},
};

static bool fits(const struct key *k, const char *key)
{
	size_t n = strlen(key), len = strlen(k->text);

	switch (k->match) {
	case FIRST:
		return strncmp(key, k->text, len) == 0;
	case LAST:
		return n >= len && streq(key + n - len, k->text);
	default:
		return streq(key, k->text);
	}
}

static bool fits_one(const struct key *keys, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++)
		if (fits(&keys[i], key))
			return true;
	return false;
}

bool token_key_runs(const char *key)
{
	return fits_one(runs, ARRAY_LEN(runs), key) &&
	       !fits_one(runs_not, ARRAY_LEN(runs_not), key);
}

bool token_key_prefix(const char *key)
{
	return fits_one(prefixes, ARRAY_LEN(prefixes), key);
}

bool token_key_account(const char *key)
{
	return fits_one(accounts, ARRAY_LEN(accounts), key);
}
