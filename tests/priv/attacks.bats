#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# What a hostile service must not be able to do to the host, while it is built and while it runs.
# The attacks themselves: attack.c. Nothing found open is used for anything.

bats_require_minimum_version 1.5.0

setup_file()
{
	export WORK=/var/lib/immure-attack OUT=/srv/immure-attack
	export IMMURE_CONFIG_DIR=$WORK/etc IMMURE_STATE_DIR=$WORK/lib IMMURE_RUN_DIR=$WORK/run
	rm -rf "$WORK" "$OUT"
	mkdir -p "$WORK" "$OUT"
	# A copy: an attack upon it must not hit the one under test.
	install -m 755 "${IMMURE:-$BATS_TEST_DIRNAME/../../build/src/immure}" "$WORK/immure"
	# At a place that is copied, not bound.
	cc -w -o /usr/local/bin/immure-attack "$BATS_TEST_DIRNAME/attack.c"
	export IMMURE=$WORK/immure
}

teardown_file()
{
	rm -rf "$WORK" "$OUT" /usr/local/bin/immure-attack
}

setup() { rm -rf "$IMMURE_CONFIG_DIR" "$IMMURE_STATE_DIR"; mkdir -p "$IMMURE_CONFIG_DIR"; }

teardown()
{
	/usr/local/bin/immure-attack forget-key || true
	timeout 20 "$IMMURE" remove -q a 3>&- 2>/dev/null || true
}

immure() { timeout -k 3 60 "$IMMURE" "$@" 3>&-; }

# attempt MODE [OPTION...]: builds the attacker; it ends with its findings.
attempt()
{
	local mode=$1

	shift
	run immure build a --ready true "$@" -- /usr/local/bin/immure-attack "$mode"
	echo "$output"
	grep -Eq 'held|tried' <<<"$output" || grep -q HOLE <<<"$output"
	! grep -q HOLE <<<"$output"
}

spec() { cat >"$IMMURE_CONFIG_DIR/a.conf"; }

@test "building: no file handles of the host's file system" { attempt handles; }
@test "building: no control groups of the host" { attempt cgroups; }
@test "building: no kernel settings by a fresh /proc" { attempt settings; }
@test "building: no kernel settings by the init's descriptors" { attempt descriptors; }
@test "building: the init is out of reach" { attempt memory; }
@test "building: no devices" { attempt device; }

@test "building: no devices with inheritable capabilities either" {
	run timeout 60 capsh --inh=cap_mknod -- -c \
		"$IMMURE build a --ready true -- /usr/local/bin/immure-attack device"
	echo "$output"
	[[ $output == *held:* ]]
}

@test "building: the program immure itself is not changed" {
	attempt program
	[[ $(stat -c %a "$IMMURE") == 755 ]]
}

@test "building: the exercise has no rights over the host" {
	# 27 mknod, 25 sys_time, 22 sys_boot, 16 sys_module, 2 dac_read_search
	run immure build a --ready true \
		--exercise 'kill -HUP $IMMURE_PID
			test $((0x$(sed -n "s/CapEff:.//p" /proc/self/status) & 0xa410004)) = 0' \
		-- /bin/sh -c 'trap : HUP; while :; do sleep 1000 & wait; done'
	echo "$output"
	[[ $status -eq 0 ]]
}

@test "building: keys of the host's root are not to be had" {
	/usr/local/bin/immure-attack add-key || true
	attempt keyring
}

@test "building: what is proved is what is published" {
	run immure build a --ready true -- /usr/local/bin/immure-attack plant
	# What it wrote there natively has a mount point of that name: empty, not set-id.
	local planted=$IMMURE_STATE_DIR/jails/a/generations/1/root/planted
	[[ ! -e $planted || ( ! -s $planted && ! -u $planted ) ]]
}

