#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Wrong usage: one clear line, the right exit status, and nothing left behind.

NAME=cli-usage PORT=18601
load helpers

COMMANDS=(build run start stop restart status ls files show logs remove prove export check why reload update rollback diff gc)

@test "usage: --help lists every command, and each has its own help" {
	good --help
	for command in "${COMMANDS[@]}"; do
		tells "^  $command "
	done
	for command in "${COMMANDS[@]}"; do
		good "$command" --help
		tells "^usage: immure $command"
	done
}

@test "usage: an unknown command or option is named" {
	refuses 2 biuld "$NAME"
	says biuld --help
	refuses 2 build "$NAME" --usr redis
	says --usr 'did you mean --user'
	refuses 2 build "$NAME" --user
	says --user
	nothing_left
}

@test "usage: no name, no command" {
	refuses 2 build
	says 'immure build NAME'
	refuses 2 build "$NAME"
	says "$NAME" ExecStart
	nothing_left
}

@test "usage: a command that is not there" {
	refuses 2 build "$NAME" -- /usr/sbin/no-such-daemon --flag
	says /usr/sbin/no-such-daemon
	refuses 2 build "$NAME" -- no-such-daemon
	says no-such-daemon
	nothing_left
}

@test "usage: a user or group that does not exist" {
	refuses 2 build "$NAME" --user no-such-user -- "${REDIS[@]}"
	says no-such-user
	refuses 2 build "$NAME" --group no-such-group -- "${REDIS[@]}"
	says no-such-group
	nothing_left
}

@test "usage: a unit that does not exist" {
	refuses 2 build "$NAME" --unit no-such-thing.service
	says no-such-thing.service systemd
	nothing_left
}

@test "usage: names that would lead elsewhere" {
	local name command

	for name in ../etc/passwd a/b .hidden 'x y' "$(printf 'a%.0s' {1..65})" ''; do
		for command in build start stop status files show logs remove; do
			refuses 2 "$command" "$name"
			says "^immure: "
		done
	done
	nothing_left
}

@test "usage: a jail that is not there" {
	local command

	for command in start restart stop run files logs show remove; do
		refuses 2 "$command" "$NAME"
		says "$NAME"
	done
	refuses 4 status "$NAME"
	nothing_left
}

@test "usage: not root" {
	local command

	for command in build start stop restart run remove; do
		status=0
		errors=$(setpriv --reuid=65534 --regid=65534 --clear-groups "$IMMURE" "$command" "$NAME" 2>&1) ||
			status=$?
		[[ $status -eq 4 ]]
		says "$command" 'root\|sudo'
	done
	nothing_left
}
