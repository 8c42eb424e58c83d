#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2154 # bats: a subshell a test, $output
# brig explain: what the policy changed, whether it holds, what was refused.

load ../integration/support/common

# In the background and yet in the foreground: who runs it stays, and counts.
start_strict() {
	helper strict run --bundle "$BUNDLE" "$ID"
	wait_until test -e "$BUNDLE/rootfs/tmp/ready"
}

strict() {
	brig --policy strict "$@"
}

# explained STATUS ID|--last: as JSON, in $output.
explained() {
	attempt strict explain --json "$2"
	expect_status "$1"
	expect_schema explain
}

# The container's root may write to a folder of the bundle, which is how it says that it is ready.
ready_script() { # SCRIPT
	chmod 1777 "$BUNDLE/rootfs/tmp"
	shell "$1; touch /tmp/ready; while ! [ -e /tmp/end ]; do sleep 0.1; done"
}

finish() {
	touch "$BUNDLE/rootfs/tmp/end"
	wait "$HELPER" || true
}

is_counted() { # JQ-FILTER
	strict explain --json "$ID" | jq -e "$1" > /dev/null
}

@test "a refused call is counted with its name and arguments, while the container runs and after it" {
	ready_script 'mount -t tmpfs x /mnt; mount -t tmpfs x /mnt; unshare -U true'
	start_strict
	wait_until is_counted '.denials.total == 3'
	explained 0 "$ID"
	expect_json "$output" '[.denials.calls[] | .call] == ["mount", "unshare"]'
	expect_json "$output" '.denials.calls[0] | .count == 2 and .programs == ["mount"] and .first <= .last'
	expect_json "$output" '.denials.calls[1].arguments[0] == "0x10000000"'
	expect_json "$output" '.denials.calls[1].rule == {names: ["unshare"], action: "SCMP_ACT_ALLOW",
		args: [{index: 0, value: 268435456, op: "SCMP_CMP_EQ"}]}'
	expect_json "$output" '.denials.calls[1].opens | test("namespaces")'
	must strict explain "$ID"
	expect_like "$output" 'mount\(0x.*count 2'
	expect_equal "$(stat -c %a "$ROOT/$ID/denials.json")" 600
	finish
	must_fail 1 'does not exist' strict explain "$ID"
	explained 0 --last
	expect_json "$output" '.id != null and .exitStatus == 0 and .denials.state == "ended" and .denials.total == 3'
	expect_json "$output" '[.report[].rule] | index("seccomp") != null'
}

@test "who calls gets EPERM, and the count is in the audit trail" {
	local trail=$T/log/audit.jsonl

	jq -n --arg path "$trail" '{ set: "strict", audit: { path: $path } }' > "$T/policy.json"
	shell 'unshare -U true 2>&1; mount -t tmpfs x /mnt 2>&1; exit 0'
	must brig --policy "$T/policy.json" run --bundle "$BUNDLE" "$ID"
	expect_like "$output" 'Operation not permitted'
	expect_schema audit "$(< "$trail")" --lines
	expect_json "$(grep '"event":"exit"' "$trail")" '.denials == 2 and
		([.denied[] | "\(.call) \(.count)"] | sort == ["mount 1", "unshare 1"])'
	must brig --policy "$T/policy.json" metrics
	expect_line "$output" 'brig_denials_total{call="mount"} 1'
	expect_line "$output" 'brig_denials_total{call="unshare"} 1'
}

# Falco's globs are those of fnmatch(3).
is_flood() { # NUMBER OF CALLS
	local glob

	config --arg count "$1" '.process.args = ["/bin/flood", $count]'
	must brig --policy "$T/policy.json" run --bundle "$BUNDLE" "$ID"
	grep '"event":"exit"' "$T/log/audit.jsonl" | tail -n 1 > "$T/line"
	[ "$(wc -c < "$T/line")" -lt 8192 ]
	glob=$(sed -n 's/.*evt.arg.data glob "\(.*\)"$/\1/p' "$SUPPORT/../../../deploy/falco/brig_rules.yaml" | sed 's/\\"/"/g')
	expect_like "$glob" 'denials'
	python3 -c 'import fnmatch, sys; sys.exit(not fnmatch.fnmatchcase(sys.stdin.read(), sys.argv[1]))' "$glob" < "$T/line"
}

