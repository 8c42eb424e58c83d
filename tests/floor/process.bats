#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # scripts of other languages; bats: a subshell a test, $output and $stderr
# The floor's rules about processes, the kernel's files, devices, hooks and limits, as a container under strict sees them. What concerns
# user namespaces and mounts is out of the way, and has tests of its own.

load ../integration/support/common

prepare() {
	POLICY=$T/policy.json
	policy '{}'
}

policy() { # RULES-OBJECT [MORE-KEYS-OBJECT]
	jq -n --argjson rules "$1" --argjson more "${2:-{\}}" '{ set: "strict", rules: (({ "user-namespace": "off", "host-namespace": "off",
		"cgroup-namespace": "off", "rootfs-unmapped": "off", "volume-unmapped": "off", "mount-source": "off", "mount-flags": "off",
		"mount-propagation": "off", "landlock": "off" }) + $rules) } + $more' > "$POLICY"
}

brig() {
	BRIG_TEST=$ID "$BRIG" --root "$ROOT" --policy "$POLICY" "$@"
}

# What /proc/PID/status of a container's program says.
status_line() { # NAME
	awk -v name="$1:" '$1 == name { print $2 }' <<< "$output"
}

@test "a program of root has no privileges, and can't get any" {
	config '.process.noNewPrivileges = false | .process.capabilities.inheritable = ["CAP_CHOWN"] | .process.capabilities.ambient = ["CAP_CHOWN"]'
	inside 'cat /proc/self/status'
	expect_equal "$(status_line NoNewPrivs)" 1
	for set in CapInh CapPrm CapEff CapBnd CapAmb; do
		expect_equal "$(status_line "$set")" 0000000000000000
	done
	expect_equal "$(status_line Seccomp)" 2
	expect_unlike "$stderr" 'warning'
}

@test "the same document without the rules has them: the test above can fail" {
	config '.process.noNewPrivileges = false | .process.capabilities.inheritable = ["CAP_CHOWN"] | .process.capabilities.ambient = ["CAP_CHOWN"]'
	policy '{ "new-privileges": "off", "capability": "off", "ambient-capability": "off", "seccomp": "off" }'
	inside 'cat /proc/self/status'
	expect_equal "$(status_line NoNewPrivs)" 0
	expect_equal "$(status_line CapAmb)" 0000000000000001
	expect_different "$(status_line CapEff)" 0000000000000000
	expect_equal "$(status_line Seccomp)" 0
}

@test "an exec is held to the same" {
	sleeper
	jq '.process | .args = ["cat", "/proc/self/status"] | .noNewPrivileges = false | .oomScoreAdj = 0' "$BUNDLE/config.json" > "$T/process.json"
	must brig exec --process "$T/process.json" "$ID"
	expect_equal "$(status_line NoNewPrivs)" 1
	expect_equal "$(status_line CapBnd)" 0000000000000000
	expect_equal "$(status_line Seccomp)" 2
	must brig exec "$ID" sh -c 'ulimit -c; ulimit -Hc'
	expect_equal "$output" $'0\n0'
	policy '{ "new-privileges": "enforce" }'
	must_fail 255 'process\.noNewPrivileges: asked for false.*rule new-privileges' brig exec --process "$T/process.json" "$ID"
}

@test "nothing dumps core, whatever is asked for" {
	config '.process.rlimits = [{ type: "RLIMIT_CORE", soft: 4096, hard: 4096 }]'
	inside 'ulimit -c; ulimit -Hc'
	expect_equal "$output" $'0\n0'
}

# The caller's: brig's own are what a program has that asks for none.
with_priority() { # COMMAND...: as it was called, with realtime priority, ahead of others, at the disks too
	BRIG_TEST=$ID "$@" "$BRIG" --root "$ROOT" --policy "$POLICY" run --bundle "$BUNDLE" "$ID"
}

@test "priorities are the usual ones, whatever config.json asks for and the caller has" {
	local caller

	shell 'awk "{ print \$18, \$19, \$40, \$41 }" /proc/self/stat; ionice -p $$; awk "/nice/ || /realtime p/ { print \$4 }" /proc/self/limits'
	for caller in 'env' 'nice -n -10' 'chrt --fifo 10' 'ionice -c 1 -n 0'; do
		# shellcheck disable=SC2086 # words
		must with_priority $caller
		expect_equal "$output" $'20 0 0 0\nnone: prio 0\n0\n0'
	done
	config '.process.scheduler = { policy: "SCHED_OTHER", nice: -20 } | .process.ioPriority = { class: "IOPRIO_CLASS_RT", priority: 0 } |
		.process.rlimits = [{ type: "RLIMIT_NICE", soft: 40, hard: 40 }]'
	must with_priority env
	expect_equal "$output" $'20 0 0 0\nnone: prio 0\n0\n0'
	policy '{ "capability": "off" }'
	must with_priority env
	expect_like "$output" $'^0 -20 0 0\nrealtime: prio 0\n'
}

