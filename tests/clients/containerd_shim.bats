#!/usr/bin/env bats
# bats file_tags=strict
# Debian's containerd with brig's own shim.

# Dollars in single quotes are for the shell inside; clients.bash sets clients_folder.
# shellcheck disable=SC2016,SC2154
load clients.bash
load containerd.bash

runtime=io.containerd.brig.v2
idle='trap "exit 5" TERM; while :; do sleep 0.1; done'
interruptible="sh -c 'trap \"exit 3\" INT; echo be\"\"gin; while :; do sleep 0.1; done'"

setup_file() {
	containerd_setup
}

teardown_file() {
	world_end
}

teardown() {
	if [ -z "$BATS_TEST_COMPLETED" ]; then
		tail -n 20 "$WORLD/containerd.log"
	fi
	containerd_clear
	wait_for 60 nothing_is_left || {
		left
		return 1
	}
}

# Of containers that are gone: processes, state, sockets, bundles, mounts, cgroups.
left() {
	in_world sh -c '
		for pid in $(pgrep -f "[c]ontainerd-shim-"); do echo "process $pid: $(tr "\0" " " < /proc/$pid/cmdline)"; done
		ls -d /run/containerd/brig/default/* /run/containerd/s/* /run/containerd/io.containerd.runtime.v2.task/default/* 2> /dev/null
		grep -o " /run/containerd/io.containerd.runtime[^ ]*" /proc/self/mountinfo
		find /sys/fs/cgroup -path "*/default/?*" -type d'
}

nothing_is_left() {
	[ -z "$(left)" ]
}

ctr_run() { # OPTION... IMAGE NAME COMMAND...
	in_world ctr run --runtime "$runtime" "$@"
}

ctr_start() { # NAME OPTION...: one that waits, and ends well on SIGTERM
	local name=$1
	shift

	ctr_run --detach "$@" "$image" "$name" sh -c "$idle" < /dev/null > /dev/null 2>&1
	wait_for 60 task_is_trapped "$name"
}

shim_of() { # NAME: its pid
	in_world pgrep -f "containerd-shim-brig-v2 .*-id $1( |$)"
}

@test "ctr run shows the output and ends with the program's status" {
	expect 0 ctr_run --rm "$image" one echo hello
	[ "$output" = hello ]
	expect 7 ctr_run --rm "$image" one sh -c 'exit 7'
	expect 137 ctr_run --rm "$image" one sh -c 'sh -c "kill -KILL \$\$"; exit $?'
}

@test "ctr run with the shim's absolute path" {
	expect 0 in_world ctr run --runtime "$BRIG_BUILD/containerd-shim-brig-v2" --rm "$image" one echo hello
	[ "$output" = hello ]
}

@test "ctr run passes its input, and much of it" {
	expect 0 ctr_run --rm "$image" one wc -c < <(head -c 3000000 /dev/zero)
	[ "$output" -eq 3000000 ]
}

@test "ctr run passes all of the output" {
	ctr_run --rm "$image" one sh -c 'head -c 20000000 /dev/zero; echo end' > "$WORLD/out"
	[ "$(wc -c < "$WORLD/out")" -eq 20000004 ]
	[ "$(tail -c 4 "$WORLD/out")" = end ]
}

@test "ctr run tells that a program is missing" {
	expect 1 ctr_run --rm "$image" one missing
	[[ $output == *"executable file not found"* ]]
	expect 1 ctr_run --rm "$image" one /etc/not-a-program
	[[ $output == *"ermission denied"* ]]
}

@test "ctr run --detach, tasks ls, ps, kill, delete" {
	ctr_start one
	has_status one RUNNING
	expect 0 in_world ctr tasks ps one
	[ "${#lines[@]}" -ge 2 ]
	in_world ctr tasks kill --signal SIGTERM one
	wait_for 60 has_status one STOPPED
	expect 0 in_world ctr tasks delete one
	[[ $output == *"exit code 5"* ]]
	in_world ctr containers delete one
}

@test "ctr tasks kill --all ends every process" {
	ctr_start one
	in_world ctr tasks exec --detach --exec-id more one sleep 1000
	in_world ctr tasks kill --all --signal SIGKILL one
	wait_for 60 has_status one STOPPED
	expect 0 in_world ctr tasks delete one
	[[ $output == *"exit code 137"* ]]
}

