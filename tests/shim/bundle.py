"""Bundles as containerd makes them: config.json, an empty rootfs folder, a log fifo. The root file system is an overlay of one
busybox, which comes in Create's request."""

import copy
import json
import os
import shutil
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
CONFIG = os.path.join(HERE, "../integration/support/config.json")
PROCESS_URL = "types.containerd.io/opencontainers/runtime-spec/1/Process"
RESOURCES_URL = "types.containerd.io/opencontainers/runtime-spec/1/LinuxResources"

with open(CONFIG, encoding="utf-8") as config_file:
    TEMPLATE = json.load(config_file)


def make_busybox_tree(folder):
    for name in ["bin", "dev", "etc", "proc", "root", "sys", "tmp"]:
        os.makedirs(os.path.join(folder, name))
    os.chmod(os.path.join(folder, "tmp"), 0o1777)
    busybox = shutil.copy(shutil.which("busybox"), os.path.join(folder, "bin/busybox"))
    for name in subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True).stdout.split():
        if name != "busybox":
            os.symlink("busybox", os.path.join(folder, "bin", name))
    for name, text in [
        ("passwd", "root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/tmp:/bin/sh\n"),
        ("group", "root:x:0:\nuser:x:1000:\n"),
        ("not-a-program", "text\n"),
    ]:
        with open(os.path.join(folder, "etc", name), "w", encoding="utf-8") as file:
            file.write(text)


def process(args, **changes):
    """An OCI process object as `ctr exec` makes it: the container's own with changes."""
    value = copy.deepcopy(TEMPLATE["process"])
    value.update(args=list(args), **changes)
    return value


class Bundle:
    """changes: of config.json's top; `process`, `linux` and `annotations` are merged into what is there."""

    def __init__(self, folder, name, tree, args, **changes):
        self.folder = folder
        self.name = name
        self.tree = tree
        self.config = copy.deepcopy(TEMPLATE)
        self.config["process"]["args"] = list(args)
        self.config["linux"]["cgroupsPath"] = f"/default/{name}"
        for key, value in changes.items():
            if isinstance(self.config.get(key), dict):
                self.config[key].update(value)
            else:
                self.config[key] = value
        for part in ["rootfs", "upper", "work"]:
            os.makedirs(os.path.join(folder, part))
        os.mkfifo(os.path.join(folder, "log"), 0o600)
        with open(os.path.join(folder, "config.json"), "w", encoding="utf-8") as file:
            json.dump(self.config, file)

    def mounts(self):
        layers = [f"{kind}dir={os.path.join(self.folder, part)}" for kind, part in [("upper", "upper"), ("work", "work")]]
        return [{"type": "overlay", "source": "overlay", "options": [f"lowerdir={self.tree}", *layers]}]

    def path(self, name):
        return os.path.join(self.folder, name)
