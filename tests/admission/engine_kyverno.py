"""Kyverno: all requests as AdmissionReviews, by Kyverno's own engine (tests/cluster/tools/kyverno/review).

A ValidatingPolicy says nothing of its further rules once one has failed: of each policy the first in the policy's order is expected."""

import json
import subprocess

import yaml

import table


def order(deploy):
    """Per policy its rules, in the order in which they are asked."""
    result = {}
    for level in ("isolated", "restricted", "advice"):
        spec = yaml.safe_load((deploy / f"kyverno/base/{level}.yaml").read_text())["spec"]
        result[f"brig-{level}"] = [table.rule_of(validation["messageExpression"]) for validation in spec["validations"]]
    return result


def run(requests, folder, deploy):
    built = subprocess.run(["kubectl", "kustomize", deploy / "kyverno/deny"], check=True, capture_output=True, text=True).stdout
    (folder / "policies.yaml").write_text(built)
    (folder / "namespaces.yaml").write_text(yaml.safe_dump_all(table.namespace_objects()))
    reviews = folder / "reviews"
    reviews.mkdir()
    for request in requests:
        (reviews / f"{request.number}.json").write_text(json.dumps(request.review()))
    done = subprocess.run(["kyverno-review", folder / "policies.yaml", deploy / "settings/settings.yaml", folder / "namespaces.yaml",
                           reviews], capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"kyverno-review: {done.stderr}")
    answers = {int(line["number"]): line["answers"] for line in map(json.loads, done.stdout.splitlines())}
    rules = order(deploy)
    for request in requests:
        yield request, judge(request, answers[request.number], rules)


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
