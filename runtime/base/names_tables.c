/* The tables alone; the look-ups are in names.c. */
#include "base/names.h"

#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/ioprio.h>
#include <linux/mempolicy.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <time.h>

#include "base/cleanup.h"

/* An enumerator since Linux 6.9; older headers lack it and end at 6. */
#define NUMA_WEIGHTED_INTERLEAVE 6
#ifndef RLIMIT_LOCKS
#define RLIMIT_LOCKS 10
#endif

static const struct name capabilities_list[] = {
	{ "CAP_CHOWN", CAP_CHOWN },
	{ "CAP_DAC_OVERRIDE", CAP_DAC_OVERRIDE },
	{ "CAP_DAC_READ_SEARCH", CAP_DAC_READ_SEARCH },
	{ "CAP_FOWNER", CAP_FOWNER },
	{ "CAP_FSETID", CAP_FSETID },
	{ "CAP_KILL", CAP_KILL },
	{ "CAP_SETGID", CAP_SETGID },
	{ "CAP_SETUID", CAP_SETUID },
	{ "CAP_SETPCAP", CAP_SETPCAP },
	{ "CAP_LINUX_IMMUTABLE", CAP_LINUX_IMMUTABLE },
	{ "CAP_NET_BIND_SERVICE", CAP_NET_BIND_SERVICE },
	{ "CAP_NET_BROADCAST", CAP_NET_BROADCAST },
	{ "CAP_NET_ADMIN", CAP_NET_ADMIN },
	{ "CAP_NET_RAW", CAP_NET_RAW },
	{ "CAP_IPC_LOCK", CAP_IPC_LOCK },
	{ "CAP_IPC_OWNER", CAP_IPC_OWNER },
	{ "CAP_SYS_MODULE", CAP_SYS_MODULE },
	{ "CAP_SYS_RAWIO", CAP_SYS_RAWIO },
	{ "CAP_SYS_CHROOT", CAP_SYS_CHROOT },
	{ "CAP_SYS_PTRACE", CAP_SYS_PTRACE },
	{ "CAP_SYS_PACCT", CAP_SYS_PACCT },
	{ "CAP_SYS_ADMIN", CAP_SYS_ADMIN },
	{ "CAP_SYS_BOOT", CAP_SYS_BOOT },
	{ "CAP_SYS_NICE", CAP_SYS_NICE },
	{ "CAP_SYS_RESOURCE", CAP_SYS_RESOURCE },
	{ "CAP_SYS_TIME", CAP_SYS_TIME },
	{ "CAP_SYS_TTY_CONFIG", CAP_SYS_TTY_CONFIG },
	{ "CAP_MKNOD", CAP_MKNOD },
	{ "CAP_LEASE", CAP_LEASE },
	{ "CAP_AUDIT_WRITE", CAP_AUDIT_WRITE },
	{ "CAP_AUDIT_CONTROL", CAP_AUDIT_CONTROL },
	{ "CAP_SETFCAP", CAP_SETFCAP },
	{ "CAP_MAC_OVERRIDE", CAP_MAC_OVERRIDE },
	{ "CAP_MAC_ADMIN", CAP_MAC_ADMIN },
	{ "CAP_SYSLOG", CAP_SYSLOG },
	{ "CAP_WAKE_ALARM", CAP_WAKE_ALARM },
	{ "CAP_BLOCK_SUSPEND", CAP_BLOCK_SUSPEND },
	{ "CAP_AUDIT_READ", CAP_AUDIT_READ },
	{ "CAP_PERFMON", CAP_PERFMON },
	{ "CAP_BPF", CAP_BPF },
	{ "CAP_CHECKPOINT_RESTORE", CAP_CHECKPOINT_RESTORE },
};
const struct name_table names_capabilities = { "capability", capabilities_list, ARRAY_SIZE(capabilities_list) };

