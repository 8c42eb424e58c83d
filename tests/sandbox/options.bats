#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2153,SC2154 # scripts of other languages; bats: a subshell a test, $stderr
# brig sandbox: what is inside, and what each option does.

load support

@test "inside nobody is root, and nothing of the host is there but /usr" {
	must sandbox -- sh -c 'id -u; id -un; pwd; echo "$HOME"; ls / | tr "\n" " "; cat /etc/shadow 2>&1; ls /home /root 2>&1; hostname'
	expect_equal "$(head -n 4 <<< "$output" | tr '\n' ' ')" '1000 sandbox /work /work '
	expect_unlike "$(sed -n 5p <<< "$output")" '(^| )(root|boot|data)( |$)'
	expect_like "$output" "/etc/shadow.*No such file"
	expect_equal "$(tail -n 1 <<< "$output")" sandbox
}

@test "who speaks TLS finds the host's authorities, and nothing else of its /etc/ssl" {
	local file=/etc/ssl/certs/ca-certificates.crt

	[ -e "$file" ] || skip "this machine has no $file"
	must sandbox -- cat "$file"
	expect_equal "$(sha256sum < "$T/stdout")" "$(sha256sum < "$file")"
	must sandbox -- python3 -c 'import ssl; print(len(ssl.create_default_context().get_ca_certs()) > 50)'
	expect_equal "$output" True
	must sandbox --cwd /elsewhere -- sh -c 'test -s /etc/ssl/certs/ca-certificates.crt && find /etc/ssl -type f | sort'
	expect_equal "$(grep -vxF /etc/ssl/openssl.cnf <<< "$output")" "$file"
}

@test "all but /tmp, /work and /dev/shm is read-only, and these are bounded" {
	must sandbox -- sh -c 'for d in / /usr /etc /usr/bin /home /var /run; do touch $d/x 2>/dev/null && echo "$d can be written to"; done
		for d in /tmp /work /dev/shm; do touch $d/x || echo "$d can not"; done'
	expect_equal "$output" ""
	must sandbox --memory 64m -- sh -c 'for d in /tmp /work /dev/shm; do df -k --output=size $d | tail -n 1 | tr -d " "; done'
	expect_equal "$output" $'16384\n16384\n16384'
}

@test "there is no network but the loopback" {
	must sandbox -- sh -c 'tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d " "'
	expect_equal "$output" lo
	must sandbox -- python3 -c 'import socket
try: socket.create_connection(("192.0.2.1", 80), 2)
except OSError as error: print("refused")'
	expect_equal "$output" refused
}

@test "only its own processes can be seen" {
	must sandbox -- sh -c 'ls -d /proc/[0-9]* | wc -l'
	expect_between "$output" 2 5
}

@test "no privilege, no descriptor, no new one by a set-user-ID program" {
	must sandbox -- sh -c 'grep -E "^(CapEff|CapBnd|CapPrm|CapAmb|NoNewPrivs|Seccomp):" /proc/self/status | tr -s "\t" " "; ls /proc/self/fd | tr "\n" " "'
	expect_equal "$(grep -c ' 0000000000000000$' <<< "$output")" 4
	expect_line "$output" 'NoNewPrivs: 1'
	expect_line "$output" 'Seccomp: 2'
	expect_equal "$(tail -n 1 <<< "$output")" '0 1 2 3 '
}

@test "--file copies in, into directories too, with the right to execute" {
	printf 'print(6 * 7)\n' > "$T/a.py"
	printf '#!/bin/sh\necho ran\n' > "$T/run"
	chmod 755 "$T/run"
	judged ok --file src/main.py="$T/a.py" --file run="$T/run" -- sh -c 'python3 src/main.py && ./run && echo more >> src/main.py && rm run'
	expect_equal "$(of .stdout.data)" $'42\nran'
	expect_equal "$(< "$T/a.py")" 'print(6 * 7)'
}

@test "--collect takes files and directories into the object" {
	judged ok --collect a --collect d --collect none -- sh -c 'printf A > a; mkdir -p d/e; printf "\377" > d/e/b'
	expect_json "$output" '.files[0] == { name: "a", bytes: 1, encoding: "utf-8", data: "A" }'
	expect_json "$output" '.files[1] == { name: "d/e/b", bytes: 1, encoding: "base64", data: "/w==" }'
	expect_json "$output" '.files[2] == { name: "none", error: "No such file or directory" }'
}

