#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2153,SC2154 # scripts of other languages; bats: a subshell a test, $output and $stderr
# Attacks by a bundle or an image: config.json, labels, links, names. Those that have a test elsewhere are not here again: README.md.

load ../integration/support/common

# Under the set that does as it is told: what is refused here is refused by code, for everybody.
conformant() { # [OPTION...]
	brig --policy conformant run --bundle "$BUNDLE" "$@" "$ID"
}

strict() { # [OPTION...]
	brig --policy strict run --bundle "$BUNDLE" "$@" "$ID"
}

# strict_without RULE...: the same but for these.
strict_without() {
	jq -n '{ set: "strict", rules: ($ARGS.positional | map({ key: ., value: "off" }) | from_entries) }' --args "$@" > "$T/open.json"
	brig --policy "$T/open.json" run --bundle "$BUNDLE" "$ID"
}

@test "CVE-2016-3697, CVE-2024-40635, CVE-2026-46680, CVE-2026-30892: no odd user becomes root" {
	local user

	for user in 4294967295 4294967296 18446744073709551616 -1 '"root"' '"0"' 0.5 null '[]'; do
		config --argjson user "$user" '.process.user = { uid: $user, gid: 0 }'
		must_fail 1 'process.user' conformant
		config --argjson user "$user" '.process.user = { uid: 1, gid: $user }'
		must_fail 1 'process.user' conformant
		config --argjson user "$user" '.process.user = { uid: 1, gid: 1, additionalGids: [$user] }'
		must_fail 1 'process.user' conformant
	done
	# A numeric name in the image's passwd is a name, and not asked.
	printf '%s\n' '1000:x:0:0:root:/root:/bin/sh' '4242:x:0:0::/:/bin/sh' > "$BUNDLE/rootfs/etc/passwd"
	config '.process.user = { uid: 1000, gid: 1000 }'
	shell 'grep -E "^[UG]id:" /proc/self/status'
	must conformant
	expect_equal "$output" $'Uid:\t1000\t1000\t1000\t1000\nGid:\t1000\t1000\t1000\t1000'
	assert_nothing_left
}

@test "CVE-2021-43784: lengths that overflow what is sent to the container's first process" {
	config '.hostname = ("a" * 70000)'
	must_fail 1 'hostname' conformant
	config '.hostname = "inside" | .linux.namespaces += [{ type: "user" }] |
		.linux.uidMappings = [range(400) | { containerID: (. * 10), hostID: (100000 + . * 10), size: 10 }] | .linux.gidMappings = .linux.uidMappings'
	must_fail 1 'linux.uidMappings|linux.gidMappings' conformant
	config 'del(.linux.uidMappings, .linux.gidMappings) | .linux.namespaces |= map(select(.type != "user")) | .linux.namespaces |= map(if .type == "network" then .path = "/" + ("a/" * 40000) else . end)'
	must_fail 1 'linux.namespaces|config.json' conformant
	assert_nothing_left
}

@test "oversized, empty and overlapping maps of ids are refused" {
	local maps

	for maps in '[{ "containerID": 0, "hostID": 0, "size": 4294967296 }]' '[{ "containerID": 4294967290, "hostID": 0, "size": 100 }]' \
		'[{ "containerID": 0, "hostID": 4294967290, "size": 100 }]' '[{ "containerID": 0, "hostID": 100000, "size": 0 }]' '[]' \
		'[{ "containerID": 0, "hostID": 100000, "size": 10 }, { "containerID": 5, "hostID": 200000, "size": 10 }]'; do
		user_namespace
		config --argjson maps "$maps" '.linux.uidMappings = $maps'
		must_fail 1 'linux.uidMappings|uid_map|user namespace' conformant
	done
	chown -hR 0:0 "$BUNDLE/rootfs"
	assert_nothing_left
}

@test "CVE-2022-0811: a value can't carry a second setting; the container's own are set" {
	local before value

	before=$(< /proc/sys/kernel/core_pattern)
	for value in '1+kernel.core_pattern=|/evil' $'1\nkernel.core_pattern=|/evil' $'1\x01'; do
		config --arg value "$value" '.linux.sysctl = { "kernel.shm_rmid_forced": $value }'
		must_fail 1 'linux.sysctl' conformant
	done
	config '.linux.sysctl = { "kernel.shm_rmid_forced": "1" }'
	shell 'cat /proc/sys/kernel/shm_rmid_forced'
	must conformant
	expect_equal "$output" 1
	expect_file /proc/sys/kernel/core_pattern "$before"
}

