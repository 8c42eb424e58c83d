#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2153,SC2154 # scripts of other languages; bats: a subshell a test, $stderr
# bats file_tags=v2
# The floor's user namespace: a range of the host's ids for each container or pod, also where config.json asks for none.

load ../integration/support/common

IDS=/run/brig-ids

prepare() {
	POLICY=$T/policy.json
	rules '{}'
	chmod 755 "$BUNDLE"
	mkdir "$T/volume"
	echo kept > "$T/volume/file"
	chmod 700 "$T/volume"
	chmod 600 "$T/volume/file"
}

# The rules that this is about, and no others, but for those in OBJECT.
rules() { # OBJECT
	jq -n --argjson more "$1" '{ set: "conformant", rules: ({ "user-namespace": "adjust", "rootfs-unmapped": "adjust",
		"volume-unmapped": "enforce" } + $more) }' > "$POLICY"
}

brig() {
	BRIG_TEST=$ID "$BRIG" --root "$ROOT" --policy "$POLICY" "$@"
}

# The first of the host's ids that a container has.
first_id() { # [ID]
	awk '{ print $2 }' "/proc/$(pid_of "$@")/uid_map"
}

# The ranges that this test's containers hold.
held() {
	# Those of others come and go meanwhile.
	find "$IDS" -ignore_readdir_race -lname "$ROOT/*" 2> /dev/null || true
}

# A process in a new namespace, to be joined: its pid is in $HELPER.
keeper() { # UNSHARE-OPTION...
	helper unshare "$@" sleep 300
	wait_until grep -qx sleep "/proc/$HELPER/comm"
}

# In place of the bundle's root file system: an overlay of it, as podman, docker and CRI-O mount them.
caller_overlay() {
	mkdir "$T/upper" "$T/work" "$T/overlay"
	mount -t overlay overlay -o "lowerdir=$BUNDLE/rootfs,upperdir=$T/upper,workdir=$T/work" "$T/overlay"
	config '.root.path = $path' --arg path "$T/overlay"
}

binds_port_80='nc -l -p 80 & for i in $(seq 600); do grep -q ":0050 " /proc/net/tcp /proc/net/tcp6 && echo bound && exit; sleep 0.05; done'

has_lines() { # NUMBER: of what the container has written so far
	[ "$(wc -l < "$T/stdout")" -ge "$1" ]
}

@test "root inside is nobody outside, and somebody else in the next container" {
	shell 'id -u; stat -c %u:%g /bin /proc/1; sleep 300'
	must brig run --detach --bundle "$BUNDLE" "$ID-1"
	wait_until has_lines 3
	expect_equal "$(< "$T/stdout")" $'0\n0:0\n0:0'
	must brig run --detach --bundle "$BUNDLE" "$ID-2"
	expect_different "$(first_id "$ID-1")" "$(first_id "$ID-2")"
	expect_between "$(first_id "$ID-1")" 1879048192 2147352575
	expect_equal "$(stat -c %u "/proc/$(pid_of "$ID-1")")" "$(first_id "$ID-1")"
	expect_equal "$(awk '{ print $1, $3 }' "/proc/$(pid_of "$ID-2")/gid_map")" "0 65536"
	expect_equal "$(held | wc -l)" 2
	must brig delete --force "$ID-1"
	must brig delete --force "$ID-2"
	expect_equal "$(held)" ""
}

@test "the report says so, and brig plan takes nothing" {
	must brig --debug run --bundle "$BUNDLE" "$ID"
	expect_like "$stderr" 'user-namespace'
	must brig plan --bundle "$BUNDLE"
	expect_like "$output" 'user-namespace.*one of its own: 0 to 65535 are [0-9]+ to [0-9]+ of the host'
	expect_equal "$(held)" ""
}

@test "what it writes belongs to whom it says, on disk as well" {
	add_mount /volume bind "$T/volume" rbind rw
	mkdir -m 777 "$T/shared"
	chown 1000:2000 "$T/shared"
	add_mount /shared bind "$T/shared" bind rw
	shell 'cat /volume/file; touch /made /volume/made; mkdir /shared/d; chown 1000:1001 /volume/made; stat -c %u:%g /volume/made /shared; cat /etc/passwd > /volume/file'
	must run_container
	expect_equal "$output" $'kept\n1000:1001\n1000:2000'
	expect_equal "$(stat -c %u:%g "$BUNDLE/rootfs/made" "$T/volume/made" "$T/shared/d")" $'0:0\n1000:1001\n0:0'
}

