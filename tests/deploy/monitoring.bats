#!/usr/bin/env bats
# Metrics as Prometheus reads them, the alerts, the dashboard, the runbooks, and the helper that serves the metrics.

# shellcheck disable=SC2154 # BRIG, BRIG_BUILD: of the stage
load deploy.bash

setup_file() {
	need promtool
	# nobody has to get to the page.
	chmod a+x "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR"
	"$BRIG" metrics --file "$BATS_FILE_TMPDIR/log/audit.jsonl" > "$BATS_FILE_TMPDIR/metrics"
}

# The families that brig has, and what a histogram is made of.
names_that_there_are() {
	awk '$1 == "#" && $2 == "TYPE" { print $3; if ($4 == "histogram") print $3 "_bucket\n" $3 "_sum\n" $3 "_count" }' \
		"$BATS_FILE_TMPDIR/metrics" | sort
}

expect_names() { # FILE
	local unknown

	unknown=$(grep -oE '\bbrig_[a-z_]+' "$1" | sort -u | comm -23 - <(names_that_there_are))
	[ -z "$unknown" ] || {
		echo "$1 names what brig does not print: $unknown"
		return 1
	}
}

@test "promtool reads what brig prints" {
	expect 0 promtool check metrics < "$BATS_FILE_TMPDIR/metrics"
	[ -z "$output" ]
}

@test "the documentation lists all of it, and nothing else" {
	listed=$(grep -oE '^\| `brig_.*' "$SOURCE/docs/monitoring.md" | cut -d'|' -f2 | grep -oE 'brig_[a-z_]+' | sort)
	[ -n "$listed" ]
	diff <(awk '$2 == "TYPE" { print $3 }' "$BATS_FILE_TMPDIR/metrics" | sort) <(echo "$listed")
}

@test "rules: promtool takes them, each fires and does not fire in a case" {
	expect 0 promtool check rules "$DEPLOY/monitoring/brig.rules.yaml"
	expect 0 promtool test rules "$DEPLOY/monitoring/brig.test.yaml"
	diff <(sed -n 's/^ *- alert: \(.*\)/\1 does not fire\n\1 fires/p' "$DEPLOY/monitoring/brig.rules.yaml" | sort) \
		<(sed -n 's/^ *- name: //p' "$DEPLOY/monitoring/brig.test.yaml" | sort)
}

@test "a rule that is taken away makes its case fail" {
	cp "$DEPLOY/monitoring/brig.test.yaml" "$BATS_TEST_TMPDIR"
	# All at once: a case asks for one alert by name, and promtool tells of each that fails.
	sed 's/- alert: Brig/- alert: Other/' "$DEPLOY/monitoring/brig.rules.yaml" > "$BATS_TEST_TMPDIR/brig.rules.yaml"
	expect 1 promtool test rules "$BATS_TEST_TMPDIR/brig.test.yaml"
	while read -r alert; do
		[ "$(grep -c "alertname=..$alert.*alertstate" <<< "$output")" = 1 ]
	done < <(sed -n 's/^ *- alert: //p' "$DEPLOY/monitoring/brig.rules.yaml")
}

@test "rules and dashboard name metrics that brig prints" {
	expect_names "$DEPLOY/monitoring/brig.rules.yaml"
	expect_names "$DEPLOY/monitoring/brig.test.yaml"
	expect_names "$DEPLOY/monitoring/brig-dashboard.json"
	# The other way round: what is printed is shown somewhere.
	while read -r name; do
		grep -q "$name" "$DEPLOY/monitoring/brig-dashboard.json" || {
			echo "$name is in no panel"
			return 1
		}
	done < <(awk '$2 == "TYPE" { print $3 }' "$BATS_FILE_TMPDIR/metrics")
}

@test "labels in rules and dashboard are those that brig prints" {
	# Those of families that have samples from the beginning; promtool's cases have the others.
	python3 - "$BATS_FILE_TMPDIR/metrics" "$DEPLOY/monitoring/brig.rules.yaml" "$DEPLOY/monitoring/brig-dashboard.json" << 'PYTHON'
import re, sys
printed = {}
for line in open(sys.argv[1]):
    if match := re.match(r"(\w+)(?:\{(.*)\})? ", line):
        if line[0] != "#":
            printed.setdefault(match[1], {}).update((k, 1) for k in re.findall(r'(\w+)="', match[2] or ""))
bad = []
for name in sys.argv[2:]:
    for metric, labels in re.findall(r"\b(brig_\w+)\{([^}]*)\}", open(name).read().replace('\\"', '"')):
        for label in re.findall(r'(\w+)=~?"', labels):
            if label != "instance" and metric in printed and label not in printed[metric]:
                bad.append(f"{name}: {metric} has no label {label}")
print("\n".join(bad))
sys.exit(bool(bad))
PYTHON
}

