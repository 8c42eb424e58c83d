"""A pod's egress list, annotation brig.dev/egress: held for its containers and their execs, as for any that brig makes by itself."""

import copy
import json
import os
import subprocess

import case

PERMITTED, OTHER = "10.231.8.2", "10.231.8.3"
SERVER = """
import socket, sys
server = socket.create_server(("", 80), backlog=16)
print("ready", flush=True)
while True:
    server.accept()[0].close()
"""


def ip(*words, check=True):
    return subprocess.run(["ip", *words], check=check, capture_output=True).returncode == 0


class Egress(case.ShimTest):
    def setUp(self):
        self.undo = []
        self.pod, self.peer = (f"egress-{os.getpid()}-{end}" for end in ("pod", "peer"))
        if not ip("netns", "add", self.pod, check=False):
            self.skipTest("this machine lets us make no network namespaces by name")
        self.undo.append(lambda: ip("netns", "delete", self.pod))
        ip("netns", "add", self.peer)
        self.undo.append(lambda: ip("netns", "delete", self.peer))
        # After that: the first namespace with a name makes /run/netns a mount, which stays.
        super().setUp()
        name = f"e{os.getpid()}"
        ip("link", "add", name, "netns", self.pod, "type", "veth", "peer", "name", "eth0", "netns", self.peer)
        ip("-n", self.pod, "link", "set", name, "name", "eth0")
        for place in (self.pod, self.peer):
            ip("-n", place, "link", "set", "lo", "up")
            ip("-n", place, "link", "set", "eth0", "up")
        ip("-n", self.pod, "address", "add", "10.231.8.1/24", "dev", "eth0")
        for address in (PERMITTED, OTHER):
            ip("-n", self.peer, "address", "add", f"{address}/24", "dev", "eth0")
        server = subprocess.Popen(["ip", "netns", "exec", self.peer, "python3", "-c", SERVER], stdout=subprocess.PIPE)
        self.undo += [server.stdout.close, server.wait, server.kill]
        self.assertEqual(server.stdout.readline(), b"ready\n")

    def tearDown(self):
        for undo in reversed(self.undo):
            undo()
        super().tearDown()

    def in_pod(self, script, annotations, **options):
        linux = copy.deepcopy(case.bundles.TEMPLATE["linux"])
        for namespace in linux["namespaces"]:
            if namespace["type"] == "network":
                namespace["path"] = f"/run/netns/{self.pod}"
        changed = {"namespaces": linux["namespaces"]}
        return self.shell(script, annotations=annotations, linux=changed, **options)

    @staticmethod
    def reach(address):
        return f"nc -w 30 {address} 80 < /dev/null > /dev/null 2>&1 && echo reached || echo refused; "

    def test_held(self):
        """only what is listed is reached, by the container and by an exec; without the annotation all is"""
        script = self.reach(PERMITTED) + self.reach(OTHER)
        free = self.in_pod(script, {}, name="free").finish()
        self.assertEqual(free[:2], (0, b"reached\nreached\n"), free)
        held = self.in_pod(script, {"brig.dev/egress": f"{PERMITTED}:80/tcp"}, name="held").finish()
        self.assertEqual(held[:2], (0, b"reached\nrefused\n"), held)

    def test_exec(self):
        """an exec of its own group is held to the list of its container"""
        container = self.in_pod("sleep 1000", {"brig.dev/egress": f"{PERMITTED}:80/tcp"})
        container.start()
        for address, status in ((PERMITTED, 0), (OTHER, 1)):
            exec_ = container.exec_shell(f"nc -w 30 {address} 80 < /dev/null", exec_id=f"to-{address[-1]}").start()
            self.assertEqual(exec_.status(), status, address)

    def test_no_list(self):
        """what is no list is refused at create, with the annotation's name"""
        with self.assertRaisesRegex(Exception, r'annotations\["brig.dev/egress"\]: "example.com"'):
            self.in_pod("true", {"brig.dev/egress": "example.com"})


class NoTcp(case.ShimTest):
    NONE = {"brig.dev/tcp": "none"}
    # The first exits with 1 in any case: nobody listens.
    SCRIPT = "nc 127.0.0.1 8081 2>&1; timeout 1 nc -l -p 8081 2>&1; true"

    def test_refused(self):
        """annotation brig.dev/tcp: none: no connection and no port, for the container and an exec; without it both"""
        rows = json.loads(subprocess.run([os.environ["BRIG"], "doctor", "--json"], check=False, capture_output=True).stdout)
        landlock = next(row for row in rows if row["name"] == "landlock")
        if landlock["state"] != "works" or "without TCP" in landlock["found"]:
            self.skipTest("this kernel has no Landlock that knows TCP")
        free = self.shell(self.SCRIPT, name="free").finish()
        self.assertEqual(free[1].count(b"Permission denied"), 0, free)
        held = self.shell(self.SCRIPT, name="held", annotations=self.NONE).finish()
        self.assertEqual(held[1].count(b"Permission denied"), 2, held)
        container = self.shell("sleep 1000", annotations=self.NONE)
        container.start()
        exec_ = container.exec_shell("(" + self.SCRIPT + ") | grep -c 'Permission denied' | grep -qx 2").start()
        self.assertEqual(exec_.status(), 0)
