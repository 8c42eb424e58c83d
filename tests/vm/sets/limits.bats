#!/usr/bin/env bats
# tiers: uml qemu
# seconds: 55
# shellcheck disable=SC2016,SC2030,SC2031,SC2153,SC2154 # scripts of other languages; bats: a subshell a test, $stderr
# A full cgroup v2 tree: limits that bite, by both drivers.

load ../../integration/support/common

resources() { # FILTER
	config ".linux.resources |= ((. // {}) | $1)"
}

# Where the container's process is, whoever made the group.
value() { # FILE
	cat "/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$(pid_of)/cgroup")/$1"
}

# Each test of these says which driver it is with.
with_systemd() { # COMMAND OPTION...
	brig --systemd-cgroup "$@"
}

cpu_ticks() { # PID: hundredths of a second of processor time
	awk '{ print $14 + $15 }' "/proc/$1/stat"
}

too_much_memory() { # DRIVER-COMMAND
	resources '.memory.limit = 33554432'
	program dd if=/dev/zero of=/dev/null bs=200M count=1
	attempt "$1" run --bundle "$BUNDLE" "$ID"
	expect_status 137 run
	program dd if=/dev/zero of=/dev/null bs=8M count=1
	attempt "$1" run --bundle "$BUNDLE" "$ID"
	expect_status 0 run
}

@test "memory.max: a program that takes more is killed" {
	too_much_memory brig
}

@test "memory.max by systemd: a program that takes more is killed" {
	too_much_memory with_systemd
}

@test "memory.max, low, high, swap.max hold what config.json says" {
	resources '.memory = { limit: 67108864, reservation: 33554432, swap: 67108864 } | .unified["memory.high"] = "50331648"'
	sleeper
	expect_equal "$(value memory.max)" 67108864
	expect_equal "$(value memory.low)" 33554432
	expect_equal "$(value memory.high)" 50331648
	# The bundle's number is of both.
	[ ! -e /sys/fs/cgroup/system.slice/memory.swap.max ] || expect_equal "$(value memory.swap.max)" 0
}

@test "memory.swap.max: beyond its memory a program gets so much swap, and no more" {
	local disk

	# The other guest's disks are its root and what it shares.
	[ "$BRIG_GUEST" = uml ] || skip "no disk here is ours to swap to"
	disk=/dev/$(lsblk --noheadings --nodeps --output NAME,TYPE,RO | awk '$2 == "disk" && $3 == 0 { print $1; exit }')
	mkswap "$disk" > /dev/null
	swapon "$disk"
	resources '.memory = { limit: 33554432, swap: 67108864 }'
	sleeper
	expect_equal "$(value memory.swap.max)" 33554432
	attempt brig exec "$ID" dd if=/dev/zero of=/dev/null bs=48M count=1
	expect_status 0 'exec, with swap'
	must brig update --memory 33554432 --memory-swap 33554432 "$ID"
	expect_equal "$(value memory.swap.max)" 0
	attempt brig exec "$ID" dd if=/dev/zero of=/dev/null bs=48M count=1
	expect_status 137 'exec, without'
	swapoff "$disk"
}

@test "memory.oom.group: the whole container goes with one of its processes" {
	resources '.memory.limit = 33554432 | .unified["memory.oom.group"] = "1"'
	shell 'dd if=/dev/zero of=/dev/null bs=200M count=1; echo survived'
	attempt run_container
	expect_status 137 run
	expect_unlike "$output" survived
}

@test "events tells of a kill for memory" {
	resources '.memory.limit = 33554432'
	shell 'while [ ! -e /tmp/go ]; do sleep 0.05; done; dd if=/dev/zero of=/dev/null bs=200M count=1; sleep 300'
	background
	helper brig events --interval 60s "$ID"
	wait_until grep -q '"stats"' "$T/helper.out"
	touch "$BUNDLE/rootfs/tmp/go"
	wait_until grep -q '"type":"oom"' "$T/helper.out"
}

@test "pids.max: a fork bomb is stopped" {
	resources '.pids.limit = 16'
	shell '(for i in $(seq 100); do sleep 300 & done) 2> /dev/null; exec sleep 300'
	background
	wait_until eval '[ "$(value pids.events)" != "max 0" ]'
	must brig ps --format json "$ID"
	expect_between "$(jq length <<< "$output")" 1 16
}

