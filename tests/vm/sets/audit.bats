#!/usr/bin/env bats
# tiers: uml qemu
# with: auditctl
# The rules of deploy/auditd, loaded by auditctl: each is one that the kernel takes, and tells of what it is about.

RULES=/source/deploy/auditd/brig.rules
FIRST=1879048192

auditctl() {
	/with/auditctl/auditctl "$@"
}

# Those of the file that are rules, as many as that.
rules() {
	grep -cE '^-[aw] ' "$RULES"
}

setup() {
	auditctl -D > /dev/null
	mkdir -p /opt/brig /usr/local/bin /etc/brig
	install -d -m 0700 /var/log/brig
	# Or the kernel's log leaves some of many lines out.
	echo 0 > /proc/sys/kernel/printk_ratelimit
}

teardown() {
	auditctl -D > /dev/null
	auditctl -e 0 > /dev/null
}

# Without a daemon the events are in the kernel's log, a moment later: so many with that key.
told() { # KEY NUMBER
	local try

	# What is told after the one that is waited for shows that there are no more.
	for try in $(seq 50); do
		[ "$(dmesg | grep -c "audit: type=1300 .*key=\"$1\"")" -lt "$2" ] || break
		sleep 0.1
	done
	[ "$(dmesg | grep -c "audit: type=1300 .*key=\"$1\"")" -eq "$2" ]
}

as_sandbox() { # COMMAND...
	setpriv --reuid "$FIRST" --regid "$FIRST" --clear-groups "$@"
}

@test "the kernel takes each rule" {
	auditctl -R "$RULES"
	[ "$(auditctl -l | wc -l)" -eq "$(rules)" ]
}

@test "what is not there keeps no other rule out" {
	# The guest's own, in which another set may have run before.
	rm -r /var/log/brig
	run auditctl -R "$RULES"
	[ "$(auditctl -l | wc -l)" -eq "$(($(rules) - 2))" ]
	[ "$(auditctl -l | grep -c 'key=brig-refused')" -eq 2 ]
}

@test "policy, trail, programs of sandboxes, and what they are refused: each is told" {
	auditctl -R "$RULES" > /dev/null
	auditctl -e 1 > /dev/null
	# What was there before is not audited: processes of their own. A daemon writes the trail, as brig does; then somebody who has logged in.
	sh -c 'echo line > /var/log/brig/audit.jsonl'
	sh -c "echo '{}' > /etc/brig/policy.json"
	told brig-policy 1
	told brig-trail 0
	sh -c 'echo 1000 > /proc/self/loginuid; echo line >> /var/log/brig/audit.jsonl'
	told brig-trail 1
	# brig itself for somebody who has logged in is no news, also when it was installed later; the same program by another name is.
	for program in brig not-brig; do
		install -m 0755 "$(command -v tee)" "/usr/bin/$program"
	done
	sh -c 'echo 1000 > /proc/self/loginuid; echo line | brig -a /var/log/brig/audit.jsonl'
	told brig-trail 1
	sh -c 'echo 1000 > /proc/self/loginuid; echo line | not-brig -a /var/log/brig/audit.jsonl'
	told brig-trail 2
	mv /var/log/brig/audit.jsonl /var/log/brig/audit.jsonl.1
	told brig-trail 3
	told brig-exec 0
	as_sandbox /bin/true
	told brig-exec 1
	told brig-refused 0
	as_sandbox /bin/cat /var/log/brig/audit.jsonl.1 || true
	told brig-refused 1
	told brig-exec 2
}
