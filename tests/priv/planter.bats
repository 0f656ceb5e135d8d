#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Every command against a jail whose service, as root, poisons all that it may write meanwhile
# (planter.py): nothing outside changes, nothing hangs. PLANTER_SECONDS=60 for a minute of each round.

load ../services/helpers

NAME=planter
HERE=/srv/immure-check.$NAME
WORK=/var/lib/immure-check/$NAME
STATE=/var/lib/immure-check-planter
OFFERED=/run/immure-check-planter
CANARY=/opt/immure-check-canary
PLACE=/usr/lib/immure-check-planter
SECONDS_EACH=${PLANTER_SECONDS:-15}
export IMMURE_CONFIG_DIR=$WORK/etc IMMURE_STATE_DIR=$WORK/lib IMMURE_RUN_DIR=$WORK/run

fixture()
{
	mkdir -p "$STATE" "$OFFERED" "$CANARY/deep" "$PLACE"
	cp "$BATS_TEST_DIRNAME/planter.py" "$PLACE/"
	echo canary >"$CANARY/passwd"
	echo canary >"$CANARY/deep/file"
	chmod 600 "$CANARY/passwd"
	mkdir -p "$WORK/etc"
	# In what it has made of its state it may not start any more, natively neither.
	cat >"$WORK/etc/$NAME.conf" <<-SPEC
		[Service]
		ExecStart=/usr/bin/python3 $PLACE/planter.py 18131 $CANARY $STATE $OFFERED
		TimeoutStartSec=8
		[Jail]
		State=$STATE
		State=$OFFERED
		[Exercise]
		Command=bash -c 'exec 9<>/dev/tcp/127.0.0.1/18131; echo hello >&9; cat <&9'
	SPEC
}

clean_up() { rm -rf "$CANARY" "$PLACE" "$STATE" "$OFFERED"; }

say() { bash -c "exec 9<>/dev/tcp/127.0.0.1/18131; echo $1 >&9; timeout 20 cat <&9"; }

outside() { find "$CANARY" -printf '%p %y %i %n %m %u:%g %s %T@ %C@ %l\n' -type f -exec sha256sum {} + | LC_ALL=C sort; }

# bounded COMMAND...: it may say no, but it must end, and not by a signal.
bounded()
{
	local status=0

	timeout -k 5 60 "$IMMURE" "$@" >"$WORK/out/said" 2>&1 3>&- || status=$?
	((status < 124)) || { echo "# immure $*: status $status" >&3; show "$WORK/out/said"; return 1; }
	# No raw byte of the service's reaches a terminal.
	! LC_ALL=C grep -q $'\x1b' "$WORK/out/said"
}

rounds()
{
	local end=$((SECONDS + SECONDS_EACH)) n=0

	while ((SECONDS < end)); do
		for command in "status $NAME --json" "check $NAME" "check $NAME --deep --json" "files $NAME" "why $NAME $STATE/a" \
			"why $NAME $OFFERED/planter.pid" "ls --json" "logs $NAME" "reload $NAME" "export $NAME --format plan -o $WORK/out/plan" \
			"diff $NAME" "show $NAME --policy" "update $NAME" "gc" "prove $NAME"; do
			# shellcheck disable=SC2086 # words
			bounded $command || return 1
		done
		echo "# $((++n))" >>"$PLACE/planter.py" # something to update
	done
	echo "# $n rounds" >&3
}

@test "planter: what a jailed service poisons makes no command touch anything outside, or hang" {
	immure build "$NAME" >"$WORK/out/summary" 2>&1 ||
		{ show "$WORK/out/summary"; return 1; }
	touch "$WORK/out/built"
	outside >"$WORK/out/before"
	immure start "$NAME"
	[[ $(say attack) == ready ]]
	rounds
	outside | diff "$WORK/out/before" -
}

@test "planter: nor a stop, a start in what it left, a rollback, a removal" {
	need_build
	bounded stop "$NAME"
	bounded rollback "$NAME"
	bounded start "$NAME"
	bounded restart "$NAME"
	bounded stop "$NAME"
	bounded check "$NAME"
	bounded remove "$NAME" --state
	outside | diff "$WORK/out/before" -
	[[ ! -e $WORK/lib/jails/$NAME ]]
}
