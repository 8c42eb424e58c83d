#!/usr/bin/env bats
# What CRI-O does with a handler of type `oci`, with Debian's conmon and without CRI-O: see `crio`.

# Dollars in single quotes are for the shell inside; clients.bash sets clients_folder.
# shellcheck disable=SC2016,SC2154
load clients.bash
bats_require_minimum_version 1.5.0

root=/run/brig
idle='trap "exit 5" TERM; while :; do sleep 0.1; done'

setup_file() {
	world_start
	make_busybox_tree "$WORLD/tree"
	CRIO_CONFIG=$BATS_TEST_DIRNAME/../integration/support/config.json
	export CRIO_CONFIG
}

teardown_file() {
	world_end
}

teardown() {
	local id

	for id in $(oci list --quiet); do
		oci delete --force "$id"
	done
	[ -z "$(oci list --quiet)" ]
	wait_for 60 nothing_is_left || {
		left
		return 1
	}
	in_world rm -rf /run/containers /run/lib /run/log /run/crio
}

# Of containers that are gone: monitors, processes, cgroups.
left() {
	in_world sh -c 'pgrep -l -x "conmon|sleep|sh" | grep -v "^$$ "; find /sys/fs/cgroup -path "*/crio-*" ! -name "crio-conmon-*" -type d'
}

nothing_is_left() {
	[ -z "$(left)" ]
}

crio() { # ACTION NAME...
	in_world "$clients_folder/crio" "$@"
}

# The calls that CRI-O makes itself.
oci() { # COMMAND...
	in_world "$BRIG" --root "$root" "$@"
}

id_of() { # NAME
	crio path "$1" id
}

oci_on() { # COMMAND NAME ARGUMENT...: brig COMMAND ID ARGUMENT...
	oci "$1" "$(id_of "$2")" "${@:3}"
}

file_of() { # NAME WHAT: what is in it
	in_world cat "$(crio path "$1" "$2")"
}

has_ended() { # NAME STATUS
	[ "$(file_of "$1" exit)" = "$2" ]
}

logs() { # NAME TEXT
	file_of "$1" log | grep -q "$2"
}

status_is() { # NAME STATUS
	oci_on state "$1" | grep -q "\"status\": *\"$2\""
}

is_trapped() { # NAME
	trapped "$(in_world cat "$(crio path "$1" bundle)/pidfile")"
}

bundle() { # NAME [KEY=VALUE...] -- COMMAND...
	crio bundle "$1" "tree=$WORLD/tree" "${@:2}" > /dev/null
}

run_shell() { # NAME SCRIPT [KEY=VALUE...]: created and started
	bundle "$1" "${@:3}" -- sh -c "$2"
	crio create "$1" > /dev/null
	oci_on start "$1"
}

@test "CRI-O's probes: --version and features, with nothing on stderr" {
	expect 0 oci --version
	expect 0 in_world "$BRIG" features
	python3 -c 'import json, sys; f = json.loads(sys.argv[1]); assert f["ociVersionMin"] and f["ociVersionMax"]' "$output"
	expect 0 oci checkpoint --help
}

