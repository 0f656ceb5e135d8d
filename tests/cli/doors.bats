#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Sockets of other services: a program of python that asks a live redis by its unix socket. Socket=
# says whether it may.

NAME=cli-doors PORT=18691
load helpers

DOOR=/run/immure-check.doors
SOCK=$DOOR/redis.sock

ASKER='
import socket, sys
door = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    c, _ = door.accept()
    line = c.recv(1000)
    try:
        s = socket.socket(socket.AF_UNIX)
        s.connect(sys.argv[2])
        s.sendall(line)
        c.sendall(s.recv(1000))
    except OSError as e:
        c.sendall((type(e).__name__ + "\n").encode())
    c.close()
'

fixture() { printf '%s' "$ASKER" >"$HERE/asker.py"; }

server()
{
	redis-server --port 0 --unixsocket "$SOCK" --unixsocketperm 777 --save '' --dir "$DOOR" \
		>"$WORK/out/redis" 2>&1 3>&- 7>&- 8>&- &
	SERVER=$!
	eventually 10 redis-cli -s "$SOCK" set greeting hello
}

setup()
{
	rm -rf "$IMMURE_CONFIG_DIR" "$IMMURE_STATE_DIR" "$IMMURE_RUN_DIR"
	install -d "$DOOR"
	server
}

teardown()
{
	kill "$SERVER"
	wait "$SERVER"
	immure stop -q "$NAME"
	immure remove -q "$NAME"
	rm -rf "$DOOR"
} 2>/dev/null || true

# asker COMMAND LINE...: the spec, with these lines in [Jail]
asker()
{
	local command=$1

	shift
	{
		printf '[Service]\nExecStart=/usr/bin/python3 %s/asker.py %s %s\nUser=games\n[Jail]\n' "$HERE" "$PORT" "$SOCK"
		printf '%s\n' "$@"
		printf '[Exercise]\nCommand=echo %s | nc -N 127.0.0.1 %s\n' "$command" "$PORT"
	} | spec "$NAME"
}

ask() { echo "$*" | timeout 10 nc -N 127.0.0.1 "$PORT" | tr -d '\r'; }

@test "doors: a socket that was tried is listed, with whose it is and the choices" {
	asker 'GET greeting'
	good build "$NAME"
	tells "^  socket  *$SOCK of redis-server (pid $SERVER[^)]*), package redis-[a-z]*: not in the jail$"
	tells "^  *Socket=$SOCK=bind in \[Jail\] opens it; =refuse, =ignore$"
	good start "$NAME"
	[[ $(ask GET greeting) == FileNotFoundError ]]
	immure stop -q "$NAME"
	touch "$IMMURE_CONFIG_DIR/$NAME.conf"
	echo '# again' >>"$IMMURE_CONFIG_DIR/$NAME.conf"
	sed -i 's/GET greeting/PING/' "$IMMURE_CONFIG_DIR/$NAME.conf"
	good build "$NAME" --json
	json ".doors | length == 1 and (.[0] | .path == \"$SOCK\" and (.server | startswith(\"redis-server \"))
		and (.package | startswith(\"redis-\")) and .reachable == false and .decided == false)"
	json ".sockets == [\"$SOCK\"]"
}

@test "doors: bind lets it, in the build too, and follows the server" {
	asker 'GET greeting' "Socket=$SOCK=bind"
	good build "$NAME"
	tells "^  socket  *$SOCK of redis-server .*: open to it$"
	tells "^  socket  *$DOOR (read-only)"
	not tells '=refuse'
	good start "$NAME"
	[[ $(ask GET greeting) == $'$5\nhello' ]]
	# The directory, so that a new socket is there; and nothing can be made in it.
	kill "$SERVER"
	wait "$SERVER" || true
	[[ $(ask GET greeting) == FileNotFoundError ]]
	server
	[[ $(ask STRLEN greeting) == :5 ]]
	refuses 1 shell "$NAME" -- touch "$DOOR/planted"
	[[ ! -e $DOOR/planted ]]
}

@test "doors: refuse holds, or nothing is built" {
	asker 'GET greeting' "Socket=$SOCK=refuse"
	good build "$NAME" --json
	json ".doors[0] | .reachable == false and .decided"
	asker 'GET greeting' "Socket=/var$SOCK=refuse" "State=$DOOR"
	refuses 2 build "$NAME"
	says "Socket=$SOCK=refuse: the jail would have it, by $DOOR" "State=$DOOR"
}

@test "doors: ignore says no more of it" {
	asker 'GET greeting' "Socket=$SOCK=ignore"
	good build "$NAME"
	not tells "$SOCK of"
	not tells 'bind in \[Jail\]'
}

@test "doors: a service that fails without it is told the line; a wrong one is told with its place" {
	asker 'GET greeting'
	sed -i "s|^Command=.*|Command=echo GET greeting \| nc -N 127.0.0.1 $PORT \| grep hello|" "$IMMURE_CONFIG_DIR/$NAME.conf"
	refuses 1 build "$NAME"
	tells "Socket=$SOCK=bind in \[Jail\]"
	asker 'GET greeting' "Socket=$SOCK=open"
	refuses 2 build "$NAME"
	says "$NAME.conf:5" "$SOCK=open" 'PATH=ignore'
}
