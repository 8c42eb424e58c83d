#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2153,SC2154 # scripts of other languages; bats: a subshell a test, $stderr
# bats file_tags=v2
# Namespaces: each kind new, joined by path, and left as the host's.

load support/common

# The inode of a namespace as the container's program sees it is in $output; and as this test sees it.
inside_namespace() { # KIND
	inside "readlink /proc/self/ns/$1"
}

own_namespace() { # KIND
	readlink "/proc/self/ns/$1"
}

# A process in a new namespace of that kind, to be joined: its pid is in $HELPER.
keeper() { # UNSHARE-OPTION...
	helper unshare "$@" sleep 300
	wait_until sleeps "$HELPER"
}

sleeps() { # PID
	grep -qx sleep "/proc/$1/comm"
}

@test "namespaces that are listed are new, all others are the host's" {
	local kind

	without_namespace network
	inside 'cd /proc/self/ns; for n in cgroup ipc mnt net pid time user uts; do echo $n $(readlink $n); done'
	for kind in ipc mnt pid uts; do
		expect_unlike "$output" "$(own_namespace "$kind")"
	done
	for kind in cgroup net time user; do
		expect_line "$output" "$kind $(own_namespace "$kind")"
	done
}

@test "a new pid namespace has the program as process 1" {
	inside 'echo $$; ls -d /proc/[0-9]* | wc -l'
	expect_equal "$(head -n 1 <<< "$output")" 1
	expect_between "$(tail -n 1 <<< "$output")" 1 4
}

@test "a new network namespace has a loopback interface alone" {
	inside 'ls /sys/class/net'
	expect_equal "$output" lo
}

@test "a new cgroup namespace hides where the container's cgroup is" {
	add_namespace cgroup
	inside 'cat /proc/self/cgroup; readlink /proc/self/ns/cgroup'
	expect_line "$output" "0::/"
	expect_unlike "$output" "$(own_namespace cgroup)"
	expect_unlike "$output" "$ID"
}

@test "a new cgroup namespace on v1 is rooted in every hierarchy that brig made a group in" {
	needs_v1 pids
	add_namespace cgroup
	config '.linux.resources.pids.limit = 50'
	inside 'cat /proc/self/cgroup'
	expect_unlike "$output" "$ID"
	expect_like "$output" ':pids:/'
}

@test "a new network namespace has a loopback interface that works, and nothing else" {
	inside 'ip -o link | wc -l; ip -o addr show lo; ping -c 1 -W 2 127.0.0.1 > /dev/null 2>&1; nc -l -p 8080 -e echo heard &
		for i in $(seq 600); do grep -q ":1F90 .* 0A " /proc/net/tcp /proc/net/tcp6 && break; sleep 0.05; done; nc 127.0.0.1 8080'
	expect_equal "$(head -n 1 <<< "$output")" 1
	expect_like "$output" '127.0.0.1/8'
	expect_like "$output" 'heard'
}

@test "hostname and domainname are set in a new uts namespace" {
	config '.hostname = "box" | .domainname = "example.test"'
	inside 'hostname; cat /proc/sys/kernel/domainname'
	expect_equal "$output" $'box\nexample.test'
}

@test "a hostname without a uts namespace is refused" {
	before=$(hostname)
	without_namespace uts
	must_fail 1 'hostname' run_container
	expect_equal "$(hostname)" "$before"
}

@test "a network namespace is joined" {
	keeper --net
	add_namespace network "/proc/$HELPER/ns/net"
	inside_namespace net
	expect_equal "$output" "$(readlink "/proc/$HELPER/ns/net")"
}

@test "an ipc namespace is joined" {
	keeper --ipc
	add_namespace ipc "/proc/$HELPER/ns/ipc"
	inside_namespace ipc
	expect_equal "$output" "$(readlink "/proc/$HELPER/ns/ipc")"
}

@test "a uts namespace is joined, with its hostname" {
	helper unshare --uts sh -c 'hostname joined; exec sleep 300'
	wait_until sleeps "$HELPER"
	add_namespace uts "/proc/$HELPER/ns/uts"
	config 'del(.hostname)'
	inside 'hostname; readlink /proc/self/ns/uts'
	expect_equal "$output" "joined"$'\n'"$(readlink "/proc/$HELPER/ns/uts")"
}

@test "a cgroup namespace is joined" {
	keeper --cgroup
	add_namespace cgroup "/proc/$HELPER/ns/cgroup"
	inside_namespace cgroup
	expect_equal "$output" "$(readlink "/proc/$HELPER/ns/cgroup")"
}

