"""One lane of a soak: a process that takes containers through their lives, one after the other.

It is a subreaper, so that whatever brig or a container leaves behind becomes its child.
"""

import ctypes
import json
import os
import random
import select
import signal
import sys
import time

PR_SET_CHILD_SUBREAPER = 36
CALL_SECONDS = 60


class Failed(Exception):
    pass


class Lane:
    def __init__(self, soak, number):
        self.soak = soak
        self.number = number
        self.random = random.Random(soak.seed * 1000 + number)
        self.output = os.open(os.path.join(soak.folder, f"output-{number}"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        self.pid_file = os.path.join(soak.folder, f"pid-{number}")
        self.usage = {}

    def start(self, *arguments):
        os.ftruncate(self.output, 0)
        os.lseek(self.output, 0, os.SEEK_SET)
        null = (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0)
        streams = [null, *((os.POSIX_SPAWN_DUP2, self.output, fd) for fd in (1, 2))]
        command = [self.soak.brig, "--root", self.soak.root, *arguments]
        return os.posix_spawn(self.soak.brig, command, self.soak.environment, file_actions=streams)

    @staticmethod
    def reap_others(pid):
        """A zombie that nobody reaps keeps its pid namespace, and so its container's first process, from ending."""
        while True:
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if ended is None or ended.si_pid == pid:
                return
            os.waitpid(ended.si_pid, os.WNOHANG)

    def wait(self, pid, what):
        """(exit status, usage) of a child, which is killed when it takes too long."""
        deadline = time.monotonic() + CALL_SECONDS
        pidfd = os.pidfd_open(pid)
        while not select.select([pidfd], [], [], 0.002)[0] and time.monotonic() < deadline:
            self.reap_others(pid)
        ended = select.select([pidfd], [], [], 0)[0]
        os.close(pidfd)
        if not ended:
            os.kill(pid, signal.SIGKILL)
        _, status, usage = os.wait4(pid, 0)
        if not ended:
            raise Failed(f"{what} did not end in {CALL_SECONDS} s")
        return os.waitstatus_to_exitcode(status), usage

    def brig(self, *arguments, expect=0):
        words = " ".join(arguments)
        status, usage = self.wait(self.start(*arguments), words)
        if status != expect:
            raise Failed(f"{words}: status {status}, expected {expect}: {os.pread(self.output, 2000, 0).decode(errors='replace')}")
        name = next(word for word in arguments if not word.startswith("-"))
        self.usage.setdefault(name, []).append(usage.ru_utime + usage.ru_stime)

    def bundle(self, program, name):
        return self.soak.bundle(f"bundle-{self.number}", program, name)

    def wait_for_init(self):
        """brig, which made it, is gone, so the container's first process is ours."""
        with open(self.pid_file, encoding="ascii") as file:
            pid = int(file.read())
        try:
            self.wait(pid, "the container's first process")
        except ProcessLookupError:
            pass  # reaped while we waited for brig

    # ---- the ways a container can go

    def all_states(self, name):
        self.brig("create", "--bundle", self.bundle("sleep", name), "--pid-file", self.pid_file, name)
        self.brig("state", name)
        self.brig("start", name)
        self.brig("exec", name, "true")
        self.brig("kill", name, "KILL")
        self.wait_for_init()
        self.brig("delete", name)

    def forced(self, name):
        self.brig("run", "--detach", "--bundle", self.bundle("sleep", name), name)
        self.brig("exec", "--detach", name, "sleep", "1000")
        self.brig("delete", "--force", name)

    def foreground(self, name):
        self.brig("run", "--bundle", self.bundle("status", name), name, expect=7)

    def never_started(self, name):
        self.brig("create", "--bundle", self.bundle("sleep", name), name)
        self.brig("delete", name)

    def refused(self, name):
        self.brig("run", "--bundle", self.bundle("missing", name), name, expect=1)

    def interrupted(self, name):
        brig = self.start("create", "--bundle", self.bundle("sleep", name), name)
        time.sleep(self.random.uniform(0, 0.008))
        os.kill(brig, signal.SIGKILL)
        self.wait(brig, "a brig that was killed")
        self.brig("delete", "--force", name)

    WAYS = (all_states, forced, foreground, never_started, refused, interrupted)

    # ----

    def reap(self):
        """Everything that was started has to end by itself; whatever does not is told."""
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                if os.waitpid(-1, os.WNOHANG)[0] == 0:
                    time.sleep(0.005)
            except ChildProcessError:
                return
        raise Failed("processes were left behind")

    def run(self, first, last):
        descriptors = len(os.listdir("/proc/self/fd"))
        for cycle in range(first, last):
            way = self.WAYS[cycle % len(self.WAYS)]
            try:
                way(self, f"soak-{self.number}-{cycle}")
                self.reap()
            except Failed as failure:
                raise Failed(f"cycle {cycle}, {way.__name__}: {failure}") from None
        left = len(os.listdir("/proc/self/fd")) - descriptors
        if left:
            raise Failed(f"{left} descriptors more than before")


def run_lane(soak, number, first, last):
    """In a child of its own: the cycles from first to last. Its result goes to a file: an error, and the processor time of each call of brig by
    command."""
    pid = os.fork()
    if pid:
        return pid
    error = None
    try:
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        lane = Lane(soak, number)
        try:
            lane.run(first, last)
        except (Failed, OSError) as failure:
            error = str(failure)
        with open(soak.result_path(number), "w", encoding="utf-8") as file:
            json.dump({"error": error, "usage": lane.usage}, file)
    finally:
        sys.stdout.flush()
        os._exit(0 if error is None else 1)
