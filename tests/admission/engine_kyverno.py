"""Kyverno: all requests as AdmissionReviews, by Kyverno's own engines (tests/cluster/tools/kyverno/review): the policies of today, and the
ClusterPolicies of the legacy folder. And what is made, as manifests, by Kyverno's own command.

A ValidatingPolicy says nothing of its further rules once one has failed: of each policy the first in the policy's order is expected."""

import functools
import json
import pathlib
import subprocess
import tempfile

import yaml

import table


@functools.cache
def order():
    """Per policy its rules, in the order in which they are asked."""
    result = {}
    for level in ("isolated", "restricted", "advice"):
        spec = yaml.safe_load((table.ADMISSION / f"kyverno/base/{level}.yaml").read_text())["spec"]
        result[f"brig-{level}"] = [table.rule_of(validation["messageExpression"]) for validation in spec["validations"]]
    return result


def current(deploy):
    """The overlay that refuses."""
    return subprocess.run(["kubectl", "kustomize", deploy / "kyverno/deny"], check=True, capture_output=True, text=True).stdout


def legacy(deploy):
    """ClusterPolicies, which are shipped as ones that record; here those that are to refuse do, as docs/admission.md says to patch them."""
    built = subprocess.run(["kubectl", "kustomize", deploy / "kyverno/legacy"], check=True, capture_output=True, text=True).stdout
    documents = list(yaml.safe_load_all(built))
    for document in documents:
        if document["kind"] == "ClusterPolicy" and document["metadata"]["name"] != "brig-advice":
            for rule in document["spec"]["rules"]:
                rule["validate"]["failureAction"] = "Enforce"
    return yaml.safe_dump_all(documents)


def run(requests, folder, deploy, policies=current):
    """Yields each request with what is wrong, or None."""
    answers = ask([table.timed(request.review()) for request in requests], folder, deploy, policies(deploy), table.namespace_objects())
    rules = order()
    for request, answer in zip(requests, answers):
        yield request, judge(request, answer["answers"], rules)


def run_legacy(requests, folder, deploy):
    """A Kyverno of old, on a Kubernetes of old, may know no pods/resize: its policies say nothing of that."""
    yield from run([request for request in requests if request.operation != "RESIZE"], folder, deploy, legacy)


def run_command(requests, folder, deploy):
    """The same by `kyverno apply`, as in CI: it knows no operation, so only what is made. It takes long: the last request of each row."""
    made = list({request.case: request for request in requests if request.operation == "CREATE" and "name" in request.object["metadata"]}.values())
    documents = list(yaml.safe_load_all(current(deploy)))
    head = {"apiVersion": "cli.kyverno.io/v1alpha1", "metadata": {"name": "cases"}}
    files = {"policies": [d for d in documents if d["kind"] == "ValidatingPolicy"],
             "requests": [request.object | {"metadata": request.object["metadata"] | {"namespace": request.namespace}} for request in made],
             "settings": [head | {"kind": "Context", "spec": {"resources": [d for d in documents if d["kind"] == "ConfigMap"]}}],
             "values": [head | {"kind": "Values", "namespaceSelector": [n["metadata"] for n in table.namespace_objects()]}]}
    for name, content in files.items():
        (folder / f"{name}.yaml").write_text(yaml.safe_dump_all(content))
    done = subprocess.run(["kyverno", "apply", folder / "policies.yaml", "--resource", folder / "requests.yaml", "--context-file",
                           folder / "settings.yaml", "--values-file", folder / "values.yaml", "--policy-report", "--output-format", "json"],
                          capture_output=True, text=True)
    start = done.stdout.find("{")
    if start < 0:
        raise SystemExit(f"kyverno apply: {done.stdout}{done.stderr}")
    answers = {}
    for result in json.loads(done.stdout[start:])["results"]:
        for thing in result["resources"]:
            if result["result"] != "pass":
                answers.setdefault(thing["name"], []).append({"policy": result["policy"], "message": result["message"],
                                                              "refused": result["policy"] != "brig-advice"})
    for request in made:
        yield request, judge(request, answers.get(request.object["metadata"]["name"], []), order())


def ask(reviews, folder, deploy, policies, namespaces):
    """What kyverno-review says to each."""
    (folder / "policies.yaml").write_text(policies)
    (folder / "namespaces.yaml").write_text(yaml.safe_dump_all(namespaces))
    with tempfile.TemporaryDirectory(dir=folder) as name:
        for number, review in enumerate(reviews):
            (pathlib.Path(name) / f"{number}.json").write_text(json.dumps(review))
        done = subprocess.run(["kyverno-review", folder / "policies.yaml", deploy / "settings/settings.yaml", folder / "namespaces.yaml",
                               name], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"kyverno-review: {done.stderr}")
    answers = {int(line["number"]): line for line in map(json.loads, done.stdout.splitlines())}
    return [answers[number] for number in range(len(reviews))]


def judge(request, answers, rules):
    first = {policy: next((rule for rule in names if rule in wanted(request, policy)), None) for policy, names in rules.items()}
    got = {policy: None for policy in rules}
    for answer in answers:
        if got[answer["policy"]]:
            return f"{answer['policy']} answered twice: {answers}"
        if answer["refused"] != (answer["policy"] != "brig-advice"):
            return f"{answer['policy']} {'refuses' if answer['refused'] else 'does not refuse'}"
        got[answer["policy"]] = table.rule_of(answer["message"])
        if f"#{got[answer['policy']]}" not in answer["message"]:
            return f"the message does not point to its rule's section: {answer['message']}"
    return None if got == first else f"answered {got}, expected {first}: {answers}"


def wanted(request, policy):
    return request.warn if policy == "brig-advice" else request.deny
