# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The commands of the README for two Debian hosts, in parts that begin with a line
# "# WHERE: WHAT" each, so that the tests of the packages run what people read.

README_SECTION='### On two Debian hosts'

# readme_section FILE: the code of that section, its blocks kept apart by empty lines.
readme_section() {
	awk -v title="$README_SECTION" '
		/^##/ { inside = $0 == title }
		inside { print /^    / ? substr($0, 5) : "" }' "$1"
}

# readme_parts FILE: the first lines of all parts, without "# "; also the first line of
# a block of code that is in none.
readme_parts() {
	readme_section "$1" | awk '
		/^# (a|b|a and b): / { print substr($0, 3); inside = 1; next }
		/^$/ { if (++empty > 1) inside = 0; next }
		!inside { print "in no part: " $0 }
		{ empty = 0 }'
}

# readme_part FILE WHERE: WHAT: the commands of a part; fails if there are none.
readme_part() {
	readme_section "$1" | awk -v first="# $2" '
		/^# (a|b|a and b): / { inside = $0 == first; next }
		/^$/ { if (++empty > 1) inside = 0 }
		/./ { empty = 0 }
		inside { print; lines++ }
		END { exit !lines }'
}
