"""The sandbox service over the shim's socket: a pod without a pause container, its calls in every order, from several callers."""

import os
import signal
import subprocess

import case
import shim as shims
import ttrpc
import wire

SERVICE = "containerd.runtime.sandbox.v1.Sandbox"
CONFIG = "types.containerd.io/runtime.v1.PodSandboxConfig"
ASK = "SandboxRequest"
METHODS = {
    "CreateSandbox": ("CreateSandboxRequest", "Empty"),
    "StartSandbox": (ASK, "StartSandboxResponse"),
    "Platform": (ASK, "PlatformResponse"),
    "StopSandbox": ("StopSandboxRequest", "Empty"),
    "WaitSandbox": (ASK, "WaitResponse"),
    "SandboxStatus": ("SandboxStatusRequest", "SandboxStatusResponse"),
    "PingSandbox": (ASK, "Empty"),
    "SandboxMetrics": (ASK, "SandboxMetricsResponse"),
    "ShutdownSandbox": (ASK, "Empty"),
}
# Those that are about a sandbox which is there.
OF_A_SANDBOX = [name for name in METHODS if name not in ("CreateSandbox", "ShutdownSandbox")]


def field(number, value):
    """Of CRI's messages, which the shim's schema doesn't have: a text, a message or a number."""
    if isinstance(value, int):
        return wire.varint(number << 3) + wire.varint(value)
    data = value.encode() if isinstance(value, str) else value
    return wire.varint(number << 3 | wire.BYTES) + wire.varint(len(data)) + data


def pod_config(hostname="", cgroup_parent="", sysctls=(), pid=0):
    """CRI's PodSandboxConfig: host name, and of its Linux part the parent group, the mode of the pid namespace and sysctls."""
    security = field(1, field(2, pid)) if pid else b""
    linux = field(1, cgroup_parent) + field(2, security)
    for name, value in sysctls:
        linux += field(3, field(1, name) + field(2, value))
    return {"type_url": CONFIG, "value": field(2, hostname) + field(8, linux)}


