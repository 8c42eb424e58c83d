#!/usr/bin/env bats
# tiers: uml qemu
# with: auditctl
# seconds: 25
# shellcheck disable=SC2016,SC2030,SC2031,SC2153,SC2154 # scripts of other languages; bats: a subshell a test, $output
# What the kernel writes down of refused calls where nobody counts, and brig explain finds there: in the kernel's messages and in auditd's file, for
# containers with ids of their own and without. A kernel of the test's own: nobody else uses up its rate.

load ../../integration/support/common

prepare() {
	echo 0 > /proc/sys/kernel/printk_ratelimit
	mkdir -p "$BUNDLE/rootfs/etc"
	chmod 1777 "$BUNDLE/rootfs/tmp"
}

policy() { # FILTER
	jq -n "{ set: \"strict\", audit: { enabled: false, kernel_log: true } } | $1" > "$T/policy.json"
}

# Its first process asks for what it does not get (reboot(2), to turn a key off), and stays.
init() {
	echo '::sysinit:/bin/touch /tmp/ready' > "$BUNDLE/rootfs/etc/inittab"
	program /bin/busybox init
	[ -e "$BUNDLE/rootfs/bin/touch" ] || ln -s busybox "$BUNDLE/rootfs/bin/touch"
	must brig --policy "$T/policy.json" run --detach --bundle "$BUNDLE" "$ID"
	wait_until test -e "$BUNDLE/rootfs/tmp/ready"
}

# A thread of the kernel's writes messages down, some time later.
logged() {
	must brig explain --json "$ID"
	[ "$(jq '.kernelLog | length' <<< "$output")" != 0 ]
}

# The file with what a daemon writes, of a time of its own.
auditd() {
	mkdir -p /var/log/audit "$T/auditd"
	chmod 0750 "$T/auditd"
	cat > "$T/auditd/auditd.conf" <<- 'END'
		local_events = yes
		write_logs = yes
		log_file = /var/log/audit/audit.log
		log_group = root
		log_format = ENRICHED
		flush = NONE
		max_log_file = 8
		num_logs = 2
		max_log_file_action = ROTATE
		space_left = 3
		admin_space_left = 2
		space_left_action = IGNORE
		admin_space_left_action = IGNORE
		disk_full_action = IGNORE
		disk_error_action = IGNORE
	END
	chmod 0640 "$T/auditd/auditd.conf"
	helper /with/auditctl/auditd -n -c "$T/auditd"
	wait_until test -s /var/log/audit/audit.log
}

@test "with ids of its own: what programs were refused that have ended since" {
	policy .
	shell 'mount -t tmpfs x /mnt; touch /tmp/ready; sleep 300'
	must brig --policy "$T/policy.json" run --detach --bundle "$BUNDLE" "$ID"
	wait_until test -e "$BUNDLE/rootfs/tmp/ready"
	wait_until logged
	expect_json "$output" '.kernelLogOn and (.kernelLog | length == 1) and (.kernelLog[0] | .call == "mount" and .count == 1 and .programs == ["mount"])'
	must brig explain "$ID"
	expect_like "$output" 'these are some\)'
}

@test "without: what processes were refused that are there" {
	policy '.rules = { "user-namespace": "off", "volume-unmapped": "off" }'
	init
	wait_until logged
	expect_json "$output" '.kernelLog | length == 1 and (.[0] | .call == "reboot" and .count == 1 and .programs == ["busybox"])'
	must brig explain "$ID"
	expect_like "$output" 'these are some, of processes that still run\)'
	# Another container of this kind sees none of it, and after a while neither does this one.
	cp -r "$BUNDLE" "$T/other"
	jq '.process.args = ["/bin/busybox", "sleep", "300"]' "$BUNDLE/config.json" > "$T/other/config.json"
	must brig --policy "$T/policy.json" run --detach --bundle "$T/other" "$ID-other"
	must brig explain --json "$ID-other"
	expect_json "$output" '.kernelLog == []'
	must brig delete --force "$ID-other"
	must brig kill "$ID" KILL
	wait_until status_is stopped
	must brig explain --json "$ID"
	expect_json "$output" '.kernelLog == []'
}

@test "where a daemon takes the records, they are read in its file, and counted once" {
	local lines

	auditd
	policy '.rules = { "user-namespace": "off", "volume-unmapped": "off" }'
	lines=$(dmesg | grep -c 'audit: type=1326') || true
	init
	wait_until logged
	expect_json "$output" '.kernelLog | length == 1 and (.[0] | .call == "reboot" and .count == 1 and .programs == ["busybox"])'
	expect_equal "$(dmesg | grep -c 'audit: type=1326')" "$lines"
	grep -q 'type=SECCOMP.*comm="busybox"' /var/log/audit/audit.log
	# Nobody else may have written it.
	chmod 0620 /var/log/audit/audit.log
	must brig explain --json "$ID"
	expect_json "$output" '.kernelLog == []'
	chmod 0600 /var/log/audit/audit.log
}

@test "without the key there is nothing, and explain says why" {
	jq -n '{ set: "strict", audit: { enabled: false } }' > "$T/policy.json"
	shell 'mount -t tmpfs x /mnt; touch /tmp/ready; sleep 300'
	must brig --policy "$T/policy.json" run --detach --bundle "$BUNDLE" "$ID"
	wait_until test -e "$BUNDLE/rootfs/tmp/ready"
	must brig explain --json "$ID"
	expect_json "$output" '(.kernelLogOn | not) and .kernelLog == []'
	must brig explain "$ID"
	expect_like "$output" 'kernel_log.*was off'
}
