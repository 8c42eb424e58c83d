#!/usr/bin/env bats
# bats file_tags=strict
# Debian's containerd with its runc shim, and brig in runc's place.

# Dollars in single quotes are for the shell inside; clients.bash sets clients_folder.
# shellcheck disable=SC2016,SC2154
load clients.bash
load containerd.bash

# Begins to be so before it says that it is.
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
	# Nothing of a removed container may be left in the runtime or in the cgroup trees.
	wait_for 60 nothing_is_left
}

nothing_is_left() {
	no_state && [ -z "$(in_world find /sys/fs/cgroup -path '*/default/?*' -type d)" ]
}

no_state() {
	[ -z "$(in_world "$BRIG" --root /run/containerd/runc/default list --quiet)" ]
}

ctr_run() { # OPTION... IMAGE NAME COMMAND...
	in_world ctr run --runc-binary "$BRIG" "$@"
}

ctr_start() { # NAME OPTION...: one that waits, and ends well on SIGTERM
	local name=$1
	shift

	ctr_run --detach "$@" "$image" "$name" sh -c 'trap "exit 5" TERM; while :; do sleep 0.1; done' < /dev/null > /dev/null 2>&1
	wait_for 60 task_is_trapped "$name"
}

@test "ctr run shows the output and ends with the program's status" {
	expect 0 ctr_run --rm "$image" one echo hello
	[ "$output" = hello ]
	expect 7 ctr_run --rm "$image" one sh -c 'exit 7'
}

@test "ctr run passes its input" {
	expect 0 ctr_run --rm "$image" one wc -c < <(head -c 300000 /dev/zero)
	[ "$output" -eq 300000 ]
}

@test "ctr run tells that a program is missing" {
	expect 1 ctr_run --rm "$image" one missing
	[[ $output == *'exec: \"missing\": executable file not found in $PATH'* ]] ||
		[[ $output == *'exec: "missing": executable file not found in $PATH'* ]]
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

@test "ctr tasks exec: output, status, user, folder" {
	ctr_start one
	expect 0 in_world ctr tasks exec --exec-id a one cat /etc/not-a-program
	[ "$output" = text ]
	expect 9 in_world ctr tasks exec --exec-id b one sh -c 'exit 9'
	expect 0 in_world ctr tasks exec --exec-id c --cwd /tmp --user 1000:1000 one sh -c 'id -u; pwd'
	[ "$output" = $'1000\n/tmp' ]
	expect 1 in_world ctr tasks exec --exec-id d one missing
	[[ $output == *"executable file not found"* ]]
	has_status one RUNNING
}

@test "ctr tasks pause holds every process still, resume lets them go on" {
	ctr_start one
	in_world ctr tasks pause one
	has_status one PAUSED
	run timeout 1 "$clients_folder/world" enter "$WORLD" ctr tasks exec --exec-id early one true
	[ "$status" -ne 0 ]
	in_world ctr tasks resume one
	has_status one RUNNING
	expect 0 in_world ctr tasks exec --exec-id late one true
}

@test "ctr tasks metrics" {
	ctr_start one --memory-limit 50000000
	expect 0 in_world ctr tasks metrics one
	[[ $output == *memory* ]]
}

@test "ctr run --tty: a terminal of the right size, which follows a change" {
	run "$clients_folder/terminal" "when:# " "send:stty size" "when:24 80" "resize:40x100" "when:# " \
		"send:until [ \"\$(stty size)\" = \"40\"\" 100\" ]; do sleep 0.1; done; stty size; tty; exit 6" "when:40 100" -- \
		"$clients_folder/world" enter "$WORLD" ctr run --runc-binary "$BRIG" --rm --tty "$image" one sh
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

@test "ctr run --seccomp" {
	expect 0 ctr_run --rm --seccomp "$image" one grep Seccomp: /proc/self/status
	[[ $output == *2 ]]
}

# bats test_tags=asks-more
@test "ctr run --privileged" {
	expect 0 ctr_run --rm --privileged "$image" one sh -c 'grep Seccomp: /proc/self/status; test -w /proc/sys/kernel/domainname && echo open'
	[[ $output == *0*open ]]
}

@test "ctr run --memory-limit: a program that takes more is killed" {
	expect 137 ctr_run --rm --memory-limit 16000000 "$image" one sh -c 'x=$(head -c 100m /dev/zero | tr "\0" x); echo survived'
	[[ $output != *survived* ]]
}

@test "containerd removes what is left after its shim was killed" {
	ctr_start one
	in_world pkill -KILL -f 'containerd-shim-runc-v2 .*-id one'
	wait_for 60 shim_is_gone
	in_world ctr tasks delete --force one || true
	wait_for 60 no_state
}

shim_is_gone() {
	! in_world pgrep -f 'containerd-shim-runc-v2 .*-id one'
}
