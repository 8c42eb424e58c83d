#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2153,SC2154 # scripts of other languages; bats: a subshell a test, $stderr
# bats file_tags=fast, v2
# brig run: exit status, streams, signals, descriptors.

load support/common

@test "run gives the program's exit status" {
	local number

	for number in 0 1 42 255; do
		program sh -c "exit $number"
		attempt run_container
		expect_status "$number" run
		expect_equal "$stderr" ""
	done
}

@test "run gives 128 and the signal's number" {
	local signal

	for signal in 9 11 15; do
		without_namespace pid
		program sh -c "kill -$signal \$\$"
		attempt run_container
		expect_status $((128 + signal)) run
	done
}

@test "run leaves nothing behind" {
	must run_container
	assert_nothing_left
	must_fail 1 'container does not exist' brig state "$ID"
}

@test "run passes stdin, stdout and stderr through, byte for byte" {
	head -c 300000 /dev/urandom > "$T/in"
	shell 'cat; echo complaint >&2'
	STDIN=$T/in must run_container
	cmp "$T/in" "$T/stdout"
	expect_equal "$stderr" complaint
}

@test "run in a pipe sees the end of its input and a reader that goes away" {
	program cat
	expect_equal "$(echo through | run_container)" through
	program yes
	run_container 3>&- | head -n 1 > "$T/first"
	expect_file "$T/first" y
}

@test "run --detach returns while the program goes on" {
	sleeper --pid-file "$T/pid"
	expect_equal "$(status_of)" running
	expect_file "$T/pid" "$(pid_of)"
}

@test "run --keep keeps the stopped container" {
	program sh -c 'exit 3'
	attempt run_container --keep
	expect_status 3 run
	expect_equal "$(status_of)" stopped
	must brig delete "$ID"
	assert_nothing_left
}

@test "run in the foreground writes the pid file" {
	shell 'read line'
	mkfifo "$T/in"
	helper sh -c 'exec sleep 300 > "$0"' "$T/in"
	STDIN=$T/in attempt_in_background run_container --pid-file "$T/pid"
	wait_until test -s "$T/pid"
	expect_file "$T/pid" "$(pid_of)"
	kill "$HELPER"
}

# The foreground commands of these tests wait for something: in the background of the test, with its status in $T/status.
attempt_in_background() {
	(
		code=0
		"$@" < "${STDIN:-/dev/null}" > "$T/out" 2> "$T/err" 3>&- 4>&- || code=$?
		echo "$code" > "$T/status.new"
		mv "$T/status.new" "$T/status"
	) 3>&- 4>&- &
	HELPERS+=($!)
}

