#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2154 # scripts of other shells; bats: a subshell a test, $output
# The second lock on the file system. It is looked at alone: the mounts' own flags, the filter and the user namespace are out of its way.

load ../integration/support/common

prepare() {
	cat > "$T/policy.json" <<- 'END'
		{ "set": "conformant", "rules": { "landlock": "adjust" } }
	END
	config '.root.readonly = true'
}

# What the tests of this folder mean by brig, with the policy.
brig() {
	BRIG_TEST=$ID "$BRIG" --root "$ROOT" --policy "$T/policy.json" "$@"
}

# With every capability, and no other lock: whoever may remount can write, but for Landlock.
privileged() {
	config '.process.capabilities = (["bounding", "effective", "permitted"] | map({ key: ., value: ["CAP_SYS_ADMIN", "CAP_DAC_OVERRIDE", "CAP_CHOWN", "CAP_MKNOD"] }) | from_entries)'
}

@test "a read-only root stays so for who may remount it" {
	privileged
	inside 'mount -o remount,bind,rw / 2>&1; echo x > /file 2>&1 || echo refused'
	expect_like "$output" 'refused'
	expect_like "$output" 'ermission denied|not permitted'
}

@test "without the lock the same container writes there: the test above can fail" {
	privileged
	echo '{ "set": "conformant" }' > "$T/policy.json"
	inside 'mount -o remount,bind,rw / && echo x > /file && echo written'
	expect_like "$output" 'written'
}

@test "writable mounts can be written to, files made, renamed, linked, removed" {
	mkdir "$T/volume"
	add_mount /volume bind "$T/volume" rbind rw
	add_mount /scratch tmpfs tmpfs
	inside 'set -e; for d in /volume /scratch /dev/shm; do
		cd $d; mkdir a b; echo x > a/f; mv a/f b/g; ln b/g a/h; ln -s g b/l; mkfifo p; truncate -s 3 a/h; cat b/g; rm -r a b p; done; echo; echo all'
	expect_like "$output" 'all'
}

@test "a volume that is read-only is not among them, also through a writable one around it" {
	mkdir -p "$T/outer/inner"
	add_mount /outer bind "$T/outer" rbind rw
	mkdir "$T/kept"
	add_mount /kept bind "$T/kept" rbind ro
	privileged
	inside 'echo x > /outer/f; mount -o remount,bind,rw /kept 2>/dev/null; echo x > /kept/f 2>/dev/null || echo refused'
	expect_like "$output" refused
	[ ! -e "$T/kept/f" ]
	[ -e "$T/outer/f" ]
}

@test "no device node can be made, even with the capability and in a mount that has devices" {
	privileged
	config '.linux.resources.devices = [{ allow: true, access: "rwm" }]'
	inside 'mknod /dev/disk b 8 0 2>&1 || echo refused'
	expect_like "$output" refused
}

@test "mounts can't be changed" {
	privileged
	inside 'umount /proc/keys 2>&1; mount -t tmpfs none /dev/shm 2>&1; mount --bind /bin /proc 2>&1; grep -c " /proc/keys " /proc/self/mountinfo'
	expect_equal "$(tail -n 1 <<< "$output")" 1
}

@test "/dev/stdout, /dev/stderr, /dev/null and the terminal can be opened and written to" {
	shell 'echo out >> /dev/stdout; echo err >> /dev/stderr; echo gone > /dev/null; echo via >> /proc/self/fd/1'
	must run_container
	expect_like "$output" 'out'
	expect_like "$output" 'via'
	expect_like "$stderr" 'err'
	shell 'echo pipe >> /dev/stdout'
	output=$(run_container 2>&1 < /dev/null | cat)
	expect_like "$output" pipe
	mkfifo "$T/fifo"
	helper cat "$T/fifo"
	shell 'echo fifo >> /dev/stdout'
	run_container > "$T/fifo" < /dev/null
	wait_until grep -q fifo "$T/helper.out"
}

@test "an exec is locked the same way, whatever policy it comes with" {
	privileged
	mkdir "$T/volume"
	add_mount /volume bind "$T/volume" rbind rw
	sleeper
	must env BRIG_TEST="$ID" "$BRIG" --root "$ROOT" exec "$ID" sh -c 'mount -o remount,bind,rw / 2>/dev/null; echo x > /file 2>/dev/null || echo refused; echo y > /volume/f && echo written; echo z >> /dev/stdout'
	expect_like "$output" refused
	expect_like "$output" written
	expect_like "$output" z
}

@test "a created container is locked once it starts" {
	privileged
	shell 'mount -o remount,bind,rw / 2>/dev/null; echo x > /file 2>/dev/null || echo refused; echo > /dev/shm/tried; sleep 300'
	must create
	must brig start "$ID"
	wait_until brig exec "$ID" test -e /dev/shm/tried
	must brig exec "$ID" sh -c 'test -e /file || echo not there'
	expect_like "$output" 'not there'
}

@test "the plan and its report tell of it" {
	must brig plan -b "$BUNDLE" --json
	expect_json "$output" '.plan.landlock.enabled == true'
	config '.process.noNewPrivileges = false'
	must brig plan -b "$BUNDLE" --json
	expect_json "$output" '[.report[] | select(.rule == "landlock")] | length == 1'
	sed -i 's/adjust/enforce/' "$T/policy.json"
	must_fail 1 'landlock' run_container
}

@test "with a writable root there is none, and an exec sees the program's own entries in /proc" {
	config '.root.readonly = false'
	sleeper
	must brig exec "$ID" sh -c 'readlink /proc/1/exe && tr "\0" "\n" < /proc/1/environ'
	expect_like "$output" busybox
	must brig plan -b "$BUNDLE" --json
	expect_json "$output" '.plan | has("landlock") | not'
}

@test "under strict an exec ends a program behind the lock (kubectl exec ... kill 1), which shares no Landlock domain with it" {
	jq -n --arg path "$T/log/audit.jsonl" '{ set: "strict", audit: { path: $path } }' > "$T/policy.json"
	must brig plan -b "$BUNDLE" --json
	expect_json "$output" '.plan.landlock.enabled == true'
	shell 'trap "echo told; exit 7" TERM; echo ready; while :; do sleep 0.1; done'
	helper brig run --bundle "$BUNDLE" "$ID"
	wait_until grep -qx ready "$T/helper.out"
	must brig exec "$ID" sh -c 'echo x > /file || echo locked'
	expect_like "$output" locked
	# 137: the first process may have ended, and all others with it, before that one could.
	attempt brig exec "$ID" kill -TERM 1
	[ "$status" -eq 137 ] || expect_status 0 exec kill
	status=0
	wait "$HELPER" || status=$?
	expect_equal "$status" 7
	expect_line "$(< "$T/helper.out")" told
}
