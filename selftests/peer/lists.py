# SPDX-License-Identifier: GPL-2.0
"""What peers say about their locators: lists that prove nothing, redirection, CGA
signatures, updates (RFC 5533, Sections 7.2, 10.4 and 16.1)."""

import sys

import wire
from bench import B1, NEW, Bench, Peer, counts, equal, verdict
from cga import Host, Key, signed
from wire import CGA, I2, UPDATE

ATTACKER = "2001:db8:bad:1::1"
VICTIM = "2001:db8:dead:1::"
REFUSED = ("InRefused", "OutError", "Discard_verification")


def refused(packet, index, name):
    """Answer and counters of a list that is refused because of one of its locators."""
    return ["Error 2 at %d" % wire.method_pointer(packet[40:], index)], counts(*REFUSED, "Refuse_" + name)


def bad_lists(host, other):
    """Fields of messages whose list is refused: what, fields, the locator pointed at (None:
    silently), the counter."""
    one, two = host.addresses[:2]
    tells = host.tells
    near = two[:-1] + ("0" if two[-1] != "0" else "1")
    yield "a locator outside of the set", tells(2, [one, ATTACKER]), 1, "not_in_set"
    yield "a locator with a prefix of the set and another IID", tells(2, [one, near]), 1, "not_in_set"
    yield "a locator of somebody else's set", tells(2, [one, two, other.addresses[0]]), 2, "not_in_set"
    for method in (0, 3, 77, 255):
        yield "verification method %d" % method, tells(2, [one, two], [1, method]), 1, "unknown_method"
    yield "two unknown methods", tells(2, [one, two], [201, 202]), 0, "unknown_method"
    for what, locator in (("a locator", two), ("a locator outside of the set", ATTACKER)):
        fields = tells(2, [one, locator], [1, CGA], signature=bytes(128))
        yield "%s with method CGA and a PDS without a key" % what, fields, 1, "no_key"
    yield "a locator twice", tells(2, [one, two, one]), None, "repeated"
    for address in ("ff02::1", "::", "::1", "fe80::1", "::ffff:192.0.2.1"):
        yield "the locator %s" % address, tells(2, [one, address]), None, "unusable"
    many = ["2001:db8:33::%x" % i for i in range(1, 33)]
    yield "33 locators", tells(2, [one] + many), None, "too_many"


def offers(bench, host, other):
    """S40, S44: I2 makes no context if its list or PDS is wrong."""
    peer = Peer(bench, host).ask()
    for what, fields, index, name in bad_lists(host, other):
        packet = peer.packet(I2, **fields)
        answers, counted = ([], counts("Discard_verification", "Refuse_" + name))
        if index is not None:
            answers, counted = refused(packet, index, name)
        bench.expect("I2 with %s is refused" % what, packet, answers, {**counted, **counts("InI2")})
    packet = peer.packet(I2, pds=None)
    answers, counted = refused(packet, 0, "no_parameters")
    bench.expect("I2 with a list and no PDS is refused", packet, answers, {**counted, **counts("InI2")})
    silent = lambda name: counts("InI2", "Discard_verification", "Refuse_" + name)
    bench.expect("I2 with a foreign PDS is dropped silently", peer.packet(I2, pds=other.pds()), [],
                 silent("foreign_parameters"))
    for what, pds in (("24 octets", host.pds()[:24]), ("its last octet missing", host.pds()[:-1]),
                      ("an octet too much", host.pds() + b"\0"), ("no octets", b"")):
        bench.expect("I2 with a PDS of %s is dropped silently" % what, peer.packet(I2, pds=pds), [],
                     silent("malformed_parameters"))
    for what, count, code, at in (("another generation", 2, 3, 4), ("one element too few", 1, 4, 2),
                                  ("one element too many", 3, 4, 2)):
        more = dict(preferences=[[0]] * count, preferences_generation=9 if code == 3 else 1)
        packet = peer.packet(I2, **more)
        # Preferences come behind the list, before the PDS.
        option = 40 + 24 + len(wire.options({n: v for n, v in peer.fields(I2).items() if n != "pds"}))
        bench.expect("I2 with preferences of %s is refused" % what, packet,
                     ["Error %d at %d" % (code, option + at)],
                     counts("InI2", "InRefused", "OutError", "Discard_preferences"))
    far = Peer(bench, host, source=ATTACKER).ask()
    bench.expect("I2 from an address that is not in its list is dropped silently", far.packet(I2), [],
                 counts("InI2", "Discard_source"))
    equal("none of these made a context", peer.state(), "IDLE")
    bench.expect("the right I2 makes one", peer.packet(I2), ["R2"], {**NEW, **counts("InI2", "OutR2")})
    equal("with the locators of the list", peer.knows(), (host.addresses, 1, B1, host.addresses[0]))


