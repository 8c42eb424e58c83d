#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2153,SC2154 # scripts of other languages; bats: a subshell a test, $stderr
# bats file_tags=fast, v2
# What the program is: user, groups, capabilities, limits, environment, working directory.

load support/common

capability_set() { # NAME: of the status in $output, in hex
	awk -v name="Cap$1:" '$1 == name { print $2 }' <<< "$output"
}

@test "the five sets of capabilities are as listed" {
	config '.process.capabilities = { bounding: ["CAP_CHOWN", "CAP_KILL", "CAP_SETUID"], permitted: ["CAP_CHOWN", "CAP_KILL"],
		effective: ["CAP_CHOWN"], inheritable: ["CAP_KILL"], ambient: ["CAP_KILL"] } | .process.user = { uid: 1000, gid: 1000 }'
	program grep ^Cap /proc/self/status
	must run_container
	# CHOWN is bit 0, KILL 5, SETUID 7. An ordinary user keeps over execve what is ambient.
	expect_equal "$(capability_set Bnd)" 00000000000000a1
	expect_equal "$(capability_set Inh)" 0000000000000020
	expect_equal "$(capability_set Amb)" 0000000000000020
	expect_equal "$(capability_set Prm)" 0000000000000020
}

@test "root has the listed capabilities and no others" {
	capabilities CAP_CHOWN CAP_KILL
	program grep ^Cap /proc/self/status
	must run_container
	expect_equal "$(capability_set Bnd)" 0000000000000021
	expect_equal "$(capability_set Eff)" 0000000000000021
	expect_equal "$(capability_set Inh)" 0000000000000000
	expect_equal "$(capability_set Amb)" 0000000000000000
}

@test "without capabilities in config.json there are none" {
	config 'del(.process.capabilities)'
	program grep ^Cap /proc/self/status
	must run_container
	expect_equal "$(capability_set Bnd)" 0000000000000000
	expect_equal "$(capability_set Prm)" 0000000000000000
}

@test "capabilities that contradict each other or don't exist are told" {
	config '.process.capabilities = { bounding: ["CAP_CHOWN"], permitted: ["CAP_CHOWN"], effective: ["CAP_CHOWN"], ambient: ["CAP_KILL"] }'
	attempt run_container
	expect_like "$stderr" 'process.capabilities'
	capabilities CAP_CHOWN CAP_NO_SUCH
	attempt run_container
	expect_like "$stderr" 'CAP_NO_SUCH'
}

@test "no_new_privs is as asked, and set-user-id programs feel it" {
	# Not busybox, which drops such privileges by itself.
	compile ids "$BUNDLE/rootfs/bin/ids"
	chmod 4755 "$BUNDLE/rootfs/bin/ids"
	config '.process.user = { uid: 1000, gid: 1000 }'
	inside 'ids; grep NoNewPrivs /proc/self/status'
	expect_equal "$output" $'1000\nNoNewPrivs:\t1'
	config '.process.noNewPrivileges = false'
	inside 'ids; grep NoNewPrivs /proc/self/status'
	expect_equal "$output" $'0\nNoNewPrivs:\t0'
}

@test "user, group, groups and umask" {
	config '.process.user = { uid: 1000, gid: 1001, additionalGids: [5, 70], umask: 23 }'
	inside 'id -u; id -g; id -G; umask; touch /tmp/x; stat -c %a /tmp/x'
	expect_equal "$output" $'1000\n1001\n1001 5 70\n0027\n640'
}

@test "without additionalGids there are no groups of the caller's" {
	inside 'grep ^Groups: /proc/self/status'
	expect_equal "$(tr -d ' \t' <<< "$output")" 'Groups:'
}

@test "HOME comes from the image's passwd, unless config.json has one" {
	inside 'echo $HOME'
	expect_equal "$output" /root
	config '.process.user.uid = 1000'
	inside 'echo $HOME'
	expect_equal "$output" /home/ship
	config '.process.user.uid = 4242'
	inside 'echo $HOME'
	expect_equal "$output" /
	config '.process.env += ["HOME=/mine"]'
	inside 'echo $HOME'
	expect_equal "$output" /mine
}