bitten_by_quota() { # DRIVER-COMMAND
	local throttled

	resources '.cpu = { quota: 10000, period: 50000 }'
	shell 'while :; do :; done'
	must "$1" run --detach --bundle "$BUNDLE" "$ID"
	expect_equal "$(value cpu.max)" "10000 50000"
	wait_until eval '[ "$(value cpu.stat | sed -n "s/^nr_throttled //p")" -gt 3 ]'
	throttled=$(value cpu.stat | sed -n 's/^throttled_usec //p')
	[ "$throttled" -gt 50000 ]
}

@test "cpu.max: a loop is throttled" {
	bitten_by_quota brig
}

@test "cpu.max by systemd: a loop is throttled" {
	bitten_by_quota with_systemd
}

@test "cpu.weight, cpu.idle" {
	resources '.cpu.shares = 2048'
	sleeper
	expect_equal "$(value cpu.weight)" 174
	must brig delete --force "$ID"
	resources '.cpu = { idle: 1 }'
	sleeper
	expect_equal "$(value cpu.idle)" 1
}

@test "a new limit by update bites" {
	resources '.memory.limit = 268435456'
	sleeper
	must brig update --memory 33554432 "$ID"
	expect_equal "$(value memory.max)" 33554432
	attempt brig exec "$ID" dd if=/dev/zero of=/dev/null bs=200M count=1
	expect_status 137 exec
	expect_equal "$(status_of)" running
}

@test "statistics have what v2 counts, and the pressure" {
	# Of a program that does nothing User-mode Linux, which counts ticks, may count no time at all.
	shell 'while :; do :; done'
	background
	wait_until counts_time
	expect_json "$output" '.data.memory.usage.usage > 0 and .data.pids.current >= 1'
}

counts_time() {
	must brig events --stats "$ID"
	jq --exit-status '.data.cpu.usage.total > 0' <<< "$output" > /dev/null
}

@test "a tree that is given to a user namespace can be used inside" {
	add_namespace cgroup
	user_namespace
	config '.mounts |= map(select(.destination != "/sys/fs/cgroup")) + [{ destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup",
		options: ["rw", "nosuid", "nodev", "noexec"] }]'
	inside 'mkdir /sys/fs/cgroup/mine && echo $$ > /sys/fs/cgroup/mine/cgroup.procs && cat /proc/self/cgroup'
	expect_like "$output" '0::/mine'
}

@test "devices are denied but for the usual ones" {
	mknod "$BUNDLE/rootfs/tmp/kmsg" c 1 11
	mknod "$BUNDLE/rootfs/tmp/null" c 1 3
	inside '(: < /tmp/kmsg) 2> /dev/null || echo no kmsg; echo > /tmp/null && echo null'
	expect_equal "$output" $'no kmsg\nnull'
}

@test "pressure is in the statistics where the kernel measures it, and left out where it does not" {
	sleeper
	must brig events --stats "$ID"
	if cat /proc/pressure/memory > /dev/null 2>&1; then
		expect_json "$output" '[.data.cpu.psi, .data.memory.psi, .data.blkio.psi] | all(.some.avg10 >= 0 and .some.total >= 0)'
	else
		expect_json "$output" '[.data.cpu.psi, .data.memory.psi, .data.blkio.psi] | all(. == null)'
	fi
}

a_disk() {
	lsblk --noheadings --nodeps --output MAJ:MIN,TYPE,RO | awk '$2 == "disk" && $3 == 0 { print $1; exit }'
}

slow_disk() { # DRIVER-COMMAND
	local began device took

	device=$(a_disk)
	[ -n "$device" ]
	mknod "$BUNDLE/rootfs/tmp/disk" b "${device%:*}" "${device#*:}"
	config --argjson major "${device%:*}" --argjson minor "${device#*:}" '.linux.resources = { blockIO: { throttleReadBpsDevice:
		[{ major: $major, minor: $minor, rate: 1048576 }], throttleWriteIOPSDevice: [{ major: $major, minor: $minor, rate: 77 }] },
		devices: [{ allow: false, access: "rwm" }, { allow: true, type: "b", major: $major, minor: $minor, access: "r" },
		{ allow: true, type: "c", access: "rw" }] }'
	program sleep 300
	must "$1" run --detach --bundle "$BUNDLE" "$ID"
	expect_equal "$(value io.max)" "$device rbps=1048576 wbps=max riops=max wiops=77"
	# By systemd: its property as well, which it writes anew.
	[ "$1" = brig ] || systemctl daemon-reload
	expect_equal "$(value io.max)" "$device rbps=1048576 wbps=max riops=max wiops=77"
	must brig delete --force "$ID"
	began=$(date +%s%N)
	program dd if=/tmp/disk of=/dev/null bs=64k count=48 iflag=direct
	must "$1" run --bundle "$BUNDLE" "$ID"
	took=$((($(date +%s%N) - began) / 1000000))
	# Three megabytes at one a second.
	[ "$took" -gt 1500 ]
}

