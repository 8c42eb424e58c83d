#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2153,SC2154 # scripts of other languages; bats: a subshell a test, $stderr
# bats file_tags=v2
# What the shim asks of the library: a container under a supervisor, with its root file system as mounts, a group of its own below the
# one with the limits, and one for each exec. tests/support/supervisor plays the shim.

load support/common

prepare() {
	SUPERVISOR=$(dirname "$BRIG")/tests/support/supervisor
	if [ ! -x "$SUPERVISOR" ]; then
		flunk "$SUPERVISOR is missing: make tests"
	fi
	mkdir "$T/upper" "$T/work" "$T/lower"
	process 'exit 0'
}

# process SCRIPT [FILE]: the process of an exec.
process() {
	jq -c --arg script "$1" --arg mark "BRIG_TEST=$ID" \
		'.process | .args = ["sh", "-c", $script] | .env += [$mark]' "$BUNDLE/config.json" > "${2:-$T/process.json}"
}

# supervised: runs the lines of stdin; they have to succeed. $output is what they printed.
supervised() {
	cat > "$T/script"
	STDIN=$T/script BRIG_TEST=$ID must "$SUPERVISOR" "$ROOT"
}

group() { # [BELOW]: the v2 directory of the container's group
	if in_v2_view; then
		echo "/sys/fs/cgroup/brig-$ID${1:+/$1}"
	else
		echo "/sys/fs/cgroup/unified/brig-$ID${1:+/$1}"
	fi
}

# until CONDITION: for a script's `sh` lines; at most thirty seconds.
until_true() {
	echo "sh for i in \$(seq 600); do $1 && exit 0; sleep 0.05; done; exit 1"
}

overlay() { # the options of an overlay of the bundle's rootfs, which is out of the way then
	mv "$BUNDLE/rootfs" "$T/layer"
	mkdir "$BUNDLE/rootfs"
	chmod 777 "$T/upper"
	echo "lowerdir=$T/layer:$T/lower,upperdir=$T/upper,workdir=$T/work${1:+,$1}"
}

@test "the worker ends, and the container and its execs are the supervisor's to wait for" {
	shell 'exit 3'
	process 'exit 4'
	supervised <<- END
		create $ID $BUNDLE
		exec $ID e1 $T/process.json
		wait-exec
		release e1
		start $ID
		wait
		delete $ID
	END
	expect_line "$output" "status 4"
	expect_line "$output" "status 3"
	assert_nothing_left
}

@test "the container lives in a leaf, each exec beside it, and the limits above both hold for all" {
	program sleep 300
	process 'sleep 300'
	supervised <<- END
		create $ID $BUNDLE
		start $ID
		exec $ID e1 $T/process.json
		sh test \$(wc -l < $(group container)/cgroup.procs) = 1
		sh test -z "\$(cat $(group)/cgroup.procs)"
		$(until_true "test \$(cat $(group execs/e1)/cgroup.procs | wc -l) -ge 1")
		processes e1
		processes e2
		kill e2
		kill e1
		wait-exec
		release e1
		sh test ! -e $(group execs/e1)
		processes
		kill
		wait
		delete $ID
	END
	expect_line "$output" "status 137"
	expect_line "$output" "processes 0"
	expect_like "$output" "processes 1 [0-9]+"
	assert_nothing_left
}

@test "what an exec leaves in the background stays with the container when its group is released" {
	program sleep 300
	process 'sleep 301 & sleep 302 & exit 0'
	supervised <<- END
		create $ID $BUNDLE
		start $ID
		exec $ID e1 $T/process.json
		wait-exec
		processes e1
		release e1
		release e1
		processes e1
		processes
		sh test \$(wc -l < $(group container)/cgroup.procs) = 3
		exec $ID e1 $T/process.json
		wait-exec
		kill e1
		$(until_true "grep -q 'populated 0' $(group execs/e1)/cgroup.events")
		release e1
		sh test \$(wc -l < $(group container)/cgroup.procs) = 3
		kill
		wait
		delete $ID
	END
	expect_like "$output" "processes 2 [0-9]+ [0-9]+"
	expect_line "$output" "processes 0"
	expect_like "$output" "processes 3 "
	assert_nothing_left
}

