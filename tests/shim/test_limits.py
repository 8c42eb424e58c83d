"""Containers that are ended for their time or their output: by annotation, and by the site's policy."""

import os
import signal
import time

import case
import shim as shims
import ttrpc
import wire

TIMEOUT, MAX_OUTPUT = "brig.dev/timeout", "brig.dev/max-output"
KUBELETS_PATH = "io.kubernetes.container.terminationMessagePath"
# What ignores all that can be ignored, and has a child in a session of its own.
STUBBORN = "trap '' TERM INT HUP; setsid sleep 1000 & echo ready; while :; do sleep 0.1; done"


class Limits(case.ShimTest):
    def limited(self, script, annotations, **changes):
        return self.shell(script, annotations=annotations, **changes)

    def last_words_file(self, text=""):
        path = os.path.join(case.WORK, "last-words")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def mounts(self, source, destination="/dev/termination-log", options=("bind", "rw")):
        mount = {"destination": destination, "type": "bind", "source": source, "options": list(options)}
        return case.bundles.TEMPLATE["mounts"] + [mount]

    def under_policy(self, text):
        path = os.path.join(case.WORK, "policy.json")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, 0o644)
        value = wire.encode("RuntimeOptions", config_body=f'policy = "{path}"'.encode())
        self.options = {"type_url": "runtimeoptions.v1.Options", "value": value}

    def test_timeout(self):
        """a container over its time is killed with all that it started: status 124, from Wait, Delete and the event"""
        container = self.limited(STUBBORN, {TIMEOUT: "300ms"})
        begin = time.monotonic()
        container.start()
        self.assertEqual(container.status(), 124)
        self.assertGreaterEqual(time.monotonic() - begin, 0.3)
        self.assertEqual(self.wait_for_event(topic="/tasks/exit").exit_status, 124)
        self.assertEqual(container.state().exit_status, 124)
        self.assertEqual(container.delete().exit_status, 124)

    def test_timeout_begins_with_start(self):
        """time before Start does not count; a program that ends in time keeps its status"""
        container = self.limited(STUBBORN, {TIMEOUT: "200ms"})
        time.sleep(0.4)
        self.assertEqual(container.state_name(), "created")
        container.start()
        self.assertEqual(container.status(), 124)
        self.assertEqual(self.limited("exit 3", {TIMEOUT: "50"}, name="quick").finish()[0], 3)

    def test_execs_end_with_it(self):
        """execs end with a container over its limit, and their exits are told before its own"""
        container = self.limited("while [ ! -e /tmp/go ]; do sleep 0.01; done; yes", {MAX_OUTPUT: "1k"})
        container.start()
        exec_ = container.exec_shell("trap '' TERM; touch /tmp/go; while :; do sleep 0.1; done", exec_id="e").start()
        self.assertEqual((exec_.status(), container.status()), (137, 137))
        self.wait_for_event(count=2, topic="/tasks/exit")
        self.assertEqual([event.id for event in self.events(topic="/tasks/exit")], ["e", "one"])

    def test_timeout_while_paused(self):
        """a paused container ends in time as well"""
        for seconds in [1, 10, 60]:  # on a busy machine it may be over before it is paused
            container = self.limited(STUBBORN, {TIMEOUT: f"{seconds}s"}, name=f"n{seconds}")
            container.start()
            if self.is_paused(container):
                break
        else:
            self.fail("none could be paused in its time")
        self.assertEqual(container.status(), 124)

    @staticmethod
    def is_paused(container):
        try:
            container.call("Pause")
        except ttrpc.CallError:
            return False
        return True

    def test_timeout_with_terminal(self):
        """a container with a terminal, too"""
        container = self.container(
            "sh", annotations={TIMEOUT: "300ms"}, process={"terminal": True, "args": ["sh"]},
            create={"terminal": True, "stdin": True},
        )
        container.start()
        self.assertEqual(container.status(), 124)
        container.out.to_end()

    def test_killed_first(self):
        """one that is killed before its time has the status of that"""
        container = self.limited(STUBBORN, {TIMEOUT: "1h"})
        container.start()
        container.kill(signal.SIGKILL)
        self.assertEqual(container.status(), 137)

    def test_max_output(self):
        """beyond its bytes of stdout a container is killed: status 137, and the reader has what was within them"""
        container = self.limited("trap '' TERM; yes; exit 0", {MAX_OUTPUT: "100k"})
        container.start()
        data = container.out.to_end()
        self.assertEqual(container.status(), 137)
        self.assertEqual(data, b"y\n" * 51200)
        self.assertIn("more than 102400 bytes", container.shim.log_text())

    def test_max_output_of_each(self):
        """stdout and stderr are counted each for itself, and exactly as much as allowed is no overflow"""
        script = "head -c 1024 /dev/zero; head -c 1024 /dev/zero >&2; exit 6"
        container = self.limited(script, {MAX_OUTPUT: "1k"})
        status, out, err = container.finish()
        self.assertEqual((status, len(out), len(err)), (6, 1024, 1024))

    def test_max_output_at_the_end(self):
        """a program that ends by itself right after writing too much has 137 all the same"""
        for number in range(5):
            container = self.limited("head -c 1025 /dev/zero >&2", {MAX_OUTPUT: "1k"}, name=f"n{number}")
            status, _, err = container.finish()
            self.assertEqual((status, len(err)), (137, 1024))

    def test_max_output_with_terminal(self):
        """what a terminal shows is counted"""
        container = self.container(
            "yes", annotations={MAX_OUTPUT: "10k"}, process={"terminal": True, "args": ["yes"]},
            create={"terminal": True},
        )
        container.start()
        self.assertEqual(len(container.out.to_end()), 10240)
        self.assertEqual(container.status(), 137)

    def test_max_output_of_an_exec(self):
        """an exec has the same limit for itself: it is ended alone"""
        container = self.limited(STUBBORN, {MAX_OUTPUT: "1k"})
        container.start()
        status, out, _ = container.exec_shell("yes").finish()
        self.assertEqual((status, len(out)), (137, 1024))
        self.assertEqual(container.exec_shell("echo fine").finish()[:2], (0, b"fine\n"))
        self.assertEqual(container.state_name(), "running")

    def test_standard_streams_are_files(self):
        """with a limit /dev/stdout can still be opened, also by another user"""
        script = "echo one > /dev/stdout; echo two > /dev/stderr"
        user = {**case.bundles.TEMPLATE["process"]["user"], "uid": 1000, "gid": 1000}
        container = self.limited(script, {MAX_OUTPUT: "1m"}, process={"args": ["sh", "-c", script], "user": user})
        self.assertEqual(container.finish(), (0, b"one\n", b"two\n"))

    def test_no_streams(self):
        """a limit where nobody wants the output: nothing is counted"""
        container = self.limited("head -c 100000 /dev/zero; exit 6", {MAX_OUTPUT: "1k"},
                                 create={"stdout": False, "stderr": False})
        container.start()
        self.assertEqual(container.status(), 6)

    def test_last_words(self):
        """why it ended is in the file at /dev/termination-log before the exit is told, behind what is there"""
        path = self.last_words_file("before\n")
        container = self.limited(STUBBORN, {TIMEOUT: "300ms"}, mounts=self.mounts(path))
        container.start()
        container.status()
        self.assertEqual(case.read(path), b"before\nbrig: ended after 0.3s (annotation brig.dev/timeout)")

    def test_last_words_elsewhere(self):
        """or where the kubelet's annotation says"""
        path = self.last_words_file()
        container = self.limited("yes", {MAX_OUTPUT: "1k", KUBELETS_PATH: "/tmp/words"}, mounts=self.mounts(path, "/tmp/words"))
        container.start()
        self.assertEqual(container.status(), 137)
        self.assertEqual(case.read(path), b"brig: ended after more than 1024 bytes of output (annotation brig.dev/max-output)")

    def test_last_words_refused(self):
        """nothing is written through a read-only mount, and the container ends all the same"""
        path = self.last_words_file()
        container = self.limited(STUBBORN, {TIMEOUT: "300ms"}, mounts=self.mounts(path, options=("bind", "ro")))
        container.start()
        self.assertEqual(container.status(), 124)
        self.assertEqual(case.read(path), b"")
        self.assertIn("read-only", container.shim.log_text())

    def test_bad_values(self):
        """Create refuses what is no limit, naming annotation and value"""
        shim = self.shim()
        wrong = [(TIMEOUT, value) for value in ["", "0", "-5s", "5x", "1e9", "99999999999999999999", "9999999h", " 5s"]]
        wrong += [(MAX_OUTPUT, value) for value in ["", "0", "-1", "1.5g", "5x", "18446744073709551616", "9000000000g"]]
        for number, (name, value) in enumerate(wrong):
            with self.subTest(f"{name}={value}"):
                bundle = self.bundle(["true"], name=f"b{number}", annotations={name: value})
                container = shims.Container(shim, bundle)
                message = self.refused(ttrpc.INVALID_ARGUMENT, container.create)
                self.assertIn(name, message)
                self.assertIn(f'"{value}"', message)
                container.close()

    def test_site_maximum(self):
        """the policy's maximum holds without an annotation"""
        self.under_policy('{"set": "conformant", "limits": {"timeout": "300ms"}}')
        path = self.last_words_file()
        container = self.shell(STUBBORN, mounts=self.mounts(path))
        container.start()
        self.assertEqual(container.status(), 124)
        self.assertEqual(case.read(path), b"brig: ended after 0.3s (the site's policy)")

    def test_site_maximum_of_output(self):
        """the same of output: a larger annotation is lowered, with a warning"""
        self.under_policy('{"set": "conformant", "limits": {"max_output": "2k"}}')
        shim = self.shim(["yes"])
        self.containers[-1].create().start()
        self.assertEqual((len(self.containers[-1].out.to_end()), self.containers[-1].status()), (2048, 137))
        for value, most in [("1m", 2048), ("1k", 1024)]:
            other = shims.Container(shim, self.bundle(["yes"], name=f"n{most}", annotations={MAX_OUTPUT: value}))
            self.containers.append(other)
            other.create().start()
            self.assertEqual((len(other.out.to_end()), other.status()), (most, 137))
        self.assertIn("limit-raise", shim.log_text())

    def test_site_enforces(self):
        """where the policy enforces it, a larger annotation is refused"""
        self.under_policy('{"set": "conformant", "limits": {"timeout": "1m"}, "rules": {"limit-raise": "enforce"}}')
        shim = self.shim(annotations={TIMEOUT: "2m"})
        message = self.refused(ttrpc.PERMISSION_DENIED, self.containers[-1].create)
        self.assertIn("limit-raise", message)
        self.assertTrue(shim.is_alive())

    def test_pause_container(self):
        """a pod's own container, which gets the pod's annotations too, has no limits"""
        container = self.limited(STUBBORN, {TIMEOUT: "100ms", "io.kubernetes.cri.container-type": "sandbox"})
        limited = shims.Container(container.shim, self.bundle(case.IDLE, name="in-it", annotations={TIMEOUT: "300ms"}))
        self.containers.append(limited)
        container.start()
        limited.create().start()
        self.assertEqual(limited.status(), 124)
        self.assertEqual(container.state_name(), "running")
