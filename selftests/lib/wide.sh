# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Hosts with long sets of addresses, all on the first wire of the direct topology
# (topo_up direct), for many contexts at once. Beside establish.sh.

# wide HOST N: the host gets an HBA set of N addresses in prefixes of their own, an
# identity of them, and routes to those that the other host gets by `wide`.
wide() {
	local host=$1 peer=b i prefixes=()

	[[ $host == B ]] && peer=a
	for ((i = 1; i <= $2; i++)); do
		prefixes+=(--prefix "2001:db8:1${host,}:$(printf %x $i)::/64")
	done
	shim6 hba generate "${prefixes[@]}" --output "$TOPO_DIR/wide-$host" \
		>"$TOPO_DIR/addresses-$host" || return
	{
		sed 's/.*/address add &\/64 dev up1 nodad/' "$TOPO_DIR/addresses-$host"
		echo "route add 2001:db8:1$peer::/48 dev up1"
	} | on "$host" ip -6 -batch - &&
		on "$host" shim6 identity add "wide$host" "$TOPO_DIR/wide-$host"
}

# wide_pairs [SUFFIX]: all pairs of ULIDs as lines LOCAL PEER, from A's side, of the addresses in
# files that end with SUFFIX.
wide_pairs() {
	local ours theirs

	while read -r ours; do
		while read -r theirs; do
			echo "$ours $theirs"
		done <"$TOPO_DIR/addresses-B${1-}"
	done <"$TOPO_DIR/addresses-A${1-}"
}
