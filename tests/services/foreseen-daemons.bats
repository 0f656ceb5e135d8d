#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# BIND, Postfix, OpenSSH and php-fpm, started and stopped: then a whole client session that no
# exercise has shown. Their files lie where Debian's packages have theirs, in directories of the
# tests' own.

load whole-life

story_foreseen-bind9()
{
	load foreseen
	local rndc zone=example.test dig="dig -p 18441 @127.0.0.1 +noall +answer"

	CONF=/etc/immure-check-bind
	PORTS=(18441 18442)
	COMMAND=(/usr/sbin/named -f -u bind -c "$CONF/named.conf")
	LOG=/var/log/immure-check-bind/query.log
	rndc="rndc -c $CONF/rndc.conf -p 18442 -s 127.0.0.1"

	point types "$dig www.$zone A www.$zone AAAA $zone MX $zone TXT _sip._tcp.$zone SRV alias.$zone A"
	point tcp "dig -p 18441 @127.0.0.1 +tcp +noall +comments nobody.$zone | grep -o 'status: [A-Z]*'"
	point reverse "$dig -x 127.0.0.1; $dig localhost AAAA"
	point transfer "$dig $zone AXFR | grep -v SOA"
	point refused "dig -p 18441 @127.0.0.1 -b 127.0.0.2 $zone AXFR | grep -o 'Transfer failed'"
	point update "$(update "add new.example.test 60 A 192.0.2.9") && $dig new.$zone; $(update "delete new.example.test") && $dig new.$zone | wc -l"
	point bad-update "printf 'server 127.0.0.1 18441\nupdate add bad.example.test 60 A 192.0.2.6\nsend\n' | nsupdate 2>&1 || test \$? -eq 2"
	point status "$rndc status | grep -e '^server is' -e '^query logging'"
	point zone "$rndc freeze $zone && $rndc thaw $zone >/dev/null; $rndc zonestatus $zone | grep -e ^name -e ^type -e ^dynamic"
	# A zone that comes by reconfig, is changed, and goes.
	point reload "cp $CONF/db.later $CONF/db.now; echo 'zone \"later.test\" { type primary; file \"$CONF/db.now\"; };' >$CONF/named.conf.added; $rndc reconfig; $BIN/within_10_s sh -c '$dig later.test TXT | grep one'; sed -i -e 's/ 1 / 2 /; s/one/two/' $CONF/db.now; $rndc reload later.test; $BIN/within_10_s sh -c '$dig later.test TXT | grep two'; >$CONF/named.conf.added; rm $CONF/db.now; $rndc reconfig; sleep 0.2"
	point dump "$rndc flush && $rndc dumpdb -zones && $BIN/within_10_s grep -c -m 1 'www.example.test' \$IMMURE_ROOT/var/cache/immure-check-bind/named_dump.db; rm \$IMMURE_ROOT/var/cache/immure-check-bind/named_dump.db"
	point log "$dig www.$zone >/dev/null; mv \$IMMURE_ROOT$LOG \$IMMURE_ROOT$LOG.1; kill -HUP \$IMMURE_PID; $BIN/within_10_s sh -c '$dig www.$zone && test -s \$IMMURE_ROOT$LOG'"
}

update()
{
	printf '%s' "printf 'server 127.0.0.1 18441\nupdate $1\nsend\n' | nsupdate -k $CONF/update.key"
}

