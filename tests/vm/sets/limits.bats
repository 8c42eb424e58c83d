#!/usr/bin/env bats
# tiers: uml qemu
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
}

@test "memory.oom.group: the whole container goes with one of its processes" {
	resources '.memory.limit = 33554432 | .unified["memory.oom.group"] = "1"'
	shell 'dd if=/dev/zero of=/dev/null bs=200M count=1; echo survived'
	attempt run_container
	expect_status 137 run
	expect_unlike "$output" survived
}

@test "events tells of a kill for memory, and of the pressure" {
	resources '.memory.limit = 33554432'
	shell 'while [ ! -e /tmp/go ]; do sleep 0.05; done; dd if=/dev/zero of=/dev/null bs=200M count=1; sleep 1'
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
	expect_different "$(value cpu.weight)" 100
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
	sleeper
	must brig events --stats "$ID"
	expect_json "$output" '.data.memory.usage.usage > 0 and .data.pids.current >= 1 and .data.cpu.usage.total > 0'
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

@test "pause and resume" {
	sleeper
	must brig pause "$ID"
	expect_equal "$(status_of)" paused
	expect_like "$(value cgroup.events)" 'frozen 1'
	must brig resume "$ID"
	expect_equal "$(status_of)" running
}
