#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Services picked from Debian's archive before anybody here had tried one (doc/SERVICES.md). Each has
# a function that says what its story is; the test takes it from build to removal.
#
# More: ten services, with their packages.

load whole-life

story_dnsmasq()
{
	PORTS=(18201)
	COMMAND=(/usr/sbin/dnsmasq -k -C "$HERE/dnsmasq.conf")
	local dig="dig -p 18201 @127.0.0.1 +noall"
	STEPS=(
		"$dig +answer www.cage.test A www.cage.test AAAA"
		"$dig +answer -x 192.0.2.2"
		"$dig +answer cage.test TXT cage.test MX _sip._tcp.cage.test SRV"
		"$dig +comments nobody.cage.test | grep -o 'status: [A-Z]*'"
		"$dig +answer +tcp alias.cage.test"
		"echo 192.0.2.9 late.cage.test >$HERE/hosts.d/late; for n in \$(seq 100); do $dig +answer late.cage.test | grep A && break; sleep 0.05; done; rm $HERE/hosts.d/late"
		"sed -i s/192.0.2.3/192.0.2.4/ $HERE/hosts; kill -HUP \$IMMURE_PID; sleep 0.3; $dig +answer mail.cage.test; sed -i s/192.0.2.4/192.0.2.3/ $HERE/hosts"
	)
}

fixture_dnsmasq()
{
	mkdir -p "$HERE"/{hosts.d,conf.d,run}
	cat >"$HERE/hosts" <<-'HOSTS'
		192.0.2.2 www.cage.test
		192.0.2.3 mail.cage.test
		2001:db8::2 www.cage.test
	HOSTS
	echo 'txt-record=cage.test,"a canary lives here"' >"$HERE/conf.d/text"
	cat >"$HERE/dnsmasq.conf" <<-CONF
		port=18201
		listen-address=127.0.0.1
		bind-interfaces
		no-resolv
		no-hosts
		addn-hosts=$HERE/hosts
		hostsdir=$HERE/hosts.d
		conf-dir=$HERE/conf.d
		local=/cage.test/
		mx-host=cage.test,mail.cage.test,10
		srv-host=_sip._tcp.cage.test,www.cage.test,5060
		cname=alias.cage.test,www.cage.test
		pid-file=$HERE/run/dnsmasq.pid
	CONF
}

story_lighttpd()
{
	PORTS=(18202)
	COMMAND=(/usr/sbin/lighttpd -D -f "$HERE/lighttpd.conf")
	local url=http://127.0.0.1:18202
	STEPS=(
		"curl -sSi $url/ | grep -v -i ^date:"
		"curl -sSi -r 3-8 $url/page.html | grep -v -i ^date:"
		"curl -sS --compressed $url/long.txt | md5sum"
		"curl -sS $url/files/"
		"curl -sS $url/sum.py?20"
		"curl -sS -d 'sent by a client' $url/who.cgi"
		"curl -sSi $url/none | grep -v -i ^date:"
		"curl -sS -o /dev/null -w '%{http_code}\n' $url/closed/secret.txt"
		"curl -sS -u bird:canary $url/closed/secret.txt"
	)
}

