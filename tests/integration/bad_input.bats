#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2153,SC2154 # scripts of other languages; bats: a subshell a test, $stderr
# bats file_tags=v2
# Input that is broken or hostile: a clear error with status 1, no crash, nothing left behind.

load support/common

# refused PATTERN: neither run nor create nor plan takes the bundle; stderr has one line like the pattern.
refused() {
	must_fail 1 "$1" run_container
	expect_one_error
	must_fail 1 "$1" create
	must_fail 1 "$1" brig plan --bundle "$BUNDLE"
	assert_nothing_left
}

raw() { # TEXT: becomes config.json
	printf '%s' "$1" > "$BUNDLE/config.json"
}

@test "a bundle without config.json, or that is none" {
	rm "$BUNDLE/config.json"
	refused 'config.json.*No such file'
	mkdir "$BUNDLE/config.json"
	refused 'config.json'
	must_fail 1 'no-such-bundle' brig run --bundle "$T/no-such-bundle" "$ID"
	must_fail 1 'Not a directory' brig run --bundle /etc/passwd "$ID"
}

@test "a truncated config.json, at many places" {
	local size at

	cp "$BUNDLE/config.json" "$T/whole.json"
	size=$(stat -c %s "$T/whole.json")
	for ((at = 0; at < size - 2; at += 250)); do
		head -c "$at" "$T/whole.json" > "$BUNDLE/config.json"
		must_fail 1 'config.json' run_container
	done
	assert_nothing_left
}

@test "what is not JSON" {
	raw ''
	refused 'config.json'
	raw 'hello'
	refused 'config.json'
	raw '[]'
	refused 'object'
	raw 'null'
	refused 'object'
	raw '{ "ociVersion": "1.0.0", }'
	refused 'config.json'
	raw '{ "ociVersion": "1.0.0" } trailing'
	refused 'config.json'
	raw '{ "ociVersion": "1.0.0" }{ "ociVersion": "1.0.0" }'
	refused 'config.json'
}

# By processor time: how long something takes is up to the machine's other work as well.
refused_in_two_seconds() { # PATTERN
	(
		ulimit -St 2
		refused "$1"
	)
}

@test "a huge config.json is refused before it is parsed" {
	{
		printf '{ "ociVersion": "1.0.0", "annotations": { "a": "'
		head -c 60000000 /dev/zero | tr '\0' a
		printf '" } }'
	} > "$BUNDLE/config.json"
	refused_in_two_seconds 'bytes|large|big|long'
	truncate -s 20G "$BUNDLE/config.json"
	refused_in_two_seconds 'bytes|large|big|long'
}

@test "deep nesting is refused" {
	{
		printf '{ "ociVersion": "1.0.0", "unknown": '
		head -c 100000 /dev/zero | tr '\0' '['
	} > "$BUNDLE/config.json"
	refused 'deep|nest|level'
	{
		printf '{ "ociVersion": "1.0.0", "unknown": '
		for _ in {1..5000}; do printf '{"a":'; done
	} > "$BUNDLE/config.json"
	refused 'deep|nest|level'
}

@test "long lists are refused" {
	config '.mounts = [range(200000) | { destination: "/a" }]'
	refused 'mounts|many|elements|large|bytes'
}

@test "wrong types are told with their path" {
	config '.process.args = "sh"'
	refused 'process.args'
	config '.process.args = ["sh", 7]'
	refused 'process.args\[1\]'
	config '.process.args = [] '
	refused 'process.args'
	config '.process.args = ["true"] | .process.user.uid = "0"'
	refused 'process.user.uid'
	config '.process.user.uid = -1'
	refused 'process.user.uid'
	config '.process.user.uid = 4294967295'
	refused 'process.user.uid'
	config '.process.user.uid = 4294967296'
	refused 'process.user.uid'
	config '.process.user.uid = 1.5'
	refused 'process.user.uid'
	config '.process.user.uid = 0 | .mounts[0].options = "ro"'
	refused 'mounts\[0\].options'
	config '.mounts = {}'
	refused 'mounts'
	config '.mounts = [] | .linux.namespaces[0].type = "nonsense"'
	refused 'linux.namespaces\[0\].type.*nonsense'
	config '.linux = null'
	refused 'linux'
}

@test "missing members are told with their path" {
	config 'del(.ociVersion)'
	refused 'ociVersion'
	config '.ociVersion = "1.0.0" | .root = {}'
	refused 'root.*path'
	config 'del(.root)'
	refused 'root'
	config '.root = { path: "rootfs" } | del(.process.cwd)'
	refused 'process.*cwd'
	config '.process.cwd = "/" | .process.rlimits = [{ type: "RLIMIT_CORE", soft: 0 }]'
	refused 'process.rlimits\[0\].*hard'
}

@test "versions that are no such thing, or of another age" {
	local version

	for version in banana '' 0.1.0 2.0.0 1 1.x.0; do
		config --arg version "$version" '.ociVersion = $version'
		refused 'ociVersion'
	done
}

@test "NUL bytes and text that is not UTF-8" {
	printf '{ "ociVersion": "1.0.0\0", "root": { "path": "rootfs" } }' > "$BUNDLE/config.json"
	refused 'config.json'
	raw '{ "ociVersion": "1.0.0", "root": { "path": "rootfs\u0000/../../.." }, "process": { "args": ["true"], "cwd": "/", "user": { "uid": 0, "gid": 0 } } }'
	refused 'root.path'
	printf '{ "ociVersion": "1.0.0", "hostname": "\xff\xfe", "root": { "path": "rootfs" } }' > "$BUNDLE/config.json"
	refused 'config.json'
}

