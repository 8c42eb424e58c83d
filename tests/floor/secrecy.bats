#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # jq's variables; bats: a subshell a test, $output
# No output, log line or record of brig's has the value of an environment variable; with --redact-args none has an argument either.

load ../integration/support/common

VALUE=secret-in-the-environment
ARGUMENT=secret-in-an-argument

prepare() {
	TRAIL=$T/log/audit.jsonl
	jq -n --arg path "$TRAIL" '{ set: "strict", audit: { path: $path } }' > "$T/policy.json"
	config '.process.env += ["TOKEN=" + $value] | .hooks = {}' --arg value "$VALUE"
	chmod 1777 "$BUNDLE/rootfs/tmp"
	program sh -c 'unshare -U true; exit 3' "$ARGUMENT"
	: > "$T/all"
}

# Everything that brig says, on its streams and in its log, collected in $T/all.
say() { # [GLOBAL OPTION...] COMMAND...
	BRIG_TEST=$ID "$BRIG" --root "$ROOT" --policy "$T/policy.json" --log "$T/log.txt" --debug "$@" < /dev/null >> "$T/all" 2>&1 3>&- 4>&- ||
		true
	cat "$T/log.txt" >> "$T/all"
	rm -f "$T/log.txt"
}

# What they share stays in the state directory: one of their own.
say_throwaway() { # [GLOBAL OPTION...]
	local ROOT=$T/throwaway

	say "$@" sandbox --env "OTHER=$VALUE" --json -- sh -c 'unshare -U true; exit 3' "$ARGUMENT"
	say "$@" sandbox --env "OTHER=$VALUE" -- no-such-program "$ARGUMENT"
	say "$@" sandbox --env "OTHER=$VALUE" --bind-ro "$T/none:/none" -- true
	say "$@" learn --env "OTHER=$VALUE" -- sh -c 'unshare -U true; exit 3' "$ARGUMENT"
	say "$@" learn --env "OTHER=$VALUE" --output "$T/none/profile.json" -- true
}

say_all() { # [GLOBAL OPTION...]
	say "$@" plan --bundle "$BUNDLE"
	say "$@" plan --json --bundle "$BUNDLE"
	say "$@" check "$BUNDLE"
	say "$@" check --json "$BUNDLE"
	say "$@" run --bundle "$BUNDLE" "$ID"
	say "$@" explain --last
	say "$@" explain --last --json
	program sh -c 'sleep 300' "$ARGUMENT"
	say "$@" create --bundle "$BUNDLE" "$ID"
	say "$@" start "$ID"
	say "$@" state "$ID"
	say "$@" list
	say "$@" list --format json
	say "$@" exec --env "OTHER=$VALUE" "$ID" sh -c 'exit 1' "$ARGUMENT"
	say "$@" exec --env "OTHER=$VALUE" "$ID" no-such-program "$ARGUMENT"
	say "$@" explain "$ID"
	say "$@" explain --json "$ID"
	say "$@" update --pids-limit 50 "$ID"
	say "$@" events --stats "$ID"
	say "$@" delete --force "$ID"
	# Refused, and failing: the words of errors.
	program no-such-program "$ARGUMENT"
	say "$@" run --bundle "$BUNDLE" "$ID"
	add_mount /host bind / rbind
	say "$@" run --bundle "$BUNDLE" "$ID"
	say "$@" plan --bundle "$BUNDLE"
	config '.mounts |= map(select(.destination != "/host")) | .process.env += [$value]' --arg value "$VALUE"
	say "$@" run --bundle "$BUNDLE" "$ID"
	config '.process.env = { a: $value }' --arg value "$VALUE"
	say "$@" run --bundle "$BUNDLE" "$ID"
	config '.process.env = [] | .process.args = { a: $value }' --arg value "$ARGUMENT"
	say "$@" run --bundle "$BUNDLE" "$ID"
	say_throwaway "$@"
	say "$@" audit --file "$TRAIL"
	say "$@" audit --json --file "$TRAIL"
	cat "$TRAIL" >> "$T/all"
}

occurrences() { # TEXT
	grep -c -e "$1" "$T/all" || true
}

@test "values of environment variables are nowhere" {
	say_all
	expect_equal "$(occurrences "$VALUE")" 0
	# The test would see them: names are there, arguments as well.
	[ "$(occurrences TOKEN)" -ge 2 ] || flunk "no environment in plan"
	[ "$(occurrences "$ARGUMENT")" -ge 6 ] || flunk "no arguments: $(occurrences "$ARGUMENT")"
	[ "$(occurrences '"verdict"')" -ge 1 ] || flunk "no sandbox ran"
	[ "$(occurrences SCMP_ACT_ALLOW)" -ge 1 ] || flunk "nothing was learned"
	[ "$(grep -c '"event":"exec"' "$TRAIL")" -ge 1 ] || flunk "no exec on record"
}

@test "with --redact-args arguments are counted, and nowhere" {
	say_all --redact-args
	expect_equal "$(occurrences "$VALUE")" 0
	expect_equal "$(occurrences "$ARGUMENT")" 0
	[ "$(occurrences argsOmitted)" -ge 2 ] || flunk "no count in plan"
	[ "$(occurrences '"args_omitted":')" -ge 4 ] || flunk "no count in the trail"
}

@test "a site demands it by its policy" {
	jq '.audit.redact_args = true' "$T/policy.json" > "$T/demanding.json"
	mv "$T/demanding.json" "$T/policy.json"
	say_all
	expect_equal "$(occurrences "$ARGUMENT")" 0
	[ "$(occurrences argsOmitted)" -ge 2 ] || flunk "no count in plan"
}

@test "a container that was made so keeps it, and an exec can ask for it alone" {
	program sh -c 'sleep 300' "$ARGUMENT"
	say --redact-args create --bundle "$BUNDLE" "$ID"
	say start "$ID"
	say exec "$ID" true "$ARGUMENT"
	say delete --force "$ID"
	expect_equal "$(grep -c -e "$ARGUMENT" "$TRAIL" || true)" 0
	say run --detach --bundle "$BUNDLE" "$ID"
	say --redact-args exec "$ID" true "$ARGUMENT"
	say delete --force "$ID"
	expect_equal "$(grep -e "$ARGUMENT" "$TRAIL" | jq -r .event | sort -u)" 'create'
}
