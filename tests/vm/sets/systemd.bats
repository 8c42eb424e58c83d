#!/usr/bin/env bats
# tiers: systemd uml qemu
# seconds: 50
# shellcheck disable=SC2016,SC2030,SC2031,SC2153,SC2154 # scripts of other languages; bats: a subshell a test, $stderr
# The cgroup driver for systemd: scopes made, changed and removed by brig-systemd.

load ../../integration/support/common

# What waits until its time is over does so beside the other tests, where one asks for it: see "a bus that never answers".
setup_file() {
	local T=$BATS_FILE_TMPDIR BUNDLE=$BATS_FILE_TMPDIR/hung ID=it$$-hung

	[ "$BRIG_GUEST" != uml ] || return 0
	chmod a+x "$BATS_RUN_TMPDIR" "$T"
	bundle_new "$BUNDLE"
	cat > "$T/mute" <<- 'TEXT'
		import socket, time
		mute = socket.socket(socket.AF_UNIX)
		mute.bind("/run/dbus/system_bus_socket")
		mute.listen(8)
		open("/run/dbus/ready", "w")
		time.sleep(300)
	TEXT
	{
		with_bus 'python3 "$1" & mute=$! pid=$2; while [ ! -e /run/dbus/ready ]; do sleep 0.05; done; shift 2; "$@" & echo $! > "$pid"; wait $!
			status=$?; kill $mute; exit $status' \
			"$T/mute" "$T/hung-pid" timeout --kill-after=10 150 "$BRIG" --root "$T/hung-state" --systemd-cgroup run --bundle "$BUNDLE" "$ID" ||
			echo $? > "$T/hung-status"
	} < /dev/null > "$T/hung-said" 2>&1 3>&- 4>&- &
}

# Where the test was left out, or has failed.
teardown_file() {
	if [ -s "$BATS_FILE_TMPDIR/hung-pid" ] && [ ! -s "$BATS_FILE_TMPDIR/hung-status" ]; then
		kill "$(cat "$BATS_FILE_TMPDIR/hung-pid")" || true
		wait_until [ -s "$BATS_FILE_TMPDIR/hung-status" ]
	fi
}

prepare() {
	SCOPE=brig-$ID.scope
}

systemd() { # COMMAND...: of brig, with systemd as the manager
	brig --systemd-cgroup "$@"
}

background() {
	must systemd run --detach --bundle "$BUNDLE" "$ID"
}

property() { # NAME [UNIT]
	systemctl show --value --property="$1" "${2:-$SCOPE}"
}

group_of() { # UNIT
	echo "/sys/fs/cgroup$(property ControlGroup "$1")"
}

resources() { # FILTER
	config ".linux.resources |= ((. // {}) | $1)"
}

needs() { # CONTROLLER
	grep -qw "$1" /sys/fs/cgroup/cgroup.controllers || skip "this guest has no controller $1"
}

# In the v2 tree: in namespaces the machine's v1 trees are there too.
place_of() { # PID
	grep ^0: "/proc/$1/cgroup"
}

state_is() { # STATE
	[ "$(property ActiveState)" = "$1" ]
}

# But for the one that waits for a bus of its own.
no_helper() {
	! pgrep --ns $$ --nslist mnt brig-systemd > /dev/null
}

is_gone() { # UNIT
	[ "$(property LoadState "$1")" = not-found ] && [ ! -e "/sys/fs/cgroup/system.slice/$1" ]
}

@test "a container is a scope of its own, in system.slice" {
	sleeper
	expect_equal "$(property ActiveState)" active
	expect_equal "$(property Delegate)" yes
	expect_equal "$(property CollectMode)" inactive-or-failed
	expect_equal "$(property Slice)" system.slice
	expect_equal "$(place_of "$(pid_of)")" "0::/system.slice/$SCOPE"
	# What kept the scope alive while it was made is gone.
	expect_equal "$(cat "$(group_of "$SCOPE")/cgroup.procs")" "$(pid_of)"
	[ ! -e "$(group_of "$SCOPE")/brig-holder" ]
	wait_until no_helper
	must brig delete --force "$ID"
	wait_until is_gone "$SCOPE"
}

@test "systemctl status and systemd-cgls show the container" {
	sleeper
	must systemctl status --no-pager "$SCOPE"
	expect_like "$output" "brig container $SCOPE"
	expect_like "$output" 'active \(running\)'
	expect_like "$output" 'sleep 300'
	must systemd-cgls --no-pager --unit "$SCOPE"
	expect_like "$output" 'sleep 300'
}

