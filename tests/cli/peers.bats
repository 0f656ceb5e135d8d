#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Whom a jail may talk to: ConnectTo=, IPAddressAllow= and IPAddressDeny=, by programs of its control
# group; a service that calls whomever it is told to.

NAME=cli-peers PORT=18631
load helpers

# "FAMILY ADDRESS" in, "yes" or why not out.
CALLER='
use strict; use Socket qw(:DEFAULT inet_pton pack_sockaddr_in6 AF_INET6);
$| = 1;
socket(my $door, PF_INET, SOCK_STREAM, 0); setsockopt($door, SOL_SOCKET, SO_REUSEADDR, 1);
bind($door, sockaddr_in($ARGV[0], INADDR_ANY)) or die; listen($door, 5);
if ($ARGV[1]) { socket(my $u, PF_INET, SOCK_DGRAM, 0); bind($u, sockaddr_in($ARGV[1], INADDR_ANY)) or warn "udp: $!\n" }
while (accept(my $c, $door)) {
	my ($how, $where) = split " ", scalar <$c>;
	if ($how =~ /^bind(\w+)/) {
		my $kind = $1;
		my ($address, $port) = $where =~ /(.*)-(\d+)/;
		my $six = $address =~ /:/;
		socket(my $s, $six ? PF_INET6 : PF_INET, $kind eq "udp" ? SOCK_DGRAM : SOCK_STREAM, 0);
		my $at = $six ? pack_sockaddr_in6($port, inet_pton(AF_INET6, $address)) : sockaddr_in($port, inet_aton($address));
		print $c bind($s, $at) ? "yes\n" : "$!\n"; close $c; next;
	}
	my $six = $where =~ /:/;
	my $to = $six ? pack_sockaddr_in6($ARGV[0] + 1, inet_pton(AF_INET6, $where))
		      : sockaddr_in($ARGV[0] + 1, inet_aton($where));
	socket(my $s, $six ? PF_INET6 : PF_INET, $how eq "udp" ? SOCK_DGRAM : SOCK_STREAM, 0);
	my $done = $how eq "udp" ? send($s, "x", 0, $to) : $how eq "fast" ? send($s, "x", 0x20000000, $to) : connect($s, $to);
	print $c $done ? "yes\n" : "$!\n";
	close $c;
}'

setup()
{
	immure check --host --json | jq -e '.walls[] | select(.name == "peers") | .here' >/dev/null ||
		skip "this host has no control group of version 2 with BPF"
	mkdir -p "$WORK/out"
	perl -MSocket=:DEFAULT,AF_INET6,IPV6_V6ONLY,pack_sockaddr_in6 -e '
		socket(S, AF_INET6, SOCK_STREAM, 0); setsockopt(S, SOL_SOCKET, SO_REUSEADDR, 1);
		setsockopt(S, 41, IPV6_V6ONLY, 0);
		bind(S, pack_sockaddr_in6(shift, Socket::IN6ADDR_ANY)) or die; listen(S, 20); sleep 1 while 1' \
		"$((PORT + 1))" 3>&- 7>&- 8>&- &
	LISTENER=$!
}

teardown()
{
	[[ -z ${LISTENER:-} ]] || kill "$LISTENER"
	immure stop -q "$NAME" || true
	immure remove -q "$NAME" || true
} 2>/dev/null

# jailed LINE...: built with these lines of the spec, and started
jailed()
{
	mkdir -p "$IMMURE_CONFIG_DIR"
	{
		printf '[Service]\nExecStart=/usr/bin/perl %s %s %s\n' "$HERE/caller.pl" "$PORT" "${UDP:-}"
		printf '%s\n' "$@"
		printf '[Exercise]\nCommand=echo tcp 127.0.0.1 | nc -N 127.0.0.1 %s; true\n' "$PORT"
	} >"$IMMURE_CONFIG_DIR/$NAME.conf"
	printf '%s\n' "$CALLER" >"$HERE/caller.pl"
	good build "$NAME"
	summary=$output
	good start "$NAME"
}

