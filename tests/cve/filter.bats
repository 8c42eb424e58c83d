#!/usr/bin/env bats
# shellcheck disable=SC2016,SC2030,SC2031,SC2153,SC2154 # scripts of other shells; bats: a subshell a test, $output and $stderr
# Attacks that begin with a system call, from inside: refused under strict, and let through by the same program with the rule off. Which
# attack belongs to which hole: README.md and docs/seccomp.md.

load ../integration/support/common

prepare() {
	compile attacks "$BUNDLE/rootfs/bin/attacks"
	# Whoever asks for all that there is.
	config '.process.noNewPrivileges = false | .process.capabilities |= map_values(. + ["CAP_SYS_ADMIN"])'
	printf '{ "set": "strict", "rules": { "seccomp": "off" } }\n' > "$T/open.json"
}

# refused ANSWER ATTACK...: each of them, and not for want of it in this kernel.
refused() {
	local answer=$1 attack

	shift
	program attacks "$@"
	must brig --policy strict run --bundle "$BUNDLE" "$ID"
	for attack in "$@"; do
		expect_line "$output" "$attack $answer"
	done
	must brig --policy "$T/open.json" run --bundle "$BUNDLE" "$ID"
	for attack in "$@"; do
		if grep -qx "$attack $answer" <<< "$output"; then
			flunk "without the filter it is refused as well: $attack" "$output"
		fi
	done
	echo "# without the filter: $(tr '\n' ';' <<< "$output")" >&3
}

@test "CVE-2026-31431: no socket of the kernel's ciphers, also not by the 32-bit entry" {
	refused EPERM alg-socket
	# A 32-bit socketcall has its arguments where no filter sees them.
	program attacks alg-socketcall
	must brig --policy strict run --bundle "$BUNDLE" "$ID"
	expect_line "$output" 'alg-socketcall EPERM'
	must brig --policy "$T/open.json" run --bundle "$BUNDLE" "$ID"
	expect_unlike "$output" 'EPERM'
}

@test "CVE-2017-5226, CVE-2019-10063, CVE-2019-7303: TIOCSTI and TIOCLINUX, also with bits above the 32nd" {
	refused EPERM tiocsti tiocsti-wide tioclinux
}

@test "CVE-2017-5226: nothing is typed on the terminal of the caller" {
	cat > "$T/type.c" <<- 'C'
		#include <errno.h>
		#include <stdio.h>
		#include <sys/ioctl.h>
		int main(void) { int rc = ioctl(0, TIOCSTI, "x"); printf("typed %d %d\n", rc, errno); return 0; }
	C
	cc -static -o "$BUNDLE/rootfs/bin/type" "$T/type.c"
	config '.process.terminal = true'
	program type
	attempt on_terminal strict
	expect_like "$output" 'typed -1 1[^0-9]'
	# It is the container's own: without the filter the kernel types, or says that it was told not to (EIO).
	attempt on_terminal "$T/open.json"
	expect_like "$output" 'typed (0 |-1 5[^0-9])'
}

on_terminal() { # POLICY
	script -qefc "BRIG_TEST=$ID '$BRIG' --root '$ROOT' --policy '$1' run --bundle '$BUNDLE' '$ID'" /dev/null
}

@test "CVE-2022-0492: no namespaces to become master of a cgroup in" {
	refused EPERM cgroup-namespace user-namespace
}

@test "what other holes began with: vsock, netfilter, io_uring, bpf, keys, perf, handles, ptrace" {
	refused EPERM vsock-socket netfilter-socket io-uring bpf keyctl perf open-by-handle traceme
}

@test "CVE-2010-3904, CVE-2021-3609, CVE-2022-0435, CVE-2017-6074, CVE-2017-7184: no sockets of RDS, CAN, TIPC, DCCP and xfrm" {
	refused EPERM rds-socket can-socket tipc-socket dccp-socket xfrm-socket
}

@test "CVE-2023-0461, CVE-2017-2636, CVE-2023-6546: no upper layer protocols of TCP, no line disciplines" {
	refused EPERM tcp-ulp tiocsetd
}

@test "CVE-2008-0600, CVE-2020-29374, CVE-2017-17053, CVE-2010-0415: no vmsplice, modify_ldt, move_pages" {
	[ "$(uname -m)" = x86_64 ] || skip "modify_ldt is x86's"
	refused EPERM vmsplice modify-ldt move-pages
}
