#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Services whose clients choose among what lies in the service's own directories, started and
# stopped: extensions of a database, error pages in a language, a mail server's helpers, modules of
# an interpreter that is a library. Nothing in a configuration names them, and no start reads them.
#
# More: what foresight.bats and foreseen-daemons.bats show on small servers and others.

load whole-life

story_foreseen-postgresql()
{
	load foreseen
	local bin psql

	bin=$(echo /usr/lib/postgresql/*/bin)
	psql="psql -X -At -U postgres -h 127.0.0.1 -p 18447 postgres"
	PORTS=(18447)
	ACCOUNT=postgres
	COMMAND=("$bin/postgres" -D "$HERE/data")

	point procedure "$psql -c 'do language plpgsql \$\$ begin raise notice \$a\$one of them\$a\$; end \$\$' 2>&1"
	point extension "$psql -c 'create extension hstore' -c \"select hstore('a', 'b') -> 'a'\" -c 'drop extension hstore'"
	point conversion "$psql -c \"select convert('\\x70617472c3ad'::bytea, 'UTF8', 'LATIN2')\" -c \"select convert('\\xd0b8'::bytea, 'UTF8', 'KOI8R')\""
	point search "$psql -c \"select to_tsvector('german', 'die singenden Vögel')\""
	point zones "$psql -c \"select to_char(timestamptz 'epoch' at time zone 'Asia/Tokyo', 'HH24:MI')\" -c \"set timezone_abbreviations = 'India'\" -c \"select '2001-05-01 12:00 IST'::timestamptz at time zone 'UTC'\""
	point module "$psql -c \"load 'auto_explain'\" -c 'show auto_explain.log_format'"
	point refused "$psql -c \"create extension nosuchbird\" 2>&1 | grep -c 'is not available'"
}

fixture_foreseen-postgresql()
{
	local bin

	bin=$(echo /usr/lib/postgresql/*/bin)
	make_tools
	install -d -o postgres -g postgres "$HERE"/{data,run}
	runuser -u postgres -- "$bin/initdb" -D "$HERE/data" -A trust --no-sync -E UTF8 \
		--locale=C.UTF-8 >/dev/null
	cat >>"$HERE/data/postgresql.conf" <<-CONF
		listen_addresses = '127.0.0.1'
		port = 18447
		unix_socket_directories = '$HERE/run'
		shared_buffers = 16MB
		timezone = 'UTC'
	CONF
}

story_foreseen-dovecot()
{
	load foreseen
	local imap="curl -sS -k -u immure-check:canary" url=imap://127.0.0.1:18448

	PORTS=(18448 18449)
	COMMAND=(/usr/sbin/dovecot -F -c "$HERE/dovecot.conf")

	point create "$imap $url/ -X 'CREATE Seed'; $imap $url/"
	point append "$imap $url/Seed -T $HERE/mail && $imap '$url/Seed;MAILINDEX=1'"
	point search "$imap '$url/Seed' -X 'SEARCH TEXT canary'"
	point tls "$imap --ssl-reqd $url/ -X 'STATUS Seed (MESSAGES)'; $imap imaps://127.0.0.1:18449/ -X 'STATUS Seed (MESSAGES)'"
	point delete "$imap $url/ -X 'DELETE Seed'; $imap $url/"
	point refused "curl -sS -u immure-check:wrong $url/ 2>&1; test \$? -eq 67"
}

fixture_foreseen-dovecot()
{
	need_user
	make_tools
	make_certificate
	mkdir -p "$HERE/run" "$HERE/log"
	printf 'Subject: seed\r\nFrom: canary@cage.test\r\n\r\nAll is well with the canary.\r\n' >"$HERE/mail"
	cat >"$HERE/dovecot.conf" <<-CONF
		protocols = imap
		base_dir = $HERE/run
		log_path = $HERE/log/dovecot.log
		listen = 127.0.0.1
		mail_location = maildir:~/Maildir
		ssl_cert = <$HERE/tls.crt
		ssl_key = <$HERE/tls.key
		ssl_dh = </usr/share/dovecot/dh.pem
		passdb {
		  driver = pam
		}
		userdb {
		  driver = passwd
		}
		service imap-login {
		  inet_listener imap {
		    port = 18448
		  }
		  inet_listener imaps {
		    port = 18449
		  }
		}
	CONF
}

