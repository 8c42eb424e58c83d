#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2154 # bats: a subshell a test, $output
# brig check: the report before anything runs. brig doctor: what the host can enforce.

load ../integration/support/common

strict() {
	brig --policy strict "$@"
}

@test "check tells all that the policy changes, with exit status 3, and leaves nothing" {
	attempt strict check "$BUNDLE"
	expect_status 3
	expect_like "$output" 'adjusted +user-namespace '
	expect_like "$output" 'adjusted +seccomp .*: asked for no filter, applied .*strict'
	expect_like "$output" 'adjusted under policy strict'
	assert_nothing_left
}

@test "nothing to change is exit status 0" {
	must brig --policy conformant check "$BUNDLE"
	expect_equal "$output" 'as it is under policy conformant'
	must brig --policy conformant check --json "$BUNDLE"
	expect_schema check
	expect_json "$output" '.verdict == "as it is" and .report == []'
}

@test "what is refused is exit status 4, all of it at once, with the remedy" {
	config '.hooks.createRuntime = [{ path: "/tmp/hook" }] | .linux.devices = [{ path: "/dev/disk", type: "b", major: 8, minor: 0 }]'
	add_mount /host bind /etc rbind
	attempt strict check "$BUNDLE"
	expect_status 4
	expect_like "$output" 'refused +hook +hooks.createRuntime\[0\].*to do: '
	expect_like "$output" 'refused +device '
	expect_like "$output" 'refused +mount-source +mounts\['
	attempt strict check --json "$BUNDLE"
	expect_status 4
	expect_schema check
	expect_json "$output" '.verdict == "refused" and ([.report[] | select(.level == "refused") | .rule] | unique - ["volume-unmapped"] == ["device", "hook", "mount-source"]) and
		all(.report[] | select(.level == "refused"); .remedy | length > 0)'
	must_fail 1 'rule (hook|device|mount-source|volume-unmapped) of policy strict' strict run --bundle "$BUNDLE" "$ID"
}

@test "a document by itself, under another name, as JSON" {
	jq . "$BUNDLE/config.json" > "$T/other.json"
	attempt strict check --json "$T/other.json"
	expect_status 3
	expect_schema check
	expect_json "$output" '.verdict == "adjusted" and .policy == "strict" and ([.report[].rule] | index("capability") != null)'
	(
		cd "$T" || exit
		attempt strict check other.json
		expect_status 3
	)
}

@test "what no policy allows is refused as well; what is wrong in itself is an error" {
	add_mount /proc/acpi bind "$T" rbind
	attempt strict check "$BUNDLE"
	expect_status 4
	expect_like "$output" 'lies in /proc'
	attempt strict check --json "$BUNDLE"
	expect_status 4
	expect_schema check
	expect_json "$output" '[.report[] | select(.level == "refused") | .rule] == ["built-in"]'
	echo '{' > "$BUNDLE/config.json"
	must_fail 1 'config.json' strict check "$BUNDLE"
	must_fail 1 'No such file' strict check "$T/nothing"
}

@test "no text of config.json or of a program forges a line of the report or steers the terminal" {
	config '.process.capabilities.bounding += ["CAP_X\nrefused   forged\u001b[2J"]'
	attempt strict check "$BUNDLE"
	expect_like "$output" 'asked for CAP_X\\nrefused   forged\\x1b\[2J'
	# A program's name is what its file is called.
	shell 'cp /bin/busybox "$(printf "/tmp/busybox\033[5n")"; /tmp/busybox* unshare -U true; true'
	must strict run --bundle "$BUNDLE" "$ID"
	must brig explain --last
	expect_like "$output" 'by busybox.\[5n'
	expect_like "$output" 'CAP_X\\nrefused   forged\\x1b\[2J'
	expect_equal "$(grep -c '^refused' <<< "$output" || true)" 0
	expect_unlike "$output" $'\033'
}

