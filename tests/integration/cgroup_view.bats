#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2153,SC2154 # scripts of other languages; bats: a subshell a test, $stderr
# bats file_tags=v2
# What a container sees at /sys/fs/cgroup: its own group and nothing above it.

load support/common

prepare() {
	add_mount /sys/fs/cgroup cgroup cgroup nosuid nodev noexec ro
}

@test "without limits the cgroup mount is the v2 tree from the container's group on" {
	add_namespace cgroup
	inside 'cat /sys/fs/cgroup/cgroup.procs; ls -d /sys/fs/cgroup/*/ 2> /dev/null | wc -l'
	expect_line "$output" 1
	expect_line "$output" 0
	inside 'mkdir /sys/fs/cgroup/mine 2>&1 || true'
	expect_like "$output" "Read-only file system"
}

@test "without a cgroup namespace the mount is the container's own group all the same" {
	without_namespace cgroup
	inside 'cat /sys/fs/cgroup/cgroup.procs; ls -d /sys/fs/cgroup/*/ 2> /dev/null | wc -l'
	expect_line "$output" 1
	expect_line "$output" 0
}

@test "on a host with v1 controllers those that hold a limit are where programs look for them" {
	needs_v1 memory
	config '.linux.resources.memory.limit = 67108864'
	inside 'cat /sys/fs/cgroup/memory/memory.limit_in_bytes; cat /sys/fs/cgroup/unified/cgroup.procs; ls /sys/fs/cgroup'
	expect_line "$output" 67108864
	expect_line "$output" 1
	expect_unlike "$output" "blkio"
	inside 'mkdir /sys/fs/cgroup/memory/mine /sys/fs/cgroup/mine 2>&1 || true'
	expect_equal "$(grep -c "Read-only file system" <<< "$output")" 2
	add_mount /other cgroup cgroup nosuid nodev noexec ro
	inside 'cat /sys/fs/cgroup/memory/memory.limit_in_bytes /other/memory/memory.limit_in_bytes; mkdir /other/memory/mine 2>&1 || true'
	expect_equal "$(grep -cx 67108864 <<< "$output")" 2
	expect_like "$output" "Read-only file system"
}

@test "groups below that the container makes are bounded, whatever config.json says: they could not be removed else" {
	in_v2_view || skip "nothing of a group is handed over but in a v2 tree"
	user_namespace
	add_namespace cgroup
	config '(.mounts[] | select(.destination == "/sys/fs/cgroup") | .options) = ["nosuid", "nodev", "noexec", "rw"] |
		.linux.resources.unified = { "cgroup.max.depth": "max", "cgroup.max.descendants": "999999" }'
	inside 'cat /sys/fs/cgroup/cgroup.max.depth /sys/fs/cgroup/cgroup.max.descendants; mkdir /sys/fs/cgroup/mine && echo made'
	expect_equal "$output" $'32\n4096\nmade'
	config '.linux.resources.unified = { "cgroup.max.depth": "3" }'
	inside 'cat /sys/fs/cgroup/cgroup.max.depth /sys/fs/cgroup/cgroup.max.descendants'
	expect_equal "$output" $'3\n4096'
}
