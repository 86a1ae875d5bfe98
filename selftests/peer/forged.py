# SPDX-License-Identifier: GPL-2.0
"""Handshakes that are not what they seem: nothing is kept of them and nothing is
hashed for them (RFC 5533, Sections 4.4, 7.13 and 16)."""

import sys
import time

import wire
from bench import B1, B2, NEW, Bench, Peer, counts, equal, verdict
from cga import Host
from wire import ACK, I1, I2, I2BIS, KEEPALIVE, PROBE, R1, R1BIS, R2, UPDATE

STRANGER = "2001:db8:bad::1"
FORGED = counts("InI2", "InBadValidator")


def forgeries(peer):
    """I2 with something changed behind the validator's back."""
    r1, flip = peer.r1, lambda at: bytes(
        octet ^ (1 if i == at else 0) for i, octet in enumerate(peer.r1["validator"])
    )
    nonce = r1["responder_nonce"]
    for at in (0, 7, 15):
        yield "octet %d of the validator changed" % at, dict(validator=flip(at))
    yield "a validator of 15 octets", dict(validator=r1["validator"][:15])
    yield "a validator of 17 octets", dict(validator=r1["validator"] + b"\0")
    yield "a validator of no octets", dict(validator=b"")
    yield "all of the validator zero", dict(validator=bytes(16))
    for change in (-1, 1, -4, 100):
        yield "the Responder Nonce changed by %d" % change, dict(
            responder_nonce=(nonce + change) % (1 << 32)
        )
    yield "another initiator tag", dict(tag=peer.tag ^ 1)
    yield "another sender ULID", dict(ulids=(peer.host.addresses[1], B1))
    yield "another receiver ULID", dict(ulids=(peer.ours, B2))
    yield "another FII", dict(fii=5)
    yield "another source, and the right ULIDs", dict(source=STRANGER, ulids=(peer.ours, B1))
    yield "another source", dict(source=STRANGER)
    yield "another destination, and the right ULIDs", dict(destination=B2, ulids=(peer.ours, B1))
    yield "another destination", dict(destination=B2)


def validators(bench, host):
    """S10, S11: of everything that the validator covers, something else."""
    peer = Peer(bench, host)
    bench.expect("I1 is answered with R1, and nothing is kept", peer.packet(I1), ["R1"],
                 counts("InI1", "OutR1"))
    peer.ask()
    for what, changes in forgeries(peer):
        bench.expect("I2 with %s is dropped silently" % what, peer.packet(I2, **changes), [], FORGED)
    bench.expect("I2 without a validator is dropped silently",
                 peer.packet(I2, validator=None), [], counts("Drop_validator_missing"))
    lying = host.tells(1, locators=[host.addresses[0], STRANGER], methods=[1, 1])
    bench.expect("a list that would be refused is not even looked at without a validator",
                 peer.packet(I2, validator=bytes(16), **lying), [], FORGED)
    peer.r1bis = {**peer.r1, "tag": 99}
    bench.expect("I2bis with the validator of an R1 is dropped silently", peer.packet(I2BIS), [],
                 counts("InI2bis", "InBadValidator"))
    got = bench.expect("I2 with another Initiator Nonce than I1 is accepted",
                       peer.packet(I2, nonce=peer.nonce ^ 0x55), ["R2"],
                       {**NEW, **counts("InI2", "OutR2")})
    equal("R2 has the nonce of I2", [p.fields["nonce"] for p in got], [peer.nonce ^ 0x55])
    peer.got_r2(got)
    equal("the context is ESTABLISHED", peer.state(), "ESTABLISHED")
    again = bench.expect("the same I2 again is answered again, and that is all",
                         peer.packet(I2), ["R2"], counts("InI2", "OutR2"))
    equal("with the same tag", [p.fields["tag"] for p in again], [peer.tag_theirs])
    for what, changes in list(forgeries(peer))[:5]:
        bench.expect("with a context: I2 with %s is dropped silently" % what,
                     peer.packet(I2, **changes), [], FORGED)
    return peer


