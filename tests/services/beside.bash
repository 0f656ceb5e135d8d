# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2317
#
# A build beside the real service: the service runs where the distribution has it, with its data in
# its own directories, and the exercise talks to the path or port where a careless tool would meet
# it. Whatever the build does, the live service must not notice.
#
# The paths are the distribution's, and other stories use them too. So each story has a host of its
# own: mount, pid, network, ipc and uts namespaces that live as long as one process, the holder. In
# them the directories of the story are copies or empty, /run is memory, all ports are free. What is
# run by onhost sees this host and no other; when the holder is killed, all of it is gone.
#
# A story "@test SERVICE: ..." defines, named after the service:
#
#   story_SERVICE      says COPIES and EMPTY, and what helpers.bash wants to know: UNIT, STEPS
#   fixture_SERVICE    makes configuration and data, starts the live service (live), waits for it
#   counters_SERVICE   asks the live service: one "name number" per line
#   main_SERVICE       prints the pid of the live service's first process

setup()
{
	SERVICE=${BATS_TEST_DESCRIPTION%%:*}
	NAME=beside-$SERVICE
	load helpers
	COPIES=() EMPTY=()
	"story_$SERVICE"
	immure() { onhost "$IMMURE" "$@"; }
	fixture() { host_up && "fixture_$SERVICE" && settled; }
	clean_up() { host_down; }
	setup_file
}

teardown() { take_down; }

# --- the host -----------------------------------------------------------------------------------

# Directories of the story's own, on a disk: below an overlay no overlay's upper layer could lie.
host_up()
{
	local dir

	for dir in "${COPIES[@]}" "${EMPTY[@]}"; do
		mkdir -p "$WORK/host$dir"
		chown --reference="$dir" "$WORK/host$dir"
		chmod --reference="$dir" "$WORK/host$dir"
	done
	for dir in "${COPIES[@]}"; do cp -a "$dir/." "$WORK/host$dir"; done

	# shellcheck disable=SC2016 # the inner shell expands
	setsid unshare --mount --pid --net --ipc --uts --propagation private --fork --kill-child --mount-proc \
		bash -euc 'own=$1; shift
			for dir; do mount --bind "$own$dir" "$dir"; done
			mount -t tmpfs -o mode=755,nosuid,nodev tmpfs /run
			mkdir -m 1777 /run/lock
			ip link set lo up
			: >"$own/ready"
			# The first process of its pid namespace: bash reaps what daemons leave to it.
			while :; do sleep 1000 & wait $!; done' \
		_ "$WORK/host" "${COPIES[@]}" "${EMPTY[@]}" >"$WORK/out/host.log" 2>&1 </dev/null 3>&- 7>&- 8>&- &
	echo $! >"$WORK/out/unshare.pid"
	eventually 10 test -e "$WORK/host/ready" || { show "$WORK/out/host.log"; return 1; }
	tr -d ' ' <"/proc/$!/task/$!/children" >"$WORK/out/holder.pid"
}

# member holder|unshare: its pid, if it is still the one that host_up made.
member()
{
	local pid

	pid=$(cat "$WORK/out/$1.pid" 2>/dev/null) && grep -qs "$WORK/host" "/proc/$pid/cmdline" && echo "$pid"
}

# With the first process of a pid namespace all others in it end; its mounts and network go with them.
host_down()
{
	local name pid

	for name in holder unshare; do
		pid=$(member "$name") || continue
		kill -KILL "$pid"
		eventually 10 not member "$name"
	done
}

onhost()
{
	local pid

	pid=$(member holder) || { echo "the story has no host" >&2; return 1; }
	nsenter --target "$pid" --mount --pid --net --ipc --uts --wd=/ -- "$@" 3>&- 7>&- 8>&-
}

# live COMMAND...: the service as an init system would start it there.
live()
{
	onhost setsid env -i PATH="$SEARCH" LC_ALL=C.UTF-8 "$@" >>"$WORK/out/live.log" 2>&1 </dev/null &
}

# --- what must stay as it is --------------------------------------------------------------------

