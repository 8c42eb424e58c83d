#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2153,SC2154 # scripts of other languages; bats: a subshell a test, $stderr
# brig sandbox at its edges: what one might hope to fool a grader with, and what a grader might do by mistake.

load support

@test "what is written before the end is taken, and what comes after it never is" {
	judged ok -- sh -c '(head -c 500000 /dev/zero; exec sleep 100) & wait_for=$!
		while [ "$(wc -c < /proc/$wait_for/comm)" -ne 6 ]; do :; done; exit 0'
	expect_equal "$(of .stdout.bytes)" 500000
	judged exit -- sh -c '(while :; do echo y; done) & exit 7'
	expect_json "$output" '.exit_code == 7'
	judged ok -- python3 -c 'import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(1000)
        print("late")
    os._exit(0)
os.wait()
print("done")'
	expect_equal "$(of .stdout.data)" 'done'
}

@test "who stops itself, and all others, runs out of time" {
	judged wall_time --timeout 500ms -- sh -c 'sleep 100 & kill -STOP -1; kill -STOP $$; echo no'
	expect_json "$output" '.stdout.bytes == 0'
}

@test "memory in files without a name and in pipes is counted" {
	judged memory --memory 32m -- python3 -c 'import os
fd = os.memfd_create("x")
while True: os.write(fd, b"x" * 65536)'
	judged memory --memory 32m -- python3 -c 'import fcntl, os
pipes = []
while True:
    read, write = os.pipe()
    fcntl.fcntl(write, 1031, 1 << 18)
    os.set_blocking(write, False)
    try: os.write(write, b"x" * (1 << 18))
    except OSError: pass
    pipes.append((read, write))'
}

@test "descriptors, watches, zombies and a trace of others come to an end" {
	judged ok --timeout 100s -- python3 -c 'import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
pid = os.fork()
if pid == 0:
    os.read(os.pipe()[0], 1)
assert libc.ptrace(16, pid, 0, 0) == -1 and libc.ptrace(16, 1, 0, 0) == -1
for i in range(1000):
    if os.fork() == 0:
        os.fork()
        os._exit(0)
    os.wait()
n = 0
while libc.inotify_init() >= 0: n += 1
assert n < 10000
try:
    while True: os.open("/dev/null", os.O_RDONLY)
except OSError: os.write(1, b"full\n")
os._exit(0)'
	expect_equal "$(of .stdout.data)" full
}

@test "a flood of calls that are refused does not hold off the time" {
	judged wall_time --timeout 5s --pids 32 -- python3 -c 'import ctypes, os
libc = ctypes.CDLL(None)
for _ in range(8):
    if os.fork() == 0: break
while True: libc.syscall(169, 0, 0, 0, 0)'
	expect_json "$output" '.denied[0].call == "reboot" and .denied[0].count > 0'
}

@test "--collect of what is too deep, too large, too many or no file" {
	judged ok --collect deep --collect sparse --collect fifo --collect names --collect folders="$T/folders" -- python3 -c 'import os
for i in range(400): os.makedirs("folders/%d" % i)
os.mkfifo("fifo")
open("sparse", "w").truncate(1 << 36)
os.mkdir(b"names")
open(b"names/\xff\n\x1b[31m", "w").write("x")
os.mkdir("deep")
os.chdir("deep")
for _ in range(500):
    os.mkdir("x")
    os.chdir("x")'
	expect_like "$(of '.files[] | select(.name | startswith("deep")).error')" 'too deep'
	expect_like "$(of '.files[] | select(.name == "sparse").error')" 'larger'
	expect_like "$(of '.files[] | select(.name == "fifo").error')" 'not a regular file'
	expect_equal "$(of '.files[] | select(.name | startswith("names/")).data')" x
	expect_like "$(of '.files[] | select(.name | startswith("folders")).error' | head -n 1)" 'more directories'
	expect_between "$(find "$T/folders" -type d | wc -l)" 1 256
}

@test "realtime priority of the caller, which a group with a limit of processors may refuse, is not the program's" {
	must env BRIG_TEST="$ID" chrt --fifo 5 "$BRIG" --root "$ROOT" sandbox --name "$ID" --env BRIG_TEST="$ID" -- awk '{ print $18, $41 }' /proc/self/stat
	expect_equal "$output" '20 0'
}

@test "arguments and variables that are not UTF-8 are refused, not changed" {
	must_fail 125 'an argument of PROGRAM is not UTF-8' sandbox -- echo $'\xff'
	must_fail 125 'option --env is not UTF-8' sandbox --env A=$'\xff' -- true
	must_fail 125 'PROGRAM is not UTF-8' sandbox -- $'/bin/\xff'
	judged refused -- echo $'\xff'
}

