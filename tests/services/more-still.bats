#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Ten more services picked before they were tried (doc/SERVICES.md), of kinds that more.bats lacks.
#
# More: ten services, with their packages.

load whole-life

story_knot()
{
	PORTS=(18301)
	COMMAND=(/usr/sbin/knotd -c "$HERE/knot.conf")
	local dig="kdig -p 18301 @127.0.0.1 +noall +answer"
	local knotc="knotc -s \$IMMURE_ROOT$HERE/run/knot.sock"
	# Keys are new in each world: signatures are counted, not shown.
	STEPS=(
		"$dig www.cage.test A www.cage.test AAAA"
		"$dig +dnssec www.cage.test A | grep -c RRSIG"
		"$dig cage.test DNSKEY | grep -c 'DNSKEY.*257 3 13'"
		"kdig -p 18301 @127.0.0.1 +tcp +noall +header nobody.cage.test | grep -o 'status: [A-Z]*'"
		"printf 'server 127.0.0.1 18301\nzone cage.test\nupdate add new.cage.test 60 A 192.0.2.9\nsend\n' | knsupdate"
		"$dig new.cage.test"
		"$knotc zone-begin cage.test && $knotc zone-set cage.test by-hand 60 TXT canary && $knotc zone-commit cage.test"
		"$dig by-hand.cage.test TXT"
		"$dig cage.test AXFR | grep -c -e ' A ' -e '	A	'"
		"$knotc reload; $knotc zone-status cage.test +role"
		"printf 'server 127.0.0.1 18301\nzone cage.test\nupdate del new.cage.test\nupdate del by-hand.cage.test\nsend\n' | knsupdate"
	)
}

fixture_knot()
{
	mkdir -p "$HERE"/{run,db,zones}
	cat >"$HERE/zones/cage.test.zone" <<-'ZONE'
		$TTL 3600
		@    SOA  ns.cage.test. hostmaster.cage.test. 1 3600 600 86400 60
		     NS   ns
		ns   A    192.0.2.1
		www  A    192.0.2.2
		     AAAA 2001:db8::2
	ZONE
	cat >"$HERE/knot.conf" <<-CONF
		server:
		    rundir: "$HERE/run"
		    user: knot:knot
		    listen: 127.0.0.1@18301
		log:
		  - target: stderr
		    any: info
		database:
		    storage: "$HERE/db"
		acl:
		  - id: local
		    address: 127.0.0.1
		    action: [transfer, update]
		template:
		  - id: default
		    storage: "$HERE/zones"
		    file: "%s.zone"
		zone:
		  - domain: cage.test
		    dnssec-signing: on
		    acl: local
	CONF
	chown -R knot: "$HERE"/{run,db,zones}
}

story_prosody()
{
	PORTS=(18302)
	ACCOUNT=prosody
	COMMAND=(/usr/bin/prosody -F --config "$HERE/prosody.cfg.lua")
	STEPS=(
		"python3 $HERE/client.py bird canary"
		"python3 $HERE/client.py bird wrong"
		"python3 $HERE/client.py cat canary; find \$IMMURE_ROOT$HERE/data -name '*.dat' -exec stat -c '%U %a' {} + | sort | uniq"
	)
}

