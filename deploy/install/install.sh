#!/bin/sh
# Installs brig on a node, beside what is there: programs in a folder of their version, a link that is switched at once, and handlers in the
# settings of containerd or CRI-O that the node's own program has read before they replace what holds. See README.md beside this file.
#
# usage: install.sh [OPTION...] COMMAND
#   install     the payload's version; also an upgrade. Nothing changes where all is as it should be
#   rollback    the version before
#   uninstall   leaves nothing but the audit trail and what the site wrote
#   status      what is installed; 0: as it should be, 3: not
#   label       in a container that may talk to the API and may not touch the node: the node's label and taint (README.md, "Two containers")
#   --root DIR       the node's root directory (default /)
#   --payload DIR    where the programs and settings to install are (default: ../payload of this script's folder, or /payload)
#   --prefix DIR     where they go on the node (default /opt/brig)
#   --preset NAME    k3s, rke2, k0s, microk8s, or none (default)
#   --policy NAME    the site's policy: the payload's policy/NAME.json as /etc/brig/policy.json; none (default): the set strict, which is built in
#   --runtime NAME   containerd or crio (default: crio where it runs, else containerd)
#   --host COMMAND   how to run a program on the node (default: nsenter into process 1 where --root is not /)
#   --signals DIR    a folder that the two containers share
#   --node NAME      for label: the node
#   --force          uninstall: though pods of brig's still run
set -eu

ROOT=/ PAYLOAD='' PREFIX=/opt/brig PRESET=none POLICY=none RUNTIME='' HOST='' SIGNALS='' NODE='' FORCE=''
# Below a prefix that the API server (NodeRestriction) lets no node give itself. FORMER: the label of former versions, which a node may.
LABEL=node-restriction.kubernetes.io/brig-ready FORMER=brig.dev/ready TAINT=brig.dev/not-ready
SITE_POLICY=/etc/brig/policy.json APPARMOR_UNIT=/etc/systemd/system/brig-apparmor.service
BEGIN='# BEGIN brig: its installer writes and removes this; changes are lost'
END='# END brig'
# How long the service may take to come up, and the node to report the handler.
SERVICE_SECONDS=${SERVICE_SECONDS:-60} REPORT_SECONDS=${REPORT_SECONDS:-300}

say() { echo "brig install: $*"; }
die() {
	echo "brig install: $*" >&2
	exit 1
}

host() {
	if [ -n "$HOST" ]; then
		# shellcheck disable=SC2086 # a command with its arguments
		$HOST "$@"
	elif [ "$ROOT" = / ]; then
		"$@"
	else
		nsenter --target 1 --mount --uts --ipc --net -- "$@"
	fi
}

