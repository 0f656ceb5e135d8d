#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# nginx as a daemon: TLS, and a listing that shows the true times of directories and files. Its log
# and its scratch files lie in Debian's own directories.

NAME=nginx
load helpers

PORTS=(18031 18032)
PID_FILE=$HERE/nginx.pid
LOG=/var/log/nginx/immure-check.log
COMMAND=(/usr/sbin/nginx -c "$HERE/nginx.conf" -e "/var/log/nginx/immure-check.error.log")
STEPS=(
	"curl -si http://127.0.0.1:18031/ | grep -vi '^date:'"
	"curl -sf http://127.0.0.1:18031/pub/"
	"curl -si --cacert $HERE/tls.crt https://127.0.0.1:18032/pub/old/notes.txt | grep -vi '^date:'"
	"curl -s -H 'Accept-Encoding: gzip' http://127.0.0.1:18031/long.txt | gzip -d | wc -c"
	"curl -sf -r 10-14 http://127.0.0.1:18031/long.txt"
	"head -c 200000 /dev/zero | curl -sf -o /dev/null -w '%{http_code}\n' -T - http://127.0.0.1:18031/put/zeros"
	"curl -s -o /dev/null -w '%{http_code}\n' -X DELETE http://127.0.0.1:18031/put/zeros"
)

fixture()
{
	mkdir -p "$HERE"/web/{pub/old,pub/new,put}
	echo '<h1>A page</h1>' >"$HERE/web/index.html"
	seq 10000 >"$HERE/web/long.txt"
	echo 'written long ago' >"$HERE/web/pub/old/notes.txt"
	touch -d '2001-05-01 12:00:01 UTC' "$HERE/web/pub/old/notes.txt" "$HERE"/web/*.*
	touch -d '2001-05-02 12:00:02 UTC' "$HERE/web/pub/old"
	touch -d '2024-02-29 23:59:59 UTC' "$HERE/web/pub/new"
	chown www-data: "$HERE/web/put"
	make_certificate
	cat >"$HERE/nginx.conf" <<-CONF
		user www-data;
		worker_processes 2;
		pid $PID_FILE;
		events { worker_connections 64; }
		http {
		  include /etc/nginx/mime.types;
		  access_log $LOG;
		  gzip on;
		  gzip_types text/plain;
		  root $HERE/web;
		  server {
		    listen 127.0.0.1:18031;
		    listen 127.0.0.1:18032 ssl;
		    ssl_certificate $HERE/tls.crt;
		    ssl_certificate_key $HERE/tls.key;
		    location /pub/ { autoindex on; }
		    location /put/ { dav_methods PUT DELETE; client_body_buffer_size 8k; }
		  }
		}
	CONF
}

clean_up() { rm -f /var/log/nginx/immure-check.*; }

@test "nginx: one command grows a jail and proves it" {
	build_proves
}

@test "nginx: the jail is at most 14 MB" {
	need_build
	at_most 14
}

@test "nginx: the running jail answers byte for byte as natively" {
	answers_as_natively
}

@test "nginx: USR1 reopens the logs, HUP reloads" {
	need_build
	jail_start
	rotated "$LOG" USR1 "curl -sf http://127.0.0.1:18031/"
	kill -HUP "$(jail_pid)"
	sleep 1
	session "$(jail_pid)" | diff -u "$WORK/out/native" -
	jail_stop
}

@test "nginx: remove leaves nothing" {
	remove_leaves_nothing
}
