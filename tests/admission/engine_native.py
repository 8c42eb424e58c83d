"""The native policies in a real API server: run inside `tests/cluster/apiserver run`, which gives KUBECONFIG and KUBECONFIG_USER.

Requests go over HTTP by the ordinary user, since a process of kubectl for each would take minutes; tests/admission/cluster has the checks
that go by kubectl."""

import http.client
import json
import os
import re
import ssl
import subprocess
import time
import urllib.parse

import yaml

import table

# Fields of pods that rows have, and that the API server would leave out by itself.
ARGUMENTS = ("--feature-gates=ClusterTrustBundle=true,ClusterTrustBundleProjection=true,PodCertificateRequest=true",
             "--runtime-config=certificates.k8s.io/v1beta1=true")
POLICIES = {"brig-isolated": "deny", "brig-restricted": "deny", "brig-advice": "warn"}


class Api:
    """The API server, as the user of a kubeconfig."""

    def __init__(self, kubeconfig):
        with open(kubeconfig) as file:
            config = yaml.safe_load(file)
        cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
        context = ssl.create_default_context(cafile=cluster["certificate-authority"])
        self.token = user["token"]
        address = urllib.parse.urlparse(cluster["server"])
        self.connection = http.client.HTTPSConnection(address.hostname, address.port, context=context, timeout=60)

    def call(self, method, path, body=None, content="application/json", impersonated=None):
        """Status, document and warnings of a request."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": content, "Accept": "application/json"}
        if impersonated:
            headers["Impersonate-User"] = impersonated
        self.connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = self.connection.getresponse()
        text = answer.read()
        warnings = [json.loads(re.match(r'299 \S+ (".*")$', value).group(1)) for value in answer.msg.get_all("Warning", [])]
        return answer.status, json.loads(text) if text else {}, warnings


def collection(request):
    version = table.KINDS[request.kind][0]
    root = f"/apis/{version}" if "/" in version else f"/api/{version}"
    return f"{root}/namespaces/{request.namespace}/{request.resource}"


def kubectl(*arguments, stdin=None):
    done = subprocess.run(["kubectl", *map(str, arguments)], input=stdin, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"kubectl {' '.join(map(str, arguments))}: {done.stderr}")
    return done.stdout


def prepare(api, requests):
    """Namespaces, classes, and what the cases say was there before the policies."""
    for namespace in table.namespace_objects():
        name = namespace["metadata"]["name"]
        api.call("POST", "/api/v1/namespaces", namespace)
        api.call("PATCH", f"/api/v1/namespaces/{name}", {"metadata": {"labels": namespace["metadata"]["labels"]}},
                 "application/merge-patch+json")
    kubectl("apply", "--server-side", "-k", table.SOURCE / "deploy/runtimeclass")
    for name in ("runc", "gvisor", "kata", "brig-2", "bri", "gvisor-kvm"):
        kubectl("create", "-f", "-", stdin=yaml.safe_dump({"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass",
                                                            "metadata": {"name": name}, "handler": name}))
    for request in requests:
        if request.old:
            create_old(api, request)


def create_old(api, request):
    old = request.old
    there = old["spec"].get("ephemeralContainers") if request.kind == "Pod" else None
    if there:
        old = table.overlay(old, {"spec": {"ephemeralContainers": None}})
    status, document, _ = api.call("POST", collection(request), old)
    if there:
        path = f"{collection(request)}/{old['metadata']['name']}/ephemeralcontainers"
        status, document, _ = api.call("PATCH", path, {"spec": {"ephemeralContainers": there}},
                                       "application/strategic-merge-patch+json")
    if status >= 300:
        raise SystemExit(f"{request.name}: what was there before can't be made: {document}")


def ask(api, request):
    """Status, document and warnings of the request itself, which leaves nothing behind."""
    name = request.object["metadata"].get("name")
    if request.operation == "CREATE":
        return api.call("POST", f"{collection(request)}?dryRun=All", request.object)
    if request.operation == "DELETE":
        return api.call("DELETE", f"{collection(request)}/{name}?dryRun=All")
    if request.operation == "DEBUG":
        new = request.object["spec"]["ephemeralContainers"]
        return api.call("PATCH", f"{collection(request)}/{name}/ephemeralcontainers?dryRun=All", {"spec": {"ephemeralContainers": new}},
                        "application/strategic-merge-patch+json")
    if request.operation == "RESIZE":
        spec = request.object["spec"]
        sizes = {key: [{"name": one["name"], "resources": one["resources"]} for one in spec.get(key, [])] for key in ("containers", "initContainers")}
        return api.call("PATCH", f"{collection(request)}/{name}/resize?dryRun=All", {"spec": sizes}, "application/strategic-merge-patch+json")
    # What a client does that edits: it gets the object, changes it, and puts it back.
    _, current, _ = api.call("GET", f"{collection(request)}/{name}")
    return api.call("PUT", f"{collection(request)}/{name}?dryRun=All", edit(current, request))


def edit(current, request):
    """The object as it is in the cluster, with the changes from `old` to `object`."""
    def change(there, old, new):
        if isinstance(old, dict) and isinstance(new, dict) and isinstance(there, dict):
            result = dict(there)
            for key in old.keys() | new.keys():
                if old.get(key) != new.get(key):
                    if key in new:
                        result[key] = change(there.get(key), old.get(key), new[key])
                    else:
                        result.pop(key, None)
            return result
        if isinstance(old, list) and isinstance(new, list) and isinstance(there, list) and len(old) == len(new) == len(there):
            return [change(*items) for items in zip(there, old, new)]
        return new
    return change(current, request.old, request.object)


def apply(overlay, probe, expected):
    """Applies an overlay, and waits until the API server does by it: policies take a moment to come into force."""
    kubectl("apply", "--server-side", "--force-conflicts", "-k", overlay)
    end = time.monotonic() + 60
    while True:
        answer = probe()
        if expected(answer):
            return
        if time.monotonic() > end:
            raise SystemExit(f"{overlay} is not in force after a minute: {answer}")
        time.sleep(0.2)


def split(warnings):
    """Warnings of the policies, by what they are of: Kubernetes has warnings of its own."""
    result = {"deny": [], "warn": []}
    for text in warnings:
        found = re.match(r"Validation failed for ValidatingAdmissionPolicy '([^']*)' with binding '[^']*': (.*)", text, re.S)
        if found:
            result[POLICIES[found.group(1)]].append(found.group(2))
    return result["deny"], result["warn"]


def run_warn(api, requests):
    for request in requests:
        status, document, warnings = ask(api, request)
        if status >= 300:
            yield request, f"refused where there are only warnings: {document}"
        else:
            yield request, table.judge(request, *split(warnings))


def run_deny(api, requests):
    """Deny shows the first rule only."""
    for request in requests:
        status, document, warnings = ask(api, request)
        message = document.get("message", "") if status >= 300 else ""
        if not request.deny:
            wrong = f"refused with {status}: {message}" if status >= 300 else table.judge(request, *split(warnings))
        elif status != 403 or document.get("reason") != "Forbidden":
            wrong = f"expected 403, got {status}: {message}"
        else:
            wrong = None if table.rule_of(message) in request.deny else f"refused by {message}, expected {request.deny}"
        yield request, wrong


def run_audit(api, requests):
    for request in requests:
        status, document, warnings = ask(api, request)
        found = [text for text in warnings if "ValidatingAdmissionPolicy" in text]
        yield request, f"status {status}, {document.get('message')}, {found}" if status >= 300 or found else None


def run(requests, folder, deploy):
    """Yields mode, request and what is wrong: all cases as warnings and as refusals, some when nothing but the audit log hears of it."""
    admin, user = Api(os.environ["KUBECONFIG"]), Api(os.environ["KUBECONFIG_USER"])
    prepare(admin, requests)
    probe = next(r for r in table.requests() if r.deny and r.operation == "CREATE" and r.warn)
    plain = [r for r in requests if r.operation == "CREATE" and len(r.deny) > 3]

    apply(deploy / "vap/audit", lambda: None, lambda _: True)
    for request, wrong in run_audit(user, plain):
        yield "audit", request, wrong
    # Each binding is in force by itself, at a time of its own.
    apply(deploy / "vap/warn", lambda: ask(user, probe), lambda answer: table.judge(probe, *split(answer[2])) is None)
    for request, wrong in run_warn(user, requests):
        yield "warn", request, wrong
    probes = [next(r for r in table.requests() if r.deny and r.deny[0] not in table.rules_of("isolated") and r.operation == "CREATE"), probe]
    apply(deploy / "vap/deny", lambda: [ask(user, one) for one in probes], lambda answers: all(answer[0] == 403 for answer in answers))
    for request, wrong in run_deny(user, requests):
        yield "deny", request, wrong


def run_variant(requests, deploy):
    """The same after `run`, with other settings, as warnings."""
    user, probe = Api(os.environ["KUBECONFIG_USER"]), next(r for r in requests if r.deny)
    apply(deploy / "vap/warn", lambda: ask(user, probe), lambda answer: table.judge(probe, *split(answer[2])) is None)
    for request, wrong in run_warn(user, requests):
        yield "other settings", request, wrong

