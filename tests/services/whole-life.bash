# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Many stories in one file, each a single test from build to removal: "@test NAME: ..." calls
# whole_life. story_NAME sets what helpers.bash wants to know, fixture_NAME fills $HERE, and where
# there is more, clean_up_NAME, ready_NAME and native_pid_NAME stand for those of helpers.bash.
# Nothing else is told about a service, and nothing to immure but command line, user and exercise.

setup()
{
	local part

	NAME=${BATS_TEST_DESCRIPTION%%:*}
	load helpers
	take_story
	setup_file
}

teardown() { take_down; }

take_story()
{
	"story_$NAME"
	for part in fixture clean_up ready native_pid; do
		declare -F "${part}_$NAME" >/dev/null && eval "$part() { ${part}_$NAME; }"
	done
	return 0
}

whole_life()
{
	build_proves
	answers_as_natively
	remove_leaves_nothing
}
