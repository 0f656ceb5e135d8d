#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# A perl application inside Apache, which puts itself into the background, with Debian's own
# directories for its pid and its log.

NAME=apache2-mod-perl
load helpers

PORTS=(18021)
PID_FILE=/var/run/apache2/immure-check.pid
LOG=/var/log/apache2/immure-check.log
COMMAND=(/usr/sbin/apachectl -f "$HERE/apache2.conf" -k start)
STEPS=(
	"curl -si http://127.0.0.1:18021/app/hello?a=1 | grep -vi '^date:'"
	"curl -sf http://127.0.0.1:18021/registry/sum.pl"
)

fixture()
{
	local mod

	mkdir -p "$HERE"/{lib/Jail,registry}
	cat >"$HERE/lib/Jail/App.pm" <<-'PERL'
		package Jail::App;
		use strict;
		use Apache2::RequestRec ();
		use Apache2::RequestIO ();
		use Apache2::Const -compile => 'OK';
		use Data::Dumper;
		$Data::Dumper::Sortkeys = 1;

		sub handler {
			my $r = shift;
			$r->content_type('text/plain');
			$r->print(Dumper({ uri => $r->uri, args => $r->args, by => scalar getpwuid($<) }));
			return Apache2::Const::OK;
		}
		1;
	PERL
	cat >"$HERE/registry/sum.pl" <<-'PERL'
		use Digest::MD5 'md5_hex';
		print "Content-Type: text/plain\n\n", md5_hex('canary'), "\n";
	PERL
	chmod 755 "$HERE/registry/sum.pl"

	for mod in mpm_prefork authz_core perl alias; do
		echo "IncludeOptional /etc/apache2/mods-available/$mod.load"
	done >"$HERE/apache2.conf"
	cat >>"$HERE/apache2.conf" <<-CONF
		ServerRoot /etc/apache2
		ServerName 127.0.0.1
		Listen 127.0.0.1:18021
		User www-data
		Group www-data
		StartServers 2
		PidFile $PID_FILE
		ErrorLog $LOG
		CustomLog $LOG "%h %r %>s"
		PerlSwitches -I$HERE/lib
		PerlModule Jail::App
		<Location /app>
		  SetHandler perl-script
		  PerlResponseHandler Jail::App
		</Location>
		Alias /registry/ $HERE/registry/
		<Directory $HERE/registry>
		  SetHandler perl-script
		  PerlResponseHandler ModPerl::Registry
		  PerlOptions +ParseHeaders
		  Options ExecCGI
		</Directory>
	CONF
}

clean_up() { rm -f "$LOG"* "$PID_FILE"; }

@test "mod_perl: one command grows a jail and proves it" {
	build_proves
}

@test "mod_perl: the running jail answers byte for byte as natively" {
	answers_as_natively
}

@test "mod_perl: logs rotate, USR1 reloads gracefully" {
	need_build
	jail_start
	rotated "$LOG" USR1 "curl -sf http://127.0.0.1:18021/app/again"
	session "$(jail_pid)" | diff -u "$WORK/out/native" -
	jail_stop
}

@test "mod_perl: remove leaves nothing" {
	remove_leaves_nothing
}
