# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Topology T1: two hosts with two providers each, and a core that can break
# any pair of addresses, as network namespaces.
#
#        A1: 2001:db8:a:1::/64                  B1: 2001:db8:b:1::/64
#   +---------- ra1 ----------.              .---------- rb1 ----------+
#   |up1      host core      a1              b1      core host      up1|
#   A                          >--- core ---<                          B
#   |up2      host core      a2              b2      core host      up2|
#   +---------- ra2 ----------'              '---------- rb2 ----------+
#        A2: 2001:db8:a:2::/64                  B2: 2001:db8:b:2::/64
#
# Words in lower case are interfaces of the namespace next to them. Each host
# sends from each address by the uplink that the address belongs to. Try it:
#
#	. selftests/lib/topology.sh
#	topo_up && topo_contexts	# namespaces, and a static context
#	on A ping -c 3 -I "$A1" "$B1"	# run a command on a host
#	topo_switch A A2 B2		# A sends from A2 to B2 now
#	topo_break A1 B1 both		# the core drops this pair
#	topo_capture x A up2		# tcpdump into $TOPO_DIR/x.pcap
#	on B cat /proc/net/shim6_stat
#	topo_down			# also done when the shell exits
#
# Other forms, as words after topo_up:
#	t2	  B has one uplink, and the ordinary address 2001:db8:b:1::b
#	t3	  B has three uplinks (B3, rb3)
#	t4	  there is a host C, like A, on routers rc1 and rc2
#	direct	  no routers: A and B joined by two veth pairs, up1 and up2
#	bridge	  the same, both through the node br: bridges br1 and br2
#	ingress	  the providers drop sources that are not theirs (BCP 38)
#	single	  the hosts' main routing table knows the first provider only

. "${BASH_SOURCE[0]%/*}/util.sh"
. "${BASH_SOURCE[0]%/*}/capture.sh"

# Beside the programs of the tests, which are not in everybody's PATH.
BASH_LOADABLES_PATH=$PATH:$SELFTESTS/../bin enable -f netns.so netns ||
	die "netns.so is not built: make -C selftests"

# The HBA addresses of the sets hostA, hostB and hostC (RFC 5535), made from their
# Parameters Data Structures; the test vectors have those.
A1=2001:db8:a:1:87b:8895:4bd3:1492
A2=2001:db8:a:2:10c8:6551:484f:c005
B1=2001:db8:b:1:24b7:330d:d41f:c548
B2=2001:db8:b:2:3c5a:8b13:18a0:947f
B3=2001:db8:b:3:3c3a:c79f:c465:1e5a
C1=2001:db8:c:1:1c4e:60b4:97d6:8dff
C2=2001:db8:c:2:186a:4a54:ba4:6b1d
readonly TOPO_B_HBA=$B1 TOPO_B_PLAIN=2001:db8:b:1::b

# Context tags: packets to A carry TAG_A, packets to B carry TAG_B. Below 2^47.
TAG_A=0x4123456789ab
TAG_B=0x2fedcba98765
export A1 A2 B1 B2 B3 C1 C2 TAG_A TAG_B

# What is behind a host that forwards; see topo_guest.
readonly GUEST=2001:db8:5:1::2

# Several topologies live side by side under different names.
TOPO=${TOPO:-s6-$$}
TOPO_DIR=
TOPO_FORM=
TOPO_SPAWNED=()

# What `ip -batch` is to do in each node, collected before it is done.
declare -A TOPO_BATCH

# topo_ns NODE: name of a node's namespace. Nodes: A B ra1 ra2 rb1 rb2 core, and
# what the form adds.
topo_ns() {
	echo "$TOPO-$1"
}

# enter NODE: this shell is on the node from now on; /sys stays the host's.
enter() {
	netns "$TOPO-$1"
}

# visit NODE FUNCTION...: this shell runs a function of it on the node, without a fork.
visit() {
	local status=0

	enter "$1" || return
	"${@:2}" || status=$?
	netns || die "no way back from $1"
	return $status
}

# on NODE COMMAND...: run a command on a node.
on() {
	(enter "$1" && exec "${@:2}")
}