@test "the dashboard is one that Grafana can read" {
	jq -e '.panels | length > 10 and all(.[]; .targets | length > 0)' "$DEPLOY/monitoring/brig-dashboard.json"
	jq -e '[.panels[].id] | (unique | length) == length' "$DEPLOY/monitoring/brig-dashboard.json"
	jq -e '[.panels[].gridPos | [.x, .y]] | (unique | length) == length' "$DEPLOY/monitoring/brig-dashboard.json"
	# Each query is one that Prometheus would take, with Grafana's variables filled in.
	jq -r '.panels[].targets[].expr' "$DEPLOY/monitoring/brig-dashboard.json" | sed 's/\$__rate_interval/5m/; s/\$instance/node/' |
		jq -R . | jq -s '{ groups: [{ name: "dashboard", rules: [to_entries[] | { record: "r\(.key)", expr: .value }] }] }' \
		> "$BATS_TEST_TMPDIR/rules.yaml"
	sed -i 's/\$__rate_interval/5m/g; s/\$instance/node/g' "$BATS_TEST_TMPDIR/rules.yaml"
	expect 0 promtool check rules "$BATS_TEST_TMPDIR/rules.yaml"
}

@test "each alert has its runbook, and each runbook its alert" {
	diff <(sed -n 's/^ *runbook: docs.runbooks.//p' "$DEPLOY/monitoring/brig.rules.yaml" | sort) \
		<(find "$SOURCE/docs/runbooks" -name '*.md' ! -name README.md -printf '%f\n' | sort)
	while read -r alert page; do
		[ "$(head -1 "$SOURCE/$page")" = "# $alert" ]
		grep -qF "[$alert](${page##*/})" "$SOURCE/docs/runbooks/README.md"
		grep -qE '^1\. ' "$SOURCE/$page"
	done < <(awk '/- alert:/ { alert = $3 } /runbook:/ { print alert, $2 }' "$DEPLOY/monitoring/brig.rules.yaml")
}

# ---- the helper ----

http_start() { # sets PID and URL
	PAGE=$BATS_TEST_TMPDIR/brig.prom
	chmod a+x "$BATS_TEST_TMPDIR" "${BATS_TEST_TMPDIR%/*}"
	install -m 644 "$BATS_FILE_TMPDIR/metrics" "$PAGE"
	# Somebody else may take the port meanwhile.
	for _ in 1 2 3; do
		PORT=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
		URL=http://127.0.0.1:$PORT
		"$BRIG_BUILD/brig-metrics-http" --file "$PAGE" --listen "127.0.0.1:$PORT" > "$BATS_TEST_TMPDIR/log" 2>&1 3>&- &
		PID=$!
		wait_for 30 http_answers_or_ended
		! kill -0 "$PID" 2> /dev/null || return 0
	done
	cat "$BATS_TEST_TMPDIR/log"
	return 1
}

# An answer, not a connection: it listens before it has become nobody.
http_answers_or_ended() {
	ask GET /metrics || ! kill -0 "$PID"
}

teardown() {
	if [ -n "${PID:-}" ]; then
		kill "$PID" 2> /dev/null || true
		wait "$PID" || true
	fi
}

# ask METHOD PATH: prints the status, then the body.
ask() {
	python3 - "$PORT" "$@" << 'PYTHON'
import http.client, sys
connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=10)
connection.request(sys.argv[2], sys.argv[3], body=b"x" if sys.argv[2] == "POST" else None)
answer = connection.getresponse()
print(answer.status, answer.getheader("Content-Type"))
sys.stdout.write(answer.read().decode())
PYTHON
}

@test "http: the page as it is now, and nothing else" {
	http_start
	[ "$(ask GET /metrics | tail -n +2)" = "$(cat "$PAGE")" ]
	[ "$(ask GET /metrics | head -1)" = "200 text/plain; version=0.0.4; charset=utf-8" ]
	echo 'new 1' > "$PAGE.new" && mv "$PAGE.new" "$PAGE"
	[ "$(ask GET /metrics | tail -1)" = "new 1" ]
	[[ $(ask HEAD /metrics) == 200* ]]
	[[ $(ask GET /) == 404* ]]
	[[ $(ask GET /../../etc/passwd) == 404* ]]
	[[ $(ask POST /metrics) == 405* ]]
}

