# SPDX-License-Identifier: GPL-2.0
"""Messages that are not what RFC 5533, Section 12.3 wants them to be: each is counted
once, answered with the Error message that it deserves, and leaves nothing behind."""

import struct
import sys
import time

import wire
from bench import B1, NEW, Bench, Peer, counts, equal, verdict
from cga import Host
from wire import (
    ACK, ERROR, I1, I2, I2BIS, KEEPALIVE, PROBE, R1, R1BIS, R2, UPDATE,
)

COUNTED = {I1: "InI1", R1: "InR1", I2: "InI2", R2: "InR2", R1BIS: "InR1bis", I2BIS: "InI2bis",
           UPDATE: "InUpdateRequest", ACK: "InUpdateAcknowledgement", KEEPALIVE: "InKeepalive",
           PROBE: "InProbe", ERROR: "InError"}
STRANGER = "2001:db8:f:1::1"
BATCH = 16


def vectors():
    return {v["name"]: v for v in wire.vectors("messages")["messages"]}


def octets(vector):
    return bytes.fromhex(vector["shim6"])


def with_tag(message, tag):
    """The message with another tag in octets 6 to 11."""
    return wire.resum(message[:6] + wire.tag48(tag) + message[12:])


def errors(bench):
    """S51: the Error messages of the vectors, octet by octet; the tag is B's choice, and it is
    the only difference."""
    known = vectors()
    host = Host.of_vector("hostA")
    fields = wire.parse(octets(known["I2"]))[1]
    told = {n: fields[n] for n in ("generation", "locators", "methods", "preferences",
                                   "preferences_generation", "pds", "timeout")}
    peer = Peer(bench, host, told=told)
    peer.tag, peer.nonce = fields["tag"], fields["nonce"]
    got = bench.expect("I1 of the vectors is answered", bytes.fromhex(known["I1"]["packet"]), ["R1"],
                       counts("InI1", "OutR1"))
    f = {**got[0].fields}
    peer.r1 = dict(f)
    vector = wire.parse(octets(known["R1"]))[1]
    f.update(responder_nonce=vector["responder_nonce"], validator=vector["validator"])
    equal("with R1 of the vectors, but for Responder Nonce and validator",
          wire.build(R1, **f).hex(), known["R1"]["shim6"])
    offer = octets(known["I2"])
    built = wire.build(I2, **{**peer.fields(I2), "responder_nonce": fields["responder_nonce"],
                              "validator": fields["validator"]})
    equal("I2 of the vectors is what is sent now, but for these", built.hex(), offer.hex())
    got = bench.expect("it is answered with R2", peer.packet(I2), ["R2"],
                       {**NEW, **counts("InI2", "OutR2")})
    peer.got_r2(got)
    # B has two uplinks here, and its own generations and tags.
    r2, vector = got[0].fields, wire.parse(octets(known["R2"]))[1]
    equal("with nonce, PDS and methods of R2 of the vectors",
          (r2["nonce"], r2["pds"], r2["methods"], r2["locators"]),
          (vector["nonce"], vector["pds"], vector["methods"][:2], vector["locators"][:2]))
    equal("B knows the Keepalive Timeout, the generation and the locators", peer.knows()[:2],
          (told["locators"], 0xA0000001))
    for code, trigger, counted in (
        (0, "unknown-type-100", ("Drop_unknown_type",)),
        (1, "UpdateRequest-unknown-critical-option", ("Drop_option_critical",)),
        (2, "UpdateRequest-bad-method",
         ("InUpdateRequest", "InRefused", "Discard_verification", "Refuse_unknown_method")),
        (3, "UpdateRequest-bad-generation", ("InUpdateRequest", "InRefused", "Discard_preferences")),
        (4, "UpdateRequest-bad-count", ("InUpdateRequest", "InRefused", "Discard_preferences")),
    ):
        message, want = octets(known[trigger]), octets(known["Error-%d" % code])
        if code > 1:
            message = with_tag(message, peer.tag_theirs)
            # The quoted message is at 8 + 40.
            want = wire.resum(want[:48] + message + want[48 + len(message):])
        packet = wire.ipv6(known[trigger]["ip_src"], known[trigger]["ip_dst"], message)
        got = bench.expect("%s of the vectors is answered with Error %d" % (trigger, code), packet,
                           ["Error %d at %d" % (code, wire.parse(want)[1]["pointer"])],
                           counts("OutError", *counted))
        equal("which is that of the vectors", [p.rest.hex() for p in got], [want.hex()])
    message = with_tag(octets(known["UpdateRequest-preferences-only"]), peer.tag_theirs)
    got = bench.expect("the good Update Request of the vectors is acknowledged",
                       wire.ipv6(peer.ours, B1, message), ["Ack"],
                       counts("InUpdateRequest", "OutUpdateAcknowledgement"))
    for code in (0, 4, 127):
        bench.expect("Error %d about that Ack is not answered" % code,
                     peer.packet(ERROR, code=code, pointer=42, packet=got[0].octets), [], counts("InError"))
    context = bench.context(peer)
    noted = [h["event"] for h in context["history"][:3]]
    equal("it is noted, and without consequence", (context["state"], noted),
          ("ESTABLISHED", ["peer-error"] * 3))
    return peer