fixture_foreseen-bind9()
{
	make_tools
	cp -a /etc/bind "$CONF"
	install -d -g bind -m 775 /var/{lib,cache}/immure-check-bind
	install -d -o bind /var/log/immure-check-bind
	tsig-keygen -a hmac-sha256 update >"$CONF/update.key"
	tsig-keygen -a hmac-sha256 rndc >"$CONF/rndc.key"
	chown bind "$CONF"/*.key
	chmod 640 "$CONF"/*.key
	printf 'include "%s/rndc.key";\noptions { default-key "rndc"; };\n' "$CONF" >"$CONF/rndc.conf"
	cat >/var/lib/immure-check-bind/db.example.test <<-'ZONE'
		$TTL 3600
		@    SOA  ns.example.test. hostmaster.example.test. 1 3600 600 86400 60
		     NS   ns
		     MX   10 www
		     TXT  "in a cage"
		ns   A    192.0.2.1
		www  A    192.0.2.2
		     AAAA 2001:db8::2
		alias CNAME www
		_sip._tcp SRV 1 2 5060 www
	ZONE
	chown -R bind: /var/lib/immure-check-bind
	printf '@ 3600 SOA ns.later.test. a.later.test. 1 3600 600 86400 60\n@ 3600 NS ns.later.test.\n@ 3600 TXT one\nns.later.test. 3600 A 192.0.2.1\n' >"$CONF/db.later"
	touch "$CONF/named.conf.added"
	sed -i "s,/etc/bind/,$CONF/," "$CONF"/named.conf*
	echo "include \"$CONF/named.conf.added\";" >>"$CONF/named.conf"
	cat >"$CONF/named.conf.options" <<-CONF
		options {
		  directory "/var/cache/immure-check-bind";
		  pid-file "/run/immure-check-bind/named.pid";
		  session-keyfile "/run/immure-check-bind/session.key";
		  listen-on port 18441 { 127.0.0.1; };
		  listen-on-v6 { none; };
		  recursion no;
		  dnssec-validation no;
		};
		logging {
		  channel file { file "$LOG"; print-time yes; };
		  category queries { file; };
		};
	CONF
	cat >"$CONF/named.conf.local" <<-CONF
		include "$CONF/update.key";
		include "$CONF/rndc.key";
		controls { inet 127.0.0.1 port 18442 allow { localhost; } keys { "rndc"; }; };
		zone "example.test" {
		  type primary;
		  file "/var/lib/immure-check-bind/db.example.test";
		  allow-update { key "update"; };
		  allow-transfer { 127.0.0.1; };
		};
	CONF
}

clean_up_foreseen-bind9() { rm -rf /etc/immure-check-bind /run/immure-check-bind /var/{lib,cache,log}/immure-check-bind; }

story_foreseen-postfix()
{
	takes_long
	load foreseen
	local send="curl -s --url smtp://127.0.0.1:18443 --upload-file $HERE/mail"
	local mine="--mail-from immure-check@cage.test" queue

	CONF=/etc/immure-check-postfix
	SPOOL=/var/spool/immure-check-postfix
	LOG=/var/log/immure-check-postfix/mail.log
	PORTS=(18443)
	PID_FILE=$SPOOL/pid/master.pid
	queue="postqueue -c $CONF -p"
	COMMAND=(/usr/sbin/postfix -c "$CONF" start)

	point local "$send $mine --mail-rcpt immure-check@cage.test; $BIN/inbox seed"
	point alias "$send $mine --mail-rcpt birdwatch@cage.test; $BIN/inbox seed"
	point virtual "$send $mine --mail-rcpt anyone@aviary.test; $BIN/inbox seed"
	point starttls "$send --ssl-reqd --cacert $HERE/tls.crt $mine --mail-rcpt immure-check@cage.test; $BIN/inbox seed"
	point pipe "$send $mine --mail-rcpt sorter@cage.test; $BIN/within_10_s grep -o 'sorter@cage.test.*status=sent (delivered to command.*' \$IMMURE_ROOT$LOG | sed 's/delay=.*status/status/; s/delays=[^ ]*//'"
	point bounce "$send $mine --mail-rcpt gone@cage.test; $BIN/inbox 'unknown user'"
	point sendmail "sendmail -C $CONF -f immure-check@cage.test birdwatch@cage.test <$HERE/mail; $BIN/inbox seed"
	point refused "for to in nobody-here@cage.test x@elsewhere.test; do $send $mine --mail-rcpt \$to; echo \$?; done"
	# What was delivered may still be on its way out of the queue.
	point queue "$BIN/within_10_s sh -c '$queue | grep empty'; $send $mine --mail-rcpt someone@far.test; $BIN/within_10_s sh -c '$queue | grep -m 1 -o \"connect to.*refused\"'; $queue | grep -o someone@far.test; postsuper -c $CONF -d ALL 2>&1; $queue"
	point reload "cp $CONF/main.cf $HERE/main.cf; postconf -c $CONF -e 'smtpd_banner = another cage'; kill -HUP \$IMMURE_PID; $BIN/within_10_s sh -c \"printf 'QUIT\\r\\n' | nc -w 2 127.0.0.1 18443 | grep another\"; cp $HERE/main.cf $CONF/main.cf; kill -HUP \$IMMURE_PID"
	point log "mv \$IMMURE_ROOT$LOG \$IMMURE_ROOT$LOG.1; kill -HUP \$IMMURE_PID; $send --mail-from x@far.test --mail-rcpt nobody-here@cage.test; $BIN/within_10_s grep -o 'RCPT from.*unknown in' \$IMMURE_ROOT$LOG"
}