# The node's PATH as we see it. A link to an absolute place would lead out of the node's root, into ours.
node() { # PATH
	[ "$ROOT" = / ] && {
		echo "$1"
		return
	}
	seen='' rest=${1#/}
	while [ -n "$rest" ]; do
		part=${rest%%/*}
		case $rest in */*) rest=${rest#*/} ;; *) rest='' ;; esac
		seen=$seen/$part
		if [ -L "$ROOT$seen" ]; then
			target=$(readlink "$ROOT$seen")
			case $target in
			/*) seen=$target ;;
			*) seen=${seen%/*}/$target ;;
			esac
			case $seen/ in */../*) die "$1: the link $target leads to another folder: name its target in the preset" ;; esac
		fi
	done
	echo "$ROOT$seen"
}

# ---- where things are ----

choose() {
	ROOT=${ROOT%/}
	ROOT=${ROOT:-/}
	[ -d "$ROOT" ] || die "--root: $ROOT is no directory"
	case $PREFIX in
	/?*) ;;
	*) die "--prefix: $PREFIX is no absolute path" ;;
	esac
	case $POLICY in '' | -* | *[!A-Za-z0-9-]*) die "--policy: \"$POLICY\" is no name" ;; esac
	if [ -z "$RUNTIME" ]; then
		RUNTIME=containerd
		if [ "$PRESET" = none ] && host systemctl is-active --quiet crio 2> /dev/null; then RUNTIME=crio; fi
	fi
	FOLDER=/etc/containerd CONFIG=/etc/containerd/config.toml DROPINS='' KIND=config CONTAINERD=containerd SERVICES=containerd
	case $PRESET:$RUNTIME in
	none:containerd) DROPINS=/etc/containerd/conf.d ;;
	none:crio) CONFIG=/etc/crio/crio.conf.d/10-brig.conf KIND=crio SERVICES=crio ;;
	k3s:containerd | rke2:containerd)
		# They write config.toml themselves, from a template where there is one.
		FOLDER=/var/lib/rancher/$PRESET/agent/etc/containerd KIND=template
		CONFIG=$FOLDER/config.toml.tmpl
		grep -q '^version *= *3' "$(node "$FOLDER/config.toml")" 2> /dev/null && CONFIG=$FOLDER/config-v3.toml.tmpl
		CONTAINERD=/var/lib/rancher/$PRESET/data/current/bin/containerd SERVICES="$PRESET $PRESET-agent $PRESET-server"
		[ "$PRESET" = k3s ] || CONTAINERD=/var/lib/rancher/rke2/bin/containerd
		;;
	k0s:containerd)
		FOLDER=/etc/k0s/containerd.d KIND=dropin CONFIG=/etc/k0s/containerd.d/brig.toml
		CONTAINERD=/var/lib/k0s/bin/containerd SERVICES='k0sworker k0scontroller'
		;;
	microk8s:containerd)
		FOLDER=/var/snap/microk8s/current/args CONFIG=$FOLDER/containerd-template.toml
		CONTAINERD=/snap/microk8s/current/bin/containerd SERVICES=snap.microk8s.daemon-containerd
		;;
	*) die "--preset $PRESET with --runtime $RUNTIME: there is none, k3s, rke2, k0s, microk8s; crio only without a preset" ;;
	esac
	PROGRAMS=$(node "$PREFIX")
	STATE=$PROGRAMS/state
}

service() { # the one that runs
	for name in $SERVICES; do
		if host systemctl is-active --quiet "$name"; then
			echo "$name"
			return
		fi
	done
	die "none of these services is active: $SERVICES; is it the right --preset?"
}

version_of() { # LINK: the version that it names, or nothing
	readlink "$PROGRAMS/$1" 2> /dev/null | sed 's#^versions/##'
}

# LINK to that version, at once.
point() { # LINK VERSION
	ln -sfn "versions/$2" "$PROGRAMS/.$1.new"
	mv -fT "$PROGRAMS/.$1.new" "$PROGRAMS/$1"
}

# ---- files that are ours ----

# Before a change that the service has to read. The file outlives an installer that is killed before the restart: the next one goes on where
# it ended, and back to the version in it if need be.
changes() { # sets CHANGED
	[ -e "$STATE/unread" ] || echo "$BEFORE" > "$STATE/unread"
	CHANGED=yes
}

# Only what was not there before, or is ours already, is written, so that uninstall takes away what it may.
write() { # PATH < CONTENT; sets CHANGED, so never at the end of a pipe
	path=$(node "$1")
	mkdir -p "${path%/*}"
	cat > "$STATE/new"
	if [ -e "$path" ] && ! grep -qxF "$1" "$STATE/files" 2> /dev/null; then
		cmp -s "$STATE/new" "$path" || {
			unwrite
			die "$1 is there already and is not brig's: move it away, or leave it out of the payload"
		}
		rm "$STATE/new"
		return
	fi
	grep -qxF "$1" "$STATE/files" 2> /dev/null || echo "$1" >> "$STATE/files"
	if cmp -s "$STATE/new" "$path"; then
		rm "$STATE/new"
		return
	fi
	chmod 0644 "$STATE/new"
	changes
	if [ ! -e "$path" ]; then
		echo "$1" >> "$STATE/made"
	elif [ ! -e "$path.brig-old" ] && ! grep -qxF "$1" "$STATE/made" 2> /dev/null; then
		cp -p "$path" "$path.brig-old"
	fi
	# In its own folder first: a rename is at once only there.
	cp -p "$STATE/new" "$path.brig-new"
	mv -f "$path.brig-new" "$path"
	rm "$STATE/new"
}

# What the service does not read: no restart for it alone.
write_aside() { # PATH < CONTENT; sets ASIDE
	held=$CHANGED CHANGED=''
	write "$1"
	ASIDE=$ASIDE$CHANGED CHANGED=$held
}

# What `write` did since the last settle, undone.
unwrite() {
	[ -f "$STATE/files" ] || return 0
	while IFS= read -r file; do
		path=$(node "$file")
		if [ -e "$path.brig-old" ]; then
			mv -f "$path.brig-old" "$path"
		elif grep -qxF "$file" "$STATE/made" 2> /dev/null; then
			rm -f "$path"
			rmdir "${path%/*}" 2> /dev/null || true
		fi
	done < "$STATE/files"
	# Some of it may be of a run that was killed: that is undone by those who go back.
	[ -n "$RESUMES" ] || rm -f "$STATE/unread"
	[ -s "$STATE/made" ] || return 0
	# 1: none is left.
	grep -vxF -f "$STATE/made" "$STATE/files" > "$STATE/kept" || [ $? -eq 1 ] || return 0
	mv -f "$STATE/kept" "$STATE/files"
}

settle() {
	rm -f "$STATE/unread"
	[ ! -f "$STATE/files" ] || while IFS= read -r file; do rm -f "$(node "$file").brig-old"; done < "$STATE/files"
	rm -f "$STATE/made" "$STATE/before"
}

remove_written() { # sets CHANGED
	[ -f "$STATE/files" ] || return 0
	while IFS= read -r file; do
		path=$(node "$file")
		[ ! -e "$path" ] || changes
		rm -f "$path"
		rmdir "${path%/*}" 2> /dev/null || true
	done < "$STATE/files"
	rm "$STATE/files"
}

without_block() { # FILE: what of it is not ours
	[ ! -f "$1" ] || sed "/^$BEGIN\$/,/^$END\$/d" "$1"
}

# ---- containerd's settings ----

containerd_major() {
	host "$CONTAINERD" --version 2> /dev/null | sed -nE 's/.* v?([0-9]+)\.[0-9]+.*/\1/p' | head -n 1
}

# The handlers as tables: for settings of version 2 or 3, on containerd 1 or 2.
tables() { # SETTINGS-VERSION MAJOR
	source=$PAYLOAD/containerd/brig-2.toml
	[ "$2" -ge 2 ] || source=$PAYLOAD/containerd/brig-1.toml
	sed -e '/^version *=/d' -e "s#^\(runtime_type = \"io.containerd.brig.v2\"\)#\1\nruntime_path = \"$PREFIX/current/containerd-shim-brig-v2\"#" \
		"$source" | if [ "$1" -lt 3 ] && [ "$2" -ge 2 ]; then sed 's/io\.containerd\.cri\.v1\.runtime/io.containerd.grpc.v1.cri/'; else cat; fi
}

# Settings with handlers lose containerd 1's own.
runc_table() {
	sed -n 's/^#\(\[plugins.*runtimes\.runc\]\)$/\1/p; s/^#\(runtime_type = "io.containerd.runc.v2"\)$/\1/p' "$PAYLOAD/containerd/brig-1.toml"
}

# What containerd itself makes of settings; only then do they replace what holds, or are read by the service. FILE is as the node sees it.
reads_as_wanted() { # FILE
	host "$CONTAINERD" --config "$1" config dump > "$STATE/dump" 2> "$STATE/dump.log" || return 1
	for handler in brig brig-baseline runc; do
		grep -qE "runtimes\.$handler\]" "$STATE/dump" || return 1
	done
	grep -qF "$PREFIX/current/containerd-shim-brig-v2" "$STATE/dump"
}

settings_version() { # FILE: 2 where it does not say
	[ ! -f "$1" ] || sed -nE '/^ *\[/q; s/^version *= *([0-9]+).*/\1/p' "$1" | head -n 1
}

# Appends our tables to what CONFIG has beside them, into STATE/candidate. base: what goes before them where the file is missing.
compose() { # BASE
	file=$(node "$CONFIG")
	without_block "$file" > "$STATE/rest"
	version=$(settings_version "$STATE/rest")
	[ "$KIND" != template ] || version=$(settings_version "$(node "$FOLDER/config.toml")")
	if [ ! -s "$STATE/rest" ]; then
		[ -z "$1" ] || echo "$1" > "$STATE/rest"
		version=${version:-$(settings_version "$STATE/rest")}
	fi
	[ -n "${version:-}" ] || [ "$MAJOR" -ge 2 ] || unwrite
	[ -n "${version:-}" ] || [ "$MAJOR" -ge 2 ] ||
		die "$CONFIG is of version 1: containerd config migrate prints it as version 2; put that in its place first"
	{
		cat "$STATE/rest"
		echo "$BEGIN"
		tables "${version:-2}" "$MAJOR"
		[ -z "$2" ] || runc_table
		echo "$END"
	} > "$STATE/candidate"
	cp "$STATE/candidate" "$STATE/trial"
	# A template is no settings yet: those that were made of it, with our tables.
	if [ "$KIND" = template ]; then
		without_block "$(node "$FOLDER/config.toml")" > "$STATE/trial"
		sed -n "/^$BEGIN\$/,/^$END\$/p" "$STATE/candidate" >> "$STATE/trial"
	fi
}

refuse_settings() {
	tail -n 5 "$STATE/dump.log" >&2
	unwrite
	die "containerd does not read its settings with brig's handlers as it should: $CONFIG is as it was; $PREFIX/state/candidate is what was tried"
}

# containerd 1.6 hands a shim the name of a file with its options.
write_options() {
	[ "$MAJOR" -lt 2 ] || return 0
	write /etc/brig/containerd.toml < "$PAYLOAD/containerd/options.toml"
	write /etc/brig/containerd-baseline.toml < "$PAYLOAD/containerd/options-baseline.toml"
}

configure_block() {
	base=''
	[ "$KIND" != config ] || base="version = $([ "$MAJOR" -ge 2 ] && echo 3 || echo 2)"
	# shellcheck disable=SC1083 # of k3s' template
	[ "$KIND" != template ] || base='{{ template "base" . }}'
	compose "$base" ''
	reads_as_wanted "$PREFIX/state/trial" || {
		compose "$base" runc
		reads_as_wanted "$PREFIX/state/trial" || refuse_settings
	}
	write_options
	file=$(node "$CONFIG")
	if ! cmp -s "$STATE/candidate" "$file"; then
		mkdir -p "${file%/*}"
		if [ ! -f "$file" ]; then
			: > "$STATE/began"
		elif [ ! -e "$STATE/before" ] && { [ -n "$BEFORE" ] || [ ! -e "$STATE/began" ]; }; then
			cp -p "$file" "$STATE/before"
		fi
		changes
		cp "$STATE/candidate" "$file.brig-new"
		[ ! -f "$file" ] || chmod --reference="$file" "$file.brig-new"
		mv -f "$file.brig-new" "$file"
	fi
	rm -f "$STATE/candidate" "$STATE/trial" "$STATE/rest" "$STATE/dump" "$STATE/dump.log"
}

configure_dropin() { # FILE
	{
		echo 'version = 3'
		tables 3 2
	} > "$STATE/trial"
	reads_as_wanted "$PREFIX/state/trial" || refuse_settings
	write "$1" < "$STATE/trial"
	rm -f "$STATE/trial" "$STATE/dump" "$STATE/dump.log"
}

configure_containerd() {
	MAJOR=$(containerd_major)
	[ -n "$MAJOR" ] || die "the node's $CONTAINERD does not tell its version; is it the right --preset?"
	if [ "$KIND" = dropin ] && [ "$MAJOR" -ge 2 ]; then
		configure_dropin "$CONFIG"
	elif [ "$KIND" = dropin ]; then
		{
			echo 'version = 2'
			tables 2 1
		} > "$STATE/trial"
		write "$CONFIG" < "$STATE/trial"
		write_options
	elif [ -n "$DROPINS" ] && imports_dropins; then
		configure_dropin "$DROPINS/brig.toml"
		# With all that the file imports.
		reads_as_wanted "$CONFIG" || refuse_settings
		rm -f "$STATE/dump" "$STATE/dump.log"
	else
		configure_block
	fi
}

# Where the site's own file says so, as what `containerd config default` prints from 2.3 on does. What `config dump` says is no sign of it: without
# that line it names the folder as well, and nothing in it is read.
imports_dropins() {
	[ "$MAJOR" -ge 2 ] && grep -E '^imports *=' "$(node "$CONFIG")" 2> /dev/null | grep -qF "$DROPINS/*.toml"
}

configure_crio() {
	sed -e "s#^runtime_path = .*#runtime_path = \"$PREFIX/current/brig\"#" "$PAYLOAD/crio/10-brig.conf" > "$STATE/trial"
	write "$CONFIG" < "$STATE/trial"
	rm "$STATE/trial"
}

# ---- the site's policy ----

# One that can't be read refuses every container: brig has to read it before it holds. (metrics is a command that reads it and changes nothing.)
configure_policy() {
	[ "$POLICY" != none ] || return 0
	cp "$PAYLOAD/policy/$POLICY.json" "$STATE/policy.json"
	chmod 0644 "$STATE/policy.json"
	host "$PREFIX/versions/$VERSION/brig" --policy "$PREFIX/state/policy.json" metrics --file "$PREFIX/state/none" > /dev/null 2> "$STATE/policy.log" || {
		tail -n 5 "$STATE/policy.log" >&2
		die "--policy $POLICY: brig can't read it; $SITE_POLICY is as it was"
	}
	write_aside "$SITE_POLICY" < "$STATE/policy.json"
	rm -f "$STATE/policy.json" "$STATE/policy.log"
}

# With none, what was brig's goes, once all else holds. The site's own stays.
drop_policy() {
	[ "$POLICY" = none ] && grep -qxF "$SITE_POLICY" "$STATE/files" 2> /dev/null || return 0
	path=$(node "$SITE_POLICY")
	rm -f "$path"
	rmdir "${path%/*}" 2> /dev/null || true
	# 1: none is left.
	grep -vxF "$SITE_POLICY" "$STATE/files" > "$STATE/kept" || [ $? -eq 1 ] || return 0
	mv -f "$STATE/kept" "$STATE/files"
	say "$SITE_POLICY is gone: the set strict holds"
}

# ---- AppArmor ----

apparmor_is_on() {
	[ "$(cat "$ROOT/sys/module/apparmor/parameters/enabled" 2> /dev/null)" = Y ]
}

# At each boot, before the service starts.
configure_apparmor() {
	apparmor_is_on || return 0
	name=$(service) || exit 1
	ASIDE=''
	sed "s#^ExecStart=[^ ]*#ExecStart=$PREFIX/current/brig#" "$PAYLOAD/apparmor/brig-apparmor.service" > "$STATE/unit"
	write_aside "$APPARMOR_UNIT" < "$STATE/unit"
	printf '[Unit]\nWants=brig-apparmor.service\nAfter=brig-apparmor.service\n' > "$STATE/unit"
	write_aside "/etc/systemd/system/$name.service.d/10-brig-apparmor.conf" < "$STATE/unit"
	rm "$STATE/unit"
	[ -z "$ASIDE" ] || host systemctl daemon-reload
}

# Now. Whether a container may run without it is for the policy to say (rule apparmor).
load_profile() { # FOLDER-OF-BRIG
	apparmor_is_on || return 0
	host "$PREFIX/$1/brig" apparmor load || say "AppArmor is on, and brig-default is not loaded: install apparmor_parser, and run the installer again"
}

configure() {
	configure_policy
	configure_apparmor
	if [ "$RUNTIME" = crio ]; then configure_crio; else configure_containerd; fi
}

unconfigure() {
	file=$(node "$CONFIG")
	if [ "$RUNTIME" = containerd ] && [ "$KIND" != dropin ] && grep -qxF "$BEGIN" "$file" 2> /dev/null; then
		changes
		without_block "$file" > "$STATE/rest"
		# The file was ours from its first line, and nobody has added to it.
		if [ -f "$STATE/began" ] && [ "$(grep -c . "$STATE/rest")" -le 1 ]; then
			rm -f "$file" "$STATE/began"
		else
			chmod --reference="$file" "$STATE/rest"
			cp -p "$STATE/rest" "$file.brig-new"
			mv -f "$file.brig-new" "$file"
		fi
	fi
	remove_written
}

# ---- the service ----

wait_active() { # SERVICE
	waited=0
	until host systemctl is-active --quiet "$1"; do
		[ "$waited" -lt "$SERVICE_SECONDS" ] || return 1
		sleep 1
		waited=$((waited + 1))
	done
}

restart() {
	name=$(service) || exit 1
	say "restarting $name: its settings changed"
	host systemctl restart "$name" && wait_active "$name"
}

# The settings before, where the service does not come up with the new ones.
revert() {
	say "the service does not come up: going back"
	unwrite
	if [ -f "$STATE/before" ]; then
		cp -p "$STATE/before" "$(node "$CONFIG")"
	elif [ -z "$BEFORE" ]; then
		unconfigure
	fi
	if [ -n "$BEFORE" ]; then point current "$BEFORE"; else rm -f "$PROGRAMS/current"; fi
	[ -z "$BEFORE" ] || load_profile current
	settle
	host systemctl daemon-reload || true
	# shellcheck disable=SC2086
	for name in $SERVICES; do host systemctl is-enabled --quiet "$name" 2> /dev/null && host systemctl restart "$name"; done || true
	die "went back to what was there before; the node's journal tells why (journalctl -u ${SERVICES%% *})"
}

# ---- commands ----

copy_programs() {
	into=$PROGRAMS/versions/$VERSION
	if [ -d "$into" ] && cmp -s "$PAYLOAD/brig" "$into/brig" && cmp -s "$PAYLOAD/containerd-shim-brig-v2" "$into/containerd-shim-brig-v2"; then
		return
	fi
	[ ! -d "$into" ] || die "version $VERSION is installed already with other programs: give this build a version of its own"
	rm -rf "$PROGRAMS/versions/.new"
	mkdir -p "$PROGRAMS/versions/.new"
	install -m 0755 "$PAYLOAD/brig" "$PAYLOAD/containerd-shim-brig-v2" "$PROGRAMS/versions/.new/"
	mv -T "$PROGRAMS/versions/.new" "$into"
}

# By what they execute, not by name: a shim keeps its file though the link is another.
is_used() { # FOLDER
	file=$(stat -Lc %d:%i "$1/containerd-shim-brig-v2" 2> /dev/null) || return 1
	for exe in /proc/[0-9]*/exe; do
		[ "$(stat -Lc %d:%i "$exe" 2> /dev/null)" != "$file" ] || return 0
	done
	return 1
}

any_used() {
	for folder in "$PROGRAMS"/versions/*; do
		[ ! -d "$folder" ] || ! is_used "$folder" || return 0
	done
	return 1
}

prune() {
	for folder in "$PROGRAMS"/versions/*; do
		case ${folder##*/} in "$(version_of current)" | "$(version_of previous)") continue ;; esac
		[ -d "$folder" ] || continue
		if is_used "$folder"; then
			say "version ${folder##*/} stays: pods that were started with it still run"
		else
			rm -rf "$folder"
		fi
	done
}