@test "a pid namespace is joined" {
	local keeper

	program sleep 300
	must brig run --detach --bundle "$BUNDLE" "$ID-first"
	keeper=$(pid_of "$ID-first")
	add_namespace pid "/proc/$keeper/ns/pid"
	inside 'readlink /proc/self/ns/pid; ps -o args'
	expect_line "$output" "$(readlink "/proc/$keeper/ns/pid")"
	expect_like "$output" 'sleep 300'
	must brig delete --force "$ID-first"
}

@test "a time namespace has offsets of its own" {
	local before

	before=$(cut -d . -f 1 /proc/uptime)
	add_namespace time
	config '.linux.timeOffsets = { boottime: { secs: 100000, nanosecs: 0 }, monotonic: { secs: 5, nanosecs: 0 } }'
	inside 'cat /proc/uptime; readlink /proc/self/ns/time; cat /proc/self/timens_offsets'
	expect_between "$(cut -d . -f 1 <<< "$output" | head -n 1)" $((before + 100000)) 99999999
	expect_unlike "$output" "$(own_namespace time)"
	expect_like "$output" 'monotonic +5 +0'
}

@test "a time namespace without offsets is new all the same" {
	add_namespace time
	inside_namespace time
	expect_like "$output" "^time:"
	expect_different "$output" "$(own_namespace time)"
}

@test "a time namespace is joined" {
	keeper --time --boottime 200000
	add_namespace time "/proc/$HELPER/ns/time_for_children"
	inside_namespace time
	expect_equal "$output" "$(readlink "/proc/$HELPER/ns/time_for_children")"
}

@test "a mount namespace is joined" {
	keeper --mount
	add_namespace mount "/proc/$HELPER/ns/mnt"
	config 'del(.linux.maskedPaths, .linux.readonlyPaths) | .mounts = []'
	program readlink /proc/self/ns/mnt
	attempt run_container
	# What is defined of this is that brig either joins it or says why not.
	if [ "$status" -eq 0 ]; then
		expect_equal "$output" "$(readlink "/proc/$HELPER/ns/mnt")"
	else
		expect_like "$stderr" 'mount'
	fi
}

@test "a path that is no namespace, or one of another kind, is refused" {
	add_namespace network /etc/passwd
	must_fail 1 'linux.namespaces.*/etc/passwd' run_container
	add_namespace network /no/such/file
	must_fail 1 'linux.namespaces.*/no/such/file.*[Nn]o such file' run_container
	add_namespace network /proc/self/ns/uts
	must_fail 1 'linux.namespaces.*/proc/self/ns/uts' run_container
	add_namespace network proc/self/ns/net
	must_fail 1 'linux.namespaces.*absolute' run_container
}

@test "a namespace that is listed twice is refused" {
	config '.linux.namespaces += [{ type: "ipc" }]'
	must_fail 1 'linux.namespaces.*ipc' run_container
}

@test "nothing that is mounted inside shows on the host" {
	capabilities CAP_SYS_ADMIN
	inside 'mount -t tmpfs none /tmp && mount --make-shared /tmp && mkdir /tmp/x && mount -t tmpfs none /tmp/x && echo mounted'
	expect_equal "$output" mounted
	expect_equal "$(left_mounts)" ""
}

@test "containers of a pod share the namespaces of the first" {
	local kind keeper

	program sleep 300
	must brig run --detach --bundle "$BUNDLE" "$ID-first"
	keeper=$(pid_of "$ID-first")
	add_namespace network "/proc/$keeper/ns/net"
	add_namespace ipc "/proc/$keeper/ns/ipc"
	add_namespace uts "/proc/$keeper/ns/uts"
	config 'del(.hostname)'
	inside 'cd /proc/self/ns; readlink net ipc uts; readlink net; readlink ipc; readlink uts; hostname'
	for kind in net ipc uts; do
		expect_line "$output" "$(readlink "/proc/$keeper/ns/$kind")"
	done
	expect_line "$output" inside
	must brig delete --force "$ID-first"
}

# A FIFO lets its writer go on once somebody opens it, also without waiting.
@test "what is named as a namespace is not opened to find its owner, unless it is one" {
	mkfifo "$T/fifo"
	config --arg path "$T/fifo" '.linux.namespaces |= map(select(.type != "ipc")) + [{ type: "ipc", path: $path }]'
	helper sh -c 'echo > "$1"; touch "$2"' sh "$T/fifo" "$T/opened"
	wait_until sleeps_in_open "$HELPER"
	# What v2's view lacks the controllers for would be refused before.
	echo '{ "set": "strict", "rules": { "resource-missing": "off" } }' > "$T/policy.json"
	attempt brig --policy "$T/policy.json" plan --bundle "$BUNDLE"
	attempt brig --policy "$T/policy.json" run --bundle "$BUNDLE" "$ID"
	expect_like "$stderr" 'not a namespace file'
	sleeps_in_open "$HELPER"
	[ ! -e "$T/opened" ]
}
