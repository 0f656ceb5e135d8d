#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# How the classes of path reach a jail: content through links and prefixes, keys of others, offered
# directories, and a directory of configuration that is written to.

NAME=classes
load helpers
bats_require_minimum_version 1.5.0

DATA=/srv/immure-check.classes-data
APP=/opt/immure-check.classes
LOCAL=/usr/local/immure-check.classes
CONF=/etc/immure-check.classes
RUN=/run/immure-check.classes
WEB=19501 VENDOR=19502 PREFIX=19503

fixture()
{
	clean_up
	mkdir -p "$DATA"/{1,2} "$CONF/keys" "$CONF/live" "$RUN"
	echo one >"$DATA/1/page"
	echo two >"$DATA/2/page"
	chmod 2775 "$RUN"
	chown root:www-data "$RUN"
	rm -rf "$HERE"
	ln -s "$DATA/1" "$HERE"
	make_keys
	web_configuration
	vendor_program
	local_program
}

clean_up() { rm -rf "$HERE" "$DATA" "$APP" "$LOCAL" "$CONF" "$RUN"; }

make_keys()
{
	local key

	for key in own others named; do
		openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 \
			-subj /CN=127.0.0.1 -keyout "$CONF/keys/$key.key" -out "$CONF/keys/$key.crt" 2>/dev/null
	done
	ln -s ../keys/own.key "$CONF/live/tls.key"
	echo 'ssl_certificate_key keys/named.key;' >"$CONF/not-enabled.conf"
	# shellcheck disable=SC2016 # no variables
	echo 'admin:$apr1$x$1234567890' >"$CONF/keys/passwords"
	echo 'nothing = secret' >"$CONF/keys/hidden.conf"
	chmod 600 "$CONF"/keys/*.key "$CONF/keys/hidden.conf"
}

web_configuration()
{
	cat >"$CONF/nginx.conf" <<-END
		pid $RUN/nginx.pid;
		error_log stderr;
		events {}
		http {
		    access_log off;
		    server {
		        listen 127.0.0.1:$WEB ssl;
		        ssl_certificate $CONF/keys/own.crt;
		        ssl_certificate_key $CONF/live/tls.key;
		        root $HERE;
		    }
		}
	END
}

# A program with a library of its own beside it, which it finds through its run path.
vendor_program()
{
	local at=$APP/1.0

	mkdir -p "$at/bin" "$at/lib"
	cat >"$WORK/lib.c" <<-'END'
		const char *answer(void) { return RELEASE; }
	END
	cat >"$WORK/main.c" <<-'END'
		#include <arpa/inet.h>
		#include <stdlib.h>
		#include <string.h>
		#include <unistd.h>
		const char *answer(void);
		int main(int argc, char **argv)
		{
			struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[argc - 1]))};
			int one = 1, s = socket(AF_INET, SOCK_STREAM, 0);
			inet_pton(AF_INET, "127.0.0.1", &a.sin_addr);
			setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
			if (bind(s, (void *)&a, sizeof(a)) || listen(s, 9))
				return 1;
			for (int c; (c = accept(s, 0, 0)) >= 0; close(c))
				if (write(c, answer(), strlen(answer())) < 0)
					return 2;
		}
	END
	gcc -shared -fPIC -DRELEASE='"1.0\n"' -o "$at/lib/libanswer.so" "$WORK/lib.c"
	# shellcheck disable=SC2016 # the loader's
	gcc -o "$at/bin/server" "$WORK/main.c" -L"$at/lib" -lanswer -Wl,-rpath,'$ORIGIN/../lib'
	ln -s 1.0 "$APP/current"
	cp -r "$at" "$APP/2.0"
	gcc -shared -fPIC -DRELEASE='"2.0\n"' -o "$APP/2.0/lib/libanswer.so" "$WORK/lib.c"
}

# What "make install" leaves: programs, what they may load some day, and a log.
local_program()
{
	mkdir -p "$LOCAL/sbin" "$LOCAL/lib" "$LOCAL/logs"
	cp -r "$APP/1.0/lib/libanswer.so" "$LOCAL/lib"
	cp "$APP/1.0/bin/server" "$LOCAL/sbin/server"
	echo 'not asked for yet' >"$LOCAL/lib/plugin"
	cat >"$LOCAL/sbin/start" <<-END
		#!/bin/sh
		echo started >>$LOCAL/logs/log
		exec $LOCAL/sbin/server $PREFIX
	END
	chmod 755 "$LOCAL/sbin/start"
}

# build NAME STEP... -- COMMAND...
build()
{
	local name=$1 steps=()

	shift
	while [[ $1 != -- ]]; do steps+=(--exercise "$1"); shift; done
	immure build "$name" "${steps[@]}" "$@" >"$WORK/out/summary.$name" 2>&1 ||
		{ show "$WORK/out/summary.$name"; return 1; }
	show "$WORK/out/summary.$name"
}

teardown_file()
{
	local name

	for name in "$NAME-vendor" "$NAME-local"; do
		immure stop "$name" >/dev/null 2>&1 || true
		immure remove "$name" >/dev/null 2>&1 || true
	done
	immure stop "$NAME" >/dev/null 2>&1 || true
	take_down
}

page() { curl -sk --max-time 5 "https://127.0.0.1:$WEB/page"; }
said() { timeout 5 bash -c "cat <'/dev/tcp/127.0.0.1/$1'"; }
root_of() { immure status "$1" --json | jq -r .root; }
port_open() { ss -Hltn "sport = :$1" | grep -q .; }

@test "a web server whose document root is a link, with keys of others in its directory" {
	build "$NAME" "curl -sk https://127.0.0.1:$WEB/page" -- nginx -c "$CONF/nginx.conf" -g 'daemon off;'
	touch "$WORK/out/built"
	every_path_has_a_reason
}

@test "keys of others are covered, its own are not" {
	need_build
	PORTS=("$WEB")
	jail_start
	root=$(root_of "$NAME")
	[[ $(page) == one ]]
	[[ -s $root$CONF/keys/own.key ]]
	[[ -s $root$CONF/keys/named.key ]]
	[[ -s $root$CONF/keys/hidden.conf ]]
	[[ -s $root$CONF/keys/others.crt ]]
	[[ -e $root$CONF/keys/others.key && ! -s $root$CONF/keys/others.key ]]
	[[ $(stat -c %a "$root$CONF/keys/others.key") == 0 ]]
	[[ ! -s $root$CONF/keys/passwords ]]
	[[ -s $CONF/keys/others.key && -s $CONF/keys/passwords ]]
}

@test "a link of content that leads elsewhere is followed at the next start" {
	need_build
	PORTS=("$WEB")
	ln -sfn "$DATA/2" "$HERE"
	immure restart "$NAME" 2>/dev/null || { jail_stop; jail_start; }
	eventually 20 listening
	[[ $(page) == two ]]
	jail_stop
}

@test "a renewed key of another name is visible where its link leads" {
	need_build
	PORTS=("$WEB")
	cp -p "$CONF/keys/own.key" "$CONF/keys/own2.key"
	ln -sfn ../keys/own2.key "$CONF/live/tls.key"
	jail_start
	[[ -s $(root_of "$NAME")$CONF/keys/own2.key ]]
	[[ $(page) == two ]]
	jail_stop
}

@test "a link turned and keys renewed while it runs: a reload follows" {
	need_build
	immure reload --help >/dev/null 2>&1 || skip "no reload yet"
	PORTS=("$WEB")
	jail_start
	root=$(root_of "$NAME")
	[[ $(page) == two ]]
	ln -sfn "$DATA/1" "$HERE"
	cp -p "$CONF/keys/others.key" "$CONF/keys/others.new"
	mv "$CONF/keys/others.new" "$CONF/keys/others.key"
	[[ -s $root$CONF/keys/others.key ]]
	immure reload "$NAME"
	# shellcheck disable=SC2016 # evaluated each time
	eventually 10 eval '[[ $(page) == one ]]'
	[[ -e $root$CONF/keys/others.key && ! -s $root$CONF/keys/others.key ]]
	jail_stop
}

@test "an offered directory is made again after a boot, as it was" {
	need_build
	PORTS=("$WEB")
	rm -rf "$RUN"
	jail_start
	[[ $(stat -c '%a %U %G' "$RUN") == '2775 root www-data' ]]
	[[ -s $RUN/nginx.pid ]]
	jail_stop
}

@test "a program of /opt with its own libraries, through a current link" {
	build "$NAME-vendor" "cat </dev/tcp/127.0.0.1/$VENDOR || timeout 5 bash -c 'cat </dev/tcp/127.0.0.1/$VENDOR'" \
		-- "$APP/current/bin/server" "$VENDOR"
	immure start "$NAME-vendor"
	[[ $(said "$VENDOR") == 1.0 ]]
	immure stop "$NAME-vendor"
	ln -sfn 2.0 "$APP/current"
	immure start "$NAME-vendor"
	[[ $(said "$VENDOR") == 2.0 ]]
	immure stop "$NAME-vendor"
}

@test "the whole prefix of a program that no package owns" {
	build "$NAME-local" "timeout 5 bash -c 'cat </dev/tcp/127.0.0.1/$PREFIX'" -- "$LOCAL/sbin/start"
	: >"$LOCAL/logs/log"
	immure start "$NAME-local"
	[[ $(said "$PREFIX") == 1.0 ]]
	[[ $(cat "$LOCAL/logs/log") == started ]]
	[[ -s $(root_of "$NAME-local")$LOCAL/lib/plugin ]]
	immure stop "$NAME-local"
}