fixture_lighttpd()
{
	mkdir -p "$HERE"/web/{files,closed} "$HERE/log" "$HERE/run" "$HERE/cache"
	echo '<p>canary</p>' >"$HERE/web/page.html"
	echo '<h1>cage</h1>' >"$HERE/web/index.html"
	seq 10000 >"$HERE/web/long.txt"
	echo one >"$HERE/web/files/one.txt"
	echo two >"$HERE/web/files/two.conf"
	echo hidden >"$HERE/web/closed/secret.txt"
	echo bird:canary >"$HERE/users"
	cat >"$HERE/web/sum.py" <<-'PYTHON'
		#!/usr/bin/python3
		import os, decimal
		print("Content-Type: text/plain\n")
		print(sum(decimal.Decimal(n) for n in range(int(os.environ["QUERY_STRING"]))))
	PYTHON
	cat >"$HERE/web/who.cgi" <<-'SHELL'
		#!/bin/sh
		printf 'Content-Type: text/plain\n\n'
		id -un
		tr a-z A-Z
	SHELL
	chmod 755 "$HERE"/web/*.{py,cgi}
	find "$HERE/web" -depth -exec touch -d '2001-05-01 12:00 UTC' {} +
	chown www-data "$HERE"/{log,run,cache}
	cat >"$HERE/lighttpd.conf" <<-CONF
		server.modules = ( "mod_auth", "mod_authn_file", "mod_access", "mod_accesslog", "mod_cgi",
		                   "mod_deflate", "mod_dirlisting" )
		server.port = 18202
		server.bind = "127.0.0.1"
		server.username = "www-data"
		server.groupname = "www-data"
		server.document-root = "$HERE/web"
		server.errorlog = "$HERE/log/error.log"
		server.pid-file = "$HERE/run/lighttpd.pid"
		accesslog.filename = "$HERE/log/access.log"
		index-file.names = ( "index.html" )
		dir-listing.activate = "enable"
		include_shell "/usr/share/lighttpd/create-mime.conf.pl"
		cgi.assign = ( ".py" => "/usr/bin/python3", ".cgi" => "/bin/sh" )
		deflate.mimetypes = ( "text/plain" )
		deflate.cache-dir = "$HERE/cache"
		deflate.allowed-encodings = ( "gzip" )
		auth.backend = "plain"
		auth.backend.plain.userfile = "$HERE/users"
		auth.require = ( "/closed/" => ( "method" => "basic", "realm" => "cage",
		                                 "require" => "valid-user" ) )
	CONF
}

story_memcached()
{
	PORTS=(18203)
	ACCOUNT=memcache
	COMMAND=(/usr/bin/memcached -p 18203 -l 127.0.0.1 -U 0 -m 32)
	local nc="nc -N 127.0.0.1 18203"
	STEPS=(
		"printf 'flush_all\r\nset bird 0 0 6\r\ncanary\r\nget bird\r\nquit\r\n' | $nc"
		"printf 'set n 0 0 1\r\n7\r\nincr n 5\r\ndecr n 2\r\nadd n 0 0 1\r\n1\r\nquit\r\n' | $nc"
		"printf 'append bird 0 0 1\r\n!\r\nget bird n none\r\ndelete n\r\nget n\r\nquit\r\n' | $nc"
		"head -c 900000 /dev/zero | tr '\0' x | (printf 'set big 0 0 900000\r\n'; cat; printf '\r\nget big\r\nquit\r\n') | $nc | md5sum"
		"printf 'stats\r\nquit\r\n' | $nc | grep -e curr_items -e version -e limit_maxbytes -e threads"
	)
}

fixture_memcached() { :; }

story_mosquitto()
{
	PORTS=(18204)
	COMMAND=(/usr/sbin/mosquitto -c "$HERE/mosquitto.conf")
	local at="-h 127.0.0.1 -p 18204 -u bird -P canary"
	STEPS=(
		"mosquitto_pub $at -t cage/kept -m 'still here' -r -q 1"
		"mosquitto_sub $at -t 'cage/#' -C 1 -W 5 -v"
		"(mosquitto_sub $at -t cage/live -C 2 -W 10 & sleep 0.5; mosquitto_pub $at -t cage/live -m first -q 2; mosquitto_pub $at -t cage/live -m second; wait)"
		"mosquitto_pub -h 127.0.0.1 -p 18204 -u bird -P wrong -t cage/x -m no 2>&1 || echo refused"
		"mosquitto_pub $at -V 5 -t closed/x -m no -q 1 2>&1"
		"echo 'topic readwrite closed/#' >>$HERE/acl; kill -HUP \$IMMURE_PID; sleep 0.3; mosquitto_pub $at -V 5 -t closed/x -m yes -q 1 2>&1; sed -i '\$d' $HERE/acl; kill -HUP \$IMMURE_PID; sleep 0.3"
		"kill -USR1 \$IMMURE_PID; sleep 0.5; strings \$IMMURE_ROOT$HERE/lib/mosquitto.db | grep -o 'still here'"
		"mosquitto_pub $at -t cage/kept -n -r"
	)
}

fixture_mosquitto()
{
	mkdir -p "$HERE"/{lib,log}
	mosquitto_passwd -c -b "$HERE/passwords" bird canary
	printf 'user bird\ntopic readwrite cage/#\n' >"$HERE/acl"
	chown -R mosquitto: "$HERE"/{lib,log,passwords,acl}
	cat >"$HERE/mosquitto.conf" <<-CONF
		listener 18204 127.0.0.1
		allow_anonymous false
		password_file $HERE/passwords
		acl_file $HERE/acl
		persistence true
		persistence_location $HERE/lib/
		log_dest file $HERE/log/mosquitto.log
	CONF
}

story_dovecot()
{
	PORTS=(18205 18206)
	COMMAND=(/usr/sbin/dovecot -F -c "$HERE/dovecot.conf")
	local imap="curl -sS -k -u immure-check:canary" url=imap://127.0.0.1:18205
	STEPS=(
		"$imap $url/ -X 'CREATE Seed'; $imap $url/"
		"$imap $url/Seed -T $HERE/mail"
		"$imap '$url/Seed;MAILINDEX=1'"
		"$imap '$url/Seed' -X 'SEARCH TEXT canary'"
		# A step that only looks at the disk is refused: whatever it shows, nobody was asked.
		"$imap '$url/Seed' -X 'FETCH 1 (FLAGS BODYSTRUCTURE)'; find \$IMMURE_ROOT/home/immure-check/Maildir/.Seed -type f -name '*mail.*' -exec stat -c '%U:%G %a' {} +; true"
		"$imap --ssl-reqd $url/ -X 'STATUS Seed (MESSAGES)'"
		"$imap imaps://127.0.0.1:18206/ -X 'STATUS Seed (MESSAGES)'"
		"$imap $url/ -X 'DELETE Seed'; $imap $url/"
		"curl -sS -u immure-check:wrong $url/ 2>&1; test \$? -eq 67"
		"doveadm -c $HERE/dovecot.conf user immure-check"
	)
}

fixture_dovecot()
{
	need_user
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
		    port = 18205
		  }
		  inet_listener imaps {
		    port = 18206
		  }
		}
	CONF
}

clean_up_dovecot() { rm -rf /home/immure-check/Maildir; }

story_slapd()
{
	PORTS=(18207)
	local uri="ldapi://${HERE//\//%2F}%2Frun%2Fldapi"
	COMMAND=(/usr/sbin/slapd -d 0 -u openldap -g openldap -F "$HERE/slapd.d" -h "ldap://127.0.0.1:18207 $uri")
	local at="-x -H ldap://127.0.0.1:18207 -D cn=admin,dc=cage,dc=test -w canary"
	STEPS=(
		"ldapadd $at -f $HERE/seed.ldif"
		"ldapsearch -x -LLL -H ldap://127.0.0.1:18207 -b dc=cage,dc=test '(cn=Tweety*)' cn sn mail"
		"printf 'dn: cn=Tweety Bird,dc=cage,dc=test\nchangetype: modify\nreplace: mail\nmail: new@cage.test\n' | ldapmodify $at"
		"ldappasswd $at -s seed 'cn=Tweety Bird,dc=cage,dc=test'"
		"ldapwhoami -x -H ldap://127.0.0.1:18207 -D 'cn=Tweety Bird,dc=cage,dc=test' -w seed"
		"ldapwhoami -x -H ldap://127.0.0.1:18207 -D 'cn=Tweety Bird,dc=cage,dc=test' -w wrong 2>&1 || test \$? -eq 49"
		"ldapsearch -LLL -Q -Y EXTERNAL -H $uri -b cn=config '(objectClass=olcDatabaseConfig)' dn"
		"ldapdelete $at 'cn=Tweety Bird,dc=cage,dc=test' dc=cage,dc=test"
		"ldapsearch $at -b dc=cage,dc=test 2>&1 | grep ^result"
	)
}

fixture_slapd()
{
	mkdir -p "$HERE"/{slapd.d,db,run}
	cat >"$HERE/slapd.conf" <<-CONF
		include /etc/ldap/schema/core.schema
		include /etc/ldap/schema/cosine.schema
		include /etc/ldap/schema/inetorgperson.schema
		pidfile $HERE/run/slapd.pid
		modulepath /usr/lib/ldap
		moduleload back_mdb
		database config
		access to * by dn.exact=gidNumber=0+uidNumber=0,cn=peercred,cn=external,cn=auth manage
		database mdb
		suffix dc=cage,dc=test
		rootdn cn=admin,dc=cage,dc=test
		rootpw canary
		directory $HERE/db
		index objectClass,cn eq
	CONF
	cat >"$HERE/seed.ldif" <<-'LDIF'
		dn: dc=cage,dc=test
		objectClass: dcObject
		objectClass: organization
		o: Cage
		dc: cage

		dn: cn=Tweety Bird,dc=cage,dc=test
		objectClass: inetOrgPerson
		cn: Tweety Bird
		sn: Bird
		mail: tweety@cage.test
	LDIF
	# An empty database, or slaptest complains.
	slapadd -f "$HERE/slapd.conf" -b dc=cage,dc=test </dev/null
	slaptest -f "$HERE/slapd.conf" -F "$HERE/slapd.d" >/dev/null 2>&1
	chown -R openldap: "$HERE"/{slapd.d,db,run}
}

story_mariadb()
{
	PORTS=(18208)
	ACCOUNT=mysql
	COMMAND=(/usr/sbin/mariadbd --defaults-file="$HERE/my.cnf")
	local sql="mariadb --no-defaults -t -S \$IMMURE_ROOT$HERE/run/mariadb.sock -u root"
	STEPS=(
		"$sql -e 'create database cage; create table cage.bird (id int primary key, name text) engine=innodb'"
		"$sql cage -e \"insert into bird values (1,'canary'),(2,'finch'); select * from bird order by id\""
		"$sql cage -e \"start transaction; delete from bird; rollback; select count(*) from bird\""
		"$sql cage -e \"create table old (n int) engine=myisam; insert into old select seq from seq_1_to_100; select sum(n) from old\""
		"$sql cage -e \"create procedure p() select upper(name) from bird order by 1; call p(); select sha1('canary'), convert_tz('2001-05-01 12:00','+00:00','+02:00')\""
		"$sql -e \"grant all on cage.* to bird@'%' identified by 'canary'\""
		"mariadb --no-defaults -h 127.0.0.1 -P 18208 -u bird -pcanary cage -e 'show tables'"
		"mariadb --no-defaults -h 127.0.0.1 -P 18208 -u bird -pwrong cage -e 'show tables' 2>&1 || echo refused"
		"mariadb-dump --no-defaults --skip-dump-date -S \$IMMURE_ROOT$HERE/run/mariadb.sock cage | grep -v ^-- | md5sum"
		"$sql -e \"drop database cage; drop user bird@'%'; show databases\""
	)
}

fixture_mariadb()
{
	mkdir -p "$HERE"/{db,run,log}
	chown mysql: "$HERE"/{db,run,log}
	cat >"$HERE/my.cnf" <<-CONF
		[mariadbd]
		port = 18208
		bind-address = 127.0.0.1
		datadir = $HERE/db
		socket = $HERE/run/mariadb.sock
		pid-file = $HERE/run/mariadb.pid
		log-error = $HERE/log/error.log
		innodb-buffer-pool-size = 16M
		innodb-log-file-size = 8M
	CONF
	mariadb-install-db --defaults-file="$HERE/my.cnf" --user=mysql --auth-root-authentication-method=normal --skip-test-db >/dev/null
}

story_samba()
{
	PORTS=(18209)
	COMMAND=(/usr/sbin/smbd --foreground --no-process-group -s "$HERE/smb.conf")
	local smb="smbclient -s /dev/null -p 18209 -U immure-check%canary //127.0.0.1/cage"
	STEPS=(
		"$smb -c 'ls' | grep notes"
		"$smb -c 'get notes.txt -'"
		"$smb -c 'mkdir new; cd new; put $HERE/notes.txt sent.txt; allinfo sent.txt' 2>&1 | grep -e putting -e altname -e stream | sed 's/(.*//'
			cat \$IMMURE_ROOT$HERE/share/new/sent.txt; stat -c '%U %a' \$IMMURE_ROOT$HERE/share/new/sent.txt"
		"$smb -c 'rename new/sent.txt moved.txt; del moved.txt; rmdir new; ls' | grep -c notes"
		"smbclient -s /dev/null -p 18209 -U immure-check%wrong //127.0.0.1/cage -c ls 2>&1 || echo refused"
		# Its RPC helper starts with the first question; on a busy machine the client does not wait for it.
		"for i in 1 2 3; do smbclient -s /dev/null -p 18209 -U immure-check%canary -L 127.0.0.1 2>&1 | grep -e Disk -e IPC && break; done"
		"smbclient -s /dev/null -p 18209 -N //127.0.0.1/open -c 'get notes.txt -'"
	)
}

