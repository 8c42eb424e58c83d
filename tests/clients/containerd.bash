# shellcheck shell=bash
# A containerd in the world, and what is to be left in it after a test. See clients.bash.

image=example.org/busybox:latest

containerd_setup() {
	world_start
	make_busybox_tree "$WORLD/tree"
	"$clients_folder/archive" "$WORLD/tree" "$WORLD/image.tar" "$image"
	cat > "$WORLD/containerd.toml" << TEXT
version = 2
root = "$WORLD/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper",
	"io.containerd.snapshotter.v1.zfs", "io.containerd.internal.v1.opt"]
TEXT
	containerd_start
	in_world ctr image import "$WORLD/image.tar"
}

containerd_start() {
	# A shim is found by PATH.
	in_world setsid sh -c 'echo $$ > "$1/containerd.pid"; PATH=$2:$PATH exec containerd --config "$1/containerd.toml"' \
		sh "$WORLD" "$BRIG_BUILD" >> "$WORLD/containerd.log" 2>&1 < /dev/null &
	wait_for 60 in_world ctr version
}

# As when it crashes.
containerd_kill() {
	in_world kill -KILL "$(cat "$WORLD/containerd.pid")"
	wait_for 60 containerd_is_gone
}

containerd_is_gone() {
	! in_world kill -0 "$(cat "$WORLD/containerd.pid")"
}

# More than once, where containerd itself is clearing up after a shim, or still has what a caller left that was ended.
containerd_clear() {
	wait_for 60 containerd_is_clear
}

containerd_is_clear() {
	local name

	for name in $(in_world ctr tasks ls --quiet); do
		in_world ctr tasks delete --force "$name" || true
	done
	for name in $(in_world ctr containers ls --quiet); do
		in_world ctr containers delete "$name" || true
	done
	[ -z "$(in_world ctr tasks ls --quiet)$(in_world ctr containers ls --quiet)" ]
}

task_is_trapped() { # NAME: of a shell with a trap for SIGTERM
	trapped "$(in_world ctr tasks ls | awk -v name="$1" '$1 == name { print $2 }')"
}

has_status() { # NAME STATUS
	in_world ctr tasks ls | grep -Eq "^$1 +[0-9]+ +$2"
}
