#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Debian's units as they are installed, with Debian's configuration and Debian's data: no systemd
# runs, nothing is started on the host, and the host is as it was.
# Alone: while /etc/postfix/main.cf is there, the scripts of any Postfix run other programs.

NAME=units
load helpers

made=()

# What the packages leave to the first boot, or to the administrator.
fixture()
{
	made=()
	if [[ ! -d /run/haproxy ]]; then
		install -d -o haproxy -g haproxy -m 2775 /run/haproxy
		made+=(/run/haproxy)
	fi
	if [[ ! -e /etc/postfix/main.cf ]]; then
		cp /usr/share/postfix/main.cf.debian /etc/postfix/main.cf
		made+=(/etc/postfix/main.cf)
	fi
}

clean_up() { rm -rf "${made[@]}"; }

# What the units below write natively and no other story does.
DATA=(/etc/bind /etc/postfix /etc/postgresql /etc/ssh /var/cache/bind /var/lib/postfix /var/lib/postgresql
	/var/spool/postfix)

host_data() { find "${DATA[@]}" -printf '%p %y %s %T@ %C@ %m %u\n' 2>/dev/null | sort; }

# unit UNIT EXERCISE...: the build is good, and the host's data are untouched.
unit()
{
	local unit=$1 step options=()

	shift
	for step; do options+=(--exercise "$step"); done
	host_data >"$WORK/out/before"
	immure build "$NAME" --unit "$unit" "${options[@]}" >"$WORK/out/summary" 2>&1 ||
		{ show "$WORK/out/summary"; return 1; }
	head -n 1 "$WORK/out/summary" | grep -w proved | grep -vqw not
	host_data | diff "$WORK/out/before" -
	every_path_has_a_reason
	immure remove "$NAME"
	no_leftovers
}

teardown() { immure remove "$NAME" >/dev/null 2>&1 || true; }

@test "unit: apache2.service" {
	unit apache2.service "curl -si http://127.0.0.1/ | grep -vi ^date:"
}

@test "unit: nginx.service" {
	unit nginx.service "curl -si http://127.0.0.1/ | grep -vi ^date:"
}

@test "unit: named.service" {
	unit named.service "dig +noall +answer @127.0.0.1 localhost" "rndc status | grep 'up and running'"
}

@test "unit: redis-server.service" {
	unit redis-server.service "redis-cli set bird canary" "redis-cli save"
}

@test "unit: postgresql@VERSION-main.service" {
	unit "postgresql@$(basename /etc/postgresql/*)-main.service" \
		"runuser -u postgres -- psql -X -At -c 'create table t (n int); insert into t values (7)'" \
		"runuser -u postgres -- psql -X -At -c 'select * from t'"
}

@test "unit: haproxy.service" {
	unit haproxy.service
}

@test "unit: vsftpd.service" {
	unit vsftpd.service "curl -sv ftp://127.0.0.1/ 2>&1 | grep -o '220 .vsFTPd'; true"
}

@test "unit: ssh.service" {
	unit ssh.service "ssh-keyscan 127.0.0.1 2>/dev/null | sort"
}

@test "unit: postfix@-.service" {
	unit postfix@-.service "printf 'QUIT\r\n' | nc -w 5 127.0.0.1 25 | grep ^221"
}

@test "unit: squid.service" {
	unit squid.service "curl -s -x http://127.0.0.1:3128 -o /dev/null -w '%{http_code}\n' http://127.0.0.1:1/"
}
