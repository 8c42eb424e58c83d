#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2153,SC2154 # scripts of other languages; bats: a subshell a test, $output and $stderr
# Defences that are brig's own code: a build of the tests' own (without.c) in which they can be off, run where nothing of the machine can be
# written (confined.c). Each attack is tried twice by that build: with the defence, and without it, and there it gets through.

load ../integration/support/common

HERE=${BRIG_BUILD:-${BRIG%/*}}/tests/cve

prepare() {
	mkdir "$T/outside"
}

# without DEFENCE,... ARGUMENT...: that build with those off, as the host's manager calls brig for trusted workloads. None: "".
without() {
	local off=$1

	shift
	BRIG_TEST=$ID BRIG_WITHOUT=$off "$HERE/confined" "$T" "${PROGRAM:-$HERE/without_brig}" --root "$ROOT" --policy "${POLICY:-conformant}" "$@"
}

# run_without DEFENCE,... [OPTION...]
run_without() {
	local off=$1

	shift
	without "$off" run --bundle "$BUNDLE" "$@" "$ID"
}

delete() {
	must without "" delete --force "$ID"
}

# A hook that tells what is where outside of the container's root, before that is entered.
show_outside() {
	printf '#!/bin/sh\nls -A %s/outside > %s/seen\n' "$T" "$T" > "$T/hook"
	chmod 755 "$T/hook"
	config --arg hook "$T/hook" '.hooks.createContainer = [{ path: $hook }]'
}

@test "the build does nothing where it could do harm" {
	local target

	attempt env BRIG_WITHOUT=beneath "$HERE/without_brig" --version
	expect_status 125
	for target in /etc/brig-was-here /usr/brig-was-here /tmp/brig-was-here /root/brig-was-here; do
		attempt "$HERE/confined" "$T" touch "$target"
		expect_different "$status" 0
		expect_missing "$target"
	done
	for target in /proc/sys/kernel/core_pattern /proc/sys/kernel/printk; do
		attempt "$HERE/confined" "$T" sh -c "cat $target > $target"
		expect_different "$status" 0
	done
}

@test "ranges: CVE-2016-3697, CVE-2024-40635, CVE-2026-46680, CVE-2026-30892: without them a large user id is root" {
	config '.process.user = { uid: 4294967296, gid: 4294967296 }'
	program id -u
	must_fail 1 'process.user.[ug]id' run_without ""
	must run_without ranges
	expect_equal "$output" 0
	config '.process.user = { uid: 1000, gid: 1000 }'
	program sleep 300
	must run_without "" --detach
	must_fail 1 'expected UID' without "" exec --user 4294967296 "$ID" id -u
	must without ranges exec --user 4294967296 "$ID" id -u
	expect_equal "$output" 0
	delete
}

@test "ranges: unnumbered-maps: without them the host's root is mapped" {
	user_namespace
	config '.linux.uidMappings = [{ containerID: 0, hostID: 4294967296, size: 10 }]'
	program cat /proc/self/uid_map
	must_fail 1 'uidMappings' run_without ""
	must run_without ranges
	expect_equal "$(tr -s ' ' <<< "$output")" ' 0 0 10'
	chown -hR 0:0 "$BUNDLE/rootfs"
}

@test "validation: CVE-2021-43784: without it the kernel is the next to refuse, there is no message whose length could overflow" {
	config '.hostname = ("a" * 70000)'
	must_fail 1 'hostname: ' run_without ""
	must_fail 1 'name the host: hostname: set' run_without validation
	config '.hostname = "inside" | .linux.namespaces += [{ type: "user" }] |
		.linux.uidMappings = [range(400) | { containerID: (. * 10), hostID: (100000 + . * 10), size: 10 }] | .linux.gidMappings = .linux.uidMappings'
	must_fail 1 'the kernel takes at most' run_without ""
	must_fail 1 'uid_map' run_without validation
}

@test "validation: CVE-2022-0811: without it a value's second line reaches the kernel" {
	config '.linux.sysctl = { "kernel.domainname": "first\nkernel.core_pattern=|/evil" }'
	program cat /proc/sys/kernel/domainname
	must_fail 1 'control character' run_without ""
	must run_without validation
	expect_equal "$output" first
}

@test "namespaced: CVE-2022-0532, CVE-2022-0811: without it a setting of the host's is written" {
	local script='"$@"; cat /proc/sys/net/ipv4/conf/all/forwarding'

	# The host's network namespace is one of the test's own.
	without_namespace network
	config '.linux.sysctl = { "net.ipv4.conf.all.forwarding": "1" }'
	program true
	export -f without run_without
	export HERE T ROOT BUNDLE ID
	attempt unshare --net bash -c "$script" bash run_without ""
	expect_like "$stderr" 'would change the host'
	expect_equal "$output" 0
	attempt unshare --net bash -c "$script" bash run_without namespaced
	expect_equal "$output" 1
}

@test "validation: unnumbered-cgroup: without it a container is in a group beside its parent" {
	config --arg path "/it-parent-$ID/../it-beside-$ID" '.linux.cgroupsPath = $path'
	program cat /proc/self/cgroup
	must_fail 1 'leads out of its place' run_without ""
	must run_without validation
	expect_like "$output" ":/it-beside-$ID"
}

@test "ids: unnumbered-ids: without the check a state directory is anywhere" {
	mkdir -p "$ROOT"
	chmod 700 "$ROOT"
	mkdir "$ROOT/any"
	config --arg path "/it-parent-$ID" '.linux.cgroupsPath = $path'
	program true
	must_fail 1 'is invalid' without "" create --bundle "$BUNDLE" any/../../outside/state
	expect_equal "$(ls -A "$T/outside")" ""
	must without ids create --bundle "$BUNDLE" any/../../outside/state
	[ -e "$T/outside/state/state.json" ]
	must without ids delete --force any/../../outside/state
	rmdir "$ROOT/any"
}

# With the host's root open, and something in the environment, as a careless caller may have.
by_a_careless_caller() {
	SECRET=of-the-caller "$@" 5< /
}

@test "undumpable, descriptors: CVE-2016-9962: without them an exec shows brig's environment and the host's files to a container that may trace" {
	local off

	echo secret > "$T/marker"
	capabilities CAP_SYS_PTRACE
	# Without one CAP_SYS_PTRACE is the host's, and the kernel asks for nothing else.
	user_namespace
	chmod 1777 "$BUNDLE/rootfs/tmp"
	shell "while [ ! -e /tmp/end ]; do for p in /proc/[0-9]*; do
		grep -q SECRET=of-the-caller \$p/environ && touch /tmp/environ; [ -e \$p/fd/5$T/marker ] && touch /tmp/marker
	done; done 2> /dev/null"
	must run_without "" --detach
	for _ in {1..5}; do
		must by_a_careless_caller without "" exec "$ID" true
	done
	expect_equal "$(ls -A "$BUNDLE/rootfs/tmp")" ""
	for off in undumpable undumpable,descriptors; do
		for _ in {1..50}; do
			must by_a_careless_caller without "$off" exec "$ID" true
			[ ! -e "$BUNDLE/rootfs/tmp/${SEEN:-environ}" ] || break
		done
		[ -e "$BUNDLE/rootfs/tmp/${SEEN:-environ}" ]
		SEEN=marker
	done
	delete
}

# The file is held open until nobody executes it any more, as the attack's authors did.
OVERWRITE='while [ ! -e /tmp/end ]; do
	for p in /proc/[0-9]*; do
		case $(readlink $p/exe) in
		*busybox* | "") ;;
		*) (exec 9< $p/exe; touch /tmp/held; for n in $(seq 100); do printf overwritten > /proc/self/fd/9 && break; sleep 0.02; done; touch /tmp/tried) ;;
		esac
	done
done 2> /dev/null'

@test "executable: CVE-2019-5736: without its read-only mount brig's program is overwritten" {
	local before off

	capabilities CAP_SYS_PTRACE CAP_DAC_OVERRIDE CAP_SYS_ADMIN
	shell "$OVERWRITE"
	# That it can't be traced is a defence as well, which is off both times: else the attack gets no hold of it.
	for off in undumpable undumpable,executable; do
		rm -f "$BUNDLE/rootfs/tmp/"*
		cp --remove-destination "$HERE/without_brig" "$T/brig"
		before=$(sha256sum < "$T/brig")
		must run_without "" --detach
		for _ in {1..50}; do
			PROGRAM=$T/brig attempt without "$off" exec "$ID" true
			[ ! -e "$BUNDLE/rootfs/tmp/held" ] || break
		done
		wait_until test -e "$BUNDLE/rootfs/tmp/tried"
		delete
		if [ "$off" = undumpable ]; then
			expect_equal "$(sha256sum < "$T/brig")" "$before"
		fi
	done
	expect_equal "$(< "$T/brig")" overwritten
}

@test "procfs, own-procfs: CVE-2019-16884, CVE-2025-52881, CVE-2025-62596: without them a setting is written into a file of the image's" {
	mkdir "$T/fake"
	echo 0 > "$T/fake/shm_rmid_forced"
	config '.linux.sysctl = { "kernel.shm_rmid_forced": "1" }'
	add_mount /proc/sys/kernel bind "$T/fake" bind
	program cat /proc/sys/kernel/shm_rmid_forced
	must_fail 1 'lies in /proc' run_without ""
	# Each of the two is enough for the setting.
	must run_without procfs
	expect_equal "$output" 0
	must run_without procfs,own-procfs
	expect_equal "$output" 1
	expect_file "$T/fake/shm_rmid_forced" 1
	# By a link of the image's, whose target is in /proc.
	ln -s /proc/sys/kernel "$BUNDLE/rootfs/harmless"
	config '.mounts[-1].destination = "/harmless"'
	must_fail 1 'leads into procfs' run_without ""
	must run_without procfs
}

@test "beneath: CVE-2019-19921, CVE-2023-27561, CVE-2023-28642, CVE-2026-41579, CVE-2026-47766: without it a link takes /proc, /sys and /dev out" {
	local place

	show_outside
	program true
	for place in proc sys dev; do
		mv "$BUNDLE/rootfs/$place" "$BUNDLE/rootfs/$place.real"
		ln -s "$T/outside" "$BUNDLE/rootfs/$place"
		must_fail 1 "/$place.*link" run_without ""
		expect_missing "$T/seen"
		attempt run_without beneath
		expect_different "$(< "$T/seen")" ""
		rm "$BUNDLE/rootfs/$place" "$T/seen"
		mv "$BUNDLE/rootfs/$place.real" "$BUNDLE/rootfs/$place"
	done
}

@test "beneath: CVE-2021-30465, CVE-2024-45310: without it a link takes a mount out, and directories are made there" {
	mkdir "$T/volume"
	touch "$T/volume/file"
	show_outside
	program true
	ln -s "$T/outside" "$BUNDLE/rootfs/link"
	add_mount /link bind "$T/volume" bind
	must run_without ""
	expect_file "$T/seen" ""
	must run_without beneath
	expect_file "$T/seen" file
	config '.mounts[-1].destination = "/link/made/here"'
	must run_without ""
	expect_equal "$(ls -A "$T/outside")" ""
	attempt run_without beneath
	[ -d "$T/outside/made/here" ]
}

@test "beneath: CVE-2025-52565: without it a link at /dev/console takes the terminal out" {
	config 'del(.mounts[] | select(.destination == "/dev" or .destination == "/dev/shm")) | .process.terminal = true'
	mkdir -p "$BUNDLE/rootfs/dev/pts"
	ln -s "$T/outside/console" "$BUNDLE/rootfs/dev/console"
	touch "$T/outside/console"
	program true
	export -f without run_without
	export HERE T ROOT BUNDLE ID
	# The functions are bash's; script asks the shell that SHELL names, and a machine may name none.
	must env SHELL="$BASH" script -qefc 'run_without ""' /dev/null
	[ -e "$BUNDLE/rootfs$T/outside/console" ]
	rm -r "${BUNDLE:?}/rootfs${T%%/"${T#/*/}"}"
	# It is mounted over what there is outside: nothing is made inside.
	must env SHELL="$BASH" script -qefc 'run_without beneath' /dev/null
	expect_missing "$BUNDLE/rootfs$T/outside/console"
}

