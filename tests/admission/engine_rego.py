"""The plain Rego: all requests in one call of `opa eval`, and manifests by conftest as in CI."""

import dataclasses
import json
import re
import subprocess

import yaml

import table

PACKAGES = {"isolated": "deny", "restricted": "deny", "advice": "warn"}
QUERY = """{number: answer |
    some number, request in data.requests
    answer := {
        "isolated": [violation.msg | some violation in data.brig.isolated.violation with input as request],
        "restricted": [violation.msg | some violation in data.brig.restricted.violation with input as request],
        "advice": [violation.msg | some violation in data.brig.advice.violation with input as request],
    }
}"""


def settings_of(deploy):
    return yaml.safe_load((deploy / "settings/settings.yaml").read_text())["data"]


def messages(requests, folder, deploy):
    """Per request the refusals and the warnings, with the namespaces that the constraints leave out left out here."""
    settings = settings_of(deploy)
    left_alone = yaml.safe_load((deploy / "gatekeeper/base/isolated.yaml").read_text())["spec"]["match"]["excludedNamespaces"]
    data = {"requests": {str(r.number): {"review": table.as_gatekeeper(r.review())["request"], "parameters": settings} for r in requests}}
    (folder / "requests.json").write_text(json.dumps(data))
    done = subprocess.run(["opa", "eval", "--format", "json", "--data", deploy / "rego", "--data", folder / "requests.json", QUERY],
                          capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"opa eval: {done.stdout}{done.stderr}")
    answers = json.loads(done.stdout)["result"][0]["expressions"][0]["value"]
    for request in requests:
        answer = answers[str(request.number)]
        restricted = table.NAMESPACES[request.namespace].get("brig.dev/isolation") == "restricted"
        if request.namespace in left_alone:
            yield request, [], []
        elif restricted:
            yield request, answer["isolated"] + answer["restricted"], answer["advice"]
        else:
            yield request, answer["isolated"], []


def run(requests, folder, deploy):
    for request, denials, warnings in messages(requests, folder, deploy):
        yield request, table.judge(request, denials, warnings)


CONTEXT = ("privileged", "procMount", "runAsUser", "runAsNonRoot", "allowPrivilegeEscalation", "readOnlyRootFilesystem", "seLinuxOptions",
           "seccompProfile", "appArmorProfile", "windowsOptions", "capabilities")
HANDLERS = ("livenessProbe", "readinessProbe", "startupProbe", "postStart", "preStop")
# What may be null, by the key that the object, or the list of objects, is under.
NULLS = {
    "containers": ("ports", "securityContext", "lifecycle", "resources", *HANDLERS[:3]),
    "volumes": ("hostPath", "gitRepo", "flexVolume", "nfs", "projected", "emptyDir"),
    "sources": ("serviceAccountToken", "podCertificate"),
    "securityContext": CONTEXT,
    "seLinuxOptions": ("type", "user", "role", "level"),
    "windowsOptions": ("hostProcess",),
    "capabilities": ("add", "drop"),
    "ports": ("hostPort", "hostIP"),
    "httpGet": ("host", "scheme"),
    "tcpSocket": ("host",),
    "lifecycle": HANDLERS[3:],
    "resources": ("limits",),
} | dict.fromkeys(HANDLERS, ("httpGet", "tcpSocket", "exec"))
NULLS["initContainers"] = NULLS["containers"]
POD_NULLS = ("initContainers", "ephemeralContainers", "volumes", "hostNetwork", "securityContext", "automountServiceAccountToken")


def list_of(thing):
    """The same as templates and editors make it: in a list, with null for what is not said."""
    def filled(value, key=None):
        if isinstance(value, list):
            return [filled(item, key) for item in value]
        if not isinstance(value, dict):
            return value
        nulls = POD_NULLS if "containers" in value else NULLS.get(key, ())
        return dict.fromkeys(nulls) | {inner: filled(one, inner) for inner, one in value.items()}

    return {"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "v1", "kind": "List", "items": [filled(thing)]}]}


# What conftest's YAML takes for a truth value, and that of some clients for a name.
SHORT = {"app": "n", "prepare": "y", "debugger": "N", "helper": "Y"}


def typed_list_of(thing):
    """In a PodList whose item has no kind, with such names as above."""
    def renamed(value, key=None):
        if isinstance(value, list):
            return [renamed(item, key) for item in value]
        if not isinstance(value, dict):
            return value
        result = {inner: renamed(one, inner) for inner, one in value.items()}
        if key in ("containers", "initContainers", "ephemeralContainers"):
            result["name"] = SHORT.get(result["name"], result["name"])
        if key == "volumes" and len(result["name"]) == 1:
            result["name"] = "n"
        return {re.sub("^(container.apparmor.*/)app$", r"\1n", inner): one for inner, one in result.items()}

    item = {key: value for key, value in renamed(thing).items() if key not in ("kind", "apiVersion")}
    return {"apiVersion": thing["apiVersion"], "kind": thing["kind"] + "List", "items": [item]}


def conftest(level, deploy, paths):
    """What it says to each of these files."""
    done = subprocess.run(["conftest", "test", "--output", "json", "--namespace", f"brig.ci.{level}", "--policy", deploy / "rego",
                           "--policy", deploy / "conftest", "--data", deploy / "settings/settings.yaml", *paths], capture_output=True, text=True)
    try:
        return json.loads(done.stdout)
    except ValueError:
        raise SystemExit(f"conftest: {done.stdout}{done.stderr}") from None


def run_conftest(requests, folder, deploy):
    """Manifests, as CI has them: nothing but what is made, in namespaces of the two levels. Each by itself, in a list of a list with nulls, and in a
    list of its kind with names that look like something else."""
    for namespace, level in (("untrusted", "isolated"), ("confined", "restricted")):
        asked = [request for request in requests if request.namespace == namespace and request.operation == "CREATE"]
        if not asked:
            continue
        paths = {}
        for request in asked:
            short = dataclasses.replace(request, name=f"{request.name}, its names short", says="")
            for form, manifest, question in (("manifest", request.object, request), ("list", list_of(request.object), request),
                                             ("typed", typed_list_of(request.object), short)):
                path = folder / f"{form}-{request.number}.yaml"
                path.write_text(yaml.safe_dump(manifest))
                paths[str(path)] = question
        for result in conftest(level, deploy, paths):
            request = paths.pop(result["filename"])
            texts = {key: [entry["msg"] for entry in result.get(key) or []] for key in ("failures", "warnings")}
            yield request, table.judge(request, texts["failures"], texts["warnings"])
        for request in paths.values():
            yield request, "conftest did not answer"
