#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2153,SC2154 # scripts of other languages; bats: a subshell a test, $stderr
# bats file_tags=v2
# Mounts: what they let through, where they land, and that they stay inside.

load support/common

prepare() {
	mkdir -p "$T/volume/below"
	echo content > "$T/volume/file"
}

# A file system of the host's own, mounted in the volume: what "recursive" is about.
mount_below() {
	mount -t tmpfs -o mode=755 tmpfs "$T/volume/below"
	echo deep > "$T/volume/below/file"
}

teardown() {
	umount "$T/volume/below" 2> /dev/null || true
	umount "$T/volume" 2> /dev/null || true
	cleanup_all
}

@test "a bind mount is writable, and its changes show on the host" {
	add_mount /volume bind "$T/volume" rbind rw
	inside 'cat /volume/file; echo new > /volume/made'
	expect_equal "$output" content
	expect_file "$T/volume/made" new
}

@test "a read-only bind mount refuses writing" {
	add_mount /volume bind "$T/volume" bind ro
	inside 'cat /volume/file; echo x > /volume/file || true; touch /volume/x || true; rm /volume/file || true'
	expect_equal "$output" content
	expect_like "$stderr" 'Read-only file system'
	expect_file "$T/volume/file" content
}

@test "ro covers the mount itself, rro what lies below it too" {
	mount_below
	add_mount /plain bind "$T/volume" rbind ro
	add_mount /recursive bind "$T/volume" rbind rro
	inside 'touch /plain/x 2> /dev/null || echo 1; touch /plain/below/x && echo 2
		touch /recursive/x 2> /dev/null || echo 3; touch /recursive/below/x 2> /dev/null || echo 4; cat /recursive/below/file'
	expect_equal "$output" $'1\n2\n3\n4\ndeep'
}

@test "the recursive word counts for the mount itself too, whichever comes last, as with other runtimes" {
	mount_below
	add_mount /1 bind "$T/volume" rbind rro rw
	add_mount /2 bind "$T/volume" rbind rw rro
	add_mount /3 bind "$T/volume" rbind rrw ro
	add_mount /4 bind "$T/volume" rbind ro rrw
	inside 'for n in 1 2 3 4; do touch /$n/x 2> /dev/null && echo "$n"; touch /$n/below/x 2> /dev/null && echo "$n below"; done; true'
	expect_equal "$output" $'3\n3 below\n4\n4 below'
}

@test "bind without r leaves out what is mounted below" {
	mount_below
	add_mount /volume bind "$T/volume" bind
	inside 'ls /volume/below'
	expect_equal "$output" ""
}

@test "a bind mount in options makes any type one" {
	add_mount /volume none "$T/volume" bind ro
	inside 'cat /volume/file'
	expect_equal "$output" content
}

@test "noexec, nodev and nosuid have an effect" {
	compile ids "$T/volume/id"
	chmod 4755 "$T/volume/id"
	mknod "$T/volume/null" c 1 3
	config '.process.noNewPrivileges = false | .process.user = { uid: 1000, gid: 1000 }'
	chmod a+x "$T/volume"
	chmod 666 "$T/volume/null"
	add_mount /loose bind "$T/volume" bind
	add_mount /tight bind "$T/volume" bind noexec nodev
	add_mount /nosuid bind "$T/volume" bind nosuid
	inside '/loose/id; /nosuid/id; /tight/id 2> /dev/null || echo noexec; : > /loose/null; (: > /tight/null) 2> /dev/null || echo nodev'
	expect_equal "$output" $'0\n1000\nnoexec\nnodev'
}

@test "a file is bound over a file, and the target is made" {
	add_mount /etc/made/deep/file bind "$T/volume/file" bind ro
	add_mount /etc/passwd bind "$T/volume/file" bind ro
	inside 'cat /etc/made/deep/file /etc/passwd; stat -c %F /etc/made/deep/file'
	expect_equal "$output" $'content\ncontent\nregular file'
}

