#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Debian's units as they are installed, with Debian's configuration and Debian's data: no systemd
# runs, nothing is started on the host, and the host is as it was.
# Postfix has a story of its own: units-postfix.bats.

NAME=units
load helpers
load units

made=()

# What the packages leave to the first boot, or to the administrator.
fixture()
{
	made=()
	if [[ ! -d /run/haproxy ]]; then
		install -d -o haproxy -g haproxy -m 2775 /run/haproxy
		made+=(/run/haproxy)
	fi
}

clean_up() { rm -rf "${made[@]}"; }

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
	takes_long
	unit haproxy.service
}

@test "unit: vsftpd.service" {
	takes_long
	unit vsftpd.service "curl -sv ftp://127.0.0.1/ 2>&1 | grep -o '220 .vsFTPd'; true"
}

@test "unit: ssh.service" {
	unit ssh.service "ssh-keyscan 127.0.0.1 2>/dev/null | sort"
}

@test "unit: squid.service" {
	takes_long
	unit squid.service "curl -s -x http://127.0.0.1:3128 -o /dev/null -w '%{http_code}\n' http://127.0.0.1:1/"
}
