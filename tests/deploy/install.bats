#!/usr/bin/env bats
# deploy/install/install.sh on a node that is a folder, with Debian's containerd 1.6 and the newest 2.x that read what it writes. systemctl is
# a stub: what counts is that it is called when something changed, and only then.

# shellcheck disable=SC2154 # BRIG, BRIG_BUILD, BRIG_PEERS: of the stage; status, output: of expect
load deploy.bash

setup_file() {
	NEW_CONTAINERD=$("$SOURCE/tests/support/containerd" 2.4 3>&-)/containerd
	export NEW_CONTAINERD
}

setup() {
	T=$BATS_TEST_TMPDIR
	ROOT=$T/node
	mkdir -p "$ROOT/etc/containerd" "$T/bin" "$T/services"
	payload 1.0
	stub containerd "LD_LIBRARY_PATH=${LD_LIBRARY_PATH:-} exec $BRIG_PEERS/usr/bin/containerd \"\$@\""
	# What is active has a file; a restart is a line, and fails where $T/broken says so; where $T/killer does, the installer is killed at it. What
	# containerd has read, and what units systemd, is in $T/read and $T/reloaded.
	stub systemctl 'for name; do :; done
		case $1 in
		is-active) [ -e "'"$T"'/services/$name" ] ;;
		is-enabled) [ -e "'"$T"'/services/$name" ] || [ "$name" = containerd ] ;;
		daemon-reload) (cd "'"$ROOT"'" && find etc/systemd -type f 2> /dev/null | sort) > "'"$T"'/reloaded" ;;
		restart)
			[ ! -e "'"$T"'/killer" ] || kill -9 $PPID
			[ ! -e "'"$T"'/killer" ] || exit 0
			echo "$name" >> "'"$T"'/restarts"
			cat "'"$ROOT"'"/etc/containerd/config.toml > "'"$T"'/read" 2> /dev/null
			if [ -e "'"$T"'/broken" ]; then rm -f "'"$T"'/services/$name"; else : > "'"$T"'/services/$name"; fi
			;;
		esac'
	: > "$T/services/containerd"
	# The node's programs see the node's paths.
	cat > "$T/host" << TEXT