check_host() {
	status=0
	# First, since its lack would be told.
	load_profile "versions/$VERSION"
	host "$PREFIX/versions/$VERSION/brig" doctor > "$STATE/doctor" 2>&1 || status=$?
	case $status in
	0) ;;
	3)
		say "this node has a protection less than brig knows of:"
		grep -vE '^works' "$STATE/doctor" || true
		;;
	*)
		# It may have said nothing: a program that does not run here.
		grep -vE '^works' "$STATE/doctor" >&2 || true
		[ -z "$BEFORE" ] || load_profile current
		die "brig doctor: this node can't hold the set strict (status $status); its settings are as they were"
		;;
	esac
}

command_install() {
	for file in brig containerd-shim-brig-v2 VERSION containerd/brig-1.toml containerd/brig-2.toml apparmor/brig-apparmor.service; do
		[ -f "$PAYLOAD/$file" ] || die "--payload: $PAYLOAD/$file is missing"
	done
	[ "$POLICY" = none ] || [ -f "$PAYLOAD/policy/$POLICY.json" ] || die "--policy: $PAYLOAD/policy/$POLICY.json is missing"
	VERSION=$(cat "$PAYLOAD/VERSION")
	case $VERSION in '' | .* | *[!A-Za-z0-9.+~-]*) die "--payload: \"$VERSION\" is no version" ;; esac
	CHANGED='' ASIDE='' RESUMES='' BEFORE=$(version_of current)
	mkdir -p "$STATE" "$PROGRAMS/versions"
	chmod 0755 "$PROGRAMS" "$PROGRAMS/versions"
	chmod 0700 "$STATE"
	if [ -e "$STATE/unread" ]; then
		CHANGED=yes RESUMES=yes BEFORE=$(cat "$STATE/unread")
	else
		settle
	fi
	service > /dev/null || exit 1
	copy_programs
	check_host
	configure
	# The service reads its settings when it starts; the link it follows at each pod.
	if [ -n "$BEFORE" ] && [ "$BEFORE" != "$VERSION" ]; then point previous "$BEFORE"; fi
	[ "$(version_of current)" = "$VERSION" ] || point current "$VERSION"
	if [ -n "$CHANGED" ]; then
		restart || revert
	fi
	settle
	drop_policy
	prune
	say "version $VERSION is installed$([ -n "$CHANGED" ] || echo '; the settings were as they should be, nothing was restarted')"
}

