#!/usr/bin/env bats
# tiers: qemu
# shellcheck disable=SC2016,SC2030,SC2031,SC2153,SC2154 # scripts of other languages; bats: a subshell a test, $stderr
# Beyond machine.bats: what is slow to see in the emulator.

load ../../integration/support/common

resources() { # FILTER [JQ-OPTION...]
	config ".linux.resources |= ((. // {}) | $1)" "${@:2}"
}

# Where the container's process is.
value() { # FILE
	cat "/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$(pid_of)/cgroup")/$1"
}

own_processors() { # PARTITION
	config --arg path "/$ID" '.linux.cgroupsPath = $path'
	resources '.unified = { "cpuset.cpus": "1", "cpuset.cpus.partition": $partition }' --arg partition "$1"
	sleeper
	expect_equal "$(value cpuset.cpus.partition)" "$1"
	expect_equal "$(value cpuset.cpus.effective)" 1
	expect_equal "$(cat /sys/fs/cgroup/cpuset.cpus.effective)" 0
	must brig delete --force "$ID"
	expect_equal "$(cat /sys/fs/cgroup/cpuset.cpus.effective)" 0-1
}

@test "a cpuset partition that is isolated from the scheduler's balancing" {
	own_processors isolated
}

@test "hugetlb: so many pages are had, and no more" {
	echo 4 > /proc/sys/vm/nr_hugepages
	expect_equal "$(cat /proc/sys/vm/nr_hugepages)" 4
	mkdir "$T/huge"
	mount -t hugetlbfs -o pagesize=2M hugetlbfs "$T/huge"
	add_mount /huge bind "$T/huge" bind rw
	resources '.hugepageLimits = [{ pageSize: "2MB", limit: 4194304 }]'
	sleeper
	expect_equal "$(value hugetlb.2MB.max)" 4194304
	must brig exec "$ID" fallocate -l 4M /huge/two
	expect_equal "$(value hugetlb.2MB.current)" 4194304
	must_fail 1 '' brig exec "$ID" fallocate -l 2M /huge/third
	expect_equal "$(value hugetlb.2MB.events)" 'max 1'
	must brig events --stats "$ID"
	expect_json "$output" '.data.hugetlb["2MB"].usage == 4194304'
	must brig delete --force "$ID"
	umount "$T/huge"
	echo 0 > /proc/sys/vm/nr_hugepages
}

has_pressure() { # FILTER
	must brig events --stats "$ID"
	jq --exit-status "$1" <<< "$output" > /dev/null
}

@test "pressure (PSI): what waits for its share of a processor is in the statistics" {
	resources '.cpu = { quota: 10000, period: 50000 }'
	shell 'while :; do :; done & while :; do :; done'
	background
	expect_like "$(value cpu.pressure)" '^some avg10='
	wait_until has_pressure '.data.cpu.psi.some.total > 0'
}
