#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Two Debian hosts with the packages installed, as a new user has them, from making
# identities to `apt purge`: all commands are those of the README. Run by qemu/packages
# in both machines, with a or b as the first argument; machine a prints the cases, they
# meet in /share. Each machine has its providers in a namespace of its own:
#
#	    up1 --- isp1 \               / isp1 --- up1
#	a                 isp --- isp                    b
#	    up2 --- isp2 /               \ isp2 --- up2

. "$(dirname "$0")/../lib/tap.sh"
. "$(dirname "$0")/readme.sh"

readonly MEETING=/share PATIENCE=300
ME=${1:-}
case $ME in
a) PEER=b ;;
b) PEER=a ;;
*) die "usage: hosts.sh a|b (see qemu/packages)" ;;
esac
# The address of b in the README.
readonly EXAMPLE=2001:db8:b:1:3c9e:6c5f:1d0a:52b7

diag_dump() {
	((TAP_FAILED <= 2)) || return 0
	shim6 context show
	shim6 stats
	systemctl --no-pager --full status shim6
	ip -6 -br address
	ip -6 route
	ip -6 rule
	tail -n 5 /tmp/session*
}

met() {
	[[ -e $MEETING/$PEER.$1 || -e $MEETING/$PEER.gone ]]
}

# meet WHERE: go on when both machines have come so far.
meet() {
	: >"$MEETING/$ME.$1"
	if ! wait_until $PATIENCE met "$1" || [[ ! -e $MEETING/$PEER.$1 ]]; then
		die "machine $PEER does not come to '$1'"
	fi
}

leave() {
	: >"$MEETING/$ME.gone"
}

in_isp() {
	ip netns exec isp "$@"
}

# Addresses and routes as two providers give them; nothing of this knows the shim.
providers_up() {
	local i

	ip netns add isp
	ip link set eth0 netns isp
	in_isp sysctl -q net.ipv6.conf.all.forwarding=1
	in_isp ip link set lo up
	in_isp ip link set eth0 up
	in_isp ip address add "fd00::$ME/64" dev eth0 nodad
	in_isp ip route add "2001:db8:$PEER::/48" via "fd00::$PEER"
	for i in 1 2; do
		ip link add "up$i" type veth peer name "isp$i" netns isp
		in_isp ip link set "isp$i" up addrgenmode none
		in_isp ip address add fe80::1/64 dev "isp$i" nodad
		in_isp ip address add "2001:db8:$ME:$i::1/64" dev "isp$i" nodad
		ip link set "up$i" up
		ip address add "2001:db8:$ME:$i::2/64" dev "up$i" nodad
		ip -6 route add default via fe80::1 dev "up$i" metric "$((1000 + i))"
	done
}

# The first provider of this host drops everything, and says nothing.
cut() {
	in_isp ip -6 rule add pref 10 from "2001:db8:$ME:1::/64" blackhole &&
		in_isp ip -6 rule add pref 10 to "2001:db8:$ME:1::/64" blackhole
}

# run_part WHERE: WHAT
run_part() {
	readme_part /share/README.md "$1" | sed "s/$EXAMPLE/$(cat "$MEETING/b.address" 2>/dev/null)/" >/tmp/part &&
		(cd /root && bash -e /tmp/part)
}

# set_address I: the one of this host's set with prefix I.
set_address() {
	shim6 hba show /etc/shim6/home.hba | sed -n '/^ *address/,$p' | grep -o "2001:db8:$ME:$1:.*"
}

assigned() {
	local i

	for i in 1 2; do
		ip -6 -br address show dev "up$i" -tentative | grep -q "$(set_address "$i")" || return
	done
}

peer_answers() {
	ping -q -c 1 -W 1 "2001:db8:$PEER:1::2" >/dev/null
}

# count: how far the program in the session has counted.
count() {
	tail -n 1 /tmp/session
}

counts_beyond() {
	[[ $(count) =~ ^[0-9]+$ ]] && (($(count) > $1))
}

# The context of the session; its ULIDs are the first addresses of the sets.
context() {
	shim6 context show --ulid-local "$(set_address 1)" --ulid-peer "$(<"$MEETING/b.address")"
}

established() {
	context | grep -q 'state ESTABLISHED'
}