@test "ctr tasks exec: output, status, user, folder, environment" {
	ctr_start one
	expect 0 in_world ctr tasks exec --exec-id a one cat /etc/not-a-program
	[ "$output" = text ]
	expect 9 in_world ctr tasks exec --exec-id b one sh -c 'exit 9'
	expect 0 in_world ctr tasks exec --exec-id c --cwd /tmp --user 1000:1000 one sh -c 'id -u; pwd'
	[ "$output" = $'1000\n/tmp' ]
	expect 1 in_world ctr tasks exec --exec-id d one missing
	[[ $output == *"executable file not found"* ]]
	expect 0 in_world ctr tasks exec --exec-id a one true
	has_status one RUNNING
}

@test "ctr tasks pause holds every process still, resume lets them go on" {
	ctr_start one
	in_world ctr tasks pause one
	has_status one PAUSED
	run in_world timeout 5 ctr tasks exec --exec-id early one true
	[ "$status" -ne 0 ]
	in_world ctr tasks resume one
	has_status one RUNNING
	expect 0 in_world ctr tasks exec --exec-id late one true
}

# As on a host on which CRIU is installed; see tests/integration/checkpoint.bats.
install_criu() {
	CRIU=$("$BRIG_SOURCE/tests/support/criu") in_world sh -euc '
		mountpoint --quiet /usr/local/sbin || mount -t tmpfs tmpfs /usr/local/sbin
		install -m 755 "$CRIU" /usr/local/sbin/criu
		mountpoint --quiet /proc/sys/fs/nr_open || {
			ulimit -Hn > /usr/local/sbin/nr_open
			mount --bind /usr/local/sbin/nr_open /proc/sys/fs/nr_open
		}
		criu check' > "$BATS_TEST_TMPDIR/criu" 2>&1 || skip "CRIU does not work on this kernel: $(tail -n 1 "$BATS_TEST_TMPDIR/criu")"
}

# bats test_tags=asks-more
@test "ctr containers checkpoint, and restore --live" {
	install_criu
	in_world mkdir -p "$WORLD/shared"
	ctr_run --detach --mount "type=bind,src=$WORLD/shared,dst=/shared,options=rbind:rw" "$image" one sh -c \
		'i=0; while ! [ -e /shared/go ]; do i=$((i + 1)); echo $i > /shared/count; sleep 0.05; done; echo end $i > /shared/end; sleep 1000' < /dev/null > /dev/null 2>&1
	wait_for 60 in_world sh -c '[ "$(cat "$0" 2> /dev/null || echo 0)" -gt 20 ]' "$WORLD/shared/count"
	expect 0 in_world ctr containers checkpoint --task --image --rw one example.org/saved:1
	has_status one RUNNING
	in_world ctr tasks kill --signal SIGKILL one
	wait_for 60 has_status one STOPPED
	in_world ctr tasks delete one || true
	in_world ctr containers delete one
	in_world touch "$WORLD/shared/go"
	expect 0 in_world ctr containers restore --live --rw one example.org/saved:1 < /dev/null
	wait_for 60 in_world test -s "$WORLD/shared/end"
	# One that began anew would have found `go` at once.
	[ "$(in_world cut -d ' ' -f 2 "$WORLD/shared/end")" -gt 20 ]
	has_status one RUNNING
}

@test "ctr tasks metrics tells memory, processor time and processes" {
	ctr_start one --memory-limit 50000000
	expect 0 in_world ctr tasks metrics one
	[[ $output =~ memory.usage_limit\ +49999872|memory.usage_limit\ +50000000 ]]
	[[ $output =~ cpu.usage_usec\ +[1-9] ]]
	[[ $output =~ pids.current\ +[1-9] ]]
}

# brig_shims and the memory of all of them, in whole KiB; the world has no shims but these.
shims_told() {
	in_world "$BRIG" --policy conformant metrics > "$WORLD/metrics" && awk '
		/^brig_shims / { n = $2 }
		/^brig_shim_memory_bytes\{kind="/ { split($1, part, "\""); kib[part[2]] = $2 / 1024 }
		END { print n, kib["rss"], kib["pss"], kib["private_dirty"] }' "$WORLD/metrics"
}

