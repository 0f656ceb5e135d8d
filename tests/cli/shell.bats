#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# immure shell: the host's tools in the jail's view. The service is root and hostile: it tries to get
# at whoever visits it.

NAME=cli-shell PORT=18671
load helpers

# "look PID": what a jailed root can do to that process of its pid namespace, "yes" or "no" each.
SERVICE='
use strict; use Socket; use Fcntl;
socket(my $door, PF_INET, SOCK_STREAM, 0); setsockopt($door, SOL_SOCKET, SO_REUSEADDR, 1);
bind($door, sockaddr_in($ARGV[0], INADDR_LOOPBACK)) or die; listen($door, 5);
my $child = fork; if (!$child) { sleep 1000 while 1 }
sub yes { $_[0] ? "yes" : "no" }
while (accept(my $c, $door)) {
	my ($what, $p) = split " ", scalar <$c>;
	$p = $child if $what eq "own";
	if ($what eq "look" || $what eq "own") {
		opendir(my $d, "/proc/$p/root"); my %names = map { $_ => 1 } $d ? readdir $d : ();
		print $c "root=", yes(%names), " tools=", yes($names{".host"}), " cwd=", yes(-e "/proc/$p/cwd/"),
			" fd=", yes(readlink "/proc/$p/fd/0"), " environ=", yes(open(my $e, "<", "/proc/$p/environ")),
			" mem=", yes(sysopen(my $m, "/proc/$p/mem", O_RDWR)), " exe=", yes(readlink "/proc/$p/exe"),
			" ns=", yes(readlink "/proc/$p/ns/mnt"), " maps=", yes(open(my $a, "<", "/proc/$p/maps")),
			" ptrace=", yes(syscall(101, 16, $p + 0, 0, 0) == 0), "\n";
		syscall(101, 17, $p + 0, 0, 0);
	}
	print $c join(" ", grep { /^[0-9]+$/ } map { s{/proc/}{}r } glob "/proc/*"), "\n" if $what eq "list";
	print $c "ok\n" if $what eq "ping";
	# "STOP SECONDS": that signal to whatever is new here, again and again, or once where it is 0.
	if ($what =~ /^[A-Z]+$/ && !fork) {
		my %old = map { $_ => 1 } glob "/proc/[0-9]*"; my $end = time + $p; my $sent = 0;
		print $c "ready\n"; close $c; close $door;
		while (time < $end || !$p && !$sent) {
			for (grep { !$old{$_} } glob "/proc/[0-9]*") { m{(\d+)$}; $sent += kill $what, $1 }
		}
		exit;
	}
	close $c;
}'

fixture()
{
	install -d "$HERE/state"
	printf '%s\n' "$SERVICE" >"$HERE/service.pl"
}

teardown()
{
	[[ -z ${VISIT:-} ]] || kill -KILL "$VISIT"
	immure thaw -q "$NAME"
	immure stop -q "$NAME"
	immure remove -q "$NAME"
} 2>/dev/null || true

jailed()
{
	{
		printf '[Service]\nExecStart=/usr/bin/perl %s/service.pl %s\n' "$HERE" "$PORT"
		printf '[Jail]\nState=%s/state\nRights=ptrace()\n' "$HERE"
		printf '%s\n' "$@"
		printf '[Exercise]\nCommand=echo own | nc -N 127.0.0.1 %s >/dev/null; id nobody\n' "$PORT"
	} | spec "$NAME"
	good build "$NAME"
	good start "$NAME"
}

ask() { echo "$*" | timeout 10 nc -N 127.0.0.1 "$PORT"; }

visit() { good shell "$NAME" -- "$@"; }

# visitor COMMAND...: in the background; its number in the jail is printed by itself to $WORK/out/visitor.
visitor()
{
	rm -f "$WORK/out/visitor"
	"$IMMURE" shell "$NAME" -- sh -c 'echo $$; exec "$@"' sh "$@" >"$WORK/out/visitor" 2>&1 3>&- 7>&- 8>&- &
	VISIT=$!
	eventually 10 test -s "$WORK/out/visitor"
	INSIDE=$(head -n 1 "$WORK/out/visitor")
	# What comes before the command must have become it.
	eventually 10 visiting
}

