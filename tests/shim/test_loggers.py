"""Binary loggers under the floor: programs of the host's that a Create or an Exec names, run as root (CVE-2026-53488)."""

import json
import os

import case
import shim as shims
import ttrpc
import wire


class Loggers(case.ShimTest):
    def setUp(self):
        super().setUp()
        self.listed = os.path.join(case.WORK, "loggers")
        self.ran = os.path.join(case.WORK, "ran")
        os.makedirs(self.listed)
        # What a label of an image's can name: a program that is there, and what it is to do.
        self.any_program = "binary:///bin/sh?-c=" + f"exec 5>&-; touch {self.ran}; exec cat <&3".replace(" ", "%20").replace("&", "%26")
        self.policy({"set": "strict", "audit": {"enabled": False}, "hook_directories": [self.listed]})

    def policy(self, document):
        path = os.path.join(case.WORK, "policy.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(document, file)
        os.chmod(path, 0o644)
        value = wire.encode("RuntimeOptions", config_body=f'policy = "{path}"'.encode())
        self.options = {"type_url": "runtimeoptions.v1.Options", "value": value}

    def create(self, url):
        container, shim = self.containers[-1], self.shims[-1]
        shim.call("Create", id="one", bundle=container.folder, rootfs=container.bundle.mounts(), options=self.options,
                  stdout=url, stderr=url)
        return container

    def test_any_program(self):
        """a program of the host's that the policy does not list is no logger: it is not run, and no container is made"""
        self.shim(["true"])
        for url in [self.any_program, f"binary://{self.listed}/../../../bin/sh"]:
            message = self.refused(ttrpc.PERMISSION_DENIED, self.create, url)
            self.assertIn("rule hook of policy strict", message)
            self.assertIn("hook_directories", message)
            self.assertFalse(os.path.exists(self.ran))
        self.refused(ttrpc.NOT_FOUND, self.containers[-1].state)

    def test_exec(self):
        """the same for an exec, and its container goes on"""
        container = self.running()
        fields = container.exec_fields(container, ["true"], stdout=False, stderr=False)
        fields.update(stdout=self.any_program, stderr=self.any_program)
        container.shim.call("Exec", id="one", exec_id="e", **fields)
        self.assertIn("rule hook", self.refused(ttrpc.PERMISSION_DENIED, container.shim.call, "Start", id="one", exec_id="e"))
        self.assertFalse(os.path.exists(self.ran))
        self.assertEqual(container.state_name(), "running")

    def test_listed(self):
        """one in a listed directory is run"""
        log, program = os.path.join(case.WORK, "logged"), os.path.join(self.listed, "logger")
        with open(program, "w", encoding="utf-8") as file:
            file.write(f"#!/bin/sh\nexec 5>&-; cat <&3 > {log}; touch {log}.end\n")
        os.chmod(program, 0o755)
        self.shim(["echo", "out"])
        container = self.create(f"binary://{program}").start()
        self.assertEqual(container.status(), 0)
        container.delete()
        shims.wait_until(lambda: os.path.exists(log + ".end"), "the logger has ended")
        self.assertEqual(case.read(log), b"out\n")

    def test_warning(self):
        """at the level warn any is run, and the shim's log has a line"""
        self.policy({"set": "strict", "audit": {"enabled": False}, "rules": {"hook": "warn"}})
        self.shim(["true"])
        container = self.create(self.any_program).start()
        self.assertEqual(container.status(), 0)
        shims.wait_until(lambda: os.path.exists(self.ran), "the logger runs")
        self.assertIn("rule hook", self.shims[-1].log_text())
