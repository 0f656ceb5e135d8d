#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# BIND with a zone that is transferred, changed by signed updates, and controlled by rndc.

NAME=bind9
load helpers

PORTS=(18041 18042)
COMMAND=(/usr/sbin/named -f -u bind -c "$HERE/named.conf")
DIG="dig -p 18041 @127.0.0.1 +noall +answer"
RNDC="rndc -c $HERE/rndc.conf -p 18042 -s 127.0.0.1"
UPDATE="nsupdate -k $HERE/update.key"
# The serial of the zone grows with each update: it is not shown.
STEPS=(
	"$DIG www.example.test A www.example.test AAAA example.test MX"
	"dig -p 18041 @127.0.0.1 +tcp +noall +comments nobody.example.test | grep -o 'status: [A-Z]*'"
	"$DIG example.test AXFR | grep -v SOA"
	"printf 'server 127.0.0.1 18041\nupdate add new.example.test 60 A 192.0.2.9\nsend\n' | $UPDATE"
	"$DIG new.example.test"
	"printf 'server 127.0.0.1 18041\nupdate delete new.example.test\nsend\n' | $UPDATE"
	"$DIG example.test AXFR | grep -v SOA | sort"
	"printf 'server 127.0.0.1 18041\nupdate add bad.example.test 60 A 192.0.2.6\nsend\n' | nsupdate 2>&1 || test \$? -eq 2"
	"$RNDC freeze example.test && $RNDC thaw example.test"
	"$RNDC zonestatus example.test | grep -e ^name -e ^type -e ^dynamic"
)

fixture()
{
	mkdir -p "$HERE"/{zones,cache,log}
	tsig-keygen -a hmac-sha256 update >"$HERE/update.key"
	tsig-keygen -a hmac-sha256 rndc >"$HERE/rndc.key"
	cat >"$HERE/rndc.conf" <<-CONF
		include "$HERE/rndc.key";
		options { default-key "rndc"; };
	CONF
	cat >"$HERE/zones/example.test" <<-'ZONE'
		$TTL 3600
		@    SOA  ns.example.test. hostmaster.example.test. 1 3600 600 86400 60
		     NS   ns
		     MX   10 www
		ns   A    192.0.2.1
		www  A    192.0.2.2
		     AAAA 2001:db8::2
	ZONE
	cat >"$HERE/named.conf" <<-CONF
		include "$HERE/update.key";
		include "$HERE/rndc.key";
		controls { inet 127.0.0.1 port 18042 allow { localhost; } keys { "rndc"; }; };
		options {
		  directory "$HERE/cache";
		  pid-file "$HERE/cache/named.pid";
		  session-keyfile "$HERE/cache/session.key";
		  listen-on port 18041 { 127.0.0.1; };
		  listen-on-v6 { none; };
		  recursion no;
		  dnssec-validation no;
		  minimal-responses yes;
		};
		logging {
		  channel file { file "$HERE/log/query.log"; print-time yes; };
		  category queries { file; };
		};
		zone "example.test" {
		  type primary;
		  file "$HERE/zones/example.test";
		  allow-update { key "update"; };
		  allow-transfer { 127.0.0.1; };
		};
	CONF
	chown -R bind: "$HERE"/{zones,cache,log}
}

@test "bind9: one command grows a jail and proves it" {
	build_proves
}

@test "bind9: the running jail answers byte for byte as natively" {
	answers_as_natively
}

@test "bind9: the query log rotates, HUP reloads" {
	need_build
	jail_start
	$DIG www.example.test
	rotated "$HERE/log/query.log" HUP "$DIG www.example.test"
	session "$(jail_pid)" | diff -u "$WORK/out/native" -
	jail_stop
}

@test "bind9: a new zone is served after a reload" {
	need_build
	jail_start
	pid=$(jail_pid)
	sed 's/example/added/g' "$HERE/zones/example.test" >"$HERE/zones/added.test"
	chown bind: "$HERE/zones/added.test"
	printf 'zone "added.test" { type primary; file "%s"; };\n' "$HERE/zones/added.test" >>"$HERE/named.conf"
	[[ -z $(dig -p 18041 @127.0.0.1 +short www.added.test) ]]
	immure reload "$NAME"
	eventually 5 eval '[[ $(dig -p 18041 @127.0.0.1 +short www.added.test) == 192.0.2.2 ]]'
	[[ $(jail_pid) == "$pid" ]]
	immure check "$NAME"
	jail_stop
}

@test "bind9: remove leaves nothing" {
	remove_leaves_nothing
}