def largest(bench):
    """A list of 32 locators is accepted (S79)."""
    host = Host(["2001:db8:32:%x::" % i for i in range(1, 33)], bench.random)
    peer = Peer(bench, host).ask()
    packet = peer.packet(I2)
    verdict("I2 with 32 locators fits in 1280 octets", len(packet) <= 1280, str(len(packet)))
    bench.expect("it is accepted", packet, ["R2"], {**NEW, **counts("InI2", "OutR2")})
    equal("with all of them", peer.knows()[0], host.addresses)


def redirection(bench, host):
    """S41, S45: traffic cannot be sent to others."""
    peer = Peer(bench, host).handshake()
    before = peer.knows()
    update = lambda **fields: peer.packet(UPDATE, **fields)
    in_update = counts("InUpdateRequest")
    for what, fields, index, name in bad_lists(host, Host(["2001:db8:77::"], bench.random)):
        packet = update(**fields)
        answers, counted = ([], counts("Discard_verification", "Refuse_" + name))
        if index is not None:
            answers, counted = refused(packet, index, name)
        bench.expect("Update Request with %s is refused" % what, packet, answers, {**counted, **in_update})
    bench.expect("Update Request with a foreign PDS is dropped silently",
                 update(pds=Host(["2001:db8:77::"], bench.random).pds()), [],
                 counts("InUpdateRequest", "Discard_verification", "Refuse_foreign_parameters"))
    bench.expect("Update Request from an attacker's address gets R1bis",
                 update(source=ATTACKER, **host.tells(2)), ["R1bis"],
                 counts("InUpdateRequest", "InForeignLocators", "OutR1bis"))
    equal("none of these changed anything", peer.knows(), before)
    bench.expect("a list without PDS is verified with the one of before",
                 update(**host.tells(3, [host.addresses[0]], pds=None)), ["Ack"],
                 counts("InUpdateRequest", "OutUpdateAcknowledgement"))
    equal("and replaces the list", peer.knows()[:2], ([host.addresses[0]], 3))

    # The victim's prefix is in the set, so the list is right; the victim itself is never asked.
    both = Host(["2001:db8:a4:1::", VICTIM], bench.random)
    peer = Peer(bench, both).handshake()
    victim = both.addresses[1]
    got = bench.expect("Update Request that calls all but a victim's address broken is acknowledged",
                       update_of(peer, 2, preferences=[[1], [0]]), ["Ack"],
                       counts("InUpdateRequest", "OutUpdateAcknowledgement"))
    equal("the Ack goes to where the request came from", [p.destination for p in got], [peer.ours])
    got = bench.expect("one that takes all but the victim's address from the list is acknowledged",
                       update_of(peer, 3, [victim]), ["Ack"],
                       counts("InUpdateRequest", "OutUpdateAcknowledgement"))
    bench.drain()
    ping(bench, peer)
    seen = bench.wait(lambda p: p.protocol in (58, wire.SHIM6)) + bench.drain()
    equal("what B sends then does not go to the victim",
          {p.destination for p in seen}, {peer.ours})
    victims = [l for l in bench.context(peer)["locator_peer"] if l["address"] == victim]
    equal("the victim's address is not taken for reachable",
          [(l["verified"], l["reachable"]) for l in victims], [(True, False)])


def ping(bench, peer):
    """B has something to send to the ULID; there is no answer."""
    try:
        bench.command("ping", "-q", "-c", "1", "-W", "1", "-I", peer.theirs, peer.ours)
    except Exception:  # That nobody answers is its exit status.
        pass


def update_of(peer, generation, locators=None, **more):
    return peer.packet(UPDATE, **peer.host.tells(generation, locators, **more))


