#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2153,SC2154 # scripts of other languages; bats: a subshell a test, $stderr
# The audit trail: what is in it, in which order, and what never is.

load support/common

prepare() {
	TRAIL=$T/log/audit.jsonl
	POLICY=$T/policy.json
	policy '{}' '{}'
}

policy() { # RULES AUDIT-OBJECT
	jq -n --arg path "$TRAIL" --argjson rules "$1" --argjson audit "$2" \
		'{ set: "conformant", rules: $rules, audit: ({ path: $path, required: true } + $audit) }' > "$POLICY"
}

audited() {
	brig --policy "$POLICY" "$@"
}

events() { # [JQ-FILTER]: one a line
	jq -r "${1:-.event}" "$TRAIL"
}

expect_events() { # EVENT...
	expect_equal "$(events | tr '\n' ' ')" "$* "
	expect_schema audit "$(< "$TRAIL")" --lines
}

# bats test_tags=fast
@test "a life: each event once and in order, with digests" {
	program sleep 300
	must audited create --bundle "$BUNDLE" "$ID"
	must audited start "$ID"
	attempt audited exec "$ID" sh -c 'exit 9'
	expect_status 9
	must audited exec --detach "$ID" true
	must audited delete --force "$ID"
	expect_events policy create start exec exit exec delete
	expect_equal "$(stat -c '%a %u' "$TRAIL" "$T/log" | tr '\n' ' ')" "600 0 700 0 "
	expect_equal "$(events 'select(.event != "policy") | .id' | sort -u)" "$ID"
	expect_equal "$(events 'select(.event != "policy") | .plan' | sort -u | grep -cE '^[0-9a-f]{64}$')" 1
	expect_equal "$(events .policy.sha256 | sort -u)" "$(sha256sum < "$POLICY" | cut -d' ' -f1)"
	expect_equal "$(events .time)" "$(events .time | sort)"
	expect_equal "$(events 'select(.event == "exit") | .status')" 9
	expect_equal "$(events 'select(.event == "exec") | .args | join(" ")' | tr '\n' ' ')" "sh -c exit 9 true "
	expect_json "$(events 'select(.event == "delete") | .usage')" '(.oom_kills == 0) and (.cpu_usec > 0)'
	expect_json "$(events 'select(.event == "create")')" '(.pid > 1) and (.caller.pid > 0) and (.uid == 0) and (.args == ["sleep", "300"])'
}

# bats test_tags=fast
@test "run: its end is known, and why" {
	shell 'exit 3'
	attempt audited run --bundle "$BUNDLE" "$ID"
	expect_status 3
	expect_events policy create start exit delete
	expect_equal "$(events 'select(.event == "exit") | .status')" 3
	config '.annotations["brig.dev/timeout"] = "300ms" | .process.args = ["sleep", "300"]'
	attempt audited run --bundle "$BUNDLE" "$ID"
	expect_status 124
	expect_equal "$(events 'select(.ended_by == "timeout") | .status')" 124
	expect_equal "$(events 'select(.limits.timeout) | .limits.timeout')" 0.3s
}

@test "the policy's no is a refusal with the rule, once" {
	config '.process.capabilities.bounding += ["CAP_BRIG_TEST"] | .annotations["io.kubernetes.cri.sandbox-name"] = "web-0" |
		.annotations["io.kubernetes.cri-o.ImageName"] = "example/web:1"'
	policy '{ "capability-unknown": "enforce" }' '{}'
	must_fail 1 'rule capability-unknown' audited create --bundle "$BUNDLE" "$ID"
	expect_events policy refusal
	expect_json "$(events 'select(.event == "refusal")')" \
		'(.error | test("capability-unknown")) and (.workload == { pod: "web-0", image: "example/web:1" })'
	must_fail 1 'rule capability-unknown' audited plan --bundle "$BUNDLE"
	expect_events policy refusal
	config '.process.capabilities.bounding -= ["CAP_BRIG_TEST"] | .process.args = ["sleep", "300"]'
	must audited run --detach --bundle "$BUNDLE" "$ID"
	jq '.process | .capabilities.bounding += ["CAP_BRIG_TEST"]' "$BUNDLE/config.json" > "$T/process.json"
	must_fail 255 'capability-unknown' audited exec --process "$T/process.json" "$ID"
	expect_events policy refusal create start refusal
}

