#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# immure is killed, or finds the disk full, at one point after the other of what it changes below its
# directories: afterwards there is the old generation or the new one, complete, and the next command
# works and leaves nothing of the dead one. FAULTS=N tries every N-th point (default: some eight of
# each; 1: all).

load ../services/helpers

NAME=faults
HERE=/srv/immure-check.$NAME
WORK=/var/lib/immure-check/$NAME
PLACE=/usr/lib/immure-check-faults
export IMMURE_CONFIG_DIR=$WORK/etc IMMURE_STATE_DIR=$WORK/lib IMMURE_RUN_DIR=$WORK/run
STEPPER=${IMMURE%/src/immure}/tests/priv/stepper
TRIES=8
# All points take an hour on a busy machine: STORY_SECONDS=7200 for tools/check too.
[[ -z ${FAULTS:-} ]] || BATS_TEST_TIMEOUT=7200

fixture()
{
	mkdir -p "$PLACE"
	cat >"$HERE/server.c" <<-'C'
		#include <arpa/inet.h>
		#include <stdio.h>
		#include <unistd.h>
		int main(void)
		{
			struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(18121)};
			int s = socket(AF_INET, SOCK_STREAM, 0);
			char text[99];
			FILE *f = fopen("/usr/lib/immure-check-faults/data", "r");
			if (!f || !fgets(text, sizeof(text), f) || bind(s, (void *)&a, sizeof(a)) || listen(s, 9))
				return 1;
			for (;;) {
				int c = accept(s, 0, 0);
				dprintf(c, "%s", text);
				close(c);
			}
		}
	C
	cc -o "$PLACE/server" "$HERE/server.c"
	echo 0 >"$PLACE/data"
}

clean_up() { rm -rf "$PLACE"; }

build() { "$@" build -q "$NAME" --write-spec --user nobody --exercise "bash -c 'cat </dev/tcp/127.0.0.1/18121'" -- "$PLACE/server"; }

# step MODE N COMMAND...: how many points there were, to $WORK/out/points; the status is the command's.
step()
{
	timeout 60 "$STEPPER" "$1" "$2" "$WORK/lib" "$IMMURE-main" "${@:3}" 3>"$WORK/out/points" >"$WORK/out/said" 2>&1
}

# whole: the jail that there is, is complete, and is what its manifest says.
whole()
{
	local link=$WORK/lib/jails/$NAME/current

	[[ -e $link || -L $link ]] || return 0
	immure check "$NAME" --deep --json >"$WORK/out/check" || [[ $? -eq 1 ]] || { show "$WORK/out/check"; return 1; }
	jq -e '[.. | objects | select(.kind? == "tampered" or .kind? == "hygiene")] == []' "$WORK/out/check" >/dev/null ||
		{ show "$WORK/out/check"; return 1; }
	immure why "$NAME" "$PLACE/server" >"$WORK/out/why" || { show "$WORK/out/why"; return 1; }
}

# clean: after the next command nothing is left of one that died.
clean()
{
	[[ -z $(find "$WORK/lib/tmp" -mindepth 1 2>/dev/null) ]] || { find "$WORK/lib/tmp" | head >&2; return 1; }
	[[ -z $(find "$WORK/lib/jails" -name '.immure-*') ]] || { find "$WORK/lib/jails" -name '.immure-*' >&2; return 1; }
	[[ $(immure gc) != *removed\ [1-9]* ]] || return 1
}

# faults MODE: an update, again and again, each time with a fault a little later.
faults()
{
	local n=0 every points status seen=0 tried=0

	echo "$RANDOM$RANDOM" >"$PLACE/data"
	step "$1" 0 update "$NAME"
	points=$(cat "$WORK/out/points")
	every=${FAULTS:-$(((points + TRIES - 1) / TRIES))}
	echo "# $1: $points points, every $every" >&3
	((points > 100))
	for ((n = 1; n <= points; n += every)); do
		echo "$n.$RANDOM$RANDOM" >"$PLACE/data"
		status=0
		step "$1" "$n" update "$NAME" || status=$?
		if [[ $1 == full ]]; then ((status == 0)) || ((++seen)); else ((status != 137)) || ((++seen)); fi
		((++tried % 100)) || echo "# $1: $tried tried, $seen faults met" >&3
		whole || { echo "# after $1 at $n (status $status): $(head -c 400 "$WORK/out/said")" >&3; return 1; }
	done
	echo "# $1: $tried tried, $seen faults met" >&3
	# A point that an update did not come to is none; nor is one that it can do without (full).
	((seen > tried * 8 / 10))
	immure update -q "$NAME"
	whole
	immure check "$NAME"
	clean
}

@test "faults: an update that is killed at any point leaves a whole jail" {
	build immure
	faults kill
}

@test "faults: an update that finds the disk full at any point leaves a whole jail, and says so" {
	faults full
}

@test "faults: a first build that is killed leaves nothing that the next one minds" {
	local n points

	immure remove -q "$NAME"
	build step kill 0
	points=$(cat "$WORK/out/points")
	for ((n = 1; n <= points; n += points / 10)); do
		immure remove -q "$NAME" || true
		build step kill "$n" || true
		whole
	done
	immure remove -q "$NAME" || true
	build immure
	whole
	clean
}
