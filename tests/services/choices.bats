#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Services that are not alone: with an address, a database elsewhere, state that is large, that does
# not fit or that somebody uses, a prefix of their own. Each is built, or the build stops and names
# what is in the way and the choices that there are.
#
# All of them run on one host of their own (beside.bash), 192.0.2.2; next to it is 192.0.2.5, where
# a database listens.

NAME=choices
load helpers
load beside
bats_require_minimum_version 1.5.0

COPIES=()
EMPTY=()
DB=$HERE/db
FILE=$DB/words
APP=/opt/immure-check.choices
# What the services below say to who connects.
ASK="timeout 5 bash -c 'cat </dev/tcp/127.0.0.1/19813'"

fixture()
{
	mkdir -p "$WORK/host"
	host_up
	neighbour
	store
	client
}

clean_up()
{
	host_down
	rm -rf "$APP"
}

setup()
{
	rm -rf "$DB" "$HERE/sample"
	mkdir -p "$DB" "$HERE/sample"
	printf 'canary' >"$FILE"
	printf 'sample' >"$HERE/sample/words"
}

teardown()
{
	immure stop "$NAME" >/dev/null 2>&1 || true
	immure remove "$NAME" >/dev/null 2>&1 || true
	rm -f "$IMMURE_CONFIG_DIR/$NAME.conf"
	leave
}

immure() { onhost "$IMMURE" "$@"; }
ss() { onhost ss "$@"; }

# --- the neighbour ------------------------------------------------------------------------------

beyond() { onhost nsenter --target "$(cat "$WORK/neighbour.pid")" --net -- "$@"; }

neighbour()
{
	# shellcheck disable=SC2016 # the inner shell expands
	onhost setsid unshare --net sh -c 'echo $$ >"$1"; exec sleep infinity' _ "$WORK/neighbour.pid" \
		>/dev/null 2>&1 </dev/null &
	eventually 10 test -s "$WORK/neighbour.pid"
	onhost ip link add host0 type veth peer name db0 netns "$(cat "$WORK/neighbour.pid")"
	onhost ip address add 192.0.2.2/24 dev host0
	onhost ip address add 2001:db8::2/64 dev host0 nodad
	onhost ip link set host0 up
	beyond ip address add 192.0.2.5/24 dev db0
	beyond ip link set db0 up
	beyond setsid socat TCP-LISTEN:5432,bind=192.0.2.5,fork,reuseaddr SYSTEM:'echo database' >/dev/null 2>&1 </dev/null &
	eventually 10 onhost nc -z 192.0.2.5 5432
}

# --- the services -------------------------------------------------------------------------------

# Opens its file for reading and writing when it starts. Says the first six bytes to each who
# connects, and writes in the middle.
store()
{
	cat >"$HERE/store" <<-'END'
		use Fcntl;
		use IO::Socket::INET;
		my ($port, $file) = @ARGV;
		sysopen my $state, $file, O_RDWR | O_CREAT or die "opening $file: $!\n";
		my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $port,
			Listen => 9, ReuseAddr => 1) or die "listening: $!\n";
		while (my $client = $listener->accept) {
			sysseek $state, 0, 0;
			my $n = sysread $state, my $word, 6;
			print $client $n ? $word : 'nothing', "\n";
			sysseek $state, 6 + (-s $file) / 2, 0;
			syswrite $state, 'seen' or die "writing: $!\n";
			close $client;
		}
	END
}

STORE=(/usr/bin/perl "$HERE/store" 19813 "$FILE")

# Lives only with its database.
client()
{
	cat >"$HERE/client" <<-'END'
		use IO::Socket::INET;
		my $database = IO::Socket::INET->new(PeerAddr => '192.0.2.5', PeerPort => 5432, Timeout => 5)
			or die "no database: $!\n";
		my $said = <$database>;
		my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 19813,
			Listen => 9, ReuseAddr => 1) or die "listening: $!\n";
		while (my $client = $listener->accept) {
			print $client $said;
			close $client;
		}
	END
}

# release NUMBER: a program of /opt with a library and a page of its own, which it reads again at HUP.
release()
{
	local at=$APP/$1

	mkdir -p "$at/bin" "$at/lib"
	echo "package Answer; sub answer { 'library $1' } 1;" >"$at/lib/Answer.pm"
	echo "page $1" >"$at/page"
	cat >"$at/bin/server" <<-'END'
		#!/usr/bin/perl
		use lib '/opt/immure-check.choices/current/lib';
		use Answer;
		use IO::Socket::INET;
		my $page;
		sub load { open my $f, '<', '/opt/immure-check.choices/current/page' or die; $page = <$f>; }
		load();
		$SIG{HUP} = \&load;
		my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 19813,
			Listen => 9, ReuseAddr => 1) or die "listening: $!\n";
		for (;;) {
			my $client = $listener->accept or next;
			print $client Answer::answer(), ', ', $page;
			close $client;
		}
	END
	chmod 755 "$at/bin/server"
}