# goes_by I: packets of the session leave by provider I of this host.
goes_by() {
	context | sed -n '/locator-local/,/locator-peer/p' | grep -q "^ *\* 2001:db8:$ME:$1:"
}

# Everything that the packages and the service brought; the file of dpkg is the image's.
remains() {
	find / -xdev \( -path /proc -o -path /opt/shim6 -o -path /share -o -path /tmp -o -path '/var/log/journal' \) -prune -o \
		-name '*shim6*' -print 2>/dev/null | grep -v '^/etc/dpkg/'
	systemctl list-unit-files --no-legend 'shim6*'
	dpkg -l 'shim6*' 2>/dev/null | grep '^[a-z]'
	ip -6 address show | grep -E 'proto (141|0x8d|shim6)'
	ip -6 rule show | grep -E 'proto (141|shim6)'
	ip -6 route show table all proto 141
	ip -6 route show table all proto 140
	[[ ! -d /sys/module/shim6 ]] || echo "the module is loaded"
	[[ ! -d /proc/sys/net/shim6 ]] || echo "its settings are there"
	dkms status
}

# The cases of both hosts; b's are in its exit status.
both() {
	check "$ME: systemd is up, nothing failed" systemctl is-system-running --wait
	providers_up || die "no providers"
	meet up
	check "$ME: the hosts reach each other" wait_until 60 peer_answers
	before=$(remains | grep -c shim6)
	holds "$ME: what has to go is found now" "$before > 10"
	check "$ME: README, identity" run_part "$ME: identity"
	check "$ME: README, configuration" run_part "$ME: configuration"
	check "$ME: README, start" run_part "a and b: start"
	check "$ME: the addresses of the set are assigned" wait_until 30 assigned
}

session() {
	local before

	# The account of a user: root, with a key.
	install -d -m 700 /root/.ssh
	ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519
	printf 'Host *\n\tStrictHostKeyChecking accept-new\n\tBatchMode yes\n' >/root/.ssh/config
	cp /root/.ssh/id_ed25519.pub "$MEETING/key"
	meet key
	# The command of the README, with something that is seen to live.
	readme_part /share/README.md "a: session" |
		sed "s/$EXAMPLE/$(<"$MEETING/b.address")/; /^ssh /s/\$/ 'for ((i = 1; ; i++)); do echo \$i; sleep 0.5; done'/" >/tmp/session.sh
	bash /tmp/session.sh >/tmp/session 2>/tmp/session.errors </dev/null &
	SESSION=$!
	at_exit stop $SESSION
	check "a: README, session" wait_until 60 counts_beyond 3
	check "a: it has a context" wait_until 30 established
	check "a: its packets leave by the first provider" goes_by 1
	check "a: README, look" run_part "a: look"
	# shellcheck disable=SC2016 # The other host expands it.
	is "a: README, ssh -b" "$(ssh -b "$(set_address 2)" "$(<"$MEETING/b.address")" 'echo ${SSH_CONNECTION%% *}')" \
		"$(set_address 2)"
	cut || die "the first provider does not go"
	before=$(count)
	check "a: the session goes on after the first provider is gone" wait_until 120 counts_beyond $((before + 4))
	check "a: by the second provider" goes_by 2
	check "a: it is the same session" kill -0 $SESSION
	context | comment
}

removal() {
	check "$ME: README, remove" run_part "a and b: remove"
	is "$ME: nothing remains" "$(remains)" ""
	check "$ME: nothing failed" test -z "$(systemctl --no-legend list-units --failed)"
}

tap_begin
at_exit leave
dmesg_mark
is "$ME: these are all parts of the README" "$(readme_parts /share/README.md | sort)" \
	"$(printf '%s\n' 'a and b: install' 'a and b: kernel' 'a and b: remove' 'a and b: start' \
		'a: configuration' 'a: identity' 'a: look' 'a: session' 'b: configuration' 'b: identity' | sort)"
both
if [[ $ME == b ]]; then
	set_address 1 >"$MEETING/b.address"
	meet started
	wait_until $PATIENCE test -e "$MEETING/key" || die "no key"
	install -d -m 700 /root/.ssh
	cp "$MEETING/key" /root/.ssh/authorized_keys
	meet key
else
	meet started
	session
	stop $SESSION
fi
meet ended
removal
check "$ME: the kernel has nothing to say" dmesg_clean
tap_end
