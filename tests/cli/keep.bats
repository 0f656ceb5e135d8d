#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Keeping a jail right: check, update, diff, rollback, the store and its garbage.

NAME=cli-keep PORT=18651
load helpers

DATA=/usr/local/share/immure-cli-keep

setup()
{
	rm -rf "$IMMURE_CONFIG_DIR" "$IMMURE_STATE_DIR" "$IMMURE_RUN_DIR" "$DATA"
	mkdir -p "$WORK/out" "$DATA"
	echo 'good words' >"$DATA/words"
	ln -s words "$DATA/link"
	touch -d 2026-01-01 "$DATA/words"
}

teardown()
{
	for name in "$NAME" "$NAME-2"; do
		immure stop -q "$name" || true
		immure remove -q "$name" || true
	done
	rm -rf "$DATA"
} 2>/dev/null

# built [NAME [PORT]]: a service that serves the words
built()
{
	local port=${2:-$PORT}

	good build "${1:-$NAME}" --exercise "nc -N 127.0.0.1 $port </dev/null | grep good" -- /usr/bin/perl -MSocket -e \
		"open F, '$DATA/link' or die; @w = <F>; socket(S, PF_INET, SOCK_STREAM, 0); setsockopt(S, SOL_SOCKET, SO_REUSEADDR, 1);
		bind(S, sockaddr_in($port, INADDR_LOOPBACK)) or die; listen(S, 9); while (accept(C, S)) { print C @w; close C }"
}

root() { echo "$IMMURE_STATE_DIR/jails/$NAME/generations/${1:-1}/root"; }

# finds KIND PATH TEXT: check says so, and that the answer is no
finds()
{
	refuses 1 check "$NAME" ${4:-}
	grep -q "^$NAME: $1: ${2:+$2 }$3" <<<"$output" || { printf 'no %s of %s in:\n%s\n' "$1" "$2" "$output"; return 1; }
}

@test "check: a fresh jail has nothing to be found, nor has a real service" {
	built
	good check "$NAME"
	tells 'as it was sealed'
	good check "$NAME" --deep --json
	json '.clean and .jails[0].clean and (.jails[0].findings | length == 0)'
	good remove "$NAME"
	build_redis
	good start "$NAME"
	redis-cli -p "$PORT" set a b >/dev/null
	good check --json
	json '.clean and (.jails | length == 1)'
}

@test "check: what was changed in the jail is named" {
	built
	local file=$(root)$DATA/words

	cp -p "$file" "$WORK/words"
	chmod 666 "$file"
	finds tampered "$DATA/words" 'has mode 0666'
	tells "hygiene: $DATA/words may be written\|has mode"
	chmod 644 "$file"
	chown 1 "$file"
	finds tampered "$DATA/words" 'belongs to 1:0'
	chown 0 "$file"
	rm "$file"
	finds tampered "$DATA/words" 'is missing'
	mkfifo "$file"
	finds tampered "$DATA/words" 'is a fifo'
	rm "$file"
	cp -p "$WORK/words" "$file"
	good check "$NAME"
	setfattr -n user.immure -v mine "$file"
	finds tampered "$DATA/words" 'has the attributes "user.immure=6d696e65", was sealed with ""'
	setfattr -x user.immure "$file"
	good check "$NAME"
	printf 'GOOD' | dd of="$file" conv=notrunc status=none
	touch -r "$WORK/words" "$file"
	good check "$NAME"
	finds tampered "$DATA/words" 'has another content' --deep
	cp -p "$WORK/words" "$file"
	ln -sfn elsewhere "$(root)$DATA/link"
	finds tampered "$DATA/link" 'leads to elsewhere, was sealed leading to words'
	ln -sfn words "$(root)$DATA/link"
	mkdir -p "$(root)/usr/extra/deep"
	finds tampered /usr/extra 'was not sealed'
	refuses 1 check "$NAME" --json
	json '(.clean | not) and .jails[0].findings[0].kind == "tampered" and .jails[0].findings[0].path == "/usr/extra"'
}

