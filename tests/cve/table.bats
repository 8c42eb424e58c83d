#!/usr/bin/env bats
# shellcheck disable=SC2154 # bats's $output
# The table of README.md is whole, and what it names is there.

TESTS=$BATS_TEST_DIRNAME/..
TABLE=$BATS_TEST_DIRNAME/README.md

rows() { # the cells: id, test, control
	sed -n '/^## Tests/,/^## Where/s/^| \([^ |]*\) | [^|]* | \([^|]*[^| ]\) | \(rule\|call\|code\) |$/\1\t\2\t\3/p' "$TABLE"
}

listed() {
	sed -n '/^## List/,$p' "$TABLE" | grep -v '^#' | tr -s ' ' '\n' | grep .
}

# has FILE NAME: a test whose name begins like that.
has() {
	case $1 in
	*.bats) grep -qF "@test \"$2" "$TESTS/$1" ;;
	*.py) grep -qF "\"\"\"$2" "$TESTS/$1" ;;
	*.c) grep -q "^Test(.*, $2" "$TESTS/$1" ;;
	*.json) [ -e "$TESTS/$1" ] ;;
	*) false ;;
	esac
}

@test "each line of the table can be read" {
	[ "$(rows | wc -l)" -eq "$(sed -n '/^## Tests/,/^## Where/p' "$TABLE" | grep -cE '^\| (CVE|unnumbered|powercap)')" ]
}

@test "each id of the list has a row, and each row an id of the list" {
	diff <(listed | sort) <(rows | cut -f 1 | sort -u)
}

@test "each test that a row names exists" {
	local id place missing=0

	while IFS=$'\t' read -r id place _; do
		if ! has "${place%%: *}" "${place#*: }"; then
			echo "$id: there is no test $place"
			missing=1
		fi
	done < <(rows)
	[ "$missing" -eq 0 ]
}

# switches_off FILE NAME: does the row's own test run once more with its rule off? Those of the corpus do (../floor/corpus/corpus.bats),
# where the case has rules that a policy can switch off.
switches_off() {
	case $1 in
	*.json) jq -e '.rules | length > 0 and . != ["built-in"]' "$TESTS/$1" > /dev/null ;;
	*.bats) awk -v name="@test \"$2" 'index($0, name) == 1, /^}/' "$TESTS/$1" | grep -qE 'refused E|open\.json|strict_without|ciphers "off"' ;;
	*) false ;;
	esac
}

# has_control ID KIND TEST: is there a test that runs with the defence off? Of another kind than a rule's it names the id.
has_control() {
	case $2 in
	rule) switches_off "${3%%: *}" "${3#*: }" ;;
	call) grep -q "^@test .*$1[,:]" "$BATS_TEST_DIRNAME/switched_off.bats" ;;
	code) grep -q "^@test .*$1[,:]" "$BATS_TEST_DIRNAME/without.bats" || grep -q "^@test .*$1[,:].*switched off" "$TESTS/vm/sets/systemd.bats" ;;
	*) false ;;
	esac
}

@test "each row that says so has a control" {
	local id name kind missing=0

	while IFS=$'\t' read -r id name kind; do
		if ! has_control "$id" "$kind" "$name"; then
			echo "$id: no control of the kind $kind"
			missing=1
		fi
	done < <(rows)
	[ "$missing" -eq 0 ]
	if has_control CVE-1999-0001 code || has_control powercap rule 'cve/table.bats: each line'; then
		return 1
	fi
}

@test "a test that is not there would be missed" {
	has cve/table.bats 'a test that is not there'
	if has cve/table.bats 'a test of another name' || has cve/none.bats 'a test that is not there'; then
		return 1
	fi
}
