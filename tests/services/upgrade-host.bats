#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# The host is changed under services that run: libssl replaced by another of the same name under an
# Apache with TLS, as a security update does it, and a PAM stack that comes to need another module.

NAME=upgrade-host
load helpers

PORTS=(18141)
PLACE=/usr/lib/immure-check-ssl
COMMAND=(/usr/sbin/apache2 -f "$HERE/apache.conf" -DFOREGROUND)
ASK="curl -sk https://127.0.0.1:18141/"
STACK=/etc/pam.d/immure-check-upgrade
LOGIN=upgrade-host-login

# libssl VERSION: a package with the host's libssl, told apart by a section of its own.
libssl()
{
	local dir=$HERE/ssl

	mkdir -p "$dir/DEBIAN" "$dir$PLACE"
	echo "$1" >"$HERE/version"
	objcopy --add-section ".immure=$HERE/version" "$(realpath /usr/lib/*-linux-gnu/libssl.so.3)" "$dir$PLACE/libssl.so.3"
	printf 'Package: immure-check-ssl\nVersion: %s\nArchitecture: all\nMaintainer: immure\nDescription: for a test\n' \
		"$1" >"$dir/DEBIAN/control"
	dpkg-deb --root-owner-group -b "$dir" "$HERE/ssl.deb" >/dev/null
	dpkg -i "$HERE/ssl.deb" >"$WORK/out/dpkg" 2>&1 || { show "$WORK/out/dpkg"; return 1; }
}

fixture()
{
	local modules=/usr/lib/apache2/modules

	make_certificate
	mkdir -p "$HERE"/{www,log}
	echo hello >"$HERE/www/index.html"
	cat >"$HERE/apache.conf" <<-CONF
		ServerRoot $HERE
		ServerName 127.0.0.1
		Listen 127.0.0.1:18141
		User www-data
		Group www-data
		PidFile $HERE/log/apache.pid
		ErrorLog $HERE/log/error.log
		LoadModule mpm_event_module $modules/mod_mpm_event.so
		LoadModule authz_core_module $modules/mod_authz_core.so
		LoadModule dir_module $modules/mod_dir.so
		LoadModule socache_shmcb_module $modules/mod_socache_shmcb.so
		LoadModule ssl_module $modules/mod_ssl.so
		DocumentRoot $HERE/www
		DirectoryIndex index.html
		SSLEngine on
		SSLCertificateFile $HERE/tls.crt
		SSLCertificateKeyFile $HERE/tls.key
	CONF
	libssl 1
}

clean_up()
{
	immure remove "$LOGIN" >/dev/null 2>&1 || true
	dpkg -P immure-check-ssl >/dev/null 2>&1 || true
	rm -f "$STACK"
}

finds() { immure check "$NAME" >"$WORK/out/check" || [[ $? -eq 1 ]]; grep -q "$1" "$WORK/out/check" || { show "$WORK/out/check"; return 1; }; }

@test "libssl: replaced under Apache, followed, proved, and who has the old one is named" {
	immure build "$NAME" --env LD_LIBRARY_PATH="$PLACE" --sample "$HERE/log=empty" --exercise "$ASK" -- "${COMMAND[@]}" >"$WORK/out/summary" 2>&1 ||
		{ show "$WORK/out/summary"; return 1; }
	touch "$WORK/out/built"
	immure check "$NAME" --deep
	jail_start
	libssl 2
	finds "drift: $PLACE/libssl.so.3 is of immure-check-ssl 1; the host has 2 for less than an hour"
	[[ $($ASK) == hello ]]
	immure update "$NAME" >"$WORK/out/update"
	show "$WORK/out/update"
	grep -q 'generation 1 to 2: package immure-check-ssl 1 to 2' "$WORK/out/update"
	finds "restart: $PLACE/libssl.so.3 was replaced, and is still in use by pid $(jail_pid) (apache2) and [1-9]"
	immure restart --due
	[[ $($ASK) == hello ]]
	immure check "$NAME"
	immure diff "$NAME" | grep -q '^~ package immure-check-ssl: 1 to 2'
	cmp "$PLACE/libssl.so.3" "$(immure status "$NAME" --json | jq -r .root)$PLACE/libssl.so.3"
}

@test "pam: a stack that was changed brings its module" {
	cat >"$HERE/login.c" <<-'C'
		#include <arpa/inet.h>
		#include <security/pam_appl.h>
		#include <stdio.h>
		#include <stdlib.h>
		#include <string.h>
		#include <unistd.h>
		static int talk(int n, const struct pam_message **m, struct pam_response **r, void *p)
		{
			*r = calloc(n, sizeof(**r));
			return PAM_SUCCESS;
		}
		int main(void)
		{
			struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(18142)};
			const struct pam_conv conv = {talk, NULL};
			int on = 1, s = socket(AF_INET, SOCK_STREAM, 0);
			a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
			setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
			if (bind(s, (void *)&a, sizeof(a)) || listen(s, 9))
				return 1;
			for (;;) {
				char user[99] = "";
				pam_handle_t *h = NULL;
				int c = accept(s, 0, 0), r;
				if (read(c, user, sizeof(user) - 1) > 0) {
					user[strcspn(user, "\n")] = 0;
					r = pam_start("immure-check-upgrade", user, &conv, &h);
					r = r ? r : pam_authenticate(h, 0);
					pam_end(h, r);
					dprintf(c, "%s\n", r ? "no" : "yes");
				}
				close(c);
			}
		}
	C
	cc -w -o "$HERE/login" "$HERE/login.c" -lpam
	login() { echo "$1" | nc -N 127.0.0.1 18142; }
	printf 'auth required pam_permit.so\n' >"$STACK"
	immure build -q "$LOGIN" --exercise 'echo daemon | nc -N 127.0.0.1 18142; echo root | nc -N 127.0.0.1 18142' -- "$HERE/login"
	immure start "$LOGIN"
	[[ $(login daemon) == yes && $(login root) == yes ]]
	immure files "$LOGIN" >"$WORK/out/files"
	not grep -q pam_succeed_if.so "$WORK/out/files"
	printf 'auth required pam_permit.so\nauth required pam_succeed_if.so quiet user = daemon\n' >"$STACK"
	immure update "$LOGIN" --restart >"$WORK/out/update"
	show "$WORK/out/update"
	grep -q restarted "$WORK/out/update"
	immure files "$LOGIN" | grep -q pam_succeed_if.so
	[[ $(login daemon) == yes && $(login root) == no ]]
	immure check "$LOGIN" --deep
	immure remove "$LOGIN"
}

@test "upgrade-host: remove leaves nothing" {
	remove_leaves_nothing
}
