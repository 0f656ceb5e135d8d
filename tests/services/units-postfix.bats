#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Debian's unit of Postfix, with Debian's configuration, as in units.bats.
# Alone: while /etc/postfix/main.cf is there, the scripts of any Postfix run other programs.

NAME=units-postfix
load helpers
load units

made=()

# What the administrator is asked for.
fixture()
{
	made=()
	if [[ ! -e /etc/postfix/main.cf ]]; then
		cp /usr/share/postfix/main.cf.debian /etc/postfix/main.cf
		made+=(/etc/postfix/main.cf)
	fi
}

clean_up() { rm -rf "${made[@]}"; }

@test "unit: postfix@-.service" {
	unit postfix@-.service "printf 'QUIT\r\n' | nc -w 5 127.0.0.1 25 | grep ^221"
}