visiting() { grep -qx -e sleep -e ping "/proc/$(outside "$INSIDE")/comm"; }

# The number that the jail's process $1 has outside.
outside()
{
	local ns
	ns=$(readlink "/proc/$(jail_pid)/ns/pid")
	awk -v want="$1" -v ns="$ns" '/^NSpid/ && $NF == want { print FILENAME }' /proc/[0-9]*/status 2>/dev/null |
		while IFS=/ read -r _ _ pid _; do
			[[ $(readlink "/proc/$pid/ns/pid") != "$ns" ]] || echo "$pid"
		done
}

@test "shell: tools of the host, files and processes of the jail" {
	jailed
	visit cat /etc/passwd
	not tells '^_apt:'
	tells '^root:'
	visit ls /usr/bin
	tells '^perl$'
	not tells '^awk$'
	visit sh -c 'ls /; pwd'
	tells '^etc$'
	not tells '^boot$'
	visit ps -e -o comm=
	tells '^perl$'
	[[ $(grep -c . <<<"$output") -eq 4 ]]
	# By a link that leads out of what the jail has.
	visit awk 'BEGIN { print 6 * 7 }'
	[[ $output == 42 ]]
	visit sh -c 'echo new >>"$1/state/file" && cat "$1/state/file"' sh "$HERE"
	[[ $(cat "$HERE/state/file") == new ]]
	visit ss -Hltn "sport = :$PORT"
	tells "127.0.0.1:$PORT"
}

@test "shell: it can trace and signal the service" {
	jailed
	visit sh -c 'strace -qq -o /dev/fd/2 -e trace=accept,read -p "$1" 2>"$2/state/trace" & sleep 1; exit' \
		sh "$(jail_pid)" "$HERE" &
	sleep 0.5
	ask ping
	wait $! || true
	grep -q 'read\|accept' "$HERE/state/trace"
	visit kill -0 "$(jail_pid)"
	[[ $(ask ping) == ok ]]
}

@test "shell: the exit status is the command's; what is not there is told" {
	jailed
	refuses 7 shell "$NAME" -- sh -c 'exit 7'
	refuses 143 shell "$NAME" -- sh -c 'kill -TERM $$'
	refuses 2 shell "$NAME" -- no-such-tool
	says no-such-tool
	refuses 2 shell nowhere -- true
	says nowhere
	[[ $(echo 'echo $((6 * 7)); exit 3' | immure shell "$NAME"; echo "$?") == $'42\n3' ]]
}

@test "shell: on a terminal it is a shell with job control" {
	jailed
	printf 'sleep 100 &\njobs\nexit 5\n' |
		timeout 20 script -qec "$IMMURE shell $NAME" /dev/null >"$WORK/out/tty" 2>&1 || status=$?
	[[ ${status:-0} -eq 5 ]]
	grep -q "$NAME# " "$WORK/out/tty"
	grep -qi running "$WORK/out/tty"
	not grep -qi 'job control turned off' "$WORK/out/tty"
}

@test "shell: it leaves nothing, in the jail or on the host" {
	jailed
	local before after
	before=$(cat "/proc/$(jail_pid)/mountinfo"; ask list; grep -c . /proc/self/mountinfo)
	visit sh -c 'sleep 1000 & (setsid sleep 1000 &) ; nohup sleep 1000 >/dev/null 2>&1 & echo done'
	after=$(cat "/proc/$(jail_pid)/mountinfo"; ask list; grep -c . /proc/self/mountinfo)
	[[ $before == "$after" ]]
	[[ ! -e /.host && ! -e /proc/$(jail_pid)/root/.host ]]
	# Killed at any point, by whomever.
	visitor sleep 1000
	kill -KILL "$VISIT"
	eventually 5 eval "[[ \$(ask list) == '$(sed -n "/^[0-9 ]*$/p" <<<"$before" | head -n 1)' ]]"
	visitor sleep 1000
	kill -KILL "$(pgrep -P "$VISIT")"
	eventually 5 eval "[[ \$(ask list) == '$(sed -n "/^[0-9 ]*$/p" <<<"$before" | head -n 1)' ]]"
	wait "$VISIT" || true
	VISIT=
}