@test "CVE-2022-4318, CVE-2026-15809: HOME and names write no line into passwd" {
	local before

	before=$(< "$BUNDLE/rootfs/etc/passwd")
	config '.process.user.uid = 4242 | .process.env += ["HOME=/tmp\nevil:x:0:0::/:/bin/sh", "USER=evil:x:0:0"] | .process.user.username = "evil:x:0:0"'
	attempt conformant
	expect_file "$BUNDLE/rootfs/etc/passwd" "$before"
	config '.process.env |= map(select(startswith("HOME") | not))'
	printf 'ship:x:4242:1000:ship:/home\001/ship\tx:/bin/sh\n' >> "$BUNDLE/rootfs/etc/passwd"
	shell 'env | grep -c ^HOME='
	must conformant
	expect_equal "$output" 1
	expect_equal "$(grep -c . "$BUNDLE/rootfs/etc/passwd")" 3
}

@test "CVE-2023-25173, CVE-2022-2995: the caller's groups are not the container's, nor do they come back" {
	shell 'grep ^Groups: /proc/self/status; id -G'
	must env BRIG_TEST="$ID" setpriv --groups 4,5,6,27 "$BRIG" --root "$ROOT" --policy conformant run --bundle "$BUNDLE" "$ID"
	expect_equal "$(tr -d ' \t' <<< "$output")" $'Groups:\n0'
	config '.process.user.additionalGids = [70, 71]'
	must env BRIG_TEST="$ID" setpriv --groups 4,5,6,27 "$BRIG" --root "$ROOT" --policy conformant run --bundle "$BUNDLE" "$ID"
	expect_equal "$(head -n 1 <<< "$output" | tr -s ' \t' ' ' | sed 's/ $//')" 'Groups: 70 71'
}

@test "CVE-2025-24965, CVE-2024-3154, CVE-2026-53488: annotations and labels run nothing and write nothing" {
	local name

	mkdir "$T/outside"
	printf '#!/bin/sh\ntouch %s/outside/ran\n' "$T" > "$T/evil"
	chmod 755 "$T/evil"
	ln -s "$T/outside/config" "$BUNDLE/rootfs/.krun_config.json"
	config --arg evil "$T/evil" '.annotations = { "run.oci.handler": "krun", "run.oci.hooks.stdout": ($evil | sub("evil"; "outside/out")),
		"org.systemd.property.ExecStartPre": "[(\"\($evil)\", [\"\($evil)\"], false)]", "org.example.logger": "binary://\($evil)",
		"io.containerd.image.label.log": "binary://\($evil)?x=y", "containerd.io/restart.loguri": "binary://\($evil)" } |
		.process.env += ["LOG_URI=binary://\($evil)"]'
	attempt conformant
	expect_equal "$(ls -A "$T/outside")" ""
	must_fail 1 'rule annotation' strict
	for name in org.example.logger io.containerd.image.label.log containerd.io/restart.loguri; do
		config --arg evil "$T/evil" --arg name "$name" '.annotations = { ($name): "binary://\($evil)" }'
		must strict
	done
	expect_equal "$(ls -A "$T/outside")" ""
}

@test "CVE-2025-52881, CVE-2025-62596, CVE-2019-16884: nothing is mounted where the runtime writes in /proc" {
	local place

	mkdir "$T/fake"
	echo trapped > "$T/fake/exec"
	for place in /proc/self /proc/self/attr /proc/thread-self/attr /proc/1/attr /proc/sys/kernel /proc/sys /proc/./self /proc/../proc/self; do
		config '.mounts |= .[:5]'
		add_mount "$place" bind "$T/fake" bind
		must_fail 1 'lies in /proc|procfs' conformant
		config '.mounts |= .[:5]'
		add_mount "$place" tmpfs tmpfs
		must_fail 1 'lies in /proc|procfs' conformant
	done
	# By a link of the image, whose target is in /proc.
	for place in self/attr sys/kernel; do
		ln -sfn "/proc/$place" "$BUNDLE/rootfs/harmless"
		config '.mounts |= .[:5]'
		add_mount /harmless bind "$T/fake" bind
		must_fail 1 '/proc|procfs' conformant
	done
	expect_file "$T/fake/exec" trapped
	assert_nothing_left
}

@test "CVE-2024-0132, CVE-2025-23266: a hook has nothing of the container's environment, and under strict none runs that is not listed" {
	mkdir "$T/hooks"
	printf '#!/bin/sh\nexec /usr/bin/env > %s/env\n' "$T" > "$T/hooks/hook"
	chmod 755 "$T/hooks/hook"
	config --arg hook "$T/hooks/hook" '.process.env += ["LD_PRELOAD=/tmp/evil.so", "LD_AUDIT=/tmp/evil.so", "BASH_ENV=/tmp/evil"] |
		.hooks.createContainer = [{ path: $hook }] | .hooks.prestart = [{ path: $hook }]'
	must_fail 1 'rule hook' strict
	expect_missing "$T/env"
	must strict_without hook
	expect_unlike "$(< "$T/env")" 'evil'
}

