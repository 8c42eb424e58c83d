# shellcheck shell=bash
# Functions to go from a checkout to a build folder. Sourced. They return the status of what failed also where `set -e` is
# off, as it is in a condition.

# Makes ./configure where it is missing or older than what it is made from.
autotools_generate() { # SOURCE
	local source=$1

	if [ ! -x "$source/configure" ] || [ ! -f "$source/Makefile.in" ] ||
		[ -n "$(find "$source" -name build -prune -o \( -name local.mk -o -name Makefile.am -o -name configure.ac \
			-o -path '*/build-aux/m4/brig.m4' \) -newer "$source/Makefile.in" -print -quit)" ]; then
		(cd "$source" && autoreconf --install)
	fi
}

# Configures FOLDER unless that was done with the same options. The options are remembered beside config.status.
autotools_configure() { # SOURCE FOLDER OPTION...
	local source=$1 folder=$2
	shift 2

	mkdir -p "$folder" || return
	if [ -x "$folder/config.status" ] && [ "$(cat "$folder/configure-options" 2>/dev/null)" = "$*" ] &&
		[ ! "$source/configure" -nt "$folder/config.status" ]; then
		return
	fi
	(cd "$folder" && "$source/configure" --quiet "$@") && echo "$*" > "$folder/configure-options"
}
