#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# What a jail uses of the host and may at most: status for people and programs, limits of its control
# group, freeze and thaw; a server of perl that works when it is told to.

NAME=cli-uses PORT=18661
load helpers

# "burn SECONDS" takes so much processor time, "spin SECONDS" all it gets for so long, "keep BYTES"
# memory, "put BYTES" a file in /tmp.
WORKER='
use strict; use Socket; use Time::HiRes "time";
socket(my $door, PF_INET, SOCK_STREAM, 0); setsockopt($door, SOL_SOCKET, SO_REUSEADDR, 1);
bind($door, sockaddr_in($ARGV[0], INADDR_LOOPBACK)) or die; listen($door, 5);
my @kept;
while (accept(my $c, $door)) {
	my ($what, $n) = split " ", scalar <$c>;
	if ($what eq "burn") { my $end = (times)[0] + $n; 1 while (times)[0] < $end }
	if ($what eq "spin") { my $end = time + $n; 1 while time < $end }
	if ($what eq "put") { open my $f, ">", "/tmp/file"; print $f "x" x $n; close $f }
	push @kept, "x" x $n if $what eq "keep";
	print $c "done\n"; close $c;
}'

fixture() { printf '%s\n' "$WORKER" >"$HERE/worker.pl"; }

teardown()
{
	immure thaw -q "$NAME" || true
	immure stop -q "$NAME" || true
	immure remove -q "$NAME" || true
} 2>/dev/null

# jailed LINE...: built with these lines in [Service], and started
jailed()
{
	{
		printf '[Service]\nExecStart=/usr/bin/perl %s/worker.pl %s\n' "$HERE" "$PORT"
		printf '%s\n' "$@"
		printf '[Exercise]\nCommand=echo put 10 | nc -N 127.0.0.1 %s\n' "$PORT"
	} | spec "$NAME"
	good build "$NAME"
	built=$output
	good start "$NAME"
	output+=$built
}

ask() { echo "$*" | timeout 20 nc -N 127.0.0.1 "$PORT"; }

field() { immure status "$NAME" --json | jq -r "$1"; }

need_freezer()
{
	[[ -e /sys/fs/cgroup/cgroup.controllers || -e /sys/fs/cgroup/unified/cgroup.controllers ||
		-d /sys/fs/cgroup/freezer ]] || skip "this host can freeze nothing"
}

@test "uses: memory, time, tasks and private files are counted, without any limit" {
	jailed
	ask burn 0.6
	ask put 3000000
	ask keep 30000000
	good status "$NAME" --json
	json '.cpu >= 0.5 and .cpu < 3 and .tasks == 2 and .memory > 30000000
		and .private_memory >= 3000000 and .private_memory < 4000000
		and .frozen == false and (.limits | .memory == null and .tasks == null and .cpu == null)'
	good status "$NAME"
	tells '^  uses memory [0-9.]* MB, private 3.0 MB,.* tasks 2, cpu [0-9.]* s$'
	good ls --json
	json '.jails[0] | .cpu >= 0.5 and .tasks == 2 and has("disk")'
	[[ $(field .processes) -eq 1 ]]
	good stop "$NAME"
	refuses 3 status "$NAME" --json
	json '.cpu == null and .tasks == null and .private_memory == null'
}

@test "uses: what it wrote on disk is counted, also when it is stopped" {
	install -d "$HERE/state"
	jailed '[Jail]' "State=$HERE/state"
	head -c 5000000 /dev/urandom >"$HERE/state/data"
	ln "$HERE/state/data" "$HERE/state/again"
	[[ $(field '.disk >= 5000000 and .disk < 5200000') == true ]]
	good stop "$NAME"
	[[ $(field '.disk >= 5000000 and .disk < 5200000') == true ]]
	rm -r "$HERE/state"
}

@test "uses: limits hold and stand beside what is used" {
	jailed MemoryMax=64M TasksMax=50 CPUQuota=20% CPUWeight=50
	good status "$NAME" --json
	json '.limits.memory == 67108864 and .limits.tasks == 50 and .limits.cpu == 0.2 and .limits.cpu_weight == 50'
	local before after
	before=$(field .cpu)
	ask spin 2
	after=$(field .cpu)
	jq -en "$after - $before > 0.05 and $after - $before < 0.7"
	good status "$NAME"
	tells 'of 67.1 MB, .* tasks 2 of 50, cpu .* at 0.20 of a processor by weight 50'
	good stop "$NAME"
	! find /sys/fs/cgroup -maxdepth 3 -name "immure-$NAME*" | grep .
}

@test "uses: what this kernel cannot do is said, and what it can is done" {
	local group v2=/sys/fs/cgroup/unified

	jailed MemoryHigh=60M IOWeight=1000
	[[ -e /sys/fs/cgroup/cgroup.controllers ]] && v2=/sys/fs/cgroup
	if ! grep -qw memory "$v2/cgroup.controllers" 2>/dev/null; then
		tells 'note  *MemoryHigh= has no effect under immure start: this host has no control group that could'
	else
		group=$(find "$v2" -maxdepth 1 -name "immure-$NAME*")
		[[ $(cat "$group/memory.high") == 62914560 ]]
	fi
	if [[ -d /sys/fs/cgroup/blkio ]]; then
		group=$(find /sys/fs/cgroup/blkio -maxdepth 1 -name "immure-$NAME*")
		[[ ! -e $group/blkio.bfq.weight || $(cat "$group/blkio.bfq.weight") == 181 ]]
		[[ ! -e $group/blkio.weight || $(cat "$group/blkio.weight") == 1000 ]]
		! tells 'IOWeight= has no effect' >/dev/null
	fi
	good stop "$NAME"
	! find /sys/fs/cgroup -maxdepth 3 -name "immure-$NAME*" | grep .
}

