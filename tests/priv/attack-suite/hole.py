#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A network service with a hole: it runs whatever Python it is sent, and answers with what became of it.

hole.py PORT STATE listens on 127.0.0.1:PORT. Each connection's code runs in a child, for five seconds
at most; STATE is the directory that the service may write."""
import ctypes  # noqa: F401 (what an attacker finds is there, as he would bring it along)
import fcntl  # noqa: F401
import mmap  # noqa: F401
import os
import re  # noqa: F401
import resource  # noqa: F401
import signal
import socket
import stat  # noqa: F401
import struct  # noqa: F401
import sys

PORT, STATE = int(sys.argv[1]), sys.argv[2]


def run(code):
    names = {"STATE": STATE, "__name__": "attack"}
    try:
        exec(compile(code, "attack", "exec"), names)  # the hole
        return names.get("answer", "done")
    except BaseException as e:  # whatever it is, the attacker wants to know
        return "HELD %s" % e


def serve(conn):
    code = b""
    while chunk := conn.recv(65536):
        code += chunk
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(5)
    conn.sendall(str(run(code.decode())).encode())
    os._exit(0)


def main():
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with open(STATE + "/log", "a") as log:
        log.write("started\n")
    door = socket.create_server(("127.0.0.1", PORT))
    while True:
        conn, _ = door.accept()
        if os.fork() == 0:
            door.close()
            serve(conn)
        conn.close()


main()
