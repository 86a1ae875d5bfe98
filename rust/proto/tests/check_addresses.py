#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Checks CGAs and HBA sets without any code of this project.

    check_addresses.py cga PDS ADDRESS
    check_addresses.py hba PDS ADDRESS...
    check_addresses.py vectors DIRECTORY
    check_addresses.py agree COMMAND DIRECTORY

PDS is a CGA Parameter Data Structure (RFC 3972, Section 3) as hexadecimal digits, or the name of
a file with these digits or with the octets themselves.  "hba" wants the addresses of the whole
set, one for each prefix and in any order.  "vectors" runs over cga.json and hba.json.  "agree"
lets COMMAND, which is shim6, verify the same cases and many that differ from them in a bit, and
make addresses, and compares; it prints a line in the form of TAP for each.

Exit status: 0 everything is right, 1 something is wrong, 2 the arguments make no sense.
"""

import base64
import hashlib
import ipaddress
import json
import pathlib
import re
import subprocess
import sys
import tempfile

MULTI_PREFIX = 0x0012
KEY_AT = 25


class Wrong(Exception):
    """Why an address does not belong to a PDS."""


def number(octets):
    return int.from_bytes(octets, "big")


def key_length(octets):
    """The length of the DER sequence at the start, header included (RFC 3972, Section 3)."""
    if len(octets) < 2 or octets[0] != 0x30:
        raise Wrong("the public key is no DER sequence")
    if octets[1] < 0x80:
        return 2 + octets[1]
    size = octets[1] - 0x80
    if size not in (1, 2) or len(octets) < 2 + size:
        raise Wrong("the length of the public key has an unusual form")
    return 2 + size + number(octets[2 : 2 + size])


def extensions(octets):
    """Yields type and data of each extension (RFC 4581, Section 2)."""
    while octets:
        end = 4 + number(octets[2:4])
        if len(octets) < max(4, end):
            raise Wrong("an extension is cut")
        yield number(octets[:2]), octets[4:end]
        octets = octets[end:]


class Pds:
    def __init__(self, octets):
        if len(octets) < KEY_AT:
            raise Wrong("the PDS is cut")
        end = KEY_AT + key_length(octets[KEY_AT:])
        if end > len(octets):
            raise Wrong("the public key is cut")
        self.octets = octets
        self.extensions = list(extensions(octets[end:]))

    def prefixes(self):
        """The prefixes of the set (RFC 5535, Section 5)."""
        found = [data for code, data in self.extensions if code == MULTI_PREFIX]
        if len(found) != 1:
            raise Wrong("%d Multi-Prefix extensions" % len(found))
        data = found[0]
        if len(data) < 12 or len(data) % 8 != 4:
            raise Wrong("the Multi-Prefix extension has %d octets" % len(data))
        return [data[at : at + 8] for at in range(4, len(data), 8)]

    def with_prefix(self, prefix):
        return Pds(self.octets[:16] + prefix + self.octets[24:])


def check_cga(pds, address):
    """RFC 3972, Section 5."""
    octets = pds.octets
    if octets[24] > 2:
        raise Wrong("collision count %d" % octets[24])
    if octets[16:24] != address[:8]:
        raise Wrong("the prefix is not that of the PDS")

    hash1 = number(hashlib.sha1(octets).digest()) >> 96
    identifier = number(address[8:])
    if (hash1 ^ identifier) & 0x1CFFFFFFFFFFFFFF:
        raise Wrong("the interface identifier is not Hash1")

    sec = identifier >> 61
    if sec > 2:
        raise Wrong("Sec is %d, and only 0 to 2 are defined" % sec)
    hash2 = number(hashlib.sha1(octets[:16] + bytes(9) + octets[25:]).digest()) >> 48
    if hash2.bit_length() > 112 - 16 * sec:
        raise Wrong("Hash2 has fewer than %d leading zeros" % (16 * sec))


def check_hba(pds, address):
    """RFC 5535, Section 7.2."""
    prefix = address[:8]
    if prefix not in pds.prefixes():
        raise Wrong("the set has no such prefix")
    check_cga(pds.with_prefix(prefix), address)


def read_octets(argument):
    try:
        return bytes.fromhex(argument)
    except ValueError:
        content = pathlib.Path(argument).read_bytes()
    try:
        return bytes.fromhex(content.decode("ascii"))
    except ValueError:
        return content


def packed(text):
    return ipaddress.IPv6Address(text).packed


def check_addresses(check, octets, addresses):
    """Prints a line for each address; the number of those that are wrong."""
    failed = 0
    for text in addresses:
        try:
            check(Pds(octets), packed(text))
            print("right", text)
        except Wrong as wrong:
            print("wrong %s: %s" % (text, wrong))
            failed += 1
    return failed


def check_whole_set(octets, addresses):
    failed = check_addresses(check_hba, octets, addresses)
    try:
        missing = set(Pds(octets).prefixes()) - {packed(text)[:8] for text in addresses}
    except Wrong:
        return failed
    for prefix in sorted(missing):
        print("wrong: no address for the prefix", ipaddress.IPv6Network((prefix + bytes(8), 64)))
    return failed + len(missing)


def cases_of_vectors(directory):
    """Yields the check of each case, the case, and what it expects."""
    for name in CHECKS:
        vectors = json.loads((pathlib.Path(directory) / (name + ".json")).read_text())
        generated = vectors["generation"] if name == "cga" else [
            address for one in vectors["sets"] for address in one["addresses"]
        ]
        for case in generated:
            yield name, case, True
        for case in vectors["verification"]:
            yield name, case, case["expect"]


def is_right(check, octets, address):
    try:
        check(Pds(octets), address)
    except Wrong:
        return False
    return True


def check_vectors(directory):
    """Compares with what the vectors expect; the number of differences."""
    cases = list(cases_of_vectors(directory))
    failed = 0
    for name, case, expected in cases:
        if is_right(CHECKS[name], bytes.fromhex(case["pds"]), packed(case["address"])) != expected:
            print("differs:", case.get("name", case["address"]))
            failed += 1
    print("%d cases, %d differ" % (len(cases), failed))
    return failed if cases else 1


def flips(octets):
    """Yields the octets with each of their bits changed."""
    for bit in range(8 * len(octets)):
        changed = bytearray(octets)
        changed[bit // 8] ^= 0x80 >> bit % 8
        yield bytes(changed)


def verdicts(command, name, octets, addresses):
    """What the command finds: whether each of these addresses is right."""
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(octets.hex())
        file.flush()
        arguments = [command, "--json", name, "verify", "--pds", file.name]
        arguments += [str(ipaddress.IPv6Address(address)) for address in addresses]
        run = subprocess.run(arguments, stdout=subprocess.PIPE, check=False)
    found = [verdict["verified"] for verdict in json.loads(run.stdout)]
    if len(found) != len(addresses) or run.returncode != (0 if all(found) else 1):
        raise ValueError("%s: exit status %d" % (" ".join(arguments), run.returncode))
    return found


def compare(command, name, octets, addresses):
    """The number of addresses that the command and this program disagree about."""
    failed = 0
    for address, theirs in zip(addresses, verdicts(command, name, octets, addresses)):
        ours = is_right(CHECKS[name], octets, address)
        if ours != theirs:
            print("# %s %s: the command says %s, this program %s; PDS %s"
                  % (name, ipaddress.IPv6Address(address), theirs, ours, octets.hex()))
            failed += 1
    return failed


def compare_vectors(command, directory):
    """Cases of the vectors, and all that differ from them in one bit of the address, or from the
    first right ones of each kind in one bit of the PDS."""
    number = failed = 0
    changed = set()
    for name, case, expected in cases_of_vectors(directory):
        octets, address = bytes.fromhex(case["pds"]), packed(case["address"])
        addresses = [address, *flips(address)]
        number += len(addresses)
        failed += compare(command, name, octets, addresses)
        failed += is_right(CHECKS[name], octets, address) != expected
        if expected and name not in changed:
            changed.add(name)
            for other in flips(octets):
                number += 1
                failed += compare(command, name, other, [address])
    return number, failed


def read_generated(path):
    """The PDS in a file that the command made."""
    block = re.search(
        "-----BEGIN SHIM6 CGA PARAMETERS-----(.*)-----END SHIM6 CGA PARAMETERS-----",
        path.read_text(), re.DOTALL)
    return base64.b64decode(block.group(1))


def compare_generated(command):
    """Addresses that the command makes of prefixes, with and without a key."""
    number = failed = 0
    one, three = ["2001:db8:1::/64"], ["2001:db8:1::/64", "2001:db8:2:3::/64", "fd00:4:5:6::/64"]
    for name, prefixes, options in (
        ("hba", one, []),
        ("hba", three, []),
        ("hba", three, ["--sec", "1", "--collision-count", "2"]),
        ("hba", three, ["--rsa", "1024"]),
        ("cga", one, ["--rsa", "1024"]),
        ("cga", one, ["--rsa", "1024", "--sec", "1", "--collision-count", "1"]),
    ):
        with tempfile.TemporaryDirectory() as directory:
            path = pathlib.Path(directory) / "identity"
            arguments = [command, name, "generate", "--output", str(path), *options]
            for prefix in prefixes:
                arguments += ["--prefix", prefix]
            run = subprocess.run(arguments, stdout=subprocess.PIPE, check=True)
            octets, addresses = read_generated(path), run.stdout.decode().split()
        number += len(addresses)
        failed += len(addresses) != len(prefixes)
        for address, prefix in zip(addresses, prefixes):
            in_prefix = ipaddress.IPv6Address(address) in ipaddress.IPv6Network(prefix)
            if not in_prefix or not is_right(CHECKS[name], octets, packed(address)):
                print("# %s %s is wrong: %s" % (name, address, " ".join(arguments)))
                failed += 1
    return number, failed


def check_agreement(command, directory):
    """Lets the command verify and make addresses; the number of differences."""
    total = 0
    for what, (number, failed) in (
        ("verified", compare_vectors(command, directory)),
        ("made", compare_generated(command)),
    ):
        print("%sok - two independent HBA/CGA checks agree about %d addresses that were %s"
              % ("not " if failed or not number else "", number, what))
        total += failed + (number == 0)
    return total


CHECKS = {"cga": check_cga, "hba": check_hba}


def main(arguments):
    try:
        if len(arguments) >= 3 and arguments[0] == "hba":
            failed = check_whole_set(read_octets(arguments[1]), arguments[2:])
        elif len(arguments) == 3 and arguments[0] == "cga":
            failed = check_addresses(check_cga, read_octets(arguments[1]), arguments[2:])
        elif len(arguments) == 2 and arguments[0] == "vectors":
            failed = check_vectors(arguments[1])
        elif len(arguments) == 3 and arguments[0] == "agree":
            failed = check_agreement(arguments[1], arguments[2])
        else:
            sys.stderr.write(__doc__)
            return 2
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        sys.stderr.write("check_addresses.py: %s\n" % error)
        return 2
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
