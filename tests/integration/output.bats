#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2153,SC2154 # scripts of other languages; bats: a subshell a test, $stderr
# bats file_tags=v2
# What brig prints: formats that callers parse, the log, help, spec and plan.

load support/common

@test "--version is three lines that callers can take apart" {
	must "$BRIG" --version
	expect_equal "$(grep -c . <<< "$output")" 3
	expect_like "$(sed -n 1p <<< "$output")" '^brig version [0-9]'
	expect_like "$(sed -n 2p <<< "$output")" '^commit: '
	expect_like "$(sed -n 3p <<< "$output")" '^spec: 1\.'
	expect_equal "$stderr" ""
}

@test "features is one JSON document on stdout alone" {
	must "$BRIG" features
	expect_equal "$stderr" ""
	expect_json "$output" '(.ociVersionMin | length) > 0 and (.ociVersionMax | length) > 0 and (.hooks | length) == 6 and
		(.mountOptions | index("rro")) and .linux.seccomp.enabled and (.linux.namespaces | index("time")) and
		(.linux.capabilities | index("CAP_CHOWN")) and .linux.mountExtensions.idmap.enabled and
		(.potentiallyUnsafeConfigAnnotations | index("org.systemd.property.") and index("brig.dev/seccomp"))'
	expect_like "$(jq -r '.annotations["dev.brig.seccomp.floor"]' <<< "$output")" "^$(jq -r '.annotations["dev.brig.version"]' <<< "$output")-[0-9a-f]{12}\$"
}

