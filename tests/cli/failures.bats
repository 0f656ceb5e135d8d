#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Services and exercises that fail: the reason is told, and nothing is left behind.

NAME=cli-fail PORT=18604
load helpers

@test "failure: a service that dies at once; its last words are shown" {
	refuses 1 build "$NAME" --exercise true -- /bin/sh -c 'echo opening my heart; echo it is locked >&2; exit 3'
	tells 'status 3'
	tells 'opening my heart'
	tells 'it is locked'
	nothing_left
}

@test "failure: a service that is killed" {
	# shellcheck disable=SC2016 # the service's own shell expands
	refuses 1 build "$NAME" --exercise true -- /bin/sh -c 'kill -SEGV $$'
	tells 'SEGV\|signal 11\|Segmentation'
	nothing_left
}

@test "failure: a service that never becomes ready" {
	spec "$NAME" <<-'SPEC'
		[Service]
		ExecStart=/bin/sh -c 'echo waiting for the moon; exec sleep 30303'
		TimeoutStartSec=2
		[Exercise]
		Ready=false
		Command=true
	SPEC
	refuses 1 build "$NAME"
	tells 'not ready'
	tells 'waiting for the moon'
	not pgrep -f 'sleep 30303'
	nothing_left
}

@test "failure: an exercise that fails natively is not the jail's fault" {
	refuses 1 build "$NAME" --user redis --exercise "$PING" --exercise 'echo oops; exit 7' -- "${REDIS[@]}"
	tells 'step 2'
	tells 'natively'
	tells '7'
	nothing_left
}

@test "failure: an exercise that hangs is ended" {
	spec "$NAME" <<-SPEC
		[Service]
		ExecStart=/usr/bin/redis-server --bind 127.0.0.1 --port $PORT --save ""
		User=redis
		[Exercise]
		Command=$PING
		Command=sleep 40404 & sleep 40404
		Timeout=2
	SPEC
	refuses 1 build "$NAME"
	tells 'step 2'
	tells Timeout
	not pgrep -f 'sleep 40404'
	nothing_left
}

@test "failure: an exercise that is never the same twice shows the line" {
	refuses 1 build "$NAME" --user redis --exercise "$PING; cat /proc/sys/kernel/random/uuid" -- "${REDIS[@]}"
	tells 'line 2'
	nothing_left
}

@test "failure: a failed build leaves the last good generation" {
	build_redis
	echo 'Command=false' >>"$IMMURE_CONFIG_DIR/$NAME.conf"
	refuses 1 build "$NAME"
	good start "$NAME"
	eventually 5 listening
	good status "$NAME" --json
	json '.generation == 1'
	good remove "$NAME"
	nothing_left
}

@test "failure: the disk is full" {
	# Not below $WORK: the world of another story would hold a copy of this mount.
	local small

	small=$(mktemp -d /var/tmp/small.XXXXXX)
	mount -t tmpfs -o size=4m,nr_inodes=500 small "$small"
	IMMURE_STATE_DIR=$small refuses 5 build "$NAME" --user redis --exercise "$PING" -- "${REDIS[@]}" ||
		{ umount "$small"; rmdir "$small"; return 1; }
	left=$(find "$small" ! -type d ! -path '*/locks/*')
	umount "$small"
	rmdir "$small"
	says 'space'
	[[ -z $left ]]
	nothing_left
}

@test "failure: two builds of one name at the same time" {
	immure build "$NAME" --user redis --exercise "$PING; sleep 2" -- "${REDIS[@]}" >"$WORK/out/first" 2>&1 &
	sleep 0.7
	refuses 5 build "$NAME" --user redis --exercise "$PING" -- "${REDIS[@]}"
	says "$NAME"
	wait $!
	good status "$NAME" || [[ $? -eq 1 ]]
	good build "$NAME"
	tells 'unchanged, generation 1'
}