# ask HOW WHERE [FROM]: what the service says of it
ask() { echo "$1 $2" | timeout 5 nc -N ${3:+-s "$3"} 127.0.0.1 "$PORT"; }

@test "peers: without a line it may call anybody" {
	jailed
	[[ $(ask tcp 127.0.0.2) = yes && $(ask udp 127.0.0.3) = yes ]]
}

@test "peers: ConnectTo= lets it call those, and be called by all" {
	jailed '[Jail]' 'ConnectTo=127.0.0.2 127.0.1.0/24'
	[[ $(ask tcp 127.0.0.2) = yes && $(ask tcp 127.0.1.77) = yes ]]
	[[ $(ask tcp 127.0.0.3) = 'Operation not permitted' ]]
	[[ $(ask udp 127.0.0.3) = 'Operation not permitted' ]]
	# A send that connects, tcp(7).
	[[ $(ask fast 127.0.0.2) = yes && $(ask fast 127.0.0.3) = 'Operation not permitted' ]]
	[[ $(ask tcp ::ffff:127.0.0.2) = yes ]]
	[[ $(ask tcp ::ffff:127.0.0.3) = 'Operation not permitted' ]]
	[[ $(ask tcp ::1) = 'Operation not permitted' ]]
	[[ $(ask tcp 127.0.0.2 127.0.0.9) = yes ]]
	good status "$NAME" --json
	json '.refused_connects == 5'
	good status "$NAME"
	tells '5 connects refused by ConnectTo='
	# Not by a group that it could leave, and nothing is left of it.
	good stop "$NAME"
	! find /sys/fs/cgroup -maxdepth 4 -name "immure-$NAME*" | grep .
}

@test "peers: ConnectTo=none lets it call nobody" {
	jailed '[Jail]' 'ConnectTo=none'
	[[ $(ask tcp 127.0.0.1) = 'Operation not permitted' ]]
}

@test "peers: IPAddressDeny= keeps out who is not allowed, both ways, under run too" {
	jailed 'IPAddressAllow=127.0.0.1' 'IPAddressDeny=127.0.0.0/24'
	[[ $(ask tcp 127.0.0.1) = yes && $(ask tcp 127.0.1.1) = yes ]]
	[[ -z $(ask tcp 127.0.0.1 127.0.0.9) ]]
	good stop "$NAME"
	"$IMMURE" run "$NAME" 3>&- 7>&- 8>&- &
	local pid=$!
	for _ in {1..50}; do
		[[ $(ask tcp 127.0.0.1) = yes ]] && break
		sleep 0.1
	done
	[[ $(ask tcp 127.0.0.1) = yes && -z $(ask tcp 127.0.0.1 127.0.0.9) ]]
	kill "$pid"
	wait "$pid" || true
	! find /sys/fs/cgroup -maxdepth 4 -name "immure-$NAME*" | grep .
}

@test "peers: SocketBindDeny= holds what is bound, of UDP too" {
	UDP=$((PORT + 2)) jailed
	output=$summary
	tells "udp ports *$((PORT + 2))"
	tells "SocketBindDeny=udp and SocketBindAllow=udp:$((PORT + 2)) would hold it to them"
	[[ $(ask bindudp "127.0.0.1-$((PORT + 3))") = yes && $(ask bindudp 127.0.0.1-0) = yes ]]
	good stop "$NAME"
	immure remove -q "$NAME"
	UDP=$((PORT + 2)) jailed "SocketBindDeny=udp" "SocketBindAllow=udp:$((PORT + 2)) ipv6:udp:$((PORT + 4))-$((PORT + 6))" \
		'[Jail]' "Rights=tcp:$((PORT + 3))"
	local denied='Operation not permitted'
	output=$summary
	not tells 'would hold it to them'
	not tells 'not enforced'
	# Its own one is bound, and it was told so by nobody.
	immure logs "$NAME" | not grep udp:
	[[ $(ask bindudp "127.0.0.1-$((PORT + 3))") = "$denied" && $(ask bindudp 127.0.0.1-0) = "$denied" ]]
	[[ $(ask bindudp "127.0.0.9-$((PORT + 2))") = yes ]]
	[[ $(ask bindudp "127.0.0.1-$((PORT + 5))") = "$denied" && $(ask bindudp "::1-$((PORT + 5))") = yes ]]
	[[ $(ask bindudp "::1-$((PORT + 3))") = "$denied" && $(ask bindudp "::1-$((PORT + 7))") = "$denied" ]]
	[[ $(ask bindtcp "127.0.0.1-$((PORT + 3))") = yes && $(ask udp 127.0.0.3) = yes ]]
	good status "$NAME" --json
	json '.refused_binds == 5 and .refused_connects == null'
	good status "$NAME"
	tells '5 binds refused by SocketBindDeny='
	good stop "$NAME"
}

