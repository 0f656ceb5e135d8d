#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# A jail that was tampered with, and a host without room: a start says in one line what is wrong, or it starts a jail that
# holds; nothing in between. (Damaged policies and a link in the place of the root: walls.bats, prove.bats.)

NAME=cli-hostile-input PORT=18624
load helpers

PIDS=/sys/fs/cgroup/pids/immure-check-hostile-input

teardown()
{
	immure stop -q "$NAME" || true
	for name in "$NAME" "$NAME-2"; do immure remove -q "$name" || true; done
	rmdir "$PIDS" || true
} 2>/dev/null

build_perl()
{
	good build "$NAME" --ready true --user nobody "$@" -- /usr/bin/perl -e '$| = 1; sleep 1 while 1'
	ROOT=$IMMURE_STATE_DIR/jails/$NAME/generations/1/root
}

not_running() { [[ $(immure status "$NAME" --json | jq -r .state) == stopped ]]; }

# whole_or_not COMMAND...: a start that COMMAND makes short of something; counts in $started and $refused.
whole_or_not()
{
	local status=0

	"$@" "$IMMURE" start "$NAME" >"$WORK/out/said" 2>"$WORK/out/errors" 3>&- || status=$?
	if [[ $status -eq 0 ]]; then
		started=$((started + 1))
		grep -q '^Seccomp:.2' "/proc/$(immure status "$NAME" --json | jq .pid)/status"
		grep -q '^CapBnd:.0000000000000000' "/proc/$(immure status "$NAME" --json | jq .pid)/status"
		immure stop -q "$NAME"
	else
		refused=$((refused + 1))
		[[ $(grep -c . "$WORK/out/errors") -eq 1 ]] || { cat "$WORK/out/errors"; return 1; }
		not_running
	fi
}

@test "input: the policy of another jail is not this one's" {
	build_perl
	good build "$NAME-2" --ready true -- /usr/bin/perl -e '$| = 1; chroot "/"; sleep 1 while 1'
	cp "$IMMURE_STATE_DIR/jails/$NAME-2/current/"policy.{json,bin} "$IMMURE_STATE_DIR/jails/$NAME/current/"
	refuses 5 start "$NAME"
	says 'was not made of this policy.json and this spec'
	not_running
}

@test "input: links planted where something is to be mounted" {
	local place
	build_perl --state "$HERE/state"
	for place in tmp "${HERE#/}/state" dev proc; do
		mv "$ROOT/$place" "$ROOT/$place.kept"
		ln -s /etc "$ROOT/$place"
		refuses 5 start "$NAME"
		says "/$place"
		not_running
		rm "$ROOT/$place"
		mv "$ROOT/$place.kept" "$ROOT/$place"
	done
	good start "$NAME"
}

@test "input: a device and a set-id program planted in the tree are neither" {
	local pid
	build_perl
	mknod "$ROOT/usr/memory" c 1 5
	chmod 666 "$ROOT/usr/memory"
	cp /usr/bin/id "$ROOT/usr/bin/planted"
	chmod 4755 "$ROOT/usr/bin/planted"
	good start "$NAME"
	pid=$(immure status "$NAME" --json | jq .pid)
	[[ -c /proc/$pid/root/usr/memory ]]
	! head -c 1 "/proc/$pid/root/usr/memory" >/dev/null 2>"$WORK/out/errors"
	grep -q 'Permission denied' "$WORK/out/errors"
	[[ $(awk '$5 == "/" { print $6 }' "/proc/$pid/mountinfo") = ro,nosuid,nodev,* ]]
	refuses 1 check "$NAME"
	tells usr/memory
	tells usr/bin/planted
}

@test "input: a user that is gone since the build" {
	sed "\$a immure-gone:x:4711:4711::/nonexistent:/bin/false" /etc/passwd >"$WORK/out/passwd"
	sed "\$a immure-gone:x:4711:" /etc/group >"$WORK/out/group"
	unshare -m sh -ec 'mount --bind "$2/passwd" /etc/passwd; mount --bind "$2/group" /etc/group
		"$1" build "$3" --ready true --user immure-gone -- /usr/bin/perl -e "sleep 1 while 1"' \
		sh "$IMMURE" "$WORK/out" "$NAME" >"$WORK/out/built" 3>&-
	refuses 2 start "$NAME"
	says immure-gone
	not_running
}

@test "input: too few descriptors" {
	local n started=0 refused=0
	build_perl
	for n in 5 7 9 11 13 15 18 40; do
		whole_or_not prlimit "--nofile=$n"
	done
	[[ $started -ge 1 && $refused -ge 4 ]]
}

@test "input: too little memory" {
	local mb started=0 refused=0
	build_perl
	for mb in 12 14 16 18 20 64; do
		whole_or_not prlimit "--as=$((mb << 20))"
	done
	[[ $started -ge 1 && $refused -ge 1 ]]
}

@test "input: too few processes" {
	local n started=0 refused=0
	build_perl
	mkdir "$PIDS" 2>/dev/null || skip "this host has no control groups of version 1 for processes"
	# shellcheck disable=SC2016 # the inner shell expands
	for n in 2 3 4 5 9; do
		echo "$n" >"$PIDS/pids.max"
		whole_or_not sh -c 'echo $$ >"$0/cgroup.procs"; exec "$@"' "$PIDS"
	done
	[[ $started -ge 1 && $refused -ge 2 ]]
}
