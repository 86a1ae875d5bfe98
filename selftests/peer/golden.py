# SPDX-License-Identifier: GPL-2.0
"""Golden packets: B does exactly what the tables of golden_payload.py and golden_control.py say,
with every octet that it delivers and sends. `python3 golden.py` prints the packets alone, a line each,
and those of the test vectors.

An outcome is counters that moved ("Name+1"), what raw sockets on B got ("got SOURCE DESTINATION
HEX": protocol 253 and ICMPv6 errors), and what B sent: octets, but for flow labels and for answers
with random numbers in them, which are named."""

import os
import socket
import sys
from collections import Counter

import golden_control
import golden_payload
import wire
from bench import B1, B2, Bench, verdict
from golden_packets import A1, A2, ECHOED, TAG_A, TAG_B
from wire import R1, R1BIS

LEAST = 150
ICMP6_FILTER = 1
HEARD = (1, 2, 3, 4, 100)


def cases():
    """(name, packets, outcome) of all; a name that comes again gets a number."""
    seen = Counter()
    for group in golden_payload.GROUPS + golden_control.GROUPS:
        for name, packets, outcome in group():
            name = "%s: %s" % (group.__name__, name)
            seen[name] += 1
            if seen[name] > 1:
                name += " (%d)" % seen[name]
            yield name, [packets] if isinstance(packets, bytes) else packets, outcome


class Listener:
    """Raw sockets on B."""

    def __init__(self, bench):
        make = lambda kind: socket.socket(socket.AF_INET6, socket.SOCK_RAW, kind)
        self.sockets = [bench.in_namespace(lambda: make(k)) for k in (ECHOED, socket.IPPROTO_ICMPV6)]
        for heard in self.sockets:
            heard.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
            heard.setblocking(False)
        # A bit that is set is a type that is not heard.
        types = sum(1 << kind for kind in HEARD)
        self.sockets[1].setsockopt(socket.IPPROTO_ICMPV6, ICMP6_FILTER,
                                   (~types & (1 << 256) - 1).to_bytes(32, sys.byteorder))

    def heard(self):
        for heard in self.sockets:
            while True:
                try:
                    data, ancillary, _, source = heard.recvmsg(1 << 16, 256)
                except BlockingIOError:
                    break
                to = next(c[2][:16] for c in ancillary if c[1] == socket.IPV6_PKTINFO)
                yield "got %s %s %s" % (source[0].split("%")[0], wire.text(to), data.hex() or "-")


def shown(packet):
    """A packet of B, in the words of golden_packets.py."""
    if packet.kind == R1:
        return "R1 %s %s %d" % (packet.source, packet.destination, packet.fields["nonce"])
    if packet.kind == R1BIS:
        return "R1bis %s %s %x" % (packet.source, packet.destination, packet.fields["tag"])
    return "sent " + (packet.octets[:1] + bytes(3) + packet.octets[4:]).hex()


def outcome(bench, listener, packets):
    """What comes of packets, and complaints that hold for all of them."""
    bench.drain()
    mark = bench.stats()
    bench.send(*packets)
    answers = bench.settle()
    words = ["%s%+d" % item for item in bench.since(mark, bench.SETTLED).items()]
    words += [*listener.heard(), *map(shown, answers)]
    return words, excess(packets, answers)


def excess(packets, answers):
    """Answers that are too long or that nobody may get."""
    asked, why = sum(map(len, packets)), []
    if sum(len(p.octets) for p in answers) > 3 * asked:
        why.append("more than three times as many octets as it was sent")
    if any(p.octets[24] == 0xFF for p in answers):
        why.append("an answer to a group")
    if any(p.octets[24:40] in (bytes(16), wire.addr("::1"), wire.addr(B1), wire.addr(B2)) for p in answers):
        why.append("an answer to itself or to nobody")
    return why


def prepare(bench):
    """The static context, and nothing that depends on time."""
    for name, value in (("ipv6/icmp/ratelimit", 0), ("ipv6/ip6frag_time", 600),
                        ("ipv4/icmp_msgs_per_sec", 1 << 20), ("ipv4/icmp_msgs_burst", 1 << 20),
                        ("ipv4/tcp_invalid_ratelimit", 0)):
        def write():
            with open("/proc/sys/net/" + name, "w", encoding="ascii") as file:
                file.write("%d\n" % value)
        bench.in_namespace(write)
    words = ["shim6", "context", "add", "--ulid-local", B1, "--ulid-peer", A1,
             "--tag-local", "0x%x" % TAG_B, "--tag-peer", "0x%x" % TAG_A, "--current-local", B2, "--current-peer", A2]
    for side, locators in (("local", (B1, B2)), ("peer", (A1, A2))):
        for locator in locators:
            words += ["--locator-%s" % side, locator + ",hba"]
    bench.command(*words)


def merged(words):
    """The words in their order, counters that are named more than once as one."""
    counters = Counter(w[:-2] for w in words if w.endswith("+1"))
    counters = ["%s+%d" % item for item in counters.items()]
    return sorted(counters + [w for w in words if not w.endswith("+1")])


def main():
    if len(sys.argv) == 1:
        for _, packets, _ in cases():
            print(*(p.hex() for p in packets), sep="\n")
        print(*(v["packet"] for v in wire.vectors("messages")["messages"]), sep="\n")
        return
    bench = Bench(sys.argv[1], sys.argv[2:])
    prepare(bench)
    listener, known = Listener(bench), list(cases())
    verdict("there are %d cases" % len(known), len(known) >= LEAST)
    for name, packets, expected in known:
        words, why = outcome(bench, listener, packets)
        words, expected = sorted(words), merged(expected)
        if words != expected:
            why.append("%s: got %s, expected %s" % (",".join(p.hex() for p in packets), words, expected))
        verdict(name, not why, "; ".join(why))


if __name__ == "__main__":
    main()
