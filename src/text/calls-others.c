/* SPDX-License-Identifier: MIT */
/* The dialects of which rows say all there is to say. */
#include "text/calls.h"

static const struct call ruby[] = {
    {"require", call_module},
    {"require_relative", call_beside},
    {"load", call_module},
    {"system", call_command},
    {"exec", call_command},
    {"spawn", call_command},
    {"IO.popen", call_command},
    {"Open3.capture2", call_command},
    {"Open3.capture2e", call_command},
    {"Open3.capture3", call_command},
    {"Open3.popen3", call_command},
    {"x", call_quoted},
    {"LOAD_PATH.unshift", call_dirs},
    {NULL},
};

const struct dialect calls_ruby = {
    .calls = ruby,
    .shell = SHELL_MARKS,
    .joiners = ".",
    .comments = {{"#", "\n"}, {"\n=begin", "\n=end"}, {"\n__END__"}},
    .strings = true,
    .backquotes = true,
};

/* include 'x', require(__DIR__ . '/x'), require dirname(__FILE__) . "/x". */
static void read_include(struct script_scan *s)
{
	struct script_scan a = scan_arguments(s);
	bool beside = false;

	while (scan_more(&a) && !scan_at_any(&a, "'\";\n")) {
		beside |= scan_at(&a, "__DIR__") || scan_at(&a, "__FILE__");
		scan_advance(&a);
	}
	if (beside)
		call_beside(&a);
	else
		call_module(&a);
}

static const struct call php[] = {
    {"include", read_include},	    {"include_once", read_include},  {"require", read_include},
    {"require_once", read_include}, {"exec", call_command},	     {"passthru", call_command},
    {"popen", call_command},	    {"proc_open", call_command},     {"shell_exec", call_command},
    {"system", call_command},	    {"set_include_path", call_dirs}, {NULL},
};

const struct dialect calls_php = {
    .calls = php,
    .shell = SHELL_MARKS " ",
    .joiners = "",
    .comments = {{"#", "\n"}, {"//", "\n"}, {"/*", "*/"}},
    .strings = true,
    .backquotes = true,
};

/* import x from "y", import "y". */
static void read_import(struct script_scan *s)
{
	struct script_scan a = scan_arguments(s);

	scan_skip_to(&a, "'\";=");
	call_module(&a);
}

static const struct call node[] = {
    {"require", call_module},
    {"require.resolve", call_module},
    {"import", read_import},
    {"from", call_module},
    {"fork", call_module},
    {"Worker", call_module},
    {"exec", call_command},
    {"execFile", call_command},
    {"execFileSync", call_command},
    {"execSync", call_command},
    {"spawn", call_command},
    {"spawnSync", call_command},
    {NULL},
};

const struct dialect calls_node = {
    .calls = node,
    .shell = SHELL_MARKS " ",
    .joiners = ".",
    .comments = {{"//", "\n"}, {"/*", "*/"}},
    .strings = true,
};

static const struct call lua[] = {
    {"require", call_module},	  {"dofile", call_module},    {"loadfile", call_module},
    {"os.execute", call_command}, {"io.popen", call_command}, {NULL},
};

const struct dialect calls_lua = {
    .calls = lua,
    .shell = SHELL_MARKS " ",
    .joiners = ".",
    .comments = {{"--[[", "]]"}, {"--", "\n"}},
    .strings = true,
};
