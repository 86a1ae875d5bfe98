# SPDX-License-Identifier: GPL-2.0
"""Shim6 control messages (RFC 5533, Section 5; RFC 5534, Section 5): octets from
fields and fields from octets.

Written from the RFCs, apart from the code that it tests. `python3 wire.py` checks it
against the test vectors.
"""

import ipaddress
import json
import os
import struct
import sys

SHIM6 = 140
I1, R1, I2, R2, R1BIS, I2BIS = range(1, 7)
UPDATE, ACK, KEEPALIVE, PROBE, ERROR = range(64, 69)
NAMES = {
    I1: "I1", R1: "R1", I2: "I2", R2: "R2", R1BIS: "R1bis", I2BIS: "I2bis",
    UPDATE: "Update", ACK: "Ack", KEEPALIVE: "Keepalive", PROBE: "Probe", ERROR: "Error",
}
VALIDATOR, LIST, PREFERENCES, PDS, SIGNATURE, ULIDS, FII = range(1, 8)
TIMEOUT = 10
HBA, CGA = 1, 2

# Those of the protocol crate; qemu/run shows them to the guest at the same place.
VECTORS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../rust/proto/tests/vectors")


def vectors(name):
    """The contents of a file of test vectors."""
    with open(os.path.join(VECTORS, name + ".json"), encoding="ascii") as file:
        return json.load(file)


def addr(text):
    """16 octets of an address."""
    return ipaddress.IPv6Address(text).packed


def text(octets):
    """The address as text."""
    return str(ipaddress.IPv6Address(octets))