# --- pieces -------------------------------------------------------------------------------------

# proves OPTION...: the build is good.
proves()
{
	immure build "$NAME" "$@" >"$WORK/out/said" 2>&1 || { show "$WORK/out/said"; return 1; }
	head -n 1 "$WORK/out/said" | grep -w proved | grep -vqw not
}

# stops OPTION...: the build does not take place, and leaves nothing.
stops()
{
	local left

	not immure build "$NAME" "$@" >"$WORK/out/said" 2>&1
	show "$WORK/out/said"
	not immure status "$NAME" >/dev/null 2>&1
	left=$(find "$WORK"/{etc,lib,run} -mindepth 1 ! -type d ! -name CACHEDIR.TAG ! -name '*lock*' 2>/dev/null) || true # of what is not there yet
	[[ -z $left ]] || { echo "left behind: $left"; return 1; }
}

# tells WORD...: in what the build said.
tells()
{
	local word

	for word; do
		grep -qe "$word" "$WORK/out/said" || { echo "not told: $word"; show "$WORK/out/said"; return 1; }
	done
}

# again: the next build is a first one.
again()
{
	immure remove "$NAME"
	rm -f "$IMMURE_CONFIG_DIR/$NAME.conf"
}

# use FILE: somebody has it open for writing.
use()
{
	rm -f "$WORK/user.pid"
	# shellcheck disable=SC2016 # the inner shell expands
	onhost setsid sh -c 'echo $$ >"$2"; exec sleep 1000 >>"$1"' _ "$1" "$WORK/user.pid" 2>/dev/null </dev/null &
	eventually 5 eval "[[ \$(onhost cat /proc/\$(cat '$WORK/user.pid')/comm) == sleep ]]"
}

leave()
{
	[[ -s $WORK/user.pid ]] || return 0
	onhost kill "$(cat "$WORK/user.pid")" 2>/dev/null || true
	rm -f "$WORK/user.pid"
}

blocks() { stat -c '%b %s %Y %Z' "$1"; }
asked() { eval "onhost $ASK"; }
says() { [[ $(asked) == "$1" ]]; }

# --- addresses ----------------------------------------------------------------------------------

@test "a service on the host's own address, not loopback's" {
	proves --exercise "redis-cli -h 192.0.2.2 -p 19811 set bird canary | grep -x OK" \
		--exercise "redis-cli -h 2001:db8::2 -p 19811 get bird | grep -x canary" \
		-- redis-server --bind 192.0.2.2 2001:db8::2 --port 19811 --protected-mode no --save '' --dir /
	immure start "$NAME"
	[[ $(onhost redis-cli -h 192.0.2.2 -p 19811 ping) == PONG ]]
	# It is the host's network again: the neighbour reaches it.
	[[ $(beyond redis-cli -h 192.0.2.2 -p 19811 ping) == PONG ]]
}

@test "a service that needs a database at another address" {
	stops --exercise "$ASK" -- /usr/bin/perl "$HERE/client"
	tells 'no database' '192\.0\.2\.5:5432' '--net host'
	proves --net host --exercise "$ASK | grep -x database" -- /usr/bin/perl "$HERE/client"
	immure start "$NAME"
	says database
}

# --- state --------------------------------------------------------------------------------------

@test "a sparse file of 10 GB is built upon, and quickly" {
	local begun=$SECONDS before

	truncate -s 10G "$FILE"
	before=$(blocks "$FILE")
	proves --exercise "$ASK | grep -x canary" -- "${STORE[@]}"
	[[ $((SECONDS - begun)) -le 20 ]] || { echo "$((SECONDS - begun)) s"; return 1; }
	[[ $(blocks "$FILE") == "$before" ]]
	immure start "$NAME"
	says canary
	[[ $(blocks "$FILE") != "$before" ]]
}

@test "a file that does not fit is told before anything is copied" {
	mkdir -p "$WORK/small"
	onhost mount -t tmpfs -o size=64m,mode=755 small "$WORK/small"
	{ printf canary; head -c 100M /dev/urandom; } >"$FILE"
	IMMURE_STATE_DIR=$WORK/small stops --exercise "$ASK" -- "${STORE[@]}"
	tells "$FILE" '10[0-9.]* M' '[0-9] MiB to spare' 'sample'
	# The service itself did not run into it.
	not tells 'No space left'
	[[ -z $(onhost find "$WORK/small" -type f -size +1M) ]]

	IMMURE_STATE_DIR=$WORK/small proves --sample "$DB=empty" --exercise "$ASK | grep -x nothing" -- "${STORE[@]}"
	IMMURE_STATE_DIR=$WORK/small immure remove "$NAME"
	onhost umount "$WORK/small"
}

