#!/usr/bin/env bats
# shellcheck disable=SC2030,SC2031,SC2154 # bats: a subshell a test, $output
# tests/vm/run itself: a set's failure comes back, a guest that dies or hangs is told with what its console said last, and nothing of it is left.

RUN=$BRIG_SOURCE/tests/vm/run
SETS=$BRIG_SOURCE/tests/vm/own/sets

# Their time is not a test's.
setup_file() {
	"$BRIG_SOURCE/tests/vm/make" root > /dev/null 3>&- 4>&-
	"$BRIG_SOURCE/tests/vm/make" uml > /dev/null 3>&- 4>&-
}

setup() {
	# Where a guest has its scratch folder.
	export TMPDIR=$BATS_TEST_TMPDIR
}

guest() { # STATUS ARGUMENT...
	local wanted=$1

	shift
	status=0
	"$RUN" --build "$BRIG_BUILD" "$@" > "$BATS_TEST_TMPDIR/output" 2>&1 3>&- 4>&- || status=$?
	cat "$BATS_TEST_TMPDIR/output"
	[ "$status" -eq "$wanted" ]
}

said() { # REGEX
	grep -qE "$1" "$BATS_TEST_TMPDIR/output"
}

# Who is in a guest has mounts of its scratch folder. What was killed may take a moment to be gone.
none_left() {
	local found

	for _ in {1..300}; do
		found=$(grep -ls "$BATS_TEST_TMPDIR/brig-vm" /proc/[0-9]*/mountinfo || true)
		if [ -z "$found" ] && ! compgen -G "$BATS_TEST_TMPDIR/brig-vm*"; then
			return 0
		fi
		sleep 0.1
	done
	echo "left behind: $found"
	return 1
}

@test "the status and the output of a set that fails" {
	guest 3 --tier systemd "$SETS/fails"
	said '^not ok 2 - bad$'
	none_left
}

@test "a set that does not run in a tier, and one that there is not" {
	guest 1 --tier systemd "$SETS/panics"
	said '^not ok 1 - the set .* does not run in the tier systemd: its tiers are uml$'
	guest 1 no-such-set
	said '^not ok 1 - no set no-such-set; there are .*systemd'
}

@test "as many guests side by side as there are processors, and memory for" {
	fitting() { # PROCESSORS MEMINFO
		python3 -B -c 'if True:
			import importlib.machinery, importlib.util, sys
			loader = importlib.machinery.SourceFileLoader("run", sys.argv[1])
			run = importlib.util.module_from_spec(importlib.util.spec_from_loader("run", loader))
			loader.exec_module(run)
			print(run.guests_that_fit(int(sys.argv[2]), sys.argv[3]))' "$RUN" "$@"
	}
	[ "$(fitting 4 $'MemTotal: 99999999 kB\nMemAvailable:   99999999 kB\nBuffers: 1 kB')" -eq 4 ]
	[ "$(fitting 64 $'MemTotal: 99999999 kB\nMemAvailable:    8000000 kB')" -eq 5 ]
	[ "$(fitting 8 'MemAvailable: 1000 kB')" -eq 1 ]
	[ "$(fitting 8 '')" -eq 1 ]
}

@test "a guest that hangs is ended after its time" {
	guest 1 --tier systemd --timeout 6 "$SETS/hangs"
	said '^not ok - the guest systemd did not end within its 6 s$'
	none_left
}

@test "a run that is ended takes its guest with it" {
	local pid

	"$RUN" --build "$BRIG_BUILD" --tier systemd "$SETS/hangs" > "$BATS_TEST_TMPDIR/output" 2>&1 3>&- 4>&- &
	pid=$!
	for _ in {1..600}; do
		! said 'it hangs now' || break
		sleep 0.1
	done
	said 'it hangs now'
	kill -TERM "$pid"
	status=0
	wait "$pid" || status=$?
	[ "$status" -ne 0 ]
	said 'ended by SIGTERM'
	none_left
}

@test "a kernel that panics: what was through, and the end of its console; a guest beside it is through all the same" {
	guest 3 --tier uml --guests 2 "$SETS/panics" "$SETS/fails"
	said '^ok 1 - what was through before$'
	said '^not ok - the guest uml died before its sets were through$'
	said '^not ok 2 - bad$'
	said '^# console: .*Kernel panic - not syncing: sysrq triggered crash'
	none_left
}
