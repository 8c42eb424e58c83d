"""The bundle that all runtimes get: what `spec` of the runtimes writes, without a mount of the cgroup file system."""

CAPABILITIES = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]
KERNEL_MOUNT = ["nosuid", "noexec", "nodev"]
MASKED = [
    "/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
    "/proc/sched_debug", "/sys/firmware", "/proc/scsi",
]
READ_ONLY = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]


def mount(target, kind, options, source=None):
    return {"destination": target, "type": kind, "source": source or kind, "options": options}


def mounts():
    return [
        mount("/proc", "proc", KERNEL_MOUNT),
        mount("/dev", "tmpfs", ["nosuid", "strictatime", "mode=755", "size=65536k"]),
        mount("/dev/pts", "devpts", ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]),
        mount("/dev/shm", "tmpfs", [*KERNEL_MOUNT, "mode=1777", "size=65536k"], "shm"),
        mount("/dev/mqueue", "mqueue", KERNEL_MOUNT),
        mount("/sys", "sysfs", [*KERNEL_MOUNT, "ro"]),
    ]


def process(options):
    kinds = ["bounding", "effective", "permitted"]
    return {
        "user": {"uid": 0, "gid": 0},
        "args": ["/bin/true", "wait"] if "wait" in options else ["/bin/true"],
        "env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"],
        "cwd": "/",
        "capabilities": {kind: CAPABILITIES for kind in kinds},
        "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024}],
        "noNewPrivileges": True,
    }


def linux(cgroup_path, options, profile):
    names = ["pid", "network", "ipc", "uts", "mount", "cgroup"]
    value = {
        "cgroupsPath": cgroup_path,
        "namespaces": [{"type": name} for name in names],
        "maskedPaths": MASKED,
        "readonlyPaths": READ_ONLY,
    }
    if "userns" in options:
        mapping = [{"containerID": 0, "hostID": 100000, "size": 65536}]
        value["namespaces"].append({"type": "user"})
        value.update(uidMappings=mapping, gidMappings=mapping)
    if profile:
        value["seccomp"] = profile
    return value


def bundle_config(rootfs, cgroup_path, options, profile):
    """options: `userns`, `filter` (profile is given then), `wait` (the program does not end by itself)."""
    return {
        "ociVersion": "1.0.2",
        "process": process(options),
        "root": {"path": rootfs, "readonly": False},
        "hostname": "bench",
        "mounts": mounts(),
        "linux": linux(cgroup_path, options, profile),
    }