@test "check: attributes are sealed with the file, and who may write above the jail is told" {
	setfattr -n user.immure -v theirs "$DATA/words"
	built
	good check "$NAME" --deep
	grep -q '"xattrs":"user.immure=746865697273"' "$IMMURE_STATE_DIR/jails/$NAME/current/manifest.jsonl"
	setcap cap_net_raw=ep "$(root)/usr/bin/perl"
	finds tampered /usr/bin/perl 'has the attributes "security.capability='
	setcap -r "$(root)/usr/bin/perl"
	good check "$NAME"
	sed -i '$a #' "$(root)/../spec"
	finds tampered '' 'policy.bin was not made of this policy.json and this spec'
	sed -i '$d' "$(root)/../spec"
	good check "$NAME"
	sed -i '$s/"type"/"type" /' "$(root)/../manifest.jsonl"
	finds tampered '' 'run.json was not written with this manifest.jsonl'
	sed -i '$s/"type" /"type"/' "$(root)/../manifest.jsonl"
	good check "$NAME"
	chmod 777 "$IMMURE_STATE_DIR/jails"
	finds hygiene '' "$IMMURE_STATE_DIR/jails, above the jail, can be changed"
	chmod 1777 "$IMMURE_STATE_DIR/jails"
	good check "$NAME"
	chmod 700 "$IMMURE_STATE_DIR/jails"
	chown 1 "$IMMURE_STATE_DIR"
	finds hygiene '' "$IMMURE_STATE_DIR, above the jail, can be changed by others than root (owner 1:0"
	chown 0 "$IMMURE_STATE_DIR"
}

@test "check: a wall that the kernel has learnt is taken by an update" {
	cc -w -o "$WORK/deny" "$BATS_TEST_DIRNAME/../priv/deny.c" -lseccomp
	local real=$IMMURE
	printf '#!/bin/sh\nexec "%s" landlock_create_ruleset -- "%s" "$@"\n' "$WORK/deny" "$real" >"$WORK/denied"
	chmod 755 "$WORK/denied"
	IMMURE=$WORK/denied
	built
	IMMURE=$real
	finds policy '' 'this kernel can enforce landlock-files, which it could not'
	good update "$NAME"
	tells 'generation 1 to 2'
	good check "$NAME"
	good update "$NAME"
	tells unchanged
}

@test "check: a policy that another version of immure has compiled is told apart from a damaged one" {
	built
	local policy

	policy=$(root)/../policy.bin
	cp -p "$policy" "$WORK/policy"
	# The head of policy.bin; the version of the packed plan in it.
	for at in 6 24; do
		printf '\143' | dd of="$policy" bs=1 seek="$at" conv=notrunc status=none
		finds policy '' "policy.bin was compiled by another version of immure.*immure update $NAME"
		not tells tampered
		good start "$NAME"
		good stop "$NAME"
		cp -p "$WORK/policy" "$policy"
		good check "$NAME"
	done
	printf '\143' | dd of="$policy" bs=1 seek=24 conv=notrunc status=none
	good update "$NAME"
	tells 'updated, generation 1 to 2: the same files, proved anew'
	good check "$NAME"
	policy=$(root 2)/../policy.bin
	printf '\377' | dd of="$policy" bs=1 seek=300 conv=notrunc status=none
	finds tampered '' "policy.bin.*immure build $NAME makes it anew"
	good build "$NAME"
	good check "$NAME"
	rm "$(root 3)/../policy.bin"
	finds tampered '' "policy.bin is missing"
}

@test "check: what the host has newer is drift, what was only touched is none" {
	built
	touch "$DATA/words"
	good check "$NAME"
	echo 'good new words' >"$DATA/words"
	finds drift "$DATA/words" 'is another on the host'
	rm "$DATA/words"
	finds drift "$DATA/words" 'the host has it no more'
	refuses 2 check no-such-jail
	refuses 2 check "$NAME" --host
}

