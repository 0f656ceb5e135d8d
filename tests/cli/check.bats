#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# What this kernel can enforce, and what an older one is said to lack: deny.c takes calls away.

NAME=cli-check PORT=18611
load helpers

setup_file()
{
	export DENY=$BATS_FILE_TMPDIR/deny
	cc -w -o "$DENY" "$BATS_TEST_DIRNAME/../priv/deny.c" -lseccomp
}

teardown_file() { :; }

# denied CALL...: the check on a kernel without them; its status is in $status.
denied()
{
	status=0
	output=$("$DENY" "$@" -- "${IMMURE:-$BATS_TEST_DIRNAME/../../build/src/immure}" check --host --json 2>"$BATS_TEST_TMPDIR/errors") || status=$?
	errors=$(cat "$BATS_TEST_TMPDIR/errors")
}

here() { json ".walls[] | select(.name == \"$1\") | .here"; }
missing() { json ".walls[] | select(.name == \"$1\") | .here == false and has(\"error\")"; }

setup() { mkdir -p "${WORK:=$BATS_TEST_TMPDIR}/out"; }
teardown() { :; }

@test "check: this host has every required wall, and the table says so" {
	good check --host
	tells '^WALL .*KIND .*HERE .*SINCE'
	tells '^openat2 .*required .*yes .*5\.6'
	tells '^landlock-net .*extra'
	! grep -q 'required *no' <<<"$output"
}

@test "check: the same as JSON" {
	good check --host --json
	json '.good and (.walls | length > 20)'
	json '[.walls[] | select(.kind == "required") | .here] | all'
	json '[.walls[].name] | (unique | length) == length'
	good check --host --quiet
	[[ -z $output ]]
}

@test "check: without a required wall the answer is no, by name" {
	local row

	for row in openat2:openat2 close_range:close-range pidfd_open:pidfd mount_setattr:mount-setattr \
		fsopen:mount-api move_mount:mount-api seccomp:seccomp-filter unshare:pid-namespace; do
		denied "${row%:*}"
		[[ $status -eq 1 ]]
		says "${row#*:}"
		missing "${row#*:}"
		json '.good | not'
	done
}

@test "check: several missing walls are all named" {
	denied openat2 close_range
	[[ $status -eq 1 ]]
	says openat2 close-range
	here pidfd
}

@test "check: without an extra wall the answer is yes, and the wall is missing" {
	denied landlock_create_ruleset clone3
	[[ $status -eq 0 && -z $errors ]]
	missing landlock-files
	missing landlock-net
	missing landlock-scope
	missing same-pid
	json .good
}

@test "check: nothing is left behind" {
	good check --host
	! ls -d /sys/fs/cgroup/immure-check-* /sys/fs/cgroup/*/immure-check-* 2>/dev/null
	! grep -q immure-check /proc/mounts
}

@test "check: a host and a jail are not looked at together" {
	refuses 2 check "$NAME" --host
	says 'one or the other'
	refuses 2 check "$NAME"
	says "no jail named '$NAME'"
}