def preferences(bench, host):
    """S70, S74: preferences of an Update Request."""
    peer = Peer(bench, host, told={**host.tells(7), "preferences": [[0, 1, 2], [0, 3, 4]]}).handshake()

    def known():
        return [(l["broken"], l["transient"], l["priority"], l["weight"])
                for l in bench.context(peer)["locator_peer"]]

    equal("preferences of I2 are known", known(), [(False, False, 1, 2), (False, False, 3, 4)])
    more = dict(preferences=[[2, 5, 6], [1, 7, 8]], preferences_generation=7)
    bench.expect("Update Request with preferences only is acknowledged", peer.packet(UPDATE, **more),
                 ["Ack"], counts("InUpdateRequest", "OutUpdateAcknowledgement"))
    after = [(False, True, 5, 6), (True, False, 7, 8)]
    equal("they are known", known(), after)
    for what, change, code, at in (
        ("another generation", dict(preferences_generation=8), 3, 4),
        ("one element too few", dict(preferences=[[0, 1, 1]]), 4, 2),
        ("one element too many", dict(preferences=[[0, 1, 1]] * 3), 4, 2),
    ):
        bench.expect("Update Request with preferences of %s is refused" % what,
                     peer.packet(UPDATE, **{**more, **change}), ["Error %d at %d" % (code, 56 + at)],
                     counts("InUpdateRequest", "InRefused", "OutError", "Discard_preferences"))
    new = host.tells(8, preferences=[[0, 9, 9], [0, 9, 9]], preferences_generation=7)
    at = 40 + 16 + len(wire.option(wire.LIST, wire.locator_list(8, host.addresses, [1, 1]))) + 4
    bench.expect("a good list with preferences for the list of before is refused as a whole",
                 peer.packet(UPDATE, **new), ["Error 3 at %d" % at],
                 counts("InUpdateRequest", "InRefused", "OutError", "Discard_preferences"))
    equal("nothing has changed", (known(), peer.knows()[1]), (after, 7))