@test "a volume on a tmpfs, single files, sockets, fifos and device nodes are what they were" {
	mkdir "$T/memory"
	mount -t tmpfs tmpfs "$T/memory"
	chmod 700 "$T/memory"
	echo secret > "$T/memory/file"
	chmod 400 "$T/memory/file"
	mkfifo -m 600 "$T/fifo"
	add_mount /memory bind "$T/memory" rbind rw
	add_mount /secret bind "$T/memory/file" bind ro
	add_mount /etc/hosts bind "$T/volume/file" bind rw
	add_mount /fifo bind "$T/fifo" bind rw
	add_mount /dev/zero2 bind /dev/zero bind rw
	add_mount /dev/shm bind "$T/memory" bind rw
	shell 'cat /memory/file /secret; echo more >> /etc/hosts; (echo through > /fifo) & cat /fifo; head -c 3 /dev/zero2 | wc -c; touch /dev/shm/x && stat -c %u /dev/shm/x'
	must run_container
	umount "$T/memory"
	expect_equal "$output" $'secret\nsecret\nthrough\n3\n0'
	expect_file "$T/volume/file" $'kept\nmore'
}

@test "what is mounted in a volume is mapped with it" {
	mkdir "$T/volume/below"
	mount -t tmpfs -o mode=700 tmpfs "$T/volume/below"
	add_mount /volume bind "$T/volume" rbind rw
	inside 'touch /volume/below/x; stat -c %u /volume/below/x'
	expect_equal "$output" 0
	expect_equal "$(stat -c %u "$T/volume/below/x")" 0
	umount "$T/volume/below"
}

@test "ids that config.json maps for a mount are those that the container sees" {
	chown 1000:1000 "$T/volume" "$T/volume/file"
	add_mount /volume bind "$T/volume" bind idmap
	config '.mounts[-1] += { uidMappings: [{ containerID: 1000, hostID: 5, size: 1 }], gidMappings: [{ containerID: 1000, hostID: 0, size: 1 }] }'
	inside 'stat -c %u:%g /volume/file'
	expect_equal "$output" 5:0
	config '.mounts[-1].uidMappings[0].hostID = 70000'
	must_fail 1 'mounts\[5\]: maps ids to hostID 70000' run_container
}

@test "exec enters it, as root and as a user, with its streams" {
	sleeper
	# Pipes are given to the program's user; a file of the caller's is not.
	must eval 'brig exec "$ID" sh -c "readlink /proc/self/ns/user; id -u; echo through > /dev/stdout" 2>&1 | cat'
	expect_equal "$output" "$(readlink "/proc/$(pid_of)/ns/user")"$'\n0\nthrough'
	must brig exec --user 1000:1000 "$ID" sh -c 'id -u; touch /tmp/mine; exec cat /proc/self/uid_map'
	expect_equal "$(head -n 1 <<< "$output")" 1000
	expect_like "$output" "$(first_id)"
	expect_equal "$(stat -c %u:%g "$BUNDLE/rootfs/tmp/mine")" 1000:1000
}

@test "an exec under another policy, and a program that starts later, have what create gave" {
	shell 'cat /proc/self/uid_map > /tmp/map; sleep 300'
	must create
	echo '{ "set": "conformant" }' > "$POLICY"
	must brig start "$ID"
	wait_until test -s "$BUNDLE/rootfs/tmp/map"
	must brig exec "$ID" cat /proc/self/uid_map
	expect_equal "$(tr -s ' ' <<< "$output")" " 0 $(first_id) 65536"
	must brig delete --force "$ID"
	expect_equal "$(held)" ""
}

@test "hooks run, and those of the container in its namespaces" {
	mkdir -m 777 "$T/hooks"
	printf '#!/bin/sh\nreadlink /proc/self/ns/net > %s/hooks/$1\n' "$T" > "$T/hook"
	chmod 755 "$T/hook"
	config '.hooks = { createRuntime: [{ path: $hook, args: ["hook", "runtime"] }], createContainer: [{ path: $hook, args: ["hook", "container"] }],
		poststart: [{ path: $hook, args: ["hook", "poststart"] }], poststop: [{ path: $hook, args: ["hook", "poststop"] }] }' --arg hook "$T/hook"
	inside 'readlink /proc/self/ns/net'
	expect_equal "$(< "$T/hooks/container")" "$output"
	for hook in runtime poststart poststop; do
		expect_equal "$(< "$T/hooks/$hook")" "$(readlink /proc/self/ns/net)"
	done
}