@test "update: nothing changed says so, a change is proved and switched to, what runs is told" {
	built
	good update "$NAME"
	tells "^$NAME: unchanged, generation 1"
	good diff "$NAME"
	tells "^$NAME: generation 1, with none before it"
	good start "$NAME"
	echo 'good new words' >"$DATA/words"
	good update "$NAME"
	tells "updated, generation 1 to 2: $DATA/words content"
	tells "it still runs an older one ($DATA/words content.*): immure restart $NAME"
	finds restart '' 'runs generation 1, 2 is current'
	good update --restart --json
	json '.jails[0] | (.changed | not) and .restarted and .generation == 2'
	good check "$NAME"
	# What is as it was has the same line.
	diff "$(root)/../manifest.jsonl" "$(root 2)/../manifest.jsonl" >"$WORK/out/lines" || true
	[[ $(grep -c '^[<>]' "$WORK/out/lines") -le 4 ]]
	! grep '^[<>]' "$WORK/out/lines" | grep -v "\"path\":\"$DATA"
	[[ $(stat -c %Y "$(root 2)/usr/bin") == $(stat -c %Y /usr/bin) ]]
	good diff "$NAME"
	tells "^~ $DATA/words: content, 11 to 15 bytes"
	good diff "$NAME" 2 1 --json
	json ".from == 2 and .to == 1 and (.changes | map(.what) | index(\"$DATA/words\") != null)"
	refuses 2 diff "$NAME" 1 7
	says 'no generation 7'
}

@test "update: what proves badly stays aside, and what runs runs on" {
	built
	good start "$NAME"
	echo 'bad words' >"$DATA/words"
	refuses 1 update "$NAME"
	tells 'NOT updated: generation 1 stays'
	good status "$NAME"
	grep -q good "$(root)$DATA/words"
}

@test "update: a file capability that a program gets or loses is followed" {
	chmod 755 "$DATA/words"
	built
	good check "$NAME"
	setcap cap_net_raw=ep "$DATA/words"
	finds drift "$DATA/words" 'is another on the host'
	good update "$NAME"
	tells 'generation 1 to 2'
	good check "$NAME" --deep
	[[ $(getcap "$(root 2)$DATA/words") == *cap_net_raw=ep ]]
	good update "$NAME"
	tells unchanged
	setcap -r "$DATA/words"
	finds drift "$DATA/words" 'is another on the host'
}

@test "update: a link of the host that leads elsewhere is followed" {
	built
	echo 'good other words' >"$DATA/other"
	ln -sfn other "$DATA/link"
	finds drift "$DATA/link" 'is another on the host'
	good update "$NAME"
	tells 'updated, generation 1 to 2'
	good check "$NAME"
	[[ -e $(root 2)$DATA/other && ! -e $(root 2)$DATA/words ]]
}

@test "update: while another command changes the jail it is not tried, and nothing is degraded" {
	local mark=$IMMURE_RUN_DIR/upgraded

	built
	echo 'good new words' >"$DATA/words"
	mkdir -p "$IMMURE_RUN_DIR"
	touch -d '2 minutes ago' "$mark"
	exec 9<>"$IMMURE_STATE_DIR/locks/$NAME"
	flock 9
	echo $$ >&9 # a holder that lives: one that does not may be waited for
	refuses 5 update --auto
	tells 'another command is changing this jail'
	[[ -e $mark ]]
	exec 9>&-
	good check "$NAME" || tells drift
	not tells 'has not been proved'
	good update --auto
	tells 'generation 1 to 2'
	[[ ! -e $mark ]]
}

@test "generations: kept by number and age, and the one that runs" {
	local n

	built
	good start "$NAME"
	for n in 2 3 4 5; do
		echo "good words $n" >"$DATA/words"
		good update -q "$NAME"
	done
	good gc
	[[ $(ls -A "$IMMURE_STATE_DIR/jails/$NAME/generations" | grep -v CACHEDIR.TAG | tr '\n' ' ') == '1 2 3 4 5 ' ]]
	touch -d '8 days ago' "$IMMURE_STATE_DIR/jails/$NAME"/generations/[1-4]/spec
	good gc
	[[ $(ls -A "$IMMURE_STATE_DIR/jails/$NAME/generations" | grep -v CACHEDIR.TAG | tr '\n' ' ') == '1 3 4 5 ' ]]
	nc -N 127.0.0.1 "$PORT" </dev/null | grep -q '^good words$'
	good stop "$NAME"
	# Who was killed over it left this.
	mkdir -p "$IMMURE_STATE_DIR/jails/$NAME/generations/.immure-gone-1/root/etc"
	good gc
	[[ $(ls -A "$IMMURE_STATE_DIR/jails/$NAME/generations" | grep -v CACHEDIR.TAG | tr '\n' ' ') == '3 4 5 ' ]]
}

