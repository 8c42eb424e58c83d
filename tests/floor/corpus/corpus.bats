#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2153,SC2154 # jq's variables; bats: a subshell a test, $output and $stderr
# The corpus of hostile documents: each is a change of a harmless config.json, with what strict has to make of it. The report of `brig check`
# and a real container have to agree, and with the rules switched off neither may hold: else they would not be what is tested.
#
# corpus/NAME.json:
# rules, verdict, change   of jq; $folder is $T, $network a namespace of somebody else's. built-in: what every policy refuses
# policy, prepare, needs   more of the policy file (FOLDER is $T); a function below; something of the host
# says                     of what is refused: what run's message is like, in place of the rule's name
# script, inside           of what is adjusted: what runs, and what it prints then, as a regex in which the dot is any character
# reported                 "note": the report says so at that level, as nothing is taken away
# control                  why the script is not run without the rules as well, where that would do harm or tell nothing
# Scripts use of busybox: awk cat echo grep ls mount nc sh sleep unshare

load ../../integration/support/common

CORPUS=$BATS_TEST_DIRNAME

prepare() {
	CLEAN=$BUNDLE
	NETWORK=
	mkdir "$T/volume" "$T/hooks"
	printf '#!/bin/sh\n: > "%s/ran"\n' "$T" > "$T/hook"
	chmod 755 "$T/hook"
	ln -s /etc "$T/link"
	mknod "$T/kmsg" c 1 11
	python3 -c 'import socket, sys
socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$T/engine.sock"
	ln "$T/engine.sock" "$T/notes.txt"
	cp "$CLEAN/config.json" "$T/clean.json"
}

# As podman, docker and CRI-O mount a root file system.
prepare_overlay() {
	mkdir -p "$T/upper" "$T/work" "$T/overlay"
	mountpoint -q "$T/overlay" || mount -t overlay overlay -o "lowerdir=$BUNDLE/rootfs,upperdir=$T/upper,workdir=$T/work" "$T/overlay"
}

# It tells of its environment, where the container can read it.
prepare_listed_hook() {
	printf '%s\n' '#!/bin/sh' '/usr/bin/env | /usr/bin/grep -vE "^(PWD|OLDPWD|SHLVL|_)=" | /usr/bin/sort | /usr/bin/tr "\n" " " > "$1"' > "$T/hooks/listed"
	chmod 755 "$T/hooks/listed"
}

prepare_ramfs() {
	mkdir -p "$T/ram"
	mountpoint -q "$T/ram" || mount -t ramfs ramfs "$T/ram"
}

prepare_network() {
	helper unshare --net sleep 300
	wait_until grep -qx sleep "/proc/$HELPER/comm"
	NETWORK=/proc/$HELPER/ns/net
}

# In which the host's root is root.
prepare_user_namespace() {
	helper unshare --user --map-root-user sleep 300
	wait_until grep -qx sleep "/proc/$HELPER/comm"
	NETWORK=/proc/$HELPER/ns/user
}

teardown() {
	umount "$T/overlay" "$T/ram" 2> /dev/null || true
	cleanup_all
}

# All of a case at once: jq takes longer to start than brig does to refuse.
declare -gA FIELD
read_case() {
	eval "FIELD=($(jq -r '.message = (.says // if .rules == ["built-in"] then "linux.sysctl" else "rule (\(.rules | join("|"))) of policy strict" end) |
		to_entries[] | "[\(.key)]=\(.value | if type == "string" then . else tojson end | @sh)"' "$CASE"))"
}

field() { # NAME
	printf '%s' "${FIELD[$1]:-}"
}

host_has() { # WHAT
	case $1 in
	'') ;;
	landlock) { "$BRIG" doctor --json || true; } | jq -e 'any(.[]; .name == "landlock" and .state == "works")' > /dev/null ;;
	apparmor) grep -qx Y /sys/module/apparmor/parameters/enabled 2> /dev/null ;;
	# Else it is withheld before the rule looks; tests/vm/sets/limits.bats has it where it is not.
	oom-score) (echo -1000 > /proc/self/oom_score_adj) 2> /dev/null ;;
	pids | memory) [ -d "/sys/fs/cgroup/$1" ] || grep -qw "$1" /sys/fs/cgroup/cgroup.controllers 2> /dev/null ;;
	*) flunk "needs: $1" ;;
	esac
}

under() { # ARGUMENT...: brig under the case's policy
	brig --policy "$POLICY" "$@"
}

# The set by its name where that is the whole of it, else a file; more: what it has besides.
policy_for_case() { # [off: without the case's rules]
	POLICY=strict
	if [ -n "${1:-}$(field policy)" ]; then
		POLICY=$T/policy.json
		jq --arg folder "$T" --arg level "${1:-}" '{ set: "strict" } + (.policy // {} | walk(strings |= gsub("FOLDER"; $folder))) +
			(if $level == "" then {} else { rules: (.rules | map({ key: ., value: $level }) | from_entries) } end)' "$CASE" > "$POLICY"
	fi
}

check_says() { # VERDICT STATUS
	local level=$1

	attempt under check --json "$BUNDLE"
	expect_status "$2" check "$CASE"
	expect_like "$output" "\"verdict\": \"$1\""
	if [ -n "$(field reported)" ]; then
		level=$(field reported)
	fi
	expect_json "$output" "[.report[] | select(.level == \"$level\") | .rule] as \$found | ($(field rules) - \$found) == []"
}

