# SPDX-License-Identifier: MIT
"""A network service that, once it is told to, poisons all that it may write: links to a place outside,
directories that are renamed in a loop, FIFOs and sockets in the place of files, trees that are deep,
wide or enormous. usage: planter.py PORT CANARY DIR..."""
import os
import shutil
import socket
import sys
import threading

port, canary, places = int(sys.argv[1]), sys.argv[2], sys.argv[3:]


def swap(place, make, name):
    """Puts what make() makes at NAME, by a rename where that can be."""
    new = f"{place}/.new-{name}"
    at = f"{place}/{name}"
    make(new)
    try:
        os.rename(new, at)
    except OSError:
        if os.path.isdir(at) and not os.path.islink(at):
            shutil.rmtree(at, ignore_errors=True)
        else:
            os.unlink(at)
        os.rename(new, at)


def tree(path):
    os.mkdir(path)
    with open(f"{path}/passwd", "w") as f:
        f.write("mine\n")


def bound(path):
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(path)


def deep(path):
    os.mkdir(path)
    here = os.open(path, os.O_DIRECTORY)
    for _ in range(300):
        os.mkdir("d" * 200, dir_fd=here)
        below = os.open("d" * 200, os.O_DIRECTORY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)


def wide(path):
    os.mkdir(path)
    for i in range(3000):
        os.symlink(canary, f"{path}/{i}")


def enormous(path):
    with open(path, "w") as f:
        os.truncate(f.fileno(), 1 << 40)


def nasty(path):
    os.mkdir(path)
    for name in (b"\xff\xfe", b"\x1b[2Jred", b"a\nb", b"-rf", b"..."):
        os.close(os.open(path.encode() + b"/" + name, os.O_CREAT | os.O_WRONLY))


makers = [
    lambda p: os.symlink(canary, p), tree, lambda p: os.symlink(f"{canary}/passwd", p), os.mkfifo, bound,
    lambda p: os.symlink("/proc/1/root", p), lambda p: os.symlink(p, p), enormous, nasty,
    lambda p: os.link(f"{os.path.dirname(p)}/own", p),
]


def poison(place, name):
    while True:
        for make in makers:
            try:
                swap(place, make, name)
            except OSError:
                pass


def pile(place):
    for make, name in ((deep, "deep"), (wide, "wide")):
        try:
            make(f"{place}/{name}")
        except OSError:
            pass


def attack():
    for place in places:
        # Names that the host side works with, too: pid files, logs, sockets, its own temporary names.
        for name in ("a", "data", "planter.pid", "sub", "output.log", ".immure-1-1"):
            threading.Thread(target=poison, args=(place, name), daemon=True).start()
        threading.Thread(target=pile, args=(place,), daemon=True).start()


for place in places:
    os.makedirs(f"{place}/sub", exist_ok=True)
    for name in ("own", "data", "planter.pid"):
        with open(f"{place}/{name}", "w") as f:
            f.write(f"{os.getpid()}\n")
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.1", port))
s.listen(9)
while True:
    peer, _ = s.accept()
    wish = peer.recv(99)
    if wish == b"attack\n":
        attack()
    peer.sendall(b"ready\n")
    peer.close()