def strangers(bench, host):
    """Those that this host has nothing to do with."""
    foreign = "2001:db8:b:1::77"
    peer = Peer(bench, host).ask()
    ignored = ["InControlIgnored"]
    bench.expect("I1 for a ULID that is not ours gets no R1",
                 peer.packet(I1, ulids=(peer.ours, foreign)), [], counts("InI1", *ignored))
    bench.expect("I2 for a ULID that is not ours is dropped",
                 peer.packet(I2, ulids=(peer.ours, foreign)), [], counts("InI2", *ignored))
    for name in ("ff02::1", "::", "::1", "fe80::1", "::ffff:192.0.2.1"):
        bench.expect("I1 of a ULID %s gets no R1" % name,
                     peer.packet(I1, ulids=(name, B1)), [], counts("InI1", *ignored))
    bench.expect("I1 of our own ULID gets no R1", peer.packet(I1, ulids=(B1, B1)), [],
                 counts("InI1", *ignored))
    for kind in (R1, R2):
        bench.expect("%s that nobody waits for is dropped" % wire.NAMES[kind], peer.packet(kind), [],
                     counts("In" + wire.NAMES[kind], *ignored))
    bench.expect("R1bis for a tag that nobody has is dropped",
                 peer.packet(R1BIS, responder_nonce=1, validator=bytes(16)), [],
                 counts("InR1bis", *ignored))
    # The stack itself drops those from a group, before anybody could count them.
    before = len(bench.contexts())
    bench.drain()
    mark = bench.stats()
    bench.send(peer.packet(I1, source="ff02::1"), peer.packet(I1, source="::"),
               peer.packet(UPDATE, tag=1, source="ff02::1"), peer.packet(UPDATE, tag=1, source="::"),
               peer.packet(I1, source="::1"), peer.packet(I1, source=B1))
    equal("messages from addresses that nobody has are not answered", bench.settle(), [])
    answered = {n: v for n, v in bench.since(mark, bench.SETTLED).items() if n.startswith("Out")}
    equal("nor is anything counted as sent", answered, {})
    equal("and there are as many contexts as before", len(bench.contexts()), before)
    for kind, fields in ((I1, {}), (UPDATE, dict(tag=1)), (R1BIS, dict(responder_nonce=1))):
        bench.expect("%s to a multicast address is dropped" % wire.NAMES[kind],
                     peer.packet(kind, destination="ff02::1", **fields), [], counts("Drop_address"))
    bench.expect("payload with an unknown tag to a multicast address gets no R1bis",
                 wire.ipv6(peer.ours, "ff02::1", payload(253, 0x77)), [], counts("Drop_address"), control=0)


def payload(protocol, tag, rest=b"ABCDEFGH"):
    """A payload extension header and what is behind it."""
    return bytes([protocol, 0]) + (tag | 1 << 47).to_bytes(6, "big") + rest


def echo(source, destination):
    """An ICMPv6 Echo Request with the checksum for these addresses."""
    octets = b"\x80\0\0\0\x12\x34\0\1" + b"shim6" * 4
    pseudo = wire.addr(source) + wire.addr(destination) + len(octets).to_bytes(4, "big") + b"\0\0\0\x3a"
    return octets[:2] + wire.checksum(pseudo + octets).to_bytes(2, "big") + octets[4:]


