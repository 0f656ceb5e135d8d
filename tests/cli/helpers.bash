# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# For the stories of the command line: a small real service, and what holds after each command.
# A story sets NAME and PORT before it loads this file.

# shellcheck source=tests/services/helpers.bash
source "$BATS_TEST_DIRNAME/../services/helpers.bash"

PORTS=("$PORT")
REDIS=(/usr/bin/redis-server --bind 127.0.0.1 --port "$PORT" --save '' --dir "$HERE")
PING="redis-cli -p $PORT ping"

fixture() { install -d -o redis "$HERE"; }

# Each test begins without any jail.
setup() { rm -rf "$IMMURE_CONFIG_DIR" "$IMMURE_STATE_DIR" "$IMMURE_RUN_DIR"; }

teardown()
{
	local name

	for name in $(immure ls --json 2>/dev/null | jq -r '.jails[].name'); do
		immure remove "$name" >/dev/null
	done
}

# good ARG..., refuses STATUS ARG...: run immure; what it said is in $output and $errors.
good() { refuses 0 "$@"; }

refuses()
{
	local want=$1 status=0

	shift
	output=$(immure "$@" 2>"$WORK/out/errors") || status=$?
	errors=$(cat "$WORK/out/errors")
	[[ $status -eq $want ]] || {
		printf 'immure %s: status %d, not %d\n%s\n%s\n' "$*" "$status" "$want" "$output" "$errors"
		return 1
	}
}

# says PATTERN...: the errors are one line, and name each of these.
says()
{
	local pattern

	[[ $(wc -l <<<"$errors") -eq 1 ]] || { printf 'not one line:\n%s\n' "$errors"; return 1; }
	for pattern; do
		grep -qe "$pattern" <<<"$errors" || { printf "no '%s' in: %s\n" "$pattern" "$errors"; return 1; }
	done
}

# tells PATTERN: somewhere in output or errors.
tells() { grep -qe "$1" <<<"$output"$'\n'"$errors" || { printf "no '%s' in:\n%s\n%s\n" "$1" "$output" "$errors"; return 1; }; }

# json FILTER: holds for the output, which is an object of schema 1.
json() { jq -e "(.schema == 1) and ($1)" <<<"$output" >/dev/null || { printf "not '%s': %s\n" "$1" "$output"; return 1; }; }

# spec NAME: its text comes on standard input.
spec()
{
	mkdir -p "$IMMURE_CONFIG_DIR"
	cat >"$IMMURE_CONFIG_DIR/$1.conf"
}

build_redis() { good build "$NAME" --user redis --exercise "$PING" -- "${REDIS[@]}"; }

# What a command that failed may leave: nothing but the user's own spec.
nothing_left()
{
	rm -f "$IMMURE_CONFIG_DIR"/*.conf
	no_leftovers
}
