# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154,SC2030,SC2031
# /dev/log of a jail, with real log daemons of Debian's (rsyslogd, inetutils-syslogd, syslog-ng, journald), run here on
# sockets of this story's own and restarted, killed and stopped as hosts do it to theirs.
# The host's own log daemon, if it has one, is never spoken to.

load takes-long

NAME=check-syslog
PORT=5791
HERE=/srv/immure-check.$NAME
WORK=/var/lib/immure-check/$NAME
IMMURE=${IMMURE:-$BATS_TEST_DIRNAME/../../build/src/immure}
UNPACKED=/var/lib/immure-check.unpacked
INETUTILS=$UNPACKED/inetutils-syslogd/usr/sbin/syslogd SYSLOG_NG=$UNPACKED/syslog-ng-core
export IMMURE_CONFIG_DIR=$WORK/etc IMMURE_STATE_DIR=$WORK/lib IMMURE_RUN_DIR=$WORK/run
export IMMURE_SYSLOG_SOCKET=$WORK/log BATS_TEST_TIMEOUT=120

immure() { "$IMMURE" "$@" 3>&- 8>&-; }

setup_file()
{
	exec 8>"/run/lock/immure-check.$NAME"
	flock -w 600 8 # one such story at a time on this machine
	rm -rf "$HERE" "$WORK"
	mkdir -p "$HERE" "$WORK" "$IMMURE_CONFIG_DIR"
	cp "$BATS_TEST_DIRNAME/syslog-speaker.py" "$HERE/"
	rsyslog_conf
	rsyslog_start
	# What twins say is nobody's business.
	build_one "$NAME" "$PORT"
	rsyslog_stop
	[[ ! -e $WORK/lines ]]
}

teardown_file()
{
	immure remove "$NAME" || true
	immure remove "$NAME-2" || true
	rsyslog_stop || true
	rm -rf "$HERE" "$WORK"
}

setup() { rm -f "$WORK/lines"; settings "LogRateLimitBurst=0"; }

teardown()
{
	immure stop "$NAME" >/dev/null || true
	rsyslog_stop || true
	daemon_stop || true
	rm -rf "$IMMURE_RUN_DIR/$NAME.log" "$WORK/log"
}

build_one() # NAME PORT
{
	immure build "$1" --exercise "echo burst 3 | nc -N 127.0.0.1 $2 | wc -l" \
		-- /usr/bin/python3 "$HERE/syslog-speaker.py" "$2" >"$WORK/built"
	grep -q '^  syslog     host' "$WORK/built"
}

