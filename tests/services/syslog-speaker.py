# SPDX-License-Identifier: MIT
"""A service for syslog.bats: over TCP it is told what to say to syslog.

  burst N     N messages by syslog(3); answers with the seconds that took and with its pid
  raw HEX     these bytes as one datagram
  kind        answers what /dev/log is: datagram, stream or none, and where it leads
"""
import errno
import os
import signal
import socket
import sys
import syslog
import time


def kind():
    """Of the socket at /dev/log, as connect(2) knows it."""
    place = os.readlink("/dev/log") if os.path.islink("/dev/log") else "here"
    for name, number in (("datagram", socket.SOCK_DGRAM), ("stream", socket.SOCK_STREAM)):
        with socket.socket(socket.AF_UNIX, number) as log:
            try:
                log.connect("/dev/log")
                return "%s %s" % (name, place)
            except OSError as e:
                if e.errno != errno.EPROTOTYPE:
                    return "none %s" % place


signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
syslog.openlog("speaker", syslog.LOG_PID, syslog.LOG_LOCAL3)
while True:
    conn, _ = server.accept()
    words = conn.makefile().readline().split()
    begun = time.monotonic()
    if words and words[0] == "burst":
        for i in range(int(words[1])):
            syslog.syslog(syslog.LOG_NOTICE, "number %d" % i)
    elif words and words[0] == "raw":
        log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        log.connect("/dev/log")
        log.send(bytes.fromhex(words[1]))
        log.close()
    elif words and words[0] == "kind":
        conn.sendall(kind().encode() + b"\n")
        conn.close()
        continue
    conn.sendall(b"%.3f %d\n" % (time.monotonic() - begun, os.getpid()))
    conn.close()
