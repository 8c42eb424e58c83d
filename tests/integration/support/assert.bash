# shellcheck shell=bash disable=SC2034,SC2154 # $status, $output and $stderr are shared by the parts
# Expectations. Each says what was there when it does not hold.

flunk() {
	printf '%s\n' "$@" >&2
	return 1
}

expect_status() { # STATUS WHAT...
	if [ "$status" -ne "$1" ]; then
		flunk "expected status $1, found $status: ${*:2}" "stdout: ${output:-}" "stderr: ${stderr:-}"
	fi
}

expect_equal() { # FOUND WANTED
	if [ "$1" != "$2" ]; then
		flunk "expected: $2" "found:    $1" "stderr:   ${stderr:-}"
	fi
}

expect_different() { # FOUND UNWANTED
	if [ "$1" = "$2" ]; then
		flunk "expected something else than: $2"
	fi
}

expect_like() { # FOUND EXTENDED-REGEX
	if ! [[ $1 =~ $2 ]]; then
		flunk "expected something like: $2" "found: $1"
	fi
}

expect_unlike() { # FOUND EXTENDED-REGEX
	if [[ $1 =~ $2 ]]; then
		flunk "expected nothing like: $2" "found: $1"
	fi
}

expect_line() { # TEXT LINE: one of its lines is exactly that
	if ! grep -qxF -e "$2" <<< "$1"; then
		flunk "expected a line: $2" "found: $1" "stderr: ${stderr:-}"
	fi
}

expect_between() { # NUMBER LEAST MOST
	if [ "$1" -lt "$2" ] || [ "$1" -gt "$3" ]; then
		flunk "expected a number of $2 to $3, found $1"
	fi
}

expect_json() { # TEXT JQ-FILTER: the filter gives true
	if ! jq -e "$2" <<< "$1" > /dev/null; then
		flunk "expected to hold: $2" "found: $1"
	fi
}

# expect_schema NAME [TEXT [--lines]]: what was printed, TEXT, or each line of it holds to docs/NAME.schema.json.
expect_schema() {
	local source=$SUPPORT/../../.. text=${2-$output} complaints

	complaints=$("$source/tests/sandbox/schema" ${3:+"$3"} "$source/docs/$1.schema.json" <<< "$text") ||
		flunk "not as docs/$1.schema.json says: $complaints" "found: $text" "stderr: ${stderr:-}"
}

expect_file() { # FILE WANTED-TEXT
	if [ ! -e "$1" ]; then
		flunk "expected a file: $1"
	fi
	expect_equal "$(< "$1")" "$2"
}

expect_missing() { # PATH
	if [ -e "$1" ] || [ -L "$1" ]; then
		flunk "expected not to be there: $1"
	fi
}

# One line for people on stderr, and one only.
expect_one_error() {
	if [ "$(grep -c . <<< "$stderr")" -ne 1 ]; then
		flunk "expected one line on stderr, found: $stderr"
	fi
}

# A process that is gone, or dead and not yet waited for by whoever inherited it.
expect_gone() { # PID
	if grep -q '^State:.[^ZX]' "/proc/$1/status" 2> /dev/null; then
		flunk "expected process $1 to be gone: $(tr '\0' ' ' < "/proc/$1/cmdline")"
	fi
}
