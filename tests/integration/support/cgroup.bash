# shellcheck shell=bash
# Where the groups of a test's container are, on a hybrid machine and in a pure v2 view.

cgroup_folder() { # CONTROLLER, or unified for the v2 tree
	local tree=/sys/fs/cgroup/$1

	if in_v2_view; then
		tree=/sys/fs/cgroup
	fi
	find "$tree" -ignore_readdir_race -mindepth 1 -maxdepth 3 -type d -name "*$ID" | grep .
}

cgroup_value() { # CONTROLLER FILE
	cat "$(cgroup_folder "$1")/$2"
}

# The groups above the container's, which brig made and does not remove: those of others come and go meanwhile, which find would call an
# error.
remove_parents() {
	find /sys/fs/cgroup -ignore_readdir_race -maxdepth 3 -name "it-parent-$ID" -exec rmdir {} + || true
}

# Limits need controllers, and those of this machine may belong to v1.
needs_controllers() {
	if in_v2_view && ! grep -qw memory /sys/fs/cgroup/cgroup.controllers; then
		skip "the v2 tree of this machine lacks the controllers"
	fi
}

# needs_v1 CONTROLLER: the test reads files of cgroup v1.
needs_v1() {
	if [ ! -d "/sys/fs/cgroup/$1" ] || in_v2_view; then
		skip "this view of the machine has no $1 controller of cgroup v1"
	fi
}
