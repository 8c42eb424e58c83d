# shellcheck shell=bash disable=SC2034,SC2154 # $status, $output and $stderr are shared by the parts
# What every file of integration tests loads. A test gets a folder ($T), a state directory ($ROOT), a bundle ($BUNDLE: busybox
# and the config.json beside this file) and an id ($ID) of its own. After it everything is taken away, and the test fails if brig
# left a process, a mount, a cgroup or a state directory behind.

bats_require_minimum_version 1.8.0

SUPPORT=${BASH_SOURCE[0]%/*}
BRIG=${BRIG:-$SUPPORT/../../../build/check/brig}

# jq 1.6 takes longer to start than most of the containers here take to run.
if command -v gojq > /dev/null; then
	jq() {
		gojq "$@"
	}
fi

load_parts() {
	local part

	for part in "$@"; do
		# shellcheck source=/dev/null
		. "$SUPPORT/$part.bash"
	done
}
load_parts assert bundle cleanup cgroup devices

setup() {
	T=$BATS_TEST_TMPDIR
	ROOT=$T/state
	BUNDLE=$T/bundle
	# With digits enough that none is the beginning of another's.
	printf -v ID 'it%s-%03d' $$ "$BATS_TEST_NUMBER"
	# Container root may be an ordinary user outside, who has to get to the bundle in here.
	chmod a+x "$BATS_RUN_TMPDIR" "${BATS_TEST_TMPDIR%/*}" "$T"
	bundle_new "$BUNDLE"
	if declare -F prepare > /dev/null; then
		prepare
	fi
}

teardown() {
	cleanup_all
}

# The program under test. The mark in the environment is how its processes are found afterwards.
brig() {
	BRIG_TEST=$ID "$BRIG" --root "$ROOT" "$@"
}

# attempt COMMAND...: sets $status, $output (stdout) and $stderr. In place of bats' `run`, which waits for as long as a container
# holds the pipe. The descriptors of bats itself are not passed on, for the same reason.
attempt() {
	status=0
	"$@" < "${STDIN:-/dev/null}" > "$T/stdout" 2> "$T/stderr" 3>&- 4>&- || status=$?
	output=$(tr -d '\0' < "$T/stdout")
	stderr=$(tr -d '\0' < "$T/stderr")
}

# must COMMAND...: an attempt that has to succeed.
must() {
	attempt "$@"
	expect_status 0 "$@"
}

# must_fail STATUS PATTERN COMMAND...: it has to fail, with that status and a message on stderr like the extended regex.
must_fail() {
	local wanted=$1 pattern=$2

	shift 2
	attempt "$@"
	expect_status "$wanted" "$@"
	expect_like "$stderr" "$pattern"
}

create() {
	brig create --bundle "$BUNDLE" "$@" "$ID"
}

run_container() {
	brig run --bundle "$BUNDLE" "$@" "$ID"
}

# inside SCRIPT: what a shell script prints in a new container; it has to succeed.
inside() {
	shell "$1"
	must run_container
}

# background [OPTION...]: the container of the bundle, as a test of exec, kill and limits needs it.
background() {
	must brig run --detach --bundle "$BUNDLE" "$@" "$ID"
}

# sleeper: a running container that does nothing.
sleeper() {
	program sleep 300
	background "$@"
}

status_of() {
	brig state "${1:-$ID}" | jq -r .status
}

pid_of() {
	brig state "${1:-$ID}" | jq -r .pid
}

status_is() {
	[ "$(status_of "${2:-$ID}" 2> /dev/null)" = "$1" ]
}

# wait_until COMMAND...: at most thirty seconds, since the machine may have other work.
wait_until() {
	local try

	for ((try = 0; try < 600; try++)); do
		if "$@"; then
			return 0
		fi
		sleep 0.05
	done
	flunk "did not happen in thirty seconds: $*"
}

# sleeps_in_open PID: as with a FIFO whose other end nobody has open. Not each kernel has both files' words: /proc/PID/syscall begins with the number.
sleeps_in_open() {
	[ "$(cat "/proc/$1/wchan")" = wait_for_partner ] || grep -Eqs "^$(openat_number) " "/proc/$1/syscall"
}

openat_number() {
	case $(uname -m) in
	x86_64) echo 257 ;;
	*) echo 56 ;;
	esac
}

# helper COMMAND...: in the background, ended after the test. Its pid is in $HELPER.
helper() {
	"$@" < /dev/null > "$T/helper.out" 2>&1 3>&- 4>&- &
	HELPER=$!
	HELPERS+=("$HELPER")
}

in_v2_view() {
	[ -e /sys/fs/cgroup/cgroup.controllers ]
}

# For what refuses TCP, by version 4 of Landlock (Linux 6.7), to programs that try both families.
needs_tcp_lock() {
	[ -e /proc/net/if_inet6 ] || skip "this kernel has no IPv6"
	{ "$BRIG" doctor --json || true; } |
		jq -e 'any(.[]; .name == "landlock" and .state == "works" and (.found | contains("without TCP") | not))' > /dev/null ||
		skip "this kernel has no Landlock that knows TCP"
}
