# shellcheck shell=bash
# Checks one after the other, as TAP: sourced by cluster and static.

checks_here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck disable=SC2034 # for those who source this
deploy=$(cd "$checks_here/../../deploy" && pwd)
checks_number=0
checks_failed=0

# Puts the tools into PATH, or ends with a skip or a failure.
checks_need() { # NAME...
	local path status

	path=$("$checks_here/../support/cluster-tools" "$@" 2>&1)
	status=$?
	case $status in
	0) PATH=$path:$PATH ;;
	77) printf '1..1\nok 1 - the tools are there # SKIP %s\n' "${path##*$'\n'}" && exit 0 ;;
	*) printf '1..1\nnot ok 1 - the tools are there\n# %s\n' "${path//$'\n'/$'\n# '}" && exit 1 ;;
	esac
}

checks_result() { # OK NAME OUTPUT
	checks_number=$((checks_number + 1))
	if [ "$1" = yes ]; then
		echo "ok $checks_number - $2"
		return
	fi
	checks_failed=1
	echo "not ok $checks_number - $2"
	printf '# %s\n' "${3//$'\n'/$'\n# '}"
}

checks_skip() { # NAME REASON
	checks_number=$((checks_number + 1))
	echo "ok $checks_number - $1 # SKIP ${2##*$'\n'}"
}

# The command succeeds.
check() { # NAME COMMAND...
	local name=$1 output ok=yes
	shift

	output=$("$@" 2>&1) || ok=no
	checks_result "$ok" "$name" "$output"
}

# The command fails, and says so.
check_refused() { # NAME TEXT COMMAND...
	local name=$1 text=$2 output ok=yes
	shift 2

	output=$("$@" 2>&1) && ok=no
	[[ $output == *"$text"* ]] || ok=no
	checks_result "$ok" "refused: $name" "expected to be refused with: $text"$'\n'"$output"
}

# The command succeeds, and says so.
check_says() { # NAME TEXT COMMAND...
	local name=$1 text=$2 output ok=yes
	shift 2

	output=$("$@" 2>&1) || ok=no
	[[ $output == *"$text"* ]] || ok=no
	checks_result "$ok" "$name" "expected to say: $text"$'\n'"$output"
}

# Tries a command until it succeeds, for a minute at most.
eventually() { # COMMAND...
	local end=$((SECONDS + 60))

	until "$@" > /dev/null 2>&1; do
		if [ "$SECONDS" -ge "$end" ]; then
			"$@"
			return
		fi
		sleep 0.2
	done
}

checks_end() {
	echo "1..$checks_number"
	exit "$checks_failed"
}
