#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
#
# vsftpd in the background: a local user logs in through PAM, is locked into his home by chroot, and
# lists, gets and puts files.

NAME=vsftpd
load helpers

PORTS=(18081)
COMMAND=(/usr/sbin/vsftpd "$HERE/vsftpd.conf")
FTP="curl -s -u immure-check:canary"
URL=ftp://127.0.0.1:18081
FILES=/home/immure-check/ftp
STEPS=(
	"$FTP $URL/ftp/"
	"$FTP $URL/ftp/notes.txt"
	"echo 'sent by a client' | $FTP -T - $URL/ftp/sent.txt && cat \$IMMURE_ROOT$FILES/sent.txt"
	"$FTP -C 5 $URL/ftp/sent.txt"
	"$FTP -Q 'DELE ftp/sent.txt' --list-only $URL/ftp/"
	"curl -s -u immure-check:wrong $URL/ ; test \$? -eq 67 && echo refused"
	"$FTP $URL/%2Fetc/passwd; test \$? -eq 9 && echo locked in"
)

fixture()
{
	need_user
	install -d -o immure-check -g immure-check "$FILES"
	mkdir -p "$HERE/log" /var/run/vsftpd/empty
	echo 'written long ago' >"$FILES/notes.txt"
	chown immure-check: "$FILES/notes.txt"
	touch -d '2001-05-01 12:00 UTC' "$FILES/notes.txt"
	cat >"$HERE/vsftpd.conf" <<-CONF
		listen=YES
		listen_address=127.0.0.1
		listen_port=18081
		pasv_min_port=18082
		pasv_max_port=18089
		background=YES
		anonymous_enable=NO
		local_enable=YES
		write_enable=YES
		chroot_local_user=YES
		allow_writeable_chroot=YES
		secure_chroot_dir=/var/run/vsftpd/empty
		pam_service_name=vsftpd
		xferlog_enable=YES
		vsftpd_log_file=$HERE/log/vsftpd.log
		log_ftp_protocol=YES
	CONF
}

clean_up() { rm -rf "$FILES"; }

# It writes no pid file.
native_pid() { pgrep -o -f "^/usr/sbin/vsftpd $HERE/"; }

@test "vsftpd: one command grows a jail and proves it" {
	build_proves
}

@test "vsftpd: the running jail answers byte for byte as natively" {
	answers_as_natively
}

@test "vsftpd: the log rotates, HUP reloads" {
	need_build
	jail_start
	# Debian's rotation sends no signal: each session opens the log anew.
	rotated "$HERE/log/vsftpd.log" - "$FTP $URL/ftp/"
	kill -HUP "$(jail_pid)"
	session "$(jail_pid)" | diff -u "$WORK/out/native" -
	jail_stop
}

@test "vsftpd: remove leaves nothing" {
	remove_leaves_nothing
}
