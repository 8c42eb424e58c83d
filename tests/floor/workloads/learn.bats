#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # scripts of other languages; bats: a subshell a test, $stderr
# Real programs run under the profile that brig learn made of a run of theirs, and do nothing else under it.

load workloads

# learned ARGUMENT...: runs it once with each call recorded, and gives the bundle the profile.
learned() {
	program "$@"
	must brig learn --bundle "$BUNDLE" -o "$T/learned.json"
	first=$output
	adopt
}

adopt() {
	config '.linux.seccomp = $profile[0]' --slurpfile profile "$T/learned.json"
}

number_allowed() {
	jq '[.syscalls[] | select(.action == "SCMP_ACT_ALLOW") | .names[]] | unique | length' "$T/learned.json"
}

@test "python: processes, threads, coroutines, a server" {
	learned python3 /volume/workers.py
	echo "# python3: $(number_allowed) calls" >&3
	runs python3 /volume/workers.py
	expect_equal "$output" "$first"
	program python3 -c 'import os; os.symlink("x", "/tmp/link")'
	must_fail 1 'Operation not permitted' run_container
}

@test "bash: a script with pipes, jobs and files" {
	local script='for i in 1 2 3; do echo "$i" > "/tmp/$i" & done; wait; cat /tmp/[123] | sort | tr "\n" " "; date > /dev/null'

	learned bash -c "$script"
	echo "# bash: $(number_allowed) calls" >&3
	runs bash -c "$script"
	expect_equal "$output" '1 2 3 '
	program bash -c 'mkfifo /tmp/fifo'
	must_fail 1 'Operation not permitted' run_container
}

@test "nginx: a master as root, workers as www-data, port 80, a reload" {
	exercise() {
		await answers curl -fs http://127.0.0.1/
		workers=$(pgrep --parent "$(pid_of)")
		in_it nginx -s reload
		await has_new_workers
		await answers curl -fs http://127.0.0.1/
	}
	mkdir "$T/site"
	echo 'a page' > "$T/site/index.html"
	chmod -R a+rX "$T/site"
	add_mount /var/www/html bind "$T/site" rbind ro
	program sh -c 'mkdir -p /var/log/nginx; exec nginx -g "daemon off;"'
	cp "$BUNDLE/config.json" "$T/plain.json"
	brig learn --bundle "$BUNDLE" --id "$ID" -o "$T/learned.json" < /dev/null > "$T/log" 2>&1 3>&- 4>&- &
	HELPERS+=("$!")
	exercise
	must brig kill "$ID" QUIT
	wait "$!"
	echo "# nginx: $(number_allowed) calls" >&3
	adopt
	start sh -c 'mkdir -p /var/log/nginx; exec nginx -g "daemon off;"'
	wait_until answers_on_port_80
	must brig kill "$ID" HUP
	wait_until answers_on_port_80
	must brig kill "$ID" QUIT
	await status_is stopped
}

@test "the example in seccomp-profiles is enough for what it says" {
	[ "$(uname -m)" = x86_64 ] || skip "it is of x86_64"
	cp "${BRIG_SOURCE:-$BATS_TEST_DIRNAME/../../..}/seccomp-profiles/learned/python3.json" "$T/learned.json"
	adopt
	runs python3 -c 'import subprocess, threading, asyncio
print(subprocess.run(["cat"], input=b"text", capture_output=True).stdout)
threading.Thread(target=print, args=("thread",)).start()
asyncio.run(asyncio.sleep(0.01))'
	expect_equal "$output" $'b\'text\'\nthread'
	program python3 -c 'import socket; socket.socket()'
	must_fail 1 'Operation not permitted' run_container
}

# What is told to end before it got to the reload does none.
has_new_workers() {
	local now

	now=$(pgrep --parent "$(pid_of)") && ! grep -qxF "$workers" <<< "$now"
}

# From outside of the filter: curl needs calls that nginx does not.
answers_on_port_80() {
	nsenter --net="/proc/$(pid_of)/ns/net" bash -c 'exec 3<> /dev/tcp/127.0.0.1/80; printf "GET / HTTP/1.0\r\n\r\n" >&3; grep -q "a page" <&3'
}
