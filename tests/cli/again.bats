#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# A jail is kept running: started again as Restart= says, with patience and an end to it; a service
# that tells how it is, sd_notify(3); and whoever of its processes, or the relay, is killed, nothing
# stays and nothing runs twice. KILLS=100 for a hundred of these.

NAME=cli-again PORT=18607
load helpers

# with LINE...: a drop-in of the spec, and the build that takes it.
with()
{
	mkdir -p "$IMMURE_CONFIG_DIR/$NAME.conf.d"
	printf '[Service]\n' >"$IMMURE_CONFIG_DIR/$NAME.conf.d/again.conf"
	printf '%s\n' "$@" >>"$IMMURE_CONFIG_DIR/$NAME.conf.d/again.conf"
	good build -q "$NAME"
}

state() { immure status "$NAME" --json | jq -r "$1"; }
is() { [[ $(state "$1") == "$2" ]]; }
answers() { [[ $($PING 2>/dev/null) == PONG ]]; }

@test "again: what is killed is started again, counted, and stopped while it waits" {
	build_redis
	with Restart=on-failure RestartSec=300ms
	good start "$NAME"
	is .restarts 0
	old=$(jail_pid)
	kill -KILL "$old"
	eventually 5 is .restarts 1
	eventually 5 answers
	[[ $(jail_pid) != "$old" ]]
	is .state running
	# By an exit that is none of a failure: not again.
	redis-cli -p "$PORT" shutdown nosave || true
	eventually 5 is .state stopped
	with Restart=always RestartSec=1h
	good start "$NAME"
	kill -KILL "$(jail_pid)"
	eventually 5 is .state restarting
	refuses 3 status "$NAME"
	good stop "$NAME"
	is .state stopped
	good remove "$NAME"
	nothing_left
}

@test "again: after so many starts it is given up, and said" {
	build_redis
	with Restart=always RestartSec=20ms StartLimitBurst=3 StartLimitIntervalSec=1min
	good start "$NAME"
	for n in 1 2 3; do
		eventually 5 answers
		kill -KILL "$(jail_pid)"
		eventually 5 eval "is .restarts $n || is .state dead"
	done
	eventually 5 is .state dead
	immure logs "$NAME" | grep -q 'started 3 times within 60 s: given up'
	# A start by hand begins anew.
	good start "$NAME"
	is .restarts 0
}

@test "again: the native service in its place while it waits: nothing runs twice" {
	build_redis
	with Restart=always RestartSec=500ms StartLimitBurst=3
	good start "$NAME"
	kill -KILL "$(jail_pid)"
	eventually 5 is .state restarting
	(exec "${REDIS[@]}") >/dev/null 2>&1 3>&- 8>&- &
	native=$!
	eventually 10 is .state dead
	immure logs "$NAME" | grep -q 'is running outside the jail'
	kill "$native"
	wait "$native" || true
}

# A service of Type=notify: it tells, listens, and shows that it lives until it is asked not to.
telling()
{
	cat >"$HERE/telling.py" <<-'PY'
		import os, socket, sys, time
		def tell(text, *fds):
		    path = os.environ.get("NOTIFY_SOCKET")
		    if path:
		        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
		            s.connect(path)
		            socket.send_fds(s, [text.encode()], list(fds))
		server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
		server.settimeout(0.1)
		if os.path.exists(os.path.join(os.path.dirname(__file__), "slow")):
		    tell("STATUS=thinking")
		    time.sleep(2)
		tell("READY=1\nSTATUS=at \x1b[31mwork\nMAINPID=%d" % os.getpid())
		tell("FDSTORE=1\nFDNAME=mine", 0)
		alive = True
		while True:
		    if alive:
		        tell("WATCHDOG=1")
		    try:
		        c, _ = server.accept()
		    except TimeoutError:
		        continue
		    word = c.recv(99).strip()
		    if word == b"hang":
		        alive = False
		    c.sendall(word + b" " + os.environ.get("WATCHDOG_USEC", "-").encode() + b"\n")
		    c.close()
	PY
	COMMAND=(/usr/bin/python3 "$HERE/telling.py" "$PORT")
	good build -q "$NAME" --user nobody --exercise "echo hello | nc -N -w 5 127.0.0.1 $PORT" -- "${COMMAND[@]}"
}

ask() { echo "$1" | nc -N -w 5 127.0.0.1 "$PORT"; }