command_rollback() {
	from=$(version_of current) to=$(version_of previous)
	if [ -z "$to" ] || [ ! -d "$PROGRAMS/versions/$to" ]; then
		die "there is no version before ${from:-this} on this node"
	fi
	point current "$to"
	point previous "$from"
	# Its profile, too.
	load_profile current
	say "version $to is in force again for new pods, in place of $from; settings and running pods are as they were"
}

command_uninstall() {
	[ -d "$PROGRAMS" ] || {
		say "nothing is installed"
		return
	}
	if [ -z "$FORCE" ] && any_used; then
		die "pods of brig's still run on this node: drain it first, or --force (their shims live on without their file)"
	fi
	CHANGED='' BEFORE=$(version_of current)
	mkdir -p "$STATE"
	[ ! -e "$STATE/unread" ] || CHANGED=yes
	unconfigure
	host systemctl daemon-reload || true
	if [ -n "$CHANGED" ]; then restart || die "the service does not come up without brig: see its journal"; fi
	rm -rf "$PROGRAMS/versions" "$STATE" "$PROGRAMS/current" "$PROGRAMS/previous"
	rmdir "$PROGRAMS" 2> /dev/null || true
	# Taken out of the kernel, it would leave whoever still runs under it unconfined.
	say "removed; the audit trail in /var/log/brig stays$(! apparmor_is_on || echo ', and the AppArmor profile brig-default until the next boot')"
}

