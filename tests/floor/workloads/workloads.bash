# shellcheck shell=bash disable=SC2034,SC2153,SC2154 # shared with the tests and with ../../integration/support
# Workloads under strict: bundles whose root file system is what tests/support/workloads unpacks, with a config.json as docker
# makes it for an image, and nothing in it that suits brig.

load ../../integration/support/common

# What docker gives a container that asks for nothing.
DOCKER_CAPABILITIES=(CAP_CHOWN CAP_DAC_OVERRIDE CAP_FSETID CAP_FOWNER CAP_MKNOD CAP_NET_RAW CAP_SETGID CAP_SETUID CAP_SETFCAP
	CAP_SETPCAP CAP_NET_BIND_SERVICE CAP_SYS_CHROOT CAP_KILL CAP_AUDIT_WRITE)

setup_file() {
	# A guest of tests/vm has them already.
	[ -n "${WORKLOADS:-}" ] || WORKLOADS=$("$BATS_TEST_DIRNAME/../../support/workloads")
	export WORKLOADS
}

prepare() {
	mkdir "$T/volume"
	cp "$BATS_TEST_DIRNAME"/programs/* "$T/volume"
	capabilities "${DOCKER_CAPABILITIES[@]}"
	config '.process.noNewPrivileges = false | .process.env += ["HOME=/root"] | .root = { path: $root, readonly: true }' \
		--arg root "$WORKLOADS/root"
	# What an image has in its writable layer.
	for folder in /tmp /var/tmp /run /var/log /var/lib/nginx; do
		add_mount "$folder" tmpfs tmpfs nosuid nodev mode=1777
	done
	add_mount /volume bind "$T/volume" rbind rw
}

brig() {
	BRIG_TEST=$ID "$BRIG" --root "$ROOT" --policy "${POLICY:-strict}" "$@"
}

# runs ARGUMENT...: the container's program; it has to succeed.
runs() {
	program "$@"
	must run_container
}

# start ARGUMENT...: a service in the background, which writes to $T/log.
start() {
	program "$@"
	again
}

again() {
	brig run --detach --bundle "$BUNDLE" "$ID" < /dev/null >> "$T/log" 2>&1 3>&- 4>&- || flunk "did not start: $(< "$T/log")"
}

# await COMMAND...: a service, on a machine that does other things as well, may need most of a minute until it answers.
await() {
	local deadline=$((SECONDS + 45))

	until "$@"; do
		if ((SECONDS > deadline)); then
			flunk "did not happen in 45 seconds: $*" "$(tail -n 30 "$T/log")"
			return 1
		fi
		sleep 0.1
	done
}

in_it() { # ARGUMENT...: by exec, as a health check or a user's shell comes in
	must brig exec "$ID" "$@"
}

answers() { # ARGUMENT...: an exec that succeeds
	brig exec "$ID" "$@" < /dev/null > /dev/null 2>&1 3>&- 4>&-
}