@test "in a network namespace of the caller's its root has sysfs, port 80 and ping" {
	keeper --net
	add_namespace network "/proc/$HELPER/ns/net"
	inside "readlink /proc/self/ns/net; ls /sys/class/net; cat /proc/sys/net/ipv4/ip_unprivileged_port_start; $binds_port_80"
	expect_equal "$output" "$(readlink "/proc/$HELPER/ns/net")"$'\nlo\n0\nbound'
	expect_equal "$(nsenter --net --target "$HELPER" cat /proc/sys/net/ipv4/ping_group_range | tr '\t' ' ')" '0 2147483647'
}

@test "a time namespace is joined, however long the process that made the user namespace takes to end" {
	local round

	keeper --time --boottime 200000
	add_namespace time "/proc/$HELPER/ns/time_for_children"
	shell 'readlink /proc/self/ns/time'
	for round in $(seq 30); do
		must brig run --bundle "$BUNDLE" "$ID-$round"
		expect_equal "$output" "$(readlink "/proc/$HELPER/ns/time_for_children")"
	done
}

@test "sysctls of a network namespace of the caller's are set" {
	keeper --net
	add_namespace network "/proc/$HELPER/ns/net"
	config '.linux.sysctl = { "net.ipv4.ip_forward": "1", "net.ipv4.ip_unprivileged_port_start": "200", "kernel.shmmni": "1234" }'
	inside 'cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/kernel/shmmni'
	expect_equal "$output" $'1\n200\n1234'
	config '.linux.sysctl = { "net/../kernel/core_pattern": "x" }'
	attempt run_container
	expect_different "$status" 0
	expect_different "$(cat /proc/sys/kernel/core_pattern)" x
}

@test "nothing is set in the host's own network namespace" {
	local before

	before=$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/net/ipv4/ping_group_range)
	add_namespace network /proc/self/ns/net
	attempt run_container
	expect_equal "$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/net/ipv4/ping_group_range)" "$before"
}

@test "without a user namespace too, where the policy takes the capability for it" {
	rules '{ "capability": "adjust", "user-namespace": "off" }'
	keeper --net
	add_namespace network "/proc/$HELPER/ns/net"
	inside "$binds_port_80"
	expect_equal "$output" bound
	without_namespace network
	add_namespace network
	inside "$binds_port_80"
	expect_equal "$output" bound
}

@test "the host's ipc namespace, a joined one, and the host's processes can be shown all the same" {
	add_mount /dev/mqueue mqueue mqueue nosuid noexec nodev
	keeper --ipc
	add_namespace ipc "/proc/$HELPER/ns/ipc"
	inside 'readlink /proc/self/ns/ipc; ls -d /dev/mqueue'
	expect_equal "$output" "$(readlink "/proc/$HELPER/ns/ipc")"$'\n/dev/mqueue'
	without_namespace pid
	inside 'test -d /proc/$$ && echo shown'
	expect_equal "$output" shown
}

@test "containers of a pod share one namespace, and its range until the last is gone" {
	local kind first

	program sleep 300
	keeper --net
	add_namespace network "/proc/$HELPER/ns/net"
	must brig run --detach --bundle "$BUNDLE" "$ID-1"
	first=$(pid_of "$ID-1")
	for kind in ipc uts; do
		add_namespace "$kind" "/proc/$first/ns/$kind"
	done
	config 'del(.hostname)'
	add_mount /volume bind "$T/volume" rbind rw
	shell 'touch /volume/second; sleep 300'
	must brig run --detach --bundle "$BUNDLE" "$ID-2"
	expect_equal "$(readlink "/proc/$(pid_of "$ID-2")/ns/user")" "$(readlink "/proc/$first/ns/user")"
	wait_until test -e "$T/volume/second"
	expect_equal "$(stat -c %u "$T/volume/second")" 0
	must brig exec "$ID-2" sh -c 'id -u; ls /sys/class/net; ls -ln /dev/null'
	expect_like "$output" $'0\nlo\ncrw-rw-rw- +1 0 +0'
	expect_equal "$(held | wc -l)" 2
	expect_equal "$(held | xargs dirname | sort -u | wc -l)" 1
	must brig delete --force "$ID-1"
	expect_equal "$(held | wc -l)" 1
	must brig delete --force "$ID-2"
	expect_equal "$(held)" ""
}