@test "a flood of refused calls is in the trail as Falco's rule looks for it" {
	jq -n --arg path "$T/log/audit.jsonl" '{ set: "strict", audit: { path: $path } }' > "$T/policy.json"
	compile flood "$BUNDLE/rootfs/bin/flood"
	is_flood 10000
	expect_json "$(cat "$T/line")" '.denials == 10000'
	if is_flood 9999; then
		flunk "not a flood: $(cat "$T/line")"
	fi
}

@test "what is refused to an exec is counted by the brig that stays with it, in explain and in the audit trail" {
	local trail=$T/log/audit.jsonl

	jq -n --arg path "$trail" '{ set: "strict", audit: { path: $path } }' > "$T/policy.json"
	shell 'while ! [ -e /tmp/end ]; do sleep 0.1; done'
	must brig --policy "$T/policy.json" run --detach --bundle "$BUNDLE" "$ID"
	explained 0 "$ID"
	expect_json "$output" '.denials == null'
	must_fail 7 'Operation not permitted' brig --policy "$T/policy.json" exec "$ID" /bin/sh -c 'unshare -U true; exit 7'
	explained 0 "$ID"
	expect_json "$output" '.denials | .state == "execs" and .total == 1 and .calls[0].call == "unshare" and
		.calls[0].programs == ["unshare"]'
	must strict explain "$ID"
	expect_like "$output" 'brig exec stayed with'
	expect_json "$(grep '"event":"exit"' "$trail")" '.status == 7 and .denials == 1 and .denied[0].call == "unshare"'
	must brig delete --force "$ID"
}

@test "every line of the posture agrees with the plan" {
	config --arg tmp "$BUNDLE/rootfs/tmp" '.process.oomScoreAdj = 100 | .linux.resources.pids.limit = 77 | .root.readonly = true | .linux.readonlyPaths = ["/proc/sys"] |
		.mounts += [{ destination: "/tmp", type: "bind", source: $tmp, options: ["bind"] }]'
	ready_script true
	start_strict
	explained 0 "$ID"
	expect_json "$output" '.flagged == 0 and all(.posture[]; .state == "ok")'
	expect_json "$output" '[.posture[].name] | contains(["limit-pids", "no_new_privs", "seccomp", "capability-effective",
		"uid_map", "gid_map", "namespace-user", "namespace-pid", "masked-paths", "landlock",
		"readonly-paths", "readonly-root", "mount-flags", "seccomp-filters", "core-dump", "oom-score", "namespace-time"])'
	expect_json "$output" '.posture[] | select(.name == "limit-pids") | .found | startswith("77, 77")'
	expect_json "$output" '.denials.total == 0'
	finish
}

