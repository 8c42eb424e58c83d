"""The shim's memory: what it takes, and that it does not grow."""

import case
import shim as shims

# (execs before the first look, execs after which it is looked at again)
WARM_UP, EXECS = {"fast": (50, 150), "long": (500, 100000)}.get(case.SIZE, (500, 2000))
GROWTH_KIB_MAX = 64


@case.unittest.skipIf(case.is_sanitized(), "the address sanitizer's own memory would be what is measured")
class Memory(case.ShimTest):
    def test_size(self):
        """the shim with one container; the memory that it takes is told"""
        container = self.running()
        print(f"# the shim with one container: {case.memory_text(container.shim.pid)}", flush=True)
        self.assertLess(case.memory(container.shim.pid)["Private_Dirty"], 4096)

    def test_execs(self):
        """private memory does not grow from exec to exec"""
        case.signal.alarm(0 if case.SIZE == "long" else 300)
        container = self.running()
        sizes = []
        for number in range(EXECS):
            if number == WARM_UP:
                sizes.append(case.memory(container.shim.pid))
            process = container.exec("true", exec_id=f"e{number}", stdout=False, stderr=False).start()
            process.status()
            process.delete()
            container.processes.pop()
            self.take_event(topic="/tasks/exit", id=f"e{number}")
        sizes.append(case.memory(container.shim.pid))
        before, after = (size["Private_Dirty"] for size in sizes)
        print(f"# private dirty after {WARM_UP} execs: {before} KiB, after {EXECS}: {after} KiB", flush=True)
        self.assertLess(after - before, GROWTH_KIB_MAX)

    def take_event(self, **wanted):
        """What waits to be taken is memory as well: as much as the machine is slow."""
        self.wait_for_event(**wanted)
        del self.server.events[:]

    def test_containers(self):
        """nor does it from container to container in one shim"""
        shim = self.shim()
        sizes = []
        rounds = 20 if case.SIZE == "fast" else 100
        for number in range(2 * rounds):
            container = shims.Container(shim, self.bundle(["true"], name=f"n{number}"))
            container.create(stdout=False, stderr=False).start()
            container.status()
            container.delete()
            self.take_event(topic="/tasks/delete", container_id=f"n{number}")
            if number in (rounds - 1, 2 * rounds - 1):
                sizes.append(case.memory(shim.pid)["Private_Dirty"])
        print(f"# private dirty after {rounds} containers: {sizes[0]} KiB, after {2 * rounds}: {sizes[1]} KiB", flush=True)
        self.assertLess(sizes[1] - sizes[0], GROWTH_KIB_MAX)
