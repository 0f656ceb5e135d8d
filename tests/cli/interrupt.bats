#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# An interrupt at any moment of a build: namespaces, mounts, scratch and processes are gone, and the
# next build is as if nothing had been.

NAME=cli-stop PORT=18605
load helpers

# The build's own service: a name that no other process has. A signal makes it begin another sleep,
# so that a step can reach it.
SERVICE=(/bin/sh -c "trap : HUP; while :; do sleep 50505 & wait; done")
# shellcheck disable=SC2016 # the exercise's shell expands
REACH='kill -HUP $IMMURE_PID; sleep 0.4; echo seen'

begin_build()
{
	"$IMMURE" build "$NAME" --exercise "$REACH" --ready true -- "${SERVICE[@]}" \
		>"$WORK/out/build" 2>&1 3>&- 8>&- &
	build=$!
}

gone()
{
	! pgrep -f 'sleep 50505' && ! grep -lqs -- "$WORK" /proc/[0-9]*/mountinfo
}

# interrupt SIGNAL MOMENT...: builds, each at another moment.
interrupt()
{
	local moment

	for moment in "${@:2}"; do
		begin_build
		sleep "$moment"
		kill -s "$1" "$build" 2>/dev/null || true
		wait "$build" || true
		eventually 3 gone || { echo "after $moment s of a build, $1"; return 1; }
		eventually 3 no_leftovers_of_a_build || { no_leftovers_of_a_build; return 1; }
	done
	good build "$NAME" --write-spec --exercise "$REACH" --ready true -- "${SERVICE[@]}"
	tells proved
	good remove "$NAME"
	nothing_left
}

# A build that was quicker than the interrupt may have finished: then its jail is whole.
no_leftovers_of_a_build()
{
	immure remove "$NAME" >/dev/null 2>&1 || true
	rm -f "$IMMURE_CONFIG_DIR/$NAME.conf"
	no_leftovers
}

@test "interrupt: Ctrl-C" { interrupt INT 0.02 0.1 0.25 0.4 0.6 0.8 1.0 1.3 1.7 2.1; }

@test "interrupt: TERM" { interrupt TERM 0.05 0.5 0.9 1.5 1.9; }

@test "interrupt: KILL" { interrupt KILL 0.02 0.1 0.25 0.4 0.6 0.8 1.0 1.3 1.7 2.1; }

@test "interrupt: KILL while a jail runs does not touch the jail" {
	build_redis
	good start "$NAME"
	eventually 5 listening
	"$IMMURE" build "$NAME" --write-spec --exercise "$PING; sleep 1" >/dev/null 2>&1 3>&- 8>&- &
	build=$!
	sleep 0.8
	kill -KILL $build
	wait $build || true
	[[ $($PING) == PONG ]]
	good stop "$NAME"
	good remove "$NAME"
	eventually 5 nothing_left
}
