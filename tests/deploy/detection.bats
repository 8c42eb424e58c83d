#!/usr/bin/env bats
# Rules for Falco and auditd: read by the library that Falco reads conditions with, and by a parser of auditctl's grammar.

# shellcheck disable=SC2154 # status, output: of expect
load deploy.bash

setup_file() {
	PATH=$("$SOURCE/tests/support/sysdig" 3>&-):$PATH
	export PATH
}

RULES=deploy/falco/brig_rules.yaml

# The library's word on a condition: nothing if it takes it.
condition_error() { # CONDITION
	timeout 20 sysdig -r /dev/null "$1" 2>&1 | grep 'filter error' || true
}

@test "falco: the parser tells good conditions from bad ones" {
	[ -z "$(condition_error 'evt.type = open and proc.name in (sh, bash)')" ]
	[[ $(condition_error 'evt.type = open and proc.nonsense = 1') == *'unrecognized field'* ]]
	[[ $(condition_error 'evt.type = open and (proc.name = x') == *'filter error'* ]]
}

@test "falco: each condition, and each field of an output, is one that it knows" {
	expect 0 "$BATS_TEST_DIRNAME/falco-conditions" "$SOURCE/$RULES"
	echo "$output" | tail -n +2 > "$BATS_TEST_TMPDIR/conditions"
	n=0
	while IFS=$'\t' read -r name condition fields; do
		[ -n "$condition" ] || continue
		n=$((n + 1))
		error=$(condition_error "$condition")
		[ -z "$error" ] || {
			echo "$name: $error: $condition"
			return 1
		}
		for field in $fields; do
			error=$(condition_error "$field exists")
			[ -z "$error" ] || {
				echo "$name: output: $error"
				return 1
			}
		done
	done < <("$BATS_TEST_DIRNAME/falco-conditions" "$SOURCE/$RULES")
	[ "$n" -eq "$(grep -c '^- rule:' "$SOURCE/$RULES")" ]
	[ "$n" -ge 8 ]
}

# What of these lines, written one by one, the library finds by the rule, but for who writes and where to, which these events have not.
flood_found() { # LINE...
	local condition

	condition=$("$BATS_TEST_DIRNAME/falco-conditions" "$SOURCE/$RULES" | sed -n 's/^Flood of refused calls of a sandbox\t\(.*\)\t.*/\1/p' |
		sed 's/ and fd.name startswith [^ ]* and proc.name in ([^)]*)//')
	"$BATS_TEST_DIRNAME/falco-events" "$BATS_TEST_TMPDIR/capture" "$@"
	timeout 20 sysdig -v -r "$BATS_TEST_TMPDIR/capture" --print '%evt.num' "$condition" 2> "$BATS_TEST_TMPDIR/said" ||
		cat "$BATS_TEST_TMPDIR/said"
}

@test "falco: a flood of refused calls is told by the line that brig wrote, and by nothing that a tenant did" {
	local begin rest='"id":"c1","args":["sh"]'

	# As long as brig writes it.
	begin="{\"time\":\"$(sed -n 's/^static const char no_time\[\] = "\(.*\)";$/\1/p' "$SOURCE/runtime/audit/audit_record.c")\",\"event\":"
	[ "$(flood_found "$begin\"exit\",$rest,\"status\":0,\"denials\":9999}" \
		"$begin\"exit\",$rest,\"status\":0,\"denials\":10000,\"denied\":[]}" \
		"$begin\"delete\",$rest,\"denials\":10000}" \
		"$begin\"exit\",$rest,\"status\":0,\"denials\":1234567}" \
		"$begin\"create\",\"id\":\"c1\",\"args\":[\",'event':'exit',,'denials':12345\"]}" \
		"$begin\"create\",\"id\":\"c1\",\"args\":[\",\\\"event\\\":\\\"exit\\\",,\\\"denials\\\":12345\"]}" \
		"$begin\"exit\",\"id\":\"c1\",\"error\":\"execute x,'denials':12345\"}" \
		"$begin\"exit\",\"id\":\"c1\",\"error\":\"execute x,\\\"denials\\\":12345\"}")" = $'2\n4' ]
}

