#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# PIDFile= of a service that puts itself into the background: whom it names is the main process, for
# status, commands, signals and the end; it counts by what it names, whoever wrote it.

NAME=cli-pidfile PORT=18614
load helpers

FILE=/run/cli-pidfile.pid

# Its parent ends when a helper (the older) and a server are there. The server does what it is told.
fixture()
{
	cat >"$HERE/forks.py" <<-'PY'
		import os, signal, socket, sys, time
		port, path = int(sys.argv[1]), sys.argv[2]
		here = os.path.dirname(__file__)
		def say(number):
		    with open(path + ".new", "w") as f:
		        f.write("%s\n" % number)
		    os.rename(path + ".new", path)
		server = socket.create_server(("127.0.0.1", port))
		if os.fork() == 0:
		    time.sleep(3600)
		    os._exit(0)
		if os.fork():
		    time.sleep(0.3)
		    os._exit(0)
		os.setsid()
		said = os.getpid()
		if os.path.exists(here + "/lie"):
		    said = open(here + "/lie").read().strip()
		if said != "none":
		    say(said)
		reloads = 0
		def reload(*a):
		    global reloads
		    reloads += 1
		signal.signal(signal.SIGHUP, reload)
		while True:
		    c, _ = server.accept()
		    word = c.recv(99).strip()
		    if word == b"move" and os.fork():
		        time.sleep(0.5)
		        os._exit(7)
		    if word == b"move":
		        say(os.getpid())
		    c.sendall(b"%d %d\n" % (os.getpid(), reloads))
		    c.close()
		    if word == b"fail":
		        os._exit(3)
	PY
}

service()
{
	{
		printf '[Service]\nType=forking\nPIDFile=%s\nExecStart=%s\n' "$FILE" "${start:-/usr/bin/python3 $HERE/forks.py $PORT $FILE}"
		printf '%s\n' "$@"
		printf '[Exercise]\nCommand=echo x | nc -N -w 5 127.0.0.1 %s >/dev/null\n' "$PORT"
	} | spec "$NAME"
	good build -q "$NAME"
}

ask() { echo "$1" | nc -N -w 5 127.0.0.1 "$PORT"; }
is() { [[ $(immure status "$NAME" --json | jq -r "$1") == "$2" ]]; }
# Its number inside may be another than outside once it has been started.
inside() { awk '/^NSpid:/ { print $NF }' "/proc/$1/status"; }
server() { [[ $(inside "$(jail_pid)") == "$(ask who | cut -d' ' -f1)" ]]; }
published() { [[ $(cat "$FILE") == "$(jail_pid)" ]]; }
gone() { ! kill -0 "$1" 2>/dev/null; }
reloaded() { [[ $(ask who | cut -d' ' -f2) == "$1" ]]; }

@test "pid file: the main process is the one that it names" {
	service Restart=on-failure RestartSec=100ms "ExecReload=/bin/kill -HUP \$MAINPID" \
		"ExecStop=/bin/sh -c 'echo stop \$MAINPID'"
	good start "$NAME"
	server
	published
	good reload "$NAME"
	eventually 5 reloaded 1
	# It hands over to another, and says so: not its end.
	old=$(jail_pid)
	ask move >/dev/null
	eventually 5 gone "$old"
	eventually 5 server
	eventually 5 published
	is .restarts 0
	is .state running
	# It fails: its end, though the helper is left; which is not left then.
	ask fail
	eventually 5 is .restarts 1
	eventually 5 server
	[[ $(pgrep -fc "forks.py $PORT") -eq 2 ]]
	kill -KILL "$(jail_pid)"
	eventually 5 is .restarts 2
	eventually 5 server
	good stop "$NAME"
	! pgrep -f "forks.py $PORT"
	[[ ! -e $FILE ]]
	good remove "$NAME"
	nothing_left
}

@test "pid file: without Restart= its failure is told, and nothing stays" {
	service
	good start "$NAME"
	ask fail
	eventually 5 is .state dead
	! pgrep -f "forks.py $PORT"
	refuses 1 status "$NAME"
}

@test "pid file: one that lies, or is not there, names nobody" {
	service
	sleep 3600 3>&- 8>&- &
	stranger=$!
	for lie in 1 "$stranger" none ${MORE:+$$ -1 999999999 hello}; do
		echo "$lie" >"$HERE/lie"
		good start "$NAME"
		tells 'names no process of the jail'
		is .state running
		[[ $(ask who) =~ ^[0-9]+ ]]
		pid=$(jail_pid)
		[[ $pid != "$stranger" && $pid != $$ && $pid != 1 ]]
		good stop "$NAME"
		kill -0 "$stranger"
		! pgrep -f "forks.py $PORT"
	done
	kill "$stranger"
	rm "$HERE/lie"
}

@test "pid file: a start is over when its first process is, and a build waits for that" {
	start="-/bin/sh -c '/usr/bin/python3 $HERE/forks.py $PORT $FILE; sleep 1; /usr/bin/id -u >$HERE/late; exit 3'" service
	good why "$NAME" /usr/bin/id
	good start "$NAME"
	[[ $(cat "$HERE/late") == 0 ]]
	[[ $output != *'names no process'* && $errors != *'names no process'* ]]
	server
	sleep 1
	server
	# "-": however it ends, it ends well.
	ask fail
	eventually 5 is .state stopped
	rm "$HERE/late"
}
