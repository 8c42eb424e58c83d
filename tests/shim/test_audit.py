"""What the shim's containers leave in the audit trail."""

import json
import os
import signal
import subprocess

import case
import ttrpc
import wire


class Audit(case.ShimTest):
    def setUp(self):
        super().setUp()
        self.trail = os.path.join(case.WORK, "log", "audit.jsonl")
        self.under_policy({"path": self.trail, "required": True})

    def under_policy(self, audit, rules=None):
        path = os.path.join(case.WORK, "policy.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"set": "conformant", "rules": rules or {}, "audit": audit}, file)
        os.chmod(path, 0o644)
        value = wire.encode("RuntimeOptions", config_body=f'policy = "{path}"'.encode())
        self.options = {"type_url": "runtimeoptions.v1.Options", "value": value}

    def lines(self):
        """Those of containers. All of them hold to the schema."""
        source = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
        held = subprocess.run([os.path.join(source, "tests", "sandbox", "schema"), "--lines",
                               os.path.join(source, "docs", "audit.schema.json"), self.trail], capture_output=True, text=True, check=False)
        self.assertEqual(held.returncode, 0, held.stdout + held.stderr)
        with open(self.trail, encoding="utf-8") as file:
            return [json.loads(line) for line in file if '"event":"policy"' not in line]

    def names(self):
        return [line["event"] for line in self.lines()]

    def test_life(self):
        """create, start, exec and the ends of both, delete: each once, in order; an end is in it before it is told"""
        container = self.container(*case.IDLE)
        self.assertEqual(self.names(), ["create"])
        container.start()
        self.assertEqual(self.names(), ["create", "start"])
        exec_ = container.exec_shell("exit 3", exec_id="e").start()
        self.assertEqual(exec_.status(), 3)
        self.assertEqual(self.names(), ["create", "start", "exec", "exit"])
        exec_.delete()
        container.stop()
        self.assertEqual(container.status(), 5)
        self.assertEqual(self.names(), ["create", "start", "exec", "exit", "exit"])
        container.delete()
        lines = self.lines()
        self.assertEqual(self.names(), ["create", "start", "exec", "exit", "exit", "delete"])
        self.assertEqual([line.get("status") for line in lines], [None, None, None, 3, 5, None])
        self.assertEqual([line.get("exec") for line in lines], [None, None, "e", "e", None, None])
        self.assertEqual(lines[2]["args"], ["sh", "-c", "exit 3"])
        self.assertEqual(len({line["plan"] for line in lines}), 1)
        self.assertGreater(lines[4]["usage"]["cpu_usec"], 0)
        self.assertEqual(lines[3]["pid"], lines[2]["pid"])
        self.assertLessEqual(lines[4]["exited"], lines[4]["time"])

    def test_exec_that_does_not_run(self):
        """an exec whose program is not there has an end with the reason and no status, before the answer; and no control group"""
        container = self.running("sleep", "1000")
        container.exec("true", exec_id="first").finish()  # the groups' common parent comes with it, and stays
        before, n_before = case.snapshot(), len(self.lines())
        exec_ = container.exec("missing", exec_id="e")
        self.assertRaisesRegex(ttrpc.CallError, "not found", exec_.start)
        lines = self.lines()[n_before:]
        self.assertEqual([(line["event"], line["exec"], line.get("status")) for line in lines], [("exec", "e", None), ("exit", "e", None)])
        self.assertIn("not found", lines[1]["error"])
        self.assertEqual(lines[0]["pid"], lines[1]["pid"])
        self.assertEqual(case.left_since(before), [])
        exec_.delete()

    def test_limit(self):
        """the limit that ended a container is named"""
        container = self.shell("while :; do sleep 0.1; done", annotations={"brig.dev/timeout": "300ms"})
        container.start()
        self.assertEqual(container.status(), 124)
        self.assertEqual([(line["status"], line["ended_by"]) for line in self.lines() if line["event"] == "exit"],
                         [(124, "timeout")])

    def test_output_limit(self):
        """a container that has written too much is told from one that was killed"""
        container = self.shell("yes", annotations={"brig.dev/max-output": "1k"})
        container.start()
        self.assertEqual(len(container.out.to_end()), 1024)
        self.assertEqual(container.status(), 137)
        self.assertEqual([(line["status"], line["ended_by"]) for line in self.lines() if line["event"] == "exit"],
                         [(137, "max-output")])

    def test_many_execs(self):
        """execs that all end with their container have a line each, before it has its own"""
        container = self.running()
        execs = [container.exec_shell("while :; do sleep 1; done", exec_id=f"e{i}").start() for i in range(10)]
        container.kill(signal.SIGKILL)
        self.assertEqual(container.status(), 137)
        for exec_ in execs:
            self.assertEqual(exec_.status(), 137)
        ends = [line.get("exec") for line in self.lines() if line["event"] == "exit"]
        self.assertEqual(sorted(end for end in ends if end), [f"e{i}" for i in range(10)])
        self.assertEqual(ends.count(None), 1)

    def test_trail_is_gone(self):
        """where the trail can't be written, nothing starts, and what runs can end and be deleted"""
        container = self.running()
        os.chmod(os.path.dirname(self.trail), 0o755)
        exec_ = container.exec_shell("exit 0", exec_id="e")
        self.assertIn("nothing is done unrecorded", self.refused(ttrpc.PERMISSION_DENIED, exec_.start))
        exec_.delete()
        container.kill(signal.SIGKILL)
        self.assertEqual(container.status(), 137)
        container.delete()
        os.chmod(os.path.dirname(self.trail), 0o700)
        self.assertEqual(self.names(), ["create", "start"])
