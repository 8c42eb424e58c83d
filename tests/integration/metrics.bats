#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2153,SC2154 # scripts of other languages; bats: a subshell a test, $stderr
# brig metrics: what happened is counted once and for good, what there is as it is.

load support/common

prepare() {
	POLICY=$T/policy.json
	policy '{}' '{}'
}

policy() { # RULES AUDIT-OBJECT
	jq -n --arg path "$T/log/audit.jsonl" --argjson rules "$1" --argjson audit "$2" \
		'{ set: "conformant", rules: $rules, audit: ({ path: $path, required: true } + $audit) }' > "$POLICY"
}

audited() {
	brig --policy "$POLICY" "$@"
}

# The value of one sample: its name and labels as printed.
sample() { # TEXT
	audited metrics --containerd "$T/containerd" > "$T/metrics" || return
	NAME=$1 awk 'substr($0, 1, length(ENVIRON["NAME"]) + 1) == ENVIRON["NAME"] " " { print $NF }' "$T/metrics"
}

sum() { # NAME: of all its labels
	audited metrics --containerd "$T/containerd" > "$T/metrics" || return
	awk -v name="$1" 'index($0, name "{") == 1 { sum += $NF } END { print sum + 0 }' "$T/metrics"
}

# bats test_tags=fast
@test "a life, a refusal, a failure: each once, however often it is asked" {
	policy '{ "capability-unknown": "enforce" }' '{}'
	shell 'exit 3'
	attempt audited run --bundle "$BUNDLE" "$ID"
	expect_status 3
	config '.process.capabilities.bounding += ["CAP_BRIG_TEST"]'
	must_fail 1 'rule capability-unknown' audited create --bundle "$BUNDLE" "$ID"
	config '.process.capabilities.bounding -= ["CAP_BRIG_TEST"] | .process.args = ["/no/such/program"]'
	attempt audited run --bundle "$BUNDLE" "$ID"
	expect_status 1
	for _ in 1 2; do
		expect_equal "$(sum brig_creates_total)" 2
		expect_equal "$(sum brig_starts_total)" 2
		expect_equal "$(sample 'brig_refusals_total{rule="capability-unknown"}')" 1
		expect_equal "$(sum brig_refusals_total)" 1
		expect_equal "$(sample 'brig_failures_total{operation="create",reason="program"}')" 1
		expect_equal "$(sample brig_policy_changes_total)" 1
		expect_equal "$(sample 'brig_startup_seconds_count{phase="create"}')" 2
		# What run does is one thing: the create's time has the start in it.
		expect_equal "$(sample 'brig_startup_seconds_count{phase="start"}')" 0
		expect_equal "$(sample brig_audit_trail)" 1
	done
	expect_equal "$(stat -c %a "$T/log/audit.jsonl.sums")" 600
	expect_equal "$(jq -r 'select(.event == "refusal") | .rule + " " + .reason' "$T/log/audit.jsonl")" "capability-unknown refused"
}

@test "a rule's name in config.json is not taken for the rule" {
	policy '{ "hook": "enforce" }' '{}'
	config '.hooks.createRuntime = [{ "path": "/x; rule sysctl of policy y" }]'
	attempt audited create --bundle "$BUNDLE" "$ID"
	expect_status 1
	expect_like "$stderr" "rule sysctl of.*rule hook"
	expect_equal "$(sample 'brig_refusals_total{rule="sysctl"}')" 0
	expect_equal "$(sample 'brig_refusals_total{rule="hook"}')" 1
	expect_equal "$(sum brig_refusals_total)" 1
}

@test "the sums outlive the trail's oldest files" {
	policy '{}' '{ "max_size": "64k", "keep": 1 }'
	shell true
	config '.process.args += [range(40) | "x" * 200]'
	for i in $(seq 40); do
		must audited run --bundle "$BUNDLE" "$ID"
		if [ $((i % 10)) -eq 0 ]; then
			expect_equal "$(sum brig_starts_total)" "$i"
		fi
	done
	[ -e "$T/log/audit.jsonl.1" ] && [ ! -e "$T/log/audit.jsonl.2" ]
	in_trail=$(cat "$T"/log/audit.jsonl{.1,} | jq -r 'select(.event == "start") | .id' | wc -l)
	if [ "$in_trail" -ge 40 ]; then
		flunk "nothing was rotated away: $in_trail"
	fi
}

@test "containers by state, of containerd's namespaces too; a pod's own apart" {
	program sleep 300
	must audited create --bundle "$BUNDLE" "$ID"
	expect_equal "$(sample 'brig_sandboxes{kind="container",state="created"}')" 1
	must audited start "$ID"
	expect_equal "$(sample 'brig_startup_seconds_count{phase="start"}')" 1
	expect_equal "$(sample 'brig_sandboxes{kind="container",state="running"}')" 1
	mkdir -m 0700 "$T/containerd"
	mv "$ROOT" "$T/containerd/k8s.io"
	expect_equal "$(sample 'brig_sandboxes{kind="container",state="running"}')" 1
	mv "$T/containerd/k8s.io" "$ROOT"
	must audited delete --force "$ID"
	expect_equal "$(sample 'brig_sandboxes{kind="container",state="running"}')" 0
	config '.annotations["io.kubernetes.cri.container-type"] = "sandbox"'
	must audited create --bundle "$BUNDLE" "$ID"
	expect_equal "$(sample 'brig_sandboxes{kind="pod",state="created"}')" 1
	expect_equal "$(sample 'brig_sandboxes{kind="container",state="created"}')" 0
}

@test "the output is a whole file that others may read, whatever the mask" {
	umask 077
	must audited metrics --output "$T/brig.prom"
	expect_equal "$(stat -c %a "$T/brig.prom")" 644
	expect_like "$(cat "$T/brig.prom")" '^# HELP brig_build_info'
	expect_equal "$output" ""
	must_fail 1 'no/such' audited metrics --output "$T/no/such/brig.prom"
	echo old > "$T/brig.prom"
	must_fail 1 'policy' brig --policy "$T/no/such/policy.json" metrics --output "$T/brig.prom"
	expect_equal "$(cat "$T/brig.prom")" old
}

@test "without a trail what there is now is told all the same" {
	expect_equal "$(sample brig_audit_trail)" 0
	expect_equal "$(sample 'brig_sandboxes{kind="container",state="running"}')" 0
	[ ! -e "$T/log" ]
}
