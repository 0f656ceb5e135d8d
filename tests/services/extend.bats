#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# What is switched on while a jail runs, and served after `immure reload`: a module of Apache's, a
# site with a directory and an interpreter of its own; and what reaches the service by no reload of
# ours. The first process stays the same throughout.

NAME=extend
load helpers

PORTS=(18101)
ETC=/etc/apache2-immure-extend
MODULE=/usr/local/lib/immure-check-extend/mod_added.so
SITE=/srv/immure-check-site
PID_FILE=/run/immure-check-extend.pid
export APACHE_CONFDIR=$ETC
COMMAND=(/usr/sbin/apache2 -d "$ETC" -f "$ETC/apache2.conf" -DFOREGROUND)
ASK="curl -s http://127.0.0.1:18101/"

fixture()
{
	mkdir -p "$WORK/etc" "$HERE/www" "$HERE/log" "$ETC"
	echo one >"$HERE/www/index.html"
	cp -a /etc/apache2/. "$ETC/"
	rm -f "$ETC"/sites-enabled/* "$ETC"/conf-enabled/*
	echo 'Listen 127.0.0.1:18101' >"$ETC/ports.conf"
	cat >"$ETC/envvars" <<-ENV
		export APACHE_RUN_USER=www-data APACHE_RUN_GROUP=www-data APACHE_PID_FILE=$PID_FILE
		export APACHE_RUN_DIR=/run APACHE_LOCK_DIR=/run APACHE_LOG_DIR=$HERE/log
	ENV
	cat >"$ETC/sites-available/first.conf" <<-CONF
		<VirtualHost 127.0.0.1:18101>
		  DocumentRoot $HERE/www
		  <Directory $HERE/www>
		    Require all granted
		  </Directory>
		</VirtualHost>
	CONF
	ln -s ../sites-available/first.conf "$ETC/sites-enabled/first.conf"
	# shellcheck disable=SC1091
	cat >"$WORK/etc/$NAME.conf" <<-SPEC
		[Service]
		ExecStart=${COMMAND[*]}
		ExecReload=/bin/kill -USR1 \$MAINPID
		$(. "$ETC/envvars" && env | sed -n 's/^APACHE_\(RUN\|LOCK\|LOG\|PID\)/Environment=&/p')
		[Jail]
		ConfigTest=${COMMAND[*]:0:5} -t
		[Exercise]
		Command=$ASK
	SPEC
}

clean_up() { rm -rf "$ETC" "$SITE" "$PID_FILE" "${MODULE%/*}"; }

answers() { [[ $(curl -s "$@") == "$ANSWER" ]]; }
clean() { immure check "$NAME" >"$WORK/out/check" 2>&1 || { show "$WORK/out/check"; return 1; }; }

@test "extend: a module that is switched on" {
	immure build "$NAME" >"$WORK/out/summary" 2>&1 || { show "$WORK/out/summary"; return 1; }
	touch "$WORK/out/built"
	jail_start
	pid=$(jail_pid)
	# Debian's own are foreseen, switched on or not: this one comes later.
	mkdir -p "${MODULE%/*}"
	cp /usr/lib/apache2/modules/mod_rewrite.so "$MODULE"
	echo "LoadModule rewrite_module $MODULE" >"$ETC/mods-available/added.load"
	a2enmod -q added
	cat >>"$ETC/sites-available/first.conf" <<-CONF
		<Location /moved>
		  RewriteEngine on
		  RewriteRule .* /index.html
		</Location>
	CONF
	immure reload "$NAME" >"$WORK/out/reload"
	show "$WORK/out/reload"
	grep -q "new in the jail: $MODULE: named in $ETC/mods-" "$WORK/out/reload"
	ANSWER=one eventually 5 answers http://127.0.0.1:18101/moved
	[[ $(jail_pid) == "$pid" ]]
	immure why "$NAME" "$MODULE" | grep -q added.load
	clean
	# Once is enough.
	immure reload "$NAME" --json | jq -e '.added == []'
}

@test "extend: a site with a directory of its own" {
	need_build
	pid=$(jail_pid)
	mkdir -p "$SITE/deep"
	echo two >"$SITE/index.html"
	cat >"$ETC/sites-available/second.conf" <<-CONF
		<VirtualHost 127.0.0.1:18101>
		  ServerName second.test
		  DocumentRoot $SITE
		  <Directory $SITE>
		    Require all granted
		  </Directory>
		</VirtualHost>
	CONF
	a2ensite -q second
	immure reload "$NAME" >"$WORK/out/reload"
	show "$WORK/out/reload"
	ANSWER=two eventually 5 answers -H 'Host: second.test' http://127.0.0.1:18101/
	echo three >"$SITE/index.html"
	ANSWER=three eventually 5 answers -H 'Host: second.test' http://127.0.0.1:18101/
	[[ $(jail_pid) == "$pid" ]]
	clean
}

@test "extend: a broken site leaves the service as it is, with its line" {
	need_build
	pid=$(jail_pid)
	sed -i 's/DocumentRoot/DocumntRoot/' "$ETC/sites-available/second.conf"
	status=0
	immure reload "$NAME" >"$WORK/out/reload" 2>&1 || status=$?
	show "$WORK/out/reload"
	[[ $status -eq 1 ]]
	grep -q 'line 3 of .*second.conf' "$WORK/out/reload"
	ANSWER=three eventually 5 answers -H 'Host: second.test' http://127.0.0.1:18101/
	[[ $(jail_pid) == "$pid" ]]
	sed -i 's/DocumntRoot/DocumentRoot/' "$ETC/sites-available/second.conf"
	immure reload "$NAME"
}

@test "extend: a restart has it all, and remove leaves nothing" {
	need_build
	immure restart "$NAME"
	ANSWER=three eventually 5 answers -H 'Host: second.test' http://127.0.0.1:18101/
	ANSWER=one eventually 5 answers http://127.0.0.1:18101/moved
	jail_stop
	clean
	remove_leaves_nothing
}
