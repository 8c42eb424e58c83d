#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2153,SC2154 # scripts of other languages; bats: a subshell a test, $stderr
# bats file_tags=v2
# Hooks of all six kinds.

load support/common

# A program that notes its name, what it gets on stdin, its environment and where it runs, in a file of the host.
prepare() {
	LOG=$T/hooks.log
	HOOK=$T/hook
	cat > "$HOOK" <<-END
		#!/bin/sh
		cat > "$T/state-\$1"
		/usr/bin/env > "$T/env-\$1"
		readlink /proc/self/ns/mnt > "$T/mnt-\$1"
		ls /proc/self/fd > "$T/fds-\$1"
		echo "\$1" >> "$LOG"
	END
	chmod 755 "$HOOK"
	sed -e "s|$T/|/tmp/|g" -e 's|#!/bin/sh|#!/bin/busybox sh|' -e 's|/usr/bin/env|/bin/env|' "$HOOK" > "$BUNDLE/rootfs/bin/hook"
	chmod 755 "$BUNDLE/rootfs/bin/hook"
}

# hook KIND PATH ARGUMENT...
hook() {
	jq '.hooks[$ARGS.positional[0]] += [{ path: $ARGS.positional[1], args: $ARGS.positional[1:] }]' \
		"$BUNDLE/config.json" --args -- "$@" > "$T/config.json"
	mv "$T/config.json" "$BUNDLE/config.json"
}

all_hooks() {
	local kind

	for kind in prestart createRuntime createContainer poststart poststop; do
		hook "$kind" "$HOOK" "$kind"
	done
	hook startContainer /bin/hook startContainer
}

@test "hooks run in their order, each at its time" {
	all_hooks
	program sleep 300
	must create
	expect_equal "$(tr '\n' ' ' < "$LOG")" 'prestart createRuntime createContainer '
	expect_missing "$BUNDLE/rootfs/tmp/hooks.log"
	must brig start "$ID"
	expect_equal "$(tail -n +4 "$LOG")" poststart
	expect_file "$BUNDLE/rootfs/tmp/hooks.log" startContainer
	must brig kill "$ID" KILL
	wait_until status_is stopped
	must brig delete "$ID"
	expect_equal "$(tail -n +5 "$LOG")" poststop
}

@test "run goes through all hooks too" {
	all_hooks
	must run_container
	expect_equal "$(tr '\n' ' ' < "$LOG")" 'prestart createRuntime createContainer poststart poststop '
	expect_file "$BUNDLE/rootfs/tmp/hooks.log" startContainer
}

@test "each hook gets the state on stdin" {
	local kind pid

	all_hooks
	config '.annotations = { "org.example.key": "value" }'
	program sleep 300
	background
	pid=$(pid_of)
	for kind in prestart createRuntime createContainer; do
		expect_json "$(< "$T/state-$kind")" ".id == \"$ID\" and .pid == $pid and .status == \"creating\" and
			.bundle == \"$BUNDLE\" and (.ociVersion | length) > 0 and .annotations[\"org.example.key\"] == \"value\""
	done
	expect_json "$(< "$BUNDLE/rootfs/tmp/state-startContainer")" '.status == "created"'
	expect_json "$(< "$T/state-poststart")" ".status == \"running\" and .pid == $pid"
	must brig delete --force "$ID"
	expect_json "$(< "$T/state-poststop")" '.status == "stopped"'
}

@test "hooks run in the namespaces of the runtime or of the container, as their kind says" {
	local kind mount

	all_hooks
	program sleep 300
	background
	mount=$(readlink "/proc/$(pid_of)/ns/mnt")
	for kind in prestart createRuntime poststart; do
		expect_file "$T/mnt-$kind" "$(readlink /proc/self/ns/mnt)"
	done
	expect_file "$T/mnt-createContainer" "$mount"
	expect_file "$BUNDLE/rootfs/tmp/mnt-startContainer" "$mount"
}

@test "a hook's environment is what it names and nothing else" {
	config --arg path "$HOOK" '.process.env += ["LD_PRELOAD=/evil.so"] |
		.hooks.createRuntime = [{ path: $path, args: ["hook", "some"], env: ["A=1", "B=two words"] }] |
		.hooks.prestart = [{ path: $path, args: ["hook", "none"] }]'
	INTRUDER=1 must run_container
	# The shell adds PWD and the like by itself.
	expect_equal "$(grep -vE '^(PWD|_|SHLVL|OLDPWD)=' "$T/env-some")" $'A=1\nB=two words'
	expect_equal "$(grep -vE '^(PWD|_|SHLVL|OLDPWD)=' "$T/env-none" || true)" ""
}