command_status() {
	current=$(version_of current) good=yes
	echo "version: ${current:-none}"
	echo "before: $(version_of previous)"
	for folder in "$PROGRAMS"/versions/*; do
		[ ! -d "$folder" ] || echo "there: ${folder##*/}$(is_used "$folder" && echo ' (pods run with it)')"
	done
	if [ -z "$current" ] || [ ! -x "$PROGRAMS/current/containerd-shim-brig-v2" ]; then good=''; fi
	if grep -qxF "$BEGIN" "$(node "$CONFIG")" 2> /dev/null; then
		echo "settings: $CONFIG"
	elif grep -qxF -e "$CONFIG" -e "${DROPINS:-none}/brig.toml" "$STATE/files" 2> /dev/null; then
		sed 's/^/settings: /' "$STATE/files"
	else
		echo "settings: none"
		good=''
	fi
	if [ -e "$STATE/unread" ]; then
		echo "the service has not read them: the installer was ended before that, and has to run again"
		good=''
	fi
	[ -n "$good" ] || exit 3
}

# ---- two containers: one may touch the node, the other may talk to the API ----

signal() { # NAME
	[ -z "$SIGNALS" ] || : > "$SIGNALS/$1"
}

await() { # NAME SECONDS
	waited=0
	while [ ! -e "$SIGNALS/$1" ]; do
		[ "$waited" -lt "$2" ] || return 1
		sleep 1
		waited=$((waited + 1))
	done
}

