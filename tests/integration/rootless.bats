#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2153,SC2154 # scripts of other languages; bats: a subshell a test, $stderr
# brig as an ordinary user.

load support/common

USER_ID=54321

prepare() {
	HOME_OF_USER=$T/home
	mkdir -p "$HOME_OF_USER"
	# The build folder may be in a place that only root can enter.
	cp "$BRIG" "$HOME_OF_USER/brig"
	mv "$BUNDLE" "$HOME_OF_USER/bundle"
	BUNDLE=$HOME_OF_USER/bundle
	ROOT=$HOME_OF_USER/state
	chown -hR "$USER_ID:$USER_ID" "$HOME_OF_USER"
	config --argjson id "$USER_ID" '.linux.namespaces += [{ type: "user" }] |
		.linux.uidMappings = [{ containerID: 0, hostID: $id, size: 1 }] | .linux.gidMappings = .linux.uidMappings |
		del(.process.capabilities)'
}

brig() {
	env --chdir "$HOME_OF_USER" BRIG_TEST="$ID" HOME="$HOME_OF_USER" setpriv --reuid "$USER_ID" --regid "$USER_ID" --clear-groups \
		"$HOME_OF_USER/brig" --cgroup-manager "${MANAGER:-disabled}" --root "$ROOT" "$@"
}

@test "an ordinary user runs a container" {
	inside 'id -u; hostname; ls /proc | grep -c "^[0-9]"; echo > /dev/null; touch /tmp/mine'
	expect_equal "$(head -n 2 <<< "$output")" $'0\ninside'
	expect_equal "$(stat -c %u "$BUNDLE/rootfs/tmp/mine")" "$USER_ID"
}

@test "an ordinary user's container lives through its states" {
	program sleep 300
	must create
	expect_equal "$(status_of)" created
	must brig start "$ID"
	expect_equal "$(status_of)" running
	expect_equal "$(brig state "$ID" | jq -r .owner)" "$USER_ID"
	must brig exec "$ID" id -u
	expect_equal "$output" 0
	must brig ps --format json "$ID"
	expect_json "$output" 'length == 1'
	must brig kill --all "$ID" KILL
	wait_until status_is stopped
	must brig kill --all "$ID" KILL
	must brig delete "$ID"
	assert_nothing_left
}

@test "an ordinary user binds folders, read-only too" {
	mkdir "$HOME_OF_USER/data"
	echo kept > "$HOME_OF_USER/data/file"
	chown -R "$USER_ID" "$HOME_OF_USER/data"
	add_mount /data bind "$HOME_OF_USER/data" rbind ro
	# What may not be mounted anew is bound.
	without_namespace cgroup
	add_mount /cgroups cgroup cgroup ro
	inside 'cat /data/file; echo x > /data/file 2>/dev/null || echo refused; [ -e /cgroups/*.procs ] || [ -e /cgroups/unified ]
		mkdir /cgroups/mine 2>&1 | grep -c "Read-only file system"'
	expect_equal "$output" $'kept\nrefused\n1'
	expect_file "$HOME_OF_USER/data/file" kept
}

@test "an ordinary user has terminals" {
	program tty
	config '.process.terminal = true'
	must "$SUPPORT/terminal" -- env --chdir "$HOME_OF_USER" BRIG_TEST="$ID" setpriv --reuid "$USER_ID" --regid "$USER_ID" --clear-groups \
		"$HOME_OF_USER/brig" --cgroup-manager disabled --root "$ROOT" run --bundle "$BUNDLE" "$ID"
	expect_like "$output" '/dev/(pts/0|console)'
}

@test "brig spec --rootless runs as it is" {
	rm "$BUNDLE/config.json"
	must brig spec --rootless --bundle "$BUNDLE"
	config '.process.terminal = false | .process.args = ["sh", "-c", "id -u; cat /proc/self/uid_map"]'
	must run_container
	expect_equal "$(tr -s ' ' <<< "$output")" $'0\n 0 54321 1'
}

@test "an ordinary user who may make no cgroup gets a container without one, unless a path asks for it" {
	MANAGER=fs
	must run_container
	expect_equal "$stderr" ""
	config '.linux.resources.pids.limit = 10'
	must run_container
	expect_like "$stderr" 'warning: .*linux.resources.*this user may make none'
	config '.linux.cgroupsPath = "/mine"'
	must_fail 1 'linux.cgroupsPath: .*Permission denied' run_container
	assert_nothing_left
}

@test "limits without a cgroup are not ignored in silence" {
	config '.linux.resources.pids.limit = 10'
	must run_container
	expect_like "$stderr" 'warning: .*linux.resources.*this user may make none'
}

@test "mapping ids of others is refused" {
	config '.linux.uidMappings = [{ containerID: 0, hostID: 0, size: 1 }]'
	must_fail 1 'uidMappings' run_container
	assert_nothing_left
}

@test "seccomp, masks and a read-only root hold" {
	config '.root.readonly = true | .linux.maskedPaths += ["/etc"] |
		.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO" }] }'
	add_mount /tmp tmpfs tmpfs nosuid nodev
	inside 'touch /x 2>/dev/null || echo ro; ls /etc | wc -l; mkdir /tmp/y 2>/dev/null || echo filtered'
	expect_equal "$output" $'ro\n0\nfiltered'
}

@test "brig plan works for an ordinary user and changes nothing" {
	must brig plan --bundle "$BUNDLE"
	expect_different "$output" ""
	must brig plan --bundle "$BUNDLE" --json
	expect_json "$output" 'type == "object"'
	expect_missing "$ROOT"
}

@test "a hook of an ordinary user gets the state" {
	printf '#!/bin/sh\nexec cat > "%s/hook"\n' "$HOME_OF_USER" > "$T/hook"
	chmod 755 "$T/hook"
	config --arg path "$T/hook" '.hooks.createRuntime = [{ path: $path }]'
	must run_container
	expect_json "$(< "$HOME_OF_USER/hook")" '.status == "creating"'
}
