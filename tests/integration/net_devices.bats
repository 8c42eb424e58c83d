#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2153,SC2154 # scripts of the container; bats: a subshell a test, $stderr
# bats file_tags=v2
# linux.netDevices: interfaces of the host that become the container's. The host is a network namespace of the test's own.

load support/common

# A kernel may be without, or started with ipv6.disable=1.
has_ipv6() {
	[ -e /proc/net/if_inet6 ]
}

prepare() {
	HOST=/run/netns/brig-$ID
	if ! ip netns add "brig-$ID" 2> /dev/null; then
		skip "this machine makes no network namespaces by name (ip netns add)"
	fi
	on_host sh -c 'echo 0 > /proc/sys/net/ipv6/conf/all/disable_ipv6; echo 0 > /proc/sys/net/ipv6/conf/default/disable_ipv6' || true
	on_host ip link add up0 type veth peer name far0
	on_host ip link set up0 mtu 1400
	on_host ip link set far0 up
	on_host ip link set up0 up
	on_host ip address add 192.0.2.7/24 broadcast 192.0.2.255 dev up0
	! has_ipv6 || on_host ip address add 2001:db8::7/64 dev up0 nodad
	# Neither lasts, nor is global: these stay behind.
	on_host ip address add 192.0.2.8/24 dev up0 valid_lft 1000 preferred_lft 1000
	on_host ip address add 169.254.7.7/16 scope link dev up0
	on_host ip link add down0 type veth peer name far1
}

teardown() {
	ip netns delete "brig-$ID" 2> /dev/null || true
	ip netns delete "pod-$ID" 2> /dev/null || true
	cleanup_all
}

on_host() {
	nsenter --net="$HOST" "$@"
}

run_on_host() {
	on_host env BRIG_TEST="$ID" "$BRIG" --root "$ROOT" run --bundle "$BUNDLE" "$@" "$ID"
}

# Its lasting addresses on the host, and whether it is up.
state_of() {
	on_host ip -oneline address show dev "$1" scope global permanent | awk '{ print $4 }'
	on_host cat "/sys/class/net/$1/flags" 2> /dev/null || on_host ip -oneline link show dev "$1" | grep -o '[<,]UP[,>]'
}

@test "an interface moves with its lasting addresses and what else it is, and is up" {
	config '.linux.netDevices = { up0: { name: "inside" }, down0: {} }'
	shell 'ip address show dev inside; ip link show dev down0'
	must brig plan --bundle "$BUNDLE" --json
	expect_json "$output" '.plan.netDevices == { up0: "inside", down0: "down0" }'
	must run_on_host
	expect_like "$output" 'inside.*UP.*mtu 1400'
	expect_like "$output" 'inet 192.0.2.7/24 brd 192.0.2.255'
	expect_unlike "$output" '192\.0\.2\.8|169\.254'
	expect_like "$output" 'down0.*UP'
	# The namespace is gone, and what is virtual with it.
	wait_until eval '! on_host ip link show dev far0 2> /dev/null'
}

@test "an address of IPv6 moves as well" {
	has_ipv6 || skip "this machine's kernel has no IPv6"
	config '.linux.netDevices = { up0: {} }'
	shell 'ip address show dev up0'
	must run_on_host
	expect_like "$output" 'inet6 2001:db8::7/64'
}

@test "a name that the kernel completes" {
	config '.linux.netDevices = { up0: { name: "eth%d" }, down0: { name: "eth%d" } }'
	shell 'ip -oneline link | grep -o " eth[0-9]*" | sort'
	must run_on_host
	expect_equal "$output" $' eth0\n eth1'
}

@test "in the namespace of a pod, where a name may be taken" {
	local before

	before=$(state_of up0)
	ip netns add "pod-$ID"
	ip -n "pod-$ID" link add taken0 type veth peer name taken1
	config --arg path "/run/netns/pod-$ID" '(.linux.namespaces[] | select(.type == "network")).path = $path |
		.linux.netDevices = { up0: {}, down0: { name: "taken0" } }'
	program true
	must_fail 1 'linux.netDevices\["down0"\]: the container.s network has one that is called taken0' run_on_host
	expect_equal "$(state_of up0)" "$before"
	config '.linux.netDevices.down0.name = "free0"'
	must run_on_host
	# The namespace is the pod's, and so are its interfaces when the container is gone.
	ip -n "pod-$ID" -oneline link > "$T/pod"
	expect_like "$(< "$T/pod")" 'free0'
	expect_like "$(< "$T/pod")" 'up0'
	# Nothing is taken from there for a container that comes to nothing: by now it may be somebody else's.
	on_host ip link add late0 type veth peer name late1
	config '.linux.netDevices = { late0: {} }'
	must_fail 1 'late0.*it stays, as late0, in the network namespace' \
		on_host env BRIG_TEST="$ID" "$BRIG" --root "$ROOT" create --bundle "$BUNDLE" --pid-file "$T/no/such/pid" "$ID"
	ip -n "pod-$ID" -oneline link show dev late0
}

@test "what fails leaves the host's interfaces as they were" {
	local before

	before=$(state_of up0)
	config '.linux.netDevices = { up0: { name: "inside" }, nobody0: {} }'
	program true
	must_fail 1 'linux.netDevices\["nobody0"\]: look it up on the host .*No such device' run_on_host
	expect_equal "$(state_of up0)" "$before"
	# After the move: when the program is looked for.
	config 'del(.linux.netDevices.nobody0) | .process.args = ["/no/such/program"]'
	must_fail 1 'executable file not found' run_on_host
	expect_equal "$(state_of up0)" "$before"
	# When it waits for start.
	program true
	must_fail 1 'pid' on_host env BRIG_TEST="$ID" "$BRIG" --root "$ROOT" create --bundle "$BUNDLE" --pid-file "$T/no/such/pid" "$ID"
	expect_equal "$(state_of up0)" "$before"
	config '.linux.netDevices = { lo: { name: "lo1" } }'
	program true
	must_fail 1 'linux.netDevices\["lo"\]: move it to the container.s network namespace, as lo1: Invalid argument' run_on_host
}

@test "an interface goes by its first name alone" {
	on_host ip link property add dev up0 altname listed0 2> /dev/null || skip "this ip knows no altnames"
	config '.linux.netDevices = { listed0: {} }'
	program true
	must_fail 1 'linux.netDevices\["listed0"\]: it is another name \(altname\) of an interface' run_on_host
}

@test "who has the host's network needs none of it" {
	config '.linux.netDevices = { up0: {} } | .linux.namespaces |= map(select(.type != "network"))'
	program true
	must_fail 1 'linux.netDevices: the container has the host.s network' run_on_host
	config --arg path "$HOST" '.linux.namespaces += [{ type: "network", path: $path }]'
	must_fail 1 'linux.netDevices: the container.s network namespace is the host.s own' run_on_host
}

@test "under strict only what the policy lists" {
	config '.linux.netDevices = { up0: {} }'
	program true
	must_fail 1 'linux.netDevices\["up0"\]: asked for the interface, as up0.*rule device.*net_devices' \
		on_host env BRIG_TEST="$ID" "$BRIG" --root "$ROOT" --policy strict run --bundle "$BUNDLE" "$ID"
	echo '{ "set": "strict", "rules": { "resource-missing": "off" }, "net_devices": ["up*"] }' > "$T/policy.json"
	shell 'ip -oneline link show dev up0'
	must on_host env BRIG_TEST="$ID" "$BRIG" --root "$ROOT" --policy "$T/policy.json" run --bundle "$BUNDLE" "$ID"
	expect_like "$output" 'up0.*UP'
}