fixture_prosody()
{
	mkdir -p "$HERE"/{data,run,log}
	make_certificate
	cat >"$HERE/prosody.cfg.lua" <<-CONF
		pidfile = "$HERE/run/prosody.pid"
		data_path = "$HERE/data"
		c2s_ports = { 18302 }
		c2s_interfaces = { "127.0.0.1" }
		c2s_require_encryption = false
		allow_unencrypted_plain_auth = true
		modules_disabled = { "s2s" }
		modules_enabled = { "roster", "saslauth", "tls", "disco", "private", "vcard4", "vcard_legacy", "version", "ping", "offline" }
		authentication = "internal_hashed"
		log = { info = "$HERE/log/prosody.log" }
		ssl = { certificate = "$HERE/tls.crt", key = "$HERE/tls.key" }
		VirtualHost "cage.test"
	CONF
	chown -R prosody: "$HERE"
	prosodyctl --config "$HERE/prosody.cfg.lua" register bird cage.test canary >/dev/null
	prosodyctl --config "$HERE/prosody.cfg.lua" register cat cage.test canary >/dev/null
	cat >"$HERE/client.py" <<-'PYTHON'
		# An XMPP session: log in, bind, ask for the version, leave a message for the other bird.
		import base64, re, socket, sys
		user, password = sys.argv[1:]
		s = socket.create_connection(("127.0.0.1", 18302), 5)
		def say(text, until):
		    s.sendall(text.encode())
		    seen = ""
		    while not re.search(until, seen):
		        more = s.recv(65536).decode()
		        if not more:
		            break
		        seen += more
		    seen = re.sub(r" (id='[0-9a-f-]{36}'|stamp='[^']*')", "", seen)
		    # The order of attributes and features is another each time.
		    tags = [" ".join(sorted(re.findall(r"[^\s='<]+='[^']*'|^[^\s>]+", tag))) for tag in re.findall(r"<([^>]*)>", seen)]
		    print("\n".join(sorted(tags)), *sorted(re.findall(r">([^<]+)<", seen)))
		    return seen
		head = "<stream:stream to='cage.test' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>"
		say("<?xml version='1.0'?>" + head, "</stream:features>")
		plain = base64.b64encode(f"\0{user}\0{password}".encode()).decode()
		if "<success" in say(f"<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{plain}</auth>", "<success|</failure>"):
		    say(head, "</stream:features>")
		    say("<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>r</resource></bind></iq>", "</iq>")
		    say("<iq type='get' id='v' to='cage.test'><query xmlns='jabber:iq:version'/></iq>", "</iq>")
		    if user == "bird":
		        s.sendall(b"<message to='cat@cage.test' type='chat'><body>I saw you</body></message>")
		        say("<iq type='set' id='p'><query xmlns='jabber:iq:private'><n xmlns='seed:notes'>seed</n></query></iq>", "<iq.*id='p'.*>")
		        say("<iq type='get' id='g'><query xmlns='jabber:iq:private'><n xmlns='seed:notes'/></query></iq>", "</iq>")
		    else:
		        say("<presence/>", "</message>")
		s.sendall(b"</stream:stream>")
	PYTHON
}

story_freeradius()
{
	COMMAND=(/usr/sbin/freeradius -f -d "$HERE/raddb")
	local ask="radclient -x -r 1 -t 5 127.0.0.1:18304 auth testing123"
	STEPS=(
		"printf 'User-Name = bird\nUser-Password = canary\n' | $ask 2>&1 | grep -e Reply-Message -o -e Access-Accept -e Framed-IP-Address.*"
		"printf 'User-Name = bird\nCHAP-Password = canary\n' | $ask 2>&1 | grep -o -e Access-Accept -e Framed-IP-Address.*"
		"printf 'User-Name = bird\nUser-Password = wrong\n' | $ask 2>&1 | grep -o Access-Reject | uniq"
		"printf 'User-Name = bird\nAcct-Status-Type = Start\nAcct-Session-Id = 1\nNAS-IP-Address = 127.0.0.1\nNAS-Port = 1\n' | radclient -x -r 1 -t 5 127.0.0.1:18305 acct testing123 2>&1 | grep -o Accounting-Response; find \$IMMURE_ROOT$HERE/log/radacct -type f -exec grep -h User-Name {} +"
		"sed -i s/canary/finch/ $HERE/raddb/mods-config/files/authorize; kill -HUP \$IMMURE_PID; sleep 1; printf 'User-Name = bird\nUser-Password = finch\n' | $ask 2>&1 | grep -o Access-Accept; sed -i s/finch/canary/ $HERE/raddb/mods-config/files/authorize; rm -rf \$IMMURE_ROOT$HERE/log/radacct/*"
	)
}

ready_freeradius() { ss -Hlun 'sport = :18304' | grep -q . && ss -Hlun 'sport = :18305' | grep -q .; }

