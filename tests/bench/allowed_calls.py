"""How many system calls of x86_64 a profile lets through: brig's and the engines', as the engines on this machine have them.

A call counts where the profile allows it for some arguments at least, and has a number on x86_64 (by libseccomp, which Debian's
engines ask as well, and brig's own list of newer calls). Rules that need a capability: docker and containerd put those of the
capabilities that they give by default into config.json; brig's and podman's are counted without.
"""

import ctypes
import json
import os
import re
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
NEW_CALLS = os.path.join(TESTS, "../runtime/parent/seccomp/seccomp_new_calls.c")
AUDIT_ARCH_X86_64 = 0xC000003E
ALLOWING = ("SCMP_ACT_ALLOW", "SCMP_ACT_LOG")
DAEMONS = {"docker's default": "docker", "containerd's default": "containerd"}


def new_calls():
    with open(NEW_CALLS, encoding="utf-8") as file:
        return set(re.findall(r'\{ "(\w+)", \d+, (?:true|false) \}', file.read()))


def count(profile):
    """profile: as OCI's linux.seccomp."""
    library, new = ctypes.CDLL("libseccomp.so.2"), new_calls()
    names = {name for rule in profile["syscalls"] if rule["action"] in ALLOWING for name in rule["names"]}
    resolve = library.seccomp_syscall_resolve_name_arch
    return sum(name in new or resolve(AUDIT_ARCH_X86_64, name.encode()) >= 0 for name in names)


def read_config(path):
    """linux.seccomp of the config.json at path, or None."""
    if not os.path.exists(path):
        return None
    with open(path, encoding="utf-8") as file:
        return json.load(file)["linux"].get("seccomp")


def from_daemons(work):
    """What the unpacked containerd and docker put into config.json, and why one of DAEMONS is missing, where they are unpacked."""
    if not os.environ.get("BRIG_PEERS"):
        return {}, None
    world = os.path.join(work, "world")
    os.makedirs(os.path.join(world, "etc/docker"))
    docker = subprocess.run([os.path.join(TESTS, "support/docker")], capture_output=True, text=True, check=False)
    command = [os.path.join(TESTS, "clients/world"), "run", world, os.path.join(HERE, "engine_profiles"), world]
    command += docker.stdout.splitlines()[-1:] if docker.returncode == 0 else []
    with open(os.path.join(work, "engines.log"), "w", encoding="utf-8") as log:
        try:
            status = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, timeout=90, check=False).returncode
        except subprocess.TimeoutExpired:
            status = "none in 90 seconds"
    profiles = {name: read_config(os.path.join(world, file + ".json")) for name, file in DAEMONS.items()}
    profiles = {name: profile for name, profile in profiles.items() if profile}
    if len(profiles) == len(DAEMONS):
        return profiles, None
    with open(log.name, encoding="utf-8", errors="replace") as text:
        said = (docker.stderr + text.read())[-1000:].strip()
    return profiles, f"only {list(profiles)}; status {status}: {said}"


def brigs():
    """The profiles that the build makes for other runtimes."""
    profiles = {}
    for name in ("strict", "baseline"):
        with open(os.path.join(os.environ["BRIG_BUILD"], f"seccomp-profiles/{name}.json"), encoding="utf-8") as file:
            profiles["brig's " + name] = json.load(file)
    return profiles


def table(profiles):
    """profiles: by name."""
    lines = ["| profile | system calls of x86_64 that it lets through |", "|---|---|"]
    return lines + [f"| {name} | {count(profile)} |" for name, profile in profiles.items()]