@test "create, start, exec, kill, delete" {
	program sleep 300
	must systemd create --bundle "$BUNDLE" "$ID"
	expect_equal "$(property ActiveState)" active
	must brig start "$ID"
	must brig exec "$ID" cat /proc/self/cgroup
	expect_like "$(grep ^0: <<< "$output")" '^0::/'
	must brig pause "$ID"
	expect_equal "$(status_of)" paused
	must brig resume "$ID"
	must brig kill "$ID" KILL
	wait_until status_is stopped
	must brig delete "$ID"
	wait_until is_gone "$SCOPE"
}

@test "the scope goes with the last process, and delete finds nothing to do" {
	program true
	background
	wait_until status_is stopped
	wait_until is_gone "$SCOPE"
	must brig delete "$ID"
}

@test "slices named as the kubelet does lie in each other" {
	config --arg path "test-pod$$.slice:cri:$ID" '.linux.cgroupsPath = $path'
	sleeper
	expect_equal "$(place_of "$(pid_of)")" "0::/test.slice/test-pod$$.slice/cri-$ID.scope"
	expect_equal "$(property Slice "cri-$ID.scope")" "test-pod$$.slice"
	must brig delete --force "$ID"
	wait_until is_gone "cri-$ID.scope"
	systemctl stop "test-pod$$.slice" test.slice
}

@test "the root slice, and a name without a prefix" {
	config --arg path "-.slice::$ID" '.linux.cgroupsPath = $path'
	sleeper
	expect_equal "$(place_of "$(pid_of)")" "0::/$ID.scope"
	must brig delete --force "$ID"
}

# bats test_tags=not-in-uml
@test "names that systemd does not take are refused" {
	local path

	for path in "a:b" "a/b:c:d" "noslice:x:$ID" "a--b.slice:x:$ID" "-a.slice:x:$ID" "x.slice:a b:$ID" "x.slice:@:$ID"; do
		config --arg path "$path" '.linux.cgroupsPath = $path'
		must_fail 1 'linux.cgroupsPath' systemd run --bundle "$BUNDLE" "$ID"
	done
	assert_nothing_left
}

# bats test_tags=not-in-uml
@test "a unit of that name that runs is left alone" {
	helper systemd-run --quiet --unit="brig-$ID" --scope sleep 300
	wait_until state_is active
	must_fail 1 'unit of that name already|has processes in it' systemd run --bundle "$BUNDLE" "$ID"
	expect_equal "$(property ActiveState)" active
	systemctl stop "$SCOPE"
}

# bats test_tags=not-in-uml
@test "a unit of that name in which brig's caller is, is not taken for the container's" {
	cat > "$T/ask" <<- 'TEXT'
		import socket, subprocess, sys
		ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
		helper = subprocess.Popen(sys.argv[1], stdin=its)
		ours.send(f"start\nbus system\ntimeout 25000\nunit {sys.argv[2]}\nslice system.slice\ndescription x\n".encode())
		print(ours.recv(4096).decode())
		ours.close()
		helper.wait()
	TEXT
	must systemd-run --quiet --unit="brig-$ID" --scope python3 "$T/ask" "$BRIG_BUILD/brig-systemd" "$SCOPE"
	expect_like "$output" '^error 17 .*unit of that name already'
}

# bats test_tags=not-in-uml
@test "a unit of that name whose processes are about to go is waited for" {
	helper systemd-run --quiet --unit="brig-$ID" --scope sh -c 'touch "$0"; sleep 1' "$T/there"
	wait_until test -e "$T/there"
	sleeper
	expect_equal "$(property Description)" "brig container $SCOPE"
}

# bats test_tags=not-in-uml
@test "a unit of that name that has failed is no obstacle" {
	helper systemd-run --quiet --unit="brig-$ID" --scope --property=RuntimeMaxSec=100ms --property=CollectMode=inactive sleep 300
	wait_until state_is failed
	sleeper
	expect_equal "$(property ActiveState)" active
}