static const struct name signals_list[] = {
	{ "SIGHUP", SIGHUP },	    { "SIGINT", SIGINT },   { "SIGQUIT", SIGQUIT },	{ "SIGILL", SIGILL },
	{ "SIGTRAP", SIGTRAP },	    { "SIGABRT", SIGABRT }, { "SIGIOT", SIGIOT },	{ "SIGBUS", SIGBUS },
	{ "SIGFPE", SIGFPE },	    { "SIGKILL", SIGKILL }, { "SIGUSR1", SIGUSR1 },	{ "SIGSEGV", SIGSEGV },
	{ "SIGUSR2", SIGUSR2 },	    { "SIGPIPE", SIGPIPE }, { "SIGALRM", SIGALRM },	{ "SIGTERM", SIGTERM },
#ifdef SIGSTKFLT
	{ "SIGSTKFLT", SIGSTKFLT },
#endif
	{ "SIGCHLD", SIGCHLD },	    { "SIGCLD", SIGCLD },   { "SIGCONT", SIGCONT },	{ "SIGSTOP", SIGSTOP },
	{ "SIGTSTP", SIGTSTP },	    { "SIGTTIN", SIGTTIN }, { "SIGTTOU", SIGTTOU },	{ "SIGURG", SIGURG },
	{ "SIGXCPU", SIGXCPU },	    { "SIGXFSZ", SIGXFSZ }, { "SIGVTALRM", SIGVTALRM }, { "SIGPROF", SIGPROF },
	{ "SIGWINCH", SIGWINCH },   { "SIGIO", SIGIO },	    { "SIGPOLL", SIGPOLL },	{ "SIGPWR", SIGPWR },
	{ "SIGSYS", SIGSYS },
};
const struct name_table names_signals = { "signal", signals_list, ARRAY_SIZE(signals_list) };

