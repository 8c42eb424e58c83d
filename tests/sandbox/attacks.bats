#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2153,SC2154 # scripts of other languages; bats: a subshell a test, $stderr
# brig sandbox: programs that want more than they are given, or not to end; and what is left when brig itself is ended.

load support

# The only way to find what left its session, process group and name: its mark in the environment, which assert_nothing_left looks for.

@test "a bomb of forks ends with the time, or by itself" {
	attempt sandbox --json --timeout 2s --pids 64 -- bash -c 'bomb() { bomb | bomb & }; bomb; sleep 100'
	expect_schema sandbox
	expect_json "$output" '.verdict as $v | ["wall_time", "pids", "exit"] | index($v) != null'
	assert_nothing_left
}

@test "a bomb of forks that never gives up has no more than its processes" {
	judged wall_time --timeout 3s --pids 32 -- python3 -c 'import os
while True:
    try: os.fork()
    except OSError: pass'
	expect_json "$output" '(.warnings | length) > 0'
}

@test "daemons die with the program" {
	judged ok -- python3 -c 'import os, time
for i in range(10):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for fd in range(3): os.close(fd)
            time.sleep(1000)
        os._exit(0)'
}

@test "a daemon that holds the output does not hold brig" {
	judged ok --timeout 20s -- sh -c 'sleep 1000 & echo started'
	expect_equal "$(of .stdout.data)" started
	expect_json "$output" '.wall_ms < 20000'
}

@test "closed streams are no failure" {
	judged ok -- sh -c 'exec <&- >&- 2>&-; true'
	judged wall_time --timeout 500ms -- sh -c 'exec <&- >&- 2>&-; sleep 100'
}

@test "a full disk is no more than that, and so are all inodes" {
	judged exit --memory 64m -- sh -c 'cat /dev/zero > /work/big'
	expect_like "$(of .stderr.data)" 'No space left'
	judged ok --timeout 100s -- python3 -c 'import errno
try:
    for i in range(10**9): open("/tmp/%d" % i, "w").close()
except OSError as error:
    assert error.errno == errno.ENOSPC, error'
}

@test "terminals are bounded, of which all containers have some thousands together" {
	judged ok -- python3 -c 'import os
try:
    while True: os.openpty()
except OSError as error: print(error.strerror, len(os.listdir("/dev/pts")) - 1)'
	expect_equal "$(of .stdout.data)" 'No space left on device 64'
}

@test "files in memory are counted as memory" {
	judged memory --memory 32m -- python3 -c 'import os
fd = os.memfd_create("x")
while True: os.write(fd, b"x" * (1 << 20))'
}

@test "what the host ends first where it has no memory left: not below its caller's" {
	judged ok -- python3 -c 'import os
print(open("/proc/self/oom_score_adj").read().strip())
try: os.write(os.open("/proc/self/oom_score_adj", os.O_WRONLY), b"-1")
except PermissionError: print("no less")'
	expect_equal "$(of .stdout.data)" $'500\nno less'
}

@test "/proc shows nothing of brig, and lets nothing be changed" {
	judged ok -- python3 -c 'import os
held = []
def refused(what, act):
    try: act()
    except OSError: return
    held.append(what)
for name in ("mem", "environ", "maps", "auxv", "stack", "fd/0", "root/etc/passwd"):
    refused("read /proc/1/" + name, lambda: open("/proc/1/" + name, "rb").read(1))
refused("list /proc/1/fd", lambda: os.listdir("/proc/1/fd"))
refused("link /proc/1/exe", lambda: os.readlink("/proc/1/exe"))
refused("run /proc/1/exe", lambda: os.execv("/proc/1/exe", ["x"]))
def write(path, text):
    os.write(os.open(path, os.O_WRONLY), text)
refused("write sysrq", lambda: write("/proc/sysrq-trigger", b"h"))
refused("write a sysctl", lambda: write("/proc/sys/kernel/core_pattern", b"|/x"))
refused("write oom_score_adj of init", lambda: write("/proc/1/oom_score_adj", b"1000"))
refused("write its map", lambda: write("/proc/self/uid_map", b"0 0 1"))
refused("write above its root", lambda: write("/proc/1/root/../x", b"x"))
assert not held, held
assert b"sandbox" not in open("/proc/1/cmdline", "rb").read()'
}

