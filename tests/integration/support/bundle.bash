# shellcheck shell=bash
# Bundles: a root file system of busybox, and config.json, edited by jq.

# Of busybox's programs those whose names a test mentions: the four hundred links of all of them, made for each test, would cost more
# than the tests themselves.
rootfs_programs() { # BUSYBOX
	{
		echo '['
		"$1" --list | grep -vx busybox |
			grep -xFf <(grep --no-filename --only-matching --word-regexp --extended-regexp '[a-z0-9_]+' \
				"$SUPPORT"/*.bash "$BATS_TEST_DIRNAME"/*.bats | sort --unique)
	} | sort --unique
}

# Made once a run, copied for each test.
rootfs_template() {
	local template=$BATS_RUN_TMPDIR/rootfs

	if [ ! -d "$template" ]; then
		mkdir -p "$template.new"/{bin,dev,etc,proc,root,sys,tmp,usr}
		chmod 1777 "$template.new/tmp"
		cp "$(command -v busybox)" "$template.new/bin/busybox"
		rootfs_programs "$template.new/bin/busybox" | (cd "$template.new/bin" && xargs -I NAME ln -s busybox NAME)
		ln -s bin "$template.new/sbin"
		printf '%s\n' 'root:x:0:0:root:/root:/bin/sh' 'ship:x:1000:1000:ship:/home/ship:/bin/sh' > "$template.new/etc/passwd"
		printf '%s\n' 'root:x:0:' 'ship:x:1000:' > "$template.new/etc/group"
		mv "$template.new" "$template"
	fi
	echo "$template"
}

bundle_new() { # FOLDER
	mkdir -p "$1"
	cp -a "$(rootfs_template)" "$1/rootfs"
	# The mark lets a test find its processes.
	jq --arg mark "BRIG_TEST=$ID" '.process.env += [$mark]' "$SUPPORT/config.json" > "$1/config.json"
}

# config FILTER [JQ-OPTION...]: edits the bundle's config.json.
config() {
	jq "$@" "$BUNDLE/config.json" > "$T/config.json"
	mv "$T/config.json" "$BUNDLE/config.json"
}

program() { # ARGUMENT...
	jq '.process.args = $ARGS.positional' "$BUNDLE/config.json" --args -- "$@" > "$T/config.json"
	mv "$T/config.json" "$BUNDLE/config.json"
}

shell() { # SCRIPT
	program sh -c "$1"
}

add_mount() { # DESTINATION TYPE SOURCE OPTION...
	# shellcheck disable=SC2016 # jq's variables
	jq '.mounts += [{ destination: $ARGS.positional[0], type: $ARGS.positional[1], source: $ARGS.positional[2],
		options: $ARGS.positional[3:] }]' "$BUNDLE/config.json" --args -- "$@" > "$T/config.json"
	mv "$T/config.json" "$BUNDLE/config.json"
}

add_namespace() { # TYPE [PATH]: in place of one of that type that is there
	# shellcheck disable=SC2016
	config --arg type "$1" --arg path "${2:-}" '.linux.namespaces |= map(select(.type != $type)) +
		[{ type: $type } + (if $path == "" then {} else { path: $path } end)]'
}

without_namespace() { # TYPE
	# shellcheck disable=SC2016
	config --arg type "$1" '.linux.namespaces |= map(select(.type != $type))'
}

capabilities() { # CAPABILITY...: bounding, effective and permitted
	# shellcheck disable=SC2016
	jq '.process.capabilities = ({ bounding: $ARGS.positional } | .effective = .bounding | .permitted = .bounding)' \
		"$BUNDLE/config.json" --args -- "$@" > "$T/config.json"
	mv "$T/config.json" "$BUNDLE/config.json"
}

# A user namespace in which root is an ordinary user outside, who owns the root file system.
user_namespace() { # [HOST-ID]
	local first=${1:-100000}

	add_namespace user
	# shellcheck disable=SC2016
	config --argjson first "$first" '.linux.uidMappings = [{ containerID: 0, hostID: $first, size: 65536 }] |
		.linux.gidMappings = .linux.uidMappings'
	chown -hR "$first:$first" "$BUNDLE/rootfs"
}

# compile NAME FILE: a static program of tests/integration/programs.
compile() {
	cc -O1 -static -o "$2" "$SUPPORT/../programs/$1.c"
}
