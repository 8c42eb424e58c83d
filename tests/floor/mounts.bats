#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2153,SC2154 # scripts of other languages; bats: a subshell a test, $stderr
# bats file_tags=v2
# The floor's rules about mounts, with real containers: where they come from, what they allow, that nobody inside undoes them.

load ../integration/support/common

prepare() {
	POLICY=$T/policy.json
	printf '{ "set": "conformant", "rules": { "mount-source": "enforce", "device": "enforce", "mount-flags": "adjust",
		"mount-propagation": "adjust" } }\n' > "$POLICY"
	mkdir -p "$T/volume/below"
	echo content > "$T/volume/file"
}

teardown() {
	umount "$T/volume/below" 2> /dev/null || true
	umount "$T/alias" 2> /dev/null || true
	cleanup_all
}

strict() { # COMMAND ARGUMENT...
	brig --policy "$POLICY" "$@"
}

refused() { # SOURCE WORDS [OPTION...]: as a volume
	local source=$1 words=$2

	shift 2
	config '.mounts |= map(select(.destination != "/volume"))'
	add_mount /volume bind "$source" rbind "$@"
	must_fail 1 "$words" strict run --bundle "$BUNDLE" "$ID"
	expect_like "$stderr" 'rule (mount-source|device) of policy.*leave (it|the) '
}

let_in() { # SOURCE [OPTION...]
	local source=$1

	shift
	rm -rf "$BUNDLE/rootfs/volume"
	config '.mounts |= map(select(.destination != "/volume"))'
	add_mount /volume bind "$source" rbind "$@"
	program true
	must strict run --bundle "$BUNDLE" "$ID"
}

# bats test_tags=fast
@test "an ordinary directory and a file of the bundle are let in" {
	let_in "$T/volume"
	echo mine > "$BUNDLE/hosts"
	let_in hosts
	let_in /usr ro
	let_in /dev/null
}

# bats test_tags=fast
@test "the host's places are refused, by whatever name" {
	refused / 'contains /boot'
	refused /etc 'it is /etc'
	refused /proc 'it is /proc'
	refused /proc/self 'lies in /proc'
	refused /sys 'it is /sys'
	refused /run 'it is /run'
	refused /dev 'it is /dev'
	refused /usr 'programs of the host'
	refused "$T/../../../../../../../../etc" 'it is /etc'
	ln -s /etc "$T/link"
	refused "$T/link" 'really /etc'
	refused "$T/link/ssl" 'lies in /etc'
	ln -s ../../../../../../../../../../etc "$BUNDLE/harmless"
	refused harmless 'it is /etc'
	assert_nothing_left
}

@test "a bind of a host's directory is that directory" {
	mkdir "$T/alias"
	mount --bind /etc "$T/alias"
	refused "$T/alias" 'is /etc by another name'
	refused "$T/alias/ssl" 'lies in /etc'
	umount "$T/alias"
	mount --bind / "$T/alias"
	refused "$T/alias/etc" 'by another name'
}

@test "a socket is refused under any name" {
	helper python3 -c 'import socket, sys, time
s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(); time.sleep(300)' "$T/volume/engine.sock"
	wait_until test -S "$T/volume/engine.sock"
	refused "$T/volume/engine.sock" 'it is a socket'
	ln "$T/volume/engine.sock" "$T/volume/notes.txt"
	refused "$T/volume/notes.txt" 'it is a socket'
	ln -s volume/notes.txt "$T/readme"
	refused "$T/readme" 'it is a socket'
	assert_nothing_left
}

@test "a device is refused, and let in where the policy names it" {
	refused /dev/kmsg 'it is a device'
	mknod "$T/kmsg" c 1 11
	refused "$T/kmsg" 'it is a device'
	assert_nothing_left
	jq '.devices = [{ type: "c", major: 1, minor: 11, access: "r" }]' "$POLICY" > "$POLICY.new"
	mv "$POLICY.new" "$POLICY"
	let_in "$T/kmsg"
}

@test "a kernel file system is refused where it is bound, and where it is mounted below" {
	mount -t proc proc "$T/volume/below"
	refused "$T/volume/below" 'procfs'
	refused "$T/volume" "at $T/volume/below, below it"
}