# With the rules off nothing may be left of them in the report.
check_is_silent_without() {
	policy_for_case off
	attempt under check --json "$BUNDLE"
	expect_json "$output" "[.report[] | select(.level == \"refused\" or .level == \"adjusted\") | .rule] as \$found |
		($(field rules) - \$found) == $(field rules)"
}

run_refused() {
	must_fail 1 "$(field message)" under run --bundle "$BUNDLE" "$ID"
	expect_one_error
	expect_missing "$T/ran"
	assert_nothing_left_but_ours
}

assert_nothing_left_but_ours() {
	umount "$T/ram" "$T/overlay" 2> /dev/null || true
	assert_nothing_left
}

run_adjusted() {
	attempt under run --bundle "$BUNDLE" "$ID"
	expect_like "$output$(grep -v warning <<< "$stderr")" "$(field inside)"
}

run_differs_without() {
	attempt under run --bundle "$BUNDLE" "$ID"
	if [ "$status" != 0 ] && [ -z "$output" ]; then
		flunk "it does not run without the rule: $stderr"
	fi
	expect_unlike "$output$(grep -v warning <<< "$stderr")" "$(field inside)"
}

one_case() {
	read_case
	if ! host_has "$(field needs)"; then
		echo "# $(basename "$CASE"): this host has no $(field needs)" >&3
		return
	fi
	if [ -n "$(field prepare)" ]; then
		"prepare_$(field prepare)"
	fi
	config --arg folder "$T" --arg network "$NETWORK" --arg script "$(field script)" '.process.args = ["sh", "-c", $script] | '"$(field change)"
	policy_for_case
	case $(field verdict) in
	refused)
		check_says refused 4
		run_refused
		if [ "$(field rules)" != '["built-in"]' ]; then
			check_is_silent_without
		fi
		;;
	adjusted)
		check_says adjusted 3
		run_adjusted
		check_is_silent_without
		if [ -z "$(field control)" ]; then
			run_differs_without
		fi
		;;
	*) flunk "$CASE: no verdict" ;;
	esac
}

# corpus PATTERN: all cases of that name, each from the clean document.
corpus() {
	local n=0

	for CASE in "$CORPUS"/$1.json; do
		cp "$T/clean.json" "$BUNDLE/config.json"
		# Shown where it fails. No `||` here: it would have each expectation in the case pass over.
		echo "case ${CASE##*/}"
		one_case
		n=$((n + 1))
	done
	[ "$n" -gt 0 ]
}

@test "capabilities: ambient and inheritable ones, the ceiling" {
	corpus 'ambient-*'
	corpus 'capability-*'
}

@test "annotations" {
	corpus 'annotation-*'
}

@test "apparmor" {
	host_has apparmor || skip "this machine has no AppArmor"
	corpus 'apparmor*'
}

@test "namespaces: the host's, the cgroup's, the user's" {
	corpus 'cgroup-*'
	corpus 'host-namespace-*'
	corpus 'user-namespace*'
}

@test "core dumps, oom scores, privileges" {
	corpus 'core-*'
	corpus 'oom-*'
	corpus 'new-*'
}

@test "devices" {
	corpus 'device-*'
}

@test "hooks" {
	corpus 'hook*'
}

@test "landlock" {
	corpus landlock
}

@test "the kernel's files" {
	corpus 'masked-*'
}

@test "mounts: flags and propagation" {
	corpus 'mount-flags*'
	corpus mount-propagation
}

@test "mounts: sources" {
	corpus 'mount-source-*'
}

@test "limits" {
	corpus 'resource-*'
}

@test "what can't be id-mapped" {
	corpus rootfs-unmapped
	corpus volume-unmapped
}

@test "system calls" {
	corpus 'seccomp*'
}

@test "ways out" {
	corpus 'egress-*'
}

@test "sysctls" {
	corpus 'sysctl-*'
}

@test "combinations" {
	corpus 'all-*'
	corpus 'privileged-*'
	corpus 'engine-*'
	corpus 'annotations-*'
}

@test "each rule of the floor has a case, and each case is in a test above" {
	local rule pattern name

	must brig --policy strict plan --bundle "$BUNDLE" --json
	# config.json can't ask for the caller's keyring: floor_process.bats does, by the option.
	for rule in $(jq -r '.rules | del(.["session-keyring"]) | keys_unsorted[]' <<< "$output" |
		grep -vxE 'capability-(unknown|withheld)|cgroup-disabled|limit-(raise|unsupervised)|oom-score-lower|rlimit-raise|selinux-missing'); do
		jq -e --arg rule "$rule" -n '[inputs.rules[]] | index($rule) != null' "$CORPUS"/*.json > /dev/null || flunk "no case for rule $rule"
	done
	for CASE in "$CORPUS"/*.json; do
		name=$(basename "$CASE" .json)
		while read -r pattern; do
			# shellcheck disable=SC2053 # a pattern
			[[ $name != $pattern ]] || continue 2
		done < <(sed -n "s/^\tcorpus '*\([^']*\)'*$/\1/p" "$BATS_TEST_FILENAME")
		flunk "$name.json is in no test"
	done
}
