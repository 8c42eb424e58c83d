#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2154,SC2206 # scripts of other languages; bats: a subshell a test, $output and $stderr; addresses
# Where a container may connect to, annotation brig.dev/egress (docs/egress.md): in a network namespace of the test's own, with another
# one beside it that has several addresses and answers on each. What is refused is tried without the annotation as well, and passes.

load ../integration/support/common

PERMITTED=10.231.7.2
OTHER=10.231.7.3
RESOLVER=10.231.7.4
PERMITTED6=fd57:231::2
OTHER6=fd57:231::3
OWN=10.231.7.1
OWN6=fd57:231::1

prepare() {
	POLICY=conformant
	POD=pod-$ID
	PEER=peer-$ID
	if ! ip netns add "$POD" 2> /dev/null; then
		skip "this machine lets us make no network namespaces by name"
	fi
	ip netns add "$PEER"
	ip link add "v$BATS_TEST_NUMBER-$$" netns "$POD" type veth peer name eth0 netns "$PEER"
	ip -n "$POD" link set "v$BATS_TEST_NUMBER-$$" name eth0
	for place in "$POD" "$PEER"; do
		ip netns exec "$place" sh -c 'echo 0 > /proc/sys/net/ipv6/conf/all/disable_ipv6; echo 0 > /proc/sys/net/ipv6/conf/eth0/disable_ipv6
			echo 0 2147483647 > /proc/sys/net/ipv4/ping_group_range'
		ip -n "$place" link set lo up
		ip -n "$place" link set eth0 up
	done
	ip -n "$POD" address add "$OWN/24" dev eth0
	ip -n "$POD" address add "$OWN6/64" dev eth0 nodad
	for address in "$PERMITTED/24" "$OTHER/24" "$RESOLVER/24"; do
		ip -n "$PEER" address add "$address" dev eth0
	done
	for address in "$PERMITTED6/64" "$OTHER6/64"; do
		ip -n "$PEER" address add "$address" dev eth0 nodad
	done
	# The kernel lets packets through only some time after both ends are up.
	wait_until is_up "$POD"
	wait_until is_up "$PEER"
	if [ ! -e "$BATS_RUN_TMPDIR/network" ]; then
		compile network "$BATS_RUN_TMPDIR/network"
	fi
	cp "$BATS_RUN_TMPDIR/network" "$BUNDLE/rootfs/bin/network"
	add_namespace network "/run/netns/$POD"
	serve "$PEER" 80 81 53 8080
}

is_up() { # NAMESPACE
	ip -n "$1" -oneline link show dev eth0 | grep -q ' state UP '
}

teardown() {
	local result=0

	cleanup_all || result=1
	ip netns delete "pod-$ID" 2> /dev/null
	ip netns delete "peer-$ID" 2> /dev/null
	return "$result"
}

brig() {
	BRIG_TEST=$ID "$BRIG" --root "$ROOT" --policy "$POLICY" "$@"
}

serve() { # NAMESPACE PORT...
	local place=$1

	shift
	BRIG_TEST=$ID ip netns exec "$place" "$BATS_RUN_TMPDIR/network" serve "$@" > "$T/served" 2>&1 < /dev/null 3>&- 4>&- &
	HELPERS+=($!)
	wait_until grep -qx ready "$T/served"
}

egress() { # LIST
	config --arg list "$1" '.annotations["brig.dev/egress"] = $list'
}

without_egress() {
	config 'del(.annotations["brig.dev/egress"])'
}

# What happens to each of KIND ADDRESS PORT..., in a container.
talk() {
	program network "$@"
	must brig run --bundle "$BUNDLE" "$ID"
}

# What has become of each, in a line.
outcomes() {
	awk '{ print $NF }' <<< "$output" | tr '\n' ' '
}

