#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2153,SC2154 # scripts of other languages; bats: a subshell a test, $stderr
# checkpoint and restore: by CRIU where it works, with its reason where it does not.

load support/common

setup_file() {
	CRIU=${CRIU:-$("$BRIG_SOURCE/tests/support/criu")}
	export CRIU
}

# As on a host on which CRIU is installed. It raises its own limit of descriptors, which a machine may withhold: then to where it is.
with_criu() {
	unshare --mount --propagation private sh -euc '
		mount -t tmpfs tmpfs /usr/local/sbin
		install -m 755 "$CRIU" /usr/local/sbin/criu
		ulimit -Hn > /usr/local/sbin/nr_open
		mount --bind /usr/local/sbin/nr_open /proc/sys/fs/nr_open
		exec "$@"' sh "$@"
}

needs_criu() {
	if ! with_criu "$CRIU" check > "$T/criu" 2>&1; then
		skip "CRIU does not work on this kernel: $(tail -n 1 "$T/criu")"
	fi
}

with_criu_brig() {
	BRIG_TEST=$ID with_criu "$BRIG" --root "$ROOT" "$@"
}

counter() {
	shell 'i=0; trap "exit 7" TERM; while :; do i=$((i + 1)); echo $i >> /count; sleep 0.05; done'
	must brig run --detach --bundle "$BUNDLE" "$ID"
	count_passes 2
}

count() {
	tail -n 1 "$BUNDLE/rootfs/count"
}

count_passes() { # NUMBER
	wait_until sh -c 'n=$(tail -n 1 "$1" 2> /dev/null); [ "${n:-0}" -gt "$2" ]' sh "$BUNDLE/rootfs/count" "$1"
}

@test "a container is saved, ended, and goes on where it was" {
	needs_criu
	config '.linux.resources.pids.limit = 20 | .process.noNewPrivileges = true'
	counter
	must with_criu_brig checkpoint --image-path "$T/images" "$ID"
	wait_until status_is stopped
	saved=$(count)
	must brig delete "$ID"
	must with_criu_brig restore --detach --image-path "$T/images" --bundle "$BUNDLE" --pid-file "$T/pid" "$ID"
	expect_equal "$(status_of)" running
	expect_equal "$(pid_of)" "$(cat "$T/pid")"
	count_passes "$saved"
	expect_equal "$(cgroup_value pids pids.max)" 20
	expect_line "$(cat "/proc/$(pid_of)/status")" "NoNewPrivs:	1"
	# What says so may be ended with the container before it has ended itself.
	attempt brig exec "$ID" sh -c 'kill -TERM 1'
	wait_until status_is stopped
	must brig delete "$ID"
	assert_nothing_left
}

# What comes back is held, and on record, as what is created is.
@test "its filter holds after it came back, and the trail has its restore, or why it was refused" {
	local trail=$T/log/audit.jsonl policy

	needs_criu
	for policy in conformant strict; do
		jq -n --arg path "$trail" --arg set "$policy" '{ set: $set, audit: { path: $path, required: true } }' > "$T/$policy.json"
	done
	config '.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 28 }] }'
	shell 'while ! [ -e /go ]; do sleep 0.05; done; mkdir /dir 2> /answer; sleep 300'
	must brig --policy "$T/conformant.json" run --detach --bundle "$BUNDLE" "$ID"
	must with_criu_brig checkpoint --image-path "$T/images" "$ID"
	wait_until status_is stopped
	must brig delete "$ID"
	rm "$trail"
	must_fail 1 'policy strict' with_criu_brig --policy "$T/strict.json" restore --detach --image-path "$T/images" --bundle "$BUNDLE" "$ID-2"
	expect_equal "$(jq -r 'select(.event != "policy") | "\(.event) \(.id)"' "$trail")" "refusal $ID-2"
	must with_criu_brig --policy "$T/conformant.json" restore --detach --image-path "$T/images" --bundle "$BUNDLE" "$ID"
	expect_line "$(cat "/proc/$(pid_of)/status")" "Seccomp:	2"
	touch "$BUNDLE/rootfs/go"
	wait_until test -s "$BUNDLE/rootfs/answer"
	expect_like "$(< "$BUNDLE/rootfs/answer")" 'No space left on device'
	expect_equal "$(jq -r 'select(.event != "policy" and .id == $id) | .event' --arg id "$ID" "$trail" | tr '\n' ' ')" "create start "
	must brig delete --force "$ID"
	assert_nothing_left
}