# spawn NODE COMMAND...: the same in the background. Its process is $SPAWNED,
# for `stop` or `wait`; topo_down stops what is left.
spawn() {
	# Without the redirection its standard input would be /dev/null.
	(enter "$1" && exec "${@:2}") <&0 &
	SPAWNED=$!
	TOPO_SPAWNED+=("$SPAWNED")
}

topo_hosts() {
	echo A B
	[[ $TOPO_FORM != *t4* ]] || echo C
}

topo_nodes() {
	local host i

	topo_hosts
	[[ $TOPO_FORM == *bridge* ]] && echo br
	[[ $TOPO_FORM == *direct* ]] && return
	echo core
	for host in $(topo_hosts); do
		for i in $(topo_uplinks "$host"); do echo "r${host,}$i"; done
	done
}

# topo_uplinks HOST: numbers of a host's uplinks.
topo_uplinks() {
	local i n=2

	[[ $1 == B ]] && n=$TOPO_UPLINKS_B
	for ((i = 1; i <= n; i++)); do echo "$i"; done
}

# topo_resolve NAME: REPLY is the address of A1, say; an address is itself.
topo_resolve() {
	[[ $1 == [ABC][123] ]] && REPLY=${!1} || REPLY=$1
}

# topo_address NAME: the same, printed.
topo_address() {
	topo_resolve "$1"
	echo "$REPLY"
}

# topo_locator NAME: the same as an argument of `shim6 context add`.
topo_locator() {
	local address

	address=$(topo_address "$1")
	[[ $address == "$TOPO_B_PLAIN" ]] || address+=,hba
	echo "$address"
}

topo_up() {
	local form node host i

	TOPO_FORM=$*
	for form; do
		[[ $form =~ ^(t2|t3|t4|direct|bridge|ingress|single)$ ]] ||
			die "topo_up: unknown form $form"
	done
	# A bridge is direct in all but the wire.
	[[ $TOPO_FORM == *bridge* ]] && TOPO_FORM+=" direct"
	TOPO_UPLINKS_B=2 B1=$TOPO_B_HBA
	[[ $TOPO_FORM == *t3* ]] && TOPO_UPLINKS_B=3
	[[ $TOPO_FORM == *t2* ]] && TOPO_UPLINKS_B=1 B1=$TOPO_B_PLAIN

	TOPO_BATCH=()
	for node in $(topo_nodes); do
		TOPO_BATCH[links]+="netns add $TOPO-$node"$'\n'
		topo_batch "$node" "link set lo up"
	done
	if [[ $TOPO_FORM == *bridge* ]]; then
		topo_plan_bridge
	elif [[ $TOPO_FORM == *direct* ]]; then
		for i in 1 2; do topo_plan_wire A "up$i" B "up$i"; done
	else
		topo_plan_core
	fi
	for host in $(topo_hosts); do topo_plan_host "$host"; done

	TOPO_DIR=$(mktemp -d) || die "no directory for captures"
	at_exit topo_down
	ip -batch - <<<"${TOPO_BATCH[links]}" || die "no namespaces or links (root?)"
	for node in $(topo_nodes); do
		topo_apply "$node" || die "settings of $node"
	done
	[[ $TOPO_FORM == *direct* ]] || topo_faults || die "nftables"
	topo_ready || die "hosts do not reach each other"
}

# topo_batch NODE LINE...: plan commands of ip-batch for a node.
topo_batch() {
	local node=$1 line

	shift
	for line; do TOPO_BATCH[$node]+=$line$'\n'; done
}

# topo_apply NODE: do what was planned. Routers forward.
topo_apply() {
	(
		enter "$1" || exit
		case $1 in
		core | r*) echo 1 >/proc/sys/net/ipv6/conf/all/forwarding || exit ;;
		esac
		exec ip -6 -batch -
	) <<<"${TOPO_BATCH[$1]}"
}

# topo_plan_wire NODE IF NODE IF: a veth pair between two nodes. No addresses
# that the kernel makes up, and none that wait for duplicate detection.
topo_plan_wire() {
	TOPO_BATCH[links]+="link add $2 netns $TOPO-$1 type veth peer name $4 netns $TOPO-$3"$'\n'
	topo_batch "$1" "link set $2 addrgenmode none" "link set $2 up"
	topo_batch "$3" "link set $4 addrgenmode none" "link set $4 up"
}

