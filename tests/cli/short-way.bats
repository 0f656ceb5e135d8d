#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# The compiled start: `immure run` takes it when nothing has changed, and the long way else, with
# the same outcome.

NAME=cli-short PORT=18609
load helpers

DATA=/usr/local/share/immure-cli-short SITE=/srv/immure-cli-short

setup()
{
	rm -rf "$IMMURE_CONFIG_DIR" "$IMMURE_STATE_DIR" "$IMMURE_RUN_DIR" "$DATA"
	mkdir -p "$WORK/out" "$DATA"
	echo 'good words' >"$DATA/words"
	touch -d 2026-01-01 "$DATA/words"
}

teardown()
{
	immure remove -q "$NAME" || true
	rm -rf "$DATA" "$SITE" /etc/immure-cli-short /etc/immure-cli-short.conf
} 2>/dev/null

# A service that says what its configuration is and serves the words.
build_service()
{
	echo 'first' >/etc/immure-cli-short.conf
	good build "$NAME" --exercise "nc -N 127.0.0.1 $PORT </dev/null | grep good" -- /usr/bin/perl -MSocket -e \
		"\$| = 1; open F, '/etc/immure-cli-short.conf' or die; print <F>; open F, '$DATA/words' or die; @w = <F>;
		socket(S, PF_INET, SOCK_STREAM, 0); setsockopt(S, SOL_SOCKET, SO_REUSEADDR, 1);
		bind(S, sockaddr_in($PORT, INADDR_LOOPBACK)) or die; listen(S, 9); while (accept(C, S)) { print C @w; close C }"
	sleep 0.1 # marks of this very moment would say nothing
}

# begun: runs it in the background
begun()
{
	"$IMMURE" run "$NAME" >"$WORK/out/run" 2>&1 3>&- 8>&- &
	runner=$!
	eventually 10 listening
}

# ended: stops what begun has started
ended()
{
	local status=0

	good stop "$NAME"
	wait "$runner" || status=$?
	[[ -z $(ls -A "$IMMURE_RUN_DIR") ]]
}

# way WHICH: what runs was started by the long or the short way: the init of the one has been
# executed, that of the other is a copy of what was typed.
way()
{
	local which=long init

	init=$(jq -r .init "$IMMURE_RUN_DIR/$NAME.json")
	[[ $(tr '\0' ' ' <"/proc/$init/cmdline") == *--init* ]] || which=short
	[[ $which == "$1" ]] || { echo "the $which way was taken"; return 1; }
}

@test "short way: the second run takes it, is served on, and leaves nothing" {
	build_service
	begun
	way long
	ended
	[[ -f $IMMURE_STATE_DIR/jails/$NAME/start.bin ]]
	begun
	way short
	good status "$NAME"
	tells running
	eventually 5 eval "nc -N 127.0.0.1 $PORT </dev/null | grep -q good"
	# The keeper has come: TERM ends it as it ends any other.
	eventually 5 eval '[[ $(tr "\0" " " <"/proc/$runner/cmdline") == *--keep* ]]'
	kill -TERM "$runner"
	wait "$runner" || true
	refuses 3 status "$NAME"
	[[ -z $(ls -A "$IMMURE_RUN_DIR") ]]
}

@test "short way: a signal at once, and a start that dies at once" {
	build_service
	begun
	ended
	for delay in 0 0.002 0.005 0.01 0.02; do
		"$IMMURE" run "$NAME" >"$WORK/out/run" 2>&1 3>&- 8>&- &
		runner=$!
		sleep "$delay"
		kill -TERM "$runner"
		wait "$runner" || true
		eventually 5 eval '! immure status "$NAME" >/dev/null'
		not listening
		[[ -z $(ls -A "$IMMURE_RUN_DIR") ]]
	done
	for delay in 0 0.002 0.005 0.01; do
		"$IMMURE" run "$NAME" >"$WORK/out/run" 2>&1 3>&- 8>&- &
		runner=$!
		sleep "$delay"
		kill -KILL "$runner"
		wait "$runner" || true
		eventually 5 eval '! listening'
		good start "$NAME"
		good stop "$NAME"
	done
}

@test "short way: whatever has changed is seen" {
	build_service
	begun
	ended
	# A copied file of configuration, edited with its time set back.
	echo 'other' >/etc/immure-cli-short.conf
	touch -d 2026-01-01 /etc/immure-cli-short.conf
	begun
	way long
	grep -q other "$WORK/out/run"
	ended
	sleep 0.1
	begun
	ended
	begun
	way short
	grep -q other "$WORK/out/run"
	ended
	# Another generation.
	mkdir -p "$IMMURE_CONFIG_DIR/$NAME.conf.d"
	printf '[Service]\nEnvironment=A=b\n' >"$IMMURE_CONFIG_DIR/$NAME.conf.d/own.conf"
	good build "$NAME"
	begun
	way long
	grep -qz '^A=b' "/proc/$(jail_pid)/environ"
	ended
}