@test "http: a page that is missing, a link, a fifo or too long is none" {
	http_start
	rm "$PAGE"
	[[ $(ask GET /metrics) == 503* ]]
	ln -s /etc/passwd "$PAGE"
	[[ $(ask GET /metrics) == 503* ]]
	rm "$PAGE"
	mkfifo "$PAGE"
	[[ $(ask GET /metrics) == 503* ]]
	rm "$PAGE"
	truncate -s 5M "$PAGE"
	[[ $(ask GET /metrics) == 503* ]]
	# What exactly is for the log alone.
	[[ $(ask GET /metrics) != *"$BATS_TEST_TMPDIR"* ]]
	grep -q brig.prom "$BATS_TEST_TMPDIR/log"
}

@test "http: it is nobody, and can become nobody else" {
	http_start
	field() { awk -v name="$1:" '$1 == name { print $2, $3, $4 }' "/proc/$PID/status"; }
	[ "$(field Uid)" = "65534 65534 65534" ]
	[ "$(field Gid)" = "65534 65534 65534" ]
	[ "$(field Groups)" = "  " ]
	[ "$(field CapEff)" = "0000000000000000  " ]
	[ "$(field CapPrm)" = "0000000000000000  " ]
	[ "$(field NoNewPrivs)" = "1  " ]
	expect 1 "$BRIG_BUILD/brig-metrics-http" --file "$PAGE" --listen 127.0.0.1:0 --user 0
	[[ $output == *"0 is root"* ]]
}

@test "http: connections that say nothing do not keep others out for long" {
	http_start
	python3 - "$PORT" << 'PYTHON'
import socket, sys, time
port = int(sys.argv[1])
silent = [socket.create_connection(("127.0.0.1", port)) for _ in range(40)]
end = time.monotonic() + 30
while True:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(b"GET /metrics HTTP/1.0\r\n\r\n")
            if connection.recv(12) == b"HTTP/1.1 200":
                break
    except OSError:
        pass
    assert time.monotonic() < end, "nobody is served any more"
PYTHON
	kill -0 "$PID"
}

@test "http: requests without end are ended" {
	http_start
	python3 - "$PORT" << 'PYTHON'
import socket, sys
for start in (b"GET /" + b"x" * 100000, b"GET /metrics HTTP/1.1\r\n" + b"A: b\r\n" * 20000, b"\0" * 100000, b"POST /metrics HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n" + b"x" * 100000):
    with socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=20) as connection:
        try:
            connection.sendall(start)
            while connection.recv(4096):
                pass
        except (ConnectionError, TimeoutError):
            pass
PYTHON
	[[ $(ask GET /metrics) == 200* ]]
	[ "$(awk '$1 == "VmRSS:" { print ($2 < 20000) }' "/proc/$PID/status")" = 1 ]
}

@test "http: what is wrong on its command line is said" {
	for address in '' 127.0.0.1 localhost:80 :80 127.0.0.1: 127.0.0.1:port '[::1'; do
		expect 1 "$BRIG_BUILD/brig-metrics-http" --listen "$address" --file /tmp/x
		[[ $output == *'--listen'* ]]
	done
	expect 1 "$BRIG_BUILD/brig-metrics-http" --file brig.prom
	[[ $output == *'no absolute path'* ]]
	expect 1 "$BRIG_BUILD/brig-metrics-http" --user -1
	expect 1 "$BRIG_BUILD/brig-metrics-http" more
	expect 0 "$BRIG_BUILD/brig-metrics-http" --version
}

@test "the units are ones that systemd takes" {
	if ! command -v systemd-analyze > /dev/null; then
		skip "systemd-analyze is not here"
	fi
	mkdir "$BATS_TEST_TMPDIR/units"
	for unit in brig-metrics.service brig-metrics.timer brig-metrics-http.service; do
		sed -e "s#/usr/bin/brig\b#$BRIG#" -e "s#/usr/libexec/brig/brig-metrics-http#$BRIG_BUILD/brig-metrics-http#" \
			"$DEPLOY/monitoring/$unit" > "$BATS_TEST_TMPDIR/units/$unit"
	done
	expect 0 systemd-analyze verify --man=no "$BATS_TEST_TMPDIR"/units/*
	[ -z "$output" ] || ! grep -E 'Unknown|Failed to parse' <<< "$output"
}
