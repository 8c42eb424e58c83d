#!/usr/bin/env bats
# Where brig once differed from what callers are used to from runc, or showed a container more than it should.

load support/common

# A program that looks for FILE of the host through the /proc folders of all other processes, as often as it can, and notes where it
# saw it in /tmp/seen.
watcher() { # FILE
	shell "trap 'exit 0' TERM
		while :; do
			n=2
			while [ \$n -lt 60 ]; do
				if [ -e /proc/\$n/root$1 ]; then echo \$n >> /tmp/seen; fi
				n=\$((n + 1))
			done
		done"
}

@test "an exec never shows the host's files to a container that may trace" {
	echo secret > "$T/marker"
	capabilities CAP_SYS_PTRACE
	watcher "$T/marker"
	background
	for _ in {1..40}; do
		must brig exec "$ID" true
	done
	expect_missing "$BUNDLE/rootfs/tmp/seen"
}

@test "the caller's session keyring is not an exec's" {
	compile session_key "$T/session_key"
	cp "$T/session_key" "$BUNDLE/rootfs/bin/"
	shell 'session_key; sleep 300'
	must env BRIG_TEST="$ID" "$T/session_key" "$BRIG" --root "$ROOT" run --detach --bundle "$BUNDLE" "$ID"
	wait_until grep -q none "$T/stdout"
	must env BRIG_TEST="$ID" "$T/session_key" "$BRIG" --root "$ROOT" exec "$ID" session_key
	expect_equal "$output" none
}

@test "--no-pivot leaves no descriptor of the host's root behind" {
	cp "$(command -v busybox)" "$T/busybox"
	for number in {3..16}; do
		program "/proc/self/fd/$number$T/busybox" true
		must_fail 1 'not found|not a directory' run_container --no-pivot
	done
}

@test "startContainer hooks run as the container's user, with its capabilities and its filter" {
	printf '#!/bin/sh\ngrep -E "^(Uid|CapEff|CapBnd|NoNewPrivs|Seccomp):" /proc/self/status > /tmp/hook\n' > "$BUNDLE/rootfs/bin/hook"
	chmod 755 "$BUNDLE/rootfs/bin/hook"
	config '.process.user = { uid: 1000, gid: 1000 } | .hooks.startContainer = [{ path: "/bin/hook" }] |
		.process.capabilities |= { bounding, permitted: [], effective: [] } |
		.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: ["swapon"], action: "SCMP_ACT_ERRNO" }] }'
	inside 'cat /tmp/hook; echo; grep -E "^(Uid|CapEff|CapBnd|NoNewPrivs|Seccomp):" /proc/self/status'
	expect_equal "${output%%$'\n\n'*}" "${output##*$'\n\n'}"
	expect_like "$output" $'Uid:\t1000'
}

@test "the caller's umask is not the container's, nor that of the directories that are made for it" {
	add_mount /made/here tmpfs tmpfs mode=755
	shell 'umask; stat -c %a /made'
	old=$(umask)
	umask 077
	attempt run_container
	umask "$old"
	expect_equal "$output" $'0022\n755'
}

@test "a working directory that root alone may enter serves every user" {
	mkdir "$BUNDLE/rootfs/closed"
	chmod 700 "$BUNDLE/rootfs/closed"
	config 'del(.process.capabilities) | .process.cwd = "/closed" | .process.user = { uid: 1000, gid: 1000 }'
	inside pwd
	expect_equal "$output" /closed
}

@test "a shared root on a shared mount works, and what is mounted in it stays inside" {
	mkdir "$T/shared"
	mount -t tmpfs none "$T/shared"
	mount --make-shared "$T/shared"
	cp -a "$BUNDLE/rootfs" "$T/shared/rootfs"
	# shellcheck disable=SC2016 # jq's variables
	config --arg path "$T/shared/rootfs" '.root.path = $path | .linux.rootfsPropagation = "rshared"'
	shell 'awk "\$5 == \"/\"" /proc/self/mountinfo'
	attempt run_container
	expect_equal "$(grep -c " $T/shared" /proc/self/mountinfo)" 1
	umount --lazy "$T/shared"
	expect_status 0 run
	expect_like "$output" 'shared:'
}

@test "a created container that is paused can be resumed, and is not started before" {
	program sleep 300
	must create
	must brig pause "$ID"
	expect_equal "$(status_of)" paused
	must_fail 1 'cannot start .*paused' brig start "$ID"
	must brig resume "$ID"
	expect_equal "$(status_of)" created
	must brig start "$ID"
	expect_equal "$(status_of)" running
}

@test "every poststop hook runs, whatever became of those before it" {
	# shellcheck disable=SC2016
	config --arg mark "$T/mark" '.hooks.poststop = [{ path: "/bin/false" }, { path: "/bin/touch", args: ["touch", $mark] }]'
	program true
	must run_container
	expect_like "$stderr" 'hooks.poststop\[0\]'
	expect_file "$T/mark" ''
}

