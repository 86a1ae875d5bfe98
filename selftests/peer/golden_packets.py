# SPDX-License-Identifier: GPL-2.0
"""What golden packets are made of, and the words for what has to come of them.

B has a static context: ULIDs B1 and A1, locators B1, B2 and A1, A2; it sends from B2 to A2.
What it receives carries TAG_B, what it sends TAG_A."""

import struct

import wire
from bench import B1, B2
from wire import addr, ipv6

A1 = "2001:db8:a:1:87b:8895:4bd3:1492"
A2 = "2001:db8:a:2:10c8:6551:484f:c005"
TAG_A, TAG_B = 0x4123456789AB, 0x2FEDCBA98765
STRANGER = "2001:db8:f:1::1"
HOP, TCP, UDP, ROUTING, FRAGMENT, ICMP, NONE, OPTIONS = 0, 6, 17, 43, 44, 58, 59, 60
# A protocol that a raw socket of the test listens to, and one that nobody does.
ECHOED, NOBODY = 253, 254
DATA = b"payload."
# ICMPv6 errors and their codes (RFC 4443, Section 3; RFC 8200, Section 4.5).
UNREACHABLE, TOO_BIG, TIME_EXCEEDED, PROBLEM = range(1, 5)
PORT = 4
FIELD, NEXT_HEADER, OPTION, CHAIN = range(4)


def header(following, tag=TAG_B, length=0, flag=1):
    """A payload extension header."""
    return bytes([following, length]) + (tag | flag << 47).to_bytes(6, "big")


def extension(kind, following):
    """An extension header that asks for nothing, or ours."""
    if kind == wire.SHIM6:
        return header(following)
    if kind == ROUTING:
        return bytes([following, 0, 253, 0, 0, 0, 0, 0])
    if kind == FRAGMENT:
        return bytes([following, 0, 0, 0, 0, 0, 0, 9])
    return bytes([following, 0, 1, 4, 0, 0, 0, 0])


def chained(kinds, last, rest):
    """A chain of extension headers in front of a header, and the number of its first."""
    for kind in reversed(kinds):
        rest, last = extension(kind, last) + rest, kind
    return rest, last


def shimmed(rest=DATA, following=ECHOED, source=A2, destination=B2, **more):
    return ipv6(source, destination, header(following, **more) + rest)


def sealed(kind, source, destination, rest, at):
    """With the checksum of an upper layer, which is over these addresses."""
    pseudo = addr(source) + addr(destination) + struct.pack("!II", len(rest), kind)
    summed = wire.checksum(pseudo + rest) or 0xFFFF
    return rest[:at] + struct.pack("!H", summed) + rest[at + 2:]


def tcp(flags, source=A1, destination=B1, ports=(7777, 9), sequence=(1000, 2000), window=100):
    rest = struct.pack("!HHIIBBHHH", *ports, *sequence, 5 << 4, flags, window, 0, 0)
    return sealed(TCP, source, destination, rest, 16)


def udp(data=DATA, source=A1, destination=B1):
    rest = struct.pack("!HHHH", 7777, 9, 8 + len(data), 0) + data
    return sealed(UDP, source, destination, rest, 6)


def icmp(kind, code, field, rest=b"", source=A1, destination=B1):
    rest = struct.pack("!BBHI", kind, code, 0, field) + rest
    return sealed(ICMP, source, destination, rest, 2)


def piece(identity, at, more, rest, following=wire.SHIM6):
    """A fragment between locators; `at` counts octets."""
    return ipv6(A2, B2, struct.pack("!BBHI", following, 0, at | more, identity) + rest, FRAGMENT)


def inner(identity, at, more, rest, **way):
    """A fragment between ULIDs, with our header in front of it."""
    return shimmed(struct.pack("!BBHI", ECHOED, 0, at | more, identity) + rest, FRAGMENT, **way)


def message(kind, edit=None, source=STRANGER, destination=B2, **fields):
    """A control message."""
    octets = wire.build(kind, **{"tag": TAG_B, "nonce": 7, **fields})
    return ipv6(source, destination, edit(octets) if edit else octets)


#
# Words for what comes of packets.
#

NOTHING = []
COUNTED = {wire.UPDATE: "UpdateRequest", wire.ACK: "UpdateAcknowledgement"}


def counted(*names):
    return [name + "+1" for name in names]


def got(rest=DATA, source=A1, destination=B1):
    """A raw socket of B gets this, from and to these addresses."""
    return ["got %s %s %s" % (source, destination, rest.hex() or "-")]


def sent(packet):
    """B sends this; its flow label is random."""
    return ["sent " + (packet[:1] + bytes(3) + packet[4:]).hex()]


def delivered(rest=DATA):
    """The ULIDs are back, and protocol 253 has it (RFC 5533, Section 12.2)."""
    return counted("InTranslated") + got(rest)


def late(rest=DATA):
    """The same where the header is not in the place where RFC 5533, Section 4.6 puts it."""
    return counted("InTranslatedLate") + got(rest)


def answered(following, rest):
    """What came with our header is answered between the ULIDs, and that gets one."""
    return counted("InTranslated", "OutTranslated") + sent(ipv6(B2, A2, header(following, TAG_A) + rest))


def refused(code, pointer, rest, following, kind=PROBLEM):
    """B's stack answers with an ICMPv6 error. It quotes what is left behind our header."""
    quote = ipv6(A1, B1, rest, following)
    return answered(ICMP, icmp(kind, code, pointer, quote, B1, A1))


def complained(code, pointer, packet):
    """B's stack answers a packet between locators, at which the shim had no look."""
    return sent(ipv6(B2, A2, icmp(PROBLEM, code, pointer, packet, B2, A2), ICMP))


def lost(tag, source=A2, destination=B2):
    """R1bis: nobody here gave out the tag (RFC 5533, Section 7.17)."""
    return counted("InUnknownTag", "OutR1bis") + ["R1bis %s %s %x" % (destination, source, tag)]


def of_type(kind, *names):
    """A message that counts as one of its type, and what else is counted."""
    return counted("InControl", "In" + COUNTED.get(kind, wire.NAMES[kind]), *names)
