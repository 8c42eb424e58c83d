#!/usr/bin/env bats
# tiers: uml qemu
# seconds: 20
# security: selinux
# shellcheck disable=SC2016,SC2030,SC2031,SC2153,SC2154 # scripts of other languages; bats: a subshell a test, $stderr
# SELinux's labels of processes and mounts, with a small policy of our own that is enforced.

load ../../integration/support/common

JAILED=system_u:system_r:jailed_t:s0:c1,c2
FILES=system_u:object_r:jailed_file_t:s0:c1,c2

setup_file() {
	mountpoint --quiet /sys/fs/selinux || mount -t selinuxfs selinuxfs /sys/fs/selinux
	secilc --output "$BATS_FILE_TMPDIR/policy" --filecontext /dev/null tests/vm/guest/selinux.cil
	cat "$BATS_FILE_TMPDIR/policy" > /sys/fs/selinux/load
	echo 1 > /sys/fs/selinux/enforce
}

label() { # PROCESS FILES
	config --arg process "$1" --arg files "$2" '.process.selinuxLabel = $process | .linux.mountLabel = $files'
}

# What the container has where, seen from outside. (coreutils' stat asks a library that wants a configuration.)
label_of() { # PATH
	python3 -c 'import os, sys; print(os.getxattr(sys.argv[1], "security.selinux").rstrip(b"\0").decode())' "/proc/$(pid_of)/root$1"
}

# key_label NAME: of the container's session keyring, which root may see without being in it.
key_label() {
	python3 - "_ses.$1" <<- 'TEXT'
		import ctypes, sys
		libc = ctypes.CDLL(None)
		label = ctypes.create_string_buffer(256)
		for line in open("/proc/keys"):
		    if sys.argv[1] in line:
		        libc.syscall(250, 17, int(line.split()[0], 16), label, 256)  # KEYCTL_GET_SECURITY
		        print(label.value.decode())
	TEXT
}

# What has a label that the container may not see.
make_secret() {
	mkdir "$T/secret"
	# util-linux' own leaves the label out, having no library to ask.
	busybox mount -t tmpfs -o context=system_u:object_r:secret_t:s0 secret "$T/secret"
	echo secret > "$T/secret/file"
	add_mount /secret bind "$T/secret" bind
}

@test "SELinux is on, with the policy of this set" {
	expect_equal "$(cat /sys/fs/selinux/enforce)" 1
	expect_equal "$(tr -d '\0' < /proc/self/attr/current)" system_u:system_r:host_t:s0-s0:c1,c2
}

@test "a container's process has its label, and an exec the same" {
	label "$JAILED" "$FILES"
	sleeper
	expect_equal "$(tr -d '\0' < "/proc/$(pid_of)/attr/current")" "$JAILED"
	must brig exec "$ID" cat /proc/self/attr/current
	expect_equal "$output" "$JAILED"
	must brig exec --process-label system_u:system_r:host_t:s0 "$ID" cat /proc/self/attr/current
	expect_equal "$output" system_u:system_r:host_t:s0
}

@test "its session keyring has its label, and an exec's too" {
	label "$JAILED" "$FILES"
	sleeper
	expect_equal "$(key_label "$ID")" "$JAILED"
	must brig exec --detach --process-label system_u:system_r:host_t:s0 "$ID" sleep 300
	expect_equal "$(key_label "$ID" | sort)" "$(printf '%s\n' system_u:system_r:host_t:s0 "$JAILED" | sort)"
}

@test "file systems that are made for it have theirs; proc, sysfs and bind mounts what they have" {
	mkdir "$T/volume"
	add_mount /volume bind "$T/volume" bind
	add_mount /own tmpfs own 'context="system_u:object_r:secret_t:s0"'
	add_mount /dev/mqueue mqueue mqueue ro
	config '.linux.maskedPaths = ["/proc/acpi", "/sys/kernel"]'
	label "$JAILED" "$FILES"
	sleeper
	for path in /dev /dev/null /dev/pts /dev/shm /dev/mqueue /sys/kernel; do
		expect_equal "$path $(label_of "$path")" "$path $FILES"
	done
	for path in /proc /proc/uptime /sys /volume; do
		expect_equal "$path $(label_of "$path")" "$path system_u:object_r:unlabeled_t:s0"
	done
	expect_equal "$(label_of /own)" system_u:object_r:secret_t:s0
	expect_like "$(grep ' /dev/mqueue ' "/proc/$(pid_of)/mountinfo")" ' ro,'
}

@test "the policy holds it by both: what it may not see it can neither read nor write, wherever it is" {
	add_mount /tmp tmpfs tmpfs rw
	make_secret
	script='(echo a > /tmp/file) 2> /dev/null && echo wrote; cat /secret/file 2>&1; (echo a > /secret/file) 2> /dev/null && echo wrote a secret; true'
	label "$JAILED" "$FILES"
	inside "$script"
	expect_equal "$output" $'wrote\ncat: can\'t open \'/secret/file\': Permission denied'
	# The mount's label alone makes the difference, and then the process's.
	label "$JAILED" system_u:object_r:secret_t:s0
	inside "$script"
	expect_equal "$output" $'cat: can\'t open \'/secret/file\': Permission denied'
	label system_u:system_r:host_t:s0 "$FILES"
	inside "$script"
	expect_equal "$output" $'wrote\nsecret\nwrote a secret'
	umount "$T/secret"
}

@test "in a user namespace as well" {
	user_namespace
	add_mount /dev/mqueue mqueue mqueue
	label "$JAILED" "$FILES"
	sleeper
	expect_equal "$(tr -d '\0' < "/proc/$(pid_of)/attr/current")" "$JAILED"
	for path in /dev /dev/null /dev/pts /dev/shm; do
		expect_equal "$path $(label_of "$path")" "$path $FILES"
	done
	# The kernel lets root there label no queue; where mounts are made outside of the namespace they have it.
	expect_equal "$(label_of /dev/mqueue)" system_u:object_r:unlabeled_t:s0
	must brig delete --force "$ID"
	program sleep 300
	must brig --policy strict run --detach --bundle "$BUNDLE" "$ID"
	expect_equal "$(label_of /dev/mqueue)" "$FILES"
}

@test "labels that the policy does not know are errors that name them, and nothing is left" {
	label system_u:system_r:stranger_t:s0 "$FILES"
	must_fail 1 'system_u:system_r:stranger_t:s0' brig run --bundle "$BUNDLE" "$ID"
	label "$JAILED" system_u:object_r:stranger_t:s0
	must_fail 1 'tmpfs' brig run --bundle "$BUNDLE" "$ID"
}

@test "under strict, where AppArmor is in the kernel but off, nothing asks for its profile" {
	expect_equal "$(cat /sys/module/apparmor/parameters/enabled)" N
	label "$JAILED" "$FILES"
	shell 'cat /proc/self/attr/current'
	must brig --policy strict run --bundle "$BUNDLE" "$ID"
	expect_equal "$output" "$JAILED"
	attempt brig doctor
	expect_like "$output" 'AppArmor is off'
	must_fail 1 'AppArmor is off' brig apparmor load
	# Nor does its unit fail a boot.
	cp deploy/apparmor/brig-apparmor.service /etc/systemd/system/
	systemctl start brig-apparmor.service
	expect_equal "$(systemctl is-active brig-apparmor.service)" inactive
	expect_equal "$(systemctl show --value --property=ConditionResult brig-apparmor.service)" no
}
