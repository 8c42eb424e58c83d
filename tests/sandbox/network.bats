#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2154,SC2317 # bats: a subshell a test, $output
# brig sandbox --egress: the way out by pasta or slirp4netns, and that it leads to nothing but what the list names.

load support

need_helper() { # NAME...
	[ "$(id -u)" -eq 0 ] || skip "takes root"
	for name in "$@"; do
		[ -x "/usr/bin/$name" ] && return
	done
	skip "none of $* is installed"
}

# An address of this machine that is not its loopback's: $ADDRESS. The sandbox can reach the network by it alone.
find_address() {
	ADDRESS=$(ip -4 -oneline address show scope global | awk '{ sub("/.*", "", $4); print $4; exit }')
	[ -n "$ADDRESS" ] || skip "this machine has no address but its loopback's"
}

serve() { # ADDRESS [COMMAND...]: $PORT. The command executes the server.
	local file=$T/port-$1

	"${@:2}" "$SOURCE/tests/sandbox/hello-server" "$1" > "$file" 3>&- &
	echo $! >> "$T/servers"
	for _ in $(seq 600); do
		[ -s "$file" ] && break
		sleep 0.05
	done
	PORT=$(cat "$file")
}

teardown() {
	local pid

	while read -r pid; do
		kill "$pid" 2> /dev/null || true
	done < <(cat "$T/servers" 2> /dev/null)
	cleanup_all
}

CONNECT='
import socket, sys
try:
    print(socket.create_connection((sys.argv[1], int(sys.argv[2])), 3).recv(100).decode().strip())
except OSError as error:
    print("failed:", error.strerror or error)
'

connect() { # EGRESS ADDRESS PORT
	must sandbox --timeout 25s --egress "$1" -- python3 -c "$CONNECT" "$2" "$3"
}

# only HELPER COMMAND...: with the other helper out of sight.
only() {
	local helper=$1 name=pasta

	shift
	[ "$helper" = pasta ] && name=slirp4netns
	: > "$T/empty"
	# shellcheck disable=SC2016 # expanded inside
	unshare --mount sh -c '[ ! -e "$2" ] || mount --bind "$1" "$2"; shift 2; exec "$@"' sh "$T/empty" "/usr/bin/$name" "$@"
}

goes_out_by() { # HELPER
	need_helper "$1"
	find_address
	brig() {
		only "$HELPER" env BRIG_TEST="$ID" "$BRIG" --root "$ROOT" "$@"
	}
	HELPER=$1
	serve "$ADDRESS"
	connect "$ADDRESS:$PORT/tcp" "$ADDRESS" "$PORT"
	expect_equal "$output" hello
	connect "$ADDRESS:1/tcp" "$ADDRESS" "$PORT"
	expect_like "$output" 'failed: Operation not permitted'
	connect "none" "$ADDRESS" "$PORT"
	expect_like "$output" 'failed: '
	serve 127.0.0.1
	for address in 127.0.0.1 10.0.2.2; do
		connect "10.0.2.2,$ADDRESS" "$address" "$PORT"
		expect_like "$output" 'failed: '
	done
	assert_nothing_left
}

@test "by pasta" {
	goes_out_by pasta
}

@test "by slirp4netns" {
	goes_out_by slirp4netns
}

# A kernel may be without, or started with ipv6.disable=1.
has_ipv6() {
	[ -e /proc/net/if_inet6 ]
}

# Two network namespaces with a cable between them, 198.51.100.1 and 2001:db8::1 at one end, .2 and ::2 at the other: $THERE and $HERE are who is in them.
lay_cable() {
	local pid

	unshare --net sleep 1000 3>&- &
	THERE=$!
	unshare --net sleep 1000 3>&- &
	HERE=$!
	printf '%s\n' "$THERE" "$HERE" >> "$T/servers"
	for pid in "$THERE" "$HERE"; do
		wait_until is_elsewhere "$pid"
	done
	nsenter --net --target "$HERE" ip link add cable type veth peer name cable netns "$THERE" || skip "no network interfaces can be made here"
	for pid in "$THERE 1" "$HERE 2"; do
		# shellcheck disable=SC2016 # expanded inside
		nsenter --net --target "${pid% *}" sh -ec 'ip link set lo up; ip address add "198.51.100.$1/24" dev cable; ip link set cable up' sh "${pid#* }"
		! has_ipv6 || nsenter --net --target "${pid% *}" ip address add "2001:db8::${pid#* }/64" dev cable nodad
	done
	nsenter --net --target "$HERE" ip route add default via 198.51.100.1
	! has_ipv6 || nsenter --net --target "$HERE" ip -6 route add default via 2001:db8::1
}

