#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2153,SC2154 # scripts of other languages; bats: a subshell a test, $stderr
# Limits that really bite.

load support/common

resources() { # FILTER: edits linux.resources
	config ".linux.resources |= ((. // {}) | $1)"
}

cpu_ticks() { # PID: hundredths of a second of processor time
	awk '{ print $14 + $15 }' "/proc/$1/stat"
}

@test "a program that takes more memory than its limit is killed" {
	needs_controllers
	resources '.memory.limit = 33554432'
	program dd if=/dev/zero of=/dev/null bs=200M count=1
	attempt run_container
	expect_status 137 run
	program dd if=/dev/zero of=/dev/null bs=8M count=1
	attempt run_container
	expect_status 0 run
}

@test "a process that is killed for memory leaves the others alone" {
	needs_controllers
	resources '.memory.limit = 33554432'
	inside 'dd if=/dev/zero of=/dev/null bs=200M count=1 2> /dev/null; echo $?'
	expect_equal "$output" 137
}

@test "events tells of a kill for memory" {
	needs_controllers
	resources '.memory.limit = 33554432'
	shell 'while [ ! -e /tmp/go ]; do sleep 0.05; done; dd if=/dev/zero of=/dev/null bs=200M count=1; sleep 300'
	background
	helper brig events --interval 60s "$ID"
	wait_until grep -q '"stats"' "$T/helper.out"
	touch "$BUNDLE/rootfs/tmp/go"
	wait_until grep -q '"type":"oom"' "$T/helper.out"
}

@test "a limit that is too small to start with is told as such" {
	needs_controllers
	resources '.memory.limit = 4096'
	attempt run_container
	expect_status 1 run
	expect_like "$stderr" 'memory'
	assert_nothing_left
}

@test "a limit that the kernel refuses leaves no group behind, nor those above it that were made" {
	needs_controllers
	config --arg path "/it-above-$ID/between/$ID" '.linux.cgroupsPath = $path'
	resources '.cpu.cpus = "999"'
	attempt run_container
	expect_status 1 run
	expect_like "$stderr" 'cpus'
	assert_nothing_left
}

@test "what can't be limited never runs, though its limits are set while it mounts" {
	needs_controllers
	config '.linux.resources.devices = [{ allow: false, access: "rwm" }]'
	shell ': > /tmp/ran'
	# Half a second for a program that nothing keeps from running. No leaks are looked for under a tracer.
	attempt env BRIG_TEST="$ID" ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0" strace --quiet=all -o /dev/null -e trace=bpf \
		-e inject=bpf:error=EPERM:delay_enter=500000 "$BRIG" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
	expect_status 1 run
	expect_like "$stderr" 'device'
	[ ! -e "$BUNDLE/rootfs/tmp/ran" ] || flunk "the program has run"
	assert_nothing_left
	must run_container
	[ -e "$BUNDLE/rootfs/tmp/ran" ]
}

@test "a fork bomb is stopped" {
	needs_controllers
	resources '.pids.limit = 16'
	shell '(for i in $(seq 100); do sleep 300 & done) 2> /dev/null; : > /tmp/tried; exec sleep 300'
	background
	wait_until test -e "$BUNDLE/rootfs/tmp/tried"
	must brig ps --format json "$ID"
	expect_between "$(jq length <<< "$output")" 10 16
}

@test "a cpu quota holds" {
	local began before pid

	needs_controllers
	resources '.cpu = { quota: 10000, period: 50000 }'
	shell 'while :; do :; done'
	background
	pid=$(pid_of)
	began=$(hundredths)
	before=$(cpu_ticks "$pid")
	wait_until has_used $((before + 20)) "$pid"
	# In percent: a fifth of a processor is the most; without the quota it is near 100 where nobody else wants one.
	expect_between $((($(cpu_ticks "$pid") - before) * 100 / ($(hundredths) - began))) 0 35
}

hundredths() { # of a second, since the machine began
	tr -d . < /proc/uptime | cut -d ' ' -f 1
}

