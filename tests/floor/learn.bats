#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # jq's variables; bats: a subshell a test, $output
# brig learn: the profile of what was done lets exactly that be done again.

load ../integration/support/common

# A container that does some of many things, with a subprocess, a pipe, a file and sockets.
busy='cat /etc/passwd | grep -c root; echo text > /tmp/file; mkdir /tmp/dir; ls /tmp > /dev/null; sleep 0.01; wc -c < /tmp/file'

prepare() {
	chmod 1777 "$BUNDLE/rootfs/tmp"
	config '.root.readonly = false | del(.linux.seccomp)'
}

learn() { # [OPTION...]
	brig --policy "${POLICY:-strict}" learn --bundle "$BUNDLE" "$@"
}

# under PROFILE: the bundle gets it as its filter.
under() {
	config '.linux.seccomp = $profile[0]' --slurpfile profile "$1"
}

allowed() { # PROFILE: names, one a line
	jq -r '.syscalls[] | select(.action == "SCMP_ACT_ALLOW") | .names[]' "$1"
}

afresh() {
	rm -rf "$BUNDLE/rootfs/tmp"/*
}

@test "a program runs again under what was learned, as it stands" {
	shell "$busy"
	must learn -o "$T/learned.json"
	first=$output
	expect_like "$first" '1'
	for policy in strict conformant; do
		afresh
		under "$T/learned.json"
		must brig --policy "$policy" run --bundle "$BUNDLE" "$ID"
		expect_equal "$output" "$first"
	done
	# Also from another process of the container's.
	shell 'touch /tmp/ready; while ! [ -e /tmp/end ]; do sleep 0.1; done'
	config 'del(.linux.seccomp)'
	helper brig --policy strict learn --bundle "$BUNDLE" -m "$T/learned.json" -o "$T/both.json"
	wait_until test -e "$BUNDLE/rootfs/tmp/ready"
	touch "$BUNDLE/rootfs/tmp/end"
	wait "$HELPER"
	afresh
	under "$T/both.json"
	must brig --policy strict run --detach --bundle "$BUNDLE" "$ID"
	wait_until test -e "$BUNDLE/rootfs/tmp/ready"
	must brig exec "$ID" sh -c 'echo text > /tmp/other; wc -c < /tmp/other'
	expect_like "$output" '5'
}

@test "a call that was not made is refused, also where the floor would allow it" {
	shell "$busy"
	must learn -o "$T/learned.json"
	under "$T/learned.json"
	for script in 'ln -s x /tmp/link' 'chmod 700 /tmp/file' 'mv /tmp/file /tmp/else'; do
		shell "$script"
		must_fail 1 'Operation not permitted' brig --policy conformant run --bundle "$BUNDLE" "$ID"
	done
	expect_unlike "$(allowed "$T/learned.json")" 'symlink|chmod|rename|mount|unshare|ptrace'
}

@test "the profile is small, sorted, and says of some calls with which arguments" {
	shell 'nc -l -p 4097 & for i in $(seq 600); do grep -q ":1001 .* 0A " /proc/net/tcp /proc/net/tcp6 && break; sleep 0.05; done; kill $!; true'
	must learn -o "$T/learned.json"
	expect_json "$(< "$T/learned.json")" '.defaultAction == "SCMP_ACT_ERRNO" and .defaultErrnoRet == 1'
	expect_json "$(< "$T/learned.json")" '.syscalls[0].names | . == sort and . == unique'
	expect_json "$(< "$T/learned.json")" '[.syscalls[] | select(.names == ["socket"]) | .args[0].valueTwo] | unique - [2, 10] == []'
	expect_json "$(< "$T/learned.json")" '[.syscalls[] | select(.names == ["socket"]) | .args | length] | unique == [3]'
	expect_json "$(< "$T/learned.json")" '.syscalls[] | select(.names == ["clone3"]) | .errnoRet == 38'
	expect_json "$(< "$T/learned.json")" '[.syscalls[] | select(.action == "SCMP_ACT_ALLOW") | .names[]] | unique | length < 80'
}

@test "what the floor refuses is refused while it is recorded, is listed, and not in the profile unless asked" {
	shell 'unshare -U true; mount -t tmpfs x /mnt; echo ended'
	must learn -o "$T/learned.json"
	expect_like "$output" 'ended'
	expect_like "$stderr" 'Operation not permitted'
	expect_like "$stderr" 'brig learn: 2 system calls were refused.*: mount unshare$'
	expect_unlike "$(allowed "$T/learned.json")" 'mount|unshare'
	must learn --beyond-floor -o "$T/beyond.json"
	expect_like "$(allowed "$T/beyond.json")" 'mount'
	expect_json "$(< "$T/beyond.json")" '.syscalls[] | select(.names == ["unshare"]) | .args[0].valueTwo == 268435456'
	# The floor is beneath all the same.
	under "$T/beyond.json"
	must brig --policy strict run --bundle "$BUNDLE" "$ID"
	expect_like "$stderr" 'Operation not permitted'
}

@test "config.json's own filter holds while calls are recorded" {
	config '.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64"],
		syscalls: [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 28 }] }'
	shell 'mkdir /tmp/dir || true'
	must learn -o "$T/learned.json"
	expect_like "$stderr" 'No space left'
	expect_json "$(< "$T/learned.json")" '[.syscalls[] | select(.errnoRet == 28) | .names[]] | unique - ["mkdir", "mkdirat"] == []'
	# ... also without a floor, and where there is no filter at all.
	POLICY=conformant must learn -o "$T/learned.json"
	expect_like "$stderr" 'No space left'
	config 'del(.linux.seccomp)'
	POLICY=conformant must learn -o "$T/learned.json"
	expect_unlike "$stderr" 'No space left'
	expect_like "$(allowed "$T/learned.json")" 'mkdir'
}

@test "merge keeps what was there, diff tells what is new" {
	shell 'true'
	must learn -o "$T/one.json"
	must learn --diff "$T/one.json"
	expect_equal "$output" ''
	shell 'ln -s x /tmp/link'
	attempt learn --diff "$T/one.json"
	expect_status 1 learn --diff
	expect_like "$output" '\+allow symlink'
	expect_unlike "$output" '^-'
	afresh
	must learn --merge "$T/one.json" -o "$T/both.json"
	shell 'true'
	attempt learn --diff "$T/both.json"
	expect_status 1 learn --diff
	expect_like "$output" '-allow symlink'
	expect_unlike "$output" '\+'
	# Into one that is in a config.json, with a default of its own.
	jq '{ linux: { seccomp: { defaultAction: "SCMP_ACT_KILL", architectures: ["SCMP_ARCH_X86"],
		flags: ["SECCOMP_FILTER_FLAG_LOG"], syscalls: [{ names: ["vhangup", "acct"], action: "SCMP_ACT_ALLOW" }] } } }' -n > "$T/config"
	must learn --merge "$T/config"
	expect_json "$output" '.defaultAction == "SCMP_ACT_KILL_THREAD" and .flags == ["SECCOMP_FILTER_FLAG_LOG"]'
	expect_json "$output" '.architectures[0] == "SCMP_ARCH_X86" and (.architectures | length) == 2'
	expect_json "$output" '[.syscalls[].names[]] | contains(["acct", "vhangup", "execve"])'
}

@test "profiles that can't be read are refused by name" {
	shell true
	echo '{ "defaultAction": "SCMP_ACT_ERRNO", "archMap": [{ "architecture": "SCMP_ARCH_X86_64" }] }' > "$T/docker.json"
	must_fail 125 "$T/docker.json: this is docker's own form" learn --merge "$T/docker.json"
	echo '{ "defaultAction": "SCMP_ACT_NONE" }' > "$T/odd.json"
	must_fail 125 'odd.json.*defaultAction' learn --merge "$T/odd.json"
	echo '{' > "$T/half.json"
	must_fail 125 'half.json' learn --diff "$T/half.json"
	must_fail 125 'nowhere.json: No such file' learn --merge "$T/nowhere.json"
	mkfifo "$T/fifo"
	must_fail 125 'fifo' learn --merge "$T/fifo"
}

@test "a command runs in a throw-away container of its own" {
	mkdir "$T/temporary"
	TMPDIR=$T/temporary must brig --policy strict learn -o "$T/learned.json" -- bash -c 'echo $((6 * 7)); touch /usr/x || true'
	expect_like "$output" '^42'
	expect_like "$stderr" 'touch.*(Read-only|Permission|not permitted)'
	expect_like "$(allowed "$T/learned.json")" 'execve'
	expect_equal "$(ls "$T/temporary")" ''
}

@test "the exit status is the program's, and a command sees a folder that it was given" {
	mkdir "$T/folder"
	chmod a+rx "$T/folder"
	echo 'here it is' > "$T/folder/file"
	must brig --policy strict learn --bind "$T/folder" --env WHAT=file -o "$T/learned.json" -- bash -c 'cat "$WHAT"'
	expect_equal "$output" 'here it is'
	must_fail 7 'status 7' brig --policy strict learn -o "$T/learned.json" -- bash -c 'exit 7'
	must_fail 125 'not found in \$PATH' brig --policy strict learn -- no-such-program
	must_fail 1 'either a command or --bundle' brig learn
	must_fail 1 'either a command or --bundle' brig learn --bundle "$BUNDLE" -- true
}

@test "a command's /dev has what every program takes for granted" {
	must brig --policy strict learn -o "$T/learned.json" -- bash -c 'echo x > /dev/null; head -c 3 /dev/zero | wc -c'
	expect_equal "$output" '3'
	expect_unlike "$stderr" 'denied'
}

@test "a program with more kinds of calls than there is room for is told of" {
	if ! [ -x /usr/bin/perl ]; then
		skip "no perl, which makes any call"
	fi
	must brig --policy strict learn -o "$T/learned.json" -- /usr/bin/perl -e 'ioctl(STDIN, $_, 0) for 1 .. 10'
	expect_unlike "$stderr" 'more kinds'
	must brig --policy strict learn -o "$T/learned.json" -- /usr/bin/perl -e 'ioctl(STDIN, $_, 0) for 1 .. 4200'
	expect_like "$stderr" 'warning: [0-9]+ calls were of more kinds than there is room for'
}

@test "a filter that has a listener of its own can't be recorded" {
	config '.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", listenerPath: "/run/agent", syscalls: [{ names: ["mkdir"], action: "SCMP_ACT_NOTIFY" }] }'
	shell true
	POLICY=conformant must_fail 125 'has a listener of its own' learn
}

@test "of a container that runs, what it does from now on is listened to" {
	shell 'touch /tmp/ready; while ! [ -e /tmp/go ]; do sleep 0.1; done; (ln -s x /tmp/link; mkdir /tmp/dir); touch /tmp/done
		while ! [ -e /tmp/end ]; do sleep 0.1; done'
	must brig --policy strict run --detach --bundle "$BUNDLE" "$ID"
	wait_until test -e "$BUNDLE/rootfs/tmp/ready"
	helper env BRIG_TEST="$ID" "$BRIG" --root "$ROOT" learn -o "$T/learned.json" "$ID"
	wait_until instance_is_there
	touch "$BUNDLE/rootfs/tmp/go"
	wait_until test -e "$BUNDLE/rootfs/tmp/done"
	must brig exec "$ID" true
	kill "$HELPER"
	wait "$HELPER"
	expect_like "$(allowed "$T/learned.json")" 'symlink'
	expect_like "$(allowed "$T/learned.json")" 'mkdir'
	expect_like "$(< "$T/helper.out")" 'its start above all, is not in the profile'
	touch "$BUNDLE/rootfs/tmp/end"
	wait_until status_is stopped
	must_fail 125 'does not run' brig learn "$ID"
}

# listen NAME OPTION...: to the container, while it does its next thing
listen() {
	helper env BRIG_TEST="$ID" "$BRIG" --root "$ROOT" learn "${@:2}" "$ID"
	wait_until instance_is_there
	touch "$BUNDLE/rootfs/tmp/$1"
	wait_until test -e "$BUNDLE/rootfs/tmp/$1-done"
	kill "$HELPER"
	status=0
	wait "$HELPER" || status=$?
}

@test "a container's start by its bundle, and what it does later by its name, are one profile under which it runs" {
	shell 'touch /tmp/ready; sleep 0.1; [ -e /tmp/short ] && exit
		for name in one two; do while ! [ -e /tmp/$name ]; do sleep 0.1; done; ln -s x /tmp/link-$name; touch /tmp/$name-done; done'
	touch "$BUNDLE/rootfs/tmp/short"
	must learn -o "$T/start.json"
	afresh
	must brig --policy strict run --detach --bundle "$BUNDLE" "$ID"
	wait_until test -e "$BUNDLE/rootfs/tmp/ready"
	listen one --diff "$T/start.json"
	expect_status 1 learn --diff
	expect_like "$(< "$T/helper.out")" '\+allow symlink'
	listen two -m "$T/start.json" -o "$T/both.json"
	expect_status 0 learn -m
	wait_until status_is stopped
	must brig delete "$ID"
	for profile in start both; do
		afresh
		touch "$BUNDLE"/rootfs/tmp/{one,two}
		under "$T/$profile.json"
		attempt brig --policy strict run --bundle "$BUNDLE" "$ID"
		if [ "$profile" = both ]; then
			[ -L "$BUNDLE/rootfs/tmp/link-two" ]
		else
			expect_missing "$BUNDLE/rootfs/tmp/link-two"
		fi
	done
}

@test "a container whose calls never cease is listened to no longer than was said, and a signal ends that too" {
	shell 'dd if=/dev/zero of=/dev/null bs=1 & touch /tmp/ready; while ! [ -e /tmp/end ]; do sleep 0.1; done; kill $!'
	must brig --policy strict run --detach --bundle "$BUNDLE" "$ID"
	wait_until test -e "$BUNDLE/rootfs/tmp/ready"
	helper env BRIG_TEST="$ID" "$BRIG" --root "$ROOT" learn --duration 1s -o "$T/learned.json" "$ID"
	wait_until instance_is_there_or_over
	wait_until over
	expect_like "$(allowed "$T/learned.json")" 'write'
	helper env BRIG_TEST="$ID" "$BRIG" --root "$ROOT" learn -o "$T/other.json" "$ID"
	wait_until instance_is_there
	kill "$HELPER"
	wait_until over
	expect_like "$(allowed "$T/other.json")" 'write'
	touch "$BUNDLE/rootfs/tmp/end"
	wait_until status_is stopped
}

@test "what a listener that was killed left in the kernel, the next one takes away" {
	shell 'touch /tmp/ready; while ! [ -e /tmp/end ]; do sleep 0.1; done'
	must brig --policy strict run --detach --bundle "$BUNDLE" "$ID"
	wait_until test -e "$BUNDLE/rootfs/tmp/ready"
	# Not through env: its pid is in the name.
	"$BRIG" --root "$ROOT" learn "$ID" < /dev/null > "$T/helper.out" 2>&1 3>&- 4>&- &
	HELPER=$!
	HELPERS+=("$HELPER")
	wait_until instance_is_there
	killed=$HELPER
	kill -9 "$killed"
	wait "$killed" || true
	expect_like "$(instances)" "brig-learn-$killed"
	helper env BRIG_TEST="$ID" "$BRIG" --root "$ROOT" learn -o "$T/learned.json" "$ID"
	wait_until instance_is_there
	expect_unlike "$(instances)" "brig-learn-$killed"'([^0-9]|$)'
	expect_like "$(instances)" "brig-learn-"
	kill "$HELPER"
	wait_until over
	expect_unlike "$(instances)" "brig-learn-$HELPER"'([^0-9]|$)'
	touch "$BUNDLE/rootfs/tmp/end"
	wait_until status_is stopped
}

# The tracer's folders, in a mount of our own.
instances() {
	unshare --mount sh -c 'mount -t tracefs tracefs /sys/kernel/tracing && ls /sys/kernel/tracing/instances'
}

over() {
	! kill -0 "$HELPER" 2> /dev/null
}

instance_is_there_or_over() {
	instance_is_there || over
}

# The program's processes are followed once the tracer's folder for them is there; whoever may not trace skips.
instance_is_there() {
	if grep -q "can't be had here\|another one" "$T/helper.out"; then
		skip "the kernel's tracer can't be had here"
	fi
	# Its first look at the container's processes is over when the pipe is open.
	find "/proc/$HELPER/fd" -lname '*/trace_pipe' 2> /dev/null | grep -q .
}