is_elsewhere() { # PID
	[ "$(readlink "/proc/$1/ns/net")" != "$(readlink /proc/self/ns/net)" ]
}

# A first packet may be lost where neighbours have not found each other yet; what is refused is refused at once.
TALK='
import socket, sys
family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
def talk(kind, name):
    client = socket.socket(family, kind)
    client.settimeout(10)
    client.connect((sys.argv[1], int(sys.argv[2])))
    if name == "udp": client.send(b"x")
    return client.recv(100).decode().strip()
for name, kind in (("tcp", socket.SOCK_STREAM), ("udp", socket.SOCK_DGRAM)):
    for attempt in range(5):
        try:
            said = talk(kind, name)
            break
        except OSError as error:
            said = error.strerror or error
            if not isinstance(error, TimeoutError): break
    print(name, said)
'

# What is listed is reached, by the protocol that is listed, and answers.
talks_to() { # ADDRESS ENTRY
	need_helper pasta
	lay_cable
	brig() {
		nsenter --net --target "$HERE" env BRIG_TEST="$ID" "$BRIG" --root "$ROOT" "$@"
	}
	serve "$1" nsenter --net --target "$THERE"
	must sandbox --timeout 100s --egress "$2:$PORT/tcp" -- python3 -c "$TALK" "$1" "$PORT"
	expect_equal "$output" $'tcp hello\nudp Operation not permitted'
	must sandbox --timeout 100s --egress "$2:$PORT/udp" -- python3 -c "$TALK" "$1" "$PORT"
	expect_equal "$output" $'tcp Operation not permitted\nudp hello'
}

@test "by pasta, TCP and UDP, with their answers" {
	talks_to 198.51.100.1 198.51.100.1
	assert_nothing_left
}

@test "by pasta, TCP and UDP over IPv6; what is listed of the one family is nothing of the other" {
	has_ipv6 || skip "this machine's kernel has no IPv6"
	talks_to 2001:db8::1 '[2001:db8::1]'
	must sandbox --egress "198.51.100.1:$PORT" -- python3 -c "$TALK" 2001:db8::1 "$PORT"
	expect_equal "$output" $'tcp Operation not permitted\nudp Operation not permitted'
	assert_nothing_left
}

@test "by pasta, what the host serves at its own IPv6 address, which the sandbox has too, is not reached" {
	need_helper pasta
	has_ipv6 || skip "this machine's kernel has no IPv6"
	lay_cable
	brig() {
		nsenter --net --target "$HERE" env BRIG_TEST="$ID" "$BRIG" --root "$ROOT" "$@"
	}
	serve 2001:db8::2 nsenter --net --target "$HERE"
	nsenter --net --target "$HERE" python3 -c "$TALK" 2001:db8::2 "$PORT" > "$T/outside"
	expect_file "$T/outside" $'tcp hello\nudp hello'
	must sandbox --timeout 100s --egress '[2001:db8::2]' -- python3 -c "$CONNECT" 2001:db8::2 "$PORT"
	expect_like "$output" '^failed: '
	assert_nothing_left
}

# Any answer will do: who carries the packets does not read them.
ANSWER='
import socket, sys
resolver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
resolver.bind((sys.argv[1], 53))
print(53, flush=True)
while True:
    resolver.sendto(b"answer", resolver.recvfrom(100)[1])
'

asks_resolver() { # ADDRESS
	must sandbox --timeout 100s --egress "192.0.2.1,dns=10.0.2.3" -- python3 -c '
import socket, sys
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.settimeout(3)
for attempt in range(5):
    try:
        client.sendto(b"question", (sys.argv[1], 53))
        print(client.recv(100).decode())
        break
    except OSError as error:
        if not isinstance(error, TimeoutError):
            print(error.strerror)
            break' "$1"
}

@test "by pasta, 10.0.2.3 answers as the host's own resolver does, and no resolver that is not listed is asked" {
	need_helper pasta
	lay_cable
	nsenter --net --target "$THERE" python3 -c "$ANSWER" 198.51.100.1 > "$T/ready" 3>&- &
	echo $! >> "$T/servers"
	wait_until test -s "$T/ready"
	echo nameserver 198.51.100.1 > "$T/resolv.conf"
	brig() {
		# shellcheck disable=SC2016 # expanded inside
		nsenter --net --target "$HERE" unshare --mount sh -c 'mount --bind "$1" /etc/resolv.conf; shift; exec "$@"' sh "$T/resolv.conf" \
			env BRIG_TEST="$ID" "$BRIG" --root "$ROOT" "$@"
	}
	asks_resolver 10.0.2.3
	expect_equal "$output" answer
	asks_resolver 198.51.100.1
	expect_equal "$output" 'Operation not permitted'
	assert_nothing_left
}