fixture_freeradius()
{
	cp -a /etc/freeradius/3.0 "$HERE/raddb"
	mkdir -p "$HERE"/{log/radacct,run}
	printf 'bird Cleartext-Password := "canary"\n\tFramed-IP-Address = 192.0.2.7\n' \
		>"$HERE/raddb/mods-config/files/authorize"
	rm "$HERE"/raddb/sites-enabled/* "$HERE/raddb/mods-enabled/eap"
	cat >"$HERE/raddb/sites-enabled/default" <<-'CONF'
		server default {
		  listen {
		    type = auth
		    ipaddr = 127.0.0.1
		    port = 18304
		  }
		  listen {
		    type = acct
		    ipaddr = 127.0.0.1
		    port = 18305
		  }
		  authorize {
		    preprocess
		    chap
		    files
		    pap
		  }
		  authenticate {
		    Auth-Type PAP {
		      pap
		    }
		    Auth-Type CHAP {
		      chap
		    }
		  }
		  accounting {
		    detail
		    unix
		  }
		}
	CONF
	sed -i -e "s|^logdir = .*|logdir = $HERE/log|" -e "s|^run_dir = .*|run_dir = $HERE/run|" \
		-e "s|^raddbdir = .*|raddbdir = $HERE/raddb|" "$HERE/raddb/radiusd.conf"
	chown -R freerad: "$HERE"
}

story_icecast2()
{
	PORTS=(18303)
	ACCOUNT=icecast2
	COMMAND=(/usr/bin/icecast2 -c "$HERE/icecast.xml")
	local url=http://127.0.0.1:18303
	STEPS=(
		"for n in \$(seq 50); do curl -sS $url/status-json.xsl | grep -o 'location.:.Cage' && break; sleep 0.1; done"
		"curl -sS $url/style.css | md5sum"
		"curl -sS -o /dev/null -w '%{http_code}\n' -u admin:wrong $url/admin/stats"
		"(for n in \$(seq 30); do seq 500; sleep 0.1; done) | curl -sS -m 4 -T - -u source:canary -H 'Expect:' -H 'Content-Type: audio/mpeg' -H 'Ice-Name: cage radio' $url/live 2>/dev/null &
		for n in \$(seq 50); do curl -sS $url/status-json.xsl | grep -o 'server_name.:.cage radio' && break; sleep 0.1; done
		curl -sS -m 2 $url/live 2>/dev/null | grep -m 1 '^42\$'; wait"
		"curl -sS -u admin:canary $url/admin/listmounts | grep -c '<icestats'"
		"curl -sS $url/ | head -n 5"
	)
}

fixture_icecast2()
{
	mkdir -p "$HERE/log"
	cat >"$HERE/icecast.xml" <<-CONF
		<icecast>
		  <location>Cage</location>
		  <limits><clients>20</clients><sources>2</sources></limits>
		  <authentication>
		    <source-password>canary</source-password>
		    <admin-user>admin</admin-user>
		    <admin-password>canary</admin-password>
		  </authentication>
		  <hostname>127.0.0.1</hostname>
		  <listen-socket><port>18303</port><bind-address>127.0.0.1</bind-address></listen-socket>
		  <paths>
		    <basedir>/usr/share/icecast2</basedir>
		    <logdir>$HERE/log</logdir>
		    <webroot>/usr/share/icecast2/web</webroot>
		    <adminroot>/usr/share/icecast2/admin</adminroot>
		  </paths>
		  <logging><accesslog>access.log</accesslog><errorlog>error.log</errorlog></logging>
		</icecast>
	CONF
	chown -R icecast2: "$HERE"
}

story_stunnel()
{
	PORTS=(18306 18316)
	COMMAND=(/usr/bin/stunnel4 "$HERE/stunnel.conf")
	local origin="$BATS_TEST_DIRNAME/with-origin 18307 $HERE/web"
	STEPS=(
		"$origin curl -sSk https://127.0.0.1:18306/page.html"
		"$origin curl -sS --cacert $HERE/tls.crt --tlsv1.3 https://127.0.0.1:18306/page.html"
		"$origin curl -sSk --tlsv1.2 --tls-max 1.2 -o /dev/null -w '%{http_code} %{ssl_verify_result}\n' https://127.0.0.1:18306/none"
		"curl -sSk telnet://127.0.0.1:18307 2>&1 | head -n 1 | cut -c1-20"
		"(echo canary; sleep 0.3) | openssl s_client -quiet -no_ign_eof -connect 127.0.0.1:18316 2>/dev/null"
		"kill -HUP \$IMMURE_PID; sleep 0.3; $origin curl -sSk https://127.0.0.1:18306/page.html"
	)
}

fixture_stunnel()
{
	mkdir -p "$HERE"/{web,run}
	make_certificate
	echo 'from the origin' >"$HERE/web/page.html"
	cat >"$HERE/stunnel.conf" <<-CONF
		foreground = yes
		setuid = stunnel4
		setgid = stunnel4
		pid = $HERE/run/stunnel.pid
		cert = $HERE/tls.crt
		key = $HERE/tls.key
		[web]
		accept = 127.0.0.1:18306
		connect = 127.0.0.1:18307
		[upper]
		accept = 127.0.0.1:18316
		exec = /usr/bin/sed
		execArgs = sed -u s/canary/CANARY/
	CONF
	chown stunnel4 "$HERE/run"
}

story_php-fpm()
{
	PORTS=(18309)
	COMMAND=(/usr/sbin/php-fpm8.2 -F -y "$HERE/fpm.conf")
	local ask="env REQUEST_METHOD=GET SCRIPT_FILENAME=$HERE/web"
	local at="cgi-fcgi -bind -connect 127.0.0.1:18309"
	STEPS=(
		"$ask/hello.php QUERY_STRING=name=canary $at"
		"$ask/data.php $at"
		"$ask/none.php $at | head -n 1"
		"$ask/session.php HTTP_COOKIE=PHPSESSID=canary0000000000000000000 $at | tail -n 1; $ask/session.php HTTP_COOKIE=PHPSESSID=canary0000000000000000000 $at | tail -n 1"
		"$ask/fail.php $at | head -n 3"
		"$ask/run.php $at"
		"kill -USR2 \$IMMURE_PID; sleep 0.7; $ask/hello.php QUERY_STRING=name=again $at; rm -f \$IMMURE_ROOT/var/lib/php/sessions/sess_canary*"
	)
}

fixture_php-fpm()
{
	mkdir -p "$HERE"/{web,log,data}
	chown www-data "$HERE"/{log,data}
	echo '<?php echo "hello ", strtoupper($_GET["name"]), "\n";' >"$HERE/web/hello.php"
	cat >"$HERE/web/data.php" <<-PHP
		<?php
		\$db = new PDO("sqlite:$HERE/data/birds.db");
		\$db->exec("create table if not exists bird (name text)");
		\$db->exec("delete from bird");
		\$db->prepare("insert into bird values (?)")->execute(["canary"]);
		foreach (\$db->query("select upper(name) as n from bird") as \$row) echo \$row["n"], "\n";
		echo (new DateTime("2001-05-01 12:00", new DateTimeZone("Europe/Vienna")))->format(DATE_ATOM), "\n";
	PHP
	echo '<?php session_start(); $_SESSION["n"] = 1 + ($_SESSION["n"] ?? 0); echo $_SESSION["n"], "\n";' >"$HERE/web/session.php"
	echo '<?php http_response_code(500); echo iconv("UTF-8", "ISO-8859-2//TRANSLIT", "x"), missing();' >"$HERE/web/fail.php"
	echo '<?php echo `echo from the shell | tr a-z A-Z`, getservbyname("http", "tcp"), "\n";' >"$HERE/web/run.php"
	cat >"$HERE/fpm.conf" <<-CONF
		[global]
		error_log = $HERE/log/fpm.log
		daemonize = no
		[www]
		user = www-data
		group = www-data
		listen = 127.0.0.1:18309
		pm = dynamic
		pm.max_children = 4
		pm.start_servers = 2
		pm.min_spare_servers = 1
		pm.max_spare_servers = 3
		catch_workers_output = yes
	CONF
}

story_rsyslog()
{
	PORTS=(18310)
	COMMAND=(/usr/sbin/rsyslogd -n -f "$HERE/rsyslog.conf" -i "$HERE/run/rsyslog.pid")
	local log="\$IMMURE_ROOT$HERE/log"
	STEPS=(
		"logger -n 127.0.0.1 -P 18310 -T -t canary over tcp; sleep 0.3; tail -n 1 $log/all.log"
		"logger -n 127.0.0.1 -P 18310 -d -t canary over udp; sleep 0.3; tail -n 1 $log/all.log"
		"logger -u \$IMMURE_ROOT$HERE/run/log -p local3.err -t finch by the socket; sleep 0.3; tail -n 1 $log/all.log; cat $log/finch.log"
		"mv $log/all.log $log/all.log.1; kill -HUP \$IMMURE_PID; sleep 0.3; logger -n 127.0.0.1 -P 18310 -T -t canary rotated; sleep 0.3; cat $log/all.log; stat -c '%U:%G %a' $log/all.log; rm -f $log/*"
	)
}

fixture_rsyslog()
{
	mkdir -p "$HERE"/{log,run}
	cat >"$HERE/rsyslog.conf" <<-CONF
		module(load="imtcp")
		module(load="imudp")
		module(load="imuxsock" SysSock.Use="off")
		input(type="imtcp" port="18310" address="127.0.0.1")
		input(type="imudp" port="18310" address="127.0.0.1")
		input(type="imuxsock" Socket="$HERE/run/log")
		template(name="short" type="string" string="%syslogfacility-text%.%syslogseverity-text% %programname%:%msg:::drop-last-lf%\n")
		template(name="each" type="string" string="$HERE/log/%programname%.log")
		global(workDirectory="$HERE/run")
		*.* action(type="omfile" file="$HERE/log/all.log" template="short" fileOwner="root" fileGroup="adm" fileCreateMode="0640")
		local3.* action(type="omfile" dynaFile="each" template="short")
	CONF
}

story_tinyproxy()
{
	PORTS=(18311)
	COMMAND=(/usr/bin/tinyproxy -d -c "$HERE/tinyproxy.conf")
	local origin="$BATS_TEST_DIRNAME/with-origin 18313 $HERE/web" by="-x http://bird:canary@127.0.0.1:18311"
	STEPS=(
		"$origin curl -sS $by http://127.0.0.1:18313/page.html"
		"$origin curl -sSi $by http://127.0.0.1:18313/none | grep -v -i -e ^date: -e ^server:| head -n 3"
		"curl -sS -x http://127.0.0.1:18311 -o /dev/null -w '%{http_code}\n' http://127.0.0.1:18313/"
		"curl -sS $by http://closed.test/ | grep -i -m 1 -e filter -e denied"
		"curl -sS $by http://127.0.0.1:18313/ | grep title"
		"curl -sS $by http://tinyproxy.stats/ | grep -c title"
	)
}

fixture_tinyproxy()
{
	mkdir -p "$HERE"/{web,log,run}
	chown tinyproxy: "$HERE"/{log,run}
	echo 'from the origin' >"$HERE/web/page.html"
	echo '^closed\.test$' >"$HERE/filter"
	cat >"$HERE/tinyproxy.conf" <<-CONF
		User tinyproxy
		Group tinyproxy
		Port 18311
		Listen 127.0.0.1
		Timeout 10
		DefaultErrorFile "/usr/share/tinyproxy/default.html"
		StatFile "/usr/share/tinyproxy/stats.html"
		StatHost "tinyproxy.stats"
		LogFile "$HERE/log/tinyproxy.log"
		PidFile "$HERE/run/tinyproxy.pid"
		MaxClients 10
		Allow 127.0.0.1
		BasicAuth bird canary
		Filter "$HERE/filter"
		ViaProxyName "cage"
	CONF
}

story_rabbitmq()
{
	PORTS=(18312)
	ACCOUNT=rabbitmq
	SETTINGS=(HOME=/var/lib/rabbitmq RABBITMQ_NODENAME=cage@localhost RABBITMQ_NODE_PORT=18312
		RABBITMQ_NODE_IP_ADDRESS=127.0.0.1 RABBITMQ_DIST_PORT=18314 ERL_EPMD_PORT=18315
		ERL_EPMD_ADDRESS=127.0.0.1 "RABBITMQ_MNESIA_BASE=$HERE/mnesia" "RABBITMQ_LOG_BASE=$HERE/log"
		"RABBITMQ_ENABLED_PLUGINS_FILE=$HERE/plugins")
	COMMAND=(/usr/lib/rabbitmq/bin/rabbitmq-server)
	local at="-u amqp://guest:guest@127.0.0.1:18312/%2f"
	STEPS=(
		"amqp-declare-queue $at -q cage -d"
		"amqp-publish $at -r cage -p -b 'I see you'"
		"amqp-get $at -q cage"
		"amqp-publish -u amqp://guest:wrong@127.0.0.1:18312/%2f -r cage -b no 2>&1 || echo refused"
		"amqp-delete-queue $at -q cage"
		"env HOME=/var/lib/rabbitmq ERL_EPMD_PORT=18315 setpriv --reuid=rabbitmq --regid=rabbitmq --init-groups /usr/lib/rabbitmq/bin/rabbitmqctl -q -n cage@localhost list_vhosts"
	)
}

fixture_rabbitmq()
{
	mkdir -p "$HERE"/{mnesia,log}
	echo '[].' >"$HERE/plugins"
	chown -R rabbitmq: "$HERE"
}

# The port mapper that the server started goes on after it.
clean_up_rabbitmq()
{
	local pid

	for pid in $(pgrep -u rabbitmq epmd); do kill "$pid" 2>/dev/null || true; done
}

@test "knot: grown, proved, run, removed" { whole_life; }
@test "prosody: grown, proved, run, removed" { whole_life; }
@test "freeradius: grown, proved, run, removed" { whole_life; }
@test "icecast2: grown, proved, run, removed" { whole_life; }
@test "stunnel: grown, proved, run, removed" { whole_life; }
@test "php-fpm: grown, proved, run, removed" { whole_life; }
@test "rsyslog: grown, proved, run, removed" { whole_life; }
@test "tinyproxy: grown, proved, run, removed" { whole_life; }
@test "rabbitmq: grown, proved, run, removed" { whole_life; }
