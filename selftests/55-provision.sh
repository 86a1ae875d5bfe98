#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# The addresses of a set go to the interfaces that have their prefixes, and packets from
# each leave by its own provider; what routers announce and withdraw is followed by
# `shim6 watch` without a restart.

. "$(dirname "$0")/lib/tap.sh"
. "$(dirname "$0")/lib/establish.sh"
. "$(dirname "$0")/lib/module.sh"

# advertise N [PREFERRED VALID [ROUTER-LIFETIME]]: provider N of host A announces its prefix.
advertise() {
	on "ra$1" python3 "$SELFTESTS/peer/advertise.py" host fe80::1 "${4:-1800}" \
		"2001:db8:a:$1::/64" "${2:-1800}" "${3:-3600}"
}

# forget HOST: its uplinks as they are where nobody configured them.
forget() {
	local i

	for i in 1 2; do
		on "$1" ip -6 address flush dev "up$i" scope global
		on "$1" ip -6 route flush table "10$i"
		on "$1" ip -6 rule del pref "100$i"
		on "$1" ip -6 route flush dev "up$i" proto boot
		on "$1" ip link set "up$i" addrgenmode eui64
	done
}

# address NAME: what `ip` says of an address of A, as an object.
address() {
	on A ip -6 -j address | jq -c --arg address "$(topo_address "$1")" \
		'.[] | .ifname as $ifname | .addr_info[]? | select(.local == $address) | . + {$ifname}'
}

# is_on NAME INTERFACE
is_on() {
	[[ $(address "$1" | jq -r .ifname) == "$2" ]]
}

is_gone() {
	[[ -z $(address "$1") ]]
}

is_deprecated() {
	[[ $(address "$1" | jq .deprecated) == true ]]
}

is_preferred() {
	[[ $(address "$1" | jq '.tentative or .deprecated') == false ]]
}

# leaves_by SOURCE DESTINATION: the interface and the router.
leaves_by() {
	on A ip -6 -j route get "$(topo_address "$2")" from "$(topo_address "$1")" |
		jq -r '.[0] | "\(.dev) \(.gateway)"'
}

# has_address_of N: A made itself an address of provider N's prefix.
has_address_of() {
	on A ip -6 -j address show "dev" "up$1" scope global |
		jq -e --arg prefix "2001:db8:a:$1:" '[.[].addr_info[]? | select(.protocol == "kernel_ra") |
			.local | select(startswith($prefix))] | length > 0' >/dev/null
}

# everything: rules, routes and addresses of A, without what time changes.
everything() {
	on A ip -6 rule
	on A ip -6 route show table all | sed -E 's/ expires [0-9]+sec//' | sort
	on A ip -6 address | sed -E 's/(valid|preferred)_lft [0-9]+sec//g; s/ tentative//'
}

ours() {
	on A ip -6 rule | grep -c 'proto 141'
}

# has_rules N: there are so many of the program.
has_rules() {
	(($(ours) == $1))
}

# sends_for MILLISECONDS: the Send Timeout of A is that.
sends_for() {
	[[ $(on A cat /proc/sys/net/shim6/send_timeout) == "$1" ]]
}

# announced_again: provider 2 tells of its prefix until A has its address.
announced_again() {
	advertise 2
	is_on A2 up2
}

# without_times TEXT: lifetimes that are still close to an hour, as a letter.
without_times() {
	sed -E 's/3[56][0-9]{2}/N/' <<<"$1"
}

# heard WORD: the manager of services was told.
heard() {
	grep -q "$1" "$TOPO_DIR/notified"
}

apply() {
	on A shim6 hba apply "$@" 2>"$TOPO_DIR/notes"
}

# peer_knows N: N locators of A are usable to B.
peer_knows() {
	[[ $(shows B '[.locator_peer[] | select(.broken | not)] | length') == "$1" ]]
}

# knows NAME: A has this identity.
knows() {
	on A shim6 identity show "$1" >/dev/null 2>&1
}

# A has no address that may still turn out to be a duplicate.
none_is_tentative() {
	[[ -z $(on A ip -6 address show tentative) ]]
}

tap_begin
topo_up
dmesg_mark
forget A
(umask 077 && pem "${PDS[A]}" >"$TOPO_DIR/home.hba") || die "identity file"
identity B || die "identity of B"

is "no prefix, nothing to do" "$(apply "$TOPO_DIR/home.hba")" ""
is "and why" "$(grep -c 'no interface has its prefix' "$TOPO_DIR/notes")" 2

advertise 1
wait_until 10 has_address_of 1 || die "router advertisements are not taken"
wait_until 10 none_is_tentative || die "duplicate address detection does not end"
before=$(everything)
changes=$(apply --dry-run "$TOPO_DIR/home.hba")
is "a dry run changes nothing" "$(everything)" "$before"
is "and says what would change" "$(without_times "$(apply "$TOPO_DIR/home.hba")")" \
	"$(without_times "$changes")"
note "$changes"
is "an address per change" "$(wc -l <<<"$changes")" 4
check "the address of the prefix is on its interface" is_on A1 up1
is "with the protocol of this program" "$(address A1 | jq -r .protocol)" 0x8d
holds "it lives as long as the prefix does" \
	"$(address A1 | jq .valid_life_time) > 3500 && $(address A1 | jq .valid_life_time) <= 3600"
