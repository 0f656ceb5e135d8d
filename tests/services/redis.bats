#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Redis as its own user, with its data saved and its log written to Debian's own directories.

NAME=redis
load helpers

PORTS=(18051)
ACCOUNT=redis
LOG=/var/log/redis/immure-check.log
COMMAND=(/usr/bin/redis-server "$HERE/redis.conf")
CLI="redis-cli -p 18051"
STEPS=(
	"$CLI flushall"
	"$CLI set bird canary"
	"$CLI rpush list one two three"
	"$CLI lrange list 0 -1"
	"$CLI eval 'return redis.sha1hex(ARGV[1])' 0 canary"
	"$CLI -s \$IMMURE_ROOT$HERE/run/redis.sock get bird"
	"$CLI save"
	"redis-check-rdb \$IMMURE_ROOT/var/lib/redis/immure-check.rdb | grep -o 'RDB looks OK'"
)

fixture()
{
	install -d -o redis -g redis "$HERE/run"
	cat >"$HERE/redis.conf" <<-CONF
		bind 127.0.0.1
		port 18051
		unixsocket $HERE/run/redis.sock
		logfile $LOG
		dir /var/lib/redis
		dbfilename immure-check.rdb
		save ""
		daemonize no
	CONF
}

clean_up() { rm -f "$LOG"* /var/lib/redis/immure-check.rdb; }

@test "redis: one command grows a jail and proves it" {
	build_proves
}

@test "redis: the build did not touch the host's data" {
	need_build
	[[ ! -e /var/lib/redis/immure-check.rdb && ! -e $LOG ]]
}

@test "redis: the running jail answers byte for byte as natively" {
	answers_as_natively
}

@test "redis: what the jail saves is on the host, and is there again after a restart" {
	need_build
	jail_start
	$CLI flushall
	$CLI set kept yes
	$CLI save
	[[ -s /var/lib/redis/immure-check.rdb ]]
	immure restart "$NAME"
	eventually 20 ready
	[[ $($CLI get kept) == yes ]]
	jail_stop
}

@test "redis: the log rotates" {
	need_build
	jail_start
	rotated "$LOG" - "$CLI save"
	jail_stop
}

@test "redis: remove leaves nothing, and the data where they are" {
	remove_leaves_nothing
	[[ -s /var/lib/redis/immure-check.rdb ]]
}
