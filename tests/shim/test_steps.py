"""kill -9 of whoever does the work, at each step of it: a worker, what stands between it and the container, the newborn process."""

import os
import shutil
import subprocess

import case
import shim as shims
import ttrpc

# Calls that the shim itself does not make: strace looks at all processes, and kills each at its first one.
CREATE_STEPS = [
    "setpgid", "close_range", "mkdirat", "symlinkat", "bpf", "fsopen", "fsmount", "mknodat", "bind", "mount_setattr", "sendmsg", "renameat",
    "move_mount", "pivot_root", "setresuid", "capset", "accept4",
]
SECONDS_MAX = 360  # strace takes its time on a busy machine
EXEC_STEPS = ["setpgid", "dup2", "close_range", "mkdirat", "setns", "pidfd_open", "sendmsg", "keyctl", "setresuid", "capset", "execve"]


@case.unittest.skipUnless(shutil.which("strace"), "strace is not installed")
class Steps(case.ShimTest):
    def killer(self, shim, call):
        """strace, once it holds the shim."""
        log = os.path.join(case.WORK, f"killed-{call}")
        command = ["strace", "--follow-forks", "--quiet=attach", "-e", f"trace={call}", "-e", f"inject={call}:signal=SIGKILL:when=1",
                   "-o", log, "-p", str(shim.pid)]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as tracer:
            try:
                shims.wait_until(lambda: tracer.poll() is not None or f"TracerPid:\t{tracer.pid}\n".encode() in case.read(f"/proc/{shim.pid}/status"),
                                 "strace holds the shim")
                yield
            finally:
                tracer.terminate()
        self.assertIn(b"killed by SIGKILL", case.read(log), "nothing came to that call")

    def expect_shim_alone(self, before):
        def left():
            return [line for line in case.left_since(before) if not line.startswith("mounts:")]
        try:
            shims.wait_until(lambda: not left(), "nothing is left of it")
        except AssertionError:
            self.fail("left behind:\n" + "\n".join(left()))

    def test_create(self):
        """a kill -9 at each step of a create: an error that says something, or a container that ends; nothing is left, the shim serves"""
        case.signal.alarm(SECONDS_MAX)
        shim = self.shim()
        before = case.snapshot()
        for call in CREATE_STEPS:
            with self.subTest(call):
                container = shims.Container(shim, self.bundle(case.IDLE, name=call))
                self.containers.append(container)
                for _ in self.killer(shim, call):
                    self.create(container)
                self.refused(ttrpc.NOT_FOUND, container.state)
                container.close()
                shutil.rmtree(container.folder)
                self.expect_shim_alone(before)
        survivor = shims.Container(shim, self.bundle(["true"], name="survivor"))
        self.containers.append(survivor)
        self.assertEqual(survivor.create().finish()[0], 0)

    def create(self, container):
        try:
            container.create()
        except ttrpc.CallError as error:
            self.assertNotEqual(error.message, "")
            return
        # It was made, and killed while it waited to be started.
        self.assertEqual(container.status(), 137)
        container.delete()

    def test_exec(self):
        """the same for an exec: the container lives, and no process of the exec is left"""
        case.signal.alarm(SECONDS_MAX)
        container = self.running("sleep", "1000")
        container.exec("true", exec_id="first").finish()  # the groups' common parent comes with it, and stays
        before = case.snapshot()
        for call in EXEC_STEPS:
            with self.subTest(call):
                process = container.exec("sleep", "1000", exec_id=call)
                for _ in self.killer(container.shim, call):
                    self.start(process)
                process.delete()
                process.close()
                self.expect_shim_alone(before)
                shims.wait_until(lambda: len(container.call("Pids").processes) == 1, "no process of the exec is left")
        self.assertEqual(container.exec("true", exec_id="survivor").finish()[0], 0)
        self.assertEqual(container.state_name(), "running")

    def start(self, process):
        try:
            process.start()
        except ttrpc.CallError as error:
            self.assertNotEqual(error.message, "")
            return
        self.assertEqual(process.status(), 137)
