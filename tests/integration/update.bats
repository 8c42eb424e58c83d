#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2153,SC2154 # scripts of other languages; bats: a subshell a test, $stderr
# brig update.

load support/common

prepare() {
	needs_v1 memory
	config '.linux.resources = { memory: { limit: 67108864 }, pids: { limit: 50 }, cpu: { shares: 512, quota: 50000, period: 100000, cpus: "0-1" } }'
	sleeper
}

@test "each flag changes its file" {
	must brig update --memory 100m "$ID"
	expect_equal "$(cgroup_value memory memory.limit_in_bytes)" 104857600
	must brig update --memory-reservation 50331648 "$ID"
	expect_equal "$(cgroup_value memory memory.soft_limit_in_bytes)" 50331648
	must brig update --cpu-share 700 "$ID"
	expect_equal "$(cgroup_value cpu cpu.shares)" 700
	must brig update --cpu-quota 30000 "$ID"
	expect_equal "$(cgroup_value cpu cpu.cfs_quota_us)" 30000
	must brig update --cpu-period 200000 "$ID"
	expect_equal "$(cgroup_value cpu cpu.cfs_period_us)" 200000
	must brig update --cpuset-cpus 1 "$ID"
	expect_equal "$(cgroup_value cpuset cpuset.cpus)" 1
	must brig update --cpuset-mems 0 "$ID"
	expect_equal "$(cgroup_value cpuset cpuset.mems)" 0
	must brig update --pids-limit 99 "$ID"
	expect_equal "$(cgroup_value pids pids.max)" 99
	must brig update --pids-limit -1 "$ID"
	expect_equal "$(cgroup_value pids pids.max)" max
	must brig update --cpu-quota -1 "$ID"
	expect_equal "$(cgroup_value cpu cpu.cfs_quota_us)" -1
}

@test "--cpu-burst changes its file" {
	if [ ! -e "$(cgroup_folder cpu)/cpu.cfs_burst_us" ]; then
		skip "this kernel's cgroup v1 has no cpu.cfs_burst_us"
	fi
	must brig update --cpu-burst 5000 "$ID"
	expect_equal "$(cgroup_value cpu cpu.cfs_burst_us)" 5000
}

@test "several flags at once, and what is not named stays" {
	must brig update --memory 80m --pids-limit 60 "$ID"
	expect_equal "$(cgroup_value memory memory.limit_in_bytes)" 83886080
	expect_equal "$(cgroup_value pids pids.max)" 60
	expect_equal "$(cgroup_value cpu cpu.shares)" 512
	expect_equal "$(cgroup_value cpu cpu.cfs_quota_us)" 50000
}

@test "a period that was given alone is that of a quota which comes later" {
	must brig delete --force "$ID"
	config '.linux.resources.cpu = { period: 50000 }'
	sleeper
	must brig update --cpu-quota 25000 "$ID"
	expect_equal "$(cgroup_value cpu cpu.cfs_quota_us) of $(cgroup_value cpu cpu.cfs_period_us)" "25000 of 50000"
}

@test "a limit of 0 in --resources is none that was given: the container's stay" {
	echo '{ "memory": { "limit": 0 }, "cpu": { "shares": 0, "quota": 0, "period": 0 }, "pids": { "limit": 0 } }' > "$T/resources.json"
	must brig update --resources "$T/resources.json" "$ID"
	expect_equal "$(cgroup_value memory memory.limit_in_bytes) $(cgroup_value pids pids.max)" "67108864 50"
	expect_equal "$(cgroup_value cpu cpu.shares) $(cgroup_value cpu cpu.cfs_quota_us)" "512 50000"
}

@test "--resources takes a file, and - the standard input" {
	echo '{ "memory": { "limit": 90000000 }, "cpu": { "shares": 900 } }' > "$T/resources.json"
	must brig update --resources "$T/resources.json" "$ID"
	expect_equal "$(cgroup_value cpu cpu.shares)" 900
	echo '{ "pids": { "limit": 33 } }' > "$T/resources.json"
	STDIN=$T/resources.json must brig update --resources - "$ID"
	expect_equal "$(cgroup_value pids pids.max)" 33
	echo '{ "pids": { "limit": 34 } }' > "$T/resources.json"
	STDIN=$T/resources.json must brig update -r - "$ID"
	expect_equal "$(cgroup_value pids pids.max)" 34
}

@test "an update that fails takes back what it had done" {
	echo '{ "memory": { "limit": 90000000 }, "pids": { "limit": 33 }, "cpu": { "shares": 900, "cpus": "77" } }' > "$T/resources.json"
	must_fail 1 'cpus' brig update --resources "$T/resources.json" "$ID"
	expect_equal "$(cgroup_value memory memory.limit_in_bytes)" 67108864
	expect_equal "$(cgroup_value pids pids.max)" 50
	expect_equal "$(cgroup_value cpu cpu.shares)" 512
	expect_equal "$(cgroup_value cpuset cpuset.cpus)" 0-1
}

@test "a limit that starts to bite after an update" {
	must brig update --memory 24m "$ID"
	attempt brig exec "$ID" dd if=/dev/zero of=/dev/null bs=60M count=1
	expect_status 137 exec
}

@test "bad values are refused and change nothing" {
	must_fail 1 'pids-limit' brig update --pids-limit many "$ID"
	must_fail 1 'memory' brig update --memory 12q "$ID"
	echo '{ "pids": { "limit": "x" } }' > "$T/resources.json"
	must_fail 1 'pids.limit' brig update --resources "$T/resources.json" "$ID"
	echo '{ "pids": {' > "$T/resources.json"
	STDIN=$T/resources.json must_fail 1 . brig update --resources - "$ID"
	expect_equal "$(cgroup_value pids pids.max)" 50
}

@test "update of stopped and missing containers" {
	must_fail 1 'container does not exist' brig update --pids-limit 5 nobody-here
	must brig kill "$ID" KILL
	wait_until status_is stopped
	must_fail 1 'not running' brig update --pids-limit 5 "$ID"
}

@test "events --stats shows usage and limits" {
	must brig events --stats "$ID"
	expect_json "$output" '.type == "stats" and .data.pids.current >= 1 and .data.pids.limit == 50 and
		.data.memory.usage.limit == 67108864 and .data.cpu.usage.total >= 0'
}

@test "events prints one object a line and ends with the container" {
	helper brig events --interval 100ms "$ID"
	wait_until has_two_lines
	must brig kill "$ID" KILL
	wait_until helper_ended
	jq -e '.type == "stats"' "$T/helper.out" > /dev/null
}

has_two_lines() {
	[ "$(grep -c . "$T/helper.out")" -ge 2 ]
}

helper_ended() {
	! grep -q '^State:.[^ZX]' "/proc/$HELPER/status" 2> /dev/null
}
