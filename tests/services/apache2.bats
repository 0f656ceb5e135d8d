#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Apache with what most people use of it: pages, a password in .htaccess, TLS, CGI in perl and sh.

NAME=apache2
load helpers

PORTS=(18011 18012)
COMMAND=(/usr/sbin/apache2 -D FOREGROUND -f "$HERE/apache2.conf")
SETTINGS=(APACHE_RUN_DIR="$HERE/run" APACHE_LOG_DIR="$HERE/log" LANG=C)
SITE=http://127.0.0.1:18011
STEPS=(
	"curl -si $SITE/ | grep -vi '^date:'"
	"curl -si $SITE/no-such-page | grep -vi '^date:'"
	"curl -si $SITE/private/ | grep -vi '^date:'"
	"curl -s -u canary:wrong -o /dev/null -w '%{http_code}\n' $SITE/private/"
	"curl -sf -u canary:seed $SITE/private/"
	"curl -sf --cacert $HERE/tls.crt https://127.0.0.1:18012/style.css"
	"curl -sf '$SITE/cgi/who.pl?name=world'"
	"curl -sf -d 'seven bytes' $SITE/cgi/echo.sh"
)

fixture()
{
	mkdir -p "$HERE"/{log,run/socks,web/private,web/cgi}
	echo '<h1>A page</h1>' >"$HERE/web/index.html"
	echo 'h1 { color: canary }' >"$HERE/web/style.css"
	touch -d '2001-05-01 12:00 UTC' "$HERE"/web/*.*

	echo 'for the canary only' >"$HERE/web/private/index.html"
	printf 'AuthType Basic\nAuthName cage\nAuthUserFile %s\nRequire valid-user\n' \
		"$HERE/users" >"$HERE/web/private/.htaccess"
	echo "canary:$(openssl passwd -apr1 -salt saltsalt seed)" >"$HERE/users"

	cat >"$HERE/web/cgi/who.pl" <<-'PERL'
		#!/usr/bin/perl -T
		use strict;
		use POSIX 'strftime';
		use List::Util 'sum';
		print "Content-Type: text/plain\n\n", "$ENV{QUERY_STRING} as ", scalar(getpwuid $<), "\n",
		      strftime('%A', gmtime 0), ' ', sum(1 .. 100), "\n";
	PERL
	cat >"$HERE/web/cgi/echo.sh" <<-'SHELL'
		#!/bin/sh
		printf 'Content-Type: text/plain\n\n%s: ' "$REQUEST_METHOD"
		head -c "$CONTENT_LENGTH" | tr a-z A-Z
	SHELL
	chmod 755 "$HERE"/web/cgi/*
	make_certificate
	configuration >"$HERE/apache2.conf"
}

configuration()
{
	local mod

	for mod in mpm_event alias authn_core authn_file authz_core authz_user auth_basic dir mime \
		socache_shmcb ssl cgid; do
		echo "IncludeOptional /etc/apache2/mods-available/$mod.load"
		echo "IncludeOptional /etc/apache2/mods-available/$mod.conf"
	done
	cat <<-CONF
		ServerRoot /etc/apache2
		ServerName 127.0.0.1
		Listen 127.0.0.1:18011
		Listen 127.0.0.1:18012
		User www-data
		Group www-data
		PidFile \${APACHE_RUN_DIR}/apache2.pid
		ErrorLog \${APACHE_LOG_DIR}/error.log
		LogFormat "%h %r %>s" short
		CustomLog \${APACHE_LOG_DIR}/access.log short
		DocumentRoot $HERE/web
		<Directory $HERE/web>
		  AllowOverride AuthConfig
		  Require all granted
		</Directory>
		ScriptAlias /cgi/ $HERE/web/cgi/
		<VirtualHost 127.0.0.1:18012>
		  SSLEngine on
		  SSLCertificateFile $HERE/tls.crt
		  SSLCertificateKeyFile $HERE/tls.key
		</VirtualHost>
	CONF
}

@test "apache2: one command grows a jail and proves it" {
	build_proves
}

@test "apache2: the jail is at most 25 MB" {
	need_build
	at_most 25
}

@test "apache2: the running jail answers byte for byte as natively" {
	answers_as_natively
}

@test "apache2: logs rotate, HUP reloads" {
	need_build
	jail_start
	rotated "$HERE/log/access.log" HUP "curl -s $SITE/"
	session "$(jail_pid)" | diff -u "$WORK/out/native" -
	jail_stop
}

@test "apache2: remove leaves nothing" {
	remove_leaves_nothing
}
