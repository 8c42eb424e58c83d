#!/usr/bin/env bats
# bats file_tags=strict
# Debian's podman with its conmon, and brig as its runtime.

# Dollars in single quotes are for the shell inside; clients.bash sets clients_folder.
# shellcheck disable=SC2016,SC2154
load clients.bash

# Begins to be so before it says that it is.
interruptible="sh -c 'trap \"exit 3\" INT; echo be\"\"gin; while :; do sleep 0.1; done'"

# podman's own defaults ask for hard limits above this machine's, which not every machine lets root raise.
limits=(--ulimit nofile=1024:1024 --ulimit nproc=1000:1000)
image=localhost/busybox

setup_file() {
	world_start
	make_busybox_tree "$WORLD/tree"
	tar -C "$WORLD/tree" -cf "$WORLD/tree.tar" .
	pod import --quiet "$WORLD/tree.tar" "$image"
}

teardown_file() {
	world_end
}

teardown() {
	pod pod rm --all --force > /dev/null
	pod rm --all --force --time 0 > /dev/null
	# Nothing of a removed container may be left in the runtime or in the cgroup trees.
	wait_for 60 nothing_is_left
}

nothing_is_left() {
	[ -z "$(in_world "$BRIG" list --quiet)" ] && [ -z "$(in_world find /sys/fs/cgroup -name 'libpod-*' ! -name '*conmon*')" ]
}

pod() {
	in_world podman --root "$WORLD/storage" --runroot /run/containers/storage --tmpdir /run/libpod --storage-driver vfs \
		--cgroup-manager cgroupfs --log-level error --runtime brig "$@"
}

pod_run() { # OPTION... IMAGE COMMAND...
	pod run --pull never --network none "${limits[@]}" "$@"
}

pod_start() { # NAME OPTION...: one that waits, and ends well on SIGTERM
	local name=$1
	shift

	pod_run --detach --name "$name" "$@" "$image" sh -c 'trap "echo bye; exit 5" TERM; echo ready; while :; do sleep 0.1; done'
	wait_for 60 is_ready "$name"
}

is_ready() {
	[[ $(pod logs "$1") == *ready* ]]
}

status_of() { # NAME
	pod inspect "$1" --format '{{.State.Status}} {{.State.ExitCode}}'
}

@test "podman run shows the output and ends with the program's status" {
	expect 0 pod_run --rm "$image" echo hello
	[ "$output" = hello ]
	expect 7 pod_run --rm "$image" sh -c 'exit 7'
}

@test "podman run with podman's own resource limits" {
	expect 0 pod run --rm --pull never --network none "$image" sh -c 'ulimit -n; echo hello'
	[[ $output == *hello* ]]
}

@test "podman run --rootfs" {
	expect 0 pod_run --rm --rootfs "$WORLD/tree" cat /etc/not-a-program
	[ "$output" = text ]
}

@test "podman run tells a missing program from one that can't be executed" {
	expect 127 pod_run --rm "$image" /bin/missing
	[[ $output == *'exec: "/bin/missing": executable file not found in $PATH'* ]]
	expect 127 pod_run --rm "$image" missing
	expect 126 pod_run --rm "$image" /etc/not-a-program
	expect 126 pod_run --rm "$image" /etc
}

@test "podman run --interactive passes its input" {
	expect 0 pod_run --rm --interactive "$image" wc -c < <(head -c 300000 /dev/zero)
	[ "$output" -eq 300000 ]
}

@test "podman run --detach, ps, logs, wait" {
	pod_start web
	expect 0 pod ps --format '{{.Names}} {{.Status}}'
	[[ $output == "web Up"* ]]
	expect 0 pod logs web
	[ "$output" = ready ]
	pod stop --time 60 web
	expect 0 pod wait web
	[ "$output" -eq 5 ]
	[[ $(pod logs web) == *bye ]]
}

@test "podman create, start --attach, restart" {
	pod create --pull never --network none "${limits[@]}" --name again "$image" sh -c 'echo once more; exit 3'
	expect 3 pod start --attach again
	[ "$output" = "once more" ]
	expect 3 pod start --attach again
	pod_start long
	expect 0 pod restart --time 60 long
	[ "$(status_of long)" = "running 0" ]
}

@test "podman exec: output, status, user, folder, environment" {
	pod_start web
	expect 0 pod exec web cat /etc/not-a-program
	[ "$output" = text ]
	expect 9 pod exec web sh -c 'exit 9'
	expect 0 pod exec --user user --workdir /tmp --env WORD=value web sh -c 'id -u; id -G; pwd; echo $WORD'
	[ "$output" = $'1000\n1000 2000\n/tmp\nvalue' ]
	expect 0 pod exec --interactive web cat < <(echo typed)
	[ "$output" = typed ]
}

@test "podman exec tells a missing program from one that can't be executed" {
	pod_start web
	expect 127 pod exec web missing
	expect 126 pod exec web /etc/not-a-program
	[ "$(status_of web)" = "running 0" ]
}

@test "podman exec --detach" {
	pod_start web
	pod exec --detach web sh -c 'echo done > /tmp/proof'
	wait_for 60 pod exec web test -s /tmp/proof
}