@test "output that can't be written is a failure, a reader that is gone is not" {
	local options

	for options in '' --json; do
		# shellcheck disable=SC2086 # words
		must_fail 125 'write to the standard output: No space left' to_full_disk $options -- echo lost
	done
	attempt eval 'sandbox -- sh -c "yes | head -c 500000; exit 3" | head -c 2 | wc -c; echo "${PIPESTATUS[0]}"'
	expect_equal "$output" $'2\n3'
	assert_nothing_left
}

@test "output that nobody can get is a failure, with --json too, and none that nobody misses" {
	local options

	for options in '' --json; do
		# shellcheck disable=SC2086 # words
		must_fail 125 'write to the standard output: Bad file descriptor' to_nobody $options -- echo lost
	done
	must to_nobody -- true
	must sandbox --stdin - -- cat <&-
	assert_nothing_left
}

to_nobody() {
	sandbox "$@" >&-
}

to_full_disk() {
	sandbox "$@" > /dev/full
}

@test "a reader that never reads does not hold brig that is told to stop" {
	local status=0

	mkfifo "$T/fifo"
	exec 9<> "$T/fifo"
	env BRIG_TEST="$ID" "$BRIG" --root "$ROOT" sandbox --name "$ID" --env BRIG_TEST="$ID" -- head -c 100000 /dev/zero \
		> "$T/fifo" 2> "$T/errors" 3>&- 4>&- 9>&- &
	HELPER=$!
	HELPERS+=("$HELPER")
	wait_until status_is stopped
	kill -TERM "$HELPER"
	wait "$HELPER" || status=$?
	exec 9>&-
	expect_equal "$status" 143
	expect_like "$(< "$T/errors")" 'stopped by SIGTERM while nobody read the standard output'
	assert_nothing_left
}

@test "--collect to a FIFO takes a reader, and a signal ends it where he never reads" {
	local status=0

	mkfifo "$T/fifo"
	must env BRIG_TEST="$ID" timeout --kill-after 1 20 "$BRIG" --root "$ROOT" sandbox --name "$ID" --collect a="$T/fifo" -- sh -c 'echo A > a'
	expect_like "$stderr" "warning: option --collect: a: nobody reads $T/fifo"
	cat "$T/fifo" > "$T/read" 3>&- &
	HELPERS+=("$!")
	must sandbox --collect a="$T/fifo" -- sh -c 'head -c 300000 /dev/zero > a; sleep 0.5'
	wait "$!"
	expect_equal "$(stat -c %s "$T/read")" 300000
	exec 9<> "$T/fifo"
	start --collect a="$T/fifo" -- sh -c 'head -c 300000 /dev/zero > a' 9>&-
	wait_until has_fifo_open
	kill -TERM "$HELPER"
	wait "$HELPER" || status=$?
	exec 9>&-
	expect_equal "$status" 143
	expect_like "$(< "$T/helper.out")" "option --collect: stopped by SIGTERM while nobody read $T/fifo"
	assert_nothing_left
}

# To write alone, as brig does: the shell before it has the test's own, which is for both.
has_fifo_open() {
	local fd

	for fd in "/proc/$HELPER/fd"/*; do
		if [ "$(readlink "$fd")" = "$T/fifo" ] && grep -qs '^flags:.*1$' "/proc/$HELPER/fdinfo/${fd##*/}"; then
			return 0
		fi
	done
	return 1
}

@test "--learn to a FIFO that nobody reads does not hold off a signal" {
	local status=0

	mkfifo "$T/fifo"
	start --learn "$T/fifo" -- true
	wait_until sleeps_in_open "$HELPER"
	kill -TERM "$HELPER"
	wait "$HELPER" || status=$?
	expect_equal "$status" 143
	assert_nothing_left
}

@test "input that nobody begins to write holds neither the time nor the end" {
	mkfifo "$T/fifo"
	judged ok --stdin "$T/fifo" -- true
	judged wall_time --timeout 500ms --stdin "$T/fifo" -- cat
}

@test "the caller's limit on files is an error, and not the end of brig" {
	local status=0

	# Through a pipe: a message in a file would be one that does not fit.
	output=$({ prlimit --fsize=0 "$BRIG" --root "$ROOT" sandbox --name "$ID" -- true || echo "status $?"; } 2>&1 | cat)
	expect_like "$output" 'File too large'
	expect_like "$output" 'status 125'
	assert_nothing_left
}

@test "what could not be collected is told without --json, too" {
	must sandbox --collect ./there="$T/a" --collect /work/none="$T/b" --collect there="$T/no/c" -- sh -c 'echo mine > there'
	expect_file "$T/a" mine
	expect_like "$stderr" "warning: option --collect: none: No such file"
	expect_like "$stderr" "warning: option --collect: there: .*$T/no/c: No such file"
}

