#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # scripts of other shells; bats: a subshell a test, $output
# No TCP for who asks, on loopback as well, under a policy that holds nothing else: docs/adr/0010-landlock.md. Loopback is up in a network
# namespace of the container's own.

load ../integration/support/common

prepare() {
	needs_tcp_lock
	config '.linux.namespaces |= (map(select(.type != "network")) + [{ type: "network" }])'
	SCRIPT='nc 127.0.0.1 80 2>&1; nc ::1 80 2>&1; timeout 1 nc -l -p 8081 2>&1; timeout 1 httpd -f -p [::1]:8082 2>&1; echo end'
}

none() {
	config '.annotations = { "brig.dev/tcp": "none" }'
}

expect_refused() {
	expect_equal "$(grep -c 'Permission denied' <<< "$output")" 4
	expect_line "$output" 'nc: bind: Permission denied'
	expect_line "$output" 'httpd: bind: Permission denied'
	expect_line "$output" "nc: can't connect to remote host (127.0.0.1): Permission denied"
	expect_line "$output" "nc: can't connect to remote host: Permission denied"
	expect_line "$output" end
}

expect_works() {
	expect_equal "$(grep -c 'Connection refused' <<< "$output")" 2
	expect_unlike "$output" 'Permission denied'
	expect_line "$output" end
}

@test "connections and ports are refused, with a root that can be written to and without" {
	none
	for readonly in true false; do
		config ".root.readonly = $readonly"
		inside "$SCRIPT"
		expect_refused
	done
}

@test "without the annotation they work: the test above can fail" {
	inside "$SCRIPT"
	expect_works
}

@test "under strict as well, beside the lock on files" {
	none
	config '.root.readonly = true'
	shell "$SCRIPT; echo x > /file || echo locked"
	jq -n --arg path "$T/log/audit.jsonl" '{ set: "strict", audit: { path: $path } }' > "$T/policy.json"
	must brig --policy "$T/policy.json" run --bundle "$BUNDLE" "$ID"
	expect_refused
	expect_like "$output" locked
}

@test "an exec has none either, whatever policy it comes with" {
	none
	for readonly in false true; do
		config ".root.readonly = $readonly"
		sleeper
		must brig exec "$ID" sh -c "$SCRIPT"
		expect_refused
		must brig delete --force "$ID"
	done
}

@test "a created container has none once it starts" {
	none
	shell "($SCRIPT) > /dev/shm/told 2>&1; sleep 300"
	must create
	must brig start "$ID"
	wait_until brig exec "$ID" grep -q end /dev/shm/told
	must brig exec "$ID" cat /dev/shm/told
	expect_refused
}

@test "whoever may gain privileges gives that up, and the report says so" {
	none
	config '.process.noNewPrivileges = false'
	inside "grep NoNewPrivs /proc/self/status; $SCRIPT"
	expect_like "$output" 'NoNewPrivs:.1'
	expect_refused
	must brig plan -b "$BUNDLE" --json
	expect_json "$output" '[.report[] | select(.rule == "tcp") | .level] == ["note", "adjusted"]'
}

@test "the plan, explain and features tell of it" {
	none
	config '.process.noNewPrivileges = true'
	must brig plan -b "$BUNDLE" --json
	expect_json "$output" '.plan.landlock | .refuses_tcp and (.enabled | not)'
	must brig check "$BUNDLE"
	expect_like "$output" 'note +tcp +annotations\["brig.dev/tcp"\]'
	must brig features
	expect_json "$output" '.potentiallyUnsafeConfigAnnotations | index("brig.dev/tcp") != null'
	config '.root.readonly = true'
	jq -n '{ set: "strict", audit: { enabled: false } }' > "$T/policy.json"
	shell 'sleep 300'
	must brig --policy "$T/policy.json" run --detach --bundle "$BUNDLE" "$ID"
	must brig explain --json "$ID"
	expect_json "$output" '.flagged == 0 and any(.posture[]; .name == "tcp" and .state == "ok")'
	jq -c 'del(.refusesTcp)' "$ROOT/$ID/report.json" > "$T/report.json"
	cat "$T/report.json" > "$ROOT/$ID/report.json"
	must_fail 3 '' brig explain "$ID"
	expect_like "$output" 'FLAGGED +tcp'
}

@test "another word is refused by create" {
	config '.annotations = { "brig.dev/tcp": "80" }'
	must_fail 1 'annotations\["brig.dev/tcp"\]: found "80", expected "none"' create
}

@test "a checkpoint of it is refused: no image holds it" {
	none
	sleeper
	must_fail 1 'brig.dev/tcp' brig checkpoint --image-path "$T/images" "$ID"
}
