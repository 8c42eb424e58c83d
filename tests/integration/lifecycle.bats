#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2153,SC2154 # scripts of other languages; bats: a subshell a test, $stderr
# bats file_tags=fast, v2
# create, start, kill, delete: each state, each move between them that is allowed or refused, and what callers match on.

load support/common

@test "a container goes from created to running to stopped" {
	shell 'echo started > /tmp/mark; sleep 300'
	must create
	expect_equal "$(status_of)" created
	expect_missing "$BUNDLE/rootfs/tmp/mark"
	must brig start "$ID"
	expect_equal "$(status_of)" running
	wait_until test -e "$BUNDLE/rootfs/tmp/mark"
	must brig kill "$ID" KILL
	wait_until status_is stopped
	must brig delete "$ID"
	must_fail 1 'container does not exist' brig state "$ID"
	assert_nothing_left
}

@test "state tells the pid of a created and of a running container, and 0 of a stopped one" {
	program sleep 300
	must create
	pid=$(pid_of)
	[ -d "/proc/$pid" ]
	must brig start "$ID"
	expect_equal "$(pid_of)" "$pid"
	expect_equal "$(tr '\0' ' ' < "/proc/$pid/cmdline")" "sleep 300 "
	must brig kill "$ID" KILL
	wait_until status_is stopped
	expect_equal "$(pid_of)" 0
}

@test "create refuses an id that is in use, whatever the state, and leaves that container alone" {
	program sleep 300
	must create
	pid=$(pid_of)
	must_fail 1 'container with given ID already exists' create
	expect_equal "$(status_of)" created
	must brig start "$ID"
	must_fail 1 'container with given ID already exists' create
	must_fail 1 'container with given ID already exists' run_container
	expect_equal "$(pid_of)" "$pid"
	must brig kill "$ID" KILL
	wait_until status_is stopped
	must_fail 1 'container with given ID already exists' create
}

@test "start is for created containers alone" {
	must_fail 1 'container does not exist' brig start "$ID"
	sleeper
	must_fail 1 'cannot start .*running' brig start "$ID"
	must brig kill "$ID" KILL
	wait_until status_is stopped
	must_fail 1 'cannot start .*stopped' brig start "$ID"
}

@test "a running container can't be deleted without force" {
	sleeper
	must_fail 1 "cannot delete container $ID that is not stopped: running" brig delete "$ID"
	expect_equal "$(status_of)" running
	must brig delete --force "$ID"
	must_fail 1 'container does not exist' brig state "$ID"
	assert_nothing_left
}

@test "a created container is deleted with its process" {
	program sleep 300
	must create
	pid=$(pid_of)
	must brig delete --force "$ID"
	expect_gone "$pid"
	assert_nothing_left
}

@test "a container whose start failed has ended by then, and is deleted without force" {
	local try

	for try in exec hook; do
		program ./missing
		if [ "$try" = hook ]; then
			program sleep 300
			config '.hooks.poststart = [{ path: "/bin/false" }]'
		fi
		must create
		must_fail 1 'missing|poststart' brig start "$ID"
		expect_equal "$(status_of)" stopped
		must brig delete "$ID"
	done
	assert_nothing_left
}

# By another container of its pod, where they have one pid namespace.
@test "a container that is stopped while it waits for start fails to start, and has ended by then" {
	program touch /tmp/ran
	must create
	kill -STOP "$(pid_of)"
	must_fail 1 'was stopped by a signal while it was set up' timeout --kill-after=1 20 "$BRIG" --root "$ROOT" start "$ID"
	expect_equal "$(status_of)" stopped
	must brig delete "$ID"
	expect_missing "$BUNDLE/rootfs/tmp/ran"
}

@test "delete --force of what does not exist succeeds in silence, delete alone does not" {
	must brig delete --force "$ID"
	expect_equal "$output$stderr" ""
	must brig delete -f "$ID"
	must_fail 1 'container does not exist' brig delete "$ID"
}

@test "delete --force can be repeated" {
	sleeper
	must brig delete --force "$ID"
	must brig delete --force "$ID"
}

@test "kill takes names with and without SIG, numbers, and no signal for TERM" {
	local signal number

	shell 'for s in 1 2 10 12 15; do trap "echo $s >> /tmp/got" $s; done; echo > /tmp/ready; while :; do sleep 0.02; done'
	background
	wait_until test -e "$BUNDLE/rootfs/tmp/ready"
	number=0
	for signal in HUP SIGINT 10 sigusr2 ""; do
		must brig kill "$ID" ${signal:+"$signal"}
		number=$((number + 1))
		wait_until lines_in "$BUNDLE/rootfs/tmp/got" "$number"
	done
	expect_equal "$(tr '\n' ' ' < "$BUNDLE/rootfs/tmp/got")" "1 2 10 12 15 "
}

lines_in() { # FILE NUMBER
	[ "$(grep -c . "$1")" -eq "$2" ]
}

