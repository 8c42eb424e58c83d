# shellcheck shell=bash
# A /dev of a test's own.

# own_dev SCRIPT COMMAND...: in a mount namespace where /dev has the host's ordinary nodes and its terminals alone, and what the shell's text SCRIPT
# adds to it; the host's is at $T/dev.
own_dev() {
	mkdir -p "$T/dev"
	T="$T" unshare --mount --propagation private sh -c '
		set -e
		mount --rbind /dev "$T/dev"
		mount -t tmpfs -o mode=755 nodes /dev
		for node in null zero full random urandom tty; do
			: > "/dev/$node"
			mount --bind "$T/dev/$node" "/dev/$node"
		done
		mkdir /dev/pts /dev/shm
		mount --rbind "$T/dev/pts" /dev/pts
		ln -s pts/ptmx /dev/ptmx
		eval "$1"
		shift
		exec "$@"' own_dev "$@"
}