@test "init can't be ended, stopped or fooled from inside" {
	judged ok -- python3 -c 'import os, signal
for number in signal.valid_signals():
    try: os.kill(1, number)
    except OSError: pass
print("still here")'
	expect_equal "$(of .stdout.data)" "still here"
	attempt sandbox --json -- sh -c 'kill -9 1; kill -STOP 1; kill -SEGV 1; echo still here; exit 5'
	expect_equal "$(of '.verdict, .exit_code, .stdout.data')" $'exit\n5\nstill here'
}

@test "kill -9 -1 ends only its own" {
	attempt sandbox --json -- sh -c 'sleep 100 & kill -9 -1; echo here'
	expect_schema sandbox
	expect_json "$output" '.verdict as $v | ["ok", "signal"] | index($v) != null'
	assert_nothing_left
}

@test "the streams can be opened again, and lead nowhere else" {
	judged ok -- sh -c 'echo one > /dev/stdout; echo two > /proc/self/fd/1; cat < /dev/stdin'
	expect_equal "$(of .stdout.data)" $'one\ntwo'
}

@test "a file that is given as stdin can't be written to" {
	echo mine > "$T/in"
	chmod 666 "$T/in"
	attempt sandbox --stdin "$T/in" -- sh -c 'echo theirs > /proc/self/fd/0; exec 3<> /proc/self/fd/0; echo theirs >&3; true'
	expect_file "$T/in" mine
}

@test "links in the work directory lead --collect nowhere" {
	judged ok --collect l --collect d --collect d/passwd -- sh -c 'ln -s /etc/passwd l; ln -s /etc d; mkfifo f'
	expect_json "$output" '[.files[] | has("error")] == [true, true, true]'
}

@test "a writer that never ends does not slow down the end" {
	judged output --max-output 1m --timeout 20s -- sh -c 'yes & yes & yes'
	expect_json "$output" '.stdout.bytes == 1048576'
}

@test "SIGTERM to brig ends the sandbox, and nothing is left" {
	local status=0

	start --json --timeout 100s -- sh -c 'trap "" TERM INT; sleep 100 & sleep 100'
	wait_until status_is running
	kill -TERM "$HELPER"
	wait "$HELPER" || status=$?
	expect_equal "$status" 143
	output=$(< "$T/helper.out")
	expect_schema sandbox
	expect_json "$output" '.verdict == "internal"'
	assert_nothing_left
}

