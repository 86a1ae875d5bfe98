# SPDX-License-Identifier: GPL-2.0
"""Golden packets with a payload extension header, or something like one: a case is a name, the
packets and what has to come of them, by the rules that each group names."""

import itertools
import struct

import wire
from bench import B1, B2
from golden_packets import *
from wire import addr, ipv6


def good():
    """What an honest peer sends. The tag alone selects the context (RFC 5533, Sections 12.2 and
    12.4); what is behind the header is the stack's, between ULIDs."""
    for source, destination in itertools.product((A1, A2), (B1, B2)):
        yield ("payload by one of four pairs", shimmed(source=source, destination=destination),
               delivered())
    yield ("TCP to a closed port", shimmed(tcp(2), TCP),
           answered(TCP, tcp(0x14, B1, A1, (9, 7777), (0, 1001), 0)))
    yield "UDP to a closed port", shimmed(udp(), UDP), refused(PORT, 0, udp(), UDP, UNREACHABLE)
    yield ("an echo request", shimmed(icmp(128, 0, 7, DATA), ICMP),
           answered(ICMP, icmp(129, 0, 7, DATA, B1, A1)))
    yield ("a protocol that nobody knows", shimmed(following=NOBODY),
           refused(NEXT_HEADER, 6, DATA, NOBODY))
    yield "no next header", shimmed(following=NONE), counted("InTranslated")
    yield "no octet of payload", shimmed(b""), delivered(b"")
    yield "payload that fills a packet of 1500 octets", shimmed(b"x" * 1452), delivered(b"x" * 1452)


def tags():
    """Near misses: each bit of the tag, and the flag that makes payload of it (RFC 5533, Sections
    5.1, 5.2 and 7.17)."""
    for bit in range(47):
        tag = TAG_B ^ 1 << bit
        yield "bit %d of the tag is wrong" % bit, shimmed(tag=tag), lost(tag)
    for name, tag in (("tag 0", 0), ("all bits of the tag", (1 << 47) - 1),
                      ("the tag that B sends with", TAG_A)):
        yield name, shimmed(tag=tag), lost(tag)
    # It is a control message now, and the lowest bit of 0xed makes HIP of that (Section 5.3).
    yield "no flag of payload", shimmed(flag=0), counted("InControl", "Drop_not_shim6")


def lengths():
    """Every truncation, and lengths that are not true: without 8 octets there is no header, and
    Hdr Ext Len is 0 (RFC 5533, Section 5.2). Octets behind Payload Length do not exist (RFC 8200,
    Section 3); TCP and ICMPv6 find their rest incomplete."""
    short = lambda length: counted("Drop_truncated" if length < 8 else "InTranslated")
    whole = shimmed(tcp(2), TCP)[40:]
    for length in range(len(whole)):
        yield "TCP ends after %d octets" % length, ipv6(A2, B2, whole[:length]), short(length)
    whole = shimmed(icmp(128, 0, 7, DATA), ICMP)[40:]
    for length in range(8, len(whole), 3):
        yield "an echo request ends after %d octets" % length, ipv6(A2, B2, whole[:length]), short(length)
    for length in (1, 2, 31, 127, 255):
        wrong = counted("Drop_payload_length")
        yield "a header of %d units" % (length + 1), shimmed(length=length), wrong
        if 8 * length <= 1400:
            yield ("that is there of %d units" % (length + 1),
                   shimmed(bytes(8 * length) + DATA, length=length), wrong)
    rest = header(ECHOED) + DATA
    for claimed in range(17):
        yield ("16 octets that claim to be %d" % claimed, ipv6(A2, B2, rest, length=claimed),
               short(claimed) if claimed < 8 else delivered(DATA[:claimed - 8]))
    for claimed in (17, 24, 40, 1280, 65535):
        yield "16 octets that claim to be %d" % claimed, ipv6(A2, B2, rest, length=claimed), NOTHING


