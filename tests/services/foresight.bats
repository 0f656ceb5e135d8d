#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# What nobody has exercised. Small servers (foresight/) are built with no client session at all:
# started and stopped. In the jail they are asked for the first time. Where a test says only_foreseen,
# the same questions fail in a jail of what was used (Closure=exact): it is foresight that answers.

# shellcheck disable=SC2030,SC2031 # each test has its own COMMAND and SETTINGS
NAME=foresight
load helpers
load foresight/private-host

PORTS=(18401)
LINES=() # of [Service]

fixture()
{
	open_private_host
	make_programs
	configure_private_host
	others_serve
}

clean_up()
{
	others_end
	close_private_host
}

teardown() { immure remove "$NAME" >/dev/null 2>&1 || true; }

make_programs()
{
	local from=$BATS_TEST_DIRNAME/foresight
	local -A needs=([login]=-lpam [tls]="-lssl -lcrypto" [term]=-ltinfo)
	local question

	for question in locale zone iconv resolve account login tls random run term plugin; do
		# shellcheck disable=SC2086 # words
		inside cc -D_GNU_SOURCE -Wall -O1 -o "$BIN/asked-$question" "$from/asked.c" \
			"$from/$question.c" ${needs[$question]-} || return
	done
	inside mkdir -p "$BIN/modules" "$BIN/lib/Cage"
	inside cc -shared -fPIC -o "$BIN/modules/module.so" "$from/module.c" -lz
	inside cp "$from/asked.py" "$from/asked.pl" "$BIN"
	inside chmod 755 "$BIN/asked.py" "$BIN/asked.pl"
	written "$BIN/lib/Cage/Bird.pm" "package Cage::Bird;" "use Text::Wrap;" "sub sings { wrap('', '', 'tweet') }" 1
}

# --- words of this story ------------------------------------------------------------------------

# serves QUESTION [SETTING...]: which of the programs is the service, and its configuration.
serves()
{
	COMMAND=("$BIN/asked-$1" /etc/asked.conf)
	written /etc/asked.conf "port = 18401" "${@:2}"
}

# jail [LINE...]: a build whose exercise asks nothing; the lines are those of [Jail] in the spec.
jail()
{
	mkdir -p "$IMMURE_CONFIG_DIR"
	printf '%s\n' "[Service]" "ExecStart=${COMMAND[*]}" "${SETTINGS[@]/#/Environment=}" "${LINES[@]}" "[Jail]" "$@" \
		"[Exercise]" "Command=nc -z 127.0.0.1 18401" >"$IMMURE_CONFIG_DIR/$NAME.conf"
	built build "$NAME"
	touch "$WORK/out/built"
	immure start "$NAME" >/dev/null
	eventually 10 ready
	ROOT=/proc/$(jail_pid)/root
}

# built ARG...: immure ARG..., and what it printed is in summary.
built() { immure "$@" >"$WORK/out/summary" 2>&1 || { show "$WORK/out/summary"; return 1; }; }

free() { immure remove "$NAME" >/dev/null; }

ask() { inside nc -N -w 10 127.0.0.1 18401 <<<"$1" || echo "error: no answer"; }

# answers FILE QUESTION...: asks the running service.
answers()
{
	local question

	for question in "${@:2}"; do
		printf '%s? %s\n' "$question" "$(ask "$question")"
	done >"$WORK/out/$1"
}

natively()
{
	begun env -i PATH="$SEARCH" "${SETTINGS[@]}" "${COMMAND[@]}" >"$WORK/out/native.log" 2>&1 &
	local pid=$!

	eventually 10 ready
	answers native "$@"
	kill "$pid"
	wait "$pid" || true
	not grep -e '? *$' -e '? error' "$WORK/out/native"
}

# only_foreseen QUESTION...: answered as natively in the jail, and none of them by what was used.
only_foreseen()
{
	natively "$@"
	jail Closure=exact
	answers exact "$@"
	free
	jail
	answers foreseen "$@"
	free
	show "$WORK/out/foreseen"
	diff -u "$WORK/out/native" "$WORK/out/foreseen"
	# Else this test would not have needed foresight.
	not grep -Fxf "$WORK/out/native" "$WORK/out/exact"
}

# holds PATH...: the jail has them. lacks PATH...: none of them, whatever they are.
holds()
{
	local path

	for path; do [[ -e $ROOT$path ]] || { echo "not in the jail: $path"; return 1; }; done
}

