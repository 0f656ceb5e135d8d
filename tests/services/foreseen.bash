# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# What nobody has shown, and works all the same: a jail is built by start and stop alone, without
# any exercise. Then a whole client session is played to it.
#
# A story of whole-life.bash that calls "point NAME STEP" for each check, instead of setting STEPS,
# and whose test is foreseen_life. Each point is told by its name when it fails.

POINTS=()

point()
{
	POINTS+=("$1")
	STEPS+=("$2")
}

foreseen_life()
{
	build_foreseen
	all_points_hold
	no_secret_is_foreseen
	remove_leaves_nothing
}

build_foreseen()
{
	local STEPS=() RECALL=

	build_proves
}

# points WHERE PID: what each point prints goes to a file of its own.
points()
{
	local dir=$WORK/out/$1 pid=$2 steps=("${STEPS[@]}") i

	mkdir "$dir"
	for i in "${!steps[@]}"; do
		local STEPS=("${steps[i]}")
		session "$pid" >"$dir/${POINTS[i]}" 2>"$dir/${POINTS[i]}.stderr"
	done
}

all_points_hold()
{
	local name held=0

	jail_start
	jailed
	points jailed "$(jail_pid)"
	jail_stop
	native_start
	points native "$(cat "$WORK/out/native.pid")"
	native_stop

	for name in "${POINTS[@]}"; do
		point_holds "$name" && held=$((held + 1))
	done
	echo "$held of ${#POINTS[@]} points hold without exercise"
	[[ $held -gt 0 && $held -eq ${#POINTS[@]} ]]
}

# The point prints natively what it prints in the jail, and does not fail.
point_holds()
{
	local native=$WORK/out/native/$1 jailed=$WORK/out/jailed/$1

	if cmp -s "$native" "$jailed" && grep -qx 'exit 0' "$native"; then
		echo "holds $1"
		return 0
	fi
	echo "FAILS $1"
	diff -u "$native" "$jailed" | show /dev/stdin
	show "$jailed.stderr"
	# What fails natively is a mistake of the story.
	grep -qx 'exit 0' "$native" || { echo "  natively:" && show "$native.stderr"; }
	return 1
}

# A secret is in the jail only if it was opened; but for those that a login asks for by PAM.
no_secret_is_foreseen()
{
	local guessed

	guessed=$(immure files "$NAME" --json | jq -r '.files[] | select(.class == "secret" and
		(.used // "") == "" and all(.evidence[].text; test("pam") | not)) |
		"\(.path): \(.evidence[0].text)"')
	[[ -z $guessed ]] || { echo "secrets that nobody opened:" && echo "$guessed" && return 1; }
}

# At most half more than the jail that is grown while all points are played, without foresight.
at_most_half_more()
{
	local foreseen grown step options=(--write-spec --closure exact)

	for step in "${STEPS[@]}"; do options+=(--exercise "$step"); done
	foreseen=$(bytes_of "$NAME")
	immure build "$NAME" "${options[@]}"
	grown=$(bytes_of "$NAME")
	echo "$foreseen bytes foreseen, $grown bytes grown"
	[[ $grown -gt 0 && $((foreseen * 2)) -le $((grown * 3)) ]]
}

bytes_of()
{
	immure ls --json | jq --arg name "$1" '.jails[] | select(.name == $name) | .bytes'
}

# --- for the fixtures ---------------------------------------------------------------------------

# What the points call from the host: no service knows of it.
BIN=$WORK/bin

make_tools()
{
	mkdir -p "$BIN"
	make_backend >"$BIN/backend"
	make_ask >"$BIN/ask"
	make_reopens >"$BIN/reopens"
	make_within >"$BIN/within_10_s"
	chmod 755 "$BIN"/*
}

# "backend PORT" answers what it is sent, in capitals. It prints its pid, and ends by itself.
make_backend()
{
	cat <<-'PERL'
		#!/usr/bin/perl
		use strict;
		use IO::Socket::INET;
		my $port = shift;
		my $listener = IO::Socket::INET->new(
			LocalAddr => '127.0.0.1', LocalPort => $port, Listen => 5, ReuseAddr => 1) or die $!;
		if (my $pid = fork) { print $pid; exit }
		close STDOUT;
		alarm 30;
		while (my $client = $listener->accept) {
			my ($length, $body) = (0, '');
			while (<$client>) {
				$length = $1 if /^Content-Length: (\d+)/i;
				last if /^\r?$/;
			}
			read $client, $body, $length;
			print $client "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n", uc $body;
			close $client;
		}
	PERL
}

# "ask CURL_ARGUMENT...": an answer with its headers, but for the date and for those by which a server
# says how fast a CGI was. What is no success fails.
make_ask()
{
	cat <<-'SHELL'
		#!/bin/sh
		out=$(curl -sfi "$@") && printf '%s\n' "$out" | grep -aiv -e ^date: -e ^content-length: -e ^transfer-encoding:
	SHELL
}

# "reopens LOG SIGNAL URL": the log is moved away, the service told; the next line comes into the
# new file, and the old one is let go.
make_reopens()
{
	cat <<-'SHELL'
		#!/bin/sh
		log=$IMMURE_ROOT$1
		mv "$log" "$log.1" && kill -s "$2" "$IMMURE_PID" || exit 1
		for i in $(seq 100); do
			curl -s -o /dev/null "$3"
			test -s "$log" && break
			sleep 0.1
		done
		test -s "$log" && echo reopened || exit 1
		lines=$(wc -l <"$log.1")
		curl -s -o /dev/null "$3"
		sleep 0.3
		test "$(wc -l <"$log.1")" -eq "$lines" && echo let go
	SHELL
}

# "within_10_s COMMAND...": again until it succeeds, and what it prints then.
make_within()
{
	cat <<-'SHELL'
		#!/bin/sh
		for i in $(seq 100); do
			out=$("$@") && printf '%s\n' "$out" && exit
			sleep 0.1
		done
		exit 1
	SHELL
}

# The content of a site, with times that a listing shows.
make_site()
{
	mkdir -p "$HERE"/web/{pub/old,pub/new,private,error}
	echo '<h1>A page</h1>' >"$HERE/web/index.html"
	echo 'h1 { color: canary }' >"$HERE/web/style.css"
	echo '<svg xmlns="http://www.w3.org/2000/svg"/>' >"$HERE/web/bird.svg"
	printf 'wOF2' >"$HERE/web/font.woff2"
	printf '%%PDF-' >"$HERE/web/paper.pdf"
	echo 'canary' >"$HERE/web/unknown.canary"
	seq 10000 >"$HERE/web/long.txt"
	echo 'written long ago' >"$HERE/web/pub/old/notes.txt"
	printf '\037\213' >"$HERE/web/pub/birds.tar.gz"
	echo 'for the canary only' >"$HERE/web/private/index.html"
	echo '<p>There is no such bird.</p>' >"$HERE/web/error/404.html"
	find "$HERE/web" -type f -exec touch -d '2001-05-01 12:00:01 UTC' {} +
	touch -d '2001-05-02 12:00:02 UTC' "$HERE/web/pub/old"
	touch -d '2024-02-29 23:59:59 UTC' "$HERE/web/pub/new"
}

# make_passwords FILE: for the user canary, and in the system's own way for finch.
make_passwords()
{
	printf 'canary:%s\nfinch:%s\n' "$(openssl passwd -apr1 -salt saltsalt seed)" \
		"$(openssl passwd -6 -salt saltsalt worm)" >"$1"
	chgrp www-data "$1"
	chmod 640 "$1"
}

# What a site is asked by everybody, whatever serves it: SITE in clear, SECURE by TLS.
points_of_a_site()
{
	local file mime=

	for file in style.css bird.svg font.woff2 paper.pdf unknown.canary; do
		mime+=" $SITE/$file"
	done
	point static "$BIN/ask $SITE/"
	point mime "curl -sfI$mime | grep -i -e ^HTTP -e ^content-type:"
	point error-document "curl -si $SITE/no-such-bird | grep -vi ^date:"
	point gzip "curl -sfi -H 'Accept-Encoding: gzip' $SITE/long.txt | grep -ai ^content-encoding; curl -sf --compressed $SITE/long.txt | cksum"
	point tls "for v in 2 3; do curl -sf --tlsv1.\$v --tls-max 1.\$v --cacert $HERE/tls.crt -w '%{ssl_verify_result}\n' $SECURE/style.css || exit; done"
	point basic-auth "curl -si $SITE/private/ | grep -vi ^date:; curl -s -u canary:wrong -o /dev/null -w '%{http_code}\n' $SITE/private/; curl -sf -u canary:seed $SITE/private/ && curl -sf -u finch:worm $SITE/private/"
}