def checksum(octets):
    """The Internet checksum."""
    octets += b"\0" * (len(octets) % 2)
    total = sum(struct.unpack("!%dH" % (len(octets) // 2), octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def seal(message):
    """The message with its length and checksum set right."""
    length = len(message) // 8 - 1
    message = message[:1] + bytes([length & 0xFF]) + message[2:4] + b"\0\0" + message[6:]
    return message[:4] + struct.pack("!H", checksum(message)) + message[6:]


def resum(message):
    """The message with its checksum set right, over the header that it claims."""
    header = (message[1] + 1) * 8
    summed = checksum(message[:4] + b"\0\0" + message[6:header])
    return message[:4] + struct.pack("!H", summed) + message[6:]


def ipv6(source, destination, rest, protocol=SHIM6, length=None):
    """A packet."""
    length = len(rest) if length is None else length
    head = struct.pack("!IHBB", 6 << 28, length, protocol, 64)
    return head + addr(source) + addr(destination) + rest


def tag48(tag):
    """A tag in a control message: the bit before it is reserved."""
    return tag.to_bytes(6, "big")


def option(number, contents, critical=0):
    """An option; its padding is not part of its length."""
    head = struct.pack("!HH", number << 1 | critical, len(contents))
    return head + contents + b"\0" * (7 - (len(contents) + 3) % 8)


def locator_list(generation, locators, methods):
    """The contents of a Locator List option."""
    count = len(locators)
    head = struct.pack("!IB", generation, count) + bytes(methods)
    return head + b"\0" * (7 - count % 8) + b"".join(addr(l) for l in locators)


def preferences(generation, elements):
    """The contents of a Locator Preferences option; elements are lists of octets."""
    size = len(elements[0]) if elements else 1
    return struct.pack("!IB", generation, size) + b"".join(bytes(e) for e in elements)


def options(fields):
    """All options that the fields name, in ascending order of their types, except that
    those with `ulids` and `fii` come right behind the validator."""
    out = b""
    if "validator" in fields:
        out += option(VALIDATOR, fields["validator"])
    if "ulids" in fields:
        out += option(ULIDS, b"\0" * 4 + b"".join(addr(u) for u in fields["ulids"]))
    if "fii" in fields:
        out += option(FII, struct.pack("!I", fields["fii"]))
    if "locators" in fields:
        generation, methods = fields["generation"], fields["methods"]
        out += option(LIST, locator_list(generation, fields["locators"], methods))
    if "preferences" in fields:
        generation = fields.get("preferences_generation", fields.get("generation", 0))
        out += option(PREFERENCES, preferences(generation, fields["preferences"]))
    if "pds" in fields:
        out += option(PDS, fields["pds"])
    if "signature" in fields:
        out += option(SIGNATURE, fields["signature"])
    if "timeout" in fields:
        out += option(TIMEOUT, struct.pack("!HH", 0, fields["timeout"]))
    return out + fields.get("more", b"")


def fixed(kind, f):
    """What follows the checksum of a message, up to its options."""
    if kind == I1:
        return tag48(f["tag"]) + struct.pack("!I", f["nonce"])
    if kind == R1:
        return b"\0\0" + struct.pack("!II", f["nonce"], f["responder_nonce"])
    if kind == I2:
        return tag48(f["tag"]) + struct.pack("!III", f["nonce"], f["responder_nonce"], 0)
    if kind in (R2, UPDATE, ACK):
        return tag48(f["tag"]) + struct.pack("!I", f["nonce"])
    if kind == R1BIS:
        return tag48(f["tag"]) + struct.pack("!I", f["responder_nonce"])
    if kind == I2BIS:
        nonces = struct.pack("!II", f["nonce"], f["responder_nonce"])
        return tag48(f["tag"]) + nonces + b"\0" * 6 + tag48(f["packet_tag"])
    if kind == KEEPALIVE:
        return tag48(f["tag"]) + b"\0" * 4
    if kind == PROBE:
        counts = len(f["received"]) << 4 | len(f["sent"])
        records = b"".join(f["sent"] + f["received"])
        return tag48(f["tag"]) + bytes([counts, f["sta"] << 6, 0, 0]) + records
    if kind == ERROR:
        return struct.pack("!H", f["pointer"]) + f["packet"]
    raise ValueError(kind)


def build(kind, **fields):
    """A message. `more` is appended to its options as it is."""
    code = fields["code"] << 1 if kind == ERROR else 0
    head = bytes([59, 0, kind, code, 0, 0])
    return seal(head + fixed(kind, fields) + options(fields))


class Malformed(ValueError):
    """Octets that are not what they should be."""


def need(condition, what):
    if not condition:
        raise Malformed(what)


def parse_option(number, body, f):
    """Adds the contents of an option to the fields."""
    if number == VALIDATOR:
        f["validator"] = body
    elif number == LIST:
        count = body[4]
        start = 5 + count + 7 - count % 8
        need(len(body) == start + 16 * count, "length of the Locator List option")
        f["generation"] = int.from_bytes(body[:4], "big")
        f["methods"] = list(body[5 : 5 + count])
        f["locators"] = [text(body[i : i + 16]) for i in range(start, len(body), 16)]
    elif number == PREFERENCES:
        size = body[4]
        need(size and (len(body) - 5) % size == 0, "length of Locator Preferences")
        f["preferences_generation"] = int.from_bytes(body[:4], "big")
        f["preferences"] = [list(body[i : i + size]) for i in range(5, len(body), size)]
    elif number == PDS:
        f["pds"] = body
    elif number == SIGNATURE:
        f["signature"] = body
    elif number == ULIDS:
        need(len(body) == 36, "length of the ULID Pair option")
        f["ulids"] = (text(body[4:20]), text(body[20:]))
    elif number == FII:
        f["fii"] = int.from_bytes(body, "big")
    elif number == TIMEOUT:
        f["timeout"] = int.from_bytes(body[2:4], "big")
    else:
        raise Malformed("option %d" % number)


LENGTHS = {I1: 16, R1: 16, I2: 24, R2: 16, R1BIS: 16, I2BIS: 32, UPDATE: 16, ACK: 16,
           KEEPALIVE: 16}


def parse(message):
    """Type and fields of a good message; raises Malformed for all others."""
    need(len(message) >= 8 and len(message) == (message[1] + 1) * 8, "length")
    need(message[0] == 59, "Next Header")
    need(not message[2] & 0x80 and not message[3] & 1, "P or S")
    need(checksum(message) == 0, "checksum")
    kind, f = message[2], {}
    need(kind in NAMES, "type %d" % kind)
    u32 = lambda at: int.from_bytes(message[at : at + 4], "big")
    if kind == ERROR:
        f["code"], f["pointer"] = message[3] >> 1, u32(4) & 0xFFFF
        f["packet"] = message[8:]
        return kind, f
    need(message[3] == 0, "Reserved1")
    if kind == PROBE:
        sent, received = message[12] & 15, message[12] >> 4
        at = 16 + 40 * (sent + received)
        need(sent and at <= len(message), "records")
        records = [message[i : i + 40] for i in range(16, at, 40)]
        f["sta"], f["sent"], f["received"] = message[13] >> 6, records[:sent], records[sent:]
    else:
        at = LENGTHS[kind]
    need(len(message) >= at, "shorter than its fixed part")
    if kind != R1:
        f["tag"] = int.from_bytes(message[6:12], "big")
        need(f["tag"] < 1 << 47, "R")
    if kind == R1:
        f["nonce"], f["responder_nonce"] = u32(8), u32(12)
    elif kind == R1BIS:
        f["responder_nonce"] = u32(12)
    elif kind not in (KEEPALIVE, PROBE):
        f["nonce"] = u32(12)
    if kind in (I2, I2BIS):
        f["responder_nonce"] = u32(16)
    if kind == I2BIS:
        f["packet_tag"] = int.from_bytes(message[26:32], "big")
    parse_options(message, at, f)
    return kind, f


def parse_options(message, at, f):
    seen = set()
    while at < len(message):
        number, length = struct.unpack_from("!HH", message, at)
        total = 11 + length - (length + 3) % 8
        need(number not in seen, "option %d twice" % (number >> 1))
        need(not number & 1, "C")
        need(at + total <= len(message), "option beyond the header")
        need(not any(message[at + 4 + length : at + total]), "padding")
        parse_option(number >> 1, message[at + 4 : at + 4 + length], f)
        seen.add(number)
        at += total


def method_pointer(message, index, before=40):
    """Where the verification method of a locator is, from the IPv6 header on. `message` is
    a message with fields of fixed length in front of its options."""
    at = LENGTHS[message[2]]
    while True:
        number, length = struct.unpack_from("!HH", message, at)
        if number >> 1 == LIST:
            return before + at + 9 + index
        at += 11 + length - (length + 3) % 8


def check_vectors():
    """Compares all messages of the vectors with what is built of their parsed fields."""
    broken = {"unknown-type-100", "UpdateRequest-unknown-critical-option"}
    count = 0
    for vector in vectors("messages")["messages"]:
        octets = bytes.fromhex(vector["shim6"])
        packet = ipv6(vector["ip_src"], vector["ip_dst"], octets)
        assert packet.hex() == vector["packet"], vector["name"]
        assert resum(octets) == octets and seal(octets) == octets, vector["name"]
        if vector["name"] in broken:
            try:
                parse(octets)
            except Malformed:
                continue
            raise AssertionError(vector["name"])
        kind, fields = parse(octets)
        want = vector["fields"]
        for name, value in (("generation", "generation"), ("pds", "pds"), ("methods", "methods"),
                            ("locators", "locators"), ("signature", "signature"),
                            ("preferences", "preferences"), ("validator", "validator"),
                            ("keepalive_timeout", "timeout"), ("fii", "fii"),
                            ("responder_nonce", "responder_nonce"), ("packet_tag", "packet_tag"),
                            ("code", "code"), ("pointer", "pointer")):
            if name not in want or (kind == R1BIS and name == "packet_tag"):
                continue
            got = fields.get(value, fields.get("preferences_generation"))
            if isinstance(got, bytes):
                got = got.hex()
            elif isinstance(want[name], str):
                got = "%0*x" % (len(want[name]), got)
            assert got == want[name], (vector["name"], name, got, want[name])
        assert build(kind, **fields) == octets, vector["name"]
        count += 1
    return count


if __name__ == "__main__":
    if len(sys.argv) != 1:
        sys.exit("usage: wire.py")
    print("%d messages agree with the vectors" % check_vectors())