lacks()
{
	local path

	for path; do [[ ! -e $ROOT$path && ! -L $ROOT$path ]] || { echo "in the jail: $path"; return 1; }; done
}

# says PATTERN...: the file of what was printed last has a line for each.
says()
{
	local pattern

	for pattern; do
		grep -qe "$pattern" "$WORK/out/summary" ||
			{ printf "no '%s' in:\n" "$pattern"; show "$WORK/out/summary"; return 1; }
	done
}

# why THING PATTERN...: it is in the jail, and the reasons name these.
why()
{
	built why "$NAME" "$1"
	says "${@:2}"
}

# why_not THING: it is not. The line that would add it is in $remedy.
why_not()
{
	local status=0

	immure why "$NAME" "$1" >"$WORK/out/summary" 2>&1 || status=$?
	show "$WORK/out/summary"
	[[ $status -eq 1 ]]
	remedy=$(grep -oE '\<[A-Z][A-Za-z]+=[^ ,;)"'\'']+' "$WORK/out/summary" | head -n 1)
	remedy=${remedy%.}
}

# files: how many the jail has, directories not counted.
files() { immure files "$NAME" --json | jq '[.files[] | select(.type != "directory")] | length'; }

# --- families -----------------------------------------------------------------------------------

@test "foresight: the locale of the environment" {
	SETTINGS=(LANG=cage)
	serves locale
	only_foreseen monday
	grep Finchday "$WORK/out/foreseen"
}

@test "foresight: the host's time zone, and those that the configuration names" {
	serves zone "zones = Europe/Berlin, America/Argentina/Buenos_Aires"
	only_foreseen "" Europe/Berlin America/Argentina/Buenos_Aires
	grep '14:31:40 +1245' "$WORK/out/foreseen"
}

@test "foresight: iconv" {
	serves iconv
	only_foreseen "UTF-8 ISO-8859-2 žluva" "UTF-8 KOI8-R иволга" "UTF-8 EUC-JP 鳥"
}

@test "foresight: getaddrinfo by hosts" {
	serves resolve
	only_foreseen perch.cage.test
}

@test "foresight: getaddrinfo by DNS" {
	serves resolve
	only_foreseen finch.cage.test
}

@test "foresight: accounts and services by the modules that nsswitch.conf names" {
	serves account "users = named www-data"
	only_foreseen "user named" "group www-data" "service canary"
}

@test "foresight: TLS to a server with an authority of the host's" {
	serves tls
	only_foreseen 18402
}

@test "foresight: TLS with the bundle that the environment names" {
	SETTINGS=(SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt SSL_CERT_DIR=/nonexistent)
	serves tls
	only_foreseen 18402
}

@test "foresight: a login by PAM" {
	serves login "users = canary"
	only_foreseen "canary canary"
	jail
	[[ $(ask "canary wrong") == "error: Authentication failure" && $(ask "nobody canary") == error* ]]
}

@test "foresight: commands that the configuration names, run by the shell" {
	serves run "date_command = date -u -d @0 +%Y" "filter_command = echo b a | tr ' ' '\n' | sort" \
		"hook = $BIN/hook here"
	written "$BIN/hook" '#!/usr/bin/env perl' 'use POSIX;' 'print POSIX::strftime("%Y ", gmtime 0), "@ARGV\n";'
	inside chmod 755 "$BIN/hook"
	only_foreseen date_command filter_command hook
}

@test "foresight: a terminal" {
	serves term
	only_foreseen vt100 xterm
}

@test "foresight: a module that the configuration names, and the library that it needs" {
	serves plugin "prefix = $BIN" "module = modules/module.so"
	only_foreseen module
}

