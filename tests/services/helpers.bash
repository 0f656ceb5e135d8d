# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# The life of one jail, told once: a story says what its service is, the functions below take it
# from a fixture through build, start, a client session, log rotation, stop, and removal.
#
# A story sets NAME (of the jail, and of all its directories), loads this file, and then sets:
#
#   COMMAND    the service as a user would start it
#   STEPS      the client session: each step is one --exercise, run by /bin/sh -c
#   PORTS      TCP ports that listen once the service is ready
#   ACCOUNT    whom it runs as (root)
#   SETTINGS   K=V for its environment (none)
#   PID_FILE   where it says its pid, if it puts itself into the background
#
# and defines fixture(): it fills $HERE with content, configuration and state. Where more is needed
# it defines clean_up(), which takes away what was put elsewhere, ready() and native_pid().

# shellcheck source=tests/services/takes-long.bash
source "$(dirname "${BASH_SOURCE[0]}")/takes-long.bash"

# A directory of /srv of its own: content is bound by the directory that lies right in /srv.
HERE=/srv/immure-check.$NAME
WORK=/var/lib/immure-check/$NAME
IMMURE=${IMMURE:-$BATS_TEST_DIRNAME/../../build/src/immure}
export IMMURE_CONFIG_DIR=$WORK/etc IMMURE_STATE_DIR=$WORK/lib IMMURE_RUN_DIR=$WORK/run
export BATS_TEST_TIMEOUT=240
ACCOUNT=root
SETTINGS=()
PORTS=()
PID_FILE=
SEARCH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# What runs on after a test must not hold what bats (3) and the locks below wait for.
immure() { "$IMMURE" "$@" 3>&- 7>&- 8>&-; }

setup_file()
{
	# Two runs of one story would meet on its ports: the second waits for the first.
	exec 8>"/run/lock/immure-check.$NAME"
	flock -w 600 8
	take_down
	mkdir -p "$HERE" "$WORK" "$WORK/out"
	chmod 755 "$HERE"
	fixture
}

teardown_file() { take_down; }

take_down()
{
	immure remove "$NAME" >/dev/null 2>&1 || true
	native_stop || true
	clean_up
	rm -rf "$HERE" "$WORK"
	rmdir /var/lib/immure-check 2>/dev/null || true
	if flock -n -x 7 2>/dev/null; then "$BATS_TEST_DIRNAME/user" remove; fi
}

clean_up() { :; }

# For fixture(): the account "immure-check", password "canary". Its last user removes it.
need_user()
{
	exec 7>/run/lock/immure-check.user
	flock -s 7
	"$BATS_TEST_DIRNAME/user" add
}

# For fixture(): a certificate for 127.0.0.1 in $HERE/tls.crt, its key in $HERE/tls.key.
make_certificate()
{
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 \
		-subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 \
		-keyout "$HERE/tls.key" -out "$HERE/tls.crt" 2>/dev/null
}

# --- the tests that every story has -------------------------------------------------------------

# With nothing but command line, user and exercise, the first build is good.
build_proves()
{
	local options=() step

	[[ $ACCOUNT == root ]] || options+=(--user "$ACCOUNT")
	for step in "${SETTINGS[@]}"; do options+=(--env "$step"); done
	for step in "${STEPS[@]}"; do options+=(--exercise "$step"); done

	immure build "$NAME" "${options[@]}" -- "${COMMAND[@]}" >"$WORK/out/summary" ||
		{ show "$WORK/out/summary"; return 1; }
	show "$WORK/out/summary"
	head -n 1 "$WORK/out/summary" | grep -w proved | grep -vqw not
	touch "$WORK/out/built"
	every_path_has_a_reason
	immure check "$NAME" --deep
	[[ -z ${RECALL:-} ]] || record_recall >>"$RECALL"
}

# Each path of the jail has evidence, and "why" tells it.
every_path_has_a_reason()
{
	local all=$WORK/out/paths.json paths bare

	immure files "$NAME" --json >"$all"
	bare=$(jq -r '.files[] | select(.evidence // [] | length == 0) | .path' "$all")
	[[ -z $bare ]] || { echo "no evidence for:" && head -n 40 <<<"$bare" && return 1; }
	jq -r '.files[].path' "$all" >"$WORK/out/paths"
	[[ -s $WORK/out/paths ]]
	# What others have in the host's /tmp is none of it, though the service may have listed that.
	not grep -E '^(/tmp|/var/tmp)/' "$WORK/out/paths"
	mapfile -t paths <"$WORK/out/paths"
	immure why "$NAME" "${paths[@]}" --json >"$WORK/out/why" </dev/null || {
		jq -r 'select(.present | not) | "why says nothing of \(.asked)"' "$WORK/out/why"
		return 1
	}
	# Each has an answer, and what leads to it.
	diff <(sort "$WORK/out/paths") <(jq -r 'select(.chain | length > 0).asked' "$WORK/out/why" | sort)
}

