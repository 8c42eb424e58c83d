"""The plugin of deploy/network/example in the cluster: one API, one bucket, and credentials that the kubelet writes and the API server vouches for."""

import contextlib
import json
import os
import pathlib
import re
import subprocess
import tempfile

import yaml

from cluster import NAMESPACE, Case, case, expect, expect_in, kubectl, wait_until

EXAMPLE = pathlib.Path(__file__).resolve().parents[3] / "deploy/network/example"
TRAIL = "/var/log/brig/audit.jsonl"
API, BUCKET, OTHER = "10.99.0.10:8443", "10.99.0.11:443", "10.99.0.12:443"
# The API server's word on a credential; service adds the audience.
VOUCH = ["sh", "-c", """
    jq --raw-input --slurp --arg audience "$0" \
        '{apiVersion: "authentication.k8s.io/v1", kind: "TokenReview", spec: {token: rtrimstr("\\n"), audiences: [$audience]}}' |
        kubectl create --output json --filename - | jq --exit-status '.status.authenticated and .status.user.username == "system:serviceaccount:NAMESPACE:plugin"'
    """.replace("NAMESPACE", NAMESPACE)]


@contextlib.contextmanager
def served(folder):
    """The example's servers on the node; yields the file that their lines are in."""
    servers = []
    log = folder / "log"
    environment = {**os.environ, "KUBECONFIG": os.environ["KUBECONFIG"]}
    for kind, place in (("api", API), ("bucket", BUCKET), ("open", OTHER)):
        subprocess.run(["ip", "address", "replace", place.partition(":")[0] + "/24", "dev", "node0"], check=True)
        (folder / kind).mkdir()
    (folder / "api/work").write_text("numbers")
    (folder / "bucket/numbers").write_text("20\n22\n")
    try:
        for kind, place in (("api", API), ("bucket", BUCKET), ("open", OTHER)):
            with open(log, "a", encoding="utf-8") as output:
                servers.append(subprocess.Popen([EXAMPLE / "service", kind, place, folder / kind, *VOUCH], stdout=output, env=environment))
        wait_until("the servers", lambda: log.read_text().count("listens") == len(servers))
        yield log
    finally:
        for server in servers:
            server.kill()
            server.wait()


def shipped():
    """The manifests as they are, with the cluster's addresses in place of those of documentation."""
    text = subprocess.run(["kubectl", "kustomize", EXAMPLE], check=True, capture_output=True, text=True).stdout
    text = text.replace("10.96.12.34:8443", API).replace("192.0.2.10:443", BUCKET).replace("169.254.169.254:80", OTHER)
    documents = {document["kind"]: document for document in yaml.safe_load_all(text)}
    for kind in ("ConfigMap", "ServiceAccount", "Pod"):
        documents[kind]["metadata"]["namespace"] = NAMESPACE
    # This kubelet does not count disks (localStorageCapacityIsolation).
    for amounts in documents["Pod"]["spec"]["containers"][0]["resources"].values():
        del amounts["ephemeral-storage"]
    return documents


def end_of(t, manifest):
    pod = t.apply(manifest)
    wait_until(f"the end of {pod}", lambda: t.get(pod)["status"]["phase"] in ("Succeeded", "Failed"))
    return kubectl("logs", pod).stdout


@case(brig_only=True)
def plugin(t: Case):
    """the plugin reaches its API and its bucket with credentials of its own, and nothing else; the audit trail says what it tried"""
    documents = shipped()
    for kind in ("ConfigMap", "ServiceAccount"):
        t.apply(documents[kind])
    with tempfile.TemporaryDirectory() as name, served(pathlib.Path(name)) as log:
        said = end_of(t, documents["Pod"])
        expect_in("the plugin", "added up numbers: 42", said)
        expect("the bucket", (pathlib.Path(name) / "bucket/result").read_text(), "42")
        for place in (OTHER, "10.96.0.1:443"):
            expect_in("the plugin", f"{place}: wget: can't connect to remote host ({place.partition(':')[0]}): Operation not permitted", said)
        expect("requests at the other server", re.findall(r"open .*", log.read_text().replace("open listens", "")), [])
        without_list(t, documents["Pod"], log)
    wait_until("the audit trail", lambda: {f"connect tcp {OTHER}", "connect tcp 10.96.0.1:443"} <= refused())


def without_list(t, manifest, log):
    """It is the list that refuses: the same pod without it reaches the other server. And no credential is good for another audience."""
    other = json.loads(json.dumps(manifest))
    other["metadata"].update(name="plugin-without-list", annotations={})
    expect_in("the plugin without a list", f"{OTHER}: REACHED", end_of(t, other))
    other["metadata"]["name"] = "plugin-of-another"
    next(volume for volume in other["spec"]["volumes"] if volume["name"] == "credential")["projected"]["sources"][0]["serviceAccountToken"]["audience"] = "another"
    expect_in("the plugin with a credential for somebody else", "401", end_of(t, other))
    expect_in("the API", "api GET /work 401", log.read_text())


def refused():
    """What lists refused to pods that have ended."""
    found = set()
    with open(TRAIL, encoding="utf-8") as file:
        # What is still being written is no line yet.
        for line in map(json.loads, (text for text in file if text.endswith("\n"))):
            if line["event"] == "exit" and line.get("workload", {}).get("pod") == "plugin":
                found |= {place["what"] for place in line.get("egress_denied", [])}
    return found
