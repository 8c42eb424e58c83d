#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2154,SC2317 # scripts of other languages; bats: a subshell a test, $output
# brig sandbox --egress-proxy: out by name, and to nothing but what the list names; as root and as an ordinary user.

load support

prepare() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=web.test \
		-addext subjectAltName=DNS:web.test,DNS:other.test -keyout "$T/key.pem" -out "$T/cert.pem" 2> /dev/null
	chmod 644 "$T/cert.pem"
}

# serve [COMMAND...]: $HTTP and $TLS are the ports.
serve() {
	"$@" "$SOURCE/tests/sandbox/proxy-servers" "$T" > "$T/ports" 3>&- &
	SERVER=$!
	for _ in $(seq 600); do
		[ -s "$T/ports" ] && break
		sleep 0.05
	done
	read -r HTTP TLS < "$T/ports"
}

teardown() {
	[ -z "${SERVER:-}" ] || kill "$SERVER" 2> /dev/null || true
	cleanup_all
}

# reaching LIST COMMAND...: judged ok, with the certificate at hand.
reaching() {
	local list=$1

	shift
	judged ok --timeout 25s --egress-proxy "$list" --file cert.pem="$T/cert.pem" -- "$@"
}

# The outcomes, sorted: they are told when a connection has ended at both its ends, and the sandbox's end may come before that (`ended`).
outcomes() {
	of '[.egress.requests[].outcome | sub("^ended$"; "done")] | sort | join(" ")'
}

goes_by_name() {
	serve
	reaching "web.test:$HTTP=127.0.0.1,web.test:$TLS=127.0.0.1" sh -c "
		curl -sS http://web.test:$HTTP/a; curl -sS -d body http://WEB.test:$HTTP/b
		curl -sS --cacert cert.pem https://web.test:$TLS/c"
	expect_equal "$(of .stdout.data)" $'GET /a web.test\nPOST /b WEB.test body\nGET /c web.test'
	expect_json "$output" '.egress.allowed == 3 and .egress.refused == 0 and (.egress.requests | length) == 3'
	expect_json "$output" '([.egress.requests[].method] | sort) == ["CONNECT", "HTTP", "HTTP"] and all(.egress.requests[]; .bytes_in > 0)'
	expect_equal "$(outcomes)" 'done done done'
}

@test "by name, HTTP and HTTPS" {
	goes_by_name
}

@test "by name, HTTP and HTTPS, as an ordinary user" {
	as_user
	goes_by_name
}

refuses_others() {
	serve
	reaching "web.test:$TLS=127.0.0.1,*.sub.test=127.0.0.1" sh -c "
		for url in https://other.test:$TLS/ https://web.test/ http://web.test:$HTTP/ https://127.0.0.1:$TLS/ http://127.1:$HTTP/ \
			https://sub.test/ http://web.test.:$HTTP/; do
			curl -sk --noproxy '' -o /dev/null -w '%{http_code} %{http_connect}\n' \$url
		done; true"
	expect_equal "$(of .stdout.data)" $'000 403\n000 403\n403 000\n000 400\n400 000\n000 403\n403 000'
	expect_json "$output" '.egress.allowed == 0 and .egress.refused == 7'
}

@test "other names, ports and addresses are refused" {
	refuses_others
}

@test "other names, ports and addresses are refused, as an ordinary user" {
	as_user
	refuses_others
}

@test "the name in TLS has to be the one that was asked for" {
	serve
	reaching "web.test:$TLS=127.0.0.1" python3 -c '
import os, socket, ssl, sys
def tunnel():
    s = socket.create_connection(("127.0.0.1", 3128))
    s.sendall(b"CONNECT web.test:%d HTTP/1.1\r\n\r\n" % int(sys.argv[1]))
    assert s.recv(100).startswith(b"HTTP/1.1 200"), "no tunnel"
    return s
context = ssl.create_default_context(cafile="cert.pem")
context.check_hostname = False
for name in "web.test", "other.test", None:
    try:
        with context.wrap_socket(tunnel(), server_hostname=name) as s:
            s.sendall(b"GET /x HTTP/1.0\r\nHost: web.test\r\n\r\n")
            print(name, b"200" in s.recv(100))
    except OSError:
        print(name, "cut")
s = tunnel()
s.sendall(b"GET / HTTP/1.0\r\n\r\n")
try:
    print(len(s.recv(100)))
except OSError:
    print(0)
' "$TLS"
	expect_equal "$(of .stdout.data)" $'web.test True\nother.test cut\nNone cut\n0'
	expect_equal "$(outcomes)" 'done server-name server-name server-name'
}

