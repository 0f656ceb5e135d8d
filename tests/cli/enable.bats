#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# The native service's place under an init system: the drop-in and the unit (as systemd's own
# verifier reads them), readiness told to who asks for it, an init script with all its verbs.

NAME=enable
load ../services/helpers

PORTS=(18141)
HERE=/srv/immure-check.$NAME
WORK=/var/lib/immure-check/$NAME
UNIT=immure-check-enable.service
FILE=/etc/systemd/system/$UNIT
export IMMURE_CONFIG_DIR=$WORK/etc IMMURE_STATE_DIR=$WORK/lib IMMURE_RUN_DIR=$WORK/run IMMURE_UNITS_DIR=$WORK/units IMMURE_INITD_DIR=$WORK/init.d DPKG_ADMINDIR=$WORK/dpkg

fixture()
{
	mkdir -p "$WORK/units" /etc/systemd/system
	cat >"$FILE" <<-UNIT
		[Unit]
		Description=a redis for a test
		[Service]
		Type=notify
		ExecStart=/usr/bin/redis-server --port ${PORTS[0]} --bind 127.0.0.1 --dir $HERE --supervised no --daemonize no
		ExecStop=/bin/kill -s TERM \$MAINPID
		User=redis
		Group=redis
		RuntimeDirectory=immure-check-enable
		NoNewPrivileges=yes
		ProtectSystem=strict
		PrivateTmp=yes
		CapabilityBoundingSet=
		SystemCallFilter=@system-service
		ReadWritePaths=$HERE
		WatchdogSec=30
		NoExecPaths=/mnt
		RestrictFileSystems=~@network
		Restart=always
		LimitNOFILE=4096
	UNIT
	chown redis "$HERE"
}

clean_up() { rm -f "$FILE"; }

verified()
{
	SYSTEMD_UNIT_PATH=$1: systemd-analyze verify --man=no "$1/$2" 2>&1 | grep -E "^$1|$2" >"$WORK/out/verify" || true
	show "$WORK/out/verify"
	[[ ! -s $WORK/out/verify ]]
}

# notified PATTERN: what was told to NOTIFY_SOCKET so far.
notified() { grep -q "$1" "$WORK/out/notified"; }

@test "enable: one drop-in, under the unit's own name; disable removes it" {
	immure build "$NAME" --unit "$UNIT" --exercise "redis-cli -p ${PORTS[0]} ping" >"$WORK/out/summary" 2>&1 ||
		{ show "$WORK/out/summary"; return 1; }
	touch "$WORK/out/built"
	immure show "$NAME" | grep -q "^Unit=$UNIT"
	immure enable "$NAME" --print >"$WORK/out/drop-in" 2>"$WORK/out/lost"
	[[ $(cat "$WORK/out/lost") == "immure: $NAME: RestrictFileSystems= of $UNIT is not held by a jail" ]]
	[[ ! -e $WORK/units/$UNIT.d ]]
	for line in 'ExecStart=' "ExecStart=$(readlink -f "$IMMURE") run $NAME" "ExecReload=$(readlink -f "$IMMURE") reload $NAME" Type=notify \
		User= NoExecPaths= ProtectSystem=no 'CapabilityBoundingSet=~' SystemCallFilter= RuntimeDirectory= ExecStop=; do
		grep -qxF "$line" "$WORK/out/drop-in"
	done
	# What is the manager's own stays the unit's.
	not grep -qE '^(Restart|LimitNOFILE|WatchdogSec)=' "$WORK/out/drop-in"
	immure enable "$NAME" --json | jq -e --arg unit "$UNIT" '.changed and .unit == $unit'
	diff "$WORK/out/drop-in" "$WORK/units/$UNIT.d/zz-immure.conf"
	immure enable "$NAME" --json | jq -e '.changed == false'
	cp "$FILE" "$WORK/units/"
	verified "$WORK/units" "$UNIT"
	# An enabled unit still reads as it was shipped.
	immure build "$NAME" | grep -q unchanged
	immure disable "$NAME"
	[[ ! -e $WORK/units/$UNIT.d ]]
	immure disable "$NAME" --json | jq -e '.changed == false'
}