@test "check agrees with run: what it says is applied is what the container has" {
	attempt strict check --json "$BUNDLE"
	expect_json "$output" '[.report[] | select(.rule == "user-namespace")] | length == 1'
	expect_json "$output" '[.report[] | select(.level == "refused")] == []'
	shell 'cat /proc/self/uid_map; grep Seccomp: /proc/self/status'
	must strict run --bundle "$BUNDLE" "$ID"
	expect_like "$output" '0 +[0-9]{10} +65536'
	expect_like "$output" 'Seccomp:.2'
}

# expect_doctor_status: of `brig doctor --json`, as the worst of what it says itself.
expect_doctor_status() {
	expect_status "$(jq 'if any(.[]; .state == "needed") then 4 elif any(.[]; .state == "lacks") then 3 else 0 end' <<< "$output")"
}

@test "doctor names what works and what to do about the rest" {
	local as_json

	attempt brig doctor --json
	expect_schema doctor
	expect_doctor_status
	as_json=$status
	expect_like "$as_json" '^(0|3)$'
	expect_json "$output" '(map(.name) | index("landlock") != null) and all(.[]; .state == "works" or (.remedy | length > 0))'
	attempt brig doctor
	expect_status "$as_json"
	expect_like "$output" 'works +seccomp '
	expect_like "$output" 'works +user-namespaces '
}

# altered SCHEMA JQ-FILTER WORDS: $output changed like that does not hold to the schema.
altered() {
	if (expect_schema "$1" "$(jq -c "$2" <<< "$output")") 2> "$T/told"; then
		flunk "$1: $2"
	fi
	expect_like "$(< "$T/told")" "$3"
}

@test "the schemas of what is printed for programs take nothing else" {
	attempt brig doctor --json
	altered doctor '.[0].colour = 1' 'colour is not in the schema'
	altered doctor 'del(.[0].found)' 'found is missing'
	altered doctor '.[0].name = "x"' 'is none of'
	altered doctor '.[0].state = "lacks" | del(.[0].remedy)' 'fits 0 of 2'
	attempt strict check --json "$BUNDLE"
	altered check '.verdict = "fine"' 'is none of'
	altered check '.report[0].level = "refused"' 'fits 0 of 2'
	altered check '.report[0].why = 1' 'is not string'
	jq -n --arg path "$T/log/audit.jsonl" '{ set: "strict", audit: { path: $path } }' > "$T/policy.json"
	program sleep 300
	must brig --policy "$T/policy.json" run --detach --bundle "$BUNDLE" "$ID"
	must strict explain --json "$ID"
	altered explain 'del(.egress)' 'fits 0 of 2'
	altered explain '.posture[0].state = "fine"' 'is none of'
	altered explain '.report[0].colour = 1' 'colour is not in the schema'
	output=$(grep '"event":"create"' "$T/log/audit.jsonl")
	altered audit 'del(.plan)' 'fits 0 of 12'
	altered audit '.env = []' 'env is not in the schema'
	altered audit '.time = "now"' 'pattern'
	output=$(grep '"event":"start"' "$T/log/audit.jsonl")
	altered audit 'del(.pid)' 'fits 0 of 12'
}

# given SUBUID SUBGID COMMAND...: where /etc/subuid and /etc/subgid have these lines.
given() {
	printf '%s\n' "$1" > "$T/subuid"
	printf '%s\n' "$2" > "$T/subgid"
	T="$T" unshare --mount --propagation private sh -ec '
		mount --bind "$T/subuid" /etc/subuid
		mount --bind "$T/subgid" /etc/subgid
		exec "$@"' given "${@:3}"
}

@test "no container is given ids that /etc/subuid or /etc/subgid give to users" {
	local first=2999975936 size=65536 policy=$T/policy.json

	# Of 64 ranges the last four are left.
	jq -n --argjson first "$first" --argjson size "$size" \
		'{ set: "strict", user_namespaces: { first: $first, count: ($size * 64), size: $size } }' > "$policy"
	shell 'cat /proc/self/uid_map /proc/self/gid_map'
	attempt given "somebody:$first:$((30 * size))" "group:$((first + 30 * size)):$((30 * size))" \
		env BRIG_TEST="$ID" "$BRIG" --root "$ROOT" --policy "$policy" run --bundle "$BUNDLE" "$ID"
	expect_status 0
	expect_equal "$(awk -v least=$((first + 60 * size)) '$1 == 0 && $2 >= least && $3 == 65536' <<< "$output" | wc -l)" 2
	# All of them: refused, with the remedy.
	must_fail 1 "all 64 ranges.*64 of them by users.*somebody:$first.*user_namespaces" \
		given "somebody:$first:$((64 * size))" "" env BRIG_TEST="$ID" "$BRIG" --root "$ROOT" --policy "$policy" run --bundle "$BUNDLE" "$ID"
	assert_nothing_left
}

