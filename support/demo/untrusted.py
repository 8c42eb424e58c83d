"""The untrusted program of the demo: shows what it sees, then tries to get out. Runs inside the container.

untrusted.py SECRET_FILE HOST_PID: a file and a process of the host that it has no business with.
"""

import ctypes
import os
import signal
import socket
import sys

SYS_INIT_MODULE, SYS_BPF, SYS_REBOOT = 175, 321, 169  # x86-64
CLONE_NEWUSER = 0x10000000
libc = ctypes.CDLL(None, use_errno=True)


def checked(result):
    """A call of libc that failed, as Python reports failures."""
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def read(path):
    with open(path, "rb") as file:
        return file.read(200)


def write(path, data=b"x"):
    with open(path, "wb") as file:
        file.write(data)


def mount_tmpfs():
    checked(libc.mount(b"none", b"/tmp", b"tmpfs", 0, None))


def load_module():
    checked(libc.syscall(SYS_INIT_MODULE, b"\x7fELF", 4, b""))


def load_bpf():
    checked(libc.syscall(SYS_BPF, 0, ctypes.create_string_buffer(128), 128))


def reboot():
    # With wrong magic numbers: should it get through, the kernel does nothing but complain of them.
    checked(libc.syscall(SYS_REBOOT, 0, 0, 0, 0))


def new_user_namespace():
    checked(libc.unshare(CLONE_NEWUSER))


def make_disk_device():
    os.mknod("/tmp/disk", 0o600 | 0o060000, os.makedev(259, 0))


def connect_out():
    with socket.create_connection(("192.0.2.1", 80), timeout=2):
        pass


def signal_host_process():
    os.kill(int(sys.argv[2]), signal.SIGTERM)


def fork_many():
    """Ends with the error that stopped it; its children end with it."""
    children = []
    try:
        for _ in range(200):
            pid = os.fork()
            if pid == 0:
                signal.pause()
            children.append(pid)
    finally:
        for pid in children:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def take_memory():
    pid = os.fork()
    if pid == 0:
        hoard = [bytearray(os.urandom(1) * 1048576) for _ in range(256)]
        os._exit(len(hoard) == 0)
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        raise OSError(f"killed by {signal.Signals(os.WTERMSIG(status)).name}")


ATTEMPTS = [
    ("read the host's password hashes", lambda: read("/etc/shadow")),
    ("read a secret file of the host", lambda: read(sys.argv[1])),
    ("change a program in /usr/bin", lambda: write("/usr/bin/python3")),
    ("leave a file in the root folder", lambda: write("/left-behind")),
    ("change a kernel setting", lambda: write("/proc/sys/kernel/core_pattern")),
    ("read the kernel's memory", lambda: read("/dev/mem")),
    ("make a device for the host's disk", make_disk_device),
    ("signal a process of the host", signal_host_process),
    ("connect to the network", connect_out),
    ("mount a file system", mount_tmpfs),
    ("load a kernel module", load_module),
    ("load a BPF program", load_bpf),
    ("make a user namespace to be root in", new_user_namespace),
    ("reboot the machine", reboot),
    ("start 200 processes", fork_many),
    ("take 256 MiB of memory", take_memory),
]


def processes():
    return [f"{pid} ({read(f'/proc/{pid}/comm').decode().strip()})" for pid in os.listdir("/proc") if pid.isdigit()]


def mounts():
    """Without what lies below /proc and /dev: single devices and masks."""
    points = {line.split()[1] for line in read_all("/proc/mounts").splitlines()}
    return sorted(point for point in points if not point.startswith(("/proc/", "/dev/")))


def read_all(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def show():
    inside, outside, count = read_all("/proc/self/uid_map").split()
    print("What the program sees:")
    print(f"  host name       {socket.gethostname()}")
    print(f"  user            {os.getuid()}, which is {int(outside) - int(inside) + os.getuid()} on the host")
    print(f"  processes       {', '.join(processes())}")
    print(f"  root folder     {' '.join(sorted(os.listdir('/')))}")
    print(f"  mounts          {' '.join(mounts())}")
    print(f"  network         {' '.join(name for _, name in socket.if_nameindex())}")
    print(f"  can write to    {' '.join(path for path in ('/', '/usr', '/dev', '/tmp') if os.access(path, os.W_OK))}")


def attempt(name, action):
    try:
        action()
    except OSError as error:
        print(f"  kept out     {name:38} {error.strerror or error}")
        return True
    print(f"  GOT THROUGH  {name}")
    return False


def main():
    show()
    print("\nWhat it is kept from:")
    # Each one is tried, whatever the others came to.
    if not all([attempt(name, action) for name, action in ATTEMPTS]):
        return 1
    return 0


sys.exit(main())