@test "enable: a jail that came from no unit says what to do" {
	need_build
	sed 's/^Unit=.*//' "$WORK/etc/$NAME.conf" >"$WORK/etc/other.conf"
	immure build -q other
	status=0
	immure enable other 2>"$WORK/out/no-unit" || status=$?
	[[ $status -eq 2 ]]
	grep -q -- '--format systemd' "$WORK/out/no-unit"
	immure export other --format systemd -o "$WORK/units/other.service"
	verified "$WORK/units" other.service
	immure remove -q other
}

@test "enable: run tells its manager when it is ready, and when it stops" {
	need_build
	: >"$WORK/out/notified"
	python3 - "$WORK/notify" "$WORK/out/notified" <<-'PY' 3>&- &
		import socket, sys
		s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
		s.bind(sys.argv[1])
		s.settimeout(30)
		while True:
		    data = s.recv(4096).decode()
		    open(sys.argv[2], "a").write(data + "\n")
		    if "STOPPING" in data:
		        break
	PY
	listener=$!
	eventually 5 test -S "$WORK/notify"
	NOTIFY_SOCKET=$WORK/notify "$IMMURE" run "$NAME" >"$WORK/out/run" 2>&1 3>&- &
	run=$!
	eventually 10 notified READY=1
	[[ $(redis-cli -p "${PORTS[0]}" ping) == PONG ]]
	not notified STOPPING
	kill "$run"
	wait "$run"
	wait "$listener"
	notified STOPPING=1
	# The service itself never saw the socket.
	not grep -q "$WORK/notify" "$WORK/out/run"
}

@test "enable: an init script with the verbs and exit codes of the LSB" {
	need_build
	local script=$WORK/script

	immure export "$NAME" --format initscript -o "$script"
	sh -n "$script"
	code() { local status=0; "$script" "$@" >/dev/null 2>&1 3>&- || status=$?; echo "$status"; }
	[[ $(code status) == 3 ]]
	[[ $(code reload) == 7 ]]
	[[ $(code try-restart) == 0 && $(code status) == 3 ]]
	[[ $(code force-reload) == 0 ]]
	[[ $(code stop) == 0 ]]
	[[ $(code start) == 0 && $(code start) == 0 && $(code status) == 0 ]]
	first=$(jail_pid)
	[[ $(code try-restart) == 0 && $(jail_pid) != "$first" ]]
	first=$(jail_pid)
	[[ $(code restart) == 0 && $(jail_pid) != "$first" ]]
	[[ $(code force-reload) == 0 && $(code status) == 0 ]]
	[[ $(code stop) == 0 && $(code stop) == 0 && $(code status) == 3 ]]
	[[ $(code) == 2 && $(code nonsense) == 2 ]]
}

@test "enable: where no systemd runs, the init script of that name is ours, and given back" {
	need_build
	[[ $(cat /proc/1/comm) != systemd ]] || skip "systemd runs here"
	local script=$WORK/init.d/immure-check-enable

	# A data base of its own: what apt does to the host's meanwhile is another story's.
	mkdir -p "$WORK/init.d" "$WORK/dpkg/info" "$WORK/dpkg/updates"
	touch "$WORK/dpkg/status"
	printf '#!/bin/sh\necho native "$1"\n' >"$script"
	chmod 755 "$script"
	immure enable "$NAME" --json | jq -e --arg script "$script" '.changed and .script == $script'
	[[ $("$script.immure-native" x) == "native x" ]]
	dpkg-divert --listpackage "$script" | grep -qx LOCAL
	immure enable "$NAME" --json | jq -e '.changed == false'
	status=0
	"$script" status 3>&- || status=$?
	[[ $status -eq 3 ]]
	"$script" start 3>&-
	[[ $(redis-cli -p "${PORTS[0]}" ping) == PONG ]]
	"$script" stop 3>&-
	immure disable "$NAME" --json | jq -e .changed
	[[ $("$script" y) == "native y" && ! -e $script.immure-native ]]
	[[ -z $(dpkg-divert --listpackage "$script") ]]
	immure disable "$NAME" --json | jq -e '.changed == false'
	rm -rf "$WORK/init.d" "$WORK/dpkg"
}

@test "enable: remove leaves nothing" {
	rm -f "$WORK/notify"
	immure enable "$NAME" -q
	[[ -e $WORK/units/$UNIT.d ]]
	remove_leaves_nothing
	[[ ! -e $WORK/units/$UNIT.d ]]
}