topo_plan_bridge() {
	local i

	for i in 1 2; do
		topo_batch br "link add br$i type bridge" \
			"link set br$i addrgenmode none" "link set br$i up"
		topo_plan_wire A "up$i" br "a$i"
		topo_plan_wire B "up$i" br "b$i"
		topo_batch br "link set a$i master br$i" "link set b$i master br$i"
	done
}

# The gateway of both sides of every link is fe80::1, and fe80::2 is the node
# further away from the core.
topo_plan_core() {
	local h i r prefix

	topo_batch core "address add 2001:db8:c::1/128 dev lo"
	for h in $(topo_hosts); do
		h=${h,}
		for i in $(topo_uplinks "${h^}"); do
			r=r$h$i prefix=2001:db8:$h:$i
			topo_plan_wire "${h^}" "up$i" "$r" host
			topo_plan_wire "$r" core core "$h$i"
			topo_batch core \
				"address add fe80::1/64 dev $h$i nodad" \
				"route add $prefix::/64 via fe80::2 dev $h$i"
			topo_batch "$r" \
				"address add fe80::2/64 dev core nodad" \
				"address add fe80::1/64 dev host nodad" \
				"address add $prefix::1/64 dev host nodad" \
				"route add default via fe80::1 dev core"
		done
	done
}

# Faults, and a counter for every pair of addresses that comes by.
topo_faults() {
	local h i

	on core nft -f - <<-END || return
		table inet topo {
		    set pairs { type ipv6_addr . ipv6_addr; size 65536; flags dynamic; counter; }
		    set broken { type ipv6_addr . ipv6_addr; counter; }
		    set dead { type ipv6_addr; counter; }
		    chain faults {
		        type filter hook forward priority -10;
		        update @pairs { ip6 saddr . ip6 daddr counter }
		        ip6 saddr . ip6 daddr @broken drop
		        ip6 saddr @dead drop
		        ip6 daddr @dead drop
		    }
		}
	END
	[[ $TOPO_FORM == *ingress* ]] || return 0
	for h in $(topo_hosts); do
		h=${h,}
		for i in $(topo_uplinks "${h^}"); do
			on "r$h$i" nft -f - <<-END || return
				table inet topo {
				    chain ingress {
				        type filter hook forward priority filter;
				        iif host ip6 saddr != 2001:db8:$h:$i::/64 counter drop
				    }
				}
			END
		done
	done
}

topo_plan_host() {
	local host=$1 i

	for i in $(topo_uplinks "$host"); do
		topo_batch "$host" "$(topo_uplink "$host" "$i")" \
			"rule add pref 100$i from $(topo_address "$host$i") lookup 10$i"
	done
}

# topo_uplink HOST N: the settings of an uplink, as they are lost when its link
# goes down.
topo_uplink() {
	local host=$1 i=$2 gateway=fe80::1 own=fe80::2

	[[ "$host $TOPO_FORM" == "B "*direct* ]] && gateway=fe80::2 own=fe80::1
	cat <<-END
		link set up$i up
		address replace $own/64 dev up$i nodad
		address replace $(topo_address "$host$i")/64 dev up$i nodad
		route replace 2001:db8:${host,}:$i::/64 dev up$i table 10$i
		route replace default via $gateway dev up$i table 10$i
	END
	[[ $TOPO_FORM == *single* && $i != 1 ]] ||
		echo "route replace default via $gateway dev up$i metric ${i}00"
}

# All at once, for the first packet on a path is the slow one.
topo_ready() {
	local host i j pids=() pid

	for host in $(topo_hosts); do
		[[ $host != B ]] || continue
		for i in $(topo_uplinks "$host"); do
			for j in $(topo_uplinks B); do
				spawn "$host" ping -q -c 1 -w 10 -i 0.2 -I "$(topo_address "$host$i")" \
					"$(topo_address "B$j")" >/dev/null
				pids+=("$SPAWNED")
			done
		done
	done
	for pid in "${pids[@]}"; do
		wait "$pid" || return
	done
	topo_forget_pairs
}

