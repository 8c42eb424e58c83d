"""The shim as CRI-O's handlers of type `vm` call it: without containerd, so without addresses, events or mounts. CRI-O has the root
file system mounted itself, makes the fifos, finds a shim again by the bundle's `address`."""

import json
import os
import shutil
import subprocess

import bundle as bundles
import case
import shim as shims
import test_resources
import ttrpc
import wire

FIFOS = os.path.join(case.WORK, "fifo")
SANDBOX = "io.kubernetes.cri-o.SandboxID"


class Shim(shims.Shim):
    """Started in CRI-O's way: no bundle, no addresses, nothing on stdin. Its program may have any name."""

    def command(self, *action, name=None):
        return [self.program, "-namespace", shims.NAMESPACE, "-address", "", "-publish-binary", "/usr/libexec/renamed",
                "-id", name or self.bundle.name, *action]

    def start(self, stdin=None):
        environment = dict(os.environ, GOMAXPROCS="2", TTRPC_ADDRESS="", GRPC_ADDRESS="", NAMESPACE=shims.NAMESPACE)
        answer = subprocess.run(
            self.command("start"), cwd=self.bundle.folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=shims.SECONDS_MAX, check=True,
        ).stdout.decode()
        self.socket = answer.strip().removeprefix("unix://")
        self.answer = answer
        self.connect()
        return self


class Container(shims.Container):
    def stream_path(self, kind):
        folder = os.path.join(FIFOS, self.name)
        os.makedirs(folder, exist_ok=True)
        return os.path.join(folder, f"{self.exec_id or self.name}-{kind}")

    def create_fields(self, **options):
        fields = super().create_fields(**options)
        del fields["rootfs"]
        return fields