@test "what fails is in it too" {
	program /no/such/program
	attempt audited run --bundle "$BUNDLE" "$ID"
	expect_status 1
	expect_events policy create start delete
	expect_like "$(events 'select(.event == "delete") | .error')" .
	echo broken > "$BUNDLE/config.json"
	attempt audited create --bundle "$BUNDLE" "$ID"
	expect_status 1
	expect_events policy create start delete create
	expect_like "$(events .error | tail -1)" 'config.json'
}

@test "a policy that changes has a line, one that stays has none" {
	shell true
	must audited run --bundle "$BUNDLE" "$ID"
	must audited run --bundle "$BUNDLE" "$ID"
	expect_equal "$(events | grep -c policy)" 1
	before=$(sha256sum < "$POLICY" | cut -d' ' -f1)
	policy '{ "rlimit-raise": "off" }' '{}'
	must audited run --bundle "$BUNDLE" "$ID"
	expect_equal "$(events 'select(.event == "policy") | .before' | tail -1)" "$before"
}

@test "out of memory is told" {
	needs_controllers
	config '.linux.resources.memory.limit = 16777216'
	shell 'exec tail /dev/zero'
	attempt audited run --bundle "$BUNDLE" "$ID"
	expect_schema audit "$(< "$TRAIL")" --lines
	expect_json "$(events 'select(.event == "exit")')" '(.status == 137) and (.usage.oom_kills >= 1) and (.usage.memory_peak > 1000000)'
}

@test "what can't be recorded is not done where that is required, and is where it is not" {
	shell 'echo ran'
	mkdir -m 755 "$T/log"
	must_fail 1 'nothing is done unrecorded.*closed to all others' audited run --bundle "$BUNDLE" "$ID"
	expect_equal "$output" ""
	assert_nothing_left
	must_fail 1 'nothing is done unrecorded' audited create --bundle "$BUNDLE" "$ID"
	assert_nothing_left
	policy '{}' '{ "required": false }'
	must audited run --bundle "$BUNDLE" "$ID"
	expect_equal "$output" ran
	expect_like "$stderr" 'warning: .*not in the audit trail'
	chmod 700 "$T/log"
	policy '{}' '{}'
	program sleep 300
	must audited run --detach --bundle "$BUNDLE" "$ID"
	rm -r "$T/log"
	ln -s /nowhere "$T/log"
	must_fail 255 'nothing is done unrecorded' audited exec "$ID" touch /tmp/ran
	expect_missing "$BUNDLE/rootfs/tmp/ran"
	must audited delete --force "$ID"
}

@test "environment values are nowhere: trail, plan, logs, errors" {
	config '.process.env += ["PASSWORD=hunter2-planted", "EMPTY="] | .process.args = ["sleep", "300"] |
		.annotations["example.com/token"] = "hunter2-planted"'
	must audited plan --bundle "$BUNDLE"
	expect_unlike "$output$stderr" hunter2
	must audited plan --bundle "$BUNDLE" --json
	expect_unlike "$output$stderr" hunter2
	must audited --debug create --bundle "$BUNDLE" "$ID"
	expect_unlike "$output$stderr" hunter2
	must audited --debug start "$ID"
	expect_unlike "$output$stderr" hunter2
	attempt audited --debug exec --env PASSWORD=hunter2-planted "$ID" /no/such/program
	expect_status 255
	expect_unlike "$output$stderr" hunter2
	must audited --debug delete --force "$ID"
	expect_unlike "$output$stderr" hunter2
	# Errors about the environment name the place, not the value.
	config '.process.env += ["hunter2-planted-without-equals"]'
	attempt audited create --bundle "$BUNDLE" "$ID"
	expect_unlike "$output$stderr" hunter2
	if grep -r hunter2 "$T/log"; then
		flunk "a value is in the trail"
	fi
	must audited audit
	expect_unlike "$output" hunter2
}

@test "arguments can be hidden" {
	policy '{}' '{ "redact_args": true }'
	program sh -c 'true hunter2-planted'
	must audited run --bundle "$BUNDLE" "$ID"
	expect_equal "$(grep -c hunter2 "$TRAIL")" 0
	expect_equal "$(events 'select(.event == "create") | .args_omitted')" 3
}