@test "uses: a wrong quota is told with its line" {
	printf '[Service]\nExecStart=/bin/sleep 9\nCPUQuota=half\n' | spec "$NAME"
	refuses 2 build "$NAME"
	says "$NAME.conf:3" half '150%'
}

@test "uses: freeze halts it, thaw lets it go on, each once and twice" {
	need_freezer
	jailed
	good freeze "$NAME"
	tells 'frozen$'
	good freeze "$NAME"
	tells already
	good status "$NAME"
	tells 'running, frozen'
	good status "$NAME" --json
	json '.frozen and .state == "running"'
	# The connection is made by the kernel; nobody answers.
	(echo burn 0 | timeout 20 nc -N 127.0.0.1 "$PORT" >"$WORK/out/late") 3>&- 7>&- 8>&- &
	local client=$!
	sleep 0.5
	[[ ! -s $WORK/out/late ]]
	refuses 1 reload "$NAME"
	says frozen thaw
	good thaw "$NAME" --json
	json '.changed and .frozen == false'
	wait "$client"
	[[ $(cat "$WORK/out/late") == done ]]
	good thaw "$NAME"
	tells already
}

@test "uses: a frozen jail can be stopped and restarted, and one that stands still cannot be frozen" {
	need_freezer
	jailed
	good freeze "$NAME"
	local before=$SECONDS
	good stop "$NAME"
	[[ $((SECONDS - before)) -lt 5 ]]
	refuses 3 status "$NAME"
	refuses 1 freeze "$NAME"
	says 'does not run'
	good start "$NAME"
	good freeze "$NAME"
	good restart "$NAME"
	[[ $(ask burn 0) == done && $(field .frozen) == false ]]
	good stop "$NAME"
	! find /sys/fs/cgroup -maxdepth 3 -name "immure-$NAME*" | grep .
}

@test "uses: a supervisor killed while its jail is frozen leaves nothing that a start cannot clear" {
	need_freezer
	jailed
	good freeze "$NAME"
	kill -KILL "$(jq .supervisor "$IMMURE_RUN_DIR/$NAME.json")"
	eventually 10 silent
	refuses 1 status "$NAME"
	good start "$NAME"
	[[ $(ask burn 0) == done ]]
}

@test "uses: under run too it can be frozen" {
	need_freezer
	jailed
	good stop "$NAME"
	"$IMMURE" run "$NAME" 3>&- 7>&- 8>&- &
	local pid=$!
	eventually 10 listening
	good freeze "$NAME"
	[[ $(field .frozen) == true ]]
	kill "$pid"
	wait "$pid" || true
	silent
}

@test "uses: for Prometheus, each family once, each jail a sample" {
	jailed MemoryMax=64M
	good build other --user nobody -- /bin/sleep 1000
	good status --format prometheus
	cp /dev/stdin "$WORK/out/metrics" <<<"$output"
	grep -qx 'immure_up{jail="cli-uses"} 1' "$WORK/out/metrics"
	grep -qx 'immure_up{jail="other"} 0' "$WORK/out/metrics"
	grep -qx 'immure_memory_limit_bytes{jail="cli-uses"} 67108864' "$WORK/out/metrics"
	not grep -q 'immure_memory_bytes{jail="other"}' "$WORK/out/metrics"
	[[ $(grep -c '^# TYPE immure_up gauge$' "$WORK/out/metrics") -eq 1 ]]
	# Every line is of the text format, and no family stands in two places.
	not grep -vE -e '^# (HELP|TYPE) immure_[a-z_]+ .+$' -e '^immure_[a-z_]+\{jail="[A-Za-z0-9._@-]+"\} -?[0-9.e+]+$' "$WORK/out/metrics"
	[[ $(grep '^# TYPE' "$WORK/out/metrics" | sort | uniq -d | wc -l) -eq 0 ]]
	[[ $(sed -n 's/^\(immure_[a-z_]*\){.*/\1/p' "$WORK/out/metrics" | uniq | sort | uniq -d | wc -l) -eq 0 ]]
	good status "$NAME" --format prometheus
	not tells 'jail="other"'
	refuses 2 status "$NAME" --format xml
	says xml prometheus
	refuses 2 status
	good remove other
}

@test "uses: for Nagios, one line, figures and the four statuses" {
	jailed
	good check --format nagios "$NAME"
	[[ $output =~ ^'IMMURE OK - 1 of 1 jail running | jails=1;;;0; running=1;;;0; findings=0;;;0; memory='[0-9]+'B;;;0; tasks=2;;;0; cpu='[0-9.]+'s refused=0c disk='[0-9]+'B;;;0;'$ ]]
	if immure freeze -q "$NAME"; then
		refuses 1 check --format nagios "$NAME"
		tells '^IMMURE WARNING - cli-uses: frozen |'
	fi
	good stop "$NAME"
	refuses 2 check --format nagios "$NAME"
	tells '^IMMURE CRITICAL - cli-uses: stopped |'
	good check --format nagios
	tells '^IMMURE OK - 0 of 1 jail running |'
	chmod u+w "$IMMURE_STATE_DIR/jails/$NAME/current/root/usr/bin/perl"
	echo >>"$IMMURE_STATE_DIR/jails/$NAME/current/root/usr/bin/perl"
	refuses 2 check --format nagios
	tells '^IMMURE CRITICAL - cli-uses: tampered'
	refuses 3 check --format nagios nowhere
	tells '^IMMURE UNKNOWN - nowhere: '
	refuses 2 check --format xml
}