@test "short way: somebody else's file, a damaged one, one of another place: the long way" {
	build_service
	begun
	ended
	file=$IMMURE_STATE_DIR/jails/$NAME/start.bin
	cp "$file" "$WORK/start.bin"
	for harm in 'truncate -s 100' 'chown nobody' 'chmod 666' 'dd if=/dev/urandom bs=1 count=64 seek=300 conv=notrunc status=none of='; do
		rm -f "$file"
		cp "$WORK/start.bin" "$file"
		case $harm in dd*) $harm"$file" ;; *) $harm "$file" ;; esac
		begun
		way long
		ended
		sleep 0.1
	done
	rm -f "$file"
	ln -s "$WORK/start.bin" "$file"
	begun
	way long
	ended
	[[ -f $file && ! -L $file ]]
}

@test "short way: never two of one, and what is wrong is said as ever" {
	build_service
	begun
	refuses 5 run "$NAME"
	says "$NAME"
	ended
	# Somebody of the host listens there.
	perl -MSocket -e "socket(S, PF_INET, SOCK_STREAM, 0); setsockopt(S, SOL_SOCKET, SO_REUSEADDR, 1);
		bind(S, sockaddr_in($PORT, INADDR_LOOPBACK)) or die; listen(S, 9); sleep 60" 3>&- 8>&- &
	native=$!
	eventually 5 listening
	status=0
	"$IMMURE" run "$NAME" >"$WORK/out/run" 2>"$WORK/out/errors" || status=$?
	kill "$native"
	wait "$native" || true
	[[ $status -ne 0 ]]
	grep -q "is running outside the jail" "$WORK/out/errors"
	[[ -z $(ls -A "$IMMURE_RUN_DIR") ]]
	# The root has become a link: refused, with its name.
	root=$(readlink -f "$IMMURE_STATE_DIR/jails/$NAME/current")/root
	mv "$root" "$root.away"
	ln -s / "$root"
	status=0
	"$IMMURE" run "$NAME" >"$WORK/out/run" 2>"$WORK/out/errors" || status=$?
	rm "$root"
	mv "$root.away" "$root"
	[[ $status -ne 0 ]]
	grep -q root "$WORK/out/errors"
}

@test "short way: the same jail in another place is another jail" {
	build_service
	begun
	ended
	cp -a "$IMMURE_STATE_DIR" "$WORK/elsewhere"
	IMMURE_STATE_DIR=$WORK/elsewhere
	begun
	way long
	ended
	rm -rf "$WORK/elsewhere"
}

@test "short way: none where a start depends on what has no mark" {
	build_service
	mkdir -p "$IMMURE_CONFIG_DIR/$NAME.conf.d"
	for line in 'Environment=HOST=%H' "EnvironmentFile=$DATA/variables" 'ReadOnlyPaths=/usr' 'ExecStartPre=/usr/bin/perl -e 1' \
		$'[Jail]\nState=/etc/immure-cli-short'; do
		echo A=b >"$DATA/variables"
		mkdir -p /etc/immure-cli-short
		[[ $line == \[* ]] || line=$'[Service]\n'$line
		echo "$line" >"$IMMURE_CONFIG_DIR/$NAME.conf.d/own.conf"
		good build "$NAME"
		rm -f "$IMMURE_STATE_DIR/jails/$NAME/start.bin"
		sleep 0.1
		begun
		ended
		[[ ! -e $IMMURE_STATE_DIR/jails/$NAME/start.bin ]] || { echo "compiled with $line"; return 1; }
	done
}

@test "short way: what puts itself into the background is followed, and its pacer ends" {
	good build "$NAME" --exercise "nc -N 127.0.0.1 $PORT </dev/null | grep good" -- /usr/bin/perl -MSocket -e \
		"open F, '$DATA/words' or die; @w = <F>; socket(S, PF_INET, SOCK_STREAM, 0); setsockopt(S, SOL_SOCKET, SO_REUSEADDR, 1);
		bind(S, sockaddr_in($PORT, INADDR_LOOPBACK)) or die; exit 0 if fork; listen(S, 9); while (accept(C, S)) { print C @w; close C }"
	sleep 0.1
	begun
	eventually 10 eval '[[ $(tr "\0" " " <"/proc/$runner/cmdline") == *--keep* ]]'
	ended
	begun
	way short
	eventually 10 eval '[[ $(tr "\0" " " <"/proc/$runner/cmdline") == *--keep* ]]'
	[[ -z $(ps -o comm= --ppid "$runner" | grep pace) ]]
	eventually 5 eval "nc -N 127.0.0.1 $PORT </dev/null | grep -q good"
	ended
}

@test "short way: what is written in state inside of content is none of a start's business" {
	mkdir -p "$SITE/state"
	echo 'good words' >"$SITE/words"
	chown nobody "$SITE/state"
	good build "$NAME" --user nobody --state "$SITE/state" --exercise "nc -N 127.0.0.1 $PORT </dev/null | grep good" -- /usr/bin/perl -MSocket -e \
		"open F, '$SITE/words' or die; @w = <F>; open G, '>>$SITE/state/log'; print G \$\$; close G;
		socket(S, PF_INET, SOCK_STREAM, 0); setsockopt(S, SOL_SOCKET, SO_REUSEADDR, 1);
		bind(S, sockaddr_in($PORT, INADDR_LOOPBACK)) or die; listen(S, 9); while (accept(C, S)) { print C @w; close C }"
	sleep 0.1
	begun
	ended
	begun
	way short
	ended
	# Beside it, all counts.
	echo more >"$SITE/other"
	begun
	way long
	ended
}
