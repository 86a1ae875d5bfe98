# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# A core that loses control messages (RFC 5533) by their type. Beside
# establish.sh, whose topology must have a core.

# More than any test sends.
readonly LOSS_EVER=1000000
declare -rA LOSS_TYPE=([I1]=1 [R1]=2 [I2]=3 [R2]=4 [R1bis]=5 [I2bis]=6)

# lose TYPE|all [N]: the core drops the next N control messages of this type (I1,
# R1, ...), both ways, or all if no number is given. What it lost before it loses
# no more.
lose() {
	local match="@th,16,1 0"

	[[ $1 == all ]] || match="@th,16,8 ${LOSS_TYPE[$1]}"
	lose_none
	on core nft -f - <<-END
		table inet loss {
		    chain forward {
		        type filter hook forward priority 0;
		        meta l4proto 140 $match numgen inc mod $((LOSS_EVER + 1)) lt ${2:-$LOSS_EVER} counter drop
		    }
		}
	END
}

lose_none() {
	on core nft 'add table inet loss; delete table inet loss'
}

# lost: how many it dropped since `lose`.
lost() {
	on core nft -j list table inet loss |
		jq '[.nftables[].rule?.expr[]?.counter?.packets // empty] | add'
}