@test "again: a service that tells: ready when it says so, its words made harmless" {
	telling
	with Type=notify
	touch "$HERE/slow"
	begin=$SECONDS
	good start "$NAME"
	((SECONDS - begin >= 1))
	eventually 5 is .told 'at ?[31mwork'
	[[ $(ask hello) == "hello -" ]]
	is .pid "$(jail_pid)"
	rm "$HERE/slow"
	good stop "$NAME"
	[[ ! -e $IMMURE_RUN_DIR/$NAME.notify ]]
}

@test "again: one that gives no sign of life is ended and started again" {
	telling
	with Type=notify Restart=on-watchdog RestartSec=0 WatchdogSec=1
	good start "$NAME"
	[[ $(ask hello) == "hello 1000000" ]]
	sleep 1.5
	is .restarts 0
	ask hang
	eventually 5 is .restarts 1
	immure logs "$NAME" | grep -q 'no sign of life within 1.0 s'
	eventually 5 eval '[[ $(ask hello) == "hello 1000000" ]]'
}

@test "again: what is told goes on to the manager that runs the jail, and no more than that" {
	telling
	with Type=notify
	: >"$WORK/out/told"
	python3 - "$WORK/manager" "$WORK/out/told" <<-'PY' 3>&- 8>&- &
		import socket, sys
		s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
		s.bind(sys.argv[1])
		s.settimeout(30)
		while True:
		    data, fds, _, _ = socket.recv_fds(s, 4096, 9)
		    with open(sys.argv[2], "a") as f:
		        f.write(data.decode() + ("\ndescriptors" if fds else "") + "\n")
		    if b"STOPPING" in data:
		        break
	PY
	manager=$!
	eventually 5 test -S "$WORK/manager"
	NOTIFY_SOCKET=$WORK/manager WATCHDOG_USEC=3000000 "$IMMURE" run "$NAME" >"$WORK/out/run" 2>&1 3>&- 8>&- &
	runner=$!
	eventually 10 grep -q READY=1 "$WORK/out/told"
	[[ $(ask hello) == "hello 3000000" ]]
	eventually 5 grep -q WATCHDOG=1 "$WORK/out/told"
	grep -qxF "MAINPID=$(jail_pid)" "$WORK/out/told"
	grep -qxF 'STATUS=at ?[31mwork' "$WORK/out/told"
	not grep -q -e FDSTORE -e descriptors "$WORK/out/told"
	kill "$runner"
	wait "$runner" || true
	wait "$manager"
	rm "$WORK/manager"
}

parent() { awk '/^PPid:/ { print $2 }' "/proc/$1/status"; }

@test "again: a start whose first process is killed says by what" {
	local step starter status=0
	echo 0 >"$HERE/wait"
	build_redis
	with "ExecStartPre=/bin/sh -c 'read n <$HERE/wait; exec sleep \$\$n'"
	echo 31.7 >"$HERE/wait"
	"$IMMURE" start "$NAME" >"$WORK/out/said" 2>"$WORK/out/errors" 3>&- 8>&- &
	starter=$!
	eventually 5 pgrep -xf 'sleep 31.7'
	# The step is the child of the first process, that one of the init.
	step=$(pgrep -xf 'sleep 31.7')
	kill -KILL "$(parent "$(parent "$step")")"
	wait "$starter" || status=$?
	[[ $status -eq 5 ]]
	grep -q 'died while starting: its init was ended by signal 9' "$WORK/out/errors" || { cat "$WORK/out/errors"; false; }
	eventually 5 is .state stopped
	! kill -0 "$step" 2>/dev/null
}

# A service that logs what it is told to, by the relay, into a file.
speaking() # LINE...
{
	cp "$BATS_TEST_DIRNAME/../services/syslog-speaker.py" "$HERE/"
	spec "$NAME" <<-SPEC
		[Service]
		ExecStart=/usr/bin/python3 $HERE/syslog-speaker.py $PORT
		User=nobody
		$(printf '%s\n' "$@")
		[Jail]
		Syslog=file:$WORK/lines
		[Exercise]
		Command=echo burst 3 | nc -N -w 5 127.0.0.1 $PORT >/dev/null
	SPEC
	good build -q "$NAME"
}

say() { echo "$*" | nc -N -w 5 127.0.0.1 "$PORT"; }
copies() { pgrep -cf "^/usr/bin/python3 $HERE/syslog-speaker.py"; }
# The first process of a host may take its time to bury what is dead.
live() { grep -qs '^State:.[^ZX]' "/proc/$1/status"; }
gone() { local pid; for pid; do ! live "$pid" || return 1; done; }

