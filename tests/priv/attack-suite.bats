#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# An attacker inside: attempts fired as code that a jailed network service was made to run
# (attack-suite/hole.py), after a control run without a jail, which shows that they can succeed.

bats_require_minimum_version 1.5.0

setup_file()
{
	export SUITE=$BATS_TEST_DIRNAME/attack-suite
	export WORK=/var/lib/immure-attack-suite DIR=/srv/immure-attack-suite PORT=18895
	export IMMURE_CONFIG_DIR=$WORK/etc IMMURE_STATE_DIR=$WORK/lib IMMURE_RUN_DIR=$WORK/run
	export IMMURE=${IMMURE:-$BATS_TEST_DIRNAME/../../build/src/immure}
	rm -rf "$WORK" "$DIR"
	mkdir -p "$WORK" "$DIR/state" "$DIR/web/state" "$IMMURE_CONFIG_DIR"
	install -m 755 "$SUITE/hole.py" "$DIR/hole.py"
	chown nobody "$DIR/state"
	"$SUITE/control.sh" "$DIR" "$PORT" "$WORK/control" 3>&-
	python3 "$SUITE/attack.py" canary "$((PORT + 4))" "$WORK/canary" >"$WORK/facts" 3>&- &
	echo $! >"$WORK/canary-pid"
	for _ in {1..50}; do [[ -s $WORK/facts ]] && break || sleep 0.1; done
}

teardown_file()
{
	kill "$(cat "$WORK/canary-pid")" || true
	for name in hole apache-hole; do
		timeout 20 "$IMMURE" stop -q "$name" 3>&- || true
		timeout 20 "$IMMURE" remove -q "$name" 3>&- || true
	done
	rm -rf "$WORK" "$DIR"
}

# jailed NAME PORT OPTION... -- COMMAND...: builds it and starts it; the hole in it is at PORT
jailed()
{
	local name=$1 port=$2

	shift 2
	timeout 100 "$IMMURE" build "$name" -q --exercise \
		"echo 'answer = 6 * 7' | python3 -c 'import socket, sys; s = socket.create_connection((\"127.0.0.1\", $port)); s.sendall(sys.stdin.buffer.read()); s.shutdown(1); print(s.recv(99))'" \
		"$@" 3>&-
	timeout 60 "$IMMURE" start -q "$name" 3>&-
}

# Apache, whose master stays root, with a log program that has the hole: the master starts it as root.
configure_apache()
{
	cat >"$DIR/web/apache.conf" <<-EOF
	ServerRoot $DIR/web
	ServerName 127.0.0.1
	Listen 127.0.0.1:$1
	User www-data
	Group www-data
	PidFile $DIR/web/state/pid
	ErrorLog $DIR/web/state/error.log
	LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
	LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
	DocumentRoot $DIR/web
	CustomLog "|/usr/bin/python3 $DIR/hole.py $2 $DIR/web/state" common
	EOF
}

# attacked NAME PORT: fires, and judges against the waivers of that jail
attacked()
{
	python3 "$SUITE/attack.py" fire "$2" "$WORK/facts" "$WORK/$1"
	python3 "$SUITE/attack.py" table "$WORK/control" "$WORK/$1" "$SUITE/waivers-$1"
}

@test "attack suite: at least 120 attempts succeed where there is no jail" {
	sort "$WORK/control" | grep -v 'OPEN$' || true
	[[ $(grep -c 'OPEN$' "$WORK/control") -ge 120 ]]
}

@test "attack suite: none is open in the jail of an unprivileged service" {
	# exact: no right that no run needed, not even connects. Of UDP it binds none, and says so.
	printf '[Service]\nExecStart=/bin/false\nSocketBindDeny=udp\n' >"$IMMURE_CONFIG_DIR/hole.conf"
	jailed hole "$((PORT + 1))" --write-spec --user nobody --closure exact -- \
		/usr/bin/python3 "$DIR/hole.py" "$((PORT + 1))" "$DIR/state"
	attacked hole "$((PORT + 1))"
}

@test "attack suite: in Apache's jail, as root beside its master, only what its rights imply" {
	configure_apache "$((PORT + 5))" "$((PORT + 2))"
	jailed apache-hole "$((PORT + 2))" --exercise "curl -sS http://127.0.0.1:$((PORT + 5))/apache.conf" -- \
		/usr/sbin/apache2 -D FOREGROUND -f "$DIR/web/apache.conf"
	[[ $(curl -sS "http://127.0.0.1:$((PORT + 5))/apache.conf") == "ServerRoot "* ]]
	attacked apache-hole "$((PORT + 2))"
}

@test "attack suite: the jail says what it refused" {
	refused() { "$IMMURE" status "$1" --json 3>&- | jq .refused; }
	for _ in {1..30}; do [[ $(refused hole) -gt 20 ]] && break || sleep 0.1; done
	[[ $(refused hole) -gt 20 ]]
	"$IMMURE" logs hole 3>&- | grep -q 'refused mount()'
}
