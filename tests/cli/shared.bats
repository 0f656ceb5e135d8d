#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Directories that jails share by name: the article's mail proxy (a server that takes mail and a
# forwarder that delivers it, each in a jail, meet in a queue only), and a socket.

NAME=cli-shared PORT=18681
load helpers

SHARED=$WORK/lib/shared BOX=/var/lib/immure-check.box

# Takes one line of mail a connection and leaves it in its /mqueue.
TAKER='
use strict; use Socket;
socket(my $door, PF_INET, SOCK_STREAM, 0); setsockopt($door, SOL_SOCKET, SO_REUSEADDR, 1);
bind($door, sockaddr_in($ARGV[0], INADDR_LOOPBACK)) or die; listen($door, 5);
my $n = 0;
umask 0007;
while (accept(my $c, $door)) {
	my ($text, $name) = (scalar(<$c>), sprintf "%d.%d", time, ++$n);
	my $f;
	my $good = open($f, ">", "/mqueue/.$name") && print($f $text) && close($f)
		&& rename("/mqueue/.$name", "/mqueue/$name");
	print $c $good ? "250 queued\n" : "451 $!\n"; close $c;
}'

# Delivers what it finds in its /incoming.
FORWARDER='
use strict;
while (1) {
	for my $name (glob "/incoming/*") {
		open my $f, "<", $name or next; my $text = join "", <$f>;
		open my $box, ">>", "$ARGV[0]/mail" or die; print $box "forwarded: $text"; close $box;
		unlink $name;
	}
	sleep 1;
}'

# "GET KEY" of a redis behind a socket.
CLIENT='
use strict; use Socket;
socket(my $door, PF_INET, SOCK_STREAM, 0); setsockopt($door, SOL_SOCKET, SO_REUSEADDR, 1);
bind($door, sockaddr_in($ARGV[0], INADDR_LOOPBACK)) or die; listen($door, 5);
while (accept(my $c, $door)) {
	my $line = <$c>;
	socket(my $s, PF_UNIX, SOCK_STREAM, 0);
	if (connect($s, pack_sockaddr_un("/data/sock"))) { syswrite $s, $line; print $c scalar <$s> } else { print $c "$!\n" }
	close $c;
}'

# Gives parts of a directory to their user at each start, as daemons do; ends where it may not and is told to.
OWNER='
use strict; use Socket;
my ($port, $must) = @ARGV; my $dir = "/var/lib/" . "immure-check.box-own";
for my $part ("body", "proxy") { chown(8, 8, "$dir/$part") == 1 or $must eq "must" && die "chown: $!" }
socket(my $door, PF_INET, SOCK_STREAM, 0); setsockopt($door, SOL_SOCKET, SO_REUSEADDR, 1);
bind($door, sockaddr_in($port, INADDR_LOOPBACK)) or die; listen($door, 5);
while (accept(my $c, $door)) { print $c "here\n"; close $c }'

clean_up() { rm -rf "$BOX" "$BOX-own"; }

fixture()
{
	printf '%s\n' "$TAKER" >"$HERE/taker.pl"
	printf '%s\n' "$FORWARDER" >"$HERE/forwarder.pl"
	printf '%s\n' "$CLIENT" >"$HERE/client.pl"
	printf '%s\n' "$OWNER" >"$HERE/owner.pl"
	mkdir -p "$BOX-own/body" "$BOX-own/proxy"
	install -d -o mail "$BOX"
}

teardown()
{
	local name

	for name in taker forwarder client store first second; do
		immure stop -q "$name" || true
		immure remove -q --state "$name" || true
	done
	rm -f "$BOX/mail"
} 2>/dev/null