@test "brig metrics tells of each shim that runs, and of its memory" {
	[ "$(shims_told)" = "0 0 0 0" ]
	ctr_start one
	read -r n rss pss dirty <<< "$(shims_told)"
	echo "$n shims, KiB: $rss, $pss, $dirty"
	[ "$n" = 1 ]
	[ "$rss" -ge 500 ]
	[ "$pss" -gt 0 ]
	[ "$pss" -le "$rss" ]
	[ "$dirty" -gt 0 ]
	[ "$dirty" -le "$pss" ]
	expect 0 in_world awk '$1 == "Rss:" { print $2 }' "/proc/$(shim_of one)/smaps_rollup"
	# It may have touched some pages more in between.
	[ "$output" -ge $((rss - 500)) ]
	[ "$output" -le $((rss + 500)) ]
	ctr_start two
	read -r n more _ <<< "$(shims_told)"
	[ "$n" = 2 ]
	[ "$more" -gt "$rss" ]
	containerd_clear
	[ "$(shims_told)" = "0 0 0 0" ]
}

@test "ctr events shows a life in order" {
	in_world sh -c 'echo $$ > "$1/events.pid"; exec ctr events' sh "$WORLD" > "$WORLD/events" 2>&1 < /dev/null &
	wait_for 60 events_run
	ctr_start one
	in_world ctr tasks exec --exec-id a one true
	in_world ctr tasks pause one
	in_world ctr tasks resume one
	in_world ctr tasks kill --signal SIGTERM one
	wait_for 60 has_status one STOPPED
	in_world ctr tasks delete one || true
	wait_for 60 grep -q /tasks/delete "$WORLD/events"
	in_world kill "$(cat "$WORLD/events.pid")"
	expected="create start exec-added exec-started exit paused resumed exit delete"
	[ "$(grep -o '/tasks/[a-z-]*' "$WORLD/events" | sed s,/tasks/,, | paste -s -d ' ')" = "$expected" ]
	grep /tasks/exit "$WORLD/events" | tail -n 1 | grep -q '"exit_status":5'
}

# It is only of use once it listens: an image's new label is an event.
events_run() {
	in_world ctr image label "$image" "tried=$SECONDS-$RANDOM" && grep -q /images/update "$WORLD/events"
}

@test "ctr run --tty: a terminal of the right size, which follows a change" {
	run "$clients_folder/terminal" "when:# " "send:stty size" "when:24 80" "resize:40x100" "when:# " \
		"send:until [ \"\$(stty size)\" = \"40\"\" 100\" ]; do sleep 0.1; done; stty size; tty; exit 6" "when:40 100" -- \
		"$clients_folder/world" enter "$WORLD" ctr run --runtime "$runtime" --rm --tty "$image" one sh
	echo "$output"
	[ "$status" -eq 6 ]
	[[ $output == *"/dev/pts/0"* ]]
}

@test "ctr tasks exec --tty" {
	ctr_start one
	run "$clients_folder/terminal" "when:# " "send:$interruptible" "when:begin" "keys:\x03" "when:# " "send:tty; exit 4" -- \
		"$clients_folder/world" enter "$WORLD" ctr tasks exec --tty --exec-id shell one sh
	echo "$output"
	[ "$status" -eq 4 ]
	[[ $output == *"/dev/pts/0"* ]]
}

# bats test_tags=asks-more
@test "ctr run --cwd, --env, --read-only, --mount, --cap-drop" {
	mkdir -p "$WORLD/shared"
	echo outside > "$WORLD/shared/file"
	expect 0 ctr_run --rm --cwd /tmp --env WORD=value --read-only --cap-drop CAP_KILL \
		--mount "type=bind,src=$WORLD/shared,dst=/mnt,options=rbind:ro" "$image" one sh -c '
			pwd; echo $WORD; cat /mnt/file
			touch /tmp/new 2> /dev/null && echo "root is writable"
			touch /mnt/new 2> /dev/null && echo "the read-only mount is writable"
			grep CapBnd /proc/self/status'
	[ "$output" = $'/tmp\nvalue\noutside\nCapBnd:\t00000000a80425db' ]
}