check "the other one is not there" is_gone A2
check_not "nor is a route for its prefix made by the address" \
	grep -q '2001:db8:a:2' <(on A ip -6 route show table all)

advertise 2
wait_until 10 has_address_of 2 || die "the second router"
apply "$TOPO_DIR/home.hba" >/dev/null
check "the second prefix comes, and the second address" is_on A2 up2
is "nothing is left to say" "$(cat "$TOPO_DIR/notes")" ""
is "nor to do" "$(apply "$TOPO_DIR/home.hba")" ""
is "each source leaves by its own provider" "$(leaves_by A1 B1), $(leaves_by A2 B1)" \
	"up1 fe80::1, up2 fe80::1"
check "the first one reaches the peer" wait_until 10 topo_reaches A1 B1
check "so does the second one" wait_until 10 topo_reaches A2 B2
on A ip -6 route add 2001:db8:b:2::/64 via fe80::1 dev up1
is "more specific routes of the host come first" "$(leaves_by A2 B2)" "up1 fe80::1"
on A ip -6 route del 2001:db8:b:2::/64 via fe80::1 dev up1

apply --remove "$TOPO_DIR/home.hba" >/dev/null
check "undone: no addresses" is_gone A1
is "no rules" "$(ours)" 0
check_not "no routes" grep -q 'proto 141' <(on A ip -6 route show table all)

cat >"$TOPO_DIR/shim6.toml" <<-END
	[settings]
	send_timeout = 2000
	[[identity]]
	name = "home"
	file = "home.hba"
END
# Started before it is bound to, the service would have nobody to tell.
socat -u "UNIX-RECV:$TOPO_DIR/notify" "OPEN:$TOPO_DIR/notified,creat,append" &
socat_pid=$!
at_exit stop $socat_pid
wait_until 10 test -S "$TOPO_DIR/notify" || die "socket for notifications"
NOTIFY_SOCKET=$TOPO_DIR/notify spawn A shim6 watch "$TOPO_DIR/shim6.toml" \
	>"$TOPO_DIR/log" 2>"$TOPO_DIR/errors"
watch=$SPAWNED
check "the service says when it is ready" wait_until 10 heard READY=1
is "then the file is in force" "$(on A cat /proc/sys/net/shim6/send_timeout)" 2000
check "and the addresses are there" is_on A1 up1
check "both of them" is_on A2 up2
wait_until 10 is_preferred A1 && wait_until 10 is_preferred A2
check "a context" establish
check "the peer knows both locators" wait_until 10 peer_knows 2

advertise 2 0 0
check "a prefix that is withdrawn deprecates the address" wait_until 10 is_deprecated A2
advertise 2
check "and preferred again it is preferred again" wait_until 10 is_preferred A2

advertise 2 0 0
own=$(on A ip -6 -j address show dev up2 |
	jq -r '.[].addr_info[]? | select(.protocol == "kernel_ra") | .local')
on A ip -6 address del "$own/64" dev up2
check "when it is gone the address goes" wait_until 10 is_gone A2
is "with its rules" "$(ours)" 2
check "and the peer is told" wait_until 10 peer_knows 1
advertise 2
check "it comes back with the prefix" wait_until 10 is_on A2 up2
check "and its rules" wait_until 10 has_rules 4
check "and the peer is told" wait_until 20 peer_knows 2

advertise 1 1800 3600 0
check "no router, no rules" wait_until 10 has_rules 2
check "it is noted" wait_until 10 grep -q 'up1 has no default router' "$TOPO_DIR/errors"
advertise 1
check "a router, rules" wait_until 10 has_rules 4

on A ip -6 rule del pref 14001 from 2001:db8:a:1::/64
check "a rule that somebody deletes comes back" wait_until 10 has_rules 4

topo_link A 2 down
check "a link goes, and its address" wait_until 10 is_gone A2
on A ip link set up2 up
check "it comes back" wait_until 20 announced_again

sed -i 's/2000/1/' "$TOPO_DIR/shim6.toml"
kill -HUP "$watch"
check "a file with a fault is not adopted" wait_until 10 grep -q ':2:16: for send_timeout' "$TOPO_DIR/errors"
check "the manager hears of the reload and its end" wait_until 10 heard RELOADING=1
is "the last one stays" "$(on A cat /proc/sys/net/shim6/send_timeout)" 2000
sed -i 's/= 1$/= 3000/; s/^name/assign = false\nname/' "$TOPO_DIR/shim6.toml"
kill -HUP "$watch"
check "a good one is" wait_until 10 sends_for 3000
check "addresses that are not to be assigned any more go" wait_until 10 is_gone A1
sed -i '/^assign/d' "$TOPO_DIR/shim6.toml"
kill -HUP "$watch"
check "and come" wait_until 10 is_on A1 up1

at_exit load
rmmod shim6 || die "cannot unload the module"
load || die "cannot load the module"
check "a module that is loaded anew gets the file" wait_until 10 knows home
is "as a whole" "$(on A cat /proc/sys/net/shim6/send_timeout)" 3000

kill -TERM "$watch"
status=0
wait "$watch" || status=$?
is "it ends with status 0" "$status" 0
check "and says that it does" wait_until 10 heard STOPPING=1
check "the addresses stay" is_on A1 up1
is "three times it was ready again" "$(grep -c READY=1 "$TOPO_DIR/notified")" 4
check "the kernel's log is clean" dmesg_clean
tap_end
