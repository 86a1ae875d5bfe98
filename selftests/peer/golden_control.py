# SPDX-License-Identifier: GPL-2.0
"""Golden control messages, and ICMPv6 errors about what B sent: cases as in golden_payload.py.
67-malformed.sh has more messages."""

import wire
from bench import B1, B2
from golden_packets import *
from wire import ACK, ERROR, I1, I2, I2BIS, KEEPALIVE, PROBE, R1, R1BIS, R2, UPDATE, addr, ipv6

VALIDATOR = {"responder_nonce": 1, "validator": bytes(16)}
FIELDS = {I2: VALIDATOR, R1: VALIDATOR, R1BIS: VALIDATOR, I2BIS: {**VALIDATOR, "packet_tag": 5},
          PROBE: {"sta": 1, "sent": [bytes(40)], "received": []}}


def usual(kind, source):
    """What becomes of a message to B2 with B's tag (RFC 5533, Section 12.4): I1 is answered without
    a look at any context, I2 and I2bis fail by their validator, R1 and R2 have no question that they
    answer, R1bis no context with that tag of the peer. The others are for the static context, which
    nobody on the network has a say in."""
    if kind == I1:
        return of_type(kind, "OutR1") + ["R1 %s %s 7" % (B2, source)]
    return of_type(kind, "InBadValidator" if kind in (I2, I2BIS) else "InControlIgnored")


def messages():
    """From strangers and from the peer, and with addresses that RFC 5533, Section 12.3 does not
    want. A host has no context with itself."""
    bad = lambda m: m[:5] + bytes([m[5] ^ 1]) + m[6:]
    for kind in (I1, R1, I2, R2, R1BIS, I2BIS, UPDATE, ACK, KEEPALIVE, PROBE):
        fields, name = FIELDS.get(kind, {}), wire.NAMES[kind]
        yield "%s of a stranger with B's tag" % name, message(kind, **fields), usual(kind, STRANGER)
        yield "%s of the peer" % name, message(kind, source=A2, **fields), usual(kind, A2)
        yield ("%s to a group" % name, message(kind, destination="ff02::1", **fields),
               counted("InControl", "Drop_address"))
        yield "%s from a group" % name, message(kind, source="ff02::9", **fields), NOTHING
        yield ("%s from nobody" % name, message(kind, source="::", **fields),
               counted("InControl", "Drop_address"))
        yield "%s, reflected" % name, message(kind, source=B2, **fields), of_type(kind, "InControlIgnored")
        yield "%s with a bad checksum" % name, message(kind, bad, **fields), counted("InControl", "Drop_checksum")
    yield ("R1bis about what B sends", message(R1BIS, source=A2, **{**VALIDATOR, "tag": TAG_A}),
           of_type(R1BIS, "InControlIgnored"))
    yield ("an Error about what B sends", message(ERROR, source=A2, code=0, pointer=42, packet=ours()),
           of_type(ERROR, "InControlIgnored"))
    rest, first = chained([FRAGMENT], wire.SHIM6, message(I1)[40:])
    yield "I1 behind a fragment header", ipv6(STRANGER, B2, rest, first), usual(I1, STRANGER)
    i1 = message(I1)[40:]
    yield "I1 in two fragments", [piece(20, 0, 1, i1[:8]), piece(20, 8, 0, i1[8:])], usual(I1, A2)
    yield "I1 behind our payload header", ipv6(A2, B2, header(wire.SHIM6) + i1), counted("Drop_payload_nested")


def ours(source=B2, destination=A2, tag=TAG_A):
    """A datagram that B sent, as it was on the wire."""
    return ipv6(source, destination, header(UDP, tag) + udp(source=B1, destination=A1))


def about(kind, code, field, quote, source=STRANGER, destination=B2):
    """An ICMPv6 error."""
    return ipv6(source, destination, icmp(kind, code, field, quote, source, destination), ICMP)


def left(packet):
    """B's stack gets the error as it is."""
    return got(packet[40:], wire.text(packet[8:24]), wire.text(packet[24:40]))


