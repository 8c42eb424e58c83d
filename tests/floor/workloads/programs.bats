#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # scripts of other languages; bats: a subshell a test, $stderr
# Languages, compilers and package tools run under strict as they are: root inside, a config.json as docker makes it.

load workloads

@test "the floor is there: a user namespace, and the filter" {
	runs sh -c 'grep -E "^(Seccomp|NoNewPrivs):" /proc/self/status; cat /proc/self/uid_map'
	expect_like "$output" $'NoNewPrivs:\t1'
	expect_like "$output" $'Seccomp:\t2'
	expect_like "$output" ' 0 +[1-9][0-9]+ +65536'
}

@test "where AppArmor is on with brig's profile, that is there too" {
	grep -qs '^brig-default ' /sys/kernel/security/apparmor/profiles || skip "this kernel has no AppArmor, or not the profile"
	runs cat /proc/self/attr/current
	expect_equal "$output" "brig-default (enforce)"
}

@test "python: processes, threads, coroutines, multiprocessing, a local server" {
	runs python3 /volume/workers.py
	expect_equal "$output" "$(printf '%s\n' 'subprocess 42' 'threads 328350' 'fork 328350' 'spawn 328350' 'forkserver 328350' \
		'asyncio 1225 by way of cat' 'http 127.0.0.1' 'file 4096' alarm)"
}

@test "python: numpy, pandas, matplotlib" {
	runs python3 /volume/figures.py
	expect_equal "$output" "$(printf '%s\n' 'product 31249875000' 'solved True' 'sums 2450 2500' 'picture PNG')"
	expect_like "$(head -c 4 "$T/volume/figure.png" | tail -c 3)" PNG
}

@test "node: a server and its clients, threads, processes" {
	runs node /volume/server.js
	expect_equal "$output" "$(printf '%s\n' 'http 50 asked for /49' 'threads 1 4 9 16' 'process 42' 'fork child of true' \
		'file by node' 'digest 16')"
}

@test "java: its compiler, threads, files, processes, sockets" {
	runs java /volume/Threads.java
	expect_equal "$output" "$(printf '%s\n' 'threads 328350' 'parallel 499999500000' 'file From java' 'process 42 0' \
		'socket hello' 'processors true')"
}

@test "go: caddy serves files, and curl gets them" {
	start caddy file-server --root /volume --listen 127.0.0.1:8080
	await answers curl -fs http://127.0.0.1:8080/threads.c
	in_it curl -fs http://127.0.0.1:8080/threads.c
	expect_equal "$output" "$(< "$T/volume/threads.c")"
}

@test "rust: ripgrep, with a thread for each processor" {
	runs rg --count-matches --sort path worker_thread /volume
	expect_equal "$output" "/volume/server.js:1"
	runs rg --threads 8 --files-with-matches 'GNU C Library' /usr/include
	expect_like "$output" '/usr/include/'
}

@test "gcc compiles a program with threads, and it runs" {
	runs sh -c 'gcc -O2 -pthread -o /tmp/threads /volume/threads.c && /tmp/threads && strip /tmp/threads && /tmp/threads'
	expect_equal "$output" $'threads 140, child 7\nthreads 140, child 7'
}

@test "sqlite3: a write-ahead log, two writers at a time" {
	runs sh -c 'cd /volume
		sqlite3 db "pragma journal_mode = wal; pragma mmap_size = 1000000; create table t (n)" > /dev/null
		for n in 1 2; do
			for i in $(seq 50); do echo "pragma busy_timeout = 10000; insert into t values ($i);"; done | sqlite3 db > /dev/null &
		done
		wait
		sqlite3 db "select count(*), sum(n) from t; pragma integrity_check"'
	expect_equal "$output" $'100|2550\nok'
}

@test "apt updates from a repository, and installs and removes a package" {
	local packages=$T/volume/repository

	cp -a "$WORKLOADS/apt/." "$T/apt"
	config '.root = { path: $root }' --arg root "$T/apt"
	mkdir -p "$packages" "$T/package/DEBIAN" "$T/package/usr/share/greeting"
	echo hello > "$T/package/usr/share/greeting/text"
	chmod 644 "$T/package/usr/share/greeting/text"
	printf '%s\n' 'Package: greeting' 'Version: 1' 'Architecture: all' 'Maintainer: none' 'Description: none' > "$T/package/DEBIAN/control"
	printf '%s\n' '#!/bin/sh' 'chown nobody /usr/share/greeting/text' 'echo configured' > "$T/package/DEBIAN/postinst"
	chmod 755 "$T/package/DEBIAN/postinst"
	dpkg-deb --root-owner-group --build "$T/package" "$packages/greeting.deb" > /dev/null
	{
		dpkg-deb --field "$packages/greeting.deb"
		printf 'Filename: ./greeting.deb\nSize: %s\nSHA256: %s\n' "$(stat -c %s "$packages/greeting.deb")" \
			"$(sha256sum "$packages/greeting.deb" | cut -d ' ' -f 1)"
	} > "$packages/Packages"
	chmod 755 "$T/volume" "$packages"
	echo 'deb [trusted=yes] file:///volume/repository ./' > "$T/apt/etc/apt/sources.list"

	shell 'set -e; apt-get update; apt-get install --yes greeting; stat -c "%U %s" /usr/share/greeting/text
		cp /volume/repository/greeting.deb /tmp; apt-get remove --yes greeting; test ! -e /usr/share/greeting; ls -ld /var/lib/apt/lists/partial'
	must run_container
	expect_unlike "$stderr$output" 'unsandboxed|[Nn]ot permitted|[Pp]ermission denied'
	expect_like "$output" 'configured'
	expect_like "$output" 'nobody 6'
	expect_like "$output" '_apt'
}

@test "a shell with job control on a terminal" {
	config '.process.terminal = true'
	program bash --norc -ic 'sh -c "echo ready; exec sleep 100"; echo "after: $?"; jobs; bg > /dev/null; kill %1; wait; stty size'
	must "$SUPPORT/terminal" --rows 33 --columns 90 --type $'\x1a' -- env BRIG_TEST="$ID" "$BRIG" --root "$ROOT" --policy strict \
		run --bundle "$BUNDLE" "$ID"
	expect_like "$output" 'after: 148'
	expect_like "$output" 'Stopped'
	expect_like "$output" '33 90'
}

@test "a tracer is refused: docs/workloads.md says so" {
	program strace true
	must_fail 1 'PTRACE_TRACEME.*Operation not permitted' run_container
}