@test "by the unix socket as well" {
	serve
	reaching "web.test:$HTTP=127.0.0.1" python3 -c '
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect("/tmp/.brig-egress")
s.sendall(b"GET http://web.test:%s/u HTTP/1.0\r\n\r\n" % sys.argv[1].encode())
print(s.makefile().read().splitlines()[-1])' "$HTTP"
	expect_equal "$(of .stdout.data)" 'GET /u web.test'
}

@test "each spelling of the variables names it, and there is no other way out" {
	serve
	reaching "web.test:$HTTP=127.0.0.1" python3 -c '
import os, socket, sys
for name in "http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "no_proxy", "NO_PROXY":
    print(os.environ[name])
for address in ("192.0.2.1", 80), ("127.0.0.1", int(sys.argv[1])), ("web.test", int(sys.argv[1])):
    try:
        socket.create_connection(address, 5)
        print("connected to", address)
    except OSError:
        print("no")
' "$HTTP"
	expect_equal "$(of .stdout.data | sed '/^$/d' | uniq -c | tr -s ' \n' ' ')" ' 4 http://127.0.0.1:3128 2 localhost,127.0.0.1,::1 3 no '
	expect_json "$output" '.egress.requests == []'
}

@test "names below a name, in any case and with a final dot; the first entry that fits counts" {
	serve
	reaching "*.sub.test:$HTTP=127.0.0.1,first.test:$HTTP=127.0.0.9,*.test:$HTTP=127.0.0.1" sh -c "
		for host in a.sub.test A.b.SUB.Test. first.test other.test; do
			curl -s -o /dev/null -w '%{http_code} ' http://\$host:$HTTP/
		done"
	expect_equal "$(of .stdout.data)" '200 200 502 200 '
	expect_equal "$(outcomes)" 'done done done unreachable'
}

@test "what is no request of a proxy's client is told, and counted, by what is wrong with it" {
	serve
	reaching "web.test:$HTTP=127.0.0.1" python3 -c '
import socket, sys
host = b"web.test:" + sys.argv[1].encode()
def ask(*lines):
    client = socket.create_connection(("127.0.0.1", 3128), 10)
    client.sendall(b"\r\n".join(lines) + b"\r\n\r\n")
    print(client.makefile("rb").readline().decode().strip())
ask(b"GET / HTTP/1.1", b"Host: " + host)
ask(b"GET http://" + host + b"/ HTTP/1.1", b"Host: other.test")
ask(b"GET http://" + host + b"/ HTTP/1.1", b"Host: " + host, b"X: " + b"x" * 9000)
ask(b"POST http://" + host + b"/ HTTP/1.1", b"Host: " + host, b"Transfer-Encoding: chunked")
socket.create_connection(("127.0.0.1", 3128), 10).sendall(b"GET http://")
ask(b"GET http://" + host + b"/end HTTP/1.1", b"Host: " + host)
' "$HTTP"
	expect_equal "$(of .stdout.data | sed '/^$/d' | cut -d' ' -f2 | tr '\n' ' ')" '400 400 431 411 200 '
	expect_equal "$(outcomes)" 'done gone malformed malformed no-length too-large'
}

@test "no more than 64 connections at a time: the next one waits for its turn" {
	serve
	reaching "web.test:$HTTP=127.0.0.1" python3 -c '
import socket, sys
def ask():
    client = socket.create_connection(("127.0.0.1", 3128), 10)
    client.sendall(b"GET http://web.test:%s/ HTTP/1.0\r\n\r\n" % sys.argv[1].encode())
    return client
held = [socket.create_connection(("127.0.0.1", 3128), 10) for _ in range(64)]
last = ask()
last.settimeout(1)
try:
    print(last.recv(100))
except TimeoutError:
    print("waits")
held.pop().close()
last.settimeout(10)
print(b" 200 " in last.recv(100))' "$HTTP"
	expect_equal "$(of .stdout.data)" $'waits\nTrue'
}