def chains():
    """Every chain of up to two headers before ours, some longer ones, and what may follow it, but
    not another one of ours.
    Headers come in any order and any number but for Hop-by-Hop, which is the first or unknown
    (RFC 8200, Sections 4 and 4.1); this kernel complains of a second Fragment header, and discards
    what has more than 12 headers (RFC 8504, Section 5.3 lets it). Behind Destination Options that
    no Routing header follows, or a Fragment header, ours is late (RFC 5533, Sections 4.6 and 11.1)."""
    kinds = {"hop": HOP, "options": OPTIONS, "routing": ROUTING, "fragment": FRAGMENT}
    for count in (1, 2):
        for names in itertools.product(kinds, repeat=count):
            rest, first = chained([kinds[n] for n in names], wire.SHIM6, header(ECHOED) + DATA)
            packet = ipv6(A2, B2, rest, first)
            if names[1:] == ("hop",):
                come = complained(NEXT_HEADER, 40, packet)
            elif names == ("fragment",) * 2:
                come = complained(FIELD, 48, packet)
            elif "fragment" in names or names[-1] == "options":
                come = late()
            else:
                come = delivered()
            yield "behind " + ", ".join(names), packet, come
    for names, come in ((("hop", "options", "routing"), delivered()), (("options",) * 7, late()),
                        (("options",) * 8, late()), (("options",) * 11, late()),
                        (("options",) * 16, NOTHING)):
        rest, first = chained([kinds[n] for n in names], wire.SHIM6, header(ECHOED) + DATA)
        yield "behind %d headers, %s last" % (len(names), names[-1]), ipv6(A2, B2, rest, first), come
    for name, kind in kinds.items():
        rest, first = chained([kind], ECHOED, DATA)
        yield ("in front of %s" % name, ipv6(A2, B2, header(first) + rest),
               refused(NEXT_HEADER, 6, rest, HOP) if kind == HOP else delivered())
        rest = bytes([wire.SHIM6, 255]) + extension(kind, wire.SHIM6)[2:] + header(ECHOED) + DATA
        # The Fragment header has no length: what would be one is reserved (RFC 8200, Section 4.5).
        yield ("behind %s with 255 for a length" % name, ipv6(A2, B2, rest, kind),
               late() if kind == FRAGMENT else NOTHING)
    yield from routes()
    for following in (139, 255):
        rest = header(ECHOED) + DATA
        yield ("our header, then number %d" % following, ipv6(A2, B2, header(following) + rest),
               refused(NEXT_HEADER, 6, rest, following))
    yield ("our header twice", ipv6(A2, B2, header(wire.SHIM6) + header(ECHOED) + DATA),
           counted("Drop_payload_nested"))
    for kinds, what in (((), "InTranslated"), ((OPTIONS,), "InTranslatedLate")):
        rest, first = chained([*kinds, wire.SHIM6], OPTIONS, extension(OPTIONS, wire.SHIM6) + header(ECHOED) + DATA)
        yield ("%d options, our header, options, our header" % len(kinds), ipv6(A2, B2, rest, first),
               counted(what, "Drop_payload_nested"))
    yield from options()


def routes():
    """Routing headers (RFC 8200, Section 4.4). What has segments left is on its way to somebody
    else, and not ours to translate: an unknown type is answered, and this kernel discards those
    of types 3 and 4 unless it is told to take them."""
    for left, kind in ((1, 0), (1, 3), (1, 4), (1, 253), (0, 0), (0, 253)):
        rest = bytes([wire.SHIM6, 2, kind, left, 0, 0, 0, 0]) + addr(B1) + header(ECHOED) + DATA
        packet = ipv6(A2, B2, rest, ROUTING)
        if not left:
            come = delivered()
        else:
            come = NOTHING if kind in (3, 4) else complained(FIELD, 42, packet)
        yield "routing type %d with %d left" % (kind, left), packet, come


def options():
    """Unknown options do what their two highest bits say (RFC 8200, Section 4.2), and a Jumbo
    Payload belongs to a Payload Length of 0 and is longer than 65535 octets (RFC 2675, Section 3)."""
    for kind in (0x3E, 0x7E, 0xBE, 0xFE):
        rest = bytes([wire.SHIM6, 0, kind, 4, 0, 0, 0, 0]) + header(ECHOED) + DATA
        packet = ipv6(A2, B2, rest, OPTIONS)
        come = {0x3E: late(), 0x7E: NOTHING}.get(kind, complained(OPTION, 42, packet))
        yield "an unknown option 0x%02x in front" % kind, packet, come
    jumbo = lambda length: bytes([wire.SHIM6, 0, 0xC2, 4]) + struct.pack("!I", length) + header(ECHOED) + DATA
    packet = ipv6(A2, B2, jumbo(16), HOP, length=0)
    yield "a jumbogram of 16 octets", packet, complained(FIELD, 44, packet)
    packet = ipv6(A2, B2, jumbo(70000), HOP)
    yield "a jumbo option beside a length", packet, complained(FIELD, 42, packet)
    yield ("a jumbogram of 70000 octets that are not there", ipv6(A2, B2, jumbo(70000), HOP, length=0),
           NOTHING)


