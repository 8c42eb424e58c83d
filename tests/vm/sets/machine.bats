#!/usr/bin/env bats
# tiers: qemu
# shellcheck disable=SC2016,SC2030,SC2031,SC2153,SC2154 # scripts of other languages; bats: a subshell a test, $stderr
# What a whole machine alone has: processors to choose from, huge pages, a disk, Landlock. Short, since the emulator is slow.

load ../../integration/support/common

resources() { # FILTER
	config ".linux.resources |= ((. // {}) | $1)"
}

# Where the container's process is.
value() { # FILE
	cat "/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$(pid_of)/cgroup")/$1"
}

@test "cpuset.cpus: a program runs there alone" {
	resources '.cpu.cpus = "1"'
	inside 'grep Cpus_allowed_list /proc/self/status'
	expect_equal "$output" $'Cpus_allowed_list:\t1'
}

@test "cpuset partitions by the kernel's own name" {
	resources '.unified = { "cpuset.cpus": "1", "cpuset.cpus.partition": "member" }'
	sleeper
	expect_equal "$(value cpuset.cpus.partition)" member
}

@test "a cpuset partition with processors of its own" {
	config --arg path "/$ID" '.linux.cgroupsPath = $path'
	resources '.unified = { "cpuset.cpus": "1", "cpuset.cpus.partition": "root" }'
	sleeper
	expect_equal "$(value cpuset.cpus.partition)" root
	expect_equal "$(cat /sys/fs/cgroup/cpuset.cpus.effective)" 0
	must brig delete --force "$ID"
	expect_equal "$(cat /sys/fs/cgroup/cpuset.cpus.effective)" 0-1
}

@test "hugetlb: a limit is in its file" {
	resources '.hugepageLimits = [{ pageSize: "2MB", limit: 4194304 }]'
	sleeper
	expect_equal "$(value hugetlb.2MB.max)" 4194304
}

@test "io.max: writing to a disk takes its time" {
	local device began took

	device=$(lsblk --noheadings --output MAJ:MIN,TYPE 2> /dev/null | awk '$2 == "disk" { print $1; exit }')
	[ -n "$device" ]
	config --argjson major "${device%:*}" --argjson minor "${device#*:}" '.linux.resources.blockIO = { throttleReadBpsDevice:
		[{ major: $major, minor: $minor, rate: 1048576 }] }'
	mknod "$BUNDLE/rootfs/tmp/disk" b "${device%:*}" "${device#*:}"
	config --argjson major "${device%:*}" --argjson minor "${device#*:}" '.linux.resources.devices = [{ allow: false, access: "rwm" },
		{ allow: true, type: "b", major: $major, minor: $minor, access: "r" }, { allow: true, type: "c", access: "rw" }]'
	began=$(date +%s%N)
	inside 'dd if=/tmp/disk of=/dev/null bs=64k count=48 iflag=direct 2> /dev/null; echo done'
	took=$((($(date +%s%N) - began) / 1000000))
	# Three megabytes at one a second.
	[ "$took" -gt 1500 ]
}

@test "Landlock is on, and strict uses it" {
	grep -qw landlock /sys/kernel/security/lsm
	attempt brig doctor
	expect_like "$output" 'landlock.*version [0-9]'
	rm -f /etc/brig/policy.json
	config '.root.readonly = true'
	attempt brig plan --bundle "$BUNDLE"
	install -D -m 644 "$BRIG_SOURCE/tests/support/policies/conformant.json" /etc/brig/policy.json
	expect_like "$output" 'level=note rule=landlock'
}

@test "a scope of systemd with a set of processors" {
	resources '.cpu = { cpus: "1", mems: "0" }'
	program sleep 300
	must brig --systemd-cgroup run --detach --bundle "$BUNDLE" "$ID"
	expect_equal "$(systemctl show --value --property=AllowedCPUs "brig-$ID.scope")" 1
	systemctl daemon-reload
	expect_equal "$(value cpuset.cpus)" 1
}

# ciphers LEVEL: what a socket of the kernel's ciphers says, under strict with the rule seccomp at that level.
ciphers() {
	jq -n --arg level "$1" '{ set: "strict", audit: { enabled: false },
		rules: { "user-namespace": "off", "volume-unmapped": "off", seccomp: $level } }' > "$T/policy.json"
	must brig --policy "$T/policy.json" run --bundle "$BUNDLE" "$ID"
}

# Where kernels have none, tests/cve/filter.bats can only compare errors.
@test "CVE-2026-31431: where the kernel has ciphers for programs, strict has none, and the same without the rule has them: the attack bites" {
	if ! insmod /control/modules/af_alg.ko*; then
		[ -e /sys/module/af_alg ]
	fi
	mkdir "$BUNDLE/rootfs/usr/host"
	add_mount /usr/host bind /usr rbind ro
	for folder in lib lib64; do
		rm -rf "${BUNDLE:?}/rootfs/$folder"
		ln -s "usr/host/$folder" "$BUNDLE/rootfs/$folder"
	done
	printf '%s\n' 'import socket' 'try:' ' print(socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET).family)' \
		'except OSError as error:' ' print(error.strerror)' > "$BUNDLE/rootfs/tmp/ciphers"
	program /usr/host/bin/python3 /tmp/ciphers
	config '.process.env += ["PYTHONHOME=/usr/host", "LD_LIBRARY_PATH=/usr/host/lib/x86_64-linux-gnu"]'
	ciphers adjust
	expect_equal "$output" 'Operation not permitted'
	ciphers "off"
	expect_like "$output" '^(38|AddressFamily.AF_ALG)$'
}

# Linux 6.12 here, and 7.2 in another stage: one on each side of what maps layers (docs/user-namespaces.md).
@test "an overlay that the supervisor has mounted: a user namespace where the kernel maps layers, else none, without capabilities" {
	local own

	own=$(readlink /proc/self/ns/user)
	mkdir "$T/upper" "$T/work" "$T/lower"
	mv "$BUNDLE/rootfs" "$T/layer"
	mkdir "$BUNDLE/rootfs"
	shell 'readlink /proc/self/ns/user; grep CapBnd /proc/self/status; touch /made'
	printf '%s\n' "create $ID $BUNDLE overlay overlay lowerdir=$T/layer:$T/lower,upperdir=$T/upper,workdir=$T/work" \
		"start $ID" wait "delete $ID" > "$T/script"
	STDIN=$T/script BRIG_TEST=$ID must "$BRIG_BUILD/tests/support/supervisor" "$ROOT" strict
	expect_line "$output" "status 0"
	expect_equal "$(stat -c %u "$T/upper/made")" 0
	if printf '6.15\n%s\n' "$(uname -r)" | sort --check=quiet --version-sort; then
		expect_unlike "$output" "$own"
		attempt brig doctor
		expect_like "$output" 'works +overlay '
	else
		expect_line "$output" "$own"
		expect_like "$output" 'CapBnd:.0{16}'
		attempt brig doctor
		expect_like "$output" 'lacks +overlay .*without id-mapped layers'
		expect_like "$output" 'use Linux 6\.15 or later'
	fi
}
