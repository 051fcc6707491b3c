#!/usr/bin/env python3
"""Compares the public API, as rustdoc's JSON has it, with `.ci/public-api.txt`: every change of it is to be seen in a
review, and to be told by CHANGELOG.md.

    .ci/api.py FILE.json            fails if they differ
    .ci/api.py FILE.json --renew    writes .ci/public-api.txt
"""

import difflib
import json
import sys
from collections import deque
from pathlib import Path

SNAPSHOT = Path(__file__).resolve().parent / "public-api.txt"

# Whoever derives or implements these sees them in the listing of a type; others follow from its fields.
IGNORED = {"StructuralPartialEq"}


def main(path, renew):
    crate = json.loads(Path(path).read_text())
    lines = sorted(set(Listing(crate).lines()))
    if len(lines) < 500:
        sys.exit("this is not the API of the whole crate")
    text = "".join(f"{line}\n" for line in lines)
    if renew:
        SNAPSHOT.write_text(text)
    before = SNAPSHOT.read_text() if SNAPSHOT.exists() else ""
    print(f"{len(lines)} public items")
    if before != text:
        if renew:
            return
        changes = difflib.unified_diff(before.splitlines(), lines, "public-api.txt", "now", n=0, lineterm="")
        print(*changes, sep="\n", file=sys.stderr)
        sys.exit(f"the public API has changed; if that is intended: .ci/api.py {path} --renew")


class Listing:
    def __init__(self, crate):
        self.crate = crate
        self.index = crate["index"]

    def item(self, id):
        return self.index.get(str(id))

    def lines(self):
        """Everything that public modules and re-exports lead to: an item under its shortest path, and as a `use`
        under the others."""
        names = {}
        todo = deque([(self.crate["root"], "", None)])
        while todo:
            id, prefix, alias = todo.popleft()
            item = self.item(id)
            if item is None:
                continue
            (kind, inner), = item["inner"].items()
            path = f"{prefix}{alias or item['name']}"
            if kind == "use":
                target = self.item(inner["id"]) if inner["id"] is not None else None
                if target is None:
                    yield f"use {prefix}{inner['name']} = {inner['source']}"
                elif inner["is_glob"]:
                    todo += [(child, prefix, None) for child in self.public(target)]
                else:
                    todo.append((inner["id"], prefix, inner["name"]))
            elif id in names:
                if names[id] != path:
                    yield f"use {path} = {names[id]}"
            else:
                names[id] = path
                if kind == "module":
                    yield f"mod {path}"
                    todo += [(child, f"{path}::", None) for child in self.public(item)]
                else:
                    yield from self.named(item, path)

    def public(self, module):
        """What is public in a module; the items of a trait are not asked for here."""
        items = map(self.item, module["inner"].get("module", {}).get("items", []))
        return [item["id"] for item in items if item and item["visibility"] == "public"]

    def named(self, item, path):
        (kind, inner), = item["inner"].items()
        if kind in ("struct", "enum", "union"):
            yield f"{marks(item)}{kind} {path}{generics(inner['generics'])}"
            if kind == "enum":
                yield from self.variants(inner["variants"], path)
            else:
                yield from self.fields(inner["kind"] if kind == "struct" else inner, path)
            for impl in inner["impls"]:
                yield from self.impl(self.item(impl), path)
        elif kind == "trait":
            bounds = " + ".join(filter(None, map(bound, inner["bounds"])))
            yield f"trait {path}{generics(inner['generics'])}{': ' + bounds if bounds else ''}"
            for child in inner["items"]:
                yield from self.member(self.item(child), path)
        elif kind == "type_alias":
            yield f"type {path}{generics(inner['generics'])} = {type_(inner['type'])}"
        else:
            yield from self.member(item, path.rpartition("::")[0])

    def variants(self, ids, path):
        for id in ids:
            variant = self.item(id)
            name = f"{path}::{variant['name']}"
            kind = variant["inner"]["variant"]["kind"]
            yield f"{marks(variant)}variant {name}"
            if kind != "plain":
                yield from self.fields(kind, name)

    def fields(self, kind, path):
        if not isinstance(kind, dict):
            return
        ids = kind.get("tuple") or (kind.get("plain") or kind.get("struct") or kind).get("fields", [])
        for id in ids:
            field = self.item(id) if id is not None else None
            if field and field["visibility"] in ("public", "default"):
                yield f"field {path}::{field['name']}: {type_(field['inner']['struct_field'])}"

    def impl(self, block, path):
        inner = block and block["inner"]["impl"]
        if not inner or inner["is_synthetic"] or inner["blanket_impl"]:
            return
        if inner["trait"]:
            name = path_(inner["trait"])
            if name.split("<")[0] not in IGNORED:
                yield f"impl{generics(inner['generics'])} {name} for {path} = {type_(inner['for'])}"
            return
        for id in inner["items"]:
            member = self.item(id)
            if member and member["visibility"] == "public":
                yield from self.member(member, path, type_(inner["for"]))

    def member(self, item, path, owner=None):
        if item is None:
            return
        (kind, inner), = item["inner"].items()
        name = f"{path}::{item['name']}"
        # Methods of one set of parameters alone, such as those that wait.
        where = f" [{owner}]" if owner and "<" in owner else ""
        if kind == "function":
            yield f"{marks(item)}{function(inner, name)}{where}"
        elif kind == "assoc_type":
            value = f" = {type_(inner['type'])}" if inner["type"] else ""
            yield f"type {name}{value}"
        elif kind in ("assoc_const", "constant", "static"):
            yield f"const {name}: {type_(inner['type'])}"
        else:
            yield f"{kind} {name}"


