# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# A host inside the host, for the story of foresight: mount and network namespaces with an /etc, a
# /usr/local/sbin and locales of their own, in memory. What a test configures there (accounts, PAM,
# authorities, name servers, zone) is neither seen nor left on the host. A process that sleeps holds
# it; $WORK/holder is its pid.

BIN=/usr/local/sbin
RESOLVER=127.0.0.5 # not the address that is asked where resolv.conf is missing

# inside COMMAND...: in the private host, or on the host where there is none.
inside()
{
	local pid

	pid=$(cat "$WORK/holder" 2>/dev/null) || { "$@"; return; }
	nsenter --target "$pid" --mount --net -- "$@" 3>&- 7>&- 8>&-
}

# begun COMMAND... &: the same; $! is the command itself.
begun()
{
	exec nsenter --target "$(cat "$WORK/holder")" --mount --net -- "$@" </dev/null 3>&- 7>&- 8>&-
}

# helpers.bash asks these.
immure() { inside "$IMMURE" "$@"; }
ss() { inside ss "$@"; }

open_private_host()
{
	unshare --mount --net sleep 900 3>&- 7>&- 8>&- &
	echo $! >"$WORK/holder"
	eventually 5 eval "[[ \$(readlink /proc/$!/comm /proc/$!/ns/net) != *$(readlink /proc/self/ns/net)* ]]"
	inside /bin/sh -eu -c "
		ip link set lo up
		mkdir '$WORK/private'
		mount -t tmpfs private '$WORK/private'
		cp -a /etc/. '$WORK/private' 2>/dev/null || : # another story's files may go meanwhile
		test -s '$WORK/private/passwd'
		mount --move '$WORK/private' /etc
		mount -t tmpfs -o mode=755 private $BIN
		mount -t tmpfs -o mode=755 private /usr/lib/locale"
}

close_private_host()
{
	local pid

	pid=$(cat "$WORK/holder" 2>/dev/null) || return 0
	[[ $(cat "/proc/$pid/comm" 2>/dev/null) != sleep ]] || kill "$pid"
	rm -f "$WORK/holder"
}

# written FILE LINE...: a file of the private host; added FILE LINE...: to one.
written() { printf '%s\n' "${@:2}" | inside tee "$1" >/dev/null; }
added() { printf '%s\n' "${@:2}" | inside tee -a "$1" >/dev/null; }

# --- what it is like there ----------------------------------------------------------------------

configure_private_host()
{
	written /etc/resolv.conf "nameserver $RESOLVER"
	added /etc/hosts "192.0.2.7 perch.cage.test"
	written /etc/nsswitch.conf "passwd: compat" "group: compat" "shadow: compat" "hosts: files dns" \
		"services: files"
	inside ln -sfn /usr/share/zoneinfo/Pacific/Chatham /etc/localtime
	added /etc/services "canary 4242/tcp"
	inside localedef -c -i "$BATS_TEST_DIRNAME/foresight/cage.locale" /usr/lib/locale/cage 2>/dev/null || true
	make_accounts
	make_pam_service
	make_authority
}

# One to log in, one that runs the service, one that owns a file, one that is named, one for nothing.
make_accounts()
{
	local hash name uid=9101

	hash=$(openssl passwd -6 canary)
	for name in canary runner owner named strangebird; do
		added /etc/passwd "$name:x:$uid:$uid:$name:/nonexistent:/bin/sh"
		added /etc/group "$name:x:$uid:"
		added /etc/shadow "$name:$hash:19000:0:99999:7:::"
		uid=$((uid + 1))
	done
	# As they were kept before shadow(5).
	inside sed -i -e "s|^named:x:|named:$hash:|" /etc/passwd /etc/group
}

make_pam_service()
{
	written /etc/pam.d/asked \
		"auth required pam_listfile.so item=user sense=deny file=/etc/asked.denied onerr=fail" \
		"@include common-auth" \
		"@include common-account"
	written /etc/asked.denied nobody
}

# An authority that this host trusts, as update-ca-certificates would lay it, and a server that has
# its certificate.
make_authority()
{
	(
		cd "$WORK/out" || return
		openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 \
			-subj '/CN=Authority of the cage' -keyout authority.key -out authority.crt
		openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
			-subj '/CN=A local server' -keyout server.key -out server.csr
		openssl x509 -req -in server.csr -CA authority.crt -CAkey authority.key -days 30 -out server.crt
	) 2>/dev/null
	inside cp "$WORK/out/authority.crt" /etc/ssl/certs/cage.pem
	inside ln -sf cage.pem "/etc/ssl/certs/$(openssl x509 -noout -hash -in "$WORK/out/authority.crt").0"
	inside /bin/sh -c 'cat /etc/ssl/certs/cage.pem >>/etc/ssl/certs/ca-certificates.crt'
}

# others_serve: a name server and a TLS server for the test, at 18402; others_end().
others_serve()
{
	begun dnsmasq -k -C /dev/null -u root -R -h -a "$RESOLVER" -z -A /finch.cage.test/192.0.2.8 \
		>"$WORK/out/dnsmasq" 2>&1 &
	echo $! >"$WORK/out/others"
	begun openssl s_server -accept 127.0.0.1:18402 -cert "$WORK/out/server.crt" \
		-key "$WORK/out/server.key" -quiet >"$WORK/out/s_server" 2>&1 &
	echo $! >>"$WORK/out/others"
	eventually 10 eval "ss -Hltn | grep -q :18402 && ss -Huln | grep -q $RESOLVER:53"
}

others_end()
{
	# shellcheck disable=SC2046 # two pids
	[[ ! -e $WORK/out/others ]] || kill $(cat "$WORK/out/others") 2>/dev/null || true
	rm -f "$WORK/out/others"
}