clean_up_foreseen-dovecot() { rm -rf /home/immure-check/Maildir; }

story_foreseen-squid()
{
	load foreseen
	local proxy="curl -s -x http://127.0.0.1:18450"
	local text="| grep -v -e GMT -e '^<style'"

	PORTS=(18450)
	COMMAND=(/usr/sbin/squid --foreground -f "$HERE/squid.conf")

	point denied "$proxy http://127.0.0.1:18451/ $text"
	point in-german "$proxy -H 'Accept-Language: de' http://127.0.0.1:18451/ $text"
	point in-czech "$proxy -i -H 'Accept-Language: cs' http://127.0.0.1:18452/ | grep -i -e '^HTTP' -e '^content-language'"
	point icon "$proxy -o /dev/null -w '%{http_code} %{content_type}\n' http://cage:18450/squid-internal-static/icons/SN.png"
}

fixture_foreseen-squid()
{
	make_tools
	install -d -o proxy -g proxy "$HERE/run" "$HERE/cache" "$HERE/log"
	cat >"$HERE/squid.conf" <<-CONF
		http_port 127.0.0.1:18450
		visible_hostname cage
		pid_filename $HERE/run/squid.pid
		coredump_dir $HERE/cache
		cache_log $HERE/log/cache.log
		access_log stdio:$HERE/log/access.log
		acl safe port 18452
		http_access allow safe
		http_access deny all
		pinger_enable off
		shutdown_lifetime 1 seconds
	CONF
}

story_foreseen-mod-perl()
{
	load foreseen
	PORTS=(18453)
	COMMAND=(/usr/sbin/apache2 -D FOREGROUND -f "$HERE/apache2.conf")

	point registry "curl -sf http://127.0.0.1:18453/perl/bird.pl"
	point status "curl -sf http://127.0.0.1:18453/perl-status | grep -c -i perl"
	point handler "curl -sf http://127.0.0.1:18453/sing"
}

fixture_foreseen-mod-perl()
{
	local modules=/usr/lib/apache2/modules

	[[ -e $modules/mod_perl.so ]] || skip "libapache2-mod-perl2 is not installed"
	make_tools
	mkdir -p "$HERE"/{perl,lib/Cage,log}
	printf '%s\n' 'use strict; use List::Util "sum"; use POSIX ();' \
		'print "Content-Type: text/plain\n\n", sum(1 .. 100), " ", POSIX::floor(2.5), "\n";' >"$HERE/perl/bird.pl"
	printf '%s\n' 'package Cage::Song; use strict; use Apache2::RequestRec (); use Apache2::RequestIO ();' \
		'use Apache2::Const -compile => "OK"; use Text::Wrap;' \
		'sub handler { my $r = shift; $r->content_type("text/plain"); print wrap("", "", "tweet"), "\n"; Apache2::Const::OK } 1' >"$HERE/lib/Cage/Song.pm"
	cat >"$HERE/apache2.conf" <<-CONF
		ServerRoot $HERE
		ServerName 127.0.0.1
		Listen 127.0.0.1:18453
		User www-data
		Group www-data
		PidFile $HERE/log/apache2.pid
		ErrorLog $HERE/log/error.log
		LoadModule mpm_prefork_module $modules/mod_mpm_prefork.so
		LoadModule authz_core_module $modules/mod_authz_core.so
		LoadModule alias_module $modules/mod_alias.so
		LoadModule perl_module $modules/mod_perl.so
		DocumentRoot $HERE/perl
		PerlSwitches -I$HERE/lib
		Alias /perl/ $HERE/perl/
		<Location /perl/>
		  SetHandler perl-script
		  PerlResponseHandler ModPerl::Registry
		  PerlOptions +ParseHeaders
		  Options +ExecCGI
		</Location>
		<Location /perl-status>
		  SetHandler perl-script
		  PerlResponseHandler Apache2::Status
		</Location>
		<Location /sing>
		  SetHandler modperl
		  PerlResponseHandler Cage::Song
		</Location>
	CONF
	chmod 755 "$HERE/perl/bird.pl"
}

@test "foreseen-postgresql: a session without exercise" { foreseen_life; }
@test "foreseen-dovecot: a session without exercise" { foreseen_life; }
@test "foreseen-squid: a session without exercise" { foreseen_life; }
@test "foreseen-mod-perl: a session without exercise" { foreseen_life; }
