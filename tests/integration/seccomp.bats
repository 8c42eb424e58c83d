#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2153,SC2154 # scripts of other languages; bats: a subshell a test, $stderr
# bats file_tags=v2
# linux.seccomp on the running kernel; the compiler itself is tested in a simulator by the unit tests.

load support/common

seccomp() { # FILTER-OBJECT as JSON
	config --argjson seccomp "$1" '.linux.seccomp = $seccomp'
}

@test "an errno action refuses calls, with the errno that is asked for" {
	seccomp '{ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
		{ "names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28 },
		{ "names": ["rmdir"], "action": "SCMP_ACT_ERRNO" }] }'
	inside 'mkdir /tmp/x || rmdir /tmp || grep Seccomp: /proc/self/status'
	expect_like "$stderr" 'mkdir: .*No space left on device'
	expect_like "$stderr" 'rmdir: .*Operation not permitted'
	expect_equal "$output" $'Seccomp:\t2'
}

@test "rules look at arguments" {
	seccomp '{ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{ "names": ["kill"], "action": "SCMP_ACT_ERRNO", "errnoRet": 16,
		"args": [{ "index": 1, "value": 10, "op": "SCMP_CMP_EQ" }] }] }'
	shell 'kill -0 1 && echo allowed; kill -10 1'
	attempt run_container
	expect_equal "$output" allowed
	expect_like "$stderr" 'busy'
}

@test "a list of allowed calls refuses all others" {
	seccomp '{ "defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 38, "syscalls": [{ "names": ["read", "write", "close",
		"execve", "brk", "mmap", "munmap", "mprotect", "arch_prctl", "set_tid_address", "set_robust_list", "rseq", "prlimit64",
		"readlink", "readlinkat", "getrandom", "exit_group", "exit", "fstat", "newfstatat", "uname", "getuid", "prctl", "ioctl",
		"rt_sigaction", "rt_sigprocmask", "lseek", "writev", "fcntl", "chdir", "getcwd", "setresuid", "setresgid", "setgroups",
		"capset", "sendmsg", "sendto", "openat"], "action": "SCMP_ACT_ALLOW" }] }'
	program echo allowed
	must run_container
	expect_equal "$output" allowed
	program mkdir /tmp/x
	attempt run_container
	expect_status 1 run
	expect_like "$stderr" 'mkdir: .*Function not implemented'
}

@test "a call that kills ends the program with signal 31" {
	seccomp '{ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{ "names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_KILL_PROCESS" }] }'
	program mkdir /tmp/x
	attempt run_container
	expect_status 159 run
}

@test "the filter holds for 32-bit calls too where its architecture is listed, and kills where not" {
	compile int80 "$BUNDLE/rootfs/bin/int80"
	seccomp '{ "defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"],
		"syscalls": [{ "names": ["getppid"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1 }] }'
	program int80
	must run_container
	expect_equal "$output" -1
	config 'del(.linux.seccomp)'
	must run_container
	expect_equal "$output" 0
	seccomp '{ "defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"],
		"syscalls": [{ "names": ["getppid"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1 }] }'
	attempt run_container
	expect_status 159 run
}

@test "a listener gets the state and the descriptor, and its answers count" {
	helper "$SUPPORT/seccomp-agent" "$T/agent.sock" "$T/agent" 123
	wait_until test -S "$T/agent.sock"
	seccomp "{ \"defaultAction\": \"SCMP_ACT_ALLOW\", \"listenerPath\": \"$T/agent.sock\", \"listenerMetadata\": \"for the agent\",
		\"syscalls\": [{ \"names\": [\"mkdir\", \"mkdirat\"], \"action\": \"SCMP_ACT_NOTIFY\" }] }"
	shell 'mkdir /tmp/x || sleep 300'
	background
	wait_until test -e "$T/agent"
	expect_json "$(< "$T/agent")" ".fds == [\"seccompFd\"] and .pid == $(pid_of) and .metadata == \"for the agent\" and
		.state.id == \"$ID\" and (.ociVersion | length) > 0"
	wait_until grep -q 'No medium found' "$T/stderr"
}

@test "a listener that is not there is an error, and nothing is left" {
	seccomp "{ \"defaultAction\": \"SCMP_ACT_ALLOW\", \"listenerPath\": \"$T/nobody.sock\",
		\"syscalls\": [{ \"names\": [\"mkdir\"], \"action\": \"SCMP_ACT_NOTIFY\" }] }"
	shell 'echo began'
	must_fail 1 'linux.seccomp.listenerPath.*nobody.sock' run_container
	expect_equal "$output" ''
	assert_nothing_left
}