@test "the session keyring is a new one" {
	# Its name is the container's, where one is made. The runs with none come first: the kernel takes a keyring away only some time
	# after the last process that had it.
	config '.linux.maskedPaths = []'
	shell 'grep -c "_ses.*$BRIG_TEST:\|keyring *$BRIG_TEST:" /proc/keys'
	policy '{ "masked-path": "off", "session-keyring": "off" }'
	attempt run_container --no-new-keyring
	expect_equal "$output" 0
	policy '{ "session-keyring": "enforce" }'
	must_fail 1 'rule session-keyring' run_container --no-new-keyring
	policy '{ "masked-path": "off" }'
	must run_container --no-new-keyring
	expect_equal "$output" 1
}

@test "the kernel's own files are masked or read-only though config.json masks nothing" {
	config '.linux.maskedPaths = [] | .linux.readonlyPaths = []'
	inside 'for file in /proc/kcore /proc/interrupts /proc/timer_list /proc/keys; do [ -e $file ] && wc -c < $file; done | sort -u
		ls /proc/acpi /sys/firmware /proc/scsi 2> /dev/null | grep -v : | grep -c .
		echo 1 > /proc/sys/kernel/panic
		[ ! -e /proc/sysrq-trigger ] || echo x > /proc/sysrq-trigger || true'
	expect_equal "$(head -2 <<< "$output")" $'0\n0'
	# Not each kernel has it.
	if [ -e /proc/sysrq-trigger ]; then
		expect_like "$stderr" 'sysrq-trigger: Read-only file system'
	fi
	expect_like "$stderr" 'panic: Read-only file system'
}

@test "a device that no list has is refused, and the refusal names the example" {
	config '.linux.devices = [{ path: "/dev/mem", type: "c", major: 1, minor: 1 }]'
	must_fail 1 'linux\.devices: asked for /dev/mem, c 1:1.*rule device.*deploy/policy/gpu\.json' run_container
	policy '{ "device": "adjust" }'
	inside 'ls /dev; : < /dev/null'
	expect_unlike "$output" 'mem$'
	policy '{}' '{ "devices": [{ "type": "c", "major": 1, "minor": 1, "access": "r" }] }'
	inside 'ls /dev'
	expect_line "$output" mem
}

@test "a privileged container's devices are cut to the default ones" {
	config '.linux.resources = { devices: [{ allow: true, access: "rwm" }] }'
	must brig plan --bundle "$BUNDLE" --json
	expect_json "$output" '[.report[] | select(.rule == "device") | .level] == ["adjusted"]'
	capabilities CAP_MKNOD
	policy '{ "device": "adjust", "capability": "off", "seccomp": "off" }'
	inside 'mknod /tmp/kmsg c 1 11 && echo made; cat /tmp/kmsg || echo refused; echo x > /dev/null && echo works'
	expect_equal "$output" $'made\nrefused\nworks'
	expect_like "$stderr" 'Operation not permitted'
}

@test "a hook runs only from where the policy says, also after an adjusted creation" {
	mkdir "$T/hooks"
	printf '#!/bin/sh\necho "$1" >> %s/ran\n' "$T" | tee "$T/hooks/good" > "$T/bad"
	chmod +x "$T/hooks/good" "$T/bad"
	config --arg folder "$T" '.hooks = { createRuntime: [{ path: ($folder + "/hooks/good"), args: ["good", "create"] }],
		poststart: [{ path: ($folder + "/bad"), args: ["bad", "poststart-bad"] }, { path: ($folder + "/hooks/good"), args: ["good", "poststart"] }],
		poststop: [{ path: ($folder + "/hooks/../bad"), args: ["bad", "poststop-bad"] }, { path: ($folder + "/hooks/good"), args: ["good", "poststop"] }] }'
	program sleep 300
	must_fail 1 'hooks\.createRuntime\[0\].*rule hook' create
	policy '{}' "{ \"hook_directories\": [\"$T/hooks\"] }"
	must_fail 1 'hooks\.poststart\[0\].*rule hook' create
	expect_missing "$T/ran"
	policy '{ "hook": "adjust" }' "{ \"hook_directories\": [\"$T/hooks\"] }"
	must create
	# What was left out does not come back with a later command, whatever its policy.
	must "$BRIG" --root "$ROOT" --policy conformant start "$ID"
	must "$BRIG" --root "$ROOT" --policy conformant delete --force "$ID"
	expect_equal "$(cat "$T/ran")" $'create\npoststart\npoststop'
}