has_used() { # TICKS PID
	[ "$(cpu_ticks "$2")" -ge "$1" ]
}

@test "a cpu set holds" {
	needs_controllers
	resources '.cpu.cpus = "1"'
	inside 'grep Cpus_allowed_list /proc/self/status'
	expect_equal "$output" $'Cpus_allowed_list:\t1'
}

@test "the values arrive in the cgroup" {
	needs_v1 memory
	resources '.memory = { limit: 67108864, reservation: 33554432, swappiness: 10 } | .cpu = { shares: 300, quota: 70000, period: 90000 } |
		.pids.limit = 77'
	sleeper
	expect_equal "$(cgroup_value memory memory.limit_in_bytes)" 67108864
	expect_equal "$(cgroup_value memory memory.soft_limit_in_bytes)" 33554432
	expect_equal "$(cgroup_value memory memory.swappiness)" 10
	expect_equal "$(cgroup_value cpu cpu.shares)" 300
	expect_equal "$(cgroup_value cpu cpu.cfs_quota_us)" 70000
	expect_equal "$(cgroup_value cpu cpu.cfs_period_us)" 90000
	expect_equal "$(cgroup_value pids pids.max)" 77
}

@test "limits hold for exec too" {
	needs_controllers
	resources '.memory.limit = 33554432'
	sleeper
	attempt brig exec "$ID" dd if=/dev/zero of=/dev/null bs=200M count=1
	expect_status 137 exec
	expect_equal "$(status_of)" running
}

@test "only v1 hierarchies that are needed get a group" {
	needs_v1 memory
	resources '.pids.limit = 20'
	sleeper
	expect_equal "$(find /sys/fs/cgroup/memory /sys/fs/cgroup/cpu -name "*$ID*")" ""
	[ -n "$(cgroup_folder pids)" ]
}

# bats test_tags=v2
@test "a limit that the view of the machine has no controller for is an error that names it" {
	if ! in_v2_view; then
		resources '.rdma = { mlx5_1: { hcaHandles: 3 } }'
		must_fail 1 'rdma' run_container
	else
		resources '.memory.limit = 33554432'
		must_fail 1 'memory' run_container
		resources '.memory = {} | .pids.limit = 10'
		must_fail 1 'pids' run_container
	fi
	assert_nothing_left
}

# bats test_tags=v2
@test "devices are denied but for the usual ones" {
	mknod "$BUNDLE/rootfs/tmp/tun" c 10 200
	mknod "$BUNDLE/rootfs/tmp/null" c 1 3
	inside '(: < /tmp/tun) 2> /dev/null || echo no tun; echo > /tmp/null && echo null; head -c 1 /dev/urandom | wc -c'
	expect_equal "$output" $'no tun\nnull\n1'
}

# bats test_tags=v2
@test "a device that is allowed works, and only for what is allowed" {
	mknod "$BUNDLE/rootfs/tmp/tun" c 10 200
	resources '.devices = [{ allow: false, access: "rwm" }, { allow: true, type: "c", major: 10, minor: 200, access: "r" }]'
	inside '(: < /tmp/tun) && echo readable; (: > /tmp/tun) 2> /dev/null || echo not writable'
	expect_equal "$output" $'readable\nnot writable'
}

# bats test_tags=v2
@test "linux.devices are made, and allowed by that" {
	config '.linux.devices = [{ path: "/dev/mine", type: "c", major: 1, minor: 5, fileMode: 416, uid: 1000, gid: 1001 },
		{ path: "/tmp/deep/er", type: "c", major: 1, minor: 3, fileMode: 438 }, { path: "/dev/pipe", type: "p", fileMode: 384 }] |
		.linux.resources.devices = [{ allow: false, access: "rwm" }, { allow: true, type: "c", major: 1, minor: 5, access: "rw" }]'
	inside 'stat -c "%F %t:%T %a %u:%g" /dev/mine; head -c 2 /dev/mine | wc -c; stat -c "%F %a" /dev/pipe; stat -c "%F %a" /tmp/deep/er'
	expect_equal "$output" $'character special file 1:5 640 1000:1001\n2\nfifo 600\ncharacter special file 666'
}