@test "input that never ends does not hold what does not read it" {
	mkfifo "$T/fifo"
	exec 9<> "$T/fifo"
	attempt eval 'sandbox --stdin - -- echo done < "$T/fifo" 9>&-'
	expect_equal "$status" 0
	attempt eval 'sandbox --stdin - -- head -c 3 < /dev/zero | wc -c'
	expect_equal "$output" 3
	exec 9>&-
	assert_nothing_left
}

@test "what can't be collected is told by what is in the way" {
	mkdir "$T/all"
	echo mine > "$T/file"
	ln -s "$T/all" "$T/link"
	judged ok --collect link --collect by/a --collect d="$T/file" --collect d="$T/link" -- sh -c 'ln -s /etc/passwd link; ln -s d by; mkdir d; echo A > d/a'
	expect_json "$output" '[.files[] | select(.name == "link" or .name == "by/a").error] == ["a symbolic link is in the way, or it lies too deep", "a symbolic link is in the way, or it lies too deep"]'
	expect_json "$output" '[.files[] | select(.name == "d").error] == ["it is a directory, and where it is to go is none"]'
	expect_file "$T/file" mine
	expect_file "$T/all/a" A
	must sandbox --collect d="$T/file" -- mkdir d
	expect_like "$stderr" 'warning: option --collect: d: it is a directory'
}

@test "--file copies files of the kernel's, too" {
	must sandbox --file status=/proc/self/status --file version=/proc/version -- cat status version
	expect_line "$output" "$(< /proc/version)"
	expect_like "$output" '^Name:.brig'
}

@test "of several with one name one runs" {
	local i status n=0

	start --timeout 100s -- sleep 100
	wait_until status_is running
	for i in 1 2 3; do
		must_fail 125 'there is a sandbox .* already' sandbox -- true
	done
	for i in 1 2 3 4; do
		env BRIG_TEST="$ID" "$BRIG" --root "$ROOT" sandbox --name "$ID-x" --env BRIG_TEST="$ID" -- true 2> "$T/errors.$i" 3>&- &
		HELPERS+=("$!")
	done
	for i in 1 2 3 4; do
		status=0
		wait "${HELPERS[$i]}" || status=$?
		if [ "$status" -eq 0 ]; then
			n=$((n + 1))
		else
			expect_equal "$status" 125
			expect_like "$(< "$T/errors.$i")" 'there is a sandbox|already exists'
		fi
	done
	expect_between "$n" 1 4
	kill -TERM "$HELPER"
	wait "$HELPER" || true
	assert_nothing_left
}

@test "no name is that of what all sandboxes share" {
	local name

	must sandbox -- true
	name=$(find "$ROOT/.sandbox" -mindepth 1 -maxdepth 1 -printf '%f\n')
	expect_like "$name" '^[.]root-[0-9a-f]{16}$'
	must_fail 125 'id' brig sandbox --name "$name" -- true
	must env BRIG_TEST="$ID" timeout 20 "$BRIG" --root "$ROOT" sandbox --name "${name#.}" -- true
	must sandbox -- true
	assert_nothing_left
}

@test "another's lock that stays holds neither the time nor the end" {
	local status=0 root

	must sandbox -- true
	root=$(echo "$ROOT"/.sandbox/.root-*)
	exec 9< "$root"
	flock -x 9
	start --timeout 100s -- true 9<&-
	wait_until has_open "$root"
	kill -TERM "$HELPER"
	wait "$HELPER" || status=$?
	exec 9<&-
	expect_equal "$status" 143
	expect_like "$(< "$T/helper.out")" 'another brig has locked .* stopped by SIGTERM'
	assert_nothing_left
}

has_open() { # PATH
	[ -n "$(find "/proc/$HELPER/fd" -lname "$1")" ]
}

@test "SIGTERM at any moment" {
	local i status

	for i in $(seq 0 9); do
		start --timeout 100s -- sleep 100
		sleep "0.00$i"
		kill -TERM "$HELPER"
		status=0
		wait "$HELPER" || status=$?
		expect_equal "$status" 143
		assert_nothing_left
	done
}

@test "in a container that lets brig make none, it says what is in the way" {
	# A sandbox is one.
	attempt sandbox --file brig="$BRIG" -- ./brig sandbox -- true
	expect_like "$stderr" 'clone3: a system call filter around brig \(a container.s\?\) refuses it'
	expect_one_more_privilege
}

expect_one_more_privilege() {
	[ "$(id -u)" -eq 0 ] || return 0
	attempt setpriv --bounding-set=-sys_admin env BRIG_TEST="$ID" "$BRIG" --root "$ROOT" sandbox --name "$ID" -- true
	expect_status 125
	expect_like "$stderr" 'clone3: Operation not permitted: namespaces take CAP_SYS_ADMIN'
	assert_nothing_left
}