@test "kill refuses signals that do not exist" {
	sleeper
	must_fail 1 'WINDOW' brig kill "$ID" WINDOW
	must_fail 1 '65' brig kill "$ID" 65
	must_fail 1 9x brig kill "$ID" 9x
	expect_equal "$(status_of)" running
}

@test "kill of a stopped container fails, kill --all of it does not" {
	program true
	background
	wait_until status_is stopped
	must_fail 1 'container not running' brig kill "$ID" KILL
	must brig kill --all "$ID" KILL
	must brig kill -a "$ID" 9
	must_fail 1 'container does not exist' brig kill nobody-here KILL
	must_fail 1 'container does not exist' brig kill --all nobody-here KILL
}

@test "a created container ends by TERM, INT, HUP and QUIT, as engines stop what they never started" {
	local signal

	program sleep 300
	for signal in TERM INT HUP QUIT; do
		must create
		must brig kill "$ID" "$signal"
		wait_until status_is stopped
		must brig delete "$ID"
	done
	assert_nothing_left
}

@test "kill of a created container ends it" {
	program sleep 300
	must create
	must brig kill "$ID" KILL
	wait_until status_is stopped
	must brig delete "$ID"
}

@test "kill --all reaches every process, also with a signal other than KILL" {
	without_namespace pid
	shell 'sleep 300 & sleep 300 & wait; sleep 300'
	background
	wait_until processes_are 3
	must brig kill --all "$ID" USR1
	wait_until status_is stopped
	wait_until processes_are 0
}

processes_are() { # NUMBER
	[ "$(brig ps --format json "$ID" | jq length)" -eq "$1" ]
}

@test "without a pid namespace the whole container goes when its first process is killed" {
	without_namespace pid
	shell 'sleep 300 & sleep 300 & wait'
	background
	wait_until processes_are 3
	must brig kill "$ID" KILL
	wait_until processes_are 0
	must brig delete "$ID"
	assert_nothing_left
}

@test "delete ends what an ended first process left behind" {
	without_namespace pid
	shell 'sleep 300 & sleep 0.1'
	background
	wait_until status_is stopped
	must brig delete "$ID"
	assert_nothing_left
}

@test "pause holds the program still and resume lets it go on" {
	local before

	shell 'n=0; while :; do n=$((n + 1)); echo $n > /tmp/count.new; mv /tmp/count.new /tmp/count; sleep 0.01; done'
	background
	wait_until test -s "$BUNDLE/rootfs/tmp/count"
	must brig pause "$ID"
	expect_equal "$(status_of)" paused
	before=$(< "$BUNDLE/rootfs/tmp/count")
	sleep 0.2
	expect_file "$BUNDLE/rootfs/tmp/count" "$before"
	must_fail 1 'paused' brig pause "$ID"
	must brig resume "$ID"
	expect_equal "$(status_of)" running
	wait_until has_gone_on "$before"
	must_fail 1 'running' brig resume "$ID"
}

has_gone_on() { # NUMBER
	[ "$(< "$BUNDLE/rootfs/tmp/count")" != "$1" ]
}

@test "pause and resume of stopped and missing containers" {
	program true
	background
	wait_until status_is stopped
	must_fail 1 'container not running' brig pause "$ID"
	must_fail 1 'container not running' brig resume "$ID"
	must_fail 1 'container does not exist' brig pause nobody-here
}

@test "a paused container is killed and deleted" {
	sleeper
	must brig pause "$ID"
	must_fail 1 'cannot delete container .* that is not stopped: paused' brig delete "$ID"
	must brig delete --force "$ID"
	assert_nothing_left
}

@test "kill KILL ends a paused container" {
	sleeper
	must brig pause "$ID"
	must brig kill "$ID" KILL
	wait_until status_is stopped
}

@test "two containers from one bundle don't disturb each other" {
	program sleep 300
	must brig run --detach --bundle "$BUNDLE" "$ID-a"
	must brig run --detach --bundle "$BUNDLE" "$ID-b"
	must brig delete --force "$ID-a"
	expect_equal "$(status_of "$ID-b")" running
	must brig delete --force "$ID-b"
}

@test "a container outlives the loss of its bundle" {
	sleeper
	rm -rf "$BUNDLE"
	expect_equal "$(status_of)" running
	must brig kill "$ID" KILL
	wait_until status_is stopped
	must brig delete "$ID"
}

@test "create writes the pid file and start begins with the streams of create" {
	shell 'echo out; echo err >&2; cat'
	echo in > "$T/in"
	STDIN=$T/in must create --pid-file "$T/pid"
	expect_file "$T/pid" "$(pid_of)"
	# The streams were the files of `attempt`, which the next command writes anew.
	ln "$T/stdout" "$T/out"
	ln "$T/stderr" "$T/err"
	rm "$T/stdout" "$T/stderr"
	must brig start "$ID"
	wait_until status_is stopped
	expect_file "$T/out" $'out\nin'
	expect_file "$T/err" err
}