@test "what does not agree is flagged, with exit status 3" {
	local file=$ROOT/$ID/report.json

	ready_script true
	start_strict
	cp "$file" "$T/report.json"
	jq -c '.uids[0].outside += 1' "$T/report.json" > "$file"
	attempt strict explain "$ID"
	expect_status 3
	expect_like "$output" 'FLAGGED +uid_map'
	jq -c '.masked += ["/proc/uptime"] | .filter = "none"' "$T/report.json" > "$file"
	explained 3 "$ID"
	expect_json "$output" '[.posture[] | select(.state == "flagged") | .name] == ["masked-paths"]'
	jq -c '.readonly += ["/proc/uptime"] | .readonlyRoot = true | .filters += 1 | (.mounts[] | select(.destination == "/proc").attributes) = 1' \
		"$T/report.json" > "$file"
	explained 3 "$ID"
	expect_json "$output" '[.posture[] | select(.state == "flagged") | .name] == ["seccomp-filters", "readonly-paths", "readonly-root", "mount-flags"]'
	jq -c '.oomScoreAdj = 1000' "$T/report.json" > "$file"
	explained 3 "$ID"
	expect_json "$output" '[.posture[] | select(.state == "flagged") | .name] == ["oom-score"]'
	# What a brig wrote that did not look at these.
	jq -c 'del(.readonly, .mounts, .readonlyRoot, .filters, .coreDumps, .oomScoreAdj)' "$T/report.json" > "$file"
	explained 0 "$ID"
	expect_json "$output" '[.posture[].name] | contains(["masked-paths"]) and index("mount-flags") == null'
	echo '{' > "$file"
	must_fail 1 'report.json' strict explain "$ID"
	cp "$T/report.json" "$file"
	finish
}

@test "core dumps that the plan does not allow are flagged" {
	[ "$(ulimit -H -c)" != 0 ] || skip "this machine's own limit of core dumps is 0"
	printf '{ "set": "strict", "rules": { "core-dump": "off" } }\n' > "$T/dumps.json"
	config '.process.rlimits = [{ type: "RLIMIT_CORE", soft: 0, hard: 1 }]'
	program sleep 300
	must brig --policy "$T/dumps.json" run --detach --bundle "$BUNDLE" "$ID"
	explained 0 "$ID"
	expect_json "$output" '.posture[] | select(.name == "core-dump") | .found == "at most 1 bytes, allowed in the plan"'
	sed -i 's/"coreDumps":true/"coreDumps":false/' "$ROOT/$ID/report.json"
	explained 3 "$ID"
	expect_json "$output" '[.posture[] | select(.state == "flagged") | .name] == ["core-dump"]'
}

@test "a limit that was taken away is flagged" {
	needs_controllers
	config '.linux.resources.pids.limit = 77'
	ready_script true
	start_strict
	echo max > "$(cgroup_folder pids)/pids.max"
	explained 3 "$ID"
	expect_json "$output" '[.posture[] | select(.state == "flagged") | .name] == ["limit-pids"]'
	finish
}

# limit_line NAME STATE FOUND-REGEX HOLDS
limit_line() {
	expect_json "$output" ".posture[] | select(.name == \"$1\") | .state == \"$2\" and (.found | test(\"^$3\$\")) and .holds == $4"
}

@test "a limit that was raised behind brig's back is flagged, one that brig update has set is not" {
	needs_v1 pids
	config '.linux.resources = { pids: { limit: 40 }, memory: { limit: 67108864 }, cpu: { quota: 50000, period: 100000 } }'
	ready_script true
	start_strict
	explained 0 "$ID"
	limit_line limit-pids ok '40, 40 in the plan' 40
	limit_line limit-memory ok '67108864, 67108864 in the plan' 67108864
	limit_line limit-cpu ok '50000, 50000 in the plan' 500
	echo 5000 > "$(cgroup_folder pids)/pids.max"
	echo 134217728 > "$(cgroup_folder memory)/memory.limit_in_bytes"
	echo 50000 > "$(cgroup_folder cpu)/cpu.cfs_period_us"
	explained 3 "$ID"
	limit_line limit-pids flagged '5000, 40 in the plan' 5000
	limit_line limit-memory flagged '134217728, 67108864 in the plan' 134217728
	limit_line limit-cpu flagged '50000, 50000 in the plan' 1000
	# What it does not name is as it was given before.
	must strict update --pids-limit 50 "$ID"
	explained 3 "$ID"
	limit_line limit-pids ok '50, 50 in the last update' 50
	expect_json "$output" '[.posture[] | select(.state == "flagged") | .name] == ["limit-memory", "limit-cpu"]'
	must strict update --memory 128m --cpu-quota 25000 --cpu-period 50000 "$ID"
	explained 0 "$ID"
	limit_line limit-cpu ok '25000, 25000 in the last update' 500
	must strict update --memory -1 "$ID"
	explained 0 "$ID"
	limit_line limit-memory ok '[0-9]+, none in the last update' null
	# A tighter one does no harm.
	echo 10 > "$(cgroup_folder pids)/pids.max"
	explained 0 "$ID"
	echo 51 > "$(cgroup_folder pids)/pids.max"
	explained 3 "$ID"
	expect_equal "$(stat -c %a "$ROOT/$ID/limits.json")" 600
	echo '{' > "$ROOT/$ID/limits.json"
	must_fail 1 'limits.json' strict explain "$ID"
	rm "$ROOT/$ID/limits.json"
	finish
}