@test "a listed hook has nothing in its environment that may steer it, those that run later neither" {
	local when

	mkdir "$T/hooks"
	printf '#!/bin/sh\necho "$1 $LANG $XDG_CONFIG_HOME $UNHEARD_OF" >> %s/ran\n' "$T" > "$T/hooks/good"
	chmod +x "$T/hooks/good"
	policy '{}' "{ \"hook_directories\": [\"$T/hooks\"] }"
	config --arg hook "$T/hooks/good" 'def hook($when): [{ path: $hook, args: ["good", $when], env: ["LANG=C", "XDG_CONFIG_HOME=steers", "UNHEARD_OF=steers"] }];
		.hooks = { createRuntime: hook("createRuntime"), poststart: hook("poststart"), poststop: hook("poststop") }'
	program sleep 300
	must create
	# What was left out does not come back with a later command, whatever its policy.
	must "$BRIG" --root "$ROOT" --policy conformant start "$ID"
	must "$BRIG" --root "$ROOT" --policy conformant delete --force "$ID"
	expect_equal "$(cat "$T/ran")" $'createRuntime C  \npoststart C  \npoststop C  '
	must brig plan --bundle "$BUNDLE"
	for when in createRuntime poststart poststop; do
		expect_like "$output" "rule=hook where=hooks\\.$when\\[0\\]\\.env asked=.XDG_CONFIG_HOME, UNHEARD_OF. applied=.left out"
	done
	expect_unlike "$output" 'steers'
}

@test "a setting of a shared namespace takes the list, one's own does not" {
	config '.linux.sysctl = { "net.ipv4.ip_forward": "1" }'
	inside 'cat /proc/sys/net/ipv4/ip_forward'
	expect_equal "$output" 1
	helper unshare --net sleep 300
	wait_until grep -qx sleep "/proc/$HELPER/comm"
	add_namespace network "/proc/$HELPER/ns/net"
	must_fail 1 'linux\.sysctl\["net/ipv4/ip_forward"\].*rule sysctl' run_container
	policy '{}' '{ "sysctls": ["net.ipv4.ip_forward"] }'
	inside 'cat /proc/sys/net/ipv4/ip_forward'
	expect_equal "$output" 1
	policy '{}'
	config '.linux.sysctl = { "net.ipv4.ip_unprivileged_port_start": "0" }'
	inside 'cat /proc/sys/net/ipv4/ip_unprivileged_port_start'
	expect_equal "$output" 0
}

@test "annotations that configure other runtimes are refused" {
	config '.annotations = { "run.oci.handler": "krun" }'
	must_fail 1 'annotations\["run\.oci\.handler"\].*rule annotation' run_container
	config '.annotations = { "io.kubernetes.cri.container-type": "container", "org.systemd.property.KillSignal": "15" }'
	must run_container
}

# The kernel's word: without CAP_SYS_RESOURCE nobody goes below what he has (tests/vm/sets/limits.bats has a root that may).
may_lower_oom_score() {
	(echo -500 > /proc/self/oom_score_adj) 2> /dev/null
}

@test "oom scores below 0 are for CRIs" {
	# The most there is: without CAP_SYS_RESOURCE nobody goes below what he has, which can be more than 0.
	config '.process.oomScoreAdj = 1000'
	inside 'cat /proc/self/oom_score_adj'
	expect_equal "$output" 1000
	must brig plan --bundle "$BUNDLE" --json
	expect_json "$output" '.plan.process.oomScoreAdj == 1000 and all(.report[]; .rule | startswith("oom-score") | not)'
	config '.process.oomScoreAdj = -500'
	inside 'cat /proc/self/oom_score_adj'
	expect_between "$output" 0 1000
	must brig plan --bundle "$BUNDLE" --json
	if may_lower_oom_score; then
		expect_json "$output" '.plan.process.oomScoreAdj == 0 and any(.report[]; .rule == "oom-score" and .level == "adjusted")'
	else
		# Taken away before the rule looks at it.
		expect_json "$output" '.plan.process.oomScoreAdj == null and any(.report[]; .rule == "oom-score-lower" and .level == "warning")'
	fi
}

