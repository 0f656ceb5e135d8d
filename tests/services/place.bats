#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# The jailed service takes the native one's place: there are never two of it, and what the host's
# administrator and the host's scripts do to the native one they do to the jailed one. Each story
# has a host of its own (beside.bash) with the distribution's paths, units and scripts.

load beside

setup()
{
	SERVICE=${BATS_TEST_DESCRIPTION%%:*}
	NAME=place-$SERVICE
	load helpers
	COPIES=() EMPTY=()
	"story_$SERVICE"
	immure() { onhost "$IMMURE" "$@"; }
	ss() { onhost ss "$@"; }
	fixture() { mkdir -p "$WORK/host" && host_up && permit && "fixture_$SERVICE"; }
	clean_up() { host_down; }
	setup_file
}

# Services may be started and reloaded by scripts, as on any host that is no image being made.
permit()
{
	printf '#!/bin/sh\nexit 104\n' >"$WORK/policy"
	chmod 755 "$WORK/policy"
	onhost mount --bind "$WORK/policy" /usr/sbin/policy-rc.d
}

# --- pieces -------------------------------------------------------------------------------------

# builds OPTION...: proved, with the story's exercise.
builds()
{
	local options=() step

	for step in "${STEPS[@]}"; do options+=(--exercise "$step"); done
	immure build "$NAME" "${options[@]}" "$@" >"$WORK/out/summary" 2>&1 ||
		{ show "$WORK/out/summary"; return 1; }
	head -n 1 "$WORK/out/summary" | grep -w proved | grep -vqw not
}

state() { immure status "$NAME" --json | jq -r .state; }
stopped() { [[ $(state) == stopped ]]; }
dies() { eventually 20 stopped || { echo "state: $(state)"; return 1; }; }

# pid_in FILE: what a pid file of the host says.
pid_in() { onhost head -n 1 "$1" | tr -d ' '; }

# The program that a process executes; its name may be its own choice.
program_of() { basename "$(onhost readlink "/proc/$1/exe")"; }

# Processes of that program in the host's own pid namespace: those in no jail.
natives()
{
	# shellcheck disable=SC2016 # the inner shell expands
	onhost bash -c 'for process in /proc/[0-9]*; do
			[[ $(readlink "$process/exe") == */"$1" ]] || continue
			[[ $(readlink "$process/ns/pid") == "$(readlink /proc/self/ns/pid)" ]] && echo "${process#/proc/}"
		done; true' _ "$1"
}

# names_the_jailed FILE PROGRAM: the pid file holds, for the host, the pid of the one PROGRAM that
# there is, and that one is in the jail.
names_the_jailed()
{
	local pid

	eventually 10 onhost test -s "$1" || return 1
	pid=$(pid_in "$1")
	[[ $(program_of "$pid") == "$2" ]] || { echo "$1: $pid is not $2"; return 1; }
	[[ $(onhost readlink "/proc/$pid/ns/pid") != "$(onhost readlink /proc/self/ns/pid)" ]] ||
		{ echo "$1: $pid is in no jail"; return 1; }
	[[ -z $(natives "$2") ]] || { echo "native $2: $(natives "$2")"; return 1; }
	[[ $(state) == running ]]
}

# No process of the host has the file open.
let_go()
{
	# shellcheck disable=SC2016 # the inner shell expands
	onhost bash -c 'for fd in /proc/[0-9]*/fd/*; do
			[[ ! $fd -ef $1 ]] || { echo "${fd%/fd/*}"; exit 1; }
		done' _ "$1"
}

# by_logrotate NAME LOG COMMAND: /etc/logrotate.d/NAME moves the log away. Then what COMMAND causes
# to be logged is in the new one; the old one is let go, and does not grow.
by_logrotate()
{
	local log=$WORK/host$2 lines

	install -m 644 "/etc/logrotate.d/$1" "$WORK/logrotate"
	eval "$3"
	eventually 10 test -s "$log"
	onhost logrotate -f -s "$WORK/logrotate.state" "$WORK/logrotate" >"$WORK/out/logrotate" 2>&1 ||
		{ show "$WORK/out/logrotate"; return 1; }
	show "$WORK/out/logrotate"
	[[ -s $log.1 ]]
	eventually 20 eval "$3; [[ -s '$log' ]]" || { echo "nothing in the new $2"; return 1; }
	eventually 20 let_go "$2.1" || { echo "$2.1 is still open in $(let_go "$2.1")"; return 1; }
	lines=$(wc -l <"$log.1")
	eval "$3"
	sleep 0.3
	[[ $(wc -l <"$log.1") -eq $lines ]]
}