def payloads(bench, peer):
    """S47, S48: the tag alone selects the context of payload."""
    good = payload(58, peer.tag_theirs, echo(peer.ours, B1))
    for source, destination in ((peer.ours, B2), (STRANGER, B1), (STRANGER, B2)):
        bench.drain()
        mark = bench.stats()
        bench.send(wire.ipv6(source, destination, good))
        got = bench.wait(lambda p: p.protocol == 58)
        equal("payload with the right tag from %s to %s is answered between the ULIDs"
              % (source, destination),
              [(str(p), p.source, p.destination, p.octets[40]) for p in got],
              [("protocol 58", B1, peer.ours, 129)])
        equal("and counted once", bench.since(mark).get("InTranslated"), 1)
    wrong = payload(58, peer.tag_theirs, echo(STRANGER, B2))
    bench.expect("with a checksum over the locators it is not",
                 wire.ipv6(STRANGER, B2, wrong), [], counts("InTranslated"), control=0)
    unknown = peer.tag_theirs ^ 1
    got = bench.expect("payload with an unknown tag gets R1bis, and is not delivered",
                       wire.ipv6(peer.ours, B2, payload(58, unknown, echo(peer.ours, B1))),
                       ["R1bis"], counts("InUnknownTag", "OutR1bis"), control=0)
    equal("with that tag", [p.fields["tag"] for p in got], [unknown])
    for kind, more in ((UPDATE, {}), (ACK, {}), (KEEPALIVE, {}),
                       (PROBE, dict(sta=0, sent=[bytes(40)], received=[]))):
        name = {UPDATE: "UpdateRequest", ACK: "UpdateAcknowledgement"}.get(kind, wire.NAMES[kind])
        got = bench.expect("%s with an unknown tag gets R1bis" % wire.NAMES[kind],
                           peer.packet(kind, tag=unknown, **more), ["R1bis"],
                           counts("In" + name, "InUnknownTag", "OutR1bis"))
        equal("with that tag", [p.fields["tag"] for p in got], [unknown])
        got = bench.expect("%s with our tag from elsewhere gets R1bis" % wire.NAMES[kind],
                           peer.packet(kind, source=STRANGER, **more), ["R1bis"],
                           counts("In" + name, "InForeignLocators", "OutR1bis"))
        equal("with our tag", [p.fields["tag"] for p in got], [peer.tag_theirs])


def limited(bench, peer):
    """Answers to those who prove nothing come at limited rates."""
    packet = lambda i, source: wire.ipv6(source, B1, payload(253, 0x1000 + i))
    question = {
        "payload with unknown tags": packet,
        "I1": lambda i, source: peer.packet(I1, source=source, nonce=i),
        "messages of unknown type": lambda i, source: peer.packet(
            I1, source=source, nonce=i, edit=lambda m: wire.resum(m[:2] + b"\x64" + m[3:])),
    }
    for index, (what, make) in enumerate(question.items()):
        bench.set("answer_rate_peer", 5)
        # What was answered before counts, until it is a second ago.
        until(time.monotonic() + 1.1)
        prefix = "2001:db8:%x:1::" % (0x100 + index)
        bench.drain()
        mark, began = bench.stats(), time.monotonic()
        bench.send(*(make(i, prefix + "%x" % i) for i in range(1, 61)))
        got = bench.settle()
        most = 5 + 5 * (time.monotonic() - began) + 1
        limited_ = bench.since(mark).get("AnswerLimitedPeer", 0)
        verdict("%s from 60 addresses of one prefix: about 5 answers" % what,
                5 <= len(got) <= most and len(got) + limited_ == 60,
                "%d answers, %d limited, at most %.1f" % (len(got), limited_, most))
        bench.set("answer_rate_peer", 1000000)
        rate = "r1_rate" if what == "I1" else "answer_rate"
        bench.set(rate, 20)
        until(time.monotonic() + 1.1)
        bench.drain()
        mark, began = bench.stats(), time.monotonic()
        bench.send(*(make(i, "2001:db8:%x:%x::1" % (0x200 + index, i)) for i in range(1, 121)))
        got = bench.settle()
        most = 20 + 20 * (time.monotonic() - began) + 1
        limited_ = bench.since(mark).get("AnswerLimitedHost", 0)
        verdict("%s from 120 prefixes: about 20 answers" % what,
                20 <= len(got) <= most and len(got) + limited_ == 120,
                "%d answers, %d limited, at most %.1f" % (len(got), limited_, most))
        bench.set(rate, 1000000)


