#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# What a unit's own hardening (systemd.exec(5)) takes away in a jail, and that a build says so where a run needed it.

NAME=cli-hardening PORT=18623
load helpers

setup()
{
	mkdir -p "$WORK/out"
}

teardown()
{
	immure stop -q "$NAME" || true
	immure remove -q "$NAME" || true
} 2>/dev/null

# Calls by number, each with what it says of itself where nothing holds it back. They are made on USR2: no run saw them.
ATTEMPTS='
sub try { my ($name, @call) = @_; local $! = 0; my $r = syscall $call[0], @call[1 .. $#call]; printf STDERR "%s %d\n", $name, $r < 0 ? $! + 0 : 0 }
$SIG{USR2} = sub {
	try "setresuid", 117, -1, -1, -1;
	try "chown", 92, "/nonexistent", -1, -1;
	try "inet", 41, 2, 1, 0;
	try "unix", 41, 1, 1, 0;
	try "wx", 9, 0, 4096, 7, 0x22, -1, 0;
	try "rx", 9, 0, 4096, 5, 0x22, -1, 0;
	try "realtime", 144, 999999, 1, "";
	try "batch", 144, 999999, 3, "";
	try "done", 39;
};
$| = 1; sleep 1 while 1'

# hardened LINE...: the service with these lines in its [Service]; what it says of its attempts is in $output.
hardened()
{
	local user=$1
	shift
	printf '%s\n' "$ATTEMPTS" >"$HERE/attempts.pl"
	{
		printf '[Service]\nUser=%s\nExecStart=/usr/bin/perl %s\n' "$user" "$HERE/attempts.pl"
		printf '%s\n' "$@" '[Exercise]' 'Ready=true'
	} | spec "$NAME"
	good build "$NAME"
	good start "$NAME"
	kill -USR2 "$(immure status "$NAME" --json | jq .pid)"
	for _ in {1..50}; do
		immure logs "$NAME" | grep -q '^done' && break
		sleep 0.1
	done
	good logs "$NAME"
	tells '^done 0'
}

@test "hardening: without any, a jail lets these through" {
	hardened nobody
	for call in setresuid unix inet wx rx; do tells "^$call 0"; done
	tells '^chown 2'	# ENOENT
	tells '^realtime 3$'	# ESRCH: asked for of a process that is not there
	tells '^batch 3$'
}

@test "hardening: SystemCallFilter=, for the launcher's own calls too, counted and named" {
	hardened nobody SystemCallFilter=@system-service SystemCallFilter=~@privileged
	tells '^setresuid 1'
	tells '^chown 1$'
	tells 'refused chown()'
	tells '^inet 0'
	good status "$NAME" --json
	json '.refused == 1'
}

@test "hardening: SystemCallFilter= of a root service" {
	hardened root SystemCallFilter=~@privileged
	tells '^setresuid 1'
	tells '^chown 1$'
	grep -q '^NoNewPrivs:.1' "/proc/$(immure status "$NAME" --json | jq .pid)/status"
}

@test "hardening: families, memory, scheduling" {
	hardened nobody RestrictAddressFamilies=AF_UNIX MemoryDenyWriteExecute=yes RestrictRealtime=yes
	tells '^inet 97'	# EAFNOSUPPORT
	tells '^unix 0'
	tells '^wx 1'
	tells '^rx 0'
	tells '^realtime 1$'
	tells '^batch 3$'
	! immure build "$NAME" --dry-run | grep -q 'not enforced'
}

@test "hardening: what a run needed is told, and fails the proof" {
	spec "$NAME" <<-'EOF'
	[Service]
	ExecStart=/usr/bin/perl -e 'chroot "/" or die "no chroot: \$!\n"; sleep 1 while 1'
	SystemCallFilter=~@mount
	[Exercise]
	Ready=true
	EOF
	refuses 1 build "$NAME"
	tells 'SystemCallFilter= takes away chroot(), which /usr/bin/perl used'
	tells 'refused.*chroot'
}

@test "hardening: words that nobody knows stop the build, with the directive" {
	spec "$NAME" <<-'EOF'
	[Service]
	ExecStart=/bin/sleep 1000
	SystemCallFilter=~@nosuch
	EOF
	refuses 2 build "$NAME"
	says 'SystemCallFilter=' '@nosuch'
}

@test "hardening: ReadOnlyPaths=, ReadWritePaths= and InaccessiblePaths=, on what the jail has" {
	local pid
	install -d -o nobody "$HERE/state" "$HERE/state/kept" "$HERE/state/kept/open" "$HERE/state/hidden"
	echo secret >"$HERE/state/hidden/word"
	echo secret >"$HERE/state/word"
	chown -R nobody "$HERE/state"
	spec "$NAME" <<-EOF2
	[Service]
	User=nobody
	ExecStart=/usr/bin/perl -e 'open F, ">", "$HERE/state/pid" or die "no pid: \$!\\\\n"; sleep 1 while 1'
	ReadOnlyPaths=/ -$HERE/state/kept
	ReadWritePaths=$HERE/state $HERE/state/kept/open
	InaccessiblePaths=-/home $HERE/state/hidden -$HERE/state/word
	[Jail]
	State=$HERE/state
	[Exercise]
	Ready=true
	EOF2
	good build "$NAME"
	good start "$NAME"
	pid=$(immure status "$NAME" --json | jq .pid)
	flags_of() { awk -v at="$1" '$5 == at { print $6 }' "/proc/$pid/mountinfo" | tail -1; }
	[[ $(flags_of "$HERE/state") = rw,* && $(flags_of "$HERE/state/kept") = ro,* ]]
	[[ $(flags_of "$HERE/state/kept/open") = rw,* ]]
	[[ -z $(ls -A "/proc/$pid/root$HERE/state/hidden") && $(stat -c %a "/proc/$pid/root$HERE/state/hidden") = 0 ]]
	[[ ! -s /proc/$pid/root$HERE/state/word ]]
	good stop "$NAME"
	# What the service writes, taken away.
	sed -i "s|^ReadWritePaths=.*|ReadWritePaths=/nonexistent|" "$IMMURE_CONFIG_DIR/$NAME.conf"
	refuses 1 build "$NAME"
	tells 'no pid: Read-only file system'
	rm -r "$HERE/state"
}

@test "hardening: NoExecPaths= and ExecPaths=, the longer path counts" {
	local pid
	install -d "$HERE/state" "$HERE/extra"
	for at in "$HERE/extra/true" "$HERE/state/true"; do cp /bin/true "$at"; done
	chmod 666 "$HERE/state/true"
	spec "$NAME" <<-EOF2
	[Service]
	ExecStart=/usr/bin/perl -e '\$\$SIG{USR2} = sub { for (qw($HERE/state/true $HERE/extra/true /usr/bin/id /usr/bin/true)) { my \$\$r = system(\$\$_) ? 0 : 1; print "\$\$_ \$\$r \$\$!\\n" } print "done\\n" }; \$\$| = 1; sleep 1 while 1'
	NoExecPaths=/
	ExecPaths=/usr -/nonexistent
	NoExecPaths=/usr/bin $HERE
	ExecPaths=/usr/bin/perl /usr/bin/true
	[Jail]
	State=$HERE/state
	Include=/usr/bin/id /usr/bin/true $HERE/extra/true
	Rights=exec:$HERE/state
	[Exercise]
	Ready=true
	EOF2
	good build "$NAME"
	not tells 'not enforced'
	good start "$NAME"
	pid=$(immure status "$NAME" --json | jq .pid)
	flags_of() { awk -v at="$1" '$5 == at { print $6 }' "/proc/$pid/mountinfo" | tail -1; }
	[[ $(flags_of /) == *noexec* && $(flags_of /usr) != *noexec* && $(flags_of /usr/bin) == *noexec* ]]
	[[ $(flags_of /usr/bin/true) != *noexec* && $(flags_of "$HERE/state") == *noexec* && $(flags_of /tmp) == *noexec* ]]
	kill -USR2 "$pid"
	eventually 5 eval 'immure logs "$NAME" | grep -q ^done'
	good logs "$NAME"
	tells "^/usr/bin/true 1"
	tells "^/usr/bin/id 0 Permission denied"
	tells "^$HERE/extra/true 0 Permission denied"
	tells "^$HERE/state/true 0 Permission denied"
	good stop "$NAME"
	# Where a run needs what is taken, that is told.
	sed -i 's|^ExecPaths=/usr/bin/perl.*|ExecPaths=/usr/bin/true|' "$IMMURE_CONFIG_DIR/$NAME.conf"
	refuses 1 build "$NAME"
	tells 'NoExecPaths= takes away /usr/bin/perl, which a run executed'
	rm -r "$HERE/state" "$HERE/extra"
}

@test "hardening: PrivateNetwork= is a network with lo alone" {
	local pid
	spec "$NAME" <<-EOF2
	[Service]
	ExecStart=${REDIS[*]} --dir /
	PrivateNetwork=yes
	[Exercise]
	Command=$PING
	EOF2
	good build "$NAME"
	good start "$NAME"
	pid=$(immure status "$NAME" --json | jq .pid)
	[[ $(readlink "/proc/$pid/ns/net") != "$(readlink /proc/self/ns/net)" ]]
	! $PING 2>/dev/null
	[[ $(nsenter -t "$pid" -n redis-cli -p "$PORT" ping) = PONG ]]
	[[ $(tail -n +3 "/proc/$pid/net/dev" | cut -d: -f1 | xargs) = lo ]]
}