@test "only what is listed gets through: TCP, UDP, both families" {
	local all=(tcp $PERMITTED 80 tcp $PERMITTED 81 tcp $OTHER 80 udp $PERMITTED 80 udp $OTHER 80 send $PERMITTED 80 send $OTHER 80
		tcp $PERMITTED6 80 tcp $PERMITTED6 81 tcp $OTHER6 80 udp $PERMITTED6 80 udp $OTHER6 80 send $PERMITTED6 80 send $OTHER6 80)

	talk "${all[@]}"
	expect_equal "$(grep -c ': ok$' <<< "$output")" 14
	egress "$PERMITTED:80,[$PERMITTED6]:80"
	talk "${all[@]}"
	expect_equal "$output" "tcp $PERMITTED 80: ok
tcp $PERMITTED 81: EPERM
tcp $OTHER 80: EPERM
udp $PERMITTED 80: ok
udp $OTHER 80: EPERM
send $PERMITTED 80: ok
send $OTHER 80: EPERM
tcp $PERMITTED6 80: ok
tcp $PERMITTED6 81: EPERM
tcp $OTHER6 80: EPERM
udp $PERMITTED6 80: ok
udp $OTHER6 80: EPERM
send $PERMITTED6 80: ok
send $OTHER6 80: EPERM"
}

@test "none is nothing at all, but for the machine itself" {
	local all=(tcp $PERMITTED 80 send $PERMITTED 80 ping $PERMITTED 0 tcp $PERMITTED6 80 ping $PERMITTED6 0)

	talk "${all[@]}"
	expect_equal "$(grep -c ': ok$' <<< "$output")" 5
	egress none
	talk "${all[@]}"
	expect_equal "$(grep -c ': EPERM$' <<< "$output")" 4
	# Of ICMPv6 the kernel does not tell that it was dropped.
	expect_line "$output" "ping $PERMITTED6 0: timeout"
}

@test "a prefix, a protocol, every port: and DNS to the resolver alone" {
	egress "10.231.7.2/31/tcp,dns=$RESOLVER"
	talk tcp $PERMITTED 80 tcp $PERMITTED 81 tcp $OTHER 80 udp $PERMITTED 80 tcp $RESOLVER 80 \
		send $RESOLVER 53 tcp $RESOLVER 53 send $PERMITTED 53 tcp $PERMITTED 53 ping $PERMITTED 0
	expect_equal "$output" "tcp $PERMITTED 80: ok
tcp $PERMITTED 81: ok
tcp $OTHER 80: ok
udp $PERMITTED 80: EPERM
tcp $RESOLVER 80: EPERM
send $RESOLVER 53: ok
tcp $RESOLVER 53: ok
send $PERMITTED 53: EPERM
tcp $PERMITTED 53: EPERM
ping $PERMITTED 0: EPERM"
	without_egress
	talk send $PERMITTED 53 tcp $PERMITTED 53 ping $PERMITTED 0
	expect_unlike "$output" 'EPERM'
}

@test "ping goes where every port is open" {
	egress "$PERMITTED,$PERMITTED6"
	talk ping $PERMITTED 0 ping $PERMITTED6 0 ping $OTHER 0 ping $OTHER6 0
	expect_equal "$output" "ping $PERMITTED 0: ok
ping $PERMITTED6 0: ok
ping $OTHER 0: EPERM
ping $OTHER6 0: timeout"
}

@test "mapped addresses are the IPv4 ones, in each way" {
	local all=(mapped-tcp $PERMITTED 80 mapped-tcp $OTHER 80 mapped-udp $PERMITTED 80 mapped-udp $OTHER 80 mapped-send $PERMITTED 80
		mapped-send $OTHER 80)

	talk "${all[@]}"
	expect_equal "$(grep -c ': ok$' <<< "$output")" 6
	egress "$PERMITTED:80"
	talk "${all[@]}"
	expect_equal "$(outcomes)" "ok EPERM ok EPERM ok EPERM "
	# What is listed as IPv6 does not open them.
	egress "::/0"
	talk mapped-tcp $PERMITTED 80 mapped-send $PERMITTED 80 tcp $OTHER6 80
	expect_equal "$(outcomes)" "EPERM EPERM ok "
}