@test "null-device, beneath: CVE-2025-31133: without them a link that came to /dev/null is mounted in place of what is masked" {
	echo secret > "$BUNDLE/rootfs/secret"
	echo bait > "$BUNDLE/rootfs/bait"
	config '.linux.maskedPaths = ["/secret"]'
	shell 'cat /secret; echo written > /secret'
	must_fail 1 'not the null device' run_without race
	expect_file "$BUNDLE/rootfs/bait" bait
	must run_without race,null-device,beneath
	expect_equal "$output" bait
	expect_file "$BUNDLE/rootfs/bait" written
}

@test "same-source: CVE-2024-0132, CVE-2021-30465: without it what was swapped in is mounted" {
	local try

	mkdir "$T/swap" "$T/swap/good"
	echo good > "$T/swap/good/hostname"
	ln -s "$T/outside" "$T/swap/evil"
	echo evil > "$T/outside/hostname"
	compile swap_names "$T/swap/loop"
	helper "$T/swap/loop" "$T/swap/good" "$T/swap/evil"
	POLICY=$T/sources.json
	jq -n --arg outside "$T/outside" '{ set: "strict", audit: { enabled: false } }' > "$POLICY"
	add_mount /volume bind "$T/swap/good" rbind ro
	program cat /volume/hostname
	for try in {1..100}; do
		attempt run_without same-source
		[ "$output" != evil ] || return 0
	done
	flunk "never in $try tries"
}