fixture_foreseen-postfix()
{
	need_user
	make_tools
	make_certificate
	make_inbox >"$BIN/inbox"
	chmod 755 "$BIN/inbox"
	printf 'Subject: seed\nFrom: immure-check@cage.test\nTo: someone@cage.test\n\nAll is well.\n' >"$HERE/mail"
	mkdir -p "$CONF" "$SPOOL" "${LOG%/*}"
	install -d -o postfix /var/lib/immure-check-postfix
	cp /usr/share/postfix/master.cf.dist "$CONF/master.cf"
	sed -i 's/^smtp  *inet/127.0.0.1:18443 inet/; /^#postlog/s/^#//' "$CONF/master.cf"
	cat >"$HERE/sorter" <<-'SHELL'
		#!/bin/sh
		# What is well is sorted out.
		PATH=/usr/bin:/bin
		mail=$(mktemp /tmp/sorter.XXXXXX) || exit 75
		trap 'rm -f "$mail"' EXIT
		cat >"$mail"
		test "$(sed -n 's/^Subject: //p' "$mail" | tr a-z A-Z)" = SEED || exit 65
		grep -q 'All is well' "$mail" || exit 65
	SHELL
	chmod 755 "$HERE/sorter"
	printf '%s\n' 'birdwatch: immure-check' "sorter: \"|$HERE/sorter\"" 'gone: no-such-bird' >"$CONF/aliases"
	echo '@aviary.test immure-check@cage.test' >"$CONF/virtual"
	echo 'far.test smtp:[127.0.0.1]:1' >"$CONF/transport"
	cat >"$CONF/main.cf" <<-CONF
		compatibility_level = 3.6
		queue_directory = $SPOOL
		data_directory = /var/lib/immure-check-postfix
		myhostname = cage.test
		mydestination = cage.test
		mynetworks = 127.0.0.0/8
		relay_domains = far.test
		smtpd_relay_restrictions = reject_unauth_destination
		smtpd_tls_cert_file = $HERE/tls.crt
		smtpd_tls_key_file = $HERE/tls.key
		smtpd_tls_security_level = may
		inet_interfaces = 127.0.0.1
		inet_protocols = ipv4
		alias_maps = hash:$CONF/aliases
		alias_database = hash:$CONF/aliases
		virtual_alias_domains = aviary.test
		virtual_alias_maps = hash:$CONF/virtual
		transport_maps = hash:$CONF/transport
		mail_spool_directory = /var/mail
		maillog_file = $LOG
	CONF
	postalias -c "$CONF" "hash:$CONF/aliases"
	postmap -c "$CONF" "hash:$CONF/virtual" "hash:$CONF/transport"
}

