"""Gatekeeper: all requests as AdmissionReviews, by `gator verify` with a suite made for them."""

import dataclasses
import json
import re
import subprocess

import yaml

import table

TEMPLATES = {"isolated": "deny", "restricted": "deny", "advice": "warn"}


def constraints(deploy):
    """What `kubectl kustomize` makes of the overlay deny: constraints with the settings as their parameters."""
    built = subprocess.run(["kubectl", "kustomize", deploy / "gatekeeper/deny"], check=True, capture_output=True, text=True).stdout
    return {document["metadata"]["name"].removeprefix("brig-"): document
            for document in yaml.safe_load_all(built) if document["apiVersion"].startswith("constraints.gatekeeper.sh")}


def run(requests, folder, deploy, templates="templates"):
    """Yields each request with what is wrong, or None. Each level's constraint is asked by itself, as gator does."""
    levels = constraints(deploy)
    (folder / "namespaces.yaml").write_text(yaml.safe_dump_all(table.namespace_objects()))
    for request in requests:
        (folder / f"{request.number}.json").write_text(json.dumps(table.as_gatekeeper(table.timed(request.review()))))
    tests = []
    asked = {level: [request for request in requests if level == "isolated" or is_asked(request)] for level in levels}
    for level, constraint in levels.items():
        assert constraint["spec"]["enforcementAction"] == TEMPLATES[level], constraint
        (folder / f"{level}.yaml").write_text(yaml.safe_dump(constraint))
        (folder / f"{level}-template.yaml").write_text((deploy / f"gatekeeper/{templates}/{level}.yaml").read_text())
        tests.append({"name": level, "template": f"{level}-template.yaml", "constraint": f"{level}.yaml",
                      "cases": [case(request, level) for request in asked[level]]})
    suite = {"apiVersion": "test.gatekeeper.sh/v1alpha1", "kind": "Suite", "tests": tests}
    (folder / "suite.yaml").write_text(yaml.safe_dump(suite))
    output = subprocess.run(["gator", "verify", "--verbose", folder / "suite.yaml"], capture_output=True, text=True)
    text = output.stdout + output.stderr
    outcomes = {request.number: [] for request in requests}
    for status, number, detail in re.findall(r"--- (PASS|FAIL|SKIP): (\d+)\t[^\n]*\n((?:\s{6,}[^\n]*\n)*)", text):
        outcomes[int(number)].append(None if status == "PASS" else detail.strip() or status)
    for request in requests:
        answers = outcomes[request.number]
        expected = sum(request in questions for questions in asked.values())
        if len(answers) != expected:
            yield request, f"gator answered {len(answers)} times, not {expected}: {text[-500:]}"
        else:
            yield request, next((answer for answer in answers if answer), None)


def run_cel(requests, folder, deploy):
    """An API server makes a string of each limit."""
    asked = [dataclasses.replace(request, object=with_strings(request.object)) for request in requests]
    for request, wrong in run(asked, folder, deploy, "templates-cel"):
        yield request, wrong


def with_strings(value, key=None):
    if isinstance(value, dict):
        return {inner: str(one) if key == "limits" else with_strings(one, inner) for inner, one in value.items()}
    return [with_strings(one) for one in value] if isinstance(value, list) else value


def case(request, level):
    expected = request.warn if level == "advice" else request.deny
    rules = [rule for rule in expected if level != "isolated" or rule in ISOLATED]
    rules = [rule for rule in rules if level != "restricted" or rule not in ISOLATED]
    assertions = [{"violations": len(rules)}] + [{"violations": 1, "message": f"^{rule}: .*#{rule}$"} for rule in rules]
    if request.says and rules and level == home(request):
        assertions.append({"violations": 1, "message": re.escape(request.says)})
    return {"name": str(request.number), "object": f"{request.number}.json", "inventory": ["namespaces.yaml"], "assertions": assertions}


def is_asked(request):
    """Elsewhere the level restricted never answers; that it does not is asked of plain pods only, since each question takes a while."""
    return table.NAMESPACES[request.namespace].get("brig.dev/isolation") == "restricted" or len(request.object["spec"]) == 1


ISOLATED = table.rules_of("isolated")


def home(request):
    """The level whose message a row's `says` is of: the first that answers."""
    if any(rule in ISOLATED for rule in request.deny):
        return "isolated"
    return "restricted" if request.deny else "advice"
