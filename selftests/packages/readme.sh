# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The commands of the README for two Debian hosts: blocks whose first line is
# "# WHERE: WHAT", so that the tests of the packages run what people read.

README_SECTION='### On two Debian hosts'

# readme_section FILE: the lines of that section.
readme_section() {
	awk -v title="$README_SECTION" '/^##/ { inside = $0 == title } inside' "$1"
}

# readme_blocks FILE: the first lines of all blocks, without "# ".
readme_blocks() {
	readme_section "$1" | awk '/^    / && !block { sub(/^    (# )?/, ""); print } { block = /^    / || (block && /^$/) }'
}

# readme_block FILE WHERE: WHAT: the commands of a block; fails if there are none.
readme_block() {
	readme_section "$1" | awk -v first="    # $2" '
		!/^    / && !/^$/ { inside = 0 }
		inside { sub(/^    /, ""); print; lines++ }
		$0 == first { inside = 1 }
		END { exit !lines }'
}