# In a network of its own, with a resolver that leads every name to loopback.
@test "what the resolver says opens no way to this host" {
	[ "$(id -u)" -eq 0 ] || skip "takes root"
	echo nameserver 127.0.0.1 > "$T/resolv.conf"
	unshare --net --mount sh -c 'ip link set lo up; mount --bind "$1" /etc/resolv.conf; exec sleep 300' sh "$T/resolv.conf" 3>&- &
	helper_pid=$!
	HELPERS+=("$helper_pid")
	wait_until grep -qs sleep "/proc/$helper_pid/comm"
	serve nsenter --target "$helper_pid" --net --mount
	brig() {
		nsenter --target "$helper_pid" --net --mount env BRIG_TEST="$ID" "$BRIG" --root "$ROOT" "$@"
	}
	reaching "rebound.test:$HTTP,named.test:$HTTP=127.0.0.0/8" sh -c \
		"curl -s -o /dev/null -w '%{http_code}\n' http://rebound.test:$HTTP/; curl -sS http://named.test:$HTTP/n"
	expect_equal "$(of .stdout.data)" $'403\nGET /n named.test'
	expect_equal "$(outcomes)" 'done not-public'
	kill "$helper_pid"
}

@test "each request is in the audit trail" {
	[ "$(id -u)" -eq 0 ] || skip "only root has one"
	serve
	printf '{"set": "strict", "audit": {"path": "%s/trail/audit.jsonl"}}' "$T" > "$T/policy.json"
	reaching_with_policy "web.test:$HTTP=127.0.0.1"
	jq -c 'select(.event == "egress") | .request | [.method, .host, .allowed, (.outcome | sub("^ended$"; "done"))]' \
		"$T/trail/audit.jsonl" | sort > "$T/lines"
	expect_schema audit "$(< "$T/trail/audit.jsonl")" --lines
	expect_equal "$(cat "$T/lines")" $'["CONNECT","other.test",false,"not-listed"]\n["HTTP","web.test",true,"done"]'
}

@test "the site's own list holds the proxy, too" {
	[ "$(id -u)" -eq 0 ] || skip "only root can hold one"
	serve
	printf '{"set": "strict", "audit": {"enabled": false}, "egress": ["192.0.2.0/24"]}' > "$T/policy.json"
	reaching_with_policy "web.test:$HTTP=127.0.0.1"
	expect_equal "$(outcomes)" 'not-listed site'
}

reaching_with_policy() {
	brig() {
		env BRIG_TEST="$ID" "$BRIG" --root "$ROOT" --policy "$T/policy.json" "$@"
	}
	reaching "$1" sh -c "curl -s http://web.test:$HTTP/; curl -sk https://other.test/; true"
}

@test "the proxy is nobody, and ends with brig" {
	local pid

	[ "$(id -u)" -eq 0 ] || skip "takes root"
	start --timeout 10m --egress-proxy web.test -- sleep 600
	find_proxy() {
		pid=$(pgrep -P "$HELPER" -u 65534 | head -n 1)
		[ -n "$pid" ] && grep -qs '^Seccomp:.2' "/proc/$pid/status"
	}
	wait_until find_proxy
	expect_equal "$(awk '/^(NoNewPrivs|Seccomp):/ { print $2 }' "/proc/$pid/status" | tr '\n' ' ')" '1 2 '
	# Tokens in it are not the sandbox's matter.
	expect_equal "$(tr -d '\0' < "/proc/$pid/environ" | wc -c)" 0
	kill -9 "$HELPER"
	is_gone() {
		! grep -qs '^State:.[^Z]' "/proc/$pid/status"
	}
	wait_until is_gone
	wait "$HELPER" || true
	must sandbox -- true
	assert_nothing_left
}

@test "lists that are none, and two ways at once" {
	must_fail 125 'option --egress-proxy: .*no name of a host' sandbox --egress-proxy 192.0.2.1 -- true
	must_fail 125 'option --egress-proxy: .*no port' sandbox --egress-proxy web.test:http -- true
	must_fail 125 'option --egress-proxy: ' sandbox --egress-proxy '' -- true
	must_fail 125 'one way out' sandbox --egress-proxy web.test --egress 192.0.2.1 -- true
	mkdir "$T/tmp"
	must_fail 125 'bind-rw /tmp is in the way' sandbox --egress-proxy web.test --bind-rw "$T/tmp:/tmp" -- true
	expect_equal "$(ls -A "$T/tmp")" ""
	assert_nothing_left
}
