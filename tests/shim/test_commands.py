"""What the shim's commands do with a bundle, with the handler's options, and with what a dead shim left."""

import ctypes
import hashlib
import json
import os
import shutil
import signal
import socket
import stat
import subprocess

import bundle as bundles
import case
import shim as shims
import ttrpc
import wire

OPTIONS_URL = "type.googleapis.com/runtimeoptions.v1.Options"
SOCKETS = "/run/containerd/s"
PR_SCHED_CORE = 62


def options(text):
    """A handler's options as an Any."""
    value = wire.encode("RuntimeOptions", type_url="x", config_body=text.encode())
    return {"type_url": OPTIONS_URL, "value": value}


def path_of(answer):
    return answer.decode().removeprefix("unix://")


class Commands(case.ShimTest):
    def end_all(self):
        super().end_all()
        for name in os.listdir(SOCKETS) if os.path.isdir(SOCKETS) else []:
            self.end_by_socket(os.path.join(SOCKETS, name))

    def end_by_socket(self, path):
        """A shim that no object of the test's knows."""
        for pid in self.pids_at(path):
            os.kill(pid, signal.SIGKILL)
        if os.path.lexists(path):
            os.unlink(path)

    @staticmethod
    def pids_at(path):
        return [pid for pid in case.processes() if f"-socket\0{path}".encode() in case.command_line(pid)]

    def silent(self, result, status=0):
        self.assertEqual((result.returncode, result.stderr), (status, b""))
        return result.stdout

    def failed_start(self, stdin=b""):
        shim = self.shim(start=False)
        result = shim.run("start", stdin=stdin)
        self.assertEqual((result.returncode, result.stdout), (1, b""))
        self.assertEqual(os.listdir(SOCKETS) if os.path.isdir(SOCKETS) else [], [])
        return result.stderr.decode()

    def test_info(self):
        """-info hands the options back and tells containerd that user namespaces and recursive read-only mounts are there"""
        given = options("no_pivot = false")
        result = subprocess.run([shims.program(), "-info"], input=wire.encode("Any", **given), capture_output=True, check=True)
        info = wire.decode("RuntimeInfo", result.stdout)
        self.assertEqual(info.name, "io.containerd.brig.v2")
        self.assertTrue(info.version.version)
        self.assertEqual((info.options.type_url, info.options.value), (given["type_url"], given["value"]))
        self.assertTrue(info.features.type_url.endswith("/features/Features"))
        features = json.loads(info.features.value)
        self.assertIn("user", features["linux"]["namespaces"])
        self.assertTrue(features["linux"]["mountExtensions"]["idmap"]["enabled"])
        self.assertIn("rro", features["mountOptions"])
        self.assertNotIn("containerd.io/runtime-allow-mounts", [annotation.key for annotation in info.annotations])

    def test_address(self):
        """the socket lies where containerd's rule puts it, for root alone, and its address is in the bundle for containerd 1.6"""
        shim = self.shim(start=False)
        answer = self.silent(shim.run("start"))
        name = os.path.join(shims.CONTAINERD, shims.NAMESPACE, shim.bundle.name)
        self.assertEqual(answer.decode(), f"unix://{SOCKETS}/{hashlib.sha256(name.encode()).hexdigest()}")
        self.assertEqual(case.read(shim.bundle.path("address")), answer)
        self.assertEqual(stat.S_IMODE(os.stat(path_of(answer)).st_mode), 0o600)
        self.assertEqual(os.stat(SOCKETS).st_mode & 0o022, 0)

    def test_protocols(self):
        """BootstrapParams are answered in kind; an Any, nothing, garbage and another's parameters get the bare address"""
        shim = self.shim(start=False)
        name = shim.bundle.name
        params = wire.encode("BootstrapParams", instance_id=name, namespace=shims.NAMESPACE, ttrpc_address="/run/x.ttrpc")
        result = wire.decode("BootstrapResult", self.silent(shim.run("start", stdin=params)))
        self.assertEqual((result.version, result.protocol), (3, "ttrpc"))
        address = result.address.encode()
        other = wire.encode("BootstrapParams", instance_id="other", namespace=shims.NAMESPACE)
        for stdin in [b"", b"\xff" * 1000, other, wire.encode("Any", **options("")), b"\0" * (11 << 20)]:
            with self.subTest(stdin[:20]):
                self.assertEqual(self.silent(shim.run("start", stdin=stdin)), address)
        version_3 = wire.encode("Any", **options("version = 3"))
        answer = json.loads(self.silent(shim.run("start", stdin=version_3)))
        self.assertEqual(answer, {"version": 3, "address": address.decode(), "protocol": "ttrpc"})
        self.assertEqual(len(self.pids_at(path_of(address))), 1)

    def test_log_level(self):
        """the level of the parameters, as Go's slog counts, is that of the log"""
        for name, level, is_debug in [("debug", -4, True), ("info", 0, False), ("error", 8, False)]:
            with self.subTest(name):
                shim = self.shim(start=False, name=name)
                params = wire.encode("BootstrapParams", instance_id=name, namespace=shims.NAMESPACE, log_level=level)
                result = wire.decode("BootstrapResult", self.silent(shim.run("start", stdin=params)))
                shim.socket = path_of(result.address.encode())
                shim.connect()
                self.assertEqual("level=debug" in shim.log_text(), is_debug)

    def test_socket_directory(self):
        """socket_dir of the parameters is where the socket goes"""
        shim = self.shim(start=False)
        folder = os.path.join(case.WORK, "sockets")
        params = wire.encode("BootstrapParams", instance_id=shim.bundle.name, namespace=shims.NAMESPACE, socket_dir=folder)
        result = wire.decode("BootstrapResult", self.silent(shim.run("start", stdin=params)))
        path = path_of(result.address.encode())
        self.assertEqual(os.path.dirname(path), folder)
        self.assertEqual(stat.S_IMODE(os.stat(folder).st_mode), 0o700)
        self.end_by_socket(path)

    def test_silent_stdin(self):
        """a stdin that stays open and says nothing is no reason to wait for ever"""
        shim = self.shim(start=False)
        reader, writer = os.pipe()
        with os.fdopen(reader), os.fdopen(writer, "wb"):
            result = subprocess.run(shim.command("start"), cwd=shim.bundle.folder, stdin=reader, capture_output=True,
                                    timeout=shims.SECONDS_MAX, check=True)
        self.assertTrue(result.stdout.startswith(b"unix://"))

    def test_wrong_options(self):
        """a key that is none, a file that is missing and a cgroup that is missing are named, and leave nothing"""
        self.assertIn('"polcy"', self.failed_start(wire.encode("Any", **options('polcy = "x"'))))
        shutil.rmtree(case.WORK)
        missing = {"type_url": OPTIONS_URL, "value": wire.encode("RuntimeOptions", config_path="/nowhere/brig.toml")}
        self.assertIn("/nowhere/brig.toml", self.failed_start(wire.encode("Any", **missing)))
        shutil.rmtree(case.WORK)
        self.assertIn("no cgroup /nowhere", self.failed_start(wire.encode("Any", **options('shim_cgroup = "/nowhere"'))))

    def test_options_file(self):
        """options may be in a file that containerd names"""
        path = os.path.join(case.WORK, "brig.toml")
        with open(path, "w", encoding="utf-8") as file:
            file.write("version = 3\n")
        given = {"type_url": OPTIONS_URL, "value": wire.encode("RuntimeOptions", config_path=path)}
        shim = self.shim(start=False)
        self.assertEqual(json.loads(self.silent(shim.run("start", stdin=wire.encode("Any", **given))))["version"], 3)

    def test_shim_cgroup(self):
        """with shim_cgroup the shim is in that group"""
        made = []
        for folder in sorted({os.path.realpath(f"/sys/fs/cgroup/{name}") for name in os.listdir("/sys/fs/cgroup")}):
            if os.path.exists(f"{folder}/cgroup.procs") and not os.path.exists(f"{folder}/cpuset.cpus"):
                made.append(f"{folder}/shims")
                os.mkdir(made[-1])
        shim = self.shim(start=False)
        answer = self.silent(shim.run("start", stdin=wire.encode("Any", **options('shim_cgroup = "/shims"'))))
        pid, = self.pids_at(path_of(answer))
        self.assertEqual(case.read(f"/proc/{pid}/cgroup").decode().count("/shims\n"), len(made))
        self.assertGreater(len(made), 0)
        self.end_by_socket(path_of(answer))
        shims.wait_until(lambda: not shims.is_alive(pid), "the shim is gone")
        for folder in made:
            shims.wait_until(lambda path=folder: not case.read(f"{path}/cgroup.procs"), "the group is empty")
            os.rmdir(folder)

    def test_core_scheduling(self):
        """with SCHED_CORE the shim shares a core with its own alone, or says that this machine can't see to that"""
        os.environ["SCHED_CORE"] = "1"
        self.addCleanup(os.environ.pop, "SCHED_CORE")
        cookie, get = ctypes.c_ulong(), 0
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(PR_SCHED_CORE, get, 0, 0, ctypes.byref(cookie)) < 0:
            self.assertIn("SCHED_CORE", self.failed_start(b""))
            return
        shim = self.shim(start=False)
        answer = self.silent(shim.run("start"))
        pid, = self.pids_at(path_of(answer))
        self.assertEqual(libc.prctl(PR_SCHED_CORE, get, pid, 0, ctypes.byref(cookie)), 0)
        self.assertNotEqual(cookie.value, 0)
        self.end_by_socket(path_of(answer))

    def test_many_at_once(self):
        """of many starts for one pod, one makes the shim and all tell its address"""
        shim = self.shim(start=False)
        os.makedirs(SOCKETS, exist_ok=True)
        name = os.path.join(shims.CONTAINERD, shims.NAMESPACE, shim.bundle.name)
        path = os.path.join(SOCKETS, hashlib.sha256(name.encode()).hexdigest())
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(path)
            dead.listen()
        starts = [subprocess.Popen(shim.command("start"), cwd=shim.bundle.folder, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(20)]
        for start in starts:
            self.assertEqual(start.communicate(timeout=shims.SECONDS_MAX), (f"unix://{path}".encode(), b""))
        self.assertEqual(len(self.pids_at(path)), 1)

    def test_process(self):
        """the shim has a session of its own, / as its directory, a higher oom score, /dev/null as streams, and runs off a
        mount that can't be written to"""
        shim = self.shim()
        pid = shim.pid
        self.assertEqual(os.getsid(pid), pid)
        self.assertEqual(os.readlink(f"/proc/{pid}/cwd"), "/")
        for stream in range(3):
            self.assertEqual(os.readlink(f"/proc/{pid}/fd/{stream}"), "/dev/null")
        own = int(case.read("/proc/self/oom_score_adj"))
        self.assertEqual(int(case.read(f"/proc/{pid}/oom_score_adj")), min(own + 1, 1000))
        self.assertTrue(os.statvfs(f"/proc/{pid}/exe").f_flag & os.ST_RDONLY)
        self.assertEqual(case.read(f"/proc/{pid}/comm"), b"containerd-shim\n")

    def test_signals(self):
        """a signal that reaches the shim by chance does not part it from its containers, and is not ignored by them"""
        container = self.running("sh", "-c", "grep SigIgn /proc/self/status; while :; do sleep 0.1; done")
        for number in [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE]:
            os.kill(container.shim.pid, number)
        self.assertEqual(container.state_name(), "running")
        container.out.until(b"\n")
        self.assertEqual(container.out.data.split()[1], b"0" * 16)

    def test_log(self):
        """with -debug the log says what the shim does"""
        shim = self.shim(start=False)
        result = shim.run("-debug", "start")
        shim.socket = path_of(result.stdout)
        shim.connect()
        text = shim.log_text()
        self.assertIn("level=debug", text)
        self.assertIn("\n", text)

    def test_secrecy(self):
        """with -debug neither log nor answers have the value of an environment variable, also where something fails"""
        secret = "secret-in-the-environment"
        environment = [*bundles.TEMPLATE["process"]["env"], f"TOKEN={secret}"]
        script = "test ${#TOKEN} -eq %d && echo has it; while :; do sleep 0.1; done" % len(secret)
        shim = self.shim(["sh", "-c", script], start=False, process={"env": environment})
        result = shim.run("-debug", "start")
        shim.socket = path_of(result.stdout)
        shim.connect()
        container = self.containers[-1].create().start()
        container.out.until(b"has it")
        self.assertEqual(container.exec_shell("exit ${#TOKEN}", env=environment).finish()[0], len(secret))
        said = []
        for args, listed in [(["no-such-program"], environment), (["true"], [*environment, secret]), (["true"], {"a": secret})]:
            with self.assertRaises(ttrpc.CallError) as caught:
                container.exec(*args, env=listed).start()
            said.append(caught.exception.message)
        container.kill(signal.SIGKILL)
        container.status()
        text = shim.log_text()
        for part in ["level=debug", "refused: start exec exec-4"]:
            self.assertIn(part, text)
        self.assertNotIn(secret, "\n".join([text, *said]))

    def kill_shim(self, shim):
        os.kill(shim.pid, signal.SIGKILL)
        shims.wait_until(lambda: not shim.is_alive(), "the shim is gone")

    def test_delete(self):
        """delete ends a container whose shim was killed, unmounts its root file system, and can be repeated"""
        container = self.running()
        shim = container.shim
        rootfs = shim.bundle.path("rootfs")
        os.makedirs(rootfs, exist_ok=True)
        for _ in range(2):
            subprocess.run(["mount", "-t", "tmpfs", "none", rootfs], check=True)
        os.mkdir(os.path.join(rootfs, "below"))
        subprocess.run(["mount", "-t", "tmpfs", "none", os.path.join(rootfs, "below")], check=True)
        self.kill_shim(shim)
        answer = shim.delete_command()
        self.assertEqual((answer.pid, answer.exit_status), (container.pid, 137))
        self.assertGreater(answer.exited_at.seconds, 1600000000)
        self.assertFalse(shims.is_alive(container.pid))
        self.assertFalse(os.path.ismount(rootfs))
        self.assertFalse(os.path.exists(shim.socket))
        self.assertEqual(shim.delete_command().exit_status, 137)
        self.expect_nothing_left()

    def test_delete_of_nothing(self):
        """delete of a bundle that is gone, or was never started, succeeds"""
        shim = self.shim(start=False)
        self.assertEqual(shim.delete_command().pid, 0)
        result = subprocess.run(shim.command("-bundle", "/nowhere", "delete"), cwd="/", capture_output=True, check=True)
        self.assertEqual(wire.decode("DeleteResponse", result.stdout).exit_status, 137)

    def test_delete_beside_the_living(self):
        """delete of one container of a pod leaves the pod's shim and the others alone"""
        container = self.running()
        other = self.bundle(case.IDLE, name="two")
        shutil.copy(container.shim.bundle.path("address"), other.path("address"))
        container.shim.delete_command(name="two", bundle=other)
        self.assertEqual(container.state_name(), "running")
        self.assertTrue(os.path.exists(container.shim.socket))


class OtherRoot(case.ShimTest):
    options = options('root = "/run/brig-shim/state"')

    def test_delete_with_another_root(self):
        """delete finds the state where the handler's options put it"""
        container = self.running()
        self.assertTrue(os.path.isdir(f"/run/brig-shim/state/{shims.NAMESPACE}/{container.name}"))
        os.kill(container.shim.pid, signal.SIGKILL)
        shims.wait_until(lambda: not container.shim.is_alive(), "the shim is gone")
        self.assertEqual(container.shim.delete_command().pid, container.pid)
        self.assertFalse(shims.is_alive(container.pid))
