#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Where a careless tool would touch production: the real service runs beside the build, and the
# client in the exercise goes where it always goes, to the usual socket, port, key and queue. It
# meets the twin; the live service does not change, nor does it know.

load beside

# --- PostgreSQL: psql over the unix socket ------------------------------------------------------

# A cluster as Debian's package makes it. The sample is a backup as administrators take them, and
# lacks a row.
story_postgresql()
{
	VERSION=$(basename /usr/lib/postgresql/*)
	UNIT=postgresql@$VERSION-main.service
	EMPTY=(/etc/postgresql /var/lib/postgresql /var/log/postgresql)
	DATA=/var/lib/postgresql/$VERSION/main
	CTL="pg_ctlcluster --skip-systemctl-redirect $VERSION main"
	local sql="runuser -u postgres -- psql -X -At"
	STEPS=(
		"$sql -h /var/run/postgresql -c 'select count(*), sum(balance) from account' | grep -x '1000|100000'"
		"$sql -h /var/run/postgresql -c 'update account set balance = 0' -c 'insert into account values (0, 7)'"
		"$sql -h /var/run/postgresql -c 'select sum(balance) from account' -c 'truncate account' -c checkpoint"
		"$sql -c 'drop table account' -c 'create database stray'"
		"$CTL reload; $sql -c 'select 1'"
	)
}

ask_postgresql() { onhost runuser -u postgres -- psql -X -At -F ' ' "$@"; }

up_postgresql()
{
	# shellcheck disable=SC2086 # several words
	live $CTL start "$@"
	eventually 20 ask_postgresql -c 'select 1'
}

fixture_postgresql()
{
	onhost install -d -o postgres -g postgres -m 2775 /run/postgresql
	onhost pg_createcluster --locale C.UTF-8 "$VERSION" main -- --no-sync >/dev/null
	# At rest it writes nothing by itself, and whoever comes near it is in the log.
	cat >>"$WORK/host/etc/postgresql/$VERSION/main/postgresql.conf" <<-'CONF'
		autovacuum = off
		checkpoint_timeout = 1h
		shared_buffers = 16MB
		fsync = off
		log_connections = on
		log_statement = all
	CONF
	up_postgresql
	ask_postgresql -c 'create table account (id int primary key, balance int)' \
		-c 'insert into account select n, 100 from generate_series(1, 1000) n' >/dev/null
	onhost runuser -u postgres -- pg_basebackup --checkpoint=fast --no-sync -D /var/lib/postgresql/backup
	# shellcheck disable=SC2086
	onhost $CTL stop
	# Without replication, no record of the running transactions each quarter of a minute.
	up_postgresql -o '-c wal_level=minimal -c max_wal_senders=0'
	ask_postgresql -c 'insert into account values (2000, 1)' -c checkpoint >/dev/null
}

main_postgresql() { onhost head -n 1 "$DATA/postmaster.pid"; }

counters_postgresql()
{
	ask_postgresql -c "select 'rows', count(*) from account union all
		select 'balance', sum(balance) from account union all
		select 'databases', count(*) from pg_database union all
		select 'transactions', pg_snapshot_xmax(pg_current_snapshot())::text::bigint union all
		select 'wal', pg_current_wal_insert_lsn() - '0/0'"
}

@test "postgresql: psql over the unix socket meets the twin" {
	stops_without_a_choice postgres
	builds_beside --sample "$DATA=/var/lib/postgresql/backup"
	neither_start_nor_remove_disturb
}

# --- Postfix: sendmail and postqueue ------------------------------------------------------------

# The queue is not empty: one letter could not be delivered, another is held back. The twin has
# copies of both, and must neither send the one nor lose the other.
story_postfix()
{
	takes_long
	UNIT=postfix@-.service
	COPIES=(/etc/postfix)
	EMPTY=(/var/spool/postfix /var/lib/postfix /var/log /var/mail)
	local queue="postqueue -j | jq -r '.queue_name + \" \" + .sender + \" \" + .recipients[].address' | sort"
	local box="\$IMMURE_ROOT/var/mail/games"
	STEPS=(
		"$queue"
		"printf 'Subject: stray\n\nAll is well.\n' | sendmail -f canary@cage.test games; for n in \$(seq 100); do grep '^Subject: stray' $box && break; sleep 0.1; done; grep ^Subject: $box"
		"postqueue -f; sleep 0.5; $queue"
		"postsuper -d ALL 2>/dev/null; postqueue -p"
		"postfix reload 2>/dev/null; for n in \$(seq 50); do postqueue -p && break; sleep 0.1; done"
	)
}

letter() { printf 'Subject: live\n\nAll is well.\n' | onhost sendmail -f canary@cage.test "$1"; }

# queued NAME: how many letters are in that queue.
queued() { onhost postqueue -j | jq -r .queue_name | grep -cx "$1"; }

fixture_postfix()
{
	# With the log daemon, which hears of each look at the queue too; none of the daemons ends or
	# hangs up for want of work, nor tries again by itself.
	sed '/^#postlog/s/^#//; /^showq/s/showq$/showq -v/' /usr/share/postfix/master.cf.dist >"$WORK/host/etc/postfix/master.cf"
	cat >"$WORK/host/etc/postfix/main.cf" <<-'CONF'
		compatibility_level = 3.6
		myhostname = cage.test
		mydestination = cage.test
		mynetworks = 127.0.0.0/8
		inet_protocols = ipv4
		alias_maps =
		maillog_file = /var/log/mail.log
		max_idle = 1h
		ipc_idle = 1h
		ipc_ttl = 1h
		minimal_backoff_time = 1h
		maximal_backoff_time = 2h
	CONF
	onhost postfix check
	onhost /usr/lib/postfix/configure-instance.sh -
	live postmulti -i - -p start
	eventually 20 test -S "$WORK/host/var/spool/postfix/public/pickup"
	letter 'held@[192.0.2.26]'
	eventually 10 queued deferred
	onhost postsuper -h ALL 2>/dev/null
	letter 'deferred@[192.0.2.25]'
	eventually 10 queued deferred
	letter games
	eventually 10 test -s "$WORK/host/var/mail/games"
}

main_postfix() { tr -d ' ' <"$WORK/host/var/spool/postfix/pid/master.pid"; }

counters_postfix()
{
	local queue

	for queue in incoming active deferred hold; do echo "$queue $(queued "$queue")"; done
	echo "delivered $(grep -c ^Subject: "$WORK/host/var/mail/games")"
}

@test "postfix: sendmail and postqueue meet the twin" {
	builds_beside
	neither_start_nor_remove_disturb
}

# --- BIND: nsupdate -l --------------------------------------------------------------------------

# A zone that is changed by its session key; what was changed last is in the journal alone.
story_bind9()
{
	UNIT=named.service
	COPIES=(/etc/bind)
	EMPTY=(/var/lib/bind /var/cache/bind /var/log)
	local dig="dig +noall +answer @127.0.0.1"
	STEPS=(
		"$dig kept.cage.test"
		"printf 'update add stray.cage.test 60 A 192.0.2.66\nupdate delete kept.cage.test\nsend\n' | nsupdate -l"
		"$dig stray.cage.test; $dig kept.cage.test"
		"rndc sync -clean cage.test && rndc flush"
		"rndc freeze cage.test && rndc thaw cage.test 2>&1"
		"rndc reload && rndc status | grep 'up and running'"
	)
}

fixture_bind9()
{
	onhost install -d -g bind -m 775 /run/named
	install -d -o bind "$WORK/host/var/log/named"
	cat >>"$WORK/host/etc/bind/named.conf.local" <<-'CONF'
		logging {
		  channel all { file "/var/log/named/all.log"; print-time yes; print-category yes; };
		  category default { all; };
		  category queries { all; };
		  category update { all; };
		};
		statistics-channels { inet 127.0.0.1 port 8053; };
		zone "cage.test" {
		  type primary;
		  file "/var/lib/bind/cage.test";
		  update-policy local;
		};
	CONF
	sed -i 's/dnssec-validation auto/dnssec-validation no/' "$WORK/host/etc/bind/named.conf.options"
	cat >"$WORK/host/var/lib/bind/cage.test" <<-'ZONE'
		$TTL 3600
		@    SOA  ns.cage.test. hostmaster.cage.test. 1 3600 600 86400 60
		     NS   ns
		ns   A    192.0.2.1
	ZONE
	chown bind: "$WORK/host/var/lib/bind/cage.test"
	live named -f -u bind
	eventually 20 onhost rndc status
	printf 'update add kept.cage.test 60 A 192.0.2.2\nsend\n' | onhost nsupdate -l
}

main_bind9() { onhost cat /run/named/named.pid; }

counters_bind9()
{
	onhost curl -s http://127.0.0.1:8053/json/v1/server |
		jq -r '(.opcodes | {QUERY, NOTIFY, UPDATE}) + .nsstats | to_entries[] | "\(.key) \(.value)"'
	onhost curl -s http://127.0.0.1:8053/json/v1/zones |
		jq -r '.views._default.zones[] | select(.name == "cage.test") | "serial \(.serial)"'
}

@test "bind9: nsupdate -l and rndc meet the twin" {
	builds_beside
	neither_start_nor_remove_disturb
}

# --- Redis: redis-cli -s ------------------------------------------------------------------------

story_redis()
{
	UNIT=redis-server.service
	COPIES=(/etc/redis)
	EMPTY=(/var/lib/redis /var/log/redis)
	SOCKET=/run/redis/redis-server.sock
	local cli="redis-cli -s $SOCKET"
	STEPS=(
		"$cli get kept"
		"$cli flushall; $cli set stray bird; $cli dbsize"
		"$cli save"
		"$cli config set maxmemory 7mb; $cli script flush; $cli slowlog reset; $cli config resetstat"
	)
}

fixture_redis()
{
	onhost install -d -o redis -g redis -m 2755 /run/redis
	printf 'unixsocket %s\nunixsocketperm 770\n' "$SOCKET" >>"$WORK/host/etc/redis/redis.conf"
	live setpriv --reuid=redis --regid=redis --init-groups \
		redis-server /etc/redis/redis.conf --daemonize no
	eventually 20 onhost redis-cli -s "$SOCKET" ping
	printf 'mset kept live other live\nsave\nset unsaved live\n' | onhost redis-cli -s "$SOCKET" >/dev/null
}

main_redis() { onhost cat /run/redis/redis-server.pid; }

counters_redis()
{
	onhost redis-cli -s "$SOCKET" info | tr ':' ' ' | tr -d '\r' |
		grep -e ^total_connections_received -e ^total_commands_processed -e ^total_net_input_bytes \
			-e ^rdb_changes_since_last_save -e ^rdb_saves -e ^keyspace_ -e ^maxmemory\  -e ^expired_keys
	echo "keys $(onhost redis-cli -s "$SOCKET" dbsize)"
}

# Saved from time to time, its state is whole between two times. Written to all the time, it is not.
@test "redis: redis-cli -s meets the twin" {
	builds_beside
	neither_start_nor_remove_disturb
	printf 'config set appendonly yes\nset unsaved more\n' | onhost redis-cli -s "$SOCKET" >/dev/null
	stops_without_a_choice redis-server
	builds_beside --sample /var/lib/redis=empty
	neither_start_nor_remove_disturb
}

# --- MariaDB: mysql -----------------------------------------------------------------------------

# The sample is a second, new data directory: it has none of the databases.
story_mariadb()
{
	takes_long
	UNIT=mariadb.service
	COPIES=(/etc/mysql)
	EMPTY=(/var/lib/mysql /var/log)
	STEPS=(
		"mysql -e 'create database cage; create table cage.bird (id int primary key, name text)'"
		"mysql cage -e \"insert into bird values (1, 'stray'); update bird set name = 'lost'; select * from bird\""
		"mysql -S /var/run/mysqld/mysqld.sock -e \"create user stray@localhost; set global max_connections = 7; flush logs\""
		"mariadb-dump --skip-dump-date cage | md5sum; mysqladmin flush-tables flush-status"
		"kill -HUP \$(cat /run/mysqld/mysqld.pid); mysql -e 'drop database cage; show databases'"
	)
}

fixture_mariadb()
{
	onhost install -d -o mysql /run/mysqld
	install -d -o mysql "$WORK/host/var/log/mysql"
	cat >"$WORK/host/etc/mysql/mariadb.conf.d/99-beside.cnf" <<-'CONF'
		[mariadbd]
		innodb-buffer-pool-size = 16M
		innodb-log-file-size = 8M
		innodb-flush-log-at-trx-commit = 0
		general-log = 1
		general-log-file = /var/log/mysql/mysql.log
		log-error = /var/log/mysql/error.log
	CONF
	onhost mariadb-install-db --user=mysql --skip-test-db >/dev/null
	cp -a "$WORK/host/var/lib/mysql" "$HERE/sample"
	live setpriv --reuid=mysql --regid=mysql --init-groups mariadbd
	eventually 20 onhost mysql -e 'select 1'
	onhost mysql -e 'create database cage; use cage; create table bird (id int primary key, name text);
		insert into bird select seq, "live" from seq_1_to_100'
}

main_mariadb() { onhost cat /run/mysqld/mysqld.pid; }

counters_mariadb()
{
	onhost mysql -NB -e "select 'birds', count(*) from cage.bird; select 'sum', sum(id) from cage.bird where name = 'live';
		select 'databases', count(*) from information_schema.schemata;
		select 'users', count(*) from mysql.user; select 'max_connections', @@global.max_connections;
		show global status where variable_name in ('Connections', 'Questions', 'Aborted_connects', 'Com_insert',
			'Com_update', 'Com_drop_db', 'Com_create_table', 'Com_flush', 'Handler_write', 'Handler_commit',
			'Innodb_rows_inserted', 'Innodb_rows_updated')" | tr '\t' ' '
}

@test "mariadb: mysql meets the twin" {
	stops_without_a_choice mariadbd
	builds_beside --sample "/var/lib/mysql=$HERE/sample"
	neither_start_nor_remove_disturb
}