fixture_samba()
{
	need_user
	mkdir -p "$HERE"/{share,open,lib}
	echo 'written long ago' | tee "$HERE/notes.txt" "$HERE/share/notes.txt" >"$HERE/open/notes.txt"
	chown immure-check: "$HERE/share"
	find "$HERE" -name notes.txt -exec touch -d '2001-05-01 12:00 UTC' {} +
	touch -d '2001-05-01 12:00 UTC' "$HERE/share"
	cat >"$HERE/smb.conf" <<-CONF
		[global]
		  workgroup = CAGE
		  netbios name = CAGE
		  smb ports = 18209
		  interfaces = 127.0.0.1/8
		  bind interfaces only = yes
		  disable netbios = yes
		  disable spoolss = yes
		  passdb backend = tdbsam:$HERE/lib/passdb.tdb
		  map to guest = Bad User
		  store dos attributes = no
		[cage]
		  path = $HERE/share
		  read only = no
		  valid users = immure-check
		[open]
		  path = $HERE/open
		  guest ok = yes
	CONF
	printf 'canary\ncanary\n' | smbpasswd -c "$HERE/smb.conf" -s -a immure-check >/dev/null
}

# Helpers that smbd started go on for a while after it has ended.
clean_up_samba()
{
	local pid

	for pid in $(pgrep -f -- "--configfile=$HERE/smb.conf"); do kill "$pid" 2>/dev/null || true; done
}

