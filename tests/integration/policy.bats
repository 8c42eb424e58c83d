#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2153,SC2154 # scripts of other languages; bats: a subshell a test, $stderr
# The policy file: what a site can forbid, and whose word counts.

load support/common

# A capability that no kernel has: every host withholds it.
prepare() {
	POLICY=$T/policy.json
	config '.process.capabilities.bounding += ["CAP_BRIG_TEST"]'
}

policy() { # RULES-OBJECT
	printf '{ "set": "conformant", "rules": %s }\n' "$1" > "$POLICY"
}

# bats test_tags=fast
@test "without a policy a withheld privilege is a warning" {
	shell 'echo ran'
	attempt run_container
	expect_status 0
	expect_equal "$output" ran
	expect_like "$stderr" 'warning: capability-unknown: .*CAP_BRIG_TEST'
}

# bats test_tags=fast
@test "a rule at enforce refuses, names field and remedy, and leaves nothing" {
	policy '{ "capability-unknown": "enforce" }'
	must_fail 1 'process\.capabilities\.bounding: asked for CAP_BRIG_TEST.*rule capability-unknown of policy conformant \(.*policy\.json\).*leave it out' \
		brig --policy "$POLICY" run --bundle "$BUNDLE" "$ID"
	expect_equal "$(grep -c . <<< "$stderr")" 1
	must_fail 1 'capability-unknown' brig --policy "$POLICY" create --bundle "$BUNDLE" "$ID"
	must_fail 1 'capability-unknown' brig --policy "$POLICY" plan --bundle "$BUNDLE"
	assert_nothing_left
}

@test "a rule at adjust and off go on: no warning, and off is not in the plan's report either" {
	shell 'echo ran'
	policy '{ "capability-unknown": "adjust" }'
	must brig --policy "$POLICY" run --bundle "$BUNDLE" "$ID"
	expect_equal "$output" ran
	expect_unlike "$stderr" 'CAP_BRIG_TEST'
	must brig --policy "$POLICY" plan --bundle "$BUNDLE" --json
	expect_json "$output" '(.rules["capability-unknown"] == "adjust") and
		([.report[] | select(.rule == "capability-unknown") | .level] == ["adjusted"])'
	policy '{ "capability-unknown": "off" }'
	must brig --policy "$POLICY" run --bundle "$BUNDLE" "$ID"
	expect_equal "$output" ran
	must brig --policy "$POLICY" plan --bundle "$BUNDLE" --json
	expect_json "$output" '(.rules["capability-unknown"] == "off") and (.policy | startswith("conformant (/")) and
		([.report[] | select(.rule == "capability-unknown")] == [])'
}

@test "exec is held to the rule" {
	config '.process.capabilities.bounding -= ["CAP_BRIG_TEST"]'
	policy '{ "capability-unknown": "enforce" }'
	program sleep 300
	must brig --policy "$POLICY" run --detach --bundle "$BUNDLE" "$ID"
	jq '.process | .args = ["true"] | .capabilities.bounding += ["CAP_BRIG_TEST"]' "$BUNDLE/config.json" > "$T/process.json"
	must_fail 255 'capability-unknown' brig --policy "$POLICY" exec --process "$T/process.json" "$ID"
	# Also without the option: it was made under that policy.
	must_fail 255 'capability-unknown' brig exec --process "$T/process.json" "$ID"
}

@test "a container that was made keeps its hooks, whatever the policy says later" {
	config --arg folder "$T" '.process.args = ["sleep", "300"] | .hooks.poststart = [{ path: "/bin/touch", args: ["touch", $folder + "/started"] }] |
		.hooks.poststop = [{ path: "/bin/touch", args: ["touch", $folder + "/stopped"] }]'
	must create
	policy '{ "capability-unknown": "enforce" }'
	must brig --policy "$POLICY" start "$ID"
	expect_equal "$(status_of)" running
	expect_file "$T/started" ""
	echo broken > "$POLICY"
	must brig --policy "$POLICY" delete --force "$ID"
	expect_equal "$stderr" ""
	expect_file "$T/stopped" ""
}

@test "a policy that others could change is refused" {
	policy '{}'
	for mode in 664 646 666; do
		chmod "$mode" "$POLICY"
		must_fail 1 "policy file .*mode 0$mode.*chmod go-w" brig --policy "$POLICY" run --bundle "$BUNDLE" "$ID"
	done
	chmod 644 "$POLICY"
	chown 1234 "$POLICY"
	must_fail 1 'policy file .*belongs to uid 1234.*chown root' brig --policy "$POLICY" run --bundle "$BUNDLE" "$ID"
	chown 65534 "$POLICY"
	must_fail 1 'belongs to uid 65534' brig --policy "$POLICY" run --bundle "$BUNDLE" "$ID"
	assert_nothing_left
}

