# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Commands, options and examples as the manual page of shim6 has them, so that tests run
# what people read.

PAGE=$(dirname "${BASH_SOURCE[0]}")/../../doc/shim6.8

# page_text: the section COMMANDS without what is for roff alone.
page_text() {
	awk '/^\.SH / { inside = $2 == "COMMANDS" } inside' "$PAGE" |
		sed -E 's/\\f[BIP]//g; s/\\~/ /g; s/\\-/-/g; s/\\&//g; s/\\e/\\/g'
}

# page_commands: all commands, each with its options behind it.
page_commands() {
	page_text | awk '
		/^\.SS / { if (line != "") print line; line = substr($0, 5); next }
		/^\.TP/ { option = 1; next }
		option && /^--/ { line = line " " $1 }
		{ option = 0 }
		END { print line }'
}

# options_of LINE: the options in a line of page_commands.
options_of() {
	grep -o -- ' --[a-z-]*' <<<"$1"
}

# page_examples: all examples, each on a line.
page_examples() {
	page_text | awk '
		/^Examples?:$/ { inside = 1; next }
		/^\.RE$/ { inside = 0 }
		!inside || /^\./ { next }
		{ sub(/^ +/, ""); more = sub(/\\$/, ""); printf "%s%s", $0, more ? "" : "\n" }'
}

# page_file: the example of shim6.toml.
page_file() {
	awk '/^\.SH THE FILE/ { inside = 1 } /^\.SS/ { inside = 0 } /^\.RE$/ { text = 0 }
		inside && text; inside && /^\.RS$/ { text = 1 }' "$PAGE"
}
