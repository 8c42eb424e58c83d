#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2153,SC2154 # scripts of other languages; bats: a subshell a test, $stderr
# bats file_tags=v2
# brig exec.

load support/common

prepare() {
	sleeper
}

@test "exec runs in the container's namespaces, root and cgroup" {
	local kind pid

	pid=$(pid_of)
	must brig exec "$ID" sh -c 'cd /proc/self/ns; for n in cgroup ipc mnt net pid user uts; do readlink $n; done; cat /proc/self/cgroup'
	for kind in cgroup ipc mnt net pid user uts; do
		expect_line "$output" "$(readlink "/proc/$pid/ns/$kind")"
	done
	expect_equal "$(tail -n +8 <<< "$output")" "$(< "/proc/$pid/cgroup")"
}

@test "exec gives the program's exit status, and 128 and the number of a signal" {
	attempt brig exec "$ID" sh -c 'exit 42'
	expect_status 42 exec
	attempt brig exec "$ID" sh -c 'kill -9 $$'
	expect_status 137 exec
	attempt brig exec "$ID" false
	expect_status 1 exec
}

@test "exec passes the streams through" {
	head -c 100000 /dev/urandom > "$T/in"
	STDIN=$T/in must brig exec "$ID" sh -c 'cat; echo complaint >&2'
	cmp "$T/in" "$T/stdout"
	expect_equal "$stderr" complaint
}

# Those of our own, as "0-3" or "0,2-3": the last one alone.
last_cpu() {
	sed -n 's/^Cpus_allowed_list:.*[^0-9]\([0-9]*\)$/\1/p' /proc/self/status
}

exec_on() { # JSON of execCPUAffinity
	jq --argjson asked "$1" '.process | .execCPUAffinity = $asked | .args = ["grep", "Cpus_allowed_list", "/proc/self/status"]' \
		"$BUNDLE/config.json" > "$T/process.json"
	attempt brig exec --process "$T/process.json" "$ID"
}

@test "exec runs on the processors that its process names" {
	local cpu

	cpu=$(last_cpu)
	exec_on "{ \"final\": \"$cpu\" }"
	expect_equal "$output" $'Cpus_allowed_list:\t'"$cpu"
	exec_on "{ \"initial\": \"$cpu\", \"final\": \"0-$cpu\" }"
	expect_equal "$output" "$(grep Cpus_allowed_list /proc/self/status)"
	# No cpuset of the container's own changes what it begins with.
	exec_on "{ \"initial\": \"$cpu\", \"final\": \"\" }"
	expect_equal "$output" $'Cpus_allowed_list:\t'"$cpu"
	exec_on '{ "final": "8000" }'
	expect_status 255 exec
	expect_like "$stderr" 'process.execCPUAffinity.final: run on processors 8000: Invalid argument'
	exec_on '{ "initial": "8000" }'
	expect_like "$stderr" 'process.execCPUAffinity.initial: set the processors: Invalid argument'
	exec_on '{ "initial": "3-1" }'
	expect_like "$stderr" 'execCPUAffinity.initial: "3-1" is not a list'
}

@test "exec --process runs on the processors that the container's process names, unless it names its own" {
	local cpu

	cpu=$(last_cpu)
	brig delete --force "$ID"
	config --arg cpu "$cpu" '.process.execCPUAffinity = { final: $cpu }'
	sleeper
	jq '.process | del(.execCPUAffinity) | .args = ["grep", "Cpus_allowed_list", "/proc/self/status"]' "$BUNDLE/config.json" \
		> "$T/process.json"
	must brig exec --process "$T/process.json" "$ID"
	expect_equal "$output" $'Cpus_allowed_list:\t'"$cpu"
	exec_on "{ \"final\": \"0-$cpu\" }"
	expect_equal "$output" "$(grep Cpus_allowed_list /proc/self/status)"
}