class Sandbox(case.ShimTest):
    def setUp(self):
        super().setUp()
        self.pod = self.pod_shim()

    def pod_shim(self):
        """A shim as containerd starts it for a pod: its bundle's config.json is empty."""
        bundle = self.bundle(case.IDLE, name="pod")
        with open(bundle.path("config.json"), "w", encoding="utf-8"):
            pass
        self.shims.append(shims.Shim(bundle, self.options, version=3))
        return self.shims[-1].start()

    def end_all(self):
        for container in self.containers:
            if container.shim.is_alive():
                container.kill_and_delete()
        if self.pod.is_alive():
            self.shut_down()

    def send(self, method, client=None, sandbox_id="pod", **fields):
        payload = wire.encode(METHODS[method][0], sandbox_id=sandbox_id, **fields)
        return method, (client or self.pod.client).send(SERVICE, method, payload)

    def fetch(self, call, client=None):
        method, stream_id = call
        return wire.decode(METHODS[method][1], (client or self.pod.client).fetch(stream_id))

    def ask(self, method, **fields):
        return self.fetch(self.send(method, **fields))

    def create(self, **fields):
        self.ask("CreateSandbox", bundle_path=self.pod.bundle.folder, **fields)

    def start(self, **fields):
        """The pid of the process that holds the namespaces."""
        self.create(**fields)
        return self.ask("StartSandbox").pid

    def state(self):
        return self.ask("SandboxStatus").state

    def shut_down(self):
        try:
            self.ask("ShutdownSandbox")
        except ttrpc.Disconnected:
            pass
        self.pod.client.close()
        shims.wait_until(lambda: not self.pod.is_alive(), "the shim ends after ShutdownSandbox")

    def container(self, name="one", **changes):
        """Created by task v3 in the pod's shim, which `start` was never run for."""
        self.containers.append(shims.Container(self.pod, self.bundle(case.IDLE, name=name, **changes)))
        return self.containers[-1].create()

    def test_life(self):
        """create, platform, start, status, ping, wait, stop, shutdown: each says what containerd reads of it"""
        self.create(options=pod_config(hostname="podname"))
        self.assertEqual(self.state(), "SANDBOX_NOTREADY")
        platform = self.ask("Platform").platform
        self.assertEqual((platform.os, platform.architecture != ""), ("linux", True))
        started = self.ask("StartSandbox")
        self.assertTrue(shims.is_alive(started.pid))
        self.assertGreater(started.created_at.seconds, 0)
        status = self.ask("SandboxStatus", verbose=True)
        self.assertEqual((status.sandbox_id, status.pid, status.state, status.exited_at.seconds), ("pod", started.pid, "SANDBOX_READY", 0))
        self.assertEqual((status.created_at.seconds, status.created_at.nanos), (started.created_at.seconds, started.created_at.nanos))
        self.ask("PingSandbox")
        waiting = self.send("WaitSandbox")
        self.assertFalse(self.pod.client.is_answered(waiting[1], 0.05))
        self.ask("StopSandbox", timeout_secs=5)
        ended = self.fetch(waiting)
        self.assertEqual(ended.exit_status, 0)
        status = self.ask("SandboxStatus")
        self.assertEqual((status.state, status.exited_at.seconds), ("SANDBOX_NOTREADY", ended.exited_at.seconds))
        shims.wait_until(lambda: not shims.is_alive(started.pid), "nobody holds the namespaces")
        self.shut_down()
        self.assertFalse(os.path.exists(self.pod.socket))

    def test_before_create(self):
        """NotFound from every call before CreateSandbox; ShutdownSandbox alone ends the shim, also where its callers stay connected"""
        for method in OF_A_SANDBOX:
            with self.subTest(method):
                self.refused(ttrpc.NOT_FOUND, self.ask, method)
        self.ask("ShutdownSandbox")
        shims.wait_until(lambda: not self.pod.is_alive(), "the shim ends after ShutdownSandbox")

    def test_other_ids(self):
        """NotFound for the id of another sandbox, InvalidArgument for none, for what is no name and for what is no message"""
        self.start()
        for method in METHODS:
            with self.subTest(method):
                if method != "CreateSandbox":
                    self.refused(ttrpc.NOT_FOUND, self.ask, method, sandbox_id="other")
                for name in ["", "../pod", "a b"]:
                    self.refused(ttrpc.INVALID_ARGUMENT, self.ask, method, sandbox_id=name)
                for payload in [b"\xff", b"\x0a\x10short"]:
                    call = method, self.pod.client.send(SERVICE, method, payload)
                    self.refused(ttrpc.INVALID_ARGUMENT, self.fetch, call)
        self.refused(ttrpc.UNIMPLEMENTED, lambda: self.pod.client.fetch(self.pod.client.send(SERVICE, "UpdateSandbox", b"")))
        self.assertEqual(self.state(), "SANDBOX_READY")

    def test_order(self):
        """AlreadyExists for a second create, FailedPrecondition for a second start and one after the stop; stop again is no error"""
        self.start()
        for name in ["pod", "other"]:
            self.refused(ttrpc.ALREADY_EXISTS, self.ask, "CreateSandbox", sandbox_id=name)
        self.refused(ttrpc.FAILED_PRECONDITION, self.ask, "StartSandbox")
        for _ in range(3):
            self.ask("StopSandbox")
        self.refused(ttrpc.FAILED_PRECONDITION, self.ask, "StartSandbox")
        self.refused(ttrpc.ALREADY_EXISTS, self.ask, "CreateSandbox")
        self.assertEqual(self.ask("WaitSandbox").exit_status, 0)
        self.ask("PingSandbox")

    def test_stop_before_start(self):
        """a sandbox that was never started can be stopped, and waited for"""
        self.create()
        waiting = self.send("WaitSandbox")
        self.ask("StopSandbox")
        self.assertEqual(self.fetch(waiting).exit_status, 0)
        self.refused(ttrpc.FAILED_PRECONDITION, self.ask, "StartSandbox")

    def test_waiting(self):
        """all who wait hear of the end, from several connections; one that leaves before is no trouble, nor one that comes later"""
        self.start()
        clients = [self.pod.another_client() for _ in range(3)]
        calls = [self.send("WaitSandbox", client) for client in clients for _ in range(2)]
        clients[0].close()
        self.send("PingSandbox", clients[1])
        self.ask("StopSandbox")
        ends = [self.fetch(call, clients[1 + number // 2]) for number, call in enumerate(calls[2:])] + [self.ask("WaitSandbox")]
        self.assertEqual({(end.exit_status, end.exited_at.seconds, end.exited_at.nanos) for end in ends},
                         {(0, ends[0].exited_at.seconds, ends[0].exited_at.nanos)})
        for client in clients[1:]:
            client.close()

    def test_holder_killed(self):
        """the process that holds the namespaces is killed: who waits hears 137, the sandbox is not ready, stop and shutdown work"""
        pid = self.start()
        waiting = self.send("WaitSandbox")
        os.kill(pid, signal.SIGKILL)
        self.assertEqual(self.fetch(waiting).exit_status, 137)
        self.assertEqual(self.state(), "SANDBOX_NOTREADY")
        self.ask("StopSandbox")

    def test_containers(self):
        """containers join the pod's namespaces and have its files; ShutdownSandbox is refused before they are deleted"""
        pid = self.start(options=pod_config(hostname="podname", sysctls=[("net.ipv4.ip_forward", "1")]))
        shared = [("network", "net"), ("ipc", "ipc"), ("uts", "uts")]
        spaces = [{"type": kind, "path": f"/proc/{pid}/ns/{name}"} for kind, name in shared]
        one, two = (self.container(name, hostname="", linux={"namespaces": [{"type": "mount"}, {"type": "pid"}, *spaces]}).start()
                    for name in ["one", "two"])
        for _, name in shared:
            self.assertEqual({os.readlink(f"/proc/{each.pid}/ns/{name}") for each in [one, two]}, {os.readlink(f"/proc/{pid}/ns/{name}")})
        process = one.exec_shell("hostname; cat /etc/hostname /proc/sys/net/ipv4/ip_forward; echo here > /dev/shm/file")
        self.assertEqual(process.finish(), (0, b"podname\npodname\n1\n", b""))
        self.assertEqual(two.exec("cat", "/dev/shm/file").finish()[:2], (0, b"here\n"))
        self.refused(ttrpc.FAILED_PRECONDITION, self.ask, "ShutdownSandbox")
        one.kill_and_delete()
        self.refused(ttrpc.FAILED_PRECONDITION, self.ask, "ShutdownSandbox")
        two.kill_and_delete()
        self.pod.call("Shutdown", id="two")
        self.assertEqual(self.state(), "SANDBOX_READY")

    def test_metrics(self):
        """SandboxMetrics: what the pod's group says, as cgroups.v2.Metrics"""
        group = "/brig-shim-pod"
        tops = [top for top in ["/sys/fs/cgroup/pids", "/sys/fs/cgroup/unified", "/sys/fs/cgroup"]
                if os.path.exists(top + "/cgroup.procs")]
        for top in tops:
            os.mkdir(top + group)
        try:
            self.start(options=pod_config(cgroup_parent=group))
            found = self.ask("SandboxMetrics").metrics
            self.assertEqual((found.id, found.data.type_url), ("pod", "io.containerd.cgroups.v2.Metrics"))
            self.assertGreater(found.timestamp.seconds, 0)
        finally:
            for top in tops:
                os.rmdir(top + group)

    def test_metrics_of_a_slice(self):
        """SandboxMetrics of a pod in a slice finds it where systemd puts that, also one that it calls otherwise"""
        path = ["_cpu.slice", f"cpu-brigtest{os.getpid()}.slice"]
        top = next((top for top in ["/sys/fs/cgroup/pids", "/sys/fs/cgroup"] if os.path.exists(top + "/cgroup.procs")), None)
        folders = [os.path.join(top, *path[:n]) for n in [1, 2]]
        if os.path.exists(folders[0]):
            self.skipTest("this machine has such a slice")
        if os.path.exists(top + "/cgroup.controllers") and b"pids" not in case.read(top + "/cgroup.subtree_control").split():
            self.skipTest("the top of this cgroup tree does not count processes")
        process = subprocess.Popen(["sleep", "1000"])
        try:
            for folder in folders:
                os.mkdir(folder)
                if folder != folders[-1] and os.path.exists(folder + "/cgroup.subtree_control"):
                    with open(folder + "/cgroup.subtree_control", "w", encoding="ascii") as file:
                        file.write("+pids")
            with open(folders[1] + "/cgroup.procs", "w", encoding="ascii") as file:
                file.write(str(process.pid))
            self.start(options=pod_config(cgroup_parent=path[1]))
            found = wire.decode("Metrics", self.ask("SandboxMetrics").metrics.data.value)
            self.assertEqual(found.pids.current, 1)
        finally:
            process.kill()
            process.wait()
            for folder in filter(os.path.exists, reversed(folders)):
                shims.wait_until(lambda folder=folder: not case.read(folder + "/cgroup.procs"), "nobody is in it")
                os.rmdir(folder)

    def test_no_group(self):
        """SandboxMetrics of a pod without a group says so, and nothing else is in the way"""
        self.start()
        self.assertIn("control group", self.refused(ttrpc.UNIMPLEMENTED, self.ask, "SandboxMetrics"))
        self.ask("PingSandbox")

    def test_bad_options(self):
        """what CreateSandbox can't take is refused with its reason and leaves nothing: the next one works"""
        bad = [{"type_url": "runtimeoptions.v1.Options", "value": b""}, {"type_url": CONFIG, "value": b"\xff\xff"},
               pod_config(hostname="x" * 65), pod_config(sysctls=[("kernel.panic", "1")]), pod_config(sysctls=[("../up", "1")])]
        for options in bad:
            with self.subTest(options["value"][:20]):
                with self.assertRaises(ttrpc.CallError) as caught:
                    self.create(options=options)
                self.assertIn(caught.exception.code, [ttrpc.INVALID_ARGUMENT, ttrpc.PERMISSION_DENIED], caught.exception.message)
        self.refused(ttrpc.INVALID_ARGUMENT, self.create, netns_path="not/absolute")
        self.refused(ttrpc.NOT_FOUND, self.ask, "SandboxStatus")
        self.start()

    def test_failed_start(self):
        """a start that fails says why and leaves nothing; the same sandbox can be shut down"""
        self.create(netns_path="/run/no/such/namespace", options=pod_config(hostname="podname"))
        for _ in range(2):
            self.assertIn("/run/no/such/namespace: No such", self.refused(ttrpc.UNKNOWN, self.ask, "StartSandbox"))
        self.assertEqual(self.state(), "SANDBOX_NOTREADY")
        self.assertEqual([point for point in case.mount_points() if point.startswith(case.WORK)], [])

    def test_network_path(self):
        """the network namespace that containerd names is the pod's"""
        self.start(netns_path="/proc/1/ns/net")
        self.assertEqual(os.readlink(f"/proc/{self.ask('SandboxStatus').pid}/ns/net"), os.readlink("/proc/1/ns/net"))

    def test_shim_killed(self):
        """the shim is killed, created, ready or stopped: the holder goes with it, and `delete` leaves nothing"""
        for steps in [[], ["StartSandbox"], ["StartSandbox", "StopSandbox"]]:
            with self.subTest(steps):
                self.create(options=pod_config(hostname="podname"))
                for method in steps:
                    self.ask(method)
                os.kill(self.pod.pid, signal.SIGKILL)
                shims.wait_until(lambda: not self.pod.is_alive(), "the shim is dead")
                self.assertEqual(self.pod.delete_command().exit_status, 137)
                self.assertEqual(self.pod.delete_command().exit_status, 137)
                self.expect_nothing_left()
                self.pod.start()