@test "limits are systemd's properties too, and stay through daemon-reload" {
	local group

	needs memory
	resources '.memory = { limit: 67108864, reservation: 33554432 } | .pids.limit = 77 |
		.cpu = { shares: 512, quota: 33333, period: 100000 } | .unified["memory.high"] = "50331648"'
	sleeper
	group=$(group_of "$SCOPE")
	expect_equal "$(property MemoryMax)" 67108864
	expect_equal "$(property MemoryLow)" 33554432
	expect_equal "$(property MemoryHigh)" 50331648
	expect_equal "$(property TasksMax)" 77
	expect_equal "$(property CPUWeight)" 59
	expect_equal "$(property CPUQuotaPerSecUSec)" 340ms
	# The file has the exact time.
	expect_equal "$(cat "$group/cpu.max")" "33333 100000"
	if [ -e "$group/memory.swap.max" ]; then
		must brig update --memory 67108864 --memory-swap 100663296 "$ID"
		expect_equal "$(property MemorySwapMax)" 33554432
	fi
	systemctl daemon-reload
	[ ! -e "$group/memory.swap.max" ] || expect_equal "$(cat "$group/memory.swap.max")" 33554432
	expect_equal "$(cat "$group/memory.max")" 67108864
	expect_equal "$(cat "$group/memory.low")" 33554432
	expect_equal "$(cat "$group/memory.high")" 50331648
	expect_equal "$(cat "$group/pids.max")" 77
	expect_equal "$(cat "$group/cpu.weight")" 59
}

@test "update changes file and property, and both stay through daemon-reload" {
	local group

	needs memory
	resources '.memory.limit = 67108864 | .pids.limit = 77 | .cpu.idle = 1 | .unified["memory.oom.group"] = "1"'
	sleeper
	group=$(group_of "$SCOPE")
	must brig update --memory 134217728 --pids-limit 99 --cpu-quota 50000 --cpu-period 100000 "$ID"
	expect_equal "$(property MemoryMax)" 134217728
	expect_equal "$(property TasksMax)" 99
	expect_equal "$(cat "$group/memory.max")" 134217728
	expect_equal "$(cat "$group/cpu.max")" "50000 100000"
	# systemd wrote it too, with its own idea of what it has no property for.
	expect_equal "$(cat "$group/memory.oom.group")" 1
	expect_equal "$(cat "$group/cpu.idle")" 1
	echo '{ "cpu": { "idle": 0 } }' > "$T/idle"
	must brig update --resources "$T/idle" "$ID"
	expect_equal "$(property CPUWeight)" '[not set]'
	systemctl daemon-reload
	expect_equal "$(cat "$group/cpu.idle")" 0
	expect_equal "$(cat "$group/memory.max")" 134217728
	expect_equal "$(cat "$group/pids.max")" 99
	expect_equal "$(cat "$group/cpu.max")" "50000 100000"
}

@test "one that is paused stays frozen through update and daemon-reload, goes on, and can be deleted frozen" {
	sleeper
	must brig pause "$ID"
	expect_like "$(cat "$(group_of "$SCOPE")/cgroup.events")" 'frozen 1'
	if grep -qw pids /sys/fs/cgroup/cgroup.controllers; then
		must brig update --pids-limit 55 "$ID"
		expect_equal "$(property TasksMax)" 55
	fi
	systemctl daemon-reload
	expect_like "$(cat "$(group_of "$SCOPE")/cgroup.events")" 'frozen 1'
	expect_equal "$(property ActiveState)" active
	must brig resume "$ID"
	must brig exec "$ID" true
	must brig pause "$ID"
	must brig delete --force "$ID"
	wait_until is_gone "$SCOPE"
}

@test "a limit of one process holds, and one more is none" {
	needs pids
	resources '.pids.limit = 1'
	sleeper
	expect_equal "$(cat "$(group_of "$SCOPE")/pids.max")" 1
	expect_equal "$(cat "$(group_of "$SCOPE")/pids.current")" 1
}

@test "cpus and memory nodes" {
	needs cpuset
	resources '.cpu = { cpus: "1", mems: "0" }'
	sleeper
	expect_equal "$(property AllowedCPUs)" 1
	expect_equal "$(property AllowedMemoryNodes)" 0
	systemctl daemon-reload
	expect_equal "$(cat "$(group_of "$SCOPE")/cpuset.cpus")" 1
	expect_equal "$(grep Cpus_allowed_list "/proc/$(pid_of)/status")" $'Cpus_allowed_list:\t1'
}

