# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Commands, options and examples as people read them, and how tests run them: as somebody
# who types them on host A of a topology, in the directory $TOPO_DIR/files.

# shellcheck source=selftests/packages/readme.sh
. "$SELFTESTS/packages/readme.sh"

PAGE=$SELFTESTS/../doc/shim6.8
README=$SELFTESTS/../doc/README.md
SCHEMA=$SELFTESTS/../doc/shim6.schema.json

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

# readme_commands: the README's commands but those of README_SECTION, each on a line, without
# comments: first those in blocks, then those within sentences.
readme_commands() {
	awk -v title="$README_SECTION" '
		/^##/ { inside = $0 != title }
		/^```/ { fence = !fence }
		inside && !fence && /^    [^ ]/ { sub(/^ +/, ""); sub(/ +#.*/, ""); print }' "$README"
	# Between backquotes.
	awk '/^```/ { fence = !fence; next } !fence && !/^    /' "$README" | tr '\n' ' ' | grep -oE $'\140[^\140]+\140' |
		tr -d $'\140' | grep -E '^(make|shim6|sysctl|ssh|insmod|rmmod|modprobe|apt|systemctl)( |$)' | awk '!seen[$0]++'
}

# run COMMAND: fails if it complains; what it says is in $TOPO_DIR/said.
run() {
	echo "$1" >>"$TOPO_DIR/ran"
	(cd "$TOPO_DIR/files" && on A bash -c "$1") >"$TOPO_DIR/said" 2>"$TOPO_DIR/complaint" </dev/null ||
		{ cat "$TOPO_DIR/complaint" "$TOPO_DIR/said" && false; } || return
	[[ ! -s $TOPO_DIR/complaint ]] || { cat "$TOPO_DIR/complaint" && return 1; }
	[[ $1 != *--json* ]] || valid "$1" <"$TOPO_DIR/said"
}

# valid COMMAND: what it prints with --json is on standard input, and as the schema says.
valid() {
	[[ $1 =~ ^shim6\ ([a-z]+)(\ (show|generate|verify|apply))?( |$) ]]
	python3 "$SELFTESTS/peer/schema.py" "$SCHEMA" "${BASH_REMATCH[1]}${BASH_REMATCH[2]}"
}

# run_until COMMAND CONDITION...: it runs until the condition holds, and ends by a signal as if
# nothing had happened.
run_until() {
	local status=0 pid command

	echo "$1" >>"$TOPO_DIR/ran"
	# The signal is for the command, not for the shell.
	command="exec $1"
	[[ $1 != *' && '* ]] || command="${1% && *} && exec ${1##* && }"
	spawn A bash -c "$command" >"$TOPO_DIR/said" 2>&1
	pid=$SPAWNED
	wait_until 10 "${@:2}" || status=1
	kill -TERM "$pid" 2>/dev/null
	wait "$pid" || { status=1 && echo "it ended with status $?"; }
	((status == 0)) || { cat "$TOPO_DIR/said" && return 1; }
	[[ $1 != *--json* ]] || valid "$1" <"$TOPO_DIR/said"
}

# says WORD...: all of them are in what was said.
says() {
	local word

	for word; do
		grep -qF -- "$word" "$TOPO_DIR/said" || { echo "there is no $word in:" && cat "$TOPO_DIR/said" && return 1; }
	done
}

# nothing: a command that is done and has nothing to say.
nothing() {
	[[ ! -s $TOPO_DIR/said ]]
}