@test "a connection that begins with sendto, multipath TCP, other protocols, raw and packet sockets" {
	egress "$PERMITTED:80"
	capabilities CAP_NET_RAW CAP_NET_ADMIN
	talk fast $PERMITTED 80 fast $OTHER 80 raw $PERMITTED 0 raw $PERMITTED6 0 packet $PERMITTED 0 udplite $PERMITTED 0 mptcp $PERMITTED 80
	expect_equal "$(outcomes)" "ok EPERM EPERM EPERM EPERM EPERM EPERM "
	expect_like "$stderr" 'CAP_NET_ADMIN, CAP_NET_RAW.*a way around annotations\["brig.dev/egress"\]'
	without_egress
	talk fast $OTHER 80 raw $PERMITTED 0 packet $PERMITTED 0 udplite $PERMITTED 0
	expect_equal "$(outcomes)" "ok ok ok ok "
}

@test "no packet leaves with options: they could name another way" {
	talk options $PERMITTED 80
	expect_equal "$output" "options $PERMITTED 80: ok"
	egress "$PERMITTED:80"
	talk send $PERMITTED 80 options $PERMITTED 80
	expect_equal "$(outcomes)" "ok EPERM "
}

# IGMP and MLD: the kernel itself tells the neighbours of each group, and its address could be anything that is to get out.
@test "no group is joined, by any of the ways, but where the list has groups" {
	local all4=(join 239.83.69.67 35 join 239.83.69.67 39 join 239.83.69.67 42 join 239.83.69.67 46)
	local all6=(join ff05::5345:4352 20 join ff05::5345:4352 42 join ff05::5345:4352 46)

	talk "${all4[@]}" "${all6[@]}"
	expect_equal "$(outcomes)" "ok ok ok ok ok ok ok "
	egress "$PERMITTED:80"
	talk "${all4[@]}" "${all6[@]}" join fd57:231::7 27 udp "$PERMITTED" 80
	expect_equal "$(outcomes)" "EPERM EPERM EPERM EPERM EPERM EPERM EPERM EPERM ok "
	egress "239.83.69.67:5353/udp"
	talk "${all4[@]}" "${all6[@]}"
	expect_equal "$(outcomes)" "ok ok ok ok EPERM EPERM EPERM "
	egress "$PERMITTED:80,[ff05::]/16:5353/udp"
	talk "${all4[@]}" "${all6[@]}"
	expect_equal "$(outcomes)" "EPERM EPERM EPERM EPERM ok ok ok "
	egress "0.0.0.0/0,::/0"
	talk "${all4[@]}" "${all6[@]}"
	expect_equal "$(outcomes)" "ok ok ok ok ok ok ok "
}

# The kernel does not show these calls to the programs of the list.
@test "no group is joined by a call of 32 bits: brig's filters refuse it" {
	local option all=() set

	if [ "$(uname -m)" != x86_64 ]; then
		skip "the program makes such calls on x86_64 alone"
	fi
	for option in 35 39 42 46; do
		all+=(join-32 239.83.69.67 "$option")
	done
	for option in 20 27 42 46; do
		all+=(join-32 ff05::5345:4352 "$option")
	done
	egress "$PERMITTED:80"
	talk join-32 239.83.69.67 35 join-32 ff05::5345:4352 20
	expect_equal "$(outcomes)" "ok ok " # under conformant nobody does (docs/egress.md)
	for set in baseline strict; do
		POLICY=$set
		talk "${all[@]}" udp "$PERMITTED" 80
		expect_equal "$(outcomes)" "EPERM EPERM EPERM EPERM EPERM EPERM EPERM EPERM ok "
	done
}

