#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# OpenSSH's server with a configuration and a host key of its own: a login by key runs a command, a
# shell on a pseudo terminal, and sftp.

NAME=openssh
load helpers

PORTS=(18091)
COMMAND=(/usr/sbin/sshd -D -E "$HERE/log/sshd.log" -f "$HERE/sshd_config")
OPTIONS="-q -F none -i $HERE/key -o UserKnownHostsFile=$HERE/known_hosts -o StrictHostKeyChecking=yes -o BatchMode=yes"
SSH="ssh $OPTIONS -p 18091 immure-check@127.0.0.1"
SFTP="sftp $OPTIONS -P 18091 -b - immure-check@127.0.0.1"
FILES=/home/immure-check/ssh
STEPS=(
	"$SSH 'id; pwd; umask; echo \$LOGNAME \$SHELL'"
	"echo some input | $SSH 'cat; exit 7'; test \$? -eq 7"
	# The number of the terminal is the kernel's choice.
	"$SSH -tt 'stty rows 24 cols 80; stty size; tty | tr -d 0-9; test -t 0 && ls -l \$(tty) | cut -c 1-12'"
	"$SSH -tt 'trap \"echo hung up\" INT; kill -INT \$\$; echo \$TERM'"
	"printf 'cd ssh\nls -1\nget -p notes.txt $HERE/got\n' | $SFTP && cat $HERE/got && stat -c %y $HERE/got"
	"printf 'cd ssh\nput $HERE/key.pub sent\nls -1\nrm sent\n' | $SFTP && ls \$IMMURE_ROOT$FILES"
	"ssh $OPTIONS -o PubkeyAuthentication=no -p 18091 immure-check@127.0.0.1 true; test \$? -eq 255"
)

fixture()
{
	need_user
	install -d -o immure-check -g immure-check "$FILES"
	echo 'written long ago' >"$FILES/notes.txt"
	chown immure-check: "$FILES/notes.txt"
	touch -d '2001-05-01 12:00 UTC' "$FILES/notes.txt"
	mkdir -p "$HERE"/{run,log} /run/sshd
	ssh-keygen -q -t ed25519 -N '' -f "$HERE/key"
	ssh-keygen -q -t ed25519 -N '' -f "$HERE/host_key"
	echo "[127.0.0.1]:18091 $(cut -d ' ' -f 1,2 "$HERE/host_key.pub")" >"$HERE/known_hosts"
	cat >"$HERE/sshd_config" <<-CONF
		ListenAddress 127.0.0.1:18091
		HostKey $HERE/host_key
		PidFile $HERE/run/sshd.pid
		AuthorizedKeysFile $HERE/key.pub
		LogLevel VERBOSE
		UsePAM yes
		PasswordAuthentication no
		PrintMotd no
		PrintLastLog no
		Subsystem sftp /usr/lib/openssh/sftp-server
	CONF
}

clean_up() { rm -rf "$FILES"; }

@test "openssh: one command grows a jail and proves it" {
	build_proves
}

@test "openssh: the running jail answers byte for byte as natively" {
	answers_as_natively
}

@test "openssh: the log rotates, HUP makes it execute itself again" {
	need_build
	jail_start
	rotated "$HERE/log/sshd.log" HUP "$SSH true"
	session "$(jail_pid)" | diff -u "$WORK/out/native" -
	jail_stop
}

@test "openssh: remove leaves nothing" {
	remove_leaves_nothing
}