@test "missing destinations are made, as directories for directories" {
	add_mount /a/b/c bind "$T/volume" bind
	add_mount /d/e tmpfs tmpfs nosuid
	inside 'cat /a/b/c/file; touch /d/e/x'
	expect_equal "$output" content
	[ -d "$BUNDLE/rootfs/a/b/c" ]
}

@test "a relative destination and a relative source" {
	cp -r "$T/volume" "$BUNDLE/data"
	add_mount relative/place bind data bind
	inside 'cat /relative/place/file'
	expect_equal "$output" content
}

@test "a destination's links are followed inside of the root, also absolute ones and ..'s" {
	mkdir -p "$BUNDLE/rootfs/target" "$T/outside"
	ln -s /target "$BUNDLE/rootfs/absolute"
	ln -s ../../../../../../target "$BUNDLE/rootfs/dots"
	add_mount /absolute/one bind "$T/volume" bind
	add_mount /dots/two bind "$T/volume" bind
	add_mount /x/../../../../target/three bind "$T/volume" bind
	inside 'cat /target/one/file /target/two/file /target/three/file'
	expect_equal "$output" $'content\ncontent\ncontent'
}

@test "a dangling link as the destination of a bind ends inside of the root" {
	ln -s "$T/outside-file" "$BUNDLE/rootfs/dangling"
	add_mount /dangling bind "$T/volume/file" bind
	inside 'cat /dangling'
	expect_equal "$output" content
	expect_missing "$T/outside-file"
	[ -e "$BUNDLE/rootfs$T/outside-file" ]
}

@test "a tmpfs has its size, mode and options" {
	add_mount /scratch tmpfs tmpfs nosuid nodev size=1m mode=1710
	inside 'stat -c %a /scratch; dd if=/dev/zero of=/scratch/x bs=1M count=3 2> /dev/null || echo full; wc -c < /scratch/x
		grep " /scratch " /proc/self/mountinfo'
	expect_equal "$(head -n 3 <<< "$output")" $'1710\nfull\n1048576'
	expect_like "$output" 'nosuid,nodev'
}

@test "a tmpfs without a mode has that of the directory it hides, also where it is read-only" {
	mkdir "$BUNDLE/rootfs/kept" "$BUNDLE/rootfs/readonly"
	chmod 2710 "$BUNDLE/rootfs/kept" "$BUNDLE/rootfs/readonly"
	add_mount /kept tmpfs tmpfs nosuid
	add_mount /readonly tmpfs tmpfs ro
	# Where it lies is made before that becomes read-only.
	add_mount /readonly/below tmpfs tmpfs shared mode=711
	add_mount /named tmpfs tmpfs mode=700
	add_mount /new tmpfs tmpfs nosuid
	inside 'stat -c %a /kept /readonly /readonly/below /named /new; touch /readonly/x 2> /dev/null || echo refused
		grep -c " /readonly/below .* shared:" /proc/self/mountinfo'
	expect_equal "$output" $'2710\n2710\n711\n700\n1777\nrefused\n1'
}

@test "a file over a directory, and the other way round, is an error that says so" {
	add_mount /etc bind "$T/volume/file" bind
	must_fail 1 'mounts\[.*/etc.*not a directory: a file .* over a directory' run_container
	config '.mounts[-1].destination = "/etc/passwd" | .mounts[-1].source |= sub("/file$"; "")'
	must_fail 1 'mounts\[.*/etc/passwd.*not a directory: a directory .* over a file' run_container
	assert_nothing_left
}

@test "tmpcopyup fills a tmpfs with what it hides" {
	mkdir -p "$BUNDLE/rootfs/config/below"
	echo kept > "$BUNDLE/rootfs/config/below/file"
	ln -s below/file "$BUNDLE/rootfs/config/link"
	chown 1000:1001 "$BUNDLE/rootfs/config/below/file"
	chmod 640 "$BUNDLE/rootfs/config/below/file"
	mkdir "$BUNDLE/rootfs/named" "$BUNDLE/rootfs/owned"
	chown 1000:1001 "$BUNDLE/rootfs/config" "$BUNDLE/rootfs/owned"
	add_mount /config tmpfs tmpfs tmpcopyup
	add_mount /named tmpfs tmpfs tmpcopyup mode=1700
	add_mount /owned tmpfs tmpfs tmpcopyup uid=5 gid=6
	inside 'cat /config/link; stat -c "%a %u:%g" /config/below/file; readlink /config/link; echo changed > /config/below/file
		stat -c "%a %u:%g" /config /named /owned'
	expect_equal "$output" $'kept\n640 1000:1001\nbelow/file\n755 1000:1001\n1700 0:0\n755 5:6'
	expect_file "$BUNDLE/rootfs/config/below/file" kept
}

