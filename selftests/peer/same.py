# SPDX-License-Identifier: GPL-2.0
"""No socket of B gets anything by a payload header that it would not get without: each packet
comes both ways, between the ULIDs as it is and between other locators with the header, while a
firewall has one rule or another. What sockets get and what B answers is compared."""

import itertools
import socket
import struct
import sys

import golden
from bench import B1, Bench, verdict
from golden_packets import *

OPEN, SHUT = 9, 10
FRAGMENTS = "in fragments"
IDENTITIES = itertools.count(1)

# The rules of a firewall.
RULES = {
    "no rule": "",
    "a port that is dropped": "udp dport 9 drop; tcp dport 9 drop",
    "a source that is dropped": "ip6 saddr %s drop" % A1,
    "a destination that is dropped": "ip6 nexthdr 140 accept; ip6 daddr %s drop" % B1,
    "established connections only": "icmpv6 type nd-neighbor-solicit accept; ct state established accept; "
                                    "ip6 nexthdr 140 accept; drop",
    "a protocol that is dropped": "meta l4proto 253 drop; meta l4proto icmpv6 icmpv6 type echo-request drop",
    "what is rejected": "meta l4proto { tcp, udp } reject",
    "fragments that are dropped": "exthdr frag exists drop",
    "options that are dropped": "exthdr dst exists drop",
    "a length": "meta length < 52 drop",
    "a hop limit": "ip6 hoplimit < 255 meta l4proto 253 drop",
    "invalid packets": "icmpv6 type nd-neighbor-solicit accept; ip6 nexthdr 140 accept; ct state invalid drop",
}
# At these the firewall looks at what defragmentation has made whole.
CHAINS = (("raw", "prerouting", -300), ("mangle", "prerouting", -150), ("filter", "input", 0))


def packets():
    """(name, upper part, Next Header) of what is sent both ways."""
    yield "protocol 253", DATA, ECHOED
    yield "no octets of it", b"", ECHOED
    yield "a protocol of nobody", DATA, NOBODY
    yield "an open port of UDP", udp(), UDP
    yield "a closed one", datagram(1111), UDP
    yield "a shut one", datagram(SHUT), UDP
    whole = udp()
    yield "UDP with a bad checksum", whole[:6] + bytes([whole[6] ^ 1]) + whole[7:], UDP
    yield "UDP without a checksum", whole[:6] + b"\0\0" + whole[8:], UDP
    yield "UDP that is cut", whole[:12], UDP
    yield "UDP with a length beyond its end", whole[:4] + b"\0\xff" + whole[6:], UDP
    yield "a connection", tcp(2), TCP
    yield "a connection to a closed port", tcp(2, ports=(7777, 1111)), TCP
    yield "an acknowledgement of no connection", tcp(16), TCP
    whole = tcp(2)
    yield "TCP with a bad checksum", whole[:16] + bytes([whole[16] ^ 1]) + whole[17:], TCP
    yield "TCP with all flags", tcp(0xFF), TCP
    yield "an echo request", icmp(128, 0, 7, DATA), ICMP
    yield "an error", icmp(1, 4, 0, ipv6(B1, A1, udp(source=B1, destination=A1), UDP)), ICMP
    for kind in (FRAGMENT, OPTIONS, ROUTING, HOP):
        rest, first = chained([kind], ECHOED, DATA)
        yield "header %d in front" % kind, rest, first
    yield "an unknown option", bytes([ECHOED, 0, 0xBE, 4, 0, 0, 0, 0]) + DATA, OPTIONS
    yield "routing to somebody else", bytes([ECHOED, 2, 253, 1, 0, 0, 0, 0]) + addr(STRANGER) + DATA, ROUTING
    yield "no next header", DATA, NONE
    yield "number 50", DATA, 50
    yield "number 4", DATA, 4


def datagram(port):
    rest = struct.pack("!HHHH", 7777, port, 16, 0) + DATA
    return sealed(UDP, A1, B1, rest, 6)


