# SPDX-License-Identifier: GPL-2.0
"""Probes of a peer that lies, and locators of a peer that nobody has proved to be its
own: reports are believed only with the right nonce, and nothing but Probes goes to a
locator before it has answered one (RFC 5533, Section 7.2; RFC 5534, Sections 5.2 and 8)."""

import sys

import wire
from bench import B1, B2, Bench, Peer, counts, equal, verdict
from cga import Host
from lists import ping
from wire import ACK, KEEPALIVE, PROBE, UPDATE

STRANGER = "2001:db8:bad::1"
VICTIM = "2001:db8:dead:1::"
OPERATIONAL, EXPLORING, INBOUND_OK = range(3)


def record(source, destination, nonce):
    """What a Probe says about a probe."""
    return wire.addr(source) + wire.addr(destination) + nonce.to_bytes(4, "big") + bytes(4)


def probe(peer, sta, received=(), source=None, destination=None, **more):
    """A Probe that says of itself what is true, and has received these records."""
    source, destination = source or peer.source, destination or peer.destination
    nonce = peer.bench.random.getrandbits(32)
    return peer.packet(PROBE, sta=sta, sent=[record(source, destination, nonce)],
                       received=list(received), source=source, destination=destination, **more)


def spoofed(bench, host):
    """S35: reports of probes that nobody sent."""
    peer = Peer(bench, host).handshake()
    before, other = peer.knows(), host.addresses[1]
    for what, sta in (("InboundOk", INBOUND_OK), ("Operational", OPERATIONAL)):
        answers = ["Probe"] if sta == INBOUND_OK else []
        counted = counts("InProbe", "ProbeUnbelieved", *["OutProbe"] * bool(answers))
        for source, destination in ((B1, other), (B2, other), (B1, STRANGER)):
            bench.expect("S35: a Probe, Sta %s, that reports a nonce which nobody sent, from %s to %s"
                         % (what, source, destination),
                         probe(peer, sta, [record(source, destination, 0x1234)]), answers, counted)
    equal("S35: the pair and the list are as before", peer.knows(), before)
    equal("S35: no other locator counts as reachable", reachable(bench, peer), [host.addresses[0]])

    # While B sends Probes, whose nonces are the right ones, the next number is as wrong.
    sent = explore(bench, peer, other)
    wrong = sent[:35] + bytes([sent[35] ^ 1]) + sent[36:]
    bench.send(probe(peer, INBOUND_OK, [wrong]))
    bench.settle()
    equal("S35: with a nonce that differs in a bit from that of a Probe nothing changes either",
          (peer.knows(), reachable(bench, peer)), (before, [host.addresses[0]]))


def foreign(bench, host):
    """S36: a Probe from elsewhere."""
    peer = Peer(bench, host).handshake()
    for sta in (OPERATIONAL, EXPLORING, INBOUND_OK):
        bench.expect("S36: a Probe, Sta %d, with the right tag from a foreign source gets R1bis" % sta,
                     probe(peer, sta, source=STRANGER), ["R1bis"],
                     counts("InProbe", "InForeignLocators", "OutR1bis"))
    equal("S36: it is not processed", bench.context(peer)["reap"], "operational")


def reachable(bench, peer):
    return [l["address"] for l in bench.context(peer)["locator_peer"] if l["reachable"]]


def explore(bench, peer, locator):
    """The peer says that it hears nothing, until B probes a locator. What B says of that Probe."""
    bench.drain()
    bench.send(probe(peer, EXPLORING))
    got = bench.wait(lambda p: p.kind == PROBE and p.destination == locator, 10)
    verdict("B, which is told that it is not heard, probes %s" % locator, bool(got))
    return got[-1].fields["sent"][0] if got else bytes(40)