@test "a missing limit is filled in, one on the pod's group counts, and an update stays within" {
	needs_v1 pids
	policy '{}' '{ "resources": { "pids": { "missing": 40, "most": 60 } } }'
	sleeper
	expect_equal "$(cgroup_value pids pids.max)" 40
	must brig update --pids-limit 50 "$ID"
	expect_equal "$stderr" ''
	expect_equal "$(cgroup_value pids pids.max)" 50
	must brig update --pids-limit 500 "$ID"
	expect_like "$stderr" 'warning: resource-maximum: linux\.resources\.pids\.limit: asked for 500 processes, applied 60 processes'
	expect_equal "$(cgroup_value pids pids.max)" 60
	must brig update --pids-limit -1 "$ID"
	expect_equal "$(cgroup_value pids pids.max)" 40
	policy '{ "resource-maximum": "enforce" }' '{ "resources": { "pids": { "most": 60 } } }'
	must_fail 1 'linux\.resources\.pids\.limit: asked for 61 processes.*rule resource-maximum' brig update --pids-limit 61 "$ID"
	must brig delete --force "$ID"

	POD=/sys/fs/cgroup/pids/brig-pod-$ID
	mkdir "$POD"
	echo 30 > "$POD/pids.max"
	policy '{}' '{ "resources": { "pids": { "missing": 40, "most": 60 } } }'
	config --arg path "/brig-pod-$ID/$ID" '.linux.cgroupsPath = $path'
	must brig plan --bundle "$BUNDLE" --json
	rmdir "$POD"
	expect_json "$output" '[.report[] | select(.rule == "resource-missing")] == []'
	must brig plan --bundle "$BUNDLE" --json
	expect_json "$output" '[.report[] | select(.rule == "resource-missing") | .where] == ["linux.resources.pids.limit"]'
}

@test "the trail says what the policy made of an update's limits" {
	local trail=$T/log/audit.jsonl

	needs_v1 pids
	policy '{}' "{ \"resources\": { \"pids\": { \"most\": 60 } }, \"audit\": { \"path\": \"$trail\" } }"
	sleeper
	must brig update --pids-limit 50 "$ID"
	must brig update --pids-limit 500 "$ID"
	expect_json "$(jq --slurp --compact-output '[.[] | select(.event == "update")]' "$trail")" '[.[] | .limits.pids] == [50, 60] and
		.[0].report == null and .[1].report == [{ rule: "resource-maximum", where: "linux.resources.pids.limit", level: "adjusted" }]'
	expect_schema audit "$(< "$trail")" --lines
}

has_limits() { # MEMORY QUOTA: both as the kernel has them
	expect_equal "$(cgroup_value memory memory.limit_in_bytes)" "$1"
	expect_equal "$(cgroup_value cpu cpu.cfs_quota_us)" "$2"
}

@test "memory and processors: a missing limit is filled in, one above the maximum is lowered, and an update stays within" {
	needs_v1 memory
	needs_v1 cpu
	policy '{}' '{ "resources": { "memory": { "missing": "32m", "most": "64m" }, "cpu": { "missing": "0.5", "most": "1.5" } } }'
	sleeper
	has_limits 33554432 50000
	must brig update --memory 1g --cpu-quota 400000 "$ID"
	expect_like "$stderr" 'memory\.limit: asked for 1073741824 bytes, applied 67108864 bytes'
	expect_like "$stderr" 'cpu\.quota: asked for 4000 thousandths of a processor, applied 1500'
	has_limits 67108864 150000
	must brig update --memory 48m --cpu-quota 70000 "$ID"
	expect_equal "$stderr" ''
	has_limits 50331648 70000
	must brig update --memory -1 --cpu-quota -1 "$ID"
	has_limits 33554432 50000
	must brig delete --force "$ID"
	config '.linux.resources = { memory: { limit: 1099511627776 }, cpu: { quota: 400000, period: 200000 } }'
	sleeper
	has_limits 67108864 300000
	must brig delete --force "$ID"
	policy '{ "resource-maximum": "off", "resource-missing": "off" }' '{ "resources": { "memory": { "missing": "32m", "most": "64m" } } }'
	sleeper
	has_limits 1099511627776 400000
}

@test "an annotation tightens; what is no level is an error" {
	config '.annotations = { "brig.dev/new-privileges": "enforce" } | .process.noNewPrivileges = false'
	must_fail 1 'rule new-privileges' run_container
	config '.annotations = { "brig.dev/new-privileges": "off" }'
	inside 'cat /proc/self/status'
	expect_equal "$(status_line NoNewPrivs)" 1
	expect_like "$stderr" 'warning: new-privileges: annotations\["brig\.dev/new-privileges"\].*asked for off, applied adjust'
	policy '{}' '{ "delegate": { "new-privileges": "brig.dev/new-privileges" } }'
	inside 'cat /proc/self/status'
	expect_equal "$(status_line NoNewPrivs)" 0
	config '.annotations = { "brig.dev/new-privileges": "perhaps" }'
	must_fail 1 'is no level; allowed: enforce' run_container
}
