#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Sockets that a service is handed: by the manager that runs its jail (LISTEN_FDS), by immure
# (Listen=), and one connection at a time as inetd has it.

NAME=cli-sockets PORT=18608
load helpers

# A real server that takes its socket over: uwsgi-like, in Python's own words for it.
taking()
{
	cat >"$HERE/taking.py" <<-'PY'
		import os, socket, sys
		assert int(os.environ["LISTEN_PID"]) == os.getpid(), os.environ["LISTEN_PID"]
		n = int(os.environ["LISTEN_FDS"])
		names = os.environ["LISTEN_FDNAMES"]
		server = socket.socket(fileno=3)
		while True:
		    c, _ = server.accept()
		    word = c.recv(99).decode().strip()
		    if word == "die":
		        os.abort()
		    c.sendall(f"{word} {n} {names} {sorted(os.listdir('/proc/self/fd'), key=int)[:3 + n]}\n".encode())
		    c.close()
	PY
	mkdir -p "$IMMURE_CONFIG_DIR"
	printf '[Service]\nExecStart=/usr/bin/python3 %s\nUser=nobody\nRestart=always\nRestartSec=1\n[Jail]\nListen=%s\n[Exercise]\nCommand=%s\n' \
		"$HERE/taking.py" "tcp:127.0.0.1:$PORT" "echo hello | nc -N -w 5 127.0.0.1 $PORT | cut -c1-7" >"$IMMURE_CONFIG_DIR/$NAME.conf"
	good build -q "$NAME"
}

ask() { echo "$1" | nc -N -w 5 127.0.0.1 "$PORT"; }

@test "sockets: Listen= opens it, and clients wait while the service is started again" {
	taking
	good start "$NAME"
	[[ $(ask hello) == "hello 1 unknown ['0', '1', '2', '3']" ]]
	ask die
	# Nobody is there for a second, and nobody is refused.
	[[ $(ask again) == "again 1 unknown "* ]]
	eventually 5 eval '[[ $(immure status "$NAME" --json | jq .restarts) == 1 ]]'
	good stop "$NAME"
	not ask hello
	good remove "$NAME"
	nothing_left
}

@test "sockets: a unix socket comes with the jail and goes with it" {
	taking
	sed -i "s#tcp:127.0.0.1:$PORT#unix:$HERE/web.sock#; s#5 127.0.0.1 $PORT#5 -U $HERE/web.sock#" "$IMMURE_CONFIG_DIR/$NAME.conf"
	good build -q "$NAME"
	good start "$NAME"
	[[ $(echo hello | nc -N -w 5 -U "$HERE/web.sock") == "hello 1 unknown "* ]]
	good stop "$NAME"
	[[ ! -e $HERE/web.sock ]]
}

@test "sockets: those of a manager are passed through, with their names" {
	taking
	python3 - "$PORT" "$IMMURE" "$NAME" <<-'PY' >"$WORK/out/run" 2>&1 3>&- 8>&- &
		import os, socket, sys
		s = socket.create_server(("127.0.0.1", int(sys.argv[1])))
		t = socket.create_server(("127.0.0.1", 0))
		os.dup2(os.dup(s.fileno()), 13); os.dup2(os.dup(t.fileno()), 14)
		os.dup2(13, 3); os.dup2(14, 4)
		os.closerange(5, 99)
		os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="2", LISTEN_FDNAMES="web:other")
		os.execv(sys.argv[2], [sys.argv[2], "run", sys.argv[3]])
	PY
	runner=$!
	eventually 10 eval '[[ $(ask hello) == "hello 2 web:other "* ]]'
	kill "$runner"
	wait "$runner" || true
	silent
}

@test "sockets: a real server that is handed its socket" {
	mkdir -p "$IMMURE_CONFIG_DIR" "$HERE/web"
	echo page >"$HERE/web/index.html"
	cat >"$HERE/lighttpd.conf" <<-CONF
		server.document-root = "$HERE/web"
		server.bind = "127.0.0.1"
		server.port = $PORT
		server.systemd-socket-activation = "enable"
		index-file.names = ( "index.html" )
	CONF
	printf '[Service]\nExecStart=/usr/sbin/lighttpd -D -f %s\nUser=www-data\n[Jail]\nListen=%s\n[Exercise]\nCommand=%s\n' \
		"$HERE/lighttpd.conf" "tcp:127.0.0.1:$PORT" "curl -s http://127.0.0.1:$PORT/" >"$IMMURE_CONFIG_DIR/$NAME.conf"
	good build -q "$NAME"
	good start "$NAME"
	[[ $(curl -s "http://127.0.0.1:$PORT/") == page ]]
	good stop "$NAME"
}

@test "sockets: one process a connection, and one jail a connection under inetd" {
	mkdir -p "$IMMURE_CONFIG_DIR"
	printf '[Service]\nExecStart=/bin/sh -c '"'"'read line; echo "$line from $$$$"; cat /proc/sys/kernel/hostname'"'"'\nUser=nobody\n[Jail]\nListen=%s\nAccept=yes\n[Exercise]\nCommand=%s\n' \
		"tcp:127.0.0.1:$PORT" "echo hello | nc -w 5 127.0.0.1 $PORT | cut -d' ' -f1" >"$IMMURE_CONFIG_DIR/$NAME.conf"
	good build -q "$NAME"
	good start "$NAME"
	first=$(echo one | nc -w 5 127.0.0.1 "$PORT" | head -n 1)
	second=$(echo two | nc -w 5 127.0.0.1 "$PORT" | head -n 1)
	[[ $first == "one from "* && $second == "two from "* && ${first##* } != "${second##* }" ]]
	# Nothing is wrong with a jail of which a connection is open.
	exec 5<>"/dev/tcp/127.0.0.1/$PORT"
	eventually 5 pgrep -f 'read line; echo'
	good check "$NAME"
	exec 5<&-
	good stop "$NAME"
	python3 - "$PORT" "$IMMURE" "$NAME" <<-'PY' 3>&- 8>&- &
		import socket, subprocess, sys
		s = socket.create_server(("127.0.0.1", int(sys.argv[1])))
		s.settimeout(20)
		held = []
		for _ in range(3):
		    c, _ = s.accept()
		    held.append(subprocess.Popen(sys.argv[2:3] + ["run", sys.argv[3]], stdin=c, stdout=c, stderr=c))
		    c.close()
		sys.exit(max(p.wait() for p in held))
	PY
	inetd=$!
	# The first keeps its connection while the others come and go.
	exec 5<>/dev/null
	eventually 5 eval 'exec 5<>/dev/tcp/127.0.0.1/$PORT'
	[[ $(echo b | nc -w 9 127.0.0.1 "$PORT" | head -n 1) == "b from "* ]]
	[[ $(echo c | nc -w 9 127.0.0.1 "$PORT" | head -n 1) == "c from "* ]]
	echo a >&5
	read -r line <&5
	[[ $line == "a from "* ]]
	exec 5<&-
	wait "$inetd"
	refuses 3 status "$NAME"
	silent
}