def elsewhere(bench, host, other):
    """Update Requests and what answers them say nothing of the pair that the peer sends over."""
    bench.set("send_timeout", 1000)
    peer = Peer(bench, host).handshake()
    bench.drain()
    ping(bench, peer)
    got = bench.wait(lambda p: p.kind == PROBE and p.fields["sta"] == EXPLORING)
    verdict("B, which is not answered, explores", bool(got))
    for what, source in (("another pair", host.addresses[1]), ("the current pair", host.addresses[0])):
        bench.send(peer.packet(UPDATE, source=source))
        got = bench.wait(lambda p: str(p) == "Ack")
        verdict("an Update Request over %s is acknowledged" % what, bool(got))
        got = [p for p in got if p.kind == PROBE] or bench.wait(lambda p: p.kind == PROBE)
        equal("B does not hear the peer by an Update Request over %s" % what,
              [p.fields["sta"] for p in got if p.kind == PROBE][-1:], [EXPLORING])

    # The answer to what asked whether a pair can stand by, which comes over that pair.
    bench.set("hot_standby", "on")
    bench.set("standby_interval", 1000)
    bench.set("send_timeout", 4000)
    peer = Peer(bench, other).handshake()
    # R2 is answered, so that what B sends next is something new.
    bench.send(peer.packet(KEEPALIVE))
    bench.settle()
    ping(bench, peer)
    asked = bench.wait(lambda p: p.kind == UPDATE and p.destination == other.addresses[1])
    verdict("B asks whether a pair can stand by", bool(asked))
    got = bench.wait(lambda p: p.kind == PROBE and p.fields["sta"] == EXPLORING)
    verdict("B, which is not answered, explores again", bool(got))
    # It asks more than once, each time with another nonce.
    asked = [p for p in asked + got if p.kind == UPDATE and p.destination == other.addresses[1]]
    bench.send(peer.packet(ACK, source=other.addresses[1], destination=asked[-1].source,
                           nonce=asked[-1].fields["nonce"]))
    bench.settle()
    got = bench.wait(lambda p: p.kind == PROBE)
    equal("the answer does not make B hear the peer", [p.fields["sta"] for p in got[-1:]], [EXPLORING])
    for name, value in (("hot_standby", "off"), ("standby_interval", 60000), ("send_timeout", 15000)):
        bench.set(name, value)


def after_probing(bench, peer, locator, scenario):
    """Nothing but Probes goes to a locator until it answers; then it is used."""
    sent = explore(bench, peer, locator)
    ping(bench, peer)
    seen = bench.drain()
    verdict("%s: B sends something meanwhile" % scenario, any(p.protocol == 58 for p in seen), str(seen))
    equal("%s: nothing but Probes goes to what has not answered" % scenario,
          {str(p) for p in seen if p.destination == locator} - {"Probe"}, set())
    equal("%s: it does not count as reachable" % scenario, locator in reachable(bench, peer), False)
    bench.send(probe(peer, INBOUND_OK, [sent], source=locator, destination=wire.text(sent[:16])))
    bench.settle()
    equal("%s: it answers, and is used" % scenario,
          (bench.context(peer)["current_peer"], locator in reachable(bench, peer)), (locator, True))
    bench.drain()
    ping(bench, peer)
    got = bench.wait(lambda p: p.kind is None)
    equal("%s: packets go to it" % scenario, {p.destination for p in got if p.kind is None}, {locator})


def main():
    bench = Bench(sys.argv[1], sys.argv[2:], sees_probes=True)
    host = lambda *prefixes: Host(["2001:db8:%s::" % p for p in prefixes], bench.random)
    spoofed(bench, host("a1:1", "a1:2"))
    foreign(bench, host("a2:1"))
    elsewhere(bench, host("a3:1", "a3:2"), host("a5:1", "a5:2"))

    both = Host(["2001:db8:a4:1::", VICTIM], bench.random)
    after_probing(bench, Peer(bench, both).handshake(), both.addresses[1], "S45")

    signer = Host.of_vector("hostC", "rsa1024")
    peer = Peer(bench, signer).handshake()
    case = next(c for c in wire.vectors("signature")["cases"] if c["key"] == "rsa1024")
    new = case["locators"][3]
    bench.expect("S42: a list with a signed locator is acknowledged",
                 peer.packet(UPDATE, **signer.tells(case["generation"], case["locators"], case["methods"],
                                                    signature=bytes.fromhex(case["signature"]))),
                 ["Ack"], counts("InUpdateRequest", "OutUpdateAcknowledgement"))
    after_probing(bench, peer, new, "S42")


if __name__ == "__main__":
    main()