@test "the resolvers of the list, and no others, are in resolv.conf" {
	need_helper pasta slirp4netns
	must sandbox --egress 192.0.2.1,dns=10.0.2.3,dns=192.0.2.53 -- cat /etc/resolv.conf
	expect_equal "$output" $'nameserver 10.0.2.3\nnameserver 192.0.2.53'
	must sandbox --egress 192.0.2.1 -- cat /etc/resolv.conf
	expect_equal "$output" ''
	assert_nothing_left
}

@test "the helper has no privilege on the host, and ends with brig" {
	local pid brig_pid

	need_helper pasta slirp4netns
	"$BRIG" --root "$ROOT" sandbox --name "$ID" --env BRIG_TEST="$ID" --egress 192.0.2.1 --timeout 100s -- sleep 100 3>&- &
	brig_pid=$!
	for _ in $(seq 600); do
		pid=$(pgrep -P "$brig_pid" '^(p|slirp)' | head -n 1)
		[ -z "$pid" ] || break
		sleep 0.05
	done
	[ -n "$pid" ] || flunk "no helper was started"
	awk '/^Uid:/ { exit $2 == 0 || $3 == 0 || $4 == 0 }' "/proc/$pid/status" || flunk "the helper is root"
	expect_equal "$(awk '/^NoNewPrivs:/ { print $2 }' "/proc/$pid/status")" 1
	kill -9 "$brig_pid"
	# Whoever inherits it may take long to wait for it.
	for _ in $(seq 600); do
		grep -qs '^State:.[^Z]' "/proc/$pid/status" || break
		sleep 0.05
	done
	! grep -s '^State:.[^Z]' "/proc/$pid/status" || flunk "the helper is still there"
	brig delete --force "$ID" || true
	must sandbox -- true
	assert_nothing_left
}

# COMMAND: what comes after it finds a helper that never sets anything up, and no other.
make_hung_helper() {
	printf '#!/bin/sh\nexec sleep 1000\n' > "$T/hung"
	chmod 755 "$T/hung"
	: > "$T/empty"
	# shellcheck disable=SC2016 # expanded inside
	COMMAND=(unshare --mount sh -c 'mount -t tmpfs -o mode=755 none /usr/local/bin && cp "$1" /usr/local/bin/pasta || exit 99
		for found in /usr/bin/pasta /usr/bin/slirp4netns; do
			[ ! -e "$found" ] || mount --bind "$2" "$found" || exit 99
		done
		shift 2; exec "$@"' sh "$T/hung" "$T/empty" env BRIG_TEST="$ID" "$BRIG" --root "$ROOT" sandbox --json --name "$ID")
}

@test "a helper that hangs does not hold off the time" {
	[ "$(id -u)" -eq 0 ] || skip "takes root"
	make_hung_helper
	attempt "${COMMAND[@]}" --timeout 100ms --egress 192.0.2.1 -- true
	expect_equal "$status" 125
	expect_schema sandbox
	expect_like "$(of .error)" 'wait for /usr/local/bin/pasta: the sandbox was not ready in time'
	assert_nothing_left
}

@test "a helper that hangs does not hold off a signal" {
	local status=0

	[ "$(id -u)" -eq 0 ] || skip "takes root"
	make_hung_helper
	helper "${COMMAND[@]}" --timeout 100s --egress 192.0.2.1 -- true
	wait_until pgrep -P "$HELPER" sleep
	kill -TERM "$HELPER"
	wait "$HELPER" || status=$?
	expect_equal "$status" 143
	output=$(< "$T/helper.out")
	expect_schema sandbox
	expect_equal "$(of .verdict)" internal
	expect_like "$(of .error)" 'stopped by SIGTERM before the program'
	assert_nothing_left
}

@test "without a helper, or with a list that is none, it says what to do" {
	[ "$(id -u)" -eq 0 ] || skip "takes root"
	must_fail 125 'option --egress: .*no address' sandbox --egress example.org -- true
	brig() {
		# shellcheck disable=SC2016 # expanded inside
		only pasta unshare --mount sh -c '[ ! -e /usr/bin/pasta ] || mount --bind "$1" /usr/bin/pasta; shift; exec "$@"' sh \
			"$T/empty" env BRIG_TEST="$ID" "$BRIG" --root "$ROOT" "$@"
	}
	[ ! -e /usr/local/bin/pasta ] && [ ! -e /usr/local/bin/slirp4netns ] || skip "one in /usr/local/bin"
	must_fail 125 'install the package passt or slirp4netns' sandbox --egress 192.0.2.1 -- true
	assert_nothing_left
}
