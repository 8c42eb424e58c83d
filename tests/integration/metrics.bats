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
	[ -e "$T/log/audit.jsonl.1" ]
	[ ! -e "$T/log/audit.jsonl.2" ]
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

@test "what a limit ends, who is out of memory, an exec, what a rule changed: each is counted where it happened" {
	needs_controllers
	expect_equal "$(sample brig_oom_kills_total)" 0
	config '.linux.resources.memory.limit = 16777216'
	shell 'exec tail /dev/zero'
	attempt audited run --bundle "$BUNDLE" "$ID"
	expect_status 137
	[ "$(sample brig_oom_kills_total)" -ge 1 ]
	config 'del(.linux.resources.memory) | .annotations["brig.dev/timeout"] = "300ms" | .process.args = ["sleep", "300"]'
	expect_equal "$(sample 'brig_deadlines_total{limit="timeout"}')" 0
	attempt audited run --bundle "$BUNDLE" "$ID"
	expect_status 124
	expect_equal "$(sample 'brig_deadlines_total{limit="timeout"}') $(sample 'brig_deadlines_total{limit="max-output"}')" "1 0"
	config '.annotations = {} | .process.args = ["sleep", "300"]'
	must audited run --detach --bundle "$BUNDLE" "$ID"
	expect_equal "$(sum brig_execs_total)" 0
	must audited exec "$ID" true
	expect_equal "$(sum brig_execs_total)" 1
	must audited delete --force "$ID"
	expect_equal "$(sum brig_adjustments_total)" 0
	policy '{ "core-dump": "adjust" }' '{}'
	config '.process.rlimits = [{ type: "RLIMIT_CORE", soft: 100, hard: 100 }] | .process.args = ["true"]'
	must audited run --bundle "$BUNDLE" "$ID"
	expect_equal "$(sample 'brig_adjustments_total{rule="core-dump",level="adjusted"}')" 1
	expect_equal "$(sample brig_policy_changes_total)" 2
}

@test "a start's time is in the histogram's buckets, in their sum and their number" {
	shell true
	must audited run --bundle "$BUNDLE" "$ID"
	must audited run --bundle "$BUNDLE" "$ID"
	audited metrics --containerd "$T/containerd" > "$T/metrics"
	# Each bucket has what is in those before it; the last has all.
	awk -F '[ "]' '/^brig_startup_seconds_bucket\{phase="create"/ { if ($NF < last) exit 1; last = $NF; n++ } END { exit !(n > 5 && last == 2) }' "$T/metrics"
	expect_equal "$(sample 'brig_startup_seconds_bucket{phase="create",le="+Inf"}')" 2
	awk '/^brig_startup_seconds_sum\{phase="create"\}/ { exit !($NF > 0 && $NF < 600) }' "$T/metrics"
	[ "$(NAME='brig_startup_seconds_bucket{phase="create",le="' awk 'index($0, ENVIRON["NAME"]) == 1 && $NF == 0' "$T/metrics" | wc -l)" -ge 1 ]
}

@test "a line in the trail that is not brig's is counted, and hides none that is" {
	shell true
	must audited run --bundle "$BUNDLE" "$ID"
	expect_equal "$(sample brig_audit_broken_lines_total)" 0
	echo 'nothing of ours' >> "$T/log/audit.jsonl"
	must audited run --bundle "$BUNDLE" "$ID"
	expect_equal "$(sample brig_audit_broken_lines_total)" 1
	expect_equal "$(sum brig_starts_total)" 2
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
