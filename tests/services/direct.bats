#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# A service behind a start wrapper: what only the wrapper needs is told, and Direct=yes does without it.

NAME=direct
load helpers

PORTS=(19871)
# Not in $HERE: a script in content may be run one day, with all that it names.
WRAPPER=/usr/local/bin/immure-check.direct
COMMAND=("$WRAPPER")
STEPS=("curl -s http://127.0.0.1:19871/index.html")

fixture()
{
	echo "behind a wrapper" >"$HERE/index.html"
	cat >"$HERE/nginx.conf" <<-CONF
		env GREETING;
		pid $HERE/nginx.pid;
		error_log $HERE/error.log;
		events { }
		http { access_log off; server { listen 127.0.0.1:19871; root $HERE; } }
	CONF
	cat >"$WRAPPER" <<-WRAPPER
		#!/bin/sh
		test \$(id -u) = 0 || exit 1
		GREETING=hello exec /usr/sbin/nginx -c $HERE/nginx.conf -g 'daemon off;'
	WRAPPER
	chmod 755 "$WRAPPER"
}

clean_up() { rm -f "$WRAPPER"; }

marked() { immure files "$NAME" --json | jq -r '.files[] | select(.start_helper) | .path'; }

@test "direct: what only the wrapper needs is marked and counted" {
	build_proves
	grep -e '^  helpers .*/usr/bin/dash, /usr/bin/id' "$WORK/out/summary"
	grep -e 'needed to start only, with [1-9][0-9]* files.*Direct=yes' "$WORK/out/summary"
	marked | grep -qx /usr/bin/id
	marked | grep -qx /usr/bin/dash
	not grep -qx -e /usr/sbin/nginx -e '.*/libc\.so\.6' <(marked)
}

@test "direct: it does without the wrapper, and answers as before" {
	need_build
	mkdir -p "$IMMURE_CONFIG_DIR/$NAME.conf.d"
	printf '[Jail]\nDirect=yes\n' >"$IMMURE_CONFIG_DIR/$NAME.conf.d/direct.conf"
	immure build "$NAME" >"$WORK/out/summary"
	grep -q 'proved, generation 2' "$WORK/out/summary"
	jail_start
	[[ ! -e /proc/$(jail_pid)/root/usr/bin/dash && ! -e /proc/$(jail_pid)/root/usr/bin/id ]]
	[[ $(curl -s http://127.0.0.1:19871/index.html) == "behind a wrapper" ]]
	# What the wrapper has set is set.
	jq -e '.direct.env | index("GREETING=hello")' "$IMMURE_STATE_DIR/jails/$NAME/current/run.json"
	jail_stop
}

@test "direct: remove leaves nothing" { remove_leaves_nothing; }