@test "an id-mapped mount shows other owners, and writes as them" {
	chown 1000:1000 "$T/volume" "$T/volume/file"
	add_mount /volume bind "$T/volume" bind idmap
	config '.mounts[-1] += { uidMappings: [{ containerID: 1000, hostID: 0, size: 1 }], gidMappings: [{ containerID: 1000, hostID: 0, size: 1 }] }'
	inside 'stat -c %u:%g /volume/file; touch /volume/made'
	expect_equal "$output" 0:0
	expect_equal "$(stat -c %u:%g "$T/volume/made")" 1000:1000
}

@test "an id-mapped mount in a user namespace takes that one's maps" {
	user_namespace 100000
	chmod a+x "$T/volume"
	add_mount /volume bind "$T/volume" rbind ridmap
	inside 'stat -c %u /volume/file; touch /volume/made'
	expect_equal "$output" 0
	expect_equal "$(stat -c %u "$T/volume/made")" 0
}

@test "idmap without maps and without a user namespace is refused" {
	add_mount /volume bind "$T/volume" bind idmap
	must_fail 1 'mounts\[5\].*idmap' run_container
}

@test "what the host mounts later shows in an rslave mount and not in an rprivate one" {
	mount --bind "$T/volume" "$T/volume"
	mount --make-shared "$T/volume"
	add_mount /slave bind "$T/volume" rbind rslave
	add_mount /private bind "$T/volume" rbind rprivate
	config '.linux.rootfsPropagation = "rslave"'
	sleeper
	mount_below
	must brig exec "$ID" sh -c 'ls /slave/below; ls /private/below'
	expect_equal "$output" file
}

@test "what is mounted inside shows outside through an rshared mount alone" {
	mount --bind "$T/volume" "$T/volume"
	mount --make-shared "$T/volume"
	mkdir "$T/volume/other"
	capabilities CAP_SYS_ADMIN
	add_mount /shared bind "$T/volume" rbind rshared
	add_mount /slave bind "$T/volume" rbind rslave
	config '.linux.rootfsPropagation = "shared"'
	shell 'mount -t tmpfs none /shared/below && touch /shared/below/x; mount -t tmpfs none /slave/other && touch /slave/other/x; : > /tmp/done; sleep 300'
	background
	wait_until test -e "$BUNDLE/rootfs/tmp/done"
	[ -e "$T/volume/below/x" ]
	expect_missing "$T/volume/other/x"
	umount "$T/volume/below"
}

@test "a missing source is an error that names it, and nothing is left" {
	add_mount /volume bind "$T/no-such-folder" bind
	must_fail 1 "mounts\[5\].*$T/no-such-folder.*No such file" run_container
	assert_nothing_left
}

@test "unknown types, options and impossible places are errors that name the mount" {
	add_mount /volume nosuchfs none
	must_fail 1 'mounts\[5\].*nosuchfs' run_container
	config '.mounts[5] = { destination: "/volume", type: "tmpfs", source: "tmpfs", options: ["size=many"] }'
	must_fail 1 'mounts\[5\].*size' run_container
	expect_unlike "$stderr" '\\n' # as the kernel's own words end
	config '.mounts[5] = { destination: "/etc/passwd/x", type: "tmpfs", source: "tmpfs" }'
	must_fail 1 'mounts\[5\].*Not a directory' run_container
	config --arg source "$T/volume" '.mounts[5] = { destination: "/etc/passwd", type: "bind", source: $source, options: ["bind"] }'
	must_fail 1 'mounts\[5\]' run_container
	config '.mounts[5] = { type: "tmpfs", source: "tmpfs" }'
	must_fail 1 'mounts\[5\].*destination' run_container
	assert_nothing_left
}