# What such a link means is decided by whoever has the file open, at any moment.
@test "a magic link is no source" {
	add_mount /volume bind /proc/self/cwd rbind
	must_fail 1 'leads through a magic link' strict run --bundle "$BUNDLE" "$ID"
	assert_nothing_left
}

@test "what the policy lists is let in" {
	jq --arg path "$T/alias" '.mount_sources = [$path]' "$POLICY" > "$POLICY.new"
	mv "$POLICY.new" "$POLICY"
	mkdir "$T/alias"
	mount --bind /etc "$T/alias"
	let_in "$T/alias"
}

@test "a new file system of a device of the host's is refused" {
	add_mount /volume ext4 /dev/loop0
	must_fail 1 'mounts\[[0-9]*\]\.type: asked for type ext4.*made of a device' strict run --bundle "$BUNDLE" "$ID"
	assert_nothing_left
}

@test "a source that is missing is told as that" {
	add_mount /volume bind "$T/nothing" rbind
	must_fail 1 'open the source .*nothing: No such file' strict run --bundle "$BUNDLE" "$ID"
	must strict plan --bundle "$BUNDLE"
	expect_like "$output" 'mount-source'
	assert_nothing_left
}

@test "a root file system that is the host's is refused" {
	config '.root.path = "/"'
	must_fail 1 'root\.path: asked for /, but it contains' strict run --bundle "$BUNDLE" "$ID"
	assert_nothing_left
}

# Whatever wins the race, nothing but the directory that was looked at is ever inside.
@test "a source that is swapped between the look and the mount never shows what was swapped in" {
	local i

	mkdir "$T/swap" "$T/swap/good"
	echo good > "$T/swap/good/hostname"
	ln -s /etc "$T/swap/evil"
	compile swap_names "$T/swap/loop"
	helper "$T/swap/loop" "$T/swap/good" "$T/swap/evil"
	add_mount /volume bind "$T/swap/good" rbind ro
	program cat /volume/hostname
	for i in $(seq 60); do
		attempt strict run --bundle "$BUNDLE" "$ID"
		[ "$status" = 0 ] && expect_equal "$output" good
		[ "$status" = 0 ] || expect_like "$stderr" 'it is /etc|not what it was a moment ago'
	done
	assert_nothing_left
}

@test "volumes are nosuid and nodev, and so is what is mounted below them" {
	mount -t tmpfs tmpfs "$T/volume/below"
	mknod "$T/volume/below/null" c 1 3
	add_mount /volume bind "$T/volume" rbind suid dev
	add_mount /scratch tmpfs tmpfs
	shell 'grep -E " (/volume|/volume/below|/scratch|/dev|/dev/pts) " /proc/self/mountinfo | cut -d " " -f 5,6; echo x > /volume/below/null || echo kept'
	attempt strict run --bundle "$BUNDLE" "$ID"
	expect_status 0
	expect_like "$output" '/volume [^ ]*nosuid,nodev'
	expect_like "$output" '/volume/below [^ ]*nosuid,nodev'
	expect_like "$output" '/scratch [^ ]*nosuid,nodev'
	expect_like "$output" '/dev [^ ]*nosuid'
	expect_line "$output" kept
}

@test "nothing that is mounted inside shows on the host, though config.json asks for that" {
	mount --bind "$T/volume" "$T/volume"
	mount --make-shared "$T/volume"
	add_mount /volume bind "$T/volume" rbind rshared
	config '.linux.rootfsPropagation = "rshared"'
	capabilities CAP_SYS_ADMIN
	shell 'mount -t tmpfs tmpfs /volume/below && touch /volume/below/inside; mount | grep -c "/volume/below"'
	must strict run --bundle "$BUNDLE" "$ID"
	expect_equal "$output" 1
	[ ! -e "$T/volume/below/inside" ]
	umount "$T/volume"
}

# ---- locks: root inside, with CAP_SYS_ADMIN and no filter ----

GUARDED=(/ /volume /proc/sys /proc/kcore /masked /masked-file /dev)