def usual(peer):
    """A message of each type from a stranger, and what becomes of it as it is."""
    probe = dict(sta=1, sent=[bytes(40)], received=[])
    validator = dict(responder_nonce=1, validator=bytes(16))
    unknown, ignored = ("InUnknownTag", "OutR1bis"), ("InControlIgnored",)
    yield I1, {}, ["R1"], ("OutR1",)
    yield R1, validator, [], ignored
    yield I2, validator, [], ("InBadValidator",)
    yield R2, {}, [], ignored
    yield R1BIS, validator, [], ignored
    yield I2BIS, dict(packet_tag=1, **validator), [], ("InBadValidator",)
    yield UPDATE, dict(tag=1), ["R1bis"], unknown
    yield ACK, dict(tag=1), ["R1bis"], unknown
    yield KEEPALIVE, dict(tag=1), ["R1bis"], unknown
    yield PROBE, dict(tag=1, **probe), ["R1bis"], unknown


def critical(bench, host):
    """S50: what a receiver does not know, it says so or skips it, as C has it."""
    peer = Peer(bench, host)
    peer.r1 = dict(responder_nonce=1, validator=b"")
    peer.r1bis = dict(peer.r1, tag=1)
    for kind, fields, answers, counted in usual(peer):
        name = wire.NAMES[kind]
        before = len(peer.packet(kind, **fields))
        for number in (0, 8, 9, 11, 0x1234, 0x4000, 0x7FFF):
            made = lambda c: peer.packet(kind, more=wire.option(number, b"1234", c), **fields)
            if number in (0, 0x1234):
                bench.expect("%s with option %d, C = 0: it is skipped" % (name, number), made(0), answers,
                             counts(COUNTED[kind], *counted))
            bench.expect("%s with option %d, C = 1: Error 1" % (name, number), made(1),
                         ["Error 1 at %d" % before], counts("Drop_option_critical", "OutError"))
    # One that is known, but not for this message (RFC 5533, Section 12.3).
    fii = b"\0\0\0\x05"
    for kind, fields, answers, counted in usual(peer):
        if kind in (I1, I2, I2BIS):
            continue
        before = len(peer.packet(kind, **fields))
        packet = peer.packet(kind, more=wire.option(wire.FII, fii, 1), **fields)
        bench.expect("%s with an FII option, C = 1: Error 1" % wire.NAMES[kind], packet,
                     ["Error 1 at %d" % before], counts("Drop_option_critical", "OutError"))
    packet = peer.packet(I1, more=wire.option(wire.FII, fii, 1))
    bench.expect("an option of its own with C = 1 is known", packet, ["R1"], counts("InI1", "OutR1"))
    packet = peer.packet(I1, more=wire.option(0x1234, b"", 0) + wire.option(0x1235, b"x" * 9, 1))
    bench.expect("the pointer is at the option that is critical", packet, ["Error 1 at 64"],
                 counts("Drop_option_critical", "OutError"))
    multi = lambda kind: peer.packet(kind, tag=1, destination="ff02::1",
                                     more=wire.option(0x1234, b"1234", 1))
    bench.expect("to a multicast address: no Error", multi(UPDATE), [], counts("Drop_address"))