def mapped(kind, code, field, cut=64):
    """B's stack gets the error as if no shim had been: it is about the datagram between the ULIDs, to
    B's, and quotes 8 octets less (RFC 5533, Section 8). `cut`: how much of ours() it quotes."""
    plain = ipv6(B1, A1, udp(source=B1, destination=A1), UDP)[:cut - 8]
    return counted("InIcmpTranslated") + got(icmp(kind, code, field, plain, STRANGER, B1), STRANGER, B1)


def errors():
    """Forged by those who know the tag of the peer and by those who do not. The context is found
    by that and by both locators (RFC 5533, Section 8); what is not surely about a packet of ours is
    the stack's business as it is."""
    for kind, code in ((1, 0), (1, 1), (1, 2), (1, 3), (1, 4), (1, 5), (1, 6), (3, 0), (3, 1)):
        yield "type %d, code %d, about our packet" % (kind, code), about(kind, code, 0, ours()), mapped(kind, code, 0)
    # Where something is wrong: before our header, in it (then it is the number of the header in
    # front, which the ULP knows), or behind it.
    for pointer, told in ((0, 0), (4, 4), (6, 6), (7, 7), (40, 6), (47, 6), (48, 40), (50, 42), (63, 55)):
        for code in (0, 1, 2):
            yield ("type 4, code %d, pointer %d" % (code, pointer), about(PROBLEM, code, pointer, ours()),
                   mapped(PROBLEM, code, told))
    # 8 octets are ours, and a ULP is never told less than 1280 (RFC 8200, Section 5).
    for mtu in (0, 68, 576, 1279, 1280, 1287, 1288, 1289, 1400, 1500, 65535, 0xFFFFFFFF):
        yield "an MTU of %d" % mtu, about(TOO_BIG, 0, mtu, ours()), mapped(TOO_BIG, 0, max(mtu - 8, 1280))
    for length in range(0, 65, 4):
        packet = about(UNREACHABLE, PORT, 0, ours()[:length])
        yield ("a quote of %d octets" % length, packet,
               left(packet) if length < 48 else mapped(UNREACHABLE, PORT, 0, length))
    for name, packet in (
        ("with the tag that B receives by", about(1, 4, 0, ours(tag=TAG_B))),
        ("with a tag of nobody", about(1, 4, 0, ours(tag=TAG_A ^ 1))),
        ("about the locators of another peer", about(1, 4, 0, ours(destination=STRANGER))),
        ("about a packet of another host", about(1, 4, 0, ours(source=STRANGER))),
        ("sent to B's other locator", about(1, 4, 0, ours(), destination=B1)),
        ("sent to a group", about(1, 4, 0, ours(), destination="ff02::1")),
        ("about a packet without our header", about(
            1, 4, 0, ipv6(B1, A1, udp(source=B1, destination=A1), UDP), destination=B1)),
        ("about a message of B", about(1, 4, 0, message(UPDATE, source=B2, destination=A2, tag=TAG_A))),
        ("about an error", about(1, 4, 0, about(1, 4, 0, ours(), B2, A2))),
        ("an unknown type of error", about(100, 0, 0, ours())),
        # RFC 4884, Section 4: the quote ends inside of it, and has its headers.
        ("with a length attribute beyond its end", about(1, 4, 0xFF << 24, ours())),
        ("with a length attribute inside the headers", about(1, 4, 2 << 24, ours())),
    ):
        yield name, packet, left(packet)
    bad = about(1, 4, 0, ours())
    yield "with a bad checksum", bad[:42] + bytes([bad[42] ^ 1]) + bad[43:], counted("InIcmpBad")
    # It is to the ULID, which sent no such packet.
    behind = icmp(1, 4, 0, ours(), A1, B1)
    yield "inside our header", shimmed(behind, ICMP), counted("InTranslated") + got(behind)
    rest, first = chained([OPTIONS], ICMP, icmp(1, 4, 0, ours(), STRANGER, B2))
    yield "behind an options header", ipv6(STRANGER, B2, rest, first), mapped(1, 4, 0)
    # Hop Limit is not 255 (RFC 4861, Section 8.1).
    yield "a redirect", about(137, 0, 0, addr(A2) + addr(STRANGER), source="fe80::2"), NOTHING


GROUPS = (messages, errors)
