"""What every test has: a world in which nothing else runs, containerd's event socket, containers of its own. After each test
everything is taken away through the shim, and the test fails if a process, cgroup, mount or file is left."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import unittest

import bundle as bundles
import shim as shims
import ttrpc

WORK = "/run/brig-shim"
SECONDS_MAX = 180
IDLE = ["sh", "-c", "trap 'exit 5' TERM; while :; do sleep 0.1; done"]
SIZE = os.environ.get("BRIG_TEST_SIZE", "check")


def processes():
    return {int(name) for name in os.listdir("/proc") if name.isdigit() and shims.is_alive(int(name))}


def cgroups():
    found = set()
    for folder, _, _ in os.walk("/sys/fs/cgroup"):
        # The parent that all containers of a namespace share stays.
        if os.path.basename(folder) != shims.NAMESPACE:
            found.add(folder)
    return found


def mount_points():
    with open("/proc/self/mountinfo", encoding="utf-8", errors="replace") as table:
        return sorted(line.split()[4] for line in table)


def files():
    """Sockets and state directories; the folders that they are in may stay."""
    found = set()
    for top in ["/run/containerd/s", "/run/containerd/brig", "/run/containerd/runc", "/run/brig"]:
        for folder, names, plain in os.walk(top):
            found.update(os.path.join(folder, name) for name in [*plain, *names])
    return {path for path in found if os.path.basename(path) not in (shims.NAMESPACE, ".filters")
            and "/.filters/" not in path}


def snapshot():
    return {"processes": processes(), "cgroups": cgroups(), "mounts": set(mount_points()), "files": files()}


def describe(kind, item):
    if kind != "processes":
        return item
    try:
        with open(f"/proc/{item}/cmdline", encoding="utf-8", errors="replace") as file:
            return f"{item} {file.read().replace(chr(0), ' ')}"
    except OSError:
        return str(item)


def left_since(before):
    now = snapshot()
    return [f"{kind}: {describe(kind, item)}" for kind in now for item in sorted(now[kind] - before[kind])]


class TimeIsUp(Exception):
    pass


def give_up(*_):
    raise TimeIsUp(f"{SECONDS_MAX} seconds are over")


class ShimTest(unittest.TestCase):
    options = None  # of Create and of `start`'s stdin: an Any
    failed = False  # set by the runner
    maxDiff = None

    def setUp(self):
        signal.signal(signal.SIGALRM, give_up)
        signal.alarm(SECONDS_MAX)
        shutil.rmtree(WORK, ignore_errors=True)
        os.makedirs(WORK)
        os.makedirs("/run/containerd", exist_ok=True)
        self.tree = os.path.join("/run/brig-shim-tree")
        if not os.path.exists(self.tree):
            bundles.make_busybox_tree(self.tree)
        self.server = ttrpc.EventServer(shims.CONTAINERD + ".ttrpc")
        self.server.open()
        self.shims = []
        self.containers = []
        self.before = snapshot()

    def tearDown(self):
        try:
            signal.alarm(SECONDS_MAX)
            self.end_all()
            self.expect_nothing_left()
        finally:
            signal.alarm(0)
            self.sweep()
            self.server.close()

    def end_all(self):
        for container in self.containers:
            if container.shim.is_alive():
                container.kill_and_delete()
        for shim in self.shims:
            if shim.is_alive():
                shim.shutdown()

    def sweep(self):
        """By hand, so that the next test starts afresh."""
        for container in self.containers:
            container.close()
        for shim in self.shims:
            text = shim.log_text()
            if text and self.failed:
                print("# the shim's log:\n# " + text.strip().replace("\n", "\n# "), flush=True)
            shim.close()
        # A starting shim may still make processes.
        while left := processes() - self.before["processes"]:
            for pid in left:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            time.sleep(0.01)
        for point in sorted(set(mount_points()) - self.before["mounts"], reverse=True):
            os.system(f"umount -l '{point}'")
        for path in sorted(cgroups() - self.before["cgroups"], reverse=True):
            try:
                os.rmdir(path)
            except OSError as error:
                print(f"# {path}: {error}", file=sys.stderr)
        for path in files() - self.before["files"]:
            if os.path.isdir(path):
                shutil.rmtree(path, ignore_errors=True)
            elif os.path.lexists(path):
                os.unlink(path)

    def expect_nothing_left(self, seconds=shims.SECONDS_MAX):
        try:
            shims.wait_until(lambda: not left_since(self.before), "nothing is left", seconds)
        except AssertionError:
            self.fail("left behind:\n" + "\n".join(left_since(self.before)))

    def bundle(self, args, name="one", **changes):
        folder = os.path.join(WORK, name)
        os.makedirs(folder)
        return bundles.Bundle(folder, name, self.tree, args, **changes)

    def shim(self, args=IDLE, version=2, start=True, **changes):
        """A shim that has been started for a container which is not created yet. changes: of its config.json."""
        shim = shims.Shim(self.bundle(args, **changes), self.options, version)
        self.shims.append(shim)
        self.containers.append(shims.Container(shim, shim.bundle))
        return shim.start() if start else shim

    def container(self, *args, create=None, **changes):
        """Created, in a shim of its own. create: options of Container.create."""
        self.shim(args or IDLE, **changes)
        return self.containers[-1].create(**(create or {}))

    def running(self, *args, **options):
        return self.container(*args, **options).start()

    def shell(self, script, **options):
        return self.container("sh", "-c", script, **options)

    def events(self, **wanted):
        """What came so far, of those with these fields."""
        return [event for event in list(self.server.events)
                if all(getattr(event, key, None) == value for key, value in wanted.items())]

    def topics(self):
        return [event.topic.removeprefix("/tasks/") for event in list(self.server.events)]

    def wait_for_event(self, count=1, **wanted):
        """The newest, once so many are there."""
        with self.server.changed:
            if not self.server.changed.wait_for(lambda: len(self.events(**wanted)) >= count, shims.SECONDS_MAX):
                self.fail(f"no event with {wanted}; there are {self.topics()}")
        return self.events(**wanted)[-1]

    def refused(self, code, function, *args, **fields):
        """The message of a call that has to be answered with that status."""
        with self.assertRaises(ttrpc.CallError) as caught:
            function(*args, **fields)
        self.assertEqual(caught.exception.code, code, caught.exception.message)
        return caught.exception.message


def read(path):
    with open(path, "rb") as file:
        return file.read()


def command_line(pid):
    """Nothing for a process that is gone."""
    try:
        return read(f"/proc/{pid}/cmdline")
    except OSError:
        return b""


def settle(program):
    """Pages of a program that was only just built count as dirty until they are written back."""
    with open(program, "rb") as file:
        os.fsync(file.fileno())


def is_sanitized():
    """Sanitizers keep freed memory for a while: sizes say nothing then."""
    return b"__asan_init" in read(shims.program())


def memory(pid):
    """KiB by name: Rss, Pss, Private_Dirty and so on."""
    settle(shims.program())
    lines = read(f"/proc/{pid}/smaps_rollup").decode().splitlines()[1:]
    return {line.split(":")[0]: int(line.split()[1]) for line in lines}


def memory_text(pid):
    found = memory(pid)
    return f"RSS {found['Rss']}, PSS {found['Pss']}, private dirty {found['Private_Dirty']} KiB"
