# SPDX-License-Identifier: GPL-2.0
"""A peer played by hand: it sits at the far ends of host B's links, sends what it
likes from whatever address, and sees everything that B sends to anybody.

Scripts get it by lib/peer.sh, which makes the links and says where they are. Verdicts
go to standard output, a line each: "ok" or "not ok", a tab, what holds, and for failures
a tab and why not.
"""

import json
import os
import random
import select
import socket
import subprocess
import time

import wire
from cga import Host
from wire import ACK, ERROR, I1, I2, I2BIS, KEEPALIVE, NAMES, PROBE, R1, R1BIS, R2, UPDATE

B1 = "2001:db8:b:1:24b7:330d:d41f:c548"
B2 = "2001:db8:b:2:3c5a:8b13:18a0:947f"
ETH_P_IPV6 = 0x86DD
PATIENCE = 3

# What B says and counts by itself while it watches its contexts (RFC 5534). When it does depends
# on how fast this machine is, so it is neither seen nor counted, but for Probes where a program
# is about them.
WATCHING = {KEEPALIVE, PROBE}
WATCHED = {"OutKeepalive", "OutProbe", "Explored", "ProbeRounds", "ProbeNoPair", "ProbeNotAnswered",
           "Resumed"}

# What an answer may be that nobody has proved to want.
STATELESS = {R1, R1BIS, ERROR}


class Packet:
    """A packet of B."""

    def __init__(self, octets):
        self.octets = octets
        self.source, self.destination = wire.text(octets[8:24]), wire.text(octets[24:40])
        self.protocol, self.rest = octets[6], octets[40:]
        self.kind, self.fields = None, {}
        if self.protocol == wire.SHIM6 and not self.rest[2] & 0x80:
            self.kind, self.fields = wire.parse(self.rest)
            if wire.build(self.kind, **self.fields) != self.rest:
                raise wire.Malformed("options of %s are not in order" % self)

    def __str__(self):
        if self.kind == ERROR:
            return "Error %d at %d" % (self.fields["code"], self.fields["pointer"])
        if self.kind:
            return NAMES[self.kind]
        return "protocol %d" % self.protocol