story_varnish()
{
	PORTS=(18210 18211)
	COMMAND=(/usr/sbin/varnishd -F -a 127.0.0.1:18210 -T 127.0.0.1:18211 -f "$HERE/cage.vcl"
		-S "$HERE/secret" -s "malloc,32m" -n "$HERE/work")
	local origin="$BATS_TEST_DIRNAME/with-origin 18212 $HERE/web" url=http://127.0.0.1:18210
	local adm="varnishadm -T 127.0.0.1:18211 -S $HERE/secret"
	STEPS=(
		"$origin curl -sS -D- $url/page.html | grep -v -i -e ^date: -e ^age: -e ^x-varnish: -e ^server:"
		"curl -sS -D- $url/page.html | grep -v -i -e ^date: -e ^age: -e ^x-varnish: -e ^server:"
		"curl -sS $url/alive | grep -v XID:"
		"$adm ban 'req.url ~ page'; $origin curl -sS -D- -o /dev/null $url/page.html | grep ^X-Cage"
		"$adm 'vcl.inline extra \"vcl 4.1; backend default none; sub vcl_recv { return (synth(418)); }\"' && $adm vcl.use extra; curl -sS -o /dev/null -w '%{http_code}\n' $url/; $adm vcl.use boot; $adm vcl.discard extra"
		"$adm status"
	)
}