# "inbox TEXT": waits for a mail with this text, shows what is not new in each, and takes it away.
make_inbox()
{
	cat <<-'SHELL'
		#!/bin/sh
		box=$IMMURE_ROOT/var/mail/immure-check
		for i in $(seq 50); do grep -qs "$1" "$box" && break; sleep 0.1; done
		grep -e ^Subject: -e ^To: -e ^X-Original-To: -e '^All is' -e '^<.*unknown' "$box" || exit 1
		stat -c '%U %a' "$box"
		rm "$box"
	SHELL
}

clean_up_foreseen-postfix()
{
	rm -rf /etc/immure-check-postfix /var/{spool,lib,log}/immure-check-postfix /var/mail/immure-check
}

story_foreseen-openssh()
{
	load foreseen
	local options ssh sftp scp

	PORTS=(18444)
	COMMAND=(/usr/sbin/sshd -D -E "$HERE/log/sshd.log" -f "$HERE/sshd_config")
	FILES=/home/immure-check/files
	options="-q -F none -o UserKnownHostsFile=$HERE/known_hosts -o StrictHostKeyChecking=yes"
	ssh="ssh $options -o BatchMode=yes -i $HERE/key -p 18444 immure-check@127.0.0.1"
	sftp="sftp $options -i $HERE/key -P 18444 -b - immure-check@127.0.0.1"
	scp="scp $options -i $HERE/key -P 18444"

	point command "$ssh 'id -un; pwd; umask; echo \$LOGNAME \$SHELL \$HOME'"
	point input "echo some input | $ssh 'cat; exit 7'; test \$? -eq 7"
	point terminal "$ssh -tt 'stty rows 24 cols 80; stty size; echo \$TERM; tty | tr -d 0-9'"
	point sftp "printf 'cd files\nls -l notes.txt\nget -p notes.txt $HERE/got\nput $HERE/key.pub sent\nls -1 sent\nrm sent\n' | $sftp && cat $HERE/got && stat -c %y $HERE/got; rm $HERE/got"
	point scp "$scp immure-check@127.0.0.1:files/notes.txt $HERE/got && cat $HERE/got; rm $HERE/got; $scp $HERE/key.pub immure-check@127.0.0.1:files/ && $ssh 'wc -l <files/key.pub; ls -l files/key.pub | cut -c 1-10; rm files/key.pub'"
	point password "SSH_ASKPASS=$HERE/password SSH_ASKPASS_REQUIRE=force ssh $options -o PubkeyAuthentication=no -p 18444 immure-check@127.0.0.1 'echo by password'"
	point refused "ssh $options -o BatchMode=yes -o PubkeyAuthentication=no -o PasswordAuthentication=no -p 18444 immure-check@127.0.0.1 true; test \$? -eq 255"
	point reload "echo 'Banner $HERE/banner' >>$HERE/sshd_config; kill -HUP \$IMMURE_PID; $BIN/within_10_s sh -c \"ssh ${options#-q} -o LogLevel=INFO -o BatchMode=yes -i $HERE/key -p 18444 immure-check@127.0.0.1 true 2>&1 | grep canary\"; sed -i /Banner/d $HERE/sshd_config; kill -HUP \$IMMURE_PID; $BIN/within_10_s $ssh true"
}

fixture_foreseen-openssh()
{
	need_user
	make_tools
	install -d -o immure-check -g immure-check "$FILES"
	echo 'written long ago' >"$FILES/notes.txt"
	chown immure-check: "$FILES/notes.txt"
	touch -d '2001-05-01 12:00 UTC' "$FILES/notes.txt"
	mkdir -p "$HERE"/{run,log} /run/sshd
	ssh-keygen -q -t ed25519 -N '' -f "$HERE/key"
	ssh-keygen -q -t ed25519 -N '' -f "$HERE/host_key"
	echo "[127.0.0.1]:18444 $(cut -d ' ' -f 1,2 "$HERE/host_key.pub")" >"$HERE/known_hosts"
	printf '#!/bin/sh\necho canary\n' >"$HERE/password"
	chmod 755 "$HERE/password"
	echo 'only for the canary' >"$HERE/banner"
	# The last ones are what Debian sets.
	cat >"$HERE/sshd_config" <<-CONF
		ListenAddress 127.0.0.1:18444
		HostKey $HERE/host_key
		PidFile $HERE/run/sshd.pid
		AuthorizedKeysFile $HERE/key.pub
		KbdInteractiveAuthentication no
		UsePAM yes
		X11Forwarding yes
		PrintMotd no
		AcceptEnv LANG LC_*
		Subsystem sftp /usr/lib/openssh/sftp-server
	CONF
}

