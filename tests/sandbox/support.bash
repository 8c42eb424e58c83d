# shellcheck shell=bash disable=SC2034,SC2154,SC2317 # $status, $output and $stderr are shared with the tests
# What every file of tests of brig sandbox loads, beside integration/support. No bundle is needed.

# shellcheck source=tests/integration/support/common.bash
. "${BASH_SOURCE[0]%/*}/../integration/support/common.bash"
SOURCE=${BASH_SOURCE[0]%/*}/../..
USER_ID=54321

bundle_new() {
	:
}

# Beside what every container may leave: the root file system that all sandboxes share.
left_state() {
	if [ -d "$ROOT" ]; then
		find "$ROOT" -ignore_readdir_race -mindepth 1 -maxdepth 1 ! -name '.filters' ! -name '.last.json' ! -name '.sandbox' -printf 'state %p\n'
	fi
	if [ -d "$ROOT/.sandbox" ]; then
		find "$ROOT/.sandbox" -ignore_readdir_race -mindepth 1 -maxdepth 1 ! -name '.root-*' -printf 'sandbox %p\n'
	fi
}

# sandbox ARGUMENT...: its processes and cgroup carry the test's mark.
sandbox() {
	brig sandbox --name "$ID" --env BRIG_TEST="$ID" "$@"
}

# start ARGUMENT...: the same in the background; $HELPER is brig itself, not a shell around it.
start() {
	helper env BRIG_TEST="$ID" "$BRIG" --root "$ROOT" sandbox --name "$ID" --env BRIG_TEST="$ID" "$@"
}

# judged VERDICT ARGUMENT...: runs it with --json; $output is the object, which holds to the schema and has that verdict. Nothing is left.
judged() {
	local wanted=$1

	shift
	attempt sandbox --json "$@"
	expect_schema sandbox
	expect_equal "$(jq -r .verdict <<< "$output")" "$wanted"
	assert_nothing_left
}

# of FILTER: what jq finds in the object.
of() {
	jq -r "$1" <<< "$output"
}

# An ordinary user's brig, with a state directory of its own.
as_user() {
	HOME_OF_USER=$T/home
	mkdir -p "$HOME_OF_USER"
	cp "$BRIG" "$HOME_OF_USER/brig"
	ROOT=$HOME_OF_USER/state
	chown -hR "$USER_ID:$USER_ID" "$HOME_OF_USER"
	brig() {
		env --chdir "$HOME_OF_USER" BRIG_TEST="$ID" HOME="$HOME_OF_USER" setpriv --reuid "$USER_ID" --regid "$USER_ID" \
			--clear-groups "$HOME_OF_USER/brig" --root "$ROOT" "$@"
	}
}