@test "conformant without a word about it has no trail" {
	shell true
	jq 'del(.audit)' "$POLICY" > "$T/silent.json"
	chmod 644 "$T/silent.json"
	must brig --policy "$T/silent.json" run --bundle "$BUNDLE" "$ID"
	policy '{}' '{ "enabled": false }'
	must audited run --bundle "$BUNDLE" "$ID"
	expect_missing "$T/log"
	must_fail 1 'there is no audit trail' audited audit
}

@test "brig audit: chosen lines, rotated files, half a line, hostile names" {
	config '.annotations["io.kubernetes.cri.sandbox-name"] = "a\u001b[31mred"'
	shell true
	must audited run --bundle "$BUNDLE" "$ID"
	must audited run --bundle "$BUNDLE" "$ID-2"
	mv "$TRAIL" "$TRAIL.1"
	must audited run --bundle "$BUNDLE" "$ID-3"
	printf '{"time":"20' >> "$TRAIL"
	must audited audit --json
	expect_schema audit "$output" --lines
	expect_equal "$(jq -r .event <<< "$output" | tr '\n' ' ')" "policy create start exit delete create start exit delete create start exit delete "
	must audited audit --id "$ID-2" --event exit --json
	expect_equal "$(jq -r '.id + " " + (.status | tostring)' <<< "$output")" "$ID-2 0"
	must audited audit --since 2099-01-01 --json
	expect_equal "$output" ""
	must audited audit --since 1h
	expect_equal "$(grep -c . <<< "$output")" 14
	expect_unlike "$output" $'\033'
	install -m 0600 /dev/null "$T/log/foreign.jsonl"
	printf '%s\n' '{"time":"2\u001b[2J","event":"e\u001b[31m","id":"x\u009b"}' > "$T/log/foreign.jsonl"
	must audited audit --file "$T/log/foreign.jsonl"
	expect_like "$output" '2\\x1b\[2J +e\\x1b\[31m +x\\xc2\\x9b'
	expect_unlike "$output" $'\033'
	must_fail 1 'there is no event "birth"; there are: create, start' audited audit --event birth
	must_fail 1 'neither a time .* nor a duration' audited audit --since yesterday
	must_fail 1 'there is no audit trail' audited audit --file "$T/log/nothing.jsonl"
}

