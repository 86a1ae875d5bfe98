#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""schema.py SCHEMA COMMAND: whether each JSON value on standard input is what the schema says that
`shim6 COMMAND --json` prints.  Names that the schema does not have are faults here, so that it has
all of them.  Knows no more of JSON Schema than that file needs, and refuses the rest."""

import ipaddress
import json
import re
import sys

TYPES = {"object": dict, "array": list, "string": str, "integer": int, "number": (int, float),
         "boolean": bool, "null": type(None)}
KNOWN = {"$ref", "anyOf", "type", "enum", "pattern", "format", "minimum", "maximum", "items",
         "properties", "required", "additionalProperties", "description"}


def is_of(value, name):
    """bool is an int to Python, and not to JSON."""
    return isinstance(value, TYPES[name]) and (name == "boolean" or not isinstance(value, bool))


class Schema:
    """A schema document."""

    def __init__(self, document):
        self.definitions = document["$defs"]

    def faults(self, value, schema, where):
        """What is wrong with a value, as lines."""
        unknown = schema.keys() - KNOWN
        if unknown:
            raise ValueError(f"the schema uses {unknown}")
        if "$ref" in schema:
            yield from self.faults(value, self.definitions[schema["$ref"].removeprefix("#/$defs/")], where)
        if "anyOf" in schema:
            choices = [list(self.faults(value, choice, where)) for choice in schema["anyOf"]]
            if all(choices):
                yield from min(choices, key=len)
        if "enum" in schema and value not in schema["enum"]:
            yield f"{where}: {value!r} is none of {schema['enum']}"
        names = schema.get("type", [])
        names = [names] if isinstance(names, str) else names
        if names and not any(is_of(value, name) for name in names):
            yield f"{where}: {value!r} is no {' or '.join(names)}"
            return
        if isinstance(value, str):
            yield from self.of_string(value, schema, where)
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            if not schema.get("minimum", value) <= value <= schema.get("maximum", value):
                yield f"{where}: {value} is out of range"
        elif isinstance(value, list):
            for index, item in enumerate(value):
                yield from self.faults(item, schema.get("items", {}), f"{where}[{index}]")
        elif isinstance(value, dict) and names:
            yield from self.of_object(value, schema, where)

    def of_string(self, value, schema, where):
        """A string has its form."""
        if "pattern" in schema and not re.search(schema["pattern"], value):
            yield f"{where}: {value!r} does not match {schema['pattern']}"
        if schema.get("format") == "ipv6":
            try:
                ipaddress.IPv6Address(value)
            except ValueError:
                yield f"{where}: {value!r} is no address"
        if schema.get("format") == "date-time" and not re.fullmatch(r"[-\d]{10}T[:.\d]+Z", value):
            yield f"{where}: {value!r} is no time"

    def of_object(self, value, schema, where):
        """An object has all names, and no others."""
        properties, others = schema.get("properties", {}), schema.get("additionalProperties")
        for name in schema.get("required", []):
            if name not in value:
                yield f"{where}: there is no {name}"
        for name, item in value.items():
            if name in properties or others is not None:
                yield from self.faults(item, properties.get(name, others), f"{where}.{name}")
            else:
                yield f"{where}: {name} is not in the schema"


def values(text):
    """The JSON values of a text, one behind the other."""
    decoder, at = json.JSONDecoder(), 0
    while text[at:].strip():
        at += len(text[at:]) - len(text[at:].lstrip())
        value, at = decoder.raw_decode(text, at)
        yield value


def main():
    """See above."""
    with open(sys.argv[1], encoding="utf-8") as file:
        schema = Schema(json.load(file))
    count, wrong = 0, 0
    for count, value in enumerate(values(sys.stdin.read()), 1):
        for fault in schema.faults(value, schema.definitions[sys.argv[2]], "$"):
            print(fault)
            wrong = 1
    sys.exit(wrong or (0 if count else "nothing to validate"))


if __name__ == "__main__":
    main()
