"""The shared table of cases (cases/*.yaml, see cases/README.md) as requests that an engine can be asked: see Request."""

import copy
import dataclasses
import datetime
import functools
import pathlib
import re
import subprocess

import yaml

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parent.parent
ADMISSION = SOURCE / "deploy/admission"
DIGEST = "@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

LEVELS = ("isolated", "restricted")
# Where requests go: the two levels, and namespaces that a row names.
NAMESPACES = {
    "untrusted": {},
    "confined": {"brig.dev/isolation": "restricted"},
    "kube-system": {},
    "kube-public": {"brig.dev/isolation": "restricted"},
    "brig-system": {},
    "kyverno": {},
    "gatekeeper-system": {},
    "monitoring": {},
    "monitoring-2": {},
    "monitor": {},
    "my-kube-system": {},
    "listed-restricted": {"brig.dev/isolation": "restricted"},
    "vendor": {},
    "late-vendor": {},
    "commented": {},
    "indented": {},
    "doubled": {},
    "spaced": {},
    "impossible": {},
    "unreadable": {},
    "renewed": {},
    "opted-out": {"brig.dev/isolation": "none", "brig.dev/exempt": "true", "admission.gatekeeper.sh/ignore": "true"},
    "pss-privileged": {"pod-security.kubernetes.io/enforce": "privileged"},
}
# Put in place of the shipped values: the one source of truth that all engines read.
SETTINGS = {
    "runtimeClasses": "brig\nbrig-baseline\n# kata\n\n  gvisor  \n",
    "exemptNamespaces": "monitoring\nlisted-restricted\n# commented\nvendor until 2999-12-31\nlate-vendor until 2001-01-31\n"
                        "unreadable until someday\n  indented until 2999-12-31  \ndoubled until  2999-12-31\nspaced  until 2999-12-31\n"
                        "impossible until 2999-02-31\nrenewed until 2001-01-31\nrenewed until 2999-12-31\n",
    "tokenAudiences": "# none\nvault\nexample.org/listed\n",
}
KINDS = {
    "Pod": ("v1", "pods"), "ReplicationController": ("v1", "replicationcontrollers"),
    "Deployment": ("apps/v1", "deployments"), "StatefulSet": ("apps/v1", "statefulsets"), "DaemonSet": ("apps/v1", "daemonsets"),
    "ReplicaSet": ("apps/v1", "replicasets"), "Job": ("batch/v1", "jobs"), "CronJob": ("batch/v1", "cronjobs"),
}
ROW_KEYS = {"case", "base", "spec", "container", "metadata", "init", "ephemeral", "kind", "kinds", "object", "operation", "old",
            "namespace", "isolated", "restricted", "advice", "says", "settings", "nulls"}
BASES = yaml.safe_load(f"""
good:
  metadata: {{labels: {{app: x}}}}
  spec:
    runtimeClassName: brig
    automountServiceAccountToken: false
    serviceAccountName: default
    securityContext: {{runAsNonRoot: true, seccompProfile: {{type: RuntimeDefault}}}}
    containers:
      - name: app
        image: app{DIGEST}
        securityContext: {{allowPrivilegeEscalation: false, readOnlyRootFilesystem: true, capabilities: {{drop: [ALL]}}}}
        resources: {{limits: {{memory: 64Mi, ephemeral-storage: 64Mi}}}}
plain:
  metadata: {{labels: {{app: x}}}}
  spec:
    containers: [{{name: app, image: app}}]
""")


@dataclasses.dataclass
class Request:
    """One question to an engine, and the answer that it has to give."""
    number: int
    case: str
    name: str
    namespace: str
    kind: str
    operation: str  # CREATE, UPDATE, DEBUG, RESIZE or DELETE
    object: dict  # of what is deleted: as it was
    old: dict | None
    deny: list
    warn: list
    says: str

    @property
    def resource(self):
        return KINDS[self.kind][1]

    @property
    def subresource(self):
        return {"DEBUG": "ephemeralcontainers", "RESIZE": "resize"}.get(self.operation, "")

    def review(self):
        """As the API server asks a webhook."""
        group, _, version = KINDS[self.kind][0].rpartition("/")
        kind = {"group": group, "version": version, "kind": self.kind}
        resource = {"group": group, "version": version, "resource": self.resource}
        request = {
            "uid": f"00000000-0000-0000-0000-{self.number:012}", "kind": kind, "requestKind": kind, "resource": resource,
            "requestResource": resource, "name": self.object["metadata"].get("name", ""), "namespace": self.namespace,
            "operation": self.operation if self.operation in ("CREATE", "DELETE") else "UPDATE", "userInfo": {"username": "user"},
            "object": None if self.operation == "DELETE" else self.object, "dryRun": True,
        }
        if self.subresource:
            request |= {"subResource": self.subresource, "requestSubResource": self.subresource}
        if self.old:
            request["oldObject"] = self.old
        return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}


def as_gatekeeper(review):
    """As Gatekeeper hands it to its rules: what is deleted is the object."""
    request = review["request"]
    return review | {"request": request | {"object": request["object"] or request["oldObject"]}}


def timed(review):
    """With the times that the API server has written into what is made, and what is changed, before it asks."""
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    for key in [key for key in ("object", "oldObject") if review["request"].get(key)]:
        review["request"][key] = overlay(review["request"][key], {"metadata": {"creationTimestamp": now, "managedFields": [{"time": now}]}})
    return review


