#!/usr/bin/env bats
# bats file_tags=strict
# Debian's docker, and brig as one of its runtimes: dockerd with a containerd of its own, without a bridge and without rules of its own for packets.

# Dollars in single quotes are for the shell inside; clients.bash sets clients_folder.
# shellcheck disable=SC2016,SC2154
load clients.bash

waiting=(sh -c 'trap "echo bye; exit 5" TERM; echo ready; while :; do sleep 0.1; done')

setup_file() {
	DOCKER=$("$clients_folder/../support/docker")/usr
	export DOCKER
	mkdir -p "$BATS_FILE_TMPDIR/world/etc/docker"
	# dockerd's own hook, in each container: docs/policy.md.
	if [[ ${BRIG_SITE_POLICY:-} == */strict.json ]]; then
		echo '{ "set": "strict", "rules": { "hook": "warn" } }' > "$BATS_FILE_TMPDIR/policy.json"
		export BRIG_SITE_POLICY=$BATS_FILE_TMPDIR/policy.json IS_STRICT=1
	fi
	world_start
	make_busybox_tree "$WORLD/tree"
	in_world mount -t tmpfs tmpfs /etc/docker
	printf '{ "runtimes": { "brig": { "path": "%s" } } }\n' "$BRIG" > "$WORLD/daemon.json"
	daemon containerd --root "$WORLD/containerd" --state /run/containerd --address /run/containerd/containerd.sock
	wait_for 60 in_world ctr version
	daemon dockerd --config-file "$WORLD/daemon.json" --data-root "$WORLD/docker" --storage-driver vfs --containerd /run/containerd/containerd.sock \
		--iptables=false --ip6tables=false --ip-forward=false --bridge=none
	wait_for 60 docker version
	tar -C "$WORLD/tree" -c . | docker import - busybox
}

teardown_file() {
	world_end
}

teardown() {
	local name

	if [ -z "$BATS_TEST_COMPLETED" ]; then
		tail -n 20 "$WORLD/dockerd.log"
	fi
	for name in $(docker ps --all --quiet); do
		docker rm --force "$name" > /dev/null
	done
	# Nothing of a removed container may be left in the runtime or in the cgroup trees.
	wait_for 60 nothing_is_left
}

nothing_is_left() {
	[ -z "$(states)" ] && [ -z "$(in_world find /sys/fs/cgroup -path '*/docker/?*' -type d)" ]
}

states() {
	in_world find /run/docker -name state.json
}

daemon() { # COMMAND...: in the background, until the world's end
	in_world setsid env PATH="$DOCKER/sbin:$DOCKER/bin:/usr/sbin:/usr/bin:/sbin:/bin" "$@" > "$WORLD/$1.log" 2>&1 < /dev/null &
}

docker() {
	in_world "$DOCKER/bin/docker" "$@"
}

docker_run() { # OPTION... IMAGE COMMAND...
	docker run --runtime brig --network none "$@"
}

docker_start() { # NAME OPTION...: one that waits, and ends well on SIGTERM
	local name=$1
	shift

	docker_run --detach --name "$name" "$@" busybox "${waiting[@]}"
	wait_for 60 is_ready "$name"
}

is_ready() {
	[[ $(docker logs "$1") == *ready* ]]
}

@test "docker run shows the output and ends with the program's status, and brig ran it" {
	expect 7 docker_run --rm busybox sh -c 'echo hello; grep -c . /proc/self/uid_map; grep Seccomp: /proc/self/status; exit 7'
	[ "${lines[0]}" = hello ]
	[ "${lines[2]}" = "Seccomp:	2" ]
	expect 0 docker_run --rm --env NAME=value --user 1000 --workdir /tmp busybox sh -c 'id -u; pwd; echo $NAME'
	[ "${lines[*]}" = "1000 /tmp value" ]
	expect 127 docker_run --rm busybox missing
	[[ $output == *"executable file not found"* ]]
}

