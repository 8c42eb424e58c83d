#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2153,SC2154 # scripts of other languages; bats: a subshell a test, $stderr
# bats file_tags=v2
# Terminals: sent to a console socket, or relayed by a foreground run or exec.

load support/common

prepare() {
	config '.process.terminal = true'
}

console() { # TEXT-TO-TYPE
	helper "$SUPPORT/console" "$T/console.sock" "$T/console" "$@"
	wait_until test -S "$T/console.sock"
}

shown() { # PATTERN
	grep -qE "$1" "$T/console" 2> /dev/null
}

on_terminal() { # OPTION... -- COMMAND
	BRIG_TEST=$ID "$SUPPORT/terminal" "$@"
}

@test "the terminal goes to the console socket in one message with one descriptor" {
	console
	shell 'tty; test -t 0 -a -t 1 -a -t 2 && echo all three; stat -c %t:%T /dev/console; sleep 300'
	must create --console-socket "$T/console.sock"
	wait_until test -e "$T/console.message"
	must brig start "$ID"
	wait_until shown 'all three'
	expect_json "$(< "$T/console.message")" '.fds == 1 and .is_tty and .rest == 0 and .name > 0 and .name < 4096'
	expect_like "$(< "$T/console")" '/dev/(pts/0|console)'
}

@test "what is typed reaches the program" {
	console $'hello\n'
	shell 'read line; echo "got $line"; sleep 300'
	must brig run --detach --bundle "$BUNDLE" --console-socket "$T/console.sock" "$ID"
	wait_until shown 'got hello'
}

@test "consoleSize sets the size" {
	console
	config '.process.consoleSize = { height: 33, width: 111 }'
	shell 'stty size; sleep 300'
	must brig run --detach --bundle "$BUNDLE" --console-socket "$T/console.sock" "$ID"
	wait_until shown '33 111'
	expect_json "$(< "$T/console.message")" '.rows == 33 and .columns == 111'
}

@test "the terminal is the controlling one of a session of its own" {
	console
	shell 'echo > /dev/tty && echo has a tty; ps -o pid,sid | grep "^ *1 "; sleep 300'
	must brig run --detach --bundle "$BUNDLE" --console-socket "$T/console.sock" "$ID"
	wait_until shown 'has a tty'
}

@test "the terminal belongs to the program's user" {
	console
	config '.process.user = { uid: 1000, gid: 1000 }'
	shell 'stat -c "owner %u" $(tty); sleep 300'
	must brig run --detach --bundle "$BUNDLE" --console-socket "$T/console.sock" "$ID"
	wait_until shown 'owner 1000'
}

@test "a terminal without anybody to hold it is refused" {
	must_fail 1 'console-socket' create
	must_fail 1 'console-socket' brig run --detach --bundle "$BUNDLE" "$ID"
	assert_nothing_left
}

@test "a console socket without a terminal is refused" {
	config '.process.terminal = false'
	must_fail 1 'terminal' create --console-socket "$T/console.sock"
}

@test "a console socket that nobody serves is an error, and nothing is left" {
	must_fail 1 'console-socket.*No such file' create --console-socket "$T/no-such.sock"
	echo > "$T/file"
	must_fail 1 'console-socket' create --console-socket "$T/file"
	assert_nothing_left
}

@test "a foreground run relays a terminal and gives the status" {
	shell 'tty; echo ready; read line; echo "got $line"; exit 6'
	attempt on_terminal --type $'typed\n' -- "$BRIG" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
	expect_status 6 run
	expect_like "$output" '/dev/(pts/0|console)'
	expect_like "$output" 'got typed'
}

@test "a foreground run takes the size of its terminal and follows it" {
	shell 'stty size; trap "stty size; exit 0" WINCH; echo ready; while :; do sleep 0.05; done'
	attempt on_terminal --rows 40 --columns 120 --resize 50x150 -- "$BRIG" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
	expect_status 0 run
	expect_like "$output" '40 120'
	expect_like "$output" '50 150'
}

@test "the size is there before the program is" {
	program stty size
	for _ in 1 2 3 4 5; do
		attempt on_terminal --rows 40 --columns 120 -- "$BRIG" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
		expect_status 0 run
		expect_like "$output" '40 120'
	done
}

@test "keys that make signals do so inside" {
	shell 'trap "echo interrupted; exit 4" INT; echo ready; while :; do sleep 0.05; done'
	attempt on_terminal --type $'\003' -- "$BRIG" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
	expect_status 4 run
	expect_like "$output" interrupted
}

@test "the caller's terminal is as it was afterwards" {
	program true
	attempt on_terminal -- sh -c 'before=$(stty -g); "$@"; [ "$(stty -g)" = "$before" ] && echo same' sh \
		"$BRIG" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
	expect_like "$output" same
}

@test "long output through a terminal is complete" {
	shell 'seq 1 20000'
	attempt on_terminal -- "$BRIG" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
	expect_status 0 run
	expect_equal "$(tr -d '\r' <<< "$output" | tail -n 1)" 20000
	expect_equal "$(tr -d '\r' <<< "$output" | grep -c .)" 20000
}

@test "exec -t relays a terminal" {
	config '.process.terminal = false'
	sleeper
	attempt on_terminal --rows 31 --columns 99 -- "$BRIG" --root "$ROOT" exec -t "$ID" sh -c 'tty; stty size; exit 8'
	expect_status 8 exec
	expect_like "$output" '/dev/pts/0'
	expect_like "$output" '31 99'
}

@test "exec -t --detach sends its terminal to a console socket" {
	config '.process.terminal = false'
	sleeper
	console
	must brig exec --tty --detach --console-socket "$T/console.sock" --pid-file "$T/pid" "$ID" sh -c 'tty; sleep 300'
	wait_until shown '/dev/pts/0'
	expect_json "$(< "$T/console.message")" '.fds == 1 and .is_tty'
}

@test "exec without -t in a container with a terminal has none" {
	console
	program sleep 300
	must brig run --detach --bundle "$BUNDLE" --console-socket "$T/console.sock" "$ID"
	must brig exec --tty=false "$ID" sh -c 'tty; true'
	expect_equal "$output" 'not a tty'
}

@test "links in the image's /dev/pts and /dev/console lead nowhere" {
	# As of CVE-2025-52565: what is prepared in the image must not decide what becomes the console.
	config 'del(.mounts[] | select(.destination == "/dev" or .destination == "/dev/shm"))'
	mkdir -p "$BUNDLE/rootfs/dev/pts"
	echo untouched > "$T/victim"
	ln -s "$T/victim" "$BUNDLE/rootfs/dev/console"
	ln -s /proc/1/environ "$BUNDLE/rootfs/dev/pts/0"
	shell 'tty; echo written > /dev/console'
	attempt on_terminal -- "$BRIG" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
	expect_file "$T/victim" untouched
}

@test "a terminal whose output nobody takes any more does not keep the program from its end" {
	shell 'seq 1 100000; exit 5'
	attempt timeout 20 bash -o pipefail -c '"$@" | head -n 1' bash "$BRIG" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
	expect_status 5 run
	expect_like "$output" '^1'
}