locked_container() {
	user_namespace
	compile undo_mounts "$BUNDLE/rootfs/bin/undo"
	mkdir "$BUNDLE/rootfs/masked"
	echo secret > "$BUNDLE/rootfs/masked/secret"
	echo secret > "$BUNDLE/rootfs/masked-file"
	add_mount /volume bind "$T/volume" rbind ro
	capabilities CAP_SYS_ADMIN CAP_DAC_OVERRIDE CAP_SYS_CHROOT CAP_MKNOD
	config '.root.readonly = true | del(.linux.seccomp) | .linux.maskedPaths += ["/masked", "/masked-file", "/proc/kcore"] |
		.linux.readonlyPaths += ["/proc/sys"]'
}

undone() { # what got through, less what says nothing: a bind of a directory that has no mask below it
	grep -v ' attempts$' <<< "$output" || true
}

@test "root with CAP_SYS_ADMIN undoes no mount, mask or read-only of its container" {
	locked_container
	program undo "${GUARDED[@]}"
	must strict run --bundle "$BUNDLE" "$ID"
	expect_equal "$(undone)" ""
	expect_line "$output" '63 attempts'
	program undo --unshare "${GUARDED[@]}"
	must strict run --bundle "$BUNDLE" "$ID"
	expect_equal "$(undone)" ""
}

@test "nor does an exec with CAP_SYS_ADMIN" {
	locked_container
	program sleep 300
	must strict run --detach --bundle "$BUNDLE" "$ID"
	must brig exec "$ID" undo "${GUARDED[@]}"
	expect_equal "$(undone)" ""
	must brig exec "$ID" sh -c 'ls /masked; cat /masked-file; touch /x || echo kept; touch /volume/x || echo kept'
	expect_equal "$output" $'kept\nkept'
}

@test "without the floor's rule the same container undoes them: the test bites" {
	locked_container
	program undo "${GUARDED[@]}"
	must run_container
	expect_like "$output" '/masked: umount got through'
	expect_like "$output" '/: remounting got through'
}

@test "a locked container is like any other: devices, terminals, ids, a tmpfs of its own, sysctls" {
	user_namespace 200000
	capabilities CAP_SYS_ADMIN CAP_CHOWN CAP_SETUID CAP_SETGID CAP_NET_ADMIN CAP_DAC_OVERRIDE
	add_mount /scratch tmpfs tmpfs uid=1000 gid=1000 mode=700
	config '.process.cwd = "/made/here" | .linux.sysctl = { "net.ipv4.ip_forward": "1" } | .hostname = "locked"'
	shell 'stat -c "%u:%g %a" /scratch; stat -c %u:%g /made /tmp /dev/null; echo x > /dev/null && hostname; pwd
		cat /proc/sys/net/ipv4/ip_forward; cat /proc/self/uid_map; id -u; mount -t tmpfs tmpfs /tmp && echo mounted
		ls /sys/class/net; head -c 3 /dev/zero | wc -c'
	must strict run --bundle "$BUNDLE" "$ID"
	expect_equal "$(tr -s ' ' <<< "$output")" $'1000:1000 700\n0:0\n0:0\n0:0\nlocked\n/made/here\n1\n 0 200000 65536\n0\nmounted\nlo\n3'
	expect_equal "$(stat -c %u:%g "$BUNDLE/rootfs/made")" 200000:200000
}

@test "a locked container has the namespaces that it asks for, owned by its own user namespace" {
	user_namespace
	capabilities CAP_NET_ADMIN CAP_SYS_ADMIN
	program sleep 300
	must strict run --detach --bundle "$BUNDLE" "$ID"
	for kind in mnt net ipc uts pid user cgroup; do
		[ "$(readlink "/proc/$(pid_of)/ns/$kind")" != "$(readlink "/proc/self/ns/$kind")" ] || [ "$kind" = cgroup ]
	done
	must brig exec "$ID" sh -c 'ip link set lo down && hostname other && hostname && kill -0 1 && readlink /proc/self/ns/user'
	expect_equal "$output" "other"$'\n'"$(readlink "/proc/$(pid_of)/ns/user")"
	expect_equal "$(stat -c %u "/proc/$(pid_of)")" 100000
}