fixture_varnish()
{
	mkdir -p "$HERE/web"
	echo 'from the origin' >"$HERE/web/page.html"
	touch -d '2001-05-01 12:00 UTC' "$HERE/web/page.html"
	echo canary >"$HERE/secret"
	cat >"$HERE/cage.vcl" <<-'VCL'
		vcl 4.1;
		import std;
		backend default { .host = "127.0.0.1"; .port = "18212"; }
		sub vcl_recv { if (req.url == "/alive") { return (synth(200, std.toupper("alive"))); } }
		sub vcl_backend_response { set beresp.ttl = 1h; }
		sub vcl_deliver {
			if (obj.hits > 0) { set resp.http.X-Cage = "hit"; } else { set resp.http.X-Cage = "miss"; }
		}
	VCL
}

story_ngircd()
{
	PORTS=(18213)
	COMMAND=(/usr/sbin/ngircd -n -f "$HERE/ngircd.conf")
	local nc="nc -N -w 5 127.0.0.1 18213" seen="tr -d '\\r' | grep -v -e ' 002 ' -e ' 003 ' -e ' 004 ' -e ' 25[0-9] ' -e ' 26[0-9] ' -e PING"
	STEPS=(
		"(printf 'NICK bird\r\nUSER bird 0 * :Tweety\r\n'; sleep 0.5; printf 'JOIN #cage\r\nTOPIC #cage :seed\r\nNAMES #cage\r\nQUIT :gone\r\n'; sleep 0.5) | $nc | $seen"
		"{ (printf 'NICK bird\r\nUSER bird 0 * :Tweety\r\nJOIN #cage\r\n'; sleep 2; printf 'QUIT\r\n'; sleep 0.3) | $nc | $seen | grep PRIVMSG; } & sleep 0.7; (printf 'NICK cat\r\nUSER cat 0 * :Sylvester\r\nJOIN #cage\r\nPRIVMSG #cage :I see you\r\n'; sleep 0.7; printf 'QUIT\r\n') | $nc >/dev/null; wait"
		"(printf 'NICK cat\r\nUSER cat 0 * :Sylvester\r\n'; sleep 0.5; printf 'OPER root canary\r\nQUIT\r\n'; sleep 0.5) | $nc | $seen"
		"kill -HUP \$IMMURE_PID; sleep 0.5; (printf 'NICK late\r\nUSER late 0 * :Late\r\n'; sleep 0.5; printf 'QUIT\r\n') | $nc | $seen | grep ' 00'"
	)
}

