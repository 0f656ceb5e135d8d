#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# The spec is the only truth: the first build writes it, later ones follow it.

NAME=cli-spec PORT=18602
load helpers

@test "spec: the first build writes it, the second finds nothing to do" {
	build_redis
	[[ -e $IMMURE_CONFIG_DIR/$NAME.conf ]]
	good build "$NAME"
	[[ $output == "$NAME: unchanged, generation 1" ]]
	good build "$NAME" --json
	json '.changed == false and .generation == 1'
}

@test "spec: options on an existing spec are refused, --write-spec merges them" {
	build_redis
	refuses 2 build "$NAME" --env A=b
	says "$NAME.conf" --write-spec
	good build "$NAME" --write-spec --env A=b
	tells 'generation 2'
	grep -x 'Environment=A=b' "$IMMURE_CONFIG_DIR/$NAME.conf"
	good build "$NAME" --write-spec --env A=b
	tells unchanged
}

@test "spec: an edit makes the next build a new generation" {
	build_redis
	echo 'Command=redis-cli -p 18602 echo again' >>"$IMMURE_CONFIG_DIR/$NAME.conf"
	good build "$NAME" --json
	json '.changed and .generation == 2 and .proved'
}

@test "spec: drop-ins are merged, show gives each line its origin" {
	build_redis
	mkdir "$IMMURE_CONFIG_DIR/$NAME.conf.d"
	printf '[Service]\nEnvironment=B=c\n' >"$IMMURE_CONFIG_DIR/$NAME.conf.d/10-b.conf"
	good show "$NAME"
	tells '10-b.conf:2'
	tells "^Environment=B=c"
	tells "$NAME.conf:[0-9]"
	good show "$NAME" --json
	json 'true'
}

@test "spec: what is wrong is named with its line" {
	spec "$NAME" <<<$'[Service]\nExecStart=/bin/sleep 9\n\n[Jail]\nStaet=/srv'
	refuses 2 build "$NAME"
	says "$NAME.conf:5: " Staet 'did you mean State'

	spec "$NAME" <<<$'[Service]\nExecStart=/bin/sleep 9\n[Jale]\nState=/srv'
	refuses 2 build "$NAME"
	says "$NAME.conf:[34]: " Jale

	spec "$NAME" <<<$'[Service]\nExecStart=/bin/sleep 9\nTimeoutStartSec=soon'
	refuses 2 build "$NAME"
	says "$NAME.conf:3: " soon

	spec "$NAME" <<<$'[Service]\nExecStart=/bin/sleep "9'
	refuses 2 build "$NAME"
	says "$NAME.conf:2: "

	spec "$NAME" <<<$'[Service]\nExecStart=/bin/sleep 9\n[Jail]\nState=relative/path'
	refuses 2 build "$NAME"
	says "$NAME.conf:4: " relative/path
	nothing_left
}

@test "spec: --dry-run shows it and writes nothing" {
	good build "$NAME" --dry-run --user redis --exercise "$PING" -- "${REDIS[@]}"
	tells '^User=redis'
	tells "^Command=$PING"
	[[ -z $(find "$WORK/etc" "$WORK/lib" "$WORK/run" -mindepth 1 ! -type d 2>/dev/null) ]]
}

@test "spec: an installed unit is read with its drop-ins and EnvironmentFile, nothing is dropped in silence" {
	local units=/run/systemd/system

	mkdir -p "$units/$NAME.service.d"
	cat >"$units/$NAME.service" <<-UNIT
		[Service]
		Type=notify
		ExecStart=/usr/bin/redis-server --bind 127.0.0.1 --port \$PORT --save ''
		EnvironmentFile=$HERE/environment
		User=nobody
		NoSuchDirective=yes
	UNIT
	printf '[Service]\nUser=redis\n' >"$units/$NAME.service.d/user.conf"
	echo "PORT=$PORT" >"$HERE/environment"
	good build "$NAME" --unit "$NAME.service" --exercise "$PING" || { rm -r "$units/$NAME.service"*; return 1; }
	rm -r "$units/$NAME.service"*
	tells proved
	tells NoSuchDirective
	good show "$NAME"
	tells '^User=redis'
}
