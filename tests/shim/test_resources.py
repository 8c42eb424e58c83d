"""Statistics, limits and what happens at them."""

import json
import os

import bundle as bundles
import case
import shim as shims
import wire

MIB = 1024 * 1024
# Two processes, some processor time, 4 MB.
BUSY = "x=$(head -c 4000000 /dev/zero | tr '\\0' x); i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; sleep 1000 & echo done; wait"
# In one piece: a shell takes it in hundreds of thousands of small ones, which is slow in a guest.
HOG = "dd if=/dev/zero of=/dev/null bs=100000000 count=1 2> /dev/null && echo survived"


def has_controllers():
    if os.path.isdir("/sys/fs/cgroup/memory"):
        return True
    path = "/sys/fs/cgroup/cgroup.controllers"
    return os.path.exists(path) and b"memory" in case.read(path)


class Resources(case.ShimTest):
    def metrics(self, container):
        value = container.call("Stats").stats
        self.assertEqual(value.type_url.rsplit("/", 1)[-1], "io.containerd.cgroups.v2.Metrics")
        return wire.decode("Metrics", value.value)

    def update(self, container, **resources):
        value = {"type_url": bundles.RESOURCES_URL, "value": json.dumps(resources).encode()}
        container.shim.call("Update", id=container.name, resources=value)

    def setUp(self):
        if not has_controllers():
            self.skipTest("this machine's cgroups have no memory and pids controllers here")
        super().setUp()

    def limited(self, *args, **resources):
        return self.container(*args, linux={"resources": resources}).start()

    def test_stats(self):
        """Stats counts processes, processor time and memory of the container"""
        self.expect_sensible(self.limited("sh", "-c", BUSY, memory={"limit": 100 * MIB}))

    def test_stats_without_limits(self):
        """the same for a container without limits"""
        self.expect_sensible(self.running("sh", "-c", BUSY))

    def expect_sensible(self, container):
        container.out.until(b"done\n")
        found = self.metrics(container)
        self.assertEqual(found.pids.current, 2)
        self.assertTrue(10_000 < found.cpu.usage_usec < 60_000_000, found.cpu.usage_usec)
        self.assertTrue(3 * MIB <= found.memory.usage < 64 * MIB, found.memory.usage)
        self.assertTrue(3 * MIB <= found.memory.anon < 64 * MIB, found.memory.anon)

    def test_stats_count_execs(self):
        """what an exec does counts as the container's"""
        container = self.running()
        before = self.metrics(container)
        process = container.exec_shell("i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; echo done; sleep 1000").start()
        process.out.until(b"done\n")
        after = self.metrics(container)
        self.assertGreater(after.cpu.usage_usec, before.cpu.usage_usec + 10_000)

    def test_limits_are_told(self):
        """the limits of config.json are in Stats"""
        container = self.limited(memory={"limit": 50 * MIB}, pids={"limit": 20})
        found = self.metrics(container)
        self.assertEqual((found.memory.usage_limit, found.pids.limit), (50 * MIB, 20))

    def test_update_of_pids(self):
        """Update of the number of processes: the new limit bites, for execs as well"""
        container = self.limited(pids={"limit": 100})
        fork = "for i in 1 2 3 4 5 6 7 8 9 10; do sleep 1000 & done; echo all; wait"
        process = container.exec_shell(fork).start()
        process.out.until(b"all\n")
        process.kill(9)
        process.status()
        self.update(container, pids={"limit": 6})
        self.assertEqual(self.metrics(container).pids.limit, 6)
        shims.wait_until(lambda: len(container.call("Pids").processes) <= 2, "the exec's processes are gone")
        process = container.exec_shell(fork).start()
        self.assertIn(b"fork", process.err.until(b"fork"))

    def test_update_of_memory(self):
        """Update of memory: a program that takes more than the new limit is killed"""
        container = self.limited(memory={"limit": 300 * MIB})
        self.assertEqual(container.exec_shell(HOG).finish()[1], b"survived\n")
        self.update(container, memory={"limit": 40 * MIB})
        self.assertEqual(self.metrics(container).memory.usage_limit, 40 * MIB)
        self.assertNotIn(b"survived", container.exec_shell(HOG).finish()[1])

    def test_update_is_all_or_nothing(self):
        """an Update that can't be done leaves the limits as they were"""
        container = self.limited(pids={"limit": 50}, memory={"limit": 50 * MIB})
        with self.assertRaises(case.ttrpc.CallError):
            self.update(container, pids={"limit": 60}, cpu={"cpus": "0-100000"})
        self.assertEqual(self.metrics(container).pids.limit, 50)

    def test_out_of_memory(self):
        """a program that is killed for memory: status 137, and an oom event before the exit"""
        container = self.limited("sh", "-c", HOG, memory={"limit": 16 * MIB})
        self.assertEqual(container.status(), 137)
        self.wait_for_event(topic="/tasks/exit")
        self.assertIn("oom", self.topics())
        self.assertLess(self.topics().index("oom"), self.topics().index("exit"))

    def test_out_of_memory_in_an_exec(self):
        """an exec that is killed for memory: an oom event, and the container lives"""
        container = self.limited("sleep", "1000", memory={"limit": 16 * MIB})
        # One process alone: while the first victim of several goes, the kernel may already choose the next.
        container.exec("dd", "if=/dev/zero", "of=/dev/null", "bs=64M", "count=1").finish()
        self.wait_for_event(topic="/tasks/oom", container_id="one")
        self.assertEqual(container.state_name(), "running")
