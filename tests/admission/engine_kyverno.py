"""Kyverno."""


def run(requests, folder, deploy):
    return []