@test "the bundle that a learn which was killed left behind, the next one takes away, and no other" {
	mkdir "$T/tmp" "$T/tmp/brig-learn-theirs" "$T/tmp/brig-learn-results" "$T/tmp/other"
	chmod 711 "$T/tmp"
	touch "$T/tmp/brig-learn-file"
	chown 12345 "$T/tmp/brig-learn-theirs"
	helper env TMPDIR="$T/tmp" "$BRIG" --root "$ROOT" --policy strict learn --id "$ID" -o "$T/one.json" -- sleep 1000
	wait_until status_is running
	places() { find "$T/tmp" -maxdepth 1 -name 'brig-learn-??????' -type d ! -user 12345 | wc -l; }
	expect_equal "$(places)" 1
	# One that is at work keeps its own.
	must env TMPDIR="$T/tmp" "$BRIG" --root "$ROOT" --policy strict learn -o "$T/two.json" -- true
	expect_equal "$(places)" 1
	expect_equal "$(status_of "$ID")" running
	kill -9 "$HELPER"
	wait "$HELPER" || true
	expect_equal "$(places)" 1
	must brig delete --force "$ID"
	must env TMPDIR="$T/tmp" "$BRIG" --root "$ROOT" --policy strict learn -o "$T/two.json" -- true
	expect_equal "$(places)" 0
	expect_equal "$(find "$T/tmp" -mindepth 1 | wc -l)" 4
}
