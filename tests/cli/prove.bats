#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# prove, show --policy, the launcher by itself, and policies that were tampered with.

NAME=cli-prove PORT=18622
load helpers

LAUNCH=$(dirname "$IMMURE")/immure-launch

build_perl() { good build "$NAME" --ready true "$@" -- /usr/bin/perl -e '$| = 1; sleep 1 while 1'; }

@test "prove: the exercise again, and a table of the walls" {
	build_redis
	good prove "$NAME"
	tells "^$NAME: proved, generation 1: 1 step as natively"
	for wall in user groups bounding-set capabilities no-new-privs filter descriptors root mounts; do
		tells "^  $wall *holds"
	done
	good prove "$NAME" --json
	json '.proved and (.steps | length == 1) and (.walls | length > 10) and all(.walls[]; .result == "held")'
}

@test "prove: a jail that answers otherwise is told, with the line" {
	good build "$NAME" --include /etc/debian_version --user redis \
		--exercise "cat \$IMMURE_ROOT/etc/debian_version; $PING" -- "${REDIS[@]}"
	printf 'two\n' >"$IMMURE_STATE_DIR/jails/$NAME/generations/1/root/etc/debian_version"
	refuses 1 prove "$NAME"
	tells 'NOT proved'
	tells 'line 1 natively: *[0-9]'
	tells 'line 1 jailed: *two'
}

@test "prove: what is no jail is told so" {
	refuses 2 prove nobody-built-this
	says "no jail named 'nobody-built-this'"
}

@test "show --policy: rights with their reasons, and the walls" {
	build_redis
	good show "$NAME" --policy
	tells "^tcp:$PORT .*bind"
	tells '^capabilities *none'
	tells '^no_new_privs *yes'
	good show "$NAME" --policy --json
	json ".no_new_privs and .tcp_bind == [$PORT] and (.rights | map(.right) | index(\"tcp:$PORT\") != null)"
}

@test "export: the launcher runs a plan by itself, and ends as it ended" {
	good build "$NAME" --ready true -- /usr/bin/perl -e '$| = 1; print "at work\n"; $SIG{TERM} = sub { exit 7 }; sleep 1 while 1'
	good export "$NAME" --format plan -o "$WORK/plan"
	[[ $(stat -c %a "$WORK/plan") = 600 ]]
	"$LAUNCH" "$WORK/plan" >"$WORK/out/said" 3>&- &
	local pid=$!
	for _ in {1..50}; do
		grep -q 'at work' "$WORK/out/said" && break
		sleep 0.1
	done
	kill -TERM "$pid"
	local status=0
	wait "$pid" || status=$?
	[[ $status -eq 7 ]]
}

@test "export: what cannot be is told" {
	build_perl
	refuses 2 export "$NAME" --format cake -o "$WORK/plan"
	says 'cake' 'plan'
	refuses 2 export "$NAME" --format plan
	says '\-o PATH'
	refuses 2 export "$NAME" --format plan -o "$WORK/no/such/plan"
	says "$WORK/no/such/plan"
}

@test "launcher: a plan that was cut off, changed or made for another version is refused" {
	build_perl
	good export "$NAME" --format plan -o "$WORK/plan"
	head -c 900 "$WORK/plan" >"$WORK/cut"
	cp "$WORK/plan" "$WORK/bent"
	printf '\377' | dd of="$WORK/bent" bs=1 seek=700 conv=notrunc status=none
	cp "$WORK/plan" "$WORK/newer"
	printf '\143' | dd of="$WORK/newer" bs=1 seek=8 conv=notrunc status=none
	: >"$WORK/empty"
	for what in cut bent newer empty nothing; do
		local status=0
		"$LAUNCH" "$WORK/$what" >"$WORK/out/said" 2>&1 || status=$?
		[[ $status -eq 127 && $(wc -l <"$WORK/out/said") -eq 1 ]] || { echo "$what: $status"; cat "$WORK/out/said"; false; }
	done
}

@test "start: a compiled policy that is damaged or another's is refused, and nothing runs" {
	build_perl
	local gen=$IMMURE_STATE_DIR/jails/$NAME/generations/1
	cp "$gen/policy.bin" "$WORK/policy.bin"
	truncate -s 100 "$gen/policy.bin"
	refuses 5 start "$NAME"
	tells 'damaged.*immure build'
	cp "$WORK/policy.bin" "$gen/policy.bin"
	printf '\377' | dd of="$gen/policy.bin" bs=1 seek=300 conv=notrunc status=none
	refuses 5 start "$NAME"
	tells 'damaged'
	cp "$WORK/policy.bin" "$gen/policy.bin"
	printf '[{"right":"CAP_CHOWN","why":"x","by":"x","phase":"start"}]' >"$gen/policy.json"
	refuses 5 start "$NAME"
	tells 'was not made of this policy.json'
	! immure status -q "$NAME"
}
