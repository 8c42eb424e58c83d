"""The shim's commands: start in all the forms in which containerd asks for it, delete, -info and -v."""

import fcntl
import json
import os
import random
import shutil
import stat
import subprocess
import time

import case
import shim as shims
import ttrpc
import wire


class Start(case.ShimTest):
    def info(self, pid, name):
        for line in case.read(f"/proc/{pid}/status").decode().splitlines():
            if line.startswith(name + ":"):
                return line.split(":", 1)[1].split()
        raise KeyError(name)

    def test_bare_address(self):
        """a caller that says nothing gets the bare address, and nothing on stderr"""
        shim = self.shim(start=False)
        result = shim.run("start")
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        self.assertRegex(result.stdout, rb"^unix:///run/containerd/s/[0-9a-f]{64}$")
        shim.start()

    def test_socket(self):
        """the socket is root's alone: 0600 in a folder of 0700"""
        shim = self.shim()
        self.assertEqual(stat.S_IMODE(os.stat(shim.socket).st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(os.stat(os.path.dirname(shim.socket)).st_mode), 0o700)

    def test_again(self):
        """start for a container whose shim runs gives the address of that one"""
        shim = self.shim()
        self.assertEqual(shim.run("start").stdout.decode(), "unix://" + shim.socket)
        self.assertTrue(shim.is_alive())

    def test_socket_of_a_dead_shim(self):
        """a socket that a killed shim left is no obstacle to the next start"""
        shim = self.shim()
        os.kill(shim.pid, 9)
        shims.wait_until(lambda: not shim.is_alive(), "the shim is gone")
        shim.client.close()
        dead = shim.pid
        shim.start()
        self.assertNotEqual(shim.pid, dead)

    def test_given_up(self):
        """a shim that containerd gave up before it asked for anything ends once its bundle is gone"""
        shim = self.shim()
        shim.client.close()
        shutil.rmtree(shim.bundle.folder)
        shims.wait_until(lambda: not shim.is_alive(), "the shim is gone")
        self.assertFalse(os.path.exists(shim.socket))

    def start_held(self, shim):
        """`start`, whose child waits for its turn at the folder of the sockets. Returns it, the child's pid and what holds it."""
        os.makedirs("/run/containerd/s", mode=0o700, exist_ok=True)
        lock = os.open("/run/containerd/s", os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(lock, fcntl.LOCK_EX)
        start = subprocess.Popen(shim.command("start"), cwd=shim.bundle.folder, stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        waiting = []

        def child_waits():
            children = case.read(f"/proc/{start.pid}/task/{start.pid}/children").split()
            # "N: -> FLOCK ADVISORY WRITE PID ...": it waits for somebody's.
            waiting[:] = [int(line.split()[5]) for line in case.read("/proc/locks").splitlines()
                          if line.split()[1] == b"->" and line.split()[5] in children]
            return waiting

        shims.wait_until(child_waits, "start waits for its turn")
        return start, waiting[0], lock

    def test_killed(self):
        """`start` is killed, as containerd does when its caller goes away, while its child waits for its turn: its output ends with it,
        and once it is the child's turn neither a shim nor its socket is left"""
        shim = self.shim(start=False)
        start, child, lock = self.start_held(shim)
        start.kill()
        self.assertEqual(start.communicate(timeout=shims.SECONDS_MAX)[0], b"")
        self.assertTrue(shims.is_alive(child))
        os.close(lock)
        shims.wait_until(lambda: not shims.is_alive(child), "the child is gone")
        self.assertEqual(case.files() - self.before["files"], set())

    def test_killed_child(self):
        """the process that would serve is killed before it does: `start` fails and tells no address"""
        shim = self.shim(start=False)
        start, child, lock = self.start_held(shim)
        os.kill(child, 9)
        self.assertIn(b"was killed while it was set up", start.communicate(timeout=shims.SECONDS_MAX)[0])
        os.close(lock)
        self.assertNotEqual(start.returncode, 0)

    def test_out_of_reach(self):
        """who waits for his turn is no longer in the caller's session, where ctrl-C would end it"""
        shim = self.shim(start=False)
        start, child, lock = self.start_held(shim)
        self.assertEqual(os.getsid(child), child)
        os.close(lock)
        self.assertRegex(start.communicate(timeout=shims.SECONDS_MAX)[0], b"^unix://")
        shim.start()

    def test_killed_at_any_moment(self):
        """`start` is killed at some moment, and the bundle removed: neither a shim nor its socket is left"""
        chance = random.Random(4)
        shim = shims.Shim(self.bundle(case.IDLE, name="timed"))
        began = time.monotonic()
        shim.start()
        took = time.monotonic() - began
        shim.shutdown()
        shim.close()
        for number in range(100):
            shim = shims.Shim(self.bundle(case.IDLE, name=f"n{number}"))
            start = subprocess.Popen(shim.command("start"), cwd=shim.bundle.folder, stdin=subprocess.DEVNULL,
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            time.sleep(chance.uniform(0, took))
            start.kill()
            start.wait()
            shutil.rmtree(shim.bundle.folder)
            shim.close()
        self.expect_nothing_left()

    def test_again_while_another_has_its_turn(self):
        """start for a container whose shim runs waits for nobody's turn"""
        shim = self.shim()
        lock = os.open("/run/containerd/s", os.O_RDONLY | os.O_DIRECTORY)
        fcntl.flock(lock, fcntl.LOCK_EX)
        self.assertEqual(shim.run("start").stdout.decode(), "unix://" + shim.socket)
        os.close(lock)

    def test_two_at_once(self):
        """two starts at the same time give one shim"""
        shim = self.shim(start=False)
        environment = dict(os.environ, TTRPC_ADDRESS=shims.CONTAINERD + ".ttrpc")
        starts = [case.subprocess.Popen(shim.command("start"), cwd=shim.bundle.folder, env=environment, stdin=case.subprocess.DEVNULL,
                                        stdout=case.subprocess.PIPE) for _ in range(4)]
        answers = {start.communicate(timeout=shims.SECONDS_MAX)[0] for start in starts}
        self.assertEqual(len(answers), 1, answers)
        shim.start()
        shims.wait_until(lambda: case.processes() - self.before["processes"] == {shim.pid}, "there is one shim and no more")

    def test_answer_in_json(self):
        """options that ask for version 3 get it, in JSON"""
        self.options = {"type_url": "runtimeoptions.v1.Options",
                        "value": wire.encode("RuntimeOptions", config_body=b"version = 3\n")}
        shim = self.shim(start=False)
        answer = json.loads(shim.run("start").stdout)
        self.assertEqual((answer["version"], answer["protocol"]), (3, "ttrpc"))
        self.assertTrue(answer["address"].startswith("unix:///"))
        shim.socket = answer["address"].removeprefix("unix://")
        shim.connect()

    def test_bootstrap(self):
        """the newer form of start: BootstrapParams in, BootstrapResult out, with version 3"""
        shim = self.shim(start=False)
        params = wire.encode(
            "BootstrapParams", instance_id="one", namespace=shims.NAMESPACE, containerd_version="2.3.0",
            ttrpc_address=shims.CONTAINERD + ".ttrpc", grpc_address=shims.CONTAINERD, socket_dir="/run/containerd/s",
        )
        result = shim.run("start", stdin=params)
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        answer = wire.decode("BootstrapResult", result.stdout)
        self.assertEqual((answer.version, answer.protocol), (3, "ttrpc"))
        shim.socket = answer.address.removeprefix("unix://")
        shim.connect()

    def test_garbage_on_stdin(self):
        """start never fails on what is on stdin"""
        for number, data in enumerate([b"\xff" * 1000, b"\x00", b"{}", os.urandom(100000), b"\x0a\x05short"]):
            with self.subTest(data[:10]):
                self.shim(start=False, name=f"n{number}").start(stdin=data)

    def test_process(self):
        """the shim is in a process group of its own, a little more likely to be killed for memory than its caller, without a terminal"""
        shim = self.shim()
        with open(f"/proc/{shim.pid}/stat", encoding="utf-8") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        self.assertEqual(int(fields[2]), shim.pid)
        self.assertEqual(fields[4], "0")  # the terminal
        self.assertEqual(int(case.read(f"/proc/{shim.pid}/oom_score_adj")), min(1000, int(case.read("/proc/self/oom_score_adj")) + 1))
        self.assertEqual(self.info(shim.pid, "Threads"), ["1"])

    def test_executable_is_out_of_reach(self):
        """the shim's executable can't be opened for writing by way of /proc, even by root"""
        shim = self.shim()
        with self.assertRaises(OSError) as caught:
            os.open(f"/proc/{shim.pid}/exe", os.O_WRONLY)
        self.assertIn(caught.exception.errno, [26, 30])  # ETXTBSY for the running one; EROFS from the mount
        self.assertNotEqual(os.stat(f"/proc/{shim.pid}/exe").st_ino, 0)

    def test_descriptors(self):
        """the shim keeps none of the descriptors that its caller had open"""
        shim = self.shim(start=False)
        read_end, write_end = os.pipe()
        os.set_inheritable(write_end, True)
        environment = dict(os.environ, TTRPC_ADDRESS=shims.CONTAINERD + ".ttrpc")
        case.subprocess.run(shim.command("start"), cwd=shim.bundle.folder, env=environment, pass_fds=[write_end], check=True,
                            stdin=case.subprocess.DEVNULL, stdout=case.subprocess.DEVNULL, timeout=shims.SECONDS_MAX)
        os.close(write_end)
        self.assertEqual(os.read(read_end, 1), b"")
        os.close(read_end)
        shim.start()

    def test_usage(self):
        """wrong arguments are refused with a message, and never start anything"""
        shim = self.shim(start=False)
        for arguments in [["dance"], ["-id", "../up", "start"], ["-namespace", "a/b", "start"], ["-unknown", "start"]]:
            with self.subTest(arguments):
                result = shim.run(*arguments)
                self.assertNotEqual(result.returncode, 0)
                self.assertNotEqual(result.stderr, b"")
        self.assertEqual(case.processes() - self.before["processes"], set())

    def test_version(self):
        """-v tells the version"""
        shim = self.shim(start=False)
        for flag in ["-v", "-version"]:
            result = shim.run(flag)
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertIn(b"ersion", result.stdout)

    def test_information(self):
        """-info names the runtime and its features: user namespaces, id-mapped mounts, recursive read-only mounts"""
        shim = self.shim(start=False)
        result = shim.run("-info")
        self.assertEqual(result.returncode, 0, result.stderr)
        answer = wire.decode("RuntimeInfo", result.stdout)
        self.assertIn("brig", answer.name)
        self.assertNotEqual(answer.version.version, "")
        self.assertTrue(answer.features.type_url.endswith("/features/Features"), answer.features.type_url)
        features = json.loads(answer.features.value)
        self.assertIn("user", features["linux"]["namespaces"])
        self.assertTrue(features["linux"]["mountExtensions"]["idmap"]["enabled"])
        self.assertIn("rro", features["mountOptions"])
        result = subprocess.run([shim.program, "features"], capture_output=True, stdin=subprocess.DEVNULL, check=True)
        self.assertEqual((json.loads(result.stdout), result.stderr), (features, b""))

    def test_shutdown(self):
        """Shutdown ends the shim and removes its socket"""
        shim = self.shim()
        shim.shutdown()
        self.assertFalse(os.path.exists(shim.socket))

    def test_shutdown_of_a_busy_shim(self):
        """Shutdown leaves a shim alone that still has a container"""
        container = self.running()
        container.shim.call("Shutdown", id="one")
        self.assertEqual(container.state_name(), "running")

    def test_log(self):
        """a log that nobody reads never holds the shim up"""
        container = self.running()
        with self.assertRaises(ttrpc.CallError):
            container.shim.call("State", id="missing")
        for number in range(300):
            with self.assertRaises(ttrpc.CallError):
                container.shim.call("Exec", id="one", exec_id="../" + "x" * 200, spec={"type_url": "x", "value": b"{"})
        self.assertEqual(container.state_name(), "running")