@test "what a pod's group allows at most is told" {
	local tree

	needs_v1 pids
	for tree in pids memory cpu; do
		mkdir "/sys/fs/cgroup/$tree/it-parent-$ID"
	done
	echo 30 > "/sys/fs/cgroup/pids/it-parent-$ID/pids.max"
	echo 150000 > "/sys/fs/cgroup/cpu/it-parent-$ID/cpu.cfs_quota_us"
	echo 67108864 > "/sys/fs/cgroup/memory/it-parent-$ID/memory.limit_in_bytes"
	config --arg path "/it-parent-$ID/$ID" '.linux.cgroupsPath = $path | .linux.resources = { memory: { limit: 33554432 } }'
	program sleep 300
	must strict run --detach --bundle "$BUNDLE" "$ID"
	explained 0 "$ID"
	limit_line limit-pids ok 'max, none in the plan; a group above it has 30' 30
	limit_line limit-memory ok '33554432, 33554432 in the plan' 33554432
	limit_line limit-cpu ok '.*, none in the plan; a group above it has 1500 thousandths of a processor' 1500
	must strict explain "$ID"
	expect_like "$output" 'ok +limit-pids +max, none in the plan; a group above it has 30'
	must brig delete --force "$ID"
	remove_parents
}

@test "a flood of refused calls closes the listener, is said, and does not stop the container" {
	compile flood "$BUNDLE/rootfs/bin/flood"
	program /bin/flood 100000
	must strict run --bundle "$BUNDLE" "$ID"
	# Refused all of them: at first by us, then by the kernel.
	expect_like "$output" '^refused 100000, by ENOSYS [1-9]'
	explained 0 --last
	expect_json "$output" '.denials.state == "flood" and .denials.total < 100000 and .denials.total >= 10000'
	expect_json "$output" '.denials.calls | length <= 256'
	must strict explain --last
	expect_like "$output" 'FLOOD: .*ENOSYS'
	expect_equal "$(($(stat -c %s "$ROOT/.last.json") < 262144))" 1
}

@test "what config.json's own filter refuses with EPERM as well is counted; what it alone refuses, or with another errno, is not" {
	config '.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", syscalls: [
		{ names: ["mkdir", "mkdirat", "mount"], action: "SCMP_ACT_ERRNO" },
		{ names: ["umount2"], action: "SCMP_ACT_ERRNO", errnoRet: 13 }] }'
	ready_script 'mkdir /tmp/x 2> /tmp/made; umount /proc 2> /tmp/told; mount -t tmpfs x /mnt; mount -t tmpfs x /mnt'
	start_strict
	wait_until is_counted '.denials.total == 2'
	explained 0 "$ID"
	expect_json "$output" '[.denials.calls[] | { call, count }] == [{ call: "mount", count: 2 }]'
	expect_like "$(< "$BUNDLE/rootfs/tmp/made")" 'Operation not permitted'
	expect_like "$(< "$BUNDLE/rootfs/tmp/told")" 'Permission denied'
	finish
}

