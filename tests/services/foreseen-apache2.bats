#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Apache, started and stopped: twelve points that no exercise has shown. Once with a configuration
# of its own, once as a further instance in the layout of Debian's package (its setup-instance),
# started by apache2ctl, with scripts in /usr/lib/cgi-bin.

load whole-life

story_foreseen-apache2()
{
	load foreseen
	CONF=$HERE/conf
	CGI=$HERE/cgi-bin/immure-check
	LOG=$HERE/log/access.log
	SETTINGS=(APACHE_RUN_DIR="$HERE/run")
	COMMAND=(/usr/sbin/apache2 -D FOREGROUND -f "$CONF/apache2.conf")
	story 18421
}

fixture_foreseen-apache2()
{
	mkdir -p "$HERE"/{log,run/socks,conf/added} "$CGI"
	fixture_of_both
	{
		load_modules mpm_event alias auth_basic authn_core authn_file authz_core authz_user \
			autoindex cgid deflate dir env filter mime negotiation setenvif socache_shmcb ssl
		cat <<-CONF
			ServerRoot $HERE
			ServerName 127.0.0.1
			Listen 127.0.0.1:${PORTS[0]}
			Listen 127.0.0.1:${PORTS[1]}
			User www-data
			Group www-data
			PidFile run/apache2.pid
			ErrorLog log/error.log
			LogFormat "%h %r %>s" short
			CustomLog log/access.log short
		CONF
		site
		echo "ScriptAlias /cgi-bin/ $HERE/cgi-bin/"
		echo "IncludeOptional conf/added/*.conf"
	} >"$CONF/apache2.conf"
}

story_foreseen-apache2-debian()
{
	load foreseen
	CONF=/etc/apache2-immure-check
	CGI=/usr/lib/cgi-bin/immure-check
	LOG=/var/log/apache2-immure-check/access.log
	PID_FILE=/run/apache2-immure-check/apache2.pid
	SETTINGS=(APACHE_CONFDIR="$CONF")
	COMMAND=(/usr/sbin/apache2ctl start)
	story 18431
}