def fragments():
    """A packet that was fragmented below the shim is whole again before the shim sees it; one that
    was fragmented above has our header in front of every fragment (RFC 5533, Section 1.6). Overlaps
    cost the whole packet (RFC 5722), but this kernel takes what covers the same octets for a
    duplicate, whatever is in it. A first fragment has all headers (RFC 8200, Section 4.5); ours is
    an upper layer to this kernel."""
    whole, told = header(ECHOED) + DATA * 4, DATA * 4
    yield "two fragments", [piece(1, 0, 1, whole[:16]), piece(1, 16, 0, whole[16:])], late(told)
    yield "the second one first", [piece(2, 16, 0, whole[16:]), piece(2, 0, 1, whole[:16])], late(told)
    yield ("the first has our header and nothing else",
           [piece(3, 0, 1, whole[:8]), piece(3, 8, 0, whole[8:])], late(told))
    yield ("the first is sent twice",
           [piece(4, 0, 1, whole[:16]), piece(4, 0, 1, whole[:16]), piece(4, 16, 0, whole[16:])], late(told))
    yield ("they overlap by 8 octets", [piece(5, 0, 1, whole[:24]), piece(5, 16, 0, whole[16:])], NOTHING)
    other = header(ECHOED, 1) + DATA
    yield ("the first comes again with another tag",
           [piece(6, 0, 1, whole[:16]), piece(6, 0, 1, other), piece(6, 16, 0, whole[16:])], late(told))
    odd = piece(7, 0, 1, whole[:13])
    yield "the first is no multiple of 8 octets", odd, complained(FIELD, 4, odd)
    empty = piece(8, 0, 1, b"")
    yield "the first is of no octets", empty, complained(CHAIN, 0, empty)
    yield "the last alone", piece(9, 16, 0, whole[16:]), NOTHING
    beyond = piece(10, 65528, 0, whole[:16])
    yield "beyond 65535 octets", beyond, complained(FIELD, 42, beyond)
    first = piece(11, 0, 1, extension(OPTIONS, wire.SHIM6), OPTIONS)
    yield ("an options header in the first, ours in the second", [first, piece(11, 8, 0, whole, OPTIONS)],
           complained(CHAIN, 0, first))
    yield "one that is whole", piece(12, 0, 0, whole), late(told)
    yield ("two, with a tag of nobody", [piece(13, 0, 1, header(ECHOED, 5) + DATA), piece(13, 16, 0, DATA)],
           lost(5))
    both = counted("InTranslated") * 2
    yield ("our header in front of each of two", [inner(14, 0, 1, DATA), inner(14, 8, 0, DATA)],
           both + got(DATA * 2))
    yield ("the same by two pairs", [inner(15, 0, 1, DATA, source=A1, destination=B1), inner(15, 8, 0, DATA)],
           both + got(DATA * 2))
    yield ("in front of the first only", [inner(16, 0, 1, DATA), piece(16, 8, 0, DATA, ECHOED)],
           counted("InTranslated"))
    yield "in front of two that overlap", [inner(17, 0, 1, DATA * 2), inner(17, 8, 0, DATA)], both


def addresses():
    """Sources and destinations that are spoofed, or none. No address is checked where the tag is
    right (RFC 5533, Section 12.2), but the stack takes no packet from a group, and none from or to
    the loopback address (RFC 4291, Sections 2.5.3 and 2.7), and multicast is never shimmed (RFC 5533,
    Section 1.4). R1bis goes to no group and to nobody (Section 12.3)."""
    for name, source in (("B's ULID", B1), ("B's locator", B2), ("a stranger", STRANGER),
                         ("nobody", "::"), ("a link-local address", "fe80::2"),
                         ("a mapped address", "::ffff:192.0.2.1")):
        come = lost(5, source)
        if source in (B1, B2):
            # It gets the answer itself, and nothing comes of that.
            come = counted("InUnknownTag", "OutR1bis") + of_type(wire.R1BIS, "InControlIgnored")
        elif source == "::":
            come = counted("Drop_address")
        yield "payload from %s" % name, shimmed(source=source), delivered()
        yield "an unknown tag from %s" % name, shimmed(source=source, tag=5), come
    for name, source in (("loopback", "::1"), ("a group", "ff02::1"), ("a far group", "ff0e::1")):
        for tag in (TAG_B, 5):
            yield "payload with tag %x from %s" % (tag, name), shimmed(source=source, tag=tag), NOTHING
    for name, destination, come in (
        ("all nodes", "ff02::1", counted("Drop_address")),
        ("its solicited node", "ff02::1:ff1f:c548", counted("Drop_address")),
        ("all routers", "ff02::2", NOTHING), ("loopback", "::1", NOTHING),
        ("another host", "2001:db8:b:2::77", counted("InForwarded")),
    ):
        for tag in (TAG_B, 5):
            yield "payload with tag %x to %s" % (tag, name), shimmed(destination=destination, tag=tag), come
    yield "payload to a link-local address", shimmed(destination="fe80::1"), delivered()
    yield ("an unknown tag to a link-local address", shimmed(destination="fe80::1", tag=5),
           lost(5, A2, "fe80::1"))
    yield "B's own packet comes back", shimmed(source=B2, destination=A2, tag=TAG_A), counted("InForwarded")
    yield "B's own packet, reflected", shimmed(source=A2, destination=B2, tag=TAG_A), lost(TAG_A)
    yield "from and to the same locator", shimmed(source=B2, destination=B2), delivered()
    yield ("between the ULIDs without a header", ipv6(A1, B1, DATA, ECHOED), counted("InUlids") + got())
    yield "between the locators without a header", ipv6(A2, B2, DATA, ECHOED), got(DATA, A2, B2)


GROUPS = (good, tags, lengths, chains, fragments, addresses)