@test "a signal reaches each process of an exec and nobody else" {
	shell 'trap "exit 9" TERM; while :; do sleep 0.05; done'
	process 'trap "exit 7" TERM; while :; do sleep 0.05; done'
	supervised <<- END
		create $ID $BUNDLE
		start $ID
		exec $ID e1 $T/process.json
		$(until_true "grep -q '^SigCgt:.*[4567cdef]...$' /proc/\$(head -1 $(group execs/e1)/cgroup.procs)/status")
		signal e1 15
		wait-exec
		release e1
		sh test "\$(cat $(group container)/cgroup.procs)"
		signal - 9
		wait
		delete $ID
	END
	expect_line "$output" "status 7"
	expect_line "$output" "status 137"
}

@test "an exec by hand, pause, kill and delete work on a split container" {
	program sleep 300
	add_namespace cgroup
	printf 'create %s %s\nstart %s\n' "$ID" "$BUNDLE" "$ID" > "$T/script"
	STDIN=$T/script BRIG_TEST=$ID must "$SUPERVISOR" "$ROOT"
	must brig exec "$ID" grep :: /proc/self/cgroup
	expect_line "$output" "0::/"
	must brig pause "$ID"
	expect_equal "$(status_of)" paused
	must brig resume "$ID"
	mkdir "$(group container/below)"
	must brig exec --cgroup below "$ID" grep :: /proc/self/cgroup
	expect_line "$output" "0::/below"
	must_fail 255 'no cgroup "container/none"' brig exec --cgroup none "$ID" true
	expect_equal "$(brig ps -f json "$ID" | jq length)" 1
	must brig kill --all "$ID" KILL
	wait_until status_is stopped
	must brig delete "$ID"
	assert_nothing_left
}

# As after a pause whose worker was killed, of which nobody knows how far it came.
@test "a container is thawed whatever it looks like" {
	program sleep 300
	{
		printf 'create %s %s\nthaw %s\nstart %s\nthaw %s\n' "$ID" "$BUNDLE" "$ID" "$ID" "$ID"
		printf 'sh %s --root %s pause %s\nthaw %s\n' "$BRIG" "$ROOT" "$ID" "$ID"
	} | supervised
	expect_equal "$(status_of)" running
	must brig kill "$ID" KILL
	wait_until status_is stopped
	must brig delete "$ID"
	assert_nothing_left
}

@test "a container whose tree is writable gets the leaf and nothing above it" {
	user_namespace
	add_namespace cgroup
	add_mount /sys/fs/cgroup cgroup cgroup rw nosuid nodev noexec
	# A controller that the v2 tree of a hybrid host has as well.
	config '.linux.resources.hugepageLimits = [{ pageSize: "2MB", limit: 2097152 }]'
	shell 'mkdir /sys/fs/cgroup/mine; cat /sys/fs/cgroup/cgroup.controllers; : > /tmp/done; sleep 300'
	process 'sleep 300'
	supervised <<- END
		create $ID $BUNDLE
		sh stat -c 'above %u' $(group)
		sh stat -c 'above %u' $(group)/cgroup.procs
		sh stat -c 'leaf %u' $(group container)
		start $ID
		exec $ID e1 $T/process.json
		sh stat -c 'beside %u' $(group execs/e1)
		$(until_true "test -e $BUNDLE/rootfs/tmp/done")
		kill
		wait-exec
		wait
		delete $ID
	END
	expect_unlike "$output" "(above|beside) [1-9]"
	if in_v2_view; then
		expect_line "$output" "leaf 100000"
		expect_like "$output" "hugetlb"
		expect_unlike "$output" "can't create"
	fi
	assert_nothing_left
}