@test "modes: CVE-2021-41103: without them others look into the state directory" {
	program sleep 300
	must run_without "" --detach
	attempt setpriv --reuid 65534 --regid 65534 --clear-groups ls "$ROOT"
	expect_different "$status" 0
	delete
	rm -r "$ROOT"
	must run_without modes --detach
	must setpriv --reuid 65534 --regid 65534 --clear-groups ls "$ROOT/$ID"
	expect_like "$output" 'state.json'
	delete
}

@test "owner: CVE-2024-25621: without it a state directory that others may write to is used" {
	mkdir -p "$ROOT"
	chmod 777 "$ROOT"
	chown 1000 "$ROOT"
	program echo used
	must_fail 1 "state directory $ROOT" run_without ""
	must run_without owner
	expect_equal "$output" used
	chown 0 "$ROOT"
	chmod 700 "$ROOT"
}

@test "read-only: CVE-2022-0492, CVE-2023-25809: without it the container makes groups of its own" {
	add_namespace cgroup
	add_mount /sys/fs/cgroup cgroup cgroup nosuid noexec nodev relatime ro
	shell 'for group in /sys/fs/cgroup /sys/fs/cgroup/*; do if mkdir $group/made 2> /dev/null; then rmdir $group/made; echo made; fi; done'
	must run_without ""
	expect_equal "$output" ""
	must run_without read-only
	expect_like "$output" made
}