static const struct name rlimits_list[] = {
	{ "RLIMIT_AS", RLIMIT_AS },
	{ "RLIMIT_CORE", RLIMIT_CORE },
	{ "RLIMIT_CPU", RLIMIT_CPU },
	{ "RLIMIT_DATA", RLIMIT_DATA },
	{ "RLIMIT_FSIZE", RLIMIT_FSIZE },
	{ "RLIMIT_LOCKS", RLIMIT_LOCKS },
	{ "RLIMIT_MEMLOCK", RLIMIT_MEMLOCK },
	{ "RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE },
	{ "RLIMIT_NICE", RLIMIT_NICE },
	{ "RLIMIT_NOFILE", RLIMIT_NOFILE },
	{ "RLIMIT_NPROC", RLIMIT_NPROC },
	{ "RLIMIT_RSS", RLIMIT_RSS },
	{ "RLIMIT_RTPRIO", RLIMIT_RTPRIO },
	{ "RLIMIT_RTTIME", RLIMIT_RTTIME },
	{ "RLIMIT_SIGPENDING", RLIMIT_SIGPENDING },
	{ "RLIMIT_STACK", RLIMIT_STACK },
};
const struct name_table names_rlimits = { "resource limit", rlimits_list, ARRAY_SIZE(rlimits_list) };

static const struct name namespaces_list[] = {
	{ "pid", CLONE_NEWPID }, { "network", CLONE_NEWNET }, { "mount", CLONE_NEWNS },	     { "ipc", CLONE_NEWIPC },
	{ "uts", CLONE_NEWUTS }, { "user", CLONE_NEWUSER },   { "cgroup", CLONE_NEWCGROUP }, { "time", CLONE_NEWTIME },
};
const struct name_table names_namespaces = { "kind of namespace", namespaces_list, ARRAY_SIZE(namespaces_list) };

/* OCI names the plain ones; callers of runc have always been allowed the recursive ones as well. */
static const struct name propagations_list[] = {
	{ "shared", MS_SHARED },
	{ "slave", MS_SLAVE },
	{ "private", MS_PRIVATE },
	{ "unbindable", MS_UNBINDABLE },
	{ "rshared", MS_SHARED | MS_REC },
	{ "rslave", MS_SLAVE | MS_REC },
	{ "rprivate", MS_PRIVATE | MS_REC },
	{ "runbindable", MS_UNBINDABLE | MS_REC },
};
const struct name_table names_propagations = { "mount propagation", propagations_list, ARRAY_SIZE(propagations_list) };

static const struct name seccomp_actions_list[] = {
	{ "SCMP_ACT_KILL_PROCESS", SECCOMP_RET_KILL_PROCESS },
	{ "SCMP_ACT_KILL_THREAD", SECCOMP_RET_KILL_THREAD },
	{ "SCMP_ACT_KILL", SECCOMP_RET_KILL_THREAD },
	{ "SCMP_ACT_TRAP", SECCOMP_RET_TRAP },
	{ "SCMP_ACT_ERRNO", SECCOMP_RET_ERRNO },
	{ "SCMP_ACT_NOTIFY", SECCOMP_RET_USER_NOTIF },
	{ "SCMP_ACT_TRACE", SECCOMP_RET_TRACE },
	{ "SCMP_ACT_LOG", SECCOMP_RET_LOG },
	{ "SCMP_ACT_ALLOW", SECCOMP_RET_ALLOW },
};
const struct name_table names_seccomp_actions = { "seccomp action", seccomp_actions_list,
						  ARRAY_SIZE(seccomp_actions_list) };

static const struct name seccomp_archs_list[] = {
	{ "SCMP_ARCH_X86", AUDIT_ARCH_I386 },
	{ "SCMP_ARCH_X86_64", AUDIT_ARCH_X86_64 },
	{ "SCMP_ARCH_X32", NAMES_ARCH_X32 },
	{ "SCMP_ARCH_ARM", AUDIT_ARCH_ARM },
	{ "SCMP_ARCH_AARCH64", AUDIT_ARCH_AARCH64 },
	{ "SCMP_ARCH_MIPS", AUDIT_ARCH_MIPS },
	{ "SCMP_ARCH_MIPS64", AUDIT_ARCH_MIPS64 },
	{ "SCMP_ARCH_MIPS64N32", AUDIT_ARCH_MIPS64N32 },
	{ "SCMP_ARCH_MIPSEL", AUDIT_ARCH_MIPSEL },
	{ "SCMP_ARCH_MIPSEL64", AUDIT_ARCH_MIPSEL64 },
	{ "SCMP_ARCH_MIPSEL64N32", AUDIT_ARCH_MIPSEL64N32 },
	{ "SCMP_ARCH_PPC", AUDIT_ARCH_PPC },
	{ "SCMP_ARCH_PPC64", AUDIT_ARCH_PPC64 },
	{ "SCMP_ARCH_PPC64LE", AUDIT_ARCH_PPC64LE },
	{ "SCMP_ARCH_S390", AUDIT_ARCH_S390 },
	{ "SCMP_ARCH_S390X", AUDIT_ARCH_S390X },
	{ "SCMP_ARCH_PARISC", AUDIT_ARCH_PARISC },
	{ "SCMP_ARCH_PARISC64", AUDIT_ARCH_PARISC64 },
	{ "SCMP_ARCH_RISCV64", AUDIT_ARCH_RISCV64 },
	{ "SCMP_ARCH_LOONGARCH64", AUDIT_ARCH_LOONGARCH64 },
	{ "SCMP_ARCH_M68K", AUDIT_ARCH_M68K },
	{ "SCMP_ARCH_SH", AUDIT_ARCH_SHEL },
	{ "SCMP_ARCH_SHEB", AUDIT_ARCH_SH },
};
const struct name_table names_seccomp_archs = { "architecture", seccomp_archs_list, ARRAY_SIZE(seccomp_archs_list) };

static const struct name seccomp_operators_list[] = {
	{ "SCMP_CMP_NE", SECCOMP_OPERATOR_NE },
	{ "SCMP_CMP_LT", SECCOMP_OPERATOR_LT },
	{ "SCMP_CMP_LE", SECCOMP_OPERATOR_LE },
	{ "SCMP_CMP_EQ", SECCOMP_OPERATOR_EQ },
	{ "SCMP_CMP_GE", SECCOMP_OPERATOR_GE },
	{ "SCMP_CMP_GT", SECCOMP_OPERATOR_GT },
	{ "SCMP_CMP_MASKED_EQ", SECCOMP_OPERATOR_MASKED_EQ },
};
const struct name_table names_seccomp_operators = { "seccomp operator", seccomp_operators_list,
						    ARRAY_SIZE(seccomp_operators_list) };

static const struct name seccomp_flags_list[] = {
	{ "SECCOMP_FILTER_FLAG_TSYNC", SECCOMP_FILTER_FLAG_TSYNC },
	{ "SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG },
	{ "SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW },
	{ "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV },
};
const struct name_table names_seccomp_flags = { "seccomp flag", seccomp_flags_list, ARRAY_SIZE(seccomp_flags_list) };

static const struct name personalities_list[] = {
	{ "LINUX", PER_LINUX },
	{ "LINUX32", PER_LINUX32 },
};
const struct name_table names_personalities = { "personality", personalities_list, ARRAY_SIZE(personalities_list) };

/* SCHED_ISO has a number in the kernel's headers and no implementation; OCI lists it. */
static const struct name scheduler_policies_list[] = {
	{ "SCHED_OTHER", SCHED_NORMAL },      { "SCHED_FIFO", SCHED_FIFO }, { "SCHED_RR", SCHED_RR },
	{ "SCHED_BATCH", SCHED_BATCH },	      { "SCHED_ISO", 4 },	    { "SCHED_IDLE", SCHED_IDLE },
	{ "SCHED_DEADLINE", SCHED_DEADLINE },
};
const struct name_table names_scheduler_policies = { "scheduling policy", scheduler_policies_list,
						     ARRAY_SIZE(scheduler_policies_list) };

static const struct name scheduler_flags_list[] = {
	{ "SCHED_FLAG_RESET_ON_FORK", SCHED_FLAG_RESET_ON_FORK },
	{ "SCHED_FLAG_RECLAIM", SCHED_FLAG_RECLAIM },
	{ "SCHED_FLAG_DL_OVERRUN", SCHED_FLAG_DL_OVERRUN },
	{ "SCHED_FLAG_KEEP_POLICY", SCHED_FLAG_KEEP_POLICY },
	{ "SCHED_FLAG_KEEP_PARAMS", SCHED_FLAG_KEEP_PARAMS },
	{ "SCHED_FLAG_UTIL_CLAMP_MIN", SCHED_FLAG_UTIL_CLAMP_MIN },
	{ "SCHED_FLAG_UTIL_CLAMP_MAX", SCHED_FLAG_UTIL_CLAMP_MAX },
};
const struct name_table names_scheduler_flags = { "scheduling flag", scheduler_flags_list,
						  ARRAY_SIZE(scheduler_flags_list) };

static const struct name io_classes_list[] = {
	{ "IOPRIO_CLASS_RT", IOPRIO_CLASS_RT },
	{ "IOPRIO_CLASS_BE", IOPRIO_CLASS_BE },
	{ "IOPRIO_CLASS_IDLE", IOPRIO_CLASS_IDLE },
};
const struct name_table names_io_classes = { "I/O scheduling class", io_classes_list, ARRAY_SIZE(io_classes_list) };

static const struct name memory_modes_list[] = {
	{ "MPOL_DEFAULT", MPOL_DEFAULT },	{ "MPOL_BIND", MPOL_BIND },
	{ "MPOL_INTERLEAVE", MPOL_INTERLEAVE }, { "MPOL_WEIGHTED_INTERLEAVE", NUMA_WEIGHTED_INTERLEAVE },
	{ "MPOL_PREFERRED", MPOL_PREFERRED },	{ "MPOL_PREFERRED_MANY", MPOL_PREFERRED_MANY },
	{ "MPOL_LOCAL", MPOL_LOCAL },
};
const struct name_table names_memory_modes = { "memory policy", memory_modes_list, ARRAY_SIZE(memory_modes_list) };

static const struct name memory_flags_list[] = {
	{ "MPOL_F_NUMA_BALANCING", MPOL_F_NUMA_BALANCING },
	{ "MPOL_F_RELATIVE_NODES", MPOL_F_RELATIVE_NODES },
	{ "MPOL_F_STATIC_NODES", MPOL_F_STATIC_NODES },
};
const struct name_table names_memory_flags = { "memory policy flag", memory_flags_list, ARRAY_SIZE(memory_flags_list) };

static const struct name clocks_list[] = {
	{ "monotonic", CLOCK_MONOTONIC },
	{ "boottime", CLOCK_BOOTTIME },
};
const struct name_table names_clocks = { "clock", clocks_list, ARRAY_SIZE(clocks_list) };

static const struct name device_types_list[] = {
	{ "c", 'c' },
	{ "b", 'b' },
	{ "u", 'u' },
	{ "p", 'p' },
};
const struct name_table names_device_types = { "device type", device_types_list, ARRAY_SIZE(device_types_list) };

static const struct name device_rule_types_list[] = {
	{ "a", 'a' },
	{ "b", 'b' },
	{ "c", 'c' },
};
const struct name_table names_device_rule_types = { "device type", device_rule_types_list,
						    ARRAY_SIZE(device_rule_types_list) };
