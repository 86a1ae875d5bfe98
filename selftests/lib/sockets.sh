# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Sockets on hosts of a topology that a script steers (programs/sockets.c), and
# the forks of contexts that they get.

. "${BASH_SOURCE[0]%/*}/establish.sh"

declare -A SOCKETS_TO SOCKETS_FROM SOCKETS_PID

# sockets_start HOST: from now on, `ask HOST COMMAND...` speaks to a process there.
sockets_start() {
	local host=$1 to from

	rm -f "$TOPO_DIR/to-$host" "$TOPO_DIR/from-$host"
	mkfifo "$TOPO_DIR/to-$host" "$TOPO_DIR/from-$host" || return
	# Opened both ways, so that opening does not wait.
	exec {to}<>"$TOPO_DIR/to-$host" {from}<>"$TOPO_DIR/from-$host"
	SOCKETS_TO[$host]=$to SOCKETS_FROM[$host]=$from
	spawn "$host" sockets <"$TOPO_DIR/to-$host" >"$TOPO_DIR/from-$host"
	# shellcheck disable=SC2034 # For scripts that kill it.
	SOCKETS_PID[$host]=$SPAWNED
}

# ask HOST COMMAND...: what there is to tell; fails, with the error, if it failed.
ask() {
	local host=$1 answer

	echo "${*:2}" >&"${SOCKETS_TO[$host]}"
	read -r -t 20 answer <&"${SOCKETS_FROM[$host]}" ||
		{ echo "no answer to: $*"; return 1; }
	[[ $answer == ok* ]] || { echo "$*: $answer"; return 1; }
	answer=${answer#ok}
	[[ -z $answer ]] || echo "${answer# }"
}

# talk A-SOCKET B-SOCKET [SIZE]: both ways, A first.
talk() {
	local size=${3:-100}

	ask A send "$1" "$size" && takes B "$2" "$size" && ask B reply "$2" "$size" && takes A "$1" "$size"
}

# takes HOST SOCKET SIZE: so much is received.
takes() {
	local got=0 more

	while ((got < $3)); do
		more=$(ask "$1" receive "$2") || { echo "$more"; return 1; }
		((more > 0)) || { echo "$1 $2: the end after $got octets"; return 1; }
		got=$((got + more))
	done
}

# connection N KIND PORT [LISTENER]: A's socket N is connected to B; with a listener B
# accepts it as N.
connection() {
	ask A connect "$1" "$2" "$A1" "$B1" "$3" && { [[ -z ${4:-} ]] || ask B accept "$1" "$4"; }
}

# connected N: with a TCP connection to B's listener 0, over which both have heard each other.
connected() {
	{ connection "$1" tcp 7000 0 && talk "$1" "$1"; } || die "no connection $1"
}

# host_up HOST: it knows who it is, and has sockets. Times are a twentieth.
host_up() {
	identity "$1" && timers "$1" 20 && setting "$1" idle_timeout 300000 &&
		setting "$1" fork_linger 1000 && sockets_start "$1"
}

# sockets_up: a topology whose hosts are up.
sockets_up() {
	# shellcheck disable=SC2119 # the usual one.
	topo_up && host_up A && host_up B
}

# forks HOST FILTER: what `jq FILTER` says of all forks of a host.
forks() {
	{ enter "$1" && exec shim6 context show --json; } | jq -r ".[] | select(.fii != 0) | $2"
}

# fork_of HOST SOCKET FILTER: the same of the fork that belongs to the socket.
fork_of() {
	local inode

	inode=$(ask "$1" inode "$2") || return
	forks "$1" "select(.owner_inode == $inode) | $3"
}

# has_forks HOST N: so many, all of them established.
has_forks() {
	[[ $(forks "$1" .state) == "$(for ((i = 0; i < $2; i++)); do echo ESTABLISHED; done)" ]]
}

# fork_pair HOST SOCKET: the current pair of the socket's fork, as names.
fork_pair() {
	names "$(fork_of "$1" "$2" '.current_local + " " + .current_peer')"
}

# used HOST SOCKET: what the socket is told of the pair in use, as names.
used() {
	names "$(ask "$1" used "$2" local) $(ask "$1" used "$2" peer)"
}

# default_pair HOST: the current pair of the default context, as names.
default_pair() {
	names "$(shows "$1" '.current_local + " " + .current_peer')"
}

# payload_watch: the core counts what is no control message by its addresses.
payload_watch() {
	on core nft -f - <<-'END'
		table inet payload {
		    set pairs { type ipv6_addr . ipv6_addr; size 1024; flags dynamic; counter; }
		    chain watch {
		        type filter hook forward priority -20;
		        ip6 nexthdr 140 @nh,336,1 0 return
		        update @pairs { ip6 saddr . ip6 daddr counter }
		    }
		}
	END
}

# pairs_of COMMAND...: which pairs carry payload while it runs, as "A1-B1 B1-A1 ".
pairs_of() {
	local text

	wait_until 10 acknowledged && on core nft flush set inet payload pairs || return
	"$@" && wait_until 10 acknowledged || return
	text=$(on core nft list set inet payload pairs | tr , '\n' |
		sed -n 's/.*[ {]\([0-9a-f:]*\) \. \([0-9a-f:]*\) .*packets .*/\1-\2/p' |
		sort | tr '\n' ' ')
	names "$text"
}

# acknowledged: no connection waits for anything, so nothing is on the wire.
acknowledged() {
	local host

	for host in A B; do
		[[ -z $(on "$host" ss -Htn state established | awk '$2 != 0') ]] || return
	done
}

# comes_to_use WORDS HOST SOCKET A-SOCKET B-SOCKET: the socket is told these locators, while both
# ends talk: a locator that is not confirmed is asked only where there is traffic.
comes_to_use() {
	talk "$4" "$5" && says "$1" used "$2" "$3"
}

# says WORDS COMMAND...: the command prints that.
says() {
	[[ $("${@:2}") == "$1" ]]
}