@test "a missing program gives 255 and no pid file" {
	must_fail 255 'exec: "no-such-program": executable file not found in \$PATH' \
		brig exec --pid-file "$T/pid" "$ID" no-such-program
	expect_missing "$T/pid"
	expect_one_error
	must_fail 255 'executable file not found|no such file' brig exec --detach --pid-file "$T/pid" "$ID" /no/such/program
	expect_missing "$T/pid"
	must_fail 255 'permission denied' brig exec --pid-file "$T/pid" "$ID" /etc/passwd
	expect_missing "$T/pid"
	must_fail 255 'exec: "/etc": is a directory: permission denied' brig exec --pid-file "$T/pid" "$ID" /etc
	printf '#!/no/such\n' > "$BUNDLE/rootfs/bin/orphan"
	chmod 755 "$BUNDLE/rootfs/bin/orphan"
	must_fail 255 'exec: "orphan": the interpreter "/no/such".*does not exist: no such file or directory' brig exec --pid-file "$T/pid" "$ID" orphan
	expect_missing "$T/pid"
}

@test "exec in containers that are not running fails" {
	must_fail 255 'container does not exist' brig exec nobody-here true
	must brig kill "$ID" KILL
	wait_until status_is stopped
	must_fail 255 'container not running|stopped' brig exec "$ID" true
}

has_processes() { # COUNT
	[ "$(brig ps --format json "$ID" | jq length)" = "$1" ]
}

@test "exec in a container that ends, but that somebody has yet to reap a process of, fails as in one that has ended" {
	local pid

	pid=$(pid_of)
	helper env BRIG_TEST="$ID" "$BRIG" --root "$ROOT" exec "$ID" sleep 300
	wait_until has_processes 2
	kill -STOP "$HELPER"
	must brig kill "$ID" KILL
	wait_until test ! -e "/proc/$pid/ns/mnt"
	attempt brig exec "$ID" true
	kill -CONT "$HELPER"
	expect_status 255
	expect_like "$stderr" 'container not running'
}

@test "an exec that loses its process in a container that goes on says what failed" {
	compile refuse_call "$T/refuse_call"
	# 3: ESRCH
	attempt env BRIG_TEST="$ID" "$T/refuse_call" setns 3 "$BRIG" --root "$ROOT" exec "$ID" true
	expect_status 255
	expect_like "$stderr" "join the container's namespaces: No such process"
	expect_unlike "$stderr" 'not running'
}

@test "a command line that makes no sense gives 1" {
	must_fail 1 'COMMAND is missing' brig exec "$ID"
	must_fail 1 'unknown option|no option' brig exec --no-such-option "$ID" true
	must_fail 1 'NAME=VALUE' brig exec --env novalue "$ID" true
}

@test "--cwd sets the working directory" {
	must brig exec --cwd /tmp "$ID" pwd
	expect_equal "$output" /tmp
	must_fail 255 'process.cwd' brig exec --cwd /no/such/dir "$ID" pwd
	must_fail 255 'process.cwd' brig exec --cwd tmp "$ID" pwd
}

@test "--env adds variables, and the container's own stay" {
	must brig exec --env A=0 --env A=1 -e 'B=two words' --env EMPTY= --env PATH=/bin "$ID" /bin/env
	expect_line "$output" A=1
	expect_unlike "$output" A=0
	expect_equal "$(grep ^PATH= <<< "$output")" PATH=/bin
	expect_line "$output" 'B=two words'
	expect_line "$output" EMPTY=
	expect_line "$output" TERM=xterm
	expect_line "$output" HOME=/root
}

@test "nothing of brig's own environment gets in" {
	INTRUDER=1 must brig exec "$ID" env
	expect_unlike "$output" INTRUDER
}

@test "--user and --additional-gids set ids, groups and HOME" {
	must brig exec --user 1000:1001 --additional-gids 5 --additional-gids 6,7 "$ID" sh -c 'id -u; id -g; id -G; echo $HOME'
	expect_equal "$output" $'1000\n1001\n1001 5 6 7\n/home/ship'
	must brig exec -u 1234 "$ID" sh -c 'id -u; id -G; echo $HOME'
	expect_equal "$output" $'1234\n0\n/'
}

@test "odd users are refused, not taken for root" {
	local user

	for user in root 4294967296 4294967295 -1 '' 1000:4294967296 0x0 '1000:' ' 0'; do
		attempt brig exec --user "$user" "$ID" id -u
		if [ "$status" -eq 0 ]; then
			flunk "--user '$user' ran as $output"
		fi
	done
}