def types(bench, host):
    """Types that do not exist; and what is never answered with an Error."""
    peer = Peer(bench, host)
    known = set(wire.NAMES)
    unknown = [t for t in range(128) if t not in known]
    make = lambda kind: peer.packet(I1, edit=lambda m: wire.resum(m[:2] + bytes([kind]) + m[3:]))
    bench.expect("all %d unknown types are answered with Error 0 at the type" % len(unknown),
                 [make(t) for t in unknown], ["Error 0 at 42"] * len(unknown),
                 {"Drop_unknown_type": len(unknown), "OutError": len(unknown)})
    # Destination Options in front: the pointer counts from the IPv6 header.
    behind = bytes([140, 0, 1, 4, 0, 0, 0, 0]) + make(100)[40:]
    bench.expect("behind another header the pointer is further on",
                 wire.ipv6(peer.ours, B1, behind, 60), ["Error 0 at 50"],
                 counts("Drop_unknown_type", "OutError"))
    shortest = wire.seal(bytes([59, 0, 100, 0, 0, 0, 0, 0]))
    got = bench.expect("the shortest of them, too", wire.ipv6(peer.ours, B1, shortest), ["Error 0 at 42"],
                       counts("Drop_unknown_type", "OutError"))
    equal("it is quoted whole", [p.fields["packet"] for p in got], [wire.ipv6(peer.ours, B1, shortest)])
    long = wire.seal(bytes([59, 0, 100, 0, 0, 0]) + bytes(1394))
    got = bench.expect("a long one, too", wire.ipv6(peer.ours, B1, long), ["Error 0 at 42"],
                       counts("Drop_unknown_type", "OutError"))
    verdict("the quote is cut to whole units, within 1280 octets",
            all(len(p.octets) <= 1280 and len(p.fields["packet"]) % 8 == 0 for p in got))
    for code in (0, 1, 2, 3, 4, 5, 119, 120, 127):
        packet = peer.packet(ERROR, code=code, pointer=42, packet=make(100))
        bench.expect("Error %d about a packet that nobody sent is ignored" % code, packet, [],
                     counts("InError"))
    for length in (0, 8, 40, 48):
        packet = peer.packet(ERROR, code=0, pointer=42, packet=make(100)[:length])
        quiet(bench, "Error with a quote of %d octets is not answered" % length, packet)
    edits = {
        "S = 1 (HIP)": (lambda m: wire.resum(m[:3] + b"\1" + m[4:]), "Drop_not_shim6"),
        "a wrong checksum": (lambda m: m[:4] + bytes([m[4] ^ 1]) + m[5:], "Drop_checksum"),
        "checksum 0": (lambda m: m[:4] + b"\0\0" + m[6:], "Drop_checksum"),
        "checksum 0xffff": (lambda m: m[:4] + b"\xff\xff" + m[6:], "Drop_checksum"),
    }
    for what, (edit, counted) in edits.items():
        bench.expect("unknown type with %s: no Error" % what,
                     wire.ipv6(peer.ours, B1, edit(make(100)[40:])), [], counts(counted))
    set_all = lambda m: wire.resum(m[:3] + b"\xfe" + m[4:6] + bytes([m[6] | 0x80]) + m[7:])
    bench.expect("reserved bits are ignored", peer.packet(I1, edit=set_all), ["R1"], counts("InI1", "OutR1"))
    ending = peer.packet(I1, edit=lambda m: m + b"behind the header")
    ending = ending[:4] + (len(ending) - 40).to_bytes(2, "big") + ending[6:]
    bench.expect("octets behind the header do not count", ending, ["R1"], counts("InI1", "OutR1"))


def quiet(bench, what, packet):
    """Not answered, however it is counted, and counted as one message."""
    bench.drain()
    mark = bench.stats()
    bench.send(packet)
    got = bench.settle()
    delta = bench.since(mark, bench.SETTLED)
    sent = got or any(name.startswith("Out") for name in delta)
    verdict(what, not sent and delta.get("InControl") == 1,
            "sent %s, counted %s" % ([str(p) for p in got], delta))