def overlay(base, patch):
    """JSON merge patch (RFC 7386)."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    result = copy.deepcopy(base) if isinstance(base, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = overlay(result.get(key), value)
    return result


def pod_of(row):
    """Metadata and spec of the pod that a row (or its `old`) describes."""
    pod = copy.deepcopy(BASES[row.get("base", "good")])
    first = pod["spec"]["containers"][0]
    pod["metadata"] = overlay(pod["metadata"], row.get("metadata", {}))
    pod["spec"]["containers"] = [overlay(first, row.get("container", {}))]
    if "init" in row:
        pod["spec"]["initContainers"] = [overlay(first, {"name": "prepare"} | row["init"])]
    pod["spec"] = overlay(pod["spec"], row.get("spec", {}))
    if row.get("nulls"):
        pod["metadata"]["creationTimestamp"] = None
    if "ephemeral" in row:
        added = overlay(first, {"name": "debugger", "resources": None} | row["ephemeral"])
        pod["spec"]["ephemeralContainers"] = pod["spec"].get("ephemeralContainers", []) + [added]
    return pod


def object_of(row, kind, name, namespace):
    pod = pod_of(row)
    metadata = {"name": name, "namespace": namespace}
    if kind == "Pod":
        thing = {"metadata": pod["metadata"] | metadata, "spec": pod["spec"]}
    else:
        labels = {"app": "x"}
        spec = {"template": pod}
        if kind in ("Job", "CronJob"):
            pod["spec"].setdefault("restartPolicy", "Never")
        elif kind == "ReplicationController":
            spec["selector"] = labels
        else:
            spec["selector"] = {"matchLabels": labels}
        if kind == "CronJob":
            spec = {"schedule": "0 0 * * *", "jobTemplate": {"spec": spec}}
        thing = {"metadata": metadata, "spec": spec}
    return overlay({"apiVersion": KINDS[kind][0], "kind": kind} | thing, row.get("object", {}))


def rows():
    names = set()
    for path in sorted((HERE / "cases").glob("*.yaml")):
        for row in yaml.safe_load(path.read_text()):
            if unknown := set(row) - ROW_KEYS:
                raise SystemExit(f"{path.name}: {row.get('case')}: unknown keys {unknown}")
            if row["case"] in names:
                raise SystemExit(f"{path.name}: two cases are named {row['case']}")
            names.add(row["case"])
            yield row


def variants():
    """Settings other than SETTINGS that rows ask for."""
    return list({str(row["settings"]): row["settings"] for row in rows() if "settings" in row}.values())


def requests(settings=None):
    """Those of the rows with these settings in place of the usual ones."""
    result = []
    for row in rows():
        if row.get("settings") != settings:
            continue
        kinds = row.get("kinds", [row.get("kind", "Pod")])
        if kinds == "all":
            kinds = list(KINDS)
        places = [(row["namespace"], "")] if "namespace" in row else [("untrusted", "isolated"), ("confined", "restricted")]
        for kind in kinds:
            for namespace, level in places:
                number = len(result) + 1
                name = f"case-{number}"
                operation = row.get("operation", "CREATE")
                old = object_of(row["old"], kind, name, namespace) if operation != "CREATE" else None
                title = row["case"] + (f" [{kind}]" if len(kinds) > 1 else "") + f" in {level or row['namespace']}"
                deny = row.get("isolated", []) + (row.get("restricted", []) if level == "restricted" else [])
                warn = row.get("advice", []) if level == "restricted" else []
                says = row.get("says", "") if any(deny) or any(warn) else ""
                if level == "isolated" and not row.get("isolated"):
                    says = ""
                new = old if operation == "DELETE" else object_of(row, kind, name, namespace)
                result.append(Request(number, row["case"], title, namespace, kind, operation, new, old, deny, warn, says))
    return result


@functools.cache
def rules_of(level):
    """The level's rules, in the order in which they are asked."""
    spec = yaml.safe_load((ADMISSION / f"vap/base/{level}.yaml").read_text())["spec"]
    return tuple(rule_of(validation["messageExpression"]) for validation in spec["validations"])


def rule_of(message):
    """The rule that a message is of; a message without one is an error of the engine."""
    found = re.search(r"brig-[a-z-]+(?=: )", message)
    return found.group() if found else f"no rule: {message}"


def judge(request, denials, warnings):
    """What is wrong with an engine's answer, the messages of all that it refuses and warns about; None where it is right."""
    got_deny, got_warn = sorted(map(rule_of, denials)), sorted(map(rule_of, warnings))
    if got_deny != sorted(request.deny):
        return f"refused by {got_deny}, expected {sorted(request.deny)}: {denials}"
    if got_warn != sorted(request.warn):
        return f"warned by {got_warn}, expected {sorted(request.warn)}: {warnings}"
    if not any(request.says in message for message in denials + warnings + ["" if request.says else " "]):
        return f"no message says {request.says!r}: {denials + warnings}"
    for message in denials + warnings:
        if f"#{rule_of(message)}" not in message:
            return f"the message does not point to its rule's section: {message}"
    return None


def deploy_with_settings(folder, settings=SETTINGS):
    """A copy of deploy/admission with other settings in the one file that they come from."""
    target = pathlib.Path(folder) / "admission"
    subprocess.run(["cp", "-r", ADMISSION, target], check=True)
    path = target / "settings/settings.yaml"
    document = yaml.safe_load(path.read_text())
    document["data"] |= settings
    path.write_text(yaml.safe_dump(document))
    return target


def namespace_objects():
    return [{"apiVersion": "v1", "kind": "Namespace",
             "metadata": {"name": name, "labels": labels | {"kubernetes.io/metadata.name": name}}}
            for name, labels in NAMESPACES.items()]
