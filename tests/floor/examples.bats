#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # scripts of other languages; bats: a subshell a test, $output and $stderr
# The policies of deploy/policy and of the documents: each holds to the schema, and does what it is there for.

load ../integration/support/common

SOURCE=$SUPPORT/../../..

# held FILE: to the schema, and brig takes it.
held() {
	must "$SOURCE/tests/sandbox/schema" "$SOURCE/docs/policy.schema.json" "$1"
	must brig --policy "$1" plan --bundle "$BUNDLE" --json
}

# refused JSON WORDS: by both, by the schema with these words.
refused() {
	printf '%s' "$1" > "$T/wrong.json"
	must_fail 1 'policy file .*wrong\.json' brig --policy "$T/wrong.json" plan --bundle "$BUNDLE"
	attempt "$SOURCE/tests/sandbox/schema" "$SOURCE/docs/policy.schema.json" "$T/wrong.json"
	expect_status 1 "$1"
	expect_like "$output" "$2"
}

@test "each example holds to the schema, and brig takes it" {
	local name n=0

	for name in "$SOURCE"/deploy/policy/*.json; do
		install -m 644 "$name" "$T/example.json"
		held "$T/example.json"
	done
	# Whole policies in the documents are JSON between fences.
	sed -s -n '/^```/,/^```/p' "$SOURCE"/docs/{policy,egress}.md "$SOURCE/docs/brig-policy.5.scd" |
		awk -v folder="$T" '/^```/ { n++; next } n % 2 { print > (folder "/document-" n ".json") }'
	for name in "$T"/document-*.json; do
		if grep -q '"set":' "$name"; then
			held "$name"
			n=$((n + 1))
		fi
	done
	[ "$n" -ge 4 ] || flunk "$n policies found in the documents"
}

@test "what brig does not take does not hold to the schema either: the test above can fail" {
	refused '{ "rules": {} }' 'set is missing'
	refused '{ "set": "strict", "rules": { "hook": "allow" } }' "'allow' is none of"
	refused '{ "set": "strict", "device": [] }' 'device is not in the schema'
	refused '{ "set": "strict", "devices": [{ "path": "/dev/kvm", "major": 10 }] }' 'devices\[0\]: .*fits 0 of 2'
	refused '{ "set": "strict", "hook_directories": ["hooks"] }' 'hook_directories\[0\]: .*pattern'
	refused '{ "set": "strict", "loggers": ["log?KEY"] }' 'loggers\[0\]: .*pattern'
}

# brig_there ARGUMENT...: under gpu.json, where nodes of the driver's and a hook in the listed folder are, for nobody else to see.
brig_there() {
	own_dev '
		mknod /dev/nvidiactl c 195 255
		mount -t tmpfs -o mode=755 toolkit /usr/local
		mkdir -p /usr/local/nvidia/toolkit
		install -m 755 "$T/hook" /usr/local/nvidia/toolkit/hook
		install -m 755 "$T/hook" /usr/local/nvidia/other' \
		env BRIG_TEST="$ID" "$BRIG" --root "$ROOT" --policy "$T/gpu.json" "$@"
}

# nvidia MINOR HOOK: the container asks for that node of the driver's and for that hook, as an engine writes it down that reads a CDI specification.
nvidia() {
	config '.linux.devices = [{ path: "/dev/nvidia", type: "c", major: 195, minor: $minor, fileMode: 438 }] |
		.linux.resources.devices = [{ allow: false, access: "rwm" }, { allow: true, type: "c", major: 195, minor: $minor, access: "rw" }] |
		.hooks.createContainer = [{ path: $hook, args: ["hook", "update-ldcache"] }]' --argjson minor "$1" --arg hook "$2"
}

@test "gpu.json: a listed node and a hook of the listed folder are let in, another node and another hook refused" {
	install -m 644 "$SOURCE/deploy/policy/gpu.json" "$T/gpu.json"
	mkdir -m 777 "$T/ran"
	printf '#!/bin/sh\ncat > /dev/null\n: > "%s/ran/${0##*/}"\n' "$T" > "$T/hook"
	shell 'ls -l /dev/nvidia; cat /dev/nvidia'
	nvidia 255 /usr/local/nvidia/toolkit/hook
	attempt brig_there run --bundle "$BUNDLE" "$ID"
	expect_like "$output" '^c.* 195, +255 .*/dev/nvidia'
	# Whether a driver answers is another matter.
	expect_unlike "$stderr" 'not permitted|denied|rule'
	[ -e "$T/ran/hook" ] || flunk "the hook did not run: $stderr"
	# The one that is listed itself, whose program need not be there for the plan.
	nvidia 255 /usr/bin/nvidia-cdi-hook
	must brig_there plan --bundle "$BUNDLE" --json
	nvidia 254 /usr/local/nvidia/toolkit/hook
	must_fail 1 'linux\.devices.*c 195:254.*rule device.*deploy/policy/gpu\.json' brig_there run --bundle "$BUNDLE" "$ID"
	nvidia 255 /usr/local/nvidia/other
	must_fail 1 'hooks\.createContainer\[0\].*/usr/local/nvidia/other.*rule hook.*hook_directories.*deploy/policy/gpu\.json' brig_there run --bundle "$BUNDLE" "$ID"
	nvidia 255 /usr/local/nvidia/toolkit/../other
	must_fail 1 'rule hook' brig_there run --bundle "$BUNDLE" "$ID"
	expect_missing "$T/ran/other"
	# Where there is no such node the list has none.
	nvidia 255 /usr/bin/nvidia-cdi-hook
	if [ ! -e /dev/nvidiactl ]; then
		must_fail 1 'rule device' brig --policy "$T/gpu.json" run --bundle "$BUNDLE" "$ID"
	fi
}