# settings [Service]-LINE [[Jail]-LINE...]
settings()
{
	local service=$1

	shift
	mkdir -p "$IMMURE_CONFIG_DIR/$NAME.conf.d"
	{
		printf '[Service]\n%s\n[Jail]\n' "$service"
		[[ $# -eq 0 ]] || printf '%s\n' "$@"
	} >"$WORK/settings"
	cmp -s "$WORK/settings" "$IMMURE_CONFIG_DIR/$NAME.conf.d/test.conf" && return
	cp "$WORK/settings" "$IMMURE_CONFIG_DIR/$NAME.conf.d/test.conf"
	[[ -e $WORK/built ]] || return 0
	immure build "$NAME" >/dev/null
}

start() { immure start "$NAME" >/dev/null; }
say() { echo "$*" | nc -N 127.0.0.1 "$PORT"; }
figure() { immure status "$NAME" --json | jq ".syslog.$1"; }
number() { wc -l <"$WORK/lines"; }
different() { grep -o 'number [0-9]*' "$WORK/lines" | sort -u | wc -l; }

# Waits until COMMAND is true, at most SECONDS.
soon() # SECONDS COMMAND...
{
	local end=$((SECONDS + $1))

	shift
	until "$@"; do
		((SECONDS <= end)) || { echo "not within time: $*" && return 1; }
		sleep 0.05
	done
}

has() { grep -q "$@" "$WORK/lines" 2>/dev/null; }
all_gone() { [[ $(figure waiting) == 0 ]]; }

# --- the daemons --------------------------------------------------------------------------------

rsyslog_conf() # [LINE...]
{
	cat >"$WORK/rsyslog.conf" <<-END
		module(load="imuxsock" SysSock.Use="off")
		$(printf '%s\n' "$@")
		input(type="imuxsock" Socket="$WORK/log" RateLimit.Interval="0")
		template(name="all" type="string"
		    string="%syslogfacility-text%.%syslogseverity-text% %hostname% %syslogtag%%msg%\n")
		main_queue(queue.size="200000" queue.timeoutshutdown="20000")
		action(type="omfile" file="$WORK/lines" template="all" asyncWriting="off")
	END
}

rsyslog_start()
{
	rsyslogd -n -f "$WORK/rsyslog.conf" -i "$WORK/rsyslog.pid" 3>&- 8>&- >>"$WORK/rsyslog.out" 2>&1 &
	echo $! >"$WORK/rsyslog.is"
	soon 5 test -S "$WORK/log"
}

# TERM: what it has read it writes.
rsyslog_stop() { stop_pid "$WORK/rsyslog.is"; rm -f "$WORK/log"; }
daemon_stop() { stop_pid "$WORK/daemon.is"; }

stop_pid() # FILE
{
	local pid

	[[ -e $1 ]] || return 1
	pid=$(<"$1")
	rm "$1"
	kill "$pid" || true
	soon 20 gone "$pid"
}

gone() { ! kill -0 "$1" 2>/dev/null || grep -qs '^State:.Z' "/proc/$1/status"; }

inetutils_start()
{
	echo "*.*	$WORK/lines" >"$WORK/inetutils.conf"
	"$INETUTILS" --no-detach --no-klog --socket="$WORK/log" \
		--rcfile="$WORK/inetutils.conf" --rcdir="$WORK/none" --pidfile="$WORK/inetutils.pid" \
		--mark=0 3>&- 8>&- >/dev/null 2>&1 &
	echo $! >"$WORK/daemon.is"
	soon 5 test -S "$WORK/log"
}

# syslog_ng_start [LINE...]: and what it takes from $WORK/log
syslog_ng_start()
{
	local lib

	lib=usr/lib/$(gcc -print-multiarch)
	cat >"$WORK/syslog-ng.conf" <<-END
		@version: 3.38
		options { stats_freq(0); keep-hostname(yes); };
		source s_src { unix-dgram("$WORK/log"); };
		destination d_syslog { file("$WORK/lines" template("\$FACILITY.\$PRIORITY \$HOST \$MSGHDR\$MSG\n")); };
		log { source(s_src); destination(d_syslog); };
		$(printf '%s\n' "$@")
	END
	LD_LIBRARY_PATH=$UNPACKED/libivykis0/$lib:$UNPACKED/libnet1/$lib:$SYSLOG_NG/usr/lib/syslog-ng \
		"$SYSLOG_NG/usr/sbin/syslog-ng" -F --no-caps -f "$WORK/syslog-ng.conf" --persist-file="$WORK/sng.persist" \
		--module-path="$(echo "$SYSLOG_NG"/usr/lib/syslog-ng/3.*)" --pidfile="$WORK/sng.pid" \
		--control="$WORK/sng.ctl" 3>&- 8>&- >"$WORK/sng.out" 2>&1 &
	echo $! >"$WORK/daemon.is"
	soon 10 test -S "$WORK/log" || { cat "$WORK/sng.out"; return 1; }
}

# In a mount namespace of its own: its /run is nobody else's. Its socket is seen through /proc; what it has
# written stays in $WORK/journal.
journald_start()
{
	mkdir -p "$WORK/journal"
	cat >"$WORK/journald.conf" <<-END
		[Journal]
		Storage=volatile
		RuntimeMaxUse=1G
		RateLimitBurst=0
		Audit=no
		ReadKMsg=no
		ForwardToSyslog=no
		ForwardToWall=no
	END
	unshare -m sh -ec 'mount -t tmpfs none /run
		mkdir -p /run/systemd/journal /run/log/journal
		mount --bind "$1/journal" /run/log/journal
		cp "$1/journald.conf" /run/journald.conf
		mount --bind /run/journald.conf /etc/systemd/journald.conf
		exec /lib/systemd/systemd-journald' sh "$WORK" 3>&- 8>&- >"$WORK/journald.out" 2>&1 &
	echo $! >"$WORK/daemon.is"
	soon 10 test -S "/proc/$!/root/run/systemd/journal/dev-log" || { cat "$WORK/journald.out"; return 1; }
	ln -sfn "/proc/$!/root/run/systemd/journal/dev-log" "$WORK/log"
}

journal() { journalctl -q -D "$WORK"/journal/* -o json --output-fields=MESSAGE,SYSLOG_IDENTIFIER,SYSLOG_PID,SYSLOG_FACILITY,PRIORITY "$@"; }
journal_has() { journal -n 5 | grep -q "$1"; }

# --- the tests ----------------------------------------------------------------------------------

@test "rsyslogd: a jail's lines have its name, facility, severity and the pid outside" {
	rsyslog_start
	start
	pid=$(say burst 1 | cut -d ' ' -f 2)
	[[ $pid -gt 0 ]]
	pid=$(immure status "$NAME" --json | jq .pid)
	soon 5 has -x "local3.notice [^ ]* $NAME/speaker\[$pid\]: number 0"
	# Where the service's own number is another one, the host's counts.
	say raw "$(printf '<163>speaker[7]: seven' | od -An -tx1 | tr -d ' \n')"
	soon 5 has -x "local4.err [^ ]* $NAME/speaker\[$pid\]: seven"
}

@test "nothing that a hostile service sends ends a line, poses as another, or is the kernel" {
	rsyslog_start
	start
	for text in '<0>kernel: panic' '<30>a: b\n<30>Nov 27 18:35:56 sshd[1]: Accepted' \
		'<30>\033[2J\0: x' '<30>Nov 27 18:35:56 sshd[1]: posing' 'no header'; do
		# shellcheck disable=SC2059 # its escapes are meant
		say raw "$(printf "$text" | od -An -v -tx1 | tr -d ' \n')"
	done
	say raw "$(head -c 20000 /dev/zero | tr '\0' x | od -An -v -tx1 | tr -d ' \n')"
	say burst 1
	soon 5 has 'number 0'
	[[ $(number) -eq 7 ]]
	# Each line begins as this jail's do.
	[[ $(cut -d ' ' -f 3 "$WORK/lines" | grep -c "^$NAME[[/]") -eq 7 ]]
	has -x "user.emerg .*/kernel.*: panic"
	has 'b#012<30>Nov 27 18:35:56 sshd\[1\]: Accepted'
	has '#033\[2J#000: x'
	! grep -q ' kern\.' "$WORK/lines"
	! LC_ALL=C grep -q '[^[:print:][:space:]]' "$WORK/lines"
}

# accepted = delivered + counted drops, and what was delivered is in the daemon's file.
books_balance() # RESTARTS
{
	soon 30 all_gone
	figures=$(immure status "$NAME" --json | jq -c .syslog)
	echo "$figures"
	accepted=$(jq .accepted <<<"$figures") forwarded=$(jq .forwarded <<<"$figures")
	dropped=$(jq .dropped <<<"$figures")
	[[ $accepted -eq 100000 ]]
	[[ $((forwarded + dropped)) -eq $accepted ]]
}

# Each one that was forwarded is there; for each restart two may be there twice.
file_has_all() # RESTARTS
{
	found=$(grep -c 'number ' "$WORK/lines") once=$(different)
	echo "in the file $found, different $once"
	[[ $once -eq $forwarded ]]
	[[ $((found - once)) -le $((2 * $1)) ]]
}

@test "100,000 messages while rsyslogd is restarted five times: accepted = delivered + counted drops" {
	rsyslog_start
	start
	(
		for _ in 1 2 3 4 5; do
			sleep 0.3
			rsyslog_stop
			rsyslog_start
		done
	) 3>&- 8>&- &
	restarts=$!
	say burst 100000
	wait "$restarts"
	books_balance
	rsyslog_stop
	file_has_all 5
}

@test "100,000 messages while inetutils-syslogd is restarted five times: the same" {
	inetutils_start
	start
	(
		for _ in 1 2 3 4 5; do
			sleep 0.3
			daemon_stop
			sleep 0.05
			inetutils_start
		done
	) 3>&- 8>&- &
	restarts=$!
	say burst 100000
	wait "$restarts"
	books_balance
	daemon_stop
	file_has_all 5
}

@test "100,000 messages while syslog-ng is restarted five times: the same" {
	takes_long
	syslog_ng_start
	start
	(
		for _ in 1 2 3 4 5; do
			sleep 0.3
			daemon_stop
			sleep 0.05
			syslog_ng_start
		done
	) 3>&- 8>&- &
	restarts=$!
	say burst 100000
	wait "$restarts"
	books_balance
	pid=$(immure status "$NAME" --json | jq .pid)
	has -x "local3.notice [^ ]* $NAME/speaker\[$pid\]: number 99999"
	daemon_stop
	file_has_all 5
}

@test "100,000 messages while systemd-journald is restarted five times: the same" {
	journald_start
	start
	(
		for _ in 1 2 3 4 5; do
			sleep 0.3
			daemon_stop
			journald_start
		done
	) 3>&- 8>&- &
	restarts=$!
	say burst 100000
	wait "$restarts"
	soon 60 all_gone
	books_balance
	pid=$(immure status "$NAME" --json | jq .pid)
	say burst 1
	soon 5 journal_has '"number 0"'
	journal -n 1 | jq -e "select(.SYSLOG_IDENTIFIER == \"$NAME/speaker\" and .SYSLOG_PID == \"$pid\" and
		.SYSLOG_FACILITY == \"19\" and .PRIORITY == \"5\")"
	daemon_stop
	journal | jq -r .MESSAGE | grep 'number ' >"$WORK/lines"
	file_has_all 5
}

@test "a relay that is killed under load is started again: what it had taken is delivered" {
	rsyslog_start
	start
	(
		for _ in 1 2 3 4 5; do
			sleep 0.2
			kill -9 "$(figure relay)"
		done
	) 3>&- 8>&- &
	kills=$!
	say burst 100000
	wait "$kills"
	soon 5 relay_is_there
	soon 30 all_gone
	[[ $(figure forwarded) -eq $(($(figure accepted) - $(figure dropped))) ]]
	# A message is in nobody's hands for some instructions of the relay: one a kill at most.
	[[ $(figure accepted) -ge $((100000 - 5)) ]]
	rsyslog_stop
	[[ $(different) -ge $((100000 - $(figure dropped) - 5)) ]]
}

relay_is_there() { kill -0 "$(figure relay)" 2>/dev/null; }

@test "a relay that hangs is replaced: the service is never kept waiting for long" {
	rsyslog_start
	start
	relay=$(figure relay)
	kill -STOP "$relay"
	seconds=$(say burst 20000 | cut -d ' ' -f 1)
	echo "$seconds s"
	awk "BEGIN { exit !($seconds < 6) }"
	soon 5 all_gone
	[[ $(figure relay) -ne $relay ]]
	[[ $(figure forwarded) -eq 20000 ]]
	soon 5 gone "$relay"
}

# What the queue's file takes of memory, in kilobytes.
queue_kb() { du -k "$IMMURE_RUN_DIR/$NAME.log/queue" | cut -f 1; }

@test "without any daemon 100,000 messages wait for it, and take memory only until then" {
	start
	[[ $(queue_kb) -lt 600 ]]
	seconds=$(say burst 100000 | cut -d ' ' -f 1)
	echo "$seconds s, $(queue_kb) kB"
	awk "BEGIN { exit !($seconds < 10) }"
	soon 5 test "$(figure accepted)" -eq 100000
	[[ $(figure waiting) -eq 100000 && $(figure dropped) -eq 0 ]]
	[[ $(queue_kb) -gt 4000 ]]
	rsyslog_start
	soon 20 all_gone
	[[ $(figure forwarded) -eq 100000 ]]
	[[ $(queue_kb) -lt 600 ]]
	rsyslog_stop
	[[ $(different) -eq 100000 ]]
}

@test "SyslogBuffer=: what has no room is dropped and counted, and told when there is a daemon" {
	settings "LogRateLimitBurst=0" "SyslogBuffer=1M"
	start
	seconds=$(say burst 100000 | cut -d ' ' -f 1)
	echo "$seconds s"
	awk "BEGIN { exit !($seconds < 10) }"
	[[ $(figure dropped) -gt 50000 ]]
	immure status "$NAME" | grep -q 'syslog: .* dropped'
	sleep 1.5 # to be told of them: there is no room for that either
	rsyslog_start
	soon 10 all_gone
	[[ $(figure forwarded) -eq $(($(figure accepted) - $(figure dropped))) ]]
	soon 5 has "syslog.warning .*immure-relay.*: $(figure dropped) messages of this jail dropped"
	# Another size is taken at the next start that finds nothing waiting.
	[[ $(stat -c %s "$IMMURE_RUN_DIR/$NAME.log/queue") -eq $((4096 + 1048576)) ]]
	immure stop "$NAME"
	settings "LogRateLimitBurst=0" "SyslogBuffer=2M"
	start
	[[ $(stat -c %s "$IMMURE_RUN_DIR/$NAME.log/queue") -eq $((4096 + 2097152)) ]]
}

@test "what a stopped jail had not got rid of is there at its next start" {
	start
	say burst 50
	soon 5 test "$(figure waiting)" -eq 50
	immure stop "$NAME"
	rsyslog_start
	start
	soon 5 has 'number 49'
	[[ $(different) -eq 50 ]]
}

@test "LogRateLimitBurst= and LogRateLimitIntervalSec= hold for syslog, counted" {
	settings $'LogRateLimitBurst=100\nLogRateLimitIntervalSec=2'
	rsyslog_start
	start
	say burst 1000
	soon 5 has 'number 99'
	[[ $(figure dropped) -eq 900 ]]
	soon 5 has '900 messages of this jail dropped'
	sleep 2
	say burst 1
	soon 5 test "$(figure forwarded)" -eq 101
}

@test "one jail that floods does not keep another one's line waiting" {
	settings "LogRateLimitBurst=0"
	rsyslog_start
	build_one "$NAME-2" $((PORT + 1))
	start
	immure start "$NAME-2"
	say burst 300000 >"$WORK/flood" 3>&- 8>&- &
	flood=$!
	sleep 0.2
	begun=$(date +%s%N)
	echo burst 1 | nc -N 127.0.0.1 $((PORT + 1))
	soon 5 has "$NAME-2/speaker.*: number 0"
	echo "$(($(date +%s%N) - begun)) ns"
	[[ $(($(date +%s%N) - begun)) -lt 2000000000 ]]
	# One relay for both, without rights, a file system or a network.
	relay=$(figure relay)
	[[ $(immure status "$NAME-2" --json | jq .syslog.relay) -eq $relay ]]
	grep -q '^CapBnd:.0*$' "/proc/$relay/status"
	grep -q '^Seccomp:.2' "/proc/$relay/status"
	[[ $(awk '/^Uid:/ {print $2}' "/proc/$relay/status") -gt 1879048191 ]]
	[[ -z $(ls -A "/proc/$relay/root/") ]]
	[[ $(readlink "/proc/$relay/ns/net") != $(readlink /proc/self/ns/net) ]]
	[[ $(awk '/^RssAnon:/ {print $2}' "/proc/$relay/status") -lt 200 ]]
	wait "$flood"
	immure remove "$NAME-2"
}

@test "Syslog=file: goes on in the new file after a rotation" {
	settings "LogRateLimitBurst=0" "Syslog=file:$WORK/lines"
	start
	say burst 10
	soon 5 has 'number 9'
	has "^[A-Z][a-z][a-z] [ 0-9][0-9] [0-9:]* $(hostname) $NAME/speaker\[[0-9]*\]: number 9$"
	mv "$WORK/lines" "$WORK/lines.1"
	soon 5 test -e "$WORK/lines"
	say burst 20
	soon 5 has 'number 19'
	[[ $(number) -eq 20 && $(wc -l <"$WORK/lines.1") -eq 10 ]]
	# A link in its place is not followed.
	echo kept >"$WORK/other"
	ln -sf "$WORK/other" "$WORK/lines"
	say burst 5
	[[ $(<"$WORK/other") == kept ]]
	rm "$WORK/lines"
	soon 10 has 'number 4'
}

@test "Syslog=tcp: to another host's rsyslogd, RFC 5424 with octet counts, which is restarted" {
	rsyslog_conf 'module(load="imtcp")' \
		"input(type=\"imtcp\" address=\"127.0.0.1\" port=\"$((PORT + 3))\")"
	settings "LogRateLimitBurst=0" "Syslog=tcp:localhost:$((PORT + 3))"
	rsyslog_start
	start
	pid=$(immure status "$NAME" --json | jq .pid)
	say burst 1000
	soon 10 has -x "local3.notice $(hostname) $NAME/speaker\[$pid\] *number 999"
	[[ $(different) -eq 1000 ]]
	rsyslog_stop
	say burst 10
	sleep 0.5
	rsyslog_start
	say raw "$(printf '<30>x: y\nz' | od -An -tx1 | tr -d ' \n')"
	soon 15 has 'y#012z'
	soon 10 all_gone
	rsyslog_conf
}

@test "100,000 messages over TCP while the other rsyslogd is restarted five times" {
	takes_long
	rsyslog_conf 'module(load="imtcp")' \
		"input(type=\"imtcp\" address=\"127.0.0.1\" port=\"$((PORT + 3))\")"
	settings "LogRateLimitBurst=0" "Syslog=tcp:127.0.0.1:$((PORT + 3))"
	rsyslog_start
	start
	(
		for _ in 1 2 3 4 5; do
			sleep 0.3
			rsyslog_stop
			rsyslog_start
		done
	) 3>&- 8>&- &
	restarts=$!
	say burst 100000
	wait "$restarts"
	books_balance
	rsyslog_stop
	found=$(grep -c 'number ' "$WORK/lines") once=$(different)
	echo "in the file $found, different $once"
	[[ $once -eq $forwarded ]]
	rsyslog_conf
}

@test "what another host has acknowledged and not read when it breaks off is sent again" {
	settings "LogRateLimitBurst=0" "Syslog=tcp:127.0.0.1:$((PORT + 4))"
	python3 "$BATS_TEST_DIRNAME/syslog-receiver.py" $((PORT + 4)) 20000 "$WORK/lines" 3>&- 8>&- &
	echo $! >"$WORK/daemon.is"
	start
	say burst 2000
	soon 15 has 'number 1999$'
	soon 5 all_gone
	found=$(number) once=$(different)
	echo "in the file $found, different $once"
	[[ $once -eq 2000 && $(figure forwarded) -eq 2000 && $(figure dropped) -eq 0 ]]
	# A stop asks the other host, and needs not wait.
	say burst 10
	begun=$(date +%s%N)
	immure stop "$NAME"
	echo "stopped in $(($(date +%s%N) - begun)) ns"
	[[ $(($(date +%s%N) - begun)) -lt 900000000 && ! -e $IMMURE_RUN_DIR/$NAME.log ]]
	[[ $(number) -eq $((found + 10)) ]]
}

# The process that looks for the way to another host: nobody's child, in the keeper's session.
seeker() { pgrep -P 1 -s "$supervisor" | grep -vx "$supervisor"; }
other_seeker() { seeker | grep -qvx "$first"; }

@test "who looks for another host and dies is followed by the next one at once" {
	# A host that answers nobody: its door has more visitors than it lets wait.
	python3 - $((PORT + 5)) 3>&- 8>&- <<-'END' &
		import socket, sys, time
		door = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=0)
		held = [socket.socket() for _ in range(3)]
		for s in held:
		    s.setblocking(False)
		    s.connect_ex(door.getsockname())
		time.sleep(60)
	END
	echo $! >"$WORK/daemon.is"
	settings "LogRateLimitBurst=0" "Syslog=tcp:127.0.0.1:$((PORT + 5))"
	start
	supervisor=$(jq .supervisor "$IMMURE_RUN_DIR/$NAME.json")
	say burst 5
	soon 5 seeker
	first=$(seeker)
	kill -9 "$first"
	begun=$SECONDS
	soon 6 other_seeker
	echo "$((SECONDS - begun)) s"
}

@test "SyslogSocket=stream: syslog(3) falls back to it" {
	settings "LogRateLimitBurst=0" "SyslogSocket=stream"
	rsyslog_start
	start
	pid=$(immure status "$NAME" --json | jq .pid)
	say burst 5000
	soon 10 has -x "local3.notice [^ ]* $NAME/speaker\[$pid\]: number 4999"
	[[ $(different) -eq 5000 ]]
	relay=$(figure relay)
	kill -STOP "$relay"
	seconds=$(say burst 5000 | cut -d ' ' -f 1)
	awk "BEGIN { exit !($seconds < 8) }"
	soon 5 gone "$relay"
}

@test "Syslog=daemon: an extra socket of rsyslogd, with the lines that export writes" {
	settings "LogRateLimitBurst=0" "Syslog=daemon"
	immure export "$NAME" --format rsyslog -o "$WORK/extra.conf"
	rsyslog_conf "$(<"$WORK/extra.conf")"
	rsyslogd -N1 -f "$WORK/rsyslog.conf"
	start
	rsyslog_start
	pid=$(immure status "$NAME" --json | jq .pid)
	soon 5 test -S "$IMMURE_RUN_DIR/$NAME.daemon/log"
	say burst 1
	soon 5 has -x "local3.notice $NAME speaker\[$pid\]: number 0"
	# It may be restarted: the jail has the directory, not the socket.
	rsyslog_stop
	rsyslog_start
	soon 5 test -S "$IMMURE_RUN_DIR/$NAME.daemon/log"
	say raw "$(printf '<30>x: again' | od -An -tx1 | tr -d ' \n')"
	soon 5 has 'again'
	rsyslog_conf
}

@test "Syslog=daemon: an extra socket of syslog-ng, of either kind, with the lines that export writes" {
	takes_long
	for kind in datagram stream; do
		settings "LogRateLimitBurst=0" "Syslog=daemon" "SyslogSocket=$kind"
		immure export "$NAME" --format syslog-ng -o "$WORK/extra.conf"
		start
		syslog_ng_start "$(<"$WORK/extra.conf")"
		soon 5 eval '[[ $(say kind) == "$kind syslog/log" ]]'
		pid=$(immure status "$NAME" --json | jq .pid)
		say burst 1000
		soon 5 has -x "local3.notice $NAME speaker\[$pid\]: number 999"
		[[ $(different) -eq 1000 ]]
		daemon_stop
		syslog_ng_start "$(<"$WORK/extra.conf")"
		soon 5 eval '[[ $(say kind) == "$kind syslog/log" ]]'
		say burst 1001
		soon 5 has -x "local3.notice $NAME speaker\[$pid\]: number 1000"
		daemon_stop
		immure stop "$NAME"
		rm "$WORK/lines"
	done
}

# twins_meet WHAT [Jail]-LINE...: what a twin in a jail of such a spec finds at /dev/log. Natively it
# is a datagram socket: what is something else makes the proof fail, and is in its message.
twins_meet()
{
	mkdir -p "$IMMURE_CONFIG_DIR/$NAME-2.conf.d"
	printf '[Jail]\n%s\n' "${@:2}" >"$IMMURE_CONFIG_DIR/$NAME-2.conf.d/test.conf"
	! immure build "$NAME-2" >"$WORK/twins" 2>&1
	rm -r "$IMMURE_CONFIG_DIR/$NAME-2.conf.d"
	cat "$WORK/twins"
	grep -q "$1" "$WORK/twins"
}

@test "twins meet the /dev/log that the jail will have: the proof proves what runs" {
	ask="nc -N 127.0.0.1 $((PORT + 1))"
	immure build "$NAME-2" --exercise "echo kind | $ask; echo burst 2000 | $ask | wc -l" \
		-- /usr/bin/python3 "$HERE/syslog-speaker.py" $((PORT + 1))
	twins_meet 'stream here' SyslogSocket=stream
	twins_meet 'none here' Syslog=none
	twins_meet 'datagram syslog/log' Syslog=daemon
	twins_meet 'stream syslog/log' Syslog=daemon SyslogSocket=stream
	immure remove "$NAME-2"
}

@test "an exported plan has the socket of a daemon, and else no /dev/log" {
	local launch="${IMMURE%/*}/immure-launch"

	settings "LogRateLimitBurst=0" "Syslog=daemon"
	immure export "$NAME" --format rsyslog -o "$WORK/extra.conf"
	rsyslog_conf "$(<"$WORK/extra.conf")"
	rsyslog_start
	immure export "$NAME" --format plan -o "$WORK/plan"
	"$launch" "$WORK/plan" 3>&- 8>&- >"$WORK/launched" 2>&1 &
	echo $! >"$WORK/daemon.is"
	soon 5 eval '[[ $(say kind) == "datagram syslog/log" ]]'
	say burst 1
	soon 5 has "local3.notice $NAME speaker\[[0-9]*\]: number 0"
	daemon_stop
	settings "LogRateLimitBurst=0"
	immure export "$NAME" --format plan -o "$WORK/plan"
	"$launch" "$WORK/plan" 3>&- 8>&- >"$WORK/launched" 2>&1 &
	echo $! >"$WORK/daemon.is"
	soon 5 eval '[[ $(say kind) == "none here" ]]'
	daemon_stop
	rsyslog_conf
}

@test "Syslog=none: there is no /dev/log" {
	settings "LogRateLimitBurst=0" "Syslog=none"
	start
	root=$(immure status "$NAME" --json | jq -r .root)
	[[ ! -e $root/dev/log && ! -L $root/dev/log ]]
	[[ $(figure relay) == null ]]
}

# A service for inetd: each connection is a process, here a jail, of its own.
inetd_build()
{
	cat >"$HERE/one.py" <<-'END'
		import sys, syslog
		syslog.openlog("one", syslog.LOG_PID, syslog.LOG_LOCAL3)
		word, n = sys.stdin.readline().split()
		for i in range(int(n)):
		    syslog.syslog("%s number %d" % (word, i))
		print("done", flush=True)
	END
	mkdir -p "$IMMURE_CONFIG_DIR"
	printf '[Service]\nExecStart=/usr/bin/python3 %s\nUser=nobody\n%s\n[Jail]\nListen=%s\nAccept=yes\n%s\n[Exercise]\nCommand=%s\n' \
		"$HERE/one.py" "LogRateLimitBurst=0" "tcp:127.0.0.1:$((PORT + 1))" "$1" \
		"echo a 1 | nc -N -w 5 127.0.0.1 $((PORT + 1))" >"$IMMURE_CONFIG_DIR/$NAME-2.conf"
	immure build -q "$NAME-2"
}

inetd_start()
{
	systemd-socket-activate -a --inetd -l "127.0.0.1:$((PORT + 1))" -E IMMURE_CONFIG_DIR -E IMMURE_STATE_DIR \
		-E IMMURE_RUN_DIR -E IMMURE_SYSLOG_SOCKET "$IMMURE" run "$NAME-2" 3>&- 8>&- >"$WORK/inetd" 2>&1 &
	echo $! >"$WORK/daemon.is"
	soon 5 inetd_listens
}

inetd_listens() { ss -Hltn "sport = :$((PORT + 1))" | grep -q LISTEN; }
connect() { echo "$*" | nc -N -w 60 127.0.0.1 $((PORT + 1)); }
figure_2() { immure status "$NAME-2" --json | jq ".syslog.$1"; }
sockets_left() { find "$IMMURE_RUN_DIR/$NAME-2.log" -name 'socket*' | wc -l; }

@test "jails of one connection log through one queue, which outlives them" {
	inetd_build ""
	rsyslog_start
	inetd_start
	said=$(connect a 3)
	[[ $said == done ]] || { echo "$said"; cat "$WORK/inetd"; return 1; }
	soon 5 has -x "local3.info [^ ]* $NAME-2/one\[[0-9]*\]: a number 2"
	# Many at once, and the relay killed meanwhile: all arrive, and nothing is left of any of them.
	for i in {1..20}; do
		connect "many$i" 1000 >/dev/null 3>&- 8>&- &
		clients[i]=$!
	done
	kill -9 "$(figure_2 relay)"
	wait "${clients[@]}"
	connect flush 1 >/dev/null # where the last of them had ended before: nobody had noticed
	soon 20 eval '[[ $(figure_2 waiting) == 0 ]]'
	[[ $(figure_2 accepted) -ge $((20004 - 1)) && $(figure_2 dropped) -eq 0 ]]
	soon 5 eval '[[ $(grep -o "many[0-9]* number [0-9]*" "$WORK/lines" | sort -u | wc -l) -ge 19999 ]]'
	soon 5 eval '[[ $(sockets_left) -eq 0 ]]'
	[[ $(ls "$IMMURE_RUN_DIR/$NAME-2.log") == queue ]]
	# While there is no daemon it waits in that queue, for the next connection after it is back.
	rsyslog_stop
	for i in 1 2 3; do connect "away$i" 100 >/dev/null; done
	soon 5 eval '[[ $(figure_2 waiting) == 300 ]]'
	rsyslog_start
	connect back 1 >/dev/null
	soon 10 has 'back number 0'
	[[ $(grep -o 'away[0-9] number [0-9]*' "$WORK/lines" | sort -u | wc -l) -eq 300 ]]
	[[ $(figure_2 forwarded) -eq $(figure_2 accepted) ]]
	# The relay goes soon after.
	relay=$(figure_2 relay)
	daemon_stop
	soon 8 gone "$relay"
	immure remove "$NAME-2"
	[[ ! -e $IMMURE_RUN_DIR/$NAME-2.log ]]
}

@test "a jail of one connection that is killed leaves no lane and no socket" {
	inetd_build "Syslog=file:$WORK/lines"
	inetd_start
	for i in 1 2 3 4 5; do
		connect "flood$i" 300000 >/dev/null 3>&- 8>&- &
		clients[i]=$!
	done
	sleep 0.6
	relay=$(figure_2 relay)
	descriptors=$(ls "/proc/$relay/fd" | wc -l)
	pgrep -P "$(<"$WORK/daemon.is")" | xargs kill -9
	wait "${clients[@]}" || true
	soon 5 eval '[[ ! -e /proc/$relay || $(ls "/proc/$relay/fd" | wc -l) -le 6 ]]'
	echo "$descriptors descriptors before"
	[[ $descriptors -gt 6 ]]
	connect after 1 >/dev/null
	soon 5 has 'after number 0'
	[[ $(sockets_left) -eq 0 ]]
	immure remove "$NAME-2"
}

@test "BIND's lines arrive with its jail's name" {
	mkdir -p "$WORK/named"
	chown bind "$WORK/named"
	cat >"$WORK/named/named.conf" <<-END
		options {
			directory "$WORK/named"; listen-on port 5796 { 127.0.0.1; }; listen-on-v6 { none; };
			pid-file none; session-keyfile none; recursion no; dnssec-validation no;
		};
		controls { };
	END
	immure build "$NAME-2" --state "$WORK/named" --exercise \
		'dig @127.0.0.1 -p 5796 version.bind chaos txt +norecurse | grep -c status' \
		-- /usr/sbin/named -f -u bind -c "$WORK/named/named.conf"
	rsyslog_start
	immure start "$NAME-2"
	pid=$(immure status "$NAME-2" --json | jq .pid)
	soon 5 has -x "daemon.notice [^ ]* $NAME-2/named\[$pid\]: running"
	immure stop "$NAME-2"
	soon 5 has "$NAME-2/named\[$pid\]: exiting"
	immure remove "$NAME-2"
}

@test "a stop leaves nothing, and the relay ends with the last jail" {
	rsyslog_start
	start
	relay=$(figure relay)
	say burst 10
	immure stop "$NAME"
	[[ ! -e $IMMURE_RUN_DIR/$NAME.log ]]
	[[ $(different) -eq 10 ]]
	soon 5 gone "$relay"
}
