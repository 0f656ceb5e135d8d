#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# nginx, started and stopped: twelve points that no exercise has shown. Once with a configuration of
# its own, once in the layout of Debian's package.
#
# More: as foreseen-apache2.bats.

load whole-life

story_foreseen-nginx()
{
	load foreseen
	CONF=$HERE
	COMMAND=(/usr/sbin/nginx -c "$CONF/nginx.conf")
	story 18401
}

fixture_foreseen-nginx()
{
	fixture_of_both
	cat >"$CONF/nginx.conf" <<-CONF
		user www-data;
		worker_processes 2;
		pid $PID_FILE;
		error_log /var/log/nginx/$NAME.error.log;
		events { worker_connections 64; }
		http {
		  include /etc/nginx/mime.types;
		  gzip on;
		  gzip_types text/plain;
		  include $CONF/sites/*.conf;
		}
	CONF
	mkdir "$CONF/sites"
	server >"$CONF/sites/web.conf"
}

story_foreseen-nginx-debian()
{
	load foreseen
	CONF=/etc/immure-check-nginx
	COMMAND=(/usr/sbin/nginx -c "$CONF/nginx.conf" -g 'daemon on; master_process on;')
	story 18411
}

# Debian's own files, but for the names of what only one nginx can have.
fixture_foreseen-nginx-debian()
{
	cp -a /etc/nginx "$CONF"
	fixture_of_both
	sed -i -e "s,/etc/nginx/,$CONF/," -e "s,/run/nginx.pid,$PID_FILE," \
		-e "s,/var/log/nginx/,&$NAME.," -e 's/# gzip_types/gzip_types/' "$CONF/nginx.conf"
	rm "$CONF"/sites-enabled/*
	server >"$CONF/sites-available/web"
	ln -s "$CONF/sites-available/web" "$CONF/sites-enabled/web"
}

clean_up_foreseen-nginx() { rm -f /var/log/nginx/"$NAME".*; }
clean_up_foreseen-nginx-debian() { rm -rf /var/log/nginx/"$NAME".* /etc/immure-check-nginx; }

# story PORT: what both have, on this port and the two that follow.
story()
{
	local backend

	PORTS=("$1" $(($1 + 1)))
	SITE=http://127.0.0.1:$1
	SECURE=https://127.0.0.1:$(($1 + 1))
	BACKEND=$(($1 + 2))
	PID_FILE=/run/immure-check.$NAME.pid
	LOG=/var/log/nginx/$NAME.log
	backend="pid=\$($BIN/backend $BACKEND)"

	points_of_a_site
	point autoindex "curl -sf $SITE/pub/; curl -sf $SITE/pub/old/"
	# Bodies of both directions are larger than what nginx keeps in memory.
	point large-post "$backend; head -c 3000000 /dev/zero | tr '\\0' x | curl -sf --data-binary @- $SITE/backend/ | cksum; kill \$pid"
	point proxy "$backend; curl -sf -d 'seven bytes' $SITE/backend/ && echo; kill \$pid; sleep 0.1; curl -s -o /dev/null -w '%{http_code}\n' $SITE/backend/"
	point name-lookup "$(with_location "location /by-name/ { proxy_pass http://localhost:$BACKEND/; }" \
		"$backend; $BIN/within_10_s curl -sf -d 'by name' $SITE/by-name/; kill \$pid")"
	point reload "$(with_location "location /added { return 200 'added'; }" \
		"$BIN/within_10_s curl -sf $SITE/added")"
	point log-reopen "$BIN/reopens $LOG USR1 $SITE/"
}

# with_location TEXT STEP: a step that is taken while the location is there, then nginx is as it was.
with_location()
{
	local url

	url=$SITE$(cut -d ' ' -f 2 <<<"$1")
	printf '%s' "echo \"$1\" >$CONF/added/x.conf; kill -HUP \$IMMURE_PID; $2; status=\$?; " \
		"rm $CONF/added/x.conf; kill -HUP \$IMMURE_PID; " \
		"$BIN/within_10_s sh -c 'curl -s -o /dev/null -w \"%{http_code}\n\" $url | grep 404'; exit \$status"
}

fixture_of_both()
{
	make_site
	make_tools
	make_certificate
	mkdir "$CONF/added"
	make_passwords "$CONF/users"
}

server()
{
	cat <<-CONF
		server {
		  listen 127.0.0.1:${PORTS[0]};
		  listen 127.0.0.1:${PORTS[1]} ssl;
		  ssl_protocols TLSv1.2 TLSv1.3;
		  ssl_certificate $HERE/tls.crt;
		  ssl_certificate_key $HERE/tls.key;
		  root $HERE/web;
		  access_log $LOG;
		  error_page 404 /error/404.html;
		  location /pub/ { autoindex on; }
		  location /private/ { auth_basic cage; auth_basic_user_file $CONF/users; }
		  location /backend/ {
		    proxy_pass http://127.0.0.1:$BACKEND/;
		    client_max_body_size 8m;
		  }
		  include $CONF/added/*.conf;
		}
	CONF
}

@test "foreseen-nginx: twelve points without exercise" {
	# Whoever may read it on the host, and though it stands in content that is bound: it is a key.
	chmod 644 "$HERE/tls.key"
	build_foreseen
	grep "^  secrets .*$HERE/tls.key" "$WORK/out/summary"
	all_points_hold
	no_secret_is_foreseen
	at_most_half_more
	remove_leaves_nothing
}

@test "foreseen-nginx-debian: twelve points without exercise" { foreseen_life; }