# Numbers of namespaces are given again at once: what is swept after a visit is the visit's.
@test "shell: processes that get a namespace while a visit ends are nobody's to kill" {
	jailed
	local killed=0 status
	(for _ in $(seq 40); do visit true; done; touch "$WORK/out/visited") >/dev/null 2>&1 3>&- 8>&- &
	until [[ -e $WORK/out/visited ]]; do
		status=0
		unshare --mount sleep 0.03 || status=$?
		[[ $status -ne 137 ]] || killed=$((killed + 1))
	done
	[[ $killed -eq 0 ]]
}

@test "shell: nothing of the host can be written" {
	jailed
	refuses 1 shell "$NAME" -- touch /.host/usr/bin/planted
	refuses 1 shell "$NAME" -- touch /.host/planted
	refuses 1 shell "$NAME" -- touch /planted
	refuses 32 shell "$NAME" -- mount -t tmpfs none /tmp
	refuses 1 shell "$NAME" -- mknod /tmp/disk b 8 0
	refuses 1 shell "$NAME" -- unshare -U true
	refuses 2 shell "$NAME" -- sh -c 'ls /.host/etc /.host/root /.host/home'
	visit sh -c 'id -u; ls -A /.host'
	[[ $output == $'0\nbin\nusr' || -d /lib && ! -L /lib ]]
}

@test "shell: a jailed root cannot reach it, whatever it runs" {
	jailed
	# It can do all of that to its own.
	[[ $(ask own) == 'root=yes tools=no cwd=yes fd=yes environ=yes mem=yes exe=yes ns=yes maps=yes ptrace=yes' ]]
	local nothing='root=no tools=no cwd=no fd=no environ=no mem=no exe=no ns=no maps=no ptrace=no'
	local command
	for command in 'sleep 1000' 'setpriv --inh-caps=-all --bounding-set=-all sleep 1000' \
		'setpriv --ambient-caps=-all sleep 1000' 'ping -i 100 127.0.0.1' 'capsh --drop=all -- -c sleep\ 1000'; do
		command -v "${command%% *}" >/dev/null || continue
		eval "set -- $command"
		# A tool that could only be run with fewer rights is not run.
		"$IMMURE" shell "$NAME" -- timeout 0.3 "$@" >/dev/null 2>&1 || [[ $? -eq 124 ]] || continue
		visitor "$@"
		[[ $(ask look "$INSIDE") == "$nothing" ]] || { echo "$command: $(ask look "$INSIDE")"; return 1; }
		kill "$VISIT"
		wait "$VISIT" || true
	done
	refuses 127 shell "$NAME" -- setpriv --reuid=nobody --clear-groups true
}

# On a kernel whose Landlock does not keep a jailed root's signals in; that of kernel 6.12 does.
reachable()
{
	cc -w -o "$WORK/deny" "$BATS_TEST_DIRNAME/../priv/deny.c" -lseccomp
	jailed
	good stop "$NAME"
	"$WORK/deny" landlock_create_ruleset -- "$IMMURE" start -q "$NAME" 3>&- 8>&-
}

@test "shell: a jailed root that stops it does not hold the caller up" {
	reachable
	# Once, wherever it is by then: it goes on.
	for _ in {1..5}; do
		[[ $(ask STOP 0) == ready ]]
		output=$(timeout 10 "$IMMURE" shell "$NAME" -- sh -c 'sleep 0.1; echo done')
		[[ $output == *done ]]
	done
	# Without an end: the visit has one.
	[[ $(ask STOP 8) == ready ]]
	local status=0
	errors=$(timeout 6 "$IMMURE" shell "$NAME" -- sleep 3 2>&1) || status=$?
	[[ $status -eq 5 || $status -eq 1 ]] || { echo "status $status: $errors"; return 1; }
	says 'keeps stopping'
	[[ $(ask ping) == ok ]]
}

