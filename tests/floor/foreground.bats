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

@test "the time limit holds where the program takes no input" {
	config '.process.terminal = true | .annotations["brig.dev/timeout"] = "300ms"'
	program sleep 300
	yes | head -c 1000000 > "$T/typed" # a terminal holds less
	STDIN=$T/typed attempt timeout --signal KILL 60 "$BRIG" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
	expect_status 124 run
}
