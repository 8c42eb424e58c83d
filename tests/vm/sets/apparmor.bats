#!/usr/bin/env bats
# tiers: uml qemu
# seconds: 16
# shellcheck disable=SC2016,SC2030,SC2031,SC2153,SC2154 # scripts of other languages; bats: a subshell a test, $stderr
# AppArmor: brig's profile and those that a caller names, where the kernel has it.

load ../../integration/support/common

PROFILES=/sys/kernel/security/apparmor/profiles

setup_file() {
	mountpoint --quiet /sys/kernel/security || mount -t securityfs securityfs /sys/kernel/security
	# As at each boot of a node: by the unit that the installer puts there.
	sed "s,/usr/bin/brig,$BRIG," deploy/apparmor/brig-apparmor.service > /etc/systemd/system/brig-apparmor.service
	systemctl enable --quiet brig-apparmor.service
	systemctl start brig-apparmor.service
	apparmor_parser --replace --skip-cache <<- 'TEXT'
		profile of-a-test flags=(attach_disconnected, mediate_deleted) {
		  file,
		  capability,
		  network,
		  # As an engine's own profile: signals and tracing inside.
		  signal (send, receive) peer=of-a-test,
		  signal (receive) peer=unconfined,
		  ptrace (trace, read, tracedby, readby) peer=of-a-test,
		  deny /etc/refused rwklx,
		}
	TEXT
}

# under_strict SCRIPT: what a script prints in a container that strict allows.
under_strict() {
	shell "$1"
	must brig --policy strict run --bundle "$BUNDLE" "$ID"
}

confine() { # PROFILE
	config --arg profile "$1" '.process.apparmorProfile = $profile'
}

@test "brig-default is a profile that the kernel takes" {
	grep -q '^brig-default (enforce)$' "$PROFILES"
}

@test "the unit that loads it at boot has run, and stays before the engines" {
	expect_equal "$(systemctl is-active brig-apparmor.service)" active
	expect_equal "$(systemctl is-enabled brig-apparmor.service)" enabled
	expect_like "$(systemctl show --property=Before brig-apparmor.service)" 'containerd.service'
	# Below a caller's profile as well.
	compgen -G '/sys/kernel/security/apparmor/policy/namespaces/brig/profiles/brig-default.*'
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
	under_strict 'cat /proc/self/attr/current'
	expect_equal "$output" "brig-default (enforce)"
}

@test "under strict brig-default is stacked below a profile that config.json names: either refuses" {
	confine of-a-test
	echo secret > "$BUNDLE/rootfs/etc/refused"
	under_strict '
		cat /proc/self/attr/current
		cat /etc/refused 2> /dev/null || echo denied
		sleep 300 & kill $! && echo killed
		true'
	# Seen from the namespace that it lies in.
	expect_equal "$output" $'brig-default (enforce)\ndenied\nkilled'
	must brig --policy strict plan --bundle "$BUNDLE"
	expect_like "$output" 'of-a-test//&:brig:brig-default'
}

@test "a stack of profiles that is named is applied" {
	confine 'of-a-test//&:brig:brig-default'
	config 'del(.linux.maskedPaths)'
	echo secret > "$BUNDLE/rootfs/etc/refused"
	sleeper
	must_fail 1 'Permission denied' brig exec "$ID" cat /proc/kallsyms
	must_fail 1 'Permission denied' brig exec "$ID" cat /etc/refused
	expect_equal "$(cat "/proc/$(pid_of)/attr/current")" 'of-a-test//&:brig:brig-default (enforce)'
	must brig exec "$ID" cat /proc/self/attr/current
	expect_equal "$output" 'brig-default (enforce)'
	must brig exec --apparmor of-a-test "$ID" cat /proc/self/attr/current
	expect_equal "$output" 'of-a-test (enforce)'
	must brig kill "$ID" KILL
}

@test "brig-default: raw and packet sockets, chroot" {
	confine brig-default
	capabilities CAP_NET_RAW CAP_SYS_PTRACE CAP_NET_ADMIN CAP_SYS_CHROOT
	config 'del(.linux.seccomp)'
	mkdir "$BUNDLE/rootfs/usr/host"
	add_mount /usr/host bind /usr rbind ro
	for folder in lib lib64; do
		rm -rf "${BUNDLE:?}/rootfs/$folder"
		ln -s "usr/host/$folder" "$BUNDLE/rootfs/$folder"
	done
	cat > "$BUNDLE/rootfs/tmp/attack" <<- 'TEXT'
		import os, socket
		def attempt(name, call):
		    try:
		        call()
		        print(name, "worked")
		    except OSError as error:
		        print(name, error.strerror)
		attempt("raw", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1))
		attempt("packet", lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0))
		attempt("stream", lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0))
		attempt("chroot", lambda: os.chroot("/tmp"))
	TEXT
	program /usr/host/bin/python3 /tmp/attack
	config '.process.env += ["PYTHONHOME=/usr/host", "LD_LIBRARY_PATH=/usr/host/lib/x86_64-linux-gnu"]'
	must run_container
	expect_equal "$output" $'raw Permission denied\npacket Permission denied\nstream worked\nchroot Operation not permitted'
	confine of-a-test
	must run_container
	expect_equal "$output" $'raw worked\npacket worked\nstream worked\nchroot worked'
}

@test "brig-default: a process of the host in the same pid namespace can be neither traced nor killed" {
	local victim

	confine brig-default
	capabilities CAP_SYS_PTRACE CAP_KILL
	without_namespace pid
	config 'del(.linux.seccomp)'
	helper sleep 300
	victim=$HELPER
	inside "cat /proc/$victim/environ > /dev/null 2>&1 && echo read; kill -0 $victim 2> /dev/null && echo signalled; cat /proc/self/environ > /dev/null && echo own"
	expect_equal "$output" own
	confine unconfined
	inside "cat /proc/$victim/environ > /dev/null 2>&1 && echo read; kill -0 $victim 2> /dev/null && echo signalled; true"
	expect_equal "$output" $'read\nsignalled'
}

@test "doctor says that AppArmor is on" {
	attempt brig doctor
	expect_like "$output" 'profile brig-default, also to be stacked'
}
