"""The containers of a pod in one shim."""

import os

import case
import shim as shims
import ttrpc
import wire

GROUP = "io.containerd.runc.v2.group"


class Group(case.ShimTest):
    def pod(self, *names, annotation=GROUP):
        """A shim and its containers, created."""
        annotations = {annotation: "pod"}
        shim = self.shim(name=names[0], annotations=annotations)
        for name in names[1:]:
            bundle = self.bundle(case.IDLE, name=name, annotations=annotations)
            result = shim.run("start", bundle=bundle, name=name)
            self.assertEqual(result.stdout.decode(), "unix://" + shim.socket, result.stderr)
            self.containers.append(shims.Container(shim, bundle))
        return [container.create() for container in self.containers]

    def test_one_shim(self):
        """`start` for a second container of the group gives the first one's address: one process for both"""
        one, two = self.pod("one", "two")
        self.assertEqual(one.call("Connect").shim_pid, two.call("Connect").shim_pid)
        for container in (one, two):
            container.start()
            container.kill(9)
            container.status()
            container.delete()
        shims.wait_until(lambda: case.processes() - self.before["processes"] == {one.shim.pid}, "there is one shim and no more")

    def test_kubernetes_group(self):
        """the sandbox's id is a group as well"""
        one, two = self.pod("one", "two", annotation="io.kubernetes.cri.sandbox-id")
        self.assertNotEqual(one.start().pid, two.start().pid)

    def test_independence(self):
        """the containers of a group live and end by themselves, each with its own status and execs"""
        one, two = self.pod("one", "two")
        one.start()
        two.start()
        process = two.exec_shell("exit 4").start()
        self.refused(ttrpc.NOT_FOUND, one.shim.call, "State", id="one", exec_id=process.exec_id)
        one.stop()
        self.assertEqual(one.status(), 5)
        one.delete()
        self.assertEqual(two.state_name(), "running")
        self.assertEqual(process.status(), 4)
        two.kill(9)
        self.assertEqual(two.status(), 137)

    def test_shutdown_with_one_left(self):
        """Shutdown ends the shim only when no container is left in it"""
        one, two = self.pod("one", "two")
        one.start()
        two.start()
        one.kill(9)
        one.status()
        one.delete()
        one.shim.call("Shutdown", id="one")
        self.assertEqual(two.state_name(), "running")
        two.kill(9)
        two.status()
        two.delete()
        one.shim.shutdown()
        self.assertFalse(os.path.exists(one.shim.socket))

    def test_ten_containers(self):
        """ten containers in one shim; the memory that it takes is told"""
        names = [f"c{number}" for number in range(10)]
        containers = self.pod(*names)
        for container in containers:
            container.start()
        print(f"# the shim with ten containers: {case.memory_text(containers[0].shim.pid)}", flush=True)
        for container in containers:
            container.send("Kill", signal=9)
        self.assertEqual([container.status() for container in containers], [137] * 10)

    def test_shared_namespaces(self):
        """a second container can join the namespaces of the first"""
        one, two = self.pod("one", "two")
        one.start()
        two.delete()
        two.close()
        two.bundle.config["linux"]["namespaces"] = [
            {"type": "pid"}, {"type": "mount"}, *({"type": kind, "path": f"/proc/{one.pid}/ns/{name}"}
                                                  for kind, name in [("network", "net"), ("ipc", "ipc"), ("uts", "uts")])]
        with open(two.bundle.path("config.json"), "w", encoding="utf-8") as file:
            case.json.dump(two.bundle.config, file)
        for reader in [two.out, two.err]:
            os.unlink(reader.path)
        two.create().start()
        for name in ["net", "ipc", "uts"]:
            self.assertEqual(os.readlink(f"/proc/{one.pid}/ns/{name}"), os.readlink(f"/proc/{two.pid}/ns/{name}"))
        self.assertNotEqual(os.readlink(f"/proc/{one.pid}/ns/pid"), os.readlink(f"/proc/{two.pid}/ns/pid"))

    def test_exec_in_each(self):
        """execs of the same id in two containers don't meet"""
        one, two = self.pod("one", "two")
        one.start()
        two.start()
        processes = [container.exec("sleep", "1000", exec_id="same").start() for container in (one, two)]
        processes[0].kill(9)
        self.assertEqual(processes[0].status(), 137)
        self.assertEqual(processes[1].state_name(), "running")
        details = [wire.decode("ProcessDetails", info.info.value).exec_id for info in two.call("Pids").processes]
        self.assertIn("same", details)
