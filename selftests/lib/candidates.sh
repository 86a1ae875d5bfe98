# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What benchmarks compare: $CANDIDATES has a line "NAME WORD..." for each. Sourced.

# field NAME N: the Nth word of a candidate's line.
field() {
	awk -v name="$1" -v n="$2" '$1 == name { print $n }' <<<"$CANDIDATES"
}

# choose_candidates [NAME]...: sets names, to these or to all.
choose_candidates() {
	local name

	names=("$@")
	((${#names[@]})) || mapfile -t names < <(awk 'NF { print $1 }' <<<"$CANDIDATES")
	for name in "${names[@]}"; do
		[[ -n $(field "$name" 2) ]] ||
			die "no candidate $name; there are: $(awk 'NF { print $1 }' <<<"$CANDIDATES" | tr '\n' ' ')"
	done
}