@test "create, start, state, exit file, log, delete" {
	local pid

	bundle one -- sh -c 'echo out; echo err >&2; printf partial; exit 7'
	pid=$(crio create one)
	status_is one created
	[ "$(in_world cat "$(crio path one bundle)/pidfile")" = "$pid" ]
	[ "$(file_of one log)" = "" ]
	expect 0 oci_on start one
	[ -z "$output" ]
	wait_for 60 has_ended one 7
	status_is one stopped
	expect 0 file_of one log
	[[ ${lines[*]} =~ [0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+[-+Z][0-9:]*\ stdout\ F\ out ]]
	[[ ${lines[*]} == *" stderr F err"* ]]
	[[ ${lines[*]} == *" stdout P partial"* ]]
	expect 0 oci delete --force "$(id_of one)"
	expect 0 oci delete --force "$(id_of one)"
	expect 1 oci_on state one
	[[ $output == *"container does not exist"* ]]
}

@test "a container that can't be made: the reason comes through the monitor, and nothing is left" {
	bundle one -- missing
	expect 255 crio create one
	[[ $output == *'executable file not found in $PATH'* ]]
	bundle two bind=/run/absent:/mnt -- true
	expect 255 crio create two
	[[ $output == *"/run/absent"* ]]
	[ -z "$(oci list --quiet)" ]
}

@test "the same id twice is refused, and the first container lives on" {
	run_shell one "$idle"
	expect 255 crio create one
	[[ $output == *"already exists"* ]]
	status_is one running
}

@test "exec sync: output, both streams, exit code, user, a missing program" {
	run_shell one "$idle" user=1000
	expect 0 crio exec-sync one -- sh -c 'id -u; cat /etc/not-a-program'
	[ "$output" = $'1000\ntext' ]
	expect 9 crio exec-sync one -- sh -c 'echo bad >&2; exit 9'
	[ "$output" = bad ]
	expect 0 crio exec-sync one -- sh -c 'head -c 300000 /dev/zero | tr "\0" x'
	[ "${#output}" -eq 300000 ]
	expect 255 crio exec-sync one -- missing
	[[ $output == *'executable file not found in $PATH'* ]]
	expect 255 crio exec-sync one -- /etc/not-a-program
	[[ $output == *"ermission denied"* ]]
	expect 137 crio exec-sync one -- sh -c 'kill -KILL $$'
	status_is one running
}

@test "exec sync: ten a second leave nothing behind" {
	run_shell one "$idle"
	for _ in $(seq 20); do
		expect 0 crio exec-sync one timeout=60 -- true
	done
	expect 0 oci ps --format json "$(id_of one)"
	[ "$(python3 -c 'import json, sys; print(len(json.loads(sys.argv[1])))' "$output")" -le 2 ]
}

@test "exec sync: a time-out is told as one, ends the process and leaves the container alone" {
	run_shell one "$idle"
	expect 255 crio exec-sync one timeout=1 -- sh -c 'exec sleep 1000'
	[[ $output == *"timed out"* ]]
	wait_for 60 no_sleeper
	status_is one running
	expect 0 crio exec-sync one timeout=60 -- echo after
	[ "$output" = after ]
}

no_sleeper() {
	! in_world pgrep -f '^sleep 1000'
}

@test "exec sync in a container with a terminal" {
	bundle one tty=1 -- sh -c "$idle"
	crio create one tty > /dev/null
	oci_on start one
	expect 4 crio exec-sync one tty -- sh -c 'tty; exit 4'
	[[ $output == */dev/pts/* ]]
}

@test "exec with streams: input, both outputs, exit code" {
	local process

	run_shell one "$idle"
	process=$(crio process one -- sh -c 'wc -c; echo err >&2; exit 6')
	status=0
	head -c 300000 /dev/zero | oci exec --process "$process" "$(id_of one)" > "$WORLD/out" 2> "$WORLD/err" || status=$?
	[ "$status" -eq 6 ]
	[ "$(cat "$WORLD/out")" = 300000 ]
	[ "$(cat "$WORLD/err")" = err ]
}

@test "exec with a terminal: the right size, which follows a change" {
	local process

	run_shell one "$idle"
	process=$(crio process one tty -- sh)
	run "$clients_folder/terminal" "when:# " "send:stty size" "when:24 80" "resize:40x100" "when:# " \
		"send:until [ \"\$(stty size)\" = \"40\"\" 100\" ]; do sleep 0.1; done; stty size; tty; exit 3" "when:40 100" -- \
		"$clients_folder/world" enter "$WORLD" "$BRIG" --root "$root" exec --process "$process" "$(id_of one)"
	echo "$output"
	[ "$status" -eq 3 ]
	[[ $output == */dev/pts/* ]]
}

@test "attach: what the container writes, and what it is given" {
	bundle one -- sh -c 'read line; echo "got $line"; echo error >&2; cat > /dev/null; exit 8'
	crio create one stdin-open > /dev/null
	oci_on start one
	(echo word; wait_for 60 logs one error) | crio attach one stdin > "$WORLD/out" 2> "$WORLD/err" 3>&- &
	wait_for 60 grep -q "got word" "$WORLD/out"
	wait_for 60 grep -q error "$WORLD/err"
	# The input stays open when the attached client is gone.
	wait_for 60 logs one "stdout F got word"
	status_is one running
	oci_on kill one KILL
	wait_for 60 has_ended one 137
	wait $!
}

@test "attach: with stdin once, the client's end is the input's end" {
	bundle one -- sh -c 'wc -c; exit 8'
	crio create one stdin > /dev/null
	oci_on start one
	head -c 100000 /dev/zero | crio attach one stdin > "$WORLD/out" 2> /dev/null
	wait_for 60 has_ended one 8
	logs one "stdout F 100000"
}

@test "a terminal: attach, resize by the ctl fifo" {
	bundle one tty=1 -- sh -c 'trap "stty size" WINCH; echo ready; while :; do sleep 0.1; done'
	crio create one tty > /dev/null
	oci_on start one
	wait_for 60 logs one ready
	crio attach one > "$WORLD/out" 2> "$WORLD/err" < /dev/null 3>&- &
	wait_for 60 grep -q attached "$WORLD/err"
	in_world sh -c 'echo "1 33 77" > "$1/ctl"' sh "$(crio path one bundle)"
	wait_for 60 grep -q "33 77" "$WORLD/out"
	oci_on kill one KILL
	wait_for 60 has_ended one 137
	wait $!
}

@test "the log is opened anew, and no line is lost" {
	local log

	run_shell one 'i=0; while [ ! -e /tmp/stop ]; do i=$((i + 1)); echo $i; done; echo last; rm /tmp/stop'
	log=$(crio path one log)
	wait_for 60 logs one "stdout F 100"
	in_world mv "$log" "$log.1"
	crio reopen one
	wait_for 60 logs one stdout
	# What it starts may be ended with the container before it has ended itself.
	crio exec-sync one -- touch /tmp/stop || [ $? -eq 137 ]
	wait_for 60 has_ended one 0
	# A line that conmon read in two parts is two entries, the first one with a P.
	in_world cat "$log.1" "$log" | awk '{ printf "%s%s", $4, ($3 == "F" ? "\n" : "") }' > "$WORLD/lines"
	[ "$(tail -n 1 "$WORLD/lines")" = last ]
	sed '$d' "$WORLD/lines" | awk '$1 != NR { print "line " NR ": " $0; exit 1 }'
}

@test "stop: the stop signal by name, then KILL, and a dead one is told as CRI-O knows it" {
	run_shell one "$idle"
	wait_for 60 is_trapped one
	expect 0 oci_on kill one SIGTERM
	wait_for 60 has_ended one 5
	expect 1 oci_on kill one SIGTERM
	[[ $output == *"container not running"* ]]
	run_shell two 'trap "" TERM; while :; do sleep 0.1; done'
	expect 0 oci_on kill two TERM
	status_is two running
	expect 0 oci_on kill two KILL
	wait_for 60 has_ended two 137
	run_shell three "$idle"
	wait_for 60 is_trapped three
	expect 0 oci_on kill three 15
	wait_for 60 has_ended three 5
}

@test "a container of the host's processes: kill -a ends what its first process left" {
	run_shell one 'sleep 1000 & exit 2' pid=host
	wait_for 60 has_ended one 2
	status_is one stopped
	wait_for 60 in_world pgrep -f '^sleep 1000'
	expect 0 oci kill -a "$(id_of one)" 9
	wait_for 60 no_sleeper
}

@test "delete --force ends a container that runs" {
	run_shell one "$idle; sleep 1000"
	expect 0 oci delete --force "$(id_of one)"
	wait_for 60 has_ended one 137
	expect 1 oci_on state one
}

@test "pause, resume, update" {
	run_shell one "$idle"
	expect 0 oci_on pause one
	status_is one paused
	expect 0 oci_on resume one
	status_is one running
	echo '{"memory": {"limit": 33554432}, "cpu": {"shares": 512}}' | oci update --resources - "$(id_of one)"
	expect 0 in_world sh -c 'cat /sys/fs/cgroup/memory/kubepods/*/crio-*/memory.limit_in_bytes 2> /dev/null ||
		cat /sys/fs/cgroup/kubepods/*/crio-*/memory.max'
	[[ $output == *33554432* ]]
}

@test "out of memory: the files that CRI-O looks for, and the status" {
	run_shell one 'x=$(head -c 100m /dev/zero | tr "\0" x); echo survived' memory=16777216
	wait_for 60 has_ended one 137
	in_world test -e "$(crio path one bundle)/oom"
	in_world test -e "$(crio path one persist)/oom"
	run ! logs one survived
}

@test "a pod without an infra container: containers in namespaces that are pinned" {
	local pins=/run/pins kind

	in_world sh -c 'mkdir -p $1 && touch $1/ipc $1/net $1/uts && unshare --ipc=$1/ipc --net=$1/net --uts=$1/uts sh -c "hostname pod; ip link set lo up"' \
		sh "$pins"
	for name in one two; do
		run_shell "$name" "$idle" pod=/kubepods/podshared "ipc=$pins/ipc" "net=$pins/net" "uts=$pins/uts"
	done
	for kind in ipc net uts; do
		[ "$(crio exec-sync one -- readlink "/proc/self/ns/$kind")" = "$(crio exec-sync two -- readlink "/proc/self/ns/$kind")" ]
	done
	[ "$(crio exec-sync one -- readlink /proc/self/ns/pid)" != "$(crio exec-sync two -- readlink /proc/self/ns/pid)" ]
	expect 0 crio exec-sync two -- hostname
	[ "$output" = pod ]
	oci delete --force "$(id_of one)"
	expect 0 crio exec-sync two -- hostname
	oci delete --force "$(id_of two)"
	in_world umount "$pins/ipc" "$pins/net" "$pins/uts"
}

@test "a pod with an infra container: the others join its processes' namespace, and end with it" {
	local pid

	run_shell infra "$idle" pod=/kubepods/podinfra annotation=io.kubernetes.cri-o.ContainerType:sandbox
	pid=$(in_world cat "$(crio path infra bundle)/pidfile")
	run_shell one 'echo "I am $$"; while :; do sleep 0.1; done' pod=/kubepods/podinfra "ipc=/proc/$pid/ns/ipc" "net=/proc/$pid/ns/net" \
		"uts=/proc/$pid/ns/uts" "pid=/proc/$pid/ns/pid"
	wait_for 60 logs one "I am"
	run ! logs one "I am 1$"
	expect 0 crio exec-sync one -- ps
	[[ $output == *"exit 5"* ]]
	oci_on kill infra KILL
	wait_for 60 has_ended one 137
	wait_for 60 has_ended infra 137
}

@test "CRI-O goes away between create and start: the monitor stays, and so do log and exit file" {
	bundle one -- sh -c 'echo alone; exit 3'
	crio create one > /dev/null
	in_world kill -0 "$(in_world cat "$(crio path one bundle)/conmon-pidfile")"
	oci_on start one
	wait_for 60 has_ended one 3
	logs one "stdout F alone"
}

@test "the monitor is killed: state is right, and delete removes all" {
	run_shell one "$idle"
	in_world kill -KILL "$(in_world cat "$(crio path one bundle)/conmon-pidfile")"
	status_is one running
	expect 0 oci_on kill one KILL
	wait_for 60 status_is one stopped
	expect 0 oci delete --force "$(id_of one)"
}

@test "ten containers at the same time" {
	local pids=()

	for number in $(seq 10); do
		run_shell "p$number" "echo number $number; exit $number" 3>&- &
		pids+=($!)
	done
	wait "${pids[@]}"
	for number in $(seq 10); do
		wait_for 60 has_ended "p$number" "$number"
		logs "p$number" "stdout F number $number"
	done
}