fixture_ngircd()
{
	mkdir -p "$HERE/empty" "$HERE/run"
	chown irc: "$HERE/run"
	echo 'a cage for birds' >"$HERE/motd"
	cat >"$HERE/ngircd.conf" <<-CONF
		[Global]
		  Name = irc.cage.test
		  AdminInfo1 = canary
		  Info = Cage
		  Listen = 127.0.0.1
		  Ports = 18213
		  MotdFile = $HERE/motd
		  ServerUID = irc
		  ServerGID = irc
		  PidFile = $HERE/run/ngircd.pid
		[Limits]
		  ConnectRetry = 60
		[Options]
		  ChrootDir = $HERE/empty
		  DNS = no
		  Ident = no
		  PAM = no
		  SyslogFacility = local1
		[Operator]
		  Name = root
		  Password = canary
	CONF
}

@test "dnsmasq: grown, proved, run, removed" { whole_life; }
@test "lighttpd: grown, proved, run, removed" { whole_life; }
@test "memcached: grown, proved, run, removed" { whole_life; }
@test "mosquitto: grown, proved, run, removed" { whole_life; }
@test "dovecot: grown, proved, run, removed" { whole_life; }
@test "slapd: grown, proved, run, removed" { whole_life; }
@test "mariadb: grown, proved, run, removed" { whole_life; }
@test "samba: grown, proved, run, removed" { whole_life; }
@test "varnish: grown, proved, run, removed" { whole_life; }
@test "ngircd: grown, proved, run, removed" { whole_life; }