def twisted(bench, host):
    """Options that contradict themselves."""
    peer = Peer(bench, host)
    o = wire.option
    raw = lambda number, length, rest: struct.pack("!HH", number << 1, length) + rest
    fii = o(wire.FII, b"\0\0\0\5")
    pair = o(wire.ULIDS, bytes(4) + wire.addr(host.addresses[0]) + wire.addr(B1))
    for what, more, name in (
        ("an option beyond the header", raw(0x1234, 5, b"1234"), "option_overrun"),
        ("an option far beyond the header", raw(0x1234, 0xFFFF, b"1234"), "option_overrun"),
        ("a second option beyond the header", fii + raw(0x1234, 100, b"1234"), "option_overrun"),
        ("an FII of 3 octets", o(wire.FII, b"123"), "option_malformed"),
        ("an FII of 5 octets", o(wire.FII, b"12345"), "option_malformed"),
        ("an FII of no octets", o(wire.FII, b""), "option_malformed"),
        ("ULIDs of 35 octets", o(wire.ULIDS, bytes(35)), "option_malformed"),
        ("ULIDs of 37 octets", o(wire.ULIDS, bytes(37)), "option_malformed"),
        ("FII twice", fii + fii, "option_duplicate"),
        ("ULIDs twice", pair + fii + pair, "option_duplicate"),
    ):
        bench.expect("I1 with %s is dropped" % what, peer.packet(I1, more=more), [], counts("Drop_" + name))
    one = host.addresses[0]
    good = wire.locator_list(1, [one], [1])
    for what, contents in (
        ("of no locators", wire.locator_list(1, [], [])),
        ("shorter than its count says", good[:-1]),
        ("longer than its count says", good + b"\0"),
        ("with a count of 255", good[:4] + b"\xff" + good[5:]),
        ("with a count of 2 and one locator", good[:4] + b"\2" + good[5:]),
        ("of 4 octets", good[:4]),
        ("of no octets", b""),
    ):
        bench.expect("Update Request with a list %s is dropped" % what,
                     peer.packet(UPDATE, tag=1, more=o(wire.LIST, contents)), [],
                     counts("Drop_option_malformed"))
    for what, contents in (
        ("with elements of no octets", b"\0\0\0\1\0ab"),
        ("with half an element", b"\0\0\0\1\2abc"),
        ("of 4 octets", b"\0\0\0\1"),
        ("of no octets", b""),
    ):
        bench.expect("Update Request with preferences %s is dropped" % what,
                     peer.packet(UPDATE, tag=1, more=o(wire.PREFERENCES, contents)), [],
                     counts("Drop_option_malformed"))
    probe = lambda counts_, sta, records: peer.packet(
        PROBE, tag=1, sta=0, sent=[bytes(40)] * records, received=[],
        edit=lambda m: wire.resum(m[:12] + bytes([counts_, sta << 6]) + m[14:]))
    for what, packet, name in (
        ("without sent records", probe(0x10, 1, 1), "probe_without_sent"),
        ("of state 3", probe(0x01, 3, 1), "probe_state"),
        ("with fewer records than it says", probe(0x11, 1, 1), "probe_records"),
        ("with 30 records that are not there", probe(0xFF, 1, 2), "probe_records"),
    ):
        bench.expect("Probe %s is dropped" % what, packet, [], counts("Drop_" + name))