@test "doctor finds a range that others give away, and a policy that is broken" {
	attempt given somebody:1900000000:65536 "" "$BRIG" doctor
	expect_status 3
	expect_like "$output" 'lacks +id-range .*4092 of 4094 ranges are left.*/etc/subuid: somebody:1900000000'
	attempt given "" group:1900000000:1 "$BRIG" doctor --json
	expect_schema doctor
	expect_doctor_status
	expect_json "$output" '.[] | select(.name == "id-range") | .state == "lacks" and (.found | test("4093 of 4094.*/etc/subgid: group")) and (.remedy | test("subgid"))'
	# None is left.
	attempt given all:1:4294967294 "" "$BRIG" doctor
	expect_status 4
	expect_like "$output" 'needed +id-range .*0 of 4094 ranges are left'
	echo '{ "set": "strict", "no-such-key": 1 }' > "$T/policy.json"
	attempt "$BRIG" --policy "$T/policy.json" doctor --json
	expect_schema doctor
	expect_doctor_status
	expect_json "$output" '[.[] | select(.state == "needed") | .name] == ["policy"]'
	attempt "$BRIG" --policy "$T/policy.json" doctor
	expect_status 4
	expect_like "$output" 'needed +policy .*no-such-key'
	# Whatever else it lacks: a protection less is 3.
	attempt "$BRIG" --policy conformant doctor
	expect_status 3
	expect_like "$output" 'lacks +policy .*conformant'
	attempt "$BRIG" --policy conformant doctor --json
	expect_doctor_status
	echo '{ "set": "strict", "user_namespaces": { "first": 20000000, "count": 655360, "size": 65536 } }' > "$T/policy.json"
	attempt "$BRIG" --policy "$T/policy.json" doctor
	expect_status 3
	expect_like "$output" 'lacks +id-range .*from 20000000 on.*systemd'
}

@test "an exec is held to the policy that its container was made under, also where it names none" {
	program sleep 300
	must strict run --detach --bundle "$BUNDLE" "$ID"
	attempt "$BRIG" --root "$ROOT" exec --cap CAP_SYS_ADMIN "$ID" grep -E 'CapEff|Seccomp:|NoNewPrivs' /proc/self/status
	expect_status 0
	expect_like "$output" 'Seccomp:.2'
	expect_like "$output" 'NoNewPrivs:.1'
	expect_unlike "$output" 'CapEff:.*0000200[0-9a-f]{3}'
	must "$BRIG" --root "$ROOT" --policy conformant exec "$ID" grep Seccomp: /proc/self/status
	expect_like "$output" 'Seccomp:.2'
}

@test "a stricter policy than its container's holds for an exec" {
	program sleep 300
	must brig --policy conformant run --detach --bundle "$BUNDLE" "$ID"
	must brig --policy conformant exec "$ID" grep Seccomp: /proc/self/status
	expect_like "$output" 'Seccomp:.0'
	must strict exec "$ID" grep Seccomp: /proc/self/status
	expect_like "$output" 'Seccomp:.2'
}

# The stage has a site's policy of its own: here it is hidden.
@test "without a policy file the set strict holds" {
	unshare --mount --propagation private sh -c 'umount /etc 2> /dev/null || true
		test ! -e /etc/brig/policy.json || { mount -t tmpfs tmpfs /etc/brig; }
		exec "$1" check "$2"' sh "$BRIG" "$BUNDLE" > "$T/out" || status=$?
	expect_like "$(< "$T/out")" 'adjusted under policy strict'
	expect_equal "$status" 3
}
