#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""check.py KERNEL [TOP]

Holds the netlink interface against its specification, Documentation/netlink/specs/shim6.yaml: the
kernel's own generator (tools/net/ynl/pyynl/ynl_gen_c.py of the tree KERNEL) makes a uapi header and
the policies of it, after the kernel's schema has found it valid. All names and numbers of
uapi/linux/shim6_netlink.h must be in that header and the other way round, and the policies of
rust/netlink must have the same rows, for each command. Needs PyYAML and jsonschema."""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

FAMILY = "shim6"

# Rows of nla_policy as the generator writes them, and as rust/netlink/policy.rs does. What is left
# of a row when ranges are taken away, which rust/netlink/parse.rs checks with a sentence.
ROWS_OF_C = (
    (r"NLA_POLICY_EXACT_LEN\(16\)", "ADDRESS"),
    (r"\{ \.type = NLA_(U8|U32|U64), \}", r"Policy::\1"),
    (r"NLA_POLICY_MASK\(NLA_(U8), \w+\)", r"Policy::\1"),
    (r"NLA_POLICY_NESTED\(shim6_locator_nl_policy\)", "Policy::nest(&LOCATOR)"),
    (r"NLA_POLICY_MAX_LEN\(SHIM6_(\w+)\)", r"Policy::binary(1, \1 as i16)"),
    (r"\{ \.type = NLA_STRING, \.len = SHIM6_(\w+), \}", r"Policy::text(\1 as u16)"),
)


class Drift(Exception):
    """Something of the one side cannot be read, or is not as on the other."""


def generate(kernel, spec, *mode):
    """What the generator makes of the specification. It looks for its schema above the file, and for
    the top of a kernel tree above that."""
    with tempfile.TemporaryDirectory() as directory:
        top = pathlib.Path(directory)
        netlink = top / "Documentation/netlink"
        (netlink / "specs").mkdir(parents=True)
        (top / "MAINTAINERS").touch()
        for schema in (kernel / "Documentation/netlink").glob("*.yaml"):
            shutil.copy(schema, netlink)
        copy = shutil.copy(spec, netlink / "specs")
        command = [sys.executable, kernel / "tools/net/ynl/pyynl/ynl_gen_c.py", "--spec", copy]
        return subprocess.run([*command, "--mode", *mode], check=True, timeout=60,
                              stdout=subprocess.PIPE, encoding="utf-8").stdout


def numbers(header):
    """The constants of a header: a dictionary of names and values, strings with their quotes."""
    header = re.sub(r"/\*.*?\*/", "", header, flags=re.DOTALL)
    found = {}

    def value(text):
        text = text.strip()
        if text.startswith('"'):
            return text
        # References to other constants, for the number of the last one.
        text = re.sub(r"[A-Z_]\w*", lambda name: str(found[name.group()]), text)
        return int(eval(text, {"__builtins__": {}}))  # pylint: disable=eval-used

    for enum, define in re.findall(r"enum[^{;]*\{(.*?)\};|^#define[ \t]+(\w+[ \t]+\S[^\n]*)$", header,
                                   re.DOTALL | re.MULTILINE):
        if define:
            name, text = define.split(None, 1)
            found[name] = value(text)
            continue
        last = -1
        for entry in filter(None, (entry.strip() for entry in enum.split(","))):
            name, _, text = entry.partition("=")
            last = value(text) if text else last + 1
            found[name.strip()] = last
    return found


def check_header(ours, generated):
    """Names and numbers. The generator has no name for 0, which is no attribute and no command."""
    ours = {name: value for name, value in ours.items() if not name.endswith("_UNSPEC")}
    for name in sorted(ours.keys() | generated.keys()):
        if ours.get(name) != generated.get(name):
            yield f"{name} is {ours.get(name)} in the header and {generated.get(name)} in the spec"


def policies_of_c(source):
    """{(command, "do" or "dump"): {attribute: row}} of the generated source, and that of a nest."""
    tables = {}
    for name, body in re.findall(r"struct nla_policy (\w+)\[[^\]]*\] = \{\n(.*?)\n\};", source, re.DOTALL):
        table = tables[name] = {}
        for attribute, row in re.findall(r"\[SHIM6_(\w+)\] = (.*),$", body, re.MULTILINE):
            for pattern, replacement in ROWS_OF_C:
                match = re.fullmatch(pattern, row)
                if match:
                    table[attribute] = match.expand(replacement)
                    break
            else:
                raise Drift(f"no policy of rust/netlink is like {row}")
    operations = {}
    listed = source[source.index("struct genl_split_ops"):]
    for entry in re.findall(r"\{\n(.*?)\n\t\}", listed, re.DOTALL):
        fields = dict(re.findall(r"\.(\w+)\s*= (.*),", entry))
        if "GENL_UNS_ADMIN_PERM" not in fields["flags"]:
            raise Drift(f"{fields['cmd']} is for everybody in the spec")
        kind = "do" if "doit" in fields else "dump"
        command = fields["cmd"].removeprefix("SHIM6_")
        operations[command, kind] = tables[fields["policy"]] if "policy" in fields else {}
    return operations, tables["shim6_locator_nl_policy"]


def policies_of_rust(directory):
    """The same of rust/netlink."""
    text = (directory / "policy.rs").read_text(encoding="utf-8")
    tables = {}
    pattern = r"(?:static|const fn) (\w+)(?:\(\))?(?:: | -> )\[Policy; \w+\] (?:= )?(\{\n.*?\n\}|\w+\(\))"
    for name, body in re.findall(pattern, text, re.DOTALL):
        started = re.search(r"let mut table = (?:(\w+)\(\)|\[Policy::UNSUPPORTED; \w+\]);", body)
        base = started[1] if started else body.removesuffix("()")
        table = tables[name] = dict(tables[base]) if base else {}
        rows = re.findall(r"table\[(\w+) as usize\] = (.*);", body)
        if started and len(rows) + body.count("table[reported[i]") != body.count("table["):
            raise Drift(f"{name} in policy.rs has rows that are not understood")
        table.update(rows)
    operations = {}
    for file in directory.glob("*.rs"):
        source = file.read_text(encoding="utf-8")
        for kind, body in re.findall(r"^impl (Do|Dump) for \w+ \{\n(.*?)^\}", source, re.DOTALL | re.MULTILINE):
            command = re.search(r"const COMMAND: u8 = (\w+);", body)[1]
            policy = re.search(r"const POLICY: .* = &(?:policy::(\w+)|\[\]);", body)
            if not policy or "Permission::NetAdmin;" not in body:
                raise Drift(f"the policy of {command} or who may use it is not understood")
            table = tables[policy[1]] if policy[1] else {}
            operations[command, kind.lower()] = {
                attribute: row for attribute, row in table.items() if row != "REPORTED"
            }
    return operations, tables["LOCATOR"]


def check_policies(ours, generated):
    """Each row of each command."""
    for operation in sorted(ours.keys() | generated.keys()):
        mine, other = ours.get(operation), generated.get(operation)
        if mine is None or other is None:
            yield f"{operation} is only in {'the spec' if mine is None else 'rust/netlink'}"
            continue
        for attribute in sorted(mine.keys() | other.keys()):
            if mine.get(attribute) != other.get(attribute):
                yield (f"{attribute} of {operation} is {mine.get(attribute)} in rust/netlink and "
                       f"{other.get(attribute)} in the spec")


def main():
    """Says what differs, and fails if anything does."""
    kernel = pathlib.Path(sys.argv[1])
    top = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else ".")
    spec = top / f"Documentation/netlink/specs/{FAMILY}.yaml"

    header = numbers((top / f"uapi/linux/{FAMILY}_netlink.h").read_text(encoding="utf-8"))
    differences = list(check_header(header, numbers(generate(kernel, spec, "uapi", "--header"))))
    ours, our_nest = policies_of_rust(top / "rust/netlink")
    theirs, nest = policies_of_c(generate(kernel, spec, "kernel", "--source"))
    differences += check_policies(ours, theirs)
    # A nest takes what it takes in every command: what is only shown is refused in it.
    shown = {name for name, row in our_nest.items() if row == "REPORTED"}
    our_nest = {name: row for name, row in our_nest.items() if name not in shown}
    nest = {name: row for name, row in nest.items() if name not in shown}
    differences += check_policies({("LOCATOR", "nest"): our_nest}, {("LOCATOR", "nest"): nest})

    for difference in differences:
        print(difference)
    if differences:
        sys.exit(1)
    rows = sum(map(len, ours.values())) + len(our_nest)
    print(f"{len(header)} constants, {rows} rows of policies of {len(ours)} operations are as specified")


if __name__ == "__main__":
    main()
