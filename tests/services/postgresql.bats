#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# PostgreSQL on a cluster of its own, with clients by TCP and by socket.

NAME=postgresql
load helpers

PORTS=(18061)
ACCOUNT=postgres
BIN=$(echo /usr/lib/postgresql/*/bin)
COMMAND=("$BIN/postgres" -D "$HERE/data")
PSQL="psql -X -At -U postgres -p 18061 postgres"
STEPS=(
	"$PSQL -h 127.0.0.1 -c 'drop table if exists birds' 2>/dev/null"
	"$PSQL -h 127.0.0.1 -c 'create table birds (id serial primary key, name text)'"
	"$PSQL -h 127.0.0.1 -c \"insert into birds (name) select 'bird ' || n from generate_series(1, 5000) n\""
	"$PSQL -h \$IMMURE_ROOT$HERE/run -c 'select count(*), sum(id), max(name) from birds'"
	"$PSQL -h 127.0.0.1 -c 'do language plpgsql \$\$ begin perform pg_sleep(0); end \$\$'"
	"$PSQL -h 127.0.0.1 -c \"select to_char(timestamptz 'epoch' at time zone 'Europe/Paris', 'Day HH24:MI')\""
	"pg_dump -U postgres -h 127.0.0.1 -p 18061 -t birds postgres | grep -v -e '^--' -e restrict | md5sum"
	"$PSQL -h 127.0.0.1 -c 'vacuum full analyze birds' -c 'checkpoint'"
	"$PSQL -h 127.0.0.1 -c 'drop table birds'"
)

fixture()
{
	install -d -o postgres -g postgres "$HERE"/{data,run,log}
	runuser -u postgres -- "$BIN/initdb" -D "$HERE/data" -A trust --no-sync -E UTF8 \
		--locale=C.UTF-8 >/dev/null
	cat >>"$HERE/data/postgresql.conf" <<-CONF
		listen_addresses = '127.0.0.1'
		port = 18061
		unix_socket_directories = '$HERE/run'
		shared_buffers = 16MB
		logging_collector = on
		log_directory = '$HERE/log'
		log_filename = 'postgresql.log'
		log_statement = all
		timezone = 'UTC'
	CONF
}

clean_up() { rm -f /usr/share/postgresql/*/extension/immure_check_added* "${BIN%/bin}/lib/immure_check_added.so"; }

ready() { listening && $PSQL -h 127.0.0.1 -c 'select 1'; }

@test "postgresql: one command grows a jail and proves it" {
	build_proves
}

@test "postgresql: the running jail answers byte for byte as natively" {
	answers_as_natively
}

@test "postgresql: the log rotates as pg_ctl does it, HUP reloads" {
	need_build
	jail_start
	install -o postgres /dev/null "$HERE/data/logrotate"
	rotated "$HERE/log/postgresql.log" USR1 "$PSQL -h 127.0.0.1 -c 'select 2'"
	kill -HUP "$(jail_pid)"
	eventually 10 grep SIGHUP "$HERE/log/postgresql.log"
	jail_stop
}

# As a package brings one: a control file, a script, and a library with the functions.
@test "postgresql: an extension that comes to the host later is there after a reload" {
	local share=$(echo /usr/share/postgresql/*/extension) lib=${BIN%/bin}/lib

	need_build
	jail_start
	pid=$(jail_pid)
	cp "$lib/fuzzystrmatch.so" "$lib/immure_check_added.so"
	printf "comment = 'a test'\ndefault_version = '1.0'\nmodule_pathname = '\$libdir/immure_check_added'\n" \
		>"$share/immure_check_added.control"
	echo "create function added_distance(text, text) returns int as 'MODULE_PATHNAME', 'levenshtein' language c;" \
		>"$share/immure_check_added--1.0.sql"
	not $PSQL -h 127.0.0.1 -c 'create extension immure_check_added'
	immure reload "$NAME" >"$WORK/out/reload"
	show "$WORK/out/reload"
	$PSQL -h 127.0.0.1 -c 'create extension immure_check_added'
	[[ $($PSQL -h 127.0.0.1 -c "select added_distance('wood', 'word')") == 1 ]]
	$PSQL -h 127.0.0.1 -c 'drop extension immure_check_added'
	[[ $(jail_pid) == "$pid" ]]
	immure check "$NAME"
	jail_stop
}

@test "postgresql: remove leaves nothing, and the cluster where it is" {
	remove_leaves_nothing
	"$BIN/pg_controldata" "$HERE/data" | grep 'shut down$'
}
