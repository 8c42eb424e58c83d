#!/usr/bin/env bats
# The callers that the tests use run from where they were unpacked.

version_of() { # PROGRAM [OPTION]
	run "$1" "${2:---version}"
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $(command -v "$1") == "$BRIG_PEERS"/* ]]
}

@test "podman runs unpacked" {
	version_of podman
}

@test "conmon runs unpacked" {
	version_of conmon
}

@test "containerd runs unpacked" {
	version_of containerd
}

@test "ctr runs unpacked" {
	version_of ctr
}

@test "containerd's runc shim runs unpacked" {
	version_of containerd-shim-runc-v2 -v
}

@test "crun runs unpacked" {
	version_of crun
}

@test "runc runs unpacked" {
	version_of runc
}