@test "--collect writes to the host, without --json too, also after a failure" {
	attempt sandbox --collect out/a="$T/got" --collect out="$T/all" -- sh -c 'mkdir -p out/deep; echo A > out/a; echo B > out/deep/b; exit 4'
	expect_status 4
	expect_file "$T/got" A
	expect_file "$T/all/deep/b" B
	assert_nothing_left
}

@test "--collect of a sandbox that was killed for time has what was there" {
	judged wall_time --timeout 2s --collect a -- sh -c 'echo early > a; sleep 100'
	expect_equal "$(of '.files[0].data')" early
}

@test "--stdin gives a file, or our own" {
	printf 'from a file\n' > "$T/in"
	must sandbox --stdin "$T/in" -- cat
	expect_equal "$output" 'from a file'
	head -c 300000 /dev/urandom > "$T/large"
	STDIN=$T/large must sandbox --stdin - -- sha256sum
	expect_equal "${output%% *}" "$(sha256sum "$T/large" | cut -d' ' -f1)"
	STDIN=$T/large must sandbox -- cat
	expect_equal "$output" ""
}

@test "a pipe is passed on as it comes" {
	expect_equal "$(printf 'through' | sandbox --stdin - -- cat)" through
	sandbox -- yes | head -n 1 > "$T/first"
	expect_file "$T/first" y
	assert_nothing_left
}

@test "what is passed on is what was written" {
	head -c 700000 /dev/urandom > "$T/random"
	must sandbox --stdin "$T/random" -- cat
	cmp "$T/random" "$T/stdout"
	sandbox --stdin "$T/random" -- cat >> "$T/appended"
	cmp "$T/random" "$T/appended"
}

@test "--env sets, passes on, and takes the place of ours" {
	must env FROM_OUTSIDE=seen HIDDEN=no BRIG_TEST="$ID" "$BRIG" --root "$ROOT" sandbox --env FROM_OUTSIDE --env A=b --env HOME=/tmp -- env
	expect_line "$output" FROM_OUTSIDE=seen
	expect_line "$output" A=b
	expect_line "$output" HOME=/tmp
	expect_unlike "$output" HIDDEN
	expect_equal "$(grep -c ^HOME= <<< "$output")" 1
}

@test "--cwd is where it begins" {
	must sandbox --cwd /tmp -- pwd
	expect_equal "$output" /tmp
	must sandbox --cwd /somewhere/new -- pwd
	expect_equal "$output" /somewhere/new
	must sandbox -- ls /somewhere 2> /dev/null || true
	expect_missing "$ROOT"/.sandbox/.root-*/somewhere
}

@test "--bind-ro and --bind-rw show what is there, and only the one lets it be written to" {
	mkdir "$T/in" "$T/out"
	echo seen > "$T/in/file"
	chmod 777 "$T/out"
	must sandbox --bind-ro "$T/in:/in" --bind-rw "$T/out:/data/out" -- sh -c 'cat /in/file; echo x > /in/file; echo y > /data/out/made; true'
	expect_equal "$output" seen
	must sandbox --bind-ro "$T/in" -- cat "$T/in/file"
	expect_equal "$output" seen
	expect_file "$T/in/file" seen
	expect_file "$T/out/made" y
	expect_missing "$ROOT"/.sandbox/.root-*/data
}

@test "--cwd in /work, /tmp or /dev/shm is the program's to write to, and on the host nobody's" {
	local dir

	for dir in /work/a/b /tmp/a/b /dev/shm/a; do
		must sandbox --cwd "$dir" -- sh -c 'pwd; touch x ../y && stat -c "%u %g %a" . ..'
		expect_equal "$(sed -n 1,2p <<< "$output")" "$dir"$'\n''1000 1000 755'
	done
	must sandbox --cwd /work/src --file src/a=/etc/hostname -- sh -c 'touch x && rm a'
	mkdir "$T/d"
	attempt sandbox --bind-rw "$T/d:/tmp/d" --cwd /tmp/d/made -- touch x
	expect_status 1
	expect_equal "$(stat -c %u "$T/d/made")" "$(id -u)"
}

