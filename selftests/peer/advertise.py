#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Sends one Router Advertisement (RFC 4861) and ends.

advertise.py INTERFACE LINK-LOCAL ROUTER-LIFETIME [PREFIX/64 PREFERRED VALID]...

Lifetimes are in seconds. Prefixes are on the link, and hosts make addresses of them.
"""

import ipaddress
import socket
import struct
import sys

ICMPV6_ROUTER_ADVERTISEMENT = 134
PREFIX_INFORMATION = 3
ON_LINK_AND_AUTONOMOUS = 0xC0


def advertisement(lifetime, prefixes):
    """The message; the kernel fills in its checksum."""
    message = struct.pack(
        "!BBHBBHII", ICMPV6_ROUTER_ADVERTISEMENT, 0, 0, 64, 0, lifetime, 0, 0
    )
    for prefix, preferred, valid in prefixes:
        network = ipaddress.IPv6Network(prefix)
        message += struct.pack(
            "!BBBBIII16s",
            PREFIX_INFORMATION,
            4,
            network.prefixlen,
            ON_LINK_AND_AUTONOMOUS,
            valid,
            preferred,
            0,
            network.network_address.packed,
        )
    return message


def main(interface, source, lifetime, *words):
    index = socket.if_nametoindex(interface)
    prefixes = [
        (prefix, int(preferred), int(valid))
        for prefix, preferred, valid in zip(words[::3], words[1::3], words[2::3])
    ]
    sock = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
    sock.bind((source, 0, 0, index))
    sock.sendto(advertisement(int(lifetime), prefixes), ("ff02::1", 0, 0, index))


if __name__ == "__main__":
    main(*sys.argv[1:])