@test "a file that somebody writes to: the process is named, and what can be done" {
	local before

	use "$FILE"
	before=$(blocks "$FILE")
	stops --exercise "$ASK" -- "${STORE[@]}"
	tells "$DB" "pid $(cat "$WORK/user.pid")\\>" 'sleep (' '[Ss]top' "--sample $DB=" '=empty' '=snapshot' '=live'
	[[ $(blocks "$FILE") == "$before" ]]

	proves --sample "$DB=$HERE/sample" --exercise "$ASK | grep -x sample" -- "${STORE[@]}"
	again
	proves --sample "$DB=empty" --exercise "$ASK | grep -x nothing" -- "${STORE[@]}"
	again
	proves --sample "$DB=live" --exercise "$ASK | grep -x canary" -- "${STORE[@]}"
	[[ $(blocks "$FILE") == "$before" ]]
	[[ $(cat "$HERE/sample/words") == sample ]]

	# The jail that was built does not start beside that process either.
	not immure start "$NAME" >"$WORK/out/said" 2>&1
	tells "pid $(cat "$WORK/user.pid")\\>"
	leave
	immure start "$NAME"
	says canary
}

@test "a file that is only read meanwhile, and one that nobody has any more, are no obstacle" {
	use "$DB/other"
	rm "$DB/other"
	# shellcheck disable=SC2016 # the inner shell expands
	onhost setsid sh -c 'exec sleep 5 <"$1"' _ "$FILE" >/dev/null 2>&1 &
	proves --exercise "$ASK | grep -x canary" -- "${STORE[@]}"
}

@test "the host's network and real data: only on request" {
	stops --net host --exercise "$ASK" -- "${STORE[@]}"
	tells "$DB" '--sample' 'live' 'empty'
	proves --net host --sample "$DB=live" --exercise "$ASK | grep -x canary" -- "${STORE[@]}"
	again
	proves --net host --sample "$DB=empty" --exercise "$ASK | grep -x nothing" -- "${STORE[@]}"
	again
	# What is not there yet cannot be told to anybody.
	rm "$FILE"
	proves --net host --exercise "$ASK | grep -x nothing" -- "${STORE[@]}"
	[[ ! -e $FILE ]]
}

# --- a prefix of its own ------------------------------------------------------------------------

@test "a program of /opt: a deploy flips its link, a reload or a restart serves the new release" {
	release 1.0
	release 2.0
	ln -sfn 1.0 "$APP/current"
	proves --exercise "$ASK" -- "$APP/current/bin/server"
	immure start "$NAME"
	says 'library 1.0, page 1.0'
	ln -sfn 2.0 "$APP/current"
	immure reload "$NAME"
	eventually 5 says 'library 1.0, page 2.0'
	immure restart "$NAME"
	says 'library 2.0, page 2.0'
	# A release that was not there when the jail was built.
	release 3.0
	ln -sfn 3.0 "$APP/current"
	immure restart "$NAME"
	says 'library 3.0, page 3.0'
}

# --- what an exercise proves --------------------------------------------------------------------

@test "an exercise that never reaches the service is an error" {
	stops --exercise "$ASK" --exercise true -- "${STORE[@]}"
	tells 'step 2' 'never reached the service'
	stops --exercise 'echo very busy; sleep 0.2' -- "${STORE[@]}"
	tells 'step 1' 'never reached the service'
	# A signal for which it reads something reaches it.
	release 1.0
	ln -sfn 1.0 "$APP/current"
	# shellcheck disable=SC2016 # the exercise's shell expands
	proves --exercise 'kill -HUP $IMMURE_PID; sleep 0.3; echo told' -- "$APP/current/bin/server"
}

@test "without an exercise the first line says what little is proved" {
	proves -- redis-server --bind 127.0.0.1 --port 19811 --save '' --dir /
	head -n 1 "$WORK/out/said" | grep only
	tells 'connect to tcp:127.0.0.1:19811'
	again
	proves --exercise 'redis-cli -p 19811 ping' -- redis-server --bind 127.0.0.1 --port 19811 --save '' --dir /
	not grep only <(head -n 1 "$WORK/out/said")
}

@test "without an exercise: a handshake where a port speaks TLS, a socket, and reload" {
	make_certificate
	proves -- redis-server --bind 127.0.0.1 --port 0 --tls-port 19814 --tls-cert-file "$HERE/tls.crt" \
		--tls-key-file "$HERE/tls.key" --tls-ca-cert-file "$HERE/tls.crt" --tls-auth-clients no \
		--unixsocket "$HERE/db/redis.sock" --save '' --dir /
	tells TLS "connect to unix:$HERE/db/redis.sock"
}