def recovery(bench, peer):
    """S66, S67 in ESTABLISHED and I2BIS-SENT."""
    bis = dict(responder_nonce=7, validator=b"v" * 24)
    for what, changes, counted in (
        ("a wrong tag", dict(tag=peer.tag ^ 2), "InControlIgnored"),
        ("our own tag instead of its own", dict(tag=peer.tag_theirs), "InControlIgnored"),
        ("the right tag from elsewhere", dict(tag=peer.tag, source=STRANGER), "InControlIgnored"),
    ):
        bench.expect("R1bis with %s is ignored" % what, peer.packet(R1BIS, **bis, **changes), [],
                     counts("InR1bis", counted))
    equal("the context stays ESTABLISHED", peer.state(), "ESTABLISHED")
    for kind, fields in ((R1, {}), (R2, {})):
        bench.expect("%s in ESTABLISHED is ignored" % wire.NAMES[kind], peer.packet(kind, **fields),
                     [], counts("In" + wire.NAMES[kind], "InControlIgnored"))
    right = peer.packet(R1BIS, tag=peer.tag, **bis)
    got = bench.expect("R1bis with the right tag is answered with I2bis", right, ["I2bis"],
                       counts("InR1bis", "OutI2bis"))
    equal("the context is in I2BIS-SENT", peer.state(), "I2BIS-SENT")
    f = got[0].fields if got else {}
    equal("I2bis copies nonce, tag and validator of R1bis",
          (f.get("responder_nonce"), f.get("packet_tag"), f.get("validator")),
          (7, peer.tag, b"v" * 24))
    bench.expect("R1bis in I2BIS-SENT is ignored", right, [],
                 counts("InR1bis", "Discard_state"))
    bench.expect("R1 in I2BIS-SENT is ignored", peer.packet(R1, nonce=f.get("nonce", 0)), [],
                 counts("InR1", "Discard_state"))
    bench.expect("R2 with another nonce is ignored", peer.packet(R2, nonce=f.get("nonce", 0) ^ 1),
                 [], counts("InR2", "InControlIgnored"))
    peer.tag += 1
    bench.expect("R2 ends it", peer.packet(R2, nonce=f.get("nonce", 0)), [],
                 counts("InR2", "ContextRecovered"))
    equal("the context is ESTABLISHED again", peer.state(), "ESTABLISHED")
    equal("with the new tag", bench.context(peer)["tag_peer"], "%012x" % peer.tag)


