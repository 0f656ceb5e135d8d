#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""attack.py fire PORT FACTS OUT: sends every attempt to the hole at PORT, and writes class, name, result.
attack.py canary PORT DIR: what lives on the host for the attempts to find; prints FACTS, stays.
attack.py table CONTROL JAIL WAIVERS: judges; exits with 1 where one is open that should not be."""
import ctypes
import json
import os
import signal
import socket
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from attempts import ATTEMPTS, HARMLESS, PRELUDE  # noqa: E402


def send(port, code):
    with socket.create_connection(("127.0.0.1", port), 10) as s:
        s.settimeout(10)
        s.sendall(code.encode())
        s.shutdown(socket.SHUT_WR)
        answer = b""
        while chunk := s.recv(4096):
            answer += chunk
    return answer.decode(errors="replace") or "HELD ended without a word"


def fire(port, facts, out):
    names = "".join("%s = %r\n" % kv for kv in json.load(open(facts)).items())
    with open(out, "w") as f:
        for cls, attempts in ATTEMPTS.items():
            for name, code in attempts.items():
                answer = send(port, PRELUDE + names + code + '\nanswer = "OPEN"\n')
                f.write("%s\t%s\t%s\n" % (cls, name, answer.replace("\n", " ")[:120]))


def canary(port, where):
    libc = ctypes.CDLL(None)
    key = 0x133700 + port
    libc.shmget(key, 4096, 0o1666)
    libc.semget(key, 1, 0o1666)
    libc.msgget(key, 0o1666)
    libc.syscall(240, b"immure-canary", 0o102, 0o666, None)
    libc.syscall(248, b"user", b"immure-canary", b"x", 1, -4)
    open("/dev/shm/immure-canary", "w").close()
    os.makedirs(where, exist_ok=True)
    open(where + "/secret", "w").close()
    if not os.path.exists(where + "/pipe"):
        os.mkfifo(where + "/pipe", 0o666)
    abstract, path = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
    abstract.bind("\0immure-canary-%d" % port)
    if os.path.exists(where + "/socket"):
        os.unlink(where + "/socket")
    path.bind(where + "/socket")
    abstract.listen(1)
    path.listen(1)
    door = socket.create_server(("127.0.0.1", port))
    groups = [d for d in ("/sys/fs/cgroup/unified", "/sys/fs/cgroup") if os.path.exists(d + "/cgroup.procs")]
    groups += ["/sys/fs/cgroup/pids", "/sys/fs/cgroup/memory", "/sys/fs/cgroup"]
    print(json.dumps(dict(PID=os.getpid(), KEY=key, PORT=port, CANARY=port, HOST=where,
                          CGROUP=next(d for d in groups if os.path.isdir(d)))),
          flush=True)
    os.close(1)

    def end(*_):
        libc.shmctl(libc.shmget(key, 0, 0), 0, None)
        libc.semctl(libc.semget(key, 0, 0), 0, 0)
        libc.msgctl(libc.msgget(key, 0), 0, None)
        libc.syscall(241, b"immure-canary")
        libc.syscall(250, 9, libc.syscall(250, 10, -4, b"user", b"immure-canary", 0), -4)
        os.unlink("/dev/shm/immure-canary")
        door.close()
        os._exit(0)

    signal.signal(signal.SIGTERM, end)
    while True:
        signal.pause()


def load(path):
    return {tuple(line.rstrip("\n").split("\t")[:2]): line.rstrip("\n").split("\t")[2] for line in open(path)}


def table(control, jail, waivers):
    fired, held, bad = 0, 0, []
    waived = dict(line.rstrip("\n").split("\t") for line in open(waivers) if line.strip() and line[0] != "#")
    before, after = load(control), load(jail)
    for key in [k for k in after if k[0] == HARMLESS]:
        if after.pop(key) != "OPEN" or before.pop(key) != "OPEN":
            bad.append("%s: %s should be open: nothing was proved" % key)
    for key, result in after.items():
        name = "%s: %s" % key
        opened, fires = result == "OPEN", before[key] == "OPEN"
        fired += fires
        held += fires and not opened
        mark = "OPEN" if opened else "held"
        if opened and name in waived:
            mark = "waived"
        elif opened:
            bad.append(name)
        print("%-7s %-50s %s%s" % (mark, name, "" if opened else result[5:65],
                                   "" if fires else "   [did not fire outside: %s]" % before[key][5:60]))
    print("%d attempts, %d fired outside, %d of those held in the jail" % (len(after), fired, held))
    for name in set(waived) - {"%s: %s" % k for k, v in after.items() if v == "OPEN"}:
        bad.append("waived without need: " + name)
    for name in bad:
        print("NOT HELD: " + name)
    return 1 if bad else 0


if sys.argv[1] == "fire":
    fire(int(sys.argv[2]), sys.argv[3], sys.argv[4])
elif sys.argv[1] == "canary":
    canary(int(sys.argv[2]), sys.argv[3])
else:
    sys.exit(table(*sys.argv[2:5]))
