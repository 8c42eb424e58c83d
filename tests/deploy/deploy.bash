# shellcheck shell=bash
# What the tests of deploy/ share.

SOURCE=$(readlink -f "${BASH_SOURCE[0]%/*}/../..")
DEPLOY=$SOURCE/deploy
export SOURCE DEPLOY

# shellcheck source=tests/clients/clients.bash
. "$SOURCE/tests/clients/clients.bash"

# need NAME...: programs of tests/support/cluster-tools into PATH.
need() {
	local folders

	folders=$("$SOURCE/tests/support/cluster-tools" "$@" 3>&-) || return
	PATH=$folders:$PATH
	export PATH
}

# expect STATUS COMMAND...: it has to end so; sets $output (both streams). Nothing that it starts holds bats' descriptor.
expect() {
	local wanted=$1
	shift

	status=0
	output=$("$@" 2>&1 3>&-) || status=$?
	echo "$*: status $status, output: $output"
	[ "$status" -eq "$wanted" ]
}