@test "falco: what is wrong with a file of rules is found" {
	broken() { # SED-SCRIPT PATTERN
		sed "$1" "$SOURCE/$RULES" > "$BATS_TEST_TMPDIR/rules.yaml"
		expect 1 "$BATS_TEST_DIRNAME/falco-conditions" "$BATS_TEST_TMPDIR/rules.yaml"
		[[ $output == *$2* ]]
	}
	broken 's/priority: NOTICE/priority: LOUD/' 'no priority'
	broken 's/^- macro: brig_sandbox/- macro: brig_sandboxes/' 'no list or macro'
	broken 's/ and not brig_shell_is_usual//' 'used nowhere'
	broken 's/^- rule: Unexpected egress.*/- rule: Shell in a sandbox/' 'there are two'
	broken '/^  priority: CRITICAL/d' 'lacks priority'
}

@test "falco, auditd: the ids are those of the policy" {
	read -r first count < <(sed -n 's/.*"first": \([0-9]*\), "count": \([0-9]*\).*/\1 \2/p' "$SOURCE/docs/policy.md" | head -1)
	[ -n "$count" ]
	grep -qF "user.uid >= $first and user.uid < $((first + count))" "$SOURCE/$RULES"
	[ "$(grep -o 'uid[><]=*[0-9]*' "$DEPLOY/auditd/brig.rules" | sort -u | tr '\n' ' ')" = "uid<$((first + count)) uid>=$first " ]
	# And those that a container really gets.
	grep -rqE "$first" "$SOURCE/runtime/policy"
}

@test "falco: README lists the rules" {
	diff <(sed -n 's/^- rule: //p' "$SOURCE/$RULES") <(sed -nE 's/^\| ([A-Z].*) \| (notice|warning|error|critical) \|$/\1/p' "$DEPLOY/falco/README.md")
}

@test "auditd: the rules are ones that auditctl takes" {
	[ -f /usr/include/x86_64-linux-gnu/asm/unistd_64.h ] || skip "the kernel's headers for x86-64 are not here"
	expect 0 "$BATS_TEST_DIRNAME/auditd-rules" "$DEPLOY/auditd/brig.rules"
	# Each key once more in the search that a runbook tells, and every path that the installer and the package write is watched.
	for path in /etc/brig /opt/brig /usr/bin/brig /etc/containerd; do
		grep -q -- "^-w $path -p wa -k brig-" "$DEPLOY/auditd/brig.rules"
	done
}

@test "auditd: what is wrong with a rule is found" {
	[ -f /usr/include/x86_64-linux-gnu/asm/unistd_64.h ] || skip "the kernel's headers for x86-64 are not here"
	while IFS= read -r line; do
		echo "$line" > "$BATS_TEST_TMPDIR/rules"
		expect 1 "$BATS_TEST_DIRNAME/auditd-rules" "$BATS_TEST_TMPDIR/rules"
	done << 'TEXT'
-w etc/brig -p wa -k x
-w /etc/brig/ -p wa -k x
-w /etc/brig -p wz -k x
-w /etc/brig -p wa
-w /etc/brig -p wa -k a-key-that-is-longer-than-what-the-kernel-takes
-a always,exit -S execve -k x
-a always,exit -F arch=b64 -S execute -k x
-a always,exit -F arch=b32 -S newfstatat -k x
-a always,exit -F arch=b64 -F uid>=1 -k x
-a always,exit -F arch=b64 -S execve -F uid=root -k x
-a always,exit -F arch=b64 -S execve -F exit=-ENOTHING -k x
-a always,exit -F arch=b64 -S execve -F wish=1 -k x
-a always,exit -F arch=b64 -S execve -F perm=z -k x
-a always,exit -F arch=b64 -S execve -F uid=unset -k x
-a always,exit -F arch=b64 -S openat -F dir!=/etc/brig -k x
-a always,exit -F arch=b64 -S openat -F exe>=/usr/bin/brig -k x
-a exit,forever -F arch=b64 -S execve -k x
-a always,exit -F arch=b64 -S execve
-x all
TEXT
	printf -- '-w /etc/brig -p wa -k x\n-w /etc/brig -p wa -k x\n' > "$BATS_TEST_TMPDIR/rules"
	expect 1 "$BATS_TEST_DIRNAME/auditd-rules" "$BATS_TEST_TMPDIR/rules"
}