@test "a container that shares the processes of another is in its namespace" {
	program sleep 300
	must brig run --detach --bundle "$BUNDLE" "$ID-1"
	add_namespace pid "/proc/$(pid_of "$ID-1")/ns/pid"
	shell 'ps | grep -c "[s]leep 300"; readlink /proc/self/ns/user'
	must brig run --bundle "$BUNDLE" "$ID-2"
	expect_equal "$output" $'1\n'"$(readlink "/proc/$(pid_of "$ID-1")/ns/user")"
	must brig delete --force "$ID-1"
}

@test "an overlay that the caller mounted goes without, reported, or is refused" {
	caller_overlay
	inside 'readlink /proc/self/ns/user; id -u'
	expect_equal "$output" "$(readlink /proc/self/ns/user)"$'\n0'
	must brig plan --bundle "$BUNDLE"
	expect_like "$output" 'rootfs-unmapped.*root.path.*no user namespace'
	expect_equal "$(held)" ""
	rules '{ "rootfs-unmapped": "enforce" }'
	must_fail 1 'root\.path: .*rule rootfs-unmapped.*can be id-mapped' run_container
	umount "$T/overlay"
}

@test "a volume that can't be mapped is refused by name, or decides, or is nobody's" {
	mkdir "$T/data"
	mount -t ramfs ramfs "$T/data"
	chmod 755 "$T/data"
	touch "$T/data/file"
	add_mount /data bind "$T/data" rbind rw
	shell 'readlink /proc/self/ns/user; stat -c %u /data/file'
	must_fail 1 "mounts\[5\]: asked for $T/data, .*rule volume-unmapped.*use a volume on a file system that can be id-mapped" run_container
	assert_no_containers
	rules '{ "volume-unmapped": "adjust" }'
	must run_container
	expect_equal "$output" "$(readlink /proc/self/ns/user)"$'\n0'
	rules '{ "volume-unmapped": "warn" }'
	must run_container
	expect_different "$(head -n 1 <<< "$output")" "$(readlink /proc/self/ns/user)"
	expect_equal "$(tail -n 1 <<< "$output")" 65534
	expect_like "$stderr" 'volume-unmapped'
	umount "$T/data"
}

assert_no_containers() {
	expect_equal "$(left_state)" ""
	expect_equal "$(held)" ""
}

@test "what lies on the kernel's own file systems, or serves anybody, is no reason to refuse" {
	mkdir "$T/ram"
	mount -t ramfs ramfs "$T/ram"
	echo readable > "$T/ram/file"
	add_mount /sys/fs bind /sys/fs rbind ro
	add_mount /file bind "$T/ram/file" bind ro
	inside 'cat /file; id -u'
	umount "$T/ram"
	expect_equal "$output" $'readable\n0'
}

@test "maps onto the host's own users are refused, a range of the caller's is not" {
	user_namespace 200000
	inside 'cat /proc/self/uid_map'
	expect_like "$output" '0 +200000 +65536'
	user_namespace 0
	must_fail 1 'linux\.uidMappings: asked for hostID 0.*rule user-namespace' run_container
}

@test "the rule refuses where the policy says so, and a warning changes nothing" {
	rules '{ "user-namespace": "enforce" }'
	must_fail 1 'asked for no user namespace.*rule user-namespace.*add a user namespace' run_container
	rules '{ "user-namespace": "warn" }'
	inside 'readlink /proc/self/ns/user'
	expect_equal "$output" "$(readlink /proc/self/ns/user)"
	expect_like "$stderr" 'warning: user-namespace'
}

@test "limits hold in it" {
	needs_controllers
	config '.linux.resources.pids.limit = 10'
	shell 'for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 5 & done; wait'
	attempt run_container
	expect_like "$stderr" '[Cc]an.t fork|Resource temporarily unavailable'
}

@test "a terminal in the foreground" {
	config '.process.terminal = true'
	shell 'tty; stat -c %u /dev/console /dev/pts/0; echo > /dev/tty && echo has a tty'
	attempt env BRIG_TEST="$ID" "$SUPPORT/terminal" -- "$BRIG" --root "$ROOT" --policy "$POLICY" run --bundle "$BUNDLE" "$ID"
	expect_like "$output" 'has a tty'
	expect_like "$output" '/dev/(pts/0|console)'
}