# As setup-instance and a2enmod, a2ensite, a2enconf do it.
fixture_foreseen-apache2-debian()
{
	local mod part

	cp -a /etc/apache2 "$CONF"
	mkdir -p "$CGI" "$CONF/added" "${LOG%/*}"
	rm -f "$CONF"/sites-enabled/* "$CONF"/mods-enabled/perl.*
	for mod in cgid ssl socache_shmcb; do
		for part in "$mod.load" "$mod.conf"; do
			[[ ! -e $CONF/mods-available/$part ]] ||
				ln -sf "../mods-available/$part" "$CONF/mods-enabled/"
		done
	done
	printf 'ServerName 127.0.0.1\nListen 127.0.0.1:%s\n' "${PORTS[@]}" >"$CONF/ports.conf"
	fixture_of_both
	{ site && echo 'IncludeOptional added/*.conf'; } >"$CONF/sites-available/web.conf"
	ln -s ../sites-available/web.conf "$CONF/sites-enabled/web.conf"
	# What Debian has for all sites; it stands in the other layout's own file.
	echo "CustomLog \${APACHE_LOG_DIR}/access.log common" >>"$CONF/sites-available/web.conf"
}

clean_up_foreseen-apache2-debian()
{
	rm -rf /usr/lib/cgi-bin/immure-check /etc/apache2-immure-check \
		/run/apache2-immure-check /run/lock/apache2-immure-check /var/log/apache2-immure-check
}

# story PORT: what both have, on this port and the next.
story()
{
	PORTS=("$1" $(($1 + 1)))
	SITE=http://127.0.0.1:$1
	SECURE=https://127.0.0.1:$(($1 + 1))

	points_of_a_site
	point autoindex "curl -sf $SITE/pub/; curl -sf '$SITE/pub/?C=S;O=D'; curl -sf $SITE/icons/folder.gif | cksum"
	point sh-cgi "seq 1000 | $BIN/ask --data-binary @- $SITE/cgi-bin/immure-check/guests.sh?name=world"
	point perl-cgi "$BIN/ask '$SITE/cgi-bin/immure-check/birds.pl?name=canary&name=finch'"
	point name-lookup "curl -sf $SITE/cgi-bin/immure-check/who.sh && curl -sf $SITE/cgi-bin/immure-check/who.pl"
	point reload "echo 'Redirect /added http://elsewhere.test/' >$CONF/added/x.conf; kill -HUP \$IMMURE_PID; $(within_until added 302); rm $CONF/added/x.conf; kill -HUP \$IMMURE_PID; $(within_until added 404)"
	point log-reopen "$BIN/reopens $LOG USR1 $SITE/"
}

# within_until PATH STATUS: a step that waits until the site says so.
within_until()
{
	printf '%s' "$BIN/within_10_s sh -c 'curl -s -o /dev/null -w \"%{http_code}\n\" $SITE/$1 | grep $2'"
}

fixture_of_both()
{
	make_site
	make_scripts
	make_tools
	make_certificate
	make_passwords "$CONF/users"
}

# As administrators write them.
make_scripts()
{
	cat >"$CGI/guests.sh" <<-'SHELL'
		#!/bin/sh
		# Who was here, and what did they say?
		printf 'Content-Type: text/plain\n\n'
		echo "$REQUEST_METHOD by $(echo "$QUERY_STRING" | sed 's/^name=//;s/+/ /g')"
		body=$(mktemp) || exit 1
		trap 'rm -f "$body"' EXIT
		head -c "$CONTENT_LENGTH" >"$body"
		wc -l <"$body"
		sort -r "$body" | grep 7 | head -n 3 | tr 0-9 a-j
		awk '{ sum += $1 } END { print "sum", sum }' "$body"
		TZ=Europe/Vienna date -d @0
		[ "$REMOTE_ADDR" = 127.0.0.1 ] && basename "$SCRIPT_NAME"
	SHELL
	cat >"$CGI/birds.pl" <<-'PERL'
		#!/usr/bin/perl -T
		use strict;
		use warnings;
		use utf8;
		use POSIX qw(strftime floor);
		use Time::Local;
		use List::Util qw(sum first);
		use JSON::PP;
		use Encode qw(encode decode);
		use Digest::MD5 'md5_hex';
		use File::Temp 'tempfile';
		binmode STDOUT, ':encoding(UTF-8)';
		my @names = map { s/%([0-9a-f]{2})/chr hex $1/egir } $ENV{QUERY_STRING} =~ /name=([^&]*)/g;
		print "Content-Type: application/json\n\n";
		my ($file, $path) = tempfile(DIR => '/tmp', UNLINK => 1);
		print $file "kept for a moment\n";
		print JSON::PP->new->canonical->pretty->encode({
			names => \@names,
			first => (first { /^f/ } @names),
			sum => sum(1 .. 100),
			day => strftime('%A', gmtime timegm(1, 0, 12, 1, 4, 2001)),
			latin => length encode('iso-8859-2', "\x{159}\x{17e}"),
			caseless => scalar("\x{1c4}" =~ /\x{1c6}/i),
			md5 => md5_hex(join ',', @names),
		});
	PERL
	cat >"$CGI/who.sh" <<-'SHELL'
		#!/bin/sh
		printf 'Content-Type: text/plain\n\n'
		id -un
		getent passwd www-data root | cut -d : -f 1,6
		getent group www-data | cut -d : -f 1,3
		getent ahostsv4 localhost | head -n 1
		getent services https
		getent protocols tcp
		hostname
	SHELL
	cat >"$CGI/who.pl" <<-'PERL'
		#!/usr/bin/perl
		use strict;
		use Socket qw(getaddrinfo getnameinfo inet_ntoa AI_PASSIVE SOCK_STREAM);
		use Sys::Hostname;
		print "Content-Type: text/plain\n\n";
		print scalar(getpwuid $<), ' of ', scalar(getgrgid $(), "\n";
		print join(':', (getpwnam 'www-data')[0, 2, 7, 8]), "\n";
		print inet_ntoa(scalar gethostbyname 'localhost'), "\n";
		print scalar(getservbyname 'domain', 'udp'), ' ', scalar(getprotobyname 'icmp'), "\n";
		my ($err, @found) = getaddrinfo('localhost', 'http', { socktype => SOCK_STREAM });
		print "$err ", join(' ', sort map { (getnameinfo $_->{addr}, 2)[1, 2] } @found), "\n";
		print hostname, "\n";
	PERL
	chmod 755 "$CGI"/*
}

load_modules()
{
	local mod

	for mod; do
		cat /etc/apache2/mods-available/"$mod".{load,conf} 2>/dev/null || true
	done
}

site()
{
	cat <<-CONF
		DocumentRoot $HERE/web
		<Directory $HERE/web>
		  Options Indexes FollowSymLinks
		  Require all granted
		</Directory>
		<Directory $HERE/web/private>
		  AuthType Basic
		  AuthName cage
		  AuthUserFile $CONF/users
		  Require valid-user
		</Directory>
		IndexOptions FancyIndexing HTMLTable
		ErrorDocument 404 /error/404.html
		<Directory $CGI>
		  Require all granted
		</Directory>
		<VirtualHost 127.0.0.1:${PORTS[1]}>
		  SSLEngine on
		  SSLCertificateFile $HERE/tls.crt
		  SSLCertificateKeyFile $HERE/tls.key
		</VirtualHost>
	CONF
}

@test "foreseen-apache2: twelve points without exercise" {
	build_foreseen
	all_points_hold
	no_secret_is_foreseen
	at_most_half_more
	remove_leaves_nothing
}

@test "foreseen-apache2-debian: twelve points without exercise" { foreseen_life; }