@test "its streams are the caller's of restore" {
	needs_criu
	shell 'while ! [ -e /go ]; do sleep 0.05; done; echo to-out; echo to-err >&2; exit 3'
	must brig run --detach --bundle "$BUNDLE" "$ID"
	must with_criu_brig checkpoint --image-path "$T/images" "$ID"
	wait_until status_is stopped
	must brig delete "$ID"
	touch "$BUNDLE/rootfs/go"
	attempt with_criu_brig restore --image-path "$T/images" --bundle "$BUNDLE" "$ID"
	expect_equal "$status" 3
	expect_equal "$output" to-out
	expect_equal "$stderr" to-err
	assert_nothing_left
}

@test "it goes on where it should, also when it is paused" {
	needs_criu
	counter
	must with_criu_brig checkpoint --leave-running --image-path "$T/images" "$ID"
	expect_equal "$(status_of)" running
	count_passes "$(count)"
	must brig pause "$ID"
	must with_criu_brig checkpoint --leave-running --image-path "$T/more" "$ID"
	expect_equal "$(status_of)" paused
	must brig resume "$ID"
	count_passes "$(count)"
}

@test "a bind mount comes back from the host" {
	needs_criu
	mkdir "$T/volume"
	add_mount /volume bind "$T/volume" rbind
	shell 'while ! [ -e /volume/go ]; do sleep 0.05; done; echo seen > /volume/answer'
	must brig run --detach --bundle "$BUNDLE" "$ID"
	must with_criu_brig checkpoint --image-path "$T/images" "$ID"
	wait_until status_is stopped
	must brig delete "$ID"
	touch "$T/volume/go"
	must with_criu_brig restore --image-path "$T/images" --bundle "$BUNDLE" "$ID"
	expect_file "$T/volume/answer" seen
}

@test "what the policy holds a container with must not come from a file" {
	shell 'sleep 300'
	must brig --policy strict run --detach --bundle "$BUNDLE" "$ID"
	must_fail 1 'policy strict .*rule .*--policy conformant' with_criu_brig checkpoint --image-path "$T/images" "$ID"
	expect_equal "$(status_of)" running
	expect_missing "$T/images"
	mkdir "$T/images"
	must_fail 1 'policy strict' with_criu_brig --policy strict restore --image-path "$T/images" --bundle "$BUNDLE" "$ID-2"
	must_fail 1 'does not exist' brig state "$ID-2"
}

@test "images that are none, or are damaged, bring nothing back" {
	needs_criu
	counter
	must_fail 1 '--image-path: open the folder' with_criu_brig restore --image-path "$T/none" --bundle "$BUNDLE" "$ID-2"
	mkdir "$T/images"
	must_fail 1 'descriptors.json' with_criu_brig restore --image-path "$T/images" --bundle "$BUNDLE" "$ID-2"
	must with_criu_brig checkpoint --leave-running --image-path "$T/images" "$ID"
	for image in "$T"/images/core-*.img; do
		truncate --size=20 "$image"
	done
	must_fail 1 'criu: .*log is' with_criu_brig restore --image-path "$T/images" --bundle "$BUNDLE" "$ID-2"
	must_fail 1 'does not exist' brig state "$ID-2"
}

@test "a container that does not run, or has a terminal, is refused with the reason" {
	program sleep 300
	must create
	must_fail 1 'is created; it has to be running' with_criu_brig checkpoint --image-path "$T/images" "$ID"
	must brig kill "$ID" KILL
	wait_until status_is stopped
	must_fail 1 'is stopped' with_criu_brig checkpoint --image-path "$T/images" "$ID"
	must_fail 1 'container does not exist' with_criu_brig checkpoint --image-path "$T/images" "$ID-none"
}

@test "without CRIU the message says what to install" {
	if command -v criu > /dev/null; then
		skip "CRIU is installed on this machine"
	fi
	counter
	must_fail 1 'CRIU is not installed.*install the package criu' brig checkpoint --image-path "$T/images" "$ID"
	must_fail 1 'CRIU is not installed' brig restore --image-path "$T" --bundle "$BUNDLE" "$ID-2"
	expect_equal "$(status_of)" running
	must_fail 1 '--lazy-pages: brig does not offer' brig checkpoint --lazy-pages "$ID"
}

@test "where CRIU does not work the message has its reason, and the container runs on" {
	if with_criu "$CRIU" check > "$T/criu" 2>&1; then
		skip "CRIU works on this kernel"
	fi
	counter
	must_fail 1 'criu: .*log is' with_criu_brig checkpoint --image-path "$T/images" "$ID"
	expect_equal "$(status_of)" running
	count_passes "$(count)"
}
