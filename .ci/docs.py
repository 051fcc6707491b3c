#!/usr/bin/env python3
"""Reads rustdoc's JSON of the crate and fails where a reader of the documentation would be lost:

- a public method of a type that has no page of its own, because only an alias of it is public;
- a function of more than one argument without an example.

    .ci/docs.py FILE.json
"""

import json
import sys


def inner(item, kind):
    return item["inner"].get(kind)


def main(path):
    with open(path) as file:
        crate = json.load(file)
    index = crate["index"]
    item = lambda id: index.get(str(id))

    # What has a page: everything that public modules and re-exports lead to.
    pages, names, functions = set(), {}, []
    todo = [(crate["root"], "")]
    while todo:
        id, prefix = todo.pop()
        it = item(id)
        if it is None or id in pages:
            continue
        name = f"{prefix}{it['name']}" if it["name"] else prefix
        if inner(it, "use") is not None:
            use = inner(it, "use")
            if use["is_glob"]:
                target = item(use["id"])
                todo += [(i, prefix) for i in children(target)] if target else []
            else:
                todo.append((use["id"], prefix))
            continue
        pages.add(id)
        names[id] = name
        if inner(it, "module") is not None:
            todo += [(i, f"{name}::") for i in inner(it, "module")["items"] if is_public(item(i))]
        if inner(it, "function") is not None:
            functions.append((name, it))

    # Types that signatures and aliases name.
    named = set()
    collect(index.values(), named, crate)
    types = {id for id in pages | named if item(id) and kind_of(item(id))}
    wrong = []
    for id in sorted(types):
        it = item(id)
        for method in methods(it, item):
            name = f"{names.get(id, it['name'])}::{method['name']}"
            if id in pages:
                functions.append((name, method))
            elif it["visibility"] == "public" and is_reached(id, pages, item):
                wrong.append(f"{name} stands on no page: only aliases of {it['name']} are public")
    examples = 0
    for name, it in functions:
        inputs = [i for i in inner(it, "function")["sig"]["inputs"] if i[0] != "self"]
        if len(inputs) > 1:
            examples += 1
            if "```" not in (it["docs"] or ""):
                wrong.append(f"{name} takes {len(inputs)} arguments and has no example")
    print(f"{len(pages)} pages, {len(functions)} functions, {examples} of more than one argument")
    for line in sorted(set(wrong)):
        print(line, file=sys.stderr)
    if len(functions) < 100:
        sys.exit("this is not the documentation of the whole crate")
    sys.exit(1 if wrong else 0)


def is_public(it):
    return it is not None and it["visibility"] in ("public", "default")


def kind_of(it):
    return next((kind for kind in ("struct", "enum", "union") if kind in it["inner"]), None)


def children(it):
    if inner(it, "module") is not None:
        return inner(it, "module")["items"]
    if inner(it, "enum") is not None:
        return inner(it, "enum")["variants"]
    return []


def methods(it, item):
    """The public methods of a type's own impl blocks."""
    for impl in it["inner"][kind_of(it)]["impls"]:
        block = item(impl)
        if block is None or inner(block, "impl")["trait"] is not None:
            continue
        for id in inner(block, "impl")["items"]:
            method = item(id)
            if method and inner(method, "function") is not None and is_public(method):
                yield method


def collect(value, into, crate):
    """The ids of this crate's types that a part of the JSON names."""
    todo = list(value)
    while todo:
        part = todo.pop()
        if isinstance(part, dict):
            if "resolved_path" in part and isinstance(part["resolved_path"], dict):
                into.add(part["resolved_path"].get("id"))
            todo += part.values()
        elif isinstance(part, list):
            todo += part


def is_reached(id, pages, item):
    """Whether a page leads to the type: an alias, or a function that takes or returns it."""
    for page in pages:
        it = item(page)
        for kind in ("type_alias", "function"):
            if it and inner(it, kind) is not None:
                found = set()
                collect([inner(it, kind)], found, None)
                if id in found:
                    return True
    return False


if __name__ == "__main__":
    main(sys.argv[1])
