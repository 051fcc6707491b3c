#!/usr/bin/env python3
"""Fails if a dependency has a license that deny.toml does not allow, or if LICENSES.md has other licenses than the
dependencies of the library.

    .ci/licenses.py            checks
    .ci/licenses.py --renew    writes LICENSES.md
"""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "LICENSES.md"

# What is not to be seen from the name of a license or of a crate.
NOTES = {
    "psl": "made from the Public Suffix List, whose own file is under MPL-2.0",
    "CDLA-Permissive-2.0": "the list of Mozilla's root certificates; who passes the data on includes this text",
    "Unicode-3.0": "tables of Unicode, for international host names; the notice is kept with the data or its documentation",
}


def main(renew):
    allowed = set(tomllib.loads((ROOT / "deny.toml").read_text())["licenses"]["allow"])
    metadata = json.loads(cargo("metadata", "--format-version", "1", "--all-features"))
    wrong = []
    licenses = {}
    for package in metadata["packages"]:
        if package["source"] is None:
            continue
        expression = package["license"] or "none"
        licenses[package["name"], package["version"]] = expression
        if not is_allowed(expression, allowed):
            wrong.append(f"{package['name']} {package['version']}: {expression}")
    if len(licenses) < 100:
        wrong.append("these are not the dependencies of the workspace")

    page = written(crates(), crates("--all-features"), licenses)
    if renew:
        PAGE.write_text(page)
    elif not PAGE.exists() or PAGE.read_text() != page:
        wrong.append("LICENSES.md is not what the dependencies say: .ci/licenses.py --renew")
    print(f"{len(licenses)} dependencies of the workspace")
    for line in wrong:
        print(line, file=sys.stderr)
    sys.exit(1 if wrong else 0)


def cargo(*arguments):
    return subprocess.run(["cargo", *arguments], cwd=ROOT, check=True, capture_output=True, text=True).stdout


def crates(*features):
    """Names and versions of what the library itself is built of, on all systems."""
    tree = cargo(
        "tree", "--package", "leanhttp", "--edges", "normal", "--target", "all", "--prefix", "none", "--format", "{p}", *features
    )
    found = {tuple(line.split()[:2]) for line in tree.splitlines() if line}
    return {(name, version.removeprefix("v")) for name, version in found if name != "leanhttp"}


def is_allowed(expression, allowed):
    """An SPDX expression: AND binds stronger than OR. The older form separates alternatives by a slash."""
    tokens = re.findall(r"\(|\)|[^\s()/]+|/", expression.replace("/", " / "))

    def alternatives():
        value = together()
        while tokens and tokens[0] in ("OR", "/"):
            tokens.pop(0)
            value = together() or value
        return value

    def together():
        value = one()
        while tokens and tokens[0] == "AND":
            tokens.pop(0)
            value = one() and value
        return value

    def one():
        token = tokens.pop(0)
        if token == "(":
            value = alternatives()
            tokens.pop(0)
            return value
        if tokens and tokens[0] == "WITH":
            token = " ".join([token, tokens.pop(0), tokens.pop(0)])
        return token in allowed

    return alternatives()


def written(default, everything, licenses):
    lines = [
        "# Licenses of the dependencies",
        "",
        "leanhttp itself is licensed under [MIT](LICENSE-MIT) or [Apache-2.0](LICENSE-APACHE), at your option. These are the",
        "licenses of what it is built of, on all systems together, as the crates declare them. None is a copyleft license;",
        "`deny.toml` has the list that is allowed. `.ci/licenses.py --renew` writes this page, and CI compares it.",
    ]
    for title, found in [
        ("The default features", default),
        ("All other features", everything - default),
    ]:
        groups = {}
        for name, version in found:
            expression = licenses[name, version].replace("/", " OR ")
            groups.setdefault(expression, set()).add(name)
        lines += ["", f"## {title}", "", "| license | crates | note |", "| --- | --- | --- |"]
        for expression, names in sorted(groups.items()):
            notes = [note for key, note in NOTES.items() if key in expression or key in names]
            lines.append(f"| {expression} | {', '.join(f'`{name}`' for name in sorted(names))} | {'; '.join(notes)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main("--renew" in sys.argv[1:])