# For tools/recall: name, files used, files foreseen, both, bytes in the jail.
record_recall()
{
	immure files "$NAME" --json | jq -r --arg name "$NAME" '
		["command", "interpreter", "needed", "core", "module", "family", "named", "run",
		 "compiled", "below"] as $foresight |
		[.files[] | select(.type == "file" and (.provided == "copy" or .provided == "made")) |
		 {size, used: ((.used // "") | test("read|exec|interp")),
		  foreseen: any(.evidence[]; .kind as $k | $foresight | index($k))}] |
		[$name, (map(select(.used)) | length), (map(select(.foreseen)) | length),
		 (map(select(.used and .foreseen)) | length), (map(.size) | add)] | @tsv'
}

# The same session from the host, against the running jail and against the native service.
answers_as_natively()
{
	need_build
	jail_start
	jailed
	session "$(jail_pid)" >"$WORK/out/jailed"
	immure check "$NAME"
	jail_stop

	native_start
	session "$(cat "$WORK/out/native.pid")" >"$WORK/out/native"
	native_stop

	diff -u "$WORK/out/native" "$WORK/out/jailed"
	# A session in which every step failed is equal too, and proves nothing.
	show "$WORK/out/native"
	! grep -qv '^exit 0$' <(grep '^exit ' "$WORK/out/native")
}

remove_leaves_nothing()
{
	need_build
	immure remove "$NAME"
	no_leftovers
}

# --- pieces -------------------------------------------------------------------------------------

show() { sed 's/^/  /' "$1"; }

# bats does not see a failure behind "!".
not() { ! "$@"; }

need_build() { [[ -e $WORK/out/built ]] || skip "the build failed"; }

# eventually SECONDS COMMAND...: until it succeeds.
eventually()
{
	local end=$((SECONDS + $1))

	shift
	until "$@" >/dev/null 2>&1; do
		[[ $SECONDS -lt $end ]] || { echo "in vain: $*"; return 1; }
		sleep 0.05
	done
}

listening()
{
	local port

	for port in "${PORTS[@]}"; do
		ss -Hltn "sport = :$port" | grep -q . || return 1
	done
}

silent()
{
	local port

	for port in "${PORTS[@]}"; do
		! ss -Hltn "sport = :$port" | grep -q . || return 1
	done
}

ready() { listening; }

jail_start()
{
	immure start "$NAME"
	eventually 30 ready
}

jail_stop()
{
	immure stop "$NAME"
	eventually 10 silent
}

# The service is in a root and in namespaces of its own.
jailed()
{
	local ns

	[[ ! -e $(immure status "$NAME" --json | jq -r .root)/usr/bin/dpkg ]]
	for ns in mnt pid ipc uts; do
		[[ $(readlink "/proc/$(jail_pid)/ns/$ns") != "$(readlink "/proc/self/ns/$ns")" ]]
	done
}

# at_most MEGABYTES: what the jail holds itself.
at_most()
{
	local bytes

	bytes=$(immure ls --json | jq --arg name "$NAME" '.jails[] | select(.name == $name) | .bytes')
	echo "$bytes bytes"
	[[ $bytes -gt 0 && $bytes -le $(($1 * 1000000)) ]]
}

jail_pid() { immure status "$NAME" --json | jq -r .pid; }

# As an init system would start it: a session of its own, the environment from the spec alone.
native_start()
{
	local as=() pid

	[[ $ACCOUNT == root ]] || as=(setpriv --reuid="$ACCOUNT" --regid="$(id -g "$ACCOUNT")" --init-groups)
	(cd / && exec setsid env -i PATH="$SEARCH" "${SETTINGS[@]}" "${as[@]}" "${COMMAND[@]}") \
		>"$WORK/out/native.log" 2>&1 </dev/null 3>&- 7>&- 8>&- &
	echo $! >"$WORK/out/native.pid"
	eventually 30 ready || { show "$WORK/out/native.log"; return 1; }
	# A daemon may listen a moment before it writes its pid file.
	eventually 10 test -s "${PID_FILE:-$WORK/out/native.pid}"
	pid=$(native_pid)
	echo "$pid" >"$WORK/out/native.pid"
}

# The pid of the native service once it is ready; for one without a pid file a story says how.
native_pid() { tr -d ' ' <"${PID_FILE:-$WORK/out/native.pid}"; }

native_stop()
{
	local pid

	pid=$(cat "$WORK/out/native.pid" 2>/dev/null) || return 0
	kill "$pid" 2>/dev/null || true
	eventually 20 eval "! kill -0 $pid" && eventually 10 silent
	rm -f "$WORK/out/native.pid"
}

# session PID: the steps from the host, with what a build gives an exercise.
session()
{
	local step status

	for step in "${STEPS[@]}"; do
		status=0
		printf '$ %s\n' "$step"
		env -i PATH="$SEARCH" HOME=/root LC_ALL=C.UTF-8 IMMURE_ROOT= IMMURE_PID="$1" \
			timeout 60 /bin/sh -c "$step" 2>"$WORK/out/stderr" </dev/null 3>&- 7>&- 8>&- || status=$?
		printf 'exit %d\n' "$status"
		[[ $status -eq 0 ]] || cat "$WORK/out/stderr" >&2
	done
}

# rotated LOG SIGNAL COMMAND: moves the log away as logrotate does, sends the signal (or none: "-"),
# and waits for the line that COMMAND causes to arrive in the new file.
rotated()
{
	local log=$1 signal=$2 lines

	mv "$log" "$log.1"
	[[ $signal == - ]] || kill -s "$signal" "$(jail_pid)"
	eventually 20 eval "$3; [[ -s '$log' ]]" || { echo "nothing in the new $log"; return 1; }
	# And the old one is let go.
	lines=$(wc -l <"$log.1")
	eval "$3" >/dev/null || true
	sleep 0.2
	[[ $(wc -l <"$log.1") -eq $lines ]]
}

# No mount, no process and no file of this jail anywhere on the host.
no_leftovers()
{
	local left

	# The world of another story's build has all mounts of the host for as long as it lives.
	eventually 60 eval "! grep -qs -- '$WORK' /proc/[0-9]*/mountinfo" ||
		{ echo "mounted still in: $(grep -ls -- "$WORK" /proc/[0-9]*/mountinfo)"; return 1; }
	left=$(find "$WORK/etc" "$WORK/lib" "$WORK/run" -mindepth 1 ! -type d 2>/dev/null |
		grep -v -e CACHEDIR.TAG -e lock || true)
	[[ -z $left ]] || { echo "left behind: $left"; return 1; }
	silent
}