# bats test_tags=asks-more
@test "ctr run --seccomp, --privileged" {
	expect 0 ctr_run --rm --seccomp "$image" one grep Seccomp: /proc/self/status
	[[ $output == *2 ]]
	expect 0 ctr_run --rm --privileged "$image" one sh -c 'grep Seccomp: /proc/self/status; test -w /proc/sys/kernel/domainname && echo open'
	[[ $output == *0*open ]]
}

@test "ctr run --memory-limit: a program that takes more is killed" {
	expect 137 ctr_run --rm --memory-limit 16000000 "$image" one sh -c 'x=$(head -c 100m /dev/zero | tr "\0" x); echo survived'
	[[ $output != *survived* ]]
}

@test "twenty containers at the same time, each with its own output and status" {
	local running=()

	for number in $(seq 20); do
		(
			status=0
			ctr_run --rm "$image" "p$number" sh -c "echo number $number; exit $number" > "$WORLD/out.$number" 2>&1 || status=$?
			echo "status $status" >> "$WORLD/out.$number"
		) 3>&- &
		running+=($!)
	done
	wait "${running[@]}" # containerd itself may be a child of this shell
	for number in $(seq 20); do
		expect 0 cat "$WORLD/out.$number"
		[ "$output" = "number $number"$'\n'"status $number" ]
	done
}

@test "containerd is killed and comes back: the task runs on, its output and status are complete" {
	ctr_run --detach --log-uri "file://$WORLD/log" "$image" one sh -c 'trap "echo last; exit 5" TERM; echo first; while :; do sleep 0.1; done'
	wait_for 60 grep -q first "$WORLD/log"
	containerd_kill
	containerd_start
	has_status one RUNNING
	expect 0 in_world ctr tasks exec --exec-id a one echo alive
	[ "$output" = alive ]
	in_world ctr tasks kill --signal SIGTERM one
	wait_for 60 has_status one STOPPED
	expect 0 in_world ctr tasks delete one
	[[ $output == *"exit code 5"* ]]
	[ "$(cat "$WORLD/log")" = $'first\nlast' ]
	rm "$WORLD/log"
}

@test "a task that ends while containerd is away: output and status are there when it is back" {
	ctr_run --detach --log-uri "file://$WORLD/log" "$image" one sh -c 'while [ ! -e /tmp/go ]; do sleep 0.1; done; echo away; exit 9'
	in_world ctr tasks exec --exec-id a one sh -c '(sleep 1; touch /tmp/go) > /dev/null 2>&1 &'
	containerd_kill
	wait_for 60 grep -q away "$WORLD/log"
	containerd_start
	wait_for 60 has_status one STOPPED
	expect 0 in_world ctr tasks delete one
	[[ $output == *"exit code 9"* ]]
	rm "$WORLD/log"
}

@test "the shim is killed: containerd tells the end of the task and removes everything" {
	ctr_start one
	in_world ctr tasks exec --detach --exec-id more one sleep 1000
	in_world kill -KILL "$(shim_of one)"
	wait_for 60 task_is_over
	containerd_clear
}

task_is_over() {
	! in_world ctr tasks ls | grep -q "^one .*RUNNING"
}

@test "containerd and the shim are killed: containerd removes everything when it is back" {
	ctr_start one
	containerd_kill
	in_world kill -KILL "$(shim_of one)"
	containerd_start
	wait_for 60 task_is_over
	containerd_clear
}

@test "ctrl-c at any moment leaves nothing that delete does not remove" {
	for moment in 0.01 0.02 0.03 0.04 0.05 0.06 0.07 0.08 0.1 0.12 0.15 0.2 0.3; do
		in_world timeout --signal INT --kill-after 60 "$moment" ctr run --runtime "$runtime" --rm "$image" "one$moment" \
			sh -c 'trap "exit 3" INT; while :; do sleep 0.01; done' > "$WORLD/out" 2>&1 < /dev/null || true
		wait_for 60 all_is_cleared || {
			echo "after $moment seconds:"
			left
			return 1
		}
	done
}

# What it was ended at may still be under way in containerd.
all_is_cleared() {
	containerd_is_clear && nothing_is_left
}