@test "state: nobody but root reaches set-id copies" {
	immure build -q a --ready true -- /bin/sleep 1000
	run setpriv --reuid 65534 --regid 65534 --clear-groups \
		ls "$IMMURE_STATE_DIR/jails/a/generations/1/root"
	[[ $status -ne 0 ]]
}

@test "building: a service that holds the exercise's shell hangs nothing" {
	spec <<-'EOF'
	[Service]
	ExecStart=/usr/local/bin/immure-attack hold
	[Exercise]
	Ready=true
	Timeout=2
	Command=sleep 1; echo hi
	EOF
	SECONDS=0
	run immure build a
	echo "$SECONDS s: $output"
	[[ $SECONDS -lt 15 ]]
}

@test "building: a command before the service has no longer than the start" {
	spec <<-'EOF'
	[Service]
	ExecStartPre=/bin/sleep 10000
	ExecStart=/bin/sleep 1000
	TimeoutStartSec=2
	[Exercise]
	Ready=true
	EOF
	SECONDS=0
	run immure build a
	echo "$SECONDS s: $output"
	[[ $SECONDS -lt 15 && $status -ne 0 ]]
}

@test "starting: a planted link on the way to a directory makes nothing elsewhere" {
	install -d -o nobody "$OUT/owned"
	install -d "$OUT/target"
	spec <<-EOF
	[Service]
	ExecStart=/bin/sleep 1000
	User=nobody
	[Jail]
	State=$OUT/owned/a/b
	[Exercise]
	Ready=true
	EOF
	immure build -q a
	ln -s "$OUT/target" "$OUT/owned/a"
	run immure start a
	[[ $status -ne 0 ]]
	[[ ! -e $OUT/target/b ]]
}

names='mkdir "/srv/immure-attack/\e[31mdir"; open F, ">/srv/immure-attack/data/\xff"; print F 1; close F; sleep 1000'

@test "names: nothing raw in the summary" {
	mkdir -p "$OUT/data"
	local dir=$'/srv/immure-attack/\e[31mstate'
	install -d "$dir"
	run immure build a --ready true -- /usr/bin/perl -e \
		'open F, ">/srv/immure-attack/\e[31mstate/f"; print F 1; close F; sleep 1000'
	[[ $status -eq 0 ]]
	! grep -q $'\e' <<<"$output"
}

@test "names: bytes that are no UTF-8 lose no provision" {
	mkdir -p "$OUT/data"
	immure build -q a --ready true -- /usr/bin/perl -e "$names"
	jq -e --arg d "$OUT/data/" 'any(.layout[]; .path as $p | $d | startswith($p + "/"))' \
		"$IMMURE_STATE_DIR/jails/a/generations/1/run.json"
}

@test "logs: a file made huge by the service costs no memory" {
	immure build -q a --user nobody --ready true -- /usr/bin/perl -e \
		'$| = 1; print "old\n"; truncate STDOUT, 2 << 30; print "new\n"; sleep 1000'
	immure start -q a
	# With 400 MB of memory, both lines come, or an error is told: not a part in silence.
	run bash -c "ulimit -v 400000; timeout 20 '$IMMURE' logs a | tr -d '?' | tail -c 4000; exit \${PIPESTATUS[0]}"
	echo "$status: $output"
	[[ $status -eq 0 && $output == *old* && $output == *new* ]]
}

@test "growing: a file that grows meanwhile is no failure" {
	mkdir -p /var/lib/immure-attack-log
	head -c 6000000 /dev/zero >/var/lib/immure-attack-log/log
	(while :; do echo xxxxxxxx; done >>/var/lib/immure-attack-log/log) 3>&- &
	writer=$!
	run immure build a --ready true --sample /var/lib/immure-attack-log=live -- /bin/sh -c 'read x </var/lib/immure-attack-log/log; sleep 1000'
	kill "$writer"
	rm -rf /var/lib/immure-attack-log
	echo "$output"
	[[ $status -eq 0 ]]
}