@test "a bind in a bind is as it was asked for, whichever is given first" {
	mkdir -p "$T/d/sub/deep" "$T/other"
	chmod -R 777 "$T/d" "$T/other"
	attempt sandbox --bind-rw "$T/d:/x" --bind-ro "$T/d/sub:/x/sub" --bind-rw "$T/other:/x/sub/deep" -- sh -c 'touch /x/made /x/sub/deep/made; touch /x/sub/no'
	expect_status 1
	expect_like "$stderr" 'Read-only file system'
	expect_missing "$T/d/sub/no"
	[ -e "$T/d/made" ] && [ -e "$T/other/made" ]
	attempt sandbox --bind-rw "$T/other:/x/sub" --bind-ro "$T/d:/x" -- sh -c 'touch /x/sub/again; touch /x/no'
	expect_status 1
	expect_missing "$T/d/no"
	[ -e "$T/other/again" ]
	assert_nothing_left
}

@test "a bind covers what is at its place: /tmp, a directory of --rootfs" {
	mkdir -p "$T/rootfs/bin" "$T/rootfs/etc" "$T/d"
	cp "$(command -v busybox)" "$T/rootfs/bin/busybox"
	echo there > "$T/d/mine"
	echo hidden > "$T/rootfs/etc/name"
	must sandbox --bind-ro "$T/d:/tmp" -- sh -c 'ls -A /tmp; ! touch /tmp/x 2>&1'
	expect_line "$output" mine
	expect_like "$output" 'Read-only file system'
	must sandbox --rootfs "$T/rootfs" --bind-ro "$T/d:/etc" -- /bin/busybox ls /etc
	expect_equal "$output" mine
}

@test "--rootfs shows the directories of another root, read-only, and makes nothing in it" {
	mkdir -p "$T/rootfs/bin" "$T/rootfs/etc" "$T/rootfs/tmp"
	cp "$(command -v busybox)" "$T/rootfs/bin/busybox"
	ln -s busybox "$T/rootfs/bin/sh"
	ln -s bin "$T/rootfs/sbin"
	ln -s / "$T/rootfs/var"
	echo other > "$T/rootfs/etc/name"
	find "$T/rootfs" | sort > "$T/before"
	must sandbox --rootfs "$T/rootfs" -- sh -c 'busybox cat /etc/name; busybox ls /; busybox touch /etc/x /bin/x || echo no'
	expect_line "$output" other
	expect_line "$output" no
	expect_unlike "$output" '^usr$'
	find "$T/rootfs" | sort > "$T/after"
	cmp "$T/before" "$T/after"
}

@test "--oci runs an image of a layout, and its own command where none is given" {
	"$SOURCE/tests/sandbox/layout" "$T/layout" "$(command -v busybox)"
	must sandbox --oci "$T/layout:box" -- /bin/busybox cat /etc/name
	expect_equal "$output" image
	must sandbox --oci "$T/layout:box"
	expect_equal "$output" 'from the image in /opt'
	tar -C "$T/layout" -cf "$T/layout.tar" .
	must sandbox --oci "$T/layout.tar:box" -- /bin/busybox id -u
	expect_equal "$output" 1000
	assert_nothing_left
}

@test "--name is the container's, as long as it is there" {
	start --timeout 100s -- sleep 100
	wait_until status_is running
	must_fail 125 'choose another --name' sandbox -- true
	must brig exec "$ID" pwd
	must brig kill "$ID" TERM
	wait "$HELPER" || status=$?
	expect_equal "$status" 143
	assert_nothing_left
}

@test "the object is right about what was in effect" {
	judged ok --timeout 5s --memory 48m --cpus 0.5 --pids 33 --max-output 7k --cpu-time 3s -- true
	expect_json "$output" '.limits == { wall_ms: 5000, cpu_ms: 3000, memory: 50331648, cpus: 0.5, pids: 33, output: 7168, disk: 12582912, held_by: "cgroup" }'
}

@test "the audit trail has what was used as the object has it, at the end and at the removal" {
	printf '{"set": "strict", "audit": {"path": "%s/trail/audit.jsonl"}}' "$T" > "$T/policy.json"
	judged memory --policy "$T/policy.json" --memory 24m -- python3 -c 'bytearray(100 << 20)'
	expect_equal "$(jq -c 'select(.usage) | [.event, .usage.oom_kills > 0, .usage.memory_peak, (.usage.cpu_usec / 1000 | floor)]' "$T/trail/audit.jsonl")" \
		"$(jq -c '["exit", "delete"][] as $event | [$event, .oom, .peak_memory, .cpu_ms]' <<< "$output")"
}

