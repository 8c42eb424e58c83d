#!/usr/bin/env bats
# tiers: systemd uml qemu
# seconds: 60
# with: clients
# shellcheck disable=SC2001,SC2016,SC2030,SC2031,SC2153,SC2154 # scripts of other languages; bats: a subshell a test, $stderr
# Debian's podman and containerd with systemd as the cgroup manager on both sides, and brig as their runtime; brig with a user's own systemd.

load ../../integration/support/common

IMAGE=localhost/busybox

setup_file() {
	local tree=$BATS_FILE_TMPDIR/tree name

	mkdir -p "$tree"/{bin,etc,tmp,proc,sys,dev,root}
	cp "$(command -v busybox)" "$tree/bin/busybox"
	for name in sh sleep echo cat true kill; do
		ln -s busybox "$tree/bin/$name"
	done
	printf 'root:x:0:0:root:/root:/bin/sh\n' > "$tree/etc/passwd"
	tar -C "$tree" -cf "$BATS_FILE_TMPDIR/tree.tar" .
	export IMAGE_TAR=$BATS_FILE_TMPDIR/tree.tar TREE=$tree
	mkdir -p /etc/containers
	echo '{ "default": [{ "type": "insecureAcceptAnything" }] }' > /etc/containers/policy.json
	mkdir -p /usr/local/bin
	cp "$BRIG" /usr/local/bin/brig
	cp "$BRIG_BUILD/containerd-shim-brig-v2" /usr/local/bin/
	pod import --quiet "$IMAGE_TAR" "$IMAGE" > /dev/null
}

pod() {
	podman --root "$BATS_FILE_TMPDIR/storage" --runroot /run/containers/storage --storage-driver vfs --cgroup-manager systemd \
		--events-backend file --log-level error --runtime /usr/local/bin/brig "$@"
}

# Limits that this guest has no controllers for are an error: podman's default is one.
pod_start() { # NAME OPTION...
	local name=$1

	shift
	must pod run --detach --name "$name" --pull never --network none "${plain[@]}" "$@" "$IMAGE" sleep 300
	CONTAINER=$(pod inspect "$name" --format '{{.Id}}')
	UNIT=libpod-$CONTAINER.scope
}

prepare() {
	plain=(--ulimit nofile=1024:1024 --ulimit nproc=1000:1000)
	has_controller pids || plain+=(--pids-limit 0)
}

teardown() {
	pod pod rm --all --force > /dev/null 2>&1 || true
	pod rm --all --force --time 0 > /dev/null 2>&1 || true
	cleanup_all
}

has_controller() {
	grep -qw "$1" /sys/fs/cgroup/cgroup.controllers
}

property() { # NAME UNIT
	systemctl show --value --property="$1" "$2"
}

is_gone() { # UNIT
	[ "$(property LoadState "$1")" = not-found ]
}

@test "podman with systemd as its cgroup manager: a scope in machine.slice, exec, stop" {
	pod_start one
	expect_equal "$(property ActiveState "$UNIT")" active
	expect_equal "$(property Slice "$UNIT")" machine.slice
	expect_equal "$(property Delegate "$UNIT")" yes
	must pod exec one cat /proc/self/cgroup
	must pod stop --time 0 one
	must pod rm one
	wait_until is_gone "$UNIT"
}

# bats test_tags=not-in-uml
@test "systemctl status, systemd-cgls and systemd-cgtop show it" {
	pod_start shown
	must systemctl status --no-pager "$UNIT"
	expect_like "$output" 'active \(running\)'
	expect_like "$output" 'sleep 300'
	must systemctl list-units --no-pager --plain --no-legend 'libpod-*.scope'
	expect_like "$output" "$UNIT +loaded active running"
	must systemd-cgls --no-pager
	expect_like "$output" "$UNIT"
	# It numbers processes by group, which needs no controller. Two rounds: the first has no rates.
	must systemd-cgtop --batch --iterations=2 --delay=100ms --depth=4 --order=path -P
	expect_like "$output" "machine.slice/$UNIT +1 "
}

@test "podman's limits are systemd's properties, also after an update and daemon-reload" {
	has_controller memory || skip "this guest has no controllers"
	pod_start limited --memory 64m --pids-limit 55 --cpus 0.5
	expect_equal "$(property MemoryMax "$UNIT")" 67108864
	expect_equal "$(property TasksMax "$UNIT")" 55
	systemctl daemon-reload
	must pod exec limited cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max /sys/fs/cgroup/cpu.max
	expect_equal "$output" $'67108864\n55\n50000 100000'
}

