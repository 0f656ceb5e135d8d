#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Packages are upgraded under a jail that runs: a library with another soname, and a version that
# does not start. What is proved is taken and restarted, as Update= says, when the upgrade is over;
# what is not leaves the jail as it is, and is told. Real packages, made here.

NAME=upgrade
load helpers

PORTS=(18111)
PLACE=/usr/lib/immure-check-upgrade
COMMAND=("$PLACE/server" 18111)
ASK="curl -s http://127.0.0.1:18111/"

# package NAME VERSION: of what lies in $HERE/NAME.
package()
{
	mkdir -p "$HERE/$1/DEBIAN"
	printf 'Package: %s\nVersion: %s\nArchitecture: all\nMaintainer: immure\nDescription: for a test\n' "$1" "$2" \
		>"$HERE/$1/DEBIAN/control"
	dpkg-deb --root-owner-group -b "$HERE/$1" "$HERE/$1.deb" >/dev/null
}

# upgrade VERSION ANSWER SOURCE: the library libanswer.so.VERSION, and a server that needs it.
upgrade()
{
	local lib=$HERE/immure-check-answer server=$HERE/immure-check-server

	rm -rf "$lib" "$server"
	mkdir -p "$lib$PLACE" "$server$PLACE"
	echo "const char *answer(void) { return \"$2\"; }" >"$HERE/answer.c"
	cc -shared -fPIC -Wl,-soname,"libanswer.so.$1" -o "$lib$PLACE/libanswer.so.$1" "$HERE/answer.c"
	cc -o "$server$PLACE/server" "$3" "$lib$PLACE/libanswer.so.$1" -Wl,-rpath,"$PLACE"
	package immure-check-answer "$1"
	package immure-check-server "$1"
	dpkg -i "$lib.deb" "$server.deb" >"$WORK/out/dpkg" 2>&1 || { show "$WORK/out/dpkg"; return 1; }
	sh -c "$(sed -n 's/.*{ "\(.*\)"; };/\1/p' "$BATS_TEST_DIRNAME/../../data/90immure" | sed "s#/run/immure#$WORK/run#g")"
}

over() { touch -d '2 minutes ago' "$WORK/run/upgraded"; }

fixture()
{
	cat >"$HERE/server.c" <<-'C'
		#include <arpa/inet.h>
		#include <stdio.h>
		#include <stdlib.h>
		#include <unistd.h>
		const char *answer(void);
		int main(int argc, char **argv)
		{
			struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[1]))};
			int on = 1, s = socket(AF_INET, SOCK_STREAM, 0);
			a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
			setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
			if (argc < 2 || bind(s, (void *)&a, sizeof(a)) || listen(s, 9))
				return 1;
			for (;;) {
				char in[999];
				int c = accept(s, 0, 0);
				if (read(c, in, sizeof(in)) > 0)
					dprintf(c, "HTTP/1.0 200 OK\r\n\r\n%s", answer());
				close(c);
			}
		}
	C
	echo 'int main(void) { return 3; }' >"$HERE/broken.c"
	upgrade 1 one "$HERE/server.c"
}

clean_up() { dpkg -P immure-check-server immure-check-answer >/dev/null 2>&1 || true; }

answers() { [[ $($ASK) == "$1" ]]; }

