# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154,SC2030,SC2031
# /dev/log of a jail, with real log daemons of Debian's: rsyslogd and inetutils-syslogd, run here on
# sockets of this story's own and restarted, killed and stopped as hosts do it to theirs.
# The host's own log daemon, if it has one, is never spoken to.

NAME=check-syslog
PORT=5791
HERE=/srv/immure-check.$NAME
WORK=/var/lib/immure-check/$NAME
IMMURE=${IMMURE:-$BATS_TEST_DIRNAME/../../build/src/immure}
INETUTILS=/var/lib/immure-check.unpacked/inetutils-syslogd/usr/sbin/syslogd
export IMMURE_CONFIG_DIR=$WORK/etc IMMURE_STATE_DIR=$WORK/lib IMMURE_RUN_DIR=$WORK/run
export IMMURE_SYSLOG_SOCKET=$WORK/log BATS_TEST_TIMEOUT=120

immure() { "$IMMURE" "$@" 3>&-; }

setup_file()
{
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
	rsyslogd -n -f "$WORK/rsyslog.conf" -i "$WORK/rsyslog.pid" 3>&- >>"$WORK/rsyslog.out" 2>&1 &
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
		--mark=0 3>&- >/dev/null 2>&1 &
	echo $! >"$WORK/daemon.is"
	soon 5 test -S "$WORK/log"
}

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
	) 3>&- &
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
	) 3>&- &
	restarts=$!
	say burst 100000
	wait "$restarts"
	books_balance
	daemon_stop
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
	) 3>&- &
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

@test "without any daemon the service goes on; what was dropped is told when there is one" {
	start
	seconds=$(say burst 100000 | cut -d ' ' -f 1)
	echo "$seconds s"
	awk "BEGIN { exit !($seconds < 10) }"
	[[ $(figure dropped) -gt 0 ]]
	immure status "$NAME" | grep -q 'syslog: .* dropped'
	rsyslog_start
	soon 10 all_gone
	[[ $(figure forwarded) -eq $(($(figure accepted) - $(figure dropped))) ]]
	soon 5 has "syslog.warning .*immure-relay.*: $(figure dropped) messages of this jail dropped"
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
	say burst 300000 >"$WORK/flood" 3>&- &
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

@test "Syslog=none: there is no /dev/log" {
	settings "LogRateLimitBurst=0" "Syslog=none"
	start
	root=$(immure status "$NAME" --json | jq -r .root)
	[[ ! -e $root/dev/log && ! -L $root/dev/log ]]
	[[ $(figure relay) == null ]]
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
