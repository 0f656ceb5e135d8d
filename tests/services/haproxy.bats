#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# HAProxy, which chroots itself and changes its user, in front of a small web server. Told to
# reload it executes itself again.

NAME=haproxy
load helpers

PORTS=(18071)
COMMAND=(/usr/sbin/haproxy -W -f "$HERE/haproxy.cfg")
WITH_ORIGIN="$BATS_TEST_DIRNAME/with-origin 18072 $HERE/web"
STEPS=(
	"$WITH_ORIGIN curl -sf -H 'X-Seen: me' http://127.0.0.1:18071/page.html"
	"$WITH_ORIGIN curl -s -o /dev/null -w '%{http_code} %header{x-cage}\n' http://127.0.0.1:18071/none.html"
	"curl -sf http://127.0.0.1:18071/alive"
	"curl -s http://127.0.0.1:18071/page.html | head -n 1"
	"printf 'show info\n' | nc -NU \$IMMURE_ROOT$HERE/run/admin.sock | grep ^Name"
)

fixture()
{
	mkdir -p "$HERE"/{web,run,empty}
	echo 'from the origin' >"$HERE/web/page.html"
	cat >"$HERE/haproxy.cfg" <<-CONF
		global
		  chroot $HERE/empty
		  user haproxy
		  group haproxy
		  stats socket $HERE/run/admin.sock mode 600 level admin
		  log stdout format raw local0
		defaults
		  mode http
		  log global
		  option httplog
		  retries 1
		  timeout connect 2s
		  timeout client 5s
		  timeout server 5s
		frontend cage
		  bind 127.0.0.1:18071
		  http-request return status 200 content-type text/plain string "alive\n" if { path /alive }
		  http-response set-header X-Cage canary
		  default_backend origin
		backend origin
		  server one 127.0.0.1:18072
	CONF
}

logged() { immure logs "$NAME" | grep -e "$1"; }

@test "haproxy: one command grows a jail and proves it" {
	build_proves
}

@test "haproxy: the running jail answers byte for byte as natively" {
	answers_as_natively
}

@test "haproxy: its log can be read, USR2 makes it execute itself again" {
	need_build
	jail_start
	curl -sf http://127.0.0.1:18071/alive
	eventually 5 logged "GET /alive"
	old=$(pgrep -P "$(jail_pid)")
	kill -USR2 "$(jail_pid)"
	eventually 10 eval "! kill -0 $old"
	eventually 10 listening
	session "$(jail_pid)" | diff -u "$WORK/out/native" -
	jail_stop
}

@test "haproxy: remove leaves nothing" {
	remove_leaves_nothing
}
