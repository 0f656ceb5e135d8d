# SPDX-License-Identifier: MIT
"""Attempts, by class. Each is a line of code that the hole is sent after the prelude; it succeeds when it ends
without an error, or with an errno by which the kernel says that it was let in (REACHED). All are
harmless: they open, ask, or change something to what it is."""

PRELUDE = r'''
import ctypes, errno, fcntl, os, resource, socket, stat, struct
libc = ctypes.CDLL(None, use_errno=True)
NR = dict(ptrace=101, process_vm_readv=310, kcmp=312, chroot=161, mount=165, umount2=166, pivot_root=155,
  fsopen=430, open_tree=428, move_mount=429, mount_setattr=442, unshare=272, clone=56, clone3=435, setns=308,
  add_key=248, request_key=249, keyctl=250, bpf=321, perf_event_open=298, userfaultfd=323,
  io_uring_setup=425, init_module=175, finit_module=313, delete_module=176, kexec_load=246, kexec_file_load=320,
  reboot=169, swapon=167, swapoff=168, settimeofday=164, sethostname=170,
  setdomainname=171, acct=163, quotactl=179, syslog=103, fanotify_init=300, open_by_handle_at=304,
  iopl=172, ioperm=173, personality=135, vhangup=153, modify_ldt=154, shmget=29,
  semget=64, msgget=68, mq_open=240, ioctl=16, capset=126, ioprio_set=251, pidfd_open=434,
  pidfd_getfd=438, migrate_pages=256, move_pages=279, fsmount=432, fspick=433,
  memfd_secret=447, process_madvise=440, listmount=458,   fsconfig=431, getpid=39)
def sc(name, *args, reached=()):
    ctypes.set_errno(0)
    number = NR[name] if isinstance(name, str) else name
    fixed = [ctypes.c_long(a) if isinstance(a, int) else a for a in args]
    libc.syscall.restype = ctypes.c_long
    r = libc.syscall(ctypes.c_long(number), *fixed)
    e = ctypes.get_errno()
    if r < 0 and e not in reached:
        raise OSError(e, os.strerror(e))
    return r
def opens(path, flags=os.O_RDONLY):
    os.close(os.open(path, flags | os.O_CLOEXEC | os.O_NOCTTY))
def leases(path):
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.fcntl(fd, 1024, 1)
    except OSError as e:
        if e.errno != errno.EAGAIN: # another has it open just now
            raise
    finally:
        os.close(fd)
def reads(path):
    with open(path, "rb") as f:
        assert f.read(64), "empty"
def ns(kind, pid=1):
    fd = os.open("/proc/%d/ns/%s" % (pid, kind), os.O_RDONLY)
    sc("setns", fd, 0, reached=(errno.EINVAL,))
def sock(*a):
    socket.socket(*a).close()
def runs(path):
    import signal
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    pid = os.fork()
    if pid == 0:
        try:
            os.execv(path, [path, "-c", ""])
        except OSError as e:
            os._exit(e.errno)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if code:
        raise OSError(code, os.strerror(code) if code > 0 else "signal")
def places(dir):
    path = dir + "/immure-attack-program"
    with open("/proc/self/exe", "rb") as f, open(path, "wb") as g:
        g.write(f.read())
    os.chmod(path, 0o755)
    try:
        runs(path)
    finally:
        os.unlink(path)
def machine(code):
    import mmap
    m = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    m.write(code)
    at = ctypes.addressof(ctypes.c_char.from_buffer(m))
    r = ctypes.CFUNCTYPE(ctypes.c_int)(at)()
    if r < 0:
        raise OSError(-r, os.strerror(-r))
def pty(request):
    a, b = os.openpty()
    sc("ioctl", b, request, ctypes.create_string_buffer(8), reached=(errno.EIO, errno.ENOTTY, errno.EINVAL))
def grows(what, to):
    soft, hard = resource.getrlimit(what)
    resource.setrlimit(what, (soft, to if to != hard else resource.RLIM_INFINITY))
def puts(path):
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    os.close(fd)
    os.unlink(path)
def point():
    os.makedirs(STATE + "/mnt", exist_ok=True)
    return (STATE + "/mnt").encode()
def iov():
    return struct.pack("QQ", ctypes.addressof(buf), 8)
def mode(path, bits):
    open(path, "w").close()
    try:
        os.chmod(path, bits)
    finally:
        os.unlink(path)
buf = ctypes.create_string_buffer(4096)
E = errno
'''

CLONE = dict(mnt=0x20000, uts=0x4000000, ipc=0x8000000, user=0x10000000, pid=0x20000000, net=0x40000000,
             cgroup=0x2000000, time=0x80)