@test "io.max: reading from a disk takes its time" {
	slow_disk brig
}

@test "io.max by systemd: reading from a disk takes its time" {
	slow_disk with_systemd
}

@test "io.weight: its value, or an error that names what the kernel lacks" {
	resources '.blockIO.weight = 500'
	program sleep 300
	attempt brig run --detach --bundle "$BUNDLE" "$ID"
	if [ "$status" -eq 0 ]; then
		# 10 to 1000 became 1 to 10000, but for bfq.
		if [ -e /sys/fs/cgroup/system.slice/io.bfq.weight ]; then
			expect_equal "$(value io.bfq.weight | head -n 1)" "default 500"
		else
			expect_equal "$(value io.weight | head -n 1)" "default 4950"
		fi
	else
		expect_like "$stderr" 'blockIO.weight'
	fi
}

@test "the reason of an end for memory: in the audit trail, and not where the program was killed" {
	jq -n --arg path "$T/log/audit.jsonl" '{ set: "conformant", audit: { path: $path } }' > "$T/policy.json"
	resources '.memory.limit = 33554432'
	program dd if=/dev/zero of=/dev/null bs=200M count=1
	attempt brig --policy "$T/policy.json" run --bundle "$BUNDLE" "$ID"
	expect_status 137 run
	program sh -c 'kill -KILL $$'
	attempt brig --policy "$T/policy.json" run --bundle "$BUNDLE" "$ID"
	expect_equal "$(jq -c 'select(.event == "exit") | .usage.oom_kills > 0' "$T/log/audit.jsonl" | tr '\n' ' ')" "true false "
}

# As where a busy machine lets systemd run before whoever waits for the container.
@test "the reason of an end for memory by systemd: known also once the scope and its count are gone" {
	resources '.memory.limit = 33554432'
	program dd if=/dev/zero of=/dev/null bs=200M count=1
	cat > "$T/script" <<- END
		create $ID $BUNDLE
		watch-oom
		start $ID
		wait
		sh while [ -e /sys/fs/cgroup/system.slice/brig-$ID.scope ]; do sleep 0.05; done
		oom
		delete $ID
	END
	STDIN=$T/script BRIG_TEST=$ID must "$BRIG_BUILD/tests/support/supervisor" "$ROOT" conformant systemd
	expect_line "$output" 'status 137'
	expect_line "$output" 'oom 1'
	# Of its own life alone, and for memory.
	program sleep 300
	sed -i '/^start/a kill' "$T/script"
	STDIN=$T/script BRIG_TEST=$ID must "$BRIG_BUILD/tests/support/supervisor" "$ROOT" conformant systemd
	expect_line "$output" 'status 137'
	expect_line "$output" 'oom 0'
}

# The floor's limits, with what concerns user namespaces and mounts out of the way.
site() { # RULES-OBJECT [MORE-KEYS-OBJECT]
	jq -n --argjson rules "$1" --argjson more "${2:-{\}}" '{ set: "strict", rules: (({ "user-namespace": "off", "rootfs-unmapped": "off",
		"volume-unmapped": "off", "mount-source": "off" }) + $rules), audit: { enabled: false } } + $more' > "$T/policy.json"
}

under_site() { # COMMAND OPTION...
	brig --policy "$T/policy.json" "$@"
}

oom_score() { # ASKED-FOR APPLIED LEVELS-OF-THE-RULE
	config --argjson asked "$1" '.process.oomScoreAdj = $asked'
	program cat /proc/self/oom_score_adj
	must under_site run --bundle "$BUNDLE" "$ID"
	expect_equal "$output" "$2"
	must under_site plan --bundle "$BUNDLE" --json
	expect_json "$output" ".plan.process.oomScoreAdj == $2 and [.report[] | select(.rule == \"oom-score\") | .level] == $3"
}