is_not_active() { # UNIT
	[ "$(property ActiveState "$1")" != active ]
}

# bats test_tags=not-in-uml
@test "podman's pod is a slice, and its containers are scopes in it" {
	local slice id ids options=()

	has_controller memory && options=(--memory 96m --cpus 0.5)
	# What `pod create` takes no options for.
	printf '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1000:1000"]\n' > "$T/containers.conf"
	has_controller pids || echo 'pids_limit = 0' >> "$T/containers.conf"
	export CONTAINERS_CONF=$T/containers.conf
	must pod pod create --name together --network none --infra-image "$IMAGE" --infra-command 'sleep 300' "${options[@]}"
	must pod run --detach --pod together --name member --pull never "${plain[@]}" "$IMAGE" sleep 300
	slice=machine-libpod_pod_$(pod pod inspect together --format '{{.ID}}').slice
	expect_equal "$(property ActiveState "$slice")" active
	must pod ps --all --no-trunc --pod --filter pod=together --format '{{.ID}}'
	ids=$output
	expect_equal "$(wc -l <<< "$ids")" 2
	for id in $ids; do
		expect_equal "$(property ControlGroup "libpod-$id.scope")" "/machine.slice/$slice/libpod-$id.scope"
		expect_equal "$(property ActiveState "libpod-$id.scope")" active
	done
	if has_controller memory; then
		systemctl daemon-reload
		expect_equal "$(cat "/sys/fs/cgroup/machine.slice/$slice"/{memory,cpu}.max)" $'100663296\n50000 100000'
	fi
	must pod exec member true
	must pod pod rm --force together
	wait_until is_not_active "$slice"
	for id in $ids; do
		wait_until is_gone "libpod-$id.scope"
	done
}

# bats test_tags=not-in-uml
@test "a unit that podman generates runs a container as a service" {
	must pod create --name served --pull never --network none "${plain[@]}" "$IMAGE" sleep 300
	must pod generate systemd --name served
	# Its own idea of podman's options is that of podman's defaults.
	sed "s|/usr/bin/podman |&--root $BATS_FILE_TMPDIR/storage --runroot /run/containers/storage --storage-driver vfs --cgroup-manager systemd --runtime /usr/local/bin/brig |;
		/RequiresMountsFor\|network-online/d; s/^Type=.*/&\nDefaultDependencies=no/; /^DefaultDependencies/d" <<< "$output" |
		sed 's/^\[Unit\]/&\nDefaultDependencies=no/' > /run/systemd/system/served.service
	systemctl daemon-reload
	must timeout 100 systemctl start served.service
	expect_equal "$(property ActiveState served.service)" active
	must pod exec served true
	must timeout 100 systemctl stop served.service
	must systemctl show --value --property=Result served.service
	rm /run/systemd/system/served.service
}

start_containerd() {
	cat > "$T/containerd.toml" <<- TEXT
		version = 2
		root = "$T/containerd"
		state = "/run/containerd"
		disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs",
			"io.containerd.internal.v1.opt", "io.containerd.grpc.v1.cri", "io.containerd.tracing.processor.v1.otlp"]
	TEXT
	helper containerd --config "$T/containerd.toml"
	wait_until ctr version > /dev/null 2>&1
	"$BRIG_SOURCE/tests/clients/archive" "$TREE" "$T/image.tar" example.org/busybox:latest
	must ctr image import --snapshotter native "$T/image.tar"
}

# As kubelet and containerd's CRI say it: a slice, a prefix and a name.
in_a_kubelets_slice() { # RUN-FUNCTION
	start_containerd
	"$1" "kubepods-besteffort-pod$$.slice:cri-containerd:$ID" example.org/busybox:latest "$ID" sleep 300 < /dev/null > "$T/run" 2>&1 3>&- 4>&- ||
		flunk "$(< "$T/run")" "$(tail -n 5 "$T/helper.out")"
	expect_equal "$(property ActiveState "cri-containerd-$ID.scope")" active
	expect_equal "$(property ControlGroup "cri-containerd-$ID.scope")" \
		"/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod$$.slice/cri-containerd-$ID.scope"
	must systemctl status --no-pager "cri-containerd-$ID.scope"
	expect_like "$output" 'sleep 300'
	must ctr task exec --exec-id e1 "$ID" cat /proc/self/cgroup
	must ctr task metrics "$ID"
	must ctr task kill --signal KILL "$ID"
	wait_until ctr_stopped
	must ctr task delete "$ID"
	must ctr container delete "$ID"
	wait_until is_gone "cri-containerd-$ID.scope"
	systemctl stop kubepods.slice
}