# bats test_tags=v2
@test "cgroupsPath is where the container is put, and it is removed afterwards" {
	config --arg path "/it-parent-$ID/leaf" '.linux.cgroupsPath = $path'
	sleeper
	expect_like "$(grep ^0: "/proc/$(pid_of)/cgroup")" "/it-parent-$ID/leaf$"
	must brig delete --force "$ID"
	expect_equal "$(find /sys/fs/cgroup -maxdepth 4 -name leaf -path "*$ID*")" ""
	remove_parents
}

@test "a pod's group that its engine has in a v1 tree alone leaves none in the v2 tree, once the last container is gone" {
	local pod=/sys/fs/cgroup/pids/it-parent-$ID unified=/sys/fs/cgroup/unified/it-parent-$ID

	needs_v1 pids
	[ -e /sys/fs/cgroup/unified/cgroup.procs ] || skip "this machine is not a hybrid one"
	mkdir "$pod" "$pod/inner"
	config --arg path "/it-parent-$ID/inner/leaf-$ID" '.linux.cgroupsPath = $path'
	sleeper
	[ -d "$unified/inner" ]
	config --arg path "/it-parent-$ID/inner/other-$ID" '.linux.cgroupsPath = $path'
	must brig run --detach --bundle "$BUNDLE" "$ID-2"
	must brig delete --force "$ID"
	[ -d "$unified/inner/other-$ID" ]
	must brig delete --force "$ID-2"
	expect_missing "$unified"
	[ -d "$pod/inner" ]
	# What somebody made himself is his, also in the v2 tree.
	mkdir "$unified"
	must brig run --detach --bundle "$BUNDLE" "$ID"
	must brig delete --force "$ID"
	expect_missing "$unified/inner"
	[ -d "$unified" ]
	rmdir "$unified" "$pod/inner" "$pod"
}

# bats test_tags=v2
@test "a cgroup that is there and frozen is refused as callers know it, and stays so; thawed and empty it is taken" {
	local group=/sys/fs/cgroup/unified/brig-test-$ID file=cgroup.freeze frozen=1 thawed=0

	if in_v2_view; then
		group=/sys/fs/cgroup/brig-test-$ID
	elif [ ! -d /sys/fs/cgroup/unified ]; then
		group=/sys/fs/cgroup/freezer/brig-test-$ID file=freezer.state frozen=FROZEN thawed=THAWED
	fi
	config --arg path "/brig-test-$ID" '.linux.cgroupsPath = $path'
	program echo ran
	mkdir "$group"
	echo "$frozen" > "$group/$file"
	must_fail 1 "container's cgroup unexpectedly frozen" run_container
	must_fail 1 "container's cgroup unexpectedly frozen" create
	expect_file "$group/$file" "$frozen"
	echo "$thawed" > "$group/$file"
	must run_container
	expect_equal "$output" ran
}

@test "a cgroupsPath that leads out is refused" {
	local path

	for path in ../../x /../x a/../../x / . ''; do
		config --arg path "$path" '.linux.cgroupsPath = $path'
		attempt run_container
		if [ -n "$path" ] && [ "$status" -eq 0 ]; then
			flunk "cgroupsPath '$path' was accepted"
		fi
	done
	assert_nothing_left
}

# bats test_tags=v2
@test "the container's view of its cgroup is read-only, and of that alone" {
	add_namespace cgroup
	add_mount /sys/fs/cgroup cgroup cgroup nosuid noexec nodev relatime ro
	attempt run_container
	expect_status 0 run
	inside 'find /sys/fs/cgroup -name cgroup.procs | head -n 1; mkdir /sys/fs/cgroup/x 2> /dev/null || echo ro'
	expect_like "$output" ro
	expect_unlike "$output" "$ID"
}