class Sockets(golden.Listener):
    """With ports of UDP and one of TCP."""

    def __init__(self, bench):
        super().__init__(bench)
        for port in (OPEN, SHUT):
            heard = bench.in_namespace(lambda: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM))
            heard.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
            heard.bind(("::", port))
            heard.setblocking(False)
            self.sockets.append(heard)
        self.listener = bench.in_namespace(lambda: socket.socket(socket.AF_INET6, socket.SOCK_STREAM))
        self.listener.bind(("::", OPEN))
        self.listener.listen(64)


def answers(got):
    """What B's transports say, without what is random."""
    for packet in got:
        rest = packet.rest
        if packet.protocol != wire.SHIM6 or not rest[2] & 0x80:
            yield str(packet)
            continue
        following, rest = rest[0], rest[8:]
        if following == TCP:
            yield "TCP flags %02x to %d" % (rest[13], struct.unpack_from("!H", rest, 2)[0])
        else:
            yield "protocol %d, %s" % (following, rest[:4].hex())


def ways(rest, following):
    """The same packets without our header and with it, in its place and in others."""
    whole = header(following) + rest
    yield "as it is", ([ipv6(A1, B1, rest, following)], [ipv6(A2, B1, whole)])
    options = [extension(OPTIONS, kind) for kind in (following, wire.SHIM6)]
    yield "behind options", ([ipv6(A1, B1, options[0] + rest, OPTIONS)],
                             [ipv6(A2, B1, options[1] + whole, OPTIONS)])
    if len(rest) > 8:
        identity = next(IDENTITIES)
        yield FRAGMENTS, ([ipv6(A1, B1, rest, following)],
                          [fragment(identity, 0, 1, whole[:16]), fragment(identity, 16, 0, whole[16:])])


def fragment(identity, at, more, rest):
    return ipv6(A2, B1, struct.pack("!BBHI", wire.SHIM6, 0, at | more, identity) + rest, FRAGMENT)


def heard(bench, sockets, packets):
    bench.drain()
    bench.send(*packets)
    got = bench.settle()
    return sorted(sockets.heard()), sorted(answers(got))


def rules(bench, text):
    """The rules of a firewall in each of its chains in turn."""
    for name, hook, priority in CHAINS if text else CHAINS[:1]:
        lines = "\n".join(rule.strip() for rule in text.split(";"))
        table = "table inet same {\n chain c {\n type filter hook %s priority %d;\n%s\n}\n}\n" % (
            hook, priority, lines)
        yield name, table


def main():
    bench = Bench(sys.argv[1], sys.argv[2:])
    golden.prepare(bench)
    sockets = Sockets(bench)
    baseline = None
    for what, text in RULES.items():
        for chain, table in rules(bench, text):
            bench.command("bash", "-c", "nft delete table inet same 2>/dev/null; nft -f - <<'END'\n%sEND" % table)
            why, kept = [], []
            for name, rest, following in packets():
                kept.append(heard(bench, sockets, [ipv6(A1, B1, rest, following)]))
                for way, (plain, shim) in ways(rest, following):
                    plain, shim = heard(bench, sockets, plain), heard(bench, sockets, shim)
                    # Hop-by-Hop options are none behind our header: nobody looks at them. And a rule
                    # about fragments is none about what is whole.
                    less = following == HOP or way == FRAGMENTS and what.startswith("fragments")
                    if plain != shim and not (less and not shim[0]):
                        why.append("%s, %s: without %s, with %s" % (name, way, plain, shim))
            verdict("%s, in %s: sockets and peers get the same with the header" % (what, chain),
                    not why, "; ".join(why))
            if baseline is None:
                baseline = kept
                verdict("  which is something", sum(bool(got) for got, _ in kept) > 8, str(kept))
            else:
                verdict("  and the rule has kept something back", kept != baseline)


main()