@test "docker exec, logs and stop" {
	docker_start one
	expect 0 docker exec one cat /etc/not-a-program
	[ "$output" = text ]
	expect 3 docker exec one sh -c 'exit 3'
	[ "$(states)" = "/run/docker/runtime-runc/moby/$(docker inspect --format '{{.Id}}' one)/state.json" ]
	expect 0 docker stop --time 30 one
	expect 0 docker logs one
	[[ $output == *bye* ]]
	[ "$(docker inspect --format '{{.State.Status}} {{.State.ExitCode}}' one)" = "exited 5" ]
}

@test "docker's limits are those of the container's cgroup, and docker update changes them" {
	local group

	docker_start one --memory 64m --pids-limit 50
	group=$(in_world find /sys/fs/cgroup -path "*/docker/$(docker inspect --format '{{.Id}}' one)" -type d)
	[ "$(limit pids.max "$group")" = 50 ]
	[ "$(limit "memory.max memory.limit_in_bytes" "$group")" = 67108864 ]
	expect 0 docker update --pids-limit 60 one
	[ "$(limit pids.max "$group")" = 60 ]
}

limit() { # FILES FOLDERS: the first of the files that is there
	local folder file

	for folder in $2; do
		for file in $1; do
			if in_world test -e "$folder/$file"; then
				in_world cat "$folder/$file"
				return
			fi
		done
	done
}

@test "docker ends one that does not end by itself, and pauses" {
	docker_run --detach --name one busybox sleep 1000
	expect 0 docker pause one
	[ "$(docker inspect --format '{{.State.Status}}' one)" = paused ]
	expect 0 docker unpause one
	expect 0 docker kill one
	wait_for 60 has_ended one
	[ "$(docker inspect --format '{{.State.ExitCode}}' one)" = 137 ]
}

has_ended() {
	[ "$(docker inspect --format '{{.State.Status}}' "$1")" = exited ]
}

@test "under strict, dockerd's own hook is what a policy has to let through" {
	if [ -z "${IS_STRICT:-}" ]; then
		skip "the policy is conformant"
	fi
	in_world mount -t tmpfs tmpfs /etc/brig
	in_world sh -c 'echo "{ \"set\": \"strict\" }" > /etc/brig/policy.json'
	expect 125 docker_run --rm busybox true
	in_world umount /etc/brig
	[[ $output == *"rule hook of policy strict"*hook_directories* ]]
	expect 0 docker_run --rm busybox true
}

# bats test_tags=asks-more
@test "docker builds the installer's image by its recipe, with what every builder knows" {
	"$clients_folder/../../deploy/install/payload" "$BRIG_BUILD" "$WORLD/context"
	# In place of Debian's image: the same programs as far as the recipe calls them. Its own builder, without BuildKit.
	mkdir "$WORLD/base"
	printf 'FROM busybox\nCOPY apt-get /usr/bin/apt-get\n' > "$WORLD/base/Dockerfile"
	printf '#!/bin/sh\n' > "$WORLD/base/apt-get"
	chmod 755 "$WORLD/base/apt-get"
	expect 0 in_world env DOCKER_BUILDKIT=0 "$DOCKER/bin/docker" build --tag debian:bookworm-slim "$WORLD/base"
	expect 0 in_world env DOCKER_BUILDKIT=0 "$DOCKER/bin/docker" build --network none --file "$WORLD/context/Containerfile" --tag installer "$WORLD/context"
	[ "$(docker inspect --format '{{.Config.User}} {{.Config.Entrypoint}}' installer)" = '65534:65534 [/usr/local/bin/brig-install]' ]
	expect 0 docker_run --rm --entrypoint ls installer -ld /usr/local/bin/brig-install /payload/brig
	[[ ${lines[0]} == -rwxr-xr-x* && ${lines[1]} == -rwxr-xr-x* ]]
	docker rmi --force installer debian:bookworm-slim > /dev/null
}