# A volume of a raw block device, as containerd writes down what volumeDevices asks for.
volume() { # MINOR
	config '.linux.devices = [{ path: "/dev/xvda", type: "b", major: 7, minor: $minor, fileMode: 432, uid: 0, gid: 0 }] |
		.linux.resources.devices = [{ allow: false, access: "rwm" }, { allow: true, type: "b", major: 7, minor: $minor, access: "rw" }]' --argjson minor "$1"
}

# brig_beside_volume MINOR ARGUMENT...: under block-volumes.json, where the volume that it names is the loop device of that number, by a link.
brig_beside_volume() {
	MINOR=$1 own_dev 'mknod /dev/dm-7 b 7 "$MINOR"; mkdir /dev/mapper; ln -s ../dm-7 /dev/mapper/volumes-data' \
		env BRIG_TEST="$ID" "$BRIG" --root "$ROOT" --policy "$T/volumes.json" "${@:2}"
}

@test "block-volumes.json: a listed volume is read and written, nothing is mounted from it, another device is refused" {
	local device minor

	truncate -s 1M "$T/disk"
	printf 'what the volume holds' | dd of="$T/disk" conv=notrunc status=none
	device=$(losetup --find --show "$T/disk") || skip "no loop devices here"
	minor=$((0x$(stat -c %T "$device")))
	# It goes with the last who has it open, however the test ends.
	exec 7<> "$device"
	losetup --detach "$device"
	install -m 644 "$SOURCE/deploy/policy/block-volumes.json" "$T/volumes.json"
	volume "$minor"
	shell 'head -c 21 /dev/xvda; printf written | dd of=/dev/xvda bs=512 seek=2 conv=notrunc,fsync 2> /dev/null || echo no write; mknod /tmp/again b 7 0 2> /dev/null && echo made; true'
	must brig_beside_volume "$minor" run --bundle "$BUNDLE" "$ID"
	expect_equal "$output" 'what the volume holds'
	expect_equal "$(dd if="$T/disk" bs=512 skip=2 count=1 status=none | head -c 7)" written
	volume $((minor + 1))
	must_fail 1 "linux\\.devices.*b 7:$((minor + 1)).*rule device.*deploy/policy/block-volumes\\.json" brig_beside_volume "$minor" run --bundle "$BUNDLE" "$ID"
	# Where the policy names no such volume, or none of that name is there, it is refused as well.
	volume "$minor"
	must_fail 1 'rule device.*deploy/policy/block-volumes\.json' brig --policy strict run --bundle "$BUNDLE" "$ID"
	must_fail 1 'rule device' own_dev : env BRIG_TEST="$ID" "$BRIG" --root "$ROOT" --policy "$T/volumes.json" run --bundle "$BUNDLE" "$ID"
	exec 7>&-
}