taker()
{
	spec taker <<-EOF
	[Service]
	ExecStart=/usr/bin/perl $HERE/taker.pl $PORT
	User=games
	BindPaths=@queue:/mqueue
	[Jail]
	Shared=queue=games:mail:2770
	[Exercise]
	Command=echo letter | nc -N 127.0.0.1 $PORT; cat /mqueue/*
	EOF
	good build taker
}

forwarder()
{
	spec forwarder <<-EOF
	[Service]
	ExecStart=/usr/bin/perl $HERE/forwarder.pl $BOX
	User=mail
	BindPaths=@queue:/incoming
	[Jail]
	Shared=queue=games:mail:2770
	State=$BOX
	[Exercise]
	Command=echo letter >/incoming/1; for n in \$(seq 50); do [ -e /incoming/1 ] || break; sleep 0.1; done; cat \$IMMURE_ROOT$BOX/mail
	EOF
	good build forwarder
}

@test "shared: a mail proxy: one jail takes mail, another forwards it" {
	taker
	forwarder
	# A build meets copies: nothing was queued, nor delivered.
	[[ ! -e $BOX/mail && -z $(find "$SHARED" -type f 2>/dev/null) ]]
	good start taker
	[[ $(stat -c %U:%G:%a "$SHARED/queue") == games:mail:2770 ]]
	[[ $(echo 'first letter' | nc -N 127.0.0.1 "$PORT") == '250 queued' ]]
	# On the host it can be looked at, and emptied, as any queue.
	[[ $(cat "$SHARED"/queue/*) == 'first letter' ]]
	good start forwarder
	eventually 5 grep -qx 'forwarded: first letter' "$BOX/mail"
	[[ $(echo 'second letter' | nc -N 127.0.0.1 "$PORT") == '250 queued' ]]
	eventually 5 grep -qx 'forwarded: second letter' "$BOX/mail"
	[[ -z $(ls "$SHARED/queue") ]]
	# Neither has the other's place, nor anything else of the other's.
	[[ -e /proc/$(immure status taker --json | jq .pid)/root/mqueue ]]
	[[ ! -e /proc/$(immure status taker --json | jq .pid)/root/incoming ]]
	[[ ! -e /proc/$(immure status taker --json | jq .pid)/root$BOX ]]
	good files taker
	tells '^/mqueue .* shared by name: BindPaths=@queue'
	[[ ! -e /mqueue && ! -e /incoming ]]
}

@test "shared: it stays until the last jail is removed with --state" {
	taker
	forwarder
	good start taker
	[[ $(echo letter | nc -N 127.0.0.1 "$PORT") == '250 queued' ]]
	good remove taker --state
	[[ $(cat "$SHARED"/queue/*) == letter ]]
	good remove forwarder
	[[ $(cat "$SHARED"/queue/*) == letter ]]
	rm "$SHARED"/queue/*
	taker
	good remove taker --state
	[[ ! -e $SHARED ]]
}

@test "shared: a socket, in both jails by one name" {
	spec store <<-EOF
	[Service]
	ExecStart=/usr/bin/redis-server --port 0 --unixsocket /sock/sock --unixsocketperm 777 --save "" --dir /sock
	User=redis
	BindPaths=@sock:/sock
	[Jail]
	Shared=sock=redis:redis:0755
	[Exercise]
	Command=redis-cli -s /sock/sock set greeting hello
	EOF
	good build store
	good start store
	redis-cli -s "$SHARED/sock/sock" set greeting hello
	spec client <<-EOF
	[Service]
	ExecStart=/usr/bin/perl $HERE/client.pl $PORT
	User=games
	BindReadOnlyPaths=@sock:/data
	[Exercise]
	Command=echo GET greeting | nc -N 127.0.0.1 $PORT
	EOF
	good build client
	good start client
	[[ $(echo STRLEN greeting | nc -N 127.0.0.1 "$PORT") == :5* ]]
	# The server may go and come.
	good restart store
	redis-cli -s "$SHARED/sock/sock" set greeting again!
	[[ $(echo STRLEN greeting | nc -N 127.0.0.1 "$PORT") == :6* ]]
}

@test "shared: what is wrong is told" {
	printf '[Service]\nExecStart=/bin/sleep 9\nBindPaths=@queue\n' | spec taker
	refuses 2 build taker
	says 'taker.conf:3' '@LABEL:/path'
	printf '[Service]\nExecStart=/bin/sleep 9\nBindPaths=@../x:/y\n' | spec taker
	refuses 2 build taker
	says 'taker.conf:3' '@LABEL:/path'
	printf '[Service]\nExecStart=/bin/sleep 9\n[Jail]\nShared=queue=nobody\n' | spec taker
	refuses 2 build taker
	says 'taker.conf:4' 'USER:GROUP:MODE'
	taker
	good start taker
	sed 's/games:mail:2770/mail:mail:0750/' "$WORK/etc/taker.conf" | sed 's/^User=.*/User=mail/; s/taker.pl.*/taker.pl 18682/' | spec forwarder
	refuses 2 build forwarder
	says 'Shared=queue=' 'is there already' 'same line'
}

owner() { local name=$1 status=$2; shift 2; refuses "$status" build "$name" --exercise "nc -N 127.0.0.1 $PORT </dev/null" "${@:3}" -- /usr/bin/perl "$HERE/owner.pl" "$PORT" "$1"; }

@test "shared: what is another jail's state already is told, with the line that shares it" {
	owner first 0 must -
	[[ $(jq -r .path <<<"$(immure files first --json | jq '.files[] | select(.class == "state")')") == "$BOX-own" ]]
	owner second 1 must -
	tells "where $BOX-own is the state of jail first (State=$BOX-own in \[Jail\] lets both have it"
	owner second 0 may -
	tells "^  withheld   $BOX-own is the state of jail first (State=$BOX-own"
	good remove second
	owner second 0 must - --state "$BOX-own" --json
	json '.withheld == []'
	# The first one keeps what it had: the second has not taken it away.
	mkdir "$IMMURE_CONFIG_DIR/first.conf.d"
	printf '[Service]\nUMask=0027\n' >"$IMMURE_CONFIG_DIR/first.conf.d/umask.conf"
	good build first
	tells 'proved, generation 2'
	not tells withheld
}