@test "a root file system that the supervisor mounts is mapped layer by layer, and keeps its owners on disk" {
	local supervisor

	supervisor=$(dirname "$BRIG")/tests/support/supervisor
	mkdir "$T/upper" "$T/work" "$T/lower"
	mv "$BUNDLE/rootfs" "$T/layer"
	mkdir "$BUNDLE/rootfs"
	shell 'stat -c %u / /bin/busybox; touch /made; chown 5:6 /made; rm /etc/group; mkdir /tmp/d && mv /tmp/d /tmp/e; readlink /proc/self/ns/user'
	cat > "$T/script" <<- END
		create $ID $BUNDLE overlay overlay lowerdir=$T/layer:$T/lower,upperdir=$T/upper,workdir=$T/work
		start $ID
		wait
		delete $ID
	END
	STDIN=$T/script BRIG_TEST=$ID must "$supervisor" "$ROOT" "$POLICY"
	expect_line "$output" "status 0"
	expect_unlike "$output" "$(readlink /proc/self/ns/user)"
	expect_equal "$(stat -c %u:%g "$T/upper/made" "$T/upper/tmp/e")" $'5:6\n0:0'
	expect_equal "$(stat -c %F "$T/upper/etc/group")" "character special file"
	# Once more on the same layers, with another range: what it wrote is still its own.
	shell 'stat -c %u:%g /made /; test ! -e /etc/group && touch /made'
	sed -i "s/$ID/$ID-other/" "$T/script"
	STDIN=$T/script BRIG_TEST=$ID must "$supervisor" "$ROOT" "$POLICY"
	expect_line "$output" "status 0"
	expect_line "$output" "5:6"
	expect_equal "$(held)" ""
}

@test "brig killed at any step of create: the range is free once what is left is deleted" {
	local delay tries=0

	program sleep 300
	for delay in 0.001 0.002 0.003 0.004 0.005 0.006 0.007 0.008 0.009 0.010 0.012 0.015 0.020; do
		# In the foreground: it comes back once brig is dead, and not while the kernel still ends a system call of its.
		attempt timeout --foreground --signal KILL "$delay" env BRIG_TEST="$ID" "$BRIG" --root "$ROOT" --policy "$POLICY" create --bundle "$BUNDLE" "$ID"
		must brig delete --force "$ID"
		expect_equal "$(held)" ""
		tries=$((tries + 1))
	done
	expect_equal "$tries" 13
}

@test "a range whose state directory is gone is taken back" {
	local unit

	sleeper
	unit=$(held)
	kill -KILL "$(pid_of)"
	wait_until status_is stopped
	# As if someone had cleaned up /run.
	rm -r "${ROOT:?}/$ID"
	find /sys/fs/cgroup -depth -type d -name "*$ID*" -exec rmdir {} + 2> /dev/null || true
	sleeper
	expect_equal "$(held)" "$unit"
}

@test "the host's namespaces are refused, or new ones added" {
	local kind

	for kind in pid network ipc uts; do
		rules '{ "host-namespace": "enforce" }'
		cp "$BUNDLE/config.json" "$T/all.json"
		config 'del(.hostname)'
		without_namespace "$kind"
		must_fail 1 "the host's $kind namespace.*rule host-namespace.*add a namespace of that kind" run_container
		rules '{ "host-namespace": "adjust", "user-namespace": "off" }'
		inside "readlink /proc/self/ns/${kind/network/net}"
		expect_different "$output" "$(readlink "/proc/self/ns/${kind/network/net}")"
		cp "$T/all.json" "$BUNDLE/config.json"
	done
}

@test "the host's own namespace by its path is refused" {
	rules '{ "host-namespace": "enforce" }'
	add_namespace network /proc/self/ns/net
	must_fail 1 "/proc/self/ns/net is the host's own" run_container
	add_namespace network
	add_namespace mount /proc/self/ns/mnt
	must_fail 1 'mount namespace by its path.*rule host-namespace' run_container
	add_namespace mount
	add_namespace user /proc/self/ns/user
	must_fail 1 "/proc/self/ns/user is the host's own.*hostUsers is what asks" run_container
	rules '{ "user-namespace": "off" }'
	must_fail 1 'join the user namespace: Invalid argument' run_container
}

@test "exec and delete know of namespaces that the floor added" {
	rules '{ "host-namespace": "adjust", "cgroup-namespace": "adjust" }'
	without_namespace network
	without_namespace pid
	config '.linux.sysctl = { "net.ipv4.ip_forward": "1" } | .hooks.poststop = [{ path: "/bin/true" }]'
	sleeper
	must brig exec "$ID" sh -c 'cd /proc/self/ns; for n in net pid cgroup time user; do readlink $n; done'
	for kind in net pid cgroup time user; do
		expect_line "$output" "$(readlink "/proc/$(pid_of)/ns/$kind")"
		expect_unlike "$output" "$(readlink "/proc/self/ns/$kind")"
	done
	must brig delete --force "$ID"
	expect_equal "$stderr" ""
}