@test "rollback: the generation before, and no number twice" {
	built
	refuses 2 rollback "$NAME"
	says 'no generation before 1'
	echo 'good new words' >"$DATA/words"
	good update "$NAME"
	good rollback "$NAME" --dry-run
	tells 'would roll back from generation 2 to 1'
	good rollback "$NAME"
	tells 'rolled back from generation 2 to 1'
	[[ $(readlink "$IMMURE_STATE_DIR/jails/$NAME/current") = generations/1 ]]
	good update "$NAME"
	tells 'generation 1 to 3'
}

@test "own files: what the user keeps for the jail is there in the host's place, and never drift" {
	local own=$IMMURE_CONFIG_DIR/$NAME.d/root

	mkdir -p "$own$DATA/more"
	echo 'good words of my own' >"$own$DATA/words"
	chmod 640 "$own$DATA/words"
	echo extra >"$own$DATA/more/extra"
	ln -s more/extra "$own$DATA/pointer"
	built
	[[ $(cat "$(root)$DATA/words") == 'good words of my own' && $(stat -c %a "$(root)$DATA/words") == 640 ]]
	[[ $(cat "$(root)$DATA/pointer") == extra ]]
	grep -q 'good words$' "$DATA/words"
	good why "$NAME" "$DATA/words"
	tells "the user's own: $own$DATA/words"
	good check "$NAME" --deep --json
	json '.jails[0].findings == []'
	echo 'good words of the host' >"$DATA/words"
	good check "$NAME" --json
	json '.jails[0].findings == []'
	good update "$NAME"
	tells unchanged
	good prove "$NAME"
	good start "$NAME"
	nc -N 127.0.0.1 "$PORT" </dev/null | grep -q 'my own'
	echo 'good words of my own, again' >"$own$DATA/words"
	rm -r "$own$DATA/pointer"
	good check "$NAME"
	tells "note: $DATA/pointer is another in $own: immure build $NAME takes it"
	good update "$NAME" --restart
	nc -N 127.0.0.1 "$PORT" </dev/null | grep -q 'my own, again'
	[[ ! -e $(root 2)$DATA/pointer ]]
	# What the jail has from the host by a mount is not the jail's to replace.
	mkdir -p "$own/tmp"
	touch "$own/tmp/x"
	refuses 2 build "$NAME"
	tells 'root/tmp cannot replace anything in the jail'
	good remove "$NAME"
	[[ ! -e $IMMURE_CONFIG_DIR/$NAME.d ]]
}

@test "store: two jails have one file on disk, and gc removes what none has" {
	built
	built "$NAME-2"
	local a b
	a=$(stat -Lc %i "$IMMURE_STATE_DIR/jails/$NAME/current/manifest.jsonl")
	b=$(stat -Lc %i "$IMMURE_STATE_DIR/jails/$NAME-2/current/manifest.jsonl")
	[[ $a = "$b" ]]
	a=$(stat -c %i "$(root)/usr/bin/perl")
	b=$(stat -c %i "$IMMURE_STATE_DIR/jails/$NAME-2/generations/1/root/usr/bin/perl")
	[[ $a = "$b" && $a != "$(stat -c %i /usr/bin/perl)" ]]
	[[ $(stat -c %a "$IMMURE_STATE_DIR/store") = 700 ]]
	good check
	good gc
	tells 'removed 0 files'
	# What du(1) says of one jail, and of all.
	good ls --json
	a=$(find "$(root)" ! -type d -printf '%i %s\n' | sort -u | awk '{ n += $2 } END { print n }')
	json ".jails[0].bytes - $a | . > -4096 and . < 4096"
	json ".bytes == 2 * .jails[0].bytes and .disk < .bytes"
	json ".disk == $(find "$IMMURE_STATE_DIR/store" -type f -path '*/??/*' -printf '%b\n' | awk '{ n += $1 * 512 } END { print n }')"
	good ls
	tells '^2 jails hold .* on disk: what they share is there once$'
	grep -q 8a477f597d28d172789f06886806bc55 "$IMMURE_STATE_DIR/jails/$NAME/generations/CACHEDIR.TAG"
	good remove "$NAME-2"
	[[ $(stat -c %h "$(root)/usr/bin/perl") -eq 2 ]]
	good remove "$NAME"
	! find "$IMMURE_STATE_DIR/store" -type f ! -name CACHEDIR.TAG | grep .
}
