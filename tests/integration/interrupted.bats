#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2153,SC2154 # scripts of other languages; bats: a subshell a test, $stderr
# bats file_tags=v2
# brig killed at any step, and many brigs at once: what is left can always be removed, and nobody is hurt.

load support/common

# All that a config can make brig do along the way.
busy_config() {
	mkdir -p "$T/volume"
	add_mount /volume bind "$T/volume" rbind ro
	config '.linux.resources.pids.limit = 50 | .hooks.createRuntime = [{ path: "/bin/true" }] | .hooks.createContainer = [{ path: "/bin/true" }] |
		.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: ["mkdir"], action: "SCMP_ACT_ERRNO" }] }'
	program sleep 300
	if in_v2_view; then
		config 'del(.linux.resources)'
	fi
}

# kill_after SECONDS COMMAND...: comes back once it is dead, and not while the kernel still ends a system call of its.
kill_after() {
	local delay=$1

	shift
	attempt timeout --foreground --signal KILL "$delay" "$@"
}

# removable: delete --force takes everything away, whatever state it is in.
removable() {
	attempt brig delete --force "$ID"
	expect_status 0 delete --force "after $1"
	left=$(leftovers_soon)
	if [ -n "$left" ]; then
		flunk "left after a kill at $1:" "$left"
	fi
}

# What is left once what was just killed has had ten seconds to go.
leftovers_soon() {
	local try left

	for ((try = 0; try < 200; try++)); do
		left=$(leftovers)
		if [ -z "$left" ]; then
			return
		fi
		sleep 0.05
	done
	echo "$left"
}

delays() { # FIRST STEP LAST, in tenths of milliseconds
	local tenths

	for ((tenths = $1; tenths <= $3; tenths += $2)); do
		printf '%d.%04d\n' $((tenths / 10000)) $((tenths % 10000))
	done
}

@test "create, killed after any time" {
	local delay

	busy_config
	for delay in $(delays 2 6 110); do
		BRIG_TEST=$ID kill_after "$delay" "$BRIG" --root "$ROOT" create --bundle "$BUNDLE" "$ID"
		removable "$delay of create"
	done
}

@test "run, killed after any time" {
	local delay

	busy_config
	program true
	for delay in $(delays 2 10 130); do
		BRIG_TEST=$ID kill_after "$delay" "$BRIG" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
		removable "$delay of run"
	done
}

@test "start and delete, killed after any time" {
	local delay

	busy_config
	for delay in $(delays 2 6 60); do
		must create
		BRIG_TEST=$ID kill_after "$delay" "$BRIG" --root "$ROOT" start "$ID"
		BRIG_TEST=$ID kill_after "$delay" "$BRIG" --root "$ROOT" delete --force "$ID"
		removable "$delay of start and delete"
	done
}

@test "create, killed at each system call that changes something" {
	local call

	if ! command -v strace > /dev/null; then
		skip "strace is not installed"
	fi
	busy_config
	for call in clone3 mkdirat renameat socketpair bind; do
		attempt env BRIG_TEST="$ID" strace --quiet=all -o /dev/null -e trace="$call" -e inject="$call:signal=SIGKILL:when=1" \
			"$BRIG" --root "$ROOT" create --bundle "$BUNDLE" "$ID"
		removable "$call of create"
	done
}

@test "what a create that was killed leaves has no say over another container's cgroup" {
	if ! command -v strace > /dev/null; then
		skip "strace is not installed"
	fi
	config --arg path "/brig-test-$ID" '.linux.cgroupsPath = $path'
	sleeper
	# The first directory is the state's, the second the cgroup's.
	attempt env BRIG_TEST="$ID" strace --quiet=all -o /dev/null -e trace=mkdirat -e inject=mkdirat:signal=SIGKILL:when=2 \
		"$BRIG" --root "$ROOT" create --bundle "$BUNDLE" "$ID-other"
	must brig delete --force "$ID-other"
	must status_is running
}

@test "the container and the hook end with a brig that is killed before it was created" {
	local hook

	config --arg path "$T/hook" '.hooks.createRuntime = [{ path: $path }]'
	printf '#!/bin/sh\necho $$ > %s/hook.pid\nexec sleep 20\n' "$T" > "$T/hook"
	chmod 755 "$T/hook"
	program sleep 300
	BRIG_TEST=$ID "$BRIG" --root "$ROOT" create --bundle "$BUNDLE" "$ID" < /dev/null > /dev/null 2>&1 3>&- 4>&- &
	HELPERS+=("$!")
	wait_until test -s "$T/hook.pid"
	hook=$(< "$T/hook.pid")
	kill -KILL $!
	wait_until status_is stopped
	wait_until test ! -e "/proc/$hook"
	must_fail 1 'already exists' create
	removable 'a hook'
}