@test "without options the limits are what the manual says" {
	judged ok -- true
	expect_json "$output" '.limits == { wall_ms: 30000, cpu_ms: null, memory: 536870912, cpus: 1, pids: 256, output: 1048576, disk: 134217728, held_by: "cgroup" }'
	expect_json "$output" '.floor == { version: "'"$("$BRIG" --version | sed -n '1s/.* //p')"'", policy: "strict" }'
}

@test "more processors than --cpus are not to be had" {
	judged wall_time --timeout 600ms --cpus 0.2 -- sh -c 'for i in 1 2 3; do while :; do :; done & done; wait'
	expect_json "$output" '.cpu_ms < .wall_ms / 2'
	judged wall_time --timeout 600ms -- sh -c 'for i in 1 2 3; do while :; do :; done & done; wait'
	expect_json "$output" '.cpu_ms < .wall_ms * 1.5'
}

@test "while it runs it is what was decided: filter, Landlock, user namespace, no capability" {
	start --timeout 100s -- sleep 100
	wait_until status_is running
	must brig explain --json "$ID"
	expect_schema explain
	expect_json "$output" '.flagged == 0 and all(.posture[]; .state == "ok")'
	expect_json "$output" '[.posture[].name] | contains(["landlock", "seccomp", "no_new_privs", "namespace-user", "namespace-network", "capability-bounding",
		"limit-memory", "limit-pids", "readonly-root", "masked-paths"])'
	must brig kill "$ID" KILL
	wait "$HELPER" || status=$?
	expect_equal "$status" 137
	assert_nothing_left
}

@test "a policy's maximum lowers a limit, and the object says so" {
	echo '{ "set": "strict", "limits": { "timeout": "400ms", "max_output": "1k" } }' > "$T/policy.json"
	attempt brig --policy "$T/policy.json" sandbox --name "$ID" --json -- sleep 100
	expect_schema sandbox
	expect_json "$output" '.verdict == "wall_time" and .limits.wall_ms == 400 and .limits.output == 1024 and (.warnings | length) > 0'
	# ... of one that comes to nothing as well.
	attempt sandbox --policy "$T/policy.json" --json --cwd /usr/nope -- true
	expect_json "$output" '.verdict == "refused" and .limits.wall_ms == 400 and (.warnings | length) > 0'
	attempt brig --debug sandbox --cwd /usr/nope -- true
	expect_like "$stderr" 'debug: .*plan: '
}

@test "--policy is sandbox's own option as well, and holds in place of the global one" {
	echo '{ "set": "strict", "limits": { "timeout": "30s", "max_output": "1k" } }' > "$T/policy.json"
	judged ok --policy "$T/policy.json" --max-output 7k -- true
	expect_json "$output" '.limits.output == 1024'
	attempt brig --policy no-such-policy sandbox --name "$ID" --json --max-output 7k --policy "$T/policy.json" -- true
	expect_status 0
	expect_json "$output" '.limits.output == 1024'
	must_fail 125 'no-such-policy' brig --policy "$T/policy.json" sandbox --policy no-such-policy -- true
	must_fail 125 '--policy' sandbox --policy
	assert_nothing_left
}

@test "--learn writes what the program called, and nothing that it did not" {
	judged ok --learn "$T/profile.json" -- python3 -c 'import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM); print(1)'
	expect_equal "$(of .stdout.data)" 1
	names=$(jq -r '.syscalls[] | select(.action == "SCMP_ACT_ALLOW") | .names[]' "$T/profile.json")
	expect_line "$names" execve
	expect_line "$names" socket
	expect_unlike "$names" '(^|[[:space:]])(mount|listen|ptrace|connect)([[:space:]]|$)'
	expect_equal "$(jq -r .defaultAction "$T/profile.json")" SCMP_ACT_ERRNO
	must_fail 125 "option --learn: write $T/none/profile.json: No such file" sandbox --json --learn "$T/none/profile.json" --collect a="$T/ran" -- touch a
	expect_equal "$output" ""
	expect_missing "$T/ran"
	must_fail 125 'option --learn: .*Is a directory' sandbox --learn "$T" -- true
}