@test "--cap adds a capability, and never an inheritable or ambient one" {
	must brig exec "$ID" grep ^Cap /proc/self/status
	plain=$output
	must brig exec --cap CAP_NET_RAW "$ID" grep ^Cap /proc/self/status
	expect_different "$output" "$plain"
	# CAP_NET_RAW is bit 13.
	effective=$(awk '/^CapEff/ { print $2 }' <<< "$output")
	expect_equal $((0x$effective & 1 << 13)) 8192
	expect_line "$output" $'CapInh:\t0000000000000000'
	expect_line "$output" $'CapAmb:\t0000000000000000'
	must brig exec --cap CAP_NO_SUCH "$ID" true
	expect_like "$stderr" 'warning: .*CAP_NO_SUCH'
}

@test "--no-new-privs can be set for a container without it" {
	must brig delete --force "$ID"
	config '.process.noNewPrivileges = false'
	background
	must brig exec "$ID" grep NoNewPrivs /proc/self/status
	expect_equal "$output" $'NoNewPrivs:\t0'
	must brig exec --no-new-privs "$ID" grep NoNewPrivs /proc/self/status
	expect_equal "$output" $'NoNewPrivs:\t1'
}

@test "--process takes a whole process object" {
	jq -n '{ args: ["sh", "-c", "id -u; pwd; echo $A; umask; cat /proc/self/limits | grep \"open files\" | tr -s \" \""],
		env: ["PATH=/bin", "A=b"], cwd: "/tmp", user: { uid: 1000, gid: 1000, umask: 63 },
		rlimits: [{ type: "RLIMIT_NOFILE", soft: 100, hard: 200 }] }' > "$T/process.json"
	must brig exec --process "$T/process.json" "$ID"
	expect_equal "$output" $'1000\n/tmp\nb\n0077\nMax open files 100 200 files '
}

@test "--process from a pipe" {
	must brig exec --process <(jq -n '{ args: ["echo", "piped"], cwd: "/", env: ["PATH=/bin"], user: { uid: 0, gid: 0 } }') "$ID"
	expect_equal "$output" piped
}

@test "a bad --process file names what is wrong" {
	echo '{ "args": ["true"], "cwd": 7 }' > "$T/process.json"
	must_fail 255 'cwd' brig exec --process "$T/process.json" "$ID"
	echo '{ "args": [' > "$T/process.json"
	must_fail 255 "$T/process.json" brig exec --process "$T/process.json" "$ID"
	must_fail 255 'No such file' brig exec --process "$T/missing.json" "$ID"
	must_fail 1 'has no place' brig exec --process "$T/process.json" "$ID" true
}

@test "--detach returns at once, with the pid of the program in the pid file" {
	must brig exec --detach --pid-file "$T/pid" "$ID" sleep 300
	expect_equal "$(tr '\0' ' ' < "/proc/$(< "$T/pid")/cmdline")" 'sleep 300 '
	must brig ps --format json "$ID"
	expect_json "$output" "index($(< "$T/pid")) != null"
}

@test "exec writes the pid file in the foreground too" {
	must brig exec --pid-file "$T/pid" "$ID" true
	expect_like "$(< "$T/pid")" '^[0-9]+$'
}

@test "--preserve-fds passes descriptors, and no others come along" {
	echo third > "$T/three"
	attempt preserving
	expect_status 0 exec
	expect_equal "$output" $'third\n0\n1\n2\n3\n4'
	attempt leaking
	expect_equal "$output" $'0\n1\n2\n3'
}

preserving() {
	brig exec --preserve-fds 1 "$ID" sh -c 'cat <&3; ls /proc/self/fd' 3< "$T/three" 4< /etc 9< /
}

leaking() {
	brig exec "$ID" ls /proc/self/fd 3< "$T/three" 4< /etc 9< /
}

@test "a foreground exec forwards signals" {
	helper_exec sh -c 'trap "exit 5" TERM; touch /tmp/ready; while :; do sleep 0.02; done'
	wait_until test -e "$BUNDLE/rootfs/tmp/ready"
	kill -TERM "$HELPER"
	code=0
	wait "$HELPER" || code=$?
	expect_equal "$code" 5
}