@test "the machine itself passes: loopback, its own addresses, other containers of the pod" {
	serve "$POD" 7000
	egress none
	talk tcp 127.0.0.1 7000 send 127.0.0.1 7000 udp 127.0.0.1 7000 tcp ::1 7000 udp ::1 7000 mapped-tcp 127.0.0.1 7000 \
		tcp $OWN 7000 udp $OWN 7000 send $OWN 7000 tcp $OWN6 7000 udp $OWN6 7000 send $OWN6 7000 mapped-send $OWN 7000 tcp $PERMITTED 80
	expect_equal "$(grep -c ': ok$' <<< "$output")" 13
	expect_line "$output" "tcp $PERMITTED 80: EPERM"
}

@test "a port that somebody has here is no way to the same port elsewhere" {
	serve "$POD" 80
	egress none
	talk send $PERMITTED 80 udp $PERMITTED 80 tcp $PERMITTED 80 tcp $PERMITTED6 80
	# A connection is let go by connect(2), which can't know that the address is not our own, and its packets are dropped.
	expect_equal "$(outcomes)" "EPERM EPERM timeout timeout "
}

# A server in the container, with the list of the argument.
serving() { # LIST
	if [ -n "$1" ]; then
		egress "$1"
	fi
	shell 'exec network serve 7001 > /dev/null'
	background
	# The one that it opens last.
	wait_until ip netns exec "$POD" grep -qi ':1B59 ' /proc/net/udp6
}

# What PEER gets from KIND ADDRESS PORT...
ask() {
	BRIG_TEST=$ID must ip netns exec "$PEER" "$BATS_RUN_TMPDIR/network" "$@"
}

@test "who asks from outside is answered: probes, services" {
	serving none
	ask tcp $OWN 7001 udp $OWN 7001 send $OWN 7001 tcp $OWN6 7001 udp $OWN6 7001 ping $OWN 0
	expect_equal "$(grep -c ': ok$' <<< "$output")" 6
	# And still nothing goes out by itself.
	must brig exec "$ID" network tcp $PERMITTED 80 send $PERMITTED 80 tcp $PERMITTED6 80
	expect_equal "$(grep -c ': EPERM$' <<< "$output")" 3
}

rsts() {
	ip netns exec "$PEER" awk '/^Tcp: [0-9]/ { print $15 }' /proc/net/snmp
}

has_more_rsts() { # NUMBER
	[ "$(rsts)" != "$1" ]
}

@test "an answer to who asked in another's name does not leave" {
	local before

	serving none
	before=$(rsts)
	must brig exec "$ID" network "spoof-udp-$OWN6" $OTHER6 8080 "spoof-tcp-$OWN6" $OTHER6 9999
	expect_equal "$(grep -c ': ok$' <<< "$output")" 2
	# What came after it has come, so that it would have: what the server is asked from its own side is the next in its queue.
	ip netns exec "$PEER" "$BATS_RUN_TMPDIR/network" send $OTHER 8080 > "$T/after"
	expect_equal "$(< "$T/after")" "send $OTHER 8080: ok"
	expect_equal "$(grep -c datagram "$T/served")" 1
	expect_equal "$(rsts)" "$before"
	must brig explain "$ID"
	expect_like "$output" "send udp \[$OTHER6\]:8080: not in brig.dev/egress"
	expect_like "$output" "packet tcp \[$OTHER6\]:9999: not in brig.dev/egress"
}

@test "without the list it does: the test above can fail" {
	local before

	serving ''
	before=$(rsts)
	must brig exec "$ID" network "spoof-udp-$OWN6" $OTHER6 8080 "spoof-tcp-$OWN6" $OTHER6 9999
	wait_until grep -q datagram "$T/served"
	wait_until has_more_rsts "$before"
}

@test "an exec, and a container that was updated and paused, are held to it" {
	egress "$PERMITTED:80"
	sleeper
	must brig exec "$ID" network tcp $PERMITTED 80 tcp $OTHER 80
	expect_equal "$(outcomes)" "ok EPERM "
	must brig update --pids-limit 77 "$ID"
	must brig pause "$ID"
	must brig resume "$ID"
	must brig exec --cap CAP_NET_RAW "$ID" network tcp $OTHER 80 send $OTHER 80 raw $OTHER 0 packet $OTHER 0
	expect_equal "$(outcomes)" "EPERM EPERM EPERM EPERM "
}