@test "peers: SocketBindDeny=any of what a run bound is told, and stops it" {
	printf '[Service]\nExecStart=/usr/bin/perl %s %s\nSocketBindDeny=any\nSocketBindAllow=ipv6:udp\n[Exercise]\nCommand=echo tcp 127.0.0.1 | nc -N 127.0.0.1 %s; true\n' \
		"$HERE/caller.pl" "$PORT" "$PORT" | spec "$NAME"
	printf '%s\n' "$CALLER" >"$HERE/caller.pl"
	good build "$NAME"
	tells "SocketBindDeny= takes away tcp:$PORT, which /usr/bin/perl bound"
	timeout 20 "$IMMURE" start -q "$NAME" 3>&- 7>&- 8>&- 2>"$WORK/out/errors" && return 1
	immure logs "$NAME" | grep -q 'Operation not permitted' || grep -q 'Operation not permitted\|ended' "$WORK/out/errors"
	printf '[Service]\nExecStart=/bin/sleep 9\nSocketBindDeny=tcp:0\n' | spec "$NAME"
	refuses 2 build "$NAME"
	says "$NAME.conf:3" 'tcp:0'
}

@test "peers: who asks for MPTCP first is held to its port, by TCP" {
	cat >"$HERE/multi.pl" <<-'EOF'
	use strict; use Socket; $| = 1;
	sub door { my $port = shift; my $s; socket($s, PF_INET, SOCK_STREAM, 262) or socket($s, PF_INET, SOCK_STREAM, 0) or die;
		setsockopt($s, SOL_SOCKET, SO_REUSEADDR, 1); return bind($s, sockaddr_in($port, INADDR_LOOPBACK)) ? $s : undef }
	my $door = door($ARGV[0]) or die "no door: $!"; listen($door, 5);
	while (accept(my $c, $door)) { print $c door($ARGV[0] + 1) ? "another\n" : "held\n" if defined <$c>; close $c }
	EOF
	printf '[Service]\nExecStart=/usr/bin/perl %s %s\n[Exercise]\nCommand=nc -z 127.0.0.1 %s\n' "$HERE/multi.pl" "$PORT" "$PORT" | spec "$NAME"
	kill "$LISTENER"
	wait "$LISTENER" || true
	good build "$NAME"
	good start "$NAME"
	good why "$NAME" "tcp:$PORT"
	immure check --host --json | jq -e '.walls[] | select(.name == "landlock-net") | .here' >/dev/null || skip 'no landlock-net'
	output=$(echo | timeout 5 nc -N 127.0.0.1 "$PORT")
	[[ $output == held ]] || { echo "it says: $output"; immure logs "$NAME"; immure show --policy "$NAME"; return 1; }
	refuses 1 why "$NAME" protocol:262
	tells 'Rights=protocol:262'
}

@test "peers: a wrong range is told with its line" {
	printf '[Service]\nExecStart=/bin/sleep 9\n[Jail]\nConnectTo=10.0.0.0/33\n' | spec "$NAME"
	refuses 2 build "$NAME"
	says "$NAME.conf:4" '10.0.0.0/33' 'localhost'
}
