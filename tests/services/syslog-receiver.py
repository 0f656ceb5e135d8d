# SPDX-License-Identifier: MIT
"""A log host for syslog.bats that breaks off: PORT BYTES FILE.

Of its first connection it reads so many bytes, waits half a second and closes it with the rest unread;
of the second one all. The messages that it got whole (octet counts, RFC 6587) are lines of FILE."""
import socket
import sys
import time


def whole(data):
    """The messages, and what is left of an incomplete one."""
    messages = []
    while b" " in data[:8]:
        count, rest = data.split(b" ", 1)
        if len(rest) < int(count):
            break
        messages.append(rest[:int(count)] + b"\n")
        data = rest[int(count):]
    return messages, data


def read(conn, most, lines):
    data, got = b"", 0
    while got < most:
        piece = conn.recv(min(65536, most - got))
        if not piece:
            break
        got += len(piece)
        messages, data = whole(data + piece)
        lines.write(b"".join(messages))


with socket.create_server(("127.0.0.1", int(sys.argv[1]))) as server:
    with open(sys.argv[3], "ab", buffering=0) as out:
        with server.accept()[0] as first:
            read(first, int(sys.argv[2]), out)
            time.sleep(0.5)
        with server.accept()[0] as second:
            read(second, 1 << 40, out)
