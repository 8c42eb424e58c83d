#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2154 # bats: a subshell a test, $output
# brig sandbox --oci: images that work, and images that are there to do harm.

load support

layout_of() { # KIND
	"$SOURCE/tests/sandbox/image-layout" "$1" "$T/layout" "$(command -v busybox)"
}

# refused_image KIND REASON...: as a folder and as a tar file; nothing is written, nothing is left.
refused_image() {
	layout_of "$1"
	must_fail 125 "--oci: image .*$2" sandbox --oci "$T/layout" -- /bin/sh -c true
	tar -C "$T/layout" -cf "$T/layout.tar" .
	must_fail 125 "--oci: image .*$2" sandbox --oci "$T/layout.tar:test" -- /bin/sh -c true
	if [ -e /brig-escaped ] || [ -e "$T/brig-escaped" ]; then
		flunk "something was written outside"
	fi
	assert_nothing_left
	rm -r "$T/layout" "$T/layout.tar"
}

@test "layers of tar, gzip and zstd, from a folder and from a tar file" {
	layout_of good-packings
	must sandbox --oci "$T/layout" -- /bin/cat /etc/tar /etc/gzip /etc/zstd
	expect_equal "$output" $'tar\ngzip\nzstd'
	tar -C "$T/layout" -cf "$T/layout.tar" .
	must sandbox --oci "$T/layout.tar:test" -- /bin/cat /etc/tar /etc/gzip /etc/zstd
	expect_equal "$output" $'tar\ngzip\nzstd'
}

# What the program is given goes by the file system in which it comes to lie, not by its name.
@test "--cwd that a link of the image's leads into a bind is not given to the program" {
	layout_of good-work-link
	mkdir "$T/d"
	attempt sandbox --oci "$T/layout" --bind-rw "$T/d:/data" --cwd /work/made/deep -- /bin/busybox touch x
	expect_status 1
	expect_equal "$(stat -c %u "$T/d/made" "$T/d/made/deep" | sort -u)" "$(id -u)"
	expect_missing "$T/d/made/deep/x"
	must sandbox --oci "$T/layout" --cwd /work/made/deep -- /bin/busybox touch x ../x
}

@test "whiteouts hide what is below, and are not there themselves" {
	layout_of good-whiteouts
	must sandbox --oci "$T/layout" -- /bin/sh -c 'cat /etc/above /etc/below; ls -a /etc'
	expect_like "$output" '^above'
	expect_like "$output" 'below'
	[[ $output != *hidden* && $output != *.wh.* ]] || flunk "$output"
}

@test "long names of both forms, links inside the root" {
	layout_of good-names
	must sandbox --oci "$T/layout" -- /bin/busybox find /n /p -type f -exec /bin/cat '{}' ';'
	expect_equal "$output" $'long\nlong'
	rm -r "$T/layout"
	layout_of good-links
	must sandbox --oci "$T/layout" -- /bin/cat /usr/lib64/inside /hard
	expect_equal "$output" $'inside\nbelow'
}

@test "folders as deep as they may be, which are gone afterwards" {
	layout_of good-deep
	must sandbox --oci "$T/layout" -- /bin/busybox find /e -type f -exec /bin/cat '{}' ';'
	expect_equal "$output" deep
	assert_nothing_left
}

# Not before it has begun: stopped then, it never would.
decoder_of_helper() {
	[ -d "$ROOT/.sandbox/$ID/root/bin" ] || return 1
	DECODER=$(pgrep -P "$HELPER" | head -n 1)
	[ -n "$DECODER" ] && kill -STOP "$DECODER" 2> /dev/null
}

@test "a signal while an image is unpacked, and nothing is left" {
	local signal status

	layout_of good-large
	for signal in INT TERM; do
		status=0
		start --json --oci "$T/layout" -- /bin/sh -c true
		# It can't get any further, so that the signal comes in time.
		wait_until decoder_of_helper
		kill "-$signal" "$HELPER"
		wait "$HELPER" || status=$?
		expect_equal "$status" $((128 + $(kill -l "$signal")))
		output=$(< "$T/helper.out")
		expect_schema sandbox
		expect_json "$output" '.verdict == "internal" and (.error | contains("stopped by SIG'"$signal"'"))'
		expect_gone "$DECODER"
		assert_nothing_left
	done
}

@test "a layer that hides its own files again and again" {
	refused_image hiding 'hides and replaces more'
}

@test "set-user-ID is not kept" {
	layout_of good-modes
	must sandbox --oci "$T/layout" -- /bin/stat -c %a /bin/su
	expect_equal "$output" 755
}

@test "names and links that lead out" {
	refused_image absolute 'an absolute name'
	refused_image dot-dot '".." in the name'
	refused_image hard-link-absolute 'hard link to /etc/shadow: an absolute name'
	refused_image hard-link-dot-dot '".." in the name'
	refused_image hard-link-behind-link 'hard link to out/shadow: No such file'
	refused_image root-as-link 'the root itself'
}

@test "entries that are no files" {
	refused_image device 'dev/sda: a device'
	refused_image character-device 'dev/mem: a device'
	refused_image sparse 'sparse'
	refused_image link-loop 'can.t be reached'
	refused_image file-as-folder 'is none'
	refused_image whiteout-of-nothing 'whiteout'
	refused_image deep 'more than 128 folders'
}

@test "archives that are damaged" {
	refused_image checksum 'checksum'
	refused_image truncated 'cut off'
	refused_image damaged-gzip 'cut off'
}

@test "bombs" {
	refused_image bomb-gzip 'bomb'
	refused_image bomb-zstd 'bomb'
}

@test "digests and sizes that are not the blob's" {
	refused_image digest 'not have the digest'
	refused_image diff-id 'diff_ids'
	refused_image size 'descriptor says'
	refused_image digest-as-path 'is no digest'
	refused_image blob-as-link '(symbolic link|is missing)'
}

@test "extended headers that say something else than the entry" {
	refused_image extended-name '".." in the name'
	refused_image extended-absolute-name 'an absolute name'
	refused_image extended-target 'hard link to /etc/shadow: an absolute name'
	refused_image extended-size 'cut off inside a file'
	refused_image extended-negative-size 'size: -1'
	refused_image extended-sparse 'sparse'
	refused_image extended-large 'an extended header of 400[0-9]+ bytes'
	refused_image extended-for-all 'gives all entries one name'
}

@test "what is packed in a way that takes more, or is not all" {
	refused_image zstd-window 'a window of more than 8 MiB'
	refused_image behind-gzip 'damaged'
	refused_image encrypted 'mediaType ".*encrypted"'
	refused_image missing 'is missing in the layout'
}

@test "indexes in indexes, and images of other machines" {
	layout_of good-index
	must sandbox --oci "$T/layout" -- /bin/cat /etc/below
	expect_equal "$output" below
	rm -r "$T/layout"
	refused_image deep-index 'more than 4 indexes'
	refused_image other-platform 'the image is for linux/other'
}
