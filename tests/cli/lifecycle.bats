#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# From build to remove: start and stop, status as the LSB says, JSON for programs.

NAME=cli-life PORT=18603
load helpers

@test "life: start and stop, once and twice" {
	build_redis
	refuses 3 status "$NAME"
	good start "$NAME"
	[[ $($PING) == PONG ]]
	good status "$NAME"
	tells running
	good start "$NAME"
	tells already
	good stop "$NAME"
	refuses 3 status "$NAME"
	good stop "$NAME"
	silent
	good remove "$NAME"
	refuses 4 status "$NAME"
	nothing_left
}

@test "life: restart is another process, a killed service is dead" {
	build_redis
	good start "$NAME"
	old=$(jail_pid)
	good restart "$NAME"
	eventually 5 listening
	new=$(jail_pid)
	[[ $old -ne $new && ! -e /proc/$old ]]

	kill -KILL "$new"
	eventually 5 eval '! [[ -e /proc/'"$new"' ]]'
	sleep 0.3
	refuses 1 status "$NAME"
	tells dead
	good start "$NAME"
	eventually 5 listening
	good stop "$NAME"
	refuses 3 status "$NAME"
}

@test "life: the jail is a root of its own" {
	build_redis
	good start "$NAME"
	pid=$(jail_pid)
	root=$(immure status "$NAME" --json | jq -r .root)
	[[ -e $root/usr/bin/redis-server && ! -e $root/usr/bin/dpkg && ! -e $root/bin/sh ]]
	for ns in mnt pid ipc uts; do
		[[ $(readlink "/proc/$pid/ns/$ns") != "$(readlink "/proc/self/ns/$ns")" ]]
	done
	[[ $(stat -c %U "/proc/$pid") == redis ]]
	# From our descriptors and environment nothing came along.
	not grep -q -e IMMURE -e BATS "/proc/$pid/environ"
	[[ -z $(find "/proc/$pid/fd" -lname '*bats*' -o -lname "*$NAME*" ! -lname '*log*') ]]
	good stop "$NAME"
}

@test "life: run stays in the foreground and ends as the service ends" {
	build_redis
	timeout 20 "$IMMURE" run "$NAME" >"$WORK/out/run" 2>&1 3>&- 8>&- &
	eventually 10 listening
	good status "$NAME"
	redis-cli -p "$PORT" shutdown nosave || true
	status=0
	wait $! || status=$?
	[[ $status -eq 0 ]]
	refuses 3 status "$NAME"

	"$IMMURE" run "$NAME" >"$WORK/out/run" 2>&1 3>&- 8>&- &
	runner=$!
	eventually 10 listening
	kill -KILL "$(jail_pid)"
	status=0
	wait $runner || status=$?
	[[ $status -eq 137 ]]

	"$IMMURE" run "$NAME" >"$WORK/out/run" 2>&1 3>&- 8>&- &
	runner=$!
	eventually 10 listening
	kill -TERM $runner
	wait $runner || true
	silent
	good remove "$NAME"
	nothing_left
}

@test "life: a start holds no descriptor of its caller" {
	build_redis
	# shellcheck disable=SC2016 # the inner shell expands
	timeout 10 bash -c '"$0" start "$1" | cat' "$IMMURE" "$NAME" 3>&- 8>&-
	eventually 5 listening
	good stop "$NAME"
}

@test "life: the same port in use by another does not matter to a build" {
	(exec "${REDIS[@]}") >/dev/null 2>&1 3>&- 8>&- &
	eventually 5 listening
	redis-cli -p "$PORT" set native untouched
	good build "$NAME" --user redis --exercise "redis-cli -p $PORT get native" -- "${REDIS[@]}"
	[[ $(redis-cli -p "$PORT" get native) == untouched ]]
	refuses 5 start "$NAME"
	kill $!
	wait $! || true
}

@test "life: JSON of schema 1 from every command that reports" {
	good build "$NAME" --json --user redis --exercise "$PING" -- "${REDIS[@]}"
	json '.proved and .changed and .generation == 1'
	good ls --json
	json '.jails | length == 1'
	good start "$NAME" --json
	json '.changed'
	good status "$NAME" --json
	json '.name == "cli-life" and .state == "running" and .pid > 1 and (.root | startswith("/proc/"))
		and .generation == 1 and (.started | fromdate > 0) and .memory > 0 and has("refused") and has("misses")'
	good files "$NAME" --json
	json '.files | map(select(.path == "/usr/bin/redis-check-rdb" and .size > 0 and .class == "program")) | length == 1'
	good files "$NAME" --json --class device
	json '.files | all(.class == "device")'
	good show "$NAME" --json
	json '.settings | map(select(.key == "User" and .value == "redis")) | length == 1'
	good logs "$NAME" --json
	json '.lines | length > 0'
	good restart "$NAME" --json
	json '.changed'
	good stop "$NAME" --json
	json '.changed'
	refuses 3 status "$NAME" --json
	json '.state == "stopped"'
	good remove "$NAME" --json
	json '.changed'
}

@test "life: files and logs for people" {
	build_redis
	good files "$NAME"
	tells '^/usr/bin/redis-check-rdb  *[0-9]*  *program'
	not tells dpkg
	good start "$NAME"
	good logs "$NAME"
	tells 'Ready to accept connections'
	good ls
	tells "^$NAME  *running"
	good remove "$NAME"
	silent
	nothing_left
}