class Bench:
    """The links to B, and what B counts. All that is random comes from a fixed seed but
    for tags and nonces."""

    def __init__(self, namespace, macs, sees_probes=False):
        self.namespace = namespace
        self.unseen = {KEEPALIVE} if sees_probes else WATCHING
        self.uncounted = {"OutKeepalive"} if sees_probes else WATCHED
        self.random = random.Random(6)
        # One processor, so that packets arrive in the order in which they were sent.
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        self.links = []
        for index, mac in enumerate(macs, 1):
            link = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_IPV6))
            link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
            link.bind(("up%d" % index, ETH_P_IPV6))
            link.setblocking(False)
            mac = bytes.fromhex(mac.replace(":", ""))
            self.links.append((link, ("up%d" % index, ETH_P_IPV6, 0, 0, mac)))
        # A file of /proc/net belongs to the namespace in which it was opened.
        self.counters = self.in_namespace(
            lambda: os.open("/proc/thread-self/net/shim6_stat", os.O_RDONLY)
        )
        self.largest = 0
        self.set("answer_rate", 1000000)
        self.set("r1_rate", 1000000)
        self.set("answer_rate_peer", 1000000)
        self.sentinel = Peer(self, Host(["2001:db8:5e::"], self.random))
        self.sentinel.handshake()

    def in_namespace(self, action):
        """Does something as B, as far as the network goes."""
        own = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        other = os.open(self.namespace, os.O_RDONLY)
        os.setns(other, os.CLONE_NEWNET)
        try:
            return action()
        finally:
            os.setns(own, os.CLONE_NEWNET)
            os.close(own)
            os.close(other)

    def set(self, name, value):
        """A setting of B."""

        def write():
            with open("/proc/sys/net/shim6/" + name, "w", encoding="ascii") as file:
                file.write("%s\n" % value)

        self.in_namespace(write)

    def command(self, *words):
        """The output of a command on B."""
        command = ["nsenter", "--net=" + self.namespace, *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def contexts(self):
        return json.loads(self.command("shim6", "context", "show", "--json"))

    def context(self, peer):
        """What B says of the context with a peer; None if there is none."""
        for context in self.contexts():
            if (context["ulid_local"], context["ulid_peer"], context["fii"]) == (
                peer.theirs, peer.ours, peer.fii,
            ):
                return context
        return None

    def stats(self):
        lines = os.pread(self.counters, 1 << 16, 0).decode().splitlines()
        return {name: int(value) for name, value in map(str.split, lines)}

    def since(self, mark, less=None):
        """What was counted since, apart from some of it."""
        delta = {n: v - mark[n] for n, v in self.stats().items() if n not in self.uncounted}
        for name, value in (less or {}).items():
            delta[name] -= value
        return {name: value for name, value in delta.items() if value}

    def send(self, *packets):
        for packet in packets:
            # By the link that the destination belongs to.
            link, to = self.links[1 if packet[24:32] == wire.addr(B2)[:8] else 0]
            while True:
                try:
                    link.sendto(packet, to)
                    break
                except BlockingIOError:
                    select.select([], [link], [])

    def receive(self, seconds):
        """What B sent to others than its neighbours: at least one packet unless the time is up."""
        links = [link for link, _ in self.links]
        deadline = time.monotonic() + seconds
        while True:
            got = []
            ready, _, _ = select.select(links, [], [], max(0, deadline - time.monotonic()))
            for link in ready:
                octets, origin = link.recvfrom(1 << 16)
                if origin[2] != socket.PACKET_OUTGOING and not is_neighbourly(octets):
                    packet = Packet(octets)
                    if packet.kind not in self.unseen:
                        got.append(packet)
            if got or time.monotonic() >= deadline:
                return got

    def drain(self):
        got = []
        while more := self.receive(0):
            got += more
        return got

    def settle(self):
        """Waits until B has done what it has to do with all that was sent to it before. Returns
        what it sent in the meantime."""
        nonce = self.random.getrandbits(32)
        self.send(self.sentinel.packet(UPDATE, nonce=nonce))
        got = self.wait(lambda p: p.kind == ACK and p.fields["nonce"] == nonce)
        if not got:
            raise TimeoutError("B does not answer any more")
        return got[:-1] + self.drain()

    SETTLED = {"InControl": 1, "InUpdateRequest": 1, "OutUpdateAcknowledgement": 1}

    def wait(self, wanted, seconds=PATIENCE):
        """Packets up to the first that is wanted, which is last, behind what the other link has
        by then; none if it does not come."""
        got, deadline = [], time.monotonic() + seconds
        while time.monotonic() < deadline:
            more = self.receive(max(0.0, deadline - time.monotonic()))
            last = [p for p in more if wanted(p)][:1]
            got += [p for p in more if p not in last] + last
            if last:
                return got
        return []

    def expect(self, what, packets, answers=(), counts=None, control=None):
        """A case: these packets get these answers, and nothing else is sent or counted. All of
        them count as control messages unless `control` says how many. Returns the answers."""
        packets = [packets] if isinstance(packets, bytes) else list(packets)
        counts = dict(counts or {})
        control = len(packets) if control is None else control
        if control:
            counts["InControl"] = control
        self.drain()
        mark = self.stats()
        self.send(*packets)
        got, deadline = [], time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if len(got) >= len(answers) and self.since(mark) == counts:
                break
            got += self.receive(0.005)
        got += self.settle()
        deadline = time.monotonic() + 1
        while self.since(mark, self.SETTLED) != counts and time.monotonic() < deadline:
            time.sleep(0.005)
        why = self.amplified(packets, got)
        if [str(p) for p in got] != list(answers):
            why.append("sent %s, expected %s" % ([str(p) for p in got], list(answers)))
        ways = {(p[24:40], p[8:24]) for p in packets}
        for packet in got:
            if (packet.octets[8:24], packet.octets[24:40]) not in ways:
                why.append("%s goes from %s to %s" % (packet, packet.source, packet.destination))
        counted = self.since(mark, self.SETTLED)
        if counted != counts:
            why.append("counted %s, expected %s" % (counted, counts))
        verdict(what, not why, "; ".join(why))
        return got

    def amplified(self, packets, answers):
        """Complaints about answers larger than three times their question, which nobody
        has proved to want (RFC 5533, Section 16)."""
        longest, why = max(map(len, packets), default=1), []
        for answer in answers:
            if answer.kind in STATELESS:
                self.largest = max(self.largest, len(answer.octets) / longest)
                if len(answer.octets) > 3 * longest:
                    why.append("%d octets answer %d" % (len(answer.octets), longest))
        return why

    def start(self, peer):
        """B asks for a context with the peer. Returns its I1."""
        self.drain()
        self.command("shim6", "context", "start",
                     "--ulid-local", peer.theirs, "--ulid-peer", peer.ours)
        got = self.wait(lambda p: p.kind == I1 and p.destination == peer.ours)
        if not got:
            raise TimeoutError("B sends no I1")
        peer.i1 = got[-1].fields
        peer.tag_theirs = peer.i1["tag"]
        return got[-1]


class Peer:
    """One end of a context: the fields that its messages have unless others are given."""

    def __init__(self, bench, host, theirs=B1, fii=0, source=None, destination=None, told=None):
        self.bench, self.host, self.fii = bench, host, fii
        self.ours, self.theirs = host.addresses[0], theirs
        self.source, self.destination = source or self.ours, destination or theirs
        self.tag = random.getrandbits(47)
        self.nonce = random.getrandbits(32)
        self.told = host.tells(1) if told is None else told
        self.r1 = self.r1bis = self.i1 = self.tag_theirs = None

    def fields(self, kind):
        """The usual fields of a message."""
        f = {"tag": self.tag, "nonce": self.nonce}
        if kind in (I1, I2, I2BIS):
            if (self.source, self.destination) != (self.ours, self.theirs):
                f["ulids"] = (self.ours, self.theirs)
            if self.fii:
                f["fii"] = self.fii
        if kind in (I2, I2BIS, R2):
            f.update(self.told)
        if kind == I2:
            f.update(responder_nonce=self.r1["responder_nonce"], validator=self.r1["validator"])
        if kind == I2BIS:
            f.update({name: self.r1bis[name] for name in ("responder_nonce", "validator")})
            f["packet_tag"] = self.r1bis["tag"]
        if kind in (R1, R2) and self.i1:
            f["nonce"] = self.i1["nonce"]
        if kind == R1:
            f.update(responder_nonce=0x5EED, validator=b"\x5e" * 20)
        if kind >= UPDATE:
            f["tag"] = self.tag_theirs
        return f

    def packet(self, kind, source=None, destination=None, edit=None, **changes):
        """A packet with a message; a change to None leaves a field out, and `edit` has the last
        word about the octets of the message."""
        fields = {**self.fields(kind), **changes}
        message = wire.build(kind, **{n: v for n, v in fields.items() if v is not None})
        message = edit(message) if edit else message
        return wire.ipv6(source or self.source, destination or self.destination, message)

    def ask(self, **changes):
        """I1; the R1 is kept."""
        self.bench.send(self.packet(I1, **changes))
        got = self.bench.wait(lambda p: p.kind == R1)
        if not got:
            raise TimeoutError("B sends no R1")
        self.r1 = got[-1].fields
        return self

    def handshake(self):
        """A context, as initiator."""
        self.ask()
        self.bench.send(self.packet(I2))
        return self.got_r2(self.bench.wait(lambda p: p.kind == R2))

    def got_r2(self, got):
        if not got:
            raise TimeoutError("B sends no R2")
        self.tag_theirs = got[-1].fields["tag"]
        self.r2 = got[-1]
        return self

    def state(self):
        context = self.bench.context(self)
        return context["state"] if context else "IDLE"

    def knows(self):
        """The peer's locators as B knows them, the generation, and the pair in use."""
        context = self.bench.context(self)
        locators = [l["address"] for l in context["locator_peer"]]
        return locators, context["generation_peer"], context["current_local"], context["current_peer"]


NEW = {"Contexts": 1, "ContextAdded": 1, "ContextEstablished": 1}


def counts(*names, **more):
    """Counters that move by one, and others."""
    return {**{name: 1 for name in names}, **more}


def is_neighbourly(octets):
    """Router and neighbour discovery, and multicast listener reports."""
    at = 40 + (octets[41] + 1) * 8 if octets[6] == 0 else 40
    types = {*range(130, 137), 143}
    return octets[6] in (0, 58) and len(octets) > at and octets[at] in types


def verdict(what, holds, why=""):
    print("%s\t%s\t%s" % ("ok" if holds else "not ok", what, why.replace("\n", " ")), flush=True)


def equal(what, got, expected):
    verdict(what, got == expected, "got %s, expected %s" % (got, expected))
