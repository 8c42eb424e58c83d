"""Processes that SIGKILL does not end: what is reported, and that it goes on once they can end."""

import os
import re

import case
import shim as shims
import ttrpc

FREEZER = "/sys/fs/cgroup/freezer"
GROUP = os.path.join(FREEZER, "stuck")
# The shim waits for ten seconds, and others want the processors as well.
SECONDS_MAX = 120


def write(path, text):
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def is_in_state_d(pid):
    return case.read(f"/proc/{pid}/stat").rsplit(b")", 1)[1].split()[0] == b"D"


@case.unittest.skipUnless(os.path.exists(os.path.join(FREEZER, "tasks")), "no freezer of version 1, whose frozen processes no signal ends")
class Stuck(case.ShimTest):
    """A freezer of version 1 is a state D of our own making: uninterruptible, with a kernel stack, and it can be ended."""

    def setUp(self):
        super().setUp()
        os.mkdir(GROUP)
        self.log = ""

    def tearDown(self):
        try:
            write(f"{GROUP}/freezer.state", "THAWED")
            shims.wait_until(lambda: not case.read(f"{GROUP}/tasks"), "nothing is in the freezer")
            os.rmdir(GROUP)
        finally:
            super().tearDown()

    def freeze(self, *pids):
        for pid in pids:
            write(f"{GROUP}/cgroup.procs", str(pid))
        write(f"{GROUP}/freezer.state", "FROZEN")
        shims.wait_until(lambda: all(map(is_in_state_d, pids)), "they are in state D")

    def has_reported(self, shim, pattern):
        self.log += shim.log_text()
        return re.search(pattern, self.log)

    def test_kill(self):
        """a kill that does not work within its bound is reported, with the process, its state D and its kernel stack; it works later"""
        case.signal.alarm(2 * SECONDS_MAX)
        container = self.running("sleep", "1000")
        self.freeze(container.pid)
        container.kill(9)
        wait = container.send("Wait")
        pattern = rf"SIGKILL has not worked for \d+ ms; in uninterruptible sleep: pid {container.pid} \(sleep\) in state D: \w+"
        try:
            shims.wait_until(lambda: self.has_reported(container.shim, pattern), "it is reported", SECONDS_MAX)
        except AssertionError as error:
            self.fail(f"{error}; the log has {self.log!r}")
        self.assertNotIn("kernel stack can't be read", self.log)
        self.assertFalse(container.shim.client.is_answered(wait[1], 0.1))
        self.assertEqual(container.call("Pids").processes[0].pid, container.pid)
        write(f"{GROUP}/freezer.state", "THAWED")
        self.assertEqual(container.shim.fetch(wait).exit_status, 137)

    def test_delete(self):
        """a delete that waits for such a process fails within its bound, and can be done again when it has ended"""
        case.signal.alarm(2 * SECONDS_MAX)
        container = self.container("sleep", "1000")
        self.freeze(container.pid)
        with self.assertRaises(ttrpc.CallError) as caught:
            container.shim.fetch(container.send("Delete"), SECONDS_MAX)
        self.assertIn(f"process {container.pid} does not end by SIGKILL", caught.exception.message)
        write(f"{GROUP}/freezer.state", "THAWED")
        self.assertEqual(container.status(), 137)
        container.delete()