@test "state has the members that callers read" {
	config '.annotations = { "org.example.one": "1", "quote\"and\\": "new\nline" }'
	sleeper
	must brig state "$ID"
	expect_json "$output" ".ociVersion == \"1.2.0\" and .id == \"$ID\" and .pid > 1 and .status == \"running\" and
		.bundle == \"$BUNDLE\" and .rootfs == \"$BUNDLE/rootfs\" and .owner == \"root\" and
		(.created | fromdateiso8601? // (sub(\"\\\\.[0-9]+\"; \"\") | fromdateiso8601)) > 1600000000 and
		.annotations[\"org.example.one\"] == \"1\" and .annotations[\"quote\\\"and\\\\\"] == \"new\\nline\""
}

@test "list as a table, as JSON and as names" {
	must brig list
	expect_equal "$(grep -c . <<< "$output")" 1
	must brig list --format json
	expect_equal "$(jq -c . <<< "$output")" '[]'
	program sleep 300
	must brig run --detach --bundle "$BUNDLE" "$ID-b"
	must brig create --bundle "$BUNDLE" "$ID-a"
	must brig list --format=json
	expect_json "$output" "map([.id, .status]) == [[\"$ID-a\", \"created\"], [\"$ID-b\", \"running\"]]"
	must brig list -q
	expect_equal "$output" "$ID-a"$'\n'"$ID-b"
	must brig list
	expect_like "$output" '^ID +PID +STATUS +BUNDLE +CREATED +OWNER'
	expect_like "$output" "$ID-a +[0-9]+ +created +$BUNDLE +"
}

@test "ps as JSON and as a table" {
	shell 'sleep 299 & sleep 300; true'
	background
	# Each of them what it will be: between fork and exec both are the shell by another number.
	wait_until shown_as 'sleep 299$'
	wait_until shown_as 'sleep 300$'
	must brig ps --format json "$ID"
	expect_json "$output" "length == 3 and index($(pid_of)) != null"
	must brig ps "$ID"
	expect_like "$output" 'PID.*CMD'
	expect_equal "$(grep -c 'sleep 299$' <<< "$output")" 1
	expect_equal "$(grep -c . <<< "$output")" 4
	must brig ps --format table "$ID" -o pid,args
	expect_like "$output" 'sleep 300'
	must_fail 1 'container does not exist' brig ps nobody-here
}

shown_as() { # REGEX
	brig ps "$ID" | grep -q "$1"
}

@test "--log as JSON has exactly one line for a failure, which is on stderr too" {
	program no-such-program
	must_fail 1 'no-such-program' brig --log "$T/log" --log-format json run --bundle "$BUNDLE" "$ID"
	expect_one_error
	expect_equal "$(grep -c . "$T/log")" 1
	expect_json "$(< "$T/log")" '.level == "error" and (.msg | contains("exec: \"no-such-program\": executable file not found in $PATH"))
		and (.time | test("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+(Z|[+-][0-9:]+)$"))'
}

@test "--log as text, and it is appended to" {
	must_fail 1 'does not exist' brig --log="$T/log" --log-format=text state nobody-here
	must_fail 1 'does not exist' brig --log="$T/log" state nobody-there
	expect_equal "$(grep -c 'level=error' "$T/log")" 2
	expect_like "$(< "$T/log")" 'nobody-here'
}

@test "warnings don't spoil the one line of a JSON log" {
	config '.process.oomScoreAdj = -1000 | .process.args = ["no-such-program"] | .process.rlimits = [{ type: "RLIMIT_NOFILE", soft: 99999999, hard: 99999999 }]'
	attempt brig --log "$T/log" --log-format json run --bundle "$BUNDLE" "$ID"
	expect_status 1 run
	expect_equal "$(grep -c . "$T/log")" 1
	jq -e '.level == "error"' "$T/log" > /dev/null
}

@test "a failure's line can't be forged by what the config says" {
	program $'x\n{"level":"error","msg":"forged"}'
	attempt brig --log "$T/log" --log-format json run --bundle "$BUNDLE" "$ID"
	expect_equal "$(grep -c . "$T/log")" 1
	expect_one_error
}

@test "what nobody can get is a failure; what a container writes to a stream that its caller has closed is lost" {
	program echo lost
	must run_to_nobody run --bundle "$BUNDLE" "$ID"
	must_fail 1 'write to the standard output: Bad file descriptor' run_to_nobody list
	must_fail 1 'write to the standard output: Bad file descriptor' run_to_nobody features
	must_fail 1 'write to the standard output: Bad file descriptor' run_to_nobody --version
}

run_to_nobody() {
	brig "$@" >&-
}

@test "success is silent" {
	attempt run_container
	expect_equal "$output$stderr" ""
	sleeper
	expect_equal "$output$stderr" ""
	must brig kill "$ID" KILL
	expect_equal "$output$stderr" ""
	wait_until status_is stopped
	must brig delete "$ID"
	expect_equal "$output$stderr" ""
}

@test "--debug tells the steps with their times" {
	must brig --debug run --bundle "$BUNDLE" "$ID"
	expect_like "$stderr" 'debug: +[0-9]+ us: '
	expect_like "$stderr" 'enter the new root'
}

@test "options are taken in all their forms" {
	must brig run -b "$BUNDLE" "$ID"
	must brig run --bundle="$BUNDLE" "$ID"
	must "$BRIG" --root="$ROOT" --debug --log "$T/l" --log-format=json --rootless auto run --no-pivot --bundle "$BUNDLE" "$ID"
	must brig --cgroup-manager cgroupfs --log-level error run --no-new-keyring --bundle "$BUNDLE" "$ID"
	cd "$BUNDLE"
	must brig run "$ID"
}

@test "unknown commands and options are told, with what may have been meant" {
	must_fail 1 'starte.*start' brig starte x
	must_fail 1 'bundel' brig run --bundel "$BUNDLE" "$ID"
	must_fail 1 'ID' brig run --bundle "$BUNDLE"
	must_fail 1 . brig delete "$ID" surplus
}

@test "each command has help that callers can probe" {
	local command

	for command in create start run state list kill delete exec ps pause resume update events features spec plan checkpoint restore; do
		must "$BRIG" "$command" --help
		expect_like "$output" "$command"
	done
	must "$BRIG" --help
}

@test "--systemd-cgroup without the helper for it is refused by name" {
	must_fail 1 'systemd' brig --systemd-cgroup run --bundle "$BUNDLE" "$ID"
	assert_nothing_left
}

@test "brig spec writes a config.json that runs as it is, and is safe" {
	rm "$BUNDLE/config.json"
	must brig spec --bundle "$BUNDLE"
	must_fail 1 'exists already' brig spec --bundle "$BUNDLE"
	attempt "$SUPPORT/terminal" --type $'grep -E "^(CapBnd|CapEff|NoNewPrivs|Seccomp):" /proc/self/status; touch /x; exit 3\n' -- \
		sh -c 'echo ready; exec "$@"' sh "$BRIG" --root "$ROOT" run --bundle "$BUNDLE" "$ID"
	expect_status 3 run
	expect_like "$output" $'CapEff:\t0000000000000000'
	expect_like "$output" $'CapBnd:\t0000000000000000'
	expect_like "$output" $'NoNewPrivs:\t1'
	expect_like "$output" $'Seccomp:\t2'
	expect_like "$output" 'Read-only file system'
}

@test "brig plan tells what would be done, and does nothing" {
	config '.process.rlimits = [{ type: "RLIMIT_NOFILE", soft: 64, hard: 64 }]'
	must brig plan --bundle "$BUNDLE"
	expect_like "$output" 'NOFILE'
	must brig plan --bundle "$BUNDLE" --json
	expect_json "$output" 'type == "object"'
	expect_equal "$(left_state)$(left_cgroups)" ""
}

@test "brig plan works for nobody" {
	cp "$BRIG" "$T/brig"
	chmod 755 "$T/brig"
	attempt setpriv --reuid 65534 --regid 65534 --clear-groups env --chdir / "$T/brig" plan --bundle "$BUNDLE"
	expect_status 0 plan
	expect_different "$output" ""
}

@test "brig plan reports a bad config as run would" {
	config '.process.cwd = "x"'
	must_fail 1 'process.cwd' brig plan --bundle "$BUNDLE"
}