@test "a hostile passwd does no harm" {
	local long

	long=$(head -c 100000 /dev/zero | tr '\0' a)
	printf '%s\n' 'root:x:0:0:root:/evil
:/bin/sh' "$long" 'a:b' ':::::::' "x:x:0:0::$long:" > "$BUNDLE/rootfs/etc/passwd"
	inside 'echo $HOME | wc -c; env | grep -c ^HOME='
	expect_equal "$(tail -n 1 <<< "$output")" 1
	rm "$BUNDLE/rootfs/etc/passwd"
	mkfifo "$BUNDLE/rootfs/etc/passwd"
	inside 'echo $HOME'
	rm "$BUNDLE/rootfs/etc/passwd"
	ln -s /etc/passwd-of-host "$BUNDLE/rootfs/etc/passwd"
	inside 'echo $HOME'
	expect_equal "$output" /
}

@test "the environment is that of config.json" {
	config '.process.env = ["PATH=/bin", "A=1", "B=two words", "EMPTY="]'
	INTRUDER=1 inside env
	expect_line "$output" 'B=two words'
	expect_line "$output" EMPTY=
	expect_unlike "$output" 'INTRUDER|BRIG'
}

@test "the working directory is made where it is missing" {
	config '.process.cwd = "/srv/deep"'
	inside 'pwd'
	expect_equal "$output" /srv/deep
	config '.process.cwd = "relative"'
	must_fail 1 'process.cwd.*relative' run_container
	config '.process.cwd = "/etc/passwd"'
	must_fail 1 'process.cwd.*Not a directory' run_container
}

@test "resource limits are set" {
	config '.process.rlimits = [{ type: "RLIMIT_NOFILE", soft: 100, hard: 200 }, { type: "RLIMIT_CORE", soft: 0, hard: 1024 }]'
	inside 'ulimit -Sn; ulimit -Hn; grep "core file" /proc/self/limits | tr -s " "'
	expect_equal "$output" $'100\n200\nMax core file size 0 1024 bytes '
}

@test "a hard limit that this machine does not let brig raise is a warning that names it" {
	config '.process.rlimits = [{ type: "RLIMIT_NOFILE", soft: 1048576, hard: 1048576 }]'
	shell 'ulimit -Hn'
	attempt limited
	expect_status 0 run
	expect_equal "$output" 500
	expect_like "$stderr" 'warning: .*RLIMIT_NOFILE.*1048576.*500.*CAP_SYS_RESOURCE'
}

# Without the capability, whether or not the machine has it.
limited() {
	(
		ulimit -n 500
		BRIG_TEST=$ID setpriv --bounding-set -sys_resource --inh-caps -sys_resource \
			"$BRIG" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
	)
}

@test "an oom score that may not be lowered is a warning that names it" {
	config '.process.oomScoreAdj = -900'
	shell 'cat /proc/self/oom_score_adj'
	BRIG_TEST=$ID attempt setpriv --bounding-set -sys_resource --inh-caps -sys_resource \
		"$BRIG" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
	expect_status 0 run
	expect_equal "$output" "$(< /proc/self/oom_score_adj)"
	expect_like "$stderr" 'warning: .*oomScoreAdj.*-900.*CAP_SYS_RESOURCE'
}

@test "an oom score is set" {
	config '.process.oomScoreAdj = 444'
	inside 'cat /proc/self/oom_score_adj'
	expect_equal "$output" 444
}

@test "sysctls of the container's own namespaces are set, those of the host refused" {
	before=$(< /proc/sys/kernel/core_pattern)
	config '.linux.sysctl = { "net.ipv4.ip_forward": "1", "kernel.shm_rmid_forced": "1", "net/ipv4/ping_group_range": "0 100" }'
	inside 'cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/shm_rmid_forced /proc/sys/net/ipv4/ping_group_range'
	expect_equal "$output" $'1\n1\n0\t100'
	config '.linux.sysctl = { "kernel.core_pattern": "|/evil" }'
	must_fail 1 'linux.sysctl.*kernel.core_pattern' run_container
	config '.linux.sysctl = { "kernel.shm_rmid_forced": "1+kernel.core_pattern=|/evil" }'
	must_fail 1 'linux.sysctl.*shm_rmid_forced' run_container
	config '.linux.sysctl = { "net/../kernel/core_pattern": "|/evil" }'
	must_fail 1 'linux.sysctl' run_container
	expect_file /proc/sys/kernel/core_pattern "$before"
}