@test "CVE-2022-0492: without a user namespace the kernel mounts a hierarchy, and release_agent is in it" {
	capabilities CAP_SYS_ADMIN
	shell 'mkdir /tmp/cg; mount -t cgroup -o pids none /tmp/cg 2> /dev/null && ls /tmp/cg; true'
	must run_without ""
	if in_v2_view || ! grep -q '^pids.*1$' /proc/cgroups; then
		skip "no hierarchies of version 1"
	fi
	expect_like "$output" release_agent
}

@test "cgroup: CVE-2025-47291: without the clone into its cgroup a container with a user namespace is in its caller's" {
	user_namespace
	config --arg path "/it-parent-$ID" '.linux.cgroupsPath = $path'
	program grep ^0:: /proc/self/cgroup
	must run_without ""
	expect_like "$output" "it-parent-$ID"
	attempt run_without cgroup
	expect_unlike "$output" "it-parent-$ID"
	expect_status 0
	chown -hR 0:0 "$BUNDLE/rootfs"
}

@test "home: CVE-2022-4318, CVE-2026-15809: without it the image's passwd puts control characters into HOME" {
	printf 'ship:x:4242:1000:ship:/home\001/ship:/bin/sh\n' > "$BUNDLE/rootfs/etc/passwd"
	config '.process.env |= map(select(startswith("HOME") | not)) | .process.user = { uid: 4242, gid: 0 }'
	shell 'echo "$HOME"'
	must run_without ""
	expect_equal "$output" /
	must run_without home
	expect_equal "$output" $'/home\001/ship'
}