@test "numbers, limits and an out-of-memory kill come from the container's group" {
	needs_v1 memory
	config '.linux.resources.memory.limit = 33554432 | .linux.resources.pids.limit = 50'
	program sleep 300
	process 'dd if=/dev/zero of=/dev/null bs=64M count=1'
	supervised <<- END
		create $ID $BUNDLE
		start $ID
		metrics
		oom
		exec $ID e1 $T/process.json
		wait-oom
		wait-exec
		oom
		update $ID {"memory":{"limit":67108864}}
		metrics
		stuck
		kill
		wait
		delete $ID
	END
	expect_json "$(grep '^{' <<< "$output" | head -1)" '.pids == 1 and .pids_limit == 50 and .memory_limit == 33554432 and
		.cpu_usec > 0 and .oom_kill == 0'
	expect_json "$(grep '^{' <<< "$output" | tail -1)" '.memory_limit == 67108864 and .oom_kill == 1'
	expect_line "$output" "oom 0"
	expect_line "$output" "oom 1"
	expect_line "$output" 'stuck ""'
	assert_nothing_left
}

@test "a root file system of overlay layers is never seen on the host, and goes with the container" {
	options=$(overlay)
	shell 'grep " / / " /proc/self/mountinfo; echo written > /root/mark; sleep 300'
	supervised <<- END
		create $ID $BUNDLE overlay overlay $options
		start $ID
		$(until_true "test -s $T/upper/root/mark")
		sh test -z "\$(ls $BUNDLE/rootfs)"
		sh ! grep $T /proc/self/mountinfo
		kill
		wait
		delete $ID
	END
	expect_like "$output" " - overlay overlay "
	expect_file "$T/upper/root/mark" written
	assert_nothing_left
}

@test "a bind mount, read-only, serves as root as well" {
	mv "$BUNDLE/rootfs" "$T/layer"
	mkdir "$BUNDLE/rootfs" "$T/layer/dev/pts" "$T/layer/dev/shm"
	shell 'touch /tmp/x 2>&1; touch /x 2>&1; true'
	supervised <<- END
		create $ID $BUNDLE bind $T/layer rbind,ro
		start $ID
		wait
		delete $ID
	END
	expect_like "$output" "/x: Read-only file system"
	assert_nothing_left
}

@test "lower layers with mapped ids belong to the container's root; the upper layer has to do so already" {
	options=$(overlay "uidmap=0:100000:65536,gidmap=0:100000:65536")
	add_namespace user
	config '.linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }] | .linux.gidMappings = .linux.uidMappings'
	shell 'stat -c "%n %u" / /etc /etc/passwd; echo x > /etc/new; rm /etc/group; stat -c "%n %u" /etc/new'
	chown 100000:100000 "$T/upper"
	supervised <<- END
		create $ID $BUNDLE overlay overlay $options
		start $ID
		wait
		delete $ID
	END
	expect_line "$output" "status 0"
	expect_line "$output" "/ 0"
	expect_line "$output" "/etc/passwd 0"
	expect_line "$output" "/etc/new 0"
	expect_equal "$(stat -c %u "$T/upper/etc/new")" 100000
	expect_equal "$(stat -c %u "$T/layer/etc/passwd")" 0
	chown 0:0 "$T/upper"
	supervised <<< "!create $ID $BUNDLE overlay overlay $options"
	expect_like "$output" "upperdir: $T/upper belongs to 0:0, to which uidmap and gidmap map nobody"
	assert_nothing_left
}

@test "a hook finds the root file system at root.path, and delete takes it away again" {
	options=$(overlay)
	printf '#!/bin/sh\nls %s/rootfs/bin/busybox > %s/seen\n' "$BUNDLE" "$T" > "$T/hook"
	chmod +x "$T/hook"
	config --arg hook "$T/hook" '.hooks.createRuntime = [{ path: $hook }]'
	program sleep 300
	supervised <<- END
		create $ID $BUNDLE overlay overlay $options
		sh grep -q $BUNDLE/rootfs /proc/self/mountinfo
		start $ID
		!create $ID-2 $BUNDLE overlay overlay $options
		kill
		wait
		delete $ID
		sh ! grep $BUNDLE/rootfs /proc/self/mountinfo
	END
	expect_file "$T/seen" "$BUNDLE/rootfs/bin/busybox"
	expect_like "$output" "something is mounted at $BUNDLE/rootfs already"
	assert_nothing_left
}

