"""What the floor's filter refuses the shim's containers: counted by the shim, for brig explain and the audit trail."""

import json
import os
import signal
import subprocess
import time

import case
import shim as shims
import wire

SCRIPT = "mount -t tmpfs x /tmp; mount -t tmpfs x /tmp; unshare -U true; trap 'exit 5' TERM; while :; do sleep 0.1; done"


class Denials(case.ShimTest):
    def setUp(self):
        super().setUp()
        self.trail = os.path.join(case.WORK, "log", "audit.jsonl")
        self.policy = os.path.join(case.WORK, "policy.json")
        with open(self.policy, "w", encoding="utf-8") as file:
            json.dump({"set": "strict", "audit": {"path": self.trail}}, file)
        os.chmod(self.policy, 0o644)
        value = wire.encode("RuntimeOptions", config_body=f'policy = "{self.policy}"'.encode())
        self.options = {"type_url": "runtimeoptions.v1.Options", "value": value}

    def state_directory(self, container):
        for top in ["/run/containerd/brig", "/run/brig", "/run/containerd/runc"]:
            for folder, _, plain in os.walk(top):
                if os.path.basename(folder) == container.name and "state.json" in plain:
                    return folder
        self.fail("the container has no state directory")
        return None

    def counted(self, container, total):
        """The document, once it has that many; the shim writes it once a second at most."""
        path = os.path.join(self.state_directory(container), "denials.json")
        deadline = time.monotonic() + shims.SECONDS_MAX
        while time.monotonic() < deadline:
            if os.path.exists(path):
                with open(path, encoding="utf-8") as file:
                    document = json.load(file)
                if document["total"] >= total:
                    return document
            time.sleep(0.02)
        self.fail(f"{path} does not come to {total} calls")
        return None

    def test_counted(self):
        """a refused call is counted while the container runs, explained, and in the audit record of its end"""
        container = self.shell(SCRIPT)
        container.start()
        document = self.counted(container, 3)
        self.assertEqual((document["state"], document["total"]), ("listening", 3))
        self.assertEqual([(call["count"], call["programs"]) for call in document["calls"]],
                         [(2, ["mount"]), (1, ["unshare"])])
        root = os.path.dirname(self.state_directory(container))
        brig = os.path.join(os.environ["BRIG_BUILD"], "brig")
        explained = json.loads(subprocess.run([brig, "--root", root, "explain", "--json", container.name], check=True,
                                              capture_output=True).stdout)
        self.assertEqual([call["call"] for call in explained["denials"]["calls"]], ["mount", "unshare"])
        self.assertEqual(explained["flagged"], 0)
        container.stop()
        self.assertEqual(container.status(), 5)
        with open(self.trail, encoding="utf-8") as file:
            ends = [line for line in map(json.loads, file) if line["event"] == "exit"]
        self.assertEqual(ends[0]["denials"], 3)
        self.assertEqual(sorted((entry["call"], entry["count"]) for entry in ends[0]["denied"]),
                         [("mount", 2), ("unshare", 1)])

    def test_exec(self):
        """what execs are refused is counted with the container's own"""
        container = self.shell("unshare -U true; trap 'exit 5' TERM; while :; do sleep 0.1; done")
        container.start()
        self.counted(container, 1)
        for exec_id in ["e", "f"]:
            exec_ = container.exec_shell("mount -t tmpfs x /tmp && exit 9; exit 3", exec_id=exec_id).start()
            self.assertEqual(exec_.status(), 3)
        document = self.counted(container, 3)
        self.assertEqual([(call["count"], call["programs"]) for call in document["calls"]], [(1, ["unshare"]), (2, ["mount"])])
        container.stop()
        self.assertEqual(container.status(), 5)
        with open(self.trail, encoding="utf-8") as file:
            ends = [line for line in map(json.loads, file) if line["event"] == "exit" and "exec" not in line]
        self.assertEqual(ends[0]["denials"], 3)

    def test_exec_of_a_container_that_behaves(self):
        """an exec is counted where nothing was refused to the container before; nothing is hanging afterwards"""
        container = self.running()
        exec_ = container.exec_shell("unshare -U true && exit 9; exit 3", exec_id="e").start()
        self.assertEqual(exec_.status(), 3)
        exec_.delete()
        self.assertEqual(self.counted(container, 1)["total"], 1)

    def test_exec_before_the_start(self):
        """an exec in a container that is not started yet takes nothing from it: its own refused calls are counted as well"""
        container = self.shell("unshare -U true 2>/tmp/said; trap 'exit 5' TERM; while :; do sleep 0.1; done")
        exec_ = container.exec_shell("mount -t tmpfs x /tmp && exit 9; exit 3", exec_id="e").start()
        self.assertEqual(exec_.status(), 3)
        exec_.delete()
        self.assertEqual(self.counted(container, 1)["total"], 1)
        container.start()
        document = self.counted(container, 2)
        self.assertEqual([(call["count"], call["programs"]) for call in document["calls"]], [(1, ["mount"]), (1, ["unshare"])])
        # Counted before it is answered.
        shims.wait_until(lambda: b"not permitted" in container.exec("cat", "/tmp/said").finish()[1], "unshare says that it is refused")
        container.stop()
        self.assertEqual(container.status(), 5)

    def test_shim_killed(self):
        """a call that is refused after the shim's end fails as well, and its program does not hang"""
        container = self.shell("trap 'unshare -U true && sleep 1000; exit 6' USR1; while :; do sleep 0.1; done").start()
        shims.wait_until(lambda: shims.handles(container.pid, signal.SIGUSR1), "the program handles SIGUSR1")
        os.kill(container.shim.pid, signal.SIGKILL)
        shims.wait_until(lambda: not container.shim.is_alive(), "the shim is gone")
        os.kill(container.pid, signal.SIGUSR1)
        shims.wait_until(lambda: not shims.is_alive(container.pid), "the program is told, and ends")
        container.shim.delete_command(container.name, container.bundle)