@test "explain shows what was let through and what was not, and that it holds" {
	egress "$PERMITTED:80,$PERMITTED6"
	sleeper
	must brig exec "$ID" network tcp $PERMITTED 80 send $PERMITTED 80 send $PERMITTED 80 tcp $OTHER 443 tcp $OTHER 443 send $OTHER6 5353 udplite $OTHER 0
	must brig explain "$ID"
	expect_like "$output" "$PERMITTED:80: connections 1, datagrams 2"
	expect_like "$output" "connect tcp $OTHER:443: not in brig.dev/egress; count 2"
	expect_like "$output" "send udp \[$OTHER6\]:5353: not in brig.dev/egress; count 1"
	expect_like "$output" "socket AF_INET, type 2, protocol-136: not in brig.dev/egress; count 1"
	must brig explain --json "$ID"
	expect_schema explain
	expect_json "$output" '.egress.total == 4 and .egress.others == 0 and (.egress.denials | length) == 3'
	expect_json "$output" '.egress.allowed[0].connections == 1 and .egress.allowed[1] == { entry: "'$PERMITTED6'", connections: 0, datagrams: 0 }'
	expect_json "$output" '.posture[] | select(.name == "egress") | .state == "ok"'
	must brig kill "$ID" KILL
	wait_until status_is stopped
	must brig explain --json "$ID"
	expect_schema explain
	expect_json "$output" '.egress.total == 4'
}

@test "the list of denials is bounded, and what was there first stays" {
	local all=(send $OTHER 443)

	for port in $(seq 1000 1300); do
		all+=(send $OTHER "$port")
	done
	egress none
	sleeper
	must brig exec "$ID" network "${all[@]}"
	must brig explain --json "$ID"
	expect_schema explain
	expect_json "$output" '.egress.total == 302 and (.egress.denials | length) == 256 and .egress.others == 46'
	expect_json "$output" '.egress.denials[0].what == "send udp '$OTHER':443"'
}

@test "the audit trail's exit record has what was refused, and the metrics count it" {
	mkdir -m 0700 "$T/audit"
	POLICY=$T/policy.json
	echo '{ "set": "conformant", "audit": { "enabled": true, "path": "'"$T"'/audit/trail.jsonl" } }' > "$POLICY"
	egress "$PERMITTED:80"
	talk tcp $OTHER 443 tcp $OTHER 443
	expect_schema audit "$(< "$T/audit/trail.jsonl")" --lines
	expect_json "$(jq -s 'map(select(.event == "exit"))' "$T/audit/trail.jsonl")" \
		'.[0].egress_denials == 2 and .[0].egress_denied == [{ what: "connect tcp '$OTHER':443", count: 2 }]'
	must brig metrics
	expect_line "$output" 'brig_egress_denials_total{by="list"} 2'
}

@test "the host's network is held as well, and its loopback is not the container's own" {
	serve "$PEER" 7000
	without_namespace network
	egress "$PERMITTED:80,127.0.0.1:7000/tcp"
	program network tcp $PERMITTED 80 tcp $OTHER 80 tcp 127.0.0.1 7000 tcp 127.0.0.1 80 send 127.0.0.1 7000 tcp 0.0.0.0 80 tcp ::1 7000
	# Its "host" is the peer: nobody can leave that.
	BRIG_TEST=$ID must nsenter --net="/run/netns/$PEER" "$BRIG" --root "$ROOT" --policy conformant run --bundle "$BUNDLE" "$ID"
	expect_equal "$(outcomes)" "ok EPERM ok EPERM EPERM EPERM EPERM "
}