# topo_guest HOST: a namespace "guest" behind a host, which forwards for it. It has the address
# $GUEST, and its link (the host's "inside", its "eth") carries packets.
topo_guest() {
	local -A TOPO_BATCH=([links]="netns add $TOPO-guest"$'\n')

	topo_batch guest "link set lo up"
	topo_plan_wire "$1" inside guest eth
	topo_batch "$1" "address add fe80::1/64 dev inside nodad" "address add 2001:db8:5:1::1/64 dev inside nodad"
	topo_batch guest "address add fe80::2/64 dev eth nodad" "address add $GUEST/64 dev eth nodad" \
		"route add default via fe80::1 dev eth"
	at_exit "ip netns del $TOPO-guest 2>/dev/null"
	ip -batch - <<<"${TOPO_BATCH[links]}" && topo_apply "$1" && topo_apply guest &&
		on "$1" bash -c 'echo 1 >/proc/sys/net/ipv6/conf/all/forwarding' &&
		on "$1" ping -q -c 1 -w 10 -i 0.2 "$GUEST" >/dev/null
}

# topo_reaches LOCAL PEER: one echo from the host that has LOCAL to PEER.
topo_reaches() {
	on "${1:0:1}" ping -q -c 1 -W 1 -I "$(topo_address "$1")" \
		"$(topo_address "$2")" >/dev/null 2>&1
}

topo_forget_pairs() {
	[[ $TOPO_FORM == *direct* ]] || on core nft flush set inet topo pairs
}

topo_down() {
	local node batch=

	topo_capture_stop 2>/dev/null
	stop "${TOPO_SPAWNED[@]}" 2>/dev/null
	for node in $(topo_nodes); do
		batch+="netns del $TOPO-$node"$'\n'
	done
	ip -force -batch - <<<"$batch" 2>/dev/null
	[[ -n $TOPO_DIR ]] && rm -rf "$TOPO_DIR"
	TOPO_DIR='' TOPO_SPAWNED=()
	return 0
}

#
# Faults, all of them in the core or at the providers.
#

# topo_break SRC DST [both]: drop packets from SRC to DST (names or addresses).
topo_break() {
	local s d

	s=$(topo_address "$1") d=$(topo_address "$2")
	on core nft add element inet topo broken "{ $s . $d }"
	[[ ${3:-} != both ]] ||
		on core nft add element inet topo broken "{ $d . $s }"
}

# topo_kill LOCATOR...: drop all packets from and to the locators.
topo_kill() {
	local l list=

	for l; do list+="$(topo_address "$l"), "; done
	on core nft add element inet topo dead "{ $list }"
}

# topo_only SRC DST: break all other pairs in that direction.
topo_only() {
	local i j from=${1:0:1} to=${2:0:1} list=

	for i in $(topo_uplinks "$from"); do
		for j in $(topo_uplinks "$to"); do
			[[ $from$i == "$1" && $to$j == "$2" ]] ||
				list+="$(topo_address "$from$i") . $(topo_address "$to$j"), "
		done
	done
	on core nft add element inet topo broken "{ $list }"
}

# topo_heal: no faults of the kinds above.
topo_heal() {
	on core nft "flush set inet topo broken; flush set inet topo dead"
}

# topo_pair SRC DST: packets from SRC to DST that reached the core.
topo_pair() {
	local element

	element=$(on core nft get element inet topo pairs \
		"{ $(topo_address "$1") . $(topo_address "$2") }" 2>/dev/null)
	[[ $element =~ packets\ ([0-9]+) ]] && echo "${BASH_REMATCH[1]}" || echo 0
}

# topo_pairs: the same for all pairs, as lines "SRC DST PACKETS".
topo_pairs() {
	on core nft list set inet topo pairs | tr , '\n' |
		sed -n 's/.*[ {]\([0-9a-f:]*\) \. \([0-9a-f:]*\) .*packets \([0-9]*\).*/\1 \2 \3/p'
}