class Crio(case.ShimTest):
    def setUp(self):
        super().setUp()
        self.roots = []

    def end_all(self):
        super().end_all()
        for root in self.roots:
            subprocess.run(["umount", root], check=True)  # nobody else has
        shutil.rmtree(FIFOS, ignore_errors=True)

    def container(self, *args, name="one", sandbox=None, create=None, **changes):
        bundle = self.bundle(args or case.IDLE, name, **changes)
        root = bundle.path("merged")
        os.mkdir(root)
        mount = bundle.mounts()[0]
        subprocess.run(["mount", "-t", "overlay", "-o", ",".join(mount["options"]), "overlay", root], check=True)
        self.roots.append(root)
        bundle.config["root"] = {"path": root}
        bundle.config["annotations"] = {**bundle.config.get("annotations", {}), "io.container.manager": "cri-o", SANDBOX: sandbox or name}
        bundle.config["process"]["terminal"] = bool((create or {}).get("terminal"))
        with open(bundle.path("config.json"), "w", encoding="utf-8") as file:
            json.dump(bundle.config, file)
        self.shims.append(Shim(bundle, self.options))
        self.containers.append(Container(self.shims[-1].start(), bundle))
        return self.containers[-1].create(**(create or {}))

    def running(self, *args, **options):
        return self.container(*args, **options).start()

    def test_life(self):
        """start answers with the bare address; the life of a container, whose root file system stays CRI-O's"""
        container = self.container("sh", "-c", "echo out; echo err >&2; exit 7")
        self.assertRegex(container.shim.answer, r"^unix:///run/containerd/s/[0-9a-f]{64}$")
        self.assertEqual(case.read(container.bundle.path("address")).decode(), container.shim.answer)
        waiting = container.send("Wait")
        container.start()
        self.assertEqual((container.out.to_end(), container.err.to_end()), (b"out\n", b"err\n"))
        self.assertEqual(container.shim.fetch(waiting).exit_status, 7)
        state = container.state()
        self.assertEqual((shims.STATUS[state.status], state.exit_status), ("stopped", 7))
        self.assertGreater(state.exited_at.seconds, 0)
        container.delete()
        self.assertIn(container.bundle.path("merged"), case.mount_points())
        container.shim.shutdown()
        self.assertFalse(os.path.exists(container.shim.socket))

    def test_exec(self):
        """exec: output and status, with both outputs apart; with a terminal its size, which follows"""
        container = self.running()
        process = container.exec_shell("echo out; echo err >&2; exit 9")
        self.assertEqual(process.finish(), (9, b"out\n", b"err\n"))
        process = container.exec_shell("trap 'stty size' WINCH; echo ready; while :; do sleep 0.1; done", terminal=True).start()
        process.out.until(b"ready")
        process.call("ResizePty", width=77, height=33)
        process.out.until(b"33 77")
        process.kill()
        self.assertEqual(process.status(), 137)
        process.delete()

    def test_exec_with_a_spec_for_a_terminal(self):
        """CRI-O hands on the container's process object, terminal and all, for an exec without one"""
        container = self.running(create={"terminal": True})
        process = shims.Process(container.shim, container.name, "plain", container.folder)
        container.processes.append(process)
        spec = {**bundles.process(["tty"]), "terminal": True}
        process.call("Exec", **process.make_streams(), spec={"type_url": bundles.PROCESS_URL, "value": json.dumps(spec).encode()})
        self.assertEqual(process.finish()[:2], (1, b"not a tty\n"))

    def test_exec_timeout(self):
        """an exec that takes too long: kill, and the wait that is under way ends"""
        container = self.running()
        process = container.exec("sleep", "1000").start()
        waiting = process.send("Wait")
        process.kill()
        self.assertEqual(container.shim.fetch(waiting).exit_status, 137)
        process.delete()
        self.assertEqual(container.state_name(), "running")

    def test_liveness(self):
        """signal 0 asks whether the container lives"""
        container = self.shell("trap 'exit 5' TERM; echo ready; while :; do sleep 0.1; done").start()
        container.kill(0)
        container.out.until(b"ready\n")
        container.kill(15)
        self.assertEqual(container.status(), 5)
        self.refused(ttrpc.NOT_FOUND, container.kill, 0)

    def test_stop_of_a_paused_one(self):
        """pause, then what StopContainer does: resume, the stop signal, KILL"""
        container = self.running("sh", "-c", "trap '' TERM; while :; do sleep 0.1; done")
        container.call("Pause")
        self.assertEqual(container.state_name(), "paused")
        container.call("Resume")
        waiting = container.send("Wait")
        container.kill(15)
        self.assertEqual(container.state_name(), "running")
        container.kill(9)
        self.assertEqual(container.shim.fetch(waiting).exit_status, 137)

    def test_update_and_stats(self):
        """Update, and Stats with each of the three parts that CRI-O reads without a look at whether they are there"""
        container = self.running(linux={"resources": {"memory": {"limit": 67108864}}})
        resources = json.dumps({"memory": {"limit": 33554432}}).encode()
        container.call("Update", resources={"type_url": bundles.RESOURCES_URL, "value": resources})
        answer = container.call("Stats").stats
        self.assertEqual(answer.type_url.rsplit("/", 1)[-1], "io.containerd.cgroups.v2.Metrics")
        metrics = wire.decode("Metrics", answer.value)
        for part in ["pids", "cpu", "memory"]:
            self.assertIsNotNone(getattr(metrics, part), part)
        self.assertEqual(metrics.memory.usage_limit, 33554432)

    def test_restart(self):
        """CRI-O comes back: the bundle says where the shim is, State which fifos are the container's"""
        container = self.running("sh", "-c", "echo early; read line; echo $line; exit 4", create={"stdin": True})
        container.out.until(b"early\n")
        container.shim.client.close()
        container.out.close()
        container.shim.socket = case.read(container.bundle.path("address")).decode().strip().removeprefix("unix://")
        container.shim.connect()
        state = container.state()
        self.assertEqual((state.stdin, state.stdout, state.stderr), (container.stdin_path, container.out.path, container.err.path))
        self.assertFalse(state.terminal)
        container.out.fd = os.open(state.stdout, os.O_RDONLY | os.O_NONBLOCK)
        os.write(container.stdin_fd, b"late\n")
        self.assertIn(b"late\n", container.out.to_end())
        self.assertEqual(container.status(), 4)

    def test_output_before_the_end(self):
        """CRI-O closes the fifos once it hears of an end: that is told when they are read, of an exec and of a container"""
        container = self.container("sh", "-c", "read line; echo last", create={"stdin": True}).start()
        process = container.exec_shell("echo out; echo err >&2").start()
        waiting = process.send("Wait")
        shims.wait_until(lambda: not shims.is_alive(process.pid), "the exec has ended")
        for reader in [process.out, process.err]:
            self.assertFalse(container.shim.client.is_answered(waiting[1], 0.05))
            reader.to_end()
        self.assertEqual(container.shim.fetch(waiting).exit_status, 0)
        waiting = container.send("Wait")
        os.write(container.stdin_fd, b"go on\n")
        shims.wait_until(lambda: not shims.is_alive(container.pid), "the container has ended")
        self.assertFalse(container.shim.client.is_answered(waiting[1], 0.05))
        container.close()  # nobody will read it
        self.assertEqual(container.shim.fetch(waiting).exit_status, 0)

    def test_out_of_memory(self):
        """a container that was killed for its memory leaves the file that CRI-O looks for"""
        if not test_resources.has_controllers():
            self.skipTest("this machine's cgroups have no memory controller here")
        limits = {"resources": {"memory": {"limit": 16 << 20}}}
        container = self.running("dd", "if=/dev/zero", "of=/dev/null", "bs=64M", "count=1", linux=limits)
        self.assertEqual(container.status(), 137)
        self.assertTrue(os.path.exists(container.bundle.path("oom")))

    def test_pod(self):
        """the containers of a sandbox have one shim, which stays until the last one's end"""
        first = self.running(name="one", sandbox="pod")
        second = self.running(name="two", sandbox="pod")
        self.assertEqual(first.shim.pid, second.shim.pid)
        first.kill_and_delete()
        first.shim.call("Shutdown", id="one")
        self.assertEqual(second.state_name(), "running")
        second.kill_and_delete()
        second.shim.shutdown()

    def test_sandbox_counts_first(self):
        """a pod's own annotations, which CRI-O copies, don't lead into another pod's shim"""
        first = self.running(name="one")
        second = self.running(name="two", annotations={"io.containerd.runc.v2.group": "one"})
        self.assertNotEqual(first.shim.pid, second.shim.pid)

    def test_no_events(self):
        """nobody takes events, so none are kept"""
        container = self.running()
        for _ in range(20):
            self.assertEqual(container.exec("true").finish()[0], 0)
        container.kill()
        container.status()
        self.assertEqual([name for name in os.listdir(container.folder) if "events" in name], [])
        self.assertNotIn("events", container.shim.log_text())

    def test_streams_are_gone_before_delete(self):
        """CRI-O closes and removes the fifos before Delete, which is none the slower for output that nobody read"""
        container = self.running("sh", "-c", "head -c 1000000 /dev/zero")
        container.out.until(b"\0" * 1000)
        container.close()
        shutil.rmtree(FIFOS)
        container.kill()
        container.status()
        container.delete()

    def test_configuration(self):
        """runtime_config_path: its keys are checked by name"""
        path = os.path.join(case.WORK, "crio.toml")
        with open(path, "w", encoding="utf-8") as file:
            file.write('polcy = "strict"\n')
        self.options = {"type_url": "runtimeoptions.v1.Options", "value": wire.encode("RuntimeOptions", config_path=path)}
        with self.assertRaises(ttrpc.CallError) as caught:
            self.container()
        self.assertIn("polcy", caught.exception.message)
