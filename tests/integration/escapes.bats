#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2153,SC2154 # scripts of other languages; bats: a subshell a test, $stderr
# bats file_tags=v2
# Attacks on other runtimes that need only a bundle, tried for real.

load support/common

@test "CVE-2019-5736: brig's executable can't be written from inside by /proc/PID/exe" {
	local before

	cp "$BRIG" "$T/brig"
	BRIG=$T/brig
	before=$(sha256sum < "$BRIG")
	# The program is brig itself, started from inside: it shall find nothing to run, or a file that can't be written.
	printf '#!/proc/self/exe\n' > "$BUNDLE/rootfs/bin/trap"
	chmod 755 "$BUNDLE/rootfs/bin/trap"
	capabilities CAP_SYS_PTRACE CAP_DAC_OVERRIDE CAP_SYS_ADMIN
	shell 'while :; do
		for p in /proc/[0-9]*; do
			case $(readlink $p/exe) in *busybox*) ;; *) (echo overwritten > $p/exe) 2> /dev/null && touch /tmp/written;; esac
		done; [ -e /tmp/end ] && exit
	done 2> /dev/null'
	background
	for _ in {1..15}; do
		attempt brig exec "$ID" /bin/trap
		attempt brig exec "$ID" true
	done
	touch "$BUNDLE/rootfs/tmp/end"
	expect_missing "$BUNDLE/rootfs/tmp/written"
	expect_equal "$(sha256sum < "$BRIG")" "$before"
}

@test "CVE-2019-5736: a program that is /proc/self/exe gets a read-only file" {
	local before

	before=$(sha256sum < "$BRIG")
	printf '#!/proc/self/exe\n' > "$BUNDLE/rootfs/bin/trap"
	chmod 755 "$BUNDLE/rootfs/bin/trap"
	program /bin/trap
	attempt run_container
	expect_equal "$(sha256sum < "$BRIG")" "$before"
	program /proc/self/exe --version
	attempt run_container
	expect_equal "$(sha256sum < "$BRIG")" "$before"
}

@test "CVE-2024-21626: a working directory by way of a descriptor leads nowhere" {
	local number

	for number in {3..12}; do
		config --arg cwd "/proc/self/fd/$number" '.process.cwd = $cwd'
		shell 'cat etc/debian_version ../../../../../etc/debian_version ../../etc/shadow'
		attempt with_host_descriptors run_container
		expect_different "$status" 0
		expect_equal "$output" ""
	done
}

# With directories of the host's open, as a careless caller may have.
with_host_descriptors() {
	"$@" 5< / 6< /etc 7< "$T" 8< /
}

@test "CVE-2024-21626: the same by exec" {
	local number

	sleeper
	for number in {3..12}; do
		attempt with_host_descriptors brig exec --cwd "/proc/self/fd/$number" "$ID" cat etc/debian_version ../../../../etc/debian_version
		expect_different "$status" 0
		expect_equal "$output" ""
	done
	ln -s /proc/self/fd/5 "$BUNDLE/rootfs/tmp/link"
	attempt with_host_descriptors brig exec --cwd /tmp/link "$ID" cat etc/debian_version
	expect_equal "$output" ""
}

@test "CVE-2025-31133: a link for /dev/null does not become the mask" {
	echo secret > "$BUNDLE/rootfs/secret"
	echo bait > "$BUNDLE/rootfs/bait"
	mkdir "$BUNDLE/rootfs/mydev"
	ln -s /bait "$BUNDLE/rootfs/mydev/null"
	config '.linux.maskedPaths = ["/secret"] | .mounts |= map(select(.destination | startswith("/dev") | not))'
	rm -r "$BUNDLE/rootfs/dev"
	mkdir "$BUNDLE/rootfs/dev"
	ln -s /proc/sys/kernel/core_pattern "$BUNDLE/rootfs/dev/null"
	shell 'cat /secret; echo "|/evil" > /secret'
	before=$(< /proc/sys/kernel/core_pattern)
	attempt run_container
	expect_unlike "$output" 'secret'
	expect_file /proc/sys/kernel/core_pattern "$before"
}

@test "CVE-2022-29162: exec has no inheritable or ambient capabilities" {
	sleeper
	must brig exec "$ID" grep -E '^Cap(Inh|Amb)' /proc/self/status
	expect_equal "$output" $'CapInh:\t0000000000000000\nCapAmb:\t0000000000000000'
	must brig exec --user 1000 --cap CAP_CHOWN "$ID" grep -E '^Cap(Inh|Amb|Eff)' /proc/self/status
	expect_line "$output" $'CapInh:\t0000000000000000'
	expect_line "$output" $'CapAmb:\t0000000000000000'
}

@test "CVE-2019-19921, CVE-2023-27561: /proc by way of a link or a volume" {
	rm -r "$BUNDLE/rootfs/proc"
	mkdir -p "$BUNDLE/rootfs/fake/self/attr"
	ln -s fake "$BUNDLE/rootfs/proc"
	must_fail 1 '/proc' run_container
	rm "$BUNDLE/rootfs/proc"
	mkdir "$BUNDLE/rootfs/proc" "$T/fake"
	add_mount /proc bind "$T/fake" bind
	must_fail 1 '/proc' run_container
	config '.mounts |= .[:-1]'
	ln -s /proc "$BUNDLE/rootfs/alias"
	add_mount /alias/sys bind "$T/fake" bind
	must_fail 1 'procfs|/proc' run_container
	assert_nothing_left
}