def fuzz(bench, peer):
    """S49: every truncation of every vector, every length, every octet changed. Each message is
    counted once: as dropped for a reason, or as one of its type."""
    def run(what, messages, exactly=None, source=STRANGER, turns=1):
        bench.drain()
        mark, before, count, settles = bench.stats(), len(bench.contexts()), 0, 0

        def counted():
            """B's queue is fair to peers, so that it has settled once does not mean that it
            has done with these messages: only that nothing is counted any more does. Those
            that a context gets wait behind each other, and B takes one in turn with what it
            settles: as many turns as there are."""
            nonlocal settles
            before, deadline = None, time.monotonic() + 20
            while True:
                for _ in range(turns):
                    bench.settle()
                settles += turns
                less = {name: value * settles for name, value in bench.SETTLED.items()}
                delta = bench.since(mark, less)
                dropped = sum(v for n, v in delta.items() if n.startswith("Drop_"))
                valid = sum(delta.get(n, 0) for n in COUNTED.values())
                full = delta.get("ControlQueueFull", 0)
                good = dropped + valid == count > 0 and not full
                if good and delta == before or full or time.monotonic() > deadline:
                    return good, delta
                before = delta

        for message in messages:
            bench.send(wire.ipv6(source, B1, message))
            count += 1
            if count % BATCH == 0 and not counted()[0]:
                break
        good, delta = counted()
        verdict("%s: %d messages are counted once each" % (what, count), good, str(delta))
        if exactly:
            equal("%s: all of them as %s" % (what, exactly), delta.get("Drop_" + exactly), count)
        equal("%s: no context comes or goes" % what, len(bench.contexts()), before)

    known = [octets(v) for v in vectors().values()]
    run("every truncation of every vector", (m[:n] for m in known for n in range(len(m))), "truncated")

    def shorter():
        for message in known:
            for end in range(8, len(message), 8):
                cut = message[:1] + bytes([end // 8 - 1]) + message[2:end]
                yield wire.resum(cut)
                yield wire.resum(cut) + message[end:]
            for units in range(1, 4):
                yield wire.seal(message + bytes(8 * units))

    run("every vector with a shorter or longer header", shorter())

    def lengths():
        for message in known:
            for length in range(256):
                if (length + 1) * 8 > len(message):
                    yield message[:1] + bytes([length]) + message[2:]

    run("every Hdr Ext Len beyond the packet", lengths(), "truncated")

    def option_lengths():
        for message in known:
            at = wire.LENGTHS.get(message[2])
            while at and at + 4 <= len(message):
                (length,) = struct.unpack_from("!H", message, at + 2)
                for other in (0, 1, length - 8, length - 1, length + 1, length + 8, 1240, 0xFFFF):
                    other = struct.pack("!H", other & 0xFFFF)
                    yield wire.resum(message[: at + 2] + other + message[at + 4 :])
                at += 11 + length - (length + 3) % 8

    run("every option of every vector with other lengths", option_lengths())

    def changed(messages):
        for message in messages:
            for at in range(2, len(message)):
                for bit in (1, 0x80):
                    if at not in (4, 5):
                        yield wire.resum(message[:at] + bytes([message[at] ^ bit]) + message[at + 1 :])

    run("every vector with an octet changed", changed(known))
    # Now with a tag that is right, so that all goes to the machine of a context.
    names = ("UpdateRequest-preferences-only", "UpdateRequest-bad-method", "UpdateAck", "Keepalive",
             "Probe-exploring")
    inside = [with_tag(octets(vectors()[n]), peer.tag_theirs) for n in names]
    inside.append(peer.packet(UPDATE, **peer.host.tells(3))[40:])
    run("messages for a context with an octet changed", changed(inside), source=peer.ours,
        turns=BATCH)
    equal("the context is still there, and ESTABLISHED", peer.state(), "ESTABLISHED")
    # A list in which only the g bit of the first address was changed is right (RFC 3972,
    # Section 5), and so the source has to be one that is left.
    left = peer.knows()[0]
    equal("with as many locators as before", len(left), len(peer.host.addresses))
    bench.expect("and takes a good Update Request",
                 peer.packet(UPDATE, source=left[0], **peer.host.tells(4)), ["Ack"],
                 counts("InUpdateRequest", "OutUpdateAcknowledgement"))


def main():
    bench = Bench(sys.argv[1], sys.argv[2:])
    verdict("the peer that is played knows the messages of the vectors", wire.check_vectors() == 24)
    peer = errors(bench)
    types(bench, Host(["2001:db8:a5:1::"], bench.random))
    critical(bench, Host(["2001:db8:a4:1::"], bench.random))
    twisted(bench, Host(["2001:db8:a6:1::"], bench.random))
    fuzz(bench, peer)
    verdict("no answer that anybody can get was larger than three times its question",
            1 < bench.largest <= 3, "%.2f" % bench.largest)


if __name__ == "__main__":
    main()