@test "SIGKILL to brig ends the sandbox at once, and the next one takes the rest away" {
	start --timeout 100s -- sh -c 'sleep 1000 & sleep 1000'
	wait_until status_is running
	kill -KILL "$HELPER"
	wait "$HELPER" || true
	wait_until no_process
	# Its state, cgroup and range of ids: the next sandbox's work.
	must brig sandbox -- true
	assert_nothing_left
	expect_equal "$(find /run/brig-ids -lname "$ROOT/*" 2> /dev/null)" ""
}

@test "SIGKILL to brig at any moment leaves no process that holds its output" {
	cat > "$T/kill.py" << 'END'
import subprocess, sys, time
for i in range(40):
    pipe = subprocess.PIPE
    brig = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe)
    time.sleep(i / 1000)
    brig.kill()
    brig.communicate(timeout=60)
print("40 were killed")
END
	must env BRIG_TEST="$ID" python3 "$T/kill.py" "$BRIG" --root "$ROOT" sandbox --name "$ID" --env BRIG_TEST="$ID" -- sh -c 'setsid sleep 1000 & sleep 1000'
	expect_equal "$output" '40 were killed'
	wait_until no_process
	wait_until attempt_succeeds sandbox -- true
	assert_nothing_left
}

# The end of one that was killed may still go on.
attempt_succeeds() {
	attempt "$@"
	[ "$status" -eq 0 ]
}

@test "what is left of a sandbox does not take a container with it that has its name" {
	load_parts bundle
	bundle_new "$BUNDLE"
	sleeper
	# As a brig leaves it that was killed while it unpacked.
	mkdir -p "$ROOT/.sandbox/$ID/root"
	must brig sandbox -- true
	expect_equal "$(status_of)" running
	expect_missing "$ROOT/.sandbox/$ID"
	must_fail 125 'exist' sandbox -- true
	must brig sandbox -- true
	expect_equal "$(status_of)" running
	must brig delete --force "$ID"
	assert_nothing_left
}

no_process() {
	[ -z "$(marked_processes)" ]
}

@test "two at a time do not see each other" {
	start --timeout 100s -- sh -c 'echo mine > /tmp/x; sleep 100'
	wait_until status_is running
	must brig sandbox -- sh -c 'ls /tmp; ls -d /proc/[0-9]* | wc -l'
	expect_between "$output" 2 5
	kill -TERM "$HELPER"
	wait "$HELPER" || true
}

# Numbers of x86_64: elsewhere they are other calls'.
@test "calls that lead out, or deeper into the kernel, are refused and listed" {
	[ "$(uname -m)" = x86_64 ] || skip "the calls' numbers are x86_64's"
	judged ok -- python3 -c 'import ctypes
libc = ctypes.CDLL(None, use_errno=True)
calls = (("unshare", 272, 0x10000000), ("unshare", 272, 0x20000), ("clone", 56, 0x10000011), ("setns", 308, 0), ("mount", 165, 0),
    ("umount2", 166, 0), ("pivot_root", 155, 0), ("chroot", 161, 0), ("open_tree", 428, 0), ("move_mount", 429, 0), ("fsopen", 430, 0),
    ("fsmount", 432, 0), ("mount_setattr", 442, 0), ("ptrace", 101, 16), ("process_vm_readv", 310, 1), ("process_vm_writev", 311, 1),
    ("pidfd_getfd", 438, 0), ("bpf", 321, 0), ("perf_event_open", 298, 0), ("io_uring_setup", 425, 1), ("userfaultfd", 323, 0),
    ("keyctl", 250, 0), ("add_key", 248, 0), ("request_key", 249, 0), ("open_by_handle_at", 304, 0), ("kexec_load", 246, 0),
    ("init_module", 175, 0), ("reboot", 169, 0), ("swapon", 167, 0), ("syslog", 103, 3), ("fanotify_init", 300, 0))
for name, number, first in calls:
    result = libc.syscall(number, first, 0, 0, 0, 0, 0)
    if result == 0 and name == "clone": libc._exit(0)
    if result != -1 or ctypes.get_errno() != 1: print(name, result, ctypes.get_errno())
print(" ".join(sorted({call[0] for call in calls})))'
	expect_equal "$(of .stdout.data)" "$(of '[.denied[].call] | sort | join(" ")')"
	expect_json "$output" '.denied | length == 30 and ([.[] | select(.call == "unshare")][0].count == 2)'
}

@test "its own output in packets, through another pipe's size, without waiting, and read back by itself" {
	judged ok -- python3 -c 'import fcntl, os
fcntl.fcntl(1, fcntl.F_SETFL, os.O_WRONLY | os.O_DIRECT)
for i in range(20): os.write(1, b"%d " % i)'
	expect_equal "$(of .stdout.data)" '0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 '
	judged ok -- python3 -c 'import fcntl, os, sys
fcntl.fcntl(1, 1031, 4096)
os.set_blocking(1, False)
written = 0
for _ in range(200):
    try: written += os.write(1, b"x" * 1000)
    except BlockingIOError: pass
print(written, file=sys.stderr)'
	expect_equal "$(of .stdout.bytes)" "$(of .stderr.data)"
	judged wall_time --timeout 500ms -- python3 -c 'import os
back = os.open("/proc/self/fd/1", os.O_RDONLY)
while True: os.read(back, 1)'
}

@test "--collect of links to one file, a socket, a pipe, and of what is moved about meanwhile" {
	judged ok --collect two --collect socket --collect d -- python3 -c 'import os, socket
open("one", "w").write("1")
os.link("one", "two")
socket.socket(socket.AF_UNIX).bind("socket")
os.mkdir("d")
os.mkfifo("d/fifo")
os.symlink("/proc/1/root/etc/passwd", "d/link")'
	expect_json "$output" '.files[0].data == "1" and ([.files[1:][] | has("error")] == [true, true, true])'
	judged wall_time --timeout 700ms --collect d="$T/out" -- python3 -c 'import os
os.mkdir("e")
open("f", "w").write("mine")
os.symlink("/etc", "l")
while True:
    for name in "e", "f", "l":
        os.rename(name, "d")
        os.rename("d", name)'
	! grep -rqs root "$T/out" || flunk "something of the host was collected"
}

@test "thousands of folders in each other do not hold off the end" {
	judged wall_time --timeout 2s --collect d -- python3 -c 'import os
os.mkdir("d")
os.chdir("d")
while True:
    os.mkdir("d")
    os.chdir("d")'
	expect_like "$(of '.files[0].error')" 'too deep'
}
