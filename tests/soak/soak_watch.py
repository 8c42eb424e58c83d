"""What a soak counts: what containers may leave behind, and what the kernel keeps."""

import contextlib
import os
import re
import signal
import time

# Kernel objects of which each container has some, by their slab caches. The caches of other kernels may be merged: those are left out.
SLABS = ["mnt_cache", "nsproxy", "pid_namespace", "net_namespace", "user_namespace", "uts_namespace", "filp", "pid"]


def cgroup_trees():
    """{name: mount point} of each cgroup hierarchy; the v2 tree is `unified`."""
    trees = {}
    with open("/proc/self/mountinfo", encoding="utf-8") as table:
        for line in table:
            left, right = line.rstrip().split(" - ")
            kind, _, options = right.split(" ", 2)
            if kind == "cgroup2":
                trees["unified"] = left.split()[4]
            elif kind == "cgroup":
                trees[options.rsplit("rw,", 1)[-1]] = left.split()[4]
    return trees


def can_limit(controller):
    trees = cgroup_trees()
    if any(controller in name.split(",") for name in trees):
        return True
    try:
        with open(os.path.join(trees["unified"], "cgroup.controllers"), encoding="ascii") as file:
            return controller in file.read().split()
    except (KeyError, OSError):
        return False


def count_groups(name):
    """Groups below /NAME of each hierarchy."""
    return {
        tree: sum(len(folders) for _, folders, _ in os.walk(os.path.join(point, name)))
        for tree, point in cgroup_trees().items()
        if os.path.isdir(os.path.join(point, name))
    }


def remove_groups(path):
    """The group at path, with all below it and whoever is in them: what a soak that failed leaves."""
    for folder, _, _ in os.walk(path, topdown=False):
        deadline = time.monotonic() + 5
        while os.path.isdir(folder) and time.monotonic() < deadline:
            with open(os.path.join(folder, "cgroup.procs"), encoding="ascii") as file:
                for pid in file.read().split():
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(int(pid), signal.SIGKILL)
            try:
                os.rmdir(folder)
            except OSError:
                time.sleep(0.02)


def read_stat(path):
    with open(path, encoding="ascii") as file:
        return {name: int(value) for name, value in (line.split() for line in file)}


def count_lines(path):
    with open(path, "rb") as file:
        return sum(1 for _ in file)


def processes_with(mark):
    """The pids of those that have mark, as bytes, in their environment."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                if mark in file.read().split(b"\0"):
                    found.append(int(pid))
        except OSError:
            continue
    return found


def slabs():
    try:
        with open("/proc/slabinfo", encoding="ascii") as file:
            counts = {line.split()[0]: int(line.split()[1]) for line in file if not re.match(r"slabinfo|#", line)}
    except OSError:
        return {}
    return {f"slab {name}": counts[name] for name in SLABS if name in counts}


def kernel_objects(group):
    """What grows with each container that something of is left of, also where no name leads to it any more."""
    counts = slabs()
    unified = cgroup_trees().get("unified")
    if unified and os.path.isdir(os.path.join(unified, group)):
        stat = read_stat(os.path.join(unified, group, "cgroup.stat"))
        counts["v2 groups"] = stat["nr_descendants"]
        # A memory controller keeps a dead group for as long as there is a page of it.
        if "nr_dying_subsys_memory" not in stat:
            counts["dying v2 groups"] = stat["nr_dying_descendants"]
    with open("/proc/cgroups", encoding="ascii") as file:
        for line in file:
            name, hierarchy, count, _ = line.split()
            if name in ("freezer", "pids", "devices", "cpu", "cpuset") and hierarchy != "0":
                counts[f"{name} groups"] = int(count)
    with open("/proc/sys/fs/file-nr", encoding="ascii") as file:
        counts["open files"] = int(file.read().split()[0])
    return counts


def slope(points):
    """Theil-Sen: the median of the slopes between any two of (x, y)."""
    slopes = sorted(
        (second[1] - first[1]) / (second[0] - first[0])
        for i, first in enumerate(points) for second in points[i + 1:]
    )
    middle = len(slopes) // 2
    return slopes[middle] if len(slopes) % 2 else (slopes[middle - 1] + slopes[middle]) / 2
