#!/usr/bin/env bats
# deploy/network/example/try: the plugin that may reach one API and one bucket, in network namespaces, with brig's own set strict. The
# same pod in a cluster is a case of tests/cluster.

# shellcheck disable=SC2154 # BRIG: of the stage; status, output: of expect
load deploy.bash

TRY=$DEPLOY/network/example/try

setup() {
	if ! unshare --net true; then
		skip "this machine lets us make no network namespaces"
	fi
}

# A brig that changes each config.json that is run by a program for jq.
brig_with() { # PROGRAM
	cat > "$BATS_TEST_TMPDIR/brig" << TEXT
#!/bin/bash
for word; do
	[ "\$before" != --bundle ] || { jq '$1' "\$word/config.json" > "\$word/changed" && mv "\$word/changed" "\$word/config.json"; }
	before=\$word
done
exec "$BRIG" "\$@"
TEXT
	chmod +x "$BATS_TEST_TMPDIR/brig"
}

@test "network: one API and one bucket are reached, all else is refused and audited, credentials are renewed and end" {
	TMPDIR=$BATS_TEST_TMPDIR expect 0 timeout 170 "$TRY"
	[[ $output == *'all as it should be'* ]]
	[ -z "$(ls "$BATS_TEST_TMPDIR")" ]
}

@test "network: a list that lets one more through, or none, is noticed" {
	mkdir "$BATS_TEST_TMPDIR/scratch"
	for annotations in '{}' '{ "brig.dev/egress": "10.231.8.0/24:443,10.231.8.10:8443/tcp,10.231.8.20:9000/tcp" }'; do
		brig_with "if .annotations == {} then . else .annotations = $annotations end"
		TMPDIR=$BATS_TEST_TMPDIR/scratch BRIG=$BATS_TEST_TMPDIR/brig expect 1 timeout 170 "$TRY"
		[[ $output == *'FAILED: the plugin did not say: 10.231.8.30:443: wget'*'Operation not permitted'* ]]
		[ -z "$(ls "$BATS_TEST_TMPDIR/scratch")" ]
	done
}
