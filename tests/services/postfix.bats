#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# Postfix on a configuration and a queue of its own: accepts mail by SMTP and delivers it to a local
# user's maildir. Its many daemons chroot into the queue, switch users and talk by sockets and fifos.

NAME=postfix
load helpers

PORTS=(18111)
COMMAND=(/usr/sbin/postfix -c "$HERE/etc" start)
PID_FILE=$HERE/queue/pid/master.pid
SEND="curl -s --url smtp://127.0.0.1:18111 --mail-from canary@example.test"
INBOX=/home/immure-check/Maildir
# Mail is delivered a moment after it was accepted. What is new and the reader's own: headers with
# ids and dates are not shown.
READ="for n in \$(seq 100); do set -- \$IMMURE_ROOT$INBOX/new/*; test -e \$1 && break; sleep 0.1; done; grep -v -e ^Received: -e '^[[:space:]]' -e ^Message-Id: -e ^Date: \$1; stat -c '%U %a' \$1; rm \$1"
STEPS=(
	"$SEND --mail-rcpt immure-check@cage.test --upload-file $HERE/mail; $READ"
	"$SEND --mail-rcpt birdwatch@cage.test --upload-file $HERE/mail; $READ"
	"$SEND --mail-rcpt nobody-here@cage.test --upload-file $HERE/mail; test \$? -eq 55 && echo refused"
	"$SEND --mail-rcpt someone@elsewhere.test --upload-file $HERE/mail; test \$? -eq 55 && echo no relay"
	"postqueue -c $HERE/etc -p"
)

fixture()
{
	need_user
	install -d -o immure-check -g immure-check -m 700 "$INBOX"
	printf 'Subject: seed\nFrom: canary@example.test\nTo: immure-check@cage.test\n\nAll is well.\n' >"$HERE/mail"
	mkdir -p "$HERE"/{etc,queue,log}
	install -d -o postfix "$HERE/data"
	cp /usr/share/postfix/master.cf.dist "$HERE/etc/master.cf"
	# Debian's file, listening elsewhere; with the log daemon, in a chroot as Debian once had it.
	sed -i 's/^smtp  *inet/127.0.0.1:18111 inet/; /^#postlog/s/^#//' "$HERE/etc/master.cf"
	echo 'birdwatch: immure-check' >"$HERE/etc/aliases"
	cat >"$HERE/etc/main.cf" <<-CONF
		compatibility_level = 3.6
		queue_directory = $HERE/queue
		data_directory = $HERE/data
		myhostname = cage.test
		mydestination = cage.test
		mynetworks = 127.0.0.0/8
		smtpd_relay_restrictions = reject_unauth_destination
		inet_interfaces = 127.0.0.1
		inet_protocols = ipv4
		alias_maps = hash:$HERE/etc/aliases
		alias_database = hash:$HERE/etc/aliases
		home_mailbox = Maildir/
		maillog_file = $HERE/log/maillog
		maillog_file_prefixes = /srv
	CONF
	postalias -c "$HERE/etc" "hash:$HERE/etc/aliases"
}

clean_up() { rm -rf "$INBOX"; }

@test "postfix: one command grows a jail and proves it" {
	build_proves
}

@test "postfix: the running jail answers byte for byte as natively" {
	answers_as_natively
}

@test "postfix: the log rotates, HUP reloads" {
	need_build
	jail_start
	rotated "$HERE/log/maillog" HUP "$SEND --mail-rcpt nobody-here@cage.test --upload-file $HERE/mail"
	session "$(jail_pid)" | diff -u "$WORK/out/native" -
	jail_stop
}

@test "postfix: remove leaves nothing" {
	remove_leaves_nothing
}
