#!/usr/bin/env bats
# tiers: systemd uml qemu
# seconds: 2
# What the guests are supposed to be: a set that fails here says that a tier is broken, not brig.

@test "systemd is the first process and answers" {
	[ "$(cat /proc/1/comm)" = systemd ]
	systemctl show --property=Version | grep -q '^Version=[0-9]'
	busctl call org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.DBus.Peer Ping
}

@test "cgroups are version 2, with the controllers of the tier" {
	local wanted='' controller

	[ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ]
	case $BRIG_GUEST in
	uml) wanted="cpu io memory pids" ;;
	qemu) wanted="cpuset cpu io memory pids hugetlb" ;;
	esac
	for controller in $wanted; do
		grep -qw "$controller" /sys/fs/cgroup/cgroup.controllers
	done
}

@test "AppArmor is on in machines" {
	if [ "$BRIG_GUEST" = systemd ]; then
		skip "a guest in namespaces has the host's security modules"
	fi
	[ "$(cat /sys/module/apparmor/parameters/enabled)" = Y ]
}

@test "brig runs" {
	"$BRIG" --version
}
