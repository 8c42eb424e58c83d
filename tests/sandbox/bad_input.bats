#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2153,SC2154 # scripts of other languages; bats: a subshell a test, $stderr
# brig sandbox: what makes no sense is one clear line and exit status 125, and nothing is left.

load support

refused() { # PATTERN ARGUMENT...
	local pattern=$1

	shift
	must_fail 125 "$pattern" sandbox "$@"
	expect_one_error
	assert_nothing_left
}

@test "without a program, and with options that make no sense" {
	refused 'PROGRAM is missing'
	refused 'PROGRAM is missing' --
	refused '--timeout: found "0", expected a duration from 1ms to 168h' --timeout 0 -- true
	refused '--timeout: found "soon", expected a duration' --timeout soon -- true
	refused '--timeout: found "1ns"' --timeout 1ns -- true
	refused '--timeout: found "169h"' --timeout 169h -- true
	refused '--cpu-time: found "0", expected a duration from 1ms to 168h' --cpu-time 0 -- true
	refused '--cpu-time: found "900us"' --cpu-time 900us -- true
	refused '--memory: found 12, expected 1m to 64t' --memory 12 -- true
	refused '--memory: found -1, expected 1m' --memory -1 -- true
	refused '--memory: can.t understand "much", expected a number of bytes such as 536870912 or 512m; see' --memory much -- true
	refused '--cpus' --cpus nought -- true
	refused '--cpus: found "8193", expected .*from 0.01 to 8192' --cpus 8193 -- true
	refused '--cpus: found "1.2345", expected .*three decimals at most' --cpus 1.2345 -- true
	refused '--pids: found 0, expected 1 to' --pids 0 -- true
	refused '--max-output: found -1, expected 1 to 1g' --max-output -1 -- true
	refused '--max-output: found 17825792, expected 1 to 16m' --json --max-output 17m -- true
	refused 'unknown option.*--no-such' --no-such -- true
	refused '--cwd' --cwd relative -- true
	refused '--cwd: found "relative", expected an absolute path' --oci "$T/none" --cwd relative
	refused '--cwd: found "", expected an absolute path' --oci "$T/none" --cwd ''
}

@test "files that are not there, or no files (rootless.bats has those that may not be read)" {
	mkfifo "$T/fifo"
	refused "open $T/none: No such file" --file a="$T/none" -- true
	refused 'not a regular file' --file a="$T" -- true
	refused 'not a regular file' --file a="$T/fifo" -- true
	refused 'not a regular file' --file a=/dev/zero -- true
	refused "open $T/none: No such file" --stdin "$T/none" -- true
	refused "stdin: $T is a directory" --stdin "$T" -- true
	refused 'without ".."' --file ../a=/etc/passwd -- true
	refused 'option --file: a is there already: give each NAME once' --file a=/etc/passwd --file a=/etc/passwd -- true
	refused 'option --file: a is there already: give each NAME once' --file a/b=/etc/passwd --file a=/etc/passwd -- true
	refused 'option --file: make a/b: Not a directory' --file a=/etc/passwd --file a/b=/etc/passwd -- true
	python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$T/socket"
	refused "option --stdin: $T/socket is a socket" --stdin "$T/socket" -- true
	refused "option --file: $T/socket is a socket" --file a="$T/socket" -- true
	refused 'option --stdin: found "", expected a file' --stdin '' -- true
	refused 'option --learn: found "", expected a file' --learn '' -- true
}

@test "a working directory that can't be" {
	refused 'option --cwd: chdir to /usr/nope: No such file' --cwd /usr/nope -- true
	refused 'option --cwd: chdir to /etc/passwd: Not a directory' --cwd /etc/passwd -- true
}

@test "a cgroup of the sandbox's name that somebody uses is nothing that the request could mend" {
	local tree=/sys/fs/cgroup

	if ! in_v2_view; then
		tree=/sys/fs/cgroup/unified
		[ -d "$tree" ] || tree=/sys/fs/cgroup/freezer
	fi
	mkdir "$tree/brig-$ID"
	helper sleep 60
	echo "$HELPER" > "$tree/brig-$ID/cgroup.procs"
	attempt sandbox --json -- true
	end_helpers
	wait_until rmdir "$tree/brig-$ID"
	expect_status 125
	expect_schema sandbox
	expect_json "$output" '.verdict == "internal" and (.error | test("has processes in it"))'
	assert_nothing_left
}

# A service tells by it whose fault it was: the request's, here.
@test "what is wrong with the request is refused, not internal, and held_by is what would have held it" {
	local -a request

	truncate --size 40m "$T/large"
	"$SOURCE/tests/sandbox/layout" "$T/layout" "$(command -v busybox)"
	mkfifo "$T/fifo"
	mkdir "$T/d"
	echo > "$T/file"
	while read -ra request; do
		judged refused "${request[@]}" -- true
		expect_status 125
		expect_json "$output" '.limits.held_by == "cgroup" and .error != null and .exit_code == null'
	done <<- END
		--file a=$T/none
		--file a=$T/file/x
		--file a=$T
		--file a=$T/fifo
		--file a=$T/file --file a=$T/file
		--memory 64m --file a=$T/large
		--stdin $T/none
		--stdin $T
		--rootfs $T/none
		--rootfs $T/file
		--bind-ro $T/none:/x
		--bind-rw $T/none:/x
		--oci $T/none
		--oci $T/layout:no-such-tag
		--oci $T/file
		--policy no-such-policy
		--policy $T/none
		--egress example.org
		--cwd /usr/nope
		--bind-ro $T/d:/usr/brig-test
		--bind-rw /etc:/x
	END
	attempt brig sandbox --json --name .. -- true
	expect_json "$output" '.verdict == "refused" and .limits.held_by == "cgroup"'
	start --timeout 60s -- sleep 60
	wait_until is_there
	attempt sandbox --json -- true
	expect_schema sandbox
	expect_json "$output" '.verdict == "refused"'
	kill -TERM "$HELPER"
	wait "$HELPER" || true
	assert_nothing_left
}