@test "duplicate members are refused, not settled by luck" {
	raw '{ "ociVersion": "1.0.0", "root": { "path": "rootfs", "path": "/" }, "process": { "args": ["true"], "cwd": "/", "user": { "uid": 0, "gid": 0 } } }'
	refused 'root.*path'
}

@test "unknown members are passed over, with a line for debugging" {
	config '.unknown = { "deep": [1, 2] } | .process.alsoUnknown = 1'
	must run_container
	expect_equal "$stderr" ""
	must brig --debug run --bundle "$BUNDLE" "$ID"
	expect_like "$stderr" 'alsoUnknown'
}

@test "a config.json that is a pipe, a device or a link to one does not hang brig" {
	rm "$BUNDLE/config.json"
	mkfifo "$BUNDLE/config.json"
	refused 'config.json'
	rm "$BUNDLE/config.json"
	ln -s /dev/zero "$BUNDLE/config.json"
	refused 'config.json'
}

@test "a missing root file system, or one that is a file" {
	mv "$BUNDLE/rootfs" "$BUNDLE/elsewhere"
	must_fail 1 'rootfs.*No such file' run_container
	echo > "$BUNDLE/rootfs"
	must_fail 1 'rootfs.*Not a directory|rootfs' run_container
	rm "$BUNDLE/rootfs"
	ln -s nowhere "$BUNDLE/rootfs"
	must_fail 1 'rootfs' run_container
	assert_nothing_left
}

@test "an empty root file system gives the error of a missing program" {
	rm -rf "$BUNDLE/rootfs"
	mkdir "$BUNDLE/rootfs"
	must_fail 1 'executable file not found' run_container
	assert_nothing_left
}

@test "links for /proc, /sys and /dev in the image are refused, and nothing outside is touched" {
	local place

	mkdir "$T/outside"
	for place in proc sys dev; do
		mv "$BUNDLE/rootfs/$place" "$BUNDLE/rootfs/$place.real"
		ln -s "$T/outside" "$BUNDLE/rootfs/$place"
		must_fail 1 "/$place.*link" run_container
		ln -sfn "$place.real" "$BUNDLE/rootfs/$place"
		must_fail 1 "/$place.*link" run_container
		rm "$BUNDLE/rootfs/$place"
		mv "$BUNDLE/rootfs/$place.real" "$BUNDLE/rootfs/$place"
	done
	expect_equal "$(ls -A "$T/outside")" ""
	assert_nothing_left
}

@test "links that turn in circles are refused" {
	ln -s loop "$BUNDLE/rootfs/loop"
	add_mount /loop/x tmpfs tmpfs
	must_fail 1 'mounts\[5\].*(symbolic links|loop)' run_container
	assert_nothing_left
}

@test "hostile ids are refused by every command" {
	local id command

	for id in '' . .. ../x a/b '/etc' 'a b' $'a\nb' 'a*b' .hidden 'ü' "$(head -c 2000 /dev/zero | tr '\0' a)"; do
		attempt brig create --bundle "$BUNDLE" "$id"
		expect_status 1 create "$id"
		for command in start state kill delete pause ps; do
			attempt brig "$command" -- "$id"
			expect_status 1 "$command" "$id"
		done
		attempt brig delete --force "$id"
		expect_status 1 delete --force "$id"
	done
	expect_equal "$(left_state)" ""
}

@test "ids with all characters that are allowed" {
	ID="$ID+_-.A9"
	sleeper
	expect_equal "$(status_of)" running
	must brig delete --force "$ID"
}

@test "a state directory that others can write to is not used" {
	mkdir -p "$ROOT"
	chmod 777 "$ROOT"
	must_fail 1 "state directory $ROOT" run_container
	chown 1000 "$ROOT"
	chmod 700 "$ROOT"
	must_fail 1 "state directory $ROOT" run_container
}

@test "a broken state file is the trouble of one container alone" {
	sleeper
	mkdir "$ROOT/$ID-broken"
	echo '{' > "$ROOT/$ID-broken/state.json"
	must_fail 1 . brig state "$ID-broken"
	attempt brig list --format json
	expect_status 0 list
	expect_json "$output" "map(.id) == [\"$ID\"]"
	must_fail 1 'already exists' brig create --bundle "$BUNDLE" "$ID-broken"
	rm -r "${ROOT:?}/$ID-broken"
}

@test "the state directory is root's alone" {
	sleeper
	expect_equal "$(stat -c %a "$ROOT")" 700
	expect_equal "$(stat -c %a "$ROOT/$ID")" 700
	expect_equal "$(find "$ROOT/$ID" -type f -perm /077)" ""
}

@test "a bundle that changes while containers are made from it" {
	local try

	cp "$BUNDLE/config.json" "$T/good.json"
	cp -a "$BUNDLE/rootfs" "$T/other"
	helper sh -c 'while :; do
		head -c 700 "$1/good.json" > "$2/config.json"; cp "$1/good.json" "$2/new.json"; mv "$2/new.json" "$2/config.json"
		mv "$2/rootfs" "$2/away"; mv "$2/away" "$2/rootfs"
		ln -sfn /etc "$2/rootfs/proc2"; mv -T "$2/rootfs/proc" "$2/rootfs/proc3"; ln -s "$1/other" "$2/rootfs/proc"
		rm "$2/rootfs/proc"; mv -T "$2/rootfs/proc3" "$2/rootfs/proc"
	done' sh "$T" "$BUNDLE"
	for try in {1..25}; do
		attempt brig run --bundle "$BUNDLE" "$ID-$try"
		if [ "$status" -gt 1 ]; then
			flunk "status $status: $stderr"
		fi
		if [ "$status" -eq 1 ]; then
			expect_one_error
		fi
	done
	kill "$HELPER"
	expect_equal "$(ls -A "$T/other/proc")" ""
}