# visit_group COMMAND...: in a process group of its own, as a terminal has it; its number is $VISIT.
visit_group()
{
	rm -f "$WORK/out/visitor"
	perl -e 'setpgrp 0, 0; exec @ARGV' "$IMMURE" shell "$NAME" -- "$@" >"$WORK/out/visitor" 2>&1 3>&- 7>&- 8>&- &
	VISIT=$!
	eventually 10 test -s "$WORK/out/visitor"
}

state() { sed 's/.*) \(.\).*/\1/' "/proc/$1/stat"; }

@test "shell: keys reach it, and what is stopped" {
	reachable
	local status=0
	visit_group sh -c 'echo begun; sleep 0.5; for i in 1 2 3 4 5 6 7 8 9; do sleep 0.1; done; sleep 0.5; echo ended'
	kill -TSTP "-$VISIT"
	eventually 2 eval '[[ $(state $VISIT) == T ]]'
	sleep 2
	[[ $(state "$VISIT") == T ]]
	not grep -q ended "$WORK/out/visitor"
	kill -CONT "-$VISIT"
	wait "$VISIT" || status=$?
	[[ $status -eq 0 ]]
	grep -q ended "$WORK/out/visitor"
	# One that somebody inside has stopped.
	visit_group sh -c 'echo begun; (echo $$; exec sleep 100); echo ended'
	visit sh -c 'kill -STOP $(pgrep -x sleep)'
	visit sh -c 'ps -o stat= $(pgrep -x sleep)'
	[[ $output == T* ]]
	kill -INT "-$VISIT"
	status=0
	wait "$VISIT" || status=$?
	VISIT=
	[[ $status -eq 130 ]] || { echo "status $status"; return 1; }
}

@test "shell: where Landlock has it, a jailed root cannot stop it" {
	jailed
	[[ $(immure check --host --json | jq -r '.walls[] | select(.name == "landlock-scope").here') == true ]] || skip 'no landlock-scope'
	[[ $(ask STOP 1) == ready ]]
	visit sleep 0.5
}

@test "shell: what the jail says is to be preloaded is not" {
	jailed
	good stop "$NAME"
	echo /no-such-library.so >"$IMMURE_STATE_DIR/jails/$NAME/current/root/etc/ld.so.preload"
	visit sh -c 'echo fine'
	[[ $output == fine && -z $errors ]]
}

@test "shell: into a jail that has no loader, and no shell" {
	cc -static -x c -o "$HERE/tiny" - <<-'EOF' || skip 'no static C library'
	#include <arpa/inet.h>
	#include <sys/socket.h>
	#include <unistd.h>
	int main(void)
	{
		int s = socket(AF_INET, SOCK_STREAM, 0), one = 1;
		struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(18671), .sin_addr = {htonl(INADDR_LOOPBACK)}};
		setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
		for (bind(s, (void *)&a, sizeof(a)), listen(s, 5);;) {
			int c = accept(s, 0, 0);
			if (write(c, "hi\n", 3) == 3)
				close(c);
		}
	}
	EOF
	good build "$NAME" --exercise "nc -N 127.0.0.1 $PORT </dev/null" -- "$HERE/tiny"
	good start "$NAME"
	visit sh -c 'find / -xdev -type f; ls "$1"; ps -e -o comm=' sh "$HERE/tiny"
	tells '^tiny$'
	tells "^$HERE/tiny$"
	not tells /bin/
	[[ ! -e /proc/$(jail_pid)/root/lib64 ]]
}

@test "shell: of a jail that does not run, and of one that is frozen" {
	jailed
	if immure freeze -q "$NAME"; then
		visit ps -e -o comm=
		tells '^perl$'
		good thaw "$NAME"
	fi
	good stop "$NAME"
	local before
	before=$(find "$IMMURE_STATE_DIR" "$IMMURE_RUN_DIR" "$HERE" | sort)
	visit sh -c 'ls /usr/bin; ps -e -o comm=; ls -d "$1/state"; cat /etc/passwd' sh "$HERE"
	tells '^perl$'
	tells "^$HERE/state$"
	not tells immure-init
	not tells '^_apt:'
	[[ $before == "$(find "$IMMURE_STATE_DIR" "$IMMURE_RUN_DIR" "$HERE" | sort)" ]]
	refuses 3 status "$NAME"
}