#!/bin/bash
PATH=$T/bin:\$PATH
words=()
for word; do
	case \$word in
	/opt/* | /etc/* | /var/lib/* | /snap/*) word=$ROOT\$word ;;
	esac
	words+=("\$word")
done
exec "\${words[@]}"
TEXT
	chmod +x "$T/host"
}

teardown() {
	if [ -n "${PID:-}" ]; then
		kill "$PID" || true
	fi
}

stub() { # NAME SCRIPT
	# It may be a link to the real one.
	rm -f "$T/bin/$1"
	printf '#!/bin/bash\n%s\n' "$2" > "$T/bin/$1"
	chmod +x "$T/bin/$1"
}

newer_containerd() {
	ln -sf "$NEW_CONTAINERD" "$T/bin/containerd"
}

# One whose settings import drop-ins, as what `containerd config default` prints does; they are below the node's root.
importing_containerd() {
	stub containerd 'if [ "$1" = --config ]; then
			sed "s#\"/etc/#\"'"$ROOT"'/etc/#" "$2" > "'"$T"'/seen.toml"
			shift 2
			set -- --config "'"$T"'/seen.toml" "$@"
		fi
		exec '"$NEW_CONTAINERD"' "$@"'
	printf 'version = 3\nimports = ["/etc/containerd/conf.d/*.toml"]\n' > "$ROOT/etc/containerd/config.toml"
}

payload() { # VERSION
	rm -rf "$T/payload"
	mkdir "$T/payload"
	cp "$BRIG" "$T/payload/brig"
	# One that can be left to run: a shim that sleeps.
	cp /bin/sleep "$T/payload/containerd-shim-brig-v2"
	echo "version $1" >> "$T/payload/containerd-shim-brig-v2"
	echo "$1" > "$T/payload/VERSION"
	cp -r "$DEPLOY/containerd" "$DEPLOY/crio" "$T/payload/"
	mkdir "$T/payload/policy" "$T/payload/apparmor"
	cp "$DEPLOY/policy/strict.json" "$T/payload/policy/"
	cp "$DEPLOY/apparmor/brig-apparmor.service" "$T/payload/apparmor/"
}

installer() {
	SERVICE_SECONDS=1 REPORT_SECONDS=${REPORT_SECONDS:-2} \
		"$DEPLOY/install/install.sh" --root "$ROOT" --payload "$T/payload" --host "$T/host" "$@"
}

restarts() {
	if [ -e "$T/restarts" ]; then wc -l < "$T/restarts"; else echo 0; fi
}

# What the node's containerd makes of its settings: one handler's lines without blanks and quotes.
handler() { # NAME
	"$T/host" containerd --config "$ROOT/etc/containerd/config.toml" config dump 2> /dev/null |
		awk -v name="runtimes.$1" '/^ *\[/ { on = index($0, name "]") || index($0, name ".options]") } on' | tr -d " \n\"'"
}

expect_handlers() {
	[[ $(handler brig) == *runtime_path=/opt/brig/current/containerd-shim-brig-v2* ]]
	[[ $(handler brig) == *runtime_type=io.containerd.brig.v2* ]]
	[[ $(handler brig) == *'pod_annotations=[brig.dev/*]'* ]]
	[[ $(handler brig-baseline) == *runtime_type=io.containerd.brig.v2* ]]
	[[ $(handler runc) == *runtime_type=io.containerd.runc.v2* ]]
}

# Every file of the node with its content.
node_files() {
	(cd "$ROOT" && find . -type f ! -path './opt/brig/state/doctor' -print0 | sort -z | xargs -0 -r sha256sum; find "$ROOT" -type l -printf '%p %l\n' | sort)
}

@test "containerd 1.6 with settings of the site's: a block is appended, and taken away again" {
	printf 'version = 2\n[plugins."io.containerd.grpc.v1.cri"]\nsandbox_image = "example.org/pause:1"\n' > "$ROOT/etc/containerd/config.toml"
	chmod 640 "$ROOT/etc/containerd/config.toml"
	before=$(node_files)
	expect 0 installer install
	expect_handlers
	[[ $(handler brig) == *ConfigPath=/etc/brig/containerd.toml* ]]
	[[ $(handler brig-baseline) == *ConfigPath=/etc/brig/containerd-baseline.toml* ]]
	cmp "$ROOT/etc/brig/containerd.toml" "$DEPLOY/containerd/options.toml"
	cmp "$ROOT/etc/brig/containerd-baseline.toml" "$DEPLOY/containerd/options-baseline.toml"
	grep -q 'sandbox_image = "example.org/pause:1"' "$ROOT/etc/containerd/config.toml"
	[ "$(stat -c %a "$ROOT/etc/containerd/config.toml")" = 640 ]
	[ "$(readlink "$ROOT/opt/brig/current")" = versions/1.0 ]
	[ "$(stat -c %a "$ROOT/opt/brig/state")" = 700 ]
	[ "$(restarts)" = 1 ]
	expect 0 installer status
	[[ $output == *"version: 1.0"*"settings: /etc/containerd/config.toml"* ]]
	expect 0 installer uninstall
	[ "$(node_files)" = "$before" ]
	[ ! -e "$ROOT/opt/brig" ]
	[ ! -e "$ROOT/etc/brig" ]
	[ "$(restarts)" = 2 ]
}

@test "containerd 1.6 with handlers of the site's, runc among them: no second runc" {
	printf 'version = 2\n[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]\nruntime_type = "io.containerd.runc.v2"\n[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]\nSystemdCgroup = true\n' \
		> "$ROOT/etc/containerd/config.toml"
	expect 0 installer install
	expect_handlers
	[[ $(handler runc) == *SystemdCgroup=true* ]]
	[ "$(grep -c '^\[.*runtimes.runc\]' "$ROOT/etc/containerd/config.toml")" = 1 ]
}

@test "containerd 1.6 without settings: they are begun, and gone afterwards" {
	expect 0 installer install
	expect_handlers
	expect 0 installer uninstall
	[ -z "$(find "$ROOT" -type f)" ]
}

@test "containerd 1.6 with settings of version 1: nothing is touched, and what to do is said" {
	echo 'disabled_plugins = ["cri"]' > "$ROOT/etc/containerd/config.toml"
	expect 1 installer install
	[[ $output == *'containerd config migrate'* ]]
	[ "$(cat "$ROOT/etc/containerd/config.toml")" = 'disabled_plugins = ["cri"]' ]
	[ "$(restarts)" = 0 ]
	expect 3 installer status
}

@test "containerd 2 with settings that import a folder: one file is written there, the site's is left alone" {
	importing_containerd
	before=$(cat "$ROOT/etc/containerd/config.toml")
	expect 0 installer install
	[ "$(cat "$ROOT/etc/containerd/config.toml")" = "$before" ]
	expect_handlers
	expect 0 "$NEW_CONTAINERD" --config "$ROOT/etc/containerd/conf.d/brig.toml" config dump
	[[ $output == *"runtime_path = '/opt/brig/current/containerd-shim-brig-v2'"* ]]
	[[ $output == *runtimes.brig-baseline.options* && $output == *runtimes.runc* ]]
	[ "$(head -n 1 "$ROOT/etc/containerd/conf.d/brig.toml")" = 'version = 3' ]
	# With options, containerd refuses pods with hostUsers: false.
	[[ $output != *runtimes.brig.options* ]]
	[ ! -e "$ROOT/etc/brig" ]
	expect 0 installer uninstall
	[ ! -e "$ROOT/etc/containerd/conf.d" ]
	[ "$(cat "$ROOT/etc/containerd/config.toml")" = "$before" ]
}

@test "containerd 2 whose imports are not what it reads: nothing is left of the drop-in" {
	newer_containerd
	printf 'version = 3\nimports = [] # "/etc/containerd/conf.d/*.toml"\n' > "$ROOT/etc/containerd/config.toml"
	expect 1 installer install
	[[ $output == *'does not read its settings'* ]]
	[ ! -e "$ROOT/etc/containerd/conf.d" ]
	[ "$(restarts)" = 0 ]
}

@test "containerd 2 with settings of version 2 and 3 that import nothing: a block in their own words" {
	newer_containerd
	# It names the folder among its imports all the same.
	for version in 2 3; do
		echo "version = $version" > "$ROOT/etc/containerd/config.toml"
		expect 0 installer install
		expect_handlers
		[[ $(handler brig) != *ConfigPath* ]]
		[ ! -e "$ROOT/etc/containerd/conf.d" ]
		expect 0 installer uninstall
		[ "$(cat "$ROOT/etc/containerd/config.toml")" = "version = $version" ]
	done
}

@test "containerd 2 without settings: they are begun, and gone afterwards" {
	newer_containerd
	expect 0 installer install
	expect_handlers
	[ ! -e "$ROOT/etc/containerd/conf.d" ]
	expect 0 installer uninstall
	[ -z "$(find "$ROOT" -type f)" ]
}

@test "a second install changes nothing and restarts nothing" {
	umask 077
	expect 0 installer install
	# Whoever starts a shim gets at it, whatever the mask; what the installer keeps is its own.
	[ "$(stat -c %a "$ROOT/opt/brig/versions" "$ROOT/opt/brig/current/brig" "$ROOT/opt/brig/state" | tr '\n' ' ')" = "755 755 700 " ]
	before=$(node_files)
	expect 0 installer install
	[[ $output == *'nothing was restarted'* ]]
	[ "$(node_files)" = "$before" ]
	[ "$(restarts)" = 1 ]
}

@test "an upgrade switches the link at once; what runs keeps its file, and is not restarted" {
	expect 0 installer install
	"$ROOT/opt/brig/current/containerd-shim-brig-v2" 300 3>&- &
	PID=$!
	wait_for 30 test "/proc/$PID/exe" -ef "$ROOT/opt/brig/versions/1.0/containerd-shim-brig-v2"
	for version in 1.1 1.2 1.3; do
		payload "$version"
		expect 0 installer upgrade
	done
	[[ $output == *'version 1.0 stays: pods'* ]]
	[ "$(readlink "$ROOT/opt/brig/current")" = versions/1.3 ]
	[ "$(readlink "$ROOT/opt/brig/previous")" = versions/1.2 ]
	[ "$(cd "$ROOT/opt/brig/versions" && echo *)" = "1.0 1.2 1.3" ]
	[ "$(restarts)" = 1 ]
	expect 0 installer status
	[[ $output == *'there: 1.0 (pods run with it)'* ]]
	expect 1 installer uninstall
	[[ $output == *'drain it first'* ]]
	cp -a "$ROOT" "$T/drained"
	expect 0 installer --force uninstall
	[ ! -e "$ROOT/opt/brig" ]
	kill -0 "$PID"
	rm -r "$ROOT"
	mv "$T/drained" "$ROOT"
	kill "$PID"
	wait "$PID" || true
	PID=
	payload 1.4
	expect 0 installer upgrade
	[ "$(cd "$ROOT/opt/brig/versions" && echo *)" = "1.3 1.4" ]
	expect 0 installer uninstall
	[ ! -e "$ROOT/opt/brig" ]
}

@test "rollback: the version before, and back again" {
	expect 1 installer rollback
	expect 0 installer install
	expect 1 installer rollback
	[[ $output == *'no version before'* ]]
	payload 1.1
	expect 0 installer install
	expect 0 installer rollback
	[ "$(readlink "$ROOT/opt/brig/current")" = versions/1.0 ]
	expect 0 installer rollback
	[ "$(readlink "$ROOT/opt/brig/current")" = versions/1.1 ]
	[ "$(restarts)" = 1 ]
}

@test "the same version with other programs is refused" {
	expect 0 installer install
	before=$(node_files)
	echo more >> "$T/payload/brig"
	expect 1 installer install
	[[ $output == *'a version of its own'* ]]
	[ "$(node_files)" = "$before" ]
}

@test "a node that can't hold the floor is left alone" {
	printf '#!/bin/sh\necho "needed  seccomp: none"\nexit 4\n' > "$T/payload/brig"
	before=$(find "$ROOT/etc" -type f)
	expect 1 installer install
	[[ $output == *"can't hold the set strict"*"" ]]
	[ "$(find "$ROOT/etc" -type f)" = "$before" ]
	[ ! -e "$ROOT/opt/brig/current" ]
	[ "$(restarts)" = 0 ]
}

@test "settings that containerd can't read don't replace those that it can" {
	printf 'version = 2\n' > "$ROOT/etc/containerd/config.toml"
	echo 'no = toml = at all' >> "$T/payload/containerd/brig-1.toml"
	expect 1 installer install
	[[ $output == *'is as it was'* ]]
	[ "$(cat "$ROOT/etc/containerd/config.toml")" = 'version = 2' ]
	[ "$(restarts)" = 0 ]
}

@test "a service that does not come up: back to what was there" {
	printf 'version = 2\n' > "$ROOT/etc/containerd/config.toml"
	touch "$T/broken"
	expect 1 installer install
	[[ $output == *'went back'* ]]
	[ "$(cat "$ROOT/etc/containerd/config.toml")" = 'version = 2' ]
	# It was started again, with those.
	[ "$(restarts)" = 2 ]
	[ "$(cat "$T/read")" = 'version = 2' ]
	rm "$T/broken"
	: > "$T/services/containerd"
	expect 0 installer install
	expect_handlers
	before=$(cat "$ROOT/etc/containerd/config.toml" "$ROOT"/etc/brig/*)
	payload 1.1
	sed -i 's#^pod_annotations.*#pod_annotations = ["brig.dev/*", "example.org/*"]#' "$T/payload/containerd/brig-1.toml"
	echo '# more' >> "$T/payload/containerd/options.toml"
	touch "$T/broken"
	expect 1 installer upgrade
	[ "$(cat "$ROOT/etc/containerd/config.toml" "$ROOT"/etc/brig/*)" = "$before" ]
	[ "$(readlink "$ROOT/opt/brig/current")" = versions/1.0 ]
	[ -z "$(find "$ROOT" -name '*.brig-*')" ]
}

@test "a drop-in that the service does not come up with: the one before is still brig's, for what comes next" {
	importing_containerd
	expect 0 installer install
	before=$(cat "$ROOT/etc/containerd/conf.d/brig.toml")
	payload 1.1
	sed -i 's#^pod_annotations.*#pod_annotations = ["brig.dev/*", "example.org/*"]#' "$T/payload/containerd/brig-2.toml"
	touch "$T/broken"
	expect 1 installer upgrade
	[[ $output == *'went back'* ]]
	[ "$(cat "$ROOT/etc/containerd/conf.d/brig.toml")" = "$before" ]
	rm "$T/broken"
	: > "$T/services/containerd"
	expect 0 installer status
	expect 0 installer upgrade
	[ "$(cat "$ROOT/etc/containerd/conf.d/brig.toml")" != "$before" ]
	expect 0 installer uninstall
	[ "$(find "$ROOT" -type f)" = "$ROOT/etc/containerd/config.toml" ]
}

@test "killed before the restart: the next one goes on, and can still go back" {
	printf 'version = 2\n' > "$ROOT/etc/containerd/config.toml"
	touch "$T/killer"
	expect 137 installer install
	rm "$T/killer"
	[ "$(restarts)" = 0 ]
	expect 3 installer status
	[[ $output == *'has not read them'* ]]
	expect 0 installer install
	[ "$(restarts)" = 1 ]
	expect 0 installer status
	expect 0 installer install
	[[ $output == *'nothing was restarted'* ]]
	before=$(cat "$ROOT/etc/containerd/config.toml" "$ROOT"/etc/brig/*)

	payload 1.1
	sed -i 's#^pod_annotations.*#pod_annotations = ["brig.dev/*", "example.org/*"]#' "$T/payload/containerd/brig-1.toml"
	echo '# more' >> "$T/payload/containerd/options.toml"
	touch "$T/killer"
	expect 137 installer upgrade
	rm "$T/killer"
	touch "$T/broken"
	expect 1 installer upgrade
	[[ $output == *'went back'* ]]
	[ "$(cat "$ROOT/etc/containerd/config.toml" "$ROOT"/etc/brig/*)" = "$before" ]
	[ "$(readlink "$ROOT/opt/brig/current")" = versions/1.0 ]
	[ -z "$(find "$ROOT" -name '*.brig-*')" ]
	rm "$T/broken"
	: > "$T/services/containerd"

	touch "$T/killer"
	expect 137 installer uninstall
	rm "$T/killer" "$T/restarts"
	expect 0 installer uninstall
	[ "$(restarts)" = 1 ]
	[ "$(find "$ROOT" -type f)" = "$ROOT/etc/containerd/config.toml" ]
	[ "$(cat "$ROOT/etc/containerd/config.toml")" = 'version = 2' ]
}

@test "a policy only where one is asked for; what is the site's is not overwritten" {
	expect 0 installer install
	[ ! -e "$ROOT/etc/brig/policy.json" ]
	echo '{"set":"baseline"}' > "$ROOT/etc/brig/policy.json"
	expect 1 installer --policy strict install
	[[ $output == *"/etc/brig/policy.json is there already and is not brig's"* ]]
	expect 0 installer --policy none install
	[ "$(cat "$ROOT/etc/brig/policy.json")" = '{"set":"baseline"}' ]
	rm "$ROOT/etc/brig/policy.json"
	expect 0 installer --policy strict install
	cmp "$ROOT/etc/brig/policy.json" "$DEPLOY/policy/strict.json"
	[ "$(stat -c %a "$ROOT/etc/brig/policy.json")" = 644 ]
	# The service does not read it.
	[ "$(restarts)" = 1 ]
	expect 0 installer --policy strict install
	expect 0 installer install
	[[ $output == *'policy.json is gone'* ]]
	[ ! -e "$ROOT/etc/brig/policy.json" ]
	[ -e "$ROOT/etc/brig/containerd.toml" ]
	# What the site writes from now on is its own again.
	echo '{"set":"baseline"}' > "$ROOT/etc/brig/policy.json"
	expect 0 installer install
	expect 0 installer uninstall
	[ "$(find "$ROOT" -type f)" = "$ROOT/etc/brig/policy.json" ]
	rm -r "$ROOT/etc/brig"
	expect 0 installer --policy strict install
	expect 0 installer uninstall
	[ -z "$(find "$ROOT" -type f)" ]
}

@test "a policy that brig can't read, or that is not there, does not replace what holds" {
	expect 0 installer --policy strict install
	echo '{"set":"stric"}' > "$T/payload/policy/own.json"
	expect 1 installer --policy own install
	[[ $output == *'stric'*"brig can't read it"* ]]
	cmp "$ROOT/etc/brig/policy.json" "$DEPLOY/policy/strict.json"
	for name in other ../policy/strict '' --force; do
		expect 1 installer --policy "$name" install
		[[ $output == *'--policy'* ]]
	done
	cmp "$ROOT/etc/brig/policy.json" "$DEPLOY/policy/strict.json"
}

# ---- AppArmor ----

# The node's kernel has it. It need not be this machine's: brig as it is, but for what it would tell its kernel, which is in $T/loads.
with_apparmor() {
	mkdir -p "$ROOT/sys/module/apparmor/parameters"
	echo Y > "$ROOT/sys/module/apparmor/parameters/enabled"
	printf '#!/bin/bash\nif [ "$1" = apparmor ]; then echo "$0 $*" >> "%s/loads"; [ ! -e "%s/no-parser" ]; exit; fi\nexec "%s" "$@"\n' \
		"$T" "$T" "$BRIG" > "$T/payload/brig"
}

@test "AppArmor: the profile is loaded now, and at each boot before the service starts" {
	with_apparmor
	expect 0 installer install
	grep -q '/versions/1.0/brig apparmor load$' "$T/loads"
	unit=$ROOT/etc/systemd/system/brig-apparmor.service
	grep -qxF 'ExecStart=/opt/brig/current/brig apparmor load' "$unit"
	grep -qxF Wants=brig-apparmor.service "$ROOT/etc/systemd/system/containerd.service.d/10-brig-apparmor.conf"
	if command -v systemd-analyze > /dev/null; then
		mkdir "$T/units"
		sed "s#/opt/brig/current/brig#$BRIG#" "$unit" > "$T/units/brig-apparmor.service"
		expect 0 systemd-analyze verify --man=no "$T/units/brig-apparmor.service"
		[ -z "$output" ] || ! grep -E 'Unknown|Failed to parse' <<< "$output"
	fi
	# systemd knows both.
	[ "$(wc -l < "$T/reloaded")" = 2 ]
	expect 0 installer install
	[[ $output == *'nothing was restarted'* ]]
	# Another unit is no reason for a restart.
	echo '# more' >> "$T/payload/apparmor/brig-apparmor.service"
	expect 0 installer install
	grep -qx '# more' "$unit"
	[ "$(restarts)" = 1 ]

	payload 1.1
	with_apparmor
	expect 0 installer upgrade
	: > "$T/loads"
	expect 0 installer rollback
	grep -q '/current/brig apparmor load$' "$T/loads"
	expect 0 installer uninstall
	[[ $output == *'brig-default until the next boot'* ]]
	[ ! -s "$T/reloaded" ]
	[ "$(find "$ROOT" -type f ! -path '*/sys/*')" = '' ]
}

@test "AppArmor off, or without its parser: brig is installed without, and the second is said" {
	expect 0 installer install
	[ ! -e "$ROOT/etc/systemd" ]
	expect 0 installer uninstall
	with_apparmor
	touch "$T/no-parser"
	expect 0 installer install
	[[ $output == *'brig-default is not loaded'* ]]
	[ -e "$ROOT/etc/systemd/system/brig-apparmor.service" ]
	expect 0 installer status
}

@test "AppArmor: a service that does not come up leaves no unit behind, and the profile of the version before" {
	with_apparmor
	touch "$T/broken"
	expect 1 installer --policy strict install
	[ -z "$(find "$ROOT/etc" -type f)" ]
	[ ! -s "$T/reloaded" ]
	rm "$T/broken"
	: > "$T/services/containerd"
	expect 0 installer install
	payload 1.1
	with_apparmor
	sed -i 's#^pod_annotations.*#pod_annotations = ["brig.dev/*", "example.org/*"]#' "$T/payload/containerd/brig-1.toml"
	# The profile of a version that the node can't hold is not the one that stays.
	sed 's#^exec .*#[ "$1" != doctor ] || exit 4; &#' "$T/payload/brig" > "$T/brig" && mv "$T/brig" "$T/payload/brig"
	chmod +x "$T/payload/brig"
	expect 1 installer upgrade
	[[ $output == *"can't hold the set strict (status 4)"* ]]
	[[ $(tail -n 1 "$T/loads") == *'/current/brig apparmor load' ]]
	rm -r "$ROOT/opt/brig/versions/1.1"
	with_apparmor
	touch "$T/broken"
	expect 1 installer --policy strict upgrade
	[[ $(tail -n 1 "$T/loads") == *'/current/brig apparmor load' ]]
	[ "$(readlink "$ROOT/opt/brig/current")" = versions/1.0 ]
	[ -e "$ROOT/etc/systemd/system/brig-apparmor.service" ]
	[ ! -e "$ROOT/etc/brig/policy.json" ]
}

@test "a link out of the node's root is not followed" {
	mkdir -p "$T/outside"
	rm -r "$ROOT/etc/containerd"
	ln -s "$T/outside" "$ROOT/etc/containerd"
	expect 0 installer install
	[ -z "$(ls "$T/outside")" ]
	[ -f "$ROOT$T/outside/config.toml" ]
	rm -r "${ROOT:?}${T:?}" "$ROOT/opt" "$ROOT/etc/containerd" "$ROOT/etc/brig"
	ln -s ../../outside "$ROOT/etc/containerd"
	expect 1 installer install
	[[ $output == *'leads to another folder'* ]]
	[ -z "$(ls "$T/outside")" ]
}

@test "CRI-O: a file for it, and its service" {
	rm "$T/services/containerd"
	: > "$T/services/crio"
	expect 0 installer install
	grep -qxF 'runtime_path = "/opt/brig/current/brig"' "$ROOT/etc/crio/crio.conf.d/10-brig.conf"
	python3 -c 'import sys, tomllib; tomllib.load(open(sys.argv[1], "rb"))["crio"]["runtime"]["runtimes"]["brig"]' "$ROOT/etc/crio/crio.conf.d/10-brig.conf"
	[ "$(cat "$T/restarts")" = crio ]
	[ ! -e "$ROOT/etc/brig" ]
	expect 0 installer uninstall
	[ -z "$(find "$ROOT" -type f)" ]
}

@test "k3s, rke2: the template of its settings, in the version that it uses" {
	for preset in k3s rke2; do
		folder=$ROOT/var/lib/rancher/$preset/agent/etc/containerd
		program=$ROOT/var/lib/rancher/$preset/bin
		[ "$preset" = rke2 ] || program=$ROOT/var/lib/rancher/k3s/data/current/bin
		mkdir -p "$folder" "$program"
		rm -f "$T"/services/* "$T/restarts"
		: > "$T/services/$preset-agent"
		cp "$T/bin/containerd" "$program/containerd"
		printf 'version = 2\n[plugins."io.containerd.grpc.v1.cri".containerd.runtimes."runc"]\nruntime_type = "io.containerd.runc.v2"\n' > "$folder/config.toml"
		expect 0 installer --preset "$preset" install
		[ "$(head -1 "$folder/config.toml.tmpl")" = '{{ template "base" . }}' ]
		# As it will be once the template is filled in.
		{ cat "$folder/config.toml"; tail -n +2 "$folder/config.toml.tmpl"; } > "$ROOT/etc/containerd/config.toml"
		expect_handlers
		[ "$(cat "$T/restarts")" = "$preset-agent" ]
		# k3s has made its settings of the template by now.
		cp "$ROOT/etc/containerd/config.toml" "$folder/config.toml"
		expect 0 installer --preset "$preset" install
		[[ $output == *'nothing was restarted'* ]]
		expect 0 installer --preset "$preset" uninstall
		[ ! -e "$folder/config.toml.tmpl" ]
		ln -sf "$NEW_CONTAINERD" "$program/containerd"
		echo 'version = 3' > "$folder/config.toml"
		printf '{{ template "base" . }}\n# of the site\n' > "$folder/config-v3.toml.tmpl"
		expect 0 installer --preset "$preset" install
		grep -q 'io.containerd.cri.v1.runtime.*runtimes.brig\]' "$folder/config-v3.toml.tmpl"
		[ ! -e "$folder/config.toml.tmpl" ]
		expect 0 installer --preset "$preset" uninstall
		[ "$(tail -1 "$folder/config-v3.toml.tmpl")" = '# of the site' ]
		[ "$(wc -l < "$folder/config-v3.toml.tmpl")" = 2 ]
	done
}

@test "k0s: a drop-in; microk8s: a block in its template" {
	mkdir -p "$ROOT/var/lib/k0s/bin" "$ROOT/etc/k0s" "$ROOT/snap/microk8s/current/bin" "$ROOT/var/snap/microk8s/77/args"
	ln -s 77 "$ROOT/var/snap/microk8s/current"
	ln -s "$NEW_CONTAINERD" "$ROOT/var/lib/k0s/bin/containerd"
	: > "$T/services/k0sworker"
	: > "$T/services/snap.microk8s.daemon-containerd"
	expect 0 installer --preset k0s install
	expect 0 "$NEW_CONTAINERD" --config "$ROOT/etc/k0s/containerd.d/brig.toml" config dump
	[[ $output == *runtimes.brig\]* ]]
	[ "$(head -n 1 "$ROOT/etc/k0s/containerd.d/brig.toml")" = 'version = 3' ]
	expect 0 installer --preset k0s uninstall
	[ ! -e "$ROOT/etc/k0s/containerd.d" ]
	# An older k0s has containerd 1.7, which reads version 2 alone.
	ln -sf "$T/bin/containerd" "$ROOT/var/lib/k0s/bin/containerd"
	expect 0 installer --preset k0s install
	[ "$(head -n 1 "$ROOT/etc/k0s/containerd.d/brig.toml")" = 'version = 2' ]
	grep -q 'io.containerd.grpc.v1.cri.*runtimes.brig\]' "$ROOT/etc/k0s/containerd.d/brig.toml"
	[ -f "$ROOT/etc/brig/containerd.toml" ]
	[ -f "$ROOT/etc/brig/containerd-baseline.toml" ]
	expect 0 installer --preset k0s uninstall
	[ ! -e "$ROOT/etc/k0s/containerd.d" ]

	cp "$T/bin/containerd" "$ROOT/snap/microk8s/current/bin/containerd"
	# shellcheck disable=SC2016 # microk8s fills it in
	printf 'version = 2\nroot = "${SNAP_COMMON}/var/lib/containerd"\n' > "$ROOT/var/snap/microk8s/77/args/containerd-template.toml"
	before=$(cat "$ROOT/var/snap/microk8s/77/args/containerd-template.toml")
	expect 0 installer --preset microk8s install
	cp "$ROOT/var/snap/microk8s/77/args/containerd-template.toml" "$ROOT/etc/containerd/config.toml"
	expect_handlers
	expect 0 installer --preset microk8s uninstall
	[ "$(cat "$ROOT/var/snap/microk8s/77/args/containerd-template.toml")" = "$before" ]
}

@test "the wrong preset is said before anything is touched" {
	expect 1 installer --preset k3s install
	[[ $output == *'is it the right --preset?'* ]]
	[ -z "$(find "$ROOT/etc" "$ROOT/opt" -type f ! -path '*/state/*' 2> /dev/null)" ]
	expect 1 installer --preset openshift install
	expect 1 installer --prefix brig install
	expect 1 installer install more
	expect 1 installer dance
	expect 0 "$DEPLOY/install/install.sh" --help
	[[ $output == *uninstall* && $output != *'# '* ]]
}

# ---- the label and the taint ----

# kubectl that keeps what it was told, in order, in $T/kubectl; the handlers that the node reports are in $T/handlers.
stub_kubectl() {
	stub kubectl 'echo "$*" >> "'"$T"'/kubectl"
		case $1 in get) cat "'"$T"'/handlers" ;; esac'
	PATH=$T/bin:$PATH
	mkdir "$T/signals"
}

@test "the label is false before the node is touched, and true once the handler is there; the taint goes last" {
	stub_kubectl
	echo 'True runc brig brig-baseline' > "$T/handlers"
	# The node's part waits for the label's word.
	REPORT_SECONDS=1 expect 1 installer --signals "$T/signals" install
	[[ $output == *"nobody set the node's label to false"* ]]
	[ ! -e "$ROOT/opt" ]
	REPORT_SECONDS=30 installer --signals "$T/signals" install > "$T/install.log" 2>&1 3>&- &
	REPORT_SECONDS=30 expect 0 installer --signals "$T/signals" --node n1 label
	wait $!
	[ "$(grep -v ^get "$T/kubectl")" = 'label node n1 node-restriction.kubernetes.io/brig-ready=false brig.dev/ready- --overwrite
label node n1 node-restriction.kubernetes.io/brig-ready=true --overwrite
taint node n1 brig.dev/not-ready-' ]
}

@test "before a removal the label becomes false, and nothing else is waited for" {
	stub_kubectl
	ONLY_OFF=yes expect 0 installer --signals "$T/signals" --node n1 label
	[ "$(cat "$T/kubectl")" = 'label node n1 node-restriction.kubernetes.io/brig-ready=false brig.dev/ready- --overwrite' ]
	[ -e "$T/signals/go" ]
}

@test "a labeller that is started again takes its go back before it talks to the API: without the API the node is left alone" {
	stub_kubectl
	touch "$T/signals/go"
	stub kubectl 'exit 1'
	expect 1 installer --signals "$T/signals" --node n1 label
	[ ! -e "$T/signals/go" ]
	REPORT_SECONDS=1 expect 1 installer --signals "$T/signals" install
	[ ! -e "$ROOT/opt" ]
}

@test "a kubelet that reports no handlers at all is taken by its being ready" {
	stub_kubectl
	touch "$T/signals/installed"
	echo 'False ' > "$T/handlers"
	expect 1 installer --signals "$T/signals" --node n1 label
	echo 'True ' > "$T/handlers"
	expect 0 installer --signals "$T/signals" --node n1 label
	grep -qxF 'label node n1 node-restriction.kubernetes.io/brig-ready=true --overwrite' "$T/kubectl"
}

@test "a handler that is not reported, or a node that is not ready: the label stays false" {
	stub_kubectl
	touch "$T/signals/installed"
	for handlers in 'True runc' 'False runc brig' 'True runc brig-baseline' ''; do
		echo "$handlers" > "$T/handlers"
		: > "$T/kubectl"
		expect 1 installer --signals "$T/signals" --node n1 label
		[[ $output == *'stays false'* ]]
		[ "$(grep -cE 'ready=true|taint' "$T/kubectl")" = 0 ]
	done
	rm "$T/signals/installed"
	echo 'True brig' > "$T/handlers"
	expect 1 installer --signals "$T/signals" --node n1 label
	[ "$(grep -cE 'ready=true|taint' "$T/kubectl")" = 0 ]
}
