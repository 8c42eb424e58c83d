"""NetworkPolicies of deploy/network, carried out by kube-router, for pods under brig, and brig's own list above them: both locks have to open."""

import json
import os
import pathlib
import tempfile

from cluster import IDLE, Case, Failure, admin, case, container, expect, expect_in, wait_until

SHIPPED = pathlib.Path(__file__).resolve().parents[3] / "deploy/network"
SPACE = "locked"
# Each serves its file of users, on these ports.
PORTS = {"api": (8443, 9090), "store": (443,), "dns": (53,), "other": (443,)}
PLACES = {"api": ("api", {"app": "api"}), "store": ("elsewhere", {}), "dns": ("kube-system", {"k8s-app": "kube-dns"}), "other": ("elsewhere", {})}
# $0 is the address, $1 the port.
ASK = r"""printf 'GET /passwd HTTP/1.0\r\n\r\n' | nc -w 3 "$0" "$1" 2>&1; true"""
LABELS = {"brig.dev/egress-api": "true", "brig.dev/egress-bucket": "true"}


class Locked:
    """Servers in namespaces that nothing is said about, plugins in one with the policies."""

    def __init__(self, t):
        self.t = t
        self.made = []
        self.policies = ""

    def namespace(self, name):
        admin("create", "namespace", name)
        self.made.append(f"namespace/{name}")
        wait_until(f"the service account of {name}", lambda: admin("--namespace", name, "get", "serviceaccount", "default", status=None).returncode == 0)

    def pod(self, namespace, name, script=IDLE, labels=None, annotations=None):
        metadata = {"name": name, "namespace": namespace, "labels": labels or {}, "annotations": annotations or {}}
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": self.t.pod_spec(container(script))}
        admin("--namespace", namespace, "apply", "-f", "-", stdin=json.dumps(pod))
        if namespace == "kube-system":
            self.made.append(f"pod/{name}")

    def address(self, namespace, name):
        admin("--namespace", namespace, "wait", f"pod/{name}", "--for=condition=Ready", "--timeout=110s")
        return json.loads(admin("--namespace", namespace, "get", "pod", name, "-o", "json").stdout)["status"]["podIP"]

    def serve(self):
        """The addresses of all servers."""
        for name, (namespace, labels) in PLACES.items():
            listen = "".join(f"httpd -p {port} -h /etc; " for port in PORTS[name])
            self.pod(namespace, name, listen + IDLE, labels)
        return {name: self.address(PLACES[name][0], name) for name in PLACES}

    def apply(self, store):
        """The three folders as they are shipped, with the store's address."""
        patch = [{"op": "replace", "path": "/spec/egress/0/to/0/ipBlock/cidr", "value": f"{store}/32"}]
        with tempfile.TemporaryDirectory() as folder:
            text = {"namespace": SPACE, "resources": [os.path.relpath(SHIPPED / name, folder) for name in ("base", "api", "bucket")],
                    "patches": [{"target": {"kind": "NetworkPolicy", "name": "brig-egress-bucket"}, "patch": json.dumps(patch)}]}
            (pathlib.Path(folder) / "kustomization.yaml").write_text(json.dumps(text))
            self.policies = admin("kustomize", folder).stdout
        admin("--namespace", SPACE, "apply", "-f", "-", stdin=self.policies)

    def asks(self, name, place, namespace=SPACE):
        """What a pod gets to hear from a place."""
        found = admin("--namespace", namespace, "exec", name, "--", "sh", "-c", ASK, *place.split(":")).stdout
        return "reached" if "root:x:0" in found else found.strip()

    def end(self):
        for name in self.made:
            space = ["--namespace", "kube-system"] if name.startswith("pod/") else []
            admin(*space, "delete", name, "--ignore-not-found", "--wait=true", "--timeout=110s")


def expect_refused(locked, name, place, namespace=SPACE):
    found = locked.asks(name, place, namespace)
    # The policy's end of it: the sandbox itself has said nothing.
    if found == "reached" or "not permitted" in found:
        raise Failure(f"{name} at {place}: {found!r}, where the policy was to refuse it")


def outwards(locked, at):
    """The one with the labels reaches its API and its store, both the resolver, and nobody anything else."""
    for name, reached in (("plugin", {"api:8443", "store:443", "dns:53"}), ("bare", {"dns:53"})):
        for server, ports in PORTS.items():
            for port in ports:
                place = f"{at[server]}:{port}"
                if f"{server}:{port}" in reached:
                    expect(f"{name} at {server}:{port}", locked.asks(name, place), "reached")
                else:
                    expect_refused(locked, name, place)


def both_locks(locked, at):
    """What brig's list leaves out is refused at the socket, and what only that list has, by the policy."""
    expect("the list and the policy", locked.asks("listed", f"{at['api']}:8443"), "reached")
    expect_in("the policy alone", "Operation not permitted", locked.asks("listed", f"{at['store']}:443"))
    expect_refused(locked, "listed", f"{at['other']}:443")


@case(brig_only=True)
def network_policies(t: Case):
    """deploy/network is carried out for pods under brig: nothing in, nothing out but what the templates name, and brig's list beside it"""
    locked = Locked(t)
    try:
        for name in (SPACE, "api", "elsewhere"):
            locked.namespace(name)
        at = locked.serve()
        locked.pod(SPACE, "plugin", "httpd -p 8080 -h /etc; " + IDLE, LABELS)
        locked.pod(SPACE, "bare")
        locked.pod(SPACE, "listed", IDLE, LABELS, {"brig.dev/egress": f"{at['api']}:8443,{at['other']}:443"})
        at |= {name: locked.address(SPACE, name) for name in ("plugin", "bare", "listed")}
        expect("without policies, out", locked.asks("bare", f"{at['other']}:443"), "reached")
        expect("without policies, in", locked.asks("other", f"{at['plugin']}:8080", "elsewhere"), "reached")
        locked.apply(at["store"])
        for name in ("plugin", "bare", "listed"):
            wait_until(f"the policy holds for {name}", lambda name=name: locked.asks(name, f"{at['api']}:9090") != "reached")
        wait_until("a way to the API", lambda: locked.asks("plugin", f"{at['api']}:8443") == "reached")
        outwards(locked, at)
        both_locks(locked, at)
        expect_refused(locked, "other", f"{at['plugin']}:8080", "elsewhere")
        admin("--namespace", SPACE, "delete", "-f", "-", stdin=locked.policies)
        wait_until("it was the policy that refused", lambda: locked.asks("bare", f"{at['other']}:443") == "reached")
    finally:
        locked.end()
