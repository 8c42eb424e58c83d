#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # scripts of other shells; bats: a subshell a test, $output
# Defences that are one system call of brig's: strace answers that call in the kernel's place, so that it is not done and brig does not know.
# Then the attack gets through: the defence is what stops it, and its test looks in the right place.

load ../integration/support/common

prepare() {
	if ! command -v strace > /dev/null; then
		skip "strace is not installed"
	fi
}

# What brig is called by, where that matters.
CALLER=()
conformant() {
	"${CALLER[@]}" env BRIG_TEST="$ID" "$BRIG" --root "$ROOT" --policy conformant "$@"
}

# without CALL[:when=N] COMMAND...: brig's, with that call passed over in it and its children (N: only the one of that number in each).
without() {
	local call=$1

	shift
	"${CALLER[@]}" env BRIG_TEST="$ID" strace --follow-forks --quiet=all -o /dev/null -e "trace=${call%%:*}" \
		-e "inject=${call%%:*}:retval=0${call#"${call%%:*}"}" "$BRIG" --root "$ROOT" --policy conformant "$@"
}

# With directories of the host's open, as a careless caller may have.
with_host_descriptors() {
	"$@" 5< / 6< /etc 7< "$T"
}

@test "CVE-2024-21626: without close_range the caller's descriptors are the container's, and lead out" {
	shell 'for n in 5 6 7; do ls -d /proc/self/fd/$n/debian_version /proc/self/fd/$n/bundle 2> /dev/null; done; echo ran'
	attempt with_host_descriptors conformant run --bundle "$BUNDLE" "$ID"
	expect_equal "$output" ran
	attempt with_host_descriptors without close_range run --bundle "$BUNDLE" "$ID"
	expect_like "$output" 'fd/6/debian_version'
}

@test "CVE-2024-21626: and so they are an exec's" {
	sleeper
	attempt with_host_descriptors conformant exec "$ID" sh -c 'ls -d /proc/self/fd/6/debian_version; echo ran'
	expect_equal "$output" ran
	attempt with_host_descriptors without close_range exec "$ID" sh -c 'ls -d /proc/self/fd/6/debian_version'
	expect_like "$output" 'fd/6/debian_version'
}

@test "CVE-2023-25173, CVE-2022-2995: without setgroups the caller's groups are the container's" {
	shell 'grep ^Groups: /proc/self/status'
	CALLER=(setpriv --groups "4,27")
	must conformant run --bundle "$BUNDLE" "$ID"
	expect_unlike "$output" '27'
	must without setgroups run --bundle "$BUNDLE" "$ID"
	expect_like "$output" '4 27'
}

# passed_over CALL REGEX: one by one each such call is passed over; one of them is what keeps that from being printed.
passed_over() {
	local n

	for n in {1..25}; do
		attempt without "$1:when=$n" run --bundle "$BUNDLE" "$ID"
		if [[ $output =~ $2 ]]; then
			return 0
		fi
	done
	flunk "nothing like $2 whichever $1 is passed over"
}

@test "CVE-2025-31133: without one of its calls of move_mount what is masked can be read" {
	echo secret > "$BUNDLE/rootfs/secret"
	config '.linux.maskedPaths = ["/secret"]'
	program cat /secret
	must conformant run --bundle "$BUNDLE" "$ID"
	expect_equal "$output" ""
	passed_over move_mount secret
}

@test "CVE-2023-25809: without one of its calls of move_mount /proc/sys is writable" {
	shell 'awk "\$5 == \"/proc/sys\" && \$6 ~ /^ro/" /proc/self/mountinfo | grep -q . && echo read-only || echo writable'
	must conformant run --bundle "$BUNDLE" "$ID"
	expect_equal "$output" read-only
	passed_over move_mount writable
}

# brig's caller hands on what a careless manager has: inheritable capabilities, as dockerd once did.
@test "CVE-2022-29162, CVE-2022-27650, CVE-2025-27612: without capset the caller's inheritable capabilities are the container's, and an exec's" {
	CALLER=(setpriv --inh-caps "+chown,+kill")
	program grep ^CapInh /proc/self/status
	must conformant run --bundle "$BUNDLE" "$ID"
	expect_equal "$output" $'CapInh:\t0000000000000000'
	must without capset run --bundle "$BUNDLE" "$ID-2"
	expect_equal "$output" $'CapInh:\t0000000000000021'
	program sleep 300
	must conformant run --detach --bundle "$BUNDLE" "$ID-3"
	must conformant exec "$ID-3" grep ^CapInh /proc/self/status
	expect_equal "$output" $'CapInh:\t0000000000000000'
	must without capset exec "$ID-3" grep ^CapInh /proc/self/status
	expect_equal "$output" $'CapInh:\t0000000000000021'
	must conformant delete --force "$ID-3"
}

@test "CVE-2022-27649, capabilities in all: without capset and the bound the container has its caller's" {
	program grep ^CapEff /proc/self/status
	config '.process.capabilities = { bounding: [], effective: [], permitted: [] }'
	must conformant run --bundle "$BUNDLE" "$ID"
	expect_equal "$output" $'CapEff:\t0000000000000000'
	attempt env BRIG_TEST="$ID" strace --follow-forks --quiet=all -o /dev/null -e trace=capset,prctl -e inject=capset,prctl:retval=0 \
		"$BRIG" --root "$ROOT" --policy conformant run --bundle "$BUNDLE" "$ID"
	expect_like "$output" $'CapEff:\t0000.*[1-9a-f]'
}
