#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# What confines a jail: rights that were learnt, asked for, or refused; and kernels that lack a wall.

NAME=cli-walls PORT=18621
load helpers

setup()
{
	mkdir -p "$WORK/out"
	DENY=$BATS_FILE_TMPDIR/deny
	[[ -x $DENY ]] || cc -w -o "$DENY" "$BATS_TEST_DIRNAME/../priv/deny.c" -lseccomp
}

teardown()
{
	immure stop -q "$NAME" || true
	immure remove -q "$NAME" || true
} 2>/dev/null

# A service of two calls: what it is let do shows in its output.
service() { good build "$NAME" --ready true "$@" -- /usr/bin/perl -e "$CODE; sleep 1 while 1"; }

# runs_with LINE...: /proc/PID/status of the service has them.
runs_with()
{
	local pid line

	pid=$(immure status "$NAME" --json | jq .pid)
	for line; do
		grep -q "^$line$" "/proc/$pid/status" || { printf 'no %s\n' "$line"; return 1; }
	done
}

@test "walls: a service of another user has no rights at all" {
	CODE='$| = 1'
	service --user nobody
	tells 'rights *none'
	good start "$NAME"
	for set in CapPrm CapEff CapBnd CapInh CapAmb; do
		runs_with "$set:.0000000000000000"
	done
	runs_with NoNewPrivs:.1 Seccomp:.2
}

@test "walls: no signal is ignored that whoever starts it ignores, those of C libraries too" {
	CODE='$| = 1'
	service --user nobody
	# glibc's posix_spawn(3) leaves the signals of its threads ignored in what it starts.
	python3 -c 'import os, signal, sys
signal.signal(signal.SIGHUP, signal.SIG_IGN)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ), 0)[1]))' \
		"$IMMURE" start -q "$NAME" 3>&- 8>&-
	# perl itself ignores FPE, IgnoreSIGPIPE= PIPE
	runs_with SigIgn:.0000000000001080 SigBlk:.0000000000000000
}

@test "walls: the root is read-only, and nothing tries to note when it was read" {
	CODE='$| = 1'
	service --user nobody
	good start "$NAME"
	awk '$5 == "/" { print $6 }' "/proc/$(immure status "$NAME" --json | jq .pid)/mountinfo" |
		grep '^ro,.*noatime'
}

@test "walls: a root service has what it used, and no more" {
	CODE='chown 1, 1, "/tmp/x" if open F, ">/tmp/x"'
	service --closure exact
	tells 'rights *CAP_CHOWN$'
	good start "$NAME"
	runs_with CapBnd:.0000000000000001
	good why "$NAME" CAP_CHOWN
	tells 'chown.*perl at start'
}

@test "walls: what it never did is refused, counted and named; Rights= lets it" {
	CODE='$SIG{USR2} = sub { chroot "/tmp" and print STDERR "let in\n" }'
	service --closure exact
	good start "$NAME"
	kill -USR2 "$(immure status "$NAME" --json | jq .pid)"
	for _ in {1..50}; do
		[[ $(immure status "$NAME" --json | jq .refused) -eq 0 ]] || break
		sleep 0.1
	done
	good status "$NAME"
	tells '1 call refused'
	good logs "$NAME"
	tells 'refused chroot()'
	! grep -q 'let in' <<<"$output"
	good stop "$NAME"
	printf '[Jail]\nRights=chroot() CAP_SYS_CHROOT\n' >>"$IMMURE_CONFIG_DIR/$NAME.conf"
	good build "$NAME"
	good start "$NAME"
	kill -USR2 "$(immure status "$NAME" --json | jq .pid)"
	for _ in {1..50}; do
		immure logs "$NAME" | grep -q 'let in' && break
		sleep 0.1
	done
	good logs "$NAME"
	tells 'let in'
}

@test "walls: rights that no jail has are refused with a remedy" {
	CODE='$| = 1'
	service
	for right in CAP_SYS_ADMIN 'bpf()' nonsense; do
		printf '[Jail]\nRights=\nRights=%s\n' "$right" >"$IMMURE_CONFIG_DIR/$NAME.conf.add"
		cp "$IMMURE_CONFIG_DIR/$NAME.conf" "$WORK/spec"
		cat "$IMMURE_CONFIG_DIR/$NAME.conf.add" >>"$IMMURE_CONFIG_DIR/$NAME.conf"
		refuses 2 build "$NAME"
		says "Rights="
		cp "$WORK/spec" "$IMMURE_CONFIG_DIR/$NAME.conf"
	done
	rm -f "$IMMURE_CONFIG_DIR/$NAME.conf.add" "$WORK/spec"
}