# `exec`, so that $HELPER is brig itself.
helper_exec() {
	BRIG_TEST=$ID "$BRIG" --root "$ROOT" exec "$ID" "$@" < /dev/null > /dev/null 2>&1 3>&- 4>&- &
	HELPER=$!
	HELPERS+=("$HELPER")
}

@test "exec in a paused container is refused unless asked for" {
	must brig pause "$ID"
	must_fail 255 'paused' brig exec "$ID" true
	# It stands still with the container, and so brig waits.
	helper brig exec --ignore-paused "$ID" touch /tmp/later
	sleep 0.2
	expect_missing "$BUNDLE/rootfs/tmp/later"
	must brig resume "$ID"
	wait_until test -e "$BUNDLE/rootfs/tmp/later"
}

# Set up, it is a program of the container's as any other, and may be stopped; before that brig waits for its word.
@test "an exec that a process of the container stops while it is set up fails, and is gone" {
	local i n_stopped=0

	compile stopper "$BUNDLE/rootfs/bin/stopper"
	must brig exec --detach "$ID" stopper
	for i in {1..20}; do
		attempt timeout --kill-after=1 20 "$BRIG" --root "$ROOT" exec --detach "$ID" true
		[ "$status" = 0 ] && continue
		expect_status 255 "brig exec"
		expect_like "$stderr" 'process [0-9]+ of the container was stopped by a signal while it was set up'
		n_stopped=$((n_stopped + 1))
		[ -e "/proc/$(sed -E 's/.*process ([0-9]+) of.*/\1/' <<< "$stderr")" ] && flunk "the process is there still"
		[ "$n_stopped" = 2 ] && break
	done
	expect_different "$n_stopped" 0
}

@test "exec in a created container works before its program does" {
	must brig delete --force "$ID"
	must create
	must brig exec "$ID" hostname
	expect_equal "$output" inside
	expect_equal "$(status_of)" created
}

@test "the container's seccomp filter, masks and rlimits hold for exec" {
	must brig delete --force "$ID"
	config '.process.rlimits = [{ type: "RLIMIT_CORE", soft: 1, hard: 2 }] |
		.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO" }] }'
	background
	must brig exec "$ID" sh -c 'mkdir /tmp/x 2>/dev/null || echo refused; grep Seccomp: /proc/self/status; ulimit -Hc'
	expect_equal "$(head -n 2 <<< "$output")" $'refused\nSeccomp:\t2'
}

@test "--cgroup runs in a group below the container's own" {
	mkdir "$(cgroup_folder unified)/below"
	must brig exec --cgroup below "$ID" grep ^0: /proc/self/cgroup
	expect_like "$output" "-$ID/below$"
	must_fail 255 'cgroup' brig exec --cgroup missing "$ID" true
	must_fail 255 'cgroup' brig exec --cgroup ../.. "$ID" true
	must_fail 255 'cgroup' brig exec --cgroup /../../.. "$ID" true
}

@test "--pidfd-socket gets a descriptor of the program" {
	helper "$SUPPORT/pidfd" "$T/socket" "$T/pidfd"
	wait_until test -S "$T/socket"
	must brig exec --detach --pid-file "$T/pid" --pidfd-socket "$T/socket" "$ID" sleep 300
	wait_until test -e "$T/pidfd"
	expect_file "$T/pidfd" "$(< "$T/pid")"
}

@test "twenty execs at once all succeed" {
	local number

	for number in {1..20}; do
		helper brig exec "$ID" touch "/tmp/exec-$number"
	done
	for number in {1..20}; do
		wait_until test -e "$BUNDLE/rootfs/tmp/exec-$number"
	done
}

# poll(2) is refused more descriptors than RLIMIT_NOFILE allows.
@test "an exec that can't be waited for ends what it started" {
	local pid

	helper "$BRIG" --root "$ROOT" exec --pid-file "$T/pid" "$ID" sleep 300
	wait_until test -s "$T/pid"
	pid=$(< "$T/pid")
	prlimit --pid "$HELPER" --nofile=2:2
	kill -URG "$HELPER"
	wait_until test ! -e "/proc/$pid"
	kill -0 "$(pid_of)"
}