@test "the file is rotated by size" {
	policy '{}' '{ "max_size": "64k", "keep": 2 }'
	# Long lines: few containers are enough.
	config --arg long "$(printf '%02000d' 0)" '.process.args = ["true"] + [range(8) | $long]'
	for ((i = 0; i < 40; i++)); do
		must audited run --bundle "$BUNDLE" "$ID"
	done
	[ -e "$TRAIL.1" ]
	expect_missing "$TRAIL.3"
	for file in "$T"/log/*.jsonl "$T"/log/*.jsonl.[0-9]; do
		expect_between "$(stat -c %s "$file")" 1 65536
		jq -e . "$file" > /dev/null
	done
}

@test "the policy file's word on it is checked" {
	refuse() { # AUDIT PATTERN
		policy '{}' "$1"
		must_fail 1 "$2" audited plan --bundle "$BUNDLE"
	}
	refuse '{ "path": "audit.jsonl" }' 'audit.path: is "audit.jsonl": give the absolute path'
	refuse '{ "max_size": "1k" }' 'audit.max_size: is "1k": give at least 64k'
	refuse '{ "keep": 0 }' 'audit.keep: is 0: give 1 to 100'
	refuse '{ "colour": 1 }' 'audit: unknown key "colour"; there is: enabled, path'
}

@test "update: the limits that were given, and what was not done" {
	policy '{}' '{}'
	sleeper_audited
	must audited update --pids-limit 50 "$ID"
	must_fail 1 '.' audited update --resources "$T/nowhere.json" "$ID"
	must audited delete --force "$ID"
	expect_schema audit "$(< "$TRAIL")" --lines
	expect_equal "$(events | grep -c update)" 1
	expect_equal "$(events 'select(.event == "update") | .limits.pids')" 50
	expect_equal "$(events 'select(.event == "update") | .id')" "$ID"
}

sleeper_audited() {
	program sleep 300
	must audited run --detach --bundle "$BUNDLE" "$ID"
}

@test "brig audit --follow: what is there, what comes, and what comes into a new file" {
	shell true
	must audited run --bundle "$BUNDLE" "$ID"
	helper env BRIG_TEST="$ID" "$BRIG" --root "$ROOT" --policy "$POLICY" audit --follow --json
	wait_until followed delete 1
	must audited run --bundle "$BUNDLE" "$ID-2"
	wait_until followed delete 2
	mv "$TRAIL" "$TRAIL.1"
	must audited run --bundle "$BUNDLE" "$ID-3"
	wait_until followed delete 3
	kill "$HELPER"
	expect_equal "$(jq -r 'select(.event != "policy") | .event' "$T/helper.out" | tr '\n' ' ')" \
		"create start exit delete create start exit delete create start exit delete "
}

followed() { # EVENT N
	[ "$(grep -c "\"event\":\"$1\"" "$T/helper.out")" = "$2" ]
}

@test "journald and syslog are told where the policy says so, and not being there is a warning" {
	[ -e /run/systemd/journal/socket ] && skip "this host has a journal, which is not the tests'"
	policy '{}' '{ "journald": true }'
	shell true
	must audited run --bundle "$BUNDLE" "$ID"
	expect_like "$stderr" 'did not get to journald: send to /run/systemd/journal/socket: No such file'
	expect_events policy create start exit delete
}

# listening COMMAND...: where a syslog daemon and journald listen, for nobody else to see; $T/syslog and $T/journal have what they got.
listening() {
	cat > "$T/listen.py" <<- 'PYTHON'
		import os, socket, subprocess, sys, threading
		def listen(path, name):
		    os.makedirs(os.path.dirname(path), exist_ok=True)
		    reader = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
		    reader.bind(path)
		    def read():
		        with open(name, "wb") as file:
		            while (data := reader.recv(1 << 16)) != b"end":
		                file.write(data + b"\n")
		    thread = threading.Thread(target=read)
		    thread.start()
		    return path, thread
		listeners = [listen("/dev/log", "syslog"), listen("/run/systemd/journal/socket", "journal")]
		status = subprocess.run(sys.argv[1:]).returncode
		for path, thread in listeners:
		    socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"end", path)
		    thread.join()
		sys.exit(status)
	PYTHON
	own_dev 'mount -t tmpfs -o mode=755 run /run; cd "$T"' python3 listen.py "$@"
}

@test "each line gets to a syslog daemon and to journald, in order, beside the file" {
	policy '{ "capability-unknown": "enforce" }' '{ "journald": true, "syslog": true }'
	shell 'exit 3'
	attempt listening env BRIG_TEST="$ID" "$BRIG" --root "$ROOT" --policy "$POLICY" run --bundle "$BUNDLE" "$ID"
	expect_status 3
	expect_equal "$stderr" ""
	expect_events policy create start exit delete
	expect_equal "$(sed -n 's/^<[0-9]*>[A-Z][a-z][a-z] [ 0-9][0-9] [0-9:]* brig\[[0-9]*\]: //p' "$T/syslog")" "$(< "$TRAIL")"
	expect_equal "$(sed 's/^\(<[0-9]*>\).*"event":"\([a-z]*\)".*/\1\2/' "$T/syslog" | tr '\n' ' ')" "<84>policy <86>create <86>start <86>exit <86>delete "
	expect_equal "$(sed -n 's/^MESSAGE=//p' "$T/journal")" "$(< "$TRAIL")"
	expect_equal "$(sed -n 's/^BRIG_EVENT=//p' "$T/journal" | tr '\n' ' ')" "policy create start exit delete "
	expect_equal "$(sed -n 's/^BRIG_CONTAINER=//p' "$T/journal" | sort -u)" "$ID"
	config '.process.capabilities.bounding += ["CAP_BRIG_TEST"]'
	attempt listening env BRIG_TEST="$ID" "$BRIG" --root "$ROOT" --policy "$POLICY" run --bundle "$BUNDLE" "$ID"
	expect_like "$(< "$T/syslog")" '^<84>.*"event":"refusal".*capability-unknown'
	expect_like "$(< "$T/journal")" 'PRIORITY=4.*BRIG_EVENT=refusal'
}