@test "walls: AmbientCapabilities= reaches the service, CapabilityBoundingSet= narrows it" {
	spec "$NAME" <<-'EOF'
	[Service]
	User=nobody
	AmbientCapabilities=CAP_NET_BIND_SERVICE
	ExecStart=/usr/bin/perl -e "sleep 1000"
	[Exercise]
	Ready=true
	EOF
	good build "$NAME"
	good start "$NAME"
	runs_with CapAmb:.0000000000000400 CapBnd:.0000000000000400
	good stop "$NAME"
	sed -i '/Ambient/a CapabilityBoundingSet=CAP_CHOWN' "$IMMURE_CONFIG_DIR/$NAME.conf"
	good build "$NAME"
	good start "$NAME"
	runs_with CapBnd:.0000000000000000
}

@test "walls: a web server that is its worker's user from the first instruction, on a low port" {
	local pid p
	install -d -o www-data "$HERE/web" "$HERE/state"
	echo hello >"$HERE/web/index.html"
	cat >"$HERE/nginx.conf" <<-END
		pid $HERE/state/nginx.pid;
		error_log $HERE/state/error.log;
		events { }
		http {
			access_log $HERE/state/access.log;
			client_body_temp_path $HERE/state/body;
			proxy_temp_path $HERE/state/proxy;
			fastcgi_temp_path $HERE/state/fastcgi;
			uwsgi_temp_path $HERE/state/uwsgi;
			scgi_temp_path $HERE/state/scgi;
			server { listen 127.0.0.1:643; root $HERE/web; }
		}
	END
	spec "$NAME" <<-END
		[Service]
		User=www-data
		AmbientCapabilities=CAP_NET_BIND_SERVICE
		ExecStart=/usr/sbin/nginx -c $HERE/nginx.conf -g 'daemon off;'
		[Exercise]
		Command=curl -sS http://127.0.0.1:643/
	END
	good build "$NAME"
	tells '1 exercise step as natively'
	good start "$NAME"
	[[ $(curl -sS http://127.0.0.1:643/) = hello ]]
	pid=$(immure status "$NAME" --json | jq .pid)
	for p in "$pid" $(pgrep -P "$pid"); do
		[[ $(stat -c %U "/proc/$p") = www-data ]]
		grep -q '^CapBnd:.0000000000000400' "/proc/$p/status"
		grep -q '^NoNewPrivs:.1' "/proc/$p/status"
	done
	rm -r "$HERE/web" "$HERE/state"
}

# of_proc: what the jail has in /proc besides processes.
of_proc() { ls "/proc/$(immure status "$NAME" --json | jq .pid)/root/proc" | grep '^[a-z]' | xargs; }

@test "walls: /proc has processes alone where no run asked for more" {
	CODE='$| = 1; open F, "/proc/self/status" or die'
	service --closure exact
	good start "$NAME"
	[[ $(of_proc) = 'self thread-self' ]]
	good stop "$NAME"
	refuses 1 why "$NAME" proc
	tells 'Rights=proc'
	good remove "$NAME"
	CODE='$| = 1; open F, "/proc/uptime" or die'
	service --closure exact
	good why "$NAME" proc
	tells 'asks for /proc/uptime.*perl'
	good start "$NAME"
	[[ $(of_proc) = *uptime* ]]
	good stop "$NAME"
	sed -i '/^ExecStart=/a ProcSubset=pid' "$IMMURE_CONFIG_DIR/$NAME.conf"
	refuses 1 build "$NAME"
	tells 'ProcSubset= takes away proc, which /usr/bin/perl used (asks for /proc/uptime)'
}

@test "walls: a policy that cannot be read starts nothing" {
	CODE='$| = 1'
	service
	local policy=$IMMURE_STATE_DIR/jails/$NAME/current/policy.json text
	for text in '' '[' '{}' '[{"right":"CAP_SYS_ADMIN","why":"","by":"","phase":"start"}]'; do
		printf '%s' "$text" >"$policy"
		refuses 2 start "$NAME"
		tells 'damaged'
		[[ $(immure status "$NAME" --json | jq -r .state) == stopped ]]
	done
	rm "$policy"
	refuses 2 start "$NAME"
}

@test "walls: a kernel without Landlock, which the summary names; Require= stops there" {
	CODE='$| = 1'
	"$DENY" landlock_create_ruleset -- "$IMMURE" build "$NAME" --ready true -- /usr/bin/perl -e "sleep 1000" >"$WORK/out/build" 3>&-
	grep -q 'no wall.*landlock-files.*landlock-net' "$WORK/out/build"
	"$DENY" landlock_create_ruleset -- "$IMMURE" start "$NAME" 3>&-
	good stop "$NAME"
	printf '[Jail]\nRequire=landlock-net\n' >>"$IMMURE_CONFIG_DIR/$NAME.conf"
	good build "$NAME"
	! "$DENY" landlock_create_ruleset -- "$IMMURE" start "$NAME" 2>"$WORK/out/errors" 3>&-
	grep -q 'Require=landlock-net: this kernel lacks' "$WORK/out/errors"
	good start "$NAME"
}

@test "walls: kernels with an older Landlock do what theirs can" {
	local abi
	for abi in 2 3 4 5 6; do
		"$DENY" "landlock=$abi" -- "$(dirname "$IMMURE")/../tests/unit/test-landlock" 3>&-
	done
	"$DENY" landlock=3 -- "$IMMURE" build "$NAME" --ready true -- /usr/bin/perl -e "sleep 1000" >"$WORK/out/build" 3>&-
	grep -q 'no wall *landlock-net, landlock-ioctl, landlock-scope' "$WORK/out/build"
}

@test "walls: Linux 5.14, the oldest, builds, proves and confines" {
	"$DENY" kernel=5.14 -- "$IMMURE" build "$NAME" --user redis --exercise "$PING" -- "${REDIS[@]}" >"$WORK/out/build" 3>&-
	grep -q "^$NAME: proved" "$WORK/out/build"
	grep -q 'no wall *landlock-files, landlock-net, landlock-ioctl, landlock-scope' "$WORK/out/build"
	"$DENY" kernel=5.14 -- "$IMMURE" prove "$NAME" >"$WORK/out/prove" 3>&-
	grep -q '^  filter *holds' "$WORK/out/prove"
	grep -q '^  landlock *holds.*not tried' "$WORK/out/prove"
}

@test "walls: without a filter nothing is started" {
	CODE='$| = 1'
	service
	! "$DENY" seccomp -- "$IMMURE" start "$NAME" 2>"$WORK/out/errors" 3>&-
	cat "$WORK/out/errors"
	grep -q 'seccomp filter' "$WORK/out/errors"
	[[ $(immure status "$NAME" --json | jq -r .state) == stopped ]]
}

@test "walls: TasksMax= and MemoryMax= hold, and leave nothing behind" {
	spec "$NAME" <<-'EOF'
	[Service]
	TasksMax=5
	MemoryMax=64M
	ExecStart=/usr/bin/perl -e "for (1 .. 20) { my $$p = fork; $$n++ unless defined $$p; $$p // 1 or do { sleep 1 while 1 } } print STDERR qq(refused $$n\n); sleep 1 while 1"
	[Exercise]
	Ready=true
	EOF
	good build "$NAME"
	good start "$NAME"
	for _ in {1..50}; do
		immure logs "$NAME" | grep -q 'refused' && break
		sleep 0.1
	done
	good logs "$NAME"
	tells 'refused 1[67]'
	good status "$NAME" --json
	jq -e '.processes <= 5' <<<"$output" >/dev/null
	good stop "$NAME"
	[[ -z $(find /sys/fs/cgroup -maxdepth 3 -name "immure-$NAME*") ]]
}

@test "walls: a link in the place of the root is no root" {
	CODE='$| = 1'
	service
	local root
	root=$(readlink -f "$IMMURE_STATE_DIR/jails/$NAME/current")/root
	mv "$root" "$root.kept"
	ln -s / "$root"
	refuses 5 start "$NAME"
	tells 'generations/1/root: Not a directory'
	rm "$root"
	mv "$root.kept" "$root"
	good start "$NAME"
}
