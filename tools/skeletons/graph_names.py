# SPDX-License-Identifier: MIT
"""Names for the values of a finished graph: short, unique, plain, and told by
where in the module they are computed."""

import re


def base(name):
    """`/blocks/blocks.0/attn/qkv/MatMul_output_0__7` is
    `blocks.0/attn/qkv/MatMul`."""
    name = re.sub(r"(__\d+)+$", "", name)
    name = re.sub(r"_output_\d+$", "", name)
    parts = [part for part in name.split("/") if part]
    kept = [part for part, after in zip(parts, parts[1:] + [""])
            if not after.startswith(part + ".")]
    return re.sub(r"[^\w./-]", "_", "/".join(kept)) or "value"


def rename_all(net, taken):
    """Gives every computed value and every constant of `net` its name.

    Inputs, outputs and weights keep theirs; no name is one of `taken`.
    """
    used = {*taken, *net.inputs, *net.outputs, *net.weights}
    names = {}
    counts = {}

    def give(name, stem):
        while True:
            number = counts[stem] = counts.get(stem, 0) + 1
            wanted = stem if number == 1 else "%s.%d" % (stem, number)
            if wanted not in used:
                break
        used.add(wanted)
        names[name] = wanted

    constants = dict(net.constants)
    ordered = {}
    for node in net.nodes:
        for name in node.inputs:
            if name in constants and name not in names:
                give(name, "constant")
                ordered[names[name]] = constants.pop(name)
        for name in node.outputs:
            if name and name not in net.outputs:
                give(name, base(name))
    for name in list(constants):
        if name in net.outputs:
            ordered[name] = constants.pop(name)
    net.constants = ordered
    for node in net.nodes:
        node.inputs = [names.get(name, name) for name in node.inputs]
        node.outputs = [names.get(name, name) for name in node.outputs]