def responders(bench):
    """S67 in I1-SENT and I2-SENT: B is the initiator, its peer answers strangely."""
    host = Host(["2001:db8:a2:1::", "2001:db8:a2:2::"], bench.random)
    other = Host(["2001:db8:a2:1::"], bench.random)
    peer = Peer(bench, host)
    i1 = bench.start(peer)
    bis = dict(responder_nonce=7, validator=b"v" * 24)
    ignored = lambda name: counts("In" + name, "InControlIgnored")
    for tag in (i1.fields["tag"], 0, peer.tag):
        bench.expect("R1bis with tag %012x in I1-SENT is ignored" % tag,
                     peer.packet(R1BIS, tag=tag, **bis), [], ignored("R1bis"))
    nonce = i1.fields["nonce"]
    bench.expect("R1 with another nonce is ignored", peer.packet(R1, nonce=nonce ^ 1), [], ignored("R1"))
    bench.expect("R1 from elsewhere is ignored", peer.packet(R1, source=STRANGER), [], ignored("R1"))
    bench.expect("R1 to another address is ignored", peer.packet(R1, destination=B2), [], ignored("R1"))
    bench.expect("R1 without a validator is dropped", peer.packet(R1, validator=None), [],
                 counts("Drop_validator_missing"))
    bench.expect("payload in I1-SENT is dropped",
                 wire.ipv6(peer.ours, B1, payload(58, peer.tag_theirs, echo(peer.ours, B1))), [],
                 counts("InEarly", "Discard_state"), control=0)
    bench.expect("Keepalive in I1-SENT is dropped", peer.packet(KEEPALIVE), [],
                 counts("InKeepalive", "Discard_state"))
    equal("the context is still in I1-SENT", peer.state(), "I1-SENT")
    got = bench.expect("R1 is answered with I2", peer.packet(R1), ["I2"], counts("InR1", "OutI2"))
    f = got[0].fields if got else {}
    equal("I2 has nonce and tag of I1, nonce and validator of R1",
          [f.get(n) for n in ("nonce", "tag", "responder_nonce", "validator")],
          [nonce, i1.fields["tag"], 0x5EED, b"\x5e" * 20])
    equal("the context is in I2-SENT", peer.state(), "I2-SENT")
    bench.expect("R1bis in I2-SENT is ignored", peer.packet(R1BIS, tag=i1.fields["tag"], **bis), [],
                 ignored("R1bis"))
    bench.expect("R1 in I2-SENT is ignored", peer.packet(R1), [], counts("InR1", "Discard_state"))
    bench.expect("R2 with another nonce is ignored", peer.packet(R2, nonce=nonce ^ 1), [], ignored("R2"))
    bench.expect("R2 from elsewhere is ignored", peer.packet(R2, source=STRANGER), [], ignored("R2"))
    bench.expect("R2 with a foreign PDS is dropped silently", peer.packet(R2, pds=other.pds()), [],
                 counts("InR2", "Discard_verification", "Refuse_foreign_parameters"))
    lying = host.tells(1, locators=[host.addresses[0], STRANGER])
    packet = peer.packet(R2, **lying)
    bench.expect("R2 with a locator outside of the set is refused", packet,
                 ["Error 2 at %d" % wire.method_pointer(packet[40:], 1)],
                 counts("InR2", "InRefused", "OutError", "Discard_verification", "Refuse_not_in_set"))
    equal("the context is still in I2-SENT", peer.state(), "I2-SENT")
    bench.expect("the right R2 ends it", peer.packet(R2), [], counts("InR2", "ContextEstablished"))
    equal("the context is ESTABLISHED", peer.state(), "ESTABLISHED")


def main():
    bench = Bench(sys.argv[1], sys.argv[2:])
    # B's handshakes take as long as this program wants.
    for name in ("i1_timeout", "i2_timeout", "i2bis_timeout"):
        bench.set(name, 600000)
    # R1s whose age is to be tested at the end.
    hosts = [Host(["2001:db8:1%d::" % i], bench.random) for i in range(2)]
    fresh, stale = [Peer(bench, host).ask() for host in hosts]
    asked = time.monotonic()
    host = Host(["2001:db8:a1:1::", "2001:db8:a1:2::"], bench.random)
    peer = validators(bench, host)
    strangers(bench, Host(["2001:db8:a3:1::"], bench.random))
    payloads(bench, peer)
    recovery(bench, peer)
    responders(bench)
    limited(bench, Peer(bench, host))
    if time.monotonic() > asked + 24:
        fresh.ask()
        until(time.monotonic() + 24)
    else:
        until(asked + 24)
    bench.expect("a validator of 24 s is accepted", fresh.packet(I2), ["R2"],
                 {**NEW, **counts("InI2", "OutR2")})
    until(asked + 41)
    bench.expect("a validator of 41 s is not", stale.packet(I2), [], FORGED)
    verdict("no answer that anybody can get was larger than three times its question",
            1 < bench.largest <= 3, "%.2f" % bench.largest)


def until(moment):
    """The age of a nonce is the condition; so it is waited for."""
    time.sleep(max(0, moment - time.monotonic()))


if __name__ == "__main__":
    main()