@test "a limit without a controller is refused, and no scope is left" {
	if grep -qw rdma /sys/fs/cgroup/cgroup.controllers; then
		skip "this guest has the controller that is asked for"
	fi
	resources '.rdma = { mlx5_1: { hcaHandles: 3 } }'
	must_fail 1 rdma systemd run --bundle "$BUNDLE" "$ID"
	wait_until is_gone "$SCOPE"
	assert_nothing_left
}

@test "devices are denied but for the usual ones, also after daemon-reload" {
	mknod "$BUNDLE/rootfs/tmp/tun" c 10 200
	mknod "$BUNDLE/rootfs/tmp/null" c 1 3
	shell 'while sleep 0.1; do (: < /tmp/tun) 2> /dev/null && echo tun; echo > /tmp/null && echo null > /tmp/said; done'
	background
	systemctl daemon-reload
	wait_until [ -e "$BUNDLE/rootfs/tmp/said" ]
	must_fail 1 'not permitted|denied' brig exec "$ID" sh -c ': < /tmp/tun'
}

@test "annotations set when and how the unit ends, and nothing else" {
	config '.annotations = { "org.systemd.property.TimeoutStopUSec": "uint64 7000000", "org.systemd.property.After":
		"['\''dbus.service'\'']", "org.systemd.property.CollectMode": "'\''inactive'\''", "org.systemd.property.MemoryMax": "uint64 1" }'
	sleeper
	expect_equal "$(property TimeoutStopUSec)" 7s
	expect_like "$(property After)" dbus.service
	expect_equal "$(property CollectMode)" inactive
	expect_equal "$(property MemoryMax)" infinity
	config '.annotations = { "org.systemd.property.TimeoutStopUSec": "seven" }'
	must_fail 1 'TimeoutStopUSec.*seven' brig --systemd-cgroup run --bundle "$BUNDLE" "$ID-2"
}

@test "what the shim does: a group for the container and one for each exec, below the scope" {
	local supervisor=$BRIG_BUILD/tests/support/supervisor

	program sleep 300
	jq -c '.process | .args = ["sh", "-c", "cat /proc/self/cgroup; exit 4"]' "$BUNDLE/config.json" > "$T/process.json"
	cat > "$T/script" <<- END
		create $ID $BUNDLE
		start $ID
		exec $ID e1 $T/process.json
		wait-exec
		release e1
		sh ls /sys/fs/cgroup/system.slice/$SCOPE > $T/below; cat /sys/fs/cgroup/system.slice/$SCOPE/container/cgroup.procs | wc -l
	END
	STDIN=$T/script BRIG_TEST=$ID must "$supervisor" "$ROOT" conformant systemd
	expect_like "$output" "0::/system.slice/$SCOPE/execs/e1"
	expect_line "$output" 1
	expect_line "$(cat "$T/below")" container
	expect_unlike "$(cat "$T/below")" brig-holder
	must brig delete --force "$ID"
	wait_until is_gone "$SCOPE"
}

# with_bus SCRIPT: in a mount namespace in which /run/dbus is another folder.
with_bus() { # SCRIPT ARGUMENT...
	unshare --mount sh -c 'mount -t tmpfs none /run/dbus; '"$1" sh "${@:2}"
}

# bats test_tags=not-in-uml
@test "without a bus it is an error that says so" {
	must_fail 1 'system_bus_socket.*No such file' with_bus 'exec "$@"' "$BRIG" --root "$ROOT" --systemd-cgroup run --bundle "$BUNDLE" "$ID"
	assert_nothing_left
}

# bats test_tags=not-in-uml
@test "a container that was made with systemd is deleted without its bus" {
	sleeper
	must with_bus 'exec "$@"' "$BRIG" --root "$ROOT" delete --force "$ID"
	wait_until is_gone "$SCOPE"
}

# bats test_tags=not-in-uml
@test "a helper that others can write to is not executed" {
	local helper

	helper=$(sed -n 's/^#define BRIG_SYSTEMD_HELPER "\(.*\)"$/\1/p' "$BRIG_BUILD/brig-places.h")
	chmod 777 "$helper"
	must_fail 1 'nobody else can write' systemd run --bundle "$BUNDLE" "$ID"
	chmod 755 "$helper"
	mv "$helper" "$helper.away"
	must_fail 1 'install brig-systemd' systemd run --bundle "$BUNDLE" "$ID"
	mv "$helper.away" "$helper"
	assert_nothing_left
}

