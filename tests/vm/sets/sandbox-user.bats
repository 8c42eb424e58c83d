#!/usr/bin/env bats
# tiers: uml qemu
# seconds: 16
# policy: built-in
# shellcheck disable=SC2016,SC2030,SC2031,SC2154,SC2317 # scripts of other languages; bats: a subshell a test, $output
# brig sandbox as an ordinary user who was handed a part of the cgroup tree, as systemd does for a user's session.

load ../../sandbox/support

TOP=/sys/fs/cgroup/brig-user-test

prepare() {
	as_user
	echo '+memory +pids +cpu' > /sys/fs/cgroup/cgroup.subtree_control
	mkdir -p "$TOP"
	hand_over '+memory +pids +cpu'
	brig() {
		# shellcheck disable=SC2016 # expanded inside
		sh -c 'echo $$ > "$1/user/session/cgroup.procs"; shift; exec "$@"' sh "$TOP" \
			env --chdir "$HOME_OF_USER" BRIG_TEST="$ID" HOME="$HOME_OF_USER" setpriv --reuid "$USER_ID" \
			--regid "$USER_ID" --clear-groups "$HOME_OF_USER/brig" --root "$ROOT" "$@"
	}
}

# hand_over CONTROLLERS: root's to change are those alone.
hand_over() {
	local group

	echo "$1" > "$TOP/cgroup.subtree_control"
	mkdir -p "$TOP/user/session"
	for group in "$TOP/user" "$TOP/user/session"; do
		chown "$USER_ID" "$group" "$group"/cgroup.{procs,subtree_control,threads}
	done
}

teardown() {
	cleanup_all
	systemctl stop user@1000.service 2> /dev/null || true
	rmdir "$TOP/user/session" "$TOP/user" "$TOP" 2> /dev/null || true
}

none_left() {
	expect_equal "$(find "$TOP" -mindepth 1 -type d ! -path "$TOP/user" ! -path "$TOP/user/session")" ''
}

@test "the limits are a cgroup's" {
	judged ok --memory 64m --pids 20 --cpus 0.5 -- true
	expect_json "$output" '.limits.held_by == "cgroup" and all(.warnings[]; contains("cgroup") or contains("--cpus") | not) and .limits.cpus == 0.5'
	none_left
}

@test "memory is held for all processes together" {
	# Each by itself would fit. Whichever the kernel ends, it is one of these.
	judged memory --memory 64m -- python3 -c 'import os, sys, time
for _ in range(4):
    if os.fork() == 0:
        held = bytearray(30 << 20)
        time.sleep(100)
sys.exit(os.wait()[1] != 0)'
	expect_json "$output" '.oom'
	none_left
}

@test "processor time is held for all processes together" {
	judged cpu_time --cpu-time 500ms -- sh -c '(while :; do :; done) & while :; do :; done'
	none_left
}

@test "without the cpu controller, --cpus alone is not held" {
	rmdir "$TOP/user/session" "$TOP/user"
	echo -cpu > "$TOP/cgroup.subtree_control"
	hand_over '+memory +pids'
	judged ok -- true
	expect_json "$output" '.limits.held_by == "cgroup" and ([.warnings[] | select(contains("--cpus is not held"))] | length) == 1'
	none_left
}

@test "a tree that was not handed over is left alone" {
	chown -R 0 "$TOP"
	judged ok -- true
	expect_json "$output" '.limits.held_by == "rlimit"'
	none_left
}

@test "a limit that somebody takes away meanwhile is told of" {
	helper sandbox --json --timeout 100s -- sleep 1000
	wait_until status_is running
	# Its own group is one below that of the session.
	echo '-cpu' > "$TOP/user/cgroup.subtree_control"
	must brig kill "$ID" KILL
	wait "$HELPER" || true
	output=$(tail -n 1 "$T/helper.out")
	expect_json "$output" '[.warnings[] | select(contains("was not held to the end"))] | length == 1 and (.[0] | startswith("--cpus "))'
	none_left
}

# Whom the guest knows by name, as systemd needs it; in a session of root's, as one over ssh is.
sailor() {
	setpriv --reuid=sailor --regid=sailor --init-groups env -i HOME="$HOME_OF_USER" PATH="$PATH" XDG_RUNTIME_DIR=/run/user/1000 BRIG_TEST="$ID" "$@"
}

has_manager() {
	sailor systemctl --user show --property=Version > /dev/null 2>&1
}

@test "who has a systemd of his own is told how limits hold, and so they do" {
	local how shared='import os
file = os.memfd_create("x")
for _ in range(100): os.write(file, bytes(1 << 20))'

	USER_ID=1000
	as_user
	install -d -o sailor -g sailor -m 700 /run/user/1000
	systemctl start user@1000.service
	wait_until has_manager
	brig() {
		# shellcheck disable=SC2086 # words
		sailor $how "$HOME_OF_USER/brig" --root "$ROOT" "$@"
	}
	judged ok --memory 64m -- python3 -c "$shared"
	expect_json "$output" '.limits.held_by == "rlimit"'
	how=$(of '.warnings[]' | sed -n 's/.*not at all; they are when it is run as "\(.*\) brig sandbox \.\.\."$/\1/p')
	expect_equal "$how" 'systemd-run --user --scope --quiet --collect -p Delegate=yes'
	judged memory --memory 64m -- python3 -c "$shared"
	expect_json "$output" '.limits.held_by == "cgroup" and .oom and .limits.memory == 67108864'
	judged exit -- sh -c 'exit 7'
	expect_status 7
	expect_equal "$(find /sys/fs/cgroup -type d -name "brig-$ID*")" ''
}