# Before containerd 2.0, CRI-O 1.30 and Kubernetes 1.31 none is reported at all, not even runc. Then a node that is Ready has to do: by now its
# engine has read settings with the handler, and come up with them.
reports_handler() {
	kubectl get node "$NODE" -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status} {.status.runtimeHandlers[*].name}' |
		grep -qE '^True ((.* )?brig( .*)?| *)$'
}

# The label is false before anybody touches the node, and true only once its kubelet says that the handler is there.
command_label() {
	if [ -z "$NODE" ] || [ -z "$SIGNALS" ]; then
		die "label: --node and --signals are needed"
	fi
	rm -f "$SIGNALS/go"
	kubectl label node "$NODE" "$LABEL=false" "$FORMER-" --overwrite
	[ "${ONLY_OFF:-}" != yes ] || {
		signal go
		return
	}
	signal go
	await installed "$REPORT_SECONDS" || die "the node's part was not done within $REPORT_SECONDS seconds; $LABEL stays false"
	waited=0
	until reports_handler; do
		[ "$waited" -lt "$REPORT_SECONDS" ] ||
			die "the node $NODE does not report the handler brig after $REPORT_SECONDS seconds; $LABEL stays false"
		sleep 2
		waited=$((waited + 2))
	done
	kubectl label node "$NODE" "$LABEL=true" --overwrite
	# Last: pods may come from now on.
	kubectl taint node "$NODE" "$TAINT-" 2> /dev/null || true
	say "node $NODE is ready"
}