@test "podman run --tty: a terminal of the right size, which follows a change" {
	run "$clients_folder/terminal" "when:# " "send:stty size" "when:24 80" "resize:40x100" "when:# " \
		"send:until [ \"\$(stty size)\" = \"40\"\" 100\" ]; do sleep 0.1; done; stty size; tty; exit 6" "when:40 100" -- \
		"$clients_folder/world" enter "$WORLD" podman --root "$WORLD/storage" --runroot /run/containers/storage --tmpdir /run/libpod \
		--storage-driver vfs --runtime brig run --rm --pull never --network none "${limits[@]}" --tty --interactive \
		"$image" sh
	echo "$output"
	[ "$status" -eq 6 ]
	[[ $output == *"/dev/pts/0"* ]]
}

@test "podman exec --tty: a terminal, with ctrl-C reaching the program" {
	pod_start web
	run "$clients_folder/terminal" "when:# " "send:$interruptible" "when:begin" "keys:\x03" "when:# " "send:tty; exit 4" -- \
		"$clients_folder/world" enter "$WORLD" podman --root "$WORLD/storage" --runroot /run/containers/storage --tmpdir /run/libpod \
		--storage-driver vfs --runtime brig exec --tty --interactive web sh
	echo "$output"
	[ "$status" -eq 4 ]
	[[ $output == *"/dev/pts/0"* ]]
}

@test "podman stop, kill, rm --force" {
	pod_start one
	expect 0 pod stop --time 60 one
	[ "$(status_of one)" = "exited 5" ]
	pod_start two
	expect 0 pod kill --signal KILL two
	wait_for 60 has_status two "exited 137"
	pod_start three
	expect 0 pod rm --force --time 0 three
	expect 1 pod container exists three
}

has_status() {
	[ "$(status_of "$1")" = "$2" ]
}

@test "podman pause holds every process still, unpause lets them go on" {
	local before

	pod_start web
	pod exec --detach web sh -c 'while :; do echo tick >> /tmp/ticks; sleep 0.01; done'
	wait_for 60 pod exec web test -s /tmp/ticks
	pod pause web
	[ "$(status_of web)" = "paused 0" ]
	before=$(ticks web)
	sleep 0.3
	[ "$(ticks web)" -eq "$before" ]
	pod unpause web
	[ "$(status_of web)" = "running 0" ]
	wait_for 60 has_more_ticks web "$before"
}

has_more_ticks() { # NAME NUMBER
	[ "$(ticks "$1")" -gt "$2" ]
}

ticks() {
	wc -l < "$(pod inspect "$1" --format '{{.GraphDriver.Data.UpperDir}}{{.Rootfs}}' | sed 's/<no value>//')/tmp/ticks" 2> /dev/null ||
		wc -l < "$(pod mount "$1")/tmp/ticks"
}

@test "podman top and stats" {
	pod_start web --memory 64m
	expect 0 pod top web pid user args
	[[ $output == *"while :; do sleep 0.1; done"* ]]
	expect 0 pod stats --no-stream --format '{{.Name}} {{.PIDs}} {{.MemUsage}}' web
	[[ $output == "web "[12]" "*" / 67.11MB" ]]
	[[ $output != *" 0B / "* ]]
}

@test "podman --memory: a program that takes more is killed" {
	expect 137 pod_run --rm --memory 16m "$image" sh -c 'x=$(head -c 100m /dev/zero | tr "\0" x); echo survived'
	[[ $output != *survived* ]]
}

@test "podman --pids-limit: a fork bomb is stopped" {
	run pod_run --rm --pids-limit 20 "$image" sh -c 'i=0; while [ $i -lt 40 ]; do sleep 3 & i=$((i + 1)); done; echo all'
	echo "$output"
	[[ $output == *"can't fork"* ]]
	[[ $output != *all* ]]
}

@test "podman --cpus: the quota holds" {
	expect 0 pod_run --rm --cpus 0.2 "$image" sh -c \
		'begin=$(cut -d . -f 1 /proc/uptime); timeout 3 sh -c "while :; do :; done"; end=$(cut -d . -f 1 /proc/uptime)
		awk -v seconds=$((end - begin)) "{ print \$16 + \$17, seconds }" /proc/1/stat'
	# In clock ticks of 10 milliseconds: a fifth of the time that it was given on a busy machine, with room for the second that is not whole.
	read -r ticks seconds < <(grep -E '^[0-9]+ [0-9]+$' <<< "$output")
	[ "$ticks" -le $((50 * seconds)) ]
}

@test "podman update changes limits of a container that runs" {
	pod_start web --memory 64m --cpus 1
	expect 0 pod update --memory 32m --cpus 0.5 web
	expect 0 in_world sh -c 'cat /sys/fs/cgroup/memory/*/libpod-*/memory.limit_in_bytes /sys/fs/cgroup/cpu/*/libpod-*/cpu.cfs_quota_us'
	[ "$output" = $'33554432\n50000' ]
}

