#!/usr/bin/env bats
# shellcheck disable=SC2154 # $output and $stderr are shared by the parts
# A foreground run beside others who act on the same id, and with a program and a reader who block it.

load ../integration/support/common

@test "a run whose container was replaced leaves the new one alone" {
	program sleep 300
	BRIG_TEST=$ID helper "$BRIG" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
	wait_until status_is running
	# It has let go of the container once we get the lock.
	flock "$ROOT/$ID" true
	kill -STOP "$HELPER"
	must brig delete --force "$ID"
	must create
	must brig start "$ID"
	kill -CONT "$HELPER"
	status=0
	wait "$HELPER" || status=$?
	expect_status 137 run
	status_is running
}

@test "a run that fails while somebody else holds its container says what it leaves" {
	local run

	if ! command -v strace > /dev/null; then
		skip "strace is not installed"
	fi
	program sleep 300
	ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0" BRIG_TEST=$ID helper strace --quiet=all -o /dev/null -e trace=waitid -e inject=waitid:error=EIO \
		"$BRIG" --log "$T/log" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
	run=$HELPER
	wait_until status_is running
	flock "$ROOT/$ID" true
	helper flock --no-fork "$ROOT/$ID" sleep 60
	wait_until grep -qx sleep "/proc/$HELPER/comm"
	kill -KILL "$(pid_of)"
	status=0
	wait "$run" || status=$?
	expect_status 1 run
	kill "$HELPER"
	must grep "locked by another brig.*left for brig delete --force $ID" "$T/log"
	must brig delete --force "$ID"
}

@test "the time limit holds where the program takes no input" {
	config '.process.terminal = true | .annotations["brig.dev/timeout"] = "300ms"'
	program sleep 300
	yes | head -c 1000000 > "$T/typed" # a terminal holds less
	STDIN=$T/typed attempt timeout --signal KILL 60 "$BRIG" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
	expect_status 124 run
}