@test "a filter of config.json's that refuses what brig calls behind it hangs nobody" {
	local call name

	printf 'no program' > "$BUNDLE/rootfs/bin/broken"
	chmod +x "$BUNDLE/rootfs/bin/broken"
	for call in execve close write exit_group sendmsg; do
		for name in true broken; do
			config --arg call "$call" '.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ names: [$call], action: "SCMP_ACT_ERRNO" }] }'
			program "$name"
			attempt timeout --foreground -s KILL 60 env BRIG_TEST="$ID" "$BRIG" --root "$ROOT" --policy strict run --bundle "$BUNDLE" "$ID"
			expect_different "$status" 137
			attempt brig delete --force "$ID"
		done
	done
}

@test "with a listener of config.json's own, hooks behind the filter, or nobody who stays, nothing is counted" {
	ready_script 'unshare -U true'
	must strict create --bundle "$BUNDLE" "$ID"
	explained 0 "$ID"
	expect_json "$output" '.status == "created" and .denials == null and all(.posture[]; .name | startswith("limit-"))'
	must strict start "$ID"
	wait_until test -e "$BUNDLE/rootfs/tmp/ready"
	explained 0 "$ID"
	expect_json "$output" '.denials == null and .flagged == 0 and .kernelLogOn == false'
	must strict explain "$ID"
	expect_like "$output" 'kernel_log.*was off'
	touch "$BUNDLE/rootfs/tmp/end"
	wait_until status_is stopped
	explained 0 "$ID"
	expect_json "$output" '.posture == []'
}

@test "under conformant there is nothing to explain; wrong arguments are said" {
	sleeper
	must brig explain "$ID"
	expect_like "$output" 'done as it stands'
	explained 0 "$ID"
	expect_json "$output" 'keys == ["id", "status"]'
	must_fail 1 'either' brig explain
	must_fail 1 'either' brig explain --last "$ID"
	must_fail 1 'in the foreground' brig explain --last
}

# A thread of the kernel's writes messages down, some time later.
kernel_logged() {
	explained 0 "$ID"
	[ "$(jq '.kernelLog | length' <<< "$output")" != 0 ]
}

refusals_in_log() {
	dmesg | grep -c 'audit: type=1326.*comm="mount"' || true
}

@test "where nobody counts, the kernel's log has some of it, if the policy asks for that" {
	local before

	head -c 0 /dev/kmsg 2> /dev/null || skip "the kernel's log can't be read here"
	chmod 1777 "$BUNDLE/rootfs/tmp"
	jq -n '{ set: "strict", audit: { enabled: false, kernel_log: true } }' > "$T/policy.json"
	before=$(refusals_in_log)
	# Again and again: ten messages in five seconds are all the host's, and another test may have had them.
	shell 'while ! [ -e /tmp/end ]; do mount -t tmpfs x /mnt; touch /tmp/ready; sleep 0.1; done'
	must brig --policy "$T/policy.json" run --detach --bundle "$BUNDLE" "$ID"
	wait_until test -e "$BUNDLE/rootfs/tmp/ready"
	explained 0 "$ID"
	expect_json "$output" '.denials == null'
	if ! wait_until kernel_logged && [ "$(refusals_in_log)" -le "$before" ]; then
		skip "the kernel writes of no refused call here"
	fi
	expect_json "$output" '.kernelLog != []'
	expect_json "$output" '.kernelLog[] | select(.call == "mount") | .count >= 1 and .programs == ["mount"] and .first <= .last'
	must strict explain "$ID"
	expect_like "$output" "the kernel's log has"
	expect_like "$output" 'mount\(\): count [0-9]+'
	touch "$BUNDLE/rootfs/tmp/end"
	wait_until status_is stopped
	# A container without one of its own sees none of it.
	must brig delete "$ID"
	rm "$BUNDLE/rootfs/tmp/end" "$BUNDLE/rootfs/tmp/ready"
	shell 'true'
	must strict run --detach --bundle "$BUNDLE" "$ID"
	explained 0 "$ID"
	expect_json "$output" '.kernelLog == []'
}