def marks(item):
    attributes = json.dumps(item["attrs"])
    return "".join(f"#[{mark}] " for mark in ("non_exhaustive", "must_use") if mark in attributes)


def function(inner, name):
    header, sig = inner["header"], inner["sig"]
    words = "".join(f"{word} " for word in ("const", "async", "unsafe") if header[f"is_{word}"])
    inputs = ", ".join(receiver(value) if key == "self" else f"{key}: {type_(value)}" for key, value in sig["inputs"])
    output = f" -> {type_(sig['output'])}" if sig["output"] else ""
    return f"{words}fn {name}{generics(inner['generics'])}({inputs}){output}"


def receiver(value):
    return {"Self": "self", "&Self": "&self", "&mut Self": "&mut self"}.get(type_(value), f"self: {type_(value)}")


def generics(inner):
    """Parameters and, in brackets too, the conditions on them."""
    parameters = []
    for parameter in inner["params"]:
        (kind, data), = parameter["kind"].items()
        if kind == "type" and not data["is_synthetic"]:
            bounds = " + ".join(filter(None, map(bound, data["bounds"])))
            parameters.append(parameter["name"] + (f": {bounds}" if bounds else ""))
        elif kind == "lifetime":
            parameters.append(parameter["name"])
        elif kind == "const":
            parameters.append(f"const {parameter['name']}: {type_(data['type'])}")
    for predicate in inner["where_predicates"]:
        data = predicate.get("bound_predicate")
        if data:
            bounds = " + ".join(filter(None, map(bound, data["bounds"])))
            parameters.append(f"{type_(data['type'])}: {bounds}")
    return f"<{', '.join(parameters)}>" if parameters else ""


def bound(data):
    if "trait_bound" in data:
        inner = data["trait_bound"]
        return {"maybe": "?"}.get(inner["modifier"], "") + path_(inner["trait"])
    return data.get("outlives", "")


def path_(data):
    return data["path"].split("::")[-1] + arguments(data["args"])


def arguments(data):
    if not data:
        return ""
    if "parenthesized" in data:
        inner = data["parenthesized"]
        output = f" -> {type_(inner['output'])}" if inner["output"] else ""
        return f"({', '.join(map(type_, inner['inputs']))}){output}"
    if "angle_bracketed" not in data:
        return ""
    inner = data["angle_bracketed"]
    parts = [type_(one["type"]) if "type" in one else one.get("lifetime") or "_" for one in inner["args"] if one != "infer"]
    for constraint in inner["constraints"]:
        binding = constraint["binding"]
        if "equality" in binding:
            parts.append(f"{constraint['name']} = {type_(binding['equality'].get('type'))}")
        else:
            bounds = " + ".join(map(bound, binding["constraint"]))
            parts.append(f"{constraint['name']}: {bounds}")
    return f"<{', '.join(parts)}>" if parts else ""


def type_(data):
    if data is None or isinstance(data, str):
        return data or "_"
    (kind, inner), = data.items()
    if kind == "resolved_path":
        return path_(inner)
    if kind in ("generic", "primitive"):
        return inner
    if kind == "borrowed_ref":
        lifetime = f"{inner['lifetime']} " if inner["lifetime"] else ""
        return f"&{lifetime}{'mut ' if inner['is_mutable'] else ''}{type_(inner['type'])}"
    if kind == "tuple":
        return f"({', '.join(map(type_, inner))})"
    if kind == "slice":
        return f"[{type_(inner)}]"
    if kind == "array":
        return f"[{type_(inner['type'])}; {inner['len']}]"
    if kind == "impl_trait":
        return "impl " + " + ".join(filter(None, map(bound, inner)))
    if kind == "dyn_trait":
        parts = [path_(one["trait"]) for one in inner["traits"]] + [inner["lifetime"]]
        return "dyn " + " + ".join(filter(None, parts))
    if kind == "qualified_path":
        trait = path_(inner["trait"]) if inner["trait"] else ""
        owner = f"<{type_(inner['self_type'])} as {trait}>" if trait else type_(inner["self_type"])
        return f"{owner}::{inner['name']}"
    if kind == "function_pointer":
        return function({"generics": {"params": [], "where_predicates": []}, **inner}, "")
    if kind == "raw_pointer":
        return f"*{'mut' if inner['is_mutable'] else 'const'} {type_(inner['type'])}"
    return kind


if __name__ == "__main__":
    main(sys.argv[1], "--renew" in sys.argv[2:])
