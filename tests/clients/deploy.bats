#!/usr/bin/env bats
# What deploy/ ships, as far as the callers that it is for are here: Debian's containerd reads its drop-ins and runs with its base
# specification; for CRI-O's what its own checks want.

# Dollars in single quotes are for the shell inside; clients.bash sets clients_folder.
# shellcheck disable=SC2016,SC2154
load clients.bash

setup_file() {
	world_start
	make_busybox_tree "$WORLD/tree"
	DEPLOY=$(readlink -f "$BATS_TEST_DIRNAME/../../deploy")
	export DEPLOY
}

teardown_file() {
	world_end
}

# containerd's settings with a drop-in appended as README.md says, every option of it that is commented out switched on, and this
# tree's files for the installed ones.
with_drop_in() { # FILE
	{
		cat << TEXT
version = 2
root = "$WORLD/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs",
	"io.containerd.internal.v1.opt"]
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "example.org/pause:1"
TEXT
		sed -e /^version/d -e 's/^#\(\[\|[A-Za-z_]* = \)/\1/' \
			-e "s#/etc/brig/base-runtime-spec.json#$DEPLOY/containerd/base-runtime-spec.json#" \
			-e "s#/etc/brig/containerd[-a-z]*.toml#$DEPLOY/containerd/options.toml#" "$DEPLOY/containerd/$1"
	} > "$WORLD/containerd.toml"
}

# What containerd makes of it, of one handler: its lines in one, without blanks.
handler() { # NAME
	in_world containerd --config "$WORLD/containerd.toml" config dump |
		awk -v name="runtimes.$1" '/^ *\[/ { on = index($0, name "]") || index($0, name ".options]") } on' | tr -d ' \n'
}

@test "containerd 1.6 reads the drop-in of brig's shim" {
	with_drop_in brig-1.toml
	for name in brig brig-baseline; do
		found=$(handler "$name")
		echo "$found"
		[[ $found == *'runtime_type="io.containerd.brig.v2"'* ]]
		[[ $found == *'pod_annotations=["brig.dev/*"]'* ]]
		[[ $found == *'container_annotations=["brig.dev/*","io.kubernetes.container.terminationMessagePath"]'* ]]
		[[ $found == *"base_runtime_spec=\"$DEPLOY/containerd/base-runtime-spec.json\""* ]]
		[[ $found == *'options]ConfigPath="'* ]]
	done
	[[ $(handler runc) == *'runtime_type="io.containerd.runc.v2"'* ]]
	# What was there before is there still.
	in_world containerd --config "$WORLD/containerd.toml" config dump | grep -q 'sandbox_image = "example.org/pause:1"'
}

@test "containerd 1.6 reads the drop-in for its runc shim" {
	with_drop_in brig.toml
	found=$(handler brig)
	echo "$found"
	[[ $found == *'runtime_type="io.containerd.runc.v2"'* ]]
	[[ $found == *'BinaryName="/usr/local/bin/brig"'* ]]
	[[ $found == *'SystemdCgroup=true'* ]]
}

@test "containerd's CRI starts with the base specification" {
	with_drop_in brig-1.toml
	in_world sh -c 'echo $$ > "$1/containerd.pid"; exec containerd --config "$1/containerd.toml"' sh "$WORLD" > "$WORLD/containerd.log" 2>&1 \
		< /dev/null 3>&- &
	wait_for 60 in_world ctr version
	expect 0 in_world ctr plugins ls
	in_world kill "$(cat "$WORLD/containerd.pid")"
	[[ $output =~ io.containerd.grpc.v1\ +cri\ +[^\ ]+\ +ok ]] || {
		grep -i cri "$WORLD/containerd.log"
		return 1
	}
}

@test "the drop-ins for containerd 2 say the same in its words" {
	python3 - "$DEPLOY/containerd" << 'PYTHON'
import sys, tomllib
def handlers(name, plugin, version):
    with open(f"{sys.argv[1]}/{name}", "rb") as file:
        found = tomllib.load(file)
    assert found.get("version", 2) == version, name
    return found["plugins"][plugin]["containerd"]["runtimes"]
one = handlers("brig-1.toml", "io.containerd.grpc.v1.cri", 2)
two = handlers("brig-2.toml", "io.containerd.cri.v1.runtime", 3)
pods = handlers("brig-2-sandbox.toml", "io.containerd.cri.v1.runtime", 3)
assert one.keys() == two.keys() == {"brig", "brig-baseline"} and pods.keys() == {"brig"}
for handler in [*one.values(), *two.values(), *pods.values()]:
    assert handler["runtime_type"] == "io.containerd.brig.v2", handler
    assert handler["pod_annotations"] == ["brig.dev/*"], handler
    passed = ["brig.dev/*", "io.kubernetes.container.terminationMessagePath"]
    assert handler["container_annotations"] == passed, handler
# With a table of options containerd 2 refuses pods that have a user namespace.
for handler in [two["brig"], *pods.values()]:
    assert "options" not in handler, handler
# Its only way to a set of its own.
assert two["brig-baseline"]["options"] == {"policy": "baseline"}, two
with open(f"{sys.argv[1]}/options-baseline.toml", "rb") as file:
    assert tomllib.load(file) == {"policy": "baseline"}
assert pods["brig"]["sandboxer"] == "shim"
PYTHON
}