@test "upgrade: another soname is followed when the upgrade is over, and restarted" {
	immure build "$NAME" --user nobody --exercise "$ASK" -- "${COMMAND[@]}" >"$WORK/out/summary" 2>&1 ||
		{ show "$WORK/out/summary"; return 1; }
	touch "$WORK/out/built"
	jail_start
	eventually 5 answers one
	immure check "$NAME"
	upgrade 2 two "$HERE/server.c"
	status=0
	immure check "$NAME" >"$WORK/out/check" || status=$?
	show "$WORK/out/check"
	[[ $status -eq 1 ]]
	grep -q 'immure-check-server 1; the host has 2' "$WORK/out/check"
	immure diff "$NAME" | grep -q '^! package immure-check-server: 1 here, the host has 2 for less than an hour'
	# dpkg keeps the time of a file's making: when it came to the host its inode tells.
	immure diff "$NAME" --json | jq -e '.behind | map(select(.package == "immure-check-answer"))[0] |
		.version == "1" and .host_version == "2" and .hours == 0'
	# Not while it may still be under way: the last mark is too young, or dpkg is at work.
	immure update --auto
	over
	python3 - "$IMMURE" update --auto <<-'PYTHON' 3>&-
		import fcntl, subprocess, sys
		with open("/var/lib/dpkg/lock", "r+") as lock:
		    fcntl.lockf(lock, fcntl.LOCK_EX)
		    subprocess.run(sys.argv[1:], check=True)
	PYTHON
	[[ $(immure status "$NAME" --json | jq .generation) == 1 ]]
	over
	immure update --auto >"$WORK/out/update"
	show "$WORK/out/update"
	grep -q restarted "$WORK/out/update"
	[[ ! -e $WORK/run/upgraded ]]
	answers two
	[[ $(immure status "$NAME" --json | jq .generation) == 2 ]]
	immure check "$NAME"
	immure files "$NAME" | grep -q libanswer.so.2
	immure files "$NAME" >"$WORK/out/files"
	not grep -q libanswer.so.1 "$WORK/out/files"
}

@test "upgrade: what is not proved leaves the jail as it is, and is told until it is" {
	need_build
	upgrade 3 three "$HERE/broken.c"
	over
	status=0
	immure update --auto >"$WORK/out/update" 2>&1 || status=$?
	show "$WORK/out/update"
	[[ $status -eq 1 ]]
	answers two
	immure status "$NAME" | grep -q degraded
	immure status "$NAME" --json | jq -e '.degraded and .generation == 2'
	immure check "$NAME" >"$WORK/out/check" || [[ $? -eq 1 ]]
	show "$WORK/out/check"
	grep -q '^upgrade: critical: its update has not been proved since' "$WORK/out/check"
	grep -q '^upgrade: critical: has immure-check-server 2, the host 3 for less than an hour' "$WORK/out/check"
	immure check "$NAME" --json | jq -e '[.jails[0].findings[].kind] | index("critical")'
	upgrade 4 four "$HERE/server.c"
	over
	immure update --auto -q
	answers four
	immure status "$NAME" --json | jq -e '.degraded == null'
	immure check "$NAME"
}

@test "upgrade: Update=build builds only, restart --due takes it" {
	need_build
	printf '\n[Jail]\nUpdate=build\n' >>"$WORK/etc/$NAME.conf"
	upgrade 5 five "$HERE/server.c"
	over
	immure update --auto -q
	answers four
	immure check "$NAME" >"$WORK/out/check" || [[ $? -eq 1 ]]
	show "$WORK/out/check"
	grep -q 'immure restart' "$WORK/out/check"
	# Who has the old files in memory is named, by the service's own number.
	grep -q "restart: $PLACE/libanswer.so.4 was replaced, and is still in use by pid $(jail_pid) (server)" "$WORK/out/check"
	grep -q "restart: $PLACE/server was replaced, and is still in use" "$WORK/out/check"
	not grep -q 'libc.so.6 was replaced' "$WORK/out/check"
	immure restart --due
	immure check "$NAME"
	answers five
	[[ -z $(immure restart --due) ]]
	printf '\n[Jail]\nUpdate=notify\n' >>"$WORK/etc/$NAME.conf"
	immure build -q "$NAME"
	upgrade 6 six "$HERE/server.c"
	over
	before=$(immure status "$NAME" --json | jq .generation)
	immure update --auto -q
	[[ $(immure status "$NAME" --json | jq .generation) == "$before" ]]
	immure update "$NAME" --restart -q
	answers six
}

@test "upgrade: remove leaves nothing" {
	remove_leaves_nothing
}