@test "what is no policy is refused: kinds of files, sizes, depth, words" {
	refuse() { # PATTERN
		must_fail 1 "$1" brig --policy "$POLICY" plan --bundle "$BUNDLE"
		expect_equal "$(grep -c . <<< "$stderr")" 1
	}
	refuse 'policy file .*does not exist'
	mkdir "$POLICY"
	refuse 'not a regular file'
	rmdir "$POLICY"
	mkfifo "$POLICY"
	refuse 'not a regular file'
	rm "$POLICY"
	ln -s "$T/elsewhere" "$POLICY"
	refuse 'symbolic link'
	rm "$POLICY"
	policy '{ "rlimit": "warn" }'
	refuse 'rules: unknown key "rlimit"; there is: .*rlimit-raise'
	policy '{ "rlimit-raise": "error" }'
	refuse 'rules.rlimit-raise: "error" is not a known level; allowed: enforce, adjust, warn, off'
	policy 'null'
	refuse 'rules: expected an object, found null'
	echo '{ "set": "lax" }' > "$POLICY"
	refuse 'set: "lax" is not a known policy set; allowed: strict, baseline, conformant'
	echo '{ "set": "conformant", "extra": 1 }' > "$POLICY"
	refuse 'unknown key "extra"; there is: set, rules'
	echo '{ "rules": {} }' > "$POLICY"
	refuse '"set" is missing'
	head -c 10000 /dev/zero | tr '\0' '[' > "$POLICY"
	refuse 'policy file '
	head -c 60000 /dev/zero | sed 's/\x00/{"rules":/g' | head -c 60000 > "$POLICY"
	refuse 'policy file '
	truncate -s 3G "$POLICY"
	refuse 'policy file '
	must_fail 1 'there is no policy "lax"; available: strict, baseline, conformant, or a file' brig --policy lax plan --bundle "$BUNDLE"
	must_fail 1 'not a regular file' brig --policy /dev/zero plan --bundle "$BUNDLE"
}

# In a mount namespace in which /etc holds the policy alone.
with_etc() { # COMMAND...
	unshare --mount sh -c 'mount --bind "$0" /etc && exec "$@"' "$T/etc" env BRIG_TEST="$ID" "$BRIG" --root "$ROOT" "$@"
}

@test "/etc/brig/policy.json holds where --policy is not given, and --policy goes before it" {
	mkdir -p "$T/etc/brig"
	shell 'echo ran'
	must with_etc run --bundle "$BUNDLE" "$ID"
	expect_equal "$output" ran
	echo '{ "set": "conformant", "rules": { "capability-unknown": "enforce" } }' > "$T/etc/brig/policy.json"
	must_fail 1 'rule capability-unknown of policy conformant \(/etc/brig/policy.json\)' with_etc run --bundle "$BUNDLE" "$ID"
	must with_etc --policy conformant run --bundle "$BUNDLE" "$ID"
	expect_equal "$output" ran
	chmod 666 "$T/etc/brig/policy.json"
	must_fail 1 '/etc/brig/policy.json.*chmod go-w' with_etc run --bundle "$BUNDLE" "$ID"
	must with_etc list
	rm "$T/etc/brig/policy.json"
	chmod 777 "$T/etc/brig"
	must_fail 1 '/etc/brig/policy.json, which is not there: .*chmod go-w the folder' with_etc run --bundle "$BUNDLE" "$ID"
	rm -r "$T/etc/brig"
	touch "$T/etc/brig"
	must_fail 1 '/etc/brig/policy.json.*Not a directory' with_etc run --bundle "$BUNDLE" "$ID"
	assert_nothing_left
}

@test "the rules in the documents are those of the program" {
	policy '{ "no-such-rule": "warn" }'
	attempt brig --policy "$POLICY" plan --bundle "$BUNDLE"
	rules=$(sed -n 's/.*there is: //p' <<< "$stderr" | tr -d ' ' | tr , '\n' | sort)
	expect_equal "$(jq -r '.properties.rules.properties | keys[]' "$SUPPORT/../../../docs/policy.schema.json" | sort)" "$rules"
	expect_equal "$(jq -r '.properties.delegate.properties | keys[]' "$SUPPORT/../../../docs/policy.schema.json" | sort)" "$rules"
	# Below "Levels", whose table has the same form.
	expect_equal "$(sed -n '/^## Rules/,/^## Lists/s/^| `\([a-z-]*\)`[ *+]*|.*/\1/p' "$SUPPORT/../../../docs/policy.md" | sort)" "$rules"
	expect_equal "$(sed '1,/^# RULES ABOUT/d; /^# EXAMPLE/,$d' "$SUPPORT/../../../docs/brig-policy.5.scd" |
		grep -E '^(\*[a-z-]+\*(, )?)+( \([a-z]+\))?$' | grep -o '\*[a-z-]*\*' | tr -d '*' | sort)" "$rules"
	must brig plan --bundle "$BUNDLE" --json
	expect_equal "$(jq -r '.rules | keys[]' <<< "$output" | sort)" "$rules"
	# And their levels: those of the floor in the table, the others at warn.
	for set in strict baseline conformant; do
		must brig --policy "$set" plan --bundle "$BUNDLE" --json
		expect_equal "$(jq -r '.rules | to_entries[] | "\(.key) \(.value)"' <<< "$output" | sort)" "$(
			sed -n '/^## Rules/,/^## The floor/s/^| `\([a-z-]*\)` |.*/\1 warn/p' "$SUPPORT/../../../docs/policy.md" > "$T/levels"
			sed -n '/^## The floor/,/^## Lists/s/^| `\([a-z-]*\)`[ *+]*| \([a-z]*\) |.*/\1 \2/p' "$SUPPORT/../../../docs/policy.md" |
				if [ "$set" = conformant ]; then sed 's/ .*/ off/'; else cat; fi >> "$T/levels"
			sort "$T/levels"
		)"
	done
}