@test "foresight: random devices, whether foreseen or not" {
	serves random
	natively luck
	jail Closure=exact
	answers exact luck
	diff -u "$WORK/out/native" "$WORK/out/exact"
	free
	# It does nothing else, and brings nothing for anything else.
	jail
	lacks /usr/share/zoneinfo /usr/lib/*/gconv /usr/lib/locale/cage /etc/ssl /etc/pam.d /etc/passwd \
		/etc/resolv.conf /bin/sh /usr/lib/terminfo /lib/terminfo
	[[ $(files) -le 20 ]]
}

# --- interpreters -------------------------------------------------------------------------------

@test "foresight: Python imports its modules when it is asked" {
	COMMAND=("$BIN/asked.py" 18401)
	only_foreseen json idna koi8 decimal template shell
}

@test "foresight: Python's zones, which are a client's choice" {
	takes_long
	COMMAND=("$BIN/asked.py" 18401)
	only_foreseen zone
}

@test "foresight: what an interpreter could do is not what a script does" {
	COMMAND=("$BIN/asked.py" 18401)
	jail
	lacks /etc/shadow /etc/bash.bashrc
	[[ -z $(ls "$ROOT"/var/lib/* "$ROOT/home" 2>/dev/null) ]]
	free
	COMMAND=("$BIN/asked.pl" 18401)
	jail
	lacks /etc/shadow /etc/bash.bashrc
}

@test "foresight: perl requires its modules when it is asked" {
	COMMAND=("$BIN/asked.pl" 18401)
	SETTINGS=("PERL5LIB=$BIN/lib")
	only_foreseen time digest koi8 name shell beside
}

# --- what is not taken --------------------------------------------------------------------------

@test "secrets: what the configuration names and nobody opens is told, and not taken" {
	local secrets=(/etc/ssl/private/asked.key /etc/asked.key /etc/asked.password /etc/asked.users
		/etc/asked.loose)

	inside cp "$WORK/out/server.key" /etc/ssl/private/asked.key
	inside cp "$WORK/out/server.key" /etc/asked.key
	written /etc/asked.password "hush-hush"
	inside cp "$WORK/out/server.key" /etc/asked.loose
	# shellcheck disable=SC2016 # a hash
	written /etc/asked.users '# who may sing' 'bird:$apr1$hushhush$0123456789012345678901'
	inside chmod 600 /etc/asked.password /etc/ssl/private/asked.key
	inside chmod 644 /etc/asked.key /etc/asked.users
	inside chmod 777 /etc/asked.loose
	serves random "key = ${secrets[0]}" "other_key = ${secrets[1]}" "password = ${secrets[2]}" \
		"users = ${secrets[3]}" "loose = ${secrets[4]}"
	jail
	lacks "${secrets[@]}"
	not grep -rse 'BEGIN.*PRIVATE' -e hush "$ROOT"/{etc,usr,var,srv,opt,home,root}
	says "${secrets[@]}"
	why_not "${secrets[2]}"
	[[ $remedy ]]
	free
	# Who wants it there says so.
	jail "$remedy"
	holds "${secrets[2]}"
}

@test "configuration: a name of a tree pulls in no tree" {
	local few

	serves random
	jail
	few=$(files)
	free
	serves random "<Directory />" "root = /" "share = /usr/share" "lib = /usr/lib" "var = /var/" \
		"etc = /etc" "home = /home" "path = /usr/bin:/usr/sbin" "log = /var/log" \
		"DocumentRoot \"/usr/share/doc\""
	jail
	echo "$few files, $(files) with trees named"
	[[ $(files) -le $((few + 3)) ]]
	lacks /etc/shadow /var/lib/dpkg /usr/share/doc/libc6 /usr/bin/dpkg
	[[ -z $(ls -A "$ROOT/home" 2>/dev/null) ]]
}

@test "closure: exact, foreseen, a package; an included package" {
	takes_long
	local library exact foreseen package

	serves zone
	library=$(dpkg -L libc6 | grep '/libBrokenLocale\.so\.1$')
	built build "$NAME" --closure exact -- "${COMMAND[@]}"
	exact=$(files)
	free
	built build "$NAME" -- "${COMMAND[@]}"
	foreseen=$(files)
	free
	jail Closure=package
	package=$(files)
	holds "$library"
	free
	echo "$exact exact, $foreseen foreseen, $package with packages"
	[[ $exact -lt $foreseen && $foreseen -lt $package ]]

	jail Include=package:libc-bin
	holds /usr/bin/iconv /etc/gai.conf
	lacks "$library" /usr/bin/dpkg
	why /usr/bin/iconv libc-bin
	free
	built build "$NAME" --include package:libc-bin -- "${COMMAND[@]}"
}

# --- accounts, and what a jail tells ------------------------------------------------------------

@test "accounts: those that are needed, without any password" {
	inside mkdir -p /etc/asked.d
	written /etc/asked.d/owned text
	inside chown owner: /etc/asked.d/owned
	serves account "user = named" "file = /etc/asked.d/owned"
	LINES=(User=runner)
	jail Include=/etc/asked.d/owned
	for name in root nobody runner owner named; do
		grep -q "^$name:" "$ROOT/etc/passwd" || { echo "no $name"; show "$ROOT/etc/passwd"; return 1; }
	done
	not grep -rqs -e strangebird -e ^canary: "$ROOT/etc"
	not grep -qs ':[$]6[$]' "$ROOT"/etc/{passwd,group}
	lacks /etc/shadow /etc/gshadow /bin/sh
	[[ $(wc -l <"$ROOT/etc/passwd") -le 8 ]]
	[[ $(ask "user strangebird") == error* ]]
	why user:runner
	why user:owner asked.d/owned
	why user:named 'asked.conf:2'
	why_not user:strangebird
}

@test "accounts: all of them where they are live" {
	serves account
	jail Accounts=live
	[[ $(ask "user strangebird") == 9105 && $(ask "group strangebird") == 9105 ]]
	[[ $(wc -l <"$ROOT/etc/passwd") -eq $(inside cat /etc/passwd | wc -l) ]]
}

@test "ld.so.cache: names the libraries of the jail and no others" {
	serves tls
	jail
	/sbin/ldconfig -p -C "$ROOT/etc/ld.so.cache" | sed -n 's/.* => //p' >"$WORK/out/cached"
	grep libssl "$WORK/out/cached"
	grep libc.so "$WORK/out/cached"
	while read -r path; do holds "$path"; done <"$WORK/out/cached"
	# Nor does a byte of the file.
	grep -ao '[[:alnum:]_+-]*\.so[.[:digit:]]*' "$ROOT/etc/ld.so.cache" | sort -u |
		while read -r name; do
			[[ $name == .so* || $name == *ld.so* || -n $(find "$ROOT/usr" "$ROOT/lib"* -name "$name") ]] ||
				{ echo "the cache names $name"; exit 1; }
		done
}

@test "privacy: nothing in the jail tells what else the host has" {
	written /etc/pam.d/strangebird "auth required pam_deny.so"
	serves login "users = canary"
	jail Accounts=needed
	# Who logs in is known, with his password; of nobody else one is there.
	[[ $(ask "canary canary") == welcome ]]
	grep -q ^canary: "$ROOT/etc/passwd"
	grep -q '^canary:[$]6[$]' "$ROOT/etc/shadow"
	[[ $(grep -v ^root: "$ROOT/etc/shadow" | grep -c ':[$]') -eq 1 ]]
	not grep -rs -e strangebird -e ^owner: "$ROOT"/{etc,usr,var,srv,opt,home,root}
	[[ -z $(find "$ROOT"/{etc,var,usr} -name '*strangebird*') ]]
	lacks /var/lib/dpkg /var/lib/apt /usr/share/doc /etc/apt /var/cache/ldconfig /etc/alternatives/awk
}

# --- why ----------------------------------------------------------------------------------------

@test "why: a chain of evidence for everything in the jail" {
	local path module

	serves login "users = canary"
	jail
	module=$(cd "$ROOT" && find usr/lib -name 'libnss_compat.so*' -type f | head -n 1)
	why "/$module" nss nsswitch.conf:1 asked-login
	module=$(cd "$ROOT" && find usr/lib -name pam_listfile.so | head -n 1)
	why "/$module" pam.d/asked:1 asked-login
	why /etc/asked.denied pam.d/asked:1
	why user:canary asked.conf:2
	why /dev/urandom
	for path in $(immure files "$NAME" --json | jq -r '.files[].path'); do
		immure why "$NAME" "$path" >"$WORK/out/why" || { echo "no evidence: $path"; return 1; }
		[[ -s $WORK/out/why ]]
	done
	built why "$NAME" /etc/pam.d/asked --json
	jq -e '.schema == 1' "$WORK/out/summary"
}

@test "why: what is not in the jail, and the line that adds it" {
	serves account
	jail
	why_not /usr/bin/true
	[[ $remedy == Include=/usr/bin/true ]]
	free
	jail "$remedy"
	holds /usr/bin/true
	why /usr/bin/true Include
	why_not user:strangebird
	free
	jail "$remedy"
	[[ $(ask "user strangebird") == 9105 ]]
	# What the host has not, no line adds.
	why_not /no/such/file
	[[ -z $remedy ]]
}

@test "foresight: remove leaves nothing" {
	serves random
	jail
	immure stop "$NAME"
	remove_leaves_nothing
}