@test "CVE-2021-30465: swapping a mount's target for a link to the host during the mount" {
	local try

	mkdir -p "$BUNDLE/rootfs/mnt/target" "$T/volume" "$T/host"
	echo volume > "$T/volume/file"
	add_mount /mnt/target bind "$T/volume" bind
	helper sh -c 'while :; do mv -T "$1/mnt/target" "$1/mnt/away"; ln -s "$2" "$1/mnt/target"; rm "$1/mnt/target"; mv -T "$1/mnt/away" "$1/mnt/target"; done' \
		sh "$BUNDLE/rootfs" "$T/host"
	shell 'cat /mnt/target/file 2> /dev/null; cat /proc/self/mountinfo'
	for try in {1..30}; do
		attempt brig run --bundle "$BUNDLE" "$ID-$try"
		# As the fourth field, what is mounted; as the fifth, where, it is a path in the container.
		expect_unlike "$output" " $T/host /"
	done
	kill "$HELPER"
	expect_equal "$(ls -A "$T/host")" ""
	expect_equal "$(left_mounts)" ""
}

@test "CVE-2024-45310: directories for mounts are made inside of the root alone" {
	local try

	mkdir -p "$BUNDLE/rootfs/mnt" "$T/host" "$T/volume"
	add_mount /mnt/a/b/c/d bind "$T/volume" bind
	helper sh -c 'while :; do rm -rf "$1/mnt/a"; ln -s "$2" "$1/mnt/a"; rm -f "$1/mnt/a"; mkdir -p "$1/mnt/a/b"; done' \
		sh "$BUNDLE/rootfs" "$T/host"
	for try in {1..30}; do
		attempt brig run --bundle "$BUNDLE" "$ID-$try"
	done
	kill "$HELPER"
	expect_equal "$(ls -A "$T/host")" ""
}

@test "CVE-2016-9962: exec's process can't be looked into from inside while it is set up" {
	shell 'while [ ! -e /tmp/end ]; do
		for p in /proc/[0-9]*; do [ $p = /proc/1 ] || ls -l $p/fd $p/cwd $p/root 2> /dev/null; done
	done > /tmp/seen'
	background
	for _ in {1..15}; do
		must with_host_descriptors brig exec "$ID" true
	done
	touch "$BUNDLE/rootfs/tmp/end"
	wait_until status_is stopped
	expect_equal "$(grep -v "$T/std" "$BUNDLE/rootfs/tmp/seen" | grep -E -- "-> ($T|/etc|/root|/sys/fs/cgroup|$ROOT)" | head -n 3)" ""
}

@test "CVE-2022-0492: no cgroup v1 release_agent can be mounted or written" {
	capabilities CAP_SYS_ADMIN
	user_namespace
	shell 'mkdir /tmp/cg; mount -t cgroup -o pids none /tmp/cg 2> /dev/null && ls /tmp/cg; true'
	attempt run_container
	expect_unlike "$output" release_agent
}

@test "a command that only looks keeps no mount of brig's executable, though it is called with a word that makes one" {
	local fd

	sleeper
	helper env BRIG_TEST="$ID" "$BRIG" --root "$ROOT" --policy run events --interval 60s "$ID"
	wait_until grep -q '"stats"' "$T/helper.out"
	for fd in "/proc/$HELPER/fd"/*; do
		[ ! "$fd" -ef "$BRIG" ] || flunk "$fd is brig's executable"
	done
}

@test "an exec does not show brig's command line to the container, nor does one that waits for start to its pod" {
	compile environ_watcher "$BUNDLE/rootfs/bin/watcher"
	shell 'watcher /state /tmp/seen cmdline; sleep 300'
	background
	for _ in {1..20}; do
		must brig exec --env "TOKEN=$ROOT" "$ID" true
	done
	bundle_new "$T/pod"
	jq --arg path "/proc/$(pid_of)/ns/pid" '(.linux.namespaces[] | select(.type == "pid")) += { path: $path }' \
		"$T/pod/config.json" > "$T/config.json"
	mv "$T/config.json" "$T/pod/config.json"
	must brig create --bundle "$T/pod" "$ID-2"
	must brig exec "$ID" ps -o args
	expect_like "$output" '[{]brig[}] init'
	sleep 0.2
	expect_missing "$BUNDLE/rootfs/tmp/seen"
	# What is there to be seen is seen.
	must brig exec --detach "$ID" sh -c 'sleep 300; echo /state'
	wait_until test -e "$BUNDLE/rootfs/tmp/seen"
	must brig delete --force "$ID-2"
}

@test "the container's state directory and sockets are not to be seen inside" {
	capabilities CAP_SYS_ADMIN CAP_SYS_PTRACE CAP_DAC_OVERRIDE
	inside 'cat /proc/net/unix; cat /proc/*/environ | tr "\0" "\n"; cat /proc/*/cmdline | tr "\0" "\n"'
	expect_unlike "$output" "$ROOT"
}