# refused_for PROGRAM COMMAND...: it fails and names a native process of that name with its pid.
refused_for()
{
	local program=$1 pid status=0

	shift
	"$@" >"$WORK/out/refusal" 2>&1 || status=$?
	show "$WORK/out/refusal"
	[[ $status -eq 5 ]] || { echo "status $status"; return 1; }
	pid=$(grep -o 'pid [0-9]*' "$WORK/out/refusal" | head -n 1 | cut -d ' ' -f 2)
	[[ -n $pid && $(natives "$program") =~ (^|[[:space:]])$pid($|[[:space:]]) ]] ||
		{ echo "'$pid' is none of $(natives "$program")"; return 1; }
}

get() { onhost curl -s --max-time 5 -o /dev/null -w '%{http_code}\n' "$@"; }
answers() { [[ $(get "$1") == "$2" ]]; }

# --- PostgreSQL: never two on one cluster -------------------------------------------------------

story_postgresql()
{
	PORTS=(19801)
	BIN=$(echo /usr/lib/postgresql/*/bin)
	PSQL="psql -X -At -U postgres -p 19801 -h $HERE/run postgres"
	STEPS=(
		"$PSQL -c 'select count(*) from birds'"
		"$PSQL -c \"insert into birds values ('twin')\""
	)
	AS_PLAIN=("$BIN/postgres" -D "$HERE/data")
	AS_WRAPPED=("$BIN/pg_ctl" -D "$HERE/data" -w -l "$HERE/log/postgresql.log" start)
}

fixture_postgresql()
{
	install -d -o postgres -g postgres "$HERE"/{data,run,log}
	onhost runuser -u postgres -- "$BIN/initdb" -D "$HERE/data" -A trust --no-sync -E UTF8 \
		--locale=C.UTF-8 >/dev/null
	cat >>"$HERE/data/postgresql.conf" <<-CONF
		listen_addresses = '127.0.0.1'
		port = 19801
		unix_socket_directories = '$HERE/run'
		shared_buffers = 16MB
	CONF
	pg_ctl start
	sql -c 'create table birds (name text)' -c "insert into birds values ('canary')"
	pg_ctl stop
}

# shellcheck disable=SC2086 # several words
sql() { onhost $PSQL "$@"; }
pg_ctl() { onhost runuser -u postgres -- "$BIN/pg_ctl" -D "$HERE/data" -w -l "$HERE/log/native.log" "$@"; }

a_native_postgres_refuses()
{
	local status=0

	names_the_jailed "$HERE/data/postmaster.pid" postgres
	onhost timeout 10 runuser -u postgres -- "$BIN/postgres" -D "$HERE/data" >"$WORK/out/native" 2>&1 || status=$?
	show "$WORK/out/native"
	[[ $status -ne 0 && $status -ne 124 ]] || { echo "a second one ran"; return 1; }
	grep -q 'lock file "postmaster.pid" already exists' "$WORK/out/native"
	grep -q "PID $(pid_in "$HERE/data/postmaster.pid")\>" "$WORK/out/native"
	not pg_ctl start
	names_the_jailed "$HERE/data/postmaster.pid" postgres
}

# The administrator's tool on the jailed one.
pg_ctl_rules_the_jailed()
{
	pg_ctl status | grep "PID: $(pid_in "$HERE/data/postmaster.pid")"
	pg_ctl reload
	[[ $(sql -c 'select count(*) from birds') -eq $1 ]]
	pg_ctl stop -m fast
	dies
	[[ ! -e $HERE/data/postmaster.pid ]]
	not pg_ctl status
}

# The native one in its place: start and run refuse, and go on when it has gone.
the_native_one_first()
{
	pg_ctl start
	refused_for postgres immure start "$NAME"
	refused_for postgres onhost timeout 20 "$IMMURE" run "$NAME"
	not immure status "$NAME"
	sql -c "insert into birds values ('native')"
	pg_ctl stop
	jail_start
	[[ $(sql -c "select count(*) from birds where name = 'native'") -eq 1 ]]
	immure stop "$NAME"
	not pg_ctl status
}

never_two()
{
	builds --user postgres -- "$@"
	jail_start
	a_native_postgres_refuses
	pg_ctl_rules_the_jailed 1
	the_native_one_first
}

@test "postgresql: started plainly, jailed and native in both orders, and pg_ctl" {
	never_two "${AS_PLAIN[@]}"
}

@test "postgresql: started by a wrapper that forks twice, in both orders, and pg_ctl" {
	takes_long
	never_two "${AS_WRAPPED[@]}"
}

# --- nginx --------------------------------------------------------------------------------------

story_nginx()
{
	COPIES=(/etc/nginx /var/log/nginx /var/lib/nginx /var/www)
	PORTS=(80)
	STEPS=("curl -si http://127.0.0.1/ | grep -vi ^date:")
}

fixture_nginx() { :; }

@test "nginx: nginx -s reload, logrotate and nginx -s quit find the jailed one" {
	builds --unit nginx.service
	jail_start
	names_the_jailed /run/nginx.pid nginx
	echo 'server { listen 127.0.0.1:8080; return 418; }' >"$WORK/host/etc/nginx/conf.d/again.conf"
	onhost nginx -s reload
	eventually 10 answers http://127.0.0.1:8080/ 418
	by_logrotate nginx /var/log/nginx/access.log "answers http://127.0.0.1/ 200"
	onhost invoke-rc.d nginx reload
	names_the_jailed /run/nginx.pid nginx
	onhost nginx -s quit
	dies
	onhost test ! -e /run/nginx.pid
}

# --- Apache -------------------------------------------------------------------------------------

story_apache2()
{
	COPIES=(/etc/apache2 /var/log/apache2 /var/lib/apache2 /var/cache/apache2 /var/www)
	PORTS=(80)
	STEPS=("curl -si http://127.0.0.1/ | grep -vi ^date:")
}

fixture_apache2() { echo 'ServerName cage.test' >"$WORK/host/etc/apache2/conf-enabled/name.conf"; }

@test "apache2: apachectl graceful, logrotate and apachectl stop find the jailed one" {
	builds --unit apache2.service
	jail_start
	names_the_jailed /run/apache2/apache2.pid apache2
	echo 'Redirect 410 /again' >"$WORK/host/etc/apache2/conf-enabled/again.conf"
	onhost apachectl graceful >"$WORK/out/graceful" 2>&1
	show "$WORK/out/graceful"
	not grep -q 'not running' "$WORK/out/graceful"
	eventually 10 answers http://127.0.0.1/again 410
	names_the_jailed /run/apache2/apache2.pid apache2
	by_logrotate apache2 /var/log/apache2/access.log "answers http://127.0.0.1/ 200"
	names_the_jailed /run/apache2/apache2.pid apache2
	onhost invoke-rc.d apache2 reload
	onhost apachectl stop
	dies
	onhost test ! -e /run/apache2/apache2.pid
}

# --- php-fpm: its log right in /var/log is bound alone ------------------------------------------

story_php-fpm()
{
	COPIES=(/etc/php /var/lib/php)
	EMPTY=(/var/log)
	PID=/run/php/php8.2-fpm.pid
	STEPS=("SCRIPT_FILENAME=$HERE/hello.php REQUEST_METHOD=GET cgi-fcgi -bind -connect /run/php/php8.2-fpm.sock")
}

fixture_php-fpm()
{
	printf "<?php echo \"hello\\n\";" >"$HERE/hello.php"
	onhost install -d -o www-data -g www-data -m 755 /run/php
	install -m 600 /dev/null "$WORK/host/var/log/php8.2-fpm.log"
}

hello() { onhost env SCRIPT_FILENAME="$HERE/hello.php" REQUEST_METHOD=GET cgi-fcgi -bind -connect /run/php/php8.2-fpm.sock | grep -x hello; }

@test "php-fpm: logrotate finds the jailed one, and its log is a new one" {
	takes_long
	builds --unit php8.2-fpm.service
	immure start "$NAME"
	eventually 20 hello
	names_the_jailed "$PID" php-fpm8.2
	# Nothing but the script of its package asks for the new log.
	by_logrotate php8.2-fpm /var/log/php8.2-fpm.log :
	grep -q 're-opened' "$WORK/host/var/log/php8.2-fpm.log"
	onhost sh -c "kill -USR2 \$(cat $PID)"
	eventually 10 grep 'ready to handle' "$WORK/host/var/log/php8.2-fpm.log"
	eventually 10 hello
	names_the_jailed "$PID" php-fpm8.2
	# Once more: a file that was bound anew is bound anew again.
	rm "$WORK/logrotate.state"
	by_logrotate php8.2-fpm /var/log/php8.2-fpm.log :
	immure stop "$NAME"
}

# --- Postfix ------------------------------------------------------------------------------------

story_postfix()
{
	COPIES=(/etc/postfix /var/spool/postfix /var/lib/postfix)
	PORTS=(25)
	PID=/var/spool/postfix/pid/master.pid
	STEPS=("printf 'QUIT\r\n' | nc -w 5 127.0.0.1 25 | grep ^221")
}

fixture_postfix()
{
	cat >"$WORK/host/etc/postfix/main.cf" <<-'CONF'
		compatibility_level = 3.6
		myhostname = cage.test
		mydestination = cage.test
		inet_protocols = ipv4
		alias_maps =
		smtpd_banner = first
	CONF
}

# shellcheck disable=SC2016 # the inner shell expands
banner() { onhost sh -c 'printf "QUIT\r\n" | nc -w 5 127.0.0.1 25 | head -n 1' | grep "$1"; }

@test "postfix: postfix status, reload and stop find the jailed one" {
	builds --unit postfix@-.service
	jail_start
	names_the_jailed "$PID" master
	eventually 10 banner '220 first'
	onhost postfix status
	onhost postconf -e 'smtpd_banner = second'
	onhost postfix reload
	eventually 10 banner '220 second'
	names_the_jailed "$PID" master
	# The native one knows that it would be the second.
	not onhost postfix start
	names_the_jailed "$PID" master
	onhost postfix stop
	dies
	not onhost postfix status
}

# --- BIND ---------------------------------------------------------------------------------------

story_bind9()
{
	COPIES=(/etc/bind /var/cache/bind /var/lib/bind)
	PORTS=(53 953)
	STEPS=("dig +noall +answer @127.0.0.1 localhost" "rndc status | grep 'up and running'")
}

fixture_bind9() { onhost install -d -o root -g bind -m 775 /run/named; }

zone_is() { onhost dig +short @127.0.0.1 again.test txt | grep "$1"; }

zone()
{
	cat >"$WORK/host/etc/bind/db.again" <<-ZONE
		\$TTL 60
		@ SOA cage.test. root.cage.test. $1 60 60 60 60
		@ NS cage.test.
		@ TXT "serial $1"
	ZONE
	chmod 644 "$WORK/host/etc/bind/db.again"
}

@test "bind9: rndc reload and rndc stop find the jailed one" {
	builds --unit named.service
	jail_start
	names_the_jailed /run/named/named.pid named
	zone 1
	echo 'zone "again.test" { type primary; file "/etc/bind/db.again"; };' >>"$WORK/host/etc/bind/named.conf.local"
	onhost rndc reload
	eventually 10 zone_is 'serial 1'
	zone 2
	onhost rndc reload again.test
	eventually 10 zone_is 'serial 2'
	names_the_jailed /run/named/named.pid named
	onhost rndc status | grep 'up and running'
	onhost rndc stop
	dies
	onhost test ! -e /run/named/named.pid
}