brig_pid() {
	local file

	for file in /proc/[0-9]*/cmdline; do
		if [ "$(tr '\0' ' ' 2> /dev/null < "$file")" = "$BRIG --root $ROOT run --bundle $BUNDLE $ID " ]; then
			file=${file#/proc/}
			echo "${file%/cmdline}"
			return
		fi
	done
}

@test "run forwards signals to the program" {
	local signal

	shell 'for s in HUP INT USR1 USR2 TERM WINCH CONT; do trap "echo $s >> /tmp/got" $s; done
		echo > /tmp/ready; while [ ! -e /tmp/end ]; do sleep 0.02; done; exit 7'
	attempt_in_background run_container
	wait_until test -e "$BUNDLE/rootfs/tmp/ready"
	pid=$(brig_pid)
	for signal in HUP INT USR1 USR2 TERM; do
		kill -s "$signal" "$pid"
		wait_until grep -qx "$signal" "$BUNDLE/rootfs/tmp/got"
	done
	touch "$BUNDLE/rootfs/tmp/end"
	wait_until test -e "$T/status"
	expect_file "$T/status" 7
}

@test "a foreground run that is ended by a signal passes the program's end on and cleans up" {
	# As the first process of a pid namespace it ignores what it has no handler for.
	shell 'trap "exit 9" TERM; echo > /tmp/ready; while :; do sleep 0.02; done'
	attempt_in_background run_container
	wait_until test -e "$BUNDLE/rootfs/tmp/ready"
	kill "$(brig_pid)"
	wait_until test -e "$T/status"
	expect_file "$T/status" 9
	assert_nothing_left
}

@test "a container that is killed and deleted from elsewhere ends its foreground run" {
	shell 'echo > /tmp/ready; sleep 300'
	attempt_in_background run_container
	wait_until test -e "$BUNDLE/rootfs/tmp/ready"
	must brig delete --force "$ID"
	wait_until test -e "$T/status"
	expect_file "$T/status" 137
}

@test "the program has no descriptors but the three streams" {
	shell 'ls /proc/self/fd'
	attempt run_with_descriptors
	expect_status 0 run
	# The last one is the directory that ls reads.
	expect_equal "$output" $'0\n1\n2\n3'
}

run_with_descriptors() {
	run_container "$@" 5< /etc 6< /etc/passwd 7< /
}

@test "--preserve-fds passes the descriptors from 3 on" {
	echo third > "$T/three"
	echo fourth > "$T/four"
	shell 'cat <&3; cat <&4; ls /proc/self/fd'
	attempt preserving
	expect_status 0 run
	expect_equal "$output" $'third\nfourth\n0\n1\n2\n3\n4\n5'
}

# The status of `attempt` closes 3 and 4: they are opened inside of it.
preserving() {
	run_container --preserve-fds 2 3< "$T/three" 4< "$T/four" 5< /etc 7< /
}

@test "--preserve-fds of more descriptors than there are is an error" {
	must_fail 1 'preserve-fds' run_container --preserve-fds 20
}

@test "LISTEN_FDS passes its descriptors with LISTEN_PID for the program" {
	echo third > "$T/three"
	shell 'cat <&3; echo $LISTEN_FDS $LISTEN_PID $$; ls /proc/self/fd'
	attempt listening
	expect_status 0 run
	expect_equal "$output" $'third\n1 1 1\n0\n1\n2\n3\n4'
}

listening() {
	LISTEN_FDS=1 LISTEN_PID=999 run_container 3< "$T/three" 5< /etc 7< /
}

@test "closed standard streams of the caller are no way in" {
	shell 'echo found > /tmp/result; ls -l /proc/self/fd > /tmp/fds'
	run_container <&- >&- 2>&- 3>&- 4>&-
	expect_file "$BUNDLE/rootfs/tmp/result" found
	expect_unlike "$(< "$BUNDLE/rootfs/tmp/fds")" "$T"
}

@test "--pidfd-socket gets a descriptor of the program" {
	helper "$SUPPORT/pidfd" "$T/socket" "$T/pidfd"
	wait_until test -S "$T/socket"
	sleeper --pidfd-socket "$T/socket"
	wait_until test -e "$T/pidfd"
	expect_file "$T/pidfd" "$(pid_of)"
}

@test "a missing program fails as callers expect it, and leaves nothing" {
	program no-such-program
	must_fail 1 'exec: "no-such-program": executable file not found in \$PATH' run_container --pid-file "$T/pid"
	expect_one_error
	expect_missing "$T/pid"
	program /no/such/program
	must_fail 1 'exec: "/no/such/program": .*(no such file|not found)' run_container
	must_fail 1 '/no/such/program' create
	assert_nothing_left
}

@test "programs that can't be executed are told apart" {
	program /etc/passwd
	must_fail 1 'exec: "/etc/passwd": permission denied' run_container
	program /etc
	must_fail 1 'exec: "/etc": is a directory: permission denied' run_container
	program /etc/passwd/sh
	must_fail 1 'not a directory' run_container
	printf '#!/no/such\n' > "$BUNDLE/rootfs/bin/orphan"
	chmod 755 "$BUNDLE/rootfs/bin/orphan"
	program /bin/orphan
	must_fail 1 'exec: "/bin/orphan": the interpreter "/no/such" that its first line names does not exist: no such file or directory' run_container
	printf '%s\n' 'not a program' > "$BUNDLE/rootfs/bin/garbage"
	chmod 755 "$BUNDLE/rootfs/bin/garbage"
	program garbage
	must_fail 1 'garbage.*: Exec format error|exec format error' run_container
}

@test "a relative program is found from the working directory" {
	cp "$BUNDLE/rootfs/bin/busybox" "$BUNDLE/rootfs/tmp/echo"
	program ./echo hello
	config '.process.cwd = "/tmp"'
	must run_container
	expect_equal "$output" hello
}

@test "PATH of the config decides which program runs" {
	mkdir "$BUNDLE/rootfs/opt"
	printf '#!/bin/sh\necho from opt\n' > "$BUNDLE/rootfs/opt/echo"
	chmod 755 "$BUNDLE/rootfs/opt/echo"
	program echo from bin
	must run_container
	expect_equal "$output" "from bin"
	config '.process.env |= map(sub("^PATH=.*"; "PATH=/opt:/bin"))'
	must run_container
	expect_equal "$output" "from opt"
}

# poll(2) is refused more descriptors than RLIMIT_NOFILE allows, and so is the list of what is in the state directory. The leak check at the end of a
# sanitized build would wait for some for ever.
@test "a run that can't be waited for ends what it started, and undoes that once" {
	local pid

	program sleep 300
	helper env ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0" "$BRIG" --root "$ROOT" run --pid-file "$T/pid" --bundle "$BUNDLE" "$ID"
	wait_until test -s "$T/pid"
	pid=$(< "$T/pid")
	prlimit --pid "$HELPER" --nofile=2:2
	kill -URG "$HELPER"
	wait_until test ! -e "/proc/$pid"
	wait_until test ! -e "/proc/$HELPER"
	expect_like "$(< "$T/helper.out")" "wait for the container's end"
	expect_equal "$(grep -c 'list the state directory' "$T/helper.out")" 1
	must brig delete --force "$ID"
}
