#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# The manual and the program say the same: commands, options, and the keys of a spec.

NAME=cli-manual PORT=18307
load helpers

MAN=$BATS_TEST_DIRNAME/../../man
KEYS=$BATS_TEST_DIRNAME/../../src/spec/spec-keys.c

# The two lists, one word or line each, hold the same.
same() { diff <(sort -u <<<"$1") <(sort -u <<<"$2"); }

# "OWNER --name -x METAVAR" for every option that immure knows; "*" owns the common ones.
options_of_program()
{
	immure --dump-cli | awk -F '\t' '$1 == "option" { print $2, $3, $4, $6 }'
}

# The same from immure(1): lines "*-q*, *--quiet*" or "*--unit* _UNIT_" with an indented text below, in
# the sub-section of their command.
options_of_manual()
{
	awk '
		/^# / { owner = ($0 == "# COMMON OPTIONS") ? "*" : "" }
		/^## / { owner = $2 }
		/^\t/ && owner != "" && before ~ /^\*-/ {
			gsub(/[*,]/, "", before)
			n = split(before, words, " ")
			short = (words[1] ~ /^-[a-zA-Z]$/) ? words[1] : "-"
			long = short == "-" ? 1 : 2
			metavar = n > long ? words[long + 1] : "-"
			gsub(/^_|_$/, "", metavar)
			print owner, words[long], short, metavar
		}
		{ before = $0 }' "$MAN/immure.1.scd"
}

# What stands in the literal blocks below the heading "## $1".
block()
{
	awk -v head="## $1" '
		/^#/ { here = $0 == head; literal = 0 }
		here && /^```/ { literal = !literal; next }
		here && literal { for (i = 1; i <= NF; i++) print $i }' "$MAN/immure.spec.5.scd"
}

# The directives of [Service] whose row in the table of keys has one of these macros.
rows()
{
	local macro

	for macro; do
		sed -nE "s/^\t$macro\(\"([A-Za-z]+)\".*/\1/p" "$KEYS"
	done
}

# The keys that the commented spec shows in section [$1].
keys_of_program()
{
	immure build "$NAME" --dry-run -- /bin/sleep 9 |
		awk -v head="[$1]" '/^\[/ { here = $0 == head } here' | sed -nE 's/^#?([A-Z][A-Za-z]+)=.*/\1/p'
}

# The same from immure.spec(5), section "# [$1]".
keys_of_manual()
{
	awk -v head="# [${1^^}]" '/^# / { here = $0 == head } here' "$MAN/immure.spec.5.scd" |
		sed -nE 's/^\*([A-Za-z]+)=\*$/\1/p'
}

@test "manual: immure(1) has each command with its synopsis, and no other" {
	local want have

	want=$(immure --dump-cli | awk -F '\t' '$1 == "command" { sub(/ $/, "", $3); print "immure " $2 ($3 ? " " $3 : "") }')
	have=$(awk '/^## / { print; getline; getline; print }' "$MAN/immure.1.scd" |
		sed -nE 's/^\*(immure .*)\*$/\1/p')
	[[ $(wc -l <<<"$want") -ge 11 ]]
	same "$want" "$have"
	same "$(awk '{ print $2 }' <<<"$want")" "$(sed -nE 's/^## (.*)/\1/p' "$MAN/immure.1.scd")"
}

@test "manual: immure(1) has each option of each command, and no other" {
	[[ $(options_of_program | wc -l) -ge 20 ]]
	same "$(options_of_program)" "$(options_of_manual)"
}

@test "manual: immure.spec(5) has each key of [Jail] and [Exercise], and no other" {
	local section

	for section in Jail Exercise; do
		[[ $(keys_of_program "$section" | wc -l) -ge 5 ]]
		same "$(keys_of_program "$section")" "$(keys_of_manual "$section")"
	done
}

@test "manual: immure.spec(5) tells how each directive of [Service] is treated" {
	[[ $(rows FIELD KEPT | wc -l) -ge 100 ]]
	same "$(rows FIELD LIMIT)" "$(block Taken; block 'Read, without effect yet')"
	same "$(rows READ)" "$(block Narrowing)"
	same "$(rows KEPT)" "$(block 'Kept for confinement')"
	same "$(rows UNIT)" "$(block 'Staying with the unit')"
	same "$(rows HAS)" "$(block 'Made redundant')"
	same "$(rows NOT)" "$(block 'Not taken')"
}

@test "manual: the fields of a manifest line are those of immure-manifest(5)" {
	local have

	# Behind a wrapper, and with a file that has attributes: then there is a line with every field.
	touch "$HERE/tagged"
	setfattr -n user.immure -v tag "$HERE/tagged"
	good build "$NAME" --user redis --include "$HERE/tagged" --exercise "$PING" -- /bin/sh -c "exec ${REDIS[*]}"
	have=$(jq -r 'keys[]' "$IMMURE_STATE_DIR/jails/$NAME/current/manifest.jsonl" | sort -u)
	same "$have" "$(awk '/^# / { here = $0 == "# FIELDS" } here' "$MAN/immure-manifest.5.scd" |
		sed -nE 's/\\//g; s/^\*([a-z0-9_]+)\*(, \*([a-z0-9_]+)\*)?$/\1 \3/p' | xargs -n1)"
}

@test "manual: scdoc takes every page" {
	local page

	for page in "$MAN"/*.scd; do
		scdoc <"$page" >/dev/null
	done
}
