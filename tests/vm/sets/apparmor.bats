#!/usr/bin/env bats
# tiers: uml qemu
# shellcheck disable=SC2016,SC2030,SC2031,SC2153,SC2154 # scripts of other languages; bats: a subshell a test, $stderr
# AppArmor: brig's profile and those that a caller names, where the kernel has it.

load ../../integration/support/common

PROFILES=/sys/kernel/security/apparmor/profiles

setup_file() {
	mountpoint --quiet /sys/kernel/security || mount -t securityfs securityfs /sys/kernel/security
	apparmor_parser --replace --skip-cache "$BRIG_SOURCE/seccomp-profiles/apparmor/brig-default"
	apparmor_parser --replace --skip-cache <<- 'TEXT'
		profile of-a-test flags=(attach_disconnected, mediate_deleted) {
		  file,
		  capability,
		  network,
		  signal,
		  deny /etc/refused rwklx,
		}
	TEXT
}

confine() { # PROFILE
	config --arg profile "$1" '.process.apparmorProfile = $profile'
}

@test "brig-default is a profile that the kernel takes" {
	grep -q '^brig-default (enforce)$' "$PROFILES"
}

@test "a container is confined by brig-default" {
	confine brig-default
	inside 'cat /proc/self/attr/current'
	expect_equal "$output" "brig-default (enforce)"
}

@test "brig-default refuses what the mounts of a careless config.json allow" {
	confine brig-default
	# /proc and /sys without a mask, all capabilities: AppArmor alone stands in the way.
	config 'del(.linux.maskedPaths, .linux.readonlyPaths, .linux.seccomp) | (.mounts[] | select(.destination == "/sys") | .options) = ["rw"]'
	capabilities CAP_SYS_ADMIN CAP_SYS_PTRACE CAP_NET_RAW CAP_DAC_OVERRIDE
	inside '
		(echo 1 > /proc/sys/kernel/sysrq) 2> /dev/null && echo wrote a sysctl
		(cat /proc/kallsyms > /dev/null) 2> /dev/null && echo read kallsyms
		mount -t tmpfs none /tmp 2> /dev/null && echo mounted
		(echo > /proc/sysrq-trigger) 2> /dev/null && echo sysrq
		echo through'
	expect_equal "$output" through
	confine unconfined
	inside 'cat /proc/kallsyms > /dev/null && echo read kallsyms; mount -t tmpfs none /tmp && echo mounted'
	expect_equal "$output" $'read kallsyms\nmounted'
}

@test "an exec is confined too" {
	confine brig-default
	sleeper
	must brig exec "$ID" cat /proc/self/attr/current
	expect_equal "$output" "brig-default (enforce)"
}

@test "a profile that config.json names is applied, and refuses" {
	confine of-a-test
	echo secret > "$BUNDLE/rootfs/etc/refused"
	inside 'cat /proc/self/attr/current; cat /etc/refused 2> /dev/null || echo denied'
	expect_equal "$output" $'of-a-test (enforce)\ndenied'
}

@test "a profile that is not loaded is an error that names it" {
	confine no-such-profile
	must_fail 1 no-such-profile run_container
	assert_nothing_left
}

@test "under strict a container without a profile gets brig-default" {
	rm -f /etc/brig/policy.json
	attempt brig run --bundle "$BUNDLE" "$ID"
	shell 'cat /proc/self/attr/current'
	attempt run_container
	install -D -m 644 "$BRIG_SOURCE/tests/support/policies/conformant.json" /etc/brig/policy.json
	expect_equal "$output" "brig-default (enforce)"
}

@test "doctor says that AppArmor is on" {
	attempt brig doctor
	expect_like "$output" '[Aa]pp[Aa]rmor'
}
