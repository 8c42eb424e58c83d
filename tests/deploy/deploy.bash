# shellcheck shell=bash
# What the tests of deploy/ share.

SOURCE=$(readlink -f "${BASH_SOURCE[0]%/*}/../..")
DEPLOY=$SOURCE/deploy
export SOURCE DEPLOY

# need NAME...: programs of tests/support/cluster-tools into PATH.
need() {
	local folders

	folders=$("$SOURCE/tests/support/cluster-tools" "$@" 3>&-) || return
	PATH=$folders:$PATH
	export PATH
}

# Tries a command until it succeeds, for so many seconds.
wait_for() { # SECONDS COMMAND...
	local end=$((SECONDS + $1))
	shift

	until "$@" > /dev/null 2>&1; do
		if [ "$SECONDS" -ge "$end" ]; then
			echo "waited in vain for: $*"
			return 1
		fi
		sleep 0.05
	done
}

# expect STATUS COMMAND...: it has to end so; sets $output (both streams).
expect() {
	local wanted=$1
	shift

	status=0
	output=$("$@" 2>&1 3>&-) || status=$?
	echo "$*: status $status, output: $output"
	[ "$status" -eq "$wanted" ]
}