@test "hook-clean: CVE-2025-23266, CVE-2024-0132: without it a hook has the container's LD_PRELOAD" {
	printf '#!/bin/sh\nexec /usr/bin/env > %s/env\n' "$T" > "$T/hook"
	chmod 755 "$T/hook"
	config --arg hook "$T/hook" '.process.env += ["LD_PRELOAD=/tmp/evil.so"] | .hooks.createRuntime = [{ path: $hook }]'
	program true
	must run_without ""
	expect_unlike "$(< "$T/env")" 'evil'
	must run_without hook-clean
	expect_like "$(< "$T/env")" 'LD_PRELOAD=/tmp/evil.so'
}

@test "whole-text, unknown-keys: CVE-2026-40226: without them half a config.json counts, and a policy with a rule that is none" {
	program true
	jq -c . "$BUNDLE/config.json" > "$T/line.json"
	# All of it but the end.
	head -c -2 "$T/line.json" > "$BUNDLE/config.json"
	must_fail 1 'config.json' without "" plan --bundle "$BUNDLE"
	must without whole-text plan --bundle "$BUNDLE"
	cp "$T/line.json" "$BUNDLE/config.json"
	POLICY=$T/policy.json
	echo '{ "set": "strict", "rules": { "seccmp": "off" } }' > "$POLICY"
	must_fail 1 'unknown key' without "" plan --bundle "$BUNDLE"
	attempt without unknown-keys plan --bundle "$BUNDLE"
	expect_unlike "$stderr" 'unknown key'
}

# Nothing of brig's is to be switched off where it never does what the attack asks for: shown is that the tests' trap can be sprung.
@test "CVE-2024-3154, CVE-2025-24965: what the annotations name, run by hand, is seen where the tests look" {
	printf '#!/bin/sh\ntouch %s/outside/ran\n' "$T" > "$T/evil"
	chmod 755 "$T/evil"
	ln -s "$T/outside/config" "$BUNDLE/rootfs/.krun_config.json"
	"$T/evil"
	echo '{}' > "$BUNDLE/rootfs/.krun_config.json"
	expect_equal "$(ls -A "$T/outside")" $'config\nran'
}

# of_the_shim DEFENCE TEST: the shim's test, by a shim without that.
of_the_shim() {
	if [ ! -x "$HERE/without_shim" ]; then
		skip "no shim is built here"
	fi
	attempt env --unset BRIG_SITE_POLICY TMPDIR="$T" BRIG_SHIM="$HERE/without_shim" BRIG_WITHOUT="$1" "$HERE/confined" "$T" "$BATS_TEST_DIRNAME/../shim/run" "$2"
}

@test "credentials: CVE-2020-15257: without it a peer that is not root is answered" {
	of_the_shim "" test_hostile.Hostile.test_other_user
	expect_status 0
	of_the_shim credentials test_hostile.Hostile.test_other_user
	expect_like "$output" "'answered' not found"
}

@test "output: CVE-2022-31030, CVE-2022-1708: without it output has no end" {
	of_the_shim "" test_limits.Limits.test_max_output_at_the_end
	expect_status 0
	of_the_shim output test_limits.Limits.test_max_output_at_the_end
	expect_like "$output" '\(0, 1025\) != \(137, 1024\)'
}

@test "loggers: CVE-2026-53488: without it a program of the host's that a label names is run as root" {
	of_the_shim "" test_loggers.Loggers.test_any_program
	expect_status 0
	of_the_shim loggers test_loggers.Loggers.test_any_program
	expect_different "$status" 0
	expect_like "$output" 'CallError not raised|True is not false'
}
