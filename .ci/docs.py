#!/usr/bin/env python3
"""Reads rustdoc's JSON of the crate and fails where a reader of the documentation would be lost:

- a public method of a type that has no page of its own, because only an alias of it is public;
- a function of more than one argument without an example;
- with the folder of the pages, as docs.rs builds them: an item behind a feature whose page does not say so. rustdoc
  writes that from each `cfg` by itself.

    .ci/docs.py FILE.json [FOLDER]
"""

import json
import os
import re
import sys


def inner(item, kind):
    return item["inner"].get(kind)


def main(path, folder=None):
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

    wrong = []
    for id in sorted(pages):
        it = item(id)
        if kind_of(it):
            functions += [(f"{names[id]}::{method['name']}", method) for method in methods(it, item)]
        # The methods of a type stand on its own page. Where only an alias is public, they stand on none.
        alias = inner(it, "type_alias")
        target = alias and alias["type"].get("resolved_path")
        if target and is_ours(target["id"], crate) and target["id"] not in pages:
            wrong.append(f"the methods of {names[id]} stand on no page: {target['path']} is not public")
    examples = 0
    for name, it in functions:
        inputs = [i for i in inner(it, "function")["sig"]["inputs"] if i[0] != "self"]
        if len(inputs) > 1:
            examples += 1
            if "```" not in (it["docs"] or ""):
                wrong.append(f"{name} takes {len(inputs)} arguments and has no example")
    print(f"{len(pages)} pages, {len(functions)} functions, {examples} of more than one argument")
    if folder:
        wrong += without_badge(folder, [(names[id], item(id)) for id in pages], item)
    for line in sorted(set(wrong)):
        print(line, file=sys.stderr)
    if len(functions) < 100:
        sys.exit("this is not the documentation of the whole crate")
    sys.exit(1 if wrong else 0)


def without_badge(folder, pages, item):
    """The items behind a feature whose pages do not name it."""
    wrong, seen = [], 0
    for name, it in pages:
        text = page(folder, name, it)
        if text is None or "::guide::" in name:  # a page of the guide names only the feature that it is about
            continue
        badge = text.split('<details class="toggle top-doc"')[0]
        own = badge
        gated = [(name, own, features(it))]
        for method in methods(it, item) if kind_of(it) else []:
            # Several impl blocks may have a method of that name: all of their badges count.
            parts = re.split(rf'id="method\.{method["name"]}(?:-[0-9]+)?"', text)[1:]
            badge = "".join(part.split("</summary>")[0].split("</section><section")[0] for part in parts)
            gated.append((f"{name}::{method['name']}", own + badge, features(method)))
        for name_of, badge, needed in gated:
            seen += bool(needed)
            shown = "".join(re.findall(r'<div class="stab portability">.*?</div>', badge))
            wrong += [f"{name_of} does not say that it needs `{f}`" for f in needed if f"<code>{f}</code>" not in shown]
    print(f"{seen} items behind a feature")
    return wrong if seen >= 50 else wrong + [f"only {seen} items behind a feature: these are not all pages"]


def page(folder, name, it):
    """The page of an item, if it has one under that name."""
    kind = next(iter(it["inner"]))
    file = {"module": "{}/index", "type_alias": "type.{}", "function": "fn.{}"}.get(kind, kind + ".{}")
    *above, last = name.split("::")
    path = os.path.join(folder, *above, file.format(last) + ".html")
    if not os.path.exists(path):
        return None
    with open(path) as file:
        return file.read()


def features(it):
    """The features that the item's own `cfg` names."""
    traces = [a["other"] for a in it["attrs"] if isinstance(a, dict) and "CfgTrace" in a.get("other", "")]
    return sorted({f for trace in traces for f in re.findall(r'name: "feature", value: Some\("([^"]+)"\)', trace)})


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


def is_ours(id, crate):
    """Whether a type is one of this crate. One without a page may be left out of the index."""
    path = crate["paths"].get(str(id))
    return path is not None and path["crate_id"] == 0


if __name__ == "__main__":
    main(*sys.argv[1:])
