#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2153,SC2154 # scripts of other languages; bats: a subshell a test, $stderr
# brig sandbox: the verdict, and the exit status of each.

load support

@test "a program that succeeds is ok, and its output is there" {
	judged ok -- sh -c 'echo out; echo err >&2'
	expect_status 0
	expect_equal "$(of .stdout.data)" out
	expect_equal "$(of .stderr.data)" err
	expect_json "$output" '.exit_code == 0 and .signal == null and .error == null and .stdout.bytes == 4'
	expect_json "$output" '.limits.held_by == "cgroup" and .floor.policy == "strict" and .peak_memory > 0'
}

@test "without --json streams and exit status are the program's" {
	attempt sandbox -- sh -c 'echo out; echo err >&2; exit 7'
	expect_status 7
	expect_equal "$output" out
	expect_equal "$stderr" err
}

@test "another exit status is exit, those that brig uses as well" {
	local number

	for number in 1 124 125 137 255; do
		judged exit -- sh -c "exit $number"
		expect_status "$number"
		expect_equal "$(of .exit_code)" "$number"
	done
}

@test "a signal is signal, also one that pid 1 would ignore, and abort" {
	local signal

	for signal in 1 6 9 11 15; do
		judged signal -- sh -c "kill -$signal \$\$"
		expect_status $((128 + signal))
		expect_equal "$(of .signal)" "$signal"
	done
	judged signal -- python3 -c 'import os; os.abort()'
	expect_equal "$(of .signal)" 6
}

@test "the time is over" {
	judged wall_time --timeout 300ms -- sleep 100
	expect_status 124
	expect_json "$output" '.wall_ms >= 300 and .limits.wall_ms == 300'
}

@test "the time is over for who ignores every signal" {
	judged wall_time --timeout 500ms -- python3 -c 'import signal
for n in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}: signal.signal(n, signal.SIG_IGN)
while True: pass'
	expect_status 124
}

@test "the processor time is over, of all processes together" {
	judged cpu_time --cpu-time 400ms --cpus 2 -- sh -c 'while :; do :; done & while :; do :; done'
	expect_status 124
	expect_json "$output" '.cpu_ms >= 400 and .limits.cpu_ms == 400'
}

@test "a sleeper uses no processor time" {
	judged ok --cpu-time 300ms -- sleep 0.6
}

@test "too much memory" {
	judged memory --memory 32m -- python3 -c 'bytearray(200 << 20)'
	expect_status 137
	expect_json "$output" '.oom and .limits.memory == 33554432'
}

@test "a child that needs too much memory fails its parent" {
	judged memory --memory 32m -- sh -c 'python3 -c "bytearray(200 << 20)" || exit 3'
	expect_json "$output" '.exit_code == 3'
}

@test "too much output, on either stream" {
	judged output --max-output 10k -- yes
	expect_status 137
	expect_json "$output" '.stdout.bytes == 10240 and .stdout.truncated and (.stdout.data | length) == 10240'
	judged output --max-output 10k -- sh -c 'yes >&2'
	expect_json "$output" '.stderr.bytes == 10240 and .stderr.truncated and (.stdout.truncated | not)'
}

@test "as much output as allowed is not too much" {
	judged ok --max-output 10k -- head -c 10240 /dev/zero
	expect_json "$output" '.stdout.bytes == 10240 and (.stdout.truncated | not)'
	judged output --max-output 10k -- head -c 10241 /dev/zero
}

@test "too many processes" {
	judged pids --pids 16 -- python3 -c 'import os, time
for _ in range(100):
    if os.fork() == 0: time.sleep(100)'
	expect_json "$output" '.exit_code == 1 and .limits.pids == 16 and (.warnings | length) > 0'
}

@test "what the floor refuses is listed" {
	judged exit -- mount -t tmpfs none /tmp
	expect_json "$output" '[.denied[].call] | index("mount") != null'
	must brig explain --last
	expect_like "$output" 'mount'
}

@test "a program that is not there is 127, one that can't be executed 126" {
	judged exit -- no-such-program
	expect_status 127
	expect_json "$output" '.error != null and .exit_code == 127'
	judged exit -- ./no-such-program
	expect_status 127
	judged exit -- /etc/passwd
	expect_status 126
	judged exit -- /usr
	expect_status 126
	expect_like "$(of .error)" 'exec: "/usr": is a directory: permission denied'
	judged exit -- ../usr
	expect_status 126
	expect_like "$(of .error)" 'exec: "../usr": is a directory: permission denied'
	must_fail 127 'no-such-program' sandbox -- no-such-program
}

@test "a script or program without what runs it is 127, and what is missing is named" {
	printf '#!/usr/bin/no-such -x\n' > "$T/script"
	printf '#!/bin/sh\r\necho\r\n' > "$T/dos"
	mkdir -p "$T/rootfs/bin"
	cp /usr/bin/env "$T/rootfs/bin/dynamic"
	chmod 755 "$T/script" "$T/dos" "$T/rootfs/bin/dynamic"
	judged exit --file it="$T/script" -- ./it
	expect_status 127
	expect_like "$(of .error)" 'exec: "./it": the interpreter "/usr/bin/no-such" that its first line names does not exist: no such file'
	judged exit --file it="$T/dos" -- ./it
	expect_status 127
	expect_like "$(of .error)" '"/bin/sh\\r".*ends in a carriage return'
	judged exit --rootfs "$T/rootfs" -- dynamic
	expect_status 127
	expect_like "$(of .error)" 'exec: "dynamic": the dynamic loader that it names does not exist'
	must_fail 127 'the interpreter "/usr/bin/no-such"' sandbox --file it="$T/script" -- ./it
}

@test "what the policy refuses is refused, with the remedy" {
	judged refused --bind-rw /etc:/host -- true
	expect_status 125
	expect_like "$(of .error)" '^option --bind-rw /etc:/host: .*mount-source'
	must_fail 125 'mount-source' sandbox --bind-rw /etc:/host -- true
}

@test "bytes that are not UTF-8 come as base64" {
	judged ok -- printf '\377\000\n'
	expect_json "$output" '.stdout.encoding == "base64" and .stdout.data == "/wAK" and .stdout.bytes == 3'
	judged ok -- printf 'sm\303\266r\033'
	expect_json "$output" '.stdout.encoding == "utf-8" and .stdout.data == "smör\u001b"'
	judged ok -- printf 'a\0'
	expect_json "$output" '.stdout.encoding == "base64" and .stdout.data == "YQA="'
}

@test "text that is cut inside of a character is text without it" {
	judged output --max-output 10 -- python3 -c 'print("\u20ac" * 10)'
	expect_json "$output" '.stdout == { encoding: "utf-8", data: "€€€", bytes: 10, truncated: true }'
	# What was no text before the cut is none after it; nor is what the program itself has left off.
	judged output --max-output 5 -- printf '\377\342\202\254\342\202'
	expect_json "$output" '.stdout.encoding == "base64" and .stdout.data == "/+KCrOI="'
	judged ok -- printf '\342\202'
	expect_json "$output" '.stdout.encoding == "base64" and .stdout.data == "4oI="'
}