@test "a create that fails after its hooks began runs the poststop hooks" {
	# shellcheck disable=SC2016
	config --arg mark "$T/mark" '.hooks.createRuntime = [{ path: "/bin/false" }] |
		.hooks.poststop = [{ path: "/bin/touch", args: ["touch", $mark] }]'
	must_fail 1 'hooks.createRuntime' create
	expect_file "$T/mark" ''
	assert_nothing_left
}

@test "a caller that ignores SIGCHLD and SIGPIPE gets the exit status, and the program ignores neither" {
	compile ignoring "$T/ignoring"
	shell 'grep ^SigIgn: /proc/self/status; exit 7'
	attempt env BRIG_TEST="$ID" "$T/ignoring" "$BRIG" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
	expect_status 7 run
	expect_like "$output" '0{16}'
}

@test "a reader of messages who is gone does not end brig half-way" {
	program true
	# shellcheck disable=SC2016
	config --arg mark "$T/mark" '.hooks.poststop = [{ path: "/bin/false" }, { path: "/bin/touch", args: ["touch", $mark] }]'
	{ sleep 0.3; run_container 2>&1 > /dev/null 3>&- 4>&-; } | true
	wait_until test -e "$T/mark"
}

@test "--preserve-fds of absurdly many descriptors is an error" {
	program true
	for number in 4294967292 4294967293 4294967295; do
		must_fail 1 'preserve-fds' run_container --preserve-fds "$number"
	done
}

# A user namespace that somebody else made; its process is ended with the test. The pid is in $HELPER.
user_namespace_of_others() { # [deny]
	helper unshare --user sleep 300
	wait_until grep -q sleep "/proc/$HELPER/comm"
	if [ "${1:-}" = deny ]; then
		echo deny > "/proc/$HELPER/setgroups"
	fi
	echo '0 100000 65536' > "/proc/$HELPER/uid_map"
	echo '0 100000 65536' > "/proc/$HELPER/gid_map"
	add_namespace user "/proc/$HELPER/ns/user"
	chown -hR 100000:100000 "$BUNDLE/rootfs"
}

@test "in a user namespace that is joined the program owns its pipes, an exec's too" {
	user_namespace_of_others
	config '.process.user = { uid: 1000, gid: 1000 }'
	shell 'echo opened > /dev/stdout; sleep 300'
	run_container --detach < /dev/null 2> "$T/stderr" 3>&- | cat > "$T/piped" &
	wait_until grep -q opened "$T/piped"
	brig exec "$ID" sh -c 'echo opened > /dev/stdout' 2> "$T/stderr" | cat > "$T/exec"
	expect_file "$T/exec" opened
	must brig delete --force "$ID"
	wait %+
}

@test "a user namespace without setgroups is joined" {
	user_namespace_of_others deny
	inside 'id -u'
	expect_equal "$output" 0
	config '.process.user.additionalGids = [5]'
	must_fail 1 'additional groups.*not permitted' run_container
}

@test "a container whose start was killed after the program began is running, not created" {
	if ! command -v strace > /dev/null; then
		skip "strace is not installed"
	fi
	program sleep 300
	must create
	# The last thing that start does is to take the socket away.
	attempt env BRIG_TEST="$ID" strace --quiet=all -o /dev/null -e trace=unlinkat -e inject=unlinkat:signal=SIGKILL:when=1 \
		"$BRIG" --root "$ROOT" start "$ID"
	expect_different "$status" 0
	expect_equal "$(status_of)" running
	must_fail 1 'cannot start .*running' brig start "$ID"
	must_fail 1 'not stopped: running' brig delete "$ID"
}

@test "asking for the state of a created container does not wear its patience out" {
	program sleep 300
	must create
	for _ in {1..20}; do
		expect_equal "$(status_of)" created
	done
	must brig start "$ID"
	expect_equal "$(status_of)" running
}

@test "an ordinary user's exec does not show the caller's environment to a container that may trace" {
	local user=54321 home=$T/home

	mkdir "$home"
	cp "$BRIG" "$home/brig"
	mv "$BUNDLE" "$home/bundle"
	BUNDLE=$home/bundle ROOT=$home/state
	as_user() {
		env --chdir "$home" BRIG_TEST="$ID" HOST_SECRET=1 setpriv --reuid "$user" --regid "$user" --clear-groups \
			"$home/brig" --cgroup-manager disabled --root "$ROOT" "$@"
	}
	add_namespace user
	# shellcheck disable=SC2016 # jq's variables
	config --argjson id "$user" '.linux.uidMappings = [{ containerID: 0, hostID: $id, size: 1 }] | .linux.gidMappings = .linux.uidMappings'
	capabilities CAP_SYS_PTRACE
	compile environ_watcher "$BUNDLE/rootfs/bin/environ_watcher"
	shell 'environ_watcher HOST_SECRET /tmp/seen; sleep 300'
	chown -hR "$user:$user" "$home"
	must as_user run --detach --bundle "$BUNDLE" "$ID"
	for _ in {1..40}; do
		must as_user exec "$ID" true
	done
	expect_missing "$BUNDLE/rootfs/tmp/seen"
	must as_user delete --force "$ID"
}
