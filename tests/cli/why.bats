#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Why is it in there? And why not?

NAME=cli-why PORT=18613
load helpers

MANIFEST=$IMMURE_STATE_DIR/jails/$NAME/current/manifest.jsonl

# The jail that all tests ask is built once.
setup()
{
	[[ -e $MANIFEST ]] ||
		good build "$NAME" --user redis --state "$HERE" --exercise "$PING" -- "${REDIS[@]}"
}

teardown() { :; }

# ask PATH: answered yes, in $output as JSON.
ask() { good why "$NAME" "$1" --json; }

@test "why: a chain of evidence leads to the service's command" {
	good why "$NAME" /usr/bin/redis-server
	tells '^/usr/bin/redis-.*   (program, copy, redis-'

	libc=$(jq -r .path "$MANIFEST" | grep -m 1 '/libc\.so\.6$')
	good why "$NAME" "$libc"
	[[ $(head -n 1 <<<"$output") == "$libc   (program, copy, libc6 "* ]]
	[[ $(wc -l <<<"$output") -ge 3 ]]
	ask "$libc"
	json '.present and .package == "libc6" and .chain[0].path == .path and .chain[-1].kind == "command"'
	json '[.chain[:-1], .chain[1:]] | transpose | all(.[0].from == .[1].path)'
	json '.reasons | length >= 1'
}

@test "why: every path of the jail has an answer that ends" {
	local path

	while read -r path; do
		ask "$path"
		json '.present and (.chain | length >= 1) and .chain[-1].from == null' || { echo "$path"; return 1; }
	done < <(jq -r 'select(.link == null).path' "$MANIFEST")
	[[ $(jq -r 'select(.evidence == []).path' "$MANIFEST") == "" ]]
}

@test "why: what the running jail's /dev and /proc show is answered too" {
	local name

	good start "$NAME"
	root=$(immure status "$NAME" --json | jq -r .root)
	for name in "$root"/dev/* /proc/self/status; do
		ask "${name#"$root"}"
	done
	good stop "$NAME"
}

@test "why: links are followed as in the jail" {
	link=$(jq -r 'select(.link != null).path' "$MANIFEST" | grep -m 1 '^/usr/bin/')
	good why "$NAME" "$link"
	[[ $(head -n 1 <<<"$output") == "$link" ]]
	tells "^  $link -> "
	ask "$link"
	json '.path != .asked and .present and (.links | length >= 1)'
}

@test "why: all reasons and what the runs saw, with -v" {
	good why "$NAME" /usr/bin/redis-server -v
	tells '  seen at start: .*exec'
}

@test "why: what lies in a bound directory is there because of the directory" {
	touch "$HERE/there"
	good why "$NAME" "$HERE/there"
	tells "bind, read-write"
	tells "^  $HERE: "
	ask "$HERE/there"
	json ".provided == \"bind\" and .class == \"state\" and .chain[0].kind == \"below\" and .chain[1].path == \"$HERE\""

	refuses 1 why "$NAME" "$HERE/gone"
	tells "$HERE/gone: not in the jail"
	tells "$HERE is the host's own"
}

@test "why: accounts" {
	if jq -e 'select(.path == "/etc/passwd")' "$MANIFEST" >/dev/null; then
		ask user:redis
		json '.class == "account" and .chain[1].path == "/etc/passwd" and .chain[-1].from == null'
	fi
	refuses 1 why "$NAME" user:games
	tells 'Accounts=live'
	refuses 1 why "$NAME" group:no-such-group
	tells 'must be made'
	not tells 'Accounts=live'
}

@test "why: several questions, answered in turn" {
	good why "$NAME" /etc /usr --json
	[[ $(jq -sr 'map("\(.schema) \(.asked) \(.present)") | join(" ")' <<<"$output") == "1 /etc true 1 /usr true" ]]
	refuses 1 why "$NAME" /usr/bin/xargs /usr user:games
	tells '^/usr/bin/xargs: not in the jail'
	tells '^/usr   (program, copy'
	tells '^user:games: not in the jail'
	refuses 2 why "$NAME" etc /usr
	not tells '^/usr '
}

@test "why: what is not there, and the line that adds it" {
	refuses 1 why "$NAME" /usr/bin/xargs --json
	json '(.present | not) and .chain == [] and .remedy == "Include=/usr/bin/xargs" and .section == "Jail" and (.host | test("findutils"))'
	refuses 1 why "$NAME" /usr/bin/xargs
	tells '^/usr/bin/xargs: not in the jail'
	tells "in \[Jail\] of $IMMURE_CONFIG_DIR/$NAME.conf"
	tells '^    Include=/usr/bin/xargs$'

	refuses 1 why "$NAME" /usr/bin/no-such-thing --json
	json '.remedy == null and (.host | test("nothing"))'
	mkdir "$WORK/spare"
	refuses 1 why "$NAME" "$WORK/spare" --json
	json ".remedy == \"Content=$WORK/spare\""
	refuses 1 why "$NAME" /var/lib/dpkg --json
	json '.remedy == null and (.note | test("belongs to everybody"))'
	refuses 1 why "$NAME" /tmp/x
	tells 'private memory'
	refuses 1 why "$NAME" /etc/shadow
	tells secret
}

@test "why: the line does what it says" {
	refuses 1 why "$NAME" /usr/bin/xargs --json
	line=$(jq -r .remedy <<<"$output")
	sed -i "/^\[Jail\]/a $line" "$IMMURE_CONFIG_DIR/$NAME.conf"
	good build "$NAME"
	good why "$NAME" /usr/bin/xargs
	tells 'Include=/usr/bin/xargs'
	immure remove "$NAME"
}

@test "why: rights, granted and not" {
	good why "$NAME" 'read()'
	tells 'base set'
	good why "$NAME" "tcp:$PORT" --json
	json '.present and .remedy == null and (.why | test("bind"))'
	refuses 1 why "$NAME" 'ptrace()'
	tells 'Rights=ptrace()'
	for question in CAP_SYS_ADMIN 'bpf()'; do
		refuses 1 why "$NAME" "$question" --json
		json '.present == false and .remedy == null'
	done
}

@test "why: questions that are none" {
	refuses 2 why "$NAME"
	refuses 2 why "$NAME" etc/passwd
	says 'absolute path'
	for question in CAP_WHAT cap_chown 'nosuch()' tcp:65536 connect:80 exec:relative; do
		refuses 2 why "$NAME" "$question"
		says 'is no right'
	done
	refuses 2 why no-such-jail /etc
	says 'no jail named'
}

@test "why: a manifest of another version is refused with its line" {
	sed -i '2s/"evidence":/"why":/' "$(readlink -f "$MANIFEST")"
	refuses 2 why "$NAME" /usr/bin/redis-server
	says 'manifest.jsonl:2:' 'build the jail again'
	immure remove "$NAME" >/dev/null
	nothing_left
}