main() {
	here=$(cd "$(dirname "$0")" && pwd)
	while [ $# -gt 0 ]; do
		case $1 in
		--root | --payload | --prefix | --preset | --policy | --runtime | --host | --signals | --node)
			[ $# -ge 2 ] || die "$1 needs a value"
			case $1 in
			--root) ROOT=$2 ;;
			--payload) PAYLOAD=$2 ;;
			--prefix) PREFIX=${2%/} ;;
			--preset) PRESET=$2 ;;
			--policy) POLICY=$2 ;;
			--runtime) RUNTIME=$2 ;;
			--host) HOST=$2 ;;
			--signals) SIGNALS=$2 ;;
			--node) NODE=$2 ;;
			esac
			shift
			;;
		--force) FORCE=yes ;;
		--help | -h)
			sed -n '5,22s/^# \{0,1\}//p' "$0"
			exit
			;;
		-*) die "unknown option $1; see --help" ;;
		*) break ;;
		esac
		shift
	done
	[ $# -eq 1 ] || die "one command is needed: install, rollback, uninstall, status or label; see --help"
	if [ -z "$PAYLOAD" ]; then
		PAYLOAD=/payload
		[ ! -d "$here/../payload" ] || PAYLOAD=$here/../payload
	fi
	case $1 in
	install | upgrade | rollback | uninstall | status)
		[ -z "$SIGNALS" ] || [ "$1" = status ] || await go "$REPORT_SECONDS" || die "nobody set the node's label to false"
		choose
		case $1 in upgrade) command_install ;; *) "command_$1" ;; esac
		signal installed
		;;
	label) command_label ;;
	*) die "unknown command $1; see --help" ;;
	esac
}

main "$@"