@test "brig that is killed while it makes a container leaves nothing that delete does not take away" {
	local delay

	program sleep 300
	for delay in 0.002 0.005 0.01 0.02 0.03; do
		# In the foreground: it comes back once brig is dead.
		timeout --foreground --signal=KILL "$delay" "$BRIG" --root "$ROOT" --systemd-cgroup create --bundle "$BUNDLE" "$ID" < /dev/null > /dev/null 2>&1 || true
		attempt brig delete --force "$ID"
		wait_until is_gone "$SCOPE"
		assert_nothing_left
	done
}

# bats test_tags=not-in-uml
@test "features say that systemd is there" {
	must brig features
	expect_json "$output" '.linux.cgroup.systemd and .linux.cgroup.systemdUser'
}

# The build of tests/cve with that defence off or not, where it can do harm to the guest alone; it wants "/" to be read-only.
without_properties() { # DEFENCE-OR-NOTHING
	BRIG_TEST=$ID BRIG_WITHOUT=$1 unshare --mount --propagation private sh -c 'mount --bind "$1" "$1" && mount -o remount,bind,ro / &&
		shift && exec "$@"' sh "$T" "$BRIG_BUILD/tests/cve/without_brig" --root "$ROOT" --policy conformant --systemd-cgroup run --bundle "$BUNDLE" "$ID"
}

# bats test_tags=not-in-uml
@test "CVE-2024-3154: an annotation has systemd start nothing; with the list of properties switched off it starts a unit of the host's" {
	[ -x "$BRIG_BUILD/tests/cve/without_brig" ] || skip "the build of the tests is not among what this guest gets; the tier systemd has it"
	printf '[Unit]\nDefaultDependencies=no\n[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/touch /run/started-by-annotation\n' > /run/systemd/system/evil.service
	systemctl daemon-reload
	config '.annotations["org.systemd.property.Wants"] = "evil.service"'
	program true
	must without_properties ""
	expect_equal "$(property ActiveState evil.service)" inactive
	must without_properties properties
	wait_until test -e /run/started-by-annotation
	systemctl stop evil.service
	rm /run/systemd/system/evil.service /run/started-by-annotation
	systemctl daemon-reload
}

# bats test_tags=not-in-uml
@test "names before which systemd puts an underscore" {
	program true
	for path in "system.slice::_$ID" "_a-b.slice::$ID" "cpu.slice::$ID"; do
		config --arg path "$path" '.linux.cgroupsPath = $path'
		must systemd create --bundle "$BUNDLE" "$ID"
		must brig delete --force "$ID"
	done
	systemctl stop _a.slice cpu.slice
}

# bats test_tags=not-in-uml
@test "one that systemctl stops has ended, and can be deleted" {
	shell 'trap "exit 3" TERM; echo > /tmp/trapped; while :; do sleep 0.1; done'
	background
	wait_until [ -e "$BUNDLE/rootfs/tmp/trapped" ]
	systemctl stop "$SCOPE"
	wait_until status_is stopped
	must brig delete "$ID"
	wait_until is_gone "$SCOPE"
}

# bats test_tags=not-in-uml
@test "one that systemctl freezes is paused, can be resumed, and deleted frozen" {
	sleeper
	systemctl freeze "$SCOPE"
	expect_equal "$(status_of)" paused
	must brig resume "$ID"
	expect_equal "$(status_of)" running
	systemctl thaw "$SCOPE"
	systemctl freeze "$SCOPE"
	must brig delete --force "$ID"
	wait_until is_gone "$SCOPE"
}

again_and_again() {
	while :; do
		"$@" || true
		sleep 0.2
	done
}

# bats test_tags=not-in-uml
@test "a systemd that executes itself anew meanwhile is waited for" {
	helper again_and_again systemctl daemon-reexec
	program sleep 300
	for _ in {1..3}; do
		background
		must brig delete --force "$ID"
	done
	kill "$HELPER"
	wait_until systemctl daemon-reload
	wait_until is_gone "$SCOPE"
}

# Last: it has been under way since before the first.
# bats test_tags=not-in-uml
@test "with a bus that never answers it is an error in bounded time" {
	wait_until [ -s "$BATS_FILE_TMPDIR/hung-status" ]
	expect_equal "$(cat "$BATS_FILE_TMPDIR/hung-status")" 1
	expect_like "$(cat "$BATS_FILE_TMPDIR/hung-said")" 'in time|within'
	ROOT=$BATS_FILE_TMPDIR/hung-state
	assert_nothing_left
}