@test "oom scores of who may have any: none below 0, none below -998 from a CRI, nor of an exec" {
	site '{}'
	oom_score 100 100 '[]'
	oom_score -500 0 '["adjusted"]'
	program sleep 300
	must under_site run --detach --bundle "$BUNDLE" "$ID"
	jq '.process | .args = ["cat", "/proc/self/oom_score_adj"] | .oomScoreAdj = -400' "$BUNDLE/config.json" > "$T/process.json"
	must under_site exec --process "$T/process.json" "$ID"
	expect_equal "$output" 0
	must brig delete --force "$ID"
	config '.annotations = { "io.kubernetes.cri.container-type": "container" }'
	oom_score -997 -997 '[]'
	oom_score -999 -998 '["adjusted"]'
	config 'del(.annotations)'
	site '{ "oom-score": "warn" }'
	oom_score -500 -500 '["warning"]'
	site '{ "oom-score": "off" }'
	oom_score -500 -500 '[]'
	site '{ "oom-score": "enforce" }'
	must_fail 1 'process\.oomScoreAdj: asked for -500.*rule oom-score' under_site run --bundle "$BUNDLE" "$ID"
}

has_limits() { # MEMORY CPU
	expect_equal "$(value memory.max)" "$1"
	expect_equal "$(value cpu.max)" "$2"
}

# brig update has no --systemd-cgroup: the container knows.
floor_of_limits() { # [OPTION OF brig...]
	site '{}' '{ "resources": { "memory": { "missing": "32m", "most": "64m" }, "cpu": { "missing": "0.5", "most": "1.5" } } }'
	program sleep 300
	must under_site "$@" run --detach --bundle "$BUNDLE" "$ID"
	has_limits 33554432 '50000 100000'
	must under_site update --memory 1g --cpu-quota 400000 "$ID"
	expect_like "$stderr" 'memory\.limit: asked for 1073741824 bytes, applied 67108864 bytes'
	expect_like "$stderr" 'cpu\.quota: asked for 4000 thousandths of a processor, applied 1500'
	has_limits 67108864 '150000 100000'
	must under_site update --memory 48m --cpu-quota 70000 "$ID"
	expect_equal "$stderr" ''
	has_limits 50331648 '70000 100000'
	must under_site explain "$ID"
	echo 64m > "/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$(pid_of)/cgroup")/memory.max"
	attempt under_site explain "$ID"
	expect_status 3
	expect_like "$output" 'FLAGGED +limit-memory +67108864, 50331648 in the last update'
	must under_site update --memory -1 --cpu-quota -1 "$ID"
	has_limits 33554432 '50000 100000'
	must under_site explain "$ID"
	must brig delete --force "$ID"
	resources '.memory.limit = 1099511627776 | .cpu = { quota: 400000, period: 200000 }'
	must under_site "$@" run --detach --bundle "$BUNDLE" "$ID"
	has_limits 67108864 '300000 200000'
}

@test "the floor's limits of memory and processors: filled in, lowered, and held to by an update" {
	floor_of_limits
}

@test "the floor's limits by systemd: filled in, lowered, and held to by an update" {
	floor_of_limits --systemd-cgroup
}

@test "a pod's group: its limits count for the floor, and explain tells them" {
	local pod=/sys/fs/cgroup/it-parent-$ID

	site '{}' '{ "resources": { "memory": { "missing": "32m" }, "cpu": { "missing": "0.5" }, "pids": { "missing": 40 } } }'
	mkdir "$pod"
	echo '+memory +pids +cpu' > /sys/fs/cgroup/cgroup.subtree_control
	echo 64m > "$pod/memory.max"
	echo 30 > "$pod/pids.max"
	echo '150000 100000' > "$pod/cpu.max"
	config --arg path "/it-parent-$ID/$ID" '.linux.cgroupsPath = $path'
	program sleep 300
	must under_site run --detach --bundle "$BUNDLE" "$ID"
	must under_site explain --json "$ID"
	expect_json "$output" '[.posture[] | select(.name | startswith("limit-")) | .holds] == [67108864, 30, 1500] and .flagged == 0'
	expect_json "$output" '.posture[] | select(.name == "limit-pids") | .found | endswith("none in the plan; a group above it has 30")'
	must brig delete --force "$ID"
	rmdir "$pod"
}

@test "pause and resume" {
	sleeper
	must brig pause "$ID"
	expect_equal "$(status_of)" paused
	expect_like "$(value cgroup.events)" 'frozen 1'
	must brig resume "$ID"
	expect_equal "$(status_of)" running
}
