# shellcheck shell=bash
# What the tests of the callers share: a world of their own (see `world`), a small root file system, waiting.

clients_folder=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# To be called from setup_file, teardown_file. WORLD is the world's folder, seen from inside and outside alike.
world_start() {
	export WORLD=$BATS_FILE_TMPDIR/world
	mkdir -p "$WORLD"
	chmod 0755 "$BATS_FILE_TMPDIR" "$WORLD"
	# bats waits for whoever holds descriptor 3.
	"$clients_folder/world" make "$WORLD" 3>&- < /dev/null &
	wait_for 60 test -e "$WORLD/ready"
}

world_end() {
	"$clients_folder/world" end "$WORLD"
}

in_world() { # COMMAND...
	"$clients_folder/world" enter "$WORLD" "$@" 3>&-
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

# Whether a shell has set its trap for SIGTERM: before, the kernel spares the first process of a pid namespace.
trapped() { # PID, as it is seen in the world
	local caught

	caught=$(in_world sed -n 's/^SigCgt:\t//p' "/proc/$1/status")
	((0x${caught: -4} & 0x4000))
}

# A root file system that is busybox alone.
make_busybox_tree() { # FOLDER
	local name

	mkdir -p "$1"/{bin,etc,tmp,proc,sys,dev,root}
	chmod 1777 "$1/tmp"
	for name in $(/usr/bin/busybox --list); do
		ln -sf busybox "$1/bin/$name"
	done
	cp --remove-destination /usr/bin/busybox "$1/bin/busybox"
	echo 'root:x:0:0:root:/root:/bin/sh
user:x:1000:1000:user:/tmp:/bin/sh' > "$1/etc/passwd"
	echo 'root:x:0:
user:x:1000:
more:x:2000:user' > "$1/etc/group"
	echo 'text' > "$1/etc/not-a-program"
}

# `run` for a command that has to end with a certain status.
expect() { # STATUS COMMAND...
	local expected=$1
	shift

	status=0
	output=$("$@" 2>&1) || status=$?
	# shellcheck disable=SC2034 # for tests, as bats' own
	mapfile -t lines <<< "$output"
	echo "$*: status $status, output: $output"
	[ "$status" -eq "$expected" ]
}
