#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2153,SC2154 # scripts of other languages; bats: a subshell a test, $stderr
# bats file_tags=v2
# User namespaces: root inside is an ordinary user outside.

load support/common

@test "root inside is the mapped user outside" {
	user_namespace 200000
	program sleep 300
	background
	expect_equal "$(stat -c %u "/proc/$(pid_of)")" 200000
	expect_equal "$(awk '/^Uid/ { print $2 }' "/proc/$(pid_of)/status")" 200000
	must brig exec "$ID" cat /proc/self/uid_map
	expect_equal "$(tr -s ' ' <<< "$output")" " 0 200000 65536"
}

@test "several ranges are mapped" {
	add_namespace user
	config '.linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 1000 }, { containerID: 1000, hostID: 5000, size: 1 }] |
		.linux.gidMappings = [{ containerID: 0, hostID: 100000, size: 2000 }] | .process.user = { uid: 1000, gid: 1500 }'
	chown -hR 100000:100000 "$BUNDLE/rootfs"
	inside 'id -u; id -g; touch /tmp/mine'
	expect_equal "$output" $'1000\n1500'
	expect_equal "$(stat -c %u:%g "$BUNDLE/rootfs/tmp/mine")" 5000:101500
}

@test "an id that is not mapped is refused by name" {
	user_namespace
	config '.process.user.uid = 70000'
	must_fail 1 'process.user.uid.*70000' run_container
	config '.process.user = { uid: 0, gid: 0, additionalGids: [99999] }'
	must_fail 1 'process.user.additionalGids.*99999' run_container
}

@test "a user namespace without mappings is refused" {
	add_namespace user
	must_fail 1 'linux.uidMappings' run_container
}

@test "the container has its devices, its proc and its sys" {
	user_namespace
	inside 'echo > /dev/null; head -c 3 /dev/zero | wc -c; ls -ln /dev/null | cut -d " " -f 1; cat /proc/self/ns/../comm; ls /sys/kernel | wc -l'
	expect_equal "$(sed -n 1p <<< "$output")" 3
	expect_equal "$(sed -n 2p <<< "$output")" crw-rw-rw-
}

@test "host root's files are nobody's inside" {
	user_namespace
	mkdir "$T/volume"
	touch "$T/volume/file"
	chmod 700 "$T/volume"
	add_mount /volume bind "$T/volume" rbind rw
	program ls /volume
	attempt run_container
	expect_status 1 run
	expect_like "$stderr" 'Permission denied'
}

@test "a network namespace of the host's is joined together with a new user namespace" {
	helper unshare --net sleep 300
	wait_until grep -qx sleep "/proc/$HELPER/comm"
	user_namespace
	add_namespace network "/proc/$HELPER/ns/net"
	inside 'readlink /proc/self/ns/net; ls /sys/class/net'
	expect_equal "$output" "$(readlink "/proc/$HELPER/ns/net")"$'\nlo'
}

@test "a user namespace is joined with those that it owns" {
	local keeper kind

	user_namespace
	program sleep 300
	must brig run --detach --bundle "$BUNDLE" "$ID-first"
	keeper=$(pid_of "$ID-first")
	for kind in user uts ipc pid; do
		add_namespace "$kind" "/proc/$keeper/ns/$kind"
	done
	add_namespace network "/proc/$keeper/ns/net"
	config 'del(.hostname)'
	inside 'cd /proc/self/ns; for n in user uts ipc pid net; do readlink $n; done; id -u'
	for kind in user uts ipc pid net; do
		expect_line "$output" "$(readlink "/proc/$keeper/ns/$kind")"
	done
	must brig delete --force "$ID-first"
}

@test "without room for the descriptor of a process in a joined user namespace, it is ended and the error tells" {
	local keeper

	user_namespace
	program sleep 300
	must brig run --detach --bundle "$BUNDLE" "$ID-first"
	keeper=$(pid_of "$ID-first")
	add_namespace user "/proc/$keeper/ns/user"
	config 'del(.linux.uidMappings, .linux.gidMappings)'
	compile refuse_call "$T/refuse_call"
	# 24: EMFILE
	must_fail 1 'pidfd_open: Too many open files' env BRIG_TEST="$ID" "$T/refuse_call" pidfd_open 24 "$BRIG" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
	must_fail 1 'container does not exist' brig state "$ID"
	expect_equal "$(marked_processes | wc -l)" 1
	must brig delete --force "$ID-first"
}

@test "exec enters the container's user namespace" {
	user_namespace
	sleeper
	must brig exec "$ID" readlink /proc/self/ns/user
	expect_equal "$output" "$(readlink "/proc/$(pid_of)/ns/user")"
	must brig exec --user 1000:1000 "$ID" id -u
	expect_equal "$output" 1000
}

@test "the locks of a read-only root hold for root with CAP_SYS_ADMIN in its user namespace" {
	user_namespace
	capabilities CAP_SYS_ADMIN CAP_DAC_OVERRIDE
	config '.root.readonly = true'
	inside 'touch /x 2> /dev/null || echo kept; (echo x > /proc/sys/kernel/core_pattern) 2> /dev/null || echo kept'
	expect_equal "$output" $'kept\nkept'
}

@test "brig's executable is not in reach of a user namespace" {
	user_namespace
	sleeper
	must brig exec "$ID" sh -c 'readlink /proc/1/exe'
	expect_equal "$output" /bin/busybox
}
