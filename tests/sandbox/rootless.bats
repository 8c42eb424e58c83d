#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2153,SC2154 # scripts of other languages; bats: a subshell a test, $stderr
# brig sandbox as an ordinary user: no cgroup here, so that limits are each process's own, and the object says so.

load support

prepare() {
	as_user
}

@test "an ordinary user's program runs, as nobody but itself" {
	judged ok -- sh -c 'id -u; pwd; touch /usr/x 2>/dev/null || echo ro'
	expect_equal "$(of .stdout.data)" $'1000\n/work\nro'
	expect_json "$output" '.limits.held_by == "rlimit" and (.warnings | length) > 0'
	# What is not held, and how it would be.
	expect_like "$(of '.warnings[]')" 'what processes share in memory, what waits in pipes and sockets.*not at all; they are '
}

@test "what takes root is refused without a word of options that were not given" {
	attempt sandbox -- true
	expect_unlike "$stderr" 'cgroup-manager|linux\.|systemd-cgroup'
	expect_like "$stderr" 'without a cgroup --memory, --cpu-time and --cpus are not held'
	expect_equal "$(grep -vc "^brig: warning: apparmor:" "$T/stderr")" 1
	judged ok -- true
	expect_equal "$(of '[.warnings[] | select(test("apparmor") | not)] | length')" 1
	must_fail 125 'option --egress: can.t be held.*made by root' sandbox --egress 192.0.2.1 -- true
	expect_unlike "$stderr" 'cgroup-manager|brig.dev'
	printf '{ "set": "strict", "rules": { "cgroup-disabled": "enforce" } }\n' > "$T/policy.json"
	must_fail 125 'options --memory, --pids and --cpus: .*this user may not make; they are .*rule cgroup-disabled' sandbox --policy "$T/policy.json" -- true
	expect_unlike "$stderr" 'linux\.|systemd-cgroup'
}

@test "--no-tcp takes no root" {
	needs_tcp_lock
	judged ok --no-tcp -- python3 -c 'import errno, socket
for family, address in (socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"):
    for action in "bind", "connect":
        try: getattr(socket.socket(family), action)((address, 8080))
        except OSError as error: print(errno.errorcode[error.errno])'
	expect_equal "$(of .stdout.data)" $'EACCES\nEACCES\nEACCES\nEACCES'
}

@test "--cwd is made, and the program's to write to" {
	must sandbox --cwd /work/a/b -- touch x ../y
	expect_unlike "$stderr" cwd
}

@test "files go in and out" {
	echo 'print(1)' > "$T/a.py"
	chmod 644 "$T/a.py"
	judged ok --file a.py="$T/a.py" --collect out -- sh -c 'python3 a.py > out; echo >> a.py'
	expect_equal "$(of '.files[0].data')" 1
}

@test "what is not the user's to read is refused, with the option and the file named, and nothing is left" {
	local option

	mkdir -m 0700 "$T/closed"
	"$SOURCE/tests/sandbox/layout" "$T/layout" "$(command -v busybox)"
	tar -C "$T/layout" -cf "$T/layout.tar" .
	chmod 0700 "$T/layout"
	printf 'secret\n' > "$T/secret"
	chmod 0600 "$T/secret" "$T/layout.tar"
	for option in "--file a=$T/secret" "--stdin $T/secret" "--rootfs $T/closed" "--oci $T/layout:box" "--oci $T/layout.tar:box"; do
		# shellcheck disable=SC2086 # an option and its value
		must_fail 125 "option ${option%% *}.*$T/[a-z.]+: (open: )?Permission denied" sandbox $option -- /bin/busybox cat
		expect_one_error
		expect_equal "$output" ""
		assert_nothing_left
	done
}

@test "verdicts are right" {
	judged exit -- sh -c 'exit 3'
	judged signal -- sh -c 'kill -9 $$'
	judged wall_time --timeout 300ms -- sleep 100
	judged output --max-output 1k -- yes
	judged cpu_time --cpu-time 1s -- sh -c 'while :; do :; done'
}

@test "memory and processes are bounded for each process" {
	judged exit --memory 64m -- python3 -c 'bytearray(200 << 20)'
	expect_like "$(of .stderr.data)" MemoryError
	judged exit --pids 16 -- python3 -c 'import os, time
for _ in range(100):
    if os.fork() == 0: time.sleep(100)'
	expect_like "$(of .stderr.data)" 'temporarily unavailable'
	# Its own, not brig's init.
	judged ok --pids 1 -- true
	judged exit --pids 1 -- sh -c '(true); true'
}

@test "there is no network, no privilege, and no way to others" {
	judged ok -- sh -c 'tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d " "; grep CapEff /proc/self/status | tr -s "\t" " "; ls /home /root 2>/dev/null; ls -d /proc/[0-9]* | wc -l'
	expect_line "$(of .stdout.data)" lo
	expect_line "$(of .stdout.data)" 'CapEff: 0000000000000000'
}

@test "daemons die with the program, and with brig" {
	judged ok -- sh -c 'setsid sleep 1000 & true'
	helper sandbox --timeout 100s -- sleep 1000
	wait_until is_running
	kill -KILL "$(pgrep --oldest -f "home/brig.*--name $ID")"
	wait "$HELPER" || true
	wait_until no_process
	must brig sandbox -- true
	assert_nothing_left
}

is_running() {
	marked_processes | grep -q . && brig list --quiet 2> /dev/null | grep -q .
}

no_process() {
	[ -z "$(marked_processes)" ]
}

@test "without a directory of the session the state is in one of the user's own, never in somebody else's" {
	# A number that nobody else has: the place is named by it.
	local uid=$((200000000 + BASHPID)) place
	place=/tmp/brig-$uid

	at_home() {
		env -i PATH="$PATH" BRIG_TEST="$ID" "$@" setpriv --reuid "$uid" --regid "$uid" --clear-groups "$HOME_OF_USER/brig" sandbox \
			--env BRIG_TEST="$ID" -- echo hello
	}
	chmod 755 "$HOME_OF_USER"
	rm -rf "$place"
	must at_home
	expect_equal "$output" hello
	expect_equal "$(stat -c '%u %a' "$place")" "$uid 700"
	# su passes on what is another user's.
	must at_home XDG_RUNTIME_DIR="$T/home"
	chmod 755 "$place"
	must_fail 125 "state directory $place has to be a directory of user $uid" at_home
	rm -rf "$place"
	mkdir -m 0700 "$place"
	must_fail 125 "has to be a directory of user $uid" at_home
	rmdir "$place"
	ln -s "$T" "$place"
	must_fail 125 "has to be a directory of user $uid" at_home
	rm "$place"
}

@test "root of a container that an ordinary user made is such a user, where he may make no groups" {
	USER_ID=300000
	as_user
	brig() {
		env --chdir "$HOME_OF_USER" BRIG_TEST="$ID" "$SOURCE/tests/sandbox/user-container" "$USER_ID" "$HOME_OF_USER/brig" --root "$ROOT" "$@"
	}
	attempt sandbox --json -- true
	[[ $output != *"can't map the ids of its file system"* ]] || skip "this machine's /usr is on a file system whose ids can't be mapped"
	judged ok -- id -u
	expect_equal "$(of .stdout.data)" 1000
	expect_json "$output" '.limits.held_by == "rlimit" and ([.warnings[] | select(contains("not at all; they are"))] | length == 1)'
	judged exit --memory 64m -- python3 -c 'bytearray(200 << 20)'
}