@test "a container with the base specification: few capabilities, no core dumps, no dangerous system calls" {
	mkdir -p "$WORLD/bundle/rootfs"
	cp -a "$WORLD/tree/." "$WORLD/bundle/rootfs/"
	# As CRI does it: what is to run is added, the rest stays.
	python3 - "$DEPLOY/containerd/base-runtime-spec.json" "$WORLD/bundle/config.json" << 'PYTHON'
import json, sys
spec = json.load(open(sys.argv[1]))
spec["process"]["args"] = ["sh", "-c", "grep -E '^(CapBnd|CapEff|NoNewPrivs|Seccomp):' /proc/self/status; ulimit -c; unshare -U true; mount -t tmpfs none /tmp"]
json.dump(spec, open(sys.argv[2], "w"))
PYTHON
	expect 1 in_world "$BRIG" run --bundle "$WORLD/bundle" base
	[[ $output == *$'CapEff:\t00000000000004fb\nCapBnd:\t00000000000004fb\nNoNewPrivs:\t1\nSeccomp:\t2\n0'* ]]
	[[ $output == *"unshare"*"Operation not permitted"* ]]
	[[ $output == *"mount"*"ermi"*"denied"* || $output == *"mount"*"Operation not permitted"* ]]
}

@test "the drop-ins for CRI-O have what it checks when it starts" {
	python3 - "$DEPLOY/crio" << 'PYTHON'
import re, sys, tomllib
def runtimes(name):
    with open(f"{sys.argv[1]}/{name}", "rb") as file:
        found = tomllib.load(file)
    assert list(found) == ["crio"] and list(found["crio"]) == ["runtime"] and list(found["crio"]["runtime"]) == ["runtimes"], name
    return found["crio"]["runtime"]["runtimes"]
oci, vm = runtimes("10-brig.conf"), runtimes("10-brig-vm.conf")
assert oci.keys() == {"brig"} and vm.keys() == {"brig-vm"}
known = {"runtime_path", "runtime_type", "runtime_root", "allowed_annotations"}
assert oci["brig"].keys() == known | {"monitor_path", "monitor_cgroup"} and oci["brig"]["runtime_type"] == "oci"
# With type vm CRI-O refuses the monitor's keys and any other form of the shim's name.
assert vm["brig-vm"].keys() == known and vm["brig-vm"]["runtime_type"] == "vm"
assert re.search(r"/containerd-shim-[a-zA-Z0-9+-]+-v2$", vm["brig-vm"]["runtime_path"])
for handler in [*oci.values(), *vm.values()]:
    assert handler["runtime_path"].startswith("/") and handler["runtime_root"].startswith("/"), handler
    assert all(name.startswith("io.kubernetes.cri-o.") for name in handler["allowed_annotations"]), handler
PYTHON
}

@test "AppArmor's own parser takes the profile, and compiles it" {
	run "$BRIG_PEERS/sbin/apparmor_parser" --skip-kernel-load --skip-cache --config-file /dev/null --base "$BRIG_PEERS/etc/apparmor.d" \
		--ofile "$BATS_TEST_TMPDIR/profile" "$BRIG_SOURCE/seccomp-profiles/apparmor/brig-default"
	[ "$status" -eq 0 ] || {
		echo "$output"
		false
	}
	test -s "$BATS_TEST_TMPDIR/profile"
	# A line that it does not know is an error: the test can fail.
	sed 's/deny mount,/deny mounts,/' "$BRIG_SOURCE/seccomp-profiles/apparmor/brig-default" > "$BATS_TEST_TMPDIR/wrong"
	run "$BRIG_PEERS/sbin/apparmor_parser" --skip-kernel-load --skip-cache --config-file /dev/null --base "$BRIG_PEERS/etc/apparmor.d" \
		"$BATS_TEST_TMPDIR/wrong"
	[ "$status" -ne 0 ]
}
