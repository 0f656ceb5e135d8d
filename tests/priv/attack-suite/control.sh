#!/bin/bash
# SPDX-License-Identifier: MIT
# control.sh DIR PORT OUT: the attempts without a jail, as root, in namespaces and upon copies of their
# own, so that even what succeeds touches nothing of the host. With LAUNCH, a command to put before the
# service, in another launcher's jail instead (tools/attack-table); /mnt/root there is all of /.
set -eu
dir=$1 port=$2 out=$3
if [[ ${4:-} != inside ]]; then
	exec unshare --mount --pid --fork --mount-proc --net --ipc --uts --cgroup --propagation private \
		"$0" "$dir" "$port" "$out" inside
fi
here=$(dirname "$(readlink -f "$0")")
mount -t tmpfs none /mnt
for d in usr etc; do
	mkdir "/mnt/$d-up" "/mnt/$d-work"
	mount -t overlay -o "lowerdir=/$d,upperdir=/mnt/$d-up,workdir=/mnt/$d-work" none "/$d"
done
mount -t tmpfs none /dev/shm
ip link set lo up
python3 "$here/attack.py" canary "$((port + 1))" /mnt/canary >"$dir/facts-control" &
canary=$!
mkdir -p "$dir/state-control"
chown nobody "$dir/state-control"
if [[ -n ${LAUNCH:-} ]]; then
	mkdir /mnt/root
	mount --rbind / /mnt/root
	mount -t cgroup2 none /sys/fs/cgroup || true # runc's kind knows no hybrid hierarchy
fi
# shellcheck disable=SC2086 # words
${LAUNCH:-} /usr/bin/python3 "$dir/hole.py" "$port" "$dir/state-control" &
hole=$!
for _ in {1..100}; do
	kill -0 "$hole" 2>/dev/null || exit 3
	[[ -s $dir/facts-control ]] && python3 -c "import socket; socket.create_connection(('127.0.0.1', $port))" 2>/dev/null && break
	sleep 0.1
done
python3 "$here/attack.py" fire "$port" "$dir/facts-control" "$out"
kill "$canary" "$hole"