# Everything that can be seen without asking the service: files with inode, mode and times,
# processes, sockets, mounts.
# shellcheck disable=SC2016 # the inner shell expands
observe()
{
	onhost bash -uc '
		export LC_ALL=C
		find "$@" -printf "%p %y %i %n %m %u:%g %s %T@ %C@ %l\n" | sort
		for process in /proc/[0-9]*; do
			pid=${process#/proc/}
			read -r -a stat < <(sed "s/.*) //" "$process/stat" 2>/dev/null) || continue
			[[ $pid == $$ || ${stat[1]} == $$ ]] && continue
			echo "process $pid of ${stat[1]} since ${stat[19]} $(tr "\0" " " <"$process/cmdline")"
		done
		ss -Hanptuxe | grep -v TIME-WAIT | sed "s/timer:([^)]*)//" | sort
		cat /proc/self/mountinfo
		ip -o address
	' _ "${COPIES[@]}" "${EMPTY[@]}" /run
}

contents()
{
	# shellcheck disable=SC2016 # the inner shell expands
	onhost bash -uc 'find "$@" -type f -exec sha256sum {} + | LC_ALL=C sort -k 2' _ "${COPIES[@]}" "${EMPTY[@]}" /run
}

# The service has come to rest: nothing changes any more by itself.
settled()
{
	local end=$((SECONDS + 20))

	observe >"$WORK/out/now"
	until mv "$WORK/out/now" "$WORK/out/then" && sleep 1 && observe >"$WORK/out/now" &&
		diff "$WORK/out/then" "$WORK/out/now" >"$WORK/out/restless"; do
		[[ $SECONDS -lt $end ]] || { echo "not at rest:"; show "$WORK/out/restless"; return 1; }
	done
}

# What counting costs is told by counting twice: BEFORE and EXPECTED differ by one count, and so
# will EXPECTED and the count after the build, if nothing but that count came in between.
look_before()
{
	"counters_$SERVICE" >"$WORK/out/first"
	"counters_$SERVICE" >"$WORK/out/second"
	settled
	{ observe; contents; } >"$WORK/out/before"
}

nothing_changed()
{
	{ observe; contents; } >"$WORK/out/after"
	diff "$WORK/out/before" "$WORK/out/after" || { echo "the live service is not as it was"; return 1; }
	"counters_$SERVICE" >"$WORK/out/third"
	show "$WORK/out/third"
	paste -d ' ' "$WORK/out/first" "$WORK/out/second" "$WORK/out/third" |
		awk '$6 - $4 != $4 - $2 || $1 != $3 || $3 != $5 { print $1 " changed: " $2 ", " $4 ", then " $6; bad = 1 } END { exit bad }'
}

# --- the tests ----------------------------------------------------------------------------------

# builds_beside OPTION...: proved, and nobody noticed.
builds_beside()
{
	local options=() step

	for step in "${STEPS[@]}"; do options+=(--exercise "$step"); done
	look_before
	immure build "$NAME" --unit "$UNIT" "$@" "${options[@]}" >"$WORK/out/summary" 2>&1 ||
		{ show "$WORK/out/summary"; return 1; }
	show "$WORK/out/summary"
	nothing_changed
	head -n 1 "$WORK/out/summary" | grep -w proved | grep -vqw not
}

# A database that is being written to is not built upon: who has it open is named, and the way out.
stops_without_a_choice()
{
	local pid

	look_before
	not immure build "$NAME" --unit "$UNIT" --exercise "${STEPS[0]}" >"$WORK/out/refusal" 2>&1
	show "$WORK/out/refusal"
	nothing_changed
	grep -q -- "$1 " "$WORK/out/refusal"
	grep -qi sample "$WORK/out/refusal"
	pid=$(grep -o 'pid [0-9]*' "$WORK/out/refusal" | head -n 1 | cut -d ' ' -f 2)
	[[ $(onhost cat "/proc/$pid/comm") == "$1" ]]
	not immure status "$NAME" 2>/dev/null
	[[ -z $(find "$WORK/lib" "$WORK/etc" -name "$NAME*" ! -name '*lock*' 2>/dev/null) ]]
}

# The jail is built: in the place of the live service it must not go while that runs. Removing it
# leaves no file of it, and the live service in peace.
neither_start_nor_remove_disturb()
{
	look_before
	not immure start "$NAME" >"$WORK/out/refusal" 2>&1
	show "$WORK/out/refusal"
	grep -q "pid $("main_$SERVICE")\>" "$WORK/out/refusal"
	immure remove "$NAME" >/dev/null
	nothing_changed
	[[ -z $(find "$WORK"/{etc,lib,run} -mindepth 1 ! -type d ! -name CACHEDIR.TAG ! -name '*lock*') ]]
}