@test "hooks get no descriptors but the three streams" {
	all_hooks
	attempt with_descriptors
	expect_status 0 run
	expect_equal "$(tr '\n' ' ' < "$T/fds-createRuntime")" '0 1 2 3 '
	expect_equal "$(tr '\n' ' ' < "$T/fds-createContainer")" '0 1 2 3 '
}

with_descriptors() {
	run_container 5< /etc 8< /
}

@test "a hook that fails undoes everything, and its output is in the message" {
	local kind

	for kind in prestart createRuntime createContainer; do
		config --arg kind "$kind" '.hooks = { ($kind): [{ path: "/bin/sh", args: ["sh", "-c", "echo reason >&2; exit 3"] }] }'
		must_fail 1 "hooks.$kind\[0\].*3.*reason" run_container
		must_fail 1 "hooks.$kind\[0\].*3.*reason" create --pid-file "$T/pid"
		expect_missing "$T/pid"
		assert_nothing_left
	done
}

@test "a startContainer hook that fails fails the start, and the program does not run" {
	config '.hooks.startContainer = [{ path: "/bin/false" }]'
	program touch /tmp/ran
	must create
	must_fail 1 'hooks.startContainer\[0\]' brig start "$ID"
	wait_until status_is stopped
	expect_missing "$BUNDLE/rootfs/tmp/ran"
}

@test "a poststart hook that fails fails the start and ends the program" {
	config '.hooks.poststart = [{ path: "/bin/false" }]'
	program sleep 300
	must create
	must_fail 1 'hooks.poststart\[0\]' brig start "$ID"
	wait_until status_is stopped
	must brig delete "$ID"
	must_fail 1 'hooks.poststart\[0\]' run_container
	assert_nothing_left
}

@test "a poststop hook that fails is a warning" {
	config --arg path "$HOOK" '.hooks.poststop = [{ path: "/bin/false" }, { path: $path, args: ["hook", "second"] }]'
	attempt run_container
	expect_status 0 run
	expect_like "$stderr" 'hooks.poststop\[0\]'
	assert_nothing_left
}

@test "a hook that takes too long is killed, with what it started" {
	local begin=$SECONDS

	config '.hooks.createRuntime = [{ path: "/bin/sh", args: ["sh", "-c", "sleep 300 & sleep 300"], env: ["PATH=/bin", "MARK=x"], timeout: 1 }]'
	must_fail 1 'hooks.createRuntime\[0\].*1 second' run_container
	# Not the 300 s of its program.
	expect_between $((SECONDS - begin)) 1 150
	assert_nothing_left
}

@test "a missing hook program is an error that names it" {
	config '.hooks.createRuntime = [{ path: "/no/such/hook" }]'
	must_fail 1 'hooks.createRuntime\[0\].*/no/such/hook.*No such file' run_container
	config '.hooks.createRuntime = [{ path: "relative/hook" }]'
	must_fail 1 'hooks.createRuntime\[0\].path' run_container
}

@test "a hook that does not read its input or leaves a child does not hold brig up" {
	local child

	config --arg file "$T/child" '.hooks.createRuntime = [{ path: "/bin/sh", args: ["sh", "-c", "sleep 300 & echo $! > \"$0\"", $file], env: ["PATH=/bin"] }]'
	must run_container
	child=$(< "$T/child")
	HELPERS+=("$child")
	if ! grep -q '^State:.[^ZX]' "/proc/$child/status"; then
		flunk "brig waited for what the hook left, or ended it"
	fi
}

@test "a createRuntime hook can set up the container's network" {
	cat > "$T/network" <<-'END'
		#!/bin/sh
		pid=$(sed -n 's/.*"pid":\([0-9]*\).*/\1/p')
		exec nsenter --net="/proc/$pid/ns/net" ip link set lo up
	END
	chmod 755 "$T/network"
	config --arg path "$T/network" '.hooks.createRuntime = [{ path: $path, env: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"] }]'
	inside 'ip addr show lo'
	expect_like "$output" '127.0.0.1'
}

@test "a prestart hook sees the mounts that the container will have" {
	add_mount /tmp/volume tmpfs tmpfs nosuid nodev
	cat > "$T/look" <<-'END'
		#!/bin/sh
		pid=$(sed -n 's/.*"pid":\([0-9]*\).*/\1/p')
		exec grep -q /tmp/volume "/proc/$pid/mountinfo"
	END
	chmod 755 "$T/look"
	config --arg path "$T/look" '.hooks.createRuntime = [{ path: $path, env: ["PATH=/usr/bin:/bin"] }]'
	must run_container
}