@test "CVE-2025-47291: with a user namespace too a container is in the group that it was given" {
	config --arg path "/it-parent-$ID/leaf" '.linux.cgroupsPath = $path'
	program sleep 300
	must strict --detach
	expect_different "$(readlink "/proc/$(pid_of)/ns/user")" "$(readlink /proc/self/ns/user)"
	expect_equal "$(grep -vc "/it-parent-$ID/leaf" <(grep -E '^(0|[0-9]+:pids):' "/proc/$(pid_of)/cgroup"))" 0
	must brig delete --force "$ID"
	remove_parents
}

# Of this test alone, with no controller. With groups that are going away it outlives its mount, so it is looked for again.
hierarchy_is_gone() { # NAME
	grep -q "[:,]name=$1:" /proc/self/cgroup || return 0
	mount -t cgroup -o "none,name=$1" none "$T/hierarchy" && umount "$T/hierarchy"
	return 1
}

# The same without a container: the kernel looks for the program from the machine's own root directory.
is_run_for_us() { # NAME
	local group=$T/hierarchy/x

	mount -t cgroup -o "none,name=$1-us" none "$T/hierarchy"
	echo "$T/agent" > "$T/hierarchy/release_agent"
	mkdir "$group"
	echo 1 > "$group/notify_on_release"
	sh -c 'echo $$ > "$1/cgroup.procs"' sh "$group"
	for _ in $(seq 50); do
		[ ! -s "$T/ran" ] || break
		sleep 0.1
	done
	rmdir "$group"
	umount "$T/hierarchy"
	wait_until hierarchy_is_gone "$1-us"
	[ -s "$T/ran" ] && rm "$T/ran"
}

@test "CVE-2022-0492: nothing is run by release_agent on the host; with the rules off root of the host runs it" {
	local name=release-$$

	mkdir "$T/hierarchy"
	printf '#!/bin/sh\nid -u > %s/ran\n' "$T" > "$T/agent"
	chmod 755 "$T/agent"
	capabilities CAP_SYS_ADMIN CAP_DAC_OVERRIDE
	config --arg script "mkdir /tmp/cg; mount -t cgroup -o none,name=$name none /tmp/cg || exit 0; echo mounted; echo $T/agent > /tmp/cg/release_agent
		mkdir /tmp/cg/x; echo 1 > /tmp/cg/x/notify_on_release; sh -c 'echo \$\$ > /tmp/cg/x/cgroup.procs'; sleep 0.2; rmdir /tmp/cg/x; umount /tmp/cg" '
		.process.args = ["sh", "-c", $script] | .linux.namespaces |= map(select(.type != "cgroup"))'
	must strict
	expect_equal "$output" ""
	expect_missing "$T/ran"
	must strict_without capability seccomp user-namespace cgroup-namespace new-privileges apparmor
	wait_until hierarchy_is_gone "$name"
	[ "$output" = mounted ] || skip "this kernel mounts no hierarchies of version 1: $stderr"
	[ -s "$T/ran" ] || is_run_for_us "$name" || skip "the kernel runs nothing of this test's folder: we are in a chroot, or a container"
	wait_until test -s "$T/ran"
	expect_file "$T/ran" 0
}

@test "CVE-2022-0492, CVE-2023-25809: what is shown of cgroups is read-only, and has no release_agent" {
	add_mount /sys/fs/cgroup cgroup cgroup nosuid noexec nodev relatime
	shell 'ls /sys/fs/cgroup > /tmp/seen; for file in $(find /sys/fs/cgroup -name release_agent -o -name cgroup.procs); do (echo 0 > $file) 2> /dev/null && echo written $file; done
		mkdir /sys/fs/cgroup/mine 2> /dev/null && echo made; find /sys/fs/cgroup -name release_agent; wc -l < /tmp/seen'
	must strict
	expect_like "$output" '^[1-9][0-9]*$'
	# Nothing else keeps it from that: its own group, shown writable.
	config '.mounts[5].options += ["rw"]'
	must strict
	expect_unlike "$output" 'release_agent$'
}

@test "powercap: the meters of the processor's power can't be read" {
	if [ ! -e /sys/devices/virtual/powercap ]; then
		must brig --policy strict plan --bundle "$BUNDLE" --json
		expect_like "$output" '/sys/devices/virtual/powercap'
		attempt brig --policy conformant plan --bundle "$BUNDLE" --json
		expect_unlike "$output" 'powercap'
		return
	fi
	shell 'ls -A /sys/devices/virtual/powercap'
	must strict
	expect_equal "$output" ""
	must strict_without masked-path
	expect_different "$output" ""
}
