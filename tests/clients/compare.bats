#!/usr/bin/env bats
# deploy/compare: one job under each runtime of a node.

# shellcheck disable=SC2016,SC2154 # for the shell inside; clients.bash sets clients_folder
load clients.bash
load containerd.bash

setup_file() {
	containerd_setup
}

teardown_file() {
	world_end
}

teardown() {
	containerd_clear
	[ -z "$(in_world ctr containers ls --quiet)" ]
}

compare() {
	in_world env PATH="$BRIG_BUILD:$PATH" "$BRIG_SOURCE/deploy/compare/compare-handlers" "$@"
}

@test "a job's cost under runc and brig, side by side" {
	expect 0 compare --rounds 2 --only runc,brig "$image" -- sh -c 'i=0; while [ $i -lt 20000 ]; do i=$((i + 1)); done'
	[[ ${lines[0]} == *"start-up, ms"*"job, s"*"processor, s"*"memory, MiB"*"read, MiB"*"written, MiB"* ]]
	# Time was spent under both, and each is told with its ratio.
	[[ ${lines[1]} =~ ^runc\ +[0-9.]+\ \(1.00\)\ +[0-9.]+\ \(1.00\)\ +0*[1-9.][0-9.]*\ \(1.00\) ]]
	[[ ${lines[2]} =~ ^brig\ +[0-9.]+\ \([0-9.]+\)\ +[0-9.]+\ \([0-9.]+\)\ +0*[1-9.][0-9.]*\ \([0-9.]+\) ]]
	[ "${#lines[@]}" -eq 3 ]
}

@test "a job that fails, an image that is not there, a runtime that is none: said, with status 1" {
	expect 1 compare --rounds 1 --only brig "$image" -- false
	[[ $output == *"brig: failed: the job's exit status is 1"* ]]
	expect 1 compare --rounds 1 --only brig example.org/none:1 -- true
	[[ $output == *"brig: failed: "*"not found"* ]]
	expect 1 compare --only rkt "$image" -- true
	[[ $output == *"--only rkt: not one of runc, crun"* ]]
}