clean_up_foreseen-openssh() { rm -rf "$FILES"; }

story_foreseen-php-fpm()
{
	takes_long
	load foreseen
	local ask="env REQUEST_METHOD=GET SCRIPT_FILENAME=$HERE/web"
	local at="cgi-fcgi -bind -connect 127.0.0.1:18445"

	[[ -x /usr/sbin/php-fpm8.2 && -x /usr/bin/cgi-fcgi ]] || skip "php8.2-fpm and libfcgi-bin are not installed"
	PORTS=(18445)
	COMMAND=(/usr/sbin/php-fpm8.2 -F -y "$HERE/fpm.conf")

	point hello "$ask/hello.php QUERY_STRING=name=canary $at"
	point dates "$ask/dates.php $at"
	point text "$ask/text.php $at"
	point names "$ask/names.php $at"
	point session "for i in 1 2; do $ask/session.php HTTP_COOKIE=PHPSESSID=canary0000000000000000000 $at | tail -n 1; done; rm -f \$IMMURE_ROOT/var/lib/immure-check-php/sess_*"
	point upload "env REQUEST_METHOD=POST SCRIPT_FILENAME=$HERE/web/upload.php CONTENT_TYPE='multipart/form-data; boundary=x' CONTENT_LENGTH=\$(wc -c <$HERE/form) $at <$HERE/form; rm -f \$IMMURE_ROOT/var/lib/immure-check-php/bird.txt"
	point database "$ask/data.php $at; rm -f \$IMMURE_ROOT/var/lib/immure-check-php/birds.db"
	point shell "$ask/run.php $at"
	point none "$ask/none.php $at | head -n 1"
	point error-page "$ask/fail.php $at; $BIN/within_10_s grep -o 'Call to undefined.*missing()' \$IMMURE_ROOT$HERE/log/php.log | head -n 1"
	point reload "echo 'env[BIRD] = finch' >$HERE/pool.d/added.inc; kill -USR2 \$IMMURE_PID; $BIN/within_10_s sh -c '$ask/bird.php $at </dev/null | grep finch'; : >$HERE/pool.d/added.inc; kill -USR2 \$IMMURE_PID; $BIN/within_10_s sh -c '$ask/bird.php $at | grep nobody'"
	point log-reopen "log=\$IMMURE_ROOT$HERE/log/access.log; mv \$log \$log.1; kill -USR1 \$IMMURE_PID; $BIN/within_10_s sh -c \"$ask/hello.php $at >/dev/null; cat \$log | grep -m 1 hello\""
}

