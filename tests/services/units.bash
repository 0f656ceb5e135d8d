# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# Builds of Debian's units as they are installed. After helpers.bash.

# What the units write natively and no other story does.
DATA=(/etc/bind /etc/postfix /etc/postgresql /etc/ssh /var/cache/bind /var/lib/postfix /var/lib/postgresql
	/var/spool/postfix)

host_data() { find "${DATA[@]}" -printf '%p %y %s %T@ %C@ %m %u\n' 2>/dev/null | sort; }

# unit UNIT EXERCISE...: the build is good, and the host's data are untouched.
unit()
{
	local unit=$1 step options=()

	shift
	for step; do options+=(--exercise "$step"); done
	host_data >"$WORK/out/before"
	immure build "$NAME" --unit "$unit" "${options[@]}" >"$WORK/out/summary" 2>&1 ||
		{ show "$WORK/out/summary"; return 1; }
	head -n 1 "$WORK/out/summary" | grep -w proved | grep -vqw not
	host_data | diff "$WORK/out/before" -
	every_path_has_a_reason
	immure remove "$NAME"
	no_leftovers
}

teardown() { immure remove "$NAME" >/dev/null 2>&1 || true; }
