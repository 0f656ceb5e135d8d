#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# What `immure reload` brings to a running jail: a configuration that is a single file, a renewed
# key; a ConfigTest= that fails leaves the service untouched; ExecReload= of both kinds. And the pid
# file of a daemon right in /run, and a start beside the native service.

NAME=reload
load helpers

PORTS=(18091)
CONF=/etc/immure-check-reload.conf
KEY=/etc/immure-check-reload.key
PID_FILE=/run/immure-check-reload.pid
COMMAND=(/usr/sbin/nginx -c "$CONF")
ASK="curl -sk https://127.0.0.1:18091/"

key()
{
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj "/CN=$1" \
		-keyout "$KEY" -out "$KEY.crt" 2>/dev/null
	chmod 600 "$KEY"
}

fixture()
{
	mkdir -p "$WORK/etc"
	key first
	cat >"$CONF" <<-CONF
		user www-data;
		pid $PID_FILE;
		error_log $HERE/error.log;
		events { worker_connections 64; }
		http {
		  access_log off;
		  server {
		    listen 127.0.0.1:18091 ssl;
		    ssl_certificate $KEY.crt;
		    ssl_certificate_key $KEY;
		    return 200 "one\n";
		  }
		}
	CONF
	spec "ExecReload=/bin/kill -HUP \$MAINPID"
}

# spec LINE: how it is reloaded.
spec()
{
	cat >"$WORK/etc/$NAME.conf" <<-SPEC
		[Service]
		Type=forking
		ExecStart=${COMMAND[*]}
		$1
		[Jail]
		State=$HERE
		ConfigTest=/usr/sbin/nginx -t -c $CONF
		[Exercise]
		Command=$ASK
	SPEC
}

clean_up() { rm -f "$CONF" "$KEY" "$KEY.crt" "$PID_FILE"; }

says() { [[ $($ASK) == "$1" ]]; }
subject() { openssl s_client -connect 127.0.0.1:18091 </dev/null 2>/dev/null | openssl x509 -noout -subject; }
has_key() { subject | grep -q "$1"; }

builds()
{
	immure build "$NAME" >"$WORK/out/summary" 2>&1 || { show "$WORK/out/summary"; return 1; }
	touch "$WORK/out/built"
}

@test "reload: a changed single file and a renewed key arrive, the process stays" {
	builds
	not immure reload "$NAME"
	jail_start
	says one
	pid=$(jail_pid)
	sed -i 's/"one/"two/' "$CONF"
	key second
	immure reload "$NAME" --json | jq -e --arg conf "$CONF" --arg key "$KEY" \
		'.changed and (.renewed | index($conf) and index($key)) and .gone == []'
	eventually 5 says two
	eventually 5 has_key second
	[[ $(jail_pid) == "$pid" ]]
	[[ $(stat -c %a "$(immure status "$NAME" --json | jq -r .root)$KEY") == 600 ]]
	# The manifest followed: nothing is left to be renewed.
	immure reload "$NAME" --json | jq -e '.renewed == []'
}

@test "reload: where ConfigTest fails the service is told nothing" {
	need_build
	immure start "$NAME"
	pid=$(jail_pid)
	cp "$CONF" "$WORK/out/good.conf"
	sed -i 's/events/evnts/' "$CONF"
	status=0
	immure reload "$NAME" >"$WORK/out/reload" 2>&1 || status=$?
	show "$WORK/out/reload"
	[[ $status -eq 1 ]]
	grep -q ConfigTest "$WORK/out/reload"
	grep -q 'unknown directive "evnts"' "$WORK/out/reload"
	says two
	not immure restart "$NAME"
	[[ $(jail_pid) == "$pid" ]]
	cp "$WORK/out/good.conf" "$CONF"
	immure reload "$NAME"
	jail_stop
}

@test "reload: ExecReload runs a program of the jail" {
	need_build
	spec "ExecReload=/usr/sbin/nginx -c $CONF -s reload"
	builds
	jail_start
	sed -i 's/"two/"three/' "$CONF"
	immure reload "$NAME"
	eventually 5 says three
	jail_stop
}

@test "reload: a start takes what was edited while it was stopped" {
	need_build
	sed -i 's/"three/"four/' "$CONF"
	jail_start
	says four
}

@test "reload: the pid file in /run is the host's while it runs" {
	need_build
	immure start "$NAME"
	[[ $(tr -d ' ' <"$PID_FILE") == "$(jail_pid)" ]]
	[[ $(readlink "/proc/$(cat "$PID_FILE")/ns/pid") != $(readlink /proc/self/ns/pid) ]]
	nginx -c "$CONF" -s reload
	jail_stop
	[[ ! -e $PID_FILE ]]
	# A dead one's is replaced; what is no pid file stays.
	echo 4194303 >"$PID_FILE"
	jail_start
	[[ $(cat "$PID_FILE") == "$(jail_pid)" ]]
	jail_stop
	echo "not a number" >"$PID_FILE"
	jail_start
	[[ $(cat "$PID_FILE") == "not a number" ]]
	jail_stop
	rm "$PID_FILE"
}

@test "reload: no start beside the native service" {
	need_build
	"${COMMAND[@]}"
	eventually 5 test -s "$PID_FILE"
	native=$(cat "$PID_FILE")
	status=0
	immure start "$NAME" 2>"$WORK/out/refusal" || status=$?
	"${COMMAND[@]}" -s stop
	show "$WORK/out/refusal"
	[[ $status -eq 5 ]]
	grep -q "pid $native\>" "$WORK/out/refusal"
	grep -q 'tcp:127.0.0.1:18091' "$WORK/out/refusal"
	eventually 5 silent
}

@test "reload: remove leaves nothing" {
	remove_leaves_nothing
}
