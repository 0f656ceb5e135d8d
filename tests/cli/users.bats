#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# PrivateUsers=: root inside is nobody outside, and on disk everything belongs to whom it belonged; the
# offer of it; and jails that share a user.

NAME=cli-users PORT=18641
load helpers

setup()
{
	for wall in user-namespace idmapped-mounts; do
		immure check --host --json | jq -e --arg w "$wall" '.walls[] | select(.name == $w) | .here' >/dev/null ||
			skip "this kernel has no $wall"
	done
	mkdir -p "$WORK/out" "$HERE/web" "$HERE/log" "$HERE/state"
	echo hello >"$HERE/web/index.html"
	cat >"$HERE/nginx.conf" <<-END
		user www-data;
		pid $HERE/state/nginx.pid;
		error_log $HERE/log/error.log;
		events { }
		http {
			access_log $HERE/log/access.log;
			client_body_temp_path $HERE/state/body;
			server { listen 127.0.0.1:$PORT; root $HERE/web; }
		}
	END
}

teardown()
{
	for name in "$NAME" "$NAME-2"; do
		immure stop -q "$name" || true
		immure remove -q "$name" || true
	done
	rm -rf "$HERE"/{web,log,state}
} 2>/dev/null

nginx_spec()
{
	spec "$NAME" <<-END
		[Service]
		ExecStart=/usr/sbin/nginx -c $HERE/nginx.conf -g 'daemon off;'
		PrivateUsers=yes
		[Exercise]
		Command=curl -sS http://127.0.0.1:$PORT/
	END
}

@test "users: a root master and its workers are others outside, and files belong to whom they did" {
	local pid worker

	nginx_spec
	good build "$NAME"
	good start "$NAME"
	[[ $(curl -sS "http://127.0.0.1:$PORT/") = hello ]]
	pid=$(immure status "$NAME" --json | jq .pid)
	[[ $(stat -c %u "/proc/$pid") -ge 524288 ]]
	worker=$(pgrep -P "$pid" | head -1)
	[[ $(($(stat -c %u "/proc/$worker") - $(stat -c %u "/proc/$pid"))) -eq $(id -u www-data) ]]
	[[ $(stat -c %U "$HERE/log/access.log") = root && $(stat -c %U "$HERE/state/body") = www-data ]]
	[[ $(readlink "/proc/$pid/ns/user") != "$(readlink /proc/self/ns/user)" ]]
	[[ $(readlink "/proc/$pid/ns/net") = "$(readlink /proc/self/ns/net)" ]]
}

@test "users: a log that the host rotates, and a reload" {
	nginx_spec
	good build "$NAME"
	good start "$NAME"
	mv "$HERE/log/access.log" "$HERE/log/access.log.1"
	kill -USR1 "$(immure status "$NAME" --json | jq .pid)"
	for _ in {1..50}; do
		curl -sS "http://127.0.0.1:$PORT/" >/dev/null
		grep -q GET "$HERE/log/access.log" 2>/dev/null && break
		sleep 0.1
	done
	grep -q GET "$HERE/log/access.log"
	good reload "$NAME"
	[[ $(curl -sS "http://127.0.0.1:$PORT/") = hello ]]
	# Its log has no place of logs, so it counts as state, which is never copied while it is written.
	refuses 5 prove "$NAME"
	says "$HERE/log is in use" 'Stop it'
	good stop "$NAME"
	good prove "$NAME"
}

@test "users: what the kernel counts per user is not taken from the host's root" {
	spec "$NAME" <<-END
		[Service]
		ExecStart=/usr/bin/perl -e '\$\$SIG{USR2} = sub { my \$\$n = 0; \$\$n++ while syscall(294, 0) >= 0; print "made \$\$n\\n" }; \$\$| = 1; sleep 1 while 1'
		PrivateUsers=yes
		LimitNOFILE=1048576
		[Exercise]
		Ready=true
	END
	good build "$NAME"
	good start "$NAME"
	kill -USR2 "$(immure status "$NAME" --json | jq .pid)"
	eventually 20 eval 'immure logs "$NAME" | grep -q "^made"'
	immure logs "$NAME"
	# As many as anybody may have, and root has its own still.
	[[ $(immure logs "$NAME" | sed -n 's/^made //p') -ge $(cat /proc/sys/fs/inotify/max_user_instances) ]]
	perl -e 'exit(syscall(294, 0) < 0)'
}

@test "users: what needs root's rights outside is found by the proof, and told" {
	spec "$NAME" <<-END
		[Service]
		ExecStart=/usr/bin/perl -MSocket -e 'socket(S, PF_INET, SOCK_STREAM, 0); bind(S, sockaddr_in(641, INADDR_LOOPBACK)) or die "bind: \$!\\\\n"; listen(S, 1); sleep 1 while 1'
		PrivateUsers=yes
	END
	refuses 1 build "$NAME"
	tells 'bind: Permission denied'
}

@test "users: a root service without need of it is offered the namespace, tried" {
	good build "$NAME" --ready true -- /usr/bin/perl -e 'sleep 1 while 1'
	tells 'runs .*PrivateUsers=yes.*tried: it answers'
	good build "$NAME-2" --json -- /usr/bin/perl -MSocket -e \
		'socket(S, PF_INET, SOCK_STREAM, 0); bind(S, sockaddr_in(642, INADDR_LOOPBACK)) or die; listen(S, 1); sleep 1 while 1'
	json '.private_users_would_do == false'
}

@test "users: a trial of the namespace in which the service does not get ready takes seconds" {
	local begin=$SECONDS
	good build "$NAME" --json -- /usr/bin/perl -MSocket -e \
		'socket(S, PF_INET, SOCK_STREAM, 0); bind(S, sockaddr_in(642, INADDR_LOOPBACK)) and listen(S, 1); sleep 1 while 1'
	json '.private_users_would_do == false'
	((SECONDS - begin < 30)) # not the 90 of TimeoutStartSec=
}

@test "users: two jails of one user are told of" {
	good build "$NAME" --ready true --user www-data -- /usr/bin/perl -e 'sleep 1 while 1'
	good build "$NAME-2" --ready true --user www-data -- /usr/bin/perl -e 'sleep 2 while 1'
	tells "same user *$NAME$"
}