@test "a hook that fails leaves no mount, and delete --force finds one of a brig that was killed" {
	options=$(overlay)
	config '.hooks.createRuntime = [{ path: "/bin/false" }]'
	supervised <<< "!create $ID $BUNDLE overlay overlay $options"
	assert_nothing_left
	printf '#!/bin/sh\necho $PPID $$ > %s/pids; exec sleep 300\n' "$T" > "$T/hook"
	chmod +x "$T/hook"
	config --arg hook "$T/hook" '.hooks.createRuntime = [{ path: $hook, timeout: 300 }]'
	echo "create $ID $BUNDLE overlay overlay $options" > "$T/script"
	BRIG_TEST=$ID "$SUPERVISOR" "$ROOT" < "$T/script" > "$T/out" 2>&1 3>&- 4>&- &
	supervisor=$!
	wait_until test -s "$T/pids"
	grep -q "$BUNDLE/rootfs" /proc/self/mountinfo
	read -r worker hook < "$T/pids"
	kill -KILL "$worker" "$hook"
	wait "$supervisor" || true
	must brig delete --force "$ID"
	assert_nothing_left
}

@test "mounts that make no sense are refused with their name, and leave nothing" {
	options=$(overlay)
	while IFS='|' read -r type source words pattern; do
		supervised <<< "!create $ID $BUNDLE $type $source $words"
		expect_like "$output" "$pattern"
		assert_nothing_left
	done <<- END
		overlay|overlay|lowerdir=$T/none:$T/layer|rootfs \(overlay\): lowerdir: open $T/none: No such file
		overlay|overlay|upperdir=$T/upper,workdir=$T/work|has no option lowerdir
		overlay|overlay|lowerdir=$T/layer,upperdir=$T/upper|workdir need each other
		overlay|overlay|$options,nonsense=1|rootfs \(overlay\): nonsense
		overlay|overlay|$options,uidmap=0:1|uidmap: .0:1. is no list of ranges
		bind|relative|rbind|no absolute path
		bind|$T/none|rbind|open the source $T/none: No such file
		bind|$BUNDLE/config.json|bind|is no directory
		ext4|/dev/nothing|ro|rootfs \(ext4\): .*/dev/nothing
		squirrel|none|ro|type squirrel
		ext4|$T/image|loop|loop devices are not supported
	END
}

@test "a created container has no descriptor but its streams and its start socket, a running one its streams alone" {
	options=$(overlay)
	program sleep 300
	exec 9< "$BUNDLE/config.json"
	supervised <<- END
		create $ID $BUNDLE overlay overlay $options
		sh for fd in /proc/\$(cat $(group container)/cgroup.procs)/fd/*; do echo "created \${fd##*/} \$(readlink \$fd | cut -d: -f1)"; done
		start $ID
		$(until_true "grep -q sleep /proc/\$(cat $(group container)/cgroup.procs)/comm")
		sh for fd in /proc/\$(cat $(group container)/cgroup.procs)/fd/*; do echo "running \${fd##*/} \$(readlink \$fd | cut -d: -f1)"; done
		kill
		wait
		delete $ID
	END
	exec 9<&-
	expect_equal "$(grep -c '^created' <<< "$output")" 4
	expect_like "$output" "created [0-9]+ socket"
	expect_equal "$(grep -c '^running' <<< "$output")" 3
	assert_nothing_left
}

@test "an exec that can't be made leaves no group, and its id is checked" {
	program sleep 300
	jq -c '.args = ["/nowhere"]' "$T/process.json" > "$T/bad.json"
	supervised <<- END
		create $ID $BUNDLE
		start $ID
		!exec $ID e1 $T/bad.json
		sh test ! -e $(group execs/e1)
		!exec $ID ../e1 $T/process.json
		!kill ../container
		exec $ID e1 $T/process.json
		wait-exec
		release e1
		kill
		wait
		delete $ID
	END
	expect_like "$output" "error .*/nowhere.*file not found"
	expect_like "$output" "the id of an exec: container id"
	assert_nothing_left
}