# topo_dropped: packets that the faults above dropped.
topo_dropped() {
	on core nft -j list table inet topo |
		jq '[.nftables[].set? | select(.name == "broken" or .name == "dead") |
		     .elem[]?.elem.counter.packets] | add // 0'
}

# topo_link HOST N down|up: an uplink of a host. Down takes its addresses.
topo_link() {
	if [[ $3 == up ]]; then
		topo_uplink "$1" "$2" | ip -6 -n "$TOPO-$1" -batch -
	else
		ip -n "$TOPO-$1" link set "up$2" down
	fi
}

# topo_carrier HOST N down|up: the far end of an uplink. The host loses
# carrier, its addresses stay.
topo_carrier() {
	ip -n "$TOPO-r${1,}$2" link set host "$3" || return
	[[ $3 == down ]] ||
		ip -n "$TOPO-r${1,}$2" -batch - <<-END
			address replace fe80::1/64 dev host nodad
			address replace 2001:db8:${1,}:$2::1/64 dev host nodad
		END
}

# topo_mtu HOST N MTU: the link between a provider's router and the core; the
# host itself does not see it.
topo_mtu() {
	ip -n "$TOPO-r${1,}$2" link set core mtu "$3" &&
		ip -n "$TOPO-core" link set "${1,}$2" mtu "$3"
}

# topo_netem HOST N [NETEM...]: delay, loss and so on between a provider's
# router and the core, both ways. Without more, remove it.
topo_netem() {
	local host=${1,} i=$2 verb=replace

	shift 2
	[[ $# -gt 0 ]] || verb=del
	on "r$host$i" tc qdisc "$verb" dev core root ${1:+netem "$@"} &&
		on core tc qdisc "$verb" dev "$host$i" root ${1:+netem "$@"}
}

#
# Contexts
#

# topo_context_options HOST: TOPO_CONTEXT is what makes the static context of a host, with all
# locators of both.
topo_context_options() {
	local host=$1 peer=B ours theirs i

	[[ $host == B ]] && peer=A
	ours=TAG_$host theirs=TAG_$peer
	TOPO_CONTEXT=(
		--ulid-local "$(topo_address "${host}1")" --tag-local "${!ours}"
		--ulid-peer "$(topo_address "${peer}1")" --tag-peer "${!theirs}"
	)
	for i in $(topo_uplinks "$host"); do
		TOPO_CONTEXT+=(--locator-local "$(topo_locator "$host$i")")
	done
	for i in $(topo_uplinks "$peer"); do
		TOPO_CONTEXT+=(--locator-peer "$(topo_locator "$peer$i")")
	done
}

# topo_context HOST [MORE...]: that context. MORE goes to `shim6 context add`.
topo_context() {
	topo_context_options "$1" && on "$1" shim6 context add "${TOPO_CONTEXT[@]}" "${@:2}"
}

# topo_contexts: the contexts of both hosts, ULIDs A1 and B1, on the ULID pair.
topo_contexts() {
	topo_context A && topo_context B
}

# topo_switch HOST LOCAL PEER: the locators by which a host sends.
topo_switch() {
	local host=$1 peer=B

	[[ $host == B ]] && peer=A
	on "$host" shim6 context set \
		--ulid-local "$(topo_address "${host}1")" \
		--ulid-peer "$(topo_address "${peer}1")" \
		--current-local "$(topo_address "$2")" \
		--current-peer "$(topo_address "$3")"
}

# topo_switch_both LOCAL PEER: both directions, seen from A.
topo_switch_both() {
	topo_switch A "$1" "$2" && topo_switch B "$2" "$1"
}

# stat_load HOST: all counters of the shim, a name and a value each, in STAT_LINES.
stat_load() {
	visit "$1" stat_read
}

stat_read() {
	mapfile -t STAT_LINES </proc/net/shim6_stat
}

# stat_value HOST NAME: REPLY is a counter of the shim.
stat_value() {
	local line

	stat_load "$1" || return
	for line in "${STAT_LINES[@]}"; do
		[[ $line == "$2 "* ]] && { REPLY=${line##* }; return; }
	done
	echo "no counter $2" >&2
	return 1
}

# stat_get HOST NAME: the same, printed.
stat_get() {
	stat_value "$@" && echo "$REPLY"
}
