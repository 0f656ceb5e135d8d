#!/usr/bin/python3
# SPDX-License-Identifier: MIT
# usage: asked.py PORT      as asked.c; each question imports what it needs when it is put.
import socket
import sys


def json():
    import json
    return json.dumps({"canary": [1, 2]})


def idna():
    return "käfig.test".encode("idna").decode()


def koi8():
    return "клетка".encode("koi8-r").hex()


def decimal():
    from decimal import Decimal
    return str(Decimal(1) / 7)


def template():
    import xml.sax.saxutils
    return xml.sax.saxutils.escape("<cage>")


def zone():
    import datetime
    import zoneinfo
    return str(datetime.datetime.fromtimestamp(1e9, zoneinfo.ZoneInfo("Asia/Tokyo")))


def shell():
    import os
    return os.popen("echo canary | tr a-z A-Z").read().strip()


questions = {f.__name__: f for f in (json, idna, koi8, decimal, template, zone, shell)}
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    client, _ = server.accept()
    try:
        reply = questions[client.recv(100).decode().strip()]()
    except Exception as e:
        reply = f"error: {e}"
    client.sendall(reply.encode() + b"\n")
    client.close()