@test "the host's network by its path is refused: its loopback would pass as the container's own" {
	without_namespace network
	add_namespace network /proc/self/ns/net
	program true
	egress none
	must_fail 1 "/proc/self/ns/net is the host's own.*brig.dev/egress" brig run --bundle "$BUNDLE" "$ID"
	without_egress
	must brig run --bundle "$BUNDLE" "$ID"
}

@test "a list that can't be held does not start, and nothing is left" {
	egress none
	must_fail 1 'annotations\["brig.dev/egress"\]: can.t be held: .*cgroup.*disabled' brig --cgroup-manager disabled run --bundle "$BUNDLE" "$ID"
	must_fail 1 'annotations\["brig.dev/egress"\]: can.t be held: .*CAP_BPF' setpriv --bounding-set -bpf,-net_admin,-sys_admin \
		--inh-caps -bpf,-net_admin,-sys_admin "$BRIG" --root "$ROOT" --policy "$POLICY" run --bundle "$BUNDLE" "$ID"
	expect_equal "$(left_cgroups)" ""
}

@test "what is no list is refused with the reason" {
	egress "$PERMITTED:80/udp/tcp"
	must_fail 1 'annotations\["brig.dev/egress"\]: "10.231.7.2:80/udp/tcp": ' run_container
	egress ''
	must_fail 1 'annotations\["brig.dev/egress"\]: an entry is empty' run_container
	egress "$PERMITTED:53"
	must_fail 1 'port 53 is for resolvers: write dns=ADDRESS' run_container
}

@test "the site's list: what a container has that asks for none, and the most that it can ask for" {
	POLICY=$T/policy.json
	echo '{ "set": "conformant", "rules": { "egress-maximum": "enforce" }, "egress": ["10.231.7.2/31:80", "dns='$RESOLVER'"] }' > "$POLICY"
	talk tcp $PERMITTED 80 tcp $OTHER 80 tcp $PERMITTED 81
	expect_equal "$(outcomes)" "ok ok EPERM "
	egress "$PERMITTED:80/tcp"
	talk tcp $PERMITTED 80 tcp $OTHER 80
	expect_equal "$(outcomes)" "ok EPERM "
	egress "$PERMITTED"
	must_fail 1 'asked for 10\.231\.7\.2, but no entry of the policy.s "egress" covers that; rule egress-maximum' run_container
	jq '.rules["egress-maximum"] = "adjust"' "$POLICY" > "$T/adjust.json"
	POLICY=$T/adjust.json
	talk tcp $PERMITTED 80 tcp $PERMITTED 81
	expect_equal "$(outcomes)" "ok EPERM "
	# Whom the policy delegates it to may go beyond.
	jq '.delegate = { "egress-maximum": "example.com/egress" }' "$POLICY" > "$T/delegate.json"
	POLICY=$T/delegate.json
	config '.annotations["example.com/egress"] = "warn"'
	talk tcp $PERMITTED 80 tcp $PERMITTED 81
	expect_equal "$(outcomes)" "ok ok "
}

@test "a forced delete of a running container: no program stays behind" {
	local programs

	compile bpf_programs "$T/bpf_programs"
	egress none
	sleeper
	mapfile -t programs < <("$T/bpf_programs" "$(cgroup_folder unified)")
	expect_equal "${#programs[@]}" 7
	must_fail 1 "" "$T/bpf_programs" -gone "${programs[@]}"
	must brig delete --force "$ID"
	wait_until "$T/bpf_programs" -gone "${programs[@]}"
}

@test "a group that is taken over has no list of an earlier container" {
	local folder

	egress none
	sleeper
	folder=$(cgroup_folder unified)
	compile bpf_programs "$T/bpf_programs"
	# As a brig leaves it that is killed: the group without its processes, and no state.
	kill -KILL "$(pid_of)"
	wait_until status_is stopped
	rm -rf "${ROOT:?}/$ID"
	without_egress
	sleeper
	expect_equal "$("$T/bpf_programs" "$folder")" ""
	must brig exec "$ID" network tcp $OTHER 80
	expect_equal "$output" "tcp $OTHER 80: ok"
}