def signatures(bench):
    """S42, S43: locators outside of the set, with a signature."""
    host = Host.of_vector("hostC", "rsa1024")
    peer = Peer(bench, host).handshake()
    good, *others = [c for c in wire.vectors("signature")["cases"] if c["key"] == "rsa1024"]
    tell = lambda case, **more: peer.packet(UPDATE, **host.tells(
        case["generation"], case["locators"], case["methods"],
        **{"signature": bytes.fromhex(case["signature"]), **more}))
    first = lambda case: case["methods"].index(CGA)
    before = peer.knows()
    for case in others:
        if not case["expect"]:
            packet = tell(case)
            answers, counted = refused(packet, first(case), "wrong_signature")
            bench.expect("vector: %s" % case["name"], packet, answers,
                         {**counted, **counts("InUpdateRequest")})
    signature = bytes.fromhex(good["signature"])
    changed = signature[:64] + bytes([signature[64] ^ 1]) + signature[65:]
    modulus = host.key.modulus.to_bytes(128, "big")
    for what, octets, name in (
        ("no signature", None, "no_signature"),
        ("a signature of no octets", b"", "wrong_signature"),
        ("a signature of 127 octets", signature[:-1], "wrong_signature"),
        ("a signature of 129 octets", signature + b"\0", "wrong_signature"),
        ("a signature with a bit changed", changed, "wrong_signature"),
        ("the signature 0", bytes(128), "wrong_signature"),
        ("the modulus for a signature", modulus, "wrong_signature"),
        ("all ones for a signature", b"\xff" * 128, "wrong_signature"),
    ):
        packet = tell(good, signature=octets)
        answers, counted = refused(packet, first(good), name)
        bench.expect("CGA locators with %s are refused" % what, packet, answers,
                     {**counted, **counts("InUpdateRequest")})
    over = signed(good["generation"], good["locators"], good["methods"])
    packet = tell(good, signature=Key.make(1024, bench.random).sign(over))
    answers, counted = refused(packet, first(good), "wrong_signature")
    bench.expect("CGA locators with the signature of somebody else are refused", packet, answers,
                 {**counted, **counts("InUpdateRequest")})
    equal("none of these changed anything", peer.knows(), before)

    acknowledged = counts("InUpdateRequest", "OutUpdateAcknowledgement")
    vector = next(m for m in wire.vectors("messages")["messages"] if m["name"] == "UpdateRequest-CGA")
    octets = bytes.fromhex(vector["shim6"])
    octets = wire.resum(octets[:6] + wire.tag48(peer.tag_theirs) + octets[12:])
    got = bench.expect("the Update Request with CGA locators of the vectors is acknowledged",
                       wire.ipv6(peer.ours, B1, octets), ["Ack"], acknowledged)
    equal("as in the vectors", [(p.fields["nonce"], p.fields["tag"]) for p in got],
          [(0x66666666, peer.tag)])
    known = bench.context(peer)["locator_peer"]
    equal("the new locators are known with their preferences",
          [(l["address"], l["verification"], l["broken"], l["transient"], l["verified"], l["reachable"])
           for l in known],
          [(a, v, b, t, True, r) for a, v, b, t, r in zip(
              good["locators"], ("hba", "hba", "cga", "cga"), (True, False, False, False),
              (False, False, False, True), (True, False, False, False))])
    new = good["locators"][3]
    bench.expect("messages from a new locator are taken", peer.packet(UPDATE, source=new), ["Ack"],
                 acknowledged)
    for case in others:
        if case["expect"]:
            bench.expect("vector: %s" % case["name"], tell(case), ["Ack"], acknowledged)
            equal("its generation is in force", peer.knows()[1], case["generation"])
    bench.expect("a list of HBA locators with a wrong signature is taken: none is needed",
                 peer.packet(UPDATE, **host.tells(5, signature=bytes(128))), ["Ack"], acknowledged)
    bench.expect("CGA locators without PDS are verified with the one of before",
                 tell(good, pds=None), ["Ack"], acknowledged)

    # The other vector of a longer key is for a list that is not of its own set.
    long = Host.of_vector("hostC-sec1-rsa2048", "rsa2048")
    peer = Peer(bench, long, told=long.tells(1, long.addresses + ["2001:db8:cc:2::9"], [1, 1, CGA])).ask()
    bench.expect("I2 with a CGA locator and a key of 2048 bits is accepted", peer.packet(I2), ["R2"],
                 {**NEW, **counts("InI2", "OutR2")})
    equal("with all its locators", peer.knows()[0], long.addresses + ["2001:db8:cc:2::9"])


def small_key(bench):
    """S46: a key of 512 bits is not good enough for CGA, and all right for HBA."""
    host = Host(["2001:db8:512:1::", "2001:db8:512:2::"], bench.random, Key.make(512, bench.random))
    peer = Peer(bench, host).ask()
    fields = host.tells(1, host.addresses + ["2001:db8:cc:3::9"], [1, 1, CGA])
    assert len(fields["signature"]) == 64
    packet = peer.packet(I2, **fields)
    answers, counted = refused(packet, 2, "no_key")
    bench.expect("I2 with a CGA locator and a key of 512 bits is refused", packet, answers,
                 {**counted, **counts("InI2")})
    bench.expect("with HBA locators only it is accepted", peer.packet(I2), ["R2"],
                 {**NEW, **counts("InI2", "OutR2")})
    edge = Host(["2001:db8:1023:1::"], bench.random, Key.make(1023, bench.random))
    peer = Peer(bench, edge).ask()
    packet = peer.packet(I2, **edge.tells(1, edge.addresses + [ATTACKER], [1, CGA]))
    answers, counted = refused(packet, 1, "no_key")
    bench.expect("a key of 1023 bits is too small, too", packet, answers, {**counted, **counts("InI2")})


def main():
    bench = Bench(sys.argv[1], sys.argv[2:])
    host = Host(["2001:db8:a1:1::", "2001:db8:a1:2::"], bench.random)
    other = Host(["2001:db8:a2:1::"], bench.random)
    offers(bench, host, other)
    largest(bench)
    redirection(bench, Host(["2001:db8:a3:1::", "2001:db8:a3:2::"], bench.random))
    preferences(bench, Host(["2001:db8:a5:1::", "2001:db8:a5:2::"], bench.random))
    signatures(bench)
    small_key(bench)


if __name__ == "__main__":
    main()