@test "--learn waits for no call of its first process's end" {
	for _ in {1..20}; do
		must env BRIG_TEST="$ID" timeout --kill-after 1 20 "$BRIG" --root "$ROOT" sandbox --name "$ID" --learn "$T/profile.json" -- true
	done
}

@test "python3, node, bash, and C compiled and run: the playground" {
	printf '#include <stdio.h>\nint main(void) { puts("from C"); }\n' > "$T/main.c"
	judged ok -- python3 -c 'print("from Python")'
	expect_equal "$(of .stdout.data)" 'from Python'
	judged ok -- bash -c 'echo from Bash'
	expect_equal "$(of .stdout.data)" 'from Bash'
	judged ok --file main.c="$T/main.c" -- sh -c 'gcc main.c && ./a.out'
	expect_equal "$(of .stdout.data)" 'from C'
	if [ ! -x /usr/bin/node ]; then
		skip 'there is no node in /usr/bin'
	fi
	judged ok -- node -e 'console.log("from JavaScript")'
	expect_equal "$(of .stdout.data)" 'from JavaScript'
}

@test "the manual has each option of --help, and no other" {
	"$BRIG" sandbox --help | grep -Eo '^  (-.,|   ) --[a-z-]+' | grep -o -- '--.*' | grep -vxF -- --help | sort > "$T/help"
	sed -n '/^## Options/,/^## Images/p' "$SOURCE/docs/sandbox.md" | cut -d '|' -f 2 | grep -o -- '--[a-z][a-z-]*' | sort > "$T/manual"
	diff "$T/help" "$T/manual"
	[ "$(wc -l < "$T/help")" -gt 20 ]
}

@test "README's first screen, as it stands" {
	local line lines

	mapfile -t lines < <(sed -n '1,40s/^brig sandbox/&/p' "$SOURCE/README.md")
	expect_equal "${#lines[@]}" 5
	printf '#include <stdio.h>\nint main(void) { puts("42"); }\n' > "$T/main.c"
	echo 'print(6 * 7)' > "$T/submitted.py"
	cd "$T"
	for line in "${lines[@]}"; do
		if [[ $line == *node* && ! -x /usr/bin/node ]]; then
			echo "# not tried, as there is no /usr/bin/node: $line" >&3
			continue
		fi
		must eval "$line"
		if [[ $line == *--json* ]]; then
			expect_schema sandbox
			output=$(of .stdout.data)
		fi
		expect_equal "$output" 42
	done
	assert_nothing_left
}

@test "--no-tcp refuses connections and ports, by each way to them, and leaves UDP and unix sockets" {
	needs_tcp_lock
	cat > "$T/main.py" << 'END'
import errno, socket, sys
def attempt(name, action):
    try:
        action()
        print(name, "works")
    except OSError as error:
        print(name, errno.errorcode[error.errno])
def stream(family=socket.AF_INET, protocol=0):
    return socket.socket(family, socket.SOCK_STREAM, protocol)
attempt("connect", lambda: stream().connect(("127.0.0.1", 80)))
attempt("connect6", lambda: stream(socket.AF_INET6).connect(("::1", 80)))
attempt("bind", lambda: stream().bind(("127.0.0.1", 0)))
attempt("bind6", lambda: stream(socket.AF_INET6).bind(("::1", 0)))
attempt("first-message", lambda: stream().sendto(b"x", socket.MSG_FASTOPEN, ("127.0.0.1", 80)))
attempt("multipath", lambda: stream(protocol=262).connect(("127.0.0.1", 80)))
one, other = socket.socketpair()
attempt("unix", lambda: one.send(b"x"))
attempt("udp", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).bind(("127.0.0.1", 0)))
END
	judged ok --no-tcp --file main.py="$T/main.py" -- python3 main.py
	expect_equal "$(of .stdout.data)" $'connect EACCES\nconnect6 EACCES\nbind EACCES\nbind6 EACCES\nfirst-message EACCES\nmultipath EPROTONOSUPPORT\nunix works\nudp works'
	judged ok --file main.py="$T/main.py" -- python3 main.py
	expect_equal "$(of .stdout.data)" $'connect ECONNREFUSED\nconnect6 ECONNREFUSED\nbind works\nbind6 works\nfirst-message ECONNREFUSED\nmultipath EPROTONOSUPPORT\nunix works\nudp works'
}