# victims: of the jail that runs, the keeper, the init, the service and the relay, to $pids.
victims()
{
	pids=("$(jq .supervisor "$IMMURE_RUN_DIR/$NAME.json")" "$(jq .init "$IMMURE_RUN_DIR/$NAME.json")"
		"$(jail_pid)" "$(state .syslog.relay)")
}

# strike: one of $pids is killed, or two, at some moment, which may be one of many messages; $hit has their places.
strike()
{
	local n

	hit=$((RANDOM % 4))
	[[ $((RANDOM % 4)) -ne 0 ]] || hit+=$((RANDOM % 4))
	[[ $((RANDOM % 2)) -eq 0 ]] || say burst 3000 >/dev/null 2>&1 3>&- 8>&- &
	[[ $((RANDOM % 2)) -eq 0 ]] || sleep "0.0$((RANDOM % 9))"
	for ((n = 0; n < ${#hit}; n++)); do
		kill -KILL "${pids[${hit:n:1}]}" 2>/dev/null || true
	done
}

relay_user() { awk '/^Uid:/ { print $2 }' "/proc/$(state .syslog.relay)/status"; }

# The relay is another one, the jail the same; and the log goes on.
relay_came_back()
{
	local word

	eventually 5 eval '[[ $(state .syslog.relay) != "${pids[3]}" ]] && live "$(state .syslog.relay)"'
	is .state running
	is .pid "${pids[2]}"
	# Of its user, which is this place's alone, there is no other.
	eventually 5 eval '[[ $(pgrep -cx immure-relay -u "$(relay_user)" -r S,R,D) -eq 1 ]]' || { ps -fu "$(relay_user)"; return 1; }
	word=after$RANDOM$RANDOM
	eventually 5 say raw "$(printf '<30>x: %s' "$word" | od -An -v -tx1 | tr -d ' \n')"
	eventually 5 grep -q "$word" "$WORK/lines"
}

@test "again: whoever is killed, at any moment: no stray, no second one, and status is right" {
	speaking
	local pids hit n
	for ((n = 0; n < ${KILLS:-12}; n++)); do
		good start "$NAME"
		victims
		strike
		echo "round $n: killed $hit of ${pids[*]}"
		if [[ $hit == 3 || $hit == 33 ]]; then
			relay_came_back
			good stop "$NAME"
			is .state stopped
		else
			eventually 5 is .state dead
			refuses 1 status "$NAME"
		fi
		eventually 5 gone "${pids[@]}"
		eventually 5 silent
		[[ $(copies) -eq 0 ]]
	done
	good start "$NAME"
	eventually 5 say burst 1
	good stop "$NAME"
	good remove "$NAME"
	nothing_left
}

@test "again: whoever is killed while Restart= starts it again: never two, and only a dead keeper is the end" {
	speaking Restart=on-failure RestartSec=10ms StartLimitBurst=100000
	local pids hit n restarts
	good start "$NAME"
	for ((n = 0; n < ${KILLS:-8}; n++)); do
		victims
		restarts=$(state .restarts)
		strike
		echo "round $n: killed $hit of ${pids[*]}, restarts $restarts"
		if [[ $hit == *0* ]]; then
			eventually 5 is .state dead
			eventually 5 gone "${pids[@]}" || { ps -fp "$(IFS=,; echo "${pids[*]}")"; return 1; }
			good start "$NAME"
		elif [[ $hit == *[12]* ]]; then
			eventually 5 is .restarts $((restarts + 1))
			eventually 5 is .state running
			eventually 5 gone "${pids[1]}" "${pids[2]}"
			eventually 5 say burst 1
		else
			relay_came_back
		fi
		[[ $(copies) -eq 1 ]]
	done
	good stop "$NAME"
	eventually 5 gone "${pids[@]}"
	[[ $(copies) -eq 0 ]]
	good remove "$NAME"
	nothing_left
}

@test "again: redis as Debian's unit runs it, Type=notify: it says that it is ready, and what it is doing" {
	good build -q "$NAME" --user redis --exercise "$PING" -- "${REDIS[@]}" --supervised systemd
	with Type=notify
	good start "$NAME"
	answers
	eventually 5 is .told 'Ready to accept connections'
	good status "$NAME"
	tells 'it says: Ready to accept connections'
}
