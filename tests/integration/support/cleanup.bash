# shellcheck shell=bash
# After each test: first brig is asked to take away what the test made, then whatever is left counts as brig's failure and is taken
# away by hand.

marked_processes() {
	local file pid

	# Without the shells and tools of the test itself, which don't carry the mark.
	grep -lzsxF -e "BRIG_TEST=$ID" /proc/[0-9]*/environ 2> /dev/null | while read -r file; do
		pid=${file#/proc/}
		pid=${pid%/environ}
		if grep -q '^State:.[^ZX]' "/proc/$pid/status" 2> /dev/null; then
			echo "$pid"
		fi
	done
}

left_processes() {
	local pid

	for pid in $(marked_processes); do
		printf 'process %s: %s\n' "$pid" "$(tr '\0' ' ' < "/proc/$pid/cmdline" 2> /dev/null)"
	done
}

left_mounts() {
	awk -v folder="$T/" 'index($5, folder) == 1 { print "mount " $5 }' /proc/self/mountinfo
}

left_cgroups() {
	# Those of others come and go meanwhile.
	find /sys/fs/cgroup -ignore_readdir_race -mindepth 1 -maxdepth 5 -type d -name "*$ID*" -printf 'cgroup %p\n' 2> /dev/null || true
}

left_state() {
	if [ -d "$ROOT" ]; then
		find "$ROOT" -ignore_readdir_race -mindepth 1 -maxdepth 1 ! -name '.filters' ! -name '.last.json' -printf 'state %p\n'
	fi
}

leftovers() {
	left_processes
	left_mounts
	left_cgroups
	left_state
}

# assert_nothing_left: a process that was just killed may need a moment, a longer one where the machine has other work.
assert_nothing_left() {
	local try left

	for ((try = 0; try < 100; try++)); do
		left=$(leftovers)
		if [ -z "$left" ]; then
			return 0
		fi
		sleep 0.1
	done
	flunk "left behind:" "$left"
}

end_helpers() {
	local pid

	for pid in "${HELPERS[@]}"; do
		kill -KILL "$pid" 2> /dev/null || true
		wait "$pid" 2> /dev/null || true
	done
	HELPERS=()
}

delete_containers() {
	local folder

	for folder in "$ROOT"/*/; do
		if [ -d "$folder" ]; then
			folder=${folder%/}
			brig delete --force "${folder##*/}" > "$T/cleanup.log" 2>&1 < /dev/null 3>&- 4>&- || cat "$T/cleanup.log" >&2
		fi
	done
}

take_away_by_hand() {
	local pid point group

	for pid in $(marked_processes); do
		kill -KILL "$pid" 2> /dev/null || true
	done
	left_mounts | while read -r _ point; do
		umount --lazy "$point" || true
	done
	left_cgroups | sort -r | while read -r _ group; do
		echo THAWED > "$group/freezer.state" || true
		rmdir "$group" || true
	done 2> /dev/null
}

cleanup_all() {
	local result=0

	end_helpers
	delete_containers
	if ! assert_nothing_left; then
		result=1
		take_away_by_hand
	fi
	rm -rf "$ROOT"
	return "$result"
}