is_there() {
	[ "$(brig list --format json 2> /dev/null | jq -r '.[0].status')" = running ]
}

@test "what is wrong with brig and its host is internal" {
	attempt brig --root /dev/null/x sandbox --json -- true
	expect_json "$output" '.verdict == "internal"'
	mkdir -m 0777 "$T/open"
	chmod 0777 "$T/open"
	attempt brig --root "$T/open" sandbox --json -- true
	expect_json "$output" '.verdict == "internal" and (.error | contains("writable by nobody else"))'
	(
		ulimit -n 16
		attempt sandbox --json -- true
		expect_json "$output" '.verdict == "internal"'
	)
}

@test "a site policy that is broken is not the fault of a request" {
	mkdir -p "$T/etc/brig"
	echo '{ "set": "nonsense" }' > "$T/etc/brig/policy.json"
	attempt unshare --mount --propagation private sh -c 'mount -t overlay -o "lowerdir=$1/etc:/etc" overlay /etc && shift && exec "$@"' sh "$T" \
		"$BRIG" --root "$ROOT" sandbox --json -- true
	expect_json "$output" '.verdict == "internal" and (.error | contains("/etc/brig/policy.json"))'
	attempt unshare --mount --propagation private sh -c 'mount -t overlay -o "lowerdir=$1/etc:/etc" overlay /etc && shift && exec "$@"' sh "$T" \
		"$BRIG" --root "$ROOT" sandbox --json --file a="$T/none" -- true
	expect_json "$output" '.verdict == "refused"'
}

@test "a file that does not fit into the work directory" {
	truncate --size 40m "$T/large"
	refused 'does not fit' --memory 64m --file a="$T/large" -- true
}

@test "root file systems that are not there, or no directories" {
	refused "--rootfs.*$T/none" --rootfs "$T/none" -- true
	echo > "$T/file"
	refused '--rootfs' --rootfs "$T/file" -- true
	refused 'option --rootfs: found "", expected a directory' --rootfs '' -- true
	mkdir "$T/empty"
	must_fail 127 'not found' sandbox --rootfs "$T/empty" -- true
	assert_nothing_left
}

@test "binds of what is not there, or not to be had" {
	refused "option --bind-ro: open $T/none: No such file" --bind-ro "$T/none:/x" -- true
	refused "option --bind-rw: open $T/none: No such file" --bind-rw "$T/none:/x" -- true
	mkdir "$T/d"
	refused 'absolute' --bind-ro relative:/x -- true
	refused "options --bind-rw $T:/x and --bind-ro $T:/x: one of them would hide" --bind-ro "$T:/x" --bind-rw "$T:/y/../x/" -- true
	refused 'option --bind-ro /run:/x: asked for /run.*mount-source' --bind-ro /run:/x -- true
	refused 'option --bind-rw /usr:/x: .*mount-source' --bind-ro "$T:/y" --bind-rw /usr:/x -- true
	refused "option --bind-ro $T:/proc/x: .*lies in /proc" --bind-ro "$T:/proc/x" -- true
	refused "option --bind-ro $T/d:/usr/brig-test: .*Read-only file system" --bind-ro "$T/d:/usr/brig-test" -- true
	refused "option --bind-ro $T/d:/etc/passwd: .*not a directory" --bind-ro "$T/d:/etc/passwd" -- true
	refused "option --rootfs: its /etc: asked for /etc, but it is /etc, the host.s configuration" --rootfs / -- true
}

@test "image layouts that are none, and tags that are not there" {
	refused '--oci' --oci "$T/none" -- true
	mkdir "$T/folder"
	refused '--oci' --oci "$T/folder" -- true
	"$SOURCE/tests/sandbox/layout" "$T/layout" "$(command -v busybox)"
	refused 'no image has the tag "no-such-tag" \("box"\)' --oci "$T/layout:no-such-tag" -- true
}

@test "an image whose digest does not match writes nothing" {
	local blob

	"$SOURCE/tests/sandbox/layout" "$T/layout" "$(command -v busybox)"
	for blob in "$T"/layout/blobs/sha256/*; do
		if [ "$(stat -c %s "$blob")" -gt 10000 ]; then
			printf 'X' | dd of="$blob" bs=1 seek=5000 conv=notrunc status=none
		fi
	done
	refused 'sha256' --oci "$T/layout:box" -- true
}

@test "an egress list that is none" {
	refused 'option --egress: .*no address' --egress example.org -- true
	judged refused --egress 192.0.2.1:http -- true
}

@test "names that are no ids" {
	must_fail 125 'id' brig sandbox --name a/b -- true
	must_fail 125 'id' brig sandbox --name .. -- true
	must_fail 125 '64' brig sandbox --name "$(printf 'a%.0s' {1..65})" -- true
}

@test "a state directory that can't be made, and a policy that is not there" {
	must_fail 125 'File|Not a directory' "$BRIG" --root /dev/null/x sandbox -- true
	must_fail 125 'no-such-policy' brig --policy no-such-policy sandbox -- true
	attempt brig --policy no-such-policy sandbox --json -- true
	expect_status 125
	expect_schema sandbox
	expect_json "$output" '.verdict == "refused" and .error != null'
}
