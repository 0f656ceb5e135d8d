#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Commands around a run: ExecStartPost=, ExecStop=, ExecStopPost=, with a real daemon (redis-server).
# They run in the jail, at the right time, with what systemd tells them; what hangs holds nothing up.

NAME=cli-errands PORT=18613
load helpers

# service LINE...: the spec of a redis-server with these lines in [Service], and its build.
service()
{
	{
		printf '[Service]\nUser=redis\nExecStart=%s\n' "${REDIS[*]@Q}"
		printf '%s\n' "$@"
		printf '[Jail]\nInclude=%s\n[Exercise]\nCommand=%s\n' "${include:-}" "$PING"
	} | spec "$NAME"
	good build -q "$NAME"
}

afresh() { rm -f "$HERE"/{log,no,hang}; }

# note WORDS: a command that adds a line to what the run has left.
note() { printf "/bin/sh -c 'echo \"%s\" >>%s/log'" "$*" "$HERE"; }
log() { cat "$HERE/log"; }
answers() { [[ $($PING 2>/dev/null) == PONG ]]; }
is() { [[ $(immure status "$NAME" --json | jq -r "$1") == "$2" ]]; }
gone() { ! kill -0 "$1" 2>/dev/null; }

# lines PATTERN...: what the run has left, line by line.
lines()
{
	local i=0 got

	mapfile -t got <"$HERE/log"
	[[ ${#got[@]} -eq $# ]] || { printf 'not %d lines:\n' $#; log; return 1; }
	for pattern; do
		# shellcheck disable=SC2053
		[[ ${got[i]} == $pattern ]] || { printf "line %d is '%s', not '%s'\n" "$i" "${got[i]}" "$pattern"; return 1; }
		i=$((i + 1))
	done
}

@test "errands: before and after, in the jail, as the service's user, with its number" {
	afresh
	service "ExecStartPost=$(note 'up $MAINPID $(id -un) $HOME')" \
		"ExecStartPost=$(note 'root $(ls / | grep -c boot)')" \
		"ExecStop=$(note 'stop $MAINPID $SERVICE_RESULT')" \
		"ExecStop=/usr/bin/redis-cli -p $PORT shutdown nosave" \
		"ExecStop=/bin/sleep 0.3" \
		"ExecStop=$(note 'second [$MAINPID]')" \
		"ExecStopPost=$(note 'over $SERVICE_RESULT $EXIT_CODE $EXIT_STATUS [$MAINPID]')"
	# (Redis lets its client go before it has ended.) A build leaves nothing on the host.
	[[ ! -e $HERE/log ]]
	good start "$NAME"
	pid=$(jail_pid)
	lines "up $pid redis /var/lib/redis" 'root 0'
	good stop "$NAME"
	lines "up $pid redis /var/lib/redis" 'root 0' "stop $pid success" 'second \[\]' 'over success exited 0 \[\]'
	is .state stopped
	! grep -q immure <<<"$(immure logs "$NAME")"
	# What they need is known from the build, and why.
	good why "$NAME" /usr/bin/redis-cli
	good remove "$NAME"
	nothing_left
}

@test "errands: after a crash ExecStopPost= alone, with how it died; Restart= goes on" {
	afresh
	service Restart=on-failure RestartSec=100ms "ExecStartPost=$(note up)" "ExecStop=$(note stop)" \
		"ExecStopPost=$(note 'over $SERVICE_RESULT $EXIT_CODE $EXIT_STATUS')"
	good start "$NAME"
	kill -KILL "$(jail_pid)"
	eventually 5 is .restarts 1
	eventually 5 answers
	eventually 5 lines up 'over signal killed KILL' up
	# It ends well by itself: ExecStop= is due too.
	redis-cli -p "$PORT" shutdown nosave || true
	eventually 5 is .state stopped
	lines up 'over signal killed KILL' up stop 'over success exited 0'
}

@test "errands: a failed ExecStartPost= is a failed start; what comes after is told" {
	afresh
	service "ExecStartPost=-/bin/false" "ExecStartPost=/bin/sh -c 'test ! -e $HERE/no || { echo no way; exit 3; }'" \
		"ExecStopPost=$(note 'over $SERVICE_RESULT $EXIT_CODE $EXIT_STATUS')"
	good start "$NAME"
	good stop "$NAME"
	touch "$HERE/no"
	refuses 1 start "$NAME"
	grep -q 'ExecStartPost=.*failed (exit status 3)' <<<"$errors"
	immure logs "$NAME" | grep -q 'no way'
	lines 'over success exited 0' 'over exit-code exited 0'
	is .state stopped
	! answers
	rm "$HERE/no"
	good start "$NAME"
	answers
	# In the foreground: not ready, and over.
	good stop "$NAME"
	touch "$HERE/no"
	! immure run "$NAME" >"$WORK/out/run" 2>&1
	grep -q 'ExecStartPost=.*failed' "$WORK/out/run"
	rm "$HERE/no"
}

@test "errands: a failed ExecStartPre= too, and a build says which line fails" {
	rm -f "$HERE/no"
	afresh
	service "ExecStartPre=/bin/sh -c 'test ! -e $HERE/no'" "ExecStopPost=$(note 'over $SERVICE_RESULT $EXIT_CODE')"
	touch "$HERE/no"
	refuses 1 start "$NAME"
	lines 'over exit-code *'
	is .state stopped
	rm "$HERE/no"
	{
		printf '[Service]\nUser=redis\nExecStart=%s\nExecStartPost=/bin/false\n[Exercise]\nCommand=%s\n' "${REDIS[*]@Q}" "$PING"
	} | spec "$NAME"
	refuses 1 build "$NAME"
	grep -q 'ExecStartPost=/bin/false failed (exit status 1)' <<<"$errors"
}

@test "errands: what fails at the stop is told, by a build where it fails in the jail alone" {
	afresh
	service "ExecStop=!/bin/sh -c 'test -w /usr/bin'" "ExecStop=$(note never)" "ExecStopPost=$(note 'over $SERVICE_RESULT')"
	good build "$NAME" --write-spec --ready "$PING"
	tells 'in vain  *ExecStop=/bin/sh failed (exit status 1)'
	good prove "$NAME"
	tells 'in vain  *ExecStop='
	good start "$NAME"
	good stop "$NAME"
	immure logs "$NAME" | grep -q 'ExecStop=/bin/sh failed (exit status 1)'
	lines 'over exit-code'
	is .state stopped
	! answers
}

@test "errands: what hangs is cut off within TimeoutStopSec=, and nothing stays" {
	afresh
	include=/usr/bin/sleep service TimeoutStopSec=2 \
		"ExecStop=/bin/sh -c 'trap \"\" TERM HUP; test ! -e $HERE/hang || exec sleep 12345'" \
		"ExecStopPost=/bin/sh -c 'test ! -e $HERE/hang || exec sleep 12345'" \
		"ExecStopPost=$(note never)"
	touch "$HERE/hang"
	good start "$NAME"
	init=$(ps -o ppid= -p "$(jail_pid)")
	begin=$(date +%s%N)
	good stop "$NAME"
	took=$((($(date +%s%N) - begin) / 1000000))
	[[ $took -gt 1400 && $took -lt 4000 ]] || { echo "took $took ms"; return 1; }
	gone "$init"
	! answers
	! pgrep -f 'sleep 12345'
	immure logs "$NAME" | grep -q 'ExecStop: '
	[[ ! -e $HERE/log ]]
	is .state stopped
	rm "$HERE/hang"
	good remove "$NAME"
	nothing_left
}

@test "errands: who asks twice does not wait; what is frozen is thawed; a start can be stopped" {
	afresh
	include="/usr/bin/sleep" service "ExecStartPost=/bin/sh -c 'test ! -e $HERE/no || exec sleep 12347'" \
		"ExecStop=/bin/sh -c 'test ! -e $HERE/hang || exec sleep 12347'" "ExecStopPost=$(note over)"
	touch "$HERE/hang"
	"$IMMURE" run "$NAME" >/dev/null 2>&1 3>&- 7>&- 8>&- &
	run=$!
	eventually 10 answers
	eventually 10 test -e "$IMMURE_RUN_DIR/$NAME.counts"
	kill -TERM "$run"
	eventually 5 pgrep -f 'sleep 12347'
	kill -TERM "$run"
	eventually 5 gone "$run"
	wait "$run" || true
	! pgrep -f 'sleep 12347'
	is .state stopped
	rm "$HERE/hang"
	good start "$NAME"
	if immure freeze "$NAME" >/dev/null 2>&1; then
		kill -TERM "$(jq .supervisor "$IMMURE_RUN_DIR/$NAME.json")"
		eventually 5 is .state stopped
	fi
	good stop "$NAME"
	touch "$HERE/no"
	immure start "$NAME" >/dev/null 2>&1 3>&- 8>&- &
	start=$!
	eventually 5 pgrep -f 'sleep 12347'
	good stop "$NAME"
	wait "$start" || true
	! pgrep -f 'sleep 12347'
	! answers
	is .state stopped
	[[ $(grep -c over "$HERE/log") -ge 2 ]]
}

@test "errands: PrivateUsers=, and the keeper killed while one hangs" {
	afresh
	chmod 777 "$HERE"
	include=/usr/bin/sleep service PrivateUsers=yes "ExecStop=$(note 'stop $(id -u)')" \
		"ExecStopPost=/bin/sh -c 'test ! -e $HERE/hang || exec sleep 12346'" "ExecStopPost=$(note 'over')"
	good start "$NAME"
	good stop "$NAME"
	lines "stop $(id -u redis)" over
	touch "$HERE/hang"
	good start "$NAME"
	keeper=$(jq .supervisor "$IMMURE_RUN_DIR/$NAME.json")
	immure stop "$NAME" >/dev/null 2>&1 3>&- 8>&- &
	stopping=$!
	eventually 5 pgrep -f 'sleep 12346'
	asleep=$(pgrep -f 'sleep 12346')
	kill -KILL "$keeper"
	eventually 5 gone "$asleep"
	wait "$stopping" || true
	rm "$HERE/hang"
	refuses 1 status "$NAME"
	good start "$NAME"
	good stop "$NAME"
}