run_by_shim() { # CGROUP IMAGE ID COMMAND...
	ctr run --detach --snapshotter native --runtime io.containerd.brig.v2 --runtime-config-path "$T/brig.toml" --cgroup "$@"
}

run_by_their_shim() { # CGROUP IMAGE ID COMMAND...
	ctr run --detach --snapshotter native --runtime io.containerd.runc.v2 --runc-binary /usr/local/bin/brig --runc-systemd-cgroup --cgroup "$@"
}

@test "containerd 1.6 and brig's shim with systemd on both sides: a kubelet's slice, exec, the scope's end" {
	echo 'cgroup_driver = "systemd"' > "$T/brig.toml"
	in_a_kubelets_slice run_by_shim
}

@test "containerd 1.6 with SystemdCgroup, its own shim and brig as the runtime" {
	in_a_kubelets_slice run_by_their_shim
}

ctr_stopped() {
	ctr task ls | grep -q "^$ID .*STOPPED"
}

as_sailor() {
	setpriv --reuid=sailor --regid=sailor --init-groups env -i HOME=/home/sailor USER=sailor PATH="$PATH" XDG_RUNTIME_DIR=/run/user/1000 \
		DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/1000/bus BRIG_TEST="$ID" "$@"
}

has_bus() {
	as_sailor systemctl --user show --property=Version > /dev/null 2>&1
}

start_user_manager() {
	install -d -o sailor -g sailor -m 700 /run/user/1000
	systemctl start user@1000.service
	wait_until has_bus
}

# From a process of his own systemd, as a desktop's terminals are: others may not move processes into its groups (cgroups(7), delegation).
sailor_brig() {
	as_sailor systemd-run --user --scope --quiet --collect /usr/local/bin/brig --root "$ROOT" "$@"
}

sailor_lacks() { # UNIT
	[ "$(as_sailor systemctl --user show --value --property=LoadState "$1")" = not-found ]
}

@test "an ordinary user's container is a scope of his own systemd" {
	start_user_manager
	chown -hR sailor:sailor "$T"
	program sleep 300
	must as_sailor sh -c 'cd "$1"; rm config.json; brig spec --rootless' sh "$BUNDLE"
	config '.process.terminal = false | .process.args = ["sleep", "300"] | .process.env += [$mark]' --arg mark "BRIG_TEST=$ID"
	must sailor_brig --systemd-cgroup run --detach --bundle "$BUNDLE" "$ID"
	must as_sailor systemctl --user show --value --property=ActiveState "brig-$ID.scope"
	expect_equal "$output" active
	must as_sailor systemctl --user status --no-pager "brig-$ID.scope"
	expect_like "$output" 'sleep 300'
	must as_sailor systemctl --user show --value --property=ControlGroup "brig-$ID.scope"
	expect_like "$output" "/user-1000.slice/user@1000.service/.*brig-$ID.scope"
	must sailor_brig exec "$ID" true
	# A process of the system's part, such as a login by ssh without one of the user's own.
	must_fail 255 'systemd-run --user --scope' as_sailor /usr/local/bin/brig --root "$ROOT" exec "$ID" true
	must sailor_brig delete --force "$ID"
	wait_until sailor_lacks "brig-$ID.scope"
}

@test "an ordinary user's limits, where his systemd has the controllers" {
	has_controller memory || skip "this guest has no controllers"
	start_user_manager
	chown -hR sailor:sailor "$T"
	must as_sailor sh -c 'cd "$1"; rm config.json; brig spec --rootless' sh "$BUNDLE"
	config '.process.terminal = false | .process.args = ["sleep", "300"] | .process.env += [$mark] | .linux.resources = { memory: { limit: 67108864 },
		pids: { limit: 33 } }' --arg mark "BRIG_TEST=$ID"
	must sailor_brig --systemd-cgroup run --detach --bundle "$BUNDLE" "$ID"
	must as_sailor systemctl --user show --value --property=MemoryMax "brig-$ID.scope"
	expect_equal "$output" 67108864
	must as_sailor systemctl --user show --value --property=TasksMax "brig-$ID.scope"
	expect_equal "$output" 33
	must sailor_brig update --pids-limit 44 "$ID"
	must as_sailor systemctl --user daemon-reload
	must as_sailor systemctl --user show --value --property=TasksMax "brig-$ID.scope"
	expect_equal "$output" 44
	must sailor_brig delete --force "$ID"
}