fixture_foreseen-php-fpm()
{
	make_tools
	mkdir -p "$HERE"/{web,log,pool.d}
	install -d -o www-data /var/lib/immure-check-php
	echo '<?php echo "hello ", strtoupper($_GET["name"] ?? "nobody"), "\n";' >"$HERE/web/hello.php"
	echo '<?php echo getenv("BIRD") ?: "nobody", "\n";' >"$HERE/web/bird.php"
	cat >"$HERE/web/dates.php" <<-'PHP'
		<?php
		date_default_timezone_set("America/New_York");
		echo date(DATE_ATOM, 0), " ", date("T", 988718400), "\n";
		$there = new DateTimeZone("Asia/Tokyo");
		echo (new DateTime("2001-05-01 12:00", $there))->format(DATE_RFC2822), "\n";
		echo count(timezone_identifiers_list()) > 300, "\n";
	PHP
	cat >"$HERE/web/text.php" <<-'PHP'
		<?php
		echo json_encode(["bird" => "\u{159}eka", "n" => 1.5], JSON_PRETTY_PRINT), "\n";
		echo bin2hex(iconv("UTF-8", "ISO-8859-2//TRANSLIT", "\u{159}eka")), "\n";
		echo bin2hex(iconv("UTF-8", "SHIFT_JIS", "\u{9ce5}")), "\n";
		echo preg_match('/^\p{L}+$/u', "\u{159}eka"), " ", strlen(random_bytes(16)), "\n";
		echo hash("sha256", "canary"), " ", strlen(gzcompress("canary")), "\n";
		echo password_verify("seed", password_hash("seed", PASSWORD_BCRYPT)) ? "open" : "shut", "\n";
		$key = openssl_pkey_new(["private_key_bits" => 2048]);
		echo openssl_pkey_get_details($key)["bits"], "\n";
	PHP
	cat >"$HERE/web/names.php" <<-'PHP'
		<?php
		echo posix_getpwuid(posix_getuid())["name"], " ", posix_getgrgid(posix_getgid())["name"], "\n";
		echo gethostbyname("localhost"), " ", getservbyname("https", "tcp"), " ", getprotobyname("udp"), "\n";
	PHP
	echo '<?php session_start(); $_SESSION["n"] = 1 + ($_SESSION["n"] ?? 0); echo $_SESSION["n"], "\n";' >"$HERE/web/session.php"
	cat >"$HERE/web/upload.php" <<-'PHP'
		<?php
		$sent = $_FILES["bird"];
		$kept = "/var/lib/immure-check-php/bird.txt";
		echo $sent["name"], " ", $sent["size"], " ", mime_content_type($sent["tmp_name"]), "\n";
		echo move_uploaded_file($sent["tmp_name"], $kept) ? file_get_contents($kept) : "not kept\n";
	PHP
	printf -- '--x\r\nContent-Disposition: form-data; name="bird"; filename="b.txt"\r\nContent-Type: text/plain\r\n\r\nyellow, with wings\n\r\n--x--\r\n' >"$HERE/form"
	cat >"$HERE/web/data.php" <<-'PHP'
		<?php
		$db = new PDO("sqlite:/var/lib/immure-check-php/birds.db");
		$db->exec("create table bird (name text)");
		$db->prepare("insert into bird values (?)")->execute(["canary"]);
		foreach ($db->query("select upper(name) as n from bird") as $row) echo $row["n"], "\n";
	PHP
	echo '<?php echo `echo from the shell | tr a-z A-Z`, exec("date -u -d @0 +%F"), "\n";' >"$HERE/web/run.php"
	echo '<?php http_response_code(500); echo "oh\n", missing();' >"$HERE/web/fail.php"
	: >"$HERE/pool.d/added.inc"
	printf '[global]\nerror_log = %s\ndaemonize = no\ninclude = %s\n' \
		"$HERE/log/fpm.log" "$HERE/pool.d/*.conf" >"$HERE/fpm.conf"
	install -o www-data /dev/null "$HERE/log/php.log"
	cat >"$HERE/pool.d/www.conf" <<-CONF
		[www]
		user = www-data
		group = www-data
		listen = 127.0.0.1:18445
		pm = dynamic
		pm.max_children = 4
		pm.start_servers = 2
		pm.min_spare_servers = 1
		pm.max_spare_servers = 3
		access.log = $HERE/log/access.log
		access.format = "%m %f"
		php_admin_value[error_log] = $HERE/log/php.log
		php_admin_flag[log_errors] = on
		php_value[session.save_path] = /var/lib/immure-check-php
		include = $HERE/pool.d/*.inc
	CONF
}

clean_up_foreseen-php-fpm() { rm -rf /var/lib/immure-check-php; }

@test "foreseen-bind9: a session without exercise" { foreseen_life; }
@test "foreseen-postfix: a session without exercise" { foreseen_life; }
@test "foreseen-openssh: a session without exercise" { foreseen_life; }
@test "foreseen-php-fpm: a session without exercise" { foreseen_life; }
