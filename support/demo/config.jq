# config.json for the demo: nothing but what a program needs that only computes. $program is the file to run, a list of its
# arguments follows. Container root is user 1000000 outside.
def mount($destination; $type; $source; $options):
  { destination: $destination, type: $type, source: $source, options: $options };

{
  ociVersion: "1.0.2",
  hostname: "demo",
  root: { path: "rootfs", readonly: true },
  process: {
    args: (["/usr/bin/python3", "-I", "/untrusted.py"] + $ARGS.positional),
    cwd: "/",
    env: ["PATH=/usr/bin", "HOME=/tmp", "LANG=C.UTF-8"],
    user: { uid: 0, gid: 0 },
    noNewPrivileges: true,
    capabilities: { bounding: [], effective: [], permitted: [], inheritable: [], ambient: [] }
  },
  mounts: [
    mount("/usr"; "bind"; "/usr"; ["bind", "ro", "nosuid", "nodev"]),
    mount("/proc"; "proc"; "proc"; ["nosuid", "nodev", "noexec"]),
    mount("/dev"; "tmpfs"; "tmpfs"; ["nosuid", "noexec", "mode=755", "size=64k"]),
    mount("/tmp"; "tmpfs"; "tmpfs"; ["nosuid", "nodev", "noexec", "mode=1777", "size=1m"])
  ],
  linux: {
    namespaces: (["pid", "mount", "network", "ipc", "uts", "user", "cgroup"] | map({ type: . })),
    uidMappings: [{ containerID: 0, hostID: 1000000, size: 65536 }],
    gidMappings: [{ containerID: 0, hostID: 1000000, size: 65536 }],
    resources: {
      memory: { limit: (64 * 1048576) },
      pids: { limit: 32 },
      devices: [{ allow: false, access: "rwm" }]
    },
    maskedPaths: ["/proc/kcore", "/proc/keys", "/proc/timer_list", "/proc/interrupts", "/proc/acpi", "/proc/scsi"],
    readonlyPaths: ["/proc/sys", "/proc/sysrq-trigger", "/proc/irq", "/proc/bus", "/proc/fs"],
    seccomp: {
      defaultAction: "SCMP_ACT_ALLOW",
      architectures: ["SCMP_ARCH_X86_64"],
      syscalls: [{
        names: [
          "acct", "add_key", "bpf", "delete_module", "finit_module", "fsopen", "init_module", "io_uring_setup",
          "kexec_load", "keyctl", "mount", "mount_setattr", "move_mount", "open_by_handle_at", "open_tree",
          "perf_event_open", "pivot_root", "process_vm_readv", "ptrace", "quotactl", "reboot", "request_key", "setns",
          "swapon", "syslog", "umount2", "unshare", "userfaultfd"
        ],
        action: "SCMP_ACT_ERRNO",
        errnoRet: 1
      }]
    }
  }
}