# What any service may do: where this is held, the others were never fired.
HARMLESS = "harmless"

ATTEMPTS = {
    HARMLESS: {
        "write state": 'open(STATE + "/alive", "w").close()',
        "a call": 'sc("getpid")',
        "a socket": 'sock()',
        "a terminal": 'os.openpty()',
    },
    "climbing out": {
        "chroot": 'sc("chroot", STATE.encode())',
        "pivot_root": 'sc("pivot_root", b"/", b"/", reached=(E.EINVAL, E.EBUSY))',
        "handle": 'sc("open_by_handle_at", -100, buf, 0, reached=(E.EINVAL, E.EBADF, E.ESTALE))',
        "root of the first process": 'os.listdir("/proc/1/root")',
        "cwd of the first process": 'os.listdir("/proc/1/cwd")',
        "descriptors of the first process": 'os.listdir("/proc/1/fd")',
        "a path of the host": 'os.stat(HOST + "/secret")',
        "the canary's root": 'os.listdir("/proc/%d/root" % PID)',
    },
    "proc and sys": {
        "sysrq": 'opens("/proc/sysrq-trigger", os.O_WRONLY)',
        "core_pattern": 'opens("/proc/sys/kernel/core_pattern", os.O_WRONLY)',
        "modprobe": 'opens("/proc/sys/kernel/modprobe", os.O_WRONLY)',
        "ns_last_pid": 'opens("/proc/sys/kernel/ns_last_pid", os.O_WRONLY)',
        "drop_caches": 'opens("/proc/sys/vm/drop_caches", os.O_WRONLY)',
        "ip_forward": 'opens("/proc/sys/net/ipv4/ip_forward", os.O_WRONLY)',
        "kcore": 'opens("/proc/kcore")',
        "kmsg of proc": 'opens("/proc/kmsg")',
        "memory of the first process": 'opens("/proc/1/mem", os.O_RDWR)',
        "environment of the first process": 'opens("/proc/1/environ")',
        "program of the first process": 'opens("/proc/1/exe")',
        "maps of the first process": 'reads("/proc/1/maps")',
        "memory of the canary": 'opens("/proc/%d/mem" % PID, os.O_RDWR)',
        "lower oom score": 'os.write(os.open("/proc/self/oom_score_adj", os.O_WRONLY), b"-1000")',
        "sys writable": 'opens("/sys/kernel/uevent_seqnum") or opens("/sys/power/state", os.O_WRONLY)',
        "uevent helper": 'opens("/sys/kernel/profiling", os.O_WRONLY)',
        "control groups": 'os.rmdir(os.mkdir(CGROUP + "/immure-attack") or CGROUP + "/immure-attack")',
        "tracing": 'os.listdir("/sys/kernel/tracing")',
        "security": 'os.listdir("/sys/kernel/security")',
        "debug": 'os.listdir("/sys/kernel/debug")',
    },
    "processes": {
        "trace the first": 'sc("ptrace", 0x4206, 1, 0, 0)',
        "trace the canary": 'sc("ptrace", 0x4206, PID, 0, 0)',
        "read the first": 'sc("process_vm_readv", 1, iov(), 1, iov(), 1, 0, reached=(E.EFAULT,))',
        "read the canary": 'sc("process_vm_readv", PID, iov(), 1, iov(), 1, 0, reached=(E.EFAULT,))',
        "compare": 'sc("kcmp", 1, 1, 0, 0, 0)',
        "signal the first": 'os.kill(1, 0)',
        "signal the canary": 'os.kill(PID, 0)',
        "hold the canary": 'sc("pidfd_open", PID, 0)',
        "take a descriptor": 'sc("pidfd_getfd", sc("pidfd_open", 1, 0), 0, 0)',
        "advise": 'sc("process_madvise", sc("pidfd_open", 1, 0), buf, 0, 4, 0)',
        "limits of the canary": 'resource.prlimit(PID, resource.RLIMIT_NOFILE)',
        "priority of the canary": 'os.setpriority(os.PRIO_PROCESS, PID, os.getpriority(os.PRIO_PROCESS, PID))',
        "processors of the canary": 'os.sched_setaffinity(PID, os.sched_getaffinity(PID))',
        "migrate its pages": 'sc("migrate_pages", PID, 1, buf, buf, reached=(E.EINVAL,))',
        "move its pages": 'sc("move_pages", PID, 0, 0, 0, 0, 0)',
        "its io priority": 'sc("ioprio_set", 1, PID, 2 << 13 | 4)',
        "see it": 'os.stat("/proc/%d" % PID)',
    },
    "communication": {
        "shared memory": 'sc("shmget", KEY, 0, 0)',
        "semaphores": 'sc("semget", KEY, 0, 0)',
        "messages": 'sc("msgget", KEY, 0)',
        "posix queue": 'sc("mq_open", b"immure-canary", os.O_RDWR, 0, 0)',
        "posix memory": 'opens("/dev/shm/immure-canary", os.O_RDWR)',
        "abstract socket": 'socket.socket(socket.AF_UNIX).connect("\\0immure-canary-%d" % PORT)',
        "path socket": 'socket.socket(socket.AF_UNIX).connect(HOST + "/socket")',
        "a pipe in a directory": 'opens(HOST + "/pipe", os.O_RDWR)',
    },
    "keys": {
        "add to the user's": 'sc("add_key", b"user", b"immure-attack", b"x", 1, -4)',
        "add to the session's": 'sc("add_key", b"user", b"immure-attack", b"x", 1, -3)',
        "request": 'sc("request_key", b"user", b"immure-canary", 0, 0)',
        "search": 'sc("keyctl", 10, -4, b"user", b"immure-canary", 0)',
        "describe the session": 'sc("keyctl", 6, -3, buf, 4096, 0)',
        "the user's ring": 'sc("keyctl", 0, -4, 0, 0, 0)',
        "a new session": 'sc("keyctl", 1, b"immure-attack", 0, 0, 0)',
        "the persistent ring": 'sc("keyctl", 22, -1, -3, 0, 0)',
    },
    "terminals": {
        "type": 'pty(0x5412)',
        "type with high bits": 'pty(0x5412 | 1 << 32)',
        "type with the highest bit": 'pty(0x5412 - (1 << 63))',
        "paste": 'pty(0x541c)',
        "line discipline": 'pty(0x5423)',
        "console": 'opens("/dev/console", os.O_WRONLY)',
        "first console": 'opens("/dev/tty1", os.O_WRONLY)',
        "hang up": 'sc("vhangup")',
    },
    "mounts": {
        "tmpfs": 'sc("mount", b"none", point(), b"tmpfs", 0, 0)',
        "bind": 'sc("mount", b"/", point(), b"none", 4096, 0)',
        "remount": 'sc("mount", b"none", b"/", b"none", 4096 | 32, 0)',
        "proc anew": 'sc("mount", b"proc", point(), b"proc", 0, 0)',
        "unmount": 'sc("umount2", b"/", 4, reached=(E.EINVAL, E.EBUSY))',
        "open a file system": 'sc("fsopen", b"tmpfs", 0)',
        "pick": 'sc("fspick", -100, b"/", 0)',
        "configure": 'sc("fsconfig", -1, 0, 0, 0, 0, reached=(E.EINVAL, E.EBADF))',
        "mount it": 'sc("fsmount", -1, 0, 0, reached=(E.EBADF, E.EINVAL))',
        "copy a tree": 'sc("open_tree", -100, b"/", 1)',
        "move": 'sc("move_mount", -1, b"x", -1, b"x", 0, reached=(E.EBADF,))',
        "attributes": 'sc("mount_setattr", -100, b"/", 0, buf, 32)',
        "list": 'sc("listmount", struct.pack("IIQQQ", 32, 0, 0xffffffffffffffff, 0, 0), buf, 8, 0)',
    },
    "namespaces": {
        **{"unshare " + k: 'sc("unshare", %d)' % v for k, v in CLONE.items()},
        "clone user": 'p = sc("clone", 0x10000011, 0, 0, 0, 0)\nif p == 0: os._exit(0)',
        "clone net": 'p = sc("clone", 0x40000011, 0, 0, 0, 0)\nif p == 0: os._exit(0)',
        "clone3 user": 'p = sc("clone3", struct.pack("8Q", 0x10000000, 0, 0, 0, 17, 0, 0, 0), 64)\nif p == 0: os._exit(0)',
        **{"enter the first's " + k: 'ns("%s")' % k for k in ("mnt", "uts", "ipc", "user", "pid", "net", "cgroup")},
    },
    "devices": {
        "make a disk": 'os.mknod(STATE + "/d", stat.S_IFBLK | 0o600, os.makedev(254, 0)); os.unlink(STATE + "/d")',
        "make mem": 'os.mknod(STATE + "/m", stat.S_IFCHR | 0o600, os.makedev(1, 1)); os.unlink(STATE + "/m")',
        "make kmsg": 'os.mknod(STATE + "/k", stat.S_IFCHR | 0o600, os.makedev(1, 11)); os.unlink(STATE + "/k")',
        "make null": 'os.mknod(STATE + "/n", stat.S_IFCHR | 0o600, os.makedev(1, 3)); os.unlink(STATE + "/n")',
        "open mem": 'opens("/dev/mem")',
        "open kmsg": 'opens("/dev/kmsg")',
        "open a disk": 'opens("/dev/vda")',
        "open fuse": 'opens("/dev/fuse")',
        "open tun": 'opens("/dev/net/tun")',
        "ports": 'sc("iopl", 3)',
        "a port": 'sc("ioperm", 0x80, 1, 1)',
    },
    "set-id and capabilities": {
        "become root": 'os.setresuid(0, 0, 0)',
        "become root's group": 'os.setresgid(0, 0, 0)',
        "groups": 'os.setgroups([0, 6])',
        "become somebody else": 'os.setresuid(-1, 12345, -1)',
        "u+s": 'mode(STATE + "/suid", 0o4755)',
        "g+s": 'mode(STATE + "/sgid", 0o2755)',
        "u+s when made": 'os.close(os.open(STATE + "/made", os.O_CREAT | os.O_WRONLY, 0o4755)) or os.unlink(STATE + "/made")',
        "file capability": 'puts_path = STATE + "/cap"; open(puts_path, "w").close(); os.setxattr(puts_path, "security.capability", struct.pack("<5I", 0x02000001, 1 << 21, 0, 0, 0)); os.unlink(puts_path)',
        "raise": 'sc("capset", struct.pack("II", 0x20080522, 0), struct.pack("6I", 1 << 21, 1 << 21, 0, 0, 0, 0))',
        "hold one": 'import re; s = open("/proc/self/status").read(); assert int(re.search("CapPrm:\\s*(\\w+)", s)[1], 16), "none"',
        "could have one": 'import re; s = open("/proc/self/status").read(); assert int(re.search("CapBnd:\\s*(\\w+)", s)[1], 16), "none"',
        "gain by execution": 'import re; s = open("/proc/self/status").read(); assert int(re.search("NoNewPrivs:\\s*(\\w+)", s)[1]) == 0, "no_new_privs"',
        "unfiltered": 'import re; s = open("/proc/self/status").read(); assert int(re.search("Seccomp:\\s*(\\w+)", s)[1]) == 0, "filtered"',
        "give away": 'p = STATE + "/own"; open(p, "w").close()\ntry: os.chown(p, 0, 0)\nfinally: os.unlink(p)',
    },
    "the kernel": {
        "bpf": 'sc("bpf", 9999, buf, 8, reached=(E.EINVAL,))',
        "perf": 'sc("perf_event_open", struct.pack("IIQ", 1, 112, 0) + bytes(96), 0, -1, -1, 0)',
        "userfaultfd": 'sc("userfaultfd", 0)',
        "io_uring": 'sc("io_uring_setup", 1, ctypes.create_string_buffer(120))',
        "a module": 'sc("init_module", 0, 0, 0, reached=(E.EFAULT, E.ENOEXEC, E.EINVAL))',
        "a module's file": 'sc("finit_module", -1, b"", 0, reached=(E.EBADF,))',
        "remove a module": 'sc("delete_module", b"immure-none", 0, reached=(E.ENOENT,))',
        "kexec": 'sc("kexec_load", 0, 0, 0, 0xffff, reached=(E.EINVAL,))',
        "kexec by file": 'sc("kexec_file_load", -1, -1, 0, 0, 0, reached=(E.EBADF, E.EINVAL))',
        "reboot, with wrong magic": 'sc("reboot", 1, 2, 3, 0, reached=(E.EINVAL,))',
        "swap on": 'sc("swapon", b"/immure-none", 0, reached=(E.ENOENT,))',
        "swap off": 'sc("swapoff", b"/immure-none", reached=(E.ENOENT, E.EINVAL))',
        "clock": 'sc("settimeofday", 0, 0)',
        "host name": 'n = os.uname().nodename.encode(); sc("sethostname", n, len(n))',
        "domain name": 'sc("setdomainname", b"(none)", 6)',
        "accounting": 'sc("acct", b"/immure-none", reached=(E.ENOENT,))',
        "quota": 'sc("quotactl", 0x800001 << 8, b"/immure-none", 0, 0, reached=(E.ENOENT, E.ENOTBLK, E.EINVAL))',
        "kernel log": 'sc("syslog", 10, 0, 0)',
        "fanotify": 'sc("fanotify_init", 0, 0)',
        "personality": 'sc("personality", 8)',
        "segments": 'sc("modify_ldt", 0, buf, 16)',
        "secret memory": 'sc("memfd_secret", 0)',
    },
    "foreign calls": {
        "32 bits": r'machine(b"\xb8\x14\x00\x00\x00\xcd\x80\xc3")',
        "32 bits, mount": r'machine(b"\x31\xdb\x31\xc9\x31\xd2\xb8\x34\x00\x00\x00\xcd\x80\x83\xf8\xf2\x75\x02\x31\xc0\xc3")',
        "x32": 'sc(0x40000000 + 39)',
        "a number of tomorrow": 'sc(999, reached=())',
    },
    "resources": {
        "more descriptors": 'grows(resource.RLIMIT_NOFILE, 1 << 30)',
        "more locked memory": 'grows(resource.RLIMIT_MEMLOCK, resource.RLIM_INFINITY)',
        "core dumps": 'resource.setrlimit(resource.RLIMIT_CORE, (4096, 4096))',
        "priority": 'os.setpriority(os.PRIO_PROCESS, 0, -20)',
        "real time": 'os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))',
        "io priority": 'sc("ioprio_set", 1, 0, 1 << 13)',
        "hold up who opens a program": 'leases("/usr/bin/python3")',
        "hold up who opens the service": 'import sys; leases(sys.argv[0])',
        "hold up who opens state": 'open(STATE + "/leased", "w").close(); leases(STATE + "/leased")',
    },
    "network": {
        "packets": 'sock(socket.AF_PACKET, socket.SOCK_RAW, 0)',
        "raw icmp": 'sock(socket.AF_INET, socket.SOCK_RAW, 1)',
        "vsock": 'sock(socket.AF_VSOCK, socket.SOCK_STREAM)',
        "crypto": 'sock(socket.AF_ALG, socket.SOCK_SEQPACKET)',
        "audit": 'sock(socket.AF_NETLINK, socket.SOCK_RAW, 9)',
        "netfilter": 'sock(socket.AF_NETLINK, socket.SOCK_RAW, 12)',
        "uevents": 'sock(socket.AF_NETLINK, socket.SOCK_RAW, 15)',
        "a low port": 'socket.create_server(("127.0.0.1", 81)).close()',
        "another port": 'socket.create_server(("127.0.0.1", 18899)).close()',
        "a udp port": 'socket.socket(type=socket.SOCK_DGRAM).bind(("127.0.0.1", 18899))',
        "a low udp port": 'socket.socket(type=socket.SOCK_DGRAM).bind(("127.0.0.1", 82))',
        "interfaces": 's = socket.socket(); f = fcntl.ioctl(s, 0x8913, struct.pack("16s24x", b"lo")); fcntl.ioctl(s, 0x8914, f)',
        "transparent": 'socket.socket().setsockopt(0, 19, 1)',
        "mark": 'socket.socket().setsockopt(1, 36, 1)',
        "another port by mptcp": 's = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262); s.bind(("127.0.0.1", 18899))',
        "the canary's port by mptcp": 's = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262); s.settimeout(2); s.connect(("127.0.0.1", CANARY))',
        "the canary's port by sending": 'socket.socket().sendto(b"x", 0x20000000, ("127.0.0.1", CANARY))',
        "listen on any port": 'socket.socket().listen(1)',
        "the canary's port": 'socket.create_connection(("127.0.0.1", CANARY), 2)',
    },
    "executed later": {
        "the interpreter": 'opens("/usr/bin/python3", os.O_WRONLY)',
        "libraries": 'opens("/lib/x86_64-linux-gnu/libc.so.6", os.O_WRONLY)',
        "a new program": 'puts("/usr/bin/immure-attack")',
        "a new library": 'puts("/usr/lib/immure-attack.so")',
        "accounts": 'opens("/etc/passwd", os.O_WRONLY)',
        "configuration": 'puts("/etc/immure-attack")',
        "the root": 'puts("/immure-attack")',
        "times of a program": 't = os.stat("/usr/bin/python3"); os.utime("/usr/bin/python3", ns=(t.st_atime_ns, t.st_mtime_ns))',
        "execute from state": 'places(STATE)',
        "execute from tmp": 'places("/tmp")',
        "execute from shared memory": 'places("/dev/shm")',
        "execute from memory": 'fd = os.memfd_create("x", 0x10); os.write(fd, open("/proc/self/exe", "rb").read()); runs("/proc/self/fd/%d" % fd)',
        "the service itself": 'import sys; opens(sys.argv[0], os.O_WRONLY)',
    },
}