@test "podman --user, --group-add, --workdir, --env, --hostname" {
	expect 0 pod_run --rm --user 1000:1000 --group-add 3000 --workdir /tmp --env WORD=value --hostname somewhere "$image" \
		sh -c 'id -u; id -g; id -G; pwd; echo $WORD; hostname'
	[ "$output" = $'1000\n1000\n1000 2000 3000\n/tmp\nvalue\nsomewhere' ] ||
		[ "$output" = $'1000\n1000\n1000 3000\n/tmp\nvalue\nsomewhere' ]
	expect 0 pod_run --rm --user user "$image" id -un
	[ "$output" = user ]
}

@test "podman --read-only, --tmpfs, --volume" {
	mkdir -p "$WORLD/shared"
	echo outside > "$WORLD/shared/file"
	expect 0 pod_run --rm --read-only --tmpfs /scratch:size=1m --volume "$WORLD/shared:/ro:ro" --volume "$WORLD/shared:/rw" "$image" sh -c '
		cat /ro/file
		touch /new 2> /dev/null && echo "root is writable"
		touch /ro/new 2> /dev/null && echo "the read-only volume is writable"
		touch /scratch/new || echo "the tmpfs is not writable"
		head -c 2m /dev/zero > /scratch/big 2> /dev/null && echo "the tmpfs has no size"
		echo inside > /rw/reply'
	[ "$output" = outside ]
	[ "$(cat "$WORLD/shared/reply")" = inside ]
}

# bats test_tags=asks-more
@test "podman --cap-drop, --cap-add, --security-opt, --privileged" {
	expect 0 pod_run --rm --cap-drop all "$image" grep -E '^Cap(Eff|Bnd|Prm|Inh|Amb)' /proc/self/status
	[ "$(grep -c 0000000000000000 <<< "$output")" -eq 5 ]
	expect 0 pod_run --rm --cap-drop all --cap-add NET_RAW "$image" grep CapEff /proc/self/status
	[[ $output == *0000000000002000 ]]
	expect 0 pod_run --rm --security-opt no-new-privileges "$image" grep NoNewPrivs /proc/self/status
	[[ $output == *1 ]]
	expect 0 pod_run --rm --privileged "$image" sh -c 'grep Seccomp: /proc/self/status; test -w /proc/sys/kernel/domainname && echo open'
	[[ $output == *0*open ]]
}

# bats test_tags=asks-more
@test "podman's own system call filter, another one, none" {
	expect 0 pod_run --rm "$image" grep Seccomp: /proc/self/status
	[[ $output == *2 ]]
	echo '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}]}' \
		> "$WORLD/profile.json"
	expect 1 pod_run --rm --security-opt "seccomp=$WORLD/profile.json" "$image" mkdir /tmp/new
	[[ $output == *"Operation not permitted"* ]]
	expect 0 pod_run --rm --security-opt seccomp=unconfined "$image" grep Seccomp: /proc/self/status
	[[ $output == *0 ]]
}

@test "podman: a container in another one's namespaces" {
	pod_start one --hostname first
	expect 0 pod run --pull never "${limits[@]}" --rm --pid container:one --ipc container:one --uts container:one --network container:one "$image" \
		sh -c 'hostname; ps | grep -c "[s]leep 0.1; done"'
	[ "${lines[0]}" = first ]
	[ "${lines[1]}" -ge 1 ]
}

@test "podman --uidmap: a user namespace" {
	chmod 0755 "$WORLD"
	expect 0 pod_run --rm --uidmap 0:200000:5000 --gidmap 0:200000:5000 "$image" sh -c 'id -u; cat /proc/self/uid_map; touch /tmp/new'
	[ "${lines[0]}" -eq 0 ]
	[[ ${lines[1]} =~ ^\ *0\ +200000\ +5000$ ]]
}

@test "podman pod: containers that share namespaces" {
	pod pod create --network none --share ipc,uts --hostname pods --name both > /dev/null
	expect 0 pod run --pull never "${limits[@]}" --rm --pod both "$image" hostname
	[ "$output" = pods ]
}

@test "podman --init" {
	expect 8 pod_run --rm --init "$image" sh -c 'exit 8'
}

@test "podman --cgroups=disabled" {
	expect 0 pod_run --rm --cgroups disabled "$image" echo free
	[ "$output" = free ]
}

@test "podman --preserve-fds" {
	run bash -c 'exec 4< <(echo passed); shift 0; "$@"' bash "$clients_folder/world" enter "$WORLD" podman --root "$WORLD/storage" \
		--runroot /run/containers/storage --tmpdir /run/libpod --storage-driver vfs --runtime brig run --rm --pull never \
		--network none "${limits[@]}" --preserve-fds 2 "$image" sh -c 'cat <&4' 3< /dev/null
	echo "$output"
	[ "$status" -eq 0 ]
	[ "$output" = passed ]
}

@test "podman run with a broken volume says so and leaves nothing" {
	run pod_run --rm --volume "$WORLD/tree/etc/passwd:/etc" "$image" true
	echo "$output"
	[ "$status" -ne 0 ]
	[[ $output == *"/etc"* ]]
}
