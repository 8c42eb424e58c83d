"""Events on their way to containerd: which, what they say, in which order, and what becomes of them while nobody listens."""


import case
import shim as shims

WHOLE_LIFE = ["create", "start", "exec-added", "exec-started", "exit", "exit", "delete"]


class Events(case.ShimTest):
    def whole_life(self):
        container = self.running()
        process = container.exec_shell("exit 3", exec_id="further").start()
        process.status()
        process.delete()
        container.stop()
        container.status()
        container.delete()
        return container, process

    def wait_for_all(self, expected):
        shims.wait_until(lambda: len(self.topics()) >= len(expected), "all events are there")
        self.assertEqual(self.topics(), expected)

    def test_order(self):
        """create, start, exec-added, exec-started, exit of the exec, exit, delete: in that order"""
        self.whole_life()
        self.wait_for_all(WHOLE_LIFE)

    def test_content(self):
        """events carry ids, pids, statuses, times, bundle and streams, and the namespace"""
        container, process = self.whole_life()
        self.wait_for_all(WHOLE_LIFE)
        by_topic = {event.topic: event for event in reversed(self.events())}  # the first of each
        self.assertEqual({event.namespace for event in self.events()}, {"default"})
        self.assertTrue(all(event.timestamp.seconds > 0 for event in self.events()))
        self.assertTrue(all(event.container_id == "one" for event in self.events()))
        create = by_topic["/tasks/create"]
        self.assertEqual((create.bundle, create.pid, create.io.stdout), (container.folder, container.pid, container.out.path))
        self.assertEqual(create.rootfs[0].type, "overlay")
        self.assertEqual(by_topic["/tasks/start"].pid, container.pid)
        self.assertEqual(by_topic["/tasks/exec-added"].exec_id, "further")
        started = by_topic["/tasks/exec-started"]
        self.assertEqual((started.exec_id, started.pid), ("further", process.pid))
        exits = [(event.id, event.pid, event.exit_status) for event in self.events(topic="/tasks/exit")]
        self.assertEqual(exits, [("further", process.pid, 3), ("one", container.pid, 5)])
        delete = self.events(topic="/tasks/delete")[-1]
        self.assertEqual((delete.pid, delete.exit_status), (container.pid, 5))
        self.assertGreater(delete.exited_at.seconds, 0)
        self.assertTrue(all(event.type_url.rsplit("/", 1)[-1].startswith("containerd.events.Task") for event in self.events()))

    def test_times(self):
        """the time of an end is the same in the event of the exit, in State, Wait, Delete and the event of the delete"""
        container = self.shell("exit 3").start()
        answers = [container.wait().exited_at, container.state().exited_at, container.delete().exited_at]
        answers += [self.wait_for_event(topic=f"/tasks/{name}").exited_at for name in ("exit", "delete")]
        self.assertEqual(len({(at.seconds, at.nanos) for at in answers}), 1, answers)
        self.assertNotEqual(answers[0].seconds, 0)

    def test_exit_after_the_execs(self):
        """the container's exit is told after those of all its execs, also when it takes them down"""
        container = self.running()
        for number in range(5):
            container.exec("sleep", "1000", exec_id=f"e{number}").start()
        container.kill(9)
        container.status()
        self.wait_for_event(count=6, topic="/tasks/exit")
        ids = [event.id for event in self.events(topic="/tasks/exit")]
        self.assertEqual((len(ids), ids[-1]), (6, "one"), ids)

    def test_start_before_exit(self):
        """the start of a process that ends at once is told before its exit, every time"""
        container = self.running()
        for number in range(50):
            container.exec("true", exec_id=f"e{number}").finish()
        self.wait_for_event(count=50, topic="/tasks/exit")
        for number in range(50):
            topics = [event.topic for event in self.events() if f"e{number}" in (getattr(event, "exec_id", ""), getattr(event, "id", ""))]
            self.assertEqual(topics[:3], ["/tasks/exec-added", "/tasks/exec-started", "/tasks/exit"])

    def test_pause_and_resume(self):
        """pause and resume are told"""
        container = self.running()
        container.call("Pause")
        container.call("Resume")
        self.wait_for_event(topic="/tasks/resumed")
        self.assertEqual(self.topics()[-2:], ["paused", "resumed"])

    def test_server_that_was_away(self):
        """events of a time without containerd come when it is back: all of them, in order, none twice"""
        self.shim()
        self.server.close()
        container = self.containers[-1].create().start()
        process = container.exec_shell("exit 3").start()
        process.status()
        process.delete()
        container.stop()
        container.status()
        container.delete()
        self.assertEqual(self.events(), [])
        self.server.open()
        self.wait_for_all(WHOLE_LIFE)

    def test_server_that_comes_and_goes(self):
        """a connection that breaks again and again loses no event and does not change their order"""
        container = self.running()
        ids = []
        for number in range(5):
            ids += [f"e{number}-{i}" for i in range(4)]
            for name in ids[-4:-2]:
                container.exec("true", exec_id=name).finish()
            self.server.close()
            for name in ids[-2:]:
                container.exec("true", exec_id=name).finish()
            self.server.open()
        shims.wait_until(lambda: {event.id for event in self.events(topic="/tasks/exit")} >= set(ids), "all exits are there")
        # The one that was under way when the connection broke may come twice.
        seen = [event.id for event in self.events(topic="/tasks/exit")]
        self.assertEqual(list(dict.fromkeys(seen)), ids)

    def test_end_without_server(self):
        """Shutdown ends the shim also where nobody takes its events"""
        container = self.running("true")
        container.status()
        self.server.close()
        container.delete()
        try:
            container.shim.shutdown()
        finally:
            self.server.open()