@test "delete --force ends a create that hangs in a hook" {
	config '.hooks.createRuntime = [{ path: "/bin/sleep", args: ["sleep", "5"] }]'
	program sleep 300
	helper brig create --bundle "$BUNDLE" "$ID"
	wait_until status_is creating
	attempt timeout 20 env BRIG_TEST="$ID" "$BRIG" --root "$ROOT" delete --force "$ID"
	expect_status 0 delete --force
	must_fail 1 'does not exist' brig state "$ID"
}

@test "an exec that is killed leaves the container as it was" {
	local delay

	sleeper
	for delay in $(delays 2 12 60); do
		BRIG_TEST=$ID kill_after "$delay" "$BRIG" --root "$ROOT" exec "$ID" true
	done
	expect_equal "$(status_of)" running
	must brig exec "$ID" echo fine
	expect_equal "$output" fine
}

@test "eight containers at once, made and deleted" {
	local number failed=0 pids=()

	program sleep 300
	for number in {1..8}; do
		(
			for _ in 1 2 3; do
				brig create --bundle "$BUNDLE" "$ID-$number" && brig start "$ID-$number" &&
					brig exec "$ID-$number" true && brig delete --force "$ID-$number" || exit 1
			done
		) < /dev/null > "$T/worker-$number" 2>&1 3>&- 4>&- &
		pids+=($!)
	done
	for number in {0..7}; do
		wait "${pids[number]}" || failed=$((failed + 1))
	done
	if [ "$failed" -ne 0 ]; then
		flunk "$failed workers failed:" "$(cat "$T"/worker-*)"
	fi
	assert_nothing_left
}

@test "eight creates of one id: exactly one wins, the others say why" {
	local number pids=() won=0

	program sleep 300
	for _ in 1 2 3; do
		pids=()
		won=0
		for number in {1..8}; do
			create < /dev/null > "$T/worker-$number" 2>&1 3>&- 4>&- &
			pids+=($!)
		done
		for number in {1..8}; do
			if wait "${pids[number - 1]}"; then
				won=$((won + 1))
			else
				expect_like "$(< "$T/worker-$number")" 'container with given ID already exists|locked'
			fi
		done
		expect_equal "$won" 1
		expect_equal "$(status_of)" created
		must brig delete --force "$ID"
	done
}

@test "creates and deletes of one id against each other never leave a half" {
	local number

	program sleep 300
	for number in {1..4}; do
		(for _ in {1..8}; do create || true; done) < /dev/null > /dev/null 2>&1 3>&- 4>&- &
		HELPERS+=($!)
		(for _ in {1..8}; do brig delete --force "$ID" || true; done) < /dev/null > /dev/null 2>&1 3>&- 4>&- &
		HELPERS+=($!)
	done
	for number in "${HELPERS[@]}"; do
		wait "$number" || true
	done
	HELPERS=()
	removable 'the race'
	must create
	must brig start "$ID"
	expect_equal "$(status_of)" running
}

@test "list and state while containers come and go" {
	program true
	helper sh -c 'for i in $(seq 30); do BRIG_TEST=$4 "$1" --root "$2" run --bundle "$3" "$4-loop"; done' sh "$BRIG" "$ROOT" "$BUNDLE" "$ID"
	for _ in {1..30}; do
		attempt brig list --format json
		expect_status 0 list
		expect_json "$output" 'type == "array"'
	done
	wait "$HELPER"
}

@test "a state that is no JSON any more does not keep delete --force from removing everything" {
	sleeper
	echo '{ "half' > "$ROOT/$ID/state.json"
	must_fail 1 "state.json" brig state "$ID"
	must brig delete --force "$ID"
	assert_nothing_left
}

# A process that v1's freezer holds is not ended by SIGKILL, as one is not that sleeps uninterruptibly.
@test "what can't be ended while create is undone keeps its record, until delete --force" {
	local freezer=/sys/fs/cgroup/freezer/brig-test-$ID pid

	needs_v1 freezer
	mkdir "$freezer"
	cat > "$T/freeze" <<-END
		#!/bin/sh
		jq .pid > "$T/frozen"
		cat "$T/frozen" > "$freezer/cgroup.procs"
		echo FROZEN > "$freezer/freezer.state"
		exit 1
	END
	chmod 755 "$T/freeze"
	config --arg hook "$T/freeze" '.hooks.createRuntime = [{ path: $hook }]'
	program sleep 300
	attempt timeout --kill-after 2 50 "$BRIG" --root "$ROOT" create --bundle "$BUNDLE" "$ID"
	pid=$(< "$T/frozen")
	expect_status 1 create
	expect_like "$stderr" "process $pid was killed and does not end"
	expect_like "$stderr" "brig delete --force"
	expect_like "$(cat "/proc/$pid/cgroup")" "$ID"
	test -d "$ROOT/$ID" || flunk 'the record is gone, and the process is there'
	echo THAWED > "$freezer/freezer.state"
	must brig delete --force "$ID"
	rmdir "$freezer"
	assert_nothing_left
}
