#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Builds that are given no exercise: what is tried instead, and that it sees a difference. And the
# exercise that is one by its name only: a step of it never reaches the service.

NAME=default-exercise
PORTS=(19431)
load helpers

fixture()
{
	make_certificate
	install -d "$HERE/run" "$HERE/nginx"
	cat >"$HERE/nginx/nginx.conf" <<-CONF
		pid $HERE/run/nginx.pid;
		error_log $HERE/run/error.log;
		events { }
		http {
			access_log $HERE/run/access.log;
			server { listen 127.0.0.1:19431; }
			server {
				listen 127.0.0.1:19432 ssl;
				ssl_certificate $HERE/tls.crt;
				ssl_certificate_key $HERE/tls.key;
			}
		}
	CONF
	# Says hello on a socket, "unix:PATH" or an address. "fragile": it ends by USR1. "careful": it
	# reloads only where its root is writable, which it is nowhere but natively and in a growth.
	cat >"$HERE/lone" <<-'PERL'
		use IO::Socket::INET;
		use IO::Socket::UNIX;
		my ($how, $where) = @ARGV;
		unlink $where if $where =~ s/^unix://;
		my $door = $where =~ m{^/} ? IO::Socket::UNIX->new(Local => $where, Listen => 5)
			: IO::Socket::INET->new(LocalAddr => $where, Listen => 5, ReuseAddr => 1);
		die "no door: $!" unless $door;
		$SIG{USR1} = sub { exit 0 } if $how eq 'fragile';
		$SIG{HUP} = sub {
			return unless $how eq 'careful';
			open my $mounts, '<', '/proc/self/mountinfo';
			exit 5 if grep { m{^\S+ \S+ \S+ \S+ / ro[, ]} } <$mounts>;
		};
		for (;;) {
			my $client = $door->accept or next;
			print $client "hello\n";
			close $client;
		}
	PERL
}

setup() { immure remove "$NAME" >/dev/null 2>&1 || true; }
teardown() { immure remove "$NAME" >/dev/null 2>&1 || true; rm -f "$IMMURE_CONFIG_DIR/$NAME.conf"; }

# builds STATUS ARG...: ends so; what it said is in $WORK/out/said.
builds()
{
	local want=$1 status=0

	shift
	immure build "$NAME" "$@" >"$WORK/out/said" 2>&1 || status=$?
	show "$WORK/out/said"
	[[ $status -eq $want ]]
}

# says PATTERN...: each, somewhere. step N PATTERN: in the line of that step.
says()
{
	local pattern

	for pattern; do
		grep -qe "$pattern" "$WORK/out/said" || { echo "not said: $pattern"; return 1; }
	done
}

step() { says "^  step $1  *$2"; }

little() { head -n 1 "$WORK/out/said" | grep -w 'proved' | grep -w 'only'; }

@test "default exercise: nginx, TLS, reload and reopened logs" {
	builds 0 -- /usr/sbin/nginx -c "$HERE/nginx/nginx.conf" -g 'daemon off;'
	little
	step 1 'same: .* connect to tcp:127.0.0.1:19431$'
	step 2 'same: .* connect to tcp:127.0.0.1:19432, with a TLS handshake$'
	step 3 'same: .* reload (SIGHUP)$'
	step 5 'same: .* connect again to tcp:127.0.0.1:19432'
	step 6 'same: .* reopen logs (SIGUSR1)$'
}

@test "default exercise: a service that waits for the client, and one that talks first" {
	builds 0 --user redis -- /usr/bin/redis-server --bind 127.0.0.1 --port 19431 --save '' --dir /
	little
	step 1 'same: .* connect to tcp:127.0.0.1:19431$'
	not says TLS
	teardown
	builds 0 -- /usr/bin/perl "$HERE/lone" calm 127.0.0.1:19431
	step 1 'same: .* connect to tcp:127.0.0.1:19431$'
	not says TLS
}

@test "default exercise: a socket of the unix domain alone" {
	builds 0 -- /usr/bin/perl "$HERE/lone" calm "unix:$HERE/run/door"
	little
	step 1 "same: .* connect to unix:$HERE/run/door"
	step 3 "same: .* connect again to unix:$HERE/run/door"
}

@test "default exercise: a service that ends by USR1 does so in both" {
	builds 0 -- /usr/bin/perl "$HERE/lone" fragile 127.0.0.1:19431
	step 4 'same: .* reopen logs (SIGUSR1): it ends'
}

@test "default exercise: without any listener" {
	builds 0 -- /bin/sh -c 'trap : HUP; while :; do sleep 50; done'
	little
	step 1 'same: .* reload (SIGHUP)'
}

@test "default exercise: a reload that breaks in the jail is seen" {
	builds 1 -- /usr/bin/perl "$HERE/lone" careful 127.0.0.1:19431
	says 'NOT proved' 'natively: still there' 'jailed: *the service has ended'
	step 1 same
	step 2 DIFFERS
	[[ ! -e $IMMURE_STATE_DIR/jails/$NAME/current ]]
}

@test "a step that does not reach the service is named; one that does is not" {
	# shellcheck disable=SC2016 # the exercise's shell expands
	local service=(/usr/bin/perl "$HERE/lone" calm 127.0.0.1:19431) hello='nc -N 127.0.0.1 19431 </dev/null'

	builds 1 --exercise "$hello" --exercise 'sleep 0.1; echo busy' -- "${service[@]}"
	says 'step 2 (sleep 0.1; echo busy) never reached the service' 'tcp:127.0.0.1:19431'
	builds 0 --exercise "$hello" -- "${service[@]}"
	not grep -w only <(head -n 1 "$WORK/out/said")
}

@test "a service that fails for want of another is told whom it sought" {
	builds 1 -- /usr/bin/perl -MIO::Socket::INET -e \
		'IO::Socket::INET->new("198.51.100.5:5432") or die "no database"'
	says 'no database' '198\.51\.100\.5:5432' '--net host'
}

@test "numbers that differ each time, with what leaves them out" {
	local service=(/usr/bin/perl "$HERE/lone" calm 127.0.0.1:19431)

	builds 1 --exercise 'nc -N 127.0.0.1 19431 </dev/null; date +%N' -- "${service[@]}"
	says 'line 2' 'Compare=shape'
}
