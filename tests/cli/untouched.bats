#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# A build, good or bad, finished or interrupted, leaves the host as it was: every file with inode,
# mode, owner, size and times; sockets, mounts, control groups, processes, queues and interfaces.
#
# In a host of its own (beside.bash), with copies of what Debian's services are set up by.
#
# Alone: what other stories do to the host meanwhile would be in the listing.

NAME=cli-untouched
load ../services/helpers
load ../services/beside

COPIES=(/etc /var/log)
EMPTY=(/root /tmp /var/tmp /dev/shm)
BIN=$(echo /usr/lib/postgresql/*/bin)
REDIS=(--unit redis-server.service --exercise "redis-cli set bird canary; redis-cli save")

fixture()
{
	host_up
	chmod 1777 "$WORK/host/tmp" "$WORK/host/var/tmp"
	mkdir "$WORK/mqueue"
	onhost mount -t mqueue none "$WORK/mqueue"
	install -d -o postgres -g postgres "$HERE"/{data,run,log}
	onhost runuser -u postgres -- "$BIN/initdb" -D "$HERE/data" -A trust --no-sync -E UTF8 \
		--locale=C.UTF-8 >/dev/null
	cat >>"$HERE/data/postgresql.conf" <<-CONF
		listen_addresses = '127.0.0.1'
		port = 19851
		unix_socket_directories = '$HERE/run'
		shared_buffers = 16MB
	CONF
	# The host has a /tmp of its own, and the program may lie in the other one.
	cp "$IMMURE" "$WORK/immure"
	# The directories of immure itself are made by the first build.
	immure build "$NAME" -- /bin/sleep 60 >/dev/null
	immure remove "$NAME"
	host_listing >"$WORK/out/before"
}

clean_up() { host_down; }
setup() { :; }

teardown()
{
	immure remove "$NAME" >/dev/null 2>&1 || true
	rm -f "$IMMURE_CONFIG_DIR/$NAME.conf"
}

immure() { onhost "$WORK/immure" "$@"; }

# --- what is on a host --------------------------------------------------------------------------

# Where other stories have files, and directories in which they make some. (mariadb-install-db gives
# the plugin's directory its owner anew.)
THEIRS=(/proc /work /mnt /usr/lib/mysql/plugin/auth_pam_tool_dir '/srv/immure-check.*' '/opt/immure-check*' '/home/immure-check*' '/usr/local/immure-check*' '/usr/lib/immure-check*' '/var/lib/dpkg' '/var/lib/dpkg/*' /var/log/dpkg.log
	'/var/*/immure-check*')
SHARED=(/ /srv /usr/lib /opt /home /usr/local /var/lib /var/cache /var/log /var/spool /run /lost+found)

# files: one a line.
files()
{
	local theirs=(-false) shared=(-false) path

	for path in "${THEIRS[@]}"; do theirs+=(-o -path "$path"); done
	for path in "${SHARED[@]}"; do shared+=(-o -path "$path"); done
	onhost find / -xdev \( "${theirs[@]}" \) ! -path "$HERE" ! -path "$HERE/*" -prune \
		-o \( "${shared[@]}" \) -printf '%p %y %m %u:%g\n' \
		-o -printf '%p %y %i %n %m %u:%g %s %T@ %C@ %l\n'
	onhost find /run /dev/shm "$WORK/mqueue" -printf '%p %y %i %n %m %u:%g %s %T@ %C@ %l\n'
	onhost find /dev -xdev -printf '%p %y %m %u:%g %l\n'
}

# All that is no file.
# shellcheck disable=SC2016 # the inner shell expands
others()
{
	onhost bash -uc '
		for process in /proc/[0-9]*; do
			pid=${process#/proc/}
			read -r -a stat < <(sed "s/.*) //" "$process/stat" 2>/dev/null) || continue
			[[ $pid == $$ || ${stat[1]} == $$ ]] && continue
			echo "process $pid of ${stat[1]} since ${stat[19]} $(tr "\0" " " <"$process/cmdline")"
		done
		ss -Hanptuxe | sed "s/timer:([^)]*)//"
		sed "s/^/mount /" /proc/self/mountinfo
		ipcs -a
		ip -o link
		ip -o address
		ip route show table all
		hostname
		find /sys/fs/cgroup -type d ! -name "immure-*" -o -type d -name "immure-$1.*"' _ "$NAME"
	# And outside of this host: nothing of this story.
	grep -e "$WORK" -e "$NAME" /proc/1/mountinfo || true
}

host_listing() { { files; others; } | LC_ALL=C sort; }

# The others change back when the last process has gone.
same_others()
{
	others | LC_ALL=C sort >"$WORK/out/others"
	! LC_ALL=C comm -13 "$WORK/out/before" "$WORK/out/others" | grep .
}

untouched()
{
	eventually 5 same_others || true
	host_listing >"$WORK/out/after"
	diff "$WORK/out/before" "$WORK/out/after" && return
	echo "the host is not as it was"
	mv "$WORK/out/after" "$WORK/out/before"
	return 1
}

# --- builds -------------------------------------------------------------------------------------

# builds STATUS WORD OPTION...: it ends so and says so.
builds()
{
	local want=$1 word=$2 status=0

	shift 2
	immure build "$NAME" "$@" >"$WORK/out/summary" 2>&1 || status=$?
	if [[ $status -ne $want ]] || ! grep -q -- "$word" "$WORK/out/summary"; then
		echo "status $status"
		show "$WORK/out/summary"
		return 1
	fi
}

@test "untouched: nginx with Debian's configuration" {
	builds 0 proved --unit nginx.service --exercise "curl -si http://127.0.0.1/ | grep -vi ^date:"
	immure remove "$NAME"
	builds 0 proved --unit nginx.service
	untouched
}

@test "untouched: Redis, which saves its data" {
	builds 0 proved "${REDIS[@]}"
	untouched
}

@test "untouched: PostgreSQL, started by a wrapper" {
	local sql="psql -X -At -U postgres -p 19851 -h $HERE/run postgres"

	builds 0 proved --user postgres --exercise "$sql -c 'create table birds (n int)' -c checkpoint" \
		-- "$BIN/pg_ctl" -D "$HERE/data" -w -l "$HERE/log/postgresql.log" start
	untouched
}

@test "untouched: a build that is not good" {
	builds 1 natively "${REDIS[@]}" --exercise 'redis-cli set bird dead; exit 7'
	# shellcheck disable=SC2016 # the exercise's shell expands
	builds 1 'NOT proved' "${REDIS[@]}" --exercise 'redis-cli ping; test -e $IMMURE_ROOT/usr/bin/dpkg && echo outside'
	builds 1 'status 3' --exercise true -- /bin/sh -c 'date >/etc/stray; date >/var/lib/stray; exit 3'
	untouched
}

# interrupted SIGNAL MOMENT...: builds, each ended at another moment.
interrupted()
{
	local moment

	for moment in "${@:2}"; do
		rm -f "$WORK/build.pid"
		# shellcheck disable=SC2016 # the inner shell expands
		onhost setsid sh -c 'echo $$ >"$1"; shift; exec "$@"' _ "$WORK/build.pid" "$WORK/immure" build "$NAME" \
			"${REDIS[@]}" --exercise 'redis-cli ping; sleep 0.3' >"$WORK/out/summary" 2>&1 </dev/null &
		eventually 5 test -s "$WORK/build.pid"
		sleep "$moment"
		onhost kill -s "$1" "$(cat "$WORK/build.pid")" 2>/dev/null || true
		wait $! || true
		eventually 5 same_others ||
			{ echo "after $moment s of a build, $1"; same_others; return 1; }
		# One that was quicker is whole.
		immure remove "$NAME" >/dev/null 2>&1 || true
		rm -f "$IMMURE_CONFIG_DIR/$NAME.conf"
	done
	untouched
}

@test "untouched: builds that INT ends" { interrupted INT 0.3 1.3; }
@test "untouched: builds that TERM ends" { interrupted TERM 0.6 1.8; }
@test "untouched: builds that KILL ends" { interrupted KILL 0.05 0.3 0.6 0.9 1.3 1.8; }

# The last: it changes the host. A listing that sees nothing would find every build good.
@test "untouched: the listing sees what it should" {
	local change

	grep -q '^/usr/bin/env f ' "$WORK/out/before"
	# shellcheck disable=SC2016 # the inner shell expands
	onhost bash -euc 'touch /etc/hostname
		chmod g+w /etc/nginx
		touch /run/x /dev/shm/y
		mkdir /var/tmp/z
		mount -t tmpfs sign /mnt
		ip link add sign type veth
		ipcmk -Q
		mkdir "/sys/fs/cgroup/unified/immure-$1.sign"
		setsid sleep 7777 >/dev/null 2>&1 </dev/null &
		setsid socat UNIX-LISTEN:/run/sign.sock STDOUT >/dev/null 2>&1 </dev/null &
		sleep 0.2' _ "$NAME"
	host_listing >"$WORK/out/after"
	rmdir "/sys/fs/cgroup/unified/immure-$NAME.sign"
	diff "$WORK/out/before" "$WORK/out/after" >"$WORK/out/changes" || true
	for change in '/etc/hostname f ' '/etc/nginx d ' '/run/x f ' '/dev/shm/y f ' '/var/tmp/z d ' 'mount .* /mnt ' ': sign' \
		'^> 0x.* 644 ' 'unified/immure-' 'process .* sleep 7777' 'u_str .*/run/sign.sock'; do
		grep -q -- "$change" "$WORK/out/changes" || { echo "not seen: $change"; show "$WORK/out/changes"; return 1; }
	done
}