@test "mounts are made in their order" {
	mkdir -p "$T/second"
	echo second > "$T/second/file"
	add_mount /volume bind "$T/volume" bind
	add_mount /volume bind "$T/second" bind
	inside 'cat /volume/file'
	expect_equal "$output" second
}

@test "root.readonly makes the root read-only, and mounts in it stay as they are" {
	config '.root.readonly = true'
	add_mount /tmp tmpfs tmpfs
	inside 'touch /x || true; touch /tmp/x && echo writable'
	expect_equal "$output" writable
	expect_like "$stderr" 'Read-only file system'
}

@test "masked paths are empty, files and directories" {
	mkdir "$BUNDLE/rootfs/secrets"
	echo secret > "$BUNDLE/rootfs/secrets/file"
	echo secret > "$BUNDLE/rootfs/secret"
	ln -s secret "$BUNDLE/rootfs/link"
	config '.linux.maskedPaths += ["/secrets", "/secret", "/proc/cmdline", "/sys/kernel", "/no/such/path"]'
	inside 'cat /secret /link /proc/cmdline | wc -c; ls -A /secrets /sys/kernel | grep -v : | grep -c .; touch /secrets/x || true; echo x > /secret'
	expect_equal "$output" $'0\n0'
	expect_file "$BUNDLE/rootfs/secret" secret
}

@test "read-only paths can be read and not written" {
	echo kept > "$BUNDLE/rootfs/kept"
	config '.linux.readonlyPaths += ["/kept", "/no/such/path"]'
	inside 'cat /kept; (echo x > /kept) 2> /dev/null || echo ro; (echo x > /proc/sys/kernel/hostname) 2> /dev/null || echo ro'
	expect_equal "$output" $'kept\nro\nro'
}

@test "/dev has the devices and links of the specification and no others" {
	inside 'ls /dev; for d in full null random tty urandom zero; do stat -c "%n %a %t:%T" /dev/$d; done; for l in fd stdin ptmx; do readlink /dev/$l; done'
	expect_equal "$(head -n 14 <<< "$output" | tr '\n' ' ')" \
		'core fd full null ptmx pts random shm stderr stdin stdout tty urandom zero '
	expect_line "$output" '/dev/null 666 1:3'
	expect_line "$output" '/dev/zero 666 1:5'
	expect_line "$output" '/dev/full 666 1:7'
	expect_line "$output" '/dev/random 666 1:8'
	expect_line "$output" '/dev/urandom 666 1:9'
	expect_line "$output" '/dev/tty 666 5:0'
	expect_line "$output" 'pts/ptmx'
	expect_line "$output" '/proc/self/fd'
}

@test "rootfsPropagation of the root is as asked" {
	config '.linux.rootfsPropagation = "private"'
	inside 'awk "\$5 == \"/\"" /proc/self/mountinfo'
	expect_like "$output" ' / '
	expect_unlike "$output" 'shared:'
	config '.linux.rootfsPropagation = "shared"'
	inside 'awk "\$5 == \"/\"" /proc/self/mountinfo'
	expect_like "$output" 'shared:'
	config '.linux.rootfsPropagation = "sideways"'
	must_fail 1 'linux.rootfsPropagation.*sideways' run_container
}

@test "nothing of the host's tree can be reached from inside" {
	capabilities CAP_SYS_ADMIN CAP_SYS_CHROOT CAP_DAC_OVERRIDE CAP_DAC_READ_SEARCH
	inside 'cat /proc/self/mountinfo; cd ../../../..; ls -d etc/debian_version 2> /dev/null || echo none'
	expect_line "$output" none
	expect_equal "$(awk '$5 == "/"' <<< "$output" | wc -l)" 1
}

@test "mqueue, and a new sysfs without a network namespace of its own" {
	without_namespace network
	add_mount /dev/mqueue mqueue mqueue nosuid noexec nodev
	attempt run_container
	expect_status 0 run
}
