#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Squid, which executes itself again for its worker, as a caching proxy in front of a small web
# server. Its logs lie in Debian's own directory.

NAME=squid
load helpers

PORTS=(18101)
COMMAND=(/usr/sbin/squid --foreground -f "$HERE/squid.conf")
LOG=/var/log/squid/immure-check.log
WITH_ORIGIN="$BATS_TEST_DIRNAME/with-origin 18102 $HERE/web"
PROXY="curl -s -x http://127.0.0.1:18101"
SHOW="-w '%{http_code} %header{x-cache}\n'"
STEPS=(
	"$WITH_ORIGIN $PROXY $SHOW http://127.0.0.1:18102/page.html"
	"$PROXY $SHOW http://127.0.0.1:18102/page.html"
	"$PROXY -H 'Cache-Control: no-cache' -o /dev/null $SHOW http://127.0.0.1:18102/page.html"
	"$WITH_ORIGIN $PROXY -o /dev/null $SHOW http://127.0.0.1:18102/none.html"
	"$PROXY -o /dev/null $SHOW http://127.0.0.1:18103/forbidden"
)

fixture()
{
	install -d "$HERE/web"
	install -d -o proxy -g proxy "$HERE/run" "$HERE/cache"
	echo 'from the origin' >"$HERE/web/page.html"
	touch -d '2001-05-01 12:00 UTC' "$HERE/web/page.html"
	cat >"$HERE/squid.conf" <<-CONF
		http_port 127.0.0.1:18101
		visible_hostname cage
		pid_filename $HERE/run/squid.pid
		coredump_dir $HERE/cache
		cache_log /var/log/squid/immure-check.cache.log
		access_log stdio:$LOG
		logfile_rotate 0
		acl safe port 18102
		http_access allow safe
		http_access deny all
		pinger_enable off
		shutdown_lifetime 1 seconds
	CONF
}

clean_up() { rm -f /var/log/squid/immure-check.*; }

@test "squid: one command grows a jail and proves it" {
	build_proves
}

@test "squid: the running jail answers byte for byte as natively" {
	answers_as_natively
}

@test "squid: logs rotate with USR1, HUP reloads" {
	need_build
	jail_start
	rotated "$LOG" USR1 "$PROXY http://127.0.0.1:18103/again"
	kill -HUP "$(jail_pid)"
	eventually 20 grep 'Reconfiguring Squid' /var/log/squid/immure-check.cache.log
	eventually 20 listening
	jail_stop
}

@test "squid: remove leaves nothing" {
	remove_leaves_nothing
}