@test "sysctls of a namespace that is the host's are refused" {
	before=$(< /proc/sys/net/ipv4/ip_forward)
	without_namespace network
	config '.linux.sysctl = { "net.ipv4.ip_forward": "1" }'
	must_fail 1 'linux.sysctl.*network' run_container
	expect_file /proc/sys/net/ipv4/ip_forward "$before"
	add_namespace network /proc/self/ns/net
	must_fail 1 '.' run_container
	expect_file /proc/sys/net/ipv4/ip_forward "$before"
}

@test "personality, io priority" {
	config '.linux.personality = { domain: "LINUX32" } | .process.ioPriority = { class: "IOPRIO_CLASS_BE", priority: 6 }'
	inside 'uname -m; ionice -p $$'
	expect_like "$output" '^i.86'
	expect_like "$output" 'prio 6'
}

@test "signals are not blocked or ignored" {
	program grep -E '^Sig(Blk|Ign)' /proc/self/status
	trap '' QUIT USR1 RTMIN RTMAX
	must run_container
	trap - QUIT USR1 RTMIN RTMAX
	expect_line "$output" $'SigBlk:\t0000000000000000'
	expect_like "$output" 'SigIgn:.0000000000000000'
}

# By a system call: the library's own functions refuse these two.
@test "the realtime signals that the C library keeps to itself are not ignored" {
	program grep ^SigIgn /proc/self/status
	must env BRIG_TEST="$ID" python3 -c 'import ctypes, os, sys
number = {"x86_64": 13, "aarch64": 134}[os.uname().machine]
ignore = (ctypes.c_uint64 * 4)(1)
assert all(ctypes.CDLL(None).syscall(number, signal, ignore, None, 8) == 0 for signal in (32, 33))
os.execv(sys.argv[1], sys.argv[1:])' "$BRIG" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
	expect_equal "$output" $'SigIgn:\t0000000000000000'
}

@test "a session keyring of its own" {
	config 'del(.linux.maskedPaths)'
	inside 'grep -c _ses /proc/keys || cat /proc/keys'
	expect_like "$output" '^[1-9]'
}

# Of a mapping that is there in each program: "... bind:0 stack anon=3 ...".
numa_policy() {
	sed -n 's/^[0-9a-f]* \([^ ]*\) stack.*/\1/p'
}

@test "a memory policy holds for the program and for an exec" {
	[ -e /proc/self/numa_maps ] || skip "this kernel has no memory policies (no /proc/self/numa_maps)"
	config '.linux.memoryPolicy = { mode: "MPOL_BIND", nodes: "0", flags: ["MPOL_F_STATIC_NODES"] }'
	inside 'cat /proc/self/numa_maps'
	expect_equal "$(numa_policy <<< "$output")" bind=static:0
	config '.linux.memoryPolicy = { mode: "MPOL_INTERLEAVE", nodes: "0" }'
	program sleep 1000
	background
	must brig exec "$ID" cat /proc/self/numa_maps
	expect_equal "$(numa_policy <<< "$output")" interleave:0
	config '.linux.memoryPolicy.nodes = "900"'
	must_fail 1 'linux.memoryPolicy: set MPOL_INTERLEAVE, nodes "900": Invalid argument' brig run --bundle "$BUNDLE" "$ID-2"
}

@test "the processors of an exec are no matter of the first process" {
	config '.process.execCPUAffinity = { initial: "0", final: "0" }'
	inside 'grep Cpus_allowed_list /proc/self/status'
	expect_line "$output" "$(grep Cpus_allowed_list /proc/self/status)"
}

@test "the program is not traceable to brig: its parent is none of the container's business" {
	inside 'grep ^PPid /proc/self/status; grep ^PPid /proc/1/status'
	expect_line "$output" $'PPid:\t0'
}

@test "what this version refuses is refused by name" {
	config '.linux.intelRdt = { closID: "x" }'
	must_fail 1 'linux.intelRdt' run_container
	config 'del(.linux.intelRdt) | .process.apparmorProfile = "no-such-profile"'
	must_fail 1 'process.apparmorProfile.*no-such-profile' run_container
}
