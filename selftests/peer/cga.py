# SPDX-License-Identifier: GPL-2.0
"""Addresses that prove whose they are (RFC 3972, RFC 5535) and signatures with RSA
(RFC 8017), for tests: all of it with the keys and random numbers of a test.

`python3 cga.py` checks it against the test vectors.
"""

import hashlib
import random
import struct

import wire

TYPE_TAG = bytes.fromhex("4a3056624858574b3655416f506a6d48")
PREFIX_OF_SHA1 = bytes.fromhex("3021300906052b0e03021a05000414")
RSA_ENCRYPTION = bytes.fromhex("300d06092a864886f70d0101010500")


def der(kind, contents):
    """A DER element of less than 65536 octets."""
    size = len(contents)
    if size < 0x80:
        length = bytes([size])
    elif size < 0x100:
        length = bytes([0x81, size])
    else:
        length = b"\x82" + struct.pack("!H", size)
    return bytes([kind]) + length + contents


def integer(number):
    return der(2, number.to_bytes(number.bit_length() // 8 + 1, "big"))


def spki(modulus, exponent=65537):
    """A SubjectPublicKeyInfo."""
    key = der(0x30, integer(modulus) + integer(exponent))
    return der(0x30, RSA_ENCRYPTION + der(3, b"\0" + key))


class Key:
    """An RSA key."""

    def __init__(self, modulus, private):
        self.modulus, self.private = modulus, private
        self.size = (modulus.bit_length() + 7) // 8

    @classmethod
    def of_vector(cls, name):
        key = wire.vectors("keys")[name]
        return cls(int(key["n"], 16), int(key["d"], 16))

    @classmethod
    def make(cls, bits, source):
        """A key of so many bits, at most some hundred; `source` is a random.Random."""
        while True:
            p, q = prime(bits // 2, source), prime(bits - bits // 2, source)
            if p != q and (p * q).bit_length() == bits:
                return cls(p * q, pow(65537, -1, (p - 1) * (q - 1)))

    def sign(self, octets):
        """RSASSA-PKCS1-v1_5 with SHA-1 (RFC 8017, Section 8.2)."""
        digest = PREFIX_OF_SHA1 + hashlib.sha1(octets).digest()
        padded = b"\0\1" + b"\xff" * (self.size - 3 - len(digest)) + b"\0" + digest
        number = pow(int.from_bytes(padded, "big"), self.private, self.modulus)
        return number.to_bytes(self.size, "big")


def prime(bits, source):
    """A number that is prime beyond doubt of a test, and not 1 modulo 65537."""
    while True:
        number = source.getrandbits(bits) | 3 << bits - 2 | 1
        if number % 65537 != 1 and is_prime(number, source):
            return number


def is_prime(number, source):
    if any(number % small == 0 for small in (3, 5, 7, 11, 13, 17, 19, 23, 29, 31)):
        return False
    odd, twos = number - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for _ in range(20):
        power = pow(source.randrange(2, number - 1), odd, number)
        if power in (1, number - 1):
            continue
        for _ in range(twos - 1):
            power = power * power % number
            if power == number - 1:
                break
        else:
            return False
    return True


def signed(generation, locators, methods):
    """What the CGA Signature option is over (RFC 5533, Section 5.15.5)."""
    octets = TYPE_TAG + struct.pack("!I", generation)
    return octets + b"".join(
        wire.addr(l) for l, method in zip(locators, methods) if method == wire.CGA
    )


def interface_identifier(pds, sec=0):
    digest = bytearray(hashlib.sha1(pds).digest()[:8])
    digest[0] = sec << 5 | digest[0] & 0x1C
    return bytes(digest)


class Host:
    """A host with the addresses of a set (RFC 5535, Section 6) with Sec 0, with a key that
    signs or with a random number in its place."""

    def __init__(self, prefixes, source, key=None):
        self.key = key
        self.prefixes = [wire.addr(p)[:8] for p in prefixes]
        self.modifier = source.randbytes(16)
        modulus = key.modulus if key else source.getrandbits(384) | 1 << 383 | 1
        flag = b"\x80" if key else b"\0"
        self.rest = spki(modulus) + struct.pack("!HH", 0x12, 8 * len(prefixes) + 4)
        self.rest += flag + b"\0" * 3 + b"".join(self.prefixes)
        self.addresses = [
            wire.text(p + interface_identifier(self.pds(p))) for p in self.prefixes
        ]

    def pds(self, prefix=None):
        """The CGA Parameter Data Structure of the first address, or that with a prefix."""
        return self.modifier + (prefix or self.prefixes[0]) + b"\0" + self.rest

    @classmethod
    def of_vector(cls, name, key=None):
        """A host of the vectors."""
        for vector in wire.vectors("hba")["sets"]:
            if vector["name"] == name:
                host = cls.__new__(cls)
                host.key = Key.of_vector(key) if key else None
                host.addresses = [a["address"] for a in vector["addresses"]]
                pds = bytes.fromhex(vector["addresses"][0]["pds"])
                host.prefixes = [bytes.fromhex(p) for p in vector["prefixes"]]
                host.modifier, host.rest = pds[:16], pds[25:]
                host.pds = lambda prefix=None: pds
                return host
        raise KeyError(name)

    def tells(self, generation, locators=None, methods=None, **more):
        """Fields that tell a list: all addresses by HBA unless something else is said."""
        locators = locators or self.addresses
        methods = methods or [wire.HBA] * len(locators)
        fields = dict(generation=generation, locators=locators, methods=methods, pds=self.pds())
        if wire.CGA in methods and self.key:
            fields["signature"] = self.key.sign(signed(generation, locators, methods))
        fields.update(more)
        return {name: value for name, value in fields.items() if value is not None}


def check_vectors():
    """Signs what the vectors have signed, and makes their sets."""
    for case in wire.vectors("signature")["cases"]:
        octets = signed(case["generation"], case["locators"], case["methods"])
        made = Key.of_vector(case["key"]).sign(octets).hex()
        assert (made == case["signature"]) == case["expect"], case["name"]
    for vector in wire.vectors("hba")["sets"]:
        for address in vector["addresses"]:
            pds = bytes.fromhex(address["pds"])
            made = wire.text(pds[16:24] + interface_identifier(pds, vector["sec"]))
            assert made == address["address"], vector["name"]
    assert spki(Key.of_vector("rsa1024").modulus).hex() == wire.vectors("keys")["rsa1024"]["spki_der"]
    key = Key.make(512, random.Random(6))
    assert pow(int.from_bytes(key.sign(b"x"), "big"), 65537, key.modulus) >> 480 == 0x1FFFF
    return True


if __name__ == "__main__":
    print("addresses and signatures agree with the vectors:", check_vectors())