@test "a hook of any kind before the program may start the agent, and where none does the program does not begin" {
	local kind

	seccomp "{ \"defaultAction\": \"SCMP_ACT_ALLOW\", \"listenerPath\": \"$T/agent.sock\",
		\"syscalls\": [{ \"names\": [\"mkdir\", \"mkdirat\"], \"action\": \"SCMP_ACT_NOTIFY\" }] }"
	shell 'echo began; mkdir /tmp/x'
	# Where one of the container's own hooks starts it, its paths are the container's from pivot_root on.
	mkdir -p "$BUNDLE/rootfs$T"
	printf '#!/bin/sh\n%s %s %s 123 > /dev/null 2>&1 &\nuntil test -S %s; do sleep 0.01; done\n' "$SUPPORT/seccomp-agent" \
		"$T/agent.sock" "$T/agent" "$T/agent.sock" > "$T/hook"
	chmod +x "$T/hook"
	for kind in prestart createRuntime createContainer; do
		config --arg kind "$kind" --arg path "$T/hook" '.hooks = { ($kind): [{ path: $path, env: ["PATH=/usr/bin:/bin"] }] }'
		rm -f "$T/agent.sock"
		attempt run_container
		expect_equal "$output" began
		expect_like "$stderr" 'No medium found'
	done
	rm "$T/agent.sock"
	config '.hooks.createContainer[0].path = "/bin/true"'
	must_fail 1 'linux.seccomp.listenerPath.*agent.sock' run_container
	expect_equal "$output" ''
	assert_nothing_left
}

@test "a program whose listener is not there yet does not begin: start can be asked for again" {
	seccomp "{ \"defaultAction\": \"SCMP_ACT_ALLOW\", \"listenerPath\": \"$T/agent.sock\",
		\"syscalls\": [{ \"names\": [\"mkdir\"], \"action\": \"SCMP_ACT_NOTIFY\" }] }"
	shell 'sleep 300'
	must create
	must_fail 1 'linux.seccomp.listenerPath.*agent.sock' brig start "$ID"
	status_is created
	helper "$SUPPORT/seccomp-agent" "$T/agent.sock" "$T/agent" 123
	wait_until test -S "$T/agent.sock"
	must brig start "$ID"
	wait_until test -e "$T/agent"
	status_is running
}

@test "notify without a listener, unknown actions and operators are refused by name" {
	seccomp '{ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{ "names": ["mkdir"], "action": "SCMP_ACT_NOTIFY" }] }'
	must_fail 1 'linux.seccomp.*listenerPath' run_container
	seccomp '{ "defaultAction": "SCMP_ACT_MAYBE" }'
	must_fail 1 'linux.seccomp.defaultAction.*SCMP_ACT_MAYBE' run_container
	seccomp '{ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{ "names": ["kill"], "action": "SCMP_ACT_ERRNO",
		"args": [{ "index": 9, "value": 1, "op": "SCMP_CMP_EQ" }] }] }'
	must_fail 1 'linux.seccomp.syscalls\[0\].args\[0\].index' run_container
	seccomp '{ "defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_TOASTER"] }'
	must_fail 1 'linux.seccomp.architectures.*SCMP_ARCH_TOASTER' run_container
}

@test "names of calls that this kernel or library does not know are passed over" {
	seccomp '{ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{ "names": ["no_such_call", "mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO" }] }'
	shell 'mkdir /tmp/x 2> /dev/null || echo refused'
	attempt run_container
	expect_equal "$output" refused
}

@test "without no_new_privs the filter is installed all the same" {
	config '.process.noNewPrivileges = false'
	seccomp '{ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{ "names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO" }] }'
	inside 'mkdir /tmp/x 2> /dev/null || echo refused; grep -E "Seccomp:|NoNewPrivs" /proc/self/status'
	expect_equal "$output" $'refused\nNoNewPrivs:\t0\nSeccomp:\t2'
}

@test "the second container with the same filter finds it in the cache, and a spoilt cache is not trusted" {
	local file

	seccomp '{ "defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{ "names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO" }] }'
	inside 'mkdir /tmp/x 2> /dev/null || echo refused'
	file=$(find "$ROOT/.filters" -type f | head -n 1)
	[ -n "$file" ]
	expect_equal "$(stat -c %a "$ROOT/.filters")" 700
	inside 'mkdir /tmp/x 2> /dev/null || echo refused'
	expect_equal "$output" refused
	head -c "$(stat -c %s "$file")" /dev/urandom > "$T/noise"
	cat "$T/noise" > "$file"
	inside 'mkdir /tmp/x 2> /dev/null || echo refused'
	expect_equal "$output" refused
	: > "$file"
	inside 'mkdir /tmp/x 2> /dev/null || echo refused'
	expect_equal "$output" refused
}
